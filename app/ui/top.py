"""The top of every page: its name, how fresh it is, what was chosen; below it, the page knows its scope."""

from collections.abc import Sequence
from dataclasses import replace
from uuid import UUID

import streamlit as st

from app.access import Viewer
from app.lake.lake import UnknownVersionError
from app.settings import settings
from app.ui.choices import values_in
from app.ui.filters import EVERY, FilterRow
from app.ui.freshness import Freshness, badge, freshness
from app.ui.links import page_here
from app.ui.markup import tag
from app.ui.menu import PAGES
from app.ui.notices import say_broken
from app.ui.remarks import notes_of, open_remarks
from app.ui.saved import open_default, open_views
from app.ui.scope import Scope
from app.ui.share import open_share

_MORE = (_VIEWS, _REMARKS, _SHARE) = ("Saved views", "Remarks", "Share")
_DETAILS = {page.name for page in PAGES if page.is_detail}
GRAINS = ("day", "week", "month")


def top(
    title: str,
    viewer: Viewer,
    *,
    offers: Sequence[str] = EVERY,
    own: Sequence[str] = (),
    default_days: int = 28,
    grains: Sequence[str] = GRAINS,
    campaign: UUID | None = None,
) -> Scope:
    """Draw title, freshness and filters; the filters are in the address, so that it shows the same to others.

    A page offers the filters that change something on it; where it offers none, there is nothing to keep or to share.
    Of a page about one campaign, remarks on that campaign are shown and written too.
    """
    fresh, as_of, broken = _version()
    _draw_head(title, fresh)
    last = fresh.last_day
    bare = Scope(viewer, last, last, None, {}, "day", as_of, fresh.zone, settings().currency, page_here())

    if offers and bare.page not in _DETAILS:
        open_default(bare.page, bare)

    def occurring(name: str, named: Sequence[str]) -> list[str]:
        return values_in(bare.over(last.replace(year=last.year - 1, day=1), last), name, named)

    row = FilterRow(
        viewer=viewer,
        last=last,
        offers=offers,
        own=own,
        default_days=default_days,
        grains=grains,
        occurring=occurring,
        broken=broken,
    )
    with st.container(horizontal=True, vertical_alignment="bottom", gap="small"):
        chosen = row.draw()
        pinned = (("as_of", str(as_of)),) if as_of else ()
        scope = replace(
            bare,
            since=chosen.since,
            until=chosen.until,
            compare=chosen.compare,
            where=chosen.where,
            grain=chosen.grain,
            query=(*chosen.query, *pinned),
        )
        noted = scope.narrowed(campaign=str(campaign)) if campaign else scope
        if offers:
            _draw_buttons(scope, fresh, noted)
    if row.broken:
        say_broken(row.broken)
    return replace(scope, notes=notes_of(noted))


def _draw_head(title: str, fresh: Freshness) -> None:
    told = tag("span", f"Days in {fresh.zone} · amounts in {settings().currency}", class_="sl-small sl-muted")
    st.html(tag("header", tag("h1", title), badge(fresh), told, class_="sl sl-head"))


def _draw_buttons(scope: Scope, fresh: Freshness, noted: Scope) -> None:
    """What they open is made when it is opened."""
    # What leads to one thing is a link: a view of it would open for that thing alone.
    offered = [one for one in _MORE if one != _VIEWS or scope.page not in _DETAILS]
    chosen = st.menu_button("More", offered, key="top-more", icon=":material/more_horiz:")
    if chosen == _VIEWS:
        open_views(scope.page, scope)
    elif chosen == _REMARKS:
        open_remarks(noted)
    elif chosen == _SHARE:
        open_share(scope, fresh)


def _version() -> tuple[Freshness, int | None, list[str]]:
    """The version that the address names, where there is one of that number."""
    given = st.query_params.get("as_of")
    if given is None:
        return freshness(None), None, []
    try:
        number = int(given) if given.isdecimal() and len(given) < 10 else 0  # noqa: PLR2004 - digits of a version
        return freshness(number), number, []
    except UnknownVersionError:
        return freshness(None), None, [f"as_of={given}"]
