"""How the products spell the values that we spell in one way: importers read this before they write."""

from dataclasses import dataclass


@dataclass(frozen=True)
class Spelling:
    """A value as a product writes it, and as our column holds it; None leaves the column empty."""

    table: str
    column: str
    written: str
    canonical: str | None


SPELLINGS = (
    Spelling("plans", "billing_period", "yearly", "annual"),
    Spelling("subscriptions", "tier", "freemium", "free"),
    Spelling("subscriptions", "tier", "professional", "pro"),
    Spelling("subscriptions", "status", "canceled", "cancelled"),
    Spelling("subscriptions", "status", "trial", "trialing"),
    Spelling("jobs", "status", "processing", "running"),
    # A row over both platforms is not split by platform; as a platform of its own it would be counted twice.
    Spelling("performance_analytics", "platform", "both", None),
)
_CANONICAL = {(spelling.table, spelling.column, spelling.written): spelling.canonical for spelling in SPELLINGS}


def canonical(table: str, column: str, written: str) -> str | None:
    """The value to store for one that a product wrote: the same, unless it is spelled differently here."""
    return _CANONICAL.get((table, column, written), written)
