"""The audit log as a list, narrowed by who, what and when; one change by its fields; and links to a thing's own."""

from collections.abc import Sequence
from typing import Any

import streamlit as st

from app import serving
from app.access import Permission, Viewer
from app.records import audit
from app.records.audit import ACTIONS, AuditRow
from app.records.audit_words import subject, told_value
from app.ui import words
from app.ui.freshness import freshness
from app.ui.links import address, anchor
from app.ui.live import read
from app.ui.markup import Markup, tag
from app.ui.onward import onward, place
from app.ui.rows import Column, Columns
from app.ui.scope import Scope
from app.ui.sifted import PAGE
from app.ui.tables import table
from app.ui.views import note_broken
from db.tables import Base

_PAGE = "audit_log"
_ANYBODY, _ANYTHING, _ANYHOW = "Anybody", "Anything", "Any change"
_DONE = {"insert": "Made", "update": "Changed", "delete": "Deleted"}
_COLUMNS: Columns = {
    "at": Column("When", leads="leads"),
    "says": "What",
    "who": "Who",
    "reason": "Why",
    "workspace": "Workspace",
}
_KEY_LENGTH = 200


def history_link(scope: Scope, table_name: str, key: object, text: str = "History") -> Markup:
    """Leads to every change of one row, for those who may read the audit log; for others it is nothing."""
    if not scope.viewer.may(Permission.AUDIT_READ):
        return Markup()
    return anchor(text, address(_PAGE, scope, of=subject(table_name), row=key))


def audit_list(scope: Scope) -> None:
    """Changes of the period, the newest first; of one thing, all that it ever went through."""
    row = st.query_params.get("row", "")[:_KEY_LENGTH]
    who, what, how, sought, tables = _chosen(scope)
    here = ("audit", who, what, how, sought, row)
    period = {} if row else _period(scope)
    page = read(
        "audit", scope, **period, workspace=scope.where.get("workspace"), actor=None if who == _ANYBODY else who,
        table=None if what == _ANYTHING else tables[what], row=row,
        action=None if how == _ANYHOW else next(one for one in ACTIONS if _DONE[one] == how), words=sought,
        after=place(scope, *here), limit=PAGE,
    )  # fmt: skip
    kept = {
        "by": None if who == _ANYBODY else who, "of": None if what == _ANYTHING else what,
        "did": None if how == _ANYHOW else how, "words": sought or None, "row": row or None,
    }  # fmt: skip
    if row:
        _one_thing(scope, kept)
    table(
        [_shown(one, scope, kept) for one in page.rows],
        name="audit",
        title="Changes",
        why="Of one thing, all there ever were, the newest first." if row else "In these days, the newest first.",
        columns=_COLUMNS,
        scope=scope,
        empty=("Nobody changed such a thing in these days.", "Choose another period, or narrow it less."),
        read=page,
    )
    onward(_PAGE, scope, page.next, *here, **kept)


def one_change(scope: Scope) -> None:
    """The change that the address names, field by field."""
    given = st.query_params.get("change")
    if given is None:
        return
    found = audit.change(serving.engines().ro, scope.viewer, given)
    if found is None:
        st.html(tag("div", tag("b", "You see no change by this address."), "Open one from the list below.",
            class_="sl sl-refused", role="alert"))  # fmt: skip
        return
    with st.container(border=True, key="card-change"):
        st.html(tag("section", tag("h2", found.says), _facts(found, scope), _fields(found), class_="sl sl-card"))


def choices_of(viewer: Viewer) -> audit.Choices:
    return audit.choices(serving.engines().ro, viewer)


def _chosen(scope: Scope) -> tuple[str, str, str, str, dict[str, tuple[str, ...]]]:
    """Words and three choices, all in the address; what an address names is offered, however rare it is."""
    occurring = choices_of(scope.viewer)
    tables: dict[str, tuple[str, ...]] = {}
    for one in (*occurring.tables, *_named_tables(occurring.tables)):
        tables[subject(one)] = (*tables.get(subject(one), ()), one)
    actors = [_ANYBODY, *sorted(occurring.actors, key=str.lower)]
    whats, hows = [_ANYTHING, *sorted(tables)], [_ANYHOW, *_DONE.values()]
    for key, options in (("by", actors), ("of", whats), ("did", hows)):
        note_broken(key, options)
    with st.container(horizontal=True, vertical_alignment="bottom"):
        sought = st.text_input("Search", key="words", bind="query-params", max_chars=200, width=240,
            placeholder="A word of a change or its reason")  # fmt: skip
        who = st.selectbox("Who", actors, key="by", bind="query-params", width=230)
        what = st.selectbox("What", whats, key="of", bind="query-params", width=200)
        how = st.selectbox("Change", hows, key="did", bind="query-params", width=150)
    return (
        who if who in actors else _ANYBODY,
        what if what in whats else _ANYTHING,
        how if how in hows else _ANYHOW,
        sought or "",
        tables,
    )


def _named_tables(occurring: Sequence[str]) -> list[str]:
    """A link to the history of a thing names its table, though nothing of it was changed lately or ever."""
    named = st.query_params.get_all("of")
    return [one for one in Base.metadata.tables if subject(one) in named and one not in occurring]


def _period(scope: Scope) -> dict[str, object]:
    """Days end where figures do, and changes are read live: the newest belong to the last of these days."""
    is_open = scope.until > freshness(scope.as_of).last_day
    return {"since": scope.since, "until": None if is_open else scope.until}


def _one_thing(scope: Scope, kept: dict[str, str | None]) -> None:
    more = anchor("Show all things", address(_PAGE, scope, **{**kept, "row": None}))
    told = tag("p", "Only the history of one thing, whatever period is chosen.")
    st.html(tag("div", told, tag("p", more), class_="sl sl-small"))


def _shown(one: AuditRow, scope: Scope, kept: dict[str, str | None]) -> dict[str, Any]:
    return vars(one) | {"who": _who(one), "leads": address(_PAGE, scope, **kept, change=one.position)}


def _who(one: AuditRow) -> str:
    return one.actor or f"nobody named, as {one.database_role}"


def _facts(found: AuditRow, scope: Scope) -> Markup:
    facts = {
        "When": f"{found.at:%Y-%m-%d %H:%M:%S} UTC",
        "Who": _who(found),
        "Why": found.reason or "no reason was given",
        "Workspace": found.workspace or ("one that is gone" if found.workspace_id else "none: of the company"),
        "Position": f"{found.position:,} of the log, written as {found.database_role}",
        "Row": f"{found.table_name} {found.row_key}",
    }
    listed = [part for name, value in facts.items() for part in (tag("dt", name), tag("dd", value))]
    history = history_link(scope, found.table_name, found.row_key, "All changes of this thing")
    return tag("div", tag("dl", *listed, class_="facts"), tag("p", history), class_="sl-receipt")


def _fields(found: AuditRow) -> Markup:
    """A row for each field; of what was made or deleted, all of them."""
    before, after = found.before or {}, found.after or {}
    names = sorted({*before, *after})
    rows = [
        tag(
            "tr",
            tag("th", words.spelled(name), scope="row"),
            *(tag("td", told_value(side[name]) if name in side else words.NOTHING) for side in (before, after)),
        )
        for name in names
    ]
    head = tag("tr", *(tag("th", label, scope="col") for label in ("Field", "Before", "After")))
    drawn = tag("table", tag("thead", head), tag("tbody", *rows), class_="sl-table")
    return tag("div", drawn, class_="sl-scroll", tabindex=0, role="region", aria_label="Fields of the change")
