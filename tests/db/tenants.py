"""Fills workspaces with at least one row in every table, each marked with a word that no other workspace has."""

import re
from dataclasses import dataclass, replace
from datetime import UTC, date, datetime, timedelta
from typing import Any
from uuid import UUID, uuid4

from sqlalchemy import (
    ARRAY,
    Boolean,
    CheckConstraint,
    Column,
    Connection,
    Date,
    DateTime,
    ForeignKeyConstraint,
    LargeBinary,
    Numeric,
    Table,
    Text,
    Uuid,
    insert,
    select,
)
from sqlalchemy.dialects import postgresql
from sqlalchemy.dialects.postgresql import JSONB

from db.tables import Base
from tests.db.rows import seal

TABLES = Base.metadata.tables
TENANT_TABLES = sorted(name for name, table in TABLES.items() if "workspace_id" in table.c)
TODAY = datetime.now(UTC).date()
MONTH = TODAY.replace(day=1)
CLOSED = date(2001, 1, 1)
TOMORROW = datetime.now(UTC) + timedelta(days=1)

# What a row needs besides what its types, lists of values and keys say.
SPECIAL: dict[str, dict[str, Any]] = {
    "ad_campaigns": {"channel": "ads"},
    "ai_cost_corrections": {"month": CLOSED, "amount": 1, "kind": "late_usage"},
    "ai_generations": {"cost": 1, "price_version": 1},
    "budget_evaluations": {"spent": 1},
    "budgets": {"scope": "workspace", "user_id": None},
    "campaigns": {"channel": "email"},
    "credit_packages": {"credit_amount": 1},
    "credit_transactions": {"type": "grant", "amount": 1, "position": 1, "balance_after": 1},
    "email_campaigns": {"channel": "email"},
    "email_events": {"event_type": "sent"},
    "performance_analytics": {"breakdown": "none"},
    "plan_approvals": dict.fromkeys(("decision", "decided_by", "decided_name", "decided_at", "decision_reason")),
    "plan_migrations": {"cancelled_at": TOMORROW, "cancelled_because": "A test."},
    "plan_simulation_workspaces": {"first_hit_at": TOMORROW},
    "plan_simulations": {"margin_before": 0, "margin_after": 0, "until": TOMORROW},
    "provider_bill_lines": {"amount": 1},
    "quota_overrides": {"ends_at": TOMORROW},
    "team_members": {"roles": ["viewer"]},
    "template_metrics": {"impressions": 1},
    "user_usage": {"month": MONTH},
    "web_campaigns": {"channel": "web"},
}


@dataclass(frozen=True)
class Tenant:
    """One workspace, its customer and the word in its rows."""

    workspace: UUID
    customer: UUID
    canary: str


def make_tenant(connection: Connection, canary: str) -> Tenant:
    """A workspace with a row in every table of tenants."""
    tenant = Tenant(uuid4(), uuid4(), canary)
    users, workspaces, sessions = TABLES["users"], TABLES["workspaces"], TABLES["user_sessions"]
    connection.execute(insert(users).values(id=tenant.customer, email=f"{canary}@example.com", name=canary))
    connection.execute(
        insert(workspaces).values(id=tenant.workspace, name=canary, slug=canary, owner_id=tenant.customer)
    )
    connection.execute(
        insert(sessions).values(
            user_id=tenant.customer, token_hash=tenant.workspace.bytes * 2, expires_at=TOMORROW, user_agent=canary
        )
    )
    # Any other test's month may be this one, so it is one of long ago that is closed.
    closed = {"month": CLOSED, "closed_at": datetime.now(UTC), "cost": 0, "calls": 0, "unpriced": 0}
    connection.execute(postgresql.insert(TABLES["ai_months"]).values(closed).on_conflict_do_nothing())
    for channel in ("web", "ads"):
        connection.execute(
            insert(TABLES["campaigns"]).values(new_row(connection, TABLES["campaigns"], tenant) | {"channel": channel})
        )
    # Only sealing makes a seal; a new database has rows to be sealed.
    if not has_rows(connection, TABLES["audit_seals"], tenant):
        seal(connection)
    for table in Base.metadata.sorted_tables:
        if not has_rows(connection, table, tenant) or table.name == "campaigns":
            connection.execute(insert(table).values(new_row(connection, table, tenant)))
    return tenant


def has_rows(connection: Connection, table: Table, tenant: Tenant) -> bool:
    """Whether triggers or another tenant's filling made a row already."""
    rows = select(1).select_from(table)
    if "workspace_id" in table.c:
        rows = rows.where(table.c.workspace_id == tenant.workspace)
    return connection.scalar(rows.limit(1)) is not None


def new_row(connection: Connection, table: Table, tenant: Tenant) -> dict[str, Any]:
    """Values that the table takes for a new row of this tenant."""
    named = tenant if table.name in TENANT_TABLES else replace(tenant, canary="of the company")
    row = {column.name: value_for(column, named) for column in table.columns if is_given(column)}
    special = SPECIAL.get(table.name, {})
    row |= special
    if "workspace_id" in table.c:
        row["workspace_id"] = tenant.workspace
    for key in table.foreign_key_constraints:
        row |= referenced(connection, key, row, tenant)
    row |= special
    return {name: value for name, value in row.items() if value is not None}


def is_given(column: Column[Any]) -> bool:
    """What has a default is left to it, unless it can carry the canary."""
    if column.computed is not None or column.identity is not None:
        return False
    return column.server_default is None or carries_canary(column)


def carries_canary(column: Column[Any]) -> bool:
    """Free text, and documents and lists of free text."""
    kind = column.type.item_type if isinstance(column.type, ARRAY) else column.type
    return isinstance(kind, (Text, JSONB)) and not column.foreign_keys and not checks_of(column)


def checks_of(column: Column[Any]) -> list[str]:
    """The conditions that name the column."""
    return [
        str(check.sqltext)
        for check in column.table.constraints
        if isinstance(check, CheckConstraint) and re.search(rf"\b{column.name}\b", str(check.sqltext))
    ]


def value_for(column: Column[Any], tenant: Tenant) -> Any:
    """A value of the column's type; None where it may be empty and says nothing."""
    if column.info.get("secret"):
        return f"v1.00000000.{tenant.canary}"
    if carries_canary(column):
        return {JSONB: {"note": tenant.canary}, ARRAY: [tenant.canary]}.get(type(column.type), tenant.canary)
    return None if column.nullable else required_value(column, tenant)


def required_value(column: Column[Any], tenant: Tenant) -> Any:
    """A value that the column's conditions take, else one by its type."""
    for check in checks_of(column):
        if listed := re.match(rf"{column.name} IN \('([^']*)'", check):
            return listed[1]
        if "@" in check:
            return f"{tenant.canary}@example.com"
        if "[A-Z]{3}" in check:
            return "USD"
    return plain_value(column, tenant)


def plain_value(column: Column[Any], tenant: Tenant) -> Any:
    """A value by type alone; what ends, ends tomorrow."""
    for kind, value in {
        Uuid: uuid4(),
        Boolean: True,
        DateTime: TOMORROW if "end" in column.name or "expires" in column.name else datetime.now(UTC),
        Date: MONTH if "month" in column.name else TODAY + timedelta(days=column.name.endswith("_end")),
        LargeBinary: tenant.workspace.bytes * 2,
        Numeric: 1,
        Text: tenant.canary,
        ARRAY: [],
        JSONB: {},
    }.items():
        if isinstance(column.type, kind):
            return value
    return 1


def referenced(
    connection: Connection, key: ForeignKeyConstraint, row: dict[str, Any], tenant: Tenant
) -> dict[str, Any]:
    """The values of a foreign key: a row of the same tenant, or any row of the company."""
    target = key.referred_table
    pairs = [(element.parent.name, element.column) for element in key.elements]
    if target.name in ("users", "workspaces"):
        return {pairs[0][0]: tenant.customer if target.name == "users" else tenant.workspace}
    wanted = select(*(column for _, column in pairs))
    if "workspace_id" in target.c:
        wanted = wanted.where(target.c.workspace_id == tenant.workspace)
    if "channel" in row and "channel" in target.c:
        wanted = wanted.where(target.c.channel == row["channel"])
    found = connection.execute(wanted.limit(1)).first()
    return {} if found is None else {name: value for (name, _), value in zip(pairs, found, strict=True)}
