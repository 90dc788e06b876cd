"""Contacts: found by what people type, and one person's whole history."""

from uuid import UUID

import streamlit as st

from app import serving
from app.access import Viewer
from app.metrics.metric import Unit
from app.records import contacts
from app.records.contacts import ContactDetail
from app.ui import words
from app.ui.cards import LIVE
from app.ui.live import not_pinned, read
from app.ui.markup import tag
from app.ui.notices import say_broken
from app.ui.onward import onward, place
from app.ui.raw import EMAIL_COLUMNS, email_rows
from app.ui.rows import Column, Columns
from app.ui.scope import Scope
from app.ui.sifted import PAGE
from app.ui.tables import table
from db.tables.audience import CONTACT_STATUSES

_ALL = "All"
_FOUND: Columns = {
    "email": Column("Contact", opens="contact", key="id"),
    "name": "Name",
    "status": "Status",
    "workspace": "Workspace",
    "created_at": "Came",
    "last_engaged_at": "Last active",
}
_SENDS: Columns = {
    "campaign": Column("Campaign", opens="campaign", key="campaign_id"),
    "first_sent_at": "Sent",
    "first_delivered_at": "Delivered",
    "first_opened_at": "Opened",
    "first_clicked_at": "Clicked",
    "opens": Column("Opens", Unit.COUNT),
    "machine_opens": Column("By machines", Unit.COUNT),
    "clicks": Column("Clicks", Unit.COUNT),
    "first_bounced_at": "Bounced",
    "bounce_type": "Class",
    "first_unsubscribed_at": "Unsubscribed",
    "first_complained_at": "Complained",
}


def search(scope: Scope, **kept: object) -> None:
    """Whoever is typed, in the chosen workspaces, newest first; all of it stands in the address."""
    with st.container(horizontal=True, vertical_alignment="bottom"):
        sought = st.text_input(
            "Search",
            key="words",
            bind="query-params",
            placeholder="Parts of an address or a name",
            max_chars=200,
            width=320,
        )
        status = _status()
    found = read(
        "contacts",
        scope,
        after=place(scope, "contacts", sought, status),
        limit=PAGE,
        words=sought,
        status=None if status == _ALL else status.lower(),
        workspace=scope.where.get("workspace"),
    )
    table(
        [vars(one) | {"name": _name(one), "status": words.spelled(one.status)} for one in found.rows],
        name="contacts",
        title="People",
        why=f"The newest first. {LIVE}",
        columns=_FOUND,
        scope=scope,
        empty=("Nobody is found.", "Type less of the address or name, or choose another status."),
        read=found,
    )
    onward(
        "audience",
        scope,
        found.next,
        "contacts",
        sought,
        status,
        **kept,
        words=sought or None,
        status=_other(status),
    )


def contact_here(viewer: Viewer) -> ContactDetail | None:
    """The person that the address names, if the viewer sees them."""
    try:
        key = UUID(st.query_params.get("contact", ""))
    except ValueError:
        return None
    return contacts.contact(serving.engines().ro, viewer, key)


def facts(found: ContactDetail, scope: Scope) -> None:
    """How they stand, and whatever is kept of them."""
    dates = {
        "came": found.created_at,
        "subscribed": found.subscribed_at,
        "unsubscribed": found.unsubscribed_at,
        "last active": found.last_engaged_at,
    }
    chips = [words.spelled(found.status), found.workspace]
    chips += [f"{name} {words.day(at)}" for name, at in dates.items() if at]
    chips += [live for live in [not_pinned(scope)] if live]
    told = {
        "Name": _name(found),
        "Lists": ", ".join(found.lists),
        "Tags": ", ".join(found.tags),
        **{str(name): str(value) for name, value in found.custom_fields.items()},
    }
    listed = [part for name, value in told.items() if value for part in (tag("dt", name), tag("dd", value))]
    drawn = tag("div", *(tag("span", one, class_="sl-chip") for one in chips), class_="sl-chips")
    st.html(tag("div", drawn, tag("dl", *listed, class_="facts"), class_="sl sl-receipt"))


def mailed(found: ContactDetail, scope: Scope) -> None:
    """Every campaign that reached out to them."""
    sends = read("sends", scope, contact=found.id)
    table(
        [vars(one) | {"bounce_type": one.bounce_type and words.spelled(one.bounce_type)} for one in sends.rows],
        name="sends",
        title="What was sent to them",
        why=f"The first time of everything, the latest first. {LIVE}",
        columns=_SENDS,
        scope=scope,
        empty=("Nothing was sent to them yet.", "A campaign to one of their lists will stand here."),
        read=sends,
    )


def history(found: ContactDetail, scope: Scope) -> None:
    """Every single thing that happened, a page at a time, whatever period is chosen."""
    page = read("email_events", scope, after=place(scope, "history", found.id), limit=PAGE, contact=found.id)
    table(
        email_rows(page.rows),
        name="history",
        title="Everything that happened",
        why=f"Of all time, the newest first. {LIVE}",
        columns=_without_contact(EMAIL_COLUMNS),
        scope=scope,
        empty=("Nothing has happened yet.", "Events come from the e-mail provider."),
        read=page,
    )
    onward("contact", scope, page.next, "history", found.id, contact=found.id)


def _without_contact(columns: Columns) -> Columns:
    return {name: column for name, column in columns.items() if name != "email"}


def _status() -> str:
    options = [_ALL, *(words.spelled(one) for one in CONTACT_STATUSES)]
    broken = [f"status={given}" for given in st.query_params.get_all("status") if given not in options]
    if broken:
        say_broken(broken)
    return st.selectbox("Status", options, key="status", bind="query-params", width=180) or _ALL


def _other(status: str) -> str | None:
    return None if status == _ALL else status


def _name(one: ContactDetail | contacts.Contact) -> str | None:
    return " ".join(part for part in (one.first_name, one.last_name) if part) or None
