"""Rows of small tables as Postgres' COPY wants them."""

import json
from datetime import date, datetime
from decimal import Decimal
from typing import Any
from uuid import UUID

Row = dict[str, Any]


def _quoted(text: object) -> str:
    return '"' + str(text).replace("\\", "\\\\").replace('"', '\\"') + '"'


def as_text(value: object) -> str | None:
    """One value. A dict or a list is JSON, a tuple is an array."""
    match value:
        case None | str():
            return value
        case bool():
            return "true" if value else "false"
        case dict() | list():
            return json.dumps(value)
        case tuple():
            return "{" + ",".join(_quoted(one) for one in value) + "}"
        case bytes():
            return "\\x" + value.hex()
        case datetime() | date() | int() | Decimal() | UUID():
            return str(value)
    raise TypeError(f"No row holds a {type(value).__name__}.")


def columns_of(rows: list[Row]) -> list[str]:
    """The columns that any of the rows names, in their first order."""
    return list(dict.fromkeys(column for row in rows for column in row))
