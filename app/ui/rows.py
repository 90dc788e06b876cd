"""Tables of records, which no metric answers: campaigns, events, alerts. Texts in them are shown as they are."""

from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from datetime import date, datetime
from decimal import Decimal
from typing import Any
from zoneinfo import ZoneInfo

import pandas as pd

from app.metrics.metric import Unit
from app.ui import words
from app.ui.links import address, anchor
from app.ui.markup import Markup, tag
from app.ui.scope import Scope

Row = Mapping[str, Any]
Rows = Sequence[Row] | pd.DataFrame


@dataclass(frozen=True)
class Column:
    """How a column is shown. `opens` is a page that the cell leads to, with the row's `key` in its address.

    An exact amount, as a price is, keeps all of its places. `leads` is a key of the row under which it has an address
    of its own to lead to.
    """

    label: str
    unit: Unit | None = None
    currency: str | None = None
    opens: str | None = None
    key: str | None = None
    is_exact: bool = False
    leads: str | None = None


Columns = Mapping[str, str | Column]


def rows_of(given: Rows) -> list[Row]:
    """As mappings; what a frame holds as missing is None."""
    if isinstance(given, pd.DataFrame):
        return [
            {
                str(name): None if pd.api.types.is_scalar(value) and pd.isna(value) else value
                for name, value in row.items()
            }
            for row in given.to_dict("records")
        ]
    return list(given)


def columns_of(rows: Sequence[Row], columns: Columns | None) -> dict[str, Column]:
    names = columns or {name: words.spelled(name) for name in (rows[0] if rows else ())}
    return {name: column if isinstance(column, Column) else Column(column) for name, column in names.items()}


def listing(rows: Sequence[Row], columns: Mapping[str, Column], scope: Scope | None) -> Markup:
    """The rows as they come."""
    figures = {name for name, column in columns.items() if _is_figure(rows, name, column)}
    heads = (
        tag("th", label_of(column), scope="col", class_="number" if name in figures else None)
        for name, column in columns.items()
    )
    body = [
        tag("tr", *(_cell(row, name, column, scope, is_figure=name in figures) for name, column in columns.items()))
        for row in rows
    ]
    return tag("table", tag("thead", tag("tr", *heads)), tag("tbody", *body), class_="sl-table")


def text_of(row: Row, columns: Mapping[str, Column]) -> str:
    """What a search looks through."""
    return " ".join(str(row.get(name) or "") for name in columns).lower()


def label_of(column: Column) -> str:
    """Its heading, with the currency of its amounts."""
    return f"{column.label}, {column.currency}" if column.currency else column.label


def _is_figure(rows: Sequence[Row], name: str, column: Column) -> bool:
    if column.unit is not None:
        return True
    first = next((row[name] for row in rows if row.get(name) is not None), None)
    return isinstance(first, int | float | Decimal) and not isinstance(first, bool)


def _cell(row: Row, name: str, column: Column, scope: Scope | None, *, is_figure: bool) -> Markup:
    value = row.get(name)
    if is_figure:
        figure = words.exact(value) if column.is_exact and value is not None else words.figure(value, column.unit)
        return tag("td", figure, class_="number")
    told = value if isinstance(value, Markup) else _told(value, scope)
    hint = None if isinstance(value, Markup) else told
    key = row.get(column.key or name)
    if column.opens and scope is not None and key is not None:
        told = anchor(told, address(column.opens, scope, **{column.opens: key}))
    if column.leads and row.get(column.leads):
        told = anchor(told, row[column.leads])
    return tag("td", told, class_="text", title=hint)


def _told(value: Any, scope: Scope | None) -> str:  # noqa: ANN401 - a cell of any column
    if value is None:
        return words.NOTHING
    if isinstance(value, bool):
        return "yes" if value else "no"
    if isinstance(value, datetime):
        return words.moment(value.astimezone(ZoneInfo(scope.zone)) if scope and value.tzinfo else value)
    return words.day(value) if isinstance(value, date) else str(value)
