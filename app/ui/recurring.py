"""Monthly recurring revenue: where it stood, what moved it, and where it stands."""

import streamlit as st

from app.ui.asking import ask
from app.ui.bridges import waterfall
from app.ui.charts import line
from app.ui.scope import Scope
from app.ui.tables import table

_MOVES = ("mrr_new", "mrr_reactivation", "mrr_expansion", "mrr_contraction", "mrr_churn")
_WHY = (
    "New is of customers who had none before, reactivation of those who came back. Each amount is converted at the"
    " rate of its day, so that what moved adds up to the change."
)


def recurring(scope: Scope) -> None:
    """The waterfall of the whole period, and its steps month by month and product by product."""
    once = scope.uncompared
    left, right = st.columns(2)
    with left:
        waterfall(
            ask(("mrr_at_start", *_MOVES, "mrr"), once),
            start="mrr_at_start",
            moves=_MOVES,
            end="mrr",
            title="What moved MRR",
            why=_WHY,
        )
    with right:
        line(ask("mrr", scope, grain=scope.grain), title="MRR", why="At the end of each stretch of time.")
    moved = (*_MOVES, "mrr")
    table(ask(moved, once, grain="month"), name="mrr-months", title="Movements by month")
    table(ask(moved, once, by="product", order="-mrr"), name="mrr-products", title="Movements by product")
