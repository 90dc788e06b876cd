"""Credits of customers: where they stood, what came and went, and how many are owed."""

import streamlit as st

from app.ui.asking import ask
from app.ui.bridges import waterfall
from app.ui.charts import line
from app.ui.scope import Scope
from app.ui.tables import table

_CAME = ("credits_purchased", "credits_granted", "credits_promoted", "credits_refunded")
_WENT = ("credits_spent", "credits_expired", "credits_taken_back")
_MOVED = (*_CAME, *_WENT)


def credit_moves(scope: Scope) -> None:
    """The waterfall of the whole period, the balance over time, and the moves month by month."""
    once = scope.uncompared
    left, right = st.columns(2)
    with left:
        waterfall(
            ask(("credits_at_start", *_MOVED, "credits_balance"), once),
            start="credits_at_start",
            moves=(*_CAME, *(f"-{name}" for name in _WENT)),
            end="credits_balance",
            title="What moved credits",
            why="Sold, granted, promoted and refunded credits came; used, expired and taken back ones went.",
        )
    with right:
        line(
            ask("credits_balance", scope, grain=scope.grain),
            title="Credits owed",
            why="What customers have at the end of each stretch of time and can still use.",
        )
    table(ask((*_MOVED, "credits_balance"), once, grain="month"), name="credit-months", title="Credits by month")
