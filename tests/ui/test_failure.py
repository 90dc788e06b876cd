"""A page that fails says a sentence and a reference; what the error holds of others' texts reads as it was written."""

import re

import pytest
from streamlit.testing.v1 import AppTest

HOSTILE = "![seen](https://elsewhere.example/x.png) **bold** <img src=x>"


def failing(what):
    from app.ui.failure import explain  # noqa: PLC0415 - the script of a page of its own
    from db.errors import SightlineError  # noqa: PLC0415

    def fail():
        if what == "unexpected":
            raise ValueError("secret of an unexpected failure")
        raise SightlineError(f"No campaign is named {what}.", why="It was deleted.", fix="Run `sightline doctor`.")

    try:
        fail()
    except (ValueError, SightlineError) as error:
        explain(error)


@pytest.fixture
def told():
    def run(what):
        page = AppTest.from_function(failing, args=(what,), default_timeout=30).run()
        assert not page.exception
        assert not page.error
        assert not page.markdown
        [body] = [one.proto.body for one in page.get("html")]
        return body

    return run


def test_what_failed_is_told_with_the_reference_of_the_log_and_no_traceback(told, capsys):
    body = told("unexpected")
    assert "This page could not be shown." in body
    [reference] = re.findall(r"Reference ([0-9a-f]{8}): the log says more", body)
    assert reference in "".join(capsys.readouterr())
    for secret in ("secret of an unexpected failure", "ValueError", "Traceback", "test_failure.py"):
        assert secret not in body


def test_texts_of_customers_in_an_error_are_no_markdown_and_no_html(told):
    body = told(HOSTILE)
    assert "![seen](https://elsewhere.example/x.png) **bold** &lt;img src=x&gt;" in body
    assert "It was deleted. Run <code>sightline doctor</code>." in " ".join(body.split())
    assert 'role="alert"' in body
