"""Small words of SQL as sqlglot's expressions, made without the copies and parsing that its convenient forms cost."""

from collections.abc import Sequence
from functools import cache

from sqlglot import exp

Expr = exp.Expression
# Unquoted, it is whoever is signed in to Postgres.
_RESERVED = frozenset({"user"})


@cache
def _type(name: str) -> exp.DataType:
    return exp.DataType.build(name, dialect="duckdb")


def cast(this: Expr, kind: str) -> Expr:
    return exp.Cast(this=this, to=_type(kind).copy())


def _identifier(name: str) -> exp.Identifier:
    return exp.Identifier(this=name, quoted=name in _RESERVED)


def named(this: Expr, name: str) -> Expr:
    return exp.Alias(this=this, alias=_identifier(name))


def column(name: str, table: str | None = None) -> Expr:
    found = exp.Column(this=_identifier(name))
    if table:
        found.set("table", exp.to_identifier(table))
    return found


def table(name: str, alias: str | None = None) -> exp.Table:
    found = exp.Table(this=exp.to_identifier(name))
    if alias:
        found.set("alias", exp.TableAlias(this=exp.to_identifier(alias)))
    return found


def number(value: int | str) -> Expr:
    return exp.Literal.number(value)


def text(value: str) -> Expr:
    return exp.Literal.string(value)


def parameter(name: str, kind: str) -> Expr:
    return cast(exp.Placeholder(this=name), kind)


def equal(left: Expr, right: Expr) -> Expr:
    return exp.EQ(this=left, expression=right)


def unequal(left: Expr, right: Expr) -> Expr:
    return exp.NEQ(this=left, expression=right)


def above(left: Expr, right: Expr) -> Expr:
    return exp.GT(this=left, expression=right)


def at_least(left: Expr, right: Expr) -> Expr:
    return exp.GTE(this=left, expression=right)


def below(left: Expr, right: Expr) -> Expr:
    return exp.LT(this=left, expression=right)


def is_null(this: Expr) -> Expr:
    return exp.Is(this=this, expression=exp.Null())


def is_no(this: Expr) -> Expr:
    return exp.Not(this=exp.Paren(this=this))


def among(this: Expr, values: Sequence[str]) -> Expr:
    return exp.In(this=this, expressions=[text(value) for value in values])


def every(conditions: Sequence[Expr]) -> Expr:
    """All of them hold."""
    whole = conditions[0]
    for condition in conditions[1:]:
        whole = exp.And(this=whole, expression=condition)
    return whole


def some(conditions: Sequence[Expr]) -> Expr:
    """One of them holds."""
    whole = conditions[0]
    for condition in conditions[1:]:
        whole = exp.Or(this=whole, expression=condition)
    return exp.Paren(this=whole) if len(conditions) > 1 else whole


def plus(left: Expr, right: Expr) -> Expr:
    return exp.Add(this=left, expression=right)


def minus(left: Expr, right: Expr) -> Expr:
    return exp.Sub(this=left, expression=right)


def times(left: Expr, right: Expr) -> Expr:
    return exp.Mul(this=left, expression=right)


def over(left: Expr, right: Expr) -> Expr:
    """A quotient of numbers with a point, which every engine divides alike; none where the divisor is 0."""
    divisor = exp.Nullif(this=right, expression=number(0))
    return exp.Div(this=left, expression=divisor, typed=False, safe=False)


def or_zero(this: Expr) -> Expr:
    return exp.Coalesce(this=this, expressions=[number(0)])


def total(this: Expr) -> Expr:
    return exp.Sum(this=this)


def rows() -> Expr:
    return exp.Count(this=exp.Star())


def where(aggregate: Expr, condition: Expr | None) -> Expr:
    """The aggregate of some rows only."""
    return exp.Filter(this=aggregate, expression=exp.Where(this=condition)) if condition else aggregate


def case(branches: Sequence[tuple[Expr, Expr]], otherwise: Expr | None = None) -> Expr:
    return exp.Case(ifs=[exp.If(this=condition, true=result) for condition, result in branches], default=otherwise)


def earlier(left: Expr, right: Expr) -> Expr:
    return exp.Least(this=left, expressions=[right], ignore_nulls=True)


def later(left: Expr, right: Expr) -> Expr:
    return exp.Greatest(this=left, expressions=[right], ignore_nulls=True)


def running(this: Expr, keys: Sequence[Expr], order: Expr | None = None) -> Expr:
    """A sum over the rows of the same keys, up to the row's place if there is an order, which tells all rows apart."""
    if order is None:
        return exp.Window(this=total(this), partition_by=list(keys))
    ordered = exp.Order(expressions=[exp.Ordered(this=order, nulls_first=False)])
    # By rows: the usual frame looks for equals of each row, and there are none.
    until_here = exp.WindowSpec(kind="ROWS", start="UNBOUNDED", start_side="PRECEDING", end="CURRENT ROW")
    return exp.Window(this=total(this), partition_by=list(keys), order=ordered, spec=until_here)


def select(columns: Sequence[Expr], source: Expr | None = None) -> exp.Select:
    query = exp.Select(expressions=list(columns))
    if source is not None:
        query.set("from_", exp.From(this=source))
    return query


def inside(query: exp.Query, name: str) -> exp.Subquery:
    """A query as a relation."""
    return exp.Subquery(this=query, alias=exp.TableAlias(this=exp.to_identifier(name)))


def join(query: exp.Select, relation: Expr, on: Expr | None, side: str = "") -> None:
    joined = exp.Join(this=relation, on=on) if on is not None else exp.Join(this=relation, kind="CROSS")
    if side:
        joined.set("side", side)
    query.append("joins", joined)


def grouped(query: exp.Select, keys: int, having: Expr | None = None) -> exp.Select:
    """By its first columns. Without any there is one row, whatever is left of it."""
    if keys:
        query.set("group", exp.Group(expressions=[number(place) for place in range(1, keys + 1)]))
        if having is not None:
            query.set("having", exp.Having(this=having))
    return query


def together(queries: Sequence[exp.Query]) -> exp.Query:
    """All rows of all."""
    whole = queries[0]
    for query in queries[1:]:
        whole = exp.Union(this=whole, expression=query, distinct=False)
    return whole
