"""An A/B test as people read it: each variant's rate with its interval, what is decided, and what spoils it."""

from collections import defaultdict
from collections.abc import Iterable

from app.analysis.proportions import Rate
from app.analysis.variants import Comparison, Variant, Verdict, best, compare_variants
from app.exports.live import Listed
from app.metrics.metric import Unit
from app.records.belongings import VariantCampaign
from app.ui import words
from app.ui.cards import LIVE, card
from app.ui.intervals import Estimate, estimates
from app.ui.markup import Markup, joined, tag
from app.ui.scope import Scope

_MEASURES = (("Open rate", "emails_opened"), ("Click rate", "emails_clicked"))


def tested(read: Listed[VariantCampaign], scope: Scope) -> None:
    """Opens and clicks of each variant per e-mail delivered; campaigns of one letter are one variant."""
    found = list(read.rows)
    if len({one.variant for one in found}) < 2:  # noqa: PLR2004 - one alone is no test
        return
    compared = [(name, compare_variants(_rates(found, measure))) for name, measure in _MEASURES]
    parts = [
        joined((tag("p", tag("b", name), class_="head"), _drawn(test), tag("p", _sentence(test), class_="sl-small")))
        for name, test in compared
    ]
    live = tag("p", LIVE, class_="sl-small sl-muted")
    card("A/B test", _split(compared[0][1]), *parts, live, why=_why(found), read=read, scope=scope)


def _why(found: list[VariantCampaign]) -> str:
    told = "; ".join(f"{one.variant}: {one.campaign}" for one in found)
    return f"{told}. Intervals hold the truth in 95 of 100 cases."


def _rates(found: Iterable[VariantCampaign], measure: str) -> dict[str, Rate]:
    hits: dict[str, int] = defaultdict(int)
    of: dict[str, int] = defaultdict(int)
    for one in found:
        hits[one.variant] += getattr(one, measure)
        of[one.variant] += one.emails_delivered
    # Somebody may open what no server said it took: more than all is all.
    return {name: Rate(min(hits[name], of[name]), of[name]) for name in sorted(of)}


def _drawn(test: Comparison) -> Markup:
    listed = [
        Estimate(
            f"{one.name} · {one.verdict}",
            one.interval,
            words.figure(one.rate.value, Unit.PERCENT),
            tag("span", f"{words.count(one.rate.hits)} of {words.count(one.rate.of)}", class_="sl-muted"),
        )
        for one in test.variants
    ]
    return estimates(listed, meaning="The band is the interval, the mark is what was seen.")


def _sentence(test: Comparison) -> str:
    winner = best(test.variants)
    if winner is not None:
        return f"{winner.name} is better: {_apart(winner)}."
    few = any(one.verdict is Verdict.TOO_FEW for one in test.variants)
    others = "; ".join(f"{one.name}: {_apart(one)}" for one in test.variants[1:])
    seen = (
        f" With so many, differences of about {test.smallest_seen * 100:.1f} points would show."
        if test.smallest_seen
        else ""
    )
    return f"{'Too few to tell' if few else 'Nothing is decided'}. {others}.{seen}"


def _apart(one: Variant) -> str:
    found = one.difference
    if found is None or found.interval.low is None or found.interval.high is None:
        return "nothing was delivered"
    chance = "" if one.p_value is None else f", p = {one.p_value:.3f}"
    low, high = _points(found.interval.low), _points(found.interval.high)
    return f"{_points(found.interval.estimate)} apart, from {low} to {high}{chance}"


def _points(value: float | None) -> str:
    return words.NOTHING if value is None else f"{value * 100:+.2f}".replace("-", "−") + " points"


def _split(test: Comparison) -> Markup:
    """Half each is what is expected where nothing else is known."""
    if not test.split.is_mismatched:
        return Markup()
    counts = ", ".join(f"{one.name} {words.count(one.rate.of)}" for one in test.variants)
    return tag(
        "div",
        tag("b", "The variants did not reach equally many people."),
        f"{counts} were delivered. Unless the shares were meant so, the variants were seen by different people, "
        "and what follows proves nothing.",
        class_="sl-refused",
        role="note",
    )
