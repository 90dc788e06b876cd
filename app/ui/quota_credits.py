"""Credits of the people of a workspace: what they have, and dialogs that grant some and take some back."""

from collections.abc import Sequence
from datetime import UTC, datetime, time, timedelta

import streamlit as st

from app import serving
from app.access import Permission
from app.commands import quotas
from app.commands.quotas import LONGEST_REASON, MOST_CREDITS
from app.metrics.metric import Unit
from app.records.quotas import CreditHolder
from app.ui import words
from app.ui.cards import LIVE
from app.ui.done import Undo, attempt, said
from app.ui.links import address
from app.ui.live import read
from app.ui.markup import tag
from app.ui.people import still_here
from app.ui.quota_exceptions import TAKEN_BACK, whole_number
from app.ui.quota_limits import workspace_here
from app.ui.rows import Column, Columns
from app.ui.scope import Scope
from app.ui.tables import table

_COLUMNS: Columns = {
    "email": Column("Customer", leads="ledger"),
    "name": "Name",
    "role": "Role",
    "balance": Column("Credits", Unit.CREDITS),
    "last_moved_at": "Last moved",
}
_USUAL_DAYS, _LONGEST_DAYS = 90, 365


def credits_of_people(scope: Scope) -> None:
    """A name opens the ledger, which proves the balance movement by movement."""
    said()
    chosen = workspace_here(scope)
    if chosen is None:
        return
    label, slug = chosen
    found = read("credit_holders", scope, workspace=slug)
    if scope.viewer.may(Permission.QUOTAS_MANAGE) and found.rows:
        _act(scope, found.rows)
    may_open = scope.viewer.may(Permission.MONEY_READ)
    table(
        [
            vars(one)
            | {
                "role": words.spelled(one.role),
                "ledger": address("credit_ledger", scope, user=one.user_id) if may_open and one.last_moved_at else None,
            }
            for one in found.rows
        ],
        name="credits",
        title=f"Credits in {label}",
        why="Of all workspaces of a customer together; a name opens the ledger, where there is a movement in this one."
        f" {LIVE}",
        columns=_COLUMNS,
        scope=scope,
        empty=("Nobody is in this workspace.", "Its members stand here, with their credits."),
        read=found,
    )


def _act(scope: Scope, people: Sequence[CreditHolder]) -> None:
    with st.container(horizontal=True, vertical_alignment="bottom"):
        named = {one.email: one for one in people}
        chosen = named.get(st.selectbox("Customer", list(named), key="credits-of", width=320))
        if chosen and st.button("Grant credits", icon=":material/add:"):
            _grant(scope, chosen)
        if chosen and st.button("Take back", icon=":material/remove:"):
            _take_back(scope, chosen)


@st.dialog("Grant credits", icon=":material/add:")
def _grant(scope: Scope, one: CreditHolder) -> None:
    """Until a day, after which what is left of them goes."""
    still_here(scope.viewer)
    st.html(tag("p", f"{one.email} in {one.workspace} has {one.balance:,} credits.", class_="sl"))
    with st.form("grant-credits", border=False):
        amount = st.text_input("How many", placeholder="100", help=f"At most {MOST_CREDITS:,}.")
        ends = st.date_input("What is left of them goes when this day begins (UTC)",
            datetime.now(UTC).date() + timedelta(days=_USUAL_DAYS))  # fmt: skip
        reason = st.text_input("Why?", max_chars=LONGEST_REASON, help="The ledger and the audit log keep it.")
        if not st.form_submit_button("Grant them", type="primary"):
            return

    def grant() -> int:
        number = whole_number(amount)
        quotas.grant_credits(
            serving.engines().rw, scope.viewer, workspace_slug=one.slug, user_email=one.email, amount=number,
            reason=reason, ends_at=datetime.combine(ends, time(), UTC),
        )  # fmt: skip
        return number

    def take_back(number: int) -> None:
        quotas.take_back_credits(
            serving.engines().rw, scope.viewer, workspace_slug=one.slug, user_email=one.email, amount=number,
            reason=TAKEN_BACK,
        )  # fmt: skip

    attempt(grant, f"{one.email} has more credits.", undo=Undo(take_back, "The credits were taken back."))


@st.dialog("Take credits back", icon=":material/remove:")
def _take_back(scope: Scope, one: CreditHolder) -> None:
    """At most what the customer has."""
    still_here(scope.viewer)
    st.html(tag("p", f"{one.email} in {one.workspace} has {one.balance:,} credits.", class_="sl"))
    with st.form("take-credits", border=False):
        amount = st.text_input("How many", placeholder="100", help=f"At most {one.balance:,}.")
        reason = st.text_input("Why?", max_chars=LONGEST_REASON, help="The ledger and the audit log keep it.")
        if not st.form_submit_button("Take them back", type="primary"):
            return

    def take() -> int:
        number = whole_number(amount)
        quotas.take_back_credits(
            serving.engines().rw, scope.viewer, workspace_slug=one.slug, user_email=one.email, amount=number,
            reason=reason,
        )  # fmt: skip
        return number

    def give_again(number: int) -> None:
        quotas.grant_credits(
            serving.engines().rw, scope.viewer, workspace_slug=one.slug, user_email=one.email, amount=number,
            reason=TAKEN_BACK, ends_at=datetime.now(UTC) + timedelta(days=_LONGEST_DAYS),
        )  # fmt: skip

    again = "The credits were granted again, for a year."
    attempt(take, f"{one.email} has fewer credits.", undo=Undo(give_again, again))
