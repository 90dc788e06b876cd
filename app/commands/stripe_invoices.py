"""Stripe's invoices beside ours: which of the two lacks one, and which say something else. Nothing is changed by it."""

from collections.abc import Iterator
from dataclasses import dataclass
from datetime import timedelta
from decimal import Decimal

from sqlalchemy import Connection, Engine, RowMapping

from app.access import Permission, Viewer
from app.commands.company import require_whole_company
from app.ingest.stripe import StripeInvoice, read_invoices
from app.records.reading import rows
from db.engine import seeing
from db.minor import major


@dataclass(frozen=True)
class InvoiceDifference:
    """An invoice of which both do not say the same; amounts in whole units of its currency."""

    key: str
    number: str | None
    what: str
    ours: str
    theirs: str
    currency: str
    difference: Decimal


@dataclass(frozen=True)
class RevenueReport:
    """How many invoices a file has, how many say the same as ours, and the others."""

    invoices: int
    same: int
    differences: tuple[InvoiceDifference, ...]


_OURS = """
    SELECT i.provider_invoice_id AS key, i.number, i.status, i.currency, i.tax_minor AS tax,
        i.total_minor AS total, i.amount_paid_minor AS paid
    FROM invoices AS i
    WHERE i.provider = 'stripe'
        AND i.kind = 'invoice'
        AND (i.provider_invoice_id = ANY (:keys) OR i.issued_at >= :since AND i.issued_at < :until)
    """
_A_DAY = timedelta(days=1)


def compare_invoices(engine: Engine, by: Viewer, content: bytes, name: str) -> RevenueReport:
    """A file of Stripe's beside our invoices of the same days."""
    by.require(Permission.MONEY_READ)
    theirs = {one.key: one for one in read_invoices(content, name)}
    with seeing(engine, by.workspaces) as connection:
        require_whole_company(connection, by)
        ours = {row["key"]: row for row in _ours(connection, theirs)}
    found = [
        difference
        for key in sorted(theirs.keys() | ours.keys())
        if (difference := _difference(ours.get(key), theirs.get(key))) is not None
    ]
    return RevenueReport(len(theirs), len(theirs.keys() & ours.keys()) - _in_both(found), tuple(found))


def _ours(connection: Connection, theirs: dict[str, StripeInvoice]) -> Iterator[RowMapping]:
    """Those of the file, and those that were issued while it was: the file should have them."""
    at = [one.created_at for one in theirs.values()]
    yield from rows(connection, _OURS, keys=sorted(theirs), since=min(at), until=max(at) + _A_DAY)


def _difference(ours: RowMapping | None, theirs: StripeInvoice | None) -> InvoiceDifference | None:
    if theirs is None:
        assert ours is not None  # noqa: S101 - a key is of one of the two
        amount = major(ours["total"], ours["currency"])
        return InvoiceDifference(
            ours["key"], ours["number"], "not in the file", str(amount), "–", ours["currency"], -amount
        )  # fmt: skip
    if ours is None:
        amount = major(theirs.total, theirs.currency)
        return InvoiceDifference(
            theirs.key, theirs.number, "not in our books", "–", str(amount), theirs.currency, amount
        )  # fmt: skip
    told = {
        "currency": (ours["currency"], theirs.currency),
        "status": (ours["status"], theirs.status),
        "total": (major(ours["total"], ours["currency"]), major(theirs.total, theirs.currency)),
        "tax": (major(ours["tax"], ours["currency"]), major(theirs.tax, theirs.currency)),
        "paid": (major(ours["paid"], ours["currency"]), major(theirs.paid, theirs.currency)),
    }
    others = {what: pair for what, pair in told.items() if pair[0] != pair[1]}
    if not others:
        return None
    return InvoiceDifference(
        key=theirs.key,
        number=theirs.number,
        what=", ".join(others),
        ours=", ".join(str(pair[0]) for pair in others.values()),
        theirs=", ".join(str(pair[1]) for pair in others.values()),
        currency=theirs.currency,
        difference=major(theirs.total, theirs.currency) - major(ours["total"], ours["currency"]),
    )


def _in_both(found: list[InvoiceDifference]) -> int:
    return sum(one.what not in {"not in the file", "not in our books"} for one in found)
