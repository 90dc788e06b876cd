"""The jobs that look after the data find what was planted, and say it in words."""

from contextlib import contextmanager
from datetime import UTC, datetime, timedelta

import pytest
from sqlalchemy import text

from app.access import NotPermittedError, Role, Viewer
from app.jobs.catalogue import Catalogue
from app.jobs.health import COMPARE, LATE, LOOK, health_jobs
from app.records.data_health import checks, partitions, under_way
from app.settings import settings
from db import health
from tests.db.rows import add
from tests.jobs.kinds import Yard
from tests.lake.lakes import lake_with_company, mail, session, use
from tests.servers import new_database

ADA = Viewer("Ada", frozenset({Role.ADMIN}), frozenset())


class Clinic:
    """A database with a lake over it, and the jobs that look after both."""

    def __init__(self, yard, folder):
        self.yard = yard
        self.lake = lake_with_company(yard.database, folder / "lake")

        @contextmanager
        def setup():
            yield yard.database.setup

        self.kinds = Catalogue(health_jobs("UTC", lambda: self.lake.refresher, setup))

    def check(self, kind, **payload):
        """Have it done; what is read of it then."""
        self.yard.change("TRUNCATE jobs")
        self.yard.add(kind, payload=payload, max_attempts=1)
        self.yard.run(kinds=self.kinds)
        return checks(self.yard.database.ro, ADA, kind)[0]


@pytest.fixture(scope="module")
def clinic(server18, tmp_path_factory):
    folder = tmp_path_factory.mktemp("clinic")
    with new_database(server18) as fresh, pytest.MonkeyPatch.context() as patch:
        patch.setenv("SIGHTLINE_HOME", str(folder))
        settings.cache_clear()
        opened = Clinic(Yard.laid_out(fresh), folder)
        with session(fresh) as connection:
            for number in range(3):
                use(connection, quantity=number + 1)
            mail(connection, "sent", at=datetime.now(UTC))
        yield opened
    settings.cache_clear()


def test_the_doctors_findings_sizes_and_versions_are_kept_with_the_job(clinic):
    clinic.lake.refresh()
    found = clinic.check(LOOK)
    assert found.is_well, found.error
    subjects = {one["subject"]: one["is_well"] for one in found.result["findings"]}
    assert set(subjects) >= {"server", "migrations", "disk", "clock", "locks", "horizon", "partitions", "tenants"}
    assert subjects["partitions"]
    assert found.result["database_bytes"] > 1_000_000
    assert found.result["lake"]["files"] > 0
    assert found.result["lake"]["versions"] >= 1
    assert found.result["statements"] is None
    assert found.result["slow"] == []


def test_a_month_that_is_missing_is_found_by_the_doctor_and_in_the_list(clinic):
    before = {one.fact: one.ahead for one in partitions(clinic.yard.database.ro, ADA)}
    newest = clinic.yard.ask(
        "SELECT CAST(partition AS TEXT) FROM fact_partitions() WHERE CAST(fact AS TEXT) = 'usage_logs'"
        " ORDER BY month DESC LIMIT 2"
    )
    for (partition,) in newest:
        clinic.yard.change(f"DROP TABLE {partition}")
    after = {one.fact: one.ahead for one in partitions(clinic.yard.database.ro, ADA)}
    assert (before["usage_logs"] - after["usage_logs"], before["conversions"]) == (2, after["conversions"])
    [found] = [one for one in clinic.check(LOOK).result["findings"] if one["subject"] == "partitions"]
    assert not found["is_well"]
    assert "usage_logs" in found["says"]
    assert "sightline migrate" in found["fix"]
    clinic.yard.change("SELECT make_partitions()")


def test_an_idle_transaction_that_holds_the_horizon_is_named_by_its_process(clinic):
    with clinic.yard.database.rw.connect() as holder, clinic.yard.database.setup.connect() as doctor:
        holder.execute(text("SELECT set_config('app.workspaces', '{}', true)"))
        holder.execute(text("INSERT INTO job_workers (name) VALUES ('idle in its transaction')"))
        pid = holder.scalar(text("SELECT pg_backend_pid()"))
        found = health.horizon(doctor, seconds=0)
        holder.rollback()
    assert not found.is_well
    assert f"pid {pid}" in found.says
    assert "idle in transaction" in found.says


def test_rollups_that_are_as_postgres_says_are_told_so_with_the_version_that_was_compared(clinic):
    found = clinic.check(COMPARE)
    assert found.is_well, found.error
    told = found.result["rollups"]
    assert told["usage_days"]["compared"] >= 1
    assert {name: one["apart"] for name, one in told.items() if one["apart"]} == {}
    assert told["usage_days"]["version"] == clinic.lake.lake.latest_number
    assert found.result["until"] == str(datetime.now(UTC).date())


def test_what_was_written_after_the_last_refresh_is_no_difference(clinic):
    with session(clinic.yard.database) as connection:
        use(connection, quantity=5)
    assert clinic.check(COMPARE, rollup="usage_days").is_well


def test_a_rollup_that_is_behind_is_named_with_both_figures(clinic):
    """The lake never hears of a change that the triggers did not stamp."""
    clinic.lake.refresh()
    [(before,)] = clinic.yard.ask("SELECT SUM(quantity) FROM usage_logs")
    with clinic.yard.database.setup.begin() as connection:
        connection.execute(text("SET LOCAL session_replication_role = replica"))
        connection.execute(text("UPDATE usage_logs SET quantity = quantity + 7 WHERE quantity = 1"))
    found = clinic.check(COMPARE)
    assert (found.status, found.is_well) == ("failed", False)
    assert "Rollups differ from Postgres" in found.error
    assert ": usage_days." in found.error
    assert f"is {before}, Postgres says {before + 7}." in found.error
    assert "sightline refresh --rebuild" in found.error
    assert clinic.check(COMPARE, rollup="email_days").is_well
    with clinic.yard.database.setup.begin() as connection:
        connection.execute(text("SET LOCAL session_replication_role = replica"))
        connection.execute(text("UPDATE usage_logs SET quantity = 1 WHERE quantity = 8"))


@pytest.mark.parametrize(
    ("payload", "says"),
    [
        ({"rollup": "nothing"}, "No rollup is named 'nothing'"),
        ({"since": "yesterday"}, "'yesterday' is no day"),
        ({"since": "2026-02-01", "until": "2026-02-01"}, "is no period to compare"),
        ({"since": "2016-02-01", "until": "2026-02-01"}, "is no period to compare"),
    ],
)
def test_what_can_not_be_compared_is_refused_with_a_sentence(clinic, payload, says):
    assert says in clinic.check(COMPARE, **payload).error


def test_rows_that_came_late_are_counted_by_the_day_they_came(clinic):
    assert clinic.check(LATE).result["days"] == {}
    now = datetime.now(UTC)
    with session(clinic.yard.database) as connection:
        for contact, days in ((2, 3), (3, 9)):
            mail(connection, "delivered", at=now - timedelta(days=days), contact=contact)
        mail(connection, "delivered", at=now - timedelta(hours=20))
    found = clinic.check(LATE)
    [late] = found.result["days"].values()
    assert late == {"email_events": 2}
    assert found.result["longest_days"] == 9


def test_health_is_for_admins_and_of_the_company_for_those_who_see_all_of_it(clinic):
    ro = clinic.yard.database.ro
    for role in (Role.VIEWER, Role.FINANCE):
        viewer = Viewer("Eve", frozenset({role}), frozenset())
        for read in (lambda viewer=viewer: checks(ro, viewer, LOOK), lambda viewer=viewer: partitions(ro, viewer),
            lambda viewer=viewer: under_way(ro, viewer)):  # fmt: skip
            with pytest.raises(NotPermittedError, match=r"data_health\.read"):
                read()
    clinic.check(LATE)
    clinic.yard.add(LOOK)
    with clinic.yard.database.setup.begin() as connection:
        own = connection.scalar(text("SELECT id FROM workspaces WHERE slug = 'w1'"))
        member = add(connection, "team_members", email="lin@team.example", roles=["admin"], workspace_ids=[own]).id
    lin = Viewer("Lin", frozenset({Role.ADMIN}), frozenset({own}), member)
    assert (checks(ro, lin, LATE), partitions(ro, lin), under_way(ro, lin)) == ((), (), frozenset())
    assert under_way(ro, ADA) == {LOOK}
