"""What a draft of a plan would do: replayed over usage that was, with who would be refused what, and when."""

from collections.abc import Sequence
from datetime import date, datetime, timedelta
from decimal import Decimal
from uuid import UUID
from zoneinfo import ZoneInfo

import streamlit as st

from app import serving
from app.access import Permission
from app.commands.company import sees_whole_company
from app.commands.simulations import TRIED, WINDOWS, simulate_plan
from app.exports.given import given
from app.exports.live import Listed, reading
from app.metrics.metric import Unit
from app.records import simulations as kept
from app.records.simulations import HitDay, LimitPassed, Simulated
from app.ui import plots, words
from app.ui.cards import LIVE, card
from app.ui.done import attempt
from app.ui.empty import empty_card, nothing_here
from app.ui.live import behind_list, read
from app.ui.markup import Markup, tag
from app.ui.people import still_here
from app.ui.rows import Column
from app.ui.scope import Scope
from app.ui.series import OverTime, Series
from app.ui.tables import table
from app.ui.what_happened import what_happened

_MOST_LISTED = 1000
_SOLD = ("published", "retired")
_WHEN = "When limits are hit first"
_VERDICTS = {"refused": "refuses", "over_soft_limit": "flags, refuses nothing", "in_grace": "lets through in grace"}


def simulation(scope: Scope, plan_id: UUID, status: str) -> None:
    """The newest simulation of a plan, and a button that makes another; of a published one what became of it."""
    with reading() as told:
        found = kept.simulations(serving.engines().ro, scope.viewer, plan_id)
    listed = told.listed("simulations", given(plan=plan_id), found)
    forecasts = [one for one in found if one.kind == "forecast"]
    if status in TRIED:
        _asking(scope, plan_id)
    elif status in _SOLD:
        what_happened(scope, plan_id, listed)
    if not forecasts and status not in _SOLD:
        nothing_here("This plan was never simulated.", fill="A draft is: by days of usage, before it is published.")
    if forecasts:
        _shown(forecasts[0], scope, listed, is_draft=status in TRIED)
    if len(forecasts) > 1:
        _earlier(forecasts[1:], scope, listed)


def _asking(scope: Scope, plan_id: UUID) -> None:
    if not scope.viewer.may(Permission.PLANS_MANAGE):
        return
    if not sees_whole_company(serving.engines().ro, scope.viewer):
        nothing_here("You can't simulate it.", fill="It goes through every workspace: ask an admin who sees all.")
        return
    with st.container(horizontal=True, vertical_alignment="bottom"):
        days = st.segmented_control(
            "Usage of the last", WINDOWS, default=WINDOWS[0], format_func=lambda one: f"{one} days",
            key="simulate-days", required=True,
        )  # fmt: skip
        if st.button("Simulate", type="primary", icon=":material/experiment:", key="simulate"):
            _simulate(scope, plan_id, days or WINDOWS[0])


def _simulate(scope: Scope, plan_id: UUID, days: int) -> None:
    still_here(scope.viewer)
    bar = st.progress(0.0, text="Going through the usage of each workspace …")

    def told(done: int, number: int) -> None:
        bar.progress(done / number, text=f"{done} of {words.counted(number, 'workspace')}")

    attempt(
        lambda: simulate_plan(serving.engines().rw, scope.viewer, plan_id, days=days, progress=told),
        f"The last {days} days were replayed.",
    )
    bar.empty()


def _shown(one: Simulated, scope: Scope, listed: Listed[Simulated], *, is_draft: bool) -> None:
    if is_draft and not one.is_current:
        stale = "The draft was changed since. Simulate it again: it is published as it was simulated, or not at all."
        st.html(tag("div", tag("b", "This is of an older draft."), tag("p", stale), class_="sl sl-refused"))
    st.html(tag("div", tag("div", *_tiles(one), class_="sl-tiles", style="--n:3"), class_="sl"))
    behind_list(listed, "What the simulation found", "simulation", scope)
    st.html(tag("p", *_facts(one, scope), class_="sl sl-small sl-muted"))
    if not one.workspaces:
        nothing_here("Nobody has this plan now.", fill="There is no usage to replay: nobody would be moved to it.")
        return
    with reading() as told:
        days = kept.hits_by_day(serving.engines().ro, scope.viewer, one.id, zone=scope.zone)
    card(_WHEN, _course(one, days, scope), why="Workspaces that are refused something for the first time on a day.",
        read=told.listed("simulation_days", given(simulation=one.id), days), scope=scope)  # fmt: skip
    with reading() as told:
        passed = kept.limits_passed(serving.engines().ro, scope.viewer, one.id)
    _limits(told.listed("limits_passed", given(simulation=one.id), passed), scope)
    _listed(one, scope)


def _tiles(one: Simulated) -> list[Markup]:
    return [
        _tile("Refused something", words.count(one.hit), f"of {words.counted(one.workspaces, 'workspace')}", _than(
            one.hit, one.hit_before, "by the plan they have")),
        _tile("Calls refused", words.count(one.refused_after), f"of {words.count(one.calls)}", _than(
            one.refused_after, one.refused_before, "by the plan they have")),
        _tile("Revenue", words.short(one.revenue_after, Unit.MONEY), one.currency, _moved(
            one.revenue_before, one.revenue_after, one.currency, up_is_good=True)),
        _tile("AI cost", words.short(one.ai_cost_after, Unit.MONEY), one.currency, _moved(
            one.ai_cost_before, one.ai_cost_after, one.currency, up_is_good=False)),
        _tile("Margin", words.short(one.margin_after, Unit.MONEY), one.currency, _moved(
            one.margin_before, one.margin_after, one.currency, up_is_good=True)),
        _tile("Get more room", words.count(one.eased), "workspace" if one.eased == 1 else "workspaces", tag(
            "span", "fewer refusals than now", class_="sl-muted")),
    ]  # fmt: skip


def _tile(label: str, value: str, unit: str, beside: Markup) -> Markup:
    return tag(
        "div",
        tag("div", label, class_="label"),
        tag("div", value, tag("small", f" {unit}"), class_="value"),
        tag("div", beside, class_="delta"),
        class_="sl-tile",
    )


def _than(after: int, before: int, who: str) -> Markup:
    return tag("span", f"{words.count(before)} {who}", class_="sl-muted" if after <= before else "sl-bad")


def _moved(before: Decimal, after: Decimal, currency: str, *, up_is_good: bool) -> Markup:
    """An arrow and a word say what the colour says."""
    moved = after - before
    if not round(moved, 2):
        return tag("span", "as before", class_="sl-muted")
    arrow, word = ("▲", "more") if moved > 0 else ("▼", "less")
    mood = "sl-good" if (moved > 0) is up_is_good else "sl-bad"
    return tag("span", tag("span", f"{arrow} {words.money(abs(moved), currency)} {word}", class_=mood))


def _facts(one: Simulated, scope: Scope) -> list[str]:
    zone = ZoneInfo(scope.zone)
    who = f" by {one.made_by}" if one.made_by else ""
    told = [
        f"Usage from {words.moment(one.since.astimezone(zone))} to {words.moment(one.until.astimezone(zone))},",
        f" simulated {words.moment(one.made_at.astimezone(zone))}{who}.",
        " Everybody would pay what the draft costs. What budgets and stops refused then is not asked again.",
    ]
    if one.unpriced:
        told.append(f" {words.counted(one.unpriced, 'call')} of AI without a price: they are in no cost.")
    return told


def _course(one: Simulated, days: Sequence[HitDay], scope: Scope) -> Markup:
    if not days:
        return empty_card(
            "Nobody would be refused anything.", "What the draft lets through beyond its limits is listed below."
        )
    zone = ZoneInfo(scope.zone)
    points = _days(one.since.astimezone(zone), one.until.astimezone(zone))
    counted = {day.day: float(day.workspaces) for day in days}
    values = tuple(counted.get(point, 0.0) for point in points)
    shown = OverTime("day", points, (Series("Workspaces refused for the first time", Unit.COUNT, values),), None)
    return plots.stacked(shown, label=plots.described(shown, _WHEN), columns=True)


def _days(since: datetime, until: datetime) -> tuple[date, ...]:
    first = since.date()
    return tuple(first + timedelta(days=number) for number in range((until.date() - first).days + 1))


def _limits(passed: Listed[LimitPassed], scope: Scope) -> None:
    table(
        [
            {
                "limit": f"{words.spelled(one.meter)}, {one.period}",
                "does": _VERDICTS[one.verdict],
                "workspaces": one.workspaces,
                "calls": one.calls,
                "amount": one.amount,
                "first_at": one.first_at,
                "shown": one.says if one.verdict == "refused" else None,
            }
            for one in passed.rows
        ],
        name="limits-passed",
        title="Limits that are passed",
        why="Over all workspaces. What is beyond a limit is counted as far as it is beyond.",
        columns={
            "limit": "Limit",
            "does": "What it does",
            "workspaces": Column("Workspaces", Unit.COUNT),
            "calls": Column("Calls", Unit.COUNT),
            "amount": Column("Beyond it", Unit.COUNT),
            "first_at": "First",
            "shown": "What the product shows",
        },
        scope=scope,
        empty=("No limit is passed.", "All of this usage fits into the draft."),
        read=passed,
    )


def _listed(one: Simulated, scope: Scope) -> None:
    page = read("simulated_workspaces", scope, simulation=one.id, limit=_MOST_LISTED)
    table(
        [vars(row) | {"state": _state(row.refused_after, over=row.goes_over, eased=row.gains_room),
            "limit": words.spelled(row.limit) if row.limit else None} for row in page.rows],
        name="simulated",
        title="Workspaces",
        why=f"Those that are hit first before the others. {LIVE}",
        columns={
            "workspace": "Workspace",
            "state": "What happens",
            "first_hit_at": "First refused",
            "limit": "By",
            "refused_after": Column("Refused", Unit.COUNT),
            "refused_before": Column("Refused now", Unit.COUNT),
            "price_before": Column("Pays", Unit.MONEY),
            "price_after": Column("Would pay", Unit.MONEY),
            "margin_before": Column("Margin now", Unit.MONEY, currency=one.currency),
            "margin_after": Column("Margin then", Unit.MONEY, currency=one.currency),
            "prompt": "Is shown",
        },
        scope=scope,
        read=page,
    )  # fmt: skip


def _state(refused: int, *, over: bool, eased: bool) -> str:
    told = [
        *(["is refused calls"] if refused else []),
        *(["goes over"] if over and not refused else []),
        *(["gets more room"] if eased else []),
    ]
    return ", ".join(told) or "as before"


def _earlier(older: Sequence[Simulated], scope: Scope, listed: Listed[Simulated]) -> None:
    zone = ZoneInfo(scope.zone)
    table(
        [
            {
                "made_at": one.made_at.astimezone(zone), "made_by": one.made_by, "days": round(one.days),
                "hit": one.hit, "workspaces": one.workspaces, "revenue": one.revenue_after, "margin": one.margin_after,
            }
            for one in older
        ],
        name="earlier-simulations",
        title="Earlier simulations",
        columns={
            "made_at": "Simulated", "made_by": "By", "days": Column("Days", Unit.COUNT),
            "workspaces": Column("Workspaces", Unit.COUNT), "hit": Column("Refused something", Unit.COUNT),
            "revenue": Column("Revenue", Unit.MONEY), "margin": Column("Margin", Unit.MONEY),
        },
        scope=scope,
        read=listed,
    )  # fmt: skip
