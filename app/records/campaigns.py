"""Campaigns of every channel: searched by their words, and one with all that belongs to it."""

from collections.abc import Mapping
from dataclasses import dataclass
from datetime import date, datetime
from decimal import Decimal
from typing import Any
from uuid import UUID

from sqlalchemy import Engine

from app.access import Permission, Viewer
from app.records.reading import Page, Place, beginnings, is_unsearchable, page_of, rows, some, typed_words
from db.engine import seeing


@dataclass(frozen=True)
class Campaign:
    """A campaign as a list shows it. Totals are of its whole life, amounts in its own currency."""

    id: UUID
    workspace_id: UUID
    workspace: str
    name: str
    description: str | None
    channel: str
    product: str
    status: str
    created_at: datetime
    start_date: date | None
    end_date: date | None
    launched_at: datetime | None
    daily_budget: Decimal | None
    total_budget: Decimal | None
    currency: str
    reached: int | None
    clicks: int | None
    conversions: int | None
    spend: Decimal | None
    revenue: Decimal | None


@dataclass(frozen=True)
class CampaignDetail(Campaign):
    """One campaign, with what its channel alone has; what another channel has is None."""

    details: Mapping[str, Any]
    owner: str | None
    template_id: UUID | None
    template: str | None
    subject: str | None
    preheader: str | None
    from_name: str | None
    from_email: str | None
    scheduled_at: datetime | None
    sent_at: datetime | None
    web_type: str | None
    purpose: str | None
    objective: str | None
    approval_status: str | None
    is_optimized: bool | None

    @property
    def launched_on(self) -> datetime | date | None:
        """When it began, as far as it is known: launched, sent, or the first of its days."""
        return self.launched_at or self.sent_at or self.start_date


_LISTED = """
    c.id, c.workspace_id, w.name AS workspace, c.name, c.description, c.channel, c.product, c.status, c.created_at,
    c.start_date, c.end_date, c.launched_at, c.daily_budget, c.total_budget, c.currency, t.reached, t.clicks,
    t.conversions, t.spend, t.revenue
    """
_TOTALS = """
    JOIN workspaces AS w ON w.id = c.workspace_id
    JOIN campaign_totals AS t ON t.workspace_id = c.workspace_id AND t.campaign_id = c.id
    """
_FOUND = """
    SELECT id, workspace_id, name, description, channel, product, status, created_at, start_date, end_date,
        launched_at, daily_budget, total_budget, currency
    FROM campaigns
    WHERE workspace_id = ANY (:workspaces)
        AND (:words = '' OR search_vector @@ TO_TSQUERY('simple', :beginnings)
            OR search_vector @@ WEBSEARCH_TO_TSQUERY('english', :words))
        AND (CAST(:channels AS TEXT[]) = '{}' OR channel = ANY (:channels))
        AND (CAST(:products AS TEXT[]) = '{}' OR product = ANY (:products))
        AND (CAST(:statuses AS TEXT[]) = '{}' OR status = ANY (:statuses))
        AND (CAST(:slugs AS TEXT[]) = '{}' OR workspace_id IN (SELECT id FROM workspaces WHERE slug = ANY (:slugs)))
        AND (CAST(:keys AS UUID[]) IS NULL OR id = ANY (:keys))
        AND (CAST(:after_at AS TIMESTAMPTZ) IS NULL
            OR created_at <= :after_at AND (created_at, id) < (:after_at, CAST(:after_key AS UUID)))
    ORDER BY created_at DESC, id DESC
    LIMIT :most
    """
# Totals are looked up for the rows of the page alone.
_SEARCH = f"SELECT {_LISTED} FROM ({_FOUND}) AS c {_TOTALS} ORDER BY c.created_at DESC, c.id DESC"  # noqa: S608 - our own names
_ONE = f"""
    SELECT {_LISTED}, c.metadata AS details, COALESCE(u.name, u.email) AS owner, e.template_id, m.name AS template,
        e.subject, e.preheader, e.from_name, e.from_email, e.scheduled_at, e.sent_at, b.type AS web_type, a.purpose,
        a.objective, a.approval_status, a.ai_optimization_enabled AS is_optimized
    FROM campaigns AS c
    {_TOTALS}
    LEFT JOIN email_campaigns AS e ON e.workspace_id = c.workspace_id AND e.campaign_id = c.id
    LEFT JOIN web_campaigns AS b ON b.workspace_id = c.workspace_id AND b.campaign_id = c.id
    LEFT JOIN ad_campaigns AS a ON a.workspace_id = c.workspace_id AND a.campaign_id = c.id
    LEFT JOIN templates AS m ON m.workspace_id = c.workspace_id AND m.id = e.template_id
    LEFT JOIN users AS u ON u.id = c.user_id
    WHERE c.id = :campaign
    """  # noqa: S608 - our own names


@dataclass(frozen=True)
class Wanted:
    """Which campaigns: whose names or descriptions hold the words, and what else they must be."""

    words: str = ""
    channels: tuple[str, ...] = ()
    products: tuple[str, ...] = ()
    statuses: tuple[str, ...] = ()
    workspaces: frozenset[UUID] | None = None
    # Workspaces by their short names, as filters in addresses have them.
    slugs: tuple[str, ...] = ()
    keys: tuple[UUID, ...] | None = None


ALL = Wanted()


def search_campaigns(
    engine: Engine, viewer: Viewer, wanted: Wanted = ALL, *, after: Place | None = None, limit: int = 50
) -> Page[Campaign]:
    """Campaigns newest first. Beginnings of words are enough; descriptions are searched by the stems of words too."""
    viewer.require(Permission.CAMPAIGNS_READ)
    words = typed_words(wanted.words)
    if is_unsearchable(words):
        return Page((), None)
    chosen = viewer.workspaces if wanted.workspaces is None else viewer.workspaces & wanted.workspaces
    named: dict[str, Any] = {
        "workspaces": sorted(chosen),
        "words": words,
        "beginnings": beginnings(words),
        "channels": list(wanted.channels),
        "products": list(wanted.products),
        "statuses": list(wanted.statuses),
        "slugs": list(wanted.slugs),
        "keys": None if wanted.keys is None else list(wanted.keys),
        "after_at": after and after.at,
        "after_key": after and after.key,
        "most": some(limit) + 1,
    }
    with seeing(engine, viewer.workspaces) as connection:
        found = rows(connection, _SEARCH, **named)
    return page_of(found, some(limit), lambda row: Place(row["created_at"], row["id"]), Campaign)


def campaign(engine: Engine, viewer: Viewer, key: UUID) -> CampaignDetail | None:
    """One campaign; None where the viewer sees none by this key."""
    viewer.require(Permission.CAMPAIGNS_READ)
    with seeing(engine, viewer.workspaces) as connection:
        found = rows(connection, _ONE, campaign=key)
    return CampaignDetail(**found[0]) if found else None
