"""Accounts of customers, and who is in a workspace with which role."""

import re
from collections.abc import Iterator
from contextlib import contextmanager
from uuid import UUID

from sqlalchemy import Connection, Engine, RowMapping, Select, Update, func, insert, select, text, update

from app.access import NotPermittedError, Permission, Viewer
from app.commands.quotas import reason_given
from app.commands.stale import EditedMeanwhileError, changed_by_others
from app.commands.workspaces import gone, require_seen
from db.engine import seeing
from db.errors import SightlineError
from db.tables.identity import User, UserSession
from db.tables.workspaces import MEMBER_ROLES, Workspace, WorkspaceMember

GIVEN_ROLES = tuple(role for role in MEMBER_ROLES if role != "owner")
_EMAIL = re.compile(r"[^@\s]+@[^@\s]+\.[^@\s]+")
_LONGEST_EMAIL = 320


def invite(engine: Engine, by: Viewer, workspace: UUID, *, email: str, role: str, reason: str) -> UUID:
    """Let somebody into a workspace by their address; a new address becomes a customer. The key of the membership."""
    _require_role(role)
    address = email.strip()
    if len(address) > _LONGEST_EMAIL or not _EMAIL.fullmatch(address):
        raise SightlineError(f"{address!r} is not an e-mail address.", fix="Give one like name@example.com.")
    with _of_workspace(engine, by, workspace, reason) as (connection, home):
        customer = connection.scalar(text("SELECT invited_customer(:address)"), {"address": address})
        if customer == home["owner_id"] or connection.scalar(_membership(workspace, customer)) is not None:
            raise SightlineError(f"{address} is in this workspace already.", fix="Change the role in its list.")
        made: UUID = connection.execute(
            insert(WorkspaceMember)
            .values(workspace_id=workspace, user_id=customer, role=role, invited_at=func.now())
            .returning(WorkspaceMember.id)
        ).scalar_one()
    return made


def change_role(engine: Engine, by: Viewer, workspace: UUID, member: UUID, role: str, *, was: str, reason: str) -> None:
    """Give a member another role, if it is still the one that it was when the edit was made."""
    _require_role(role)
    with _of_workspace(engine, by, workspace, reason) as (connection, home):
        found = _member(connection, workspace, member)
        if found["user_id"] == home["owner_id"]:
            raise _owns()
        if found["role"] != was:
            raise EditedMeanwhileError(
                "this role", now={"role": found["role"]}, wanted={"role": role}, revision=0, made_on={"role": was}
            )
        connection.execute(_of(workspace, member).values(role=role))


def remove(engine: Engine, by: Viewer, workspace: UUID, member: UUID, *, reason: str) -> None:
    """Take somebody out of a workspace; what they made there stays."""
    with _of_workspace(engine, by, workspace, reason) as (connection, home):
        if _member(connection, workspace, member)["user_id"] == home["owner_id"]:
            raise _owns()
        connection.execute(_of(workspace, member).values(deleted_at=func.now()))


def hand_over(engine: Engine, by: Viewer, workspace: UUID, member: UUID, *, revision: int, reason: str) -> UUID | None:
    """Make a member the owner; who owned it stays as an admin. The membership of who owned it, where there was one."""
    with _of_workspace(engine, by, workspace, reason) as (connection, home):
        if home["revision"] != revision:
            owner = connection.scalar(select(User.email).where(User.id == home["owner_id"]))
            raise changed_by_others(f"{home['name']}, owned by {owner or 'nobody'}")
        chosen = _member(connection, workspace, member)
        if chosen["user_id"] == home["owner_id"]:
            raise SightlineError("This person owns the workspace already.", fix="Choose somebody else.")
        before: UUID | None = None
        if home["owner_id"] is not None:
            before = connection.scalar(_membership(workspace, home["owner_id"]))
            if before is None:
                before = connection.execute(
                    insert(WorkspaceMember)
                    .values(workspace_id=workspace, user_id=home["owner_id"], role="admin", joined_at=func.now())
                    .returning(WorkspaceMember.id)
                ).scalar_one()
            connection.execute(_of(workspace, before).values(role="admin"))
        connection.execute(_of(workspace, member).values(role="owner"))
        connection.execute(update(Workspace).where(Workspace.id == workspace).values(owner_id=chosen["user_id"]))
    return before


def deactivate(engine: Engine, by: Viewer, customer: UUID, *, reason: str) -> int:
    """Let a customer in no more, in any workspace. How many sessions ended."""
    with _of_account(engine, by, customer, reason) as (connection, found):
        if not found["is_active"]:
            raise changed_by_others("deactivated")
        connection.execute(update(User).where(User.id == customer).values(is_active=False))
        return _end(connection, customer)


def reactivate(engine: Engine, by: Viewer, customer: UUID, *, reason: str) -> None:
    """Let a customer in again."""
    with _of_account(engine, by, customer, reason) as (connection, found):
        if found["is_active"]:
            raise changed_by_others("active")
        connection.execute(update(User).where(User.id == customer).values(is_active=True))


def end_sessions(engine: Engine, by: Viewer, customer: UUID, *, reason: str) -> int:
    """Sign a customer out everywhere. How many sessions ended."""
    with _of_account(engine, by, customer, reason) as (connection, _):
        return _end(connection, customer)


def open_sessions(engine: Engine, by: Viewer, customer: UUID) -> int:
    """How many sessions of a customer are open; the role of pages reads none of them."""
    by.require(Permission.CUSTOMERS_MANAGE)
    open_ones = select(func.count()).where(
        UserSession.user_id == customer, UserSession.revoked_at.is_(None), UserSession.expires_at > func.now()
    )
    with seeing(engine, by.workspaces) as connection:
        return connection.scalar(open_ones) or 0


@contextmanager
def _of_workspace(engine: Engine, by: Viewer, workspace: UUID, reason: str) -> Iterator[tuple[Connection, RowMapping]]:
    """A transaction that changes one workspace, and the workspace, locked: its people change one after another."""
    by.require(Permission.CUSTOMERS_MANAGE)
    require_seen(by, workspace)
    with seeing(engine, by.workspaces, actor=by.name, reason=reason_given(reason)) as connection:
        home = connection.execute(
            select(Workspace.owner_id, Workspace.revision, Workspace.name)
            .where(Workspace.id == workspace, Workspace.deleted_at.is_(None))
            .with_for_update()
        ).mappings().one_or_none()  # fmt: skip
        if home is None:
            raise gone()
        yield connection, home


@contextmanager
def _of_account(engine: Engine, by: Viewer, customer: UUID, reason: str) -> Iterator[tuple[Connection, RowMapping]]:
    """A transaction that changes an account; one of other workspaces as well is not of this viewer alone."""
    by.require(Permission.CUSTOMERS_MANAGE)
    with seeing(engine, by.workspaces, actor=by.name, reason=reason_given(reason)) as connection:
        found = connection.execute(
            select(User.email, User.is_active).where(User.id == customer, User.deleted_at.is_(None)).with_for_update()
        ).mappings().one_or_none()  # fmt: skip
        if found is None:
            raise SightlineError("No customer that you see is known by this.", fix="Look at the list again.")
        if connection.scalar(text("SELECT customer_is_elsewhere(:customer)"), {"customer": customer}):
            raise NotPermittedError(
                f"{found['email']} is in other workspaces as well.",
                why="An account is the same in all of them, and you don't see them all.",
                fix="Ask an admin who sees all workspaces; or take the person out of yours.",
            )
        yield connection, found


def _end(connection: Connection, customer: UUID) -> int:
    return connection.execute(
        update(UserSession)
        .where(UserSession.user_id == customer, UserSession.revoked_at.is_(None), UserSession.expires_at > func.now())
        .values(revoked_at=func.now())
    ).rowcount


def _member(connection: Connection, workspace: UUID, member: UUID) -> RowMapping:
    found = connection.execute(
        select(WorkspaceMember.user_id, WorkspaceMember.role).where(
            WorkspaceMember.workspace_id == workspace,
            WorkspaceMember.id == member,
            WorkspaceMember.deleted_at.is_(None),
        )
    ).mappings().one_or_none()  # fmt: skip
    if found is None:
        raise SightlineError("This person is not in the workspace any more.", fix="Look at the list again.")
    return found


def _membership(workspace: UUID, customer: UUID) -> Select[UUID]:
    return select(WorkspaceMember.id).where(
        WorkspaceMember.workspace_id == workspace,
        WorkspaceMember.user_id == customer,
        WorkspaceMember.deleted_at.is_(None),
    )


def _of(workspace: UUID, member: UUID) -> Update:
    return update(WorkspaceMember).where(WorkspaceMember.workspace_id == workspace, WorkspaceMember.id == member)


def _require_role(role: str) -> None:
    if role not in GIVEN_ROLES:
        raise SightlineError(
            f"'{role}' is no role to give.",
            why="An owner is made by handing the workspace over." if role == "owner" else "",
            fix=f"Choose one of {', '.join(GIVEN_ROLES)}.",
        )


def _owns() -> SightlineError:
    return SightlineError(
        "This person owns the workspace.", why="A workspace has an owner.", fix="Hand it over to somebody else first."
    )
