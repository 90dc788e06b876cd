"""What touches every workspace is done by people who see every workspace."""

from sqlalchemy import Connection, Engine, select

from app.access import NotPermittedError, Viewer
from db.engine import seeing
from db.tables.identity import TeamMember


def require_whole_company(
    connection: Connection,
    by: Viewer,
    *,
    what: str = "This changes what every workspace costs.",
    whom: str = "somebody of finance",
) -> None:
    """Refuse a person who is limited to some workspaces; whoever is at the command line is not."""
    if is_limited(connection, by):
        raise NotPermittedError(
            what,
            why=f"{by.name} is limited to some workspaces.",
            fix=f"Ask {whom} who sees all of them.",
        )


def sees_whole_company(engine: Engine, viewer: Viewer) -> bool:
    """Whether pages offer such things at all; the commands ask again."""
    with seeing(engine, viewer.workspaces) as connection:
        return not is_limited(connection, viewer)


def is_limited(connection: Connection, by: Viewer) -> bool:
    """Whether a person sees some workspaces alone."""
    if by.member_id is None:
        return False
    limited_to = select(TeamMember.workspace_ids).where(TeamMember.id == by.member_id)
    return connection.scalar(limited_to) is not None
