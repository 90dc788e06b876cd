"""Campaigns of different times laid over each other: by days since their launch."""

from collections.abc import Mapping
from datetime import date

import pandas as pd


def since_launch(
    daily: pd.DataFrame, launches: Mapping[str, date], through: date, *, value: str, campaign: str = "campaign"
) -> pd.DataFrame:
    """Rows of (campaign, day, value) as `campaign, day_number, value, so_far`; the day of the launch is 0.

    A day without a row is a day of nothing. A line ends with the data, `through` being the last day of them, never
    with a zero after it; what came before the launch keeps its negative day and is in no sum.
    Campaigns without a launch are left out.
    """
    lines = [_line(rows, str(key), launches, through, value) for key, rows in daily.groupby(campaign, sort=False)]
    found = [line for line in lines if line is not None]
    columns = ["campaign", "day_number", value, "so_far"]
    return pd.concat(found, ignore_index=True)[columns] if found else pd.DataFrame(columns=columns)


def _line(rows: pd.DataFrame, key: str, launches: Mapping[str, date], through: date, value: str) -> pd.DataFrame | None:
    launch = launches.get(key)
    if launch is None or launch > through:
        return None
    numbers = pd.Series([(day - launch).days for day in pd.to_datetime(rows["day"]).dt.date], dtype="int64")
    figures = pd.Series(rows[value].to_numpy(), index=numbers).groupby(level=0).sum()
    days = range(min(0, int(numbers.min())), (through - launch).days + 1)
    filled = figures.reindex(days, fill_value=0)
    so_far = filled.where(filled.index >= 0, 0).cumsum()
    return pd.DataFrame(
        {"campaign": key, "day_number": list(days), value: filled.to_numpy(), "so_far": so_far.to_numpy()}
    )
