"""Settings of the company and rules of retention as they stand."""

from dataclasses import dataclass
from datetime import datetime
from typing import Any
from uuid import UUID

from sqlalchemy import Engine

from app.access import Permission, Viewer
from app.records.reading import rows
from db.engine import seeing


@dataclass(frozen=True)
class CompanySetting:
    """A setting with what it says."""

    key: str
    # Whatever JSON holds: mostly an object, but a bare number as well.
    value: Any
    description: str | None
    revision: int
    updated_at: datetime


@dataclass(frozen=True)
class RetentionRule:
    """How long rows of a kind are kept, for whom; `keep_days` None: for ever."""

    id: UUID
    subject: str
    audience: str
    keep_days: int | None
    is_active: bool
    description: str
    revision: int
    updated_at: datetime


_SETTINGS = "SELECT key, value, description, revision, updated_at FROM settings ORDER BY key"
_RULES = """
    SELECT id, subject, audience, keep_days, is_active, description, revision, updated_at
    FROM retention_policies
    ORDER BY subject, audience
    """


def company_settings(engine: Engine, viewer: Viewer) -> tuple[CompanySetting, ...]:
    """All of them, also those that this version does not know."""
    viewer.require(Permission.SETTINGS_MANAGE)
    with seeing(engine, viewer.workspaces) as connection:
        return tuple(CompanySetting(**row) for row in rows(connection, _SETTINGS))


def retention_rules(engine: Engine, viewer: Viewer) -> tuple[RetentionRule, ...]:
    """All of them, whether or not a job holds them."""
    viewer.require(Permission.RETENTION_MANAGE)
    with seeing(engine, viewer.workspaces) as connection:
        return tuple(RetentionRule(**row) for row in rows(connection, _RULES))
