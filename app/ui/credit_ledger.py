"""One customer's credits: what they came from and went to, and every movement with the balance it left."""

from uuid import UUID

import streamlit as st

from app import serving
from app.access import Viewer
from app.metrics.metric import Unit
from app.records import ledgers
from app.records.ledgers import Account
from app.ui import words
from app.ui.cards import LIVE
from app.ui.live import read
from app.ui.onward import onward, place
from app.ui.rows import Column, Columns
from app.ui.scope import Scope
from app.ui.sifted import PAGE
from app.ui.tables import table

_ACCOUNT: Columns = {
    "workspace": "Workspace",
    "purchased": Column("Sold", Unit.CREDITS),
    "granted": Column("Granted", Unit.CREDITS),
    "promoted": Column("Promoted", Unit.CREDITS),
    "refunded": Column("Refunded", Unit.CREDITS),
    "used": Column("Used", Unit.CREDITS),
    "expired": Column("Expired", Unit.CREDITS),
    "taken_back": Column("Taken back", Unit.CREDITS),
    "owed": Column("Owed", Unit.CREDITS),
    "proven": "Adds up",
}
_MOVEMENTS: Columns = {
    "created_at": "When",
    "workspace": "Workspace",
    "type": "What",
    "amount": Column("Credits", Unit.CREDITS),
    "running": Column("Added up", Unit.CREDITS),
    "balance_after": Column("Balance kept", Unit.CREDITS),
    "description": "Description",
    "of": Column("For", opens="invoice", key="invoice_id"),
    "expires_at": "Expires",
}


def customer_here(viewer: Viewer) -> tuple[Account, ...]:
    """The credits of the person that the address names, as far as the viewer sees them."""
    try:
        key = UUID(st.query_params.get("user", ""))
    except ValueError:
        return ()
    return ledgers.accounts(serving.engines().ro, viewer, key)


def accounts(found: tuple[Account, ...], scope: Scope) -> None:
    """All movements added up by kind; what is owed must be what the last movement left."""
    page = read("credit_accounts", scope, user=found[0].user_id)
    table(
        [vars(one) | {"proven": one.owed == one.balance_after} for one in page.rows],
        name="accounts",
        title="Credits in all",
        why=f"Of all time. It adds up where all movements together are the balance that the last one left. {LIVE}",
        columns=_ACCOUNT,
        scope=scope,
        read=page,
    )


def movements(found: tuple[Account, ...], scope: Scope) -> None:
    """Every movement, a page at a time, whatever period is chosen."""
    user = found[0].user_id
    page = read("credit_movements", scope, user=user, after=place(scope, "ledger", user), limit=PAGE)
    table(
        [vars(one) | {"type": words.spelled(one.type), "of": _what_for(one.reference_type)} for one in page.rows],
        name="movements",
        title="Movements",
        why=f"The newest first, each added up from the first on, beside the balance that is kept with it. {LIVE}",
        columns=_MOVEMENTS,
        scope=scope,
        read=page,
    )
    onward("credit_ledger", scope, page.next, "ledger", user, user=user)


def _what_for(reference_type: str | None) -> str | None:
    return words.spelled(reference_type) if reference_type else None
