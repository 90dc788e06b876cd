"""What each rollup holds: its grain as its header says it, and its measures as its text names them."""

from collections.abc import Mapping
from dataclasses import dataclass
from functools import cache

from sqlglot import exp, parse_one

from app.rollups import Rollup, rollups

PEOPLE_COLUMN = "contact_code"


@dataclass(frozen=True)
class Shape:
    """The columns of a rollup."""

    name: str
    grain: frozenset[str]
    measures: frozenset[str]
    # A measure that is above zero wherever the rollup has anything to tell; it tells nothing from none.
    witness: str | None = None


_WITNESSES = {
    "email_days": "emails_sent",
    "email_domain_days": "emails_sent",
    "web_days": "web_events",
    "conversion_days": "conversions",
    "ad_days": "impressions",
    "ai_days": "generations",
    "ai_campaign_days": "generations",
    "optimization_days": "optimizations",
    "usage_days": "uses",
    "quota_days": "quota_balances",
    "credit_days": "credit_movements",
    "invoice_days": "invoices",
}


@cache
def shapes() -> Mapping[str, Shape]:
    """The shapes of all rollups by name."""
    return {name: shape(rollup) for name, rollup in rollups().items()}


def shape(rollup: Rollup) -> Shape:
    """The shape that a text gives."""
    columns = frozenset(parse_one(rollup.sql, dialect="duckdb", into=exp.Select).named_selects)
    return Shape(rollup.name, frozenset(rollup.grain), columns - set(rollup.grain), _WITNESSES.get(rollup.name))
