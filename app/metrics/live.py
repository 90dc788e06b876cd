"""An answer made anew: the same question to Postgres, over the rollups as its tables give them at this moment."""

from collections.abc import Mapping
from dataclasses import dataclass
from typing import Any

from app.lake.postgres import on_postgres
from app.lake.sources import SOURCES
from app.metrics.lookups import LOOKUPS, Lookup
from app.metrics.rates import Rates
from app.metrics.reading import FX
from app.metrics.receipt import Receipt
from app.metrics.shelves import BEGINNING, END
from app.metrics.stocks import CALENDAR
from app.rollups import rollups

# ruff: noqa: S608 - the SQL is made of our own names

_FX = """
SELECT
    UNNEST(CAST(%(fx_currencies)s AS VARCHAR[])) AS currency,
    UNNEST(CAST(%(fx_days)s AS DATE[])) AS day,
    UNNEST(CAST(%(fx_rates)s AS DECIMAL(20, 10)[])) AS rate
"""
_CALENDAR = f"SELECT DATE '{BEGINNING}' + n AS day FROM generate_series(0, {(END - BEGINNING).days - 1}) AS n"


@dataclass(frozen=True)
class Live:
    """A text for psycopg with its parameters. Its days are those of the session's zone: set it to `zone` before."""

    sql: str
    parameters: Mapping[str, Any]
    zone: str


def live(receipt: Receipt, rates: Rates) -> Live:
    """Every relation of the answer's text, made of the tables, and then the text itself."""
    needed = receipt.compiled.relations
    looked_up = [LOOKUPS[name] for name in sorted(needed & set(LOOKUPS))]
    relations = [f"{name} AS ({_safe(on_postgres(rollups()[name]))})" for name in sorted(needed & set(rollups()))]
    # In two steps: a lookup bears the name of the table it is made of, and of one that others are joined to.
    relations += [
        f"shaped_{name} AS ({_safe(SOURCES[name].select())})" for name in sorted({one.reads for one in looked_up})
    ]
    relations += [_named(lookup) for lookup in looked_up]
    relations += [f"{name} AS ({text})" for name, text in ((FX, _FX), (CALENDAR, _CALENDAR)) if name in needed]
    sql = f"WITH {', '.join(relations)}, {receipt.compiled.postgres.removeprefix('WITH ')}"
    return Live(sql, {**receipt.parameters, **(_of(rates) if FX in needed else {})}, receipt.zone)


def _named(lookup: Lookup) -> str:
    return f"{lookup.name} AS (WITH {lookup.reads} AS (TABLE shaped_{lookup.reads}) {_safe(lookup.sql)})"


def _of(rates: Rates) -> dict[str, list[Any]]:
    """The rates of the answer: a figure made anew differs by what changed in the facts, not in the rates."""
    return {
        "fx_currencies": [rate.currency for rate in rates.listed],
        "fx_days": [rate.day for rate in rates.listed],
        "fx_rates": [rate.rate for rate in rates.listed],
    }


def _safe(text: str) -> str:
    """A percent sign is psycopg's own."""
    return text.replace("%", "%%")
