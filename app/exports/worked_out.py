"""Tables that were worked out of several answers: written as they stand on the page, with the receipts of all."""

import hashlib
import json
from collections.abc import Mapping, Sequence
from datetime import UTC, date, datetime
from decimal import Decimal
from typing import Any

import pyarrow as pa

from app.exports.sheets import Sheet, receipt_lines
from app.metrics.receipt import Receipt

_PAGE = 1_000


def sheet_of_rows(rows: Sequence[Mapping[str, Any]], names: Mapping[str, str], made_of: Sequence[Receipt]) -> Sheet:
    """The columns that are shown, under the names that they are shown by."""
    told = [{shown: _plain(row.get(name)) for name, shown in names.items()} for row in rows]
    made_at = datetime.now(UTC)
    key = hashlib.sha256(json.dumps([*(one.id for one in made_of), told], default=str).encode()).hexdigest()[:16]

    def lines() -> list[tuple[str, str]]:
        head = [
            ("Receipt", key),
            ("Worked out at", f"{made_at:%Y-%m-%d %H:%M:%S} UTC"),
            ("Rows", f"{len(told):,}"),
            ("Made of", ", ".join(one.id for one in made_of)),
        ]
        return [*head, *(line for one in made_of for line in receipt_lines(one))]

    return Sheet(
        receipt=key,
        schema=pa.schema([(shown, _type([row[shown] for row in told])) for shown in names.values()]),
        pages=(told[place : place + _PAGE] for place in range(0, len(told), _PAGE)),
        lines=lines,
        facts=lambda: {"id": key, "made_at": made_at, "made_of": [one.as_dict() for one in made_of]},
    )


def _type(values: Sequence[Any]) -> pa.DataType:
    there = [value for value in values if value is not None]
    if not there or not all(isinstance(value, int | float | Decimal | date) for value in there):
        return pa.string()
    for kinds, arrow in (
        (bool, pa.bool_()),
        (int, pa.int64()),
        (datetime, pa.timestamp("us", "UTC")),
        (date, pa.date32()),
        (Decimal, pa.decimal128(38, 12)),
    ):
        if all(isinstance(value, kinds) for value in there):
            return arrow
    return pa.float64()


def _plain(value: Any) -> Any:  # noqa: ANN401 - a cell of any column
    return value if value is None or isinstance(value, bool | int | float | Decimal | date) else str(value)
