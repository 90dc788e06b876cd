"""Saved views: a page with its filters, kept by one person for themselves or for the team."""

import re
from collections.abc import Collection, Sequence
from dataclasses import dataclass
from typing import Any
from urllib.parse import urlencode
from uuid import UUID

from sqlalchemy import Connection, Engine, func, insert, or_, select, update

from app.access import NotPermittedError, Permission, Viewer
from app.commands.stale import NotThereError
from app.commands.texts import one_line, shortened
from db.engine import seeing
from db.errors import SightlineError
from db.tables.identity import TeamMember
from db.tables.system import SavedView

LONGEST_NAME = 80
_MOST_PARAMETERS = 60
_LONGEST_ADDRESS = 8_000
_PAGE = re.compile(r"[a-z0-9_-]{1,60}")
# Values of these are the same for everyone; whatever else filters, its values may tell what others must not know.
_COMMON = frozenset({"period", "days", "compare", "grain", "product", "channel", "as_of", "show"})

Query = Sequence[tuple[str, str]]


@dataclass(frozen=True)
class View:
    """A view as lists show it. Its query is what stands in the page's address."""

    id: UUID
    name: str
    query: tuple[tuple[str, str], ...]
    author: str
    is_own: bool
    is_shared: bool
    is_default: bool

    @property
    def address(self) -> str:
        return urlencode(self.query)


def save_view(
    engine: Engine, by: Viewer, *, page: str, name: str, query: Query, is_shared: bool = False, is_default: bool = False
) -> UUID:
    """Keep a page's filters under a name; one of the same name is replaced."""
    by.require(Permission.OVERVIEW_READ)
    member, cleaned = _member(by), _clean(name)
    _require_address(page, query)
    with seeing(engine, by.workspaces, actor=by.name) as connection:
        if is_default:
            _take_default(connection, member, page)
        there = connection.scalar(_own(member, page).where(SavedView.name == cleaned).with_only_columns(SavedView.id))
        values = {"query": [list(pair) for pair in query], "is_shared": is_shared, "is_default": is_default}
        if there is not None:
            connection.execute(update(SavedView).where(SavedView.id == there).values(**values))
            return UUID(str(there))
        added: UUID = connection.execute(
            insert(SavedView).values(team_member_id=member, page=page, name=cleaned, **values).returning(SavedView.id)
        ).scalar_one()
        return added


def delete_view(engine: Engine, by: Viewer, key: UUID) -> None:
    """Forget one's own view; admins may forget those of others."""
    by.require(Permission.OVERVIEW_READ)
    with seeing(engine, by.workspaces, actor=by.name) as connection:
        owner = connection.scalar(
            select(SavedView.team_member_id).where(SavedView.id == key, SavedView.deleted_at.is_(None))
        )
        if owner is None:
            raise NotThereError("This view is not there any more.", fix="Load the page again.")
        if owner != by.member_id and not by.may(Permission.TEAM_MANAGE):
            raise NotPermittedError("This view is somebody else's.", fix="Ask them, or an admin.")
        connection.execute(update(SavedView).where(SavedView.id == key).values(deleted_at=func.now(), is_default=False))


def views(engine: Engine, viewer: Viewer, page: str, workspace_names: Collection[str]) -> list[View]:
    """One's own views of a page and the team's; of those, none that names what the viewer may not see."""
    with seeing(engine, viewer.workspaces) as connection:
        is_limited = connection.scalar(
            select(TeamMember.workspace_ids.is_not(None)).where(TeamMember.id == viewer.member_id)
        )
        rows = connection.execute(
            select(
                SavedView.id,
                SavedView.name,
                SavedView.query,
                SavedView.is_shared,
                SavedView.is_default,
                SavedView.team_member_id,
                func.coalesce(TeamMember.name, TeamMember.email).label("author"),
            )
            .join(TeamMember, TeamMember.id == SavedView.team_member_id)
            .where(
                SavedView.deleted_at.is_(None),
                SavedView.page == page,
                or_(SavedView.team_member_id == viewer.member_id, SavedView.is_shared),
            )
            .order_by(func.lower(SavedView.name), SavedView.id)
        ).all()
    found = [_view(row, viewer) for row in rows]
    return [one for one in found if one.is_own or _is_for(one, workspace_names, is_limited=bool(is_limited))]


def _view(row: Any, viewer: Viewer) -> View:  # noqa: ANN401 - a row
    own = row.team_member_id == viewer.member_id
    query = tuple((str(name), str(value)) for name, value in row.query)
    # A default is a choice of one's own: that of others opens nothing.
    return View(row.id, row.name, query, row.author, own, row.is_shared, row.is_default and own)


def _is_for(view: View, workspace_names: Collection[str], *, is_limited: bool) -> bool:
    return all(
        name in _COMMON or (value in workspace_names if name == "workspace" else not is_limited)
        for name, value in view.query
    )


def _own(member: UUID, page: str) -> Any:  # noqa: ANN401 - a select whose columns are chosen later
    return select(SavedView).where(
        SavedView.team_member_id == member, SavedView.page == page, SavedView.deleted_at.is_(None)
    )


def _take_default(connection: Connection, member: UUID, page: str) -> None:
    connection.execute(
        update(SavedView)
        .where(
            SavedView.team_member_id == member,
            SavedView.page == page,
            SavedView.deleted_at.is_(None),
            SavedView.is_default,
        )
        .values(is_default=False)
    )


def _member(by: Viewer) -> UUID:
    if by.member_id is None:
        raise SightlineError(
            "Views have an owner.", why="You are not signed in as a person of the team.", fix="Sign in."
        )
    return by.member_id


def _require_address(page: str, query: Query) -> None:
    """What can stand in the address of a page."""
    if not _PAGE.fullmatch(page):
        raise SightlineError(f"'{shortened(page)}' is no page.", fix="Give the name that stands in its address.")
    if len(query) > _MOST_PARAMETERS:
        raise SightlineError("The view has too many filters.", fix=f"Choose at most {_MOST_PARAMETERS} values.")
    if len(urlencode(query)) > _LONGEST_ADDRESS:
        raise SightlineError("The view's filters are too long for an address.", fix="Choose fewer values.")


def _clean(name: str) -> str:
    cleaned = one_line(name)
    if not cleaned or len(cleaned) > LONGEST_NAME:
        raise SightlineError(
            "A view needs a name.", why=f"It has one to {LONGEST_NAME} characters.", fix="Write a short one."
        )
    return cleaned
