"""Streamlit's entry: every page is registered here, and none is served without it."""

import streamlit as st

from app.settings import PROJECT

st.set_page_config(page_title="Sightline", page_icon=PROJECT / "app" / "ui" / "icon.svg", layout="wide")
st.navigation(
    {
        "Team": [
            st.Page(
                PROJECT / "pages" / "overview.py",
                title="Overview",
                icon=":material/dashboard:",
                url_path="overview",
                default=True,
            )
        ]
    }
).run()
