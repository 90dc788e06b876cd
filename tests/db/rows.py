"""Rows for tests: each helper adds one with what its table demands, and gives it back as the database made it."""

import time
from datetime import UTC, datetime, timedelta
from itertools import count

from sqlalchemy import insert

from db.tables import Base

_numbers = count(1)
# A day of the last month: its partition is made with the tables.
NOON = (datetime.now(UTC).replace(day=1) - timedelta(days=10)).replace(hour=12, minute=0, second=0, microsecond=0)


def minute(number):
    """Noon of a day in the last month, and so many minutes."""
    return NOON + timedelta(minutes=number)


def add(connection, table, **values):
    """Add a row to a table and give it back whole."""
    target = Base.metadata.tables[table]
    return connection.execute(insert(target).values(**values).returning(target)).one()


def seal(connection):
    """Seal a row of the audit log. What a server does by itself may hold the horizon for a moment."""
    for _ in range(200):
        if connection.exec_driver_sql("SELECT seal_audit_log(1)").scalar_one():
            return
        time.sleep(0.05)
    raise AssertionError("Nothing could be sealed for ten seconds.")


def user(connection, **values):
    return add(connection, "users", **{"email": f"person{next(_numbers)}@people.example", **values})


def workspace(connection, **values):
    number = next(_numbers)
    return add(connection, "workspaces", **{"name": f"Workspace {number}", "slug": f"workspace-{number}", **values})


def contact(connection, workspace_id, **values):
    return add(
        connection, "contacts", workspace_id=workspace_id, **{"email": f"c{next(_numbers)}@contacts.example", **values}
    )


def campaign(connection, workspace_id, channel, *, of_channel=None, **values):
    """A campaign and its channel's row."""
    product = {"email": "mailer", "web": "web_builder", "ads": "ads_autopilot"}[channel]
    demanded = {"email": {}, "web": {"type": "funnel"}, "ads": {"purpose": "sales"}}[channel]
    made = add(
        connection,
        "campaigns",
        workspace_id=workspace_id,
        channel=channel,
        **{"product": product, "name": f"Campaign {next(_numbers)}", **values},
    )
    own = {"email": "email_campaigns", "web": "web_campaigns", "ads": "ad_campaigns"}[channel]
    add(connection, own, workspace_id=workspace_id, campaign_id=made.id, **demanded, **(of_channel or {}))
    return made


def component(connection, workspace_id, campaign_id):
    return add(
        connection,
        "campaign_components",
        workspace_id=workspace_id,
        campaign_id=campaign_id,
        name="Form",
        component_type="form",
    )


def template(connection, workspace_id, **values):
    return add(
        connection,
        "templates",
        workspace_id=workspace_id,
        **{"product": "email_studio", "name": f"Template {next(_numbers)}", "html_content": "<p>1</p>", **values},
    )


def plan(connection, **values):
    return add(
        connection,
        "plans",
        **{
            "product": "email_studio",
            "tier": "pro",
            "version": next(_numbers),
            "name": "Plan",
            "price": 10,
            "currency": "USD",
            **values,
        },
    )


def subscription(connection, workspace_id, user_id, **values):
    bought = values.pop("plan", None) or plan(connection, tier=values.get("tier", "pro"))
    return add(
        connection,
        "subscriptions",
        workspace_id=workspace_id,
        user_id=user_id,
        plan_id=bought.id,
        **{
            "product": bought.product,
            "tier": bought.tier,
            "price": 10,
            "currency": "USD",
            "started_at": NOON,
            "current_period_start": NOON.date(),
            "current_period_end": NOON.date() + timedelta(days=30),
            **values,
        },
    )


def member(connection, workspace_id, user_id, role, joined_at=NOON):
    return add(
        connection, "workspace_members", workspace_id=workspace_id, user_id=user_id, role=role, joined_at=joined_at
    )
