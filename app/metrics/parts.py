"""The query of one rollup: of sums, of people, and of percentiles."""

from collections.abc import Sequence
from dataclasses import dataclass
from itertools import product

from sqlglot import exp

from app.metrics import sql
from app.metrics.arithmetic import UNCONVERTED
from app.metrics.metric import People, Percentile, Single, Sum
from app.metrics.reading import Reading, column, only
from app.metrics.sql import Expr

ROWS = "rows_read"


@dataclass(frozen=True)
class Column:
    """A column that a part gives to the answer."""

    name: str
    is_whole: bool = True
    is_sum: bool = True

    @property
    def nothing(self) -> Expr:
        """What stands there in rows of other parts."""
        return sql.named(sql.number(0) if self.is_sum else sql.cast(exp.Null(), "DOUBLE"), self.name)

    def typed(self, this: Expr) -> Expr:
        return sql.named(sql.cast(this, "BIGINT") if self.is_whole else this, self.name)


@dataclass(frozen=True)
class Term:
    """A column made of sums: the first counts, the others are taken off."""

    name: str
    flows: tuple[Sum | Single, ...]

    @property
    def is_whole(self) -> bool:
        return all(flow.is_whole for flow in self.flows if isinstance(flow, Sum))

    @property
    def is_money(self) -> bool:
        return any(isinstance(flow, Sum) and flow.is_money for flow in self.flows)


Query = tuple[exp.Select, tuple[Column, ...]]


def sums(reading: Reading, asked: Sequence[Sum | Single]) -> Query:
    listed = [Term(leaf.name, (leaf,)) for leaf in asked]
    columns, given = terms(reading, listed)
    query = reading.select([*reading.keys, *columns, count()], needs_rates=needs_rates(reading, listed))
    return sql.grouped(query, len(reading.by), anything(reading, listed)), given


def terms(reading: Reading, listed: Sequence[Term]) -> tuple[list[Expr], tuple[Column, ...]]:
    """Each term's column for each span; beside an amount, how many amounts in it had no rate."""
    columns: list[Expr] = []
    given: list[Column] = []
    for suffix, term in product(reading.suffixes, listed):
        own = Column(f"{term.name}{suffix}", term.is_whole)
        columns.append(own.typed(_net(reading, term, suffix)))
        given.append(own)
        if term.is_money:
            unknown = Column(f"{term.name}{UNCONVERTED}{suffix}")
            columns.append(unknown.typed(_unconverted(reading, term, suffix)))
            given.append(unknown)
    return columns, tuple(given)


def needs_rates(reading: Reading, listed: Sequence[Term]) -> bool:
    return any(isinstance(flow, Sum) and reading.is_foreign(flow) for term in listed for flow in term.flows)


def anything(reading: Reading, listed: Sequence[Term]) -> Expr:
    """Rows that were taken back leave nothing: a key is shown only where something is left of it."""
    flows = [flow for term in listed for flow in term.flows]
    left = [_sum_of(reading, flow, suffix) for suffix, flow in product(reading.suffixes, flows)]
    if reading.part.shape.witness:
        witness = sql.total(column(reading.part.shape.witness))
        left += [_filtered(witness.copy(), reading.during(suffix)) for suffix in reading.suffixes]
    return sql.some([sql.unequal(total, sql.number(0)) for total in left])


def _sum_of(reading: Reading, flow: Sum | Single, suffix: str) -> Expr:
    return _filtered(sql.total(column(flow.measure)), [*_own(flow), *reading.during(suffix)])


def _own(flow: Sum | Single) -> list[Expr]:
    """A metric's own conditions."""
    return only(flow.when) if isinstance(flow, Sum) else []


def count() -> Expr:
    return sql.named(sql.rows(), ROWS)


def count_of() -> Expr:
    return Column(ROWS).typed(sql.or_zero(sql.total(sql.column(ROWS))))


def _net(reading: Reading, term: Term, suffix: str) -> Expr:
    total = _total(reading, term.flows[0], suffix)
    for flow in term.flows[1:]:
        total = sql.minus(total, _total(reading, flow, suffix))
    return total


def _total(reading: Reading, leaf: Sum | Single, suffix: str) -> Expr:
    amount = column(leaf.measure)
    if isinstance(leaf, Sum) and reading.is_foreign(leaf):
        amount = sql.times(amount, reading.rate())
    total = sql.or_zero(_filtered(sql.total(amount), [*_own(leaf), *reading.during(suffix)]))
    return exp.Neg(this=total) if isinstance(leaf, Sum) and leaf.is_negated else total


def _unconverted(reading: Reading, term: Term, suffix: str) -> Expr:
    flows = [flow for flow in term.flows if isinstance(flow, Sum) and reading.is_foreign(flow)]
    if not flows:
        return sql.number(0)
    return _filtered(sql.rows(), [sql.some([_has_no_rate(reading, flow) for flow in flows]), *reading.during(suffix)])


def _has_no_rate(reading: Reading, flow: Sum) -> Expr:
    is_unknown = sql.is_null(exp.Paren(this=reading.rate()))
    return sql.every([is_unknown, sql.unequal(column(flow.measure), sql.number(0)), *only(flow.when)])


def _filtered(aggregate: Expr, conditions: Sequence[Expr]) -> Expr:
    return sql.where(aggregate, sql.every(conditions)) if conditions else aggregate


def people(reading: Reading, asked: Sequence[People]) -> Query:
    """First each person's sum, then how many are above zero."""
    given = {Column(f"{leaf.name}{suffix}"): (leaf, suffix) for suffix, leaf in product(reading.suffixes, asked)}
    measured = [
        sql.named(_filtered(sql.total(column(leaf.measure)), reading.during(suffix)), own.name)
        for own, (leaf, suffix) in given.items()
    ]
    inner = reading.select([*reading.keys, column(asked[0].person), *measured, count()])
    per_person = sql.inside(sql.grouped(inner, len(reading.by) + 1), "everyone")
    query = sql.select([*reading.names, *(own.typed(_how_many(own)) for own in given), count_of()], per_person)
    some = sql.some([sql.above(_how_many(own), sql.number(0)) for own in given])
    return sql.grouped(query, len(reading.by), some), tuple(given)


def _how_many(own: Column) -> Expr:
    return sql.where(sql.rows(), sql.above(sql.column(own.name), sql.number(0)))


def percentiles(reading: Reading, asked: Sequence[Percentile]) -> Query:
    """The histogram of each key, its running sum, and the first bucket that reaches the part asked for."""
    measure, place = asked[0].measure, asked[0].bucket
    # As a whole number of 64 bits: running sums of wider ones take twice as long.
    times = sql.named(sql.cast(sql.total(column(measure)), "BIGINT"), "times")
    inner = reading.select([*reading.keys, column(place), times, count()])
    sql.grouped(inner, len(reading.by) + 1)
    inner.set("having", exp.Having(this=sql.above(sql.total(column(measure)), sql.number(0))))
    reached = sql.named(sql.running(sql.column("times"), reading.names, sql.column(place)), "reached")
    total = sql.named(sql.running(sql.column("times"), reading.names), "total")
    running = sql.select(
        [*reading.names, sql.column(place), reached, total, sql.column(ROWS)], sql.inside(inner, "buckets")
    )
    given = tuple(Column(f"{leaf.name}{reading.suffix}", is_whole=False, is_sum=False) for leaf in asked)
    columns = [own.typed(_seconds(leaf)) for leaf, own in zip(asked, given, strict=True)]
    query = sql.select([*reading.names, *columns, count_of()], sql.inside(running, "reaching"))
    return sql.grouped(query, len(reading.by)), given


def _seconds(leaf: Percentile) -> Expr:
    """The middle of the bucket: powers of 1.02 milliseconds; -1 stands for a time of zero."""
    middle = sql.plus(sql.cast(_first_reaching(leaf), "DOUBLE"), sql.number("0.5"))
    milliseconds = exp.Pow(this=sql.cast(sql.number("1.02"), "DOUBLE"), expression=middle)
    is_zero = sql.below(_first_reaching(leaf), sql.number(0))
    return sql.cast(sql.case([(is_zero, sql.number(0))], sql.over(milliseconds, sql.number(1000))), "DOUBLE")


def _first_reaching(leaf: Percentile) -> Expr:
    reached = sql.times(sql.column("reached"), sql.number(100))
    reaches = sql.at_least(reached, sql.times(sql.column("total"), sql.number(leaf.per_cent)))
    return exp.Min(this=sql.case([(reaches, sql.column(leaf.bucket))]))
