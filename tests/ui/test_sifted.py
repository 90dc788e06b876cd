"""What is searched, sorted and turned in a table stands in the address, and the address brings it back."""

import pytest
from streamlit.testing.v1 import AppTest


def listed():
    from app.ui.tables import table  # noqa: PLC0415 - the script of a page of its own

    rows = [{"what": f"Thing {number}", "size": number * 7 % 60} for number in range(60)]
    table(rows, name="things", title="Things", columns={"what": "What", "size": "Size"})


def opened(**query):
    page = AppTest.from_function(listed, default_timeout=30)
    page.query_params.update(query)
    page.run()
    assert not page.exception
    return page


def names(page):
    """The first column of what is shown."""
    import re  # noqa: PLC0415

    return re.findall(r"Thing \d+(?=</td>)", page.get("html")[-1].proto.body)


def told(page):
    return "".join(one.proto.body for one in page.get("html") if "could not be used" in one.proto.body)


def test_an_address_names_nothing_of_a_table_that_nobody_touched():
    assert dict(opened().query_params) == {}


def test_an_address_brings_search_order_and_page_back():
    page = opened(**{"things-search": "thing", "things-sort": "Size", "things-rising": "true", "things-page": "2"})
    assert told(page) == ""
    # 7 n mod 60 runs through all sizes: the second page begins with the one of 25.
    assert names(page)[0] == f"Thing {next(n for n in range(60) if n * 7 % 60 == 25)}"
    assert len(names(page)) == 25
    assert (page.text_input[0].value, page.selectbox[0].value, page.toggle[0].value) == ("thing", "Size", True)


@pytest.mark.parametrize(
    ("given", "value"),
    [
        ("things-sort", "Colour"),
        ("things-rising", "perhaps"),
        ("things-page", "4"),
        ("things-page", "0"),
        ("things-page", "x" * 9),
    ],
)
def test_what_a_table_can_not_show_falls_back_and_is_said(given, value):
    page = opened(**{given: value})
    assert f"{given}={value}" in told(page)
    assert names(page)[0] == "Thing 0"


def test_another_search_begins_at_its_first_page():
    page = opened(**{"things-page": "3"})
    assert len(names(page)) == 10
    page.text_input[0].set_value("thing").run()
    assert names(page)[0] == "Thing 0"
    assert told(page) == ""


def test_a_page_that_no_row_is_on_is_said_where_all_rows_fit_one():
    page = opened(**{"things-search": "thing 59", "things-page": "2"})
    assert names(page) == ["Thing 17", "Thing 59"]  # of which one has the size 59
    assert "things-page=2" in told(page)
