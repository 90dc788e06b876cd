"""What every query of a rollup has in common: its keys, its joins, and which of its rows count."""

from collections.abc import Sequence
from dataclasses import dataclass

from sqlglot import exp

from app.metrics import sql
from app.metrics.dimensions import Dimension, Kind, Way
from app.metrics.lookups import Lookup
from app.metrics.metric import Sum, When
from app.metrics.question import Filter
from app.metrics.route import Part
from app.metrics.spans import BEFORE, COMPLETE, NOW
from app.metrics.sql import Expr

ROLLUP, RATES, CHOSEN = "r", "rates", "chosen"
FX = "fx"
# Our own reckoning of AI cost, and what providers report, are in dollars.
AI_CURRENCY = "USD"
# A day on which nothing was shown may still have earned: conversions come late.
_AD_FIGURES = ("impressions", "ad_clicks", "spend", "ad_conversions", "ad_revenue")


@dataclass(frozen=True)
class Reading:
    """One rollup read for one span, or for several in one pass."""

    part: Part
    by: tuple[Dimension, ...]
    where: tuple[tuple[Dimension, Filter], ...]
    # The spans that are read in one pass.
    suffixes: tuple[str, ...]
    is_year_earlier: bool
    currency: str
    is_converted: bool
    # Whether the viewer's workspaces are all between two.
    is_run: bool

    @property
    def keys(self) -> list[Expr]:
        return [sql.named(self.expression(dimension), dimension.name) for dimension in self.by]

    @property
    def names(self) -> list[Expr]:
        return [sql.column(dimension.name) for dimension in self.by]

    @property
    def suffix(self) -> str:
        """Of a single span."""
        return self.suffixes[0]

    def day(self, which: str) -> Expr:
        """The first day of the span, or the day after its last."""
        return _day(which, self.suffix)

    def during(self, suffix: str) -> list[Expr]:
        """What tells a span's rows from those of the others that are read with it."""
        if len(self.suffixes) == 1:
            return []
        if suffix == BEFORE:
            return [sql.below(column("day"), _day("since"))]
        own = [sql.at_least(column("day"), _day("since"))] if BEFORE in self.suffixes else []
        return [*own, sql.below(column("day"), _day("until", COMPLETE))] if suffix == COMPLETE else own

    def expression(self, dimension: Dimension) -> Expr:
        """The dimension as this rollup has it."""
        if dimension.is_bucket:
            return bucket(dimension.name, self.shown(column("day")))
        if dimension.name == "weekday":
            return sql.cast(exp.Extract(this=exp.var("ISODOW"), expression=column("day")), "INT")
        way = self._way(dimension)
        return sql.column(way.column, way.lookup.name if way.lookup else ROLLUP)

    def shown(self, day: Expr) -> Expr:
        """Days of comparison stand under the days that they are compared with."""
        if BEFORE not in self.suffixes:
            return day
        later = self._later(day)
        if len(self.suffixes) == 1:
            return later
        return sql.case([(sql.below(day.copy(), _day("since")), later)], day.copy())

    def _later(self, day: Expr) -> Expr:
        if self.is_year_earlier:
            return sql.cast(sql.plus(day, exp.Interval(this=sql.text("1"), unit=exp.var("YEAR"))), "DATE")
        return sql.plus(day, sql.cast(sql.parameter("shift", "BIGINT"), "INT"))

    def is_foreign(self, leaf: Sum) -> bool:
        """An amount that may be in another currency than the one of reports."""
        may_differ = "currency" in self.part.shape.grain or self.currency != AI_CURRENCY
        return leaf.is_money and self.is_converted and may_differ

    def rate(self) -> Expr:
        """What one unit of the row's currency was worth on its day; the reporting currency is worth itself."""
        own = sql.equal(self._row_currency(), sql.parameter("currency", "VARCHAR"))
        return sql.case([(own, sql.cast(sql.number(1), "DECIMAL(20, 10)"))], sql.column("rate", RATES))

    def select(self, columns: Sequence[Expr], *, needs_rates: bool = False, from_start: bool = False) -> exp.Select:
        """The rollup with its joins, limited to the days and to what the viewer may see."""
        query = self._joined(columns)
        if needs_rates:
            sql.join(query, sql.table(FX, RATES), self._on_rates(), side="LEFT")
        if len(self.part.breakdowns) > 1:
            sql.join(query, self._chosen(), self._on_chosen())
        conditions = [*self._days(from_start=from_start), self._seen(), *self._filters(), *self._breakdown()]
        query.set("where", exp.Where(this=sql.every(conditions)))
        return query

    def everything(self, columns: Sequence[Expr]) -> exp.Select:
        """All days of the rollup, still limited to what the viewer may see."""
        query = self._joined(columns)
        query.set("where", exp.Where(this=self._seen()))
        return query

    def _seen(self) -> Expr:
        """The viewer's workspaces: part of every query of every rollup."""
        workspace = column("workspace_code")
        # Rows lie by workspace: from the first to the last of them, most of a rollup is passed over unread.
        ends = [sql.parameter(name, "BIGINT") for name in ("workspace_from", "workspace_to")]
        near = exp.Between(this=workspace.copy(), low=ends[0], high=ends[1])
        return near if self.is_run else sql.every([near, _listed(workspace, "workspaces", "BIGINT[]")])

    def _joined(self, columns: Sequence[Expr]) -> exp.Select:
        query = sql.select(columns, sql.table(self.part.shape.name, ROLLUP))
        for lookup in self._lookups():
            sql.join(query, sql.table(lookup.name), _on(lookup), side="LEFT")
        return query

    def _way(self, dimension: Dimension) -> Way:
        found = dimension.way(self.part.shape)
        if found is None:
            raise LookupError(f"{self.part.shape.name} does not lead to {dimension.name}")
        return found

    def _lookups(self) -> list[Lookup]:
        asked = (*self.by, *(dimension for dimension, _ in self.where))
        return list(dict.fromkeys(way.lookup for way in map(self._way, asked) if way.lookup))

    def _days(self, *, from_start: bool) -> list[Expr]:
        if BEFORE in self.suffixes and len(self.suffixes) > 1:
            return self._days_of_both()
        until = sql.below(column("day"), self.day("until"))
        return [until] if from_start else [sql.at_least(column("day"), self.day("since")), until]

    def _days_of_both(self) -> list[Expr]:
        """The period before adjoins; the dates of a year ago lie apart."""
        outer = [sql.at_least(column("day"), _day("since", BEFORE)), sql.below(column("day"), _day("until"))]
        if not self.is_year_earlier:
            return outer
        between = [sql.below(column("day"), _day("until", BEFORE)), sql.at_least(column("day"), _day("since"))]
        return [*outer, sql.some(between)]

    def _filters(self) -> list[Expr]:
        return [
            _matches(self.expression(dimension), dimension, filter_, f"where_{place}")
            for place, (dimension, filter_) in enumerate(self.where)
            if not narrows_scope(dimension, filter_)
        ]

    def _row_currency(self) -> Expr:
        return column("currency") if "currency" in self.part.shape.grain else sql.text(AI_CURRENCY)

    def _on_rates(self) -> Expr:
        day = sql.earlier(column("day"), sql.parameter("last_rate_day", "DATE"))
        same_currency = sql.equal(sql.column("currency", RATES), self._row_currency())
        return sql.every([same_currency, sql.equal(sql.column("day", RATES), day)])

    def _breakdown(self) -> list[Expr]:
        names = self.part.breakdowns
        return [sql.equal(column("breakdown"), sql.text(names[0]))] if len(names) == 1 else []

    def _chosen(self) -> Expr:
        """For each campaign and day the first of the fitting breakdowns in which it came."""
        keys = [column("campaign_code"), column("day")]
        preference = sql.named(self._preference(ROLLUP), "preference")
        there = sql.select([*keys, preference], sql.table(self.part.shape.name, ROLLUP))
        fitting = sql.among(column("breakdown"), self.part.breakdowns)
        there.set("where", exp.Where(this=sql.every([*self._days(from_start=False), fitting, self._seen()])))
        measures = [sql.total(column(name)) for name in _AD_FIGURES]
        sql.grouped(there, 3, sql.some([sql.unequal(measure, sql.number(0)) for measure in measures]))
        first = sql.named(exp.Min(this=sql.column("preference")), "preference")
        keys = [sql.column("campaign_code"), sql.column("day")]
        return sql.inside(sql.grouped(sql.select([*keys, first], sql.inside(there, "there")), 2), CHOSEN)

    def _preference(self, table: str) -> Expr:
        breakdown = self.part.breakdowns
        return sql.case(
            [
                (sql.equal(sql.column("breakdown", table), sql.text(name)), sql.number(at))
                for at, name in enumerate(breakdown)
            ]
        )

    def _on_chosen(self) -> Expr:
        same = [sql.equal(sql.column(name, CHOSEN), column(name)) for name in ("campaign_code", "day")]
        return sql.every([*same, sql.equal(sql.column("preference", CHOSEN), self._preference(ROLLUP))])


def column(name: str) -> Expr:
    return sql.column(name, ROLLUP)


def _day(which: str, suffix: str = NOW) -> Expr:
    prefix = f"{suffix.strip('_')}_" if suffix != NOW else ""
    return sql.parameter(f"{prefix}{which}", "DATE")


def bucket(grain: str, day: Expr) -> Expr:
    """The first day of the day's week, month, quarter or year."""
    if grain == "day":
        return day
    return sql.cast(exp.TimestampTrunc(this=day, unit=exp.var(grain.upper())), "DATE")


def only(conditions: Sequence[When]) -> list[Expr]:
    """A metric's own conditions."""
    return [_when(condition) for condition in conditions]


def narrows_scope(dimension: Dimension, filter_: Filter) -> bool:
    """Whether a filter names workspaces: then these of the viewer's are the scope, and there is nothing else to ask."""
    return dimension.name == "workspace" and not filter_.is_excluded and None not in filter_.values


def _when(when: When) -> Expr:
    this = column(when.column)
    found = sql.is_null(this) if when.values == (None,) else sql.among(this, [str(value) for value in when.values])
    return sql.is_no(found) if when.is_excluded else found


def _matches(this: Expr, dimension: Dimension, filter_: Filter, parameter: str) -> Expr:
    conditions: list[Expr] = []
    if any(value is not None for value in filter_.values):
        conditions.append(_listed(this, parameter, "VARCHAR[]" if dimension.kind is Kind.TEXT else "BIGINT[]"))
    if None in filter_.values:
        conditions.append(sql.is_null(this.copy()))
    found = sql.some(conditions)
    if not filter_.is_excluded:
        return found
    # What has no value is not among those left out, unless it was named.
    excluded = sql.is_no(found)
    return excluded if None in filter_.values else sql.some([sql.is_null(this.copy()), excluded])


def _listed(this: Expr, parameter: str, kind: str) -> Expr:
    values = exp.Unnest(expressions=[sql.parameter(parameter, kind)])
    return exp.In(this=this, query=exp.Subquery(this=sql.select([values])))


def _on(lookup: Lookup) -> Expr:
    conditions = [sql.equal(sql.column(theirs, lookup.name), column(ours)) for ours, theirs in lookup.keys]
    if lookup.is_dated:
        conditions.append(sql.at_least(column("day"), sql.column("since", lookup.name)))
        conditions.append(sql.below(column("day"), sql.column("until", lookup.name)))
    return sql.every(conditions)
