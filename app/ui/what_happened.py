"""The forecast of a publication beside what its first two weeks really brought."""

from collections.abc import Sequence
from decimal import Decimal
from uuid import UUID

import streamlit as st

from app import serving
from app.access import Permission
from app.commands.company import sees_whole_company
from app.commands.simulations import JUDGED_AFTER, review_publication
from app.records.simulations import Simulated
from app.ui import words
from app.ui.cards import card
from app.ui.done import attempt
from app.ui.empty import empty_card
from app.ui.markup import Markup, tag
from app.ui.people import still_here
from app.ui.scope import Scope

_TITLE = "Forecast, and what happened"
_MONTH = 30
_WHY = (
    "Of the first two weeks, found the way the forecast was; amounts and calls as in 30 days. Calls that were refused"
    " leave no trace in usage: counted are workspaces that used a limit up."
)


def what_happened(scope: Scope, plan_id: UUID, found: Sequence[Simulated]) -> None:
    """Side by side where both are known; a button that looks where the truth is not."""
    forecast = next((one for one in found if one.kind == "forecast"), None)
    outcome = next((one for one in found if one.kind == "outcome"), None)
    if outcome is None:
        inner = empty_card("Nobody has looked yet.", f"It can be seen {JUDGED_AFTER.days} days after it went live.")
        card(_TITLE, inner, why=_WHY)
    else:
        card(_TITLE, _beside(forecast, outcome), why=_WHY)
    may = scope.viewer.may(Permission.PLANS_MANAGE)
    if may and sees_whole_company(serving.engines().ro, scope.viewer) and st.button("Look at what happened"):
        still_here(scope.viewer)
        attempt(lambda: review_publication(serving.engines().rw, scope.viewer, plan_id), "This is what happened.")


def _beside(forecast: Simulated | None, outcome: Simulated) -> Markup:
    heads = ("", "Forecast", "What happened", "Difference")
    rows = [tag("tr", tag("th", name, scope="row"), *_cells(name, forecast, outcome)) for name in _FIGURES]
    return tag(
        "div",
        tag(
            "table",
            tag("thead", tag("tr", *(tag("th", one, scope="col", class_="number" if one else None) for one in heads))),
            tag("tbody", *rows),
            class_="sl-table",
        ),
        class_="sl-scroll",
        tabindex=0,
        role="region",
        aria_label=_TITLE,
    )


def _cells(name: str, forecast: Simulated | None, outcome: Simulated) -> list[Markup]:
    then = None if forecast is None else _FIGURES[name](forecast)
    now = _FIGURES[name](outcome)
    moved = None if then is None else now - then
    told = [_told(name, then), _told(name, now), _told(name, moved, is_signed=True)]
    return [tag("td", one, class_="number") for one in told]


def _told(name: str, value: Decimal | None, *, is_signed: bool = False) -> str:
    if value is None:
        return words.NOTHING
    figure = words.count(round(value)) if name in _COUNTED else words.money(value, "").strip()
    return f"{'+' if is_signed and value > 0 else ''}{figure}"


def _a_month(value: Decimal | int, one: Simulated) -> Decimal:
    return round(Decimal(value) / one.days * _MONTH, 2)


_COUNTED = {"Workspaces", "Workspaces at a limit", "Calls"}
_FIGURES = {
    "Workspaces": lambda one: Decimal(one.workspaces),
    "Workspaces at a limit": lambda one: Decimal(one.hit if one.kind == "forecast" else one.reached),
    "Calls": lambda one: _a_month(one.calls, one),
    "Revenue": lambda one: _a_month(one.revenue_after, one),
    "AI cost": lambda one: _a_month(one.ai_cost_after, one),
    "Margin": lambda one: _a_month(one.margin_after, one),
}
