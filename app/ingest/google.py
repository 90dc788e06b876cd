"""Google Cloud's billing as CSV: the cost table by day from the console, or the rows of the export to BigQuery.

Its days are those of California. A row names a product by its description: model, unit and tier are read from that.
No row of a model is passed over in silence: what can't be read of it is named.
"""

import csv
import io
import re
from collections import defaultdict
from collections.abc import Mapping
from dataclasses import dataclass, field
from datetime import UTC, date, datetime, timedelta
from decimal import Decimal
from zoneinfo import ZoneInfo

from app.ingest.google_skus import is_of_models_alone, may_be_of_models, sku_of
from app.ingest.reading import Collector, Line, Read, RowError, dollars, in_dollars, number
from app.money.bills import Billed

ZONE = "America/Los_Angeles"
_COLUMNS = {
    "start": ("usage start date", "usage_start_time"),
    "end": ("usage end date", "usage_end_time"),
    "sku": ("sku description", "sku.description", "sku_description"),
    "service": ("service description", "service.description", "service_description"),
    "amount": ("unrounded cost", "cost"),
    "quantity": ("usage amount", "usage.amount", "usage_amount"),
    "unit": ("usage unit", "usage.unit", "usage_unit"),
    "cost_type": ("cost type", "cost_type"),
    "currency": ("currency",),
}  # fmt: skip
_NEEDED = ("start", "sku", "amount")
_QUANTITIES = {
    "": 1, "count": 1, "token": 1, "tokens": 1, "1000 count": 1000, "thousand tokens": 1000, "million tokens": 10**6,
    "request": 1, "requests": 1, "image": 1, "images": 1, "second": 1, "seconds": 1,
}  # fmt: skip
_MOST_NAMED = 5


@dataclass
class _Named:
    """Rows of models that could not be read, or not whole: how many of each description, and what they cost."""

    rows: dict[str, int] = field(default_factory=lambda: defaultdict(int))
    amount: Decimal = Decimal(0)

    def add(self, sku: str, amount: Decimal) -> None:
        self.rows[sku] += 1
        self.amount += amount

    def sentences(self, what: str) -> tuple[str, ...]:
        if not self.rows:
            return ()
        named = ", ".join(f"{sku} ({count:,})" for sku, count in list(self.rows.items())[:_MOST_NAMED])
        more = f", and {len(self.rows) - _MOST_NAMED:,} more" if len(self.rows) > _MOST_NAMED else ""
        return (f"Rows of models {what}, {self.amount:,.2f} USD: {named}{more}.",)


def read(text: str, name: str) -> Read:
    """Rows of AI models; those of other services are left out, and said."""
    collector = Collector(name)
    rows, head, currency = _table(text)
    if head is None:
        collector.wrong("The file", "no row has the columns of a cost table: usage start date, SKU description, cost.")
        return collector.finish("google", "cost", zone=ZONE)
    others, total, taken = 0, None, Decimal(0)
    unread, left, taxed = _Named(), _Named(), []
    for place, cells in rows:
        try:
            row = _row(cells, head)
            if (footer := _footer(row, cells)) is not None:
                total = footer if footer else total
                continue
            collector.rows += 1
            amount = dollars(_amount(row["amount"]), "cost")
            taken += amount
            if row.get("cost_type", "").lower() == "tax":
                taxed.append((place, row["start"], amount))
                continue
            service, sku = row.get("service", ""), sku_of(row["sku"])
            if not sku.is_read and not is_of_models_alone(service):
                if may_be_of_models(service, row["sku"]):
                    left.add(row["sku"], amount)
                else:
                    others += 1
                continue
            if sku.unit is None:
                unread.add(row["sku"], amount)
            in_dollars(row.get("currency") or currency or "USD")
            collector.once(place, tuple(cells))
            line = _line(row, amount, dict(zip(head.values(), cells, strict=False)))
            collector.days.add(line.billed.day)
            collector.lines.append(line)
        except RowError as error:
            collector.wrong(place, str(error))
    if total is not None and abs(total - taken) >= Decimal("0.01"):
        collector.wrong("The total", f"it is {total:,.2f}, and the rows add up to {taken:,.2f}: some are missing.")
    left_out = (
        *((f"{others:,} rows of other services were left out.",) if others else ()),
        *unread.sentences("were taken without a unit"),
        *left.sentences("that are not known were left out"),
    )
    return collector.finish("google", "cost", zone=ZONE, left_out=left_out, tax=_tax_by_month(taxed, collector))


def _tax_by_month(taxed: list[tuple[str, str, Decimal]], collector: Collector) -> dict[date, Decimal]:
    """A tax is of the month in which its row begins; one that tells no day is of the file's, if that has one month."""
    months = {day.replace(day=1) for day in collector.days}
    found: dict[date, Decimal] = defaultdict(Decimal)
    for place, start, amount in taxed:
        try:
            if start:
                found[_moment(start).replace(day=1)] += amount
            elif len(months) == 1:
                found[min(months)] += amount
            else:
                collector.wrong(place, "it is a tax without a day, and the file is of several months.")
        except RowError as error:
            collector.wrong(place, str(error))
    return dict(found)


def _table(text: str) -> tuple[list[tuple[str, list[str]]], dict[str, str] | None, str | None]:
    """The rows below the heading; above it stand the invoice's number, its currency and the like."""
    found: list[tuple[str, list[str]]] = []
    head: dict[str, str] | None = None
    currency = None
    reader = csv.reader(io.StringIO(text.removeprefix("\ufeff")))
    for cells in reader:
        if head is None:
            if len(cells) > 1 and cells[0].strip().lower() == "currency":
                currency = cells[1].strip()
            head = _heading(cells)
        elif any(cell.strip() for cell in cells):
            found.append((f"Row {reader.line_num}", cells))
    return found, head, currency


def _heading(cells: list[str]) -> dict[str, str] | None:
    """Columns by position; the currency in brackets belongs to no name."""
    names = [re.sub(r"\s*\(.*\)$", "", cell.strip()).lower() for cell in cells]
    found: dict[str, str] = {}
    for column, known in _COLUMNS.items():
        place = next((names.index(one) for one in known if one in names), None)
        if place is not None:
            found[str(place)] = column
    if not set(_NEEDED) <= set(found.values()):
        return None
    return {str(place): found.get(str(place), f"#{name}") for place, name in enumerate(names)}


def _row(cells: list[str], head: Mapping[str, str]) -> dict[str, str]:
    if len(cells) < len(head):
        raise RowError(f"it has {len(cells)} of {len(head)} columns: the file is cut off here.")
    return {name: cells[int(place)].strip() for place, name in head.items() if not name.startswith("#")}


def _footer(row: Mapping[str, str], cells: list[str]) -> Decimal | None:
    """Below the rows stand sums and what rounding left: 0, or the total that the rows add up to."""
    if row["sku"]:
        return None
    named = " ".join(cell.strip().lower() for cell in cells)
    if "total" in named and "subtotal" not in named:
        return _amount(row["amount"])
    return Decimal(0)


def _amount(told: str) -> Decimal:
    return number(told.replace("$", "").replace(",", "").strip(), "cost")


def _line(row: Mapping[str, str], amount: Decimal, raw: dict[str, str]) -> Line:
    sku = sku_of(row["sku"])
    quantity = None
    if sku.unit is not None and row.get("quantity"):
        told = row.get("unit", "").lower()
        if told not in _QUANTITIES:
            raise RowError(f"its usage unit is {told!r}, which Sightline does not know.")
        quantity = number(row["quantity"].replace(",", ""), "usage amount") * _QUANTITIES[told]
    day = _day(row["start"], row.get("end", ""))
    return Line(Billed(day, amount, quantity, *sku, row["sku"]), raw)


def _day(start: str, end: str) -> date:
    first, last = _moment(start), _moment(end) if end else None
    if last is not None and last - first > timedelta(days=1):
        raise RowError(f"it covers {(last - first).days + 1} days: export the table by day.")
    return first


def _moment(told: str) -> date:
    """A day, or a moment in UTC, which lies on a day of California."""
    try:
        if len(told) == len("2026-01-01"):
            return date.fromisoformat(told)
        at = datetime.fromisoformat(told.removesuffix(" UTC"))
    except ValueError:
        raise RowError(f"its day is {told[:40]!r}.") from None
    return (at if at.tzinfo else at.replace(tzinfo=UTC)).astimezone(ZoneInfo(ZONE)).date()
