"""Changes in words: what was made, changed or deleted, by the name that people know it by."""

import json
from collections.abc import Collection, Iterator, Mapping
from decimal import Decimal
from typing import Any
from uuid import UUID

from sqlalchemy import Connection, Table, Uuid, text

from db.tables import Base

_DONE = {"insert": "Made", "update": "Changed", "delete": "Deleted"}
# By which columns people know a row, the best first.
_NAMES = ("name", "title", "email", "number", "key", "subject", "feature", "meter", "slug", "reason", "text", "month")
_NOUNS = {
    "ai_cost_corrections": "correction of AI cost",
    "ai_months": "month of AI cost",
    "ai_prices": "AI price",
    "ai_stops": "emergency stop",
    "annotations": "remark",
    "budget_alerts": "alert",
    "credit_transactions": "movement of credits",
    "plan_features": "feature of a plan",
    "plan_limits": "limit of a plan",
    "provider_bills": "bill of a provider",
    "quota_overrides": "exception from a limit",
    "retention_policies": "retention rule",
    "saved_views": "saved view",
    "team_members": "member of the team",
}
_MOST_FIELDS = 4
_LONGEST = 60
# They tell nothing beside the sentence that they stand in.
_UNTOLD = frozenset({"id", "deleted_at", "created_at", "updated_at", "revision"})

Key = tuple[str, str]


def noun(table: str) -> str:
    """One row of a table, as people call it: a budget."""
    if table in _NOUNS:
        return _NOUNS[table]
    words = table.replace("_", " ")
    return f"{words[:-3]}y" if words.endswith("ies") else words.removesuffix("s")


def subject(table: str) -> str:
    """The same as a choice in a filter."""
    one = noun(table)
    return one[:1].upper() + one[1:]


def names_of(connection: Connection, keys: Collection[Key]) -> dict[Key, str]:
    """What rows that are there are called, as far as the reader may see them."""
    names: dict[Key, str] = {}
    for table in sorted({table for table, _ in keys}):
        known = Base.metadata.tables.get(table)
        if known is not None:
            names |= _names_in(connection, known, sorted(key for of, key in keys if of == table))
    return names


def said(row: Mapping[str, Any], name: str | None) -> str:
    """A sentence such as: Changed the budget AI of marketing: amount from 500 to 600."""
    before, after = row["before"] or {}, row["after"] or {}
    done = "Deleted" if after.get("deleted_at") and row["action"] == "update" else _DONE[row["action"]]
    if row["action"] == "update" and before.get("deleted_at") and not after.get("deleted_at"):
        done = "Brought back"
    called = name or _called(after) or _called(before) or row["row_key"]
    changes = _changes(before, after) if done == "Changed" else ""
    return f"{done} the {noun(row['table_name'])} {_short(called)}{f': {changes}' if changes else ''}."


def exact(document: str | None) -> dict[str, Any] | None:
    """What a row of the log holds, its amounts to their last digit: a price is no binary fraction."""
    found: dict[str, Any] | None = None if document is None else json.loads(document, parse_float=Decimal)
    return found


def told_value(value: Any) -> str:  # noqa: ANN401 - what JSON holds
    """A value of a change, on one line."""
    if value is None or value == "":
        return "nothing"
    if isinstance(value, bool):
        return "yes" if value else "no"
    if isinstance(value, Decimal):
        return f"{value.normalize():f}"
    if isinstance(value, list) and not any(isinstance(one, list | dict) for one in value):
        return ", ".join(map(told_value, value)) or "nothing"
    if isinstance(value, list | dict):
        return json.dumps(value, ensure_ascii=False, default=str)
    return str(value)


def _changes(before: Mapping[str, Any], after: Mapping[str, Any]) -> str:
    fields = list(_differing({name: after[name] for name in after if name not in _UNTOLD}, before))
    told = [
        f"{name.replace('_', ' ')} from {_short(told_value(old))} to {_short(told_value(new))}"
        for name, old, new in fields[:_MOST_FIELDS]
    ]
    more = len(fields) - _MOST_FIELDS
    return ", ".join(told) + (f", and {more} more" if more > 0 else "")


def _differing(after: Mapping[str, Any], before: Mapping[str, Any]) -> Iterator[tuple[str, Any, Any]]:
    """Fields with what they were and are; of a document within a field, the fields of it that differ."""
    for name, new in after.items():
        old = before.get(name)
        if isinstance(new, dict) and isinstance(old, dict):
            yield from _differing({key: new.get(key) for key in sorted({*old, *new})}, old)
        elif new != old:
            yield name, old, new


def _called(fields: Mapping[str, Any]) -> str | None:
    return next((str(fields[one]) for one in _NAMES if fields.get(one)), None)


def _short(value: str) -> str:
    line = " ".join(value.split())
    return line if len(line) <= _LONGEST else f"{line[: _LONGEST - 1]}…"


def _names_in(connection: Connection, table: Table, keys: list[str]) -> dict[Key, str]:
    column = next((one for one in _NAMES if one in table.c and one != _key(table)), None)
    key = _key(table)
    may = "SELECT has_column_privilege(CAST(:table AS TEXT), CAST(:column AS TEXT), 'SELECT')"
    if column is None or not connection.scalar(text(may), {"table": table.name, "column": column}):
        return {}
    is_uuid = isinstance(table.c[key].type, Uuid)
    keys = [one for one in keys if not is_uuid or _is_uuid(one)]
    listed = "CAST(:keys AS UUID[])" if is_uuid else ":keys"
    of_row = f'"{key}"' if is_uuid else f'CAST("{key}" AS TEXT)'
    question = (
        f'SELECT CAST("{key}" AS TEXT), CAST("{column}" AS TEXT) FROM {table.name} WHERE {of_row} = ANY ({listed})'  # noqa: S608 - our own names
    )
    return {(table.name, found): name for found, name in connection.execute(text(question), {"keys": keys}) if name}


def _is_uuid(key: str) -> bool:
    try:
        UUID(key)
    except ValueError:
        return False
    return True


def _key(table: Table) -> str:
    return "id" if "id" in table.c else next(iter(table.primary_key.columns)).name
