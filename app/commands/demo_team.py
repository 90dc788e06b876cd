"""Gives the demo a team: one person for each role, and one who is limited to two workspaces."""

from sqlalchemy import func, select

from app.access import operator
from app.commands.team import add_member, members
from app.database import Engines
from app.identity.demo import ACCOUNTS, LIMITED_TO, is_demo, make_demo_passwords
from db.tables.campaigns import Campaign
from db.tables.workspaces import Workspace


def ensure_demo_team(engines: Engines) -> None:
    """Add who is missing; a database that is not the demo's gets nobody."""
    if not is_demo(engines.ro):
        return
    by = operator(engines.pipe, "the demo")
    there = {member.email for member in members(engines.rw, by)}
    missing = [account for account in ACCOUNTS if account.email not in there]
    if not missing:
        return
    passwords = make_demo_passwords()
    for account in missing:
        add_member(
            engines.rw,
            by,
            email=account.email,
            name=account.name,
            password=passwords[account.email],
            roles=[account.role],
            workspace_slugs=_busiest(engines) if account.is_limited else (),
        )


def _busiest(engines: Engines) -> list[str]:
    """The workspaces with the most campaigns: those with something to see."""
    asked = (
        select(Workspace.slug)
        .join(Campaign, Campaign.workspace_id == Workspace.id)
        .where(Workspace.deleted_at.is_(None))
        .group_by(Workspace.id)
        .order_by(func.count().desc(), Workspace.slug)
        .limit(LIMITED_TO)
    )
    with engines.pipe.connect() as connection:
        return list(connection.scalars(asked))
