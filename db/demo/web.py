"""Web campaigns: pages and components, visitors' sessions with their events, and conversions with their worth."""

from collections.abc import Callable, Sequence
from dataclasses import dataclass, fields
from decimal import Decimal
from typing import Any
from uuid import UUID

import numpy as np
import pyarrow as pa
from numpy.typing import NDArray

from db.demo import columns, words
from db.demo.ai_facts import Owned
from db.demo.keys import bytes_of, key_at, keys_at, texts_of
from db.demo.load import CHUNK, Session, Staging
from db.demo.rows import Row
from db.demo.seasons import DAY, HOUR, MINUTE, SECOND, Ints, day_of, moment, month_of
from db.demo.shape import Progress
from db.demo.world import World, workspace_weights
from db.tables.campaigns import WEB_CAMPAIGN_TYPES
from db.tables.facts import WEB_EVENT_TYPES

VIEW, CLICK, CONVERSION, FORM = (WEB_EVENT_TYPES.index(one) for one in ("view", "click", "conversion", "form_submit"))
_SOURCES = ("google", "email", "facebook", "instagram", "linkedin", "partner", "bing", None)
_MEDIUMS = ("organic", "campaign", "cpc", "cpc", "social", "referral", "organic", None)
_SOURCE_SHARES = (0.3, 0.18, 0.15, 0.1, 0.06, 0.06, 0.05, 0.1)
_REFERRERS = ("https://search.example/find", None, "https://social.example/feed", "https://partner.example/blog")
_COUNTRY_SHARES = (0.3, 0.2, 0.12, 0.1, 0.08, 0.06, 0.05, 0.04, 0.03, 0.02)
_CONVERSIONS = ("purchase", "signup", "demo_request", "download")
_PARTS = ("hero_section", "form", "pricing", "testimonials", "navigation", "footer")
_ADDRESSES = words.addresses()


@dataclass(slots=True)
class WebCampaigns:
    """The rows of web campaigns and their components, by workspace."""

    shared: list[Row]
    own: list[Row]
    components: list[Row]
    workspace: Ints
    starts: Ints
    begins: Ints
    ends: Ints
    component_starts: Ints

    @property
    def owned(self) -> Owned:
        """To refer to them."""
        return Owned(bytes_of([row["id"] for row in self.shared]), self.starts)


def make_web_campaigns(rng: np.random.Generator, world: World, count: int) -> WebCampaigns:
    """Landing pages and funnels of every workspace that builds them."""
    weights = np.sqrt(workspace_weights(world, "web_builder"))
    numbers = np.ceil(weights / weights.sum() * count).astype(np.int64)
    shared, own, components, spans, component_counts = [], [], [], [], []
    for index, number in enumerate(numbers):
        for position in range(int(number)):
            begins, ends = world.workspaces[index].used["web_builder"]
            begins += int(rng.random() * (ends - begins - 8 * DAY))
            ends = min(ends, begins + int(rng.integers(20, 160)) * DAY)
            key = key_at(rng, begins - 2 * HOUR)
            shared.append(_shared(rng, world, index, key, span=(begins, ends), position=position))
            own.append(_own(rng, shared[-1], position))
            parts = _components(rng, shared[-1], begins)
            components += parts
            component_counts.append(len(parts))
            spans.append((begins, ends))
    begins_ends = np.array(spans, np.int64)
    return WebCampaigns(
        shared,
        own,
        components,
        np.repeat(np.arange(len(numbers)), numbers),
        np.concatenate(([0], np.cumsum(numbers))),
        begins_ends[:, 0],
        begins_ends[:, 1],
        np.concatenate(([0], np.cumsum(component_counts))),
    )


def _shared(
    rng: np.random.Generator, world: World, index: int, key: UUID, *, span: tuple[int, int], position: int
) -> Row:
    workspace = world.workspaces[index]
    person = int(world.someone(rng, np.array([index]))[0])
    begins, ends = span
    at = moment(begins - 2 * HOUR)
    theme = words.COMPANY_FIRST[(index + position * 3) % len(words.COMPANY_FIRST)]
    return {
        "workspace_id": workspace.id,
        "id": key,
        "user_id": world.people[person].id,
        "product": "web_builder",
        "channel": "web",
        "name": f"{theme} {('page', 'funnel', 'offer', 'event')[position % 4]} {position + 1}",
        "description": f"A page of {workspace.row['name']} for visitors from search, social media and e-mail",
        "status": "launched" if ends >= world.season.end else "archived",
        "start_date": day_of(begins),
        "end_date": day_of(ends),
        "launched_at": moment(begins),
        "currency": workspace.currency,
        "metadata": {"utm_campaign": f"web-{index + 1}-{position + 1}"},
        "created_at": at,
        "updated_at": at,
    }


def _own(rng: np.random.Generator, shared: Row, position: int) -> Row:
    kinds = ("landing_page", "funnel", "landing_page", "complete_campaign", WEB_CAMPAIGN_TYPES[-1])
    return {
        "workspace_id": shared["workspace_id"],
        "campaign_id": shared["id"],
        "type": kinds[position % len(kinds)],
        "platform_source": ("wordpress", "simvoly", None)[position % 3],
        "target_audience": "People who look for something new",
        "business_type": words.INDUSTRIES[int(rng.integers(len(words.INDUSTRIES)))],
        "goals": ["leads", "sales"][: 1 + position % 2],
        "performance_requirements": {"load_seconds": 2},
        "created_at": shared["created_at"],
        "updated_at": shared["created_at"],
    }


def _components(rng: np.random.Generator, shared: Row, begins: int) -> list[Row]:
    return [
        {
            "workspace_id": shared["workspace_id"],
            "id": key_at(rng, begins - HOUR),
            "campaign_id": shared["id"],
            "name": f"{kind.replace('_', ' ').capitalize()} of {shared['name']}",
            "component_type": kind,
            "code": f"<section class='{kind}'></section>",
            "props": {"headline": "Something new", "columns": 1 + order % 3},
            "preview_url": f"https://preview.example/{kind}",
            "sort_order": order,
            "created_at": moment(begins - HOUR),
            "updated_at": moment(begins - HOUR),
        }
        for order, kind in enumerate(_PARTS[: 3 + int(rng.integers(0, 4))])
    ]


@dataclass(slots=True)
class Visits:
    """What visitors did: one array per column, of events or of conversions."""

    campaign: Ints
    component: Ints
    kind: Ints
    at: Ints
    visitor: Ints
    source: Ints
    cents: Ints

    def where(self, chosen: NDArray[Any] | slice) -> "Visits":
        """Some of them."""
        return Visits(*(getattr(self, column.name)[chosen] for column in fields(self)))


def make_visits(
    rng: np.random.Generator, world: World, campaigns: WebCampaigns, sessions: int
) -> tuple[Visits, Visits]:
    """The events of all sessions by time, and the conversions, some of which no session explains."""
    campaign, at = _sessions(rng, world, campaigns, sessions)
    visitor = np.arange(len(at))
    source = rng.choice(len(_SOURCES), len(at), p=_SOURCE_SHARES)
    # Some came before, days earlier and from elsewhere.
    earlier = np.flatnonzero(rng.random(len(at)) < 0.15)  # noqa: PLR2004
    first_at = at[earlier] - rng.integers(HOUR, 6 * DAY, len(earlier))
    first_source = rng.choice(len(_SOURCES), len(earlier), p=_SOURCE_SHARES)
    views = np.repeat(visitor, rng.geometric(0.6, len(at)))
    clicks, forms, buys = (np.flatnonzero(rng.random(len(at)) < chance) for chance in (0.35, 0.08, 0.1))
    kinds = ((views, VIEW, 0), (clicks, CLICK, 2 * MINUTE), (forms, FORM, 4 * MINUTE), (buys, CONVERSION, 6 * MINUTE))
    who = np.concatenate([earlier, *(chosen for chosen, _, _ in kinds)])
    kind = np.concatenate([np.full(len(earlier), VIEW), *(np.full(len(chosen), code) for chosen, code, _ in kinds)])
    when = [at[chosen] + delay + rng.integers(0, 2 * MINUTE, len(chosen)) for chosen, _, delay in kinds]
    moments = np.concatenate([first_at, *when])
    sources = np.concatenate([first_source, *(source[chosen] for chosen, _, _ in kinds)])
    component = _some_component(rng, campaigns, campaign[who])
    events = Visits(campaign[who], component, kind, moments, who, sources, np.zeros(len(who), np.int64))
    bought = events.where(events.kind == CONVERSION)
    unexplained = bought.where(rng.random(len(bought.at)) < 0.08)  # noqa: PLR2004
    unexplained.visitor = -1 - np.arange(len(unexplained.at))
    unexplained.source = np.full(len(unexplained.at), len(_SOURCES) - 1)
    unexplained.at = unexplained.at + rng.integers(HOUR, 5 * HOUR, len(unexplained.at))
    conversions = _by_time(world, _joined(bought, unexplained))
    conversions.cents = np.round(rng.lognormal(3.6, 0.9, len(conversions.at)) * 100).astype(np.int64)
    # A download is worth nothing by itself.
    conversions.cents[conversions.visitor % len(_CONVERSIONS) == _CONVERSIONS.index("download")] = 0
    return _by_time(world, events), conversions


def _sessions(rng: np.random.Generator, world: World, campaigns: WebCampaigns, count: int) -> tuple[Ints, Ints]:
    weight = np.array([one.weight for one in world.workspaces])[campaigns.workspace]
    length = campaigns.ends - campaigns.begins
    share = weight * length * rng.uniform(0.4, 1.6, len(weight))
    campaign = rng.choice(len(share), count, p=share / share.sum())
    # Fewer visitors the longer a page is there, and fewer at night.
    at = campaigns.begins[campaign] + (rng.beta(1, 1.4, count) * length[campaign]).astype(np.int64)
    asleep = (at % DAY < 5 * HOUR) & (rng.random(count) < 0.7)  # noqa: PLR2004
    at[asleep] += 10 * HOUR
    return campaign, at


def _some_component(rng: np.random.Generator, campaigns: WebCampaigns, campaign: Ints) -> Ints:
    first, end = campaigns.component_starts[campaign], campaigns.component_starts[campaign + 1]
    # What stands first on a page is used most.
    chosen = first + (rng.random(len(campaign)) ** 1.7 * (end - first)).astype(np.int64)
    result: Ints = np.where(rng.random(len(campaign)) < 0.2, -1, chosen)  # noqa: PLR2004
    return result


def _joined(one: Visits, other: Visits) -> Visits:
    return Visits(*(np.concatenate((getattr(one, c.name), getattr(other, c.name))) for c in fields(Visits)))


def _by_time(world: World, visits: Visits) -> Visits:
    order = np.argsort(visits.at, kind="stable")
    at = visits.at[order]
    return visits.where(order[(at >= world.season.start - 10 * DAY) & (at < world.season.end)])


class WebFacts:
    """Writes events and conversions, and counts the history on campaigns and components."""

    def __init__(
        self,
        rng: np.random.Generator,
        world: World,
        campaigns: WebCampaigns,
        staging: Staging,
        connection: Session,
    ) -> None:
        self.rng, self.world, self.campaigns = rng, world, campaigns
        self.staging, self.connection = staging, connection
        self._campaign_keys = bytes_of([row["id"] for row in campaigns.shared])
        self._component_keys = bytes_of([row["id"] for row in campaigns.components])

    def write(self, events: Visits, conversions: Visits, progress: Progress) -> None:
        """Everything."""
        self._write("campaign_events", events, self._event_table)
        progress("Web events", 1, 2)
        self._write("conversions", conversions, self._conversion_table)
        live_from = self.world.season.live_from
        self._count(events.where(events.at < live_from), conversions.where(conversions.at < live_from))
        progress("Web events", 2, 2)

    def _write(self, fact: str, visits: Visits, table_of: Callable[[Visits], pa.Table]) -> None:
        live_from = self.world.season.live_from
        history = visits.where(visits.at < live_from)
        months = month_of(history.at)
        for month in sorted(set(months.tolist())):
            rows = np.flatnonzero(months == month)
            for start in range(0, len(rows), CHUNK):
                chunk = history.where(rows[start : start + CHUNK])
                self.staging.write(self.connection, fact, int(month), table_of(chunk))
            self.staging.finish(fact, int(month))
        live = table_of(visits.where(visits.at >= live_from))
        live = live.append_column("arrival", pa.array(np.arange(live.num_rows)))
        self.staging.write_aside(self.connection, fact, live)

    def _common(self, visits: Visits) -> dict[str, columns.Column]:
        session = pa.array([f"v{one:x}" if one >= 0 else None for one in visits.visitor.tolist()], pa.string())
        created_at = np.minimum(visits.at + self.rng.integers(0, 5 * SECOND, len(visits.at)), self.world.season.end)
        workspace = self.campaigns.workspace[visits.campaign]
        return {
            "workspace_id": columns.key_texts(self.world.workspace_keys, workspace),
            "id": texts_of(keys_at(self.rng, created_at)),
            "occurred_at": columns.stamps(visits.at),
            "campaign_id": columns.key_texts(self._campaign_keys, visits.campaign),
            "component_id": columns.key_texts(self._component_keys, visits.component),
            "session_id": session,
            "source": columns.picked(_SOURCES, visits.source),
            "medium": columns.picked(_MEDIUMS, visits.source),
            "created_at": columns.stamps(created_at),
        }

    def _event_table(self, visits: Visits) -> pa.Table:
        # A visitor's own number says where they come from, on every visit the same.
        hundredth = visits.visitor * 37 % 100
        edges = np.cumsum(_COUNTRY_SHARES)[:-1] * 100
        return pa.table(
            {
                **self._common(visits),
                "event_type": columns.picked(WEB_EVENT_TYPES, visits.kind),
                "user_agent": columns.picked(words.BROWSERS, visits.visitor % len(words.BROWSERS)),
                "ip_address": columns.picked(_ADDRESSES, visits.visitor % len(_ADDRESSES)),
                "referrer": columns.picked(_REFERRERS, visits.source % len(_REFERRERS)),
                "country": columns.picked(words.COUNTRIES, np.searchsorted(edges, hundredth, side="right")),
                "city": columns.picked(words.CITIES, visits.visitor % len(words.CITIES)),
            }
        )

    def _conversion_table(self, visits: Visits) -> pa.Table:
        currencies = [one.currency for one in self.world.workspaces]
        currency = columns.picked(currencies, self.campaigns.workspace[visits.campaign])
        return pa.table(
            {
                **self._common(visits),
                "conversion_type": columns.picked(_CONVERSIONS, visits.visitor % len(_CONVERSIONS)),
                "value": columns.decimals(visits.cents, 2),
                "currency": columns.only(~_is_foreign(visits), currency).fill_null("GBP"),
            }
        )

    def _count(self, events: Visits, conversions: Visits) -> None:
        """The counters that triggers would have kept."""
        for rows, of in ((self.campaigns.own, "campaign"), (self.campaigns.components, "component")):
            for kind, counter in ((VIEW, "views"), (CLICK, "clicks")):
                _put(rows, counter, _times(getattr(events, of)[events.kind == kind], len(rows)))
            _put(rows, "conversions", _times(getattr(conversions, of), len(rows)))
        own_currency = ~_is_foreign(conversions)
        cents = np.zeros(len(self.campaigns.own), np.int64)
        np.add.at(cents, conversions.campaign[own_currency], conversions.cents[own_currency])
        _put(self.campaigns.own, "revenue_generated", [Decimal(int(one)) / 100 for one in cents])


def _is_foreign(visits: Visits) -> NDArray[np.bool_]:
    # A few buy in another currency: their worth is not in the campaign's revenue.
    result: NDArray[np.bool_] = visits.visitor % 29 == 0
    return result


def _times(codes: Ints, count: int) -> list[int]:
    counted: list[int] = np.bincount(codes[codes >= 0], minlength=count).tolist()
    return counted


def _put(rows: list[Row], counter: str, values: Sequence[int | Decimal]) -> None:
    for row, value in zip(rows, values, strict=True):
        row[counter] = value
