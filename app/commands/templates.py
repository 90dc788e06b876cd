"""Templates: writing them, changing what they say, and going back to what they said before."""

from collections.abc import Mapping
from dataclasses import dataclass, replace
from typing import Any
from uuid import UUID

from sqlalchemy import Connection, Engine, Row, delete, func, insert, select, text, update

from app.access import Viewer
from app.commands.merging import merged_texts
from app.commands.stale import EditedMeanwhileError, Way
from app.commands.templates_checked import checked
from app.commands.templates_scope import Editing, editing, reasoned
from app.commands.templates_sections import Section, merged_sections
from db.errors import SightlineError
from db.tables.products import PRODUCTS
from db.tables.templates import TEMPLATE_KINDS, Template, TemplateSection, TemplateVersion


@dataclass(frozen=True)
class Draft:
    """What a template says, and what it is found by."""

    name: str
    subject: str | None = None
    preheader: str | None = None
    html_content: str | None = None
    text_content: str | None = None
    sections: tuple[Section, ...] = ()
    description: str | None = None
    category: str | None = None
    industry: str | None = None
    style: str | None = None
    campaign_type: str | None = None
    width: int | None = None
    height: int | None = None
    format: str | None = None


@dataclass(frozen=True)
class _Found:
    """A template as it is, locked until the transaction ends."""

    workspace_id: UUID
    revision: int
    draft: Draft


_COLUMNS = tuple(name for name in Draft.__dataclass_fields__ if name != "sections")
# Of these both edits may stand together though both changed them.
WAYS: Mapping[str, Way] = {
    **dict.fromkeys(("html_content", "text_content", "description"), merged_texts),
    "sections": merged_sections,
}


def create_template(
    engine: Engine, by: Viewer, wanted: Draft, *, product: str, kind: str = "email", workspace_slug: str | None = None
) -> UUID:
    """Write a new one: a draft of a workspace, or without one of the house's library."""
    for what, given, known in (("product", product, PRODUCTS), ("kind of template", kind, TEMPLATE_KINDS)):
        if given not in known:
            raise SightlineError(f"'{given}' is no {what}.", fix=f"Choose one of {', '.join(known)}.")
    with editing(engine, by) as desk:
        draft = _fit(wanted)
        workspace = desk.workspace_named(workspace_slug)
        is_house = workspace_slug is None
        made: UUID = desk.connection.execute(
            insert(Template)
            .values(
                **_columns(draft), workspace_id=workspace, product=product, kind=kind, is_library=is_house,
                is_public=is_house,
            )
            .returning(Template.id)
        ).scalar_one()  # fmt: skip
        _write_sections(desk.connection, workspace, made, (), draft.sections)
    return made


def edit_template(
    engine: Engine,
    by: Viewer,
    key: UUID,
    wanted: Draft,
    *,
    revision: int,
    reason: str = "",
    made_on: Draft | None = None,
) -> int:
    """Change what it says, if nobody did since it was read, when it was as `made_on`; the revision that it has then.

    What was published stays so, and is published anew as it is now; what it said before is kept as a version.
    """
    with editing(engine, by, reason) as desk:
        draft = _fit(wanted)
        found = _locked(desk, key)
        _require_fresh(found, draft, revision, made_on)
        return _write(desk.connection, key, found, draft)


def roll_back_template(engine: Engine, by: Viewer, key: UUID, version: int, *, revision: int, reason: str) -> int:
    """Let it say again what a version of it said, as a new version: nothing is lost. The revision that it has then."""
    with editing(engine, by, reasoned(reason)) as desk:
        found = _locked(desk, key)
        then = _version(desk.connection, found, key, version)
        before = replace(
            found.draft,
            subject=then.subject,
            preheader=then.preheader,
            html_content=then.html_content,
            text_content=then.text_content,
            sections=tuple(Section.read(one) for one in then.sections),
        )
        _require_fresh(found, before, revision, None)
        if before == found.draft:
            raise SightlineError(f"It says what version {version} said.", fix="Choose another version.")
        desk.connection.execute(text("SELECT set_config('app.kept_for', 'roll_back', true)"))
        return _write(desk.connection, key, found, before)


def _locked(desk: Editing, key: UUID) -> _Found:
    """The template that is changed. Whoever may not see it is told the same as where there is none."""
    desk.require_own(desk.connection.scalar(select(Template.workspace_id).where(Template.id == key)))
    row = desk.connection.execute(
        select(
            Template.workspace_id, Template.revision, *(getattr(Template, name) for name in _COLUMNS)
        )
        .where(Template.id == key, Template.deleted_at.is_(None))
        .with_for_update()
    ).mappings().one_or_none()  # fmt: skip
    if row is None:
        raise SightlineError("This template is not there any more.", fix="Load the page again.")
    values = {name: row[name] for name in _COLUMNS}
    draft = Draft(**values, sections=_sections(desk.connection, row["workspace_id"], key))
    return _Found(row["workspace_id"], row["revision"], draft)


def _require_fresh(found: _Found, wanted: Draft, revision: int, made_on: Draft | None) -> None:
    """Uses that were counted since, and other things that edits don't touch, are in nobody's way."""
    if found.revision == revision or made_on == found.draft:
        return
    raise EditedMeanwhileError(
        f"the template {found.draft.name}",
        now=vars(found.draft),
        wanted=vars(wanted),
        revision=found.revision,
        made_on=vars(made_on) if made_on else None,
        ways=WAYS,
    )


def _write(connection: Connection, key: UUID, found: _Found, draft: Draft) -> int:
    of_it = (Template.workspace_id == found.workspace_id, Template.id == key)
    values = _columns(draft)
    if draft.sections != found.draft.sections:
        # Before the sections themselves: the version that is kept has the old ones, and there is one of it.
        values["sections_changed_in"] = func.pg_current_xact_id()
    connection.execute(update(Template).where(*of_it).values(**values))
    _write_sections(connection, found.workspace_id, key, found.draft.sections, draft.sections)
    return connection.execute(select(Template.revision).where(*of_it)).scalar_one()


def _write_sections(
    connection: Connection, workspace: UUID, key: UUID, before: tuple[Section, ...], after: tuple[Section, ...]
) -> None:
    """Only sections that say something else than before are written: the audit log tells of these alone."""
    if before == after:
        return
    own = (TemplateSection.workspace_id == workspace, TemplateSection.template_id == key)
    rows = connection.execute(
        select(TemplateSection.id, TemplateSection.position).where(*own).order_by(TemplateSection.position)
    ).all()
    for number, section in enumerate(after):
        values = {**vars(section), "position": number}
        if number >= len(rows):
            connection.execute(insert(TemplateSection).values(**values, workspace_id=workspace, template_id=key))
        elif section != before[number] or rows[number].position != number:
            connection.execute(
                update(TemplateSection).where(*own, TemplateSection.id == rows[number].id).values(**values)
            )
    for row in rows[len(after) :]:
        connection.execute(delete(TemplateSection).where(*own, TemplateSection.id == row.id))


def _sections(connection: Connection, workspace: UUID, key: UUID) -> tuple[Section, ...]:
    found = connection.execute(
        select(TemplateSection.kind, TemplateSection.html_content, TemplateSection.content)
        .where(TemplateSection.workspace_id == workspace, TemplateSection.template_id == key)
        .order_by(TemplateSection.position)
    ).all()
    return tuple(Section(*row) for row in found)


def _version(connection: Connection, found: _Found, key: UUID, version: int) -> Row[*tuple[Any, ...]]:
    then = connection.execute(
        select(
            TemplateVersion.subject, TemplateVersion.preheader, TemplateVersion.html_content,
            TemplateVersion.text_content, TemplateVersion.sections,
        ).where(
            TemplateVersion.workspace_id == found.workspace_id, TemplateVersion.template_id == key,
            TemplateVersion.version == version,
        )
    ).one_or_none()  # fmt: skip
    if then is None:
        raise SightlineError(
            f"There is no version {version} of this template.",
            why="The plan says how many are kept; those that were published always are.",
            fix="Choose one of the list.",
        )
    return then


def _fit(wanted: Draft) -> Draft:
    fields: dict[str, Any] = checked(vars(wanted))
    return Draft(**fields)


def _columns(draft: Draft) -> dict[str, Any]:
    return {name: getattr(draft, name) for name in _COLUMNS}
