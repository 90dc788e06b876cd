"""This month of AI cost: to date, expected at its end within bounds, against its budget; and how good that is."""

from collections.abc import Iterator, Mapping
from datetime import date, timedelta
from decimal import Decimal
from itertools import accumulate
from zoneinfo import ZoneInfo

from app import serving
from app.metrics.metric import Unit
from app.money.forecast import BackTest, Forecast, back_test, following_month, forecast, run_rate
from app.records.month_budget import MonthBudget, month_budget
from app.ui import plots, words
from app.ui.asking import Asked, Refused, ask
from app.ui.behind import behind
from app.ui.bridges import Expected, band
from app.ui.cards import card
from app.ui.charts import chart
from app.ui.empty import empty_card
from app.ui.field import Field, Limit, draw_field
from app.ui.freshness import freshness
from app.ui.markup import Markup, joined, tag
from app.ui.rows import Column
from app.ui.scales import scale_for
from app.ui.scope import Scope
from app.ui.series import OverTime, Series
from app.ui.tables import table

_TITLE = "This month"
_FIGURE = "ai_cost_of_calls"
_DAYS_READ = 400
_WHY = "Whatever period is chosen above: the month to date, and its end by weekday and trend."
_TOO_SHORT = (
    "There is no forecast yet.",
    "It needs six weeks of cost to know weekdays and how far off it may be.",
)
# Of these, a budget may cover a single one.
_BUDGETED = ("product", "provider", "workspace", "generation_type")


def month_end(scope: Scope) -> None:
    """The card at the top of the page."""
    answer = _history(scope)
    budget = _budget(scope)

    def draw(asked: Asked) -> Markup:
        return _drawn(asked, budget)

    chart(answer, draw, title=_TITLE, why=_WHY, how=("month end", budget))


def forecasts_tried(scope: Scope) -> None:
    """Every forecast of the past months beside what came, and beside the plain rate."""
    answer = _history(scope)
    if isinstance(answer, Refused):
        chart(answer, lambda _: Markup(), title="Forecasts of past months")
        return
    found = back_test(_by_day(answer), _today(answer))
    if found is None:
        card("Forecasts of past months", empty_card(*_TOO_SHORT))
        return
    amounts = {"forecast": "Forecast", "run_rate": "Plain rate", "actual": "It came to"}
    table(
        [vars(one) | {"error": one.error, "run_rate_error": one.run_rate_error} for one in reversed(found.tries)],
        name="forecasts",
        title="Forecasts of past months",
        why=_how_good(found),
        columns={
            "asked_on": "Asked on",
            **{name: Column(label, Unit.MONEY, currency=scope.currency) for name, label in amounts.items()},
            "error": Column("Forecast was off", Unit.PERCENT),
            "run_rate_error": Column("Plain rate was off", Unit.PERCENT),
        },
        scope=scope,
        made_of=[answer],
    )
    behind(answer, "What forecasts were made of", "Receipt of the cost that was known")


def _history(scope: Scope) -> Asked | Refused:
    """Without corrections of closed months: they stand on single days, and are none of what these cost."""
    today = freshness(scope.as_of).last_day
    days = scope.uncompared.over(today - timedelta(days=_DAYS_READ), today + timedelta(days=1))
    return ask(_FIGURE, days, grain="day")


def _today(asked: Asked) -> date:
    """The first day that is not over."""
    return asked.receipt.data_through.astimezone(ZoneInfo(asked.receipt.zone)).date()


def _by_day(asked: Asked) -> dict[date, Decimal]:
    return {row["day"]: row[_FIGURE] for row in asked.rows() if row[_FIGURE] is not None}


def _budget(scope: Scope) -> MonthBudget | None:
    """Of all, or of the one thing that the filters leave; in another currency than that of reports it is no measure."""
    chosen = [(name, values) for name, values in scope.where.items() if values]
    if len(chosen) > 1 or any(name not in _BUDGETED or len(values) > 1 for name, values in chosen):
        return None
    scoped = [(name, str(values[0])) for name, values in chosen] or [("company", "")]
    found = month_budget(serving.engines().ro, scope.viewer, *scoped[0])
    return found if found and found.currency == scope.currency else None


def _drawn(asked: Asked, budget: MonthBudget | None) -> Markup:
    daily, today = _by_day(asked), _today(asked)
    since, until = today.replace(day=1), following_month(today)
    running = daily.pop(today, Decimal(0))
    found = forecast(daily, since, until, today, spent_today=running)
    if found is None:
        return empty_card(*_TOO_SHORT)
    currency = asked.receipt.currency or ""
    plain = run_rate(daily, since, until, today)
    listed = [
        cell
        for name, told, figure in _facts(found, plain, budget, currency)
        for cell in (
            tag("dt", name),
            tag("dd", told, data_figure=name, data_value="" if figure is None else str(figure)),
        )
    ]
    tried = back_test(daily, today)
    return joined(
        (
            tag("div", tag("dl", *listed, class_="facts sl-small"), class_="sl-receipt"),
            _course(found, daily, budget, asked),
            tag("p", _how_good(tried), class_="why") if tried else "",
        )
    )


def _facts(
    found: Forecast, plain: Decimal | None, budget: MonthBudget | None, currency: str
) -> Iterator[tuple[str, str, Decimal | None]]:
    yield "Month to date", words.money(found.spent, currency), found.spent
    yield "Expected at its end", words.money(found.expected, currency), found.expected
    low, high = words.money(found.low, ""), words.money(found.high, currency)
    yield "In four of five cases", f"{low} to {high}", found.high - found.low
    if plain is not None:
        yield "At the plain rate so far", words.money(plain, currency), plain
    if budget is None:
        yield "Budget", "none of exactly this", None
        return
    share = words.figure(found.expected / budget.amount, Unit.PERCENT)
    yield f"Budget “{budget.name}”", f"{words.money(budget.amount, currency)}; expected: {share} of it", budget.amount
    yield "Passes it", _passing(found, budget), None


def _passing(found: Forecast, budget: MonthBudget) -> str:
    if found.spent > budget.amount:
        return "it has already"
    day = found.exceeds_on(budget.amount)
    if day:
        return f"about {words.day(day)}"
    return "perhaps: the upper bound is above it" if found.high > budget.amount else "not this month, as it looks"


def _course(found: Forecast, daily: Mapping[date, Decimal], budget: MonthBudget | None, asked: Asked) -> Markup:
    """The sum of the month, day by day: what is known, and what is to come within its bounds."""
    gone = [found.since + timedelta(days=place) for place in range((found.today - found.since).days)]
    known = [float(total) for total in accumulate(daily.get(day, Decimal(0)) for day in gone)]
    coming = [Expected(one.day, float(one.total), float(one.low), float(one.high)) for one in found.days]
    # The line to come begins where the known one ends.
    joint = (*(None,) * (len(known) - 1), *known[-1:])
    shown = OverTime(
        "day",
        (*gone, *(one.day for one in coming)),
        (
            Series("so far", Unit.MONEY, (*known, *(None,) * len(coming))),
            Series("expected", Unit.MONEY, (*joint, *(one.value for one in coming)), is_before=True),
        ),
        None,
    )
    limits = [Limit(float(budget.amount), "budget")] if budget else []
    scale = scale_for([*known, *(one.high for one in coming), *(limit.value for limit in limits)])
    label = plots.described(shown, "AI cost of this month, summed up")
    field = Field(shown=shown, scale=scale, label=label, limits=limits)
    drawn = [band(len(known), coming, len(shown.points), scale), *plots.line_paths(shown, scale)]
    told = tag("div", asked.receipt.currency or "", class_="sl-small sl-muted")
    return joined((plots.legend(shown), told, draw_field(field, drawn)))


def _how_good(found: BackTest) -> str:
    off, plain = (words.figure(one, Unit.PERCENT) for one in (found.error, found.run_rate_error))
    asked = f"Asked on six days of each of the last {words.counted(found.months, 'month')}"
    return f"{asked}, this forecast was off by {off} on average; the plain rate of the days so far by {plain}."
