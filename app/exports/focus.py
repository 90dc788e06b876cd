"""The export of a month of AI cost in the form of FOCUS 1.4, a day at a time, for whoever may see it."""

from collections.abc import Callable, Iterator, Mapping, Sequence
from dataclasses import dataclass
from datetime import UTC, date, datetime, timedelta
from typing import Any
from urllib.parse import urlencode

import pyarrow as pa
from sqlalchemy import Engine

from app.access import Viewer
from app.exports.address import Kind
from app.exports.sheets import Sheet
from app.metrics.errors import MalformedQuestionError
from app.money import focus
from app.money.charges import Books, ChargeKind, Charges, Costed, Held
from app.money.focus import COLUMNS, METRICS, Dataset, Row
from app.money.focus_rows import Billed, BillLine, Correction, CreditsMoved, Teller
from app.money.ledger import usage_in
from app.money.pricing import Call, Price
from app.money.reported import UsageError
from app.money.units import Unit, Usage
from app.records import focus as records
from db.tables import HOUSE_WORKSPACE

# What an address names the dataset by.
FOCUS = "focus"
_AMOUNT = pa.decimal128(38, 18)


@dataclass(frozen=True)
class Month:
    """A month to be exported; `who` tells the reader as they are whenever a day is read."""

    engine: Engine
    who: Callable[[], Viewer]
    month: date
    at: datetime

    def rows(self, dataset: Dataset) -> Iterator[list[Row]]:
        """The dataset's rows, a day or a list at a time."""
        records.require(self.who())
        return {
            Dataset.COST_AND_USAGE: self._charges,
            Dataset.BILLING_PERIOD: self._periods,
            Dataset.INVOICE_DETAIL: self._invoices,
        }[dataset]()

    def _charges(self) -> Iterator[list[Row]]:
        teller = Teller(self.month, HOUSE_WORKSPACE, records.names(self.engine, self.who()))
        books = Books(_held(row) for row in records.book(self.engine, self.who()))
        covering = _Covering(self._bill_lines())
        for day in _days(self.month, self.at.date()):
            yield [*self._used(teller, books, covering, day), *self._corrected(teller, day), *self._moved(teller, day)]

    def _used(self, teller: Teller, books: Books, covering: "_Covering", day: date) -> Iterator[Row]:
        charges = Charges(books)
        for row in records.calls(self.engine, self.who(), day):
            charges.add(_costed(row))
        for kind in sorted(charges.by_kind, key=_order):
            yield teller.used(day, kind, charges.by_kind[kind], covering.of(day, kind))
        for (workspace, provider, model), number in sorted(charges.unpriced.items()):
            yield teller.unpriced(day, workspace, provider, model, number)

    def _corrected(self, teller: Teller, day: date) -> Iterator[Row]:
        for row in records.corrections(self.engine, self.who(), day):
            yield teller.corrected(Correction(**_renamed(row)))

    def _moved(self, teller: Teller, day: date) -> Iterator[Row]:
        for row in records.credit_moves(self.engine, self.who(), day):
            yield teller.moved(CreditsMoved(day=day, **_renamed(row)))

    def _periods(self) -> Iterator[list[Row]]:
        teller = Teller(self.month, HOUSE_WORKSPACE, {})
        found = records.month_of_cost(self.engine, self.who(), self.month)
        begun = datetime.combine(self.month, datetime.min.time(), UTC)
        closed_at = found["closed_at"] if found else None
        created_at = min(begun, found["created_at"]) if found else begun
        yield [
            teller.period(issuer, created_at, max(closed_at or self.at, created_at), is_closed=closed_at is not None)
            for issuer in focus.issuers_of(focus.ISSUERS)
        ]

    def _invoices(self) -> Iterator[list[Row]]:
        teller = Teller(self.month, HOUSE_WORKSPACE, {})
        yield [teller.invoiced(line) for line in self._bill_lines()]

    def _bill_lines(self) -> list[BillLine]:
        return [BillLine(**row) for row in records.bill_lines(self.engine, self.who(), self.month)]


class _Covering:
    """Which line of a bill covers a charge: the one of its day and model, of its unit where lines tell units."""

    def __init__(self, lines: list[BillLine]) -> None:
        self._lines: dict[tuple[str, date | None, str | None, str | None], list[BillLine]] = {}
        self._invoices = {line.provider: line.invoice for line in lines if line.is_issued}
        for line in lines:
            if line.is_issued:
                self._lines.setdefault((line.provider, line.day, line.model, line.unit), []).append(line)

    def of(self, day: date, kind: ChargeKind) -> Billed | None:
        invoice = self._invoices.get(kind.provider)
        if invoice is None:
            return None
        unit = kind.unit.name if kind.unit else None
        found = self._lines.get((kind.provider, day, kind.model, unit)) or self._lines.get(
            (kind.provider, day, kind.model, None), []
        )
        # Of several lines nobody can tell which one it is.
        return Billed(invoice, found[0].id if len(found) == 1 else None)


def address(dataset: Dataset, month: date, kind: Kind) -> str:
    """Where a dataset of a month can be downloaded, by those who may see it."""
    return f"export/{kind}?{urlencode({FOCUS: dataset, 'month': f'{month:%Y-%m}', 'name': dataset})}"


def sheet_of_address(told: Mapping[str, Sequence[str]], engine: Engine, who: Callable[[], Viewer]) -> Sheet:
    """The dataset that an address names."""
    month = month_named(next(iter(told.get("month", ())), ""))
    return sheet(Month(engine, who, month, datetime.now(UTC)), dataset_named(told[FOCUS][-1]))


def sheet(month: Month, dataset: Dataset) -> Sheet:
    """The dataset as something that is written to a file."""
    schema = pa.schema([(name, _AMOUNT if name in METRICS else pa.string()) for name in COLUMNS[dataset]])
    told = focus.metadata(dataset, month.at)
    return Sheet(
        receipt=f"focus-{focus.VERSION}-{month.month:%Y-%m}",
        schema=schema,
        pages=month.rows(dataset),
        lines=lambda: [(name, str(value)) for name, value in told.items()],
        facts=lambda: told,
    )


def month_named(given: str) -> date:
    """A month as people write it, such as 2026-10."""
    try:
        return date.fromisoformat(f"{given}-01")
    except ValueError:
        raise MalformedQuestionError(f"'{given}' is no month.", fix="Write it like 2026-10.") from None


def dataset_named(given: str) -> Dataset:
    try:
        return Dataset(given)
    except ValueError:
        raise MalformedQuestionError(f"'{given}' is no dataset.", fix=f"There are {', '.join(Dataset)}.") from None


def _days(month: date, last: date) -> Iterator[date]:
    day = month
    while day < focus.next_month(month) and day <= last:
        yield day
        day += timedelta(days=1)


def _order(kind: ChargeKind) -> tuple[str, ...]:
    price = f"{kind.context_from:020} {kind.unit_price:f}"
    return (str(kind.workspace), kind.provider, kind.model, kind.service_tier, str(kind.unit or ""), price)


def _held(row: Mapping[str, Any]) -> Held:
    price = Price(
        row["provider"], row["model"], Unit(row["unit"], row["variant"]), row["price"], row["per"], row["valid_from"],
        row["valid_to"], row["service_tier"], row["context_from"], row["version"],
    )  # fmt: skip
    return Held(price, row["superseded_by"])


def _costed(row: Mapping[str, Any]) -> Costed:
    call = Call(row["provider"], row["model"], row["created_at"], _usage(row))
    return Costed(row["workspace_id"], call, row["cost"], row["price_version"])


def _usage(row: Mapping[str, Any]) -> Usage:
    """A call that contradicts itself has no units to split its cost by."""
    try:
        return usage_in(row)
    except UsageError:
        return Usage({}, row["service_tier"])


def _renamed(row: Mapping[str, Any]) -> dict[str, Any]:
    return {"workspace": row["workspace_id"]} | {name: value for name, value in row.items() if name != "workspace_id"}
