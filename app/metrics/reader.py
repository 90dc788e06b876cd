"""A thread's way to one version of the lake: a text that was met before is not planned again."""

from collections import OrderedDict
from collections.abc import Mapping
from datetime import date
from typing import Any

import duckdb

_REMEMBERED = 256


class Reader:
    """Texts come again with other days: planning them takes longer than running them over rollups."""

    def __init__(self, cursor: duckdb.DuckDBPyConnection) -> None:
        self._cursor = cursor
        self._schema = ""
        self._made = 0
        # None when a text was met once, then the name under which it is prepared.
        self._met: OrderedDict[str, str | None] = OrderedDict()

    def turn_to(self, schema: str) -> None:
        """Read the relations of this schema from now on. Plans are for those of the one before, and would keep them."""
        if schema != self._schema:
            self._forget_beyond(0)
            self._cursor.execute(f"SET search_path = '{schema}'").fetchall()
            self._schema = schema

    def execute(self, text: str, parameters: Mapping[str, Any] | None = None) -> duckdb.DuckDBPyConnection:
        given = parameters or {}
        # Text goes to DuckDB as a value alone, never as part of a statement.
        if not all(_is_plain(value) for value in given.values()):
            return self._cursor.execute(text, given)
        name = self._prepared(text)
        if name is None:
            return self._cursor.execute(text, given)
        values = ", ".join(f'"{key}" := {_written(value)}' for key, value in given.items())
        return self._cursor.execute(f"EXECUTE {name}({values})" if values else f"EXECUTE {name}")

    def _prepared(self, text: str) -> str | None:
        """What is asked once is not worth preparing."""
        if text not in self._met:
            self._met[text] = None
            self._forget_beyond(_REMEMBERED)
            return None
        self._met.move_to_end(text)
        name = self._met[text]
        if name is None:
            self._made += 1
            name = f"asked_{self._made}"
            self._cursor.execute(f"PREPARE {name} AS {text}").fetchall()
            self._met[text] = name
        return name

    def _forget_beyond(self, remembered: int) -> None:
        while len(self._met) > remembered:
            _, name = self._met.popitem(last=False)
            if name is not None:
                self._cursor.execute(f"DEALLOCATE {name}").fetchall()


def _is_plain(value: object) -> bool:
    if isinstance(value, list):
        return bool(value) and all(isinstance(one, int) for one in value)
    return isinstance(value, int | date)


def _written(value: Any) -> str:  # noqa: ANN401 - a day, a whole number, or several of them
    """With its type: a plan stands for values of the types that it was made for."""
    if isinstance(value, list):
        return f"CAST([{', '.join(str(int(one)) for one in value)}] AS BIGINT[])"
    return f"DATE '{value:%Y-%m-%d}'" if isinstance(value, date) else f"CAST({int(value)} AS BIGINT)"
