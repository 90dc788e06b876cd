"""Providers' bills beside our own ledger: as a provider tells them, and with the differences that a month can have."""

from collections import defaultdict
from collections.abc import Callable
from dataclasses import dataclass, field
from datetime import date, timedelta
from decimal import Decimal
from hashlib import sha256
from uuid import UUID
from zoneinfo import ZoneInfo

import numpy as np

from db.demo.generations import Generations
from db.demo.keys import key_at
from db.demo.load import Session
from db.demo.prices import DALLE, GPT, HAIKU, IMAGE_VARIANTS, MODELS, PREVIEW, SONNET, TIERS, TOKEN_UNITS, VEO
from db.demo.rows import Row
from db.demo.seasons import DAY, HOUR, Ints, Season, first_of_month, micros, moment, month_of

ZONES = {"openai": "UTC", "anthropic": "UTC", "google": "America/Los_Angeles"}
# The last place that each tells of an amount.
_STEPS = {"openai": Decimal("0.000001"), "anthropic": Decimal("0.0000001"), "google": Decimal("0.000001")}
_USAGE_APART = ("openai", "anthropic")
_MILLION = 1_000_000
# What the provider charges for a model that the book does not have.
_PREVIEW_CENTS = {"input": 25, "cached_input": 6, "output": 200}
_LATE = "A worker was cut off from the network; its calls came after the close."


OddRate = Callable[["Cell"], Decimal | None]


@dataclass(frozen=True, slots=True)
class Cell:
    """What a bill tells apart."""

    day: date
    model: int
    tier: int
    unit: str
    variant: str


Quantities = dict[Cell, int]


@dataclass(slots=True)
class Bills:
    """The rows of all bills, and what has to be done once all calls are in."""

    bills: list[Row] = field(default_factory=list)
    files: list[Row] = field(default_factory=list)
    lines: list[Row] = field(default_factory=list)
    corrections: list[Row] = field(default_factory=list)


def make_bills(
    rng: np.random.Generator, season: Season, made: Generations, prices: list[Row], workspace: UUID
) -> Bills:
    """A bill a provider and month that is over; each of the last three months differs in its own ways."""
    result = Bills()
    rates = _Rates(prices)
    months = full_months(season)
    for provider, zone in ZONES.items():
        used = _used(made, provider, zone)
        for ago, month in enumerate(reversed(months)):
            own = {cell: quantity for cell, quantity in used.items() if cell.day.replace(day=1) == month}
            told, odd_rates = _told(provider, ago, own)
            _write(rng, result, (provider, month), told, _either(odd_rates, rates))
            if provider == "anthropic" and ago == 2:  # noqa: PLR2004 - the earliest of the odd months
                _fee(rng, result, month)
    if len(months) > 2:  # noqa: PLR2004 - as above
        result.corrections = _corrections(rng, months[-2], months[-3], workspace)
    return result


def full_months(season: Season) -> list[date]:
    """The months of which all days are in the demo."""
    first, last = (int(month_of(np.array([at]))[0]) for at in (season.start, season.end))
    return [first_of_month(month) for month in range(first + 1, last)]


def close_months(connection: Session, season: Season, corrections: list[Row]) -> None:
    """Bills are approved and months closed as finance did it in time; the last month waits for somebody to do it."""
    *closed, last = full_months(season)
    for month in closed:
        at = moment(micros_of(_next(month)) + 5 * DAY + 15 * HOUR)
        connection.execute(
            "UPDATE provider_bills SET status = 'approved', approved_at = %s, note = 'Looked at, day by day.'"
            " WHERE month = %s",
            (at, month),
        )
        connection.execute("SELECT close_ai_month(%s, NULL)", (month,))
        connection.execute("UPDATE ai_months SET closed_at = %s WHERE month = %s", (at, month))
        connection.execute("UPDATE provider_bills SET closed_at = %s WHERE month = %s", (at, month))
    connection.execute(
        "UPDATE provider_bills SET status = 'approved', approved_at = %s WHERE month = %s AND provider = 'google'",
        (moment(season.end - HOUR), last),
    )
    for row in corrections:
        names = ", ".join(row)
        marks = ", ".join(["%s"] * len(row))
        statement = f"INSERT INTO ai_cost_corrections ({names}) VALUES ({marks})"  # noqa: S608 - our own names
        connection.execute(statement.encode(), tuple(row.values()))


def micros_of(day: date) -> int:
    return (day - date(1970, 1, 1)).days * DAY


class _Rates:
    """What one of a unit costs when, by the rows of the book."""

    def __init__(self, prices: list[Row]) -> None:
        self._prices: dict[tuple[str, str, str, str], list[Row]] = defaultdict(list)
        for row in prices:
            self._prices[row["model"], row["service_tier"], row["unit"], row["variant"]].append(row)

    def of(self, cell: Cell) -> Decimal:
        if cell.model == PREVIEW:
            return Decimal(_PREVIEW_CENTS.get(cell.unit, 0)) / 100 / _MILLION
        at = moment(micros_of(cell.day) + 12 * HOUR)
        known = self._prices[MODELS[cell.model][1], TIERS[cell.tier], cell.unit, cell.variant]
        row = next(
            row for row in known if row["valid_from"] <= at and (row["valid_to"] is None or at < row["valid_to"])
        )
        return Decimal(row["price"]) / int(row["per"])


def _either(odd: OddRate, rates: _Rates) -> Callable[[Cell], Decimal]:
    return lambda cell: odd(cell) or rates.of(cell)


def _days(at: Ints, zone: str) -> Ints:
    """Days since 1970 by a clock."""
    if zone == "UTC":
        return at // DAY
    hours, position = np.unique(at // HOUR, return_inverse=True)
    clock = ZoneInfo(zone)
    offsets = np.array([micros_of_offset(moment(int(hour) * HOUR).astimezone(clock).utcoffset()) for hour in hours])
    result: Ints = (at + offsets[position]) // DAY
    return result


def micros_of_offset(offset: timedelta | None) -> int:
    return (offset or timedelta()) // timedelta(microseconds=1)


def _used(made: Generations, provider: str, zone: str) -> Quantities:
    """What was used of everything, by the days of the bill; what was thought is output to providers."""
    own = made.where(np.array([one == provider for one, _ in MODELS])[made.model])
    day = _days(own.at, zone)
    used: Quantities = defaultdict(int)
    for place, unit in enumerate(TOKEN_UNITS):
        _add(used, own, day, own.tokens[:, place], "output" if unit == "reasoning" else unit)
    _add(used, own, day, own.images, "image")
    _add(used, own, day, own.video_seconds, "video_second")
    return used


def _add(used: Quantities, made: Generations, day: Ints, quantity: Ints, unit: str) -> None:
    variants = (made.variant + 1) * (unit == "image")
    group = ((day * len(MODELS) + made.model) * len(TIERS) + made.tier) * (len(IMAGE_VARIANTS) + 1) + variants
    found, position = np.unique(group, return_inverse=True)
    sums = np.zeros(len(found), np.int64)
    np.add.at(sums, position, quantity)
    for one, total in zip(found.tolist(), sums.tolist(), strict=True):
        if total:
            rest, variant = divmod(one, len(IMAGE_VARIANTS) + 1)
            rest, tier = divmod(rest, len(TIERS))
            days, model = divmod(rest, len(MODELS))
            kind = IMAGE_VARIANTS[variant - 1] if variant else ""
            used[Cell(date(1970, 1, 1) + timedelta(days=days), model, tier, unit, kind)] += total


def _told(provider: str, ago: int, own: Quantities) -> tuple[Quantities, OddRate]:
    """The provider's quantities and prices of a month, which lies so many months back."""
    told = dict(own)
    if (provider, ago) in _ODD:
        _ODD[provider, ago](told)
    since = 12 if (provider, ago) == ("openai", 0) else 99

    def odd_rate(cell: Cell) -> Decimal | None:
        """The provider raised a price in the middle of the month, and nobody told the book."""
        is_odd = (cell.model, cell.unit) == (GPT, "output") and cell.day.day >= since
        return Decimal(11) / _MILLION if is_odd else None

    return {cell: quantity for cell, quantity in told.items() if quantity}, odd_rate


def _lost(told: Quantities) -> None:
    """Calls that never reached the ledger."""
    for cell in _some(told, GPT, (9, 17)):
        told[cell] += {"input": 60_000, "output": 15_000}.get(cell.unit, 0)


def _fresh(told: Quantities) -> None:
    """Tokens that the provider did not find in its cache."""
    for cell in _some(told, SONNET, range(4, 24)):
        if cell.unit == "cached_input":
            moved = told[cell] // 3
            told[cell] -= moved
            fresh = Cell(cell.day, cell.model, cell.tier, "input", "")
            told[fresh] = told.get(fresh, 0) + moved


def _not_in_batches(told: Quantities) -> None:
    """What went in batches was charged as if it had not."""
    for cell in _some(told, HAIKU, range(1, 32)):
        if cell.tier:
            standard = Cell(cell.day, cell.model, 0, cell.unit, "")
            told[standard] = told.get(standard, 0) + told.pop(cell)


def _not_charged(told: Quantities) -> None:
    """Seconds of videos that the provider forgot."""
    for cell in _some(told, VEO, range(10, 20)):
        told[cell] -= min(told[cell], 4)


_ODD: dict[tuple[str, int], Callable[[Quantities], None]] = {
    ("openai", 1): _lost,
    ("anthropic", 0): _fresh,
    ("anthropic", 1): _not_in_batches,
    ("google", 1): _not_charged,
}


def _some(told: Quantities, model: int, days: tuple[int, ...] | range) -> list[Cell]:
    return [cell for cell in told if cell.model == model and cell.day.day in days]


def _write(
    rng: np.random.Generator,
    result: Bills,
    of: tuple[str, date],
    told: Quantities,
    rate: Callable[[Cell], Decimal],
) -> None:
    provider, month = of
    at = micros_of(_next(month)) + 2 * DAY
    bill = key_at(rng, at)
    costs: dict[tuple[object, ...], tuple[Decimal, int]] = defaultdict(lambda: (Decimal(0), 0))
    usage: dict[tuple[object, ...], int] = defaultdict(int)
    for cell, quantity in sorted(told.items(), key=lambda pair: _order(pair[0])):
        is_apart = provider in _USAGE_APART and cell.model != DALLE
        tier = None if provider == "openai" and cell.model != DALLE else TIERS[cell.tier]
        amount, counted = costs[cell.day, cell.model, tier, cell.unit, cell.variant]
        costs[cell.day, cell.model, tier, cell.unit, cell.variant] = (
            amount + quantity * rate(cell),
            counted + quantity,
        )
        if is_apart:
            usage[cell.day, cell.model, TIERS[cell.tier], cell.unit, cell.variant] += quantity
    files = {kind: _file(rng, provider, month, kind, at) for kind in ("cost", "usage") if kind == "cost" or usage}
    step, total = _STEPS[provider], Decimal(0)
    for key, (amount, quantity) in costs.items():
        charged = amount.quantize(step)
        total += charged
        line = _line(rng, bill, files["cost"], key, at) | {"kind": "cost", "amount": charged, "step": step}
        result.lines.append(line | {"quantity": None if provider == "anthropic" else Decimal(quantity)})
    for key, quantity in usage.items():
        line = _line(rng, bill, files["usage"], key, at) | {"kind": "usage", "amount": None, "step": step}
        result.lines.append(line | {"quantity": Decimal(quantity)})
    for kind, row in files.items():
        row["rows"] = len(costs) if kind == "cost" else len(usage)
        result.files.append(row)
    result.bills.append(
        {
            "id": bill,
            "provider": provider,
            "month": month,
            "currency": "USD",
            "zone": ZONES[provider],
            "total": total,
            "invoiced": total.quantize(Decimal("0.01")),
            "invoice_number": f"{provider[:2].upper()}-{month:%Y%m}",
            "created_at": moment(at),
            "updated_at": moment(at),
        }
    )


def _order(cell: Cell) -> tuple[object, ...]:
    return (cell.day, cell.model, cell.tier, cell.unit, cell.variant)


def _file(rng: np.random.Generator, provider: str, month: date, kind: str, at: int) -> Row:
    last = _next(month) - timedelta(days=1)
    return {
        "id": key_at(rng, at),
        "provider": provider,
        "kind": kind,
        "name": f"{provider}-{kind}-{month:%Y-%m}.{'csv' if provider == 'google' else 'json'}",
        "digest": sha256(f"demo {provider} {kind} {month}".encode()).hexdigest(),
        "first_day": month,
        "last_day": last,
        "created_at": moment(at),
    }


def _line(rng: np.random.Generator, bill: UUID, file: Row, key: tuple[object, ...], at: int) -> Row:
    day, model, tier, unit, variant = key
    assert isinstance(model, int)  # noqa: S101 - a place in MODELS
    return {
        "id": key_at(rng, at),
        "bill_id": bill,
        "file_id": file["id"],
        "day": day,
        "model": MODELS[model][1],
        "unit": unit,
        "variant": variant,
        "service_tier": tier,
        "context_from": None if MODELS[model][0] == "openai" else 0,
        "currency": "USD",
        "description": f"{MODELS[model][1]}, {str(unit).replace('_', ' ')}",
        "created_at": moment(at),
    }


def _fee(rng: np.random.Generator, result: Bills, month: date) -> None:
    """A line that no call explains."""
    bill = result.bills[-1]
    of_bill = next(line for line in result.lines if line["bill_id"] == bill["id"] and line["kind"] == "cost")
    at = micros(bill["created_at"])
    told = {"model": None, "unit": None, "variant": None, "service_tier": None, "quantity": None}
    fee = {
        "id": key_at(rng, at),
        "day": month.replace(day=14),
        "amount": Decimal("12.50"),
        "description": "Support plan",
    }
    result.lines.append(of_bill | told | {"context_from": None} | fee)
    bill["total"] += Decimal("12.50")
    bill["invoiced"] += Decimal("12.50")


def _corrections(rng: np.random.Generator, late: date, other: date, workspace: UUID) -> list[Row]:
    made = []
    for month, kind, provider, model, amount, reason in (
        (late, "late_usage", "openai", "gpt-4o", Decimal("0.15"), _LATE),
        (other, "other", "anthropic", "claude-sonnet", Decimal("12.50"), "The support plan, which the bill has."),
    ):
        at = micros_of(_next(month)) + 9 * DAY
        made.append(
            {
                "workspace_id": workspace,
                "id": key_at(rng, at),
                "month": month,
                "kind": kind,
                "product": "email_studio",
                "provider": provider,
                "model": model,
                "generation_type": "email",
                "amount": amount,
                "reason": reason,
                "created_at": moment(at),
            }
        )
    return made


def _next(month: date) -> date:
    return (month + timedelta(days=31)).replace(day=1)
