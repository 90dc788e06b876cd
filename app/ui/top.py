"""The top of every page: its name, how fresh it is, what was chosen; below it, the page knows its scope."""

from collections.abc import Sequence

import streamlit as st

from app.access import Viewer
from app.settings import settings
from app.ui.choices import values_in
from app.ui.filters import draw_filters
from app.ui.freshness import Freshness, badge, freshness
from app.ui.look import dress
from app.ui.markup import tag
from app.ui.scope import Scope

GRAINS = ("day", "week", "month")


def top(
    title: str,
    viewer: Viewer,
    *,
    own: Sequence[str] = (),
    default_days: int = 28,
    grains: Sequence[str] = GRAINS,
) -> Scope:
    """Draw title, freshness and filters; the filters are in the address, so that it shows the same to others."""
    dress()
    as_of, broken = _as_of()
    fresh = freshness(as_of)
    _draw_head(title, fresh)
    bare = Scope(viewer, fresh.last_day, fresh.last_day, None, {}, "day", as_of, fresh.zone, settings().currency)

    def occurring(name: str) -> list[str]:
        since, until = bare.since.replace(year=bare.since.year - 1, day=1), bare.until
        return values_in(bare.over(since, until), name) if fresh.trouble is None else []

    chosen = draw_filters(viewer, fresh.last_day, own=own, default_days=default_days, grains=grains, values=occurring)
    if broken or chosen.broken:
        _say_broken([*broken, *chosen.broken])
    pinned = (("as_of", str(as_of)),) if as_of else ()
    return Scope(
        viewer=viewer,
        since=chosen.since,
        until=chosen.until,
        compare=chosen.compare,
        where=chosen.where,
        grain=chosen.grain,
        as_of=as_of,
        zone=fresh.zone,
        currency=settings().currency,
        page=title,
        query=(*chosen.query, *pinned),
    )


def _draw_head(title: str, fresh: Freshness) -> None:
    told = f"Days in {fresh.zone} · amounts in {settings().currency}"
    st.html(
        tag(
            "header", tag("h1", title), badge(fresh), tag("span", told, class_="sl-small sl-muted"), class_="sl sl-head"
        )
    )


def _as_of() -> tuple[int | None, list[str]]:
    given = st.query_params.get("as_of")
    if given is None:
        return None, []
    return (int(given), []) if given.isdecimal() else (None, [f"as_of={given}"])


def _say_broken(broken: Sequence[str]) -> None:
    """What an address asked for that isn't there, or isn't theirs: both are told alike."""
    told = ", ".join(dict.fromkeys(broken))
    st.html(
        tag(
            "div",
            tag("b", "A part of the address could not be used."),
            f"Not known here: {told}. What the page shows usually is shown instead.",
            class_="sl sl-refused",
            role="alert",
        )
    )
