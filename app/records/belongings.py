"""What belongs to one campaign: components, assets, the variants of its test, and what the autopilot changed."""

from collections.abc import Mapping
from dataclasses import dataclass
from datetime import date, datetime, timedelta
from decimal import Decimal
from typing import Any
from uuid import UUID

from sqlalchemy import Engine

from app.access import Permission, Viewer
from app.records.reading import Page, Place, moments, page_of, rows, some
from db.engine import seeing


@dataclass(frozen=True)
class Component:
    """A part of a web campaign, with the counts of its whole life."""

    id: UUID
    name: str
    component_type: str
    version: int
    views: int
    clicks: int
    conversions: int
    engagement_score: Decimal | None


@dataclass(frozen=True)
class Asset:
    """A picture or video that a campaign uses. The score is from 0 to 5."""

    id: UUID
    filename: str | None
    asset_type: str
    asset_role: str
    is_active: bool
    performance_score: Decimal | None
    ai_model: str | None
    file_url: str
    format: str | None


@dataclass(frozen=True)
class VariantCampaign:
    """A campaign that is one variant of a test; several may carry the same letter."""

    campaign_id: UUID
    campaign: str
    variant: str
    emails_delivered: int
    emails_opened: int
    emails_clicked: int
    emails_unsubscribed: int


@dataclass(frozen=True)
class Optimization:
    """What the autopilot changed on an ad campaign, and what it said came of it."""

    id: UUID
    optimized_at: datetime
    workspace_id: UUID
    campaign_id: UUID
    campaign: str | None
    optimization_type: str
    trigger_condition: str | None
    before_values: Mapping[str, Any]
    after_values: Mapping[str, Any]
    success: bool | None
    impact_description: str | None


_COMPONENTS = """
    SELECT id, name, component_type, version, views, clicks, conversions, engagement_score
    FROM campaign_components
    WHERE campaign_id = :campaign
    ORDER BY workspace_id, campaign_id, sort_order, id
    LIMIT :most
    """
_ASSETS = """
    SELECT a.id, a.filename, a.asset_type, u.asset_role, u.is_active, u.performance_score, a.ai_model, a.file_url,
        a.format
    FROM campaign_assets AS u
    JOIN creative_assets AS a ON a.workspace_id = u.workspace_id AND a.id = u.asset_id
    WHERE u.campaign_id = :campaign
    ORDER BY u.performance_score DESC NULLS LAST, a.id
    LIMIT :most
    """
# A test is named by its key, which is the same in campaigns of one workspace and means nothing in another's.
_VARIANTS = """
    SELECT o.id AS campaign_id, o.name AS campaign, o.metadata ->> 'ab_test_variant' AS variant, e.emails_delivered,
        e.emails_opened, e.emails_clicked, e.emails_unsubscribed
    FROM campaigns AS c
    JOIN campaigns AS o
        ON o.workspace_id = c.workspace_id
        AND o.metadata ->> 'ab_test_key' = c.metadata ->> 'ab_test_key'
        AND o.metadata ->> 'ab_test_variant' IS NOT NULL
    JOIN email_campaigns AS e ON e.workspace_id = o.workspace_id AND e.campaign_id = o.id
    WHERE c.id = :campaign
    ORDER BY variant, o.created_at, o.id
    LIMIT :most
    """
_OPTIMIZATIONS = """
    SELECT o.id, o.optimized_at, o.workspace_id, o.campaign_id, c.name AS campaign, o.optimization_type,
        o.trigger_condition, o.before_values, o.after_values, o.success, o.impact_description
    FROM ai_optimization_logs AS o
    LEFT JOIN campaigns AS c ON c.workspace_id = o.workspace_id AND c.id = o.campaign_id
    WHERE o.workspace_id = ANY (:workspaces)
        AND (CAST(:campaign AS UUID) IS NULL OR o.campaign_id = :campaign)
        AND (CAST(:since AS TIMESTAMPTZ) IS NULL OR o.optimized_at >= :since)
        AND (CAST(:until AS TIMESTAMPTZ) IS NULL OR o.optimized_at < :until)
        AND (CAST(:after_at AS TIMESTAMPTZ) IS NULL
            OR o.optimized_at <= :after_at AND (o.optimized_at, o.id) < (:after_at, CAST(:after_key AS UUID)))
    ORDER BY o.optimized_at DESC, o.id DESC
    LIMIT :most
    """
# Ads are told by day: the day of the change itself belongs to neither side.
_UNCHANGED = """
    SELECT c.id
    FROM campaigns AS c
    WHERE c.channel = 'ads'
        AND c.workspace_id = ANY (:workspaces)
        AND c.start_date <= :first_day
        AND (c.end_date IS NULL OR c.end_date >= :last_day)
        AND NOT EXISTS (
            SELECT FROM ai_optimization_logs AS o
            WHERE o.workspace_id = c.workspace_id
                AND o.campaign_id = c.id
                AND o.optimized_at >= :since
                AND o.optimized_at < :until
        )
    ORDER BY c.id
    """


def components(engine: Engine, viewer: Viewer, campaign: UUID) -> tuple[Component, ...]:
    """The parts of a web campaign, in the order in which they stand."""
    return tuple(Component(**row) for row in _of_campaign(engine, viewer, _COMPONENTS, campaign))


def assets(engine: Engine, viewer: Viewer, campaign: UUID) -> tuple[Asset, ...]:
    """Pictures and videos, the best first."""
    return tuple(Asset(**row) for row in _of_campaign(engine, viewer, _ASSETS, campaign))


def variants(engine: Engine, viewer: Viewer, campaign: UUID) -> tuple[VariantCampaign, ...]:
    """Every variant of the test that an e-mail campaign is part of, itself included; none: it is part of no test."""
    return tuple(VariantCampaign(**row) for row in _of_campaign(engine, viewer, _VARIANTS, campaign))


def optimizations(
    engine: Engine,
    viewer: Viewer,
    *,
    campaign: UUID | None = None,
    since: date | None = None,
    until: date | None = None,
    after: Place | None = None,
    limit: int = 50,
) -> Page[Optimization]:
    """What the autopilot changed, newest first."""
    viewer.require(Permission.CAMPAIGNS_READ)
    first, last = moments(since, until)
    with seeing(engine, viewer.workspaces) as connection:
        found = rows(
            connection,
            _OPTIMIZATIONS,
            workspaces=sorted(viewer.workspaces),
            campaign=campaign,
            since=first,
            until=last,
            after_at=after and after.at,
            after_key=after and after.key,
            most=some(limit) + 1,
        )
    return page_of(found, some(limit), lambda row: Place(row["optimized_at"], row["id"]), Optimization)


def unchanged_campaigns(engine: Engine, viewer: Viewer, changed_on: date, days: int) -> tuple[UUID, ...]:
    """Ad campaigns that ran on so many days before and after a day, and on which nothing was changed meanwhile."""
    viewer.require(Permission.CAMPAIGNS_READ)
    first_day, last_day = changed_on - timedelta(days=days), changed_on + timedelta(days=days)
    since, until = moments(first_day, last_day + timedelta(days=1))
    with seeing(engine, viewer.workspaces) as connection:
        found = rows(
            connection,
            _UNCHANGED,
            workspaces=sorted(viewer.workspaces),
            first_day=first_day,
            last_day=last_day,
            since=since,
            until=until,
        )
    return tuple(row["id"] for row in found)


def _of_campaign(engine: Engine, viewer: Viewer, question: str, campaign: UUID) -> list[dict[str, Any]]:
    viewer.require(Permission.CAMPAIGNS_READ)
    with seeing(engine, viewer.workspaces) as connection:
        return [dict(row) for row in rows(connection, question, campaign=campaign, most=some(1000))]
