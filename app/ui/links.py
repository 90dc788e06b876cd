"""Links to other pages that carry the choices on."""

from urllib.parse import urlencode, urlsplit

import streamlit as st

from app.ui.markup import Markup, tag
from app.ui.scope import Scope

# The first page has no address of its own.
FIRST = "overview"


def page_here() -> str:
    """The page's own part of the address."""
    return urlsplit(st.context.url or "").path.rstrip("/").rpartition("/")[2] or FIRST


def address(page: str, scope: Scope, **more: object) -> str:
    """The page with the same period and filters; `more` narrows it."""
    kept = [(name, value) for name, value in scope.query if name not in more]
    chosen = [(name, str(value)) for name, value in more.items() if value is not None]
    query = urlencode([*kept, *chosen])
    return f"./{'' if page == FIRST else page}{'?' if query else ''}{query}"


def anchor(text: object, href: str) -> Markup:
    """In the same tab; a person opens another one if they like."""
    return tag("a", text, href=href, target="_self")
