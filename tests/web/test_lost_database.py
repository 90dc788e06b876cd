"""While the database does not answer, people see a page that says so and comes back by itself; programs get a 503."""

import re

import pytest

from app import serving
from tests.web.conftest import sign_in


@pytest.fixture
def lost(inside, setting):
    """Ada's browser, after the database went away: its address leads nowhere now."""
    serving.close()
    setting(DATABASE_URL="postgresql://nobody@127.0.0.1:9/gone")
    yield inside
    serving.close()


def again(answer):
    """Where the browser goes by itself, and after how many seconds."""
    seconds, address = re.findall(r'http-equiv="refresh" content="(\d+);url=([^"]*)"', answer.text)[0]
    return int(seconds), address.replace("&amp;", "&")


def test_a_page_says_so_and_tries_again_with_its_filters(lost):
    answer = lost.get("/email?period=7d&product=mailer")
    assert (answer.status_code, answer.headers["retry-after"]) == (503, "3")
    assert "The database does not answer" in answer.text
    assert again(answer) == (3, "/email?period=7d&product=mailer")
    assert answer.headers["cache-control"] == "no-store"
    assert "psycopg" not in answer.text


def test_signing_in_waits_too_and_then_shows_the_form(lost):
    answer = sign_in(lost, next="/email")
    assert answer.status_code == 503
    assert again(answer) == (3, "/sign-in")
    assert again(lost.get("/sign-in?next=/email"))[1] == "/sign-in?next=%2Femail"


def test_programs_are_told_to_come_back(lost):
    answer = lost.get("/media/x")
    assert (answer.status_code, answer.headers["retry-after"]) == (503, "3")
    assert lost.get("/health").json()["database"] == "does not answer"
    assert lost.get("/health").status_code == 503


def test_it_goes_on_when_the_database_is_back(lost, setting, monkeypatch):
    assert lost.get("/email").status_code == 503
    serving.close()
    monkeypatch.undo()
    setting()
    assert lost.get("/email").status_code == 200
