"""Connections to platforms and to Meta, what was found in them, and never a secret of theirs."""

from dataclasses import dataclass
from datetime import datetime
from decimal import Decimal
from enum import StrEnum
from uuid import UUID

from sqlalchemy import Engine

from app.access import Permission, Viewer
from app.records.reading import Page, Place, page_of, rows, some
from app.redaction import without_secrets
from db.engine import seeing

SOON_DAYS = 7


class Expiry(StrEnum):
    """How long a token still opens."""

    NONE = "none"
    LONG = "long"
    SOON = "soon"
    OVER = "over"


@dataclass(frozen=True)
class Integration:
    """A connection of one workspace. What it says of an error is another company's text."""

    id: UUID
    created_at: datetime
    workspace_id: UUID
    workspace: str
    platform: str
    account: str | None
    customer: str | None
    state: str
    sync_state: str | None
    last_sync_at: datetime | None
    error: str | None
    token_expires_at: datetime | None
    expiry: Expiry
    disabled_at: datetime | None
    reauthorization_asked_at: datetime | None
    analyses: int
    revision: int

    @property
    def is_disconnected(self) -> bool:
        """Nothing is left that could be destroyed."""
        return self.state in {"disconnected", "revoked"}


@dataclass(frozen=True)
class Analysis:
    """What a model found in a connected platform."""

    id: UUID
    created_at: datetime
    workspace: str
    platform: str
    kind: str
    campaigns: int
    recommendations: int
    model: str | None
    cost: Decimal | None
    seconds: int | None


_ALL = """
    SELECT i.workspace_id, i.id, i.created_at, i.user_id, i.platform_type AS platform, i.account_name AS account,
        i.connection_status AS state, i.sync_status AS sync_state, i.last_sync_at, i.sync_error_message AS error,
        CAST(NULL AS TIMESTAMPTZ) AS token_expires_at, i.disabled_at, i.reauthorization_asked_at, i.revision
    FROM platform_integrations AS i
    WHERE i.deleted_at IS NULL
    UNION ALL
    SELECT m.workspace_id, m.id, m.created_at, m.user_id, 'meta', array_to_string(m.ad_account_ids, ', '),
        m.connection_status, NULL, m.last_sync_at, NULL, m.token_expires_at, m.disabled_at,
        m.reauthorization_asked_at, m.revision
    FROM meta_accounts AS m
    WHERE m.deleted_at IS NULL
"""
_INTEGRATIONS = f"""
    SELECT c.id, c.created_at, c.workspace_id, w.name AS workspace, c.platform, NULLIF(c.account, '') AS account,
        u.email AS customer, c.state, c.sync_state, c.last_sync_at, c.error, c.token_expires_at,
        CASE
            WHEN c.token_expires_at IS NULL THEN 'none'
            WHEN c.token_expires_at <= now() THEN 'over'
            WHEN c.token_expires_at <= now() + make_interval(days => :soon) THEN 'soon'
            ELSE 'long'
        END AS expiry,
        c.disabled_at, c.reauthorization_asked_at,
        (
            SELECT COUNT(*) FROM platform_analyses AS a
            WHERE a.workspace_id = c.workspace_id AND a.integration_id = c.id
        ) AS analyses,
        c.revision
    FROM ({_ALL}) AS c
    JOIN workspaces AS w ON w.id = c.workspace_id
    LEFT JOIN users AS u ON u.id = c.user_id
    WHERE c.workspace_id = ANY (:workspaces)
        AND (CAST(:key AS UUID) IS NULL OR c.id = :key)
        AND (CAST(:slugs AS TEXT[]) IS NULL OR w.slug = ANY (:slugs))
        AND (CAST(:platform AS TEXT) IS NULL OR c.platform = :platform)
        AND (NOT :needing OR c.state IN ('error', 'expired') OR c.sync_state = 'error'
            OR c.token_expires_at <= now() + make_interval(days => :soon)
                AND c.state NOT IN ('revoked', 'disconnected'))
        AND (CAST(:after_at AS TIMESTAMPTZ) IS NULL OR (c.created_at, c.id) < (:after_at, CAST(:after_key AS UUID)))
    ORDER BY c.created_at DESC, c.id DESC
    LIMIT :most
    """  # noqa: S608 - our own text
_ANALYSES = """
    SELECT a.id, a.created_at, w.name AS workspace, i.platform_type AS platform, a.analysis_type AS kind,
        jsonb_array_length(CASE jsonb_typeof(a.campaigns_analyzed) WHEN 'array' THEN a.campaigns_analyzed ELSE '[]' END)
            AS campaigns,
        jsonb_array_length(CASE jsonb_typeof(a.recommendations) WHEN 'array' THEN a.recommendations ELSE '[]' END)
            AS recommendations,
        a.ai_model_used AS model, CASE WHEN :sees_cost THEN a.ai_cost END AS cost,
        a.processing_time_seconds AS seconds
    FROM platform_analyses AS a
    JOIN platform_integrations AS i ON i.workspace_id = a.workspace_id AND i.id = a.integration_id
    JOIN workspaces AS w ON w.id = a.workspace_id
    WHERE a.workspace_id = ANY (:workspaces)
        AND (CAST(:after_at AS TIMESTAMPTZ) IS NULL OR (a.created_at, a.id) < (:after_at, CAST(:after_key AS UUID)))
    ORDER BY a.created_at DESC, a.id DESC
    LIMIT :most
    """


def integrations(
    engine: Engine,
    viewer: Viewer,
    *,
    platform: str | None = None,
    slugs: tuple[str, ...] = (),
    needing: bool = False,
    after: Place | None = None,
    limit: int = 50,
) -> Page[Integration]:
    """The newest first; of one platform, of some workspaces, or those alone that need somebody's care."""
    viewer.require(Permission.INTEGRATIONS_READ)
    only = {"platform": platform, "slugs": list(slugs) or None, "needing": needing, "key": None}
    with seeing(engine, viewer.workspaces) as connection:
        found = rows(
            connection, _INTEGRATIONS, **only, workspaces=sorted(viewer.workspaces), soon=SOON_DAYS,
            after_at=after and after.at, after_key=after and after.key, most=some(limit) + 1,
        )  # fmt: skip
    return page_of(found, some(limit), lambda row: Place(row["created_at"], row["id"]), _integration)


def integration(engine: Engine, viewer: Viewer, key: UUID) -> Integration | None:
    """One of them, if the viewer may see it."""
    viewer.require(Permission.INTEGRATIONS_READ)
    with seeing(engine, viewer.workspaces) as connection:
        found = rows(
            connection, _INTEGRATIONS, key=key, platform=None, slugs=None, needing=False, after_at=None, after_key=None,
            workspaces=sorted(viewer.workspaces), soon=SOON_DAYS, most=1,
        )  # fmt: skip
    return _integration(**found[0]) if found else None


def analyses(engine: Engine, viewer: Viewer, *, after: Place | None = None, limit: int = 50) -> Page[Analysis]:
    """What models found in connected platforms, the newest first; the cost for who may read it."""
    viewer.require(Permission.INTEGRATIONS_READ)
    with seeing(engine, viewer.workspaces) as connection:
        found = rows(
            connection, _ANALYSES, workspaces=sorted(viewer.workspaces),
            sees_cost=viewer.may(Permission.AI_COST_READ), after_at=after and after.at,
            after_key=after and after.key, most=some(limit) + 1,
        )  # fmt: skip
    return page_of(found, some(limit), lambda row: Place(row["created_at"], row["id"]), Analysis)


def _integration(**row: object) -> Integration:
    """What other companies say may repeat what they were sent."""
    told = {name: without_secrets(str(row[name])) if row[name] else None for name in ("error", "account")}
    return Integration(**{**row, **told, "expiry": Expiry(str(row["expiry"]))})  # type: ignore[arg-type]
