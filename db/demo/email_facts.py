"""Writes e-mail events and sends: history month by month, the last days aside for the triggers, repeats among them."""

import numpy as np
import pyarrow as pa

from db.demo import columns, words
from db.demo.audience import Audience
from db.demo.deliveries import (
    AGENTS,
    CLICKED,
    COMPLAINT,
    DELIVERED,
    HARD,
    LEFT,
    OPENED,
    PROVIDERS,
    REASONS,
    SENT,
    SOFT,
    UNDETERMINED,
    WITH_EVENT_KEY,
    Events,
    deliver,
    together,
)
from db.demo.keys import keys_at, texts_of
from db.demo.load import CHUNK, Session, Staging
from db.demo.mailings import LINKS, Mailing, Mailings
from db.demo.seasons import DAY, HOUR, Ints, Season, first_of_month, month_of
from db.demo.shape import Progress
from db.demo.world import World
from db.tables.facts import BOUNCE_TYPES, EMAIL_EVENT_TYPES

_ADDRESSES = words.addresses()
_DEVICES = (*words.DEVICES, "unknown", "unknown")
_REPEATED = 0.035
_SEND_TIMES = (
    "first_sent_at",
    "first_delivered_at",
    "last_delivered_at",
    "first_opened_at",
    "first_human_opened_at",
    "first_clicked_at",
    "last_engaged_at",
    "hard_bounced_at",
    "soft_bounced_at",
    "undetermined_bounced_at",
    "last_transient_bounced_at",
    "first_unsubscribed_at",
    "first_complained_at",
)


class EmailFacts:
    """Makes campaign after campaign by time, and writes a month when no later campaign can add to it."""

    def __init__(
        self,
        rng: np.random.Generator,
        world: World,
        audience: Audience,
        mailings: Mailings,
        *,
        staging: Staging,
        connection: Session,
    ) -> None:
        self.rng, self.world, self.audience, self.mailings = rng, world, audience, mailings
        self.staging, self.connection = staging, connection
        self.season: Season = world.season
        self._mailing_keys = mailings.keys
        self._workspaces = np.array([one.workspace for one in mailings.each])
        self._waiting: list[Events] = []
        self._live: list[Events] = []
        self._sends: list[dict[str, Ints]] = []

    def write(self, progress: Progress) -> None:
        """Everything."""
        total = len(self.mailings.each)
        month = -1
        for done, mailing in enumerate(self.mailings.each):
            own_month = int(month_of(np.array([mailing.launched_at]))[0])
            if own_month != month:
                self._close_months(own_month, month)
                month = own_month
            contacts, events = deliver(self.rng, self.season, self.audience, mailing)
            is_live = events.at >= self.season.live_from
            history = events.where(~is_live)
            self._waiting.append(history)
            self._live.append(events.where(is_live))
            self._count(mailing, contacts, history)
            progress("E-mail events", done + 1, total)
        self._close_months(month + 24, month)
        self._write_live()

    def _close_months(self, before: int, sends_month: int) -> None:
        """Write the events of all months that are over, and the sends of the month just left."""
        if not self._waiting:
            return
        events = together(self._waiting)
        months = month_of(events.at)
        for month in sorted(set(months[months < before].tolist())):
            self._write_month(int(month), events.where(months == month))
        self._waiting = [events.where(months >= before)]
        self._write_sends(sends_month)

    def _write_month(self, month: int, events: Events) -> None:
        for start in range(0, len(events), CHUNK):
            chunk = events.where(np.arange(start, min(start + CHUNK, len(events))))
            self.staging.write(self.connection, "email_events", month, self._table(chunk))
        self.staging.finish("email_events", month)
        just_before = events.where(events.at >= self.season.live_from - 2 * DAY)
        repeated = self.rng.random(len(just_before)) < _REPEATED / 4
        if repeated.any():
            again = just_before.where(repeated)
            again.created_at = self.season.live_from + self.rng.integers(0, DAY, len(again))
            self._live.append(again)

    def _write_live(self) -> None:
        """The last days as they arrived: by the time of arrival, repeats included."""
        events = together(self._live)
        again = events.where(self.rng.random(len(events)) < _REPEATED)
        again.created_at = np.minimum(again.created_at + self.rng.integers(0, 6 * HOUR, len(again)), self.season.end)
        arrived = together([events, again])
        arrived = arrived.where(np.argsort(arrived.created_at, kind="stable"))
        table = self._table(arrived).append_column("arrival", pa.array(np.arange(len(arrived))))
        self.staging.write_aside(self.connection, "email_events", table)

    def _table(self, events: Events) -> pa.Table:
        workspace = self._workspaces[events.mailing]
        provider = workspace % len(PROVIDERS)
        is_seen = (events.kind == OPENED) | (events.kind == CLICKED)
        address = np.where(is_seen, events.contact % len(_ADDRESSES), -1)
        is_person = is_seen & (events.is_machine != 1)
        rules = np.where(events.is_machine >= 0, 0, -1)
        return pa.table(
            {
                "workspace_id": columns.key_texts(self.world.workspace_keys, workspace),
                "id": texts_of(keys_at(self.rng, events.created_at)),
                "occurred_at": columns.stamps(events.at),
                "campaign_id": columns.key_texts(self._mailing_keys, events.mailing),
                "contact_id": columns.key_texts(self.audience.keys, events.contact),
                "event_type": columns.picked(EMAIL_EVENT_TYPES, events.kind),
                "provider": columns.picked(PROVIDERS, provider),
                "provider_event_key": columns.only(np.isin(provider, WITH_EVENT_KEY), texts_of(events.event_key)),
                "provider_message_id": texts_of(events.message),
                "user_agent": columns.picked(AGENTS, events.agent),
                "ip_address": columns.picked(_ADDRESSES, address),
                "location": columns.picked(words.CITIES, np.where(is_person, events.contact % len(words.CITIES), -1)),
                "device_type": columns.picked(_DEVICES, events.agent),
                "link_url": columns.picked(LINKS, events.link),
                "link_text": columns.picked([link.rsplit("/", 1)[1].title() for link in LINKS], events.link),
                "bounce_type": columns.picked(BOUNCE_TYPES, events.bounce),
                "bounce_reason": columns.picked(REASONS, events.reason),
                "is_machine_open": columns.picked(("false", "true"), events.is_machine),
                "machine_rules_version": columns.picked(("1",), rules),
                "created_at": columns.stamps(events.created_at),
            }
        )

    def _count(self, mailing: Mailing, contacts: Ints, events: Events) -> None:
        """The sends of one campaign and its counters, from its history alone: triggers add the last days."""
        sends = _sends(self._positions(contacts)[events.contact], len(contacts), events)
        engaged = sends["last_engaged_at"] != columns.NEVER
        self.audience.engage(contacts[engaged], sends["last_engaged_at"][engaged])
        mailing.counters = _counters(sends)
        known = sends["first_sent_at"] != columns.NEVER
        sends["contact"] = contacts
        sends["mailing"] = np.full(len(contacts), mailing.number)
        self._sends.append({name: values[known] for name, values in sends.items()})

    def _positions(self, contacts: Ints) -> Ints:
        position = np.empty(len(self.audience.keys), np.int64)
        position[contacts] = np.arange(len(contacts))
        return position

    def _write_sends(self, month: int) -> None:
        if not self._sends:
            return
        sends = {name: np.concatenate([one[name] for one in self._sends]) for name in self._sends[0]}
        self._sends = []
        for start in range(0, len(sends["mailing"]), CHUNK):
            chunk = {name: values[start : start + CHUNK] for name, values in sends.items()}
            self.staging.write(self.connection, "email_sends", month, self._sends_table(month, chunk))
        self.staging.finish("email_sends", month)

    def _sends_table(self, month: int, sends: dict[str, Ints]) -> pa.Table:
        mailing = sends["mailing"]
        return pa.table(
            {
                "workspace_id": columns.key_texts(self.world.workspace_keys, self._workspaces[mailing]),
                "campaign_id": columns.key_texts(self._mailing_keys, mailing),
                "contact_id": columns.key_texts(self.audience.keys, sends["contact"]),
                "sends_month": columns.same(first_of_month(month).isoformat(), len(mailing)),
                **{name: columns.stamps(sends[name]) for name in _SEND_TIMES},
                **{name: pa.array(sends[name]) for name in ("opens", "machine_opens", "clicks")},
            }
        )


def _sends(who: Ints, count: int, events: Events) -> dict[str, Ints]:
    """One row per recipient: the first and last times, and how often; NEVER where it did not happen."""
    by_person = events.is_machine != 1

    def first(chosen: np.ndarray) -> Ints:
        found = np.full(count, columns.NEVER)
        np.minimum.at(found, who[chosen], events.at[chosen])
        return found

    def last(chosen: np.ndarray) -> Ints:
        found = np.full(count, -1)
        np.maximum.at(found, who[chosen], events.at[chosen])
        found[found < 0] = columns.NEVER
        return found

    def number(chosen: np.ndarray) -> Ints:
        return np.bincount(who[chosen], minlength=count)

    kind, bounce = events.kind, events.bounce
    return {
        "first_sent_at": first(kind == SENT),
        "first_delivered_at": first(kind == DELIVERED),
        "last_delivered_at": last(kind == DELIVERED),
        "first_opened_at": first(kind == OPENED),
        "first_human_opened_at": first((kind == OPENED) & by_person),
        "first_clicked_at": first(kind == CLICKED),
        "last_engaged_at": last(((kind == OPENED) | (kind == CLICKED)) & by_person),
        "hard_bounced_at": first(bounce == HARD),
        "soft_bounced_at": first(bounce == SOFT),
        "undetermined_bounced_at": first(bounce == UNDETERMINED),
        "last_transient_bounced_at": last((bounce == SOFT) | (bounce == UNDETERMINED)),
        "first_unsubscribed_at": first(kind == LEFT),
        "first_complained_at": first(kind == COMPLAINT),
        "opens": number(kind == OPENED),
        "machine_opens": number((kind == OPENED) & ~by_person),
        "clicks": number(kind == CLICKED),
    }


def _counters(sends: dict[str, Ints]) -> dict[str, int]:
    """A campaign's counters: how many of its sends have each time."""
    transient = sends["last_transient_bounced_at"]
    arrived = sends["last_delivered_at"]
    bounced = (sends["hard_bounced_at"] != columns.NEVER) | (
        (transient != columns.NEVER) & ((arrived == columns.NEVER) | (arrived < transient))
    )
    times = {
        "emails_sent": "first_sent_at",
        "emails_delivered": "first_delivered_at",
        "emails_opened": "first_opened_at",
        "emails_clicked": "first_clicked_at",
        "emails_unsubscribed": "first_unsubscribed_at",
        "emails_complained": "first_complained_at",
    }
    counters = {counter: int((sends[time] != columns.NEVER).sum()) for counter, time in times.items()}
    return counters | {"emails_bounced": int(bounced.sum())}
