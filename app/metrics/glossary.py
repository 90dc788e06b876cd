"""All metrics by name: what pages, the API, exports and the command line call them."""

from collections.abc import Mapping
from functools import cache
from types import MappingProxyType

from app.metrics import ads, ai, audience, email, money, usage, web
from app.metrics.errors import UnknownMetricError, did_you_mean
from app.metrics.metric import Metric

SUBJECTS = MappingProxyType(
    {
        "E-mail": email.METRICS,
        "Audience": audience.METRICS,
        "Web": web.METRICS,
        "Ads": ads.METRICS,
        "AI": ai.METRICS,
        "Money": money.METRICS,
        "Usage": usage.METRICS,
    }
)


@cache
def metrics() -> Mapping[str, Metric]:
    """Every metric under its own name."""
    return {metric.name: metric for listed in SUBJECTS.values() for metric in listed}


@cache
def _names() -> Mapping[str, Metric]:
    named = {alias: metric for metric in metrics().values() for alias in metric.aliases}
    return {**named, **metrics()}


def metric(name: str) -> Metric:
    """A metric by its name or one of its aliases."""
    found = _names().get(name)
    if found is None:
        raise UnknownMetricError(
            f"No metric is named '{name}'.",
            why="Only metrics of the glossary can be asked for.",
            fix=did_you_mean(name, _names(), "`sightline metrics` lists them all."),
        )
    return found
