"""The form for a price that no list has: it becomes a proposal, and waits like any other."""

from collections.abc import Callable
from datetime import UTC, date, datetime
from decimal import Decimal, InvalidOperation

import streamlit as st

from app import serving
from app.commands.prices import propose_by_hand
from app.commands.texts import one_line
from app.money.by_hand import LONGEST_NAME, Given, PriceError
from app.money.units import MILLION
from app.ui import words
from app.ui.choices import values_in
from app.ui.people import still_here
from app.ui.price_list import per_of
from app.ui.scope import Scope
from db.tables.ai import SERVICE_TIERS
from db.tables.products import AI_PROVIDERS, AI_UNITS

Do = Callable[[Callable[[], tuple[str, ...]]], None]
_PER = (MILLION, 1000, 1)
_MOST_TOKENS = 10**9


@st.dialog("A price by hand", width="medium", icon=":material/add:")
def add_by_hand(scope: Scope, do: Do) -> None:
    """Everything that a price says, and where it says so; the command looks at all of it again."""
    still_here(scope.viewer)
    with st.form("price", border=False):
        left, right = st.columns(2)
        provider = left.selectbox("Provider", AI_PROVIDERS, format_func=words.spelled)
        known = values_in(scope, "model")
        model = right.selectbox(
            "Model", known, index=None, accept_new_options=True, placeholder="As responses spell it"
        )
        unit = left.selectbox("Charged for", AI_UNITS, format_func=words.spelled)
        kind = right.text_input("Kind", max_chars=LONGEST_NAME, placeholder="Such as 1024x1024/hd", help=_KIND)
        dollars = left.text_input("Price in USD", placeholder="2.50")
        per = right.selectbox("For", _PER, format_func=per_of)
        tier = left.selectbox("Tier", SERVICE_TIERS, format_func=words.spelled)
        context = right.number_input("From so many tokens read", 0, _MOST_TOKENS, 0, 1000, help=_CONTEXT)
        since = left.date_input("Valid from", datetime.now(UTC).date(), format="YYYY-MM-DD", help="Midnight, UTC.")
        until = right.date_input(
            "Until, without", None, format="YYYY-MM-DD", help="Empty: until another price follows."
        )
        reference = st.text_input("Where it says so", max_chars=500, placeholder="https://…, or who told you")
        if not st.form_submit_button("Propose it", type="primary"):
            return
    given = (provider, model, unit, kind, dollars, per, tier, context, since, until, reference)
    do(lambda: _propose(scope, *given))


_KIND = "Of images, seconds and tool calls alone; empty: of any kind."
_CONTEXT = "Lists that say “above 200,000” begin at 200,001. A call that reaches it pays this for all of its tokens."


def _propose(  # noqa: PLR0917 - the fields of the form, in its order
    scope: Scope,
    provider: str,
    model: str | None,
    unit: str,
    kind: str,
    dollars: str,
    per: int,
    tier: str,
    context: int,
    since: date | None,
    until: date | None,
    reference: str,
) -> tuple[str, ...]:
    if since is None:
        raise PriceError("A price is valid from some day on.", fix="Choose the first one.")
    given = Given(
        provider=provider,
        model=(model or "").strip(),
        unit=unit,
        variant=kind.strip(),
        price=_amount(dollars),
        per=per,
        service_tier=tier,
        context_from=context,
        valid_from=since,
        valid_to=until,
        reference=one_line(reference),
    )
    propose_by_hand(serving.engines().rw, scope.viewer, given)
    return (f"The price of {given.provider}/{given.model} waits for approval.",)


def _amount(told: str) -> Decimal:
    try:
        return Decimal(told.strip())
    except InvalidOperation:
        raise PriceError(f"“{told.strip()}” is no price.", fix="Give dollars, such as 2.50.") from None
