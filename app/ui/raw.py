"""Single events behind the figures, newest first: read from Postgres and paged by key."""

from collections.abc import Sequence
from typing import Any

import streamlit as st

from app.ui import words
from app.ui.live import read
from app.ui.notices import say_broken
from app.ui.onward import onward, place
from app.ui.rows import Column, Columns
from app.ui.scope import Scope
from app.ui.sifted import PAGE
from app.ui.tables import table
from db.tables.facts import EMAIL_EVENT_TYPES

EMAIL_COLUMNS: Columns = {
    "occurred_at": "When",
    "what": "What",
    "campaign": Column("Campaign", opens="campaign", key="campaign_id"),
    "email": Column("Contact", opens="contact", key="contact_id"),
    "link_url": "Link",
    "bounced": "Bounce",
    "device_type": "Device",
    "location": "Place",
    "provider": "Provider",
    "user_agent": "Read with",
}
_ALL = "All"
_FILTERS = ("workspace", "product", "channel", "domain")
_LIVE = "Read from the database a moment ago; the newest first."


def raw_emails(page: str, scope: Scope, **kept: object) -> None:
    """Events of the period as the page's filters choose them, of one kind or of all; `kept` stays in the address."""
    kind = _kind()
    found = read(
        "email_events",
        scope,
        after=place(scope, "emails", kind),
        limit=PAGE,
        **{name: scope.where.get(name) for name in _FILTERS},
        kind=None if kind == _ALL else kind.lower(),
        since=scope.since,
        until=scope.until,
    )
    table(
        email_rows(found.rows),
        name="raw-emails",
        title="Single events",
        why=_LIVE,
        columns=EMAIL_COLUMNS,
        scope=scope,
        empty=("No such event in this period.", "Choose another period or kind, or fewer filters."),
        read=found,
    )
    onward(page, scope, found.next, "emails", kind, **kept, event=None if kind == _ALL else kind)


def email_rows(events: Sequence[Any]) -> list[dict[str, Any]]:
    """Events as rows of a table: bounces with their class and reason, opens by machines told apart."""
    return [
        {
            **vars(one),
            "what": words.spelled(one.event_type) + (" by a machine" if one.is_machine_open else ""),
            "bounced": ", ".join(part for part in (one.bounce_type, one.bounce_reason) if part) or None,
        }
        for one in events
    ]


def _kind() -> str:
    options = [_ALL, *(words.spelled(one) for one in EMAIL_EVENT_TYPES)]
    broken = [f"event={given}" for given in st.query_params.get_all("event") if given not in options]
    if broken:
        say_broken(broken)
    return st.selectbox("Kind of event", options, key="event", bind="query-params", width=220) or _ALL
