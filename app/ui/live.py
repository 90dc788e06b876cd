"""Lists that are read live: their rows, where these come from, and their downloads."""

from typing import Any
from zoneinfo import ZoneInfo

import streamlit as st

from app import serving
from app.exports import live
from app.exports.address import Kind
from app.exports.given import given
from app.exports.lists import LISTS
from app.exports.live import Listed, LiveReceipt
from app.records.reading import MOST_ROWS, Place
from app.ui import words
from app.ui.behind import links_of, slug
from app.ui.markup import Markup, tag
from app.ui.people import still_here
from app.ui.scope import Scope

_NOT_PINNED = "Not pinned: as of now."


def read(
    name: str, scope: Scope, *, after: Place | None = None, limit: int = MOST_ROWS, **narrowed: object
) -> Listed[Any]:
    """Some rows of a list for the page's viewer, narrowed by what is given here and by nothing else."""
    engine = live.engine_of(name, serving.engines())
    return live.read_list(engine, scope.viewer, name, given(**narrowed), after=after, limit=limit)


def told_of(why: str, listed: Listed[Any] | None, scope: Scope | None) -> str:
    """What stands below a heading: of a pinned page, also that what was read live is not what it was then."""
    return f"{why} {not_pinned(scope)}".strip() if listed and scope else why


def not_pinned(scope: Scope, part: str = "") -> str:
    """What a pinned page says beside what is read live; `part` is what of it, where the rest is pinned."""
    if not scope.as_of:
        return ""
    return f"Not pinned: {part}, as of now." if part else _NOT_PINNED


def live_downloads(receipt: LiveReceipt, file_name: str) -> Markup:
    """Addresses that read all rows of the list again, for whoever opens them; of what nobody kept there is none."""
    if receipt.name not in LISTS:
        return Markup()
    return links_of({kind: live.address(receipt.name, receipt.given, kind, file_name) for kind in Kind})


def behind_list(listed: Listed[Any], title: str, name: str, scope: Scope) -> None:
    """A quiet button; what it opens tells of the reading that is on the page."""
    told = f"Where “{title}” comes from, and downloads of all of it."
    if st.button("Receipt", key=f"behind-{slug(title)}", type="tertiary", icon=":material/receipt_long:", help=told):
        _open(listed, title, name, scope)


@st.dialog("Where this comes from", width="medium", position="right")
def _open(listed: Listed[Any], title: str, name: str, scope: Scope) -> None:
    still_here(scope.viewer)
    receipt, zone = listed.receipt, ZoneInfo(scope.zone)
    narrowed = "; ".join(f"{words.spelled(key)}: {', '.join(values)}" for key, values in receipt.given.items())
    facts = [
        ("Receipt", receipt.id),
        ("Read", "live from Postgres, without the lake"),
        ("Read at", f"{words.moment(receipt.read_at.astimezone(zone))} ({scope.zone})"),
        ("Narrowed by", narrowed or "nothing but what you may see"),
        ("Rows here", words.count(len(listed.rows)) + (", and there are more" if listed.next else "")),
    ]
    told = [part for fact, value in facts for part in (tag("dt", fact), tag("dd", value))]
    head = tag("h2", title, style="font-size:1.1rem;margin:0;padding:0")
    links = live_downloads(receipt, name)
    st.html(tag("div", head, links, tag("dl", *told, class_="facts"), class_="sl sl-receipt"))
    with st.expander("SQL and parameters", expanded=True):
        st.code(receipt.sql, language="sql", wrap_lines=True)
        st.code(
            "\n".join(f":{key} = {value}" for key, value in receipt.parameters.items()), language=None, wrap_lines=True
        )
