"""A rollup's text as a question to Postgres, which answers a figure from the tables themselves, as they are now."""

from datetime import date

from app.lake.sources import SOURCES
from app.rollups import CALENDAR, Rollup

# ruff: noqa: S608 - the SQL is made of our own names

_BEFORE = date(2014, 12, 31)
_DAYS = (date(2040, 12, 31) - _BEFORE).days
# Midnight may come twice, of which Postgres takes the second, or not at all: a day begins where the last second before
# it ends.
DAYS = f"""
SELECT
    day,
    number,
    LEAST(CAST(day AS TIMESTAMPTZ), CAST(day - INTERVAL '1 second' AS TIMESTAMPTZ) + INTERVAL '1 second') AS starts_at,
    LEAST(
        CAST(day + 1 AS TIMESTAMPTZ), CAST(day + 1 - INTERVAL '1 second' AS TIMESTAMPTZ) + INTERVAL '1 second'
    ) AS ends_at
FROM (
    SELECT DATE '{_BEFORE}' + n AS day, CAST({_BEFORE.toordinal()} + n AS BIGINT) AS number
    FROM generate_series(1, {_DAYS}) AS n
) AS days
""".strip()


def on_postgres(rollup: Rollup) -> str:
    """The whole rollup. Its days are those of the session's zone: say `SET LOCAL timezone` before."""
    selects = {name: SOURCES[name].select() for name in rollup.reads}
    if rollup.uses_calendar:
        selects[CALENDAR] = DAYS
    # In two steps: a lake-shaped table bears the name of the table it is made of, and of one that others are joined to.
    shaped = [f"shaped_{name} AS ({select})" for name, select in selects.items()]
    named = [f"{name} AS (TABLE shaped_{name})" for name in selects]
    # A text may begin with tables of its own, which must not follow upon these.
    return f"WITH {', '.join(shaped + named)}\nSELECT * FROM (\n{rollup.sql}\n) AS {rollup.name}"
