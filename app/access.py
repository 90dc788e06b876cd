"""Who may do what, and whose rows they may see."""

from dataclasses import dataclass
from enum import StrEnum
from uuid import UUID

from sqlalchemy import Engine, select

from db.errors import SightlineError
from db.tables import HOUSE_WORKSPACE
from db.tables.workspaces import Workspace


class Role(StrEnum):
    """What a person of the team is to Sightline."""

    VIEWER = "viewer"
    FINANCE = "finance"
    ADMIN = "admin"


class Permission(StrEnum):
    """One thing that a person may do."""

    OVERVIEW_READ = "overview.read"
    CAMPAIGNS_READ = "campaigns.read"
    EMAIL_READ = "email.read"
    AUDIENCE_READ = "audience.read"
    WEB_READ = "web.read"
    ADS_READ = "ads.read"
    AI_USAGE_READ = "ai_usage.read"
    TEMPLATES_READ = "templates.read"
    AI_COST_READ = "ai_cost.read"
    MONEY_READ = "money.read"
    PRICES_APPROVE = "prices.approve"
    MONTHS_CLOSE = "months.close"
    BUDGETS_MANAGE = "budgets.manage"
    AI_STOP = "ai.stop"
    TEMPLATES_MANAGE = "templates.manage"
    QUOTAS_READ = "quotas.read"
    QUOTAS_MANAGE = "quotas.manage"
    CUSTOMERS_READ = "customers.read"
    CUSTOMERS_MANAGE = "customers.manage"
    PLANS_READ = "plans.read"
    PLANS_MANAGE = "plans.manage"
    TEAM_MANAGE = "team.manage"
    AUDIT_READ = "audit.read"
    SETTINGS_MANAGE = "settings.manage"
    RETENTION_MANAGE = "retention.manage"
    JOBS_READ = "jobs.read"
    JOBS_MANAGE = "jobs.manage"
    INTEGRATIONS_READ = "integrations.read"
    INTEGRATIONS_MANAGE = "integrations.manage"
    DATA_HEALTH_READ = "data_health.read"


_VIEWER = frozenset(
    {
        Permission.OVERVIEW_READ,
        Permission.CAMPAIGNS_READ,
        Permission.EMAIL_READ,
        Permission.AUDIENCE_READ,
        Permission.WEB_READ,
        Permission.ADS_READ,
        Permission.AI_USAGE_READ,
        Permission.TEMPLATES_READ,
    }
)
PERMISSIONS = {
    Role.VIEWER: _VIEWER,
    Role.FINANCE: _VIEWER
    | {
        Permission.AI_COST_READ,
        Permission.MONEY_READ,
        Permission.PRICES_APPROVE,
        Permission.MONTHS_CLOSE,
        Permission.BUDGETS_MANAGE,
        Permission.AI_STOP,
    },
    Role.ADMIN: frozenset(Permission),
}


class NotPermittedError(SightlineError):
    """The person lacks a permission."""


@dataclass(frozen=True)
class Viewer:
    """Who asks, and the workspaces that every answer is limited to. No question is asked without one."""

    name: str
    roles: frozenset[Role]
    workspaces: frozenset[UUID]
    member_id: UUID | None = None  # of the team; the operator at the command line is in none

    def may(self, permission: Permission) -> bool:
        return any(permission in PERMISSIONS[role] for role in self.roles)

    def require(self, permission: Permission) -> None:
        if not self.may(permission):
            raise NotPermittedError(
                f"{self.name} may not do this ({permission}).",
                why=f"The roles {', '.join(sorted(self.roles)) or 'none'} do not include it.",
                fix="Ask an admin of Sightline for the role.",
            )


def operator(pipe: Engine, name: str) -> Viewer:
    """The person at this machine's command line, who could read the database's files anyway: an admin of everything."""
    return Viewer(name, frozenset({Role.ADMIN}), all_workspaces(pipe))


def all_workspaces(pipe: Engine) -> frozenset[UUID]:
    """Every workspace that is not deleted; only the role of the pull can list them."""
    listed = select(Workspace.id).where(Workspace.deleted_at.is_(None), Workspace.id != HOUSE_WORKSPACE)
    with pipe.connect() as connection:
        return frozenset(connection.scalars(listed))
