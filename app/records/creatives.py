"""Pictures and videos of ad campaigns, each with the campaign that uses it."""

from collections.abc import Sequence
from dataclasses import dataclass
from decimal import Decimal
from uuid import UUID

from sqlalchemy import Engine

from app.access import Permission, Viewer
from app.records.reading import rows, some
from db.engine import seeing


@dataclass(frozen=True)
class Creative:
    """A file in use by a campaign. The score, from 0 to 5, is the product's own."""

    asset_id: UUID
    campaign_id: UUID
    campaign: str
    filename: str | None
    asset_type: str
    asset_role: str
    format: str | None
    ai_model: str | None
    performance_score: Decimal | None


_CREATIVES = """
    SELECT a.id AS asset_id, c.id AS campaign_id, c.name AS campaign, a.filename, a.asset_type, u.asset_role, a.format,
        a.ai_model, u.performance_score
    FROM campaign_assets AS u
    JOIN campaigns AS c ON c.workspace_id = u.workspace_id AND c.id = u.campaign_id
    JOIN creative_assets AS a ON a.workspace_id = u.workspace_id AND a.id = u.asset_id
    WHERE u.workspace_id = ANY (:workspaces) AND u.campaign_id = ANY (:campaigns) AND u.is_active
    ORDER BY u.performance_score DESC NULLS LAST, a.id, c.id
    LIMIT :most
    """


def creatives_of(engine: Engine, viewer: Viewer, campaigns: Sequence[UUID], *, limit: int = 500) -> list[Creative]:
    """What these campaigns use now, the best score first."""
    viewer.require(Permission.ADS_READ)
    with seeing(engine, viewer.workspaces) as connection:
        found = rows(
            connection,
            _CREATIVES,
            workspaces=sorted(viewer.workspaces),
            campaigns=list(campaigns),
            most=some(limit),
        )
    return [Creative(**row) for row in found]
