"""What the autopilot changed on an ad campaign, and what came of it beside campaigns that were left alone."""

from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from datetime import date, timedelta
from uuid import UUID
from zoneinfo import ZoneInfo

import streamlit as st

from app import serving
from app.analysis.changes import FEWEST_UNCHANGED, Outcome, before_and_after, courses, window_days
from app.analysis.proportions import Interval
from app.exports.live import Listed
from app.metrics.glossary import metric
from app.metrics.metric import Ratio
from app.records.belongings import Optimization, unchanged_campaigns
from app.ui import words
from app.ui.asking import Asked, Refused, ask
from app.ui.behind import behind
from app.ui.cards import card
from app.ui.empty import empty_card
from app.ui.intervals import Estimate, estimates
from app.ui.markup import Markup, joined, tag
from app.ui.scope import Scope

_HEIGHT = 240
_WHY = (
    "The rate after the change over the same days before it, beside ad campaigns that ran on the same days and were "
    "left alone. The day of the change belongs to neither side."
)
_DRAWN = "The band holds the effect in 95 of 100 cases; the dotted line is no effect."


@dataclass(frozen=True)
class Changed:
    """A change, the days on each side of it, and what came of it; None: too few days."""

    change: Optimization
    days: int | None
    outcome: Outcome | None
    # Other changes of the same campaign within these days: their effects can't be told apart.
    mixed: int = 0
    # What the lake told of these days: of this campaign, and of those that were left alone.
    answer: Asked | None = None


def changed(read: Listed[Optimization], scope: Scope, rate: str, ran: tuple[date, date]) -> None:
    """Each change of one campaign, by one rate. `ran` are the campaign's first day and the last that is over."""
    changes = read.rows
    if not changes:
        card(
            "What the autopilot changed", empty_card("Nothing was changed.", "The autopilot writes here what it does.")
        )
        return
    # Each change is held against other campaigns: that is a question for each.
    with st.skeleton(height=_HEIGHT):
        found = [_found(one, changes, scope, rate, ran) for one in changes]
    told = [part for one in found for part in _told(one, scope.zone)]
    title = words.title(metric(rate))
    drawn = _drawn(found, scope.zone)
    card(
        f"What the autopilot changed, by {title}",
        drawn,
        tag("ul", *told, class_="sl-small"),
        why=f"{_WHY} {_DRAWN}" if drawn else _WHY,
        read=read,
        scope=scope,
    )
    _behind_each(found, scope.zone)


def _behind_each(found: Sequence[Changed], zone: str) -> None:
    """What each change was judged by; two of one kind on a day are told apart by their place."""
    with st.container(horizontal=True):
        for place, one in enumerate(found, 1):
            if one.answer is not None:
                behind(one.answer, f"Change {place}: {_name(one, zone)}", f"Receipt of {_name(one, zone)}")


def _found(
    change: Optimization, changes: Sequence[Optimization], scope: Scope, rate: str, ran: tuple[date, date]
) -> Changed:
    on = _day(change, scope.zone)
    days = window_days(on, *ran)
    if days is None:
        return Changed(change, None, None)
    others = unchanged_campaigns(serving.engines().ro, scope.viewer, on, days)
    answer = _around((change.campaign_id, *others), scope, rate, on, days)
    found = courses(_rows(answer), on, days)
    mine = [found[key] for key in (str(change.campaign_id),) if key in found]
    theirs = [found[str(key)] for key in others if key != change.campaign_id and str(key) in found]
    mixed = sum(abs((_day(one, scope.zone) - on).days) <= days for one in changes) - 1
    return Changed(change, days, before_and_after(mine, theirs), mixed, answer if isinstance(answer, Asked) else None)


def _around(keys: Sequence[UUID], scope: Scope, rate: str, on: date, days: int) -> Asked | Refused:
    """Twice as many days before: they tell whether the campaign was off its own level when it was changed."""
    ratio = metric(rate)
    if not isinstance(ratio, Ratio):
        raise TypeError(f"{rate} is no rate")
    over, under = ratio.numerator.name, ratio.denominator.name
    around = scope.over(on - timedelta(days=2 * days), on + timedelta(days=days + 1)).uncompared
    return ask(
        (over, under),
        around.without("campaign").narrowed(campaign=tuple(str(key) for key in keys)),
        by="campaign",
        grain="day",
    )


def _rows(answer: Asked | Refused) -> list[tuple[str, date, float, float]]:
    """What a rate is made of, by campaign and day."""
    over, under = (one.name for one in answer.metrics)
    return [(row["campaign"], row["day"], float(row[over] or 0), float(row[under] or 0)) for row in answer.rows()]


def _day(change: Optimization, zone: str) -> date:
    return change.optimized_at.astimezone(ZoneInfo(zone)).date()


def _drawn(found: Sequence[Changed], zone: str) -> Markup:
    listed = [
        Estimate(_name(one, zone), one.outcome.effect, _percent(one.outcome.effect.estimate))
        for one in found
        if one.outcome and one.outcome.effect.estimate is not None
    ]
    return estimates(listed, reference=0.0) if listed else Markup()


def _name(one: Changed, zone: str) -> str:
    return f"{words.day(_day(one.change, zone))} · {words.spelled(one.change.optimization_type)}"


def _told(one: Changed, zone: str) -> list[Markup]:
    values = f"{_values(one.change.before_values)} → {_values(one.change.after_values)}"
    because = f" because of {_inside(one.change.trigger_condition)}" if one.change.trigger_condition else ""
    said = f" It was said: “{one.change.impact_description}”." if one.change.impact_description else ""
    head = tag("b", f"{_name(one, zone)}: ")
    return [tag("li", head, f"{values}{because}.{said} ", _measured(one))]


def _inside(name: str) -> str:
    """A name within a sentence: CTR stays as it is."""
    told = words.spelled(name)
    return told if told[1:2].isupper() else told[:1].lower() + told[1:]


def _values(values: Mapping[str, object]) -> str:
    return ", ".join(f"{_inside(key)} {value}" for key, value in values.items()) or "nothing"


def _measured(one: Changed) -> Markup:
    """What can be said, and why no more can."""
    if one.outcome is None or one.days is None:
        return Markup("There are fewer than three whole days on one side of it: nothing can be measured.")
    outcome = one.outcome
    seen = f"In {words.counted(one.days, 'day')} on each side its rate went {_percent(outcome.own)}"
    if outcome.effect.estimate is None:
        return joined((f"{seen}. ", _too_few(outcome)))
    others = f"; that of {words.counted(outcome.unchanged, 'unchanged campaign')} {_percent(outcome.others)}"
    sure = "" if outcome.is_sure else " Chance alone may have done this."
    mixed = f" It includes {words.counted(one.mixed, 'other change')} within these days." if one.mixed else ""
    return joined((f"{seen}{others}: an effect of {_between(outcome.effect)}.{sure}{mixed}", _rebound(outcome)))


def _too_few(outcome: Outcome) -> str:
    if outcome.own is None:
        return "It had no such rate before or after."
    left_alone = (
        f"{outcome.unchanged} of the campaigns that were left alone ran"
        if outcome.unchanged
        else "None that was left alone ran"
    )
    return f"{left_alone} on these days: fewer than {FEWEST_UNCHANGED} do not tell what would have happened anyway."


def _rebound(outcome: Outcome) -> Markup:
    off = outcome.rebound
    if off is None or not off.is_extreme:
        return Markup()
    low = "unusually low" if off.off < 0 else "unusually high"
    expected = "" if off.expected is None else f" At least {_percent(off.expected)} of it would have come by itself."
    told = f" Before the change it was {low} for itself: such campaigns come back whatever is done.{expected}"
    return tag("span", told, class_="sl-bad")


def _between(effect: Interval) -> str:
    return f"{_percent(effect.estimate)} (from {_percent(effect.low)} to {_percent(effect.high)})"


def _percent(share: float | None) -> str:
    return words.NOTHING if share is None else f"{share * 100:+.1f} %".replace("-", "−")
