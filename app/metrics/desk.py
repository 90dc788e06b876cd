"""The desk where questions are asked: checked, routed, compiled, and answered from one version of the lake."""

import threading
import time
from collections import OrderedDict
from collections.abc import Hashable, Iterator, Mapping, Sequence
from dataclasses import dataclass
from datetime import date
from functools import lru_cache
from typing import Any, Protocol
from uuid import UUID

import duckdb
import structlog

from app.access import Viewer
from app.lake.storage import damaged
from app.lake.versions import LakeVersion, TableVersion
from app.metrics.answer import Answer, table_of
from app.metrics.clerk import Told, rates_used, write
from app.metrics.compile import KEYS_FOUND, ROWS_READ, UNCONVERTED_FOUND, Compiled, Shape, compiled
from app.metrics.dimensions import BREAKDOWN_DIMENSIONS
from app.metrics.live import Live, live
from app.metrics.metric import Metric, Stock, permissions
from app.metrics.question import Checked, Question, check, outline
from app.metrics.rates import Rates
from app.metrics.reader import Reader
from app.metrics.reading import FX
from app.metrics.route import Held, route
from app.metrics.scope import Scope, relations, scope_of, workspace_codes
from app.metrics.shapes import Shape as RollupShape
from app.metrics.shapes import shapes
from app.metrics.shelves import BEGINNING, ROWS_IN_MEMORY, Shelves
from app.metrics.spans import Spans, spans
from app.metrics.values import refuse_unknown
from db.errors import SightlineError

_LOOK_AGAIN_SECONDS = 0.25
_BYTES_KEPT = 64_000_000
_ADS = "ad_days"
_APART = (ROWS_READ, UNCONVERTED_FOUND, KEYS_FOUND)


class Versions(Protocol):
    """Where versions come from; the lake is one."""

    @property
    def latest_number(self) -> int: ...
    def latest(self) -> LakeVersion: ...
    def at(self, number: int) -> LakeVersion: ...


@dataclass(frozen=True)
class _Plan:
    """Everything about a question that its outline decides."""

    shape: Shape
    compiled: Compiled


class Desk:
    """Answers any number of threads at once. Each answer is of one version, and the newest never goes back."""

    def __init__(
        self,
        lake: Versions,
        *,
        currency: str,
        rollup_shapes: Mapping[str, RollupShape] | None = None,
        rows_in_memory: int = ROWS_IN_MEMORY,
    ) -> None:
        self._lake = lake
        self._currency = currency
        self._shapes = rollup_shapes or shapes()
        self._shelves = Shelves(self._shapes, currency, rows_in_memory)
        self._kept = _Kept(_BYTES_KEPT)
        self._latest: LakeVersion | None = None
        self._looked_at = 0.0
        self._looking = threading.Lock()
        self._compiled = lru_cache(maxsize=2048)(compiled)
        self._planned = lru_cache(maxsize=2048)(self._plan)
        self._codes = lru_cache(maxsize=256)(self._workspace_codes)
        self._breakdowns = lru_cache(maxsize=16)(self._ad_breakdowns)

    def close(self) -> None:
        self._shelves.close()

    def version(self, number: int | None = None) -> LakeVersion:
        """The newest version, looked for a few times a second; or an earlier one."""
        if number is not None:
            return self._lake.at(number)
        if self._latest is None or time.monotonic() - self._looked_at > _LOOK_AGAIN_SECONDS:
            self._look()
        return self._latest or self._lake.latest()

    def ask(self, question: Question, viewer: Viewer) -> Answer:
        """The answer to one viewer: nothing in it comes from a workspace that is not theirs."""
        checked = check(question)
        _permit(checked.metrics, viewer)
        version = self.version(question.as_of)
        key = (question, viewer.workspaces, version.number)
        found = self._kept.get(key)
        if found is None:
            found = self._answer(checked, viewer, version)
            self._kept.put(key, found)
        return found

    def live(self, answer: Answer) -> Live:
        """The answer's question as Postgres can answer it now."""
        return live(answer.receipt, self._shelves.rates(self._at(answer.receipt.lake_version)))

    def _look(self) -> None:
        """One thread looks; the others go on with what is there."""
        if not self._looking.acquire(blocking=self._latest is None):
            return
        try:
            newest = self._lake.latest()
            if self._latest is None or newest.number > self._latest.number:
                self._latest = newest
        except SightlineError as error:
            # Old answers stay: what is held needs no file.
            if self._latest is None:
                raise
            structlog.get_logger().warning("The newest version of the lake can't be read.", error=str(error))
        finally:
            self._looked_at = time.monotonic()
            self._looking.release()

    def _answer(self, checked: Checked, viewer: Viewer, version: LakeVersion) -> Answer:
        started = time.perf_counter()
        days = spans(checked.question, version.data_through, version.zone)
        codes = self._codes(version.number, viewer.workspaces)
        with self._shelves.reading(version, relations(checked)) as reader:
            scope = scope_of(reader, codes, checked)
        lie = (days.is_year_earlier, days.is_one_pass)
        plan = self._planned(outline(checked), days.suffixes, lie, scope.is_run, version.number)
        rates = self._shelves.rates(version) if FX in plan.compiled.relations else None
        with self._shelves.reading(version, plan.compiled.relations, *_months(plan.shape, days)) as reader:
            parameters = self._parameters(plan, checked, days, scope, rates)
            names, types, rows = _run(reader, plan.compiled.sql, parameters)
            if not _first(names, rows, ROWS_READ):
                refuse_unknown(reader, plan.shape, checked, scope)
            used = rates_used(reader, plan.shape, days, parameters, rates) if rates else ()
        told = Told(
            plan.shape,
            plan.compiled,
            days,
            version,
            checked.question.compare,
            parameters,
            _first(names, rows, ROWS_READ),
            _first(names, rows, UNCONVERTED_FOUND),
            (time.perf_counter() - started) * 1000,
        )
        keys_found = _first(names, rows, KEYS_FOUND) if KEYS_FOUND in names else len(rows)
        table = table_of(names, types, rows).drop_columns([name for name in _APART if name in names])
        return Answer(table, checked.metrics, checked.by, keys_found, write(told, used))

    def _plan(
        self, outlined: Checked, suffixes: tuple[str, ...], lie: tuple[bool, bool], is_run: bool, number: int
    ) -> _Plan:
        version = self._at(number)
        splits_ads = not {dimension.name for dimension in outlined.asked}.isdisjoint(BREAKDOWN_DIMENSIONS)
        breakdowns = self._breakdowns(number) if splits_ads and _ADS in version.rollups else frozenset({"none"})
        parts = route(outlined, Held(self._shapes, _Sizes(version.rollups), breakdowns))
        shape = Shape(outlined, parts, suffixes, *lie, self._currency, is_run)
        return _Plan(shape, self._compiled(shape))

    def _at(self, number: int) -> LakeVersion:
        latest = self._latest
        return latest if latest is not None and latest.number == number else self._lake.at(number)

    def _workspace_codes(self, number: int, workspaces: frozenset[UUID]) -> tuple[int, ...]:
        with self._shelves.reading(self._at(number), {"workspaces"}) as reader:
            return workspace_codes(reader, workspaces)

    def _ad_breakdowns(self, number: int) -> frozenset[str]:
        with self._shelves.reading(self._at(number), {_ADS}) as reader:
            found = reader.execute(f"SELECT DISTINCT breakdown FROM {_ADS}").fetchall()  # noqa: S608 - our own name
        return frozenset(name for (name,) in found)

    def _parameters(
        self, plan: _Plan, checked: Checked, days: Spans, scope: Scope, rates: Rates | None
    ) -> dict[str, Any]:
        """Values by the names that the text gives them."""
        named: dict[str, Any] = {**days.parameters, **scope.parameters, "limit": checked.question.limit}
        if rates:
            named |= {"currency": self._currency, "last_rate_day": rates.last_day}
        return {name: value for name, value in named.items() if name in plan.compiled.parameters}


class _Sizes(Mapping[str, int]):
    """How many rows each rollup has; a table is opened when its size is asked for."""

    def __init__(self, tables: Mapping[str, TableVersion]) -> None:
        self._tables = tables

    def __getitem__(self, name: str) -> int:
        return self._tables[name].rows

    def __iter__(self) -> Iterator[str]:
        return iter(self._tables)

    def __len__(self) -> int:
        return len(self._tables)

    def __contains__(self, name: object) -> bool:
        return name in self._tables


class _Kept:
    """Answers by question, scope and version; those not asked for longest go first."""

    def __init__(self, most_bytes: int) -> None:
        self._most_bytes = most_bytes
        self._bytes = 0
        self._answers: OrderedDict[Hashable, Answer] = OrderedDict()
        self._lock = threading.Lock()

    def get(self, key: Hashable) -> Answer | None:
        with self._lock:
            found = self._answers.get(key)
            if found is not None:
                self._answers.move_to_end(key)
            return found

    def put(self, key: Hashable, answer: Answer) -> None:
        with self._lock:
            if key in self._answers:
                return
            self._answers[key] = answer
            self._bytes += _size(answer)
            while self._bytes > self._most_bytes:
                _, oldest = self._answers.popitem(last=False)
                self._bytes -= _size(oldest)


def _size(answer: Answer) -> int:
    # An answer of one row weighs its receipt.
    return int(answer.table.nbytes) + 4096


def _permit(metrics: Sequence[Metric], viewer: Viewer) -> None:
    for permission in sorted({permission for metric in metrics for permission in permissions(metric)}):
        viewer.require(permission)


def _months(shape: Shape, days: Spans) -> tuple[date, date]:
    """The days that any part reads; what is there at the end of a period began with the first."""
    since = min(span.since for span in days.listed)
    has_stock = any(part.kind is Stock for part in shape.parts)
    return (BEGINNING if has_stock else since), max(span.until for span in days.listed)


def _run(
    reader: Reader, text: str, parameters: Mapping[str, Any]
) -> tuple[list[str], list[str], list[tuple[Any, ...]]]:
    try:
        result = reader.execute(text, parameters)
        described = [(name, str(kind)) for name, kind, *_ in result.description]
        return [name for name, _ in described], [kind for _, kind in described], result.fetchall()
    except duckdb.IOException as error:
        # A rollup that is too large to be held is read from its files.
        raise damaged("that was asked for", error) from error


def _first(names: Sequence[str], rows: Sequence[Sequence[Any]], name: str) -> int:
    return int(rows[0][names.index(name)] or 0) if rows else 0
