"""Streamlit's entry: who is here, and which pages they get. No page is served without it."""

import streamlit as st

from app import serving
from app.ui.media import remember_for
from app.ui.menu import PAGES, Audience, MenuPage
from app.ui.people import signed_in, who_is_here
from app.web.paper import ICON_PATH


def _entry(page: MenuPage, *, may: bool) -> st.Page:
    """A page that is not for the person is registered out of sight: its address gives a refusal, not a riddle."""
    return st.Page(
        page.file,
        title=page.title,
        icon=page.icon,
        url_path=page.name,
        default=page is PAGES[0],
        visibility="visible" if may and not page.is_detail else "hidden",
    )


# The mark is served with the sign-in page, to everybody: as a file of a page it would be somebody's.
st.set_page_config(page_title="Sightline", page_icon=ICON_PATH, layout="wide")
person = signed_in()
remember_for(person.member_id)
viewer = person.viewer(serving.engines().pipe)
chosen = st.navigation(
    {
        str(audience): [_entry(page, may=page.opens_to(viewer)) for page in PAGES if page.audience is audience]
        for audience in Audience
        if any(page.audience is audience for page in PAGES)
    },
    # Folded, it would hide the pages that come last from those who don't know them yet.
    expanded=True,
)
who_is_here(person)
chosen.run()
