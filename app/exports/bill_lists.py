"""Lists of the reconciliation: both sides of a month, the differences, what is behind them, and corrections."""

from collections.abc import Iterable, Iterator, Sequence
from dataclasses import dataclass
from datetime import date
from decimal import Decimal
from typing import TypeVar
from zoneinfo import available_timezones

from app.commands.company import require_whole_company
from app.commands.reconciling import KeptBill, LineBehind, ReadFile, bills, files_of, lines_behind, reconciliation
from app.exports.given import Values, day_of, text_of
from app.exports.wanted import LiveList, Wanted, whole
from app.metrics import words
from app.metrics.errors import MalformedQuestionError
from app.money.bills import MEANINGS, Kind, Meter
from app.money.reconciliation import DayOfModel, Reconciliation
from app.records.months import MonthClose, MonthCorrection, month_close, month_corrections
from app.records.reading import Page
from app.records.reconciled import CallBehind, CorrectionBehind, calls_behind, corrections_behind
from db.engine import seeing

# As an address calls what names no model.
NO_MODEL = "no model"
_AGAIN = "Open the download from a page again."
_BETWEEN = "~"

One = TypeVar("One")


@dataclass(frozen=True)
class StepToBill:
    """A level, or the difference of a name that leads to the next one."""

    kind: Kind | None
    name: str
    amount: Decimal
    meaning: str


@dataclass(frozen=True)
class ReconciledBill(KeptBill):
    """A bill, and how much of it has no name."""

    unexplained: Decimal


@dataclass(frozen=True)
class DayBeside:
    """A day of a model on both sides."""

    day: date
    model: str | None
    calls: int
    ledger: Decimal
    provider: Decimal
    difference: Decimal
    because: str


@dataclass(frozen=True)
class PartNamed:
    """A difference of one name, on a day of a model."""

    day: date
    model: str | None
    kind: Kind
    name: str
    amount: Decimal
    why: str


def steps_of(found: Reconciliation) -> Iterator[StepToBill]:
    """From our ledger to the invoice, every name, also those of which there is nothing."""
    yield StepToBill(None, "Our ledger", found.ledger, "What our calls cost by the price book.")
    for kind, amount in found.by_kind.items():
        yield StepToBill(kind, words.spelled(kind), amount, MEANINGS[kind])
    yield StepToBill(None, "Provider", found.charged, "What the lines of the bill add up to.")
    if found.invoiced is not None:
        for kind, amount in found.on_the_invoice.items():
            yield StepToBill(kind, f"{words.spelled(kind)} of the invoice", amount, MEANINGS[kind])
        yield StepToBill(None, "Invoice", found.invoiced, "Before tax.")


def steps_of_day(one: DayOfModel) -> Iterator[StepToBill]:
    """The same for one day of a model; the invoice is of the month, so that it is none of a day's steps."""
    yield StepToBill(None, "Our ledger", one.ledger, "What the calls of the day cost by the price book.")
    for kind in dict.fromkeys(part.kind for part in one.parts):
        yield StepToBill(kind, words.spelled(kind), one.amount(kind), MEANINGS[kind])
    yield StepToBill(None, "Provider", one.provider, "What the lines of the day add up to.")


def axis_of(edges: Iterable[tuple[Decimal, Decimal]]) -> tuple[Decimal, Decimal]:
    """Where the axis begins and ends: differences are small beside the whole, so that it begins near the lowest bar."""
    ends = [end for span in edges for end in span if end]
    low, high = min(ends, default=Decimal(0)), max(ends, default=Decimal(1))
    return low - ((high - low) / 4 or Decimal(1)), high


def edges_of(steps: Sequence[StepToBill]) -> list[tuple[Decimal, Decimal]]:
    """Where the bar of each begins and ends: levels stand on the ground, differences where the one before ended."""
    edges, level = [], Decimal(0)
    for step in steps:
        since, level = (Decimal(0), step.amount) if step.kind is None else (level, level + step.amount)
        edges.append((since, level))
    return edges


def state_of(bill: KeptBill, found: Reconciliation) -> ReconciledBill:
    """Where a bill stands, with what is left of it to explain."""
    return ReconciledBill(**vars(bill), unexplained=found.unexplained)


def days_of(found: Reconciliation, kind: Kind | None) -> list[DayBeside]:
    """Those that differ, or differ for this reason, the largest difference first."""
    listed = [_beside(one, kind) for one in found.days if any(part.kind is kind or not kind for part in one.parts)]
    return sorted(listed, key=lambda one: -abs(one.difference))


def parts_of(days: Iterable[DayOfModel], kind: Kind | None = None) -> list[PartNamed]:
    """Every part of the differences of these days."""
    return [
        PartNamed(one.day, one.model, part.kind, words.spelled(part.kind), part.amount, part.why or MEANINGS[part.kind])
        for one in days
        for part in one.parts
        if part.kind is kind or not kind
    ]


def meter_told(meter: Meter) -> str:
    """A meter as an address tells it."""
    return f"{meter.unit}{_BETWEEN}{meter.tier}"


def _beside(one: DayOfModel, kind: Kind | None) -> DayBeside:
    told = [part for part in one.parts if kind in {None, part.kind}]
    because = "; ".join(f"{words.spelled(part.kind)} {words.money(part.amount, '').strip()}" for part in told)
    difference = one.difference if kind is None else one.amount(kind)
    return DayBeside(one.day, one.model, one.calls, one.ledger, one.provider, difference, because)


def _compared(wanted: Wanted) -> tuple[KeptBill | None, Reconciliation | None]:
    of = (text_of(wanted.given, "provider"), _month(wanted.given))
    kept = bills(wanted.engine, wanted.viewer)
    bill = next((one for one in kept if (one.provider, one.month) == of), None)
    return bill, reconciliation(wanted.engine, wanted.viewer, bill) if bill else None


def _steps(wanted: Wanted) -> Page[StepToBill]:
    _, found = _compared(wanted)
    if found is None:
        return whole(())
    if day_of(wanted.given, "day") is None:
        return whole(list(steps_of(found)))
    return whole([step for one in _chosen(found, wanted.given) for step in steps_of_day(one)])


def _state(wanted: Wanted) -> Page[ReconciledBill]:
    bill, found = _compared(wanted)
    return whole([state_of(bill, found)] if bill and found else ())


def _bills(wanted: Wanted) -> Page[KeptBill]:
    month = _month(wanted.given)
    return whole([one for one in bills(wanted.engine, wanted.viewer) if one.month == month])


def _month_close(wanted: Wanted) -> Page[MonthClose]:
    month = _month(wanted.given)
    with seeing(wanted.engine, wanted.viewer.workspaces) as connection:
        require_whole_company(connection, wanted.viewer, what="The sums of a close are of the whole company.")
    found = month_close(wanted.engine, wanted.viewer, month)
    return whole([found] if found else ())


def _days(wanted: Wanted) -> Page[DayBeside]:
    kind = _kind(wanted.given)
    _, found = _compared(wanted)
    return whole(days_of(found, kind) if found else ())


def _parts(wanted: Wanted) -> Page[PartNamed]:
    kind = _kind(wanted.given)
    _, found = _compared(wanted)
    return whole(parts_of(_chosen(found, wanted.given), kind) if found else ())


def _chosen(found: Reconciliation, values: Values) -> list[DayOfModel]:
    day, model = day_of(values, "day"), text_of(values, "model")
    return [one for one in found.days if day in {None, one.day} and model in {"", one.model or NO_MODEL}]


def _calls(wanted: Wanted) -> Page[CallBehind]:
    values = wanted.given
    day, kind = _named(day_of(values, "day"), "day"), _named(_kind(values), "name")
    zone = text_of(values, "zone")
    if zone not in available_timezones():
        raise MalformedQuestionError(f"There is no time zone '{zone}'.", fix=_AGAIN)
    return calls_behind(
        wanted.engine,
        wanted.viewer,
        provider=text_of(values, "provider"),
        model=text_of(values, "model"),
        day=day,
        zone=zone,
        kind=kind,
        meters={
            Meter(unit, tier=tier) for unit, _, tier in (one.partition(_BETWEEN) for one in values.get("meter", ()))
        },
        **wanted.paged,
    )


def _lines(wanted: Wanted) -> Page[LineBehind]:
    day, model = _named(day_of(wanted.given, "day"), "day"), text_of(wanted.given, "model")
    bill, found = _compared(wanted)
    if bill is None or found is None:
        return whole(())
    of = None if model == NO_MODEL else model
    return whole(lines_behind(wanted.engine, wanted.viewer, bill=bill.id, day=day, model=of, known=found.models))


def _corrections_of_month(wanted: Wanted) -> Page[MonthCorrection]:
    return whole(month_corrections(wanted.engine, wanted.viewer, _month(wanted.given)))


def _late_corrections(wanted: Wanted) -> Page[CorrectionBehind]:
    values = wanted.given
    provider, model = text_of(values, "provider"), text_of(values, "model")
    found = corrections_behind(wanted.engine, wanted.viewer, provider=provider, model=model, month=_month(values))
    return whole(found)


def _files(wanted: Wanted) -> Page[ReadFile]:
    month = _month(wanted.given)
    return whole(files_of(wanted.engine, wanted.viewer, text_of(wanted.given, "provider"), month))


def _month(values: Values) -> date:
    return _named(day_of(values, "month"), "month").replace(day=1)


def _kind(values: Values) -> Kind | None:
    told = text_of(values, "kind")
    if told and told not in set(Kind):
        raise MalformedQuestionError(f"No difference is named '{told}'.", fix=f"There are {', '.join(Kind)}.")
    return Kind(told) if told else None


def _named(value: One | None, what: str) -> One:
    """What there is no such list without."""
    if value is None:
        raise MalformedQuestionError(f"The list is of one {what}.", fix=_AGAIN)
    return value


_OF = ("month", "provider")
BILL_LISTS: dict[str, LiveList] = {
    name: LiveList(read, row, frozenset(narrowed_by), is_of_company=is_of_company)
    for name, read, row, narrowed_by, is_of_company in (
        ("reconciled_steps", _steps, StepToBill, (*_OF, "day", "model"), True),
        ("reconciled_bill", _state, ReconciledBill, _OF, True),
        ("reconciled_days", _days, DayBeside, (*_OF, "kind"), True),
        ("reconciled_parts", _parts, PartNamed, (*_OF, "day", "model", "kind"), True),
        ("bill_lines", _lines, LineBehind, (*_OF, "day", "model"), True),
        ("bill_files", _files, ReadFile, _OF, False),
        ("provider_bills", _bills, KeptBill, ("month",), False),
        ("month_close", _month_close, MonthClose, ("month",), False),
        ("calls_behind", _calls, CallBehind, ("provider", "model", "day", "zone", "kind", "meter"), False),
        ("corrections_of_month", _corrections_of_month, MonthCorrection, ("month",), False),
        ("late_corrections", _late_corrections, CorrectionBehind, (*_OF, "model"), False),
    )
}
