"""What a metric is: its name, its meaning, and how its figure comes out of a rollup's measures."""

from dataclasses import dataclass
from enum import StrEnum

from app.access import Permission


class Unit(StrEnum):
    """What a figure counts. A percentage is a fraction here; only who shows it multiplies by a hundred."""

    COUNT = "count"
    PEOPLE = "people"
    PERCENT = "percent"
    TIMES = "times"
    MONEY = "money"
    SECONDS = "seconds"
    TOKENS = "tokens"
    CREDITS = "credits"
    NUMBER = "number"


class Direction(StrEnum):
    """Which way is good."""

    UP = "up"
    DOWN = "down"
    NEITHER = "neither"


class Additivity(StrEnum):
    """Over what a figure may be added up."""

    EVERYTHING = "adds up over everything"
    NOT_OVER_TIME = "adds up over everything but time"
    NOTHING = "adds up over nothing: always worked out anew from its parts"


@dataclass(frozen=True)
class When:
    """Only rows of a rollup whose column has one of the values; None is a value like any other."""

    column: str
    values: tuple[str | None, ...]
    is_excluded: bool = False


@dataclass(frozen=True, kw_only=True)
class Metric:
    """What all metrics have. `instead` names what to ask where this one can't be answered."""

    name: str
    meaning: str
    unit: Unit
    good: Direction
    permission: Permission
    aliases: tuple[str, ...] = ()
    instead: tuple[str, ...] = ()
    # Dimensions that must be split by, or be fixed to one value: what differs in them is no sum.
    needs: tuple[str, ...] = ()
    note: str = ""

    @property
    def additivity(self) -> Additivity:
        return Additivity.NOTHING

    @property
    def formula(self) -> str:
        """How it is worked out, in the names of the parts."""
        raise NotImplementedError

    @property
    def parts(self) -> "tuple[Metric, ...]":
        """The metrics that it is made of; none: it comes from a rollup."""
        return ()


@dataclass(frozen=True, kw_only=True)
class Sum(Metric):
    """The sum of a measure. Money is converted at the rate of its row's day."""

    measure: str
    when: tuple[When, ...] = ()
    is_negated: bool = False
    is_whole: bool = True

    @property
    def additivity(self) -> Additivity:
        return Additivity.NOTHING if self.needs else Additivity.EVERYTHING

    @property
    def formula(self) -> str:
        only = " and ".join(
            f"{when.column} {'not ' if when.is_excluded else ''}in {', '.join(str(value) for value in when.values)}"
            for when in self.when
        )
        return f"{'minus ' if self.is_negated else ''}sum of {self.measure}{f' where {only}' if only else ''}"

    @property
    def is_money(self) -> bool:
        return self.unit is Unit.MONEY


@dataclass(frozen=True, kw_only=True)
class Single(Metric):
    """A measure that must never be added up: it is shown only where one row of the rollup answers."""

    measure: str

    @property
    def formula(self) -> str:
        return f"{self.measure} of one row"


@dataclass(frozen=True, kw_only=True)
class Ratio(Metric):
    """One sum over another. Divided last: the mean of campaigns' rates is not the rate of all campaigns."""

    numerator: Metric
    denominator: Metric
    factor: int = 1

    @property
    def formula(self) -> str:
        times = f" × {self.factor}" if self.factor != 1 else ""
        return f"{self.numerator.name} / {self.denominator.name}{times}; empty where {self.denominator.name} is 0"

    @property
    def parts(self) -> tuple[Metric, ...]:
        return (self.numerator, self.denominator)


@dataclass(frozen=True, kw_only=True)
class Difference(Metric):
    """One figure less another."""

    minuend: Metric
    subtrahend: Metric

    @property
    def additivity(self) -> Additivity:
        return self.minuend.additivity

    @property
    def formula(self) -> str:
        return f"{self.minuend.name} − {self.subtrahend.name}"

    @property
    def parts(self) -> tuple[Metric, ...]:
        return (self.minuend, self.subtrahend)


@dataclass(frozen=True, kw_only=True)
class Total(Metric):
    """Several figures of the same kind, together."""

    of: tuple[Metric, ...]

    @property
    def additivity(self) -> Additivity:
        return Additivity.EVERYTHING

    @property
    def formula(self) -> str:
        return " + ".join(part.name for part in self.of)

    @property
    def parts(self) -> tuple[Metric, ...]:
        return self.of


@dataclass(frozen=True, kw_only=True)
class People(Metric):
    """How many people have a measure above zero in the whole period: each is counted once."""

    measure: str
    person: str = "contact_code"

    @property
    def formula(self) -> str:
        return f"number of different {self.person} whose sum of {self.measure} is above 0"


@dataclass(frozen=True, kw_only=True)
class Percentile(Metric):
    """The value below which a part of all lies, from a histogram whose buckets grow by two per cent."""

    measure: str
    bucket: str
    per_cent: int

    @property
    def formula(self) -> str:
        return f"middle of the smallest {self.bucket} that reaches {self.per_cent} % of {self.measure}"


@dataclass(frozen=True, kw_only=True)
class Stock(Metric):
    """What is there at the end of a period: everything that came, less everything that went, since the beginning."""

    added: Sum
    removed: Sum | None = None

    @property
    def additivity(self) -> Additivity:
        return Additivity.NOT_OVER_TIME

    @property
    def formula(self) -> str:
        less = f" − {self.removed.name}" if self.removed else ""
        return f"running sum of {self.added.name}{less} until the period's end"

    @property
    def flows(self) -> tuple[Sum, ...]:
        return (self.added, self.removed) if self.removed else (self.added,)


Leaf = Sum | Single | People | Percentile | Stock


def leaves(metric: Metric) -> tuple[Leaf, ...]:
    """What a metric takes from rollups, each once."""
    if isinstance(metric, Leaf):
        return (metric,)
    return tuple(dict.fromkeys(leaf for part in metric.parts for leaf in leaves(part)))


def permissions(metric: Metric) -> frozenset[Permission]:
    """What a person must be allowed to see: the metric and everything it is made of."""
    return frozenset({metric.permission}).union(*(permissions(part) for part in metric.parts))
