"""A budget as a bar: spent, held and expected against its amount, with its thresholds, and what that means in words."""

from datetime import timedelta
from decimal import Decimal

from app.metrics.metric import Unit
from app.money.budgets import FULL, share
from app.records.budgets import BudgetNow
from app.ui import words
from app.ui.markup import Markup, joined, tag

_PERIODS = {"day": "today", "month": "this month", "year": "this year", "lifetime": "in all"}
_OF = {"company": "Everything", "generation_type": "Type", "product": "Product", "provider": "Provider"}
_NEAR = Decimal("0.8")


def covered(one: BudgetNow) -> str:
    """Of what it is a budget, as people say it."""
    if one.scope == "user":
        return f"{one.customer} in {one.workspace}"
    if one.scope == "workspace":
        return one.workspace or words.NOTHING
    return f"{_OF[one.scope]} {words.spelled(one.scope_value)}" if one.scope_value else _OF[one.scope]


def drawn(one: BudgetNow) -> Markup:
    """The bar and the lines below it. Everything that a colour says is said in words as well."""
    whole = max(one.amount, one.spent + one.held, one.forecast or Decimal(0))
    is_over = one.spent >= one.amount
    parts = [_part(Decimal(0), one.spent, whole)]
    if one.held:
        parts.append(_part(one.spent, one.held, whole, "opacity:.45"))
    if one.forecast is not None and one.forecast > one.spent:
        parts.append(_part(one.spent, one.forecast - one.spent, whole, "opacity:.22"))
    marks = [
        _mark(one.amount * threshold / FULL, whole, is_faint=threshold != FULL)
        for threshold in sorted({*one.thresholds, FULL})
        if one.amount * threshold / FULL <= whole
    ]
    colour = "sl-bad" if is_over else "sl-c0"
    bar = tag("div", tag("div", *parts, *marks, class_=f"bar {colour}", role="img", aria_label=told(one)),
        class_="sl-rows", style="grid-template-columns:1fr;margin:.35rem 0")  # fmt: skip
    return joined((bar, tag("div", *_lines(one), class_="sl-small")))


def told(one: BudgetNow) -> str:
    """The figures in a sentence."""
    spent = words.money(one.spent, "")
    of = f"{spent} of {words.money(one.amount, one.currency)} {_PERIODS[one.period]}"
    return f"{of}, {words.figure(float(share(one.spent, one.amount)), Unit.PERCENT)}"


def _lines(one: BudgetNow) -> list[Markup]:
    lines = [tag("div", tag("b", told(one)), class_="sl-bad" if one.spent >= one.amount else None)]
    more = [*_expected(one), *_beside(one)]
    if more:
        lines.append(tag("div", " · ".join(more)))
    lines.append(tag("div", " · ".join(_terms(one)), class_="sl-muted"))
    if one.error:
        lines.append(tag("div", f"Could not be checked: {one.error}", class_="sl-bad"))
    return lines


def _expected(one: BudgetNow) -> list[str]:
    if one.forecast is None or one.forecast_low is None or one.forecast_high is None:
        return []
    bounds = f"{words.money(one.forecast_low, '')} to {words.money(one.forecast_high, '')}"
    verdict = " – above the budget" if one.forecast > one.amount else ""
    return [f"Expected at the end: {words.money(one.forecast, '')} ({bounds}){verdict}"]


def _beside(one: BudgetNow) -> list[str]:
    told_beside = []
    if one.held:
        told_beside.append(f"{words.money(one.held, '')} held for calls that run")
    if one.refused:
        told_beside.append(f"{words.counted(one.refused, 'call')} refused")
    if one.unpriced:
        told_beside.append(f"{words.counted(one.unpriced, 'call')} without a price, not counted")
    return told_beside


def _terms(one: BudgetNow) -> list[str]:
    until = f"until {words.day(one.next_day - timedelta(days=1))}" if one.next_day else "without an end"
    alerts = ", ".join(f"{threshold} %" for threshold in one.thresholds)
    return [
        f"{covered(one)}, {until}, days in {one.timezone}",
        f"alerts at {alerts}" if alerts else "no alerts",
        "calls are refused at 100 %" if one.at_limit == "block" else "nothing is refused at 100 %",
        *(["warns of the forecast"] if one.warns_of_forecast and one.period in {"month", "year"} else []),
    ]


def _part(start: Decimal, length: Decimal, whole: Decimal, style: str = "") -> Markup:
    return tag("i", style=f"left:{start / whole * 100:.2f}%;width:{length / whole * 100:.2f}%;{style}")


def _mark(at: Decimal, whole: Decimal, *, is_faint: bool) -> Markup:
    return tag("u", style=f"left:calc({at / whole * 100:.2f}% - 2px);{'opacity:.35' if is_faint else ''}")
