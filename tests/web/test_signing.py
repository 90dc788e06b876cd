"""The form lets in who may come in, takes nobody elsewhere, and gives a cookie that no script can read."""

import re

import pytest

from app.identity.attempts import PER_ACCOUNT
from tests.web.conftest import PASSWORD, sign_in

SESSION = "sightline_8501"


def cookie(answer):
    [said] = [one for one in answer.headers.get_list("set-cookie") if one.split("=")[0].endswith("sightline_8501")]
    return said


def test_signing_in_leads_to_the_page_that_was_asked_for(visit):
    browser = visit()
    asked = browser.get("/email?period=7d&product=mailer")
    form = browser.get(asked.headers["location"]).text
    [back] = re.findall(r'name="next" value="([^"]*)"', form)
    answer = sign_in(browser, next=back.replace("&amp;", "&"))
    assert (answer.status_code, answer.headers["location"]) == (303, "/email?period=7d&product=mailer")
    assert browser.get(answer.headers["location"]).status_code == 200


@pytest.mark.parametrize(
    "elsewhere", ["//evil.example", "https://evil.example", "/\\evil.example", "javascript:evil()"]
)
def test_signing_in_leads_nowhere_else(visit, elsewhere):
    browser = visit()
    assert "evil" not in browser.get("/sign-in", params={"next": elsewhere}).text
    assert sign_in(browser, next=elsewhere).headers["location"] == "/"


def test_the_cookie_is_out_of_reach_of_scripts_and_other_sites(visit):
    said = cookie(sign_in(visit()))
    assert "HttpOnly" in said
    assert "samesite=lax" in said.lower()
    assert "Path=/" in said
    assert "Max-Age=43200" in said
    assert "Domain" not in said
    assert "Secure" not in said


def test_over_tls_the_cookie_stays_there(visit, setting):
    setting(SIGHTLINE_PUBLIC_URL="https://sightline.example")
    answer = sign_in(visit("https://sightline.example"))
    [said] = answer.headers.get_list("set-cookie")
    assert said.startswith("__Host-sightline=")
    assert "Secure" in said
    assert answer.headers["strict-transport-security"].startswith("max-age=")


def test_a_wrong_password_is_told_without_a_session(visit):
    browser = visit()
    answer = sign_in(browser, password="wrong")
    assert answer.status_code == 401
    assert "do not belong together" in answer.text
    assert "set-cookie" not in answer.headers
    assert 'value="ada@team.example"' in answer.text
    assert "wrong" not in answer.text


def test_who_guesses_is_told_when_to_come_back(visit):
    browser = visit()
    for _ in range(PER_ACCOUNT):
        assert sign_in(browser, "guessed@team.example", "wrong").status_code == 401
    answer = sign_in(browser, "guessed@team.example", "wrong")
    assert answer.status_code == 429
    assert re.search(r"Try again at \d\d:\d\d UTC, in about 1[45] minutes", answer.text)


@pytest.mark.parametrize("word", ['"><script>alert(1)</script>', "'><img src=x onerror=alert(1)>"])
def test_nothing_that_is_typed_becomes_part_of_the_page(visit, word):
    browser = visit()
    for answer in (sign_in(browser, word, "x", next="/" + word), browser.get("/sign-in", params={"next": "/" + word})):
        assert "<script>alert" not in answer.text
        assert "<img src=x" not in answer.text


@pytest.mark.parametrize(
    "body", [b"", b"\xff\xfe", b"email=a&" * 5000, b"x" * 100_000, b"email=%00&password=%00", b"&" * 50]
)
def test_a_form_that_is_none_of_ours_is_refused_calmly(visit, body):
    answer = visit().post("/sign-in", content=body, headers={"content-type": "application/x-www-form-urlencoded"})
    assert answer.status_code in {400, 401, 429}


def test_another_site_signs_nobody_in(visit):
    """Login from elsewhere would let an attacker watch what the victim does in the attacker's account."""
    for headers in ({"origin": "https://evil.example"}, {"origin": "null"}):
        assert (
            visit(**headers).post("/sign-in", data={"email": "ada@team.example", "password": PASSWORD}).status_code
            == 403
        )
    browser = visit()
    del browser.headers["origin"]
    assert sign_in(browser).status_code == 403
    browser.headers["sec-fetch-site"] = "same-origin"
    assert sign_in(browser).status_code == 303


def test_a_planted_cookie_is_not_the_session_afterwards(visit):
    attacker, victim = visit(), visit()
    sign_in(attacker, "vic@team.example")
    planted = attacker.cookies[SESSION]
    victim.cookies.set(SESSION, planted, domain="127.0.0.1", path="/")
    answer = sign_in(victim)
    assert planted not in cookie(answer)
    assert attacker.get("/media/x").status_code == 401


def test_signing_out_needs_the_form_of_this_very_session(inside, visit):
    page = inside.get("/sign-out").text
    [proof] = re.findall(r'name="proof" value="([^"]*)"', page)
    assert inside.get("/media/x").status_code == 200
    assert inside.post("/sign-out", data={"proof": "x"}).status_code == 403
    assert (
        inside.post("/sign-out", data={"proof": proof}, headers={"origin": "https://evil.example"}).status_code == 403
    )
    assert inside.get("/media/x").status_code == 200
    token = inside.cookies[SESSION]
    answer = inside.post("/sign-out", data={"proof": proof})
    assert (answer.status_code, answer.headers["location"]) == (303, "/sign-in?out=1")
    assert 'sightline_8501=""' in cookie(answer)
    # Also for whoever copied the cookie.
    thief = visit()
    thief.cookies.set(SESSION, token, domain="127.0.0.1", path="/")
    assert thief.get("/media/x").status_code == 401
    assert "You are signed out" in inside.get("/sign-in?out=1").text


def test_who_is_out_is_not_asked_whether_to_sign_out(visit):
    assert visit().get("/sign-out").headers["location"] == "/sign-in"
    assert visit().post("/sign-out").headers["location"] == "/sign-in"


def test_a_database_that_is_not_the_embedded_demo_shows_no_accounts(visit, installation):
    assert "Demo accounts" not in visit().get("/sign-in").text
