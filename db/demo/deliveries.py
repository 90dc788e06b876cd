"""What happened to each e-mail of a campaign: sent, delivered or bounced, opened, clicked, left; as arrays."""

from dataclasses import dataclass, fields
from typing import Any

import numpy as np
from numpy.typing import NDArray

from db.demo import columns, words
from db.demo.audience import BOUNCED, COMPLAINED, UNSUBSCRIBED, Audience
from db.demo.mailings import LINKS, Mailing
from db.demo.seasons import DAY, HOUR, MINUTE, SECOND, Floats, Ints, Season
from db.tables.facts import BOUNCE_TYPES, EMAIL_EVENT_TYPES

SENT, DELIVERED, OPENED, CLICKED, BOUNCE, LEFT, COMPLAINT = range(len(EMAIL_EVENT_TYPES))
HARD, SOFT, UNDETERMINED = range(len(BOUNCE_TYPES))
PROVIDERS = ("sendgrid", "ses", "postmark", "mailgun")
WITH_EVENT_KEY = (0, 3)
REASONS = (
    "550 5.1.1 The e-mail account that you tried to reach does not exist",
    "550 5.1.10 Recipient address rejected: recipient not found",
    "452 4.2.2 The mailbox is over its storage limit",
    "421 4.7.0 Try again later, closing connection",
    "450 4.2.0 Greylisted, please try again in 300 seconds",
    "554 5.7.1 Message rejected for policy reasons",
)
AGENTS = (*words.BROWSERS, "Mozilla/5.0", "Mozilla/5.0 (Windows NT 5.1; rv:11.0) Gecko Firefox/11.0 GoogleImageProxy")
_APPLE_PROXY, _GOOGLE_PROXY = len(words.BROWSERS), len(words.BROWSERS) + 1
NOBODY = -1


@dataclass(slots=True)
class Events:
    """E-mail events, one array per column."""

    mailing: Ints
    contact: Ints
    kind: Ints
    at: Ints
    created_at: Ints
    link: Ints
    agent: Ints
    bounce: Ints
    reason: Ints
    is_machine: Ints
    message: NDArray[np.uint8]
    event_key: NDArray[np.uint8]

    def __len__(self) -> int:
        return len(self.at)

    def where(self, chosen: NDArray[Any]) -> "Events":
        """Some of the events."""
        return Events(*(getattr(self, column.name)[chosen] for column in fields(self)))


def together(parts: list[Events]) -> Events:
    """All events of some parts."""
    return Events(*(np.concatenate([getattr(one, column.name) for one in parts]) for column in fields(Events)))


@dataclass(slots=True)
class _Part:
    """Events of one kind for some of a campaign's recipients."""

    who: Ints
    kind: int
    at: Ints
    agent: Ints | int = NOBODY
    link: Ints | int = NOBODY
    bounce: Ints | int = NOBODY
    reason: Ints | int = NOBODY
    is_machine: int = NOBODY


def deliver(rng: np.random.Generator, season: Season, audience: Audience, mailing: Mailing) -> tuple[Ints, Events]:
    """The contacts that a campaign was sent to, and everything that came of it before today."""
    reachable = audience.reachable(mailing.workspace, mailing.launched_at)
    contacts: Ints = rng.choice(reachable, min(mailing.recipients, len(reachable)), replace=False)
    sent_at = mailing.launched_at + np.sort(rng.integers(0, 40 * MINUTE, len(contacts)))
    bounces, delivered_at = _bounces(rng, audience, mailing, contacts, sent_at)
    everyone = np.arange(len(contacts))
    arrived = np.flatnonzero(delivered_at != columns.NEVER)
    parts = [_Part(everyone, SENT, sent_at), _Part(arrived, DELIVERED, delivered_at[arrived]), *bounces]
    parts += _reactions(rng, audience, mailing, contacts, delivered_at)
    events = _joined(rng, season, mailing, contacts, parts)
    _remember(audience, events)
    return contacts, events


def _bounces(
    rng: np.random.Generator, audience: Audience, mailing: Mailing, contacts: Ints, sent_at: Ints
) -> tuple[list[_Part], Ints]:
    """Bounces by class, and when each e-mail was delivered, if it was."""
    badness = np.where(audience.domain[contacts] == words.BAD_DOMAIN, 3.0, 1.0)
    luck = rng.random(len(contacts)) / badness
    hard = luck < mailing.hard_bounces
    soft = ~hard & (luck < mailing.hard_bounces + 0.012)
    undetermined = ~hard & ~soft & (luck < mailing.hard_bounces + 0.014)
    lost = ~hard & ~soft & ~undetermined & (luck < mailing.hard_bounces + 0.016)
    later = soft & (rng.random(len(contacts)) < 0.55)  # noqa: PLR2004
    quickly = sent_at + SECOND + rng.exponential(6 * SECOND, len(contacts)).astype(np.int64)
    slowly = sent_at + rng.integers(20 * MINUTE, 200 * MINUTE, len(contacts))
    delivered_at = np.where(later, slowly, quickly)
    delivered_at[(hard | soft | undetermined | lost) & ~later] = columns.NEVER
    parts = []
    for chosen, kind, first_reason, reasons in (
        (hard, HARD, 0, 2),
        (soft, SOFT, 2, 3),
        (undetermined, UNDETERMINED, 5, 1),
    ):
        who = np.flatnonzero(chosen)
        at = sent_at[who] + rng.integers(SECOND, 40 * SECOND, len(who))
        reason = first_reason + rng.integers(0, reasons, len(who))
        parts.append(_Part(who, BOUNCE, at, bounce=kind, reason=reason))
    return parts, delivered_at


def _reactions(
    rng: np.random.Generator, audience: Audience, mailing: Mailing, contacts: Ints, delivered_at: Ints
) -> list[_Part]:
    """Opens by machines and people, clicks, and leaving."""
    arrived = delivered_at != columns.NEVER
    chance = np.minimum(0.27 * mailing.open_rate * audience.eagerness[contacts], 0.92)
    reads = np.flatnonzero(arrived & (rng.random(len(contacts)) < chance))
    read_at = delivered_at[reads] + _later(rng, len(reads), 2.2 * HOUR, 1.4)
    again = rng.geometric(0.62, len(reads)) - 1
    re_reader = np.repeat(np.arange(len(reads)), again)
    read_again_at = read_at[re_reader] + rng.exponential(20 * HOUR, len(re_reader)).astype(np.int64)
    own_agent = contacts * 7 % len(words.BROWSERS)
    clicks = np.flatnonzero(rng.random(len(reads)) < mailing.click_rate)
    clicker = np.repeat(clicks, 1 + (rng.random(len(clicks)) < 0.35))  # noqa: PLR2004
    clicked_at = read_at[clicker] + rng.exponential(50 * SECOND, len(clicker)).astype(np.int64) + SECOND
    # Some people see no pictures: they click, and no open was ever seen.
    blind = np.flatnonzero(arrived & (rng.random(len(contacts)) < 0.002))  # noqa: PLR2004
    links = _links(rng, len(clicker) + len(blind))
    leaving = reads[rng.random(len(reads)) < 0.006]  # noqa: PLR2004
    complaining = np.flatnonzero(arrived & (rng.random(len(contacts)) < _complaints(audience, contacts)))
    return [
        *_machine_opens(rng, audience, contacts, delivered_at),
        _Part(reads, OPENED, read_at, own_agent[reads], is_machine=0),
        _Part(reads[re_reader], OPENED, read_again_at, own_agent[reads[re_reader]], is_machine=0),
        _Part(reads[clicker], CLICKED, clicked_at, own_agent[reads[clicker]], link=links[: len(clicker)]),
        _Part(
            blind, CLICKED, delivered_at[blind] + _later(rng, len(blind), 3 * HOUR, 1), own_agent[blind],
            link=links[len(clicker) :],
        ),
        _Part(leaving, LEFT, delivered_at[leaving] + _later(rng, len(leaving), 5 * HOUR, 1)),
        _Part(complaining, COMPLAINT, delivered_at[complaining] + _later(rng, len(complaining), 8 * HOUR, 1)),
    ]  # fmt: skip


def _machine_opens(rng: np.random.Generator, audience: Audience, contacts: Ints, delivered_at: Ints) -> list[_Part]:
    arrived = delivered_at != columns.NEVER
    luck = rng.random(len(contacts))
    apple = np.flatnonzero(arrived & audience.reads_with_apple[contacts] & (luck < 0.8))  # noqa: PLR2004
    google = np.flatnonzero(arrived & ~audience.reads_with_apple[contacts] & (luck < 0.04))  # noqa: PLR2004
    return [
        _Part(who, OPENED, delivered_at[who] + rng.integers(SECOND, 9 * MINUTE, len(who)), agent, is_machine=1)
        for who, agent in ((apple, _APPLE_PROXY), (google, _GOOGLE_PROXY))
    ]


def _complaints(audience: Audience, contacts: Ints) -> Floats:
    result: Floats = np.where(audience.domain[contacts] == words.BAD_DOMAIN, 0.0035, 0.0005)
    return result


def _links(rng: np.random.Generator, count: int) -> Ints:
    # The first link of an e-mail is clicked most.
    result: Ints = np.minimum(rng.geometric(0.35, count) - 1, len(LINKS) - 1)
    return result


def _later(rng: np.random.Generator, count: int, median: float, spread: float) -> Ints:
    result: Ints = np.minimum(median * rng.lognormal(0, spread, count), 20 * DAY).astype(np.int64)
    return result


def _joined(rng: np.random.Generator, season: Season, mailing: Mailing, contacts: Ints, parts: list[_Part]) -> Events:
    """One set of arrays of all parts; what lies after today has not happened yet."""
    counts = [len(part.who) for part in parts]
    at = np.concatenate([part.at for part in parts])
    total = len(at)

    def column(name: str) -> Ints:
        chosen = [np.broadcast_to(getattr(part, name), count) for part, count in zip(parts, counts, strict=True)]
        result: Ints = np.concatenate(chosen).astype(np.int64)
        return result

    who = column("who")
    lag = rng.exponential(4 * SECOND, total).astype(np.int64)
    # Some providers deliver hours late, and not in order.
    late = rng.random(total) < 0.01  # noqa: PLR2004
    lag[late] += rng.integers(HOUR, 40 * HOUR, int(late.sum()))
    messages = rng.integers(0, 256, (len(contacts), 16), dtype=np.uint8)
    events = Events(
        np.full(total, mailing.number),
        contacts[who],
        column("kind"),
        at,
        np.minimum(at + lag, season.end),
        column("link"),
        column("agent"),
        column("bounce"),
        column("reason"),
        column("is_machine"),
        messages[who],
        rng.integers(0, 256, (total, 11), dtype=np.uint8),
    )
    return events.where(at < season.end)


def _remember(audience: Audience, events: Events) -> None:
    """What the campaign did to its contacts."""
    for kind, status in ((LEFT, UNSUBSCRIBED), (COMPLAINT, COMPLAINED)):
        chosen = events.kind == kind
        audience.leave(events.contact[chosen], events.at[chosen], status)
    hard = events.bounce == HARD
    audience.leave(events.contact[hard], events.at[hard], BOUNCED)
