"""Answers, receipts and the glossary as text: for people, for spreadsheets, and for programs."""

import csv
import io
import json
from collections.abc import Mapping, Sequence
from datetime import date, datetime
from decimal import Decimal
from typing import Any

from rich.table import Table

from app.metrics.answer import Answer
from app.metrics.metric import Unit
from app.metrics.receipt import Receipt

_SUFFIXES = ("_complete", "_before", "_change")


def figure_table(answer: Answer) -> Table:
    """Numbers on the right, with their units. What has a name is shown by it; what has no figure is empty."""
    table = Table()
    units = _units(answer)
    hidden = {dimension.name for dimension in answer.by if dimension.label is not None}
    if answer.receipt.running_day is None:
        hidden |= {f"{metric.name}_complete" for metric in answer.metrics}
    names = [name for name in answer.table.column_names if name not in hidden]
    for name in names:
        table.add_column(name.replace("_", " "), justify="right" if name in units else "left", overflow="fold")
    for row in answer.rows():
        table.add_row(*(_shown(row[name], units.get(name), answer.receipt.currency) for name in names))
    return table


def csv_text(names: Sequence[str], rows: Sequence[Mapping[str, Any]]) -> str:
    """Figures as they are, unrounded."""
    text = io.StringIO()
    writer = csv.DictWriter(text, names, lineterminator="\n")
    writer.writeheader()
    writer.writerows({name: _plain(value) for name, value in row.items()} for row in rows)
    return text.getvalue()


def json_text(content: object) -> str:
    """Amounts are texts, so that no reader rounds them."""
    return json.dumps(content, default=_plain, indent=2, ensure_ascii=False) + "\n"


def glossary_text(rows: Sequence[Mapping[str, str]]) -> str:
    """An entry under its name, a line for each thing that is told of it."""
    lines: list[str] = []
    for row in rows:
        told = [f"  {value}" if name == "meaning" else f"  {name}: {value}" for name, value in row.items() if value]
        lines += [row["name"], *told[1:], ""]
    return "\n".join(lines)


def receipt_text(receipt: Receipt) -> str:
    """A receipt as a person reads it."""
    lines = [f"Receipt {receipt.id}", ""]
    for one in receipt.definitions:
        lines += [
            f"{one.name} ({one.unit}; {one.good} is good)",
            f"  {one.meaning}",
            f"  = {one.formula}; {one.additivity}",
        ]
    lines += ["", *(f"{name}: {value}" for name, value in _facts(receipt))]
    lines += [f"Caveat: {caveat}" for caveat in receipt.caveats]
    parameters = [f"  ${name} = {_parameter(value)}" for name, value in receipt.parameters.items()]
    return "\n".join([*lines, "", receipt.sql, "", *parameters, ""])


def _facts(receipt: Receipt) -> list[tuple[str, str]]:
    rollups = ", ".join(f"{one.name} at version {one.version}" for one in receipt.rollups)
    facts = [
        ("Lake", f"version {receipt.lake_version}, loaded at {receipt.loaded_at:%Y-%m-%d %H:%M:%S} UTC"),
        ("Data through", f"{receipt.data_through:%Y-%m-%d %H:%M:%S} UTC"),
        ("Rollups", rollups),
        ("Rows read", f"{receipt.rows_read:,}"),
        ("Period", f"from {receipt.period[0]} up to, without, {receipt.period[1]}; days in {receipt.zone}"),
    ]
    if receipt.compared and receipt.before:
        facts.append(("Compared", f"{_days(receipt.compared)} with {_days(receipt.before)}"))
    if receipt.currency:
        facts.append(("Currency", receipt.currency))
    return [*facts, *receipt.made_by, ("Took", f"{receipt.elapsed_ms:.1f} ms")]


def _days(period: tuple[date, date]) -> str:
    return f"from {period[0]} up to, without, {period[1]}"


def _parameter(value: object) -> str:
    return ", ".join(map(str, value)) if isinstance(value, list) else str(value)


def _units(answer: Answer) -> dict[str, Unit]:
    """The unit of each column of figures. A change is a percentage, whatever changed."""
    units: dict[str, Unit] = {}
    for metric in answer.metrics:
        units[metric.name] = metric.unit
        units |= {
            f"{metric.name}{suffix}": Unit.PERCENT if suffix == "_change" else metric.unit for suffix in _SUFFIXES
        }
    return {name: unit for name, unit in units.items() if name in answer.table.column_names}


def _shown(value: Any, unit: Unit | None, currency: str | None) -> str:  # noqa: ANN401 - a cell of any column
    if value is None:
        return ""
    if unit is Unit.PERCENT:
        return f"{value * 100:,.2f} %"
    if unit is Unit.MONEY:
        return f"{value:,.2f} {currency or ''}".rstrip()
    if isinstance(value, float | Decimal):
        return f"{value:,.3f}"
    return f"{value:,}" if unit else str(value).replace("[", "\\[")


def _plain(value: object) -> object:
    if isinstance(value, Decimal):
        return format(value.normalize(), "f")
    if isinstance(value, date | datetime):
        return value.isoformat()
    return value if isinstance(value, str | int | float | None) else str(value)
