"""Why a figure changed: the change between two periods, split by the members of a dimension, adding up exactly.

A ratio is split by the symmetric (midpoint) decomposition. A member's share of the whole denominator goes from s0 to
s1 and its own ratio from r0 to r1, while the ratio of all goes from R0 to R1:

    mix  = (s1 - s0) * ((r0 + r1) / 2 - (R0 + R1) / 2)    it became a larger or smaller part of the whole
    rate = (s0 + s1) / 2 * (r1 - r0)                       it did better or worse itself

Neither period is the base, so that looking back from the other side turns every sign and nothing else. Measured from
the ratio of all, a member that grows helps when it is better than the rest. A member that is new or has vanished has
one ratio only, and changes the whole by its mix alone.
"""

from collections.abc import Hashable, Mapping, Sequence
from dataclasses import dataclass
from fractions import Fraction
from typing import Generic, TypeVar

from app.analysis.exact import Figure, exact

Member = TypeVar("Member", bound=Hashable)
Pair = tuple[Figure | None, Figure | None]
Pairs = Mapping[Member, Pair]

# Shares of thousands of members have no small common denominator: the mix is rounded far below what anyone sees, and
# the rate takes the rest, so that both together stay exact.
_GRID = 10**18
_HALF = Fraction(1, 2)


@dataclass(frozen=True)
class Effect(Generic[Member]):
    """What one member did to the whole. Before and after are its own figures; None where it had none."""

    member: Member
    before: Fraction | None
    after: Fraction | None
    mix: Fraction
    rate: Fraction

    @property
    def total(self) -> Fraction:
        return self.mix + self.rate


@dataclass(frozen=True)
class Others:
    """The members that are not listed by name, together."""

    members: int
    mix: Fraction
    rate: Fraction

    @property
    def total(self) -> Fraction:
        return self.mix + self.rate


@dataclass(frozen=True)
class Effects(Generic[Member]):
    """A change and its parts: `change == volume + sum of the members' totals + others.total`, exactly.

    Where the figure of a period does not exist, there is no change to explain: it is None and has no parts.
    Volume is what the whole denominator's growth did to a sum; a ratio has none.
    """

    before: Fraction | None
    after: Fraction | None
    volume: Fraction = Fraction(0)
    members: tuple[Effect[Member], ...] = ()
    others: Others | None = None

    @property
    def change(self) -> Fraction | None:
        return None if self.before is None or self.after is None else self.after - self.before


def ratio_effects(before: Pairs[Member], after: Pairs[Member], *, shown: int = 8) -> Effects[Member]:
    """Why a ratio changed, from each member's (numerator, denominator) in both periods."""
    told = _told(before, after)
    if told is None:
        return Effects(_ratio_of(before), _ratio_of(after))
    numerators, denominators, parts = told
    whole_before, whole_after = _over(numerators[0], denominators[0]), _over(numerators[1], denominators[1])
    if whole_before is None or whole_after is None:
        return Effects(whole_before, whole_after)
    level = (whole_before + whole_after) * _HALF
    effects = [_ratio_effect(member, part, denominators, level) for member, part in parts.items()]
    return Effects(whole_before, whole_after, Fraction(0), *_ranked(effects, shown))


def volume_effects(before: Pairs[Member], after: Pairs[Member], *, shown: int = 8) -> Effects[Member]:
    """Why a sum that is a denominator times a ratio changed, such as clicks by how much was delivered.

    The volume is what more or less of the denominator did at the mean ratio of both periods; the rest is the effects
    on the ratio, at the mean denominator.
    """
    told = _told(before, after)
    if told is None:
        return sum_effects(_numerators(before), _numerators(after), shown=shown)
    numerators, denominators, _ = told
    ratio = ratio_effects(before, after, shown=shown)
    if ratio.before is None or ratio.after is None:
        # What came of nothing has no ratio; each member's own change is all there is to say.
        return sum_effects(_numerators(before), _numerators(after), shown=shown)
    volume = (ratio.before + ratio.after) * _HALF * (denominators[1] - denominators[0])
    mean = (denominators[0] + denominators[1]) * _HALF
    members = tuple(Effect(one.member, one.before, one.after, mean * one.mix, mean * one.rate) for one in ratio.members)
    others = ratio.others and Others(ratio.others.members, mean * ratio.others.mix, mean * ratio.others.rate)
    return Effects(numerators[0], numerators[1], volume, members, others)


def sum_effects(
    before: Mapping[Member, Figure | None], after: Mapping[Member, Figure | None], *, shown: int = 8
) -> Effects[Member]:
    """Why a sum changed: each member's own change. Amounts have no mix; all of it stands under `rate`."""
    whole_before, whole_after = _sum_of(list(before.values())), _sum_of(list(after.values()))
    if whole_before is None or whole_after is None:
        return Effects(whole_before, whole_after)
    effects = []
    for member in dict.fromkeys((*before, *after)):
        was, is_now = exact(before.get(member, 0)), exact(after.get(member, 0))
        effects.append(Effect(member, was, is_now, Fraction(0), (is_now or Fraction(0)) - (was or Fraction(0))))
    return Effects(whole_before, whole_after, Fraction(0), *_ranked(effects, shown))


@dataclass(frozen=True, slots=True)
class _Part:
    """A member's numerators and denominators in the two periods."""

    n0: Fraction
    d0: Fraction
    n1: Fraction
    d1: Fraction


def _told(
    before: Pairs[Member], after: Pairs[Member]
) -> tuple[tuple[Fraction, Fraction], tuple[Fraction, Fraction], dict[Member, _Part]] | None:
    """Wholes and parts as fractions; None where any figure is unknown: the change of a part of them is none."""
    parts = {}
    for member in dict.fromkeys((*before, *after)):
        figures = [exact(figure) for figure in (*before.get(member, (0, 0)), *after.get(member, (0, 0)))]
        known = [figure for figure in figures if figure is not None]
        if len(known) < len(figures):
            return None
        parts[member] = _Part(*known)
    whole = _Part(*(sum((getattr(part, name) for part in parts.values()), Fraction(0)) for name in _Part.__slots__))
    return (whole.n0, whole.n1), (whole.d0, whole.d1), parts


def _ratio_effect(
    member: Member, part: _Part, denominators: tuple[Fraction, Fraction], level: Fraction
) -> Effect[Member]:
    """A member's numbers without a denominator, such as an open of an e-mail of last month, are part of its rate."""
    before, after = _over(part.n0, part.d0), _over(part.n1, part.d1)
    known = [ratio for ratio in (before, after) if ratio is not None]
    own = sum(known, Fraction(0)) / len(known) if known else level
    grown = part.d1 / denominators[1] - part.d0 / denominators[0]
    total = part.n1 / denominators[1] - part.n0 / denominators[0] - level * grown
    mix = Fraction(round(grown * (own - level) * _GRID), _GRID)
    return Effect(member, before, after, mix, total - mix)


def _ranked(effects: Sequence[Effect[Member]], shown: int) -> tuple[tuple[Effect[Member], ...], Others | None]:
    """The largest first, whichever way they go; what is left is one row."""
    ordered = sorted(effects, key=lambda effect: (-abs(effect.total), str(effect.member)))
    # One member that is left over is shown by its name: a row of others would be no shorter.
    cut = shown if len(ordered) > shown + 1 else len(ordered)
    rest = ordered[cut:]
    others = Others(len(rest), _added([one.mix for one in rest]), _added([one.rate for one in rest])) if rest else None
    return tuple(ordered[:cut]), others


def _numerators(period: Pairs[Member]) -> dict[Member, Figure | None]:
    return {member: numerator for member, (numerator, _) in period.items()}


def _added(figures: Sequence[Fraction]) -> Fraction:
    return sum(figures, Fraction(0))


def _over(numerator: Fraction, denominator: Fraction) -> Fraction | None:
    return numerator / denominator if denominator else None


def _sum_of(figures: Sequence[Figure | None]) -> Fraction | None:
    known = [figure for figure in map(exact, figures) if figure is not None]
    return _added(known) if len(known) == len(figures) else None


def _ratio_of(period: Pairs[Member]) -> Fraction | None:
    numerator = _sum_of([pair[0] for pair in period.values()])
    denominator = _sum_of([pair[1] for pair in period.values()])
    return None if numerator is None or denominator is None else _over(numerator, denominator)
