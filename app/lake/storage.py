"""Tables of the lake: Parquet files that a Delta log makes into versions, with our own state in each commit."""

import json
import time
import uuid
from collections.abc import Iterable, Mapping, Sequence
from dataclasses import dataclass, field
from datetime import date
from functools import lru_cache
from pathlib import Path
from typing import Any

import pyarrow as pa
import pyarrow.parquet as pq
from deltalake import CommitProperties, DeltaTable, PostCommitHookProperties, Schema
from deltalake.exceptions import DeltaError, TableNotFoundError
from deltalake.transaction import AddAction, RemoveAction, create_table_with_add_actions

from app.lake.source import BIG, BLOB, DAY, FLAG, INSTANT, INT, TEXT, Source
from app.lake.versions import ROWS, Part, TableVersion
from db.errors import SightlineError

_STATE = "sightline"
_PARTITIONS = ["in_month", "in_layer"]
_CONFIGURATION = {
    # A commit reads the log from its last checkpoint: with fifty commits to read it took twice as long.
    "delta.checkpointInterval": "10",
    # Delta would clean its logs by their age, and take those of versions that are pinned: the sweep knows which.
    "delta.enableExpiredLogCleanup": "false",
}
_OPENED = 2048
_ARROW = {
    BLOB: pa.binary(),
    TEXT: pa.string(),
    BIG: pa.int64(),
    INT: pa.int32(),
    DAY: pa.date32(),
    INSTANT: pa.timestamp("us", "UTC"),
    FLAG: pa.bool_(),
}


class LakeDamagedError(SightlineError):
    """A file or a log of the lake can't be read."""


@dataclass(frozen=True)
class NewFile:
    """A Parquet file that lies in its place and that no version knows yet."""

    path: Path
    month: date | None
    layer: str = ROWS


@dataclass
class Opened:
    """A table at a version: its files, and the state that its last commit carried."""

    parts: tuple[Part, ...] = ()
    version: int = -1
    state: dict[str, Any] = field(default_factory=dict)

    @property
    def exists(self) -> bool:
        """Whether anything was ever committed: a table that was only just created says nothing."""
        return bool(self.state)


class Table:
    """One Delta table. A commit adds and removes files and writes the state, all or nothing."""

    def __init__(self, folder: Path, name: str) -> None:
        self.folder = folder / name
        self.name = name

    def open(self) -> Opened:
        """The newest version with its state; of a table that is not there, an empty one."""
        try:
            table = DeltaTable(str(self.folder))
        except TableNotFoundError:
            return Opened()
        except (DeltaError, OSError, ValueError) as error:
            raise damaged(self.name, error) from error
        return Opened(_parts(self.folder, table), table.version(), _state(table))

    def is_newest(self, opened: Opened) -> bool:
        """Whether nobody has committed since."""
        return opened.exists and not (self.folder / "_delta_log" / f"{opened.version + 1:020}.json").exists()

    def at(self, version: int) -> TableVersion:
        """The table as a commit left it."""
        return _table_version(self.folder, version)

    def new_path(self, month: date | None, layer: str = ROWS) -> Path:
        """Where a new file of a month goes. What is written there and never committed is swept away later."""
        folder = self.folder / (f"{month:%Y-%m}" if month else "all")
        folder.mkdir(parents=True, exist_ok=True)
        return folder / f"{layer}-{uuid.uuid4().hex}.parquet"

    def commit(
        self,
        opened: Opened,
        schema: pa.Schema | None,
        *,
        adds: Sequence[NewFile] = (),
        removes: Iterable[Part] = (),
        state: Mapping[str, Any],
    ) -> Opened:
        """Make the next version of the one that was opened; where somebody was faster, nothing is changed."""
        gone = set(removes)
        added = [self._part(new) for new in adds]
        told = json.dumps(state)
        with_state = CommitProperties(
            custom_metadata={_STATE: told},
            # Numbered after the version that was opened: a writer that slept must not write twice.
            max_commit_retries=0,
        )
        actions = [self._added(part) for part in added]
        if opened.version < 0:
            self._create(schema, actions, with_state)
        else:
            self._go_on(opened, [*actions, *(self._removed(part) for part in gone)], with_state)
        stays = tuple(part for part in opened.parts if part not in gone)
        return Opened((*stays, *added), opened.version + 1, json.loads(told))

    def _create(self, schema: pa.Schema | None, actions: list[AddAction], with_state: CommitProperties) -> None:
        """A new table and its first files in one commit: two would take as long again."""
        if schema is None:
            raise ValueError(f"The table {self.name} is new: its first commit must say what its columns are.")
        fields = [*schema, pa.field("in_month", pa.date32()), pa.field("in_layer", pa.string())]
        self.folder.mkdir(parents=True, exist_ok=True)
        create_table_with_add_actions(
            str(self.folder),
            Schema.from_arrow(pa.schema(fields)),
            actions,
            partition_by=_PARTITIONS,
            configuration=_CONFIGURATION,
            commit_properties=with_state,
        )

    def _go_on(self, opened: Opened, actions: list[AddAction | RemoveAction], with_state: CommitProperties) -> None:
        table = DeltaTable(str(self.folder))
        if table.version() != opened.version:
            raise SightlineError(
                f"Another refresh wrote the table {self.name} of the lake.",
                why="Only one refresh may write at a time; this one was overtaken.",
                fix="Run `sightline refresh` again.",
            )
        table.create_write_transaction(
            actions,
            mode="append",
            schema=table.schema(),
            partition_by=_PARTITIONS,
            commit_properties=with_state,
            post_commithook_properties=PostCommitHookProperties(create_checkpoint=True, cleanup_expired_logs=False),
        )

    def _part(self, new: NewFile) -> Part:
        rows = pq.read_metadata(new.path).num_rows
        return Part(str(new.path), rows, new.path.stat().st_size, new.month, new.layer)

    def _added(self, part: Part) -> AddAction:
        return AddAction(
            path=Path(part.path).relative_to(self.folder).as_posix(),
            size=part.size,
            partition_values=_values(part.month, part.layer),
            modification_time=_now_ms(),
            data_change=True,
            stats=json.dumps({"numRecords": part.rows}),
        )

    def _removed(self, part: Part) -> RemoveAction:
        return RemoveAction(
            path=Path(part.path).relative_to(self.folder).as_posix(),
            data_change=True,
            deletion_timestamp=_now_ms(),
            size=part.size,
            partition_values=_values(part.month, part.layer),
        )


def forget_opened() -> None:
    """Open tables anew: what was committed here gave way to what another machine committed in its place."""
    _table_version.cache_clear()


def schema_of(source: Source) -> pa.Schema:
    """A source's columns as Delta and Arrow type them, and what tells its versions of a row apart."""
    fields = [pa.field(column.name, _ARROW.get(column.type) or _decimal(column.type)) for column in source.columns]
    return pa.schema([*fields, pa.field("pull", pa.int64()), pa.field("removed", pa.bool_())])


def _decimal(kind: str) -> pa.DataType:
    precision, scale = kind.removeprefix("DECIMAL(").removesuffix(")").split(",")
    return pa.decimal128(int(precision), int(scale))


def damaged(name: str, error: Exception) -> LakeDamagedError:
    """What a person is told when a part of the lake can't be read."""
    return LakeDamagedError(
        f"The table {name} of the lake can't be read.",
        why=f"{type(error).__name__}: {str(error).splitlines()[0] if str(error) else 'no message'}",
        fix="`sightline refresh --rebuild` makes the lake anew from the database; until then, old answers stay.",
    )


def _values(month: date | None, layer: str) -> dict[str, str | None]:
    return {"in_month": month.isoformat() if month else None, "in_layer": layer}


def _state(table: DeltaTable) -> dict[str, Any]:
    newest = table.history(1)[0]
    state: dict[str, Any] = json.loads(newest.get(_STATE, "{}"))
    return state


@lru_cache(maxsize=_OPENED)
def _table_version(folder: Path, version: int) -> TableVersion:
    try:
        table = DeltaTable(str(folder), version=version)
        return TableVersion(folder.name, version, _parts(folder, table))
    except (DeltaError, OSError, ValueError) as error:
        raise damaged(folder.name, error) from error


def _parts(folder: Path, table: DeltaTable) -> tuple[Part, ...]:
    actions = pa.table(table.get_add_actions(flatten=True))
    if not actions.num_rows:
        return ()
    columns = ("path", "num_records", "size_bytes", "partition.in_month", "partition.in_layer")
    return tuple(
        Part(str(folder / path), rows, size, month, layer)
        for path, rows, size, month, layer in zip(*(actions[name].to_pylist() for name in columns), strict=True)
    )


def _now_ms() -> int:
    return int(time.time() * 1000)
