"""Templates and saved components: as a list, the most liked of them, and what one template once was."""

from collections.abc import Sequence
from typing import Any
from uuid import UUID

import streamlit as st

from app.metrics.metric import Unit
from app.records import templates
from app.records.templates import SavedComponent, Template
from app.ui import words
from app.ui.cards import LIVE, card
from app.ui.empty import empty_card
from app.ui.live import not_pinned, read
from app.ui.markup import Markup, tag
from app.ui.notices import say_broken
from app.ui.onward import onward, place
from app.ui.rows import Column, Columns
from app.ui.scope import Scope
from app.ui.sifted import PAGE
from app.ui.tables import table
from db.tables.templates import TEMPLATE_KINDS

_ALL = "All"
_KINDS = {words.spelled(one): one for one in TEMPLATE_KINDS}
_LISTED: Columns = {
    "name": Column("Template", opens="template", key="id"),
    "kind": "Kind",
    "status": "Status",
    "shelf": "Shelf",
    "current_version": Column("Version", Unit.COUNT),
    "campaigns": Column("Campaigns", Unit.COUNT),
    "copies": Column("Copies", Unit.COUNT),
    "generations": Column("AI calls", Unit.COUNT),
    "ratings": Column("Ratings", Unit.COUNT),
    "rating": Column("Rating", Unit.NUMBER),
    "created_at": "Made",
}
MARKET: Columns = {
    "name": "Component",
    "component_type": "Kind",
    "workspace": "Workspace",
    "for_sale": "In the marketplace",
    "downloads": Column("Downloads", Unit.COUNT),
    "likes": Column("Likes", Unit.COUNT),
    "price": Column("Price", Unit.MONEY),
    "currency": "Currency",
    "created_at": "Saved",
}
_VERSIONS: Columns = {
    "version": Column("Version", Unit.COUNT),
    "reason": "Why",
    "subject": "Subject",
    "created_at": "Made",
    "published_at": "Published",
    "created_by": "By",
    "note": "Note",
}


def library(scope: Scope, **kept: object) -> None:
    """Templates of the workspaces and of the library, found by their words."""
    with st.container(horizontal=True, vertical_alignment="bottom"):
        sought = _words()
        kind = _kind()
    found = read(
        "templates",
        scope,
        after=place(scope, "templates", sought, kind),
        limit=PAGE,
        words=sought,
        kind=_KINDS.get(kind),
        workspace=scope.where.get("workspace"),
    )
    table(
        [_listed(one) for one in found.rows],
        name="templates",
        title="All templates",
        why=f"Counts are of their whole life, in workspaces that you see. {LIVE}",
        columns=_LISTED,
        scope=scope,
        empty=("No template is like this.", "Type the beginning of a word of its name, or choose another kind."),
        read=found,
    )
    onward(
        "templates",
        scope,
        found.next,
        "templates",
        sought,
        kind,
        **kept,
        words=sought or None,
        kind=None if kind == _ALL else kind,
    )


def market(scope: Scope, **kept: object) -> None:
    """Components that workspaces saved, share or sell."""
    sought = _words()
    found = read(
        "saved_components",
        scope,
        after=place(scope, "market", sought),
        limit=PAGE,
        words=sought,
        workspace=scope.where.get("workspace"),
    )
    table(
        [market_row(one) for one in found.rows],
        name="market",
        title="Saved components",
        why=f"The newest first; downloads and likes of their whole life. {LIVE}",
        columns=MARKET,
        scope=scope,
        empty=("No component is like this.", "Type the beginning of a word of its name."),
        read=found,
    )
    onward("templates", scope, found.next, "market", sought, **kept, words=sought or None)


def market_row(one: SavedComponent) -> dict[str, Any]:
    """A component as lists show it."""
    kind = words.spelled(one.component_type)
    return vars(one) | {"component_type": kind, "for_sale": "yes" if one.is_marketplace_item else "no"}


def liked(scope: Scope) -> None:
    """The best rated templates, and the components that others took most often."""
    rated, taken = st.columns(2)
    chosen: dict[str, Any] = {"workspace": scope.where.get("workspace")}
    with rated:
        found = read("best_rated", scope, **chosen)
        bars = [(one.name, float(one.rating) / 5, f"{one.rating:.2f} by {one.ratings:,}") for one in found.rows]
        why = f"Mean of 5 of what AI made with them, where {templates.FEWEST_RATINGS} people or more rated it. {LIVE}"
        nobody = "No template was rated so often yet."
        card("Best rated templates", _ranking(bars, nobody), why=why, read=found, scope=scope)
    with taken:
        taken_most = read("most_downloaded", scope, **chosen)
        listed = taken_most.rows
        most = max((one.downloads for one in listed), default=1)
        drawn = [(f"{one.name} · {one.workspace}", one.downloads / most, words.count(one.downloads)) for one in listed]
        why = f"Marketplace downloads of the components that your workspaces offer. {LIVE}"
        nobody = "Nobody downloaded a component yet."
        card("Most downloaded components", _ranking(drawn, nobody), why=why, read=taken_most, scope=scope)


def template_key() -> UUID | None:
    """The template that the address names."""
    try:
        return UUID(st.query_params.get("template", ""))
    except ValueError:
        return None


def versions(key: UUID, scope: Scope) -> None:
    """What a template once was."""
    found = read("versions", scope, template=key)
    table(
        [vars(one) | {"reason": words.spelled(one.reason)} for one in found.rows],
        name="versions",
        title="Versions",
        why=f"The newest first. {LIVE}",
        columns=_VERSIONS,
        scope=scope,
        empty=("It has no version yet.", "One is kept whenever somebody saves or publishes it."),
        read=found,
    )


def facts(one: Template, scope: Scope) -> None:
    """What it is, and how it is liked, in a line of chips."""
    rated = f"rated {one.rating:.2f} of 5 by {words.counted(one.ratings, 'person')}" if one.rating else "not rated yet"
    told = (
        words.spelled(one.kind),
        words.spelled(one.status),
        words.spelled(one.product),
        "library" if one.is_library else "",
        "featured" if one.is_featured else "",
        *one.categories,
        f"version {one.current_version}",
        words.counted(one.campaigns, "campaign"),
        "1 copy" if one.copies == 1 else f"{one.copies:,} copies",
        rated,
        not_pinned(scope),
    )
    chips = tag("div", *(tag("span", part, class_="sl-chip") for part in told if part), class_="sl-chips")
    why = tag("p", one.description, class_="sl-small sl-muted") if one.description else Markup()
    st.html(tag("div", chips, why, class_="sl"))


def _ranking(listed: Sequence[tuple[str, float, str]], nothing: str) -> Markup:
    """A bar for each name, as long as its part of the most there can be."""
    cells = [
        part
        for name, share, told in listed
        for part in (
            tag("span", name, class_="name", title=name),
            tag("span", tag("i", style=f"left:0;width:{share * 100:.1f}%"), class_="bar sl-c0"),
            tag("span", told, class_="figure"),
        )
    ]
    return (
        tag("div", *cells, class_="sl-rows") if cells else empty_card(nothing, "It will stand here once somebody does.")
    )


def _listed(one: Template) -> dict[str, Any]:
    shelf = "Library" if one.is_library else "Workspace"
    told = {"kind": words.spelled(one.kind), "status": words.spelled(one.status)}
    return vars(one) | told | {"shelf": shelf + (", featured" if one.is_featured else "")}


def _words() -> str:
    sought = st.text_input(
        "Search",
        key="words",
        bind="query-params",
        placeholder="Words of names and descriptions",
        max_chars=200,
        width=320,
    )
    return sought or ""


def _kind() -> str:
    options = [_ALL, *_KINDS]
    broken = [f"kind={given}" for given in st.query_params.get_all("kind") if given not in options]
    if broken:
        say_broken(broken)
    return st.selectbox("Kind", options, key="kind", bind="query-params", width=160) or _ALL
