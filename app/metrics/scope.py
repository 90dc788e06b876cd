"""What a viewer may see, as codes: their workspaces, and the keys that a question's filters name."""

from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from uuid import UUID

from app.metrics.dimensions import Dimension, Kind
from app.metrics.errors import UnknownValueError, did_you_mean
from app.metrics.question import Checked, Filter, Value
from app.metrics.reader import Reader
from app.metrics.reading import narrows_scope

_NOBODY = -1
# Which workspaces a person worked in is not written here: whether they did shows in the rows alone.
_FIND = {
    "workspace": """
        SELECT code, id, name, slug FROM workspaces
        WHERE code IN (SELECT UNNEST(CAST($codes AS BIGINT[])))
        """,
    "campaign": """
        SELECT code, id, name, id FROM campaigns
        WHERE workspace_code IN (SELECT UNNEST(CAST($codes AS BIGINT[])))
        """,
    "user": "SELECT code, id, name, id FROM users",
}
_NAMED = "(id IN (SELECT UNNEST(CAST($named AS VARCHAR[]))) OR {name} IN (SELECT UNNEST(CAST($named AS VARCHAR[]))))"
RELATIONS = {"workspace": "workspaces", "campaign": "campaigns", "user": "users"}


@dataclass(frozen=True)
class Scope:
    """Codes of the viewer's workspaces, and for each filter the values as the rollups hold them."""

    workspaces: tuple[int, ...]
    values: tuple[tuple[Value, ...], ...]

    @property
    def parameters(self) -> Mapping[str, Sequence[Value] | int]:
        """Filters as the text names them; what has no value is part of the text."""
        named: dict[str, Sequence[Value] | int] = {
            f"where_{place}": [value for value in values if value is not None]
            for place, values in enumerate(self.values)
            if any(value is not None for value in values)
        }
        return named | self.seen

    @property
    def is_run(self) -> bool:
        """Whether the workspaces are every whole number between two: then the two ends say all."""
        return bool(self.workspaces) and len(set(self.workspaces)) == self._ends[1] - self._ends[0] + 1

    @property
    def seen(self) -> dict[str, Sequence[Value] | int]:
        """The workspaces alone: the first and last of them, and where there are gaps the list."""
        first, last = self._ends
        listed: dict[str, Sequence[Value] | int] = {} if self.is_run else {"workspaces": list(self.workspaces)}
        return {**listed, "workspace_from": first, "workspace_to": last}

    @property
    def _ends(self) -> tuple[int, int]:
        return min(self.workspaces, default=0), max(self.workspaces, default=0)


def workspace_codes(reader: Reader, workspaces: frozenset[UUID]) -> tuple[int, ...]:
    ids = sorted(str(workspace) for workspace in workspaces)
    found = reader.execute(
        "SELECT code FROM workspaces WHERE id IN (SELECT UNNEST(CAST($ids AS VARCHAR[]))) ORDER BY code", {"ids": ids}
    ).fetchall()
    return tuple(code for (code,) in found)


def scope_of(reader: Reader, codes: tuple[int, ...], checked: Checked) -> Scope:
    """The filters' keys as codes. A key of somebody else's workspace is as unknown as one that never was."""
    values = tuple(_values(reader, codes, dimension, filter_) for dimension, filter_ in checked.where)
    for (dimension, filter_), chosen in zip(checked.where, values, strict=True):
        if narrows_scope(dimension, filter_):
            codes = tuple(code for code in codes if code in chosen)
    return Scope(codes, values)


def relations(checked: Checked) -> frozenset[str]:
    """What has to be there to find the codes."""
    keys = {RELATIONS[dimension.name] for dimension, _ in checked.where if dimension.kind is Kind.KEY}
    return frozenset({"workspaces"} | keys)


def _values(reader: Reader, codes: tuple[int, ...], dimension: Dimension, filter_: Filter) -> tuple[Value, ...]:
    if dimension.kind is not Kind.KEY:
        return filter_.values
    named = [str(value) for value in filter_.values if value is not None]
    found = _found(reader, codes, dimension, named)
    nothing = (None,) if None in filter_.values else ()
    known = tuple(_one(dimension, value, found) for value in named)
    # Of several, some may be newer than the lake's version, and have no figures in it yet.
    if dimension.name != "user" and named and not nothing and set(known) == {_NOBODY}:
        raise unknown(dimension, named[0], _names(reader, codes, dimension))
    return (*known, *nothing)


def _one(dimension: Dimension, value: str, found: Sequence[tuple[int, str, str, str]]) -> int:
    """The one code that a key, a short name or a name stands for; nobody's, where there is none."""
    by_key = [code for code, key, _, short in found if value in {key, short}]
    by_name = [(code, key) for code, key, name, _ in found if name == value]
    if by_key:
        return by_key[0]
    if dimension.name == "user":
        return by_name[0][0] if len(by_name) == 1 else _NOBODY
    if len(by_name) == 1:
        return by_name[0][0]
    if by_name:
        keys = ", ".join(sorted(key for _, key in by_name))
        raise UnknownValueError(
            f"{len(by_name)} {dimension.name}s are named '{value}'.", why="A name is no key.", fix=f"Use one of {keys}."
        )
    return _NOBODY


def unknown(dimension: Dimension, value: Value, known: Sequence[str]) -> UnknownValueError:
    return UnknownValueError(
        f"No {dimension.name} '{value}' is in the workspaces that you see.",
        why="A filter must name a value that occurs there.",
        fix=did_you_mean(str(value), known, f"`--by {dimension.name}` lists those that occur."),
    )


def _found(
    reader: Reader, codes: tuple[int, ...], dimension: Dimension, named: Sequence[str]
) -> list[tuple[int, str, str, str]]:
    text = _FIND[dimension.name]
    name = "name" if dimension.name != "workspace" else "slug IN (SELECT UNNEST(CAST($named AS VARCHAR[]))) OR name"
    condition = _NAMED.format(name=name)
    parameters: dict[str, object] = {"named": list(named)}
    if "$codes" in text:
        parameters["codes"] = list(codes)
    rows: list[tuple[int, str, str, str]] = reader.execute(
        f"{text} {'AND' if 'WHERE' in text else 'WHERE'} {condition}", parameters
    ).fetchall()
    return rows


def _names(reader: Reader, codes: tuple[int, ...], dimension: Dimension) -> list[str]:
    rows = reader.execute(_FIND[dimension.name], {"codes": list(codes)}).fetchall()
    return [name for _, _, name, _ in rows] + [short for _, key, _, short in rows if short != key]
