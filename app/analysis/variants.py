"""A/B tests: each variant against the control, corrected for several comparisons, and whether the split is sound."""

import math
from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from enum import StrEnum

from app.analysis.proportions import (
    USUAL_CONFIDENCE,
    Difference,
    Interval,
    Rate,
    difference,
    smallest_seen,
    wilson,
)

# A split is checked on every test that is looked at: only what chance does once in a thousand is an alarm.
MISMATCH_BELOW = 0.001


class Verdict(StrEnum):
    """What can be said of a variant beside the control."""

    CONTROL = "control"
    BETTER = "better"
    WORSE = "worse"
    OPEN = "not decided"
    TOO_FEW = "too few to tell"


@dataclass(frozen=True)
class Variant:
    """One variant: its rate with the interval, and what sets it apart from the control."""

    name: str
    rate: Rate
    interval: Interval
    difference: Difference | None
    # Holm's: how often chance alone would make any of the comparisons look like this.
    p_value: float | None
    verdict: Verdict


@dataclass(frozen=True)
class Split:
    """Whether visitors were divided as meant; if not, the test compares different people, and proves nothing."""

    expected: Mapping[str, float]
    p_value: float | None
    is_mismatched: bool


@dataclass(frozen=True)
class Comparison:
    """A whole test. `smallest_seen` is about the least difference that so many would show."""

    variants: tuple[Variant, ...]
    split: Split
    smallest_seen: float | None


def compare_variants(
    rates: Mapping[str, Rate],
    *,
    control: str | None = None,
    shares: Mapping[str, float] | None = None,
    confidence: float = USUAL_CONFIDENCE,
) -> Comparison:
    """Two or more variants; the control is the one named, or the first. Shares are how visitors were to be divided.

    The interval of each difference is widened by Bonferroni for the number of comparisons; the verdict is Holm's.
    """
    first = control if control is not None else next(iter(rates), None)
    if first is None or first not in rates or len(rates) < 2:  # noqa: PLR2004 - one alone is no comparison
        raise ValueError("a test has a control and at least one variant beside it")
    others = [name for name in rates if name != first]
    wide = 1 - (1 - confidence) / len(others)
    found = {name: difference(rates[name], rates[first], wide) for name in others}
    corrected = holm({name: one.p_value for name, one in found.items()})
    variants = [Variant(first, rates[first], wilson(rates[first], confidence), None, None, Verdict.CONTROL)]
    for name in others:
        verdict = _verdict(found[name], corrected[name], 1 - confidence)
        interval = wilson(rates[name], confidence)
        variants.append(Variant(name, rates[name], interval, found[name], corrected[name], verdict))
    return Comparison(
        tuple(variants), check_split({name: rate.of for name, rate in rates.items()}, shares), _seen(rates, first, wide)
    )


def holm(p_values: Mapping[str, float | None]) -> dict[str, float | None]:
    """Each p-value as it counts among several: the smallest times all of them, the next times one fewer."""
    known = sorted((value, name) for name, value in p_values.items() if value is not None)
    corrected: dict[str, float | None] = dict.fromkeys(p_values)
    highest = 0.0
    for place, (value, name) in enumerate(known):
        highest = max(highest, min(1.0, value * (len(known) - place)))
        corrected[name] = highest
    return corrected


def check_split(counts: Mapping[str, int], shares: Mapping[str, float] | None = None) -> Split:
    """The sample-ratio check: a chi-square test of the counts against the shares that were meant (by default equal)."""
    meant = shares if shares is not None else dict.fromkeys(counts, 1.0)
    if meant.keys() != counts.keys() or any(share <= 0 for share in meant.values()):
        raise ValueError("each variant has a share of its own above 0")
    whole, together = sum(counts.values()), math.fsum(meant.values())
    expected = {name: whole * meant[name] / together for name in counts}
    if not whole or len(counts) < 2:  # noqa: PLR2004 - one alone is not divided
        return Split(expected, None, is_mismatched=False)
    distance = math.fsum((counts[name] - expected[name]) ** 2 / expected[name] for name in counts)
    p_value = chi_square_tail(distance, len(counts) - 1)
    return Split(expected, p_value, is_mismatched=p_value < MISMATCH_BELOW)


def chi_square_tail(distance: float, freedom: int) -> float:
    """How often chance goes at least so far, with so many degrees of freedom.

    The upper incomplete gamma function at half-integers, by its recurrence from erfc or exp: every term is positive.
    """
    if freedom < 1 or distance < 0:
        raise ValueError("a distance is at least 0, with at least one degree of freedom")
    half = distance / 2
    is_odd = freedom % 2
    at = 0.5 if is_odd else 1.0
    tail = math.erfc(math.sqrt(half)) if is_odd else math.exp(-half)
    while at < freedom / 2:
        tail += math.exp(at * math.log(half) - half - math.lgamma(at + 1)) if half else 0.0
        at += 1
    return min(1.0, tail)


def _verdict(found: Difference, p_value: float | None, least: float) -> Verdict:
    if found.is_rough or p_value is None or found.interval.estimate is None:
        return Verdict.TOO_FEW
    if p_value >= least:
        return Verdict.OPEN
    return Verdict.BETTER if found.interval.estimate > 0 else Verdict.WORSE


def _seen(rates: Mapping[str, Rate], control: str, confidence: float) -> float | None:
    fewest = min(rate.of for rate in rates.values())
    base = rates[control].value
    return smallest_seen(base, fewest, confidence) if fewest and base else None


def best(variants: Sequence[Variant]) -> Variant | None:
    """The variant with the highest rate, if it is better than the control; None while nothing is decided."""
    better = [one for one in variants if one.verdict is Verdict.BETTER]
    return max(better, key=lambda one: one.rate.value or 0.0, default=None)
