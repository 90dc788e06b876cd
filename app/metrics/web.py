"""Pages of web campaigns: views, clicks, conversions, and which touches earned them."""

from app.access import Permission
from app.metrics.metric import Direction, Metric, Ratio, Sum, Unit, When

UP, NEITHER = Direction.UP, Direction.NEITHER
_READ = Permission.WEB_READ


def _count(name: str, meaning: str, *aliases: str, measure: str = "") -> Sum:
    return Sum(
        name=name,
        meaning=meaning,
        unit=Unit.COUNT,
        good=UP,
        permission=_READ,
        aliases=aliases,
        measure=measure or name,
    )


def _attributed(model: str, suffix: str, rule: str, *aliases: str) -> Sum:
    return Sum(
        name=f"attributed_conversions{suffix}",
        meaning=f"Conversions given to {rule}. Those without a touch stand under none: the parts add up to all.",
        unit=Unit.NUMBER,
        good=UP,
        permission=_READ,
        aliases=aliases,
        instead=("conversions",),
        measure="attributed_conversions",
        when=(When("model", (model,)),),
        is_whole=False,
    )


def _attributed_value(model: str, suffix: str, rule: str, *aliases: str) -> Sum:
    return Sum(
        name=f"attributed_value{suffix}",
        meaning=f"Value of conversions, given to {rule}. That without a touch stands under none.",
        unit=Unit.MONEY,
        good=UP,
        permission=_READ,
        aliases=aliases,
        instead=("conversion_value",),
        measure="attributed_value",
        when=(When("model", (model,)),),
        is_whole=False,
    )


_WINDOW = "within 7 days before it"
_LAST = f"the last touch {_WINDOW}"
_FIRST = f"the first touch {_WINDOW}"
_LINEAR = f"all touches {_WINDOW}, in equal parts"

WEB_EVENTS = _count("web_events", "Everything that visitors did on the pages of web campaigns.")
VIEWS = _count("views", "Views of pages.", "page_views")
CLICKS = _count("clicks", "Clicks on pages of web campaigns; e-mail's and ads' have names of their own.", "web_clicks")
FORM_SUBMITS = _count("form_submits", "Forms sent in.", "forms")
CONVERSIONS = _count("conversions", "Visitors who did what the campaign is for.")
VALUE = Sum(
    name="conversion_value",
    meaning="What conversions were worth.",
    unit=Unit.MONEY,
    good=UP,
    permission=_READ,
    aliases=("conversion_revenue",),
    instead=("attributed_value",),
    measure="conversion_value",
    is_whole=False,
)

METRICS: tuple[Metric, ...] = (
    WEB_EVENTS,
    VIEWS,
    CLICKS,
    FORM_SUBMITS,
    _count("web_email_opens", "E-mail opens that pages of web campaigns reported.", measure="web_email_opens"),
    _count("web_email_clicks", "E-mail clicks that pages of web campaigns reported.", measure="web_email_clicks"),
    _count("conversion_events", "Conversion events of pages, whether or not a conversion was recorded."),
    CONVERSIONS,
    VALUE,
    Ratio(
        name="conversion_rate",
        meaning="Conversions per view of a page.",
        unit=Unit.PERCENT,
        good=UP,
        permission=_READ,
        instead=("clicks_per_view",),
        numerator=CONVERSIONS,
        denominator=VIEWS,
    ),
    Ratio(
        name="conversions_per_click",
        meaning="Conversions per click on a page.",
        unit=Unit.PERCENT,
        good=UP,
        permission=_READ,
        numerator=CONVERSIONS,
        denominator=CLICKS,
    ),
    Ratio(
        name="clicks_per_view",
        meaning="Clicks per view of a page.",
        unit=Unit.PERCENT,
        good=UP,
        permission=_READ,
        numerator=CLICKS,
        denominator=VIEWS,
    ),
    Ratio(
        name="form_rate",
        meaning="Forms sent in per view of a page.",
        unit=Unit.PERCENT,
        good=UP,
        permission=_READ,
        numerator=FORM_SUBMITS,
        denominator=VIEWS,
    ),
    Ratio(
        name="value_per_conversion",
        meaning="What a conversion was worth.",
        unit=Unit.MONEY,
        good=UP,
        permission=_READ,
        numerator=VALUE,
        denominator=CONVERSIONS,
    ),
    _attributed("last", "", _LAST, "attributed_conversions_last"),
    _attributed("first", "_first", _FIRST),
    _attributed("linear", "_linear", _LINEAR),
    _attributed_value("last", "", _LAST, "attributed_value_last"),
    _attributed_value("first", "_first", _FIRST),
    _attributed_value("linear", "_linear", _LINEAR),
    Sum(
        name="unattributed_conversions",
        meaning=f"Conversions without a touch {_WINDOW}.",
        unit=Unit.NUMBER,
        good=NEITHER,
        permission=_READ,
        measure="attributed_conversions",
        when=(When("model", ("last",)), When("touch_campaign_code", (None,))),
        is_whole=False,
    ),
)
