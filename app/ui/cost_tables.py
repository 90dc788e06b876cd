"""The tables of the page AI cost: its parts, its months, what was saved and lost, and what a conversion cost."""

from app.ui.asking import ask
from app.ui.scope import Scope
from app.ui.tables import table
from app.ui.views import one_of

# Filters of the page: these lead from a table to the attempts behind a row.
OWN = ("generation_type", "provider", "model")
_PAGE = "ai_cost"
_PER_PART = ("ai_cost", "unpriced_generations", "generations", "cost_per_generation", "cost_per_accepted", "ai_savings")
_SAVED = ("cache_rate", "cache_savings", "batch_savings", "ai_savings", "ai_savings_rate", "ai_cost_undiscounted")
_LOST = ("ai_failed_cost", "ai_failed_cost_share", "failure_rate", "ai_retry_cost", "ai_retry_cost_share", "retry_rate")
_CLOSED = ("ai_cost_of_calls", "ai_cost_corrections", "ai_cost", "unpriced_generations")
_PER_CONVERSION = ("ai_cost", "conversions", "cost_per_conversion")
_SPLITS = {
    "Model": "model",
    "Provider": "provider",
    "Product": "product",
    "Type": "generation_type",
    "Plan": "plan",
    "Workspace": "workspace",
    "User": "user",
    "Tier": "service_tier",
}


def parts(scope: Scope) -> None:
    """Split by whatever the reader chooses."""
    label = one_of("by", tuple(_SPLITS), label="Split by")
    split = _SPLITS[label]
    leads = _PAGE if split in {"product", "workspace", *OWN} else None
    table(ask(_PER_PART, scope, by=split, order="-ai_cost"), name="parts", title=f"By {label.lower()}", opens=leads,
        why="Corrections of closed months belong to no user, and to no tier.")  # fmt: skip


def months(scope: Scope) -> None:
    table(ask(_CLOSED, scope.uncompared, grain="month", order="-month"), name="by-month", title="Months",
        why="A closed month stays as it was; what was found out later stands beside it as a correction.")  # fmt: skip


def saved(scope: Scope) -> None:
    table(ask(_SAVED, scope.uncompared, by="model", order="-ai_savings"), name="savings", title="Saved", opens=_PAGE,
        why="Against the standard prices of the moment, without a cache. Writing into a cache costs, and is taken"
        " off.")  # fmt: skip


def lost(scope: Scope) -> None:
    table(ask(_LOST, scope.uncompared, by="model", order="-ai_failed_cost"), name="losses", opens=_PAGE,
        title="Failed and repeated attempts",
        why="What gave no result, and what had to be asked again, as parts of all cost.")  # fmt: skip


def per_conversion(scope: Scope) -> None:
    split = _SPLITS[one_of("of", ("Product", "Workspace", "Plan"), label="Split by")]
    table(ask(_PER_CONVERSION, scope.uncompared, by=split, order="-ai_cost"), name="conversions",
        title="Per conversion",
        why="The cost of everything that was generated, for each conversion of the campaigns.")  # fmt: skip
