"""Stripe's invoices beside ours: which of the two lacks one, and which say something else. Nothing is changed by it."""

from collections.abc import Iterable, Iterator
from dataclasses import dataclass
from datetime import UTC, date, datetime, timedelta
from decimal import Decimal

from sqlalchemy import Connection, Engine, RowMapping

from app.access import Permission, Viewer
from app.commands.company import require_whole_company
from app.ingest.fetching import fetch_invoices
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
_OVER_A_MONTH = timedelta(days=31)


def compare_invoices(engine: Engine, by: Viewer, content: bytes, name: str) -> RevenueReport:
    """A file of Stripe's beside our invoices of the same days."""
    _require_all(engine, by)
    told = read_invoices(content, name)
    at = [one.created_at for one in told]
    return _compared(engine, by, told, min(at), max(at) + _A_DAY, "the file")


def compare_month(engine: Engine, by: Viewer, month: date) -> RevenueReport:
    """What Stripe's interface lists of a month beside our invoices of it."""
    _require_all(engine, by)
    since, until = month.replace(day=1), (month.replace(day=1) + _OVER_A_MONTH).replace(day=1)
    told = read_invoices(fetch_invoices(since, until), f"stripe invoices {since:%Y-%m}", may_be_none=True)
    return _compared(engine, by, told, _midnight(since), _midnight(until), "Stripe's list")


def _require_all(engine: Engine, by: Viewer) -> None:
    by.require(Permission.MONEY_READ)
    with seeing(engine, by.workspaces) as connection:
        require_whole_company(connection, by)


def _midnight(day: date) -> datetime:
    return datetime(day.year, day.month, day.day, tzinfo=UTC)


def _compared(  # noqa: PLR0917 - what is compared, and over which days
    engine: Engine, by: Viewer, told: Iterable[StripeInvoice], since: datetime, until: datetime, place: str
) -> RevenueReport:
    theirs = {one.key: one for one in told}
    with seeing(engine, by.workspaces) as connection:
        ours = {row["key"]: row for row in _ours(connection, theirs, since, until)}
    both = theirs.keys() & ours.keys()
    found = [
        difference
        for key in sorted(theirs.keys() | ours.keys())
        if (difference := _difference(ours.get(key), theirs.get(key), place)) is not None
    ]
    return RevenueReport(len(theirs), len(both) - sum(one.key in both for one in found), tuple(found))


def _ours(
    connection: Connection, theirs: dict[str, StripeInvoice], since: datetime, until: datetime
) -> Iterator[RowMapping]:
    """Those that Stripe names, and those that were issued in these days: Stripe should name them."""
    yield from rows(connection, _OURS, keys=sorted(theirs), since=since, until=until)


def _difference(ours: RowMapping | None, theirs: StripeInvoice | None, place: str) -> InvoiceDifference | None:
    if theirs is None:
        assert ours is not None  # noqa: S101 - a key is of one of the two
        amount = major(ours["total"], ours["currency"])
        return InvoiceDifference(
            ours["key"], ours["number"], f"not in {place}", str(amount), "–", ours["currency"], -amount
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
