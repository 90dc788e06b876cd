"""Moves every stored secret to the current key, a batch at a time, while the app goes on working.

The connection must see all rows, deleted ones too: a row that it can't see keeps its old key.
"""

from collections.abc import Callable, Iterable, Sequence
from dataclasses import dataclass
from uuid import UUID

import sqlalchemy as sa

from db.errors import SightlineError
from db.vault import FORMAT, CannotOpenError, Place, UnknownKeyError, Vault, prefix_of

_NAMED_IN_AN_ERROR = 5


@dataclass(frozen=True, slots=True)
class SecretColumn:
    """A column of sealed texts, and the primary key by which its rows are walked; the last part of the key is `id`."""

    table: str
    column: str
    key: tuple[str, ...] = ("id",)

    def __str__(self) -> str:
        return f"{self.table}.{self.column}"

    def place(self, row_id: UUID) -> Place:
        """Where the secret of one row lives."""
        return Place(self.table, self.column, row_id)


RowKey = tuple[UUID, ...]
Row = tuple[RowKey, str]


def secret_columns(metadata: sa.MetaData) -> tuple[SecretColumn, ...]:
    """Every column that is marked with `info={"secret": True}`."""
    return tuple(
        SecretColumn(table.name, column.name, _key_of(table))
        for table in metadata.sorted_tables
        for column in table.columns
        if column.info.get("secret")
    )


def rotate(
    connection: sa.Connection,
    vault: Vault,
    columns: Sequence[SecretColumn],
    batch: int = 500,
    say: Callable[[str], None] = lambda _: None,
) -> int:
    """Seal anew what is not under the current key, commit after each batch, and tell how many were moved.

    It may be killed anywhere and run again. What can't be opened is left as it is and named at the end, so that one
    damaged row does not hold back all others.
    """
    moved, unopened = 0, list[Place]()
    for column in columns:
        after: RowKey | None = None
        while rows := _rows_under_old_keys(connection, vault, column, after, batch):
            moved += _move(connection, vault, column, rows, unopened)
            connection.commit()
            after = rows[-1][0]
            say(f"{column}: {moved} secrets moved to the key {vault.current} so far")
        connection.commit()
    _report(unopened)
    return moved


def keys_in_use(connection: sa.Connection, columns: Sequence[SecretColumn]) -> frozenset[str]:
    """The ids of all keys that a stored secret still needs; a text that was never sealed needs none."""
    return frozenset(key_id for column in columns for key_id in _keys_of(connection, column))


def _key_of(table: sa.Table) -> tuple[str, ...]:
    key = tuple(column.name for column in table.primary_key)
    if key[-1:] != ("id",):
        raise SightlineError(
            f"The table {table.name} has a secret column and no column `id` at the end of its key.",
            why="A sealed secret is bound to the id of its row.",
            fix="Give the table an `id uuid` key.",
        )
    return key


def _table(column: SecretColumn) -> sa.TableClause:
    # The stored texts are read as plain text, whatever type the mapped column turns them into.
    key = (sa.column(part, sa.Uuid()) for part in column.key)
    return sa.table(column.table, *key, sa.column(column.column, sa.Text()))


def _rows_under_old_keys(
    connection: sa.Connection, vault: Vault, column: SecretColumn, after: RowKey | None, batch: int
) -> list[Row]:
    table = _table(column)
    stored = table.c[column.column]
    key = [table.c[part] for part in column.key]
    query = sa.select(*key, stored).where(~stored.startswith(prefix_of(vault.current), autoescape=True))
    if after is not None:
        # By the whole key, so that each batch goes on in the primary key's index where the last one ended.
        query = query.where(sa.tuple_(*key) > sa.tuple_(*after))
    return [(tuple(row[:-1]), row[-1]) for row in connection.execute(query.order_by(*key).limit(batch))]


def _move(
    connection: sa.Connection, vault: Vault, column: SecretColumn, rows: Sequence[Row], unopened: list[Place]
) -> int:
    moved = 0
    for key, old in rows:
        place = column.place(key[-1])
        try:
            new = vault.seal(vault.open(old, place), place)
        except (CannotOpenError, UnknownKeyError):
            unopened.append(place)
            continue
        moved += _replace(connection, column, key, old, new)
    return moved


def _replace(connection: sa.Connection, column: SecretColumn, key: RowKey, old: str, new: str) -> int:
    """Write only over the text that was read: an edit made in between stays."""
    table = _table(column)
    stored = table.c[column.column]
    this_row = [table.c[part] == value for part, value in zip(column.key, key, strict=True)]
    change = sa.update(table).where(*this_row, stored == old).values({stored: new})
    return connection.execute(change).rowcount


def _keys_of(connection: sa.Connection, column: SecretColumn) -> Iterable[str]:
    stored = _table(column).c[column.column]
    # The server cuts out the key's id, so that no stored text that was never sealed travels.
    key_id = sa.func.substring(stored, rf"^{FORMAT}\.([a-z0-9]+)\.")
    return connection.scalars(sa.select(key_id).where(key_id.is_not(None)).distinct())


def _report(unopened: Sequence[Place]) -> None:
    if unopened:
        named = ", ".join(str(place) for place in unopened[:_NAMED_IN_AN_ERROR])
        raise CannotOpenError(
            f"{len(unopened)} secrets could not be opened and were left as they are, among them {named}.",
            why="They were damaged, moved, never sealed, or sealed with a key that is not here.",
            fix="Enter these secrets again, then rotate again; all other secrets are under the current key.",
        )
