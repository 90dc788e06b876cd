"""How an ad campaign's budget is paced."""

from collections.abc import Mapping
from datetime import date, timedelta
from decimal import Decimal
from uuid import UUID

from app.analysis.pacing import Pace, Pacing, Plan, pacing
from app.metrics.metric import Unit
from app.records.campaigns import CampaignDetail
from app.ui import words
from app.ui.asking import Asked, Refused, ask
from app.ui.cards import card
from app.ui.charts import chart
from app.ui.empty import empty_card
from app.ui.live import not_pinned
from app.ui.markup import Markup, joined, tag
from app.ui.scope import Scope

_TOLD = {
    Pace.UNDER: "Slower than the time goes by",
    Pace.ON: "On track",
    Pace.OVER: "Faster than the time goes by",
    Pace.SPENT: "Used up",
    Pace.OPEN: "Not started",
    Pace.ENDED: "Ended",
    Pace.UNKNOWN: "No budget to hold it against",
}
_WHY = "In the campaign's own currency, up to the last day that is over. Ad platforms restate the last 28 days."


def paced(found: CampaignDetail, scope: Scope, last_day: date) -> None:
    """Spent beside due, and where it will end; whatever period is chosen, it is the whole campaign."""
    if found.start_date is None:
        card("Budget", empty_card("This campaign has no first day.", "It gets one when it is scheduled."))
        return
    answer = spent_on(found.id, scope, found.start_date, last_day)
    plan = Plan(found.start_date, found.end_date, found.total_budget, found.daily_budget)

    def draw(asked: Asked) -> Markup:
        return _drawn(plan, pacing(plan, _by_day(asked, found.currency), last_day), found.currency)

    chart(answer, draw, title="Budget", why=f"{_WHY} {not_pinned(scope, 'the budget and its days')}".strip())


def spent_on(campaign: UUID, scope: Scope, first: date, last_day: date) -> Asked | Refused:
    """What the campaign alone spent by day, in each currency; no filter of the page holds for its budget."""
    whole = scope.without(*scope.where).narrowed(campaign=str(campaign)).uncompared
    return ask("spend", whole.over(first, max(last_day, first) + timedelta(days=1)), by="currency", grain="day")


def _by_day(answer: Asked | Refused, currency: str) -> Mapping[date, Decimal]:
    return {
        row["day"]: row["spend"] for row in answer.rows() if row["currency"] == currency and row["spend"] is not None
    }


def _drawn(plan: Plan, found: Pacing, currency: str) -> Markup:
    bars = [
        cell
        for name, share in (("Time", found.time_share), ("Budget", found.spent_share))
        if share is not None
        for cell in (
            tag("span", name, class_="name"),
            tag("span", tag("i", style=f"left:0;width:{min(Decimal(1), share) * 100:.1f}%"), class_="bar sl-c0"),
            tag("span", words.figure(float(share), Unit.PERCENT), class_="figure"),
        )
    ]
    facts = [(name, words.money(value, currency)) for name, value in _amounts(found) if value is not None]
    facts += [("Ends", words.day(plan.end))] if plan.end else []
    facts += [("Runs out", words.day(found.runs_out_on))] if found.runs_out_on else []
    listed = [cell for name, value in facts for cell in (tag("dt", name), tag("dd", value))]
    return joined(
        (
            tag("p", tag("b", _TOLD[found.pace]), class_="sl-small"),
            tag("div", *bars, class_="sl-rows"),
            tag("div", tag("dl", *listed, class_="facts sl-small"), class_="sl-receipt"),
        )
    )


def _amounts(found: Pacing) -> tuple[tuple[str, Decimal | None], ...]:
    is_running = found.pace not in {Pace.ENDED, Pace.OPEN}
    return (
        ("Budget", found.budget),
        ("Spent", found.spent),
        ("Due by now", found.due),
        ("A day, lately", found.per_day if is_running else None),
        ("At its end, at this rate", found.projected if is_running else None),
        ("Left a day", found.left_per_day if is_running else None),
    )
