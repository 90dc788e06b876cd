"""Brings rollups up to the sources: what touched units gave before is taken off, what they give now is added."""

import hashlib
from collections.abc import Callable, Iterator, Mapping, Sequence
from dataclasses import dataclass
from datetime import date
from pathlib import Path
from typing import Any

import duckdb

from app.lake.calendar import calendar_file
from app.lake.duck import literal, parquet
from app.lake.engine import Engine, Work
from app.lake.lake import Lake
from app.lake.pull import Progress
from app.lake.sources import SOURCES
from app.lake.state import Held, held
from app.lake.storage import NewFile, Opened, Table
from app.lake.versions import Part
from app.rollups import CALENDAR, Rollup

# ruff: noqa: S608 - the SQL is made of our own names and numbers

# A longer list of campaigns would be read as slowly as what it skips.
_MOST_BEGINNINGS = 1_000


@dataclass(frozen=True)
class Input:
    """A source between two pulls: as it was when a rollup last read it, and as it is."""

    name: str
    before: tuple[Part, ...]
    now: tuple[Part, ...]
    progress: Progress
    after: int

    @property
    def has_news(self) -> bool:
        return self.progress.pull > self.after

    @property
    def fresh(self) -> tuple[Part, ...]:
        """The files that came since then: whatever a later pull brought is in one of them."""
        there = frozenset(self.before)
        return tuple(part for part in self.now if part not in there)

    @property
    def touched(self) -> frozenset[date | None]:
        """Months that a pull since then wrote to."""
        return frozenset(month for month, kept in self.progress.months.items() if kept.pull > self.after)

    @property
    def replaced(self) -> frozenset[date | None]:
        """Months that were brought whole since then: nothing of what was there before stands."""
        return frozenset(month for month, kept in self.progress.months.items() if kept.replaced > self.after)


@dataclass(frozen=True)
class Sides:
    """A source's rows as SQL, of the rollup's units that were touched: as they are, and as they were."""

    now: str
    before: str | None
    files: Mapping[str, tuple[str, ...]]


# The files of a source as they were at a version of its table, which held this pull.
Earlier = Callable[[str, int, int], tuple[Part, ...]]


def rollup_table(lake: Lake, generation: int, rollup: Rollup, zone: str) -> Table:
    """Another text, other inputs or another zone make another table: it is filled from the start."""
    shape = "\n".join((rollup.sql, zone, *(SOURCES[name].digest for name in rollup.reads)))
    return lake.rollup(generation, rollup.name, hashlib.sha256(shape.encode()).hexdigest()[:8])


class Builder:
    """Brings rollups of one lake up to date, by one engine, for days of one zone."""

    def __init__(
        self, lake: Lake, engine: Engine, duck: duckdb.DuckDBPyConnection, *, zone: str, earlier: Earlier
    ) -> None:
        self._lake = lake
        self._engine = engine
        self._duck = duck
        self._zone = zone
        self._earlier = earlier
        self._found: dict[tuple[str, int, tuple[Part, ...]], Sides] = {}

    def bring(self, rollup: Rollup, table: Table, opened: Opened, sources: Mapping[str, Opened]) -> Opened:
        """Bring a rollup up to its sources; what was opened comes back where there was nothing to do."""
        progress = {name: Progress.of(sources[name]) for name in rollup.reads}
        state = {
            "inputs": {name: [sources[name].version, one.pull] for name, one in progress.items()},
            "made_from": {name: one.born for name, one in progress.items()},
        }
        if opened.state.get("made_from") != state["made_from"]:
            work = self._work(rollup, _everything(rollup, sources))
            return self._save(rollup, table, opened, work, state, is_whole=True)
        inputs = {name: self._input(name, sources[name], *opened.state["inputs"][name]) for name in rollup.reads}
        if not any(one.has_news for one in inputs.values()):
            return opened
        sides = self._unit_sides(rollup, inputs) if rollup.unit else self._row_sides(inputs)
        return self._save(rollup, table, opened, self._work(rollup, sides), state)

    def _input(self, name: str, now: Opened, version: int, pull: int) -> Input:
        progress = Progress.of(now)
        before = now.parts if progress.pull == pull else self._earlier(name, version, pull)
        return Input(name, before, now.parts, progress, pull)

    def _row_sides(self, inputs: Mapping[str, Input]) -> dict[str, Sides]:
        """Each row stands for itself: what later pulls brought, and what they hid, of all tables or of none."""
        sides = {name: self._changed(one) for name, one in inputs.items()}
        if not any(side.before for side in sides.values()):
            return sides
        return {name: side if side.before else _hiding_nothing(name, side) for name, side in sides.items()}

    def _changed(self, one: Input) -> Sides:
        """What was changed is looked for among all rows of its months, so it is found once for all its rollups."""
        key = (one.name, one.after, one.before)
        if key not in self._found:
            self._found[key] = self._in_files(one.name, self._changed_rows(one))
        return self._found[key]

    def _in_files(self, name: str, sides: Sides) -> Sides:
        """Where nothing had to be looked for, the rows are read from where they are."""
        if sides.before is None:
            return sides
        now, before = f"now_{name}_found", f"before_{name}_found"
        number = len(self._found)
        files = {
            now: (str(self._kept(f"{number}-{now}", Work(sides.now, self._zone, sides.files))),),
            before: (str(self._kept(f"{number}-{before}", Work(sides.before, self._zone, sides.files))),),
        }
        return Sides(f"SELECT * FROM {now}", f"SELECT * FROM {before}", files)

    def _changed_rows(self, one: Input) -> Sides:
        source = SOURCES[one.name]
        now = held(source, one.fresh, "now")
        hidden = held(source, one.before, "hidden", one.touched - one.replaced)
        dropped = held(source, one.before, "dropped", one.replaced)
        marks = held(source, one.fresh, "marks", one.touched - one.replaced)
        is_hiding = bool(hidden.files and marks.changes)
        before = [_hidden(hidden, marks, one.after, self._beginnings(marks, one.after))] if is_hiding else []
        before += [dropped.live()] if dropped.files else []
        files = {**now.files, **hidden.files, **dropped.files, **marks.files}
        return Sides(
            f"SELECT r.* FROM ({now.live()}) AS r WHERE r.pull > {one.after}", " UNION ALL ".join(before) or None, files
        )

    def _beginnings(self, marks: Held, after: int) -> list[int]:
        """With what the keys begin that were touched, where files are in that order: the rest of a month is skipped."""
        beginning, *others = marks.source.key
        if not (others and beginning in marks.source.order):
            return []
        asked = f"SELECT DISTINCT {beginning} FROM {parquet(marks.changes)} WHERE pull > {after}"
        found = self._duck.execute(f"{asked} LIMIT {_MOST_BEGINNINGS + 1}").fetchall()
        return sorted(code for (code,) in found) if len(found) <= _MOST_BEGINNINGS else []

    def _unit_sides(self, rollup: Rollup, inputs: Mapping[str, Input]) -> dict[str, Sides]:
        """All rows of the units of which any row was touched, in any of the tables that the rollup reads."""
        units = self._touched_units(rollup, inputs)
        sides = {}
        for name, one in inputs.items():
            now, before = held(SOURCES[name], one.now, "now"), held(SOURCES[name], one.before, "before")
            own = rollup.unit[name]
            same = " AND ".join(f"u.unit_{n} IS NOT DISTINCT FROM r.{column}" for n, column in enumerate(own))
            of_units = "SELECT r.* FROM ({}) AS r JOIN touched_units AS u ON " + same
            sides[name] = Sides(
                of_units.format(now.live()),
                of_units.format(before.live()),
                {**now.files, **before.files, "touched_units": (str(units),)},
            )
        return sides

    def _touched_units(self, rollup: Rollup, inputs: Mapping[str, Input]) -> Path:
        selects: list[str] = []
        files: dict[str, tuple[str, ...]] = {}
        for name, one in inputs.items():
            rows = self._changed_rows(one)
            columns = ", ".join(f"{column} AS unit_{n}" for n, column in enumerate(rollup.unit[name]))
            # Each unit once, or the rows that are joined to it would count as often: a single SELECT meets no UNION.
            selects += [f"SELECT DISTINCT {columns} FROM ({side}) AS r" for side in (rows.now, rows.before) if side]
            files.update(rows.files)
        return self._kept(f"{rollup.name}-units", Work(" UNION ".join(selects), self._zone, files))

    def _kept(self, name: str, work: Work) -> Path:
        """An engine's answer in a file for the texts that follow: an engine on another machine reads it too."""
        path = self._lake.scratch / f"{name}.parquet"
        path.parent.mkdir(parents=True, exist_ok=True)
        self._duck.register("kept", self._engine.answer(work))
        self._duck.execute(f"COPY kept TO {literal(str(path))} (FORMAT parquet)")
        self._duck.unregister("kept")
        return path

    def _work(self, rollup: Rollup, sides: Mapping[str, Sides]) -> Work:
        files: dict[str, tuple[str, ...]] = {}
        for side in sides.values():
            files.update(side.files)
        calendar = {CALENDAR: (str(calendar_file(self._lake.folder, self._zone)),)} if rollup.uses_calendar else {}
        sql = _over(rollup, {name: side.now for name, side in sides.items()}, sign="")
        before = {name: side.before for name, side in sides.items() if side.before}
        if before:
            sql += " UNION ALL " + _over(rollup, before, sign="-")
        return Work(sql, self._zone, {**files, **calendar})

    def _save(
        self, rollup: Rollup, table: Table, opened: Opened, work: Work, state: dict[str, Any], *, is_whole: bool = False
    ) -> Opened:
        """Write what an engine answers, month by month, and commit it with what it was made from."""
        self._duck.register("answered", self._engine.answer(work))
        self._duck.execute("CREATE OR REPLACE TEMP TABLE answer AS SELECT * FROM answered")
        self._duck.unregister("answered")
        types = dict(self._duck.execute("SELECT column_name, column_type FROM (DESCRIBE answer)").fetchall())
        adds = list(self._month_files(rollup, table, types))
        nothing = self._duck.sql("SELECT * FROM answer LIMIT 0").to_arrow_table()
        return table.commit(opened, nothing.schema, adds=adds, removes=opened.parts if is_whole else (), state=state)

    def _month_files(self, rollup: Rollup, table: Table, types: Mapping[str, str]) -> Iterator[NewFile]:
        months = self._duck.execute("SELECT DISTINCT CAST(DATE_TRUNC('month', day) AS DATE) FROM answer").fetchall()
        for (month,) in months:
            path = table.new_path(month)
            copying = f"COPY ({summed(rollup, types, month, 'answer')}) TO {literal(str(path))}"
            (written,) = self._duck.execute(f"{copying} (FORMAT parquet, COMPRESSION zstd)").fetchall()[0]
            if written:
                yield NewFile(path, month)
            else:
                path.unlink()


def summed(rollup: Rollup, types: Mapping[str, str], month: date, relation: str) -> str:
    """Rows of a month with their measures summed; what adds up to nothing is left out."""
    grain = ", ".join(rollup.grain)
    sums = ", ".join(f"CAST(SUM({measure}) AS {types[measure]}) AS {measure}" for measure in rollup.measures)
    something = " OR ".join(f"SUM({measure}) <> 0" for measure in rollup.measures)
    return (
        f"SELECT {grain}, {sums} FROM {relation} WHERE DATE_TRUNC('month', day) = DATE '{month}'"
        f" GROUP BY {grain} HAVING {something} ORDER BY {grain}"
    )


def _everything(rollup: Rollup, sources: Mapping[str, Opened]) -> dict[str, Sides]:
    whole = {name: held(SOURCES[name], sources[name].parts, "now") for name in rollup.reads}
    return {name: Sides(one.live(), None, one.files) for name, one in whole.items()}


def _hiding_nothing(name: str, side: Sides) -> Sides:
    return Sides(side.now, held(SOURCES[name], (), "hidden").live(), side.files)


def _over(rollup: Rollup, tables: Mapping[str, str], *, sign: str) -> str:
    """The rollup's text over these rows in place of its tables."""
    ctes = ", ".join(f"{name} AS ({sql})" for name, sql in tables.items())
    measures = ", ".join(f"{sign}{measure} AS {measure}" for measure in rollup.measures)
    listed = ", ".join((*rollup.grain, measures))
    return f"SELECT {listed} FROM (WITH {ctes} SELECT * FROM ({rollup.sql}) AS result) AS answered"


def _hidden(hidden: Held, marks: Held, after: int, among: Sequence[int]) -> str:
    same = " AND ".join(f"m.{key} = r.{key}" for key in hidden.source.key)
    return f"SELECT r.* FROM ({hidden.live(among=among)}) AS r JOIN ({marks.touched(after)}) AS m ON {same}"
