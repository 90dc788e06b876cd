"""A saved view holds the page as it is looked at, and no place in its lists."""

import json

from streamlit.testing.v1 import AppTest


def chosen():
    from datetime import date  # noqa: PLC0415 - the script of a page of its own

    import streamlit as st  # noqa: PLC0415

    from app.access import Viewer  # noqa: PLC0415
    from app.ui.saved import chosen_here  # noqa: PLC0415
    from app.ui.scope import Scope  # noqa: PLC0415

    query = (("period", "Last 28 days"), ("product", "Mailer"), ("as_of", "7"))
    ada = Viewer("Ada", frozenset(), frozenset())
    scope = Scope(ada, date(2026, 1, 1), date(2026, 2, 1), None, {}, "day", 7, "UTC", "USD", query=query)
    st.json(chosen_here(scope))


def test_a_saved_view_holds_filters_and_whatever_else_the_page_shows():
    page = AppTest.from_function(chosen, default_timeout=30)
    page.query_params.update(
        {"product": "Mailer", "show": "Contacts", "error_code": ["a", "b"], "after": "x", "as_of": "7"}
    )
    page.run()
    assert not page.exception
    [shown] = page.json
    assert json.loads(shown.value) == [
        ["period", "Last 28 days"],
        ["product", "Mailer"],
        ["show", "Contacts"],
        ["error_code", "a"],
        ["error_code", "b"],
    ]
