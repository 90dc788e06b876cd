"""Workspaces of customers: found, filtered, with what they pay for, what they cost, and how full their limits are."""

from collections.abc import Sequence
from typing import Any

import streamlit as st

from app import serving
from app.access import Permission
from app.commands.workspaces import DeletedWorkspace, deleted_workspaces
from app.metrics.metric import Unit
from app.records.customers import Home
from app.ui import words
from app.ui.asking import ask
from app.ui.cards import LIVE
from app.ui.choices import workspaces_of
from app.ui.customer_form import restore
from app.ui.done import said
from app.ui.links import address
from app.ui.live import read
from app.ui.onward import onward, place
from app.ui.rows import Column, Columns
from app.ui.scope import Scope
from app.ui.sifted import PAGE
from app.ui.tables import table
from app.ui.views import note_broken
from db.tables.products import PRODUCTS, TIERS

_ALL = "All"
_STANDING = {_ALL: None, "Live": "live", "Past due": "past due", "Ending": "ending", "Without a plan": "none"}
_FIGURES = ("recognised_revenue", "ai_cost")


def customers(scope: Scope) -> None:
    """The newest first; what is chosen stands in the address."""
    said()
    with st.container(horizontal=True, vertical_alignment="bottom"):
        sought = st.text_input("Search", key="words", bind="query-params", placeholder="A name or an owner's address",
            max_chars=200, width=280)  # fmt: skip
        product = _choice("Subscribed to", "sold", {_ALL: None} | {words.spelled(one): one for one in PRODUCTS})
        tier = _choice("Plan", "tier", {_ALL: None} | {words.spelled(one): one for one in TIERS})
        standing = _choice("Standing", "standing", _STANDING)
    chosen = (sought, product, tier, standing)
    found = read(
        "customers", scope, after=place(scope, "customers", *chosen), limit=PAGE, words=sought, product=product,
        tier=tier, standing=standing, workspace=scope.where.get("workspace"),
    )  # fmt: skip
    table(
        _cells(found.rows, scope),
        name="customers",
        title="Workspaces",
        why="Newest first. Revenue and AI cost are of the period above, and a link leads to what made the cost; the"
        f" fullest limit is that of now. {LIVE}",
        columns=_columns(scope),
        scope=scope,
        empty=("No workspace is found.", "Type less of the name, or choose fewer filters."),
        read=found,
    )
    kept = {"words": sought or None, "sold": _label(product), "tier": _label(tier), "standing": _named(standing)}
    onward(scope.page, scope, found.next, "customers", *chosen, **kept)


def deleted(scope: Scope) -> None:
    """Those that can be brought back."""
    said()
    found = deleted_workspaces(serving.engines().pipe, scope.viewer)
    if found and scope.viewer.may(Permission.CUSTOMERS_MANAGE):
        _choose(scope, found)
    table(
        [vars(one) for one in found],
        name="deleted",
        title="Deleted workspaces",
        why="Nobody sees them or what belongs to them. Brought back, they are as they were. " + LIVE,
        columns={"name": "Workspace", "slug": "Short name", "deleted_at": "Deleted"},
        scope=scope,
        empty=("No workspace is deleted.", "One that is deleted stands here, and can be brought back."),
    )


def _choose(scope: Scope, found: Sequence[DeletedWorkspace]) -> None:
    with st.container(horizontal=True, vertical_alignment="bottom"):
        named = {f"{one.name} ({one.slug}, {words.day(one.deleted_at)})": one for one in found}
        chosen = named.get(st.selectbox("Workspace", list(named), key="deleted-workspace", width=420) or "")
        if chosen and st.button("Bring back", icon=":material/restore_from_trash:"):
            restore(scope, chosen)


def _columns(scope: Scope) -> Columns:
    return {
        "name": Column("Workspace", opens="customer", key="id"),
        "standing": "Standing",
        "members": Column("People", Unit.COUNT),
        "recognised_revenue": Column("Revenue", Unit.MONEY, currency=scope.currency),
        "ai_cost": Column("AI cost", Unit.MONEY, currency=scope.currency),
        "fullest": Column("Fullest limit", Unit.PERCENT),
        "costs": Column("More", leads="leads"),
        "sold": "Plans",
        "owner": "Owner",
        "created_at": "Since",
    }


def _cells(found: Sequence[Home], scope: Scope) -> list[dict[str, Any]]:
    labels = {slug: label for label, slug in workspaces_of(scope.viewer).items()}
    figures = figures_of([str(one.id) for one in found], scope)
    return [
        vars(one)
        | {"sold": plans_of(one), "standing": standing_of(one), "costs": "AI cost"}
        | figures.get(str(one.id), {})
        | {"leads": address("ai_cost", scope.without("workspace"), workspace=labels.get(one.slug))}
        for one in found
    ]


def figures_of(keys: Sequence[str], scope: Scope) -> dict[str, dict[str, Any]]:
    """Revenue and AI cost of these workspaces in the page's days."""
    if not keys:
        return {}
    answer = ask(_FIGURES, scope.uncompared.without("workspace"), by="workspace", where={"workspace": list(keys)})
    return {str(row["workspace"]): {name: row[name] for name in _FIGURES} for row in answer.rows()}


def plans_of(one: Home) -> str | None:
    """Product and tier of what is live."""
    told = [plan.split(" ", 1) for plan in one.plans]
    return ", ".join(f"{words.spelled(product)} {words.spelled(tier)}" for product, tier in told) or None


def standing_of(one: Home) -> str:
    """In a word how the subscriptions stand."""
    if one.past_due:
        return "past due"
    if one.ending:
        return "ending"
    return "live" if one.plans else "without a plan"


def _choice(label: str, key: str, options: dict[str, str | None]) -> str | None:
    note_broken(key, list(options))
    return options.get(st.selectbox(label, list(options), key=key, bind="query-params", width=170) or _ALL)


def _label(value: str | None) -> str | None:
    return words.spelled(value) if value else None


def _named(standing: str | None) -> str | None:
    return next((label for label, one in _STANDING.items() if one == standing and one), None)
