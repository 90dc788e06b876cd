"""One workspace: how it stands, its subscriptions, its people, and what can be done about each."""

from typing import Any
from uuid import UUID

import streamlit as st

from app import serving
from app.access import Permission, Viewer
from app.metrics.metric import Unit
from app.records import customers as homes
from app.records.customers import Home, Person, Subscribed
from app.ui import words
from app.ui.cards import LIVE
from app.ui.choices import workspaces_of
from app.ui.customer_form import ask_deletion
from app.ui.customer_list import figures_of, plans_of, standing_of
from app.ui.links import address, anchor
from app.ui.live import read
from app.ui.markup import Markup, joined, tag
from app.ui.member_form import act_on_people
from app.ui.rows import Column, Columns
from app.ui.scope import Scope
from app.ui.subscription_form import act_on_subscriptions
from app.ui.tables import table

_SUBSCRIPTIONS: Columns = {
    "product": "Product",
    "plan": "Plan",
    "status": "Status",
    "price": Column("Price", Unit.MONEY),
    "currency": "In",
    "billing_cycle": "Billed",
    "started_at": "Since",
    "current_period_end": "Period ends",
    "then": "And then",
}
_PEOPLE: Columns = {
    "email": "Person",
    "name": "Name",
    "role": "Role",
    "account": "Account",
    "credits": Column("Credits", Unit.CREDITS),
    "joined": "Joined",
    "last_active_at": "Last active",
}


def customer_here(viewer: Viewer) -> Home | None:
    """The workspace that the address names, if the viewer sees it."""
    try:
        key = UUID(st.query_params.get("customer", ""))
    except ValueError:
        return None
    return homes.customer(serving.engines().ro, viewer, key)


def told(found: Home, scope: Scope) -> None:
    """How it stands, and where the rest is told."""
    chips = [standing_of(found), plans_of(found) or "no plan", f"since {words.day(found.created_at)}"]
    figures = figures_of([str(found.id)], scope).get(str(found.id), {})
    facts: dict[str, object] = {
        "Short name": found.slug,
        "Owner": found.owner or "nobody",
        "Country": found.country,
        "Zone and currency": f"{found.timezone}, {found.currency}",
        "Revenue in these days": _money(figures.get("recognised_revenue"), scope),
        "AI cost in these days": _money(figures.get("ai_cost"), scope),
        "Fullest limit": words.figure(found.fullest, Unit.PERCENT) if found.fullest is not None else None,
        "Connections": _connections(found),
        "More": _more(found, scope),
    }
    listed = [part for name, value in facts.items() if value for part in (tag("dt", name), tag("dd", value))]
    drawn = tag("div", *(tag("span", one, class_="sl-chip") for one in chips), class_="sl-chips")
    st.html(tag("div", drawn, tag("dl", *listed, class_="facts"), class_="sl sl-receipt"))


def subscribed(found: Home, scope: Scope) -> None:
    """What is live before what is over."""
    listed = read("customer_subscriptions", scope, customer=found.id)
    if scope.viewer.may(Permission.CUSTOMERS_MANAGE):
        act_on_subscriptions(scope, [one for one in listed.rows if one.is_live])
    table(
        [_subscription(one) for one in listed.rows],
        name="subscriptions",
        title="Subscriptions",
        why=LIVE,
        columns=_SUBSCRIPTIONS,
        scope=scope,
        empty=("The workspace never had a subscription.", "Without one, quotas allow nothing."),
        read=listed,
    )


def people(found: Home, scope: Scope) -> None:
    """The owner first."""
    listed = read("customer_people", scope, customer=found.id)
    if scope.viewer.may(Permission.CUSTOMERS_MANAGE):
        act_on_people(scope, found, listed.rows)
    table(
        [_person(one) for one in listed.rows],
        name="people",
        title="People",
        why=f"An account is the same in all workspaces of a customer. {LIVE}",
        columns=_PEOPLE,
        scope=scope,
        empty=("Nobody is in this workspace.", "Invite somebody, and hand it over to them."),
        read=listed,
    )


def ending(found: Home, scope: Scope) -> None:
    """What is done least stands last."""
    if scope.viewer.may(Permission.CUSTOMERS_MANAGE) and st.button("Delete workspace", icon=":material/delete:"):
        ask_deletion(scope, found)


def _money(amount: Any, scope: Scope) -> str | None:  # noqa: ANN401 - an amount or nothing
    return words.money(amount, scope.currency) if amount is not None else None


def _connections(found: Home) -> str | None:
    if not found.integrations:
        return None
    failing = f", {found.failing} with errors" if found.failing else ""
    return words.counted(found.integrations, "connection") + failing


def _more(found: Home, scope: Scope) -> Markup:
    """Pages that are narrowed to this workspace."""
    label = {slug: label for label, slug in workspaces_of(scope.viewer).items()}.get(found.slug, found.name)
    alone = scope.without("workspace")
    links = [
        anchor(text, address(page, alone, workspace=label, **more))
        for text, page, more in (
            ("AI cost", "ai_cost", {}),
            ("Margin", "margin", {"show": "Products"}),
            ("Invoices", "invoices", {}),
            ("Campaigns", "campaigns", {}),
        )
    ]
    links.append(anchor("Quotas", address("quotas", alone, show="Limits", of=label)))
    return joined([part for link in links for part in (link, Markup("&ensp;"))])


def _subscription(one: Subscribed) -> dict[str, Any]:
    then = "renewed"
    if not one.is_live:
        then = f"over since {words.day(one.ends_at)}" if one.ends_at else "over"
    elif one.cancel_at_period_end:
        then = "ends"
    return vars(one) | {
        "product": words.spelled(one.product),
        "plan": f"{one.plan}, version {one.version}",
        "status": words.spelled(one.status),
        "billing_cycle": words.spelled(one.billing_cycle),
        "then": then,
    }


def _person(one: Person) -> dict[str, Any]:
    return vars(one) | {
        "role": words.spelled(one.role),
        "account": "open" if one.is_active else "deactivated",
        "joined": one.joined_at or ("invited" if one.invited_at else None),
    }
