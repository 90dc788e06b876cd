"""Calls beside the price book: those without a price, and those of which the source said another cost than ours."""

from typing import Any

from app.metrics.metric import Unit
from app.records.prices import ReportedCall, ReportedModel, UnpricedModel
from app.ui import words
from app.ui.asking import ask
from app.ui.cards import LIVE
from app.ui.charts import bars
from app.ui.generated import SHOW
from app.ui.links import address, anchor
from app.ui.live import read
from app.ui.markup import Markup
from app.ui.price_list import chosen_models
from app.ui.rows import Column, Columns
from app.ui.scope import Scope
from app.ui.tables import table
from app.ui.unpriced import NOT_TRIED

_MOST_CALLS = 100
_UNPRICED: Columns = {
    "model": "Model",
    "service_tier": "Tier",
    "reason": "Why",
    "calls": Column("Calls", Unit.COUNT),
    "first_at": "First",
    "last_at": "Last",
}
_SAID = Column("Source said", Unit.MONEY, currency="USD")
_OURS = Column("We computed", Unit.MONEY, currency="USD")
_APART = Column("Difference", Unit.MONEY, currency="USD")
_SHARE = Column("Of what was said", Unit.PERCENT)
_MODELS: Columns = {
    "model": "Model",
    "calls": Column("Calls with a cost told", Unit.COUNT),
    "unpriced": Column("Without a price here", Unit.COUNT),
    "apart": Column("That differ", Unit.COUNT),
    "reported_cost": _SAID,
    "computed_cost": _OURS,
    "difference": _APART,
    "share": _SHARE,
}
_CALLS: Columns = {
    "occurred_at": "When",
    "model": "Model",
    "workspace": "Workspace",
    "reported_cost": _SAID,
    "computed_cost": _OURS,
    "difference": _APART,
    "share": _SHARE,
    "product": "Product",
    "service_tier": "Tier",
    "attempt": Column("Attempt", Unit.COUNT),
    "tokens_in": Column("Tokens in", Unit.TOKENS),
    "tokens_out": Column("Tokens out", Unit.TOKENS),
    "price_version": Column("Price version", Unit.COUNT),
}


def unpriced(scope: Scope) -> None:
    """How many calls have no price, over time, and of which models and why."""
    daily = ask("unpriced_generations", scope.uncompared, grain=scope.daily.grain)
    bars(daily, title="Calls without a price", why="Their cost is unknown, not zero.")
    found = read("unpriced_models", scope, **_chosen(scope))
    table(
        [_unpriced(one, scope) for one in found.rows],
        name="unpriced-models",
        title="Models without a price",
        why=f"A model opens its calls. {LIVE}",
        columns=_UNPRICED,
        scope=scope,
        empty=("Every call of this period has a price.", "Nothing is to be done."),
        read=found,
    )


def side_by_side(scope: Scope) -> None:
    """What sources said and what we computed, kept apart: by model, and call by call."""
    models = read("reported_models", scope, **_chosen(scope))
    table(
        [_model(one, scope) for one in models.rows],
        name="reported-models",
        title="Source and book by model",
        why=f"Sums are of calls that have both. The difference is ours less theirs. {LIVE}",
        columns=_MODELS,
        scope=scope,
        empty=("No source told a cost in this period.", "Gateways and some providers do, with the usage."),
        read=models,
    )
    calls = read("reported_calls", scope, limit=_MOST_CALLS, **_chosen(scope))
    table(
        [_call(one, scope) for one in calls.rows],
        name="reported-calls",
        title="Calls that differ, the greatest difference first",
        why=f"The first {_MOST_CALLS}; a download has the first thousand. {LIVE}",
        columns=_CALLS,
        scope=scope,
        empty=("Where sources told a cost, it is ours to the last digit.", "Nothing is to be done."),
        read=calls,
    )


def _chosen(scope: Scope) -> dict[str, Any]:
    chosen = {name: scope.where.get(name, ()) for name in ("workspace", "product")}
    return {**chosen_models(scope), **chosen, "since": scope.since, "until": scope.until}


def _opened(provider: str, model: str, scope: Scope) -> Markup:
    """The model's calls."""
    return anchor(f"{provider}/{model}", address("ai_usage", scope, show=SHOW, model=model))


def _unpriced(one: UnpricedModel, scope: Scope) -> dict[str, Any]:
    reason = one.reason or NOT_TRIED
    told = {"model": _opened(one.provider, one.model, scope), "service_tier": words.spelled(one.service_tier)}
    return vars(one) | told | {"reason": reason}


def _model(one: ReportedModel, scope: Scope) -> dict[str, Any]:
    share = one.difference / one.reported_cost if one.reported_cost else None
    return vars(one) | {"model": _opened(one.provider, one.model, scope), "share": share}


def _call(one: ReportedCall, scope: Scope) -> dict[str, Any]:
    share = one.difference / one.reported_cost if one.reported_cost else None
    told = {name: words.spelled(getattr(one, name)) for name in ("product", "service_tier")}
    return vars(one) | told | {"model": _opened(one.provider, one.model, scope), "share": share}
