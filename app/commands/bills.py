"""Reading providers' bills in, stating their invoices, approving them and opening them again."""

import hashlib
from collections import Counter
from collections.abc import Iterator
from contextlib import contextmanager
from dataclasses import dataclass
from datetime import date
from decimal import Decimal
from uuid import UUID

import psycopg.errors
from sqlalchemy import Connection, Engine, func, insert, select, text, update
from sqlalchemy.exc import DBAPIError

from app.access import Permission, Viewer
from app.commands.company import require_whole_company
from app.commands.stale import NotThereError, changed_by_others
from app.commands.texts import one_line
from app.ingest.formats import read_bill
from app.ingest.reading import Line, Problem, Read, UnreadableBillError
from db.engine import seeing
from db.errors import SightlineError
from db.tables.bills import ProviderBill, ProviderBillFile, ProviderBillLine

_READING_LOCK = 7_316_205_131
_MOST_DOLLARS = 10_000_000
_LONGEST_NAME = 200


@dataclass(frozen=True)
class ReadReport:
    """What reading a file did. A file that was read before, and days that were in already, change nothing."""

    provider: str
    kind: str
    rows: int
    new_days: int
    same_days: int
    replaced_days: int
    amount: Decimal
    months: tuple[date, ...]
    was_known: bool
    left_out: tuple[str, ...]

    @property
    def sentence(self) -> str:
        if self.was_known:
            return "This file was read before; nothing was changed."
        days = [
            f"{number:,} days {told}"
            for number, told in (
                (self.new_days, "are new"),
                (self.same_days, "were in already"),
                (self.replaced_days, "replace what was told before"),
            )
            if number
        ]
        of = f" of {self.amount:,.2f} USD" if self.kind == "cost" else " of usage"
        return " ".join([f"{self.rows:,} rows{of} were read: {', '.join(days)}.", *self.left_out])


def read_file(
    engine: Engine,
    by: Viewer,
    content: bytes,
    name: str,
    *,
    provider: str | None = None,
    replace: bool = False,
    source: str = "file",
) -> ReadReport:
    """Read a file into the bills of its months: all of it, or nothing. Days may come in any order, and again."""
    by.require(Permission.MONTHS_CLOSE)
    called = one_line(name)[:_LONGEST_NAME] or "A file without a name"
    found = read_bill(content, called, provider)
    digest = hashlib.sha256(content).hexdigest()
    with _changing(engine, by, f"{called} was read.") as connection:
        connection.execute(text("SELECT pg_advisory_xact_lock(:key)"), {"key": _READING_LOCK})
        if _was_read(connection, found.provider, digest):
            return _report(found, Counter(), was_known=True)
        file = _keep_file(connection, by, found, name=called, digest=digest, source=source)
        days: Counter[str] = Counter()
        for month in _months(found):
            days += _take(connection, found, called, month, file, replace=replace)
    return _report(found, days, was_known=False)


def state_invoice(
    engine: Engine, by: Viewer, key: UUID, *, revision: int, invoiced: Decimal | None, tax: Decimal, number: str
) -> None:
    """Say what the provider's invoice asks for, before tax, and the tax beside it."""
    by.require(Permission.MONTHS_CLOSE)
    if (invoiced is not None and abs(invoiced) >= _MOST_DOLLARS) or abs(tax) >= _MOST_DOLLARS:
        raise SightlineError("No invoice is of so much.", fix="Give the amount in dollars.")
    with _changing(engine, by, "The invoice was stated.") as connection:
        _require_current(connection, key, revision)
        connection.execute(
            update(ProviderBill)
            .where(ProviderBill.id == key)
            .values(invoiced=invoiced, tax=tax, invoice_number=one_line(number)[:_LONGEST_NAME] or None)
        )


def approve_bill(engine: Engine, by: Viewer, key: UUID, *, revision: int, note: str) -> None:
    """Accept a bill as it was looked at. Its lines are locked; it closes with its month."""
    by.require(Permission.MONTHS_CLOSE)
    why = one_line(note)
    with _changing(engine, by, why or "The bill was approved.") as connection:
        status = _require_current(connection, key, revision)
        if status != "open":
            raise SightlineError(f"The bill is {status} already.", fix="Load the page again.")
        connection.execute(
            update(ProviderBill)
            .where(ProviderBill.id == key)
            .values(status="approved", approved_at=func.now(), approved_by=by.member_id, note=why or None)
        )


def open_bill(engine: Engine, by: Viewer, key: UUID, *, revision: int, reason: str) -> None:
    """Take an approval back, so that the bill can be changed. One of a closed month opens with its month alone."""
    by.require(Permission.MONTHS_CLOSE)
    why = one_line(reason)
    if not why:
        raise SightlineError("This is done for a reason.", fix="Say why in a few words.")
    with _changing(engine, by, why) as connection:
        status = _require_current(connection, key, revision)
        if status == "open":
            raise SightlineError("The bill is open already.", fix="Load the page again.")
        connection.execute(
            update(ProviderBill)
            .where(ProviderBill.id == key)
            .values(status="open", approved_at=None, approved_by=None, note=None)
        )


def _was_read(connection: Connection, provider: str, digest: str) -> bool:
    known = select(ProviderBillFile.id).where(ProviderBillFile.provider == provider, ProviderBillFile.digest == digest)
    return connection.scalar(known) is not None


def _keep_file(connection: Connection, by: Viewer, found: Read, **of_file: str) -> UUID:
    made: UUID = connection.execute(
        insert(ProviderBillFile)
        .values(
            provider=found.provider,
            kind=found.kind,
            rows=found.rows,
            first_day=min(found.days),
            last_day=max(found.days),
            read_by=by.member_id,
            **of_file,
        )
        .returning(ProviderBillFile.id)
    ).scalar_one()
    return made


def _take(connection: Connection, found: Read, name: str, month: date, file: UUID, *, replace: bool) -> Counter[str]:
    """The file's days of a month: those that are new, and those that it tells otherwise if it may replace them."""
    bill = _bill_of(connection, found, month)
    _take_tax(connection, bill, found, name, month, replace=replace)
    there = _days_there(connection, bill, found.kind)
    given: dict[date, list[Line]] = {day: [] for day in found.days if day.replace(day=1) == month}
    for line in found.lines:
        if line.billed.day in given:
            given[line.billed.day].append(line)
    told = {day: Counter(_content(line) for line in lines) for day, lines in given.items()}
    others = sorted(day for day in told if there.get(day) and there[day] != told[day])
    if others and not replace:
        problems = [
            Problem(f"{day:%Y-%m-%d}", f"it is in with other lines: {_difference(there[day], told[day])}.")
            for day in others
        ]
        raise UnreadableBillError(name, problems)
    if others:
        connection.execute(
            update(ProviderBillLine)
            .where(
                ProviderBillLine.bill_id == bill,
                ProviderBillLine.kind == found.kind,
                ProviderBillLine.day.in_(others),
                ProviderBillLine.replaced_by.is_(None),
            )
            .values(replaced_by=file)
        )
    taken = [day for day in told if day in others or (not there.get(day) and told[day])]
    lines = [_columns(line, bill, file, found.kind) for day in taken for line in given[day]]
    if lines:
        connection.execute(insert(ProviderBillLine), lines)
    if taken:
        _add_up(connection, bill)
    return Counter(new=len(taken) - len(others), replaced=len(others), same=len(told) - len(taken))


def _bill_of(connection: Connection, found: Read, month: date) -> UUID:
    there = select(ProviderBill.id).where(ProviderBill.provider == found.provider, ProviderBill.month == month)
    known: UUID | None = connection.scalar(there.with_for_update())
    if known is not None:
        return known
    made: UUID = connection.execute(
        insert(ProviderBill)
        .values(provider=found.provider, month=month, currency="USD", zone=found.zone)
        .returning(ProviderBill.id)
    ).scalar_one()
    return made


def _take_tax(connection: Connection, bill: UUID, found: Read, name: str, month: date, *, replace: bool) -> None:
    """The tax that the file tells of the month. One that is told otherwise replaces what is there only if it may."""
    told = found.tax.get(month)
    there = connection.scalar(select(ProviderBill.tax).where(ProviderBill.id == bill))
    if told is None or told == there:
        return
    if there and not replace:
        problem = Problem(
            f"{month:%B %Y}", f"its tax is in with another sum: {there:,.2f} USD there, {told:,.2f} here."
        )
        raise UnreadableBillError(name, [problem])
    connection.execute(update(ProviderBill).where(ProviderBill.id == bill).values(tax=told))


def _days_there(connection: Connection, bill: UUID, kind: str) -> dict[date, Counter[tuple[object, ...]]]:
    one = ProviderBillLine
    found = connection.execute(
        select(
            one.day, one.model, one.unit, one.variant, one.service_tier, one.context_from, one.quantity, one.amount,
            one.description,
        ).where(one.bill_id == bill, one.kind == kind, one.replaced_by.is_(None))
    )  # fmt: skip
    days: dict[date, Counter[tuple[object, ...]]] = {}
    for day, *told in found:
        days.setdefault(day, Counter())[tuple(told)] += 1
    return days


def _content(line: Line) -> tuple[object, ...]:
    one = line.billed
    quantity = None if one.quantity is None else one.quantity.quantize(Decimal("0.000001"))
    return (
        one.model, one.unit, one.variant, one.tier, one.context_from, quantity, one.amount, one.description,
    )  # fmt: skip


def _difference(before: Counter[tuple[object, ...]], now: Counter[tuple[object, ...]]) -> str:
    def amount(told: Counter[tuple[object, ...]]) -> Decimal:
        return sum((one[6] * times for one, times in told.items() if isinstance(one[6], Decimal)), Decimal(0))

    return f"{amount(before):,.4f} USD there, {amount(now):,.4f} USD here"


def _columns(line: Line, bill: UUID, file: UUID, kind: str) -> dict[str, object]:
    one = line.billed
    return {
        "bill_id": bill,
        "file_id": file,
        "kind": kind,
        "day": one.day,
        "model": one.model,
        "unit": one.unit,
        "variant": one.variant,
        "service_tier": one.tier,
        "context_from": one.context_from,
        "quantity": one.quantity,
        "amount": one.amount,
        "step": one.step,
        "currency": "USD",
        "description": one.description,
        "raw": dict(line.raw),
    }


def _add_up(connection: Connection, bill: UUID) -> None:
    total = (
        select(func.coalesce(func.sum(ProviderBillLine.amount), 0))
        .where(ProviderBillLine.bill_id == bill, ProviderBillLine.replaced_by.is_(None))
        .scalar_subquery()
    )
    connection.execute(update(ProviderBill).where(ProviderBill.id == bill).values(total=total))


def _months(found: Read) -> Iterator[date]:
    yield from sorted({*(day.replace(day=1) for day in found.days), *found.tax})


def _report(found: Read, days: Counter[str], *, was_known: bool) -> ReadReport:
    amount = sum((line.billed.amount for line in found.lines if line.billed.amount is not None), Decimal(0))
    return ReadReport(
        provider=found.provider,
        kind=found.kind,
        rows=found.rows,
        new_days=days["new"],
        same_days=days["same"],
        replaced_days=days["replaced"],
        amount=amount,
        months=tuple(_months(found)),
        was_known=was_known,
        left_out=found.left_out,
    )


def _require_current(connection: Connection, key: UUID, revision: int) -> str:
    """The bill as the person saw it, locked; its status."""
    found = connection.execute(
        select(ProviderBill.revision, ProviderBill.status, ProviderBill.total)
        .where(ProviderBill.id == key)
        .with_for_update()
    ).one_or_none()
    if found is None:
        raise NotThereError("This bill is not there.", fix="Load the page again.")
    if found.revision != revision:
        raise changed_by_others(f"{found.status}, {found.total:,.2f} USD")
    return str(found.status)


@contextmanager
def _changing(engine: Engine, by: Viewer, reason: str) -> Iterator[Connection]:
    """A transaction in which the database's own refusals become sentences: they are sentences already."""
    try:
        with seeing(engine, by.workspaces, actor=by.name, reason=reason) as connection:
            require_whole_company(connection, by)
            yield connection
    except DBAPIError as error:
        if isinstance(error.orig, psycopg.errors.ObjectNotInPrerequisiteState):
            raise SightlineError(
                str(error.orig).splitlines()[0],
                why="What was approved stays as it was looked at.",
                fix="Open the bill, or its month, for a reason first.",
            ) from None
        raise
