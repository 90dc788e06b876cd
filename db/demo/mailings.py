"""E-mail campaigns: when each workspace sent what to how many, and how well that went."""

from dataclasses import dataclass, field
from datetime import timedelta
from uuid import UUID

import numpy as np

from db.demo.audience import Audience, Lists
from db.demo.keys import Bytes, bytes_of, key_at
from db.demo.rows import Row
from db.demo.seasons import DAY, HOUR, MINUTE, Ints, day_of, first_of_month, moment, month_of
from db.demo.world import World, workspace_weights

# What an average e-mail causes: it is sent, mostly delivered, and opened more than once by some.
EVENTS_PER_SEND = 2.55
_SUBJECTS = (
    "What is new in {month}",
    "A small thank-you inside",
    "Three ideas for your week",
    "Your {month} offer ends soon",
    "Meet the new collection",
    "How others do it",
    "Last call for {month}",
    "An invitation",
)
_NAMES = ("Newsletter", "Offer", "Tips", "Launch", "Reminder", "Story", "Sale", "Survey", "Event", "Welcome back")
_MONTHS = [
    "January",
    "February",
    "March",
    "April",
    "May",
    "June",
    "July",
    "August",
    "September",
    "October",
    "November",
    "December",
]
LINKS = tuple(f"https://{host}/{page}" for host in ("shop.example", "www.example.com") for page in (
    "new", "sale", "guide", "story", "account", "event"
))  # fmt: skip


COUNTERS = (
    "emails_sent",
    "emails_delivered",
    "emails_opened",
    "emails_clicked",
    "emails_bounced",
    "emails_unsubscribed",
    "emails_complained",
)


@dataclass(slots=True)
class Mailing:
    """One e-mail campaign and what it shall achieve; counters are filled as events are made."""

    id: UUID
    workspace: int
    person: int
    launched_at: int
    recipients: int
    open_rate: float
    click_rate: float
    hard_bounces: float
    status: str
    number: int
    counters: dict[str, int] = field(default_factory=dict)


@dataclass(slots=True)
class Mailings:
    """All e-mail campaigns by the time of their launch."""

    each: list[Mailing]

    @property
    def keys(self) -> Bytes:
        return bytes_of([one.id for one in self.each])


def make_mailings(rng: np.random.Generator, world: World, audience: Audience, count: int, events: int) -> Mailings:
    """Campaigns of all workspaces; how many people each reaches follows from how many events there shall be."""
    weights = np.sqrt(workspace_weights(world, "mailer"))
    numbers = np.ceil(weights / weights.sum() * count).astype(np.int64)
    made: list[Mailing] = []
    for workspace in world.users_of("mailer"):
        made.extend(_of_workspace(rng, world, workspace.index, int(numbers[workspace.index])))
    made.sort(key=lambda one: (one.launched_at, one.workspace))
    _share_out(rng, audience, made, int(events / EVENTS_PER_SEND))
    _strike(world, made)
    for number, one in enumerate(made):
        one.number = number
    return Mailings(made)


def _of_workspace(rng: np.random.Generator, world: World, index: int, count: int) -> list[Mailing]:
    workspace = world.workspaces[index]
    begins, ends = workspace.used["mailer"]
    launches = world.season.moments(rng, count * 4)
    launches = launches[(launches > begins + DAY) & (launches < ends - HOUR)][:count]
    # Sends start on a quarter of an hour, as schedules do.
    launches -= launches % (15 * MINUTE)
    people = world.someone(rng, np.full(len(launches), index))
    base = float(rng.uniform(0.75, 1.25))
    return [
        Mailing(
            key_at(rng, int(at) - int(rng.integers(1, 72)) * HOUR),
            index,
            int(person),
            int(at),
            0,
            base * float(rng.uniform(0.6, 1.3)),
            float(rng.uniform(0.08, 0.26)),
            0.006,
            "sent",
            0,
        )
        for at, person in zip(launches, people, strict=True)
    ]


def _share_out(rng: np.random.Generator, audience: Audience, made: list[Mailing], sends: int) -> None:
    """Each campaign reaches a share of its workspace's contacts; the shares add up to the sends."""
    sizes: Ints = np.diff(audience.starts)
    wanted = rng.uniform(0.35, 1.0, len(made)) * sizes[[one.workspace for one in made]]
    # Some contacts are not there yet, have left or never confirmed: ask for more than is needed.
    wanted *= sends / wanted.sum()
    for one, recipients in zip(made, wanted, strict=True):
        one.recipients = max(3, round(float(recipients)))


def _strike(world: World, made: list[Mailing]) -> None:
    """The disaster: on one day, a large workspace mailed to an old list."""
    spike = world.season.bounce_spike
    struck = [one for one in made if one.launched_at >= spike and one.workspace <= 5][:3]  # noqa: PLR2004
    for one in struck:
        one.hard_bounces = 0.19


def campaign_rows(rng: np.random.Generator, world: World, mailings: Mailings) -> tuple[list[Row], list[Row]]:
    """Rows of `campaigns` and of `email_campaigns`: the sent ones, and some still to come."""
    rows = [_rows(world, one) for one in mailings.each]
    for workspace in world.users_of("mailer")[:12]:
        at = world.season.end - int(rng.integers(2, 60)) * HOUR
        coming = Mailing(key_at(rng, at), workspace.index, world.people.index(workspace.owner), at, 0, 0, 0, 0, "", 0)
        coming.counters = dict.fromkeys(COUNTERS, 0)
        coming.status = ("draft", "scheduled", "review")[workspace.index % 3]
        rows.append(_rows(world, coming))
    return [shared for shared, _ in rows], [own for _, own in rows]


def _rows(world: World, one: Mailing) -> tuple[Row, Row]:
    workspace = world.workspaces[one.workspace]
    created_at = moment(one.launched_at - 3 * HOUR)
    sent_at = moment(one.launched_at) if one.status == "sent" else None
    month = _MONTHS[moment(one.launched_at).month - 1]
    subject = _SUBJECTS[one.number % len(_SUBJECTS)].format(month=month)
    shared = {
        "workspace_id": workspace.id,
        "id": one.id,
        "user_id": world.people[one.person].id,
        "product": "mailer",
        "channel": "email",
        "name": f"{month} {_NAMES[one.number % len(_NAMES)]} {one.number + 1}",
        "description": f"E-mail to the subscribers of {workspace.row['name']}",
        "status": one.status,
        "start_date": day_of(one.launched_at),
        "end_date": day_of(one.launched_at + 14 * DAY),
        "launched_at": sent_at,
        "currency": workspace.currency,
        "metadata": _details(one),
        "created_at": created_at,
        "updated_at": created_at,
    }
    body = f"Hello {{{{first_name}}}}, {subject}."
    own = {
        "workspace_id": workspace.id,
        "campaign_id": one.id,
        "subject": subject,
        "preheader": "Open to read on",
        "from_name": workspace.row["name"],
        "from_email": f"hello@{workspace.slug}.example",
        "reply_to_email": f"reply@{workspace.slug}.example",
        "html_content": f"<html><body><p>{body}</p><a href='{LINKS[0]}'>Have a look</a></body></html>",
        "text_content": body,
        "scheduled_at": moment(one.launched_at) + (timedelta() if sent_at else timedelta(days=4)),
        "sent_at": sent_at,
        "sends_month": first_of_month(int(month_of(np.array([one.launched_at]))[0])),
        **one.counters,
        "created_at": created_at,
        "updated_at": created_at,
    }
    return shared, own


def _details(one: Mailing) -> Row:
    """Every third campaign is half of an A/B pair, as the document shows it."""
    details: Row = {
        "goal": ("product_launch", "sales", "retention")[one.number % 3],
        "segment": ("all", "high_value_customers", "leads")[one.number // 2 % 3],
        "utm_source": "email",
        "utm_medium": "campaign",
        "utm_campaign": f"mail-{one.number + 1}",
    }
    if one.number % 3 == 0:
        details |= {"ab_test_variant": "AB"[one.number // 3 % 2], "ab_test_key": f"test-{one.number // 6 + 1}"}
    return details


def campaign_list_rows(rng: np.random.Generator, world: World, mailings: Mailings, lists: Lists) -> list[Row]:
    """Which list each campaign went to."""
    return [
        {
            "workspace_id": world.workspaces[one.workspace].id,
            "id": key_at(rng, one.launched_at),
            "campaign_id": one.id,
            "list_id": lists.of_workspace[one.workspace][0],
            "created_at": moment(one.launched_at - HOUR),
        }
        for one in mailings.each
    ]
