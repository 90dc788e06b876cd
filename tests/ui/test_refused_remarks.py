"""A refusal may hold what somebody else wrote: it reads as it was written."""

from streamlit.testing.v1 import AppTest


def refusing():
    from app.commands.stale import changed_by_others  # noqa: PLC0415 - the script of a page of its own
    from app.ui.remarks import _try  # noqa: PLC0415

    def change():
        raise changed_by_others("![seen](https://elsewhere.example/x.png) <img src=x>")

    _try(change)


def test_a_refusal_is_no_markdown_and_no_html():
    page = AppTest.from_function(refusing, default_timeout=30).run()
    assert not page.exception
    assert not page.error
    [told] = [one.proto.body for one in page.get("html")]
    assert "![seen](https://elsewhere.example/x.png) &lt;img src=x&gt;" in told
