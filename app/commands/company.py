"""What touches every workspace is done by people who see every workspace."""

from sqlalchemy import Connection, select

from app.access import NotPermittedError, Viewer
from db.tables.identity import TeamMember


def require_whole_company(connection: Connection, by: Viewer) -> None:
    """Refuse a person who is limited to some workspaces; whoever is at the command line is not."""
    if by.member_id is None:
        return
    limited_to = select(TeamMember.workspace_ids).where(TeamMember.id == by.member_id)
    if connection.scalar(limited_to) is not None:
        raise NotPermittedError(
            "This changes what every workspace costs.",
            why=f"{by.name} is limited to some workspaces.",
            fix="Ask somebody of finance who sees all of them.",
        )
