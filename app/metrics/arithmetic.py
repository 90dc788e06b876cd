"""How a metric's figure comes out of summed columns: added, subtracted, and divided last."""

from functools import reduce

from sqlglot import exp

from app.metrics import sql
from app.metrics.metric import Difference, Metric, People, Percentile, Ratio, Single, Stock, Sum, Total, Unit
from app.metrics.sql import Expr

UNCONVERTED = "__unconverted"
FIGURES = "figures"


def figure(metric: Metric, suffix: str) -> Expr:  # noqa: PLR0911 - one answer for each kind of metric
    """The figure in one span. Nothing counted is 0; what can't be known is NULL."""
    match metric:
        case Ratio():
            return _divided(metric, suffix)
        case Difference():
            return exp.Paren(this=sql.minus(figure(metric.minuend, suffix), figure(metric.subtrahend, suffix)))
        case Total():
            return exp.Paren(this=reduce(sql.plus, (figure(part, suffix) for part in metric.of)))
        case Sum() | Stock():
            return _summed(metric, suffix)
        case People():
            return sql.column(f"{metric.name}{suffix}", FIGURES)
        case Single():
            return exp.Nullif(this=sql.column(f"{metric.name}{suffix}", FIGURES), expression=sql.number(0))
        case Percentile():
            return sql.column(f"{metric.name}{suffix}", FIGURES)
        case _:
            raise TypeError(type(metric).__name__)


def _summed(metric: Sum | Stock, suffix: str) -> Expr:
    total = sql.column(f"{metric.name}{suffix}", FIGURES)
    if metric.unit is not Unit.MONEY:
        return total
    # One amount without a rate makes the sum unknown: it is never shown as if the amount were nothing.
    is_known = sql.equal(sql.column(f"{metric.name}{UNCONVERTED}{suffix}", FIGURES), sql.number(0))
    return sql.case([(is_known, total)])


def _divided(metric: Ratio, suffix: str) -> Expr:
    over = sql.cast(figure(metric.numerator, suffix), "DOUBLE")
    if metric.factor != 1:
        over = sql.times(sql.number(metric.factor), over)
    quotient = sql.over(over, figure(metric.denominator, suffix))
    # Money is decimal up to where it is shown.
    return sql.cast(quotient, "DECIMAL(38, 12)") if metric.unit is Unit.MONEY else quotient
