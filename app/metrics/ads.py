"""Ads: what was shown, clicked, spent and earned, by the ad account's own day."""

from app.access import Permission
from app.metrics.metric import Direction, Metric, Ratio, Single, Sum, Unit

UP, DOWN, NEITHER = Direction.UP, Direction.DOWN, Direction.NEITHER
_READ = Permission.ADS_READ
_NOTE = "The day is the ad account's own day."


def _sum(name: str, meaning: str, unit: Unit, good: Direction, *aliases: str) -> Sum:
    return Sum(
        name=name,
        meaning=meaning,
        unit=unit,
        good=good,
        permission=_READ,
        aliases=aliases,
        note=_NOTE,
        measure=name,
        is_whole=unit is not Unit.MONEY,
    )


def _ratio(
    name: str, meaning: str, unit: Unit, good: Direction, *, over: tuple[Metric, Metric], factor: int = 1
) -> Ratio:
    return Ratio(
        name=name,
        meaning=meaning,
        unit=unit,
        good=good,
        permission=_READ,
        note=_NOTE,
        numerator=over[0],
        denominator=over[1],
        factor=factor,
    )


IMPRESSIONS = _sum("impressions", "How often ads were shown.", Unit.COUNT, UP)
CLICKS = _sum("ad_clicks", "Clicks on ads.", Unit.COUNT, UP)
SPEND = _sum("spend", "What ads cost.", Unit.MONEY, NEITHER, "ad_spend")
CONVERSIONS = _sum("ad_conversions", "Conversions that the ad platform reports.", Unit.COUNT, UP)
REVENUE = _sum("ad_revenue", "Revenue that the ad platform reports.", Unit.MONEY, UP)
REACH = Single(
    name="reach",
    meaning="People who saw an ad of one campaign on one day. People of two days or campaigns overlap: never summed.",
    unit=Unit.PEOPLE,
    good=UP,
    permission=_READ,
    instead=("impressions",),
    needs=("campaign", "day"),
    note=_NOTE,
    measure="reach",
)

METRICS: tuple[Metric, ...] = (
    IMPRESSIONS,
    CLICKS,
    SPEND,
    CONVERSIONS,
    REVENUE,
    _sum("restatements", "How often the ad platform changed a figure later.", Unit.COUNT, NEITHER),
    _ratio("ctr", "Clicks per impression.", Unit.PERCENT, UP, over=(CLICKS, IMPRESSIONS)),
    _ratio("cpc", "What a click cost.", Unit.MONEY, DOWN, over=(SPEND, CLICKS)),
    _ratio("cpm", "What a thousand impressions cost.", Unit.MONEY, DOWN, over=(SPEND, IMPRESSIONS), factor=1000),
    _ratio("cpa", "What a conversion cost.", Unit.MONEY, DOWN, over=(SPEND, CONVERSIONS)),
    _ratio("roas", "Revenue per amount spent; empty without spend.", Unit.TIMES, UP, over=(REVENUE, SPEND)),
    _ratio("ad_conversion_rate", "Conversions per click on an ad.", Unit.PERCENT, UP, over=(CONVERSIONS, CLICKS)),
    REACH,
    Ratio(
        name="frequency",
        meaning="How often each person who saw an ad of one campaign on one day saw it.",
        unit=Unit.TIMES,
        good=NEITHER,
        permission=_READ,
        instead=("impressions",),
        needs=REACH.needs,
        note=_NOTE,
        numerator=IMPRESSIONS,
        denominator=REACH,
    ),
)
