"""A question as SQL: for each rollup and span one query, put together by key, and rates divided last.

The text names rollups and lookups by their plain names: DuckDB reads them from a version of the lake, Postgres from
the same relations made anew of its tables.
"""

from collections.abc import Iterable, Mapping, Sequence
from dataclasses import dataclass, field
from functools import cached_property, reduce
from typing import cast

from sqlglot import exp

from app.metrics import sql
from app.metrics.arithmetic import FIGURES, UNCONVERTED, figure
from app.metrics.metric import Metric, People, Percentile, Single, Stock, Sum, Unit
from app.metrics.parts import ROWS, Column, Query, people, percentiles, sums
from app.metrics.question import Checked
from app.metrics.reading import Reading
from app.metrics.route import Part
from app.metrics.spans import BEFORE, COMPLETE, NOW
from app.metrics.sql import Expr
from app.metrics.stocks import stocks

ROWS_READ, KEYS_FOUND, UNCONVERTED_FOUND = "_rows_read", "_keys_found", "_unconverted"
_COMPARED = "compared"


@dataclass(frozen=True)
class Shape:
    """All of a question that its text depends on; days and values are parameters."""

    checked: Checked
    parts: tuple[Part, ...]
    suffixes: tuple[str, ...]
    is_year_earlier: bool
    is_one_pass: bool
    currency: str
    is_run: bool


@dataclass(frozen=True)
class Compiled:
    """A text for DuckDB, and the relations and parameters that it names."""

    shape: Shape = field(repr=False)
    sql: str
    relations: frozenset[str]
    parameters: frozenset[str]

    @cached_property
    def readable(self) -> str:
        """The same text, laid out for people."""
        return _question(self.shape).sql(dialect="duckdb", pretty=True)

    @cached_property
    def postgres(self) -> str:
        """The same question to Postgres, with parameters as psycopg names them."""
        return _question(self.shape).sql(dialect="postgres", pretty=True)


def compiled(shape: Shape) -> Compiled:
    """The text of a question's shape."""
    tree = _question(shape)
    made = {cte.alias for cte in tree.find_all(exp.CTE)}
    names = frozenset(table.name for table in tree.find_all(exp.Table)) - made
    return Compiled(shape, tree.sql(dialect="duckdb", copy=False), names, parameters_of(tree))


def parameters_of(tree: exp.Expression) -> frozenset[str]:
    return frozenset(placeholder.name for placeholder in tree.find_all(exp.Placeholder))


def _question(shape: Shape) -> exp.Select:
    read = {
        f"{_name(part)}{suffixes[0]}": _part(shape, part, suffixes)
        for part in shape.parts
        for suffixes in _passes(shape, part)
    }
    figures = _joined(shape, {name: columns for name, (_, columns) in read.items()})
    answer = _labelled(shape, figures)
    apart = {ROWS_READ: sql.column(ROWS, FIGURES), UNCONVERTED_FOUND: _without_rate(read.values())}
    if BEFORE in shape.suffixes:
        for name, counted in apart.items():
            answer.append("expressions", sql.named(counted, name))
        answer = _with_changes(shape, answer)
        apart = {name: sql.column(name, _COMPARED) for name in apart}
    answer = _bounded(shape, answer, apart)
    parts = [
        exp.CTE(this=query, alias=exp.TableAlias(this=exp.to_identifier(name))) for name, (query, _) in read.items()
    ]
    answer.set("with_", exp.With(expressions=parts))
    return answer


def _name(part: Part) -> str:
    return f"{part.shape.name}_{part.kind.__name__.lower()}"


def _passes(shape: Shape, part: Part) -> list[tuple[str, ...]]:
    """Sums tell the spans apart row by row; what is worked out of whole spans reads each by itself."""
    if shape.is_one_pass and part.kind in {Sum, People}:
        return [shape.suffixes]
    return [(suffix,) for suffix in shape.suffixes]


def reading_of(shape: Shape, part: Part, suffixes: tuple[str, ...] = (NOW,)) -> Reading:
    return Reading(
        part=part,
        by=shape.checked.by,
        where=shape.checked.where,
        suffixes=suffixes,
        is_year_earlier=shape.is_year_earlier,
        currency=shape.currency,
        is_converted=is_converted(shape.checked),
        is_run=shape.is_run,
    )


def _part(shape: Shape, part: Part, suffixes: tuple[str, ...]) -> Query:
    reading = reading_of(shape, part, suffixes)
    if part.kind is People:
        return people(reading, cast("tuple[People, ...]", part.leaves))
    if part.kind is Percentile:
        return percentiles(reading, cast("tuple[Percentile, ...]", part.leaves))
    if part.kind is Stock:
        return stocks(reading, cast("tuple[Stock, ...]", part.leaves))
    return sums(reading, cast("tuple[Sum | Single, ...]", part.leaves))


def is_converted(checked: Checked) -> bool:
    """Split by currency, amounts are shown in their own."""
    return all(dimension.name != "currency" for dimension in checked.by)


def _joined(shape: Shape, read: dict[str, tuple[Column, ...]]) -> Expr:
    """All parts as one relation with a row per key. A union adds up where a join would stumble over missing keys."""
    keys = [dimension.name for dimension in shape.checked.by]
    if len(read) == 1:
        return sql.table(next(iter(read)), FIGURES)
    everything = tuple(column for columns in read.values() for column in columns)
    union = sql.together([_branch(name, keys, columns, everything) for name, columns in read.items()])
    rows = Column(ROWS).typed(sql.total(sql.column(ROWS)))
    columns = [*map(sql.column, keys), *map(_together, everything), rows]
    return sql.inside(sql.grouped(sql.select(columns, sql.inside(union, "parts")), len(keys)), FIGURES)


def _branch(name: str, keys: Sequence[str], own: Sequence[Column], everything: Sequence[Column]) -> exp.Select:
    there = set(own)
    columns = [sql.column(column.name) if column in there else column.nothing for column in everything]
    return sql.select([*map(sql.column, keys), *columns, sql.column(ROWS)], sql.table(name))


def _together(column: Column) -> Expr:
    this = sql.column(column.name)
    return column.typed(sql.total(this) if column.is_sum else exp.Max(this=this))


def _labelled(shape: Shape, figures: Expr) -> exp.Select:
    answer = sql.select([], figures)
    for dimension in shape.checked.by:
        key = sql.column(dimension.name, FIGURES)
        if dimension.label is None:
            answer.append("expressions", sql.named(key, dimension.name))
            continue
        label, alias = dimension.label, f"{dimension.name}_label"
        answer.append("expressions", sql.named(sql.column(label.shown, alias), dimension.name))
        answer.append("expressions", sql.named(sql.column(label.name, alias), f"{dimension.name}_name"))
        sql.join(answer, sql.table(label.lookup, alias), sql.equal(sql.column(label.key, alias), key), side="LEFT")
    for metric in shape.checked.metrics:
        for column in _columns(shape, metric):
            answer.append("expressions", column)
    return answer


def _without_rate(read: Iterable[Query]) -> Expr:
    """How many amounts of the period had no rate."""
    names = [column.name for _, columns in read for column in columns if column.name.endswith(UNCONVERTED)]
    return reduce(sql.plus, (sql.column(name, FIGURES) for name in names)) if names else sql.number(0)


def _columns(shape: Shape, metric: Metric) -> list[Expr]:
    """The figure; when it is compared also that of complete days, and that of the days before."""
    found = [sql.named(figure(metric, NOW), metric.name)]
    if BEFORE in shape.suffixes:
        complete = COMPLETE if COMPLETE in shape.suffixes else NOW
        found.append(sql.named(figure(metric, complete), f"{metric.name}_complete"))
        found.append(sql.named(figure(metric, BEFORE), f"{metric.name}_before"))
    return found


def _with_changes(shape: Shape, answer: exp.Select) -> exp.Select:
    """Each figure beside its change, from the complete days to the days before."""
    changes = {f"{metric.name}_before": metric for metric in shape.checked.metrics}
    columns: list[Expr] = []
    for name in answer.named_selects:
        if name in {ROWS_READ, UNCONVERTED_FOUND}:
            continue
        columns.append(sql.named(sql.column(name, _COMPARED), name))
        if name in changes:
            columns.append(sql.named(_change(changes[name]), f"{changes[name].name}_change"))
    return sql.select(columns, sql.inside(answer, _COMPARED))


def _change(metric: Metric) -> Expr:
    """Of a percentage the difference; of anything else the part by which it grew."""
    complete, before = (sql.column(f"{metric.name}_{which}", _COMPARED) for which in ("complete", "before"))
    difference = sql.minus(complete, before)
    if metric.unit is Unit.PERCENT:
        return difference
    return sql.over(sql.cast(exp.Paren(this=difference), "DOUBLE"), exp.Abs(this=before.copy()))


def _bounded(shape: Shape, answer: exp.Select, apart: Mapping[str, Expr]) -> exp.Select:
    names = answer.named_selects
    for name, counted in apart.items():
        whole = exp.Window(this=sql.total(counted)) if shape.checked.by else counted
        answer.append("expressions", Column(name).typed(whole))
    if not shape.checked.by:
        return answer
    answer.append("expressions", sql.named(exp.Window(this=sql.rows()), KEYS_FOUND))
    answer.set("order", exp.Order(expressions=_order(shape.checked, names)))
    if shape.checked.question.limit is not None:
        answer.set("limit", exp.Limit(expression=sql.parameter("limit", "BIGINT")))
    return answer


def _order(checked: Checked, names: Sequence[str]) -> list[Expr]:
    """What was asked for; else time onwards, or the largest first. Ties stand in the order of their keys."""
    first = checked.question.order or (checked.bucket.name if checked.bucket else f"-{checked.metrics[0].name}")
    column = _canonical(checked, first.removeprefix("-"))
    keys = [dimension.name for dimension in checked.by if dimension.name != column]
    down = first.startswith("-")
    return [_ordered(names.index(column), is_down=down), *(_ordered(names.index(key), is_down=False) for key in keys)]


def _canonical(checked: Checked, name: str) -> str:
    """An alias orders by its metric."""
    return next((metric.name for metric in checked.metrics if name in metric.aliases), name)


def _ordered(place: int, *, is_down: bool) -> Expr:
    return exp.Ordered(this=sql.number(place + 1), desc=is_down, nulls_first=False)
