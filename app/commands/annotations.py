"""Remarks on days, which charts show: writing, changing and taking them back."""

from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from datetime import date
from uuid import UUID

from sqlalchemy import Connection, Engine, and_, func, insert, or_, select, update

from app.access import NotPermittedError, Permission, Viewer
from app.commands.stale import NotThereError, changed_by_others
from app.commands.texts import one_line
from db.engine import seeing
from db.errors import SightlineError
from db.tables.campaigns import Campaign
from db.tables.identity import TeamMember
from db.tables.products import CHANNELS, PRODUCTS
from db.tables.system import Annotation
from db.tables.workspaces import Workspace

LONGEST_TEXT = 300


@dataclass(frozen=True)
class Remark:
    """What somebody noted on some days, and of what."""

    id: UUID
    revision: int
    text: str
    starts_on: date
    ends_on: date
    author: str
    is_own: bool
    workspace: str | None
    product: str | None
    channel: str | None
    campaign: str | None


def write_remark(
    engine: Engine,
    by: Viewer,
    *,
    text: str,
    starts_on: date,
    ends_on: date | None = None,
    workspace_slug: str | None = None,
    product: str | None = None,
    channel: str | None = None,
    campaign_id: UUID | None = None,
) -> UUID:
    """Note something for everyone who sees the workspace; without one, for the whole team.

    A remark on a campaign is read by those who see the campaign.
    """
    by.require(Permission.OVERVIEW_READ)
    member = _member(by)
    _require_known("product", product, PRODUCTS)
    _require_known("channel", channel, CHANNELS)
    with seeing(engine, by.workspaces, actor=by.name) as connection:
        if campaign_id is None:
            workspace = _workspace(connection, by, member, workspace_slug)
        else:
            workspace = _workspace_of_campaign(connection, by, campaign_id, workspace_slug)
        added: UUID = connection.execute(
            insert(Annotation)
            .values(
                team_member_id=member,
                workspace_id=workspace,
                product=product,
                channel=channel,
                campaign_id=campaign_id,
                starts_on=starts_on,
                ends_on=_end(starts_on, ends_on),
                text_=_clean(text),
            )
            .returning(Annotation.id)
        ).scalar_one()
    return added


def change_remark(
    engine: Engine, by: Viewer, key: UUID, *, revision: int, text: str, starts_on: date, ends_on: date | None = None
) -> None:
    """Say it better. Only its author and admins may, and only what nobody changed in between."""
    _change(engine, by, key, revision, text_=_clean(text), starts_on=starts_on, ends_on=_end(starts_on, ends_on))


def delete_remark(engine: Engine, by: Viewer, key: UUID, *, revision: int) -> None:
    """Take it back; the audit log keeps what it said."""
    _change(engine, by, key, revision, deleted_at=func.now())


def remarks(
    engine: Engine, viewer: Viewer, since: date, until: date, where: Mapping[str, Sequence[object]]
) -> list[Remark]:
    """Those on the days from `since` up to, and without, `until` that fit what is looked at, oldest first."""
    viewer.require(Permission.OVERVIEW_READ)
    question = (
        select(Annotation, Workspace.slug, Workspace.name, TeamMember.name, TeamMember.email)
        .join(TeamMember, TeamMember.id == Annotation.team_member_id)
        .outerjoin(Workspace, Workspace.id == Annotation.workspace_id)
        .outerjoin(
            Campaign, and_(Campaign.workspace_id == Annotation.workspace_id, Campaign.id == Annotation.campaign_id)
        )
        .where(
            Annotation.deleted_at.is_(None),
            Annotation.starts_on < until,
            func.coalesce(Annotation.ends_on, Annotation.starts_on) >= since,
            or_(Annotation.workspace_id.is_(None), Annotation.workspace_id.in_(viewer.workspaces)),
        )
        .order_by(Annotation.starts_on, Annotation.id)
    )
    for name, column in (
        ("product", Annotation.product),
        ("channel", Annotation.channel),
        ("workspace", Workspace.slug),
    ):
        if name in where:
            question = question.where(or_(column.is_(None), column.in_([str(value) for value in where[name]])))
    campaigns = [UUID(str(value)) for value in where.get("campaign", ())]
    question = question.where(or_(Annotation.campaign_id.is_(None), Annotation.campaign_id.in_(campaigns)))
    with seeing(engine, viewer.workspaces) as connection:
        return [
            Remark(
                id=row.id,
                revision=row.revision,
                text=row.text,
                starts_on=row.starts_on,
                ends_on=row.ends_on or row.starts_on,
                author=row.author or row.email,
                is_own=_may_change(viewer, row.team_member_id),
                workspace=row.workspace,
                product=row.product,
                channel=row.channel,
                campaign=row.campaign,
            )
            for row in connection.execute(
                question.with_only_columns(
                    Annotation.id,
                    Annotation.revision,
                    Annotation.text_.label("text"),
                    Annotation.starts_on,
                    Annotation.ends_on,
                    Annotation.team_member_id,
                    Annotation.product,
                    Annotation.channel,
                    TeamMember.name.label("author"),
                    TeamMember.email,
                    Workspace.name.label("workspace"),
                    Campaign.name.label("campaign"),
                )
            )
        ]


def _change(engine: Engine, by: Viewer, key: UUID, revision: int, **values: object) -> None:
    by.require(Permission.OVERVIEW_READ)
    with seeing(engine, by.workspaces, actor=by.name) as connection:
        found = connection.execute(
            select(Annotation.team_member_id, Annotation.revision, Annotation.text_.label("text"))
            .where(Annotation.id == key, Annotation.deleted_at.is_(None))
            .with_for_update()
        ).one_or_none()
        if found is None:
            raise NotThereError("This remark is not there any more.", fix="Load the page again.")
        if not _may_change(by, found.team_member_id):
            raise NotPermittedError(
                "This remark is somebody else's.",
                why="Only its author and admins change it.",
                fix="Write one of your own.",
            )
        if found.revision != revision:
            raise changed_by_others(found.text)
        connection.execute(update(Annotation).where(Annotation.id == key).values(**values))


def _may_change(viewer: Viewer, author: UUID) -> bool:
    return author == viewer.member_id or viewer.may(Permission.TEAM_MANAGE)


def _member(by: Viewer) -> UUID:
    if by.member_id is None:
        raise SightlineError(
            "Remarks have an author.", why="You are not signed in as a person of the team.", fix="Sign in."
        )
    return by.member_id


def _workspace(connection: Connection, by: Viewer, member: UUID, slug: str | None) -> UUID | None:
    """One that the author sees. Who is limited to some must name one: others would read of it."""
    if slug is None:
        limited_to = select(TeamMember.workspace_ids).where(TeamMember.id == member)
        if connection.scalar(limited_to) is not None:
            raise SightlineError(
                "Choose a workspace for the remark.",
                why="You see some workspaces only, and a remark on all of them is read by everyone.",
            )
        return None
    found: UUID | None = connection.scalar(
        select(Workspace.id).where(Workspace.slug == slug, Workspace.id.in_(by.workspaces))
    )
    if found is None:
        raise SightlineError(f"No workspace that you see is called {slug}.", fix="Choose one of the list.")
    return found


def _workspace_of_campaign(connection: Connection, by: Viewer, key: UUID, slug: str | None) -> UUID:
    """The campaign's own, which need not be named."""
    of_it = (
        select(Campaign.workspace_id)
        .join(Workspace, Workspace.id == Campaign.workspace_id)
        .where(Campaign.id == key, Campaign.workspace_id.in_(by.workspaces))
    )
    found: UUID | None = connection.scalar(of_it if slug is None else of_it.where(Workspace.slug == slug))
    if found is None:
        raise SightlineError(
            "No campaign that you see in this workspace has this key.",
            fix="Name the campaign's own workspace, or leave it out.",
        )
    return found


def _require_known(what: str, given: str | None, known: Sequence[str]) -> None:
    if given is not None and given not in known:
        raise SightlineError(f"'{given}' is no {what}.", fix=f"Choose one of {', '.join(known)}.")


def _clean(text: str) -> str:
    cleaned = one_line(text)
    if not cleaned:
        raise SightlineError("The remark says nothing.", fix="Write a few words.")
    if len(cleaned) > LONGEST_TEXT:
        raise SightlineError(
            f"The remark has {len(cleaned)} characters.",
            why=f"At most {LONGEST_TEXT} fit below a chart.",
            fix="Shorten it.",
        )
    return cleaned


def _end(starts_on: date, ends_on: date | None) -> date | None:
    if ends_on is not None and ends_on < starts_on:
        raise SightlineError("The remark ends before it starts.", fix="Choose a later last day.")
    return None if ends_on == starts_on else ends_on
