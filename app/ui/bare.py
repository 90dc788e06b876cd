"""The top of pages that are of no days: their name, and the scope that links carry on."""

from datetime import UTC, datetime
from zoneinfo import ZoneInfo

import streamlit as st

from app.access import Viewer
from app.settings import settings
from app.ui.filters import carried_on
from app.ui.links import page_here
from app.ui.markup import tag
from app.ui.scope import Scope


def bare_top(title: str, viewer: Viewer, told: str) -> Scope:
    """What such a page shows is as it is now."""
    said = tag("span", told, class_="sl-small sl-muted")
    st.html(tag("header", tag("h1", title), said, class_="sl sl-head"))
    today = datetime.now(UTC).astimezone(ZoneInfo(settings().zone)).date()
    bare = Scope(viewer, today, today, None, {}, "day", None, settings().zone, settings().currency, page_here())
    return bare.chosen(tuple(carried_on(())))
