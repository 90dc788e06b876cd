"""Who has a version, and moving them to another one: seen first, then done to exactly those."""

import streamlit as st

from app import serving
from app.commands import plan_moves
from app.commands.plan_moves import AT_ONCE, AT_PERIOD_END, WHEN, Moved, Offer
from app.metrics.metric import Unit
from app.records.plans import PlanDetail, PlanMove, PlanNow
from app.records.plans import plans as all_plans
from app.ui import words
from app.ui.cards import LIVE
from app.ui.done import Undo, attempt
from app.ui.failure import say_refused
from app.ui.live import read
from app.ui.markup import Markup, tag
from app.ui.people import still_here
from app.ui.plan_list import may_change
from app.ui.plan_words import price_told
from app.ui.rows import Column
from app.ui.scope import Scope
from app.ui.tables import table
from db.errors import SightlineError

_WHEN = {AT_PERIOD_END: "When the period that each has paid for ends", AT_ONCE: "At once"}


def subscribers(found: PlanDetail, scope: Scope) -> None:
    """Those of the workspaces that the viewer sees, and how some were moved."""
    if may_change(scope) and found.now.status in {"published", "retired"} and found.now.subscribers:
        _offer_move(found, scope)
    _table(found, scope)
    _moves(found, scope)


def _table(found: PlanDetail, scope: Scope) -> None:
    listed = read("plan_subscribers", scope, plan=found.now.id)
    table(
        [
            vars(one)
            | {
                "status": words.spelled(one.status),
                "moves": f"{one.moves_to} on {words.day(one.moves_on)}" if one.moves_on else None,
            }
            for one in listed.rows
        ],
        name="plan-subscribers",
        title="Subscribers",
        why=f"Of the workspaces that you see. They keep this version until they are moved. {LIVE}",
        columns={
            "workspace": "Workspace",
            "status": "Status",
            "price": Column("Pays", is_exact=True),
            "currency": "Currency",
            "started_at": "Since",
            "period_ends_on": "Period ends",
            "moves": "Moves to",
        },
        scope=scope,
        empty=("Nobody has this version.", "Whoever subscribes to it, or is moved to it, stands here."),
        read=listed,
    )


def _offer_move(found: PlanDetail, scope: Scope) -> None:
    targets = {one.titled: one for one in _targets(found, scope)}
    if not targets:
        told = "There is no other live version of this product, currency and period to move them to."
        st.html(tag("p", told, class_="sl sl-small sl-muted"))
        return
    with st.container(horizontal=True, vertical_alignment="bottom"):
        chosen = st.selectbox("Move them to", list(targets), key="plan-move-to", width=320)
        if st.button("See whom that touches …", icon=":material/move_down:"):
            target = targets[chosen]
            try:
                offer = plan_moves.whom_it_touches(serving.engines().rw, scope.viewer, found.now.id, target.id)
            except SightlineError as refusal:
                say_refused(refusal)
                return
            _move(scope, found, target, offer)


def _targets(found: PlanDetail, scope: Scope) -> list[PlanNow]:
    """Those that are paid alike; of the same tier first."""
    here = found.now
    alike = [
        one
        for one in all_plans(serving.engines().ro, scope.viewer)
        if one.status == "published"
        and one.id != here.id
        and (one.product, one.currency, one.billing_period) == (here.product, here.currency, here.billing_period)
    ]
    return sorted(alike, key=lambda one: one.tier != here.tier)


@st.dialog("Move subscribers", width="large", icon=":material/move_down:")
def _move(scope: Scope, found: PlanDetail, target: PlanNow, offer: Offer) -> None:
    """What is moved is what stands here: a list that changed since is refused."""
    still_here(scope.viewer)
    if not offer.touched:
        st.html(tag("p", "Nobody is left to move: all of them wait for their move already.", class_="sl"))
        return
    told = (
        f"{words.counted(len(offer.touched), 'subscription')} would move from {offer.from_plan} to {offer.to_plan},"
        f" and pay {price_told(target)}. Credits that were given for the running period stay."
    )
    st.html(tag("p", told, class_="sl"))
    st.html(_touched(offer))
    when = st.radio("When", WHEN, format_func=lambda one: _WHEN[one])
    reason = st.text_input("Why?", max_chars=300, help="The audit log keeps it.")
    engine, viewer = serving.engines().rw, scope.viewer

    def take_back(done: Moved) -> None:
        plan_moves.undo_move(engine, viewer, done.batch, reason="Taken back.")

    if st.button(f"Move these {len(offer.touched):,}", type="primary"):
        attempt(
            lambda: plan_moves.move_subscriptions(
                engine, viewer, found.now.id, target.id, seen=offer.seen, when=when, reason=reason
            ),
            "They were moved." if when == AT_ONCE else "They move when their period ends.",
            undo=Undo(take_back, "They have the plan that they had."),
        )


def _touched(offer: Offer) -> Markup:
    heads = ("Workspace", "Pays", "Would pay", "Period ends", "Limits below what is used")
    rows = [
        tag("tr", tag("th", one.workspace, scope="row"),
            tag("td", words.money(one.price_before, one.currency), class_="number"),
            tag("td", words.money(one.price_after, one.currency), class_="number"),
            tag("td", words.day(one.period_ends_on)),
            tag("td", "; ".join(f"{words.spelled(limit.meter)}: {limit.used:,} used of {limit.limit:,}"
                for limit in one.shrunk) or words.NOTHING))
        for one in offer.touched
    ]  # fmt: skip
    figures = {"Pays", "Would pay"}
    head = tag("tr", *(tag("th", one, scope="col", class_="number" if one in figures else None) for one in heads))
    drawn = tag("table", tag("thead", head), tag("tbody", *rows), class_="sl-table")
    return tag("div", drawn, class_="sl sl-scroll", tabindex=0, role="region", aria_label="Whom it touches",
        style="max-height:18rem;overflow:auto")  # fmt: skip


def _moves(found: PlanDetail, scope: Scope) -> None:
    listed = read("plan_moves", scope, plan=found.now.id)
    if not listed.rows:
        return
    table(
        [vars(one) for one in listed.rows],
        name="plan-moves",
        title="Moves",
        why="To this version and away from it, as far as you see the workspaces.",
        columns={
            "asked_at": "Asked",
            "from_plan": "From",
            "to_plan": "To",
            "last_due_on": "Until",
            "waiting": Column("Waiting", Unit.COUNT),
            "moved": Column("Moved", Unit.COUNT),
            "stayed": Column("Stayed", Unit.COUNT),
            "asked_name": "By",
            "reason": "Why",
        },
        scope=scope,
        read=listed,
    )
    undone = [one for one in listed.rows if one.waiting or one.moved]
    if undone and may_change(scope):
        with st.container(horizontal=True):
            for one in undone[:5]:
                if st.button(f"Undo the move of {words.moment(one.asked_at)} …", key=f"undo-{one.batch_id}"):
                    _undo(scope, one)


@st.dialog("Undo a move", icon=":material/undo:")
def _undo(scope: Scope, one: PlanMove) -> None:
    """It says what can't be undone."""
    still_here(scope.viewer)
    told = (
        f"{words.counted(one.waiting, 'subscription')} that wait stay with {one.from_plan}, and {one.moved:,} that were"
        " moved go back to it at the price they had. Whoever changed plan or price since stays as they are."
    )
    st.html(tag("p", told, class_="sl"))
    reason = st.text_input("Why?", max_chars=300, help="The audit log keeps it.")
    if st.button("Undo it", type="primary"):
        attempt(
            lambda: plan_moves.undo_move(serving.engines().rw, scope.viewer, one.batch_id, reason=reason),
            "They have the plan that they had.",
        )
