"""Settings and rules of retention: who changes them, what is refused in which words, what is merged and audited."""

from dataclasses import dataclass
from typing import Any

import pytest
from sqlalchemy import text

from app.access import NotPermittedError, Role, Viewer, operator
from app.commands.company_settings import change_setting, flat, read, written
from app.commands.plan_publishing import FLOOR, margin_floor
from app.commands.retention import ENFORCED, NOT_ENFORCED, Terms, change_retention, last_run, would_take
from app.commands.stale import EditedMeanwhileError
from app.records.company_settings import company_settings, retention_rules
from db.errors import SightlineError
from tests.db.rows import add, workspace
from tests.servers import Database

KEY = "ai_service_limits"
LIMITS = {"imagen": 100, "veo": 50}


@dataclass(frozen=True)
class House:
    """A database with its default settings and rules."""

    database: Database

    @property
    def admin(self) -> Viewer:
        return operator(self.database.pipe, "Ada")

    @property
    def limited(self) -> Viewer:
        with self.database.setup.begin() as connection:
            home = workspace(connection).id
            key = add(connection, "team_members", email=f"{home}@team.example", roles=["admin"],
                workspace_ids=[home]).id  # fmt: skip
        return Viewer("Lim", frozenset({Role.ADMIN}), frozenset({home}), key)

    def setting(self, key: str = KEY):
        return next(one for one in company_settings(self.database.ro, self.admin) if one.key == key)

    def rule(self, subject: str):
        return next(one for one in retention_rules(self.database.ro, self.admin) if one.subject == subject)

    def set(self, fields: Any, key: str = KEY, by: Viewer | None = None, reason: str = "A launch.", **how: Any) -> None:
        change_setting(self.database.rw, by or self.admin, key, fields, reason=reason, **{"revision": 1} | how)

    def keep(self, subject: str, terms: Terms, by: Viewer | None = None, reason: str = "A rule.", **how: Any) -> None:
        key = self.rule(subject).id
        change_retention(self.database.rw, by or self.admin, key, terms, reason=reason, **{"revision": 1} | how)

    def ask(self, question: str) -> list[Any]:
        with self.database.setup.connect() as connection:
            return list(connection.execute(text(question)))

    def do(self, statement: str) -> None:
        with self.database.setup.begin() as connection:
            connection.execute(text(statement))


@pytest.fixture
def house(database):
    return House(database)


def test_a_setting_is_changed_and_the_audit_log_says_by_whom_from_what_to_what_and_why(house):
    house.set({"veo": 60, "imagen": 100, "emails": 5})
    assert dict(house.setting().value) == {"veo": 60, "imagen": 100, "emails": 5}
    house.set({"starter.ai_credits": 60}, key="subscription_features")
    assert dict(house.setting("subscription_features").value) == {"starter": {"ai_credits": 60}}
    [row, _] = house.ask("SELECT actor, reason, before, after FROM audit_log WHERE table_name = 'settings'"
        " AND action = 'update' ORDER BY position")  # fmt: skip
    assert (row.actor, row.reason) == ("Ada", "A launch.")
    assert (row.before, row.after["value"]) == ({"value": LIMITS}, {"veo": 60, "imagen": 100, "emails": 5})


def test_two_edits_of_different_fields_are_offered_together_and_of_one_both_are_told(house):
    house.set({**LIMITS, "veo": 60})
    with pytest.raises(EditedMeanwhileError, match="can be saved together") as refused:
        house.set({"imagen": 100, "veo": 50, "emails": 5}, made_on=LIMITS)
    assert refused.value.merged.together == {"imagen": 100, "veo": 60, "emails": 5}
    with pytest.raises(EditedMeanwhileError, match=r"veo 60.*You wrote: veo 70") as refused:
        house.set({**LIMITS, "veo": 70}, made_on=LIMITS)
    assert not refused.value.fits
    # Somebody took away what the other one left alone.
    with pytest.raises(EditedMeanwhileError) as refused:
        house.set({"veo": 50}, made_on=LIMITS)
    assert refused.value.merged.together == {"imagen": None, "veo": 60}
    assert dict(house.setting().value) == {**LIMITS, "veo": 60}


@pytest.mark.parametrize(
    ("key", "fields", "words"),
    [
        (KEY, {"veo": -1}, "-1 is no limit"),
        (KEY, {"veo": 10**16}, "is no limit"),
        (KEY, {"sora": 1}, "'sora' is no meter"),
        ("subscription_features", {"Pro.credits": 1}, "“Pro.credits” is no name in subscription_features"),
        ("meta_api_rate_limits", {"calls_per_hour": 10**12}, "calls_per_hour can't be 1,000,000,000,000"),
        (FLOOR, {"per_cent": 101}, "per_cent can't be 101.*from -1,000 to 100"),
        (FLOOR, {"per_cent": -1001}, "per_cent can't be -1,001"),
        (FLOOR, {"per_mille": 300}, "“per_mille” is no name in plan_margin_floor"),
        (FLOOR, {}, "per_cent is missing in plan_margin_floor"),
        ("subscription_features", {"starter": 1}, "“starter” is no name in subscription_features"),
        ("meta_api_rate_limits", {"calls_per_day": 1}, "is no name in"),
        ("meta_api_rate_limits", {}, "calls_per_hour is missing"),
        ("demo", {"size": 1}, "demo is no setting that people change"),
        ("x\ny", {}, "x y is no setting that people change"),
    ],
)
def test_what_a_setting_can_not_say_is_refused_in_a_sentence(house, key, fields, words):
    with pytest.raises(SightlineError, match=words):
        house.set(fields, key=key)
    assert house.ask("SELECT COUNT(*) FROM audit_log WHERE action = 'update'") == [(0,)]


@pytest.mark.parametrize("floor", [45, 0, -1000, 100])
def test_the_margin_floor_is_set_as_a_bare_number_by_which_plans_are_published(house, floor):
    assert flat(house.setting(FLOOR).value) == {"per_cent": 30}
    house.set({"per_cent": floor}, key=FLOOR)
    assert house.ask("SELECT value FROM settings WHERE key = 'plan_margin_floor'") == [(floor,)]
    with house.database.ro.connect() as connection:
        assert margin_floor(connection) == floor
    with pytest.raises(EditedMeanwhileError, match=f"per cent {floor}.*You wrote: per cent 12"):
        house.set({"per_cent": 12}, key=FLOOR)


def test_what_people_write_is_read_line_by_line():
    assert read(" veo = 1,000 \n\n imagen=2") == {"veo": 1000, "imagen": 2}
    assert read(written({"b": 2, "a": 1})) == {"a": 1, "b": 2}
    assert flat({"a": {"b": 1}, "c": 2, "d": "no number", "e": True}) == {"a.b": 1, "c": 2}
    assert (flat(30), flat(True), flat("30")) == ({"per_cent": 30}, {}, {})
    for line in ("veo", "veo = many", "veo = 1.5", "= "):
        with pytest.raises(SightlineError, match="can't be read"):
            read(line)
    with pytest.raises(SightlineError, match="stands there twice"):
        read("veo = 1\nveo = 2")


def test_a_rule_is_changed_and_the_job_goes_by_it(house):
    house.do("INSERT INTO jobs (job_type, status, completed_at) SELECT 'a', 'completed', now() - interval '1 day' * n"
        " FROM generate_series(1, 50) AS n")  # fmt: skip
    assert would_take(house.database.pipe, house.admin, "completed_jobs", Terms(30)).rows == 21
    house.keep("completed_jobs", Terms(40))
    rule = house.rule("completed_jobs")
    taken = would_take(house.database.pipe, house.admin, "completed_jobs", Terms(rule.keep_days))
    assert (taken.rows, taken.is_guess) == (11, False)
    for none in (Terms(None), Terms(40, is_active=False)):
        assert would_take(house.database.pipe, house.admin, "completed_jobs", none).rows == 0
    assert would_take(house.database.pipe, house.admin, "usage_logs", Terms(1)) is None
    [row] = house.ask("SELECT actor, reason, before, after FROM audit_log WHERE table_name = 'retention_policies'"
        " AND action = 'update'")  # fmt: skip
    assert row == ("Ada", "A rule.", {"keep_days": 30}, {"keep_days": 40})


def test_what_is_too_much_to_count_is_guessed(house):
    house.do("UPDATE pg_class SET reltuples = 1000000 WHERE relname = 'jobs'")
    assert would_take(house.database.pipe, house.admin, "completed_jobs", Terms(30)).is_guess


def test_the_last_run_is_told_with_all_batches_of_its_night(house):
    assert last_run(house.database.pipe, house.admin, "completed_jobs") is None
    house.do(
        "INSERT INTO jobs (job_type, status, completed_at, result) VALUES"
        " ('forget_done_jobs', 'completed', now() - interval '1 day', '{\"forgotten\": 7}'),"
        " ('forget_done_jobs', 'completed', now() - interval '2 minutes', '{\"forgotten\": 5}'),"
        " ('forget_done_jobs', 'completed', now() - interval '1 minute', '{\"forgotten\": 3}'),"
        " ('forget_done_jobs', 'failed', now(), NULL)"
    )
    assert last_run(house.database.pipe, house.admin, "completed_jobs").forgotten == 8


def test_every_rule_is_held_by_a_job_or_says_why_not(house):
    subjects = {one.subject for one in retention_rules(house.database.ro, house.admin)}
    assert subjects == set(ENFORCED) | set(NOT_ENFORCED)


def test_a_stale_change_of_a_rule_is_refused_or_merged(house):
    house.keep("completed_jobs", Terms(40))
    with pytest.raises(EditedMeanwhileError) as refused:
        house.keep("completed_jobs", Terms(30, is_active=False), made_on=Terms(30))
    assert refused.value.merged.together == {"keep_days": 40, "is_active": False}
    with pytest.raises(EditedMeanwhileError) as refused:
        house.keep("completed_jobs", Terms(50), made_on=Terms(30))
    assert not refused.value.fits


@pytest.mark.parametrize(
    ("subject", "days", "words"),
    [("completed_jobs", 0, "from 1 to 36,500"), ("completed_jobs", 40_000, "can't be kept for 40,000 days"),
     ("email_event_keys", 6, "from 7 to"), ("completed_jobs", -1, "from 1 to")],
)  # fmt: skip
def test_days_that_can_not_be_are_refused(house, subject, days, words):
    with pytest.raises(SightlineError, match=words):
        house.keep(subject, Terms(days))


@pytest.mark.parametrize("subject", NOT_ENFORCED)
def test_a_rule_that_no_job_holds_is_not_changed_and_says_why(house, subject):
    before = house.rule(subject)
    with pytest.raises(SightlineError, match="No job holds the rule") as refused:
        house.keep(subject, Terms(7))
    assert NOT_ENFORCED[subject] in refused.value.why
    assert house.rule(subject) == before


def test_both_need_a_reason_and_are_refused_when_they_are_gone(house):
    with pytest.raises(SightlineError, match="A setting is changed for a reason"):
        house.set(LIMITS, reason=" \n")
    with pytest.raises(SightlineError, match="A rule of retention is changed for a reason"):
        house.keep("completed_jobs", Terms(40), reason="")
    key = house.rule("completed_jobs").id
    house.do("DELETE FROM settings")
    house.do("DELETE FROM retention_policies")
    with pytest.raises(SightlineError, match="not there any more"):
        house.set(LIMITS)
    with pytest.raises(SightlineError, match="not there any more"):
        change_retention(house.database.rw, house.admin, key, Terms(40), revision=1, reason="A rule.")


def test_viewers_finance_and_limited_admins_change_neither(house):
    rule = house.rule("completed_jobs")
    for role in (Role.VIEWER, Role.FINANCE):
        viewer = Viewer("Vera", frozenset({role}), frozenset())
        for refused in (
            lambda viewer=viewer: house.set(LIMITS, by=viewer),
            lambda viewer=viewer: change_retention(house.database.rw, viewer, rule.id, Terms(40), revision=1,
                reason="A rule."),
            lambda viewer=viewer: company_settings(house.database.ro, viewer),
            lambda viewer=viewer: retention_rules(house.database.ro, viewer),
            lambda viewer=viewer: would_take(house.database.pipe, viewer, "completed_jobs", Terms(1)),
            lambda viewer=viewer: last_run(house.database.pipe, viewer, "completed_jobs"),
        ):  # fmt: skip
            with pytest.raises(NotPermittedError, match="may not do this"):
                refused()
    with pytest.raises(NotPermittedError, match="limited to some workspaces"):
        house.set(LIMITS, by=house.limited)
    with pytest.raises(NotPermittedError, match="limited to some workspaces"):
        house.keep("completed_jobs", Terms(40), by=house.limited)
