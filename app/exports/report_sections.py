"""The sections of the month's report, each asking for its own figures."""

from collections import defaultdict
from collections.abc import Iterator, Sequence
from datetime import date, timedelta
from decimal import Decimal
from typing import Any
from zoneinfo import ZoneInfo

from app.exports.report_drawings import bars, columns
from app.exports.report_parts import Figure, Month, Picture, Section, Table
from app.metrics import words
from app.metrics.answer import Answer
from app.metrics.glossary import metric
from app.metrics.metric import Unit
from app.money.forecast import back_test, forecast
from app.records.months import month_budgets, month_close, month_corrections

TOTALS = (
    "ai_cost",
    "recognised_revenue",
    "margin",
    "margin_rate",
    "generations",
    "unpriced_generations",
    "ai_cost_corrections",
    "reported_cost",
)
_COST = ("ai_cost", "generations", "unpriced_generations")
_MARGIN = ("recognised_revenue", "ai_cost", "margin", "margin_rate")
SPLITS = (
    ("provider", "AI cost by provider", _COST, "ai_cost"),
    ("model", "AI cost by model", _COST, "ai_cost"),
    ("product", "AI cost and margin by product", _MARGIN, "ai_cost"),
    ("plan", "AI cost and margin by plan", _MARGIN, "margin"),
)
_MOST_BARS, _MOST_ROWS = 10, 25
_DAYS_READ = 400
_EVERY_FIVE_DAYS = 5
_HISTORY = "ai_cost_of_calls"


def totals(month: Month) -> Section:
    """The headlines, beside the month before."""
    answer = month.ask(TOTALS, compare="previous")
    figures = tuple(_figure(answer, name) for name in TOTALS)
    return Section("The month", f"Beside the {(month.until - month.first).days} days before.", figures)


def course(month: Month) -> Section:
    """What each day cost, by provider."""
    answer = month.ask(["ai_cost"], by="provider", grain="day")
    days = [month.first + timedelta(days=place) for place in range((month.until - month.first).days)]
    amounts: dict[str, dict[date, Decimal]] = defaultdict(dict)
    spent = dict.fromkeys(days, Decimal(0))
    for row in answer.rows():
        amounts[words.spelled(row["provider"])][row["day"]] = row["ai_cost"] or Decimal(0)
        spent[row["day"]] += row["ai_cost"] or Decimal(0)
    points = ["" if (one.day - 1) % _EVERY_FIVE_DAYS else str(one.day) for one in days]
    drawn = columns(points, {name: [float(own.get(day, 0)) for day in days] for name, own in amounts.items()})
    most = max(days, key=lambda day: spent[day])
    alt = f"AI cost by day. The most was spent on {words.day(most)}: {words.money(spent[most], month.currency)}."
    return Section("Day by day", f"AI cost in {month.currency}. {answer_id(answer)}", pictures=(Picture(drawn, alt),))


def splits(month: Month) -> Iterator[Section]:
    """Each breakdown adds up to the month."""
    whole = month.ask(tuple(dict.fromkeys((*_COST, *_MARGIN))))
    for by, title, metrics, drawn in SPLITS:
        answer = month.ask(metrics, by=by, order=f"-{drawn}")
        rows = answer.rows()
        if rows:
            picture = _ranked(answer, by, drawn, month.currency)
            yield Section(title, pictures=(picture,), tables=(_table(answer, by, metrics, whole),))


def forecasts(month: Month) -> Section | None:
    """What was expected of the month as it ran, and what came; of one that runs, what is expected."""
    today = month.through.astimezone(ZoneInfo(month.zone)).date()
    answer = month.ask([_HISTORY], grain="day", since=month.first - timedelta(days=_DAYS_READ), until=month.until)
    daily = {row["day"]: row[_HISTORY] for row in answer.rows() if row[_HISTORY] is not None}
    if month.is_over:
        found = back_test(daily, min(today, month.until))
        tries = [one for one in found.tries if one.since == month.first] if found else []
        if not tries:
            return None
        rows = tuple(
            (
                words.day(one.asked_on),
                *(words.money(amount, "") for amount in (one.forecast, one.run_rate, one.actual)),
                words.figure(one.error, Unit.PERCENT),
                words.figure(one.run_rate_error, Unit.PERCENT),
            )
            for one in tries
        )
        heads = ("Asked on", "Forecast", "Plain rate", "It came to", "Forecast was off", "Plain rate was off")
        why = f"AI cost of calls, in {month.currency}, without corrections."
        return Section("Forecast and actual", why, tables=(Table(heads, rows, 1, answer.receipt.id),))
    expected = forecast(daily, month.first, month.until, today)
    if expected is None:
        return None
    told = (("Spent so far", expected.spent), ("Expected at the end", expected.expected),
            ("At least, in four of five cases", expected.low), ("At most", expected.high))  # fmt: skip
    figures = tuple(Figure(name, words.money(value, month.currency), "", answer.receipt.id) for name, value in told)
    return Section("Forecast", f"Asked on {words.day(today)}: the month is not over.", figures)


def budgets(month: Month) -> Section | None:
    """What the month's budgets allowed, and what was spent of them."""
    found, receipt = month.read(
        "month_budgets",
        lambda: month_budgets(month.engine, month.viewer, month.first, month.until, sees_all=month.sees_all),
    )
    if not found:
        return None
    rows = tuple(
        (
            one.name,
            words.spelled(one.covers) if one.covers.isidentifier() else one.covers,
            words.money(one.spent, one.currency),
            words.money(one.amount, one.currency),
            words.figure(one.spent / one.amount, Unit.PERCENT),
            "–" if one.reached is None else f"{one.reached} %",
        )
        for one in found
    )
    over = sum(one.spent > one.amount for one in found)
    told = f"{words.counted(over, 'budget')} of {len(found):,} exceeded." if over else "No budget was exceeded."
    heads = ("Budget", "Covers", "Spent", "Amount", "Used", "Reached")
    return Section("Budgets", told, tables=(Table(heads, rows, 2, receipt, shares=(1, 1)),))


def closes(month: Month) -> Section:
    """Whether the month stays as it is, and what was found out after it was closed."""
    why = "Months of AI cost are closed by UTC. Closed ones stay as they are; corrections stand beside them."
    figures: tuple[Figure, ...] = ()
    notes: tuple[str, ...] = ()
    if month.sees_all:
        close, receipt = month.read("month_close", lambda: month_close(month.engine, month.viewer, month.first))
        if close is None:
            notes = (f"The month is open: its calls are still priced by the book as it changes (receipt {receipt}).",)
        else:
            by = f" by {close.closed_by}" if close.closed_by else ""
            closed = f"{words.day(close.closed_at)}{by}"
            version = "–" if close.price_version is None else str(close.price_version)
            told = (("Closed", closed), ("Closed with", words.money(close.cost, "USD")),
                    ("Calls", words.count(close.calls)), ("Without a price", words.count(close.unpriced)),
                    ("Price book", f"version {version}"))  # fmt: skip
            figures = tuple(Figure(name, value, "", receipt) for name, value in told)
    corrections, proof = month.read(
        "month_corrections", lambda: month_corrections(month.engine, month.viewer, month.first)
    )
    tables: tuple[Table, ...] = ()
    if corrections:
        rows = tuple(
            (
                words.day(one.made_on), f"{words.spelled(one.kind)}: {one.reason}", f"{one.provider}/{one.model}",
                words.spelled(one.product), words.money(one.amount, ""),
            )
            for one in corrections
        )  # fmt: skip
        amount = sum((one.amount for one in corrections), Decimal(0))
        heads = ("Made", "Why", "Model", "Product", "USD")
        total = ("Together", "", "", "", words.money(amount, ""))
        tables = (Table(heads, rows, 4, proof, total, shares=(0, 2, 1.2, 0)),)
    return Section("Close and corrections", why, figures, tables=tables, notes=notes)


def answer_id(answer: Answer) -> str:
    return f"Receipt {answer.receipt.id}."


def _figure(answer: Answer, name: str) -> Figure:
    one = metric(name)
    moved = answer.value(f"{name}_change")
    told = "" if moved is None else f"{'+' if moved >= 0 else '−'}{words.change(moved, one.unit)}"
    value = words.figure(answer.value(name), one.unit, answer.receipt.currency)
    return Figure(words.title(one), value, told, answer.receipt.id)


def _ranked(answer: Answer, by: str, name: str, currency: str) -> Picture:
    rows = [row for row in answer.rows() if row[name] is not None][:_MOST_BARS]
    told = [(_named(answer, by, row), float(row[name]), words.money(row[name], currency)) for row in rows]
    first = f" Most has {told[0][0]}: {told[0][2]}." if told else ""
    return Picture(bars(told), f"{words.title(metric(name))} by {by}.{first}")


def _table(answer: Answer, by: str, names: Sequence[str], whole: Answer) -> Table:
    rows = answer.rows()
    kept = rows[:_MOST_ROWS]
    left_out = f" ({len(rows) - len(kept)} more are on the page)" if len(rows) > len(kept) else ""
    heads = (words.spelled(by), *(_head(name, answer) for name in names))
    return Table(
        heads,
        tuple((_named(answer, by, row), *_cells(row, names)) for row in kept),
        1,
        answer.receipt.id,
        (f"Together{left_out}", *_cells(whole.rows()[0], names)),
    )


def _head(name: str, answer: Answer) -> str:
    one = metric(name)
    return f"{words.title(one)}, {answer.receipt.currency}" if one.unit is Unit.MONEY else words.title(one)


def _cells(row: Any, names: Sequence[str]) -> tuple[str, ...]:  # noqa: ANN401 - a row of any answer
    return tuple(words.figure(row[name], metric(name).unit) for name in names)


def _named(answer: Answer, by: str, row: Any) -> str:  # noqa: ANN401 - a row of any answer
    return words.name_of(next(one for one in answer.by if one.name == by), row)
