"""Connections to platforms and to Meta: their state in words, what is wrong with them, and what was found in them."""

from collections.abc import Mapping, Sequence
from datetime import UTC, datetime
from typing import Any

import streamlit as st

from app.metrics.metric import Unit
from app.records.integrations import SOON_DAYS, Expiry, Integration
from app.ui import words
from app.ui.done import said
from app.ui.integration_acts import PLATFORMS, decide
from app.ui.links import address, anchor
from app.ui.live import read
from app.ui.markup import tag
from app.ui.onward import onward, place
from app.ui.rows import Column, Columns
from app.ui.scope import Scope
from app.ui.tables import table
from app.ui.views import one_of

STATES = {"connected": "Connected", "active": "Connected", "pending": "Not connected yet", "error": "Fails",
    "expired": "Expired", "disconnected": "Disconnected", "revoked": "Disconnected"}  # fmt: skip
_SYNCS = {"idle": "Waits", "syncing": "Runs", "error": "Failed", "completed": "Completed"}
_WHICH = (_ALL, _NEEDING) = ("All", "In need of care")
_ROWS = 50
_COLUMNS: Columns = {
    "workspace": "Workspace",
    "platform": "Platform",
    "account": "Account",
    "state": "State",
    "token": "Token",
    "last_sync_at": "Last sync",
    "sync": "Sync",
    "error": "Error",
    "customer": "Customer",
    "analyses": Column("Analyses"),
}


def integration_list(scope: Scope) -> None:
    """Of the workspaces that are chosen above; which ones and of which platform is in the address."""
    said()
    which = one_of("which", _WHICH, label="Which")
    platforms = {"All platforms": None, **{name: key for key, name in PLATFORMS.items()}}
    chosen = st.selectbox("Platform", list(platforms), key="platform", bind="query-params")
    platform = platforms.get(chosen or "")
    after = place(scope, "integrations", which, platform)
    slugs = [str(one) for one in scope.where.get("workspace", ())]
    found = read(
        "integrations", scope, after=after, limit=_ROWS, platform=platform, workspace=slugs,
        needing="yes" if which == _NEEDING else None,
    )  # fmt: skip
    rows: Sequence[Integration] = found.rows
    table(
        [_row(one) for one in rows],
        name="integrations",
        title="Connections",
        why=f"In need of care: those that fail or have expired, and tokens that end within {SOON_DAYS} days.",
        columns=_COLUMNS,
        scope=scope,
        empty=_empty(which),
        read=found,
    )
    onward(scope.page, scope, found.next, "integrations", which, platform, which=which, platform=chosen)
    decide(scope, rows)
    _say_who_syncs(scope)


def analysis_list(scope: Scope) -> None:
    """The newest first."""
    found = read("platform_analyses", scope, after=place(scope, "analyses"), limit=_ROWS)
    table(
        [vars(one) | {"platform": PLATFORMS[one.platform], "kind": words.spelled(one.kind)} for one in found.rows],
        name="analyses",
        title="Analyses",
        why="What models found in connected platforms; the findings themselves are read in the web builder.",
        columns={"created_at": "When", "workspace": "Workspace", "platform": "Platform", "kind": "Kind",
            "campaigns": Column("Campaigns"), "recommendations": Column("Recommendations"), "model": "Model",
            "cost": Column("AI cost", Unit.MONEY, currency="USD"), "seconds": Column("Seconds")},
        scope=scope,
        empty=("No platform was analysed.", "The web builder does so when a customer asks for it."),
        read=found,
    )  # fmt: skip
    onward(scope.page, scope, found.next, "analyses", show="Analyses")


def told_state(one: Integration) -> str:
    """In words: a colour alone says nothing to many."""
    state = STATES[one.state]
    if one.disabled_at:
        state = f"Disabled ({state.lower()})"
    return f"{state}, authorisation asked for" if one.reauthorization_asked_at else state


def told_token(one: Integration) -> str:
    """How long it opens still."""
    if one.expiry is Expiry.NONE or one.token_expires_at is None:
        return "no end" if one.platform != "meta" else words.NOTHING
    days = abs(one.token_expires_at - datetime.now(UTC)).days
    when = f"{words.counted(days, 'day')}" if days else "hours"
    if one.expiry is Expiry.OVER:
        return f"✗ expired {when} ago"
    return f"▲ expires in {when}" if one.expiry is Expiry.SOON else f"expires in {when}"


def _row(one: Integration) -> Mapping[str, Any]:
    return vars(one) | {
        "platform": PLATFORMS[one.platform],
        "state": told_state(one),
        "token": told_token(one),
        "sync": _SYNCS[one.sync_state] if one.sync_state else words.NOTHING,
    }


def _empty(which: str) -> tuple[str, str]:
    if which == _NEEDING:
        return "Nothing needs care.", "Connections that fail, or whose tokens end soon, are listed here."
    return "Nobody has connected a platform.", "Customers do so in the web builder and in the ads autopilot."


def _say_who_syncs(scope: Scope) -> None:
    """Nothing here promises a sync that Sightline does not make."""
    queued = anchor("Jobs", address("jobs", scope, show="All jobs", kind="sync_performance"))
    st.html(tag("p", "Sightline starts no sync of its own: the products do. What they queue is among the ", queued,
        ", where a failed one is run again.", class_="sl sl-small sl-muted"))  # fmt: skip
