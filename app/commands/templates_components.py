"""The component library: what customers' web components are called and cost, and where they are offered."""

from collections.abc import Mapping
from dataclasses import asdict, dataclass, replace
from decimal import Decimal
from typing import Any
from uuid import UUID

from sqlalchemy import Engine, Row, select, update

from app.access import Viewer
from app.commands.merging import merged_texts
from app.commands.stale import EditedMeanwhileError, Way
from app.commands.templates_scope import Editing, editing, reasoned
from app.commands.texts import one_line
from app.records.component_texts import SAID, ComponentText, said_in
from db.errors import SightlineError
from db.tables.templates import LibraryComponent

LONGEST: Mapping[str, int] = {"name": 120, "category": 80, "description": 2_000, "code": 1_000_000}
MOST_TAGS, LONGEST_TAG = 20, 40
HIGHEST_PRICE = Decimal(10_000)
_PLACES = 2
_OFFERED = {"is_public", "is_marketplace_item", "price"}
_WAYS: Mapping[str, Way] = {"code": merged_texts, "description": merged_texts}


@dataclass(frozen=True)
class Terms:
    """What can be changed of a component."""

    name: str
    description: str | None = None
    category: str | None = None
    tags: tuple[str, ...] = ()
    code: str | None = None
    price: Decimal = Decimal(0)


def edit_component(
    engine: Engine,
    by: Viewer,
    key: UUID,
    wanted: Terms,
    *,
    revision: int,
    reason: str = "",
    made_on: Terms | None = None,
) -> int:
    """Change what it says, if nobody did since it was read, when it was as `made_on`; the revision it has then."""
    with editing(engine, by, reason) as desk:
        terms = _fit(wanted)
        found = _locked(desk, key)
        now = terms_of(found)
        # Downloads and likes that were counted since are in nobody's way.
        if made_on != now:
            _require_fresh(found, terms, revision, made_on)
        if terms.price > 0 and not found.is_marketplace_item and terms.price != now.price:
            raise SightlineError("Only what is in the marketplace has a price.", fix="Put it there first.")
        return _write(desk, found, terms)


def roll_back_component(engine: Engine, by: Viewer, key: UUID, version: int, *, revision: int, reason: str) -> int:
    """Let it say again what a version of it said; what it says now is the newest version then. Its revision then."""
    with editing(engine, by, reasoned(reason)) as desk:
        found = _locked(desk, key)
        now = terms_of(found)
        then = said_in(desk.connection, found.workspace_id, key, asdict(now), version)
        if then is None:
            raise SightlineError(
                f"There is no version {version} of this component.",
                why="There is one for each change of what it says.",
                fix="Choose one of the list.",
            )
        before = replace(now, **{name: getattr(then, name) for name in SAID})
        _require_fresh(found, before, revision, None)
        if before == now:
            raise SightlineError(f"It says what version {version} said.", fix="Choose another version.")
        return _write(desk, found, before)


def publish_component(
    engine: Engine, by: Viewer, key: UUID, *, is_for_sale: bool, price: Decimal = Decimal(0), revision: int
) -> int:
    """Offer it to every workspace in the library, or besides for a price in the marketplace; its revision then."""
    with editing(engine, by) as desk:
        found = _fresh(desk, key, revision)
        if not (found.code or "").strip():
            raise SightlineError(f"“{found.name}” has no code.", fix="Write some before others are offered it.")
        _require_price(price)
        return _offer_so(desk, found, is_public=True, is_marketplace_item=is_for_sale,
            price=price if is_for_sale else Decimal(0))  # fmt: skip


def retire_component(engine: Engine, by: Viewer, key: UUID, *, revision: int, reason: str) -> int:
    """Offer it to nobody any more; those who took it keep it. Its revision then."""
    with editing(engine, by, reasoned(reason)) as desk:
        found = _fresh(desk, key, revision)
        return _offer_so(desk, found, is_public=False, is_marketplace_item=False)


def offer_as_before(engine: Engine, by: Viewer, key: UUID, *, revision: int) -> int:
    """Undo the last change of where it is offered and for how much, if nothing was changed since; its revision then."""
    with editing(engine, by, "Taken back.") as desk:
        found = _fresh(desk, key, revision)
        before = desk.before_last_change(LibraryComponent.__tablename__, key)
        if not before or set(before) - _OFFERED:
            raise SightlineError(
                f"Of “{found.name}” nothing can be taken back.",
                why="What was changed last is not where it is offered.",
                fix="Roll it back to a version, where it says something else by now.",
            )
        return _set(desk, found, **before)


def _locked(desk: Editing, key: UUID) -> Row[*tuple[Any, ...]]:
    table = LibraryComponent
    found: Row[*tuple[Any, ...]] | None = desk.connection.execute(
        select(
            table.id, table.workspace_id, table.revision, table.name, table.description, table.category, table.tags,
            table.code, table.price, table.is_public, table.is_marketplace_item,
        )
        .where(table.id == key, table.deleted_at.is_(None))
        .with_for_update()
    ).one_or_none()  # fmt: skip
    if found is None:
        raise SightlineError("This component is not there any more.", fix="Load the page again.")
    return found


def _fresh(desk: Editing, key: UUID, revision: int) -> Row[*tuple[Any, ...]]:
    found = _locked(desk, key)
    _require_fresh(found, terms_of(found), revision, None)
    return found


def _require_fresh(found: Row[*tuple[Any, ...]], wanted: Terms, revision: int, made_on: Terms | None) -> None:
    if found.revision == revision:
        return
    raise EditedMeanwhileError(
        f"the component {found.name}",
        now=asdict(terms_of(found)),
        wanted=asdict(wanted),
        revision=found.revision,
        made_on=asdict(made_on) if made_on else None,
        ways=_WAYS,
    )


def terms_of(found: ComponentText | Row[*tuple[Any, ...]]) -> Terms:
    """What it says, as an edit of it begins."""
    return Terms(found.name, found.description, found.category, tuple(found.tags), found.code, found.price)


def _write(desk: Editing, found: Row[*tuple[Any, ...]], terms: Terms) -> int:
    return _set(desk, found, **(asdict(terms) | {"tags": list(terms.tags)}))


def _offer_so(desk: Editing, found: Row[*tuple[Any, ...]], **values: object) -> int:
    if all(getattr(found, name) == value for name, value in values.items()):
        raise SightlineError(f"“{found.name}” is offered so already.", fix="Load the page again.")
    return _set(desk, found, **values)


def _set(desk: Editing, found: Row[*tuple[Any, ...]], **values: object) -> int:
    table = LibraryComponent
    of_it = (table.workspace_id == found.workspace_id, table.id == found.id)
    after = desk.connection.execute(update(table).where(*of_it).values(**values).returning(table.revision))
    return after.scalar_one()


def _fit(wanted: Terms) -> Terms:
    name, category = one_line(wanted.name), one_line(wanted.category or "") or None
    if not name:
        raise SightlineError("The component has no name.", fix="Give it one, such as Pricing table.")
    terms = replace(wanted, name=name, category=category, tags=_tags(wanted.tags), code=_lines(wanted.code),
        description=_lines(wanted.description))  # fmt: skip
    for what, most in LONGEST.items():
        length = len(getattr(terms, what) or "")
        if length > most:
            raise SightlineError(f"The {what} has {length:,} characters.", why=f"At most {most:,} fit.")
    _require_price(terms.price)
    return terms


def _tags(given: tuple[str, ...]) -> tuple[str, ...]:
    kept = tuple(dict.fromkeys(tag for tag in map(one_line, given) if tag))
    if len(kept) > MOST_TAGS or any(len(tag) > LONGEST_TAG for tag in kept):
        raise SightlineError(
            "These tags can't be kept.", why=f"At most {MOST_TAGS} fit, each of {LONGEST_TAG} characters."
        )
    return kept


def _lines(given: str | None) -> str | None:
    kept = (given or "").replace("\r\n", "\n").replace("\r", "\n").replace("\0", "")
    return kept if kept.strip() else None


def _require_price(price: Decimal) -> None:
    if not price.is_finite() or not 0 <= price <= HIGHEST_PRICE or price != round(price, _PLACES):
        raise SightlineError(
            f"{price} is no price of a component.", why=f"It is from 0 to {HIGHEST_PRICE:,}, with two decimal places."
        )
