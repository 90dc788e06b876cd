"""Which rollups answer a question: the smallest that hold all of it, or a refusal that names what can be asked."""

from collections.abc import Iterable, Mapping, Sequence
from dataclasses import dataclass
from itertools import combinations

from app.metrics.dimensions import BREAKDOWN_DIMENSIONS, Dimension
from app.metrics.errors import CannotAnswerError
from app.metrics.glossary import metric as metric_named
from app.metrics.metric import Leaf, Metric, People, Percentile, Single, Stock, Sum, leaves
from app.metrics.question import Checked
from app.metrics.shapes import Shape
from db.tables.facts import AD_BREAKDOWNS


@dataclass(frozen=True)
class Held:
    """The rollups of a version of the lake: their shapes and sizes, and the breakdowns that ads came in."""

    shapes: Mapping[str, Shape]
    rows: Mapping[str, int]
    breakdowns: frozenset[str] = frozenset({"none"})


@dataclass(frozen=True)
class Part:
    """What is taken from one rollup. Of several breakdowns, each campaign and day takes the first that it has."""

    shape: Shape
    leaves: tuple[Leaf, ...]
    breakdowns: tuple[str, ...] = ()

    @property
    def kind(self) -> type[Leaf]:
        return kind_of(self.leaves[0])


def kind_of(leaf: Leaf) -> type[Leaf]:
    """Leaves of one kind share a query; a single value is read like a sum."""
    return Sum if isinstance(leaf, Single) else type(leaf)


def route(checked: Checked, held: Held) -> tuple[Part, ...]:
    """The parts of an answer. Every leaf is in exactly one."""
    found = {leaf: candidates(leaf, checked, held) for leaf in checked.leaves}
    for metric in checked.metrics:
        if not all(found[leaf] for leaf in leaves(metric)):
            raise _refusal(metric, checked, held)
    chosen = _smallest(found, held)
    groups: dict[tuple[Shape, type[Leaf]], list[Leaf]] = {}
    for leaf, shape in chosen.items():
        groups.setdefault((shape, kind_of(leaf)), []).append(leaf)
    return tuple(
        Part(shape, tuple(group), _breakdowns(shape, checked.asked, held)) for (shape, _), group in groups.items()
    )


def candidates(leaf: Leaf, checked: Checked, held: Held) -> list[Shape]:
    """Every rollup that holds the leaf's measures and leads to all dimensions asked for."""
    return [shape for shape in held.shapes.values() if shape.name in held.rows and _could(shape, leaf, checked)]


def _could(shape: Shape, leaf: Leaf, checked: Checked) -> bool:
    return _holds(shape, leaf) and _answers(shape, leaf, checked)


def breakdowns_for(asked: Iterable[Dimension]) -> tuple[str, ...]:
    """Breakdowns that split by all that is asked for, the narrowest first."""
    wanted = {dimension.name for dimension in asked} & set(BREAKDOWN_DIMENSIONS)
    if not wanted:
        return ("none",)
    wide = [name for name in AD_BREAKDOWNS if wanted <= set(name.split("+"))]
    return tuple(sorted(wide, key=lambda name: name.count("+")))


def _breakdowns(shape: Shape, asked: Iterable[Dimension], held: Held) -> tuple[str, ...]:
    if "breakdown" not in shape.grain:
        return ()
    fitting = breakdowns_for(asked)
    return tuple(name for name in fitting if name in held.breakdowns) or fitting[:1]


def _holds(shape: Shape, leaf: Leaf) -> bool:
    match leaf:
        case Stock():
            return all(_holds(shape, flow) for flow in leaf.flows)
        case Sum():
            return leaf.measure in shape.measures and {when.column for when in leaf.when} <= shape.grain
        case People():
            return leaf.measure in shape.measures and leaf.person in shape.grain
        case Percentile():
            return leaf.measure in shape.measures and leaf.bucket in shape.grain
        case Single():
            return leaf.measure in shape.measures


def _answers(shape: Shape, leaf: Leaf, checked: Checked) -> bool:
    if not all(dimension.way(shape) for dimension in checked.asked):
        return False
    if not all(checked.is_fixed(name) for name in leaf.needs):
        return False
    if isinstance(leaf, Stock) and any(dimension.name in {"weekday", "hour"} for dimension in checked.asked):
        return False
    if "breakdown" not in shape.grain:
        return True
    fitting = breakdowns_for(checked.asked)
    return bool(fitting) and (not isinstance(leaf, Single) or _is_one_row(fitting[0], checked))


def _is_one_row(breakdown: str, checked: Checked) -> bool:
    """Exactly the breakdown's own dimensions are asked for: nothing of it is added up."""
    return breakdown == "none" or all(checked.is_fixed(name) for name in breakdown.split("+"))


def _smallest(found: Mapping[Leaf, Sequence[Shape]], held: Held) -> dict[Leaf, Shape]:
    """For each leaf the smallest rollup; one that has to be read anyway costs nothing more."""
    # Only where there is a choice are sizes looked at: to know one, its table has to be opened.
    chosen = {leaf: listed[0] for leaf, listed in found.items() if len(listed) == 1}
    for leaf in sorted((leaf for leaf in found if leaf not in chosen), key=lambda leaf: len(found[leaf])):
        read = set(chosen.values())
        chosen[leaf] = min(
            found[leaf], key=lambda shape: (0 if shape in read else 1 + held.rows[shape.name], shape.name)
        )
    return {leaf: chosen[leaf] for leaf in found}


def _refusal(metric: Metric, checked: Checked, held: Held) -> CannotAnswerError:
    missing = [leaf for leaf in leaves(metric) if not candidates(leaf, checked, held)]
    needed = [name for leaf in missing for name in leaf.needs if not checked.is_fixed(name)]
    offers = nearest(metric, checked, held)
    unmade = [shape.name for leaf in missing for shape in held.shapes.values() if _could(shape, leaf, checked)]
    if unmade:
        why = f"It would come from {unmade[0]}, which this version of the lake lacks; `sightline refresh` makes it."
    elif needed:
        over = " and ".join(dict.fromkeys(needed))
        why = f"It does not add up over {over}: each must be asked by, or fixed to one value."
    else:
        named = " and ".join(leaf.name for leaf in missing)
        why = f"No rollup holds {named} {_listed(checked)}, and a guess would not be exact."
    return CannotAnswerError(
        f"{metric.name} can't be answered {_listed(checked)}.",
        why=why,
        fix=f"What can be asked: {'; or '.join(offers)}."
        if offers
        else "`sightline metrics` says what each one holds.",
    )


def nearest(metric: Metric, checked: Checked, held: Held) -> list[str]:
    """Questions close to this one that have an exact answer."""
    offers = [f"{other} {_listed(checked)}" for other in metric.instead if _can(metric_named(other), checked, held)]
    needed = tuple(dict.fromkeys(name for leaf in leaves(metric) for name in leaf.needs))
    if not all(checked.is_fixed(name) for name in needed):
        return [*offers, f"{metric.name} by {', '.join(needed)}"]
    for count in range(len(checked.asked) - 1, -1, -1):
        for kept in combinations(checked.asked, count):
            narrowed = _only(checked, kept)
            if _can(metric, narrowed, held):
                return [*offers, f"{metric.name} {_listed(narrowed)}"]
    return offers


def _can(metric: Metric, checked: Checked, held: Held) -> bool:
    return all(candidates(leaf, checked, held) for leaf in leaves(metric))


def _only(checked: Checked, kept: Sequence[Dimension]) -> Checked:
    return Checked(
        checked.question,
        checked.metrics,
        tuple(dimension for dimension in checked.by if dimension in kept),
        tuple((dimension, filter_) for dimension, filter_ in checked.where if dimension in kept),
    )


def _listed(checked: Checked) -> str:
    by = ", ".join(dimension.name for dimension in checked.by)
    where = ", ".join(dimension.name for dimension, _ in checked.where)
    parts = [f"by {by}" if by else "", f"where a {where} is chosen" if where else ""]
    return " ".join(part for part in parts if part) or "without a split"
