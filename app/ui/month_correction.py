"""The form that corrects a closed month: an amount beside its calls, of one model in one product of a workspace."""

from decimal import Decimal

import streamlit as st

from app import serving
from app.commands.closes import correct_month
from app.ui import words
from app.ui.bill_choice import BillChoice
from app.ui.choices import values_in, workspaces_of
from app.ui.done import attempt
from app.ui.markup import tag
from app.ui.people import still_here
from app.ui.typed import dollars_typed
from db.errors import SightlineError
from db.tables.ai import GENERATION_TYPES
from db.tables.products import AI_PROVIDERS, PRODUCTS

# Those by price are made by approvals alone.
_KINDS = ("late_usage", "other")


@st.dialog("Correct the month", width="medium", icon=":material/edit_note:")
def correct(choice: BillChoice) -> None:
    """Whatever a correction says; the command looks at all of it again."""
    still_here(choice.scope.viewer)
    told = (
        f"The calls of {choice.month:%B %Y} stay as they are. The amount stands beside them as a correction with your"
        " name, in every figure and report of the month. It is taken back by another correction alone."
    )
    st.html(tag("div", tag("b", "What will happen"), told, class_="sl sl-refused"))
    own = workspaces_of(choice.scope.viewer)
    left, right = st.columns(2)
    workspace = left.selectbox("Workspace", list(own), index=None)
    product = right.selectbox("Product", PRODUCTS, format_func=words.spelled)
    provider = left.selectbox(
        "Provider", AI_PROVIDERS, index=AI_PROVIDERS.index(choice.provider), format_func=words.spelled
    )
    model = right.selectbox(
        "Model", values_in(choice.scope, "model"), index=None, accept_new_options=True, placeholder="As calls name it"
    )
    made = left.selectbox("What was made", GENERATION_TYPES, format_func=words.spelled)
    kind = right.selectbox("Kind", _KINDS, format_func=words.spelled)
    amount = left.text_input("Amount, USD", placeholder="12.50", help="Below zero: the month cost less.")
    reason = right.text_input("Why?", max_chars=300)
    if st.button("Correct it", type="primary"):
        attempt(
            lambda: correct_month(
                serving.engines().rw, choice.scope.viewer, choice.month, workspace_slug=own[_chosen(workspace)],
                kind=kind, product=product, provider=provider, model=(model or "").strip(), generation_type=made,
                amount=_amount(amount, model), reason=reason,
            ),
            f"{choice.month:%B %Y} is corrected.",
        )  # fmt: skip


def _chosen(workspace: str | None) -> str:
    if workspace is None:
        raise SightlineError("A correction is of one workspace.", fix="Choose it.")
    return workspace


def _amount(told: str, model: str | None) -> Decimal:
    if not (model or "").strip():
        raise SightlineError("A correction is of one model.", fix="Choose it, or write its name.")
    return dollars_typed(told)
