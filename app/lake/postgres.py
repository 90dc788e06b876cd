"""A rollup's text as a question to Postgres, which answers a figure from the tables themselves, as they are now."""

from datetime import date

from app.lake.sources import SOURCES
from app.rollups import CALENDAR, Rollup

# ruff: noqa: S608 - the SQL is made of our own names

CALENDAR_FROM, CALENDAR_UNTIL = date(2015, 1, 1), date(2041, 1, 1)
_CALENDAR = f"""
SELECT
    DATE '{CALENDAR_FROM}' + n AS day,
    CAST(n AS BIGINT) AS number,
    CAST(DATE '{CALENDAR_FROM}' + n AS TIMESTAMPTZ) AS starts_at,
    CAST(DATE '{CALENDAR_FROM}' + n + 1 AS TIMESTAMPTZ) AS ends_at
FROM generate_series(0, {(CALENDAR_UNTIL - CALENDAR_FROM).days - 1}) AS n
""".strip()


def on_postgres(rollup: Rollup) -> str:
    """The whole rollup. Its days are those of the session's zone: say `SET LOCAL timezone` before."""
    selects = {name: SOURCES[name].select() for name in rollup.reads} | {CALENDAR: _CALENDAR}
    # In two steps: a lake-shaped table bears the name of the table it is made of, and of one that others are joined to.
    shaped = [f"shaped_{name} AS ({select})" for name, select in selects.items()]
    named = [f"{name} AS (TABLE shaped_{name})" for name in selects]
    # A text may begin with tables of its own, which must not follow upon these.
    return f"WITH {', '.join(shaped + named)}\nSELECT * FROM (\n{rollup.sql}\n) AS {rollup.name}"
