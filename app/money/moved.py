"""Differences of quantities with their names: what lies in another tier, what counts as cached, and what is missing.

Of a sum alone nobody can tell which call it is made of. What one meter has too much and a kindred one too little is
taken as moved from one to the other; only what is left is missing on one of the two sides.
"""

from collections.abc import Callable, Mapping
from fractions import Fraction

from app.money.bills import Kind, Meter

_CACHED = frozenset({"input", "cached_input", "cache_write_5m", "cache_write_1h"})
Differences = Mapping[Meter, Fraction]
Named = dict[Kind, dict[Meter, Fraction]]


def named(differences: Differences) -> Named:
    """Quantities by what they are: the provider's less the ledger's. Of all kinds together they add up to the given."""
    left = {meter: more for meter, more in differences.items() if more}
    tier = _moved(left, lambda meter: (meter.unit, meter.variant))
    left = _less(left, tier)
    cache = _moved(
        {meter: more for meter, more in left.items() if meter.unit in _CACHED},
        lambda meter: (meter.variant, meter.tier, meter.context_from),
    )
    left = _less(left, cache)
    kinds = {Kind.TIER: tier, Kind.CACHE: cache, Kind.MISSING: left}
    return {kind: moved for kind, moved in kinds.items() if moved}


def _moved(differences: Differences, kin: Callable[[Meter], object]) -> dict[Meter, Fraction]:
    """Within each group, as much as has a counterpart, shared by size among those of a sign."""
    groups: dict[object, list[Meter]] = {}
    for meter in differences:
        groups.setdefault(kin(meter), []).append(meter)
    moved: dict[Meter, Fraction] = {}
    for meters in groups.values():
        more = sum((differences[one] for one in meters if differences[one] > 0), Fraction(0))
        fewer = -sum((differences[one] for one in meters if differences[one] < 0), Fraction(0))
        both = min(more, fewer)
        if both:
            for one in meters:
                moved[one] = differences[one] * both / (more if differences[one] > 0 else fewer)
    return moved


def _less(whole: Differences, part: Differences) -> dict[Meter, Fraction]:
    left = {meter: more - part.get(meter, 0) for meter, more in whole.items()}
    return {meter: more for meter, more in left.items() if more}
