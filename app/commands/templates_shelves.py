"""Shelves of templates: making, renaming, ordering and retiring them, and putting templates on them."""

from collections.abc import Sequence
from dataclasses import asdict, dataclass
from typing import Any
from uuid import UUID

from sqlalchemy import Engine, Row, delete, insert, select, update

from app.access import Viewer
from app.commands.merging import merged_order
from app.commands.stale import EditedMeanwhileError, Way, changed_by_others
from app.commands.templates_scope import Editing, editing, reasoned
from app.commands.texts import one_line
from db.errors import SightlineError
from db.tables.base import HOUSE_WORKSPACE
from db.tables.templates import TEMPLATE_KINDS, Category, Template, TemplateCategory

LONGEST_NAME = 80
LONGEST_DESCRIPTION = 300


@dataclass(frozen=True)
class Label:
    """What a shelf is called."""

    name: str
    description: str | None = None


@dataclass(frozen=True)
class Named:
    """A shelf, as people and as programs know it."""

    id: UUID
    name: str

    def __str__(self) -> str:
        return self.name


def create_shelf(
    engine: Engine, by: Viewer, label: Label, *, kind: str = "email", workspace_slug: str | None = None
) -> UUID:
    """A new one, the last of its kind; without a workspace it is the library's, and everyone's."""
    if kind not in TEMPLATE_KINDS:
        raise SightlineError(f"'{kind}' is no kind of template.", fix=f"Choose one of {', '.join(TEMPLATE_KINDS)}.")
    with editing(engine, by) as desk:
        told = _fit(label)
        workspace = desk.workspace_named(workspace_slug)
        there = _of_kind(desk, workspace, kind)
        _require_new_name(there, told.name)
        made: UUID = desk.connection.execute(
            insert(Category)
            .values(
                workspace_id=workspace, kind=kind, name=told.name, description=told.description,
                display_order=max((one.display_order for one in there), default=-1) + 1,
            )
            .returning(Category.id)
        ).scalar_one()  # fmt: skip
    return made


def rename_shelf(
    engine: Engine, by: Viewer, key: UUID, label: Label, *, revision: int, made_on: Label | None = None
) -> int:
    """Call it otherwise; the revision that it has then."""
    with editing(engine, by) as desk:
        told = _fit(label)
        found = _locked(desk, key)
        if found.revision != revision:
            raise EditedMeanwhileError(
                f"the shelf {found.name}",
                now=asdict(Label(found.name, found.description)),
                wanted=asdict(told),
                revision=found.revision,
                made_on=asdict(made_on) if made_on else None,
            )
        others = [one for one in _of_kind(desk, found.workspace_id, found.kind) if one.id != key]
        _require_new_name(others, told.name)
        return _set(desk, found, name=told.name, description=told.description)


def order_shelves(engine: Engine, by: Viewer, keys: Sequence[UUID], *, was: Sequence[UUID]) -> tuple[UUID, ...]:
    """Put the shelves of one kind in this order, if they stand as was seen; the order that they had."""
    with editing(engine, by) as desk:
        # Locked in one order, whatever order they are wanted in.
        locked = {key: _locked(desk, key) for key in sorted(set(keys))}
        owners = {(one.workspace_id, one.kind) for one in locked.values()}
        if len(owners) != 1:
            raise SightlineError(
                "These shelves don't stand together.", fix="Order those of one workspace and one kind, all of them."
            )
        [(workspace, kind)] = owners
        there = tuple(one.id for one in _of_kind(desk, workspace, kind))
        if there != tuple(was):
            raise _stale(desk, "the order of the shelves", there, keys, was, _ordered_by_both)
        if sorted(keys) != sorted(there):
            raise SightlineError("These are not all of the shelves.", fix="Order all of them, each once.")
        for place, key in enumerate(keys):
            if locked[key].display_order != place:
                _set(desk, locked[key], display_order=place)
    return there


def retire_shelf(engine: Engine, by: Viewer, key: UUID, *, revision: int, reason: str) -> int:
    """Show it to nobody who looks for templates; what is on it stays there."""
    return _activate(engine, by, key, revision, reasoned(reason), is_active=False)


def reinstate_shelf(engine: Engine, by: Viewer, key: UUID, *, revision: int) -> int:
    """Show it again."""
    return _activate(engine, by, key, revision, "", is_active=True)


def put_on_shelves(
    engine: Engine, by: Viewer, template: UUID, shelves: Sequence[UUID], *, was: Sequence[UUID]
) -> tuple[UUID, ...]:
    """Let a template stand on exactly these, if it stands on those that were seen; those on which it stood before."""
    with editing(engine, by) as desk:
        owner = desk.connection.execute(
            select(Template.workspace_id, Template.kind)
            .where(Template.id == template, Template.deleted_at.is_(None))
        ).one_or_none()  # fmt: skip
        if owner is None:
            raise SightlineError("This template is not there any more.", fix="Load the page again.")
        desk.require_own(owner.workspace_id)
        # The second of two who put it on shelves at once sees what the first one did.
        desk.connection.execute(select(Template.id).where(Template.id == template).with_for_update())
        of_it = (TemplateCategory.workspace_id == owner.workspace_id, TemplateCategory.template_id == template)
        before = tuple(desk.connection.scalars(select(TemplateCategory.category_id).where(*of_it)).all())
        if set(before) != set(was):
            raise _stale(desk, "the shelves of this template", before, shelves, was, _chosen_by_both)
        wanted = _fitting(desk, owner.workspace_id, owner.kind, set(shelves) - set(before))
        gone = set(before) - set(shelves)
        if gone:
            desk.connection.execute(delete(TemplateCategory).where(*of_it, TemplateCategory.category_id.in_(gone)))
        for shelf in wanted:
            desk.connection.execute(
                insert(TemplateCategory).values(
                    workspace_id=owner.workspace_id, template_id=template, category_id=shelf.id,
                    category_workspace_id=shelf.workspace_id,
                )
            )  # fmt: skip
    return before


def _fitting(desk: Editing, workspace: UUID, kind: str, keys: set[UUID]) -> Sequence[Row[*tuple[Any, ...]]]:
    """Shelves of the template's own workspace or of the library, of its kind, that are in use."""
    found = desk.connection.execute(
        select(Category.id, Category.workspace_id, Category.name, Category.kind, Category.is_active)
        .where(Category.id.in_(keys), Category.deleted_at.is_(None))
    ).all()  # fmt: skip
    if len(found) < len(keys):
        raise SightlineError("A shelf is not there any more.", fix="Load the page again.")
    for one in found:
        if one.kind != kind:
            raise SightlineError(f"“{one.name}” is a shelf of {one.kind} templates.", fix="Choose another shelf.")
        if not one.is_active:
            raise SightlineError(f"“{one.name}” is retired.", fix="Choose another shelf, or re-instate this one.")
        if one.workspace_id not in {workspace, HOUSE_WORKSPACE}:
            raise SightlineError(f"“{one.name}” belongs to another workspace.", fix="Choose another shelf.")
    return found


def _stale(  # noqa: PLR0917 - three versions of one thing
    desk: Editing, what: str, now: Sequence[UUID], wanted: Sequence[UUID], was: Sequence[UUID], way: Way
) -> EditedMeanwhileError:
    found = select(Category.id, Category.name).where(Category.id.in_({*now, *wanted, *was}))
    names = {one.id: one.name for one in desk.connection.execute(found)}

    def told(keys: Sequence[UUID]) -> dict[str, tuple[Named, ...]]:
        return {"shelves": tuple(Named(key, names.get(key, "a shelf that is gone")) for key in keys)}

    return EditedMeanwhileError(
        what, now=told(now), wanted=told(wanted), revision=0, made_on=told(was), ways={"shelves": way}
    )


def _ordered_by_both(was: Sequence[Named], now: Sequence[Named], wanted: Sequence[Named]) -> tuple[Named, ...] | None:
    named = {str(one.id): one for one in (*was, *now, *wanted)}
    order = merged_order(*([str(one.id) for one in side] for side in (was, now, wanted)))
    return None if order is None else tuple(named[key] for key in order)


def _chosen_by_both(was: Sequence[Named], now: Sequence[Named], wanted: Sequence[Named]) -> tuple[Named, ...]:
    """Whatever one of them added or took away: of one shelf both can't have done different things."""
    gone = {one for one in was if one not in wanted}
    added = (one for one in wanted if one not in was and one not in now)
    return tuple(one for one in (*now, *added) if one not in gone)


def _activate(engine: Engine, by: Viewer, key: UUID, revision: int, reason: str, *, is_active: bool) -> int:
    with editing(engine, by, reason) as desk:
        found = _locked(desk, key)
        if found.revision != revision:
            raise changed_by_others(f"{found.name}, {'in use' if found.is_active else 'retired'}")
        return _set(desk, found, is_active=is_active)


def _locked(desk: Editing, key: UUID) -> Row[*tuple[Any, ...]]:
    desk.require_own(desk.connection.scalar(select(Category.workspace_id).where(Category.id == key)))
    found = desk.connection.execute(
        select(
            Category.id, Category.workspace_id, Category.name, Category.kind, Category.description,
            Category.display_order, Category.is_active, Category.revision,
        )
        .where(Category.id == key, Category.deleted_at.is_(None))
        .with_for_update()
    ).one_or_none()  # fmt: skip
    if found is None:
        raise SightlineError("This shelf is not there any more.", fix="Load the page again.")
    return found


def _of_kind(desk: Editing, workspace: UUID, kind: str) -> Sequence[Row[*tuple[Any, ...]]]:
    """In their order."""
    return desk.connection.execute(
        select(Category.id, Category.name, Category.display_order)
        .where(Category.workspace_id == workspace, Category.kind == kind, Category.deleted_at.is_(None))
        .order_by(Category.display_order, Category.id)
    ).all()


def _set(desk: Editing, found: Row[*tuple[Any, ...]], **values: object) -> int:
    of_it = (Category.workspace_id == found.workspace_id, Category.id == found.id)
    after = desk.connection.execute(update(Category).where(*of_it).values(**values).returning(Category.revision))
    return after.scalar_one()


def _require_new_name(there: Sequence[Row[*tuple[Any, ...]]], name: str) -> None:
    if name.lower() in {one.name.lower() for one in there}:
        raise SightlineError(f"There is a shelf “{name}” already.", fix="Use that one, or choose another name.")


def _fit(label: Label) -> Label:
    name, description = one_line(label.name), one_line(label.description or "") or None
    if not name:
        raise SightlineError("The shelf has no name.", fix="Give it one, such as Welcome.")
    for what, given, most in (("name", name, LONGEST_NAME), ("description", description or "", LONGEST_DESCRIPTION)):
        if len(given) > most:
            raise SightlineError(f"The {what} has {len(given)} characters.", why=f"At most {most} fit.")
    return Label(name, description)
