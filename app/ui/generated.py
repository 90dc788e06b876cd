"""Single generations behind the figures: read from the database, a page at a time."""

from typing import Any

import streamlit as st

from app.access import Permission
from app.metrics.metric import Unit
from app.records.events import Generation
from app.ui import words
from app.ui.asking import ask
from app.ui.cards import LIVE
from app.ui.live import read
from app.ui.onward import onward, place
from app.ui.rows import Column, Columns
from app.ui.scope import Scope
from app.ui.tables import table
from app.ui.views import note_broken
from db.tables.ai import GENERATION_STATUSES

SHOW = "Raw generations"
_ROWS = 25
_ANY = "Any"
_COLUMNS: Columns = {
    "occurred_at": "When",
    "status": "Status",
    "error_code": "Error",
    "generation_type": "Type",
    "product": "Product",
    "model": "Model",
    "user_name": "User",
    "campaign": Column("Campaign", opens="campaign", key="campaign_id"),
    "seconds": Column("Seconds", Unit.NUMBER),
    "tokens_in": Column("Tokens in", Unit.TOKENS),
    "tokens_out": Column("Tokens out", Unit.TOKENS),
    "user_rating": Column("Rating", Unit.COUNT),
    "accepted": "Accepted",
    "error_message": "Message",
}


def raw_generations(scope: Scope) -> None:
    """As the page's filters choose them, the newest first; status and errors are in the address too."""
    options = [_ANY, *(status.capitalize() for status in GENERATION_STATUSES)]
    failed = ask("generations_failed", scope.uncompared, by="error_code", order="-generations_failed")
    codes = [row["error_code"] for row in failed.rows() if row["error_code"]]
    note_broken("status", options)
    note_broken("error_code", codes)
    with st.container(horizontal=True, vertical_alignment="bottom"):
        status = st.selectbox("Status", options, key="status", bind="query-params", width=180)
        chosen = st.multiselect("Error", codes, key="error_code", bind="query-params", placeholder="Any", width=320)
    listed = ("generations", status, *chosen)
    narrowed = {name: scope.where.get(name) for name in ("workspace", "channel", "product", "provider", "model")}
    page = read(
        "generations",
        scope,
        after=place(scope, *listed),
        limit=_ROWS,
        kind=scope.where.get("generation_type"),
        status=None if status == _ANY else status.lower(),
        error_code=chosen,
        since=scope.since,
        until=scope.until,
        **narrowed,
    )
    may_cost = scope.viewer.may(Permission.AI_COST_READ)
    columns = {**_COLUMNS, **({"cost_usd": Column("Cost", Unit.MONEY, currency="USD")} if may_cost else {})}
    table(
        [_row(one) for one in page.rows],
        name="generations",
        title="Raw generations, the newest first",
        why=f"Every attempt, with what was asked and what came of it. {LIVE}",
        columns=columns,
        scope=scope,
        empty=("No attempt is like this in these days.", "Choose another period, or fewer filters."),
        read=page,
    )
    kept = scope.chosen((*scope.query, ("show", SHOW), ("status", status), *(("error_code", one) for one in chosen)))
    onward(scope.page, kept, page.next, *listed)


def _row(one: Generation) -> dict[str, Any]:
    spelled = {name: words.spelled(getattr(one, name)) for name in ("status", "generation_type", "product")}
    seconds = None if one.generation_time_ms is None else one.generation_time_ms / 1000
    return vars(one) | spelled | {"seconds": seconds}
