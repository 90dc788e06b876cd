"""The cards with figures on each view of the team's pages: what splits them, and how they are added up."""

from dataclasses import dataclass
from urllib.parse import urlencode


@dataclass(frozen=True)
class Told:
    """What a card's figures are of: what splits them, and the metric where the card itself names none."""

    by: tuple[str, ...] = ()
    metric: str = ""
    where: str = "TRUE"
    is_added_up: bool = True


@dataclass(frozen=True)
class View:
    """A page as one of its addresses shows it, and the cards that are checked elsewhere."""

    page: str
    product: str
    cards: dict[str, Told]
    query: str = ""
    # Cards that others hold against the rows: the test that does so.
    elsewhere: frozenset[str] = frozenset()


def _show(view: str, **more: str) -> str:
    return urlencode({"show": view, **more})


OVER_TIME = Told()
_EMAIL = {
    "Delivered, opened, clicked": OVER_TIME,
    "Complaint rate": OVER_TIME,
    "Unsubscribe rate": OVER_TIME,
}
_WEB = {"Funnel": OVER_TIME, "What visitors did": Told(("conversion_type",), "conversions"), "Revenue": OVER_TIME}
_ADS = {"Spend and revenue": OVER_TIME, "Return on ad spend": OVER_TIME}
_AI = {"Generations by product": Told(("product",), "generations"), "Time until a result": OVER_TIME}
_AUDIENCE = {"Size of the lists": OVER_TIME, "Who came and who went": OVER_TIME}
_MAILS = frozenset({"From sent to clicked"})
VIEWS = {
    "overview": View(
        "overview.py",
        "mailer",
        {
            "Conversions": OVER_TIME,
            "AI generations by product": Told(("product",), "generations"),
            "Products": Told(("product",)),
        },
        elsewhere=frozenset({"Open alerts", "What changed most, and why"}),
    ),
    "email": View("emails.py", "mailer", {**_EMAIL, "Campaigns": Told(("campaign",))}, elsewhere=_MAILS),
    "email of people": View(
        "emails.py",
        "mailer",
        {**_EMAIL, "Campaigns": Told(("campaign",))},
        _show("Campaigns", opens="People only"),
        _MAILS,
    ),
    "email domains": View(
        "emails.py", "mailer", {**_EMAIL, "Receiving domains": Told(("domain",))}, _show("Domains"), _MAILS
    ),
    "email bounces": View(
        "emails.py",
        "mailer",
        {
            **_EMAIL,
            "Bounce events by class": Told(("bounce_type",), "total_bounces", "t.event_type = 'bounced'"),
            "Why they came back": Told(("bounce_type", "bounce_reason"), "total_bounces", "t.event_type = 'bounced'"),
            "Who turned mail away, and why": Told(("domain", "bounce_type", "bounce_reason"), "total_bounces"),
        },
        _show("Bounces"),
        _MAILS,
    ),
    "email links": View("emails.py", "mailer", {**_EMAIL, "Links": Told(("link",))}, _show("Links"), _MAILS),
    "email readers": View(
        "emails.py",
        "mailer",
        {
            **_EMAIL,
            "Opens by device": Told(("device",), "total_opens"),
            "Opens by place": Told(("location",), "total_opens"),
        },
        _show("Device and place"),
        _MAILS,
    ),
    "web": View("web.py", "web_builder", {**_WEB, "Landing pages": Told(("campaign",))}),
    "web components": View(
        "web.py",
        "web_builder",
        {
            **_WEB,
            "Clicks per view of each kind of component": Told(("component_type",), "clicks_per_view"),
            "Components": Told(("component", "component_type")),
        },
        _show("Components"),
    ),
    "web sources": View(
        "web.py",
        "web_builder",
        {
            **_WEB,
            "Conversions by source": Told(("source",), "conversions"),
            "Sources and mediums": Told(("source", "medium")),
        },
        _show("Sources"),
    ),
    "web countries": View(
        "web.py",
        "web_builder",
        {**_WEB, "Views by country": Told(("country",), "views"), "Countries": Told(("country",))},
        _show("Countries"),
    ),
    **{
        f"ads by {part}": View(
            "ads.py",
            "ads_autopilot",
            # What a platform tells by one breakdown need not add up to what it tells by none.
            {**_ADS, f"Spend by {part}": Told((part,), "spend"), f"By {part}": Told((part,), is_added_up=False)},
            urlencode({"by": part.capitalize()}),
        )
        for part in ("platform", "placement", "age", "gender")
    },
    "ads campaigns": View("ads.py", "ads_autopilot", {**_ADS, "Ad campaigns": Told(("campaign",))}, _show("Campaigns")),
    "ads restatements": View(
        "ads.py",
        "ads_autopilot",
        {**_ADS, "Restatements": OVER_TIME},
        _show("Restatements"),
        frozenset({"Changed since then"}),
    ),
    **{
        f"ai {view.lower()}": View("ai_usage.py", "craft_ads", {**_AI, view: Told((key,))}, _show(view))
        for view, key in {"Models": "model", "Products": "product", "Types": "generation_type"}.items()
    },
    "ai failures": View(
        "ai_usage.py",
        "craft_ads",
        {
            **_AI,
            "Success and acceptance": OVER_TIME,
            "Failures by reason": Told(("error_code",)),
            "Failures by model and reason": Told(("model", "error_code")),
        },
        _show("Failures"),
    ),
    "audience domains": View(
        "audience.py", "", {**_AUDIENCE, "Domains of their addresses": Told(("domain",))}, _show("Domains")
    ),
    "audience workspaces": View(
        "audience.py", "", {**_AUDIENCE, "Lists of the workspaces": Told(("workspace",))}, _show("Workspaces")
    ),
    "templates components": View(
        "templates.py",
        "web_builder",
        {
            "Clicks per view of each kind": Told(("component_type",), "clicks_per_view"),
            "Clicks per view over time": OVER_TIME,
            "Components of web campaigns": Told(("component", "component_type")),
        },
        _show("Components"),
    ),
    "campaigns": View(
        "campaigns.py",
        "mailer",
        {"What they did in this period": Told(("campaign", "channel"))},
        elsewhere=frozenset({"All campaigns, the newest first"}),
    ),
}
