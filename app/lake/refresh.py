"""One refresh: pull what changed, bring the rollups up to it, and publish both as one version."""

import time
from collections.abc import Callable, Iterator, Mapping, Sequence
from contextlib import contextmanager
from dataclasses import dataclass, replace
from datetime import UTC, date, datetime
from pathlib import Path
from typing import Any

import duckdb
import psycopg
import structlog

from app.lake import duck
from app.lake.build import Builder, rollup_table
from app.lake.compact import fold_rollup, fold_source, months_to_fold
from app.lake.duck import DuckEngine
from app.lake.engine import Engine
from app.lake.lake import Lake, places
from app.lake.origin import Database, Origin
from app.lake.pull import Copy, Progress, Pull, lost_witness
from app.lake.sources import SOURCES
from app.lake.storage import Opened, Table, damaged, schema_of
from app.lake.sweep import sweep
from app.lake.versions import Part
from app.rollups import rollups
from db.errors import SightlineError

_LOCK = 7_316_205_123
_LOCK_SECONDS = 30
_LOCK_PAUSE_SECONDS = 0.2
# Deletions are remembered by the database for thirty days: a lake that slept longer can't know what it missed.
_MEMORY_DAYS = 29
# A first load is kept after so many rows: a stop costs no more.
_BATCH_ROWS = 1_000_000

# What DuckDB says of files that are missing, cut off or no Parquet.
_UNREADABLE = (duckdb.IOException, duckdb.InvalidInputException, duckdb.SerializationException)

# Told of each step: its name, how much is done, and how much there is.
Told = Callable[[str, int, int], None]


def quietly(_step: str, _done: int, _total: int) -> None:
    """Tell nobody."""


@dataclass(frozen=True)
class Outcome:
    """What a refresh did. Without news the version is the one that was there."""

    version: int
    is_new: bool
    data_through: datetime
    seconds: float


@dataclass(frozen=True)
class Place:
    """A lake, the database that fills it, and the one that says who may write (the same, unless a replica fills it)."""

    lake: Lake
    read_url: str
    lock_url: str
    zone: str


class Refresher:
    """Refreshes one lake again and again; what it knows of the tables it reads once."""

    def __init__(self, place: Place, engine: Engine | None = None) -> None:
        self._place = place
        self._lake = place.lake
        self._engine = engine or DuckEngine(place.lake.scratch)
        self._database = Database(place.read_url)
        self._known: dict[Path, Opened] = {}
        self._digests: dict[str, bytes] = {}
        self._price_book: int | None = None
        # The version that the lake had when this process was done with it.
        self._left_at = 0
        # Which tables are written to; it may change between two turns alone.
        self._generation = place.lake.generation
        self._still_alone: Callable[[], None] = lambda: None
        # When everything below a transaction was seen to be finished: (when, transaction).
        self._seen: list[tuple[datetime, int]] = []

    @property
    def lake(self) -> Lake:
        return self._lake

    def close(self) -> None:
        """Give the connection back; the next refresh opens another."""
        self._database.close()

    def refresh(self, told: Told = quietly) -> Outcome:
        """Bring the lake up to the database. Interrupted anywhere, it loses nothing and goes on from there."""
        with self._turn():
            return self._bring(told)

    def rebuild(self, told: Told = quietly) -> Outcome:
        """Make all tables anew beside those that are there; until that is done, these are read."""
        with self._turn():
            self._lake.begin_generation()
            self._generation = self._lake.generation
            return self._bring(told)

    def _bring(self, told: Told) -> Outcome:
        started = time.monotonic()
        self._load_missing(told)
        with duck.connect(self._lake.scratch, "UTC") as connection:
            through, sources = self._pull(connection, told)
            made = self._build(connection, sources, told)
        version, is_new = self._publish(through, sources, made)
        self._left_at = version
        return Outcome(version, is_new, through, time.monotonic() - started)

    def tidy(self) -> bool:
        """Fold scattered files; says whether there was anything to fold. What the tables tell stays the same."""
        if not self._is_scattered():
            return False
        with self._turn(), duck.connect(self._lake.scratch, "UTC") as connection:
            if not (self._is_scattered() and self._is_published()):
                return False
            tables, made = [self._source_table(name) for name in SOURCES], self._made()
            for name, table in zip(SOURCES, tables, strict=True):
                fold_source(SOURCES[name], table, self._open(table), connection)
            for name, table in made.items():
                fold_rollup(rollups()[name], table, self._open(table), connection)
            sources = {name: self._open(table) for name, table in zip(SOURCES, tables, strict=True)}
            published = self._lake.latest()
            self._price_book = published.price_book_version
            self._left_at, _ = self._publish(self._lake.complete_through or published.data_through, sources, made)
        return True

    def _tables(self) -> list[Table]:
        return [*(self._source_table(name) for name in SOURCES), *self._made().values()]

    def _is_scattered(self) -> bool:
        return any(months_to_fold(self._open(table).parts) for table in self._tables())

    def _is_published(self) -> bool:
        """Whether nothing was committed since the newest version: what a dead refresh left is for the next one."""
        number = self._lake.latest_number
        published = places(self._lake.read(number)) if number else {}
        return all(published.get(self._place_of(table)) == self._open(table).version for table in self._tables())

    def sweep(self) -> dict[str, int]:
        """Thin out old versions and delete what nobody needs."""
        return sweep(self._lake, alone=self._turn)

    @contextmanager
    def _turn(self) -> Iterator[None]:
        """Write alone, on top of what was published last; what another machine changed is read again."""
        with writing(self._place.lock_url) as still_alone, _explained():
            self._still_alone = still_alone
            self._lake.catch_up()
            self._generation = self._lake.generation
            if self._lake.latest_number != self._left_at:
                self._known.clear()
                self._digests.clear()
            yield

    def _load_missing(self, told: Told) -> None:
        """What is not in the lake yet and is much: batch by batch, each in a short snapshot of its own, and kept."""
        missing = self._missing()
        total = sum(rows for *_, rows in missing)
        if total < _BATCH_ROWS:
            return  # The pull that follows takes it along.
        done = 0
        with duck.connect(self._lake.scratch, "UTC") as connection:
            for name, months, rows in missing:
                told("Copying", done, total)
                with self._database.snapshot() as database:
                    copy = self._begin(name)
                    still_there = [month for month in months if month in database.files[name]]
                    Pull(database, connection, self._next_pull()).whole(copy, still_there)
                    self._commit(copy)
                done += rows
        told("Copying", total, total)

    def _missing(self) -> list[tuple[str, list[date | None], int]]:
        """Batches of months, with about how many rows each has."""
        batches = []
        through = self._lake.complete_through
        with self._database.snapshot() as database:
            has_slept = through is not None and (database.at - through).days > _MEMORY_DAYS
            for name in SOURCES:
                if not SOURCES[name].is_stamped:
                    continue
                copy = self._begin(name)
                self._doubt(copy, database, has_slept=has_slept)
                stored = database.files[name]
                batches += [
                    (name, months, sum(stored[month].rows for month in months))
                    for months in _batched({m: stored[m].rows for m in copy.stale(stored, database.identity)})
                ]
        return batches

    def _doubt(self, copy: Copy, database: Origin, *, has_slept: bool) -> None:
        """A database that was set back, or that we have not asked for too long, is compared whole."""
        if not copy.opened.exists or not (has_slept or lost_witness(copy, database)):
            return
        structlog.get_logger().warning("A table is compared with the database row by row.", table=copy.source.name)
        copy.progress.months = {
            month: kept if kept.is_gone else replace(kept, of="", watermark=0)
            for month, kept in copy.progress.months.items()
        }
        copy.progress.witness = None
        copy.is_touched = True
        self._commit(copy)

    def _pull(self, connection: duckdb.DuckDBPyConnection, told: Told) -> tuple[datetime, dict[str, Opened]]:
        """All tables in one snapshot: what they tell belongs together."""
        with self._database.snapshot() as database:
            pull = Pull(database, connection, self._next_pull())
            copies = [self._begin(name) for name in SOURCES]
            by_name = {copy.source.name: copy for copy in copies}
            codes = {name: [part.path for part in by_name[name].opened.parts] for name in ("campaigns", "contacts")}
            news = database.newest(
                {
                    name: (copy.progress.watermark, copy.progress.tombstones)
                    for name, copy in by_name.items()
                    if copy.source.is_stamped
                }
            )
            for done, copy in enumerate(copies):
                told("Pulling", done, len(copies))
                self._pull_one(pull, copy, news.get(copy.source.name), codes)
            told("Pulling", len(copies), len(copies))
            through = self._complete_through(database)
            self._price_book = database.price_book()
        return through, {name: self._open(copy.table) for name, copy in by_name.items()}

    def _pull_one(
        self, pull: Pull, copy: Copy, news: tuple[int, int] | None, codes: Mapping[str, Sequence[str]]
    ) -> None:
        name = copy.source.name
        digest = pull.origin.digest(copy.source) if news is None else b""
        if digest and self._digests.get(name) == digest and copy.opened.exists:
            return
        pull.whole(copy, copy.stale(pull.origin.files[name], pull.origin.identity))
        pull.drop_gone(copy)
        if news is not None:
            pull.news(copy, *news, codes)
        self._commit(copy)
        self._digests[name] = digest

    def _build(
        self, connection: duckdb.DuckDBPyConnection, sources: Mapping[str, Opened], told: Told
    ) -> dict[str, Table]:
        builder = Builder(self._lake, self._engine, connection, zone=self._place.zone, earlier=self._earlier())
        made = self._made()
        for done, (name, table) in enumerate(made.items()):
            told("Rollups", done, len(made))
            self._known[table.folder] = builder.bring(rollups()[name], table, self._open(table), sources)
        told("Rollups", len(made), len(made))
        return made

    def _made(self) -> dict[str, Table]:
        return {
            name: rollup_table(self._lake, self._generation, rollup, self._place.zone)
            for name, rollup in rollups().items()
        }

    def _earlier(self) -> Callable[[str, int, int], tuple[Part, ...]]:
        published = self._published_pulls()

        def parts(name: str, version: int, pull: int) -> tuple[Part, ...]:
            """Compaction makes other files of the same rows: the published version is the one that is surely kept."""
            kept_version, kept_pull = published.get(name, (version, pull))
            return self._source_table(name).at(kept_version if kept_pull == pull else version).parts

        return parts

    def _published_pulls(self) -> dict[str, tuple[int, int]]:
        number = self._lake.latest_number
        written: dict[str, Any] = self._lake.read(number) if number else {"generation": 0}
        if written["generation"] != self._generation:
            return {}
        return {
            name: (version, pull)
            for name, (place, version, pull) in written["sources"].items()
            if place == self._place_of(self._source_table(name))
        }

    def _publish(self, through: datetime, sources: Mapping[str, Opened], made: Mapping[str, Table]) -> tuple[int, bool]:
        self._still_alone()
        content: dict[str, Any] = {
            "generation": self._generation,
            "zone": self._place.zone,
            "price_book_version": self._price_book,
            "machine_rules_version": Progress.of(sources["email_events"]).machine_rules,
            "sources": {
                name: [self._place_of(self._source_table(name)), opened.version, Progress.of(opened).pull]
                for name, opened in sources.items()
            },
            "rollups": {name: [self._place_of(table), self._open(table).version] for name, table in made.items()},
        }
        number = self._lake.latest_number
        before = self._lake.read(number) if number else {}
        if all(before.get(key) == value for key, value in content.items()):
            self._lake.confirm(number, through)
            return number, False
        times = {"data_through": through.isoformat(), "loaded_at": datetime.now(UTC).isoformat()}
        return self._lake.publish(content | times), True

    def _complete_through(self, database: Origin) -> datetime:
        """Everything committed up to this moment is in, although somebody may still be writing."""
        self._seen.append((database.at, database.ceiling))
        finished = [(at, ceiling) for at, ceiling in self._seen if ceiling <= database.horizon]
        if not finished:
            return self._lake.complete_through or database.at
        self._seen = [seen for seen in self._seen if seen >= finished[-1]]
        return finished[-1][0].astimezone(UTC)

    def _begin(self, name: str) -> Copy:
        table = self._source_table(name)
        opened = self._open(table)
        return Copy(SOURCES[name], table, opened, Progress.of(opened))

    def _commit(self, copy: Copy) -> None:
        self._known[copy.table.folder] = copy.commit(schema_of(copy.source))

    def _open(self, table: Table) -> Opened:
        known = self._known.get(table.folder)
        if known is None or not table.is_newest(known):
            known = self._known[table.folder] = table.open()
        return known

    def _next_pull(self) -> int:
        return 1 + max(Progress.of(self._open(self._source_table(name))).pull for name in SOURCES)

    def _source_table(self, name: str) -> Table:
        return self._lake.source(self._generation, name, SOURCES[name].digest)

    def _place_of(self, table: Table) -> str:
        return table.folder.relative_to(self._lake.folder).as_posix()


def _batched(rows: Mapping[date | None, int]) -> Iterator[list[date | None]]:
    """Months in their order, as many at a time as make a batch."""
    batch: list[date | None] = []
    held = 0
    for month in sorted(rows, key=str):
        if batch and held + rows[month] > _BATCH_ROWS:
            yield batch
            batch, held = [], 0
        batch.append(month)
        held += rows[month]
    if batch:
        yield batch


@contextmanager
def writing(url: str) -> Iterator[Callable[[], None]]:
    """Only one refresh writes at a time, whichever machine it runs on; the lock goes with its process.

    What is given refuses to go on when the lock was lost with its connection: another refresh may have begun.
    """
    with psycopg.connect(url, autocommit=True) as connection:
        deadline = time.monotonic() + _LOCK_SECONDS
        while connection.execute("SELECT pg_try_advisory_lock(%s)", (_LOCK,)).fetchone() != (True,):
            if time.monotonic() > deadline:
                raise SightlineError(
                    "The lake is being written by another refresh.",
                    why=f"It has gone on for more than {_LOCK_SECONDS} seconds, as a first load or a rebuild does.",
                    fix="Wait until it is done; the worker of a running Sightline refreshes by itself.",
                )
            time.sleep(_LOCK_PAUSE_SECONDS)

        def still_alone() -> None:
            try:
                connection.execute("SELECT 1")
            except psycopg.OperationalError as error:
                raise SightlineError(
                    "The refresh lost its right to write, and published nothing.",
                    why=f"The connection that held it ended: {str(error).splitlines()[0]}",
                    fix="Nothing is lost: the next refresh goes on where this one stopped.",
                ) from error

        yield still_alone


@contextmanager
def _explained() -> Iterator[None]:
    """What files and disks do, in sentences; nothing that was published is touched by it."""
    try:
        yield
    except _UNREADABLE as error:
        if "No space left" in str(error):
            raise _unwritable("No space left on device") from error
        raise damaged("that was read or written last", error) from error
    except duckdb.Error as error:
        raise SightlineError(
            "The lake could not be brought up to the database.",
            why=f"DuckDB says: {str(error).splitlines()[0]}",
            fix="Run `sightline refresh` again: it goes on where it stopped. If memory was short, end what else runs.",
        ) from error
    except OSError as error:
        raise _unwritable(error.strerror or str(error)) from error


def _unwritable(reason: str) -> SightlineError:
    return SightlineError(
        "The lake could not be written.",
        why=f"The system says: {reason}.",
        fix="Make room or mend the disk, then run `sightline refresh` again: it goes on where it stopped.",
    )
