"""Whether a budget is spent as fast as its time goes by."""

from collections.abc import Mapping
from dataclasses import dataclass
from datetime import date, timedelta
from decimal import ROUND_CEILING, Decimal
from enum import StrEnum

# A tenth off is ordinary: platforms themselves may spend a quarter more on a single day.
TOLERANCE = Decimal("0.1")
_RECENT_DAYS = 7


class Pace(StrEnum):
    """How the spending goes."""

    UNDER = "under"
    ON = "on track"
    OVER = "over"
    SPENT = "used up"
    OPEN = "not started"
    ENDED = "ended"
    UNKNOWN = "no budget"


@dataclass(frozen=True)
class Plan:
    """A budget and its days: from `start` up to and with `end`. Without a total, each day has its own budget."""

    start: date
    end: date | None
    total: Decimal | None
    daily: Decimal | None

    @property
    def days(self) -> int | None:
        return (self.end - self.start).days + 1 if self.end else None

    @property
    def budget(self) -> Decimal | None:
        """The whole budget: the total, or as many daily ones as there are days."""
        if self.total is not None or self.daily is None or self.days is None:
            return self.total
        return self.daily * self.days


@dataclass(frozen=True)
class Pacing:
    """Figures are up to and with the last day that is over."""

    pace: Pace
    spent: Decimal
    # What even spending would have used by now.
    due: Decimal | None
    budget: Decimal | None
    time_share: Decimal | None
    spent_share: Decimal | None
    # At the rate of the last seven days that are over.
    per_day: Decimal | None
    projected: Decimal | None
    runs_out_on: date | None
    # What may be spent on each day that is left, to end on the budget.
    left_per_day: Decimal | None


def pacing(plan: Plan, spent_by_day: Mapping[date, Decimal], last_day: date) -> Pacing:
    """How a plan stands after `last_day`, which is over. Days without spending are days like any other."""
    spent = sum((amount for day, amount in spent_by_day.items() if day <= last_day), Decimal(0))
    gone = _days_gone(plan, last_day)
    per_day = _recent(plan, spent_by_day, last_day, gone)
    due = _due(plan, gone)
    days_left = max(0, plan.days - gone) if plan.days is not None else None
    left = None if plan.budget is None else plan.budget - spent
    return Pacing(
        pace=_pace(plan, spent, due, gone),
        spent=spent,
        due=due,
        budget=plan.budget,
        time_share=_share(Decimal(gone), None if plan.days is None else Decimal(plan.days)),
        spent_share=_share(spent, plan.budget),
        per_day=per_day,
        projected=None if per_day is None or days_left is None else spent + per_day * days_left,
        runs_out_on=_runs_out_on(left, per_day, days_left, last_day),
        left_per_day=max(Decimal(0), left) / days_left if left is not None and days_left else None,
    )


def _days_gone(plan: Plan, last_day: date) -> int:
    gone = max(0, (last_day - plan.start).days + 1)
    return gone if plan.days is None else min(gone, plan.days)


def _recent(plan: Plan, spent_by_day: Mapping[date, Decimal], last_day: date, gone: int) -> Decimal | None:
    days = min(gone, _RECENT_DAYS)
    last = min(last_day, plan.end) if plan.end else last_day
    amounts = (spent_by_day.get(last - timedelta(days=back), Decimal(0)) for back in range(days))
    return sum(amounts, Decimal(0)) / days if days else None


def _due(plan: Plan, gone: int) -> Decimal | None:
    if plan.total is not None and plan.days:
        return plan.total * gone / plan.days
    return None if plan.daily is None else plan.daily * gone


def _pace(plan: Plan, spent: Decimal, due: Decimal | None, gone: int) -> Pace:
    if not gone:
        return Pace.OPEN
    if plan.budget is not None and spent >= plan.budget:
        return Pace.SPENT
    if plan.days is not None and gone == plan.days:
        return Pace.ENDED
    if due is None:
        return Pace.UNKNOWN
    off = spent - due
    if abs(off) <= TOLERANCE * due:
        return Pace.ON
    return Pace.OVER if off > 0 else Pace.UNDER


def _share(part: Decimal, whole: Decimal | None) -> Decimal | None:
    return part / whole if whole else None


def _runs_out_on(left: Decimal | None, per_day: Decimal | None, days_left: int | None, last_day: date) -> date | None:
    """The day on which the budget ends, if that is before the campaign does."""
    if left is None or left <= 0 or not per_day:
        return None
    days = int((left / per_day).to_integral_value(ROUND_CEILING))
    if days_left is not None and days > days_left:
        return None
    return None if days > (date.max - last_day).days else last_day + timedelta(days=days)
