"""The raw events behind figures: e-mail, web and AI, newest first, a page at a time.

Each workspace is walked down its own index by time, and the newest of all are merged: a page costs the same in a year
of events as in a day of them.
"""

from collections.abc import Iterator, Mapping, Sequence
from dataclasses import dataclass, field, replace
from datetime import date, datetime
from decimal import Decimal
from typing import Any
from uuid import UUID

from sqlalchemy import Connection, Engine

from app.access import Permission, Viewer
from app.records.reading import Page, Place, moments, page_of, rows, some
from db.engine import seeing
from db.errors import SightlineError


class UnknownColumnError(SightlineError):
    """A list is to be narrowed by what it has no column for."""


@dataclass(frozen=True)
class EmailEvent:
    """Something that happened to an e-mail. Names are None where campaign or contact were deleted."""

    occurred_at: datetime
    id: UUID
    workspace_id: UUID
    event_type: str
    campaign_id: UUID
    campaign: str | None
    contact_id: UUID
    email: str | None
    provider: str
    link_url: str | None
    link_text: str | None
    location: str | None
    device_type: str | None
    user_agent: str | None
    bounce_type: str | None
    bounce_reason: str | None
    is_machine_open: bool | None


@dataclass(frozen=True)
class WebEvent:
    """Something that a visitor did on a web campaign."""

    occurred_at: datetime
    id: UUID
    workspace_id: UUID
    event_type: str
    campaign_id: UUID
    campaign: str | None
    component_id: UUID | None
    component: str | None
    session_id: str | None
    source: str | None
    medium: str | None
    referrer: str | None
    country: str | None
    region: str | None
    city: str | None
    user_agent: str | None


@dataclass(frozen=True)
class Conversion:
    """A visitor did what a web campaign is for."""

    occurred_at: datetime
    id: UUID
    workspace_id: UUID
    conversion_type: str
    campaign_id: UUID
    campaign: str | None
    component_id: UUID | None
    component: str | None
    value: Decimal
    currency: str
    session_id: str | None
    source: str | None
    medium: str | None


@dataclass(frozen=True)
class Generation:
    """One attempt of one call of a model. The cost is None where it is unknown, or not for the viewer."""

    occurred_at: datetime
    id: UUID
    workspace_id: UUID
    generation_type: str
    product: str
    provider: str
    model: str
    status: str
    attempt: int
    campaign_id: UUID | None
    campaign: str | None
    user_id: UUID
    user_name: str | None
    error_code: str | None
    error_message: str | None
    prompt_text: str | None
    tokens_in: int
    tokens_out: int
    generation_time_ms: int | None
    user_rating: int | None
    accepted: bool | None
    cost_usd: Decimal | None


@dataclass(frozen=True)
class _Fact:
    """A table of events: its time, its kind, what is shown of it, and what it is joined with for names."""

    table: str
    at: str
    kind: str
    own: tuple[str, ...]
    names: str
    joins: str
    made: tuple[tuple[str, str], ...] = ()


_CAMPAIGN = "LEFT JOIN campaigns AS c ON c.workspace_id = e.workspace_id AND c.id = e.campaign_id"
_COMPONENT = "LEFT JOIN campaign_components AS p ON p.workspace_id = e.workspace_id AND p.id = e.component_id"
# By its own key, of each event that is walked past: a large provider's domain has more contacts than a page has events.
_OF_DOMAIN = """
    SELECT FROM contacts AS d
    WHERE d.workspace_id = {0}.workspace_id AND d.id = {0}.contact_id AND d.email_domain = ANY (:domains)
    """
_EMAIL = _Fact(
    "email_events",
    "occurred_at",
    "event_type",
    ("campaign_id", "contact_id", "provider", "link_url", "link_text", "location", "device_type", "user_agent",
     "bounce_type", "bounce_reason", "is_machine_open"),
    "c.name AS campaign, k.email AS email",
    f"{_CAMPAIGN} LEFT JOIN contacts AS k ON k.workspace_id = e.workspace_id AND k.id = e.contact_id",
)  # fmt: skip
_WEB = _Fact(
    "campaign_events",
    "occurred_at",
    "event_type",
    ("campaign_id", "component_id", "session_id", "source", "medium", "referrer", "country", "region", "city",
     "user_agent"),
    "c.name AS campaign, p.name AS component",
    f"{_CAMPAIGN} {_COMPONENT}",
)  # fmt: skip
_CONVERSIONS = _Fact(
    "conversions",
    "occurred_at",
    "conversion_type",
    ("campaign_id", "component_id", "value", "currency", "session_id", "source", "medium"),
    "c.name AS campaign, p.name AS component",
    f"{_CAMPAIGN} {_COMPONENT}",
)
_GENERATIONS = _Fact(
    "ai_generations",
    "created_at",
    "generation_type",
    ("product", "provider", "model", "status", "attempt", "campaign_id", "user_id", "error_code", "error_message",
     "prompt_text", "generation_time_ms", "user_rating", "accepted"),
    "c.name AS campaign, COALESCE(u.name, u.email) AS user_name",
    f"{_CAMPAIGN} LEFT JOIN users AS u ON u.id = e.user_id",
    (("tokens_in", "input_tokens + cached_input_tokens + cache_write_tokens"),
     ("tokens_out", "output_tokens + reasoning_tokens")),
)  # fmt: skip
_PRICED = replace(_GENERATIONS, made=(*_GENERATIONS.made, ("cost_usd", "cost")))
_UNPRICED = replace(_GENERATIONS, made=(*_GENERATIONS.made, ("cost_usd", "CAST(NULL AS NUMERIC)")))


@dataclass(frozen=True)
class Narrowed:
    """Which events: of one campaign, contact or user, in some workspaces, of some kinds, in some days.

    Days are days of the reporting zone, from `since` up to and without `until`. `having` names columns of the list and
    the values that are let through. Workspaces are named by their keys, or by their short names. Channels and
    products are the campaign's, domains those of the contact's address.
    """

    campaign: UUID | None = None
    contact: UUID | None = None
    user: UUID | None = None
    workspaces: frozenset[UUID] | None = None
    kinds: tuple[str, ...] = ()
    statuses: tuple[str, ...] = ()
    slugs: tuple[str, ...] = ()
    channels: tuple[str, ...] = ()
    products: tuple[str, ...] = ()
    domains: tuple[str, ...] = ()
    having: Mapping[str, tuple[str, ...]] = field(default_factory=dict)
    since: date | None = None
    until: date | None = None


ALL = Narrowed()


def email_events(
    engine: Engine, viewer: Viewer, only: Narrowed = ALL, *, after: Place | None = None, limit: int = 50
) -> Page[EmailEvent]:
    """E-mail events as providers told them; kinds are event types."""
    viewer.require(Permission.EMAIL_READ)
    return _listed(engine, viewer, _EMAIL, EmailEvent, _Asked(only, after, limit))


def web_events(
    engine: Engine, viewer: Viewer, only: Narrowed = ALL, *, after: Place | None = None, limit: int = 50
) -> Page[WebEvent]:
    """What visitors did; kinds are event types."""
    viewer.require(Permission.WEB_READ)
    return _listed(engine, viewer, _WEB, WebEvent, _Asked(only, after, limit))


def conversions(
    engine: Engine, viewer: Viewer, only: Narrowed = ALL, *, after: Place | None = None, limit: int = 50
) -> Page[Conversion]:
    """Conversions; kinds are conversion types."""
    viewer.require(Permission.WEB_READ)
    return _listed(engine, viewer, _CONVERSIONS, Conversion, _Asked(only, after, limit))


def generations(
    engine: Engine, viewer: Viewer, only: Narrowed = ALL, *, after: Place | None = None, limit: int = 50
) -> Page[Generation]:
    """Attempts of AI calls; kinds are generation types. What they cost is for those who may read cost."""
    viewer.require(Permission.AI_USAGE_READ)
    fact = _PRICED if viewer.may(Permission.AI_COST_READ) else _UNPRICED
    return _listed(engine, viewer, fact, Generation, _Asked(only, after, limit))


@dataclass(frozen=True)
class _Asked:
    """Which page of which list."""

    only: Narrowed
    after: Place | None
    limit: int


def _listed(engine: Engine, viewer: Viewer, fact: _Fact, make: type[Any], asked: _Asked) -> Page[Any]:
    """One row more than fits tells whether there is a next page."""
    only, after, limit = asked.only, asked.after, some(asked.limit)
    since, until = moments(only.since, only.until)
    named = {
        "campaign": only.campaign,
        "contact": only.contact,
        "user": only.user,
        "kinds": list(only.kinds),
        "statuses": list(only.statuses),
        "channels": list(only.channels),
        "products": list(only.products),
        "domains": list(only.domains),
        **{f"only_{name}": list(values) for name, values in only.having.items()},
        "since": since,
        "until": until,
        "after_at": after and after.at,
        "after_key": after and after.key,
        "most": limit + 1,
    }
    question = _question(fact, tuple(_conditions(fact, only, after)))
    given = {name: value for name, value in named.items() if f":{name}" in question}
    with seeing(engine, viewer.workspaces) as connection:
        found = rows(connection, question, **given, workspaces=_owners(connection, viewer, only))
    return page_of(found, limit, lambda row: Place(row["occurred_at"], row["id"]), make)


def _owners(connection: Connection, viewer: Viewer, only: Narrowed) -> list[UUID]:
    """Only workspaces that can have such events are walked: elsewhere the whole index would be, for nothing."""
    chosen = viewer.workspaces if only.workspaces is None else viewer.workspaces & only.workspaces
    for table, key in (("campaigns", only.campaign), ("contacts", only.contact)):
        if key:
            owner = f"SELECT workspace_id FROM {table} WHERE id = :key"  # noqa: S608 - our own name
            chosen &= {row["workspace_id"] for row in rows(connection, owner, key=key)}
    if only.slugs:
        named = "SELECT id FROM workspaces WHERE slug = ANY (:slugs)"
        chosen &= {row["id"] for row in rows(connection, named, slugs=list(only.slugs))}
    return sorted(chosen)


def _conditions(fact: _Fact, only: Narrowed, after: Place | None) -> Iterator[str]:
    conditions = (
        (only.campaign, "campaign_id = :campaign"),
        (only.contact, "contact_id = :contact"),
        (only.user, "user_id = :user"),
        (only.kinds, f"{fact.kind} = ANY (:kinds)"),
        (only.statuses, "status = ANY (:statuses)"),
        (only.channels, "campaign_id IN (SELECT id FROM campaigns WHERE channel = ANY (:channels))"),
        (only.products, "campaign_id IN (SELECT id FROM campaigns WHERE product = ANY (:products))"),
        (only.domains, f"EXISTS ({_OF_DOMAIN.format(fact.table)})"),
        (only.since, f"{fact.at} >= :since"),
        (only.until, f"{fact.at} < :until"),
        # Twice: a pair is compared by no index, and its first half alone is.
        (after, f"{fact.at} <= :after_at AND ({fact.at}, id) < (:after_at, :after_key)"),
    )
    yield from (condition for is_asked, condition in conditions if is_asked)
    for name, values in only.having.items():
        if name not in fact.own:
            raise UnknownColumnError(f"{fact.table} is not listed by {name}.", fix=f"It has {', '.join(fact.own)}.")
        if values:
            yield f"{name} = ANY (:only_{name})"


def _question(fact: _Fact, conditions: Sequence[str]) -> str:
    columns = {name: name for name in ("workspace_id", "id")} | {"occurred_at": fact.at, fact.kind: fact.kind}
    columns |= {name: name for name in fact.own} | dict(fact.made)
    own = ", ".join(f"{expression} AS {name}" for name, expression in columns.items())
    narrowed = "".join(f" AND {condition}" for condition in conditions)
    # The policies narrow every table to the viewer's workspaces besides; here each is named to walk its index.
    return f"""
        SELECT {", ".join(f"e.{name}" for name in columns)}, {fact.names}
        FROM (
            SELECT {", ".join(f"f.{name}" for name in columns)}
            FROM UNNEST(CAST(:workspaces AS UUID[])) AS w (workspace)
            CROSS JOIN LATERAL (
                SELECT {own}
                FROM {fact.table}
                WHERE workspace_id = w.workspace{narrowed}
                ORDER BY {fact.at} DESC, {fact.table}.id DESC
                LIMIT :most
            ) AS f
            ORDER BY f.occurred_at DESC, f.id DESC
            LIMIT :most
        ) AS e
        {fact.joins}
        ORDER BY e.occurred_at DESC, e.id DESC
        """  # noqa: S608 - our own names; what people give is bound
