"""What is there at the end of a period: the running sum of what came and went since the beginning."""

from collections.abc import Sequence

from sqlglot import exp

from app.metrics import sql
from app.metrics.metric import Stock
from app.metrics.parts import ROWS, Column, Query, Term, anything, count, needs_rates, terms
from app.metrics.reading import Reading, bucket, column
from app.metrics.sql import Expr

CALENDAR = "calendar"


def stocks(reading: Reading, asked: Sequence[Stock]) -> Query:
    listed = [Term(leaf.name, leaf.flows) for leaf in asked]
    columns, given = terms(reading, listed)
    grain = next((dimension.name for dimension in reading.by if dimension.is_bucket), None)
    keys = [_opened(reading, key) if key.alias == grain else key for key in reading.keys]
    flows = reading.select([*keys, *columns, count()], needs_rates=needs_rates(reading, listed), from_start=True)
    sql.grouped(flows, len(reading.by), anything(reading, listed))
    return (_running(reading, flows, grain, given) if grain else flows), given


def _opened(reading: Reading, key: Expr) -> Expr:
    """What came before the period stands in its first bucket."""
    day = reading.shown(sql.later(column("day"), reading.day("since")))
    return sql.named(bucket(key.alias, day), key.alias)


def _running(reading: Reading, flows: exp.Select, grain: str, given: Sequence[Column]) -> exp.Select:
    """The level at the end of every bucket, also of those in which nothing moved."""
    columns = (*given, Column(ROWS))
    moved = sql.select([*reading.names, *_plain(columns)], sql.table("flows"))
    both = sql.inside(sql.together([moved, _grid(reading, grain, columns)]), "every_step")
    stepped = [one.typed(sql.total(sql.column(one.name))) for one in columns]
    steps = sql.inside(sql.grouped(sql.select([*reading.names, *stepped], both), len(reading.by)), "steps")
    levels = [one.typed(_so_far(reading, sql.column(one.name), grain)) for one in given]
    moves = sql.named(_so_far(reading, _moves(given), grain), "moves")
    level = sql.inside(sql.select([*reading.names, *levels, sql.column(ROWS), moves], steps), "levels")
    query = sql.select([*reading.names, *_plain(columns)], level)
    query.set("where", exp.Where(this=sql.above(sql.column("moves"), sql.number(0))))
    flow = exp.CTE(this=flows, alias=exp.TableAlias(this=exp.to_identifier("flows")))
    query.set("with_", exp.With(expressions=[flow]))
    return query


def _grid(reading: Reading, grain: str, columns: Sequence[Column]) -> exp.Select:
    """Every key in every bucket, with no movement."""
    names = [dimension.name for dimension in reading.by]
    keys = [sql.column(name, "days" if name == grain else "known") for name in names]
    grid = sql.select([*keys, *(one.nothing for one in columns)], _days(reading, grain))
    others = [sql.column(name) for name in names if name != grain]
    if others:
        known = sql.select(others, sql.table("flows"))
        known.set("distinct", exp.Distinct())
        sql.join(grid, sql.inside(known, "known"), None)
    return grid


def _days(reading: Reading, grain: str) -> exp.Subquery:
    day = sql.column("day", CALENDAR)
    days = sql.select([sql.named(bucket(grain, reading.shown(day)), grain)], sql.table(CALENDAR))
    days.set("distinct", exp.Distinct())
    since = sql.at_least(sql.column("day", CALENDAR), reading.day("since"))
    until = sql.below(sql.column("day", CALENDAR), reading.day("until"))
    days.set("where", exp.Where(this=sql.every([since, until])))
    return sql.inside(days, "days")


def _so_far(reading: Reading, what: Expr, grain: str) -> Expr:
    keys = [sql.column(dimension.name) for dimension in reading.by if dimension.name != grain]
    return sql.running(what, keys, sql.column(grain))


def _moves(given: Sequence[Column]) -> Expr:
    """One for a step on which anything moved: before its first, a key is not shown."""
    moved = sql.some([sql.unequal(sql.column(one.name), sql.number(0)) for one in given])
    return sql.case([(moved, sql.number(1))], sql.number(0))


def _plain(columns: Sequence[Column]) -> list[Expr]:
    return [sql.column(one.name) for one in columns]
