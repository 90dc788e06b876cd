"""What workspaces paid for over time: trials, upgrades, downgrades, churn and coming back."""

from collections.abc import Callable
from dataclasses import dataclass
from datetime import date, timedelta
from decimal import Decimal
from uuid import UUID

import numpy as np

from db.demo.keys import key_at
from db.demo.plans import LADDERS, Catalogue, Plan
from db.demo.rows import Row
from db.demo.seasons import DAY, Season, day_of, moment
from db.demo.world import Workspace, World
from db.vault import Place

Seal = Callable[[Place, str], str]
_TRIAL = 14 * DAY
_LARGE, _MIDDLE = 6, 22


@dataclass(slots=True)
class Subscription:
    """One row of `subscriptions`: a plan from one moment to another."""

    id: UUID
    workspace: Workspace
    plan: Plan
    started_at: int
    ended_at: int | None
    trial_ends_at: int | None
    is_upgrade: bool
    status: str

    @property
    def billed_from(self) -> int:
        """When the first payment falls due."""
        return max(self.started_at, self.trial_ends_at or 0)

    def periods(self, until: int) -> list[tuple[date, date]]:
        """The billing periods that began before `until`."""
        months = 12 if self.plan.billing_period == "annual" else 1
        first = day_of(self.billed_from)
        last = day_of(min(until, self.ended_at or until))
        found = []
        step = 0
        while (begins := months_later(first, step)) < last:
            found.append((begins, months_later(first, step + months)))
            step += months
        return found


def months_later(day: date, months: int) -> date:
    """The same day some months later; the 29th to 31st become the 28th."""
    month = day.month - 1 + months
    return date(day.year + month // 12, month % 12 + 1, min(day.day, 28))


def make_subscriptions(rng: np.random.Generator, world: World, catalogue: Catalogue) -> list[Subscription]:
    """All subscriptions of all workspaces, in the order of their start within each product."""
    return [
        subscription
        for workspace in world.workspaces
        for product in list(workspace.used)
        for subscription in _history(rng, world.season, catalogue, workspace, product)
    ]


def _history(
    rng: np.random.Generator, season: Season, catalogue: Catalogue, workspace: Workspace, product: str
) -> list[Subscription]:
    begins, ends = workspace.used[product]
    ladder = list(LADDERS[product])
    step = len(ladder) - 1 if workspace.index < _LARGE else len(ladder) // 2 if workspace.index < _MIDDLE else 0
    period = "annual" if rng.random() < 0.2 and ladder[step] != "free" else "monthly"  # noqa: PLR2004
    tier = ladder[step]
    leaves = ends if ends < season.end else None
    changes_at = begins + int(rng.integers(2, 9)) * 30 * DAY + DAY // 2
    stays = changes_at > (leaves or season.end) - 20 * DAY or period == "annual" or rng.random() < 0.45  # noqa: PLR2004
    first = (begins, leaves if stays else changes_at)
    made = [
        _one(rng, season, catalogue, workspace, (product, tier, period), span=first, is_churn=bool(leaves and stays))
    ]
    if not stays:
        was_free = made[0].plan.price == 0
        goes_up = step + 1 < len(ladder) and (rng.random() < 0.75 or step == 0)  # noqa: PLR2004
        tier = ladder[step + 1] if goes_up else ladder[max(step - 1, 0)]
        second = (changes_at, leaves)
        made.append(
            _one(
                rng,
                season,
                catalogue,
                workspace,
                (product, tier, period),
                span=second,
                is_churn=bool(leaves),
                may_try=was_free,
            )
        )
        made[-1].is_upgrade = goes_up
    if leaves and leaves < season.end - 120 * DAY and rng.random() < 0.6:  # noqa: PLR2004
        again = leaves + int(rng.integers(40, 80)) * DAY
        made.append(
            _one(rng, season, catalogue, workspace, (product, tier, "monthly"), span=(again, None), is_churn=False)
        )
        workspace.used[product] = (begins, season.end)
    return made


def _one(
    rng: np.random.Generator,
    season: Season,
    catalogue: Catalogue,
    workspace: Workspace,
    kind: tuple[str, str, str],
    *,
    span: tuple[int, int | None],
    is_churn: bool,
    may_try: bool = True,
) -> Subscription:
    """Whoever paid already goes on paying: a trial of the next plan would read as churn."""
    product, tier, period = kind
    started_at, ended_at = span
    plan = catalogue.sold(product, tier, workspace.currency, period, started_at)
    has_trial = plan.price > 0 and started_at >= season.start + DAY and rng.random() < 0.4 and may_try  # noqa: PLR2004
    trial_ends_at = started_at + _TRIAL if has_trial else None
    if ended_at and trial_ends_at and ended_at < trial_ends_at:
        trial_ends_at = None
    return Subscription(
        key_at(rng, started_at),
        workspace,
        plan,
        started_at,
        ended_at,
        trial_ends_at,
        is_upgrade=False,
        status=_status(rng, season, plan, (trial_ends_at, ended_at), is_churn=is_churn),
    )


def _status(
    rng: np.random.Generator, season: Season, plan: Plan, ends: tuple[int | None, int | None], *, is_churn: bool
) -> str:
    trial_ends_at, ended_at = ends
    if ended_at:
        return "cancelled" if is_churn else "expired"
    if trial_ends_at and trial_ends_at > season.end:
        return "trialing"
    return "past_due" if plan.price and rng.random() < 0.05 else "active"  # noqa: PLR2004


def subscription_rows(
    rng: np.random.Generator, season: Season, subscriptions: list[Subscription], seal: Seal
) -> list[Row]:
    """The rows; what names a payment is sealed."""
    return [_row(rng, season, one, seal) for one in subscriptions]


def _row(rng: np.random.Generator, season: Season, one: Subscription, seal: Seal) -> Row:
    plan, used = one.plan, int(rng.integers(0, one.plan.credits + 1))
    periods = one.periods(season.end)
    start, end = periods[-1] if periods else (day_of(one.started_at), day_of(one.started_at) + timedelta(days=14))
    is_paid = plan.price > 0
    provider = "razorpay" if plan.currency == "INR" else "stripe"
    return {
        "workspace_id": one.workspace.id,
        "id": one.id,
        "user_id": one.workspace.owner.id,
        "plan_id": plan.id,
        "product": plan.product,
        "tier": plan.tier,
        "status": one.status,
        "billing_cycle": plan.billing_period,
        "price": Decimal(plan.price),
        "currency": plan.currency,
        "started_at": moment(one.started_at),
        "ends_at": moment(one.ended_at) if one.ended_at else None,
        "trial_ends_at": moment(one.trial_ends_at) if one.trial_ends_at else None,
        "cancelled_at": moment((one.ended_at or 0) - 2 * DAY) if one.status == "cancelled" else None,
        "current_period_start": start,
        "current_period_end": end,
        "cancel_at_period_end": one.status == "active" and bool(rng.random() < 0.04),  # noqa: PLR2004
        "credits_total": plan.credits,
        "credits_remaining": plan.credits - used,
        "monthly_ai_credits_used": used,
        "monthly_ai_credits_limit": plan.credits,
        "payment_provider": provider if is_paid else None,
        "payment_id": seal(Place("subscriptions", "payment_id", one.id), f"sub_{one.id.hex[-16:]}")
        if is_paid
        else None,
        "payment_method": "card" if is_paid else None,
        "payment_method_id": seal(Place("subscriptions", "payment_method_id", one.id), f"pm_{one.id.hex[-16:]}")
        if is_paid
        else None,
        "created_at": moment(one.started_at),
        "updated_at": moment(one.started_at),
    }
