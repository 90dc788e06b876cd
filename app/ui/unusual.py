"""Days of AI cost that were not as usual, and who made them so."""

from collections.abc import Mapping, Sequence
from datetime import date, timedelta
from decimal import Decimal
from typing import Any

from app.metrics.dimensions import dimension
from app.metrics.metric import Unit
from app.money.anomalies import UNIT_WEIGHTS, Anomaly, DayOfUse, Driver, Use, anomalies
from app.ui import words
from app.ui.asking import Asked, Refused, ask
from app.ui.behind import behind
from app.ui.charts import chart
from app.ui.freshness import freshness
from app.ui.generated import SHOW
from app.ui.links import address
from app.ui.markup import Markup
from app.ui.periods import CUSTOM
from app.ui.rows import Column, Columns
from app.ui.scope import Scope
from app.ui.tables import table

_TITLE = "Unusual days"
_COST = "ai_cost_of_calls"
# Four weeks tell what is usual, and four more which of these were unusual themselves.
_DAYS_BEFORE = 56
# Whoever is below these has no day that shows in the company's.
_MOST_WORKSPACES = 100
_WHY = (
    "Each workspace's calls of a model are held against their share of the four weeks before, at their usual size and"
    " price. A day is listed when that is far off and a tenth of a usual day of everything, and when as much was not"
    " spent because calls failed."
)


def unusual_days(scope: Scope) -> None:
    """The newest first; a day leads to its calls."""
    answer = _use(scope)
    if isinstance(answer, Refused):
        chart(answer, lambda _: Markup(), title=_TITLE)
        return
    names = {row["workspace"]: words.name_of(dimension("workspace"), row) for row in answer.rows()}
    last = min(scope.until, freshness(scope.as_of).last_day)
    found = anomalies(_days_of(answer), scope.since, last)
    table(
        [row for one in reversed(found) for row in _rows(one, names, scope)],
        name="unusual-days",
        title=_TITLE,
        why=_WHY,
        columns=_columns(scope),
        scope=scope,
        empty=("No day was unusual.", "Days are judged once they are over and four weeks are known before them."),
        made_of=[answer],
    )
    behind(answer, "What unusual days were judged by", "Receipt of the use by which days were judged")


def _use(scope: Scope) -> Asked | Refused:
    days = scope.uncompared.over(scope.since - timedelta(days=_DAYS_BEFORE), scope.until)
    where: Mapping[str, Sequence[str]] | None = None
    if "workspace" not in scope.where:
        largest = ask(_COST, days, by="workspace", order=f"-{_COST}", limit=_MOST_WORKSPACES)
        if largest.keys_found > _MOST_WORKSPACES:
            where = {"workspace": [row["workspace"] for row in largest.rows()]}
    return ask(
        (_COST, "generations", "generations_failed", *UNIT_WEIGHTS),
        days,
        by=("workspace", "model"),
        grain="day",
        where=where,
    )


def _days_of(answer: Asked) -> list[DayOfUse]:
    """Corrections alone make no use of a day."""
    return [
        DayOfUse(
            row["day"],
            row["workspace"],
            row["model"],
            Use(row["generations"], _used(row), row[_COST], row["generations_failed"]),
        )
        for row in answer.rows()
        if row["generations"] and row["workspace"]
    ]


def _used(row: Mapping[str, Any]) -> Decimal:
    return sum((weight * Decimal(row[unit] or 0) for unit, weight in UNIT_WEIGHTS.items()), Decimal(0))


def _rows(one: Anomaly, names: Mapping[str, str], scope: Scope) -> list[dict[str, Any]]:
    return [
        {
            "day": one.day,
            "calls": _calls(one.day, driver, names, scope),
            "cost": one.cost,
            "expected": one.expected,
            "who": names[driver.workspace] if driver.workspace else "All workspaces",
            "model": driver.model,
            "cause": _told(driver),
            "difference": driver.difference,
            "by_volume": driver.by_volume,
            "by_size": driver.by_size,
            "by_price": driver.by_price,
            "by_failures": driver.by_failures,
        }
        for driver in one.drivers
    ]


def _told(driver: Driver) -> str:
    return f"{'More' if driver.by_cause > 0 else 'Less'}, by {driver.cause}"


def _calls(day: date, driver: Driver, names: Mapping[str, str], scope: Scope) -> str:
    """The attempts of the day, of the model, and of the workspace if it is one."""
    kept = [
        (name, value) for name, value in scope.query if name not in {"period", "days", "show", "model", "workspace"}
    ]
    own = [("workspace", names[driver.workspace])] if driver.workspace else []
    days = [("period", CUSTOM), ("days", day.isoformat()), ("days", day.isoformat())]
    return address(scope.page, scope.chosen((*kept, *days, *own, ("show", SHOW), ("model", driver.model))))


def _columns(scope: Scope) -> Columns:
    amounts = {
        "cost": "Day's cost",
        "expected": "Expected",
        "difference": "Difference",
        "by_failures": "By failures",
        "by_volume": "By number",
        "by_size": "By size",
        "by_price": "By price",
    }
    money = {name: Column(label, Unit.MONEY, currency=scope.currency) for name, label in amounts.items()}
    parts = ("difference", "by_failures", "by_volume", "by_size", "by_price")
    order = ("day", "who", "model", "cause", *parts, "cost", "expected")
    texts: dict[str, str | Column] = {
        "day": Column("Day", leads="calls"),
        "who": "Who",
        "model": "Model",
        "cause": "What changed",
    }
    return {name: money.get(name) or texts[name] for name in order}
