"""What becomes of templates, one or many at once: published, featured, retired, deleted, put in a category; and back.

Many are changed in one transaction: all of them or none. Those that are others by it are answered, each with the
revision that it has since: given back, they are what they were.
"""

from collections.abc import Callable, Iterable, Mapping, Sequence
from datetime import UTC, datetime
from typing import Any
from uuid import UUID

from sqlalchemy import Engine, RowMapping, exists, func, select, update

from app.access import Viewer
from app.commands.stale import StaleEditError
from app.commands.templates_checked import LONGEST
from app.commands.templates_scope import Editing, editing, reasoned
from app.commands.texts import one_line, shortened
from db.errors import SightlineError
from db.tables.templates import Template, TemplateSection, TemplateVersion

MOST_AT_ONCE = 500
_NAMED = 5
Picked = Mapping[UUID, int]
_STATE = ("status", "is_active", "is_featured", "is_public", "category", "deleted_at")


def publish_templates(engine: Engine, by: Viewer, picked: Picked, *, reason: str = "") -> Picked:
    """Let products offer them; each publication is kept as a version for ever."""
    return _change(engine, by, picked, reason, lambda _: {"status": "published", "is_active": True}, _why_not_published)


def unpublish_templates(engine: Engine, by: Viewer, picked: Picked, *, reason: str) -> Picked:
    """Make drafts of them again, which nobody is offered."""
    return _change(
        engine, by, picked, reasoned(reason), lambda _: {"status": "draft", "is_featured": False},
        lambda row: None if row["status"] == "published" else "it is not published",
    )  # fmt: skip


def feature_templates(engine: Engine, by: Viewer, picked: Picked) -> Picked:
    """Show them first."""
    return _change(
        engine, by, picked, "", lambda _: {"is_featured": True},
        lambda row: None if row["status"] == "published" else "only what is published can be featured",
    )  # fmt: skip


def unfeature_templates(engine: Engine, by: Viewer, picked: Picked) -> Picked:
    """Show them among the others."""
    return _change(engine, by, picked, "", lambda _: {"is_featured": False})


def retire_templates(engine: Engine, by: Viewer, picked: Picked, *, reason: str) -> Picked:
    """Offer them to nobody any more; copies and campaigns that use them go on."""
    gone = {"status": "retired", "is_active": False, "is_featured": False}
    return _change(engine, by, picked, reasoned(reason), lambda _: gone)


def reinstate_templates(engine: Engine, by: Viewer, picked: Picked, *, reason: str = "") -> Picked:
    """Take them out of retirement: what was published as it is now is so again, anything else is a draft."""
    return _change(
        engine, by, picked, reason,
        lambda row: {"status": "published" if row["was_published"] else "draft", "is_active": True},
        lambda row: None if row["status"] == "retired" else "it is not retired",
    )  # fmt: skip


def categorise_templates(engine: Engine, by: Viewer, picked: Picked, category: str | None) -> Picked:
    """Say of what category they are; None: of none."""
    told = one_line(category or "") or None
    if told and len(told) > LONGEST["category"]:
        raise SightlineError(f"The category has {len(told)} characters.", why=f"At most {LONGEST['category']} fit.")
    return _change(engine, by, picked, "", lambda _: {"category": told})


def delete_templates(engine: Engine, by: Viewer, picked: Picked, *, reason: str) -> Picked:
    """Take them out of sight; their versions, and what campaigns made of them, stay."""
    return _change(engine, by, picked, reasoned(reason), lambda _: {"deleted_at": datetime.now(UTC)})


def restore_templates(engine: Engine, by: Viewer, picked: Picked, *, reason: str = "") -> Picked:
    """Bring deleted ones back as they were."""
    return _change(engine, by, picked, reason, lambda _: {"deleted_at": None}, are_deleted=True)


def take_back(engine: Engine, by: Viewer, picked: Picked) -> Picked:
    """Undo the last change of what became of each of these; refused as a whole when one was changed since."""
    _require_some(picked)
    with editing(engine, by, "Taken back.") as desk:
        rows = _rows(desk, picked)
        before = {key: desk.before_last_change(Template.__tablename__, key) for key in rows}
        _require_possible(rows.values(), lambda row: _why_not_taken_back(before[row["id"]]))
        return {key: _changed(desk, row, before[key]) for key, row in rows.items()}


def _change(  # noqa: PLR0917 - who changes what how, and why not
    engine: Engine,
    by: Viewer,
    picked: Picked,
    reason: str,
    values: Callable[[RowMapping], Mapping[str, Any]],
    why_not: Callable[[RowMapping], str | None] = lambda _: None,
    *,
    are_deleted: bool = False,
) -> Picked:
    """One statement for each: a statement that changes several rows would be one version trigger for each anyway."""
    _require_some(picked)
    with editing(engine, by, reason) as desk:
        rows = _rows(desk, picked)
        _require_deleted(rows.values(), are_deleted=are_deleted)
        _require_possible(rows.values(), why_not)
        # Of what is so already nothing is written: it could not be told from what was done to it before.
        wanted = {key: values(row) for key, row in rows.items() if _differs(row, values(row))}
        if not wanted:
            raise SightlineError("Nothing was changed: it is so already.", fix="Load the page again.")
        return {key: _changed(desk, rows[key], one) for key, one in wanted.items()}


def _differs(row: RowMapping, wanted: Mapping[str, Any]) -> bool:
    return any(row[name] != value for name, value in wanted.items())


def _changed(desk: Editing, row: RowMapping, values: Mapping[str, Any]) -> int:
    of_it = (Template.workspace_id == row["workspace_id"], Template.id == row["id"])
    after = desk.connection.execute(update(Template).where(*of_it).values(**values).returning(Template.revision))
    return after.scalar_one()


def _require_some(picked: Picked) -> None:
    if not 0 < len(picked) <= MOST_AT_ONCE:
        raise SightlineError(
            f"{len(picked):,} templates can't be changed at once.", fix=f"Choose from 1 to {MOST_AT_ONCE}."
        )


def _rows(desk: Editing, picked: Picked) -> dict[UUID, RowMapping]:
    """Those that were chosen, locked in the order of their keys; refused when one is gone or was changed since."""
    owners = desk.connection.scalars(select(Template.workspace_id).where(Template.id.in_(picked)).distinct())
    for workspace in owners.all():
        desk.require_own(workspace)
    is_publication = (
        (TemplateVersion.workspace_id == Template.workspace_id)
        & (TemplateVersion.template_id == Template.id)
        & (TemplateVersion.version == Template.current_version)
        & (TemplateVersion.reason == "publish")
    )
    is_part = (TemplateSection.workspace_id == Template.workspace_id) & (TemplateSection.template_id == Template.id)
    found = desk.connection.execute(
        select(
            Template.id, Template.workspace_id, Template.name, Template.kind, Template.subject, Template.revision,
            (func.coalesce(Template.html_content, Template.text_content, "") != "").label("says_something"),
            exists().where(is_publication).label("was_published"), exists().where(is_part).label("has_sections"),
            *(getattr(Template, name) for name in _STATE),
        )
        .where(Template.id.in_(picked))
        .order_by(Template.id)
        .with_for_update()
    ).mappings().all()  # fmt: skip
    rows = {row["id"]: row for row in found}
    if len(rows) < len(picked):
        missing = len(picked) - len(rows)
        raise SightlineError(f"{_templates(missing)} not there any more.", fix="Load the page again.")
    changed = [row["name"] for row in rows.values() if row["revision"] != picked[row["id"]]]
    if changed:
        raise StaleEditError(
            f"Somebody changed {_named(changed)} in the meantime. Nothing was changed.",
            why="What was chosen is not what is there now.",
            fix="Load the page again, and look at it.",
        )
    return rows


def _require_deleted(rows: Iterable[RowMapping], *, are_deleted: bool) -> None:
    for row in rows:
        if (row["deleted_at"] is not None) != are_deleted:
            told = "deleted already" if row["deleted_at"] else "not deleted"
            raise SightlineError(f"“{row['name']}” is {told}.", fix="Load the page again.")


def _require_possible(rows: Iterable[RowMapping], why_not: Callable[[RowMapping], str | None]) -> None:
    refused = [(row["name"], why_not(row)) for row in rows]
    because = [(name, why) for name, why in refused if why]
    if because:
        raise SightlineError(
            f"This can't be done with {_named([name for name, _ in because])}.",
            why=f"Of “{because[0][0]}”: {because[0][1]}.",
            fix="Nothing was changed: leave these out, or mend them first.",
        )


def _why_not_taken_back(before: Mapping[str, Any]) -> str | None:
    if not before:
        return "nothing was changed of it since it was made"
    if set(before) - set(_STATE):
        return "what was changed last is what it says; roll it back to a version"
    return None


def _why_not_published(row: RowMapping) -> str | None:
    if row["status"] == "retired":
        return "it is retired; re-instate it first"
    if row["kind"] == "email" and not row["subject"]:
        return "it has no subject"
    if row["kind"] == "email" and not (row["says_something"] or row["has_sections"]):
        return "it says nothing"
    return None


def _named(names: Sequence[str]) -> str:
    told = ", ".join(f"“{shortened(name)}”" for name in names[:_NAMED])
    return f"{told} and {len(names) - _NAMED} more" if len(names) > _NAMED else told


def _templates(number: int) -> str:
    return "A template is" if number == 1 else f"{number} templates are"
