"""Providers' bills as they are kept, and the ledger's calls beside them, in the sums that a reconciliation takes."""

from collections import defaultdict
from collections.abc import Collection, Iterable, Sequence
from dataclasses import dataclass
from datetime import UTC, date, datetime, time, timedelta
from decimal import Decimal
from uuid import UUID

from sqlalchemy import Connection, Engine, RowMapping

from app.access import Permission, Viewer
from app.commands.company import require_whole_company
from app.money.bills import Bill, Billed, Counted, Meter, Used
from app.money.known_models import known_as
from app.money.pricing import Book, Price
from app.money.reconciliation import Reconciliation, reconcile
from app.money.units import Unit
from app.records.reading import rows
from db.engine import seeing

# Calls that began before the month may end in it, and clocks differ by less than a day.
_MARGIN = timedelta(days=3)
_OF_ALL = "Bills are of the whole company."


@dataclass(frozen=True)
class KeptBill:
    """A bill and where it stands."""

    id: UUID
    provider: str
    month: date
    zone: str
    total: Decimal
    tax: Decimal
    invoiced: Decimal | None
    invoice_number: str | None
    status: str
    note: str | None
    approved_at: datetime | None
    approved_by: str | None
    revision: int
    lines: int
    last_day: date | None


@dataclass(frozen=True)
class ReadFile:
    """A file that was read into a provider's bills."""

    created_at: datetime
    name: str
    kind: str
    source: str
    rows: int
    first_day: date
    last_day: date
    read_by: str | None


@dataclass(frozen=True)
class LineBehind:
    """A line of the provider's bill, as the provider tells it."""

    kind: str
    model: str | None
    unit: str | None
    variant: str | None
    service_tier: str | None
    quantity: Decimal | None
    amount: Decimal | None
    description: str | None


_BILLS = """
    SELECT b.id, b.provider, b.month, b.zone, b.total, b.tax, b.invoiced, b.invoice_number, b.status, b.note,
        b.approved_at, COALESCE(m.name, m.email) AS approved_by, b.revision, COUNT(l.id) AS lines,
        MAX(l.day) AS last_day
    FROM provider_bills AS b
    LEFT JOIN provider_bill_lines AS l ON l.bill_id = b.id AND l.replaced_by IS NULL
    LEFT JOIN team_members AS m ON m.id = b.approved_by
    GROUP BY b.id, m.name, m.email
    ORDER BY b.month DESC, b.provider
    """
_LINES = """
    SELECT l.day, l.model, l.unit, l.variant, l.service_tier, l.context_from, l.quantity, l.amount, l.step,
        COALESCE(l.description, '') AS description
    FROM provider_bill_lines AS l
    WHERE l.bill_id = :bill AND l.replaced_by IS NULL
    """
_LINES_OF_A_DAY = """
    SELECT l.kind, l.model, l.unit, l.variant, l.service_tier, l.quantity, l.amount, l.description
    FROM provider_bill_lines AS l
    WHERE l.bill_id = :bill AND l.day = :day AND l.replaced_by IS NULL
    ORDER BY l.kind, l.amount DESC NULLS LAST, l.unit, l.id
    """
_FILES = """
    SELECT f.created_at, f.name, f.kind, f.source, f.rows, f.first_day, f.last_day, COALESCE(m.name, m.email) AS read_by
    FROM provider_bill_files AS f
    LEFT JOIN team_members AS m ON m.id = f.read_by
    WHERE f.provider = :provider AND f.last_day >= :since AND f.first_day < :until
    ORDER BY f.created_at DESC, f.id DESC
    """
_PRICES = """
    SELECT p.provider, p.model, p.unit, p.variant, p.price, p.per, p.valid_from, p.valid_to, p.service_tier,
        p.context_from, p.version
    FROM ai_prices AS p
    WHERE p.provider = :provider AND p.approved_at IS NOT NULL AND p.superseded_by IS NULL
    """
_USED = """
    SELECT u.model, u.service_tier, u.day, u.began_on, u.ended_on, u.era, u.context, u.is_priced, u.unit, u.kind,
        u.quantity, u.cost
    FROM ai_usage_of(:provider, :since, :until, :zone, CAST(:eras AS timestamptz[]), CAST(:contexts AS bigint[])) AS u
    """
_LATE = """
    SELECT c.model, SUM(c.amount) AS amount
    FROM ai_cost_corrections AS c
    WHERE c.month = :month AND c.provider = :provider AND c.kind = 'late_usage'
    GROUP BY c.model
    """


def bills(engine: Engine, viewer: Viewer) -> list[KeptBill]:
    """All of them, the newest month first."""
    viewer.require(Permission.AI_COST_READ)
    with seeing(engine, viewer.workspaces) as connection:
        require_whole_company(connection, viewer, what=_OF_ALL)
        return [KeptBill(**row) for row in rows(connection, _BILLS)]


def files_of(engine: Engine, viewer: Viewer, provider: str, month: date) -> list[ReadFile]:
    """What was read into a month of a provider, the latest first."""
    viewer.require(Permission.AI_COST_READ)
    with seeing(engine, viewer.workspaces) as connection:
        require_whole_company(connection, viewer, what=_OF_ALL)
        found = rows(connection, _FILES, provider=provider, since=month, until=_after(month))
        return [ReadFile(**row) for row in found]


def lines_behind(
    engine: Engine, viewer: Viewer, *, bill: UUID, day: date, model: str | None, known: Collection[str]
) -> list[LineBehind]:
    """What the provider tells of a day and a model, which it may spell otherwise than calls do."""
    viewer.require(Permission.AI_COST_READ)
    with seeing(engine, viewer.workspaces) as connection:
        require_whole_company(connection, viewer, what=_OF_ALL)
        found = [LineBehind(**row) for row in rows(connection, _LINES_OF_A_DAY, bill=bill, day=day)]
    return [one for one in found if (one.model and known_as(one.model, known)) == model]


def reconciliation(engine: Engine, viewer: Viewer, bill: KeptBill) -> Reconciliation:
    """The ledger, the provider's lines and the invoice of a month, and what lies between them.

    The engine is that of commands: the sums are of the whole company, which a function answers to it alone.
    """
    viewer.require(Permission.AI_COST_READ)
    with seeing(engine, viewer.workspaces) as connection:
        require_whole_company(connection, viewer, what=_OF_ALL)
        prices = [_price(row) for row in rows(connection, _PRICES, provider=bill.provider)]
        used = _used(connection, bill, prices)
        lines = rows(connection, _LINES, bill=bill.id)
        late = {
            row["model"]: row["amount"] for row in rows(connection, _LATE, month=bill.month, provider=bill.provider)
        }
    known = {one.model for one in used} | {price.model for price in prices}
    told = Bill(bill.provider, bill.month, bill.zone, tuple(_billed(row, known) for row in lines), bill.invoiced)
    book = Book(prices)

    def price_of(model: str, meter: Meter, day: date) -> Decimal | None:
        at = datetime.combine(day, time(12), UTC)
        context = Decimal(meter.context_from)
        unit = Unit(meter.unit, meter.variant)
        return book.rate((bill.provider, model, meter.tier), unit, at=at, tokens_read=context)

    return reconcile(told, used, price_of, came_late=late)


def _used(connection: Connection, bill: KeptBill, prices: Sequence[Price]) -> list[Used]:
    first = datetime.combine(bill.month, time(), UTC)
    last = datetime.combine(_after(bill.month), time(), UTC)
    eras = sorted({at for price in prices for at in (price.valid_from, price.valid_to) if at is not None})
    contexts = sorted({price.context_from for price in prices if price.context_from})
    found = rows(
        connection,
        _USED,
        provider=bill.provider,
        since=first - _MARGIN,
        until=last + _MARGIN,
        zone=bill.zone,
        eras=eras,
        contexts=contexts,
    )
    return list(_grouped(found, Book(prices), bill.provider, eras, contexts))


def _grouped(
    found: Iterable[RowMapping], book: Book, provider: str, eras: Sequence[datetime], contexts: Sequence[int]
) -> Iterable[Used]:
    """Calls that are priced alike, with what each of their units costs."""
    groups: dict[tuple[object, ...], list[RowMapping]] = defaultdict(list)
    for row in found:
        key = (row["model"], row["service_tier"], row["day"], row["began_on"], row["ended_on"], row["era"])
        groups[*key, row["context"], row["is_priced"]].append(row)
    for group in groups.values():
        one = group[0]
        at = eras[one["era"] - 1] if one["era"] else datetime.min.replace(tzinfo=UTC)
        context = contexts[one["context"] - 1] if one["context"] else 0
        meters = {}
        for row in group:
            if row["unit"]:
                meter = Meter(row["unit"], row["kind"], one["service_tier"], context)
                unit = Unit(row["unit"], row["kind"])
                of = (provider, one["model"], one["service_tier"])
                rate = book.rate(of, unit, at=at, tokens_read=Decimal(context))
                meters[meter] = Counted(row["quantity"], rate)
        calls, cost = next((row["quantity"], row["cost"]) for row in group if not row["unit"])
        yield Used(
            model=one["model"],
            day=one["day"],
            began_on=one["began_on"],
            ended_on=one["ended_on"],
            calls=int(calls),
            cost=cost if one["is_priced"] else None,
            meters=meters,
        )


def _price(row: RowMapping) -> Price:
    return Price(
        row["provider"], row["model"], Unit(row["unit"], row["variant"]), row["price"], row["per"], row["valid_from"],
        row["valid_to"], row["service_tier"], row["context_from"], row["version"],
    )  # fmt: skip


def _billed(row: RowMapping, known: set[str]) -> Billed:
    return Billed(
        day=row["day"],
        amount=row["amount"],
        quantity=row["quantity"],
        model=row["model"] and known_as(row["model"], known),
        unit=row["unit"],
        variant=row["variant"],
        tier=row["service_tier"],
        context_from=row["context_from"],
        description=row["description"],
        step=row["step"],
    )


def _after(month: date) -> date:
    return (month + timedelta(days=31)).replace(day=1)
