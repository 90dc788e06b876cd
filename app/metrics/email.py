"""E-mail: what happened to each send, each event, and each person."""

from app.access import Permission
from app.metrics.metric import Direction, Metric, People, Ratio, Sum, Unit

UP, DOWN, NEITHER = Direction.UP, Direction.DOWN, Direction.NEITHER
_READ = Permission.EMAIL_READ
_ONCE = "Each send counts once, on the day of its first such event."


def _sends(measure: str, meaning: str, good: Direction, *aliases: str, total: str = "") -> Sum:
    return Sum(
        name=measure,
        meaning=f"{meaning} {_ONCE}",
        unit=Unit.COUNT,
        good=good,
        permission=_READ,
        aliases=aliases,
        instead=(total,) if total else (),
        measure=measure,
    )


def _events(name: str, measure: str, meaning: str, good: Direction, *aliases: str) -> Sum:
    return Sum(
        name=name,
        meaning=f"{meaning} Every event counts, also several of one send.",
        unit=Unit.COUNT,
        good=good,
        permission=_READ,
        aliases=aliases,
        measure=measure,
    )


def _rate(
    name: str, meaning: str, good: Direction, numerator: Metric, denominator: Metric, *instead: str, note: str = ""
) -> Ratio:
    return Ratio(
        name=name,
        meaning=meaning,
        unit=Unit.PERCENT,
        good=good,
        permission=_READ,
        instead=instead,
        note=note,
        numerator=numerator,
        denominator=denominator,
    )


def _people(name: str, meaning: str, measure: str, *instead: str) -> People:
    return People(
        name=name,
        meaning=f"{meaning} A person counts once however many days or campaigns the period has.",
        unit=Unit.PEOPLE,
        good=UP,
        permission=_READ,
        instead=instead,
        measure=measure,
    )


SENT = _sends("emails_sent", "E-mails handed to a provider.", NEITHER, "sent", "sends", total="total_sent")
DELIVERED = _sends(
    "emails_delivered", "E-mails that a receiving server took.", UP, "delivered", "deliveries", total="total_delivered"
)
OPENED = _sends(
    "emails_opened",
    "E-mails opened, by people or by machines.",
    UP,
    "opened",
    "opens",
    "unique_opens",
    total="total_opens",
)
HUMAN_OPENED = _sends(
    "emails_human_opened",
    "E-mails opened by people: opens by privacy proxies and scanners are left out.",
    UP,
    "human_opened",
    "human_opens",
    total="total_human_opens",
)
CLICKED = _sends(
    "emails_clicked", "E-mails in which a link was clicked.", UP, "clicked", "unique_clicks", total="total_clicks"
)
CONFIRMED = _sends("emails_confirmed", "E-mails that were opened or clicked.", UP, "confirmed_opens", "confirmed")
BOUNCED = _sends(
    "emails_bounced",
    "E-mails that came back; a soft bounce that was delivered later is none.",
    DOWN,
    "bounced",
    "bounces",
    total="total_bounces",
)
BOUNCED_HARD = _sends("emails_bounced_hard", "E-mails to addresses that do not exist.", DOWN, "hard_bounces")
BOUNCED_SOFT = _sends("emails_bounced_soft", "E-mails turned away for the time being.", DOWN, "soft_bounces")
BOUNCED_UNDETERMINED = _sends(
    "emails_bounced_undetermined",
    "E-mails that came back for a reason that nobody could read.",
    DOWN,
    "undetermined_bounces",
)
UNSUBSCRIBED = _sends(
    "emails_unsubscribed",
    "E-mails after which the person unsubscribed.",
    DOWN,
    "unsubscribed",
    "unsubscribes",
    total="total_unsubscribes",
)
COMPLAINED = _sends(
    "emails_complained", "E-mails reported as spam.", DOWN, "complained", "complaints", total="total_complaints"
)

TOTAL_SENT = _events("total_sent", "sent_events", "Sent events.", NEITHER)
TOTAL_DELIVERED = _events("total_delivered", "delivered_events", "Delivered events.", UP)
TOTAL_OPENS = _events("total_opens", "opened_events", "Opens, by people or by machines.", UP)
MACHINE_OPENS = _events(
    "total_machine_opens", "machine_opened_events", "Opens by privacy proxies and scanners.", NEITHER, "machine_opens"
)
TOTAL_HUMAN_OPENS = _events("total_human_opens", "human_opened_events", "Opens by people.", UP)
TOTAL_CLICKS = _events("total_clicks", "clicked_events", "Clicks on links.", UP, "link_clicks")
TOTAL_BOUNCES = _events("total_bounces", "bounced_events", "Bounces, with their class and reason.", DOWN)
TOTAL_UNSUBSCRIBES = _events("total_unsubscribes", "unsubscribed_events", "Unsubscriptions.", DOWN)
TOTAL_COMPLAINTS = _events("total_complaints", "complained_events", "Spam reports.", DOWN)


def _of_sent_hour(name: str, measure: str, meaning: str) -> Sum:
    return Sum(
        name=name,
        meaning=f"{meaning} They stand at the day and hour of their sending, whenever it happened.",
        unit=Unit.COUNT,
        good=UP,
        permission=_READ,
        measure=measure,
    )


SENT_THEN_DELIVERED = _of_sent_hour("sent_then_delivered", "sent_then_delivered", "E-mails that were delivered.")
SENT_THEN_OPENED = _of_sent_hour("sent_then_opened", "sent_then_opened", "E-mails that were opened.")
SENT_THEN_HUMAN_OPENED = _of_sent_hour(
    "sent_then_human_opened", "sent_then_human_opened", "E-mails that were opened by people."
)
SENT_THEN_CLICKED = _of_sent_hour("sent_then_clicked", "sent_then_clicked", "E-mails that were clicked.")

_LINES = "Large mailbox providers draw lines at 0.10 % and 0.30 %."
METRICS: tuple[Metric, ...] = (
    SENT,
    DELIVERED,
    OPENED,
    HUMAN_OPENED,
    CLICKED,
    CONFIRMED,
    BOUNCED,
    BOUNCED_HARD,
    BOUNCED_SOFT,
    BOUNCED_UNDETERMINED,
    UNSUBSCRIBED,
    COMPLAINED,
    TOTAL_SENT,
    TOTAL_DELIVERED,
    TOTAL_OPENS,
    MACHINE_OPENS,
    TOTAL_HUMAN_OPENS,
    TOTAL_CLICKS,
    TOTAL_BOUNCES,
    TOTAL_UNSUBSCRIBES,
    TOTAL_COMPLAINTS,
    SENT_THEN_DELIVERED,
    SENT_THEN_OPENED,
    SENT_THEN_HUMAN_OPENED,
    SENT_THEN_CLICKED,
    _rate("delivery_rate", "Delivered e-mails per sent one.", UP, DELIVERED, SENT, "total_delivered"),
    _rate(
        "open_rate", "Opened e-mails per delivered one, machine opens included.", UP, OPENED, DELIVERED, "total_opens"
    ),
    _rate("human_open_rate", "E-mails opened by people per delivered one.", UP, HUMAN_OPENED, DELIVERED, "total_opens"),
    _rate("click_rate", "Clicked e-mails per delivered one.", UP, CLICKED, DELIVERED, "total_clicks"),
    _rate(
        "clicks_per_open",
        "Clicked e-mails per opened one; above 100 % where pictures are blocked, and not cut off there.",
        UP,
        CLICKED,
        OPENED,
        "total_clicks",
    ),
    _rate(
        "clicks_per_human_open",
        "Clicked e-mails per e-mail opened by people; may exceed 100 %.",
        UP,
        CLICKED,
        HUMAN_OPENED,
        "total_clicks",
    ),
    _rate("confirmed_open_rate", "E-mails opened or clicked per delivered one.", UP, CONFIRMED, DELIVERED),
    _rate("bounce_rate", "Bounced e-mails per sent one.", DOWN, BOUNCED, SENT, "total_bounces"),
    _rate("hard_bounce_rate", "Hard bounces per sent e-mail.", DOWN, BOUNCED_HARD, SENT, "total_bounces"),
    _rate("soft_bounce_rate", "Soft bounces per sent e-mail.", DOWN, BOUNCED_SOFT, SENT, "total_bounces"),
    _rate(
        "unsubscribe_rate",
        "Unsubscriptions per delivered e-mail.",
        DOWN,
        UNSUBSCRIBED,
        DELIVERED,
        "total_unsubscribes",
    ),
    _rate("complaint_rate", "Spam reports per delivered e-mail.", DOWN, COMPLAINED, DELIVERED, note=_LINES),
    _rate(
        "open_rate_by_send_time",
        "Of e-mails sent in an hour and delivered, how many were opened sooner or later.",
        UP,
        SENT_THEN_OPENED,
        SENT_THEN_DELIVERED,
        "open_rate",
    ),
    _rate(
        "human_open_rate_by_send_time",
        "Of e-mails sent in an hour and delivered, how many people opened sooner or later.",
        UP,
        SENT_THEN_HUMAN_OPENED,
        SENT_THEN_DELIVERED,
        "human_open_rate",
    ),
    _rate(
        "click_rate_by_send_time",
        "Of e-mails sent in an hour and delivered, how many were clicked sooner or later.",
        UP,
        SENT_THEN_CLICKED,
        SENT_THEN_DELIVERED,
        "click_rate",
    ),
    _people("unique_openers", "People who opened an e-mail, machine opens included.", "opened_events", "emails_opened"),
    _people(
        "unique_human_openers", "People who opened an e-mail themselves.", "human_opened_events", "emails_human_opened"
    ),
    _people("unique_clickers", "People who clicked a link.", "clicked_events", "emails_clicked", "total_clicks"),
)
