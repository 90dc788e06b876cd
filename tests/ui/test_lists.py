"""Lists of records: their pages, their order, and the address that leads to older rows."""

from streamlit.testing.v1 import AppTest


def turning():
    from datetime import UTC, date, datetime  # noqa: PLC0415 - the script of a page of its own
    from uuid import UUID  # noqa: PLC0415

    import streamlit as st  # noqa: PLC0415

    from app.access import Viewer  # noqa: PLC0415
    from app.records.reading import Place  # noqa: PLC0415
    from app.ui.onward import onward, place  # noqa: PLC0415
    from app.ui.scope import Scope  # noqa: PLC0415

    ada = Viewer("Ada", frozenset(), frozenset())
    scope = Scope(ada, date(2026, 1, 1), date(2026, 2, 1), None, {}, "day", None, "UTC", "USD")
    words, product = st.query_params.get("words", ""), st.query_params.get("product")
    if product:
        scope = scope.narrowed(product=product)
    listed = (st.query_params.get("list", "contacts"), words)
    found = place(scope, *listed)
    st.text(str(found))
    onward("audience", scope, Place(datetime(2026, 1, 9, tzinfo=UTC), UUID(int=7)), *listed, words=words or None)


def shown(**query):
    page = AppTest.from_function(turning, default_timeout=30)
    page.query_params.update(query)
    page.run()
    assert not page.exception
    return page


def after_of(page):
    """The place in the link to older rows, as an address holds it."""
    from urllib.parse import parse_qs  # noqa: PLC0415

    [links] = [one.proto.body for one in page.get("html") if "Older" in one.proto.body]
    return parse_qs(links.split("?")[1].split('"')[0].replace("&amp;", "&"))["after"][0]


def test_the_next_rows_of_a_list_begin_where_its_last_ones_ended():
    older = after_of(shown())
    assert shown(after=older).text[0].value == "2026-01-09T00:00:00+00:00~00000000-0000-0000-0000-000000000007"


def test_another_choice_or_another_list_begins_at_its_beginning():
    older = after_of(shown())
    for other in ({"words": "ada"}, {"product": "mailer"}, {"list": "emails"}):
        assert shown(after=older, **other).text[0].value == "None"


def test_a_place_that_cannot_be_is_said():
    page = shown(after="nonsense")
    assert page.text[0].value == "None"
    assert any("names no place" in one.proto.body for one in page.get("html"))


def sorting():
    from app.ui.tables import table  # noqa: PLC0415 - the script of a page of its own

    rows = [{"what": f"Change {number}", "before": {"budget": number}} for number in range(12)]
    table(rows, name="changes", title="Changes", columns={"what": "What", "before": "Before"})


def test_columns_of_whole_records_are_no_order():
    page = AppTest.from_function(sorting, default_timeout=30).run()
    assert not page.exception
    assert page.selectbox[0].options == ["As listed", "What"]
