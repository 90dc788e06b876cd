"""The plans of a page: tiers side by side by product, every version in one table, and what waits for approval."""

from collections.abc import Sequence

import streamlit as st

from app import serving
from app.access import Permission
from app.commands.company import sees_whole_company
from app.exports.given import given
from app.exports.live import Reading, reading
from app.metrics.metric import Unit
from app.records.plan_terms import PlanFeature, PlanLimit, PlanTerms
from app.records.plans import PlanNow, plans_with_terms
from app.ui import words
from app.ui.cards import LIVE, card
from app.ui.done import said
from app.ui.empty import nothing_here
from app.ui.links import address, anchor
from app.ui.live import read
from app.ui.markup import Markup, joined, tag
from app.ui.plan_forms import make
from app.ui.plan_words import PAID, field_name, field_told, standing
from app.ui.rows import Column
from app.ui.scope import Scope
from app.ui.tables import table
from db.tables.products import BILLING_PERIODS

Sold = tuple[PlanNow, PlanTerms]
_OF_A_ROW = ("limit ", "feature ", "generation_credits", "has_watermark")


def new_plan(scope: Scope) -> None:
    """What was done stands here; who may, makes a draft of anything."""
    said()
    if not may_change(scope):
        told = "Plans are for every workspace: admins who see all of them change them."
        st.html(tag("p", told, class_="sl sl-small sl-muted"))
    elif st.button("New draft", icon=":material/add:"):
        make(scope)


def may_change(scope: Scope) -> bool:
    """Whether changes are offered at all; the commands ask again."""
    return scope.viewer.may(Permission.PLANS_MANAGE) and sees_whole_company(serving.engines().ro, scope.viewer)


def ladder(scope: Scope) -> None:
    """A product each: its live tiers as columns, paid alike, and what is on its way below."""
    with reading() as told:
        found = plans_with_terms(serving.engines().ro, scope.viewer)
    currencies = sorted({one.currency for one, _ in found}) or ["USD"]
    first = "USD" if "USD" in currencies else currencies[0]
    with st.container(horizontal=True):
        currency = st.selectbox("Prices in", currencies, currencies.index(first), key="plan-currency", width=120)
        period = st.selectbox(
            "Paid", BILLING_PERIODS, format_func=lambda one: f"by {PAID[one][2:]}", key="plan-period", width=140
        )
    products = scope.where.get("product") or tuple(dict.fromkeys(one.product for one, _ in found))
    shown = [product for product in products if any(one.product == product for one, _ in found)]
    if not shown:
        nothing_here("No plan is sold or drafted.", fill="Make a draft; it is published when it was simulated.")
    for product in shown:
        sold_as = (product, currency, period)
        of_product = [pair for pair in found if (pair[0].product, pair[0].currency, pair[0].billing_period) == sold_as]
        _product(str(product), of_product, scope, told)


def version_list(scope: Scope) -> None:
    """All that there are and were, but discarded drafts."""
    listed = read("plans", scope, product=scope.where.get("product"))
    table(
        [
            vars(one)
            | {
                "product": words.spelled(one.product),
                "tier": words.spelled(one.tier),
                "stands": standing(one),
                "paid": PAID[one.billing_period],
            }
            for one in listed.rows
        ],
        name="plans",
        title="All versions",
        why=f"Subscribers are those of the workspaces that you see. {LIVE}",
        columns={
            "name": Column("Plan", opens="plan", key="id"),
            "version": "Version",
            "stands": "Stands",
            "product": "Product",
            "tier": "Tier",
            "price": Column("Price", is_exact=True),
            "currency": "Currency",
            "paid": "Paid",
            "subscribers": Column("Subscribers", Unit.COUNT),
        },
        scope=scope,
        empty=("There is no such plan yet.", "Make a draft, or choose fewer filters."),
        read=listed,
    )


def approval_list(scope: Scope) -> None:
    """Publications below the margin floor: who asked, and what somebody else said."""
    listed = read("plan_approvals", scope, product=scope.where.get("product"))
    table(
        [
            vars(one)
            | {
                "margin": "nothing is earned" if one.margin_after is None else f"{one.margin_after:,.1f} %",
                "floor": f"{one.margin_floor.normalize():f} %",
                "decision": one.decision or ("waits" if one.is_of_this_revision else "waits; the draft was changed"),
            }
            for one in listed.rows
        ],
        name="plan-approvals",
        title="Approvals",
        why="A plan whose margin would be below the floor is approved on its page, by an admin who did not ask.",
        columns={
            "plan": Column("Plan", opens="plan", key="plan_id"),
            "margin": "Margin after",
            "floor": "Floor",
            "publishes_on": "From",
            "asked_name": "Asked by",
            "reason": "Why",
            "decision": "Decision",
            "decided_name": "By",
            "decision_reason": "Because",
        },
        scope=scope,
        empty=("Nobody asked for such an approval.", "Whoever publishes a plan below the margin floor asks for one."),
        read=listed,
    )


def _product(product: str, found: Sequence[Sold], scope: Scope, told: Reading) -> None:
    live = [pair for pair in found if pair[0].status == "published"]
    coming = [one for one, _ in found if one.status != "published"]
    title = words.spelled(product)
    drawn = _columns(title, live, scope) if live else tag("p", "Nothing of it is sold like this.", class_="sl-muted")
    listed = told.listed("plans_side_by_side", given(product=product), [one for one, _ in found])
    card(title, drawn, _coming(coming, scope), read=listed, scope=scope)


def _columns(title: str, live: Sequence[Sold], scope: Scope) -> Markup:
    """A column a tier; what a limit meters is told by the limit."""
    heads = [
        tag("th", anchor(words.spelled(one.tier), address("plan", scope, plan=one.id)), scope="col", class_="number",
            title=f"{one.titled}, {standing(one)}")
        for one, _ in live
    ]  # fmt: skip
    said = [terms.fields for _, terms in live]
    names = dict.fromkeys(
        name
        for fields in said
        for name, value in fields.items()
        if name.startswith(_OF_A_ROW) and not (isinstance(value, PlanFeature) and value.meter)
    )
    rows = [
        _row("Price", [words.money(one.price, one.currency) for one, _ in live]),
        _row("Subscribers", [words.count(one.subscribers) for one, _ in live]),
        *(_row(field_name(name), [_short(fields.get(name)) for fields in said]) for name in sorted(names, key=_kind)),
    ]
    head = tag("tr", tag("th", tag("span", "Term", class_="sl-unseen"), scope="col"), *heads)
    drawn = tag("table", tag("thead", head), tag("tbody", *rows), class_="sl-table")
    return tag("div", drawn, class_="sl-scroll", tabindex=0, role="region", aria_label=f"Tiers of {title}")


def _kind(name: str) -> int:
    return next(place for place, kind in enumerate(_OF_A_ROW) if name.startswith(kind))


def _short(value: object) -> str:
    """The amount of a limit; what else it says is on its page."""
    if value is None:
        return words.NOTHING
    if isinstance(value, PlanLimit):
        return "no limit" if value.amount is None else words.count(value.amount)
    if isinstance(value, int) and not isinstance(value, bool):
        return words.count(value)
    return field_told(value)


def _row(label: str, cells: Sequence[str]) -> Markup:
    return tag("tr", tag("th", label, scope="row"), *(tag("td", cell, class_="number") for cell in cells))


def _coming(coming: Sequence[PlanNow], scope: Scope) -> Markup:
    if not coming:
        return Markup()
    links = [
        tag("span", anchor(f"{one.titled} · {standing(one)}", address("plan", scope, plan=one.id)), class_="sl-chip")
        for one in coming
    ]
    return tag("div", joined(links), class_="sl-chips", style="margin-top:.6rem")
