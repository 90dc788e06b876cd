"""The data model: one module per area, all tables in one metadata."""

from db.tables import (
    ai,
    assets,
    audience,
    billing,
    bills,
    budgets,
    campaigns,
    exports,
    facts,
    identity,
    integrations,
    money,
    simulations,
    system,
    templates,
    workspaces,
)
from db.tables.base import HOUSE_WORKSPACE, Base

__all__ = [
    "HOUSE_WORKSPACE",
    "Base",
    "ai",
    "assets",
    "audience",
    "billing",
    "bills",
    "budgets",
    "campaigns",
    "exports",
    "facts",
    "identity",
    "integrations",
    "money",
    "simulations",
    "system",
    "templates",
    "workspaces",
]
