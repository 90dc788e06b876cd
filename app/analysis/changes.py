"""What a change did to a campaign: before and after, beside campaigns that were not changed.

The rate of each campaign, such as clicks per impression, is compared with itself: the logarithm of after over before.
What unchanged campaigns did in the same days is what would have happened anyway, and their spread is how much campaigns
differ for no reason at all. The effect is the difference of the two, as a part of the rate: 0.1 is ten per cent more.
"""

import math
from collections.abc import Iterable, Mapping, Sequence
from dataclasses import dataclass
from datetime import date, timedelta
from statistics import fmean, variance

from app.analysis import student
from app.analysis.proportions import UNKNOWN, USUAL_CONFIDENCE, Interval

FEWEST_UNCHANGED = 3
FEWEST_DAYS = 3
USUAL_DAYS = 14
# Of campaigns left alone, one in five lies further off.
_EXTREME = 1.2816
# A slope through fewer campaigns than these says nothing.
_FEWEST_FOR_REBOUND = 8


@dataclass(frozen=True)
class Course:
    """One campaign's numerator and denominator before and after a day, and in as many days earlier still."""

    before: tuple[float, float]
    after: tuple[float, float]
    earlier: tuple[float, float] = (0.0, 0.0)


@dataclass(frozen=True)
class Rebound:
    """How far off its own level the campaign was when it was changed, and what comes back by itself.

    `off` is against its earlier days, in standard deviations of the unchanged. A campaign that is chosen at its worst
    mostly recovers whatever is done. `expected` is how much unchanged campaigns that were as far off moved on average,
    beyond all of them; None where there are too few to tell. It is the least that comes back by itself: the earlier
    days stray as well, and hide a part of it.
    """

    off: float
    is_extreme: bool
    expected: float | None


@dataclass(frozen=True)
class Outcome:
    """`own` is the change that was seen, `others` that of unchanged campaigns, and `effect` what is left."""

    own: float | None
    others: float | None
    effect: Interval
    rebound: Rebound | None
    changed: int
    unchanged: int
    # Campaigns whose rate is zero or missing before or after: they have no ratio.
    left_out: int

    @property
    def is_sure(self) -> bool:
        """Whether the interval leaves no effect out."""
        return self.effect.low is not None and not self.effect.holds(0)


def window_days(changed_on: date, first: date, last: date, most: int = USUAL_DAYS) -> int | None:
    """How many whole days there are on both sides of the day of the change, which belongs to neither."""
    days = min((changed_on - first).days, (last - changed_on).days, most)
    return days if days >= FEWEST_DAYS else None


def courses(
    rows: Iterable[tuple[str, date, float | None, float | None]], changed_on: date, days: int
) -> Mapping[str, Course]:
    """Rows of (campaign, day, numerator, denominator) as courses around a day."""
    sums: dict[str, list[list[float]]] = {}
    for campaign, day, numerator, denominator in rows:
        window = _window(day, changed_on, days)
        if window is not None:
            mine = sums.setdefault(campaign, [[0.0, 0.0] for _ in range(3)])
            mine[window][0] += float(numerator or 0)
            mine[window][1] += float(denominator or 0)
    return {
        campaign: Course((b[0], b[1]), (a[0], a[1]), (earlier[0], earlier[1]))
        for campaign, (earlier, b, a) in sums.items()
    }


def before_and_after(
    changed: Sequence[Course], unchanged: Sequence[Course], confidence: float = USUAL_CONFIDENCE
) -> Outcome:
    """The effect of a change on one campaign, or on several changed alike, with its interval.

    One changed campaign is set against the spread of the unchanged (a prediction interval); several have a spread of
    their own (Welch's interval).
    """
    mine, theirs = _moves(changed), _moves(unchanged)
    left_out = len(changed) + len(unchanged) - len(mine) - len(theirs)
    own, others = _relative(mine), _relative(theirs)
    if not mine or len(theirs) < FEWEST_UNCHANGED:
        return Outcome(own, others, UNKNOWN, None, len(mine), len(theirs), left_out)
    effect = fmean(mine) - fmean(theirs)
    reach = _reach(mine, theirs, confidence)
    interval = Interval(*(math.expm1(bound) for bound in (effect, effect - reach, effect + reach)))
    return Outcome(own, others, interval, _rebound(changed, unchanged), len(mine), len(theirs), left_out)


def _window(day: date, changed_on: date, days: int) -> int | None:
    """0 is earlier, 1 before, 2 after."""
    reach = timedelta(days=days)
    for window, since in enumerate((changed_on - 2 * reach, changed_on - reach, changed_on + timedelta(days=1))):
        if since <= day < since + reach:
            return window
    return None


def _log_ratio(later: tuple[float, float], sooner: tuple[float, float]) -> float | None:
    if min(*later, *sooner) <= 0:
        return None
    return math.log(later[0] / later[1]) - math.log(sooner[0] / sooner[1])


def _moves(campaigns: Sequence[Course]) -> list[float]:
    found = (_log_ratio(course.after, course.before) for course in campaigns)
    return [move for move in found if move is not None]


def _relative(moves: Sequence[float]) -> float | None:
    return math.expm1(fmean(moves)) if moves else None


def _reach(mine: Sequence[float], theirs: Sequence[float], confidence: float) -> float:
    of_theirs = variance(theirs)
    if len(mine) == 1:
        freedom = len(theirs) - 1
        return student.quantile(confidence, freedom) * math.sqrt(of_theirs * (1 + 1 / len(theirs)))
    parts = variance(mine) / len(mine), of_theirs / len(theirs)
    if not sum(parts):
        return 0.0
    welch = sum(parts) ** 2 / (parts[0] ** 2 / (len(mine) - 1) + parts[1] ** 2 / (len(theirs) - 1))
    return student.quantile(confidence, max(1, math.floor(welch))) * math.sqrt(sum(parts))


def _rebound(changed: Sequence[Course], unchanged: Sequence[Course]) -> Rebound | None:
    """Against the days earlier still: the unchanged show how far campaigns stray, and how much of it comes back."""
    strayed = [off for off in (_log_ratio(one.before, one.earlier) for one in changed) if off is not None]
    pairs = [
        (off, move)
        for off, move in ((_log_ratio(one.before, one.earlier), _log_ratio(one.after, one.before)) for one in unchanged)
        if off is not None and move is not None
    ]
    if not strayed or len(pairs) < FEWEST_UNCHANGED:
        return None
    offs, moves = [off for off, _ in pairs], [move for _, move in pairs]
    spread = variance(offs)
    if not spread:
        return None
    beyond = fmean(strayed) - fmean(offs)
    off = beyond / math.sqrt(spread)
    expected = None
    if len(pairs) >= _FEWEST_FOR_REBOUND:
        together = sum((o - fmean(offs)) * (m - fmean(moves)) for o, m in pairs) / (len(pairs) - 1)
        expected = math.expm1(together / spread * beyond)
    return Rebound(off, abs(off) > _EXTREME, expected)
