"""Programs may by the API what their person may on pages, and nothing else, however they ask."""

import json
from concurrent.futures import ThreadPoolExecutor
from decimal import Decimal
from uuid import UUID, uuid4

import pytest
from sqlalchemy import text

from app import serving
from app.access import Role, Viewer
from app.commands.budgets import Terms, change_budget
from app.commands.catalogue import COMMANDS
from app.commands.tokens import make_token, revoke_token
from app.web import api
from app.web.rates import Rates, TooManyCallsError
from tests.db.rows import template, user, workspace

HERE = "http://127.0.0.1:8501"
NOBODY = "00000000-0000-7000-8000-000000000000"
BUDGET = {"terms": {"name": "AI", "amount": "100"}, "scope": "company"}


def change(statement, **values):
    with serving.engines().rw.begin() as connection:
        connection.execute(text(statement), values)


def ask(question, **values):
    with serving.engines().rw.connect() as connection:
        return [tuple(row) for row in connection.execute(text(question), values)]


def give(program, command, **arguments):
    return program.post(f"/api/v1/commands/{command}", json=arguments)


# --- What programs do -------------------------------------------------------------------------------------------------


def test_a_command_is_given_and_the_audit_log_tells_who_by_which_token(program):
    answer = give(program(), "budgets.create", **BUDGET)
    assert answer.status_code == 200
    key = UUID(answer.json()["answer"])
    told = ask("SELECT actor, after ->> 'amount' FROM audit_log WHERE row_key = :key", key=str(key))
    assert told == [("ada@team.example by the token Nightly export", "100.0000")]
    assert give(program(), "budgets.delete", key=str(key), revision=1, reason="A test").json() == {"answer": None}


def test_what_a_program_did_with_templates_it_takes_back_with_what_that_answered(program, owner):
    with owner.begin() as connection:
        home = workspace(connection, owner_id=user(connection).id)
        keys = [str(template(connection, home.id, status=status).id) for status in ("published", "draft")]
    done = give(program(), "templates.retire", picked=dict.fromkeys(keys, 1), reason="The season is over")
    assert done.json()["answer"] == dict.fromkeys(keys, 2)
    back = give(program(), "templates.take_back", picked=done.json()["answer"])
    assert back.json()["answer"] == dict.fromkeys(keys, 3)
    with owner.connect() as connection:
        told = connection.execute(
            text("SELECT CAST(id AS TEXT), status FROM templates WHERE id = ANY (CAST(:keys AS UUID[]))"),
            {"keys": keys},
        )
        assert dict(map(tuple, told)) == dict(zip(keys, ("published", "draft"), strict=True))
    again = give(program(), "templates.take_back", picked=done.json()["answer"])
    assert (again.status_code, "in the meantime" in again.json()["what"]) == (409, True)


def test_drafting_with_a_model_is_off_without_a_key_and_for_tokens_that_only_read(program, owner):
    with owner.begin() as connection:
        home = workspace(connection, owner_id=user(connection).id)
    wish = {"wish": "A welcome", "workspace_slug": home.slug, "product": "mailer"}
    answer = give(program(), "templates.draft", **wish)
    assert answer.status_code == 400
    assert "OPENAI_API_KEY is not set" in answer.json()["why"]
    assert give(program(only_reads=True), "templates.draft", **wish).status_code == 403


def test_the_list_tells_what_the_person_may_and_how(program):
    def names(who):
        return {one["name"]: one for one in who.get("/api/v1/commands").json()["commands"]}

    ada, vic = names(program()), names(program("vic@team.example"))
    assert ada.keys() == {name for name, one in COMMANDS.items() if not one.not_by_api}
    assert "views.save" in vic
    assert "budgets.create" not in vic
    assert ada["budgets.create"]["arguments"]["required"] == ["terms", "scope"]
    assert ada["budgets.pause"]["meaning"].startswith("From now on it neither alerts nor blocks")
    assert names(program(only_reads=True)) == {}


def test_a_role_that_is_taken_away_is_gone_at_the_next_call(program):
    caller = program()
    assert give(caller, "budgets.create", **BUDGET).status_code == 200
    change("UPDATE team_members SET roles = '{viewer}' WHERE email = 'ada@team.example'")
    try:
        refused = give(caller, "budgets.create", **BUDGET)
    finally:
        change("UPDATE team_members SET roles = '{admin}' WHERE email = 'ada@team.example'")
    assert refused.status_code == 403
    assert refused.json()["what"].endswith("may not do this (budgets.manage).")


def test_a_token_that_only_reads_changes_nothing(program):
    refused = give(program(only_reads=True), "budgets.create", **BUDGET)
    assert (refused.status_code, refused.json()["what"]) == (403, "The token Nightly export only reads.")


def test_a_token_makes_no_tokens_and_ends_itself(program):
    caller = program()
    refused = give(caller, "tokens.make", name="For ever", days=366)
    assert (refused.status_code, "A token makes no tokens" in refused.json()["why"]) == (403, True)
    [(key,)] = ask("SELECT id FROM api_tokens WHERE revoked_at IS NULL")
    assert give(caller, "tokens.revoke", key=str(key)).status_code == 200
    assert caller.get("/api/v1/commands").status_code == 401


# --- Edits that meet --------------------------------------------------------------------------------------------------


@pytest.fixture
def budget(program):
    key = give(program(), "budgets.create", **BUDGET).json()["answer"]
    yield key
    change("UPDATE budgets SET deleted_at = now() WHERE id = :key", key=key)


def edit(caller, key, **more):
    terms = {"name": "AI", "amount": "100", **more}
    made_on = {"name": "AI", "amount": "100"}
    return give(caller, "budgets.change", key=key, terms=terms, revision=1, made_on=made_on)


def test_an_edit_through_the_api_of_what_a_page_changed_meanwhile_is_refused_with_both(program, budget):
    [(member,)] = ask("SELECT id FROM team_members WHERE email = 'ada@team.example'")
    on_a_page = Viewer("ada@team.example", frozenset({Role.ADMIN}), frozenset(), member)
    change_budget(serving.engines().rw, on_a_page, UUID(budget), Terms("AI", Decimal(200)), revision=1)
    refused = edit(program(), budget, amount="300")
    told = refused.json()
    assert refused.status_code == 409
    assert (told["now"]["amount"], told["wanted"]["amount"], told["revision"]) == ("200.0000", "300", 2)
    assert told["merged"]["colliding"] == ["amount"]
    assert ask("SELECT amount FROM budgets WHERE id = :key", key=budget) == [(200,)]


def test_of_two_programs_that_save_at_once_one_is_told(program, budget):
    callers = [program(), program()]
    with ThreadPoolExecutor(2) as threads:
        answers = list(threads.map(lambda one: edit(callers[one], budget, amount=str(200 + one)), range(2)))
    assert sorted(one.status_code for one in answers) == [200, 409]
    saved = 200 if answers[0].status_code == 200 else 201
    assert ask("SELECT amount, revision FROM budgets WHERE id = :key", key=budget) == [(saved, 2)]


def test_two_edits_that_do_not_collide_can_be_sent_together(program, budget):
    assert edit(program(), budget, amount="200").status_code == 200
    told = edit(program(), budget, thresholds=[90]).json()
    assert told["merged"]["colliding"] == []
    both = told["merged"]["together"]
    again = give(program(), "budgets.change", key=budget, terms=both, revision=told["revision"])
    assert again.status_code == 200
    assert ask("SELECT amount, thresholds FROM budgets WHERE id = :key", key=budget) == [(200, [90])]


# --- Who may not ------------------------------------------------------------------------------------------------------


def is_refused(answer, status):
    assert answer.status_code == status
    assert answer.headers["content-type"] == "application/json"
    assert {"what", "why", "fix", "reference"} <= answer.json().keys()
    return True


ENDINGS = {
    "it has ended": "UPDATE api_tokens SET expires_at = now(), created_at = now() - interval '1 day'",
    "it was revoked": "UPDATE api_tokens SET revoked_at = now()",
    "its person is inactive": "UPDATE team_members SET is_active = false WHERE email = 'vic@team.example'",
    "its person has left": "UPDATE team_members SET deleted_at = now() WHERE email = 'vic@team.example'",
}


@pytest.mark.parametrize("why", ENDINGS)
def test_a_token_is_dead_when(program, owner, why):
    caller = program("vic@team.example")
    assert caller.get("/api/v1/commands").status_code == 200
    with owner.begin() as connection:
        connection.execute(text(ENDINGS[why]))
    try:
        answer = caller.get("/api/v1/commands")
        assert is_refused(answer, 401)
        assert answer.headers["www-authenticate"] == 'Bearer realm="Sightline"'
    finally:
        with owner.begin() as connection:
            connection.execute(
                text("UPDATE team_members SET is_active = true, deleted_at = NULL WHERE email = 'vic@team.example'")
            )


@pytest.mark.parametrize(
    "shown",
    [
        None, "", "Bearer", "Bearer ", "Basic YWRhOng=", "Bearer x", "Bearer sightline_",
        "Bearer sightline_' OR 1=1 --", f"Bearer sightline_{'x' * 43}", f"Bearer {'x' * 6000}",
        "Bearer sightline_\u00e9".encode(),
    ],
)  # fmt: skip
def test_what_is_no_token_opens_nothing(program, shown):
    caller = program()
    headers = {} if shown is None else {"authorization": shown}
    del caller.headers["authorization"]
    for path in (
        "/api/v1/commands",
        "/api/v1/query",
        "/api/v1/commands/budgets.create",
        "/api/x",
        "/api/v1/%2e%2e/%2e%2e/media/x",
    ):
        assert is_refused(caller.post(path, json=BUDGET, headers=headers), 401)


def test_a_session_of_a_browser_opens_nothing_here(inside):
    """Else another site could give commands in the person's name."""
    assert is_refused(inside.get("/api/v1/commands"), 401)
    assert is_refused(inside.post("/api/v1/commands/budgets.create", json=BUDGET), 401)
    evil = inside.post("/api/v1/commands/budgets.create", json=BUDGET, headers={"origin": "https://evil.example"})
    assert is_refused(evil, 401)


def test_no_other_site_is_let_in_and_no_strange_host(program):
    asked = {"origin": "https://evil.example", "access-control-request-method": "POST"}
    answer = program().options("/api/v1/commands", headers=asked)
    assert is_refused(answer, 405)
    assert not [name for name in answer.headers if name.startswith("access-control")]
    assert program().get("/api/v1/commands", headers={"host": "evil.example"}).status_code == 400


def test_a_token_in_the_address_is_refused_even_where_it_is_right(program, token):
    right = token().token
    caller = program()
    for query in (f"token={right}", f"access_token={right}", "x"):
        answer = caller.get(f"/api/v1/commands?{query}")
        assert is_refused(answer, 400)
        assert right not in answer.text


def test_a_token_opens_no_page(program):
    assert program().get("/media/x").status_code == 401


def test_keys_of_another_workspace_are_as_if_they_were_not(program, owner, installation):
    with owner.begin() as connection:
        carl = user(connection).id
        homes = [workspace(connection, owner_id=carl) for _ in range(2)]
        connection.execute(
            text("INSERT INTO team_members (email, roles, workspace_ids) VALUES (:email, '{finance}', :homes)"),
            {"email": "lim@team.example", "homes": [homes[0].id]},
        )
        theirs = connection.scalar(
            text(
                "INSERT INTO budgets (name, scope, amount, workspace_id)"
                " VALUES ('Theirs', 'workspace', 5, :home) RETURNING id"
            ),
            {"home": homes[1].id},
        )
    caller = program("lim@team.example")
    for command in ("pause", "delete"):
        told = give(caller, f"budgets.{command}", key=str(theirs), revision=1, reason="Curious")
        never = give(caller, f"budgets.{command}", key=NOBODY, revision=1, reason="Curious")
        assert is_refused(told, 404)
        assert {**told.json(), "reference": ""} == {**never.json(), "reference": ""}
    made = {"terms": BUDGET["terms"], "scope": "workspace", "workspace_slug": homes[1].slug}
    assert is_refused(give(caller, "budgets.create", **made), 400)
    assert is_refused(give(caller, "budgets.create", **BUDGET), 403)


# --- What is no call --------------------------------------------------------------------------------------------------


@pytest.mark.parametrize("method", ["GET", "HEAD", "PUT", "PATCH", "DELETE", "OPTIONS", "TRACE", "BREW"])
def test_a_command_is_given_with_post_alone(program, method):
    answer = program().request(method, "/api/v1/commands/budgets.create", headers={"x-http-method-override": "POST"})
    assert (answer.status_code, answer.headers["allow"]) == (405, "POST")


@pytest.mark.parametrize(
    "path",
    [
        "/api/", "/api/v1", "/api/v2/query", "/api/v1/commands/", "/api/v1/commands/budgets", "/api/v1/commands/x/y",
        "/api/v1/commands/__class__", "/api/v1/commands/budgets.create/", "/api/v1/%2e%2e/%2e%2e/media/x",
        "/api//v1/query",
    ],
)  # fmt: skip
def test_what_is_not_there_is_told_as_json(program, path):
    assert is_refused(program().post(path, json={}), 404)


@pytest.mark.parametrize(
    "kind",
    ["", "text/plain", "application/x-www-form-urlencoded", "multipart/form-data", "application/jsonp", "text/json"],
)
def test_a_call_is_json_alone(program, kind):
    answer = program().post("/api/v1/query", content=b'{"metrics": ["views"]}', headers={"content-type": kind})
    assert is_refused(answer, 415)


def test_what_is_compressed_is_not_unpacked(program):
    headers = {"content-type": "application/json", "content-encoding": "gzip"}
    assert is_refused(program().post("/api/v1/query", content=b"\x1f\x8b", headers=headers), 415)


def test_what_is_too_large_is_not_read_to_its_end(program):
    read = []

    def endless():
        for _ in range(1000):
            read.append(1)
            yield b" " * 50_000

    answer = program().post(
        "/api/v1/commands/views.save", content=endless(), headers={"content-type": "application/json"}
    )
    assert is_refused(answer, 413)


@pytest.mark.parametrize(
    "body",
    [
        b"", b"{", b"null", b"[]", b'"x"', b"\xff\xfe", b'{"terms": {"name": "AI", "amount": NaN}, "scope": "company"}',
        b'{"terms": {"name": "AI", "amount": 1e999}, "scope": "company"}',
        b'{"terms": {"name": "AI", "amount": "1"}, "scope": "company", "scope_value": 5}',
        b'{"terms": {"name": "AI", "amount": "1", "workspace_id": "x"}, "scope": "company"}',
        b'{"terms": {"name": "AI", "amount": "1"}, "scope": "company", "by": "root"}',
        b'{"terms": {"name": "AI", "amount": "1"}, "scope": "company", "engine": null}',
        b'{"terms": "AI", "scope": "company"}', b"[" * 100_000,
        b'{"terms": {"name": "AI\\u0000", "amount": "1"}, "scope": "user", "workspace_slug": "\\u0000"}',
        b'{"terms": {"name": "\\ud800", "amount": "1"}, "scope": "company"}',
        b'{"terms": {"name": "AI", "amount": "1"}, "scope": "workspace", "workspace_slug": "\' OR 1=1; --"}',
    ],
)  # fmt: skip
def test_json_that_is_tampered_with_is_refused_and_nothing_is_made(program, body):
    before = ask("SELECT COUNT(*) FROM budgets")
    headers = {"content-type": "application/json"}
    answer = program().post("/api/v1/commands/budgets.create", content=body, headers=headers)
    assert is_refused(answer, 400)
    assert ask("SELECT COUNT(*) FROM budgets") == before


def test_numbers_and_days_beyond_every_calendar_are_refused_in_words(program):
    caller = program()
    for command, arguments in (
        ("budgets.pause", {"key": NOBODY, "revision": 10**40, "reason": "x"}),
        ("versions.pin", {"page": "ads", "version": 10**40, "query": []}),
        (
            "remarks.write",
            {"text": "x", "starts_on": "0001-01-01", "ends_on": "0001-01-01", "workspace_slug": "\u0000"},
        ),
        ("months.close", {"month": "0001-01-01"}),
        ("months.close", {"month": "9999-12-01"}),
        ("alerts.snooze", {"key": NOBODY, "until": "9999-12-31T23:59:59-14:00"}),
        ("prices.rate_new_calls", {"since": "9999-12-31T23:59:59-14:00", "more": 1}),
    ):
        answer = give(caller, command, **arguments)
        assert answer.status_code in {400, 404}, (command, answer.text)
        assert answer.json()["what"]


def test_a_failure_that_nobody_expected_tells_a_reference_and_nothing_of_itself(program, monkeypatch):
    def broken(*_):
        raise ZeroDivisionError("canary-of-an-error")

    monkeypatch.setattr(api, "answer_of", broken)
    answer = program().post("/api/v1/query", json={"metrics": ["views"]})
    assert is_refused(answer, 500)
    assert "canary" not in answer.text


# --- How often --------------------------------------------------------------------------------------------------------


def test_who_calls_too_often_waits_for_the_end_of_the_minute_and_nobody_else_does():
    now = [0.0]
    rates = Rates(2, clock=lambda: now[0])
    rates.count("ada")
    rates.count("ada")
    now[0] = 50.0
    with pytest.raises(TooManyCallsError, match="again in 10 seconds"):
        rates.count("ada")
    rates.count("bob")
    now[0] = 60.0
    rates.count("ada")


def test_a_program_that_calls_too_often_is_told_when_to_come_back(program, monkeypatch):
    monkeypatch.setattr(api, "_RATES", Rates(1))
    caller = program()
    assert caller.get("/api/v1/commands").status_code == 200
    answer = caller.get("/api/v1/commands")
    assert is_refused(answer, 429)
    assert 1 <= int(answer.headers["retry-after"]) <= 60
    assert program("vic@team.example").get("/api/v1/commands").status_code == 200


def test_strangers_who_guess_are_stopped_and_those_with_a_token_are_not(program, visit, monkeypatch):
    monkeypatch.setattr(api, "_STRANGERS", Rates(1))
    stranger = visit(accept="*/*")
    assert stranger.get("/api/v1/commands").status_code == 401
    assert stranger.get("/api/v1/commands").status_code == 429
    assert program().get("/api/v1/commands").status_code == 200


# --- Tokens -----------------------------------------------------------------------------------------------------------


def test_only_a_digest_of_a_token_is_kept_and_no_log_has_it(program, token, capfd):
    made = token()
    kept = json.dumps(ask("SELECT CAST(t AS TEXT) FROM api_tokens AS t"))
    told = json.dumps(ask("SELECT CAST(a AS TEXT) FROM audit_log AS a WHERE table_name = 'api_tokens'"))
    assert made.token[16:] not in kept + told
    assert made.token.startswith("sightline_")
    assert "token_hash" not in told
    program().get("/api/v1/nothing", headers={"authorization": f"Bearer {made.token}"})
    assert made.token not in "".join(capfd.readouterr())


def test_when_a_token_was_used_last_is_kept(program, token):
    program().get("/api/v1/commands")
    assert ask("SELECT COUNT(*) FROM api_tokens WHERE revoked_at IS NULL AND last_used_at IS NOT NULL") == [(1,)]


def test_somebody_revokes_no_token_of_others_and_makes_none_for_them(token):
    made = token()
    [(vic,)] = ask("SELECT id FROM team_members WHERE email = 'vic@team.example'")
    viewer = Viewer("vic@team.example", frozenset({Role.VIEWER}), frozenset(), vic)
    with pytest.raises(Exception, match="No token that could be revoked"):
        revoke_token(serving.engines().rw, viewer, made.id)
    with pytest.raises(Exception, match="A token is of the person who makes it"):
        make_token(serving.engines().rw, viewer, name="Hers", days=1, email="ada@team.example")
    for _ in range(20):
        make_token(serving.engines().rw, viewer, name="Mine", days=1)
    with pytest.raises(Exception, match="There are 20 tokens already"):
        make_token(serving.engines().rw, viewer, name="Mine", days=1)


def test_what_a_token_may_stays_as_it_was_made(token):
    made = token(only_reads=True)
    for column in ("only_reads = false", "expires_at = now() + interval '9 years'", f"team_member_id = '{uuid4()}'"):
        with pytest.raises(Exception, match="permission denied"):
            change(f"UPDATE api_tokens SET {column} WHERE id = :key", key=made.id)
