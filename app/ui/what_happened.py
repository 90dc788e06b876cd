"""The forecast of a publication beside what its first two weeks really brought."""

from collections.abc import Sequence
from decimal import Decimal
from uuid import UUID

import streamlit as st

from app import serving
from app.access import Permission
from app.commands.company import sees_whole_company
from app.commands.simulations import JUDGED_AFTER, review_publication
from app.exports.live import Listed
from app.records.outcomes import DAYS, Beside, side_by_side
from app.records.simulations import Simulated, review_waits_for
from app.ui import words
from app.ui.cards import card
from app.ui.done import attempt
from app.ui.empty import empty_card
from app.ui.markup import Markup, tag
from app.ui.people import still_here
from app.ui.scope import Scope

_TITLE = "Forecast, and what happened"
_WHY = (
    f"Of the first two weeks, found the way the forecast was; amounts and calls as in {DAYS} days. Calls that were"
    " refused leave no trace in usage: counted are workspaces that used a limit up."
)


def what_happened(scope: Scope, plan_id: UUID, listed: Listed[Simulated]) -> None:
    """Side by side where both are known; a button that looks where the truth is not."""
    beside = side_by_side(listed.rows)
    drawn = _beside(beside) if beside else _not_yet(scope, plan_id, is_forecast=bool(listed.rows))
    card(_TITLE, drawn, why=_WHY, read=listed, scope=scope)
    may = scope.viewer.may(Permission.PLANS_MANAGE)
    if may and sees_whole_company(serving.engines().ro, scope.viewer) and st.button("Look at what happened"):
        still_here(scope.viewer)
        attempt(lambda: review_publication(serving.engines().rw, scope.viewer, plan_id), "This is what happened.")


def _not_yet(scope: Scope, plan_id: UUID, *, is_forecast: bool) -> Markup:
    missing = review_waits_for(serving.engines().ro, scope.viewer, plan_id)
    if missing:
        told = f"{missing} The worker looks again when rates have come in."
        return empty_card("What happened can't be said yet.", told)
    if is_forecast:
        return empty_card("Nobody has looked yet.", f"The worker looks {JUDGED_AFTER.days} days after it went live.")
    told = "It went live without a forecast that could be judged, so the worker does not look by itself."
    return empty_card("Nobody has looked.", told)


def _beside(found: Sequence[Beside]) -> Markup:
    heads = ("", "Forecast", "What happened", "Difference")
    rows = [tag("tr", tag("th", one.name, scope="row"), *_cells(one)) for one in found]
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


def _cells(one: Beside) -> list[Markup]:
    told = [_told(one, one.forecast), _told(one, one.happened), _told(one, one.difference, is_signed=True)]
    return [tag("td", cell, class_="number") for cell in told]


def _told(one: Beside, value: Decimal | None, *, is_signed: bool = False) -> str:
    if value is None:
        return words.NOTHING
    figure = words.count(round(value)) if one.is_counted else words.money(value, "").strip()
    return f"{'+' if is_signed and value > 0 else ''}{figure}"
