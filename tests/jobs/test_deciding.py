"""Who may do what with jobs, what is refused in which words, and what the audit log keeps of it."""

import pytest
from sqlalchemy import text

from app.access import NotPermittedError, Role, Viewer
from app.commands.jobs import add_job, cancel_job, keep_job, run_job_again, run_job_now
from app.jobs.planner import plan, take_leave
from app.records.jobs import job, job_counts, job_hours, jobs, schedule_notes, workers
from db.errors import SightlineError
from tests.db.rows import add, workspace
from tests.jobs.kinds import catalogue

WHY = "A test."


def person(yard, *roles, limited_to=None):
    """Somebody of the team, who sees everything or one workspace."""
    with yard.database.setup.begin() as connection:
        member = add(connection, "team_members", email=f"{len(yard.ask('SELECT id FROM team_members'))}@team.example",
            name="Ada", roles=list(roles), workspace_ids=None if limited_to is None else [limited_to]).id  # fmt: skip
        every = frozenset(connection.scalars(text("SELECT id FROM workspaces WHERE kind = 'customer'")))
    return Viewer("Ada", frozenset(roles), every if limited_to is None else frozenset({limited_to}), member)


@pytest.fixture
def ada(yard):
    return person(yard, Role.ADMIN)


@pytest.fixture
def theirs(yard):
    with yard.database.setup.begin() as connection:
        return workspace(connection)


def audit(yard, key):
    return yard.ask(
        "SELECT actor, action, before, after, reason FROM audit_log"
        " WHERE table_name = 'jobs' AND row_key = CAST(:key AS TEXT) ORDER BY position",
        key=key,
    )


def deeds(yard, by, key, reason):
    """Everything that can be done with a job."""
    rw, kinds = yard.database.rw, catalogue()
    return (
        lambda: add_job(rw, by, kinds, "effect", reason=reason),
        lambda: cancel_job(rw, by, key, reason=reason),
        lambda: keep_job(rw, by, key, reason=reason),
        lambda: run_job_again(rw, by, kinds, key, reason=reason),
        lambda: run_job_now(rw, by, key, reason=reason),
    )


def test_whoever_is_no_admin_is_refused_everything(yard):
    key = yard.add("effect")
    for role in (Role.VIEWER, Role.FINANCE):
        by = person(yard, role)
        for deed in deeds(yard, by, key, WHY):
            with pytest.raises(NotPermittedError, match=r"jobs\.manage"):
                deed()
        for read in (jobs, job_counts, job_hours, schedule_notes, workers):
            with pytest.raises(NotPermittedError, match=r"jobs\.read"):
                read(yard.database.ro, by)


def test_everything_is_done_for_a_reason_of_at_most_three_hundred_characters(yard, ada):
    key = yard.add("effect")
    for deed in deeds(yard, ada, key, " \n "):
        with pytest.raises(SightlineError, match="Jobs are changed for a reason"):
            deed()
    for deed in deeds(yard, ada, key, "x" * 301):
        with pytest.raises(SightlineError, match="The reason has 301 characters"):
            deed()
    assert yard.statuses() == {"pending": 1}


def test_every_change_by_a_person_has_its_row_in_the_audit_log_and_a_workers_has_none(yard, ada):
    rw, kinds = yard.database.rw, catalogue()
    key = add_job(rw, ada, kinds, "failure", reason="Begin.", payload={"token": "canary4711"}, wait_seconds=3600)
    run_job_now(rw, ada, key, reason="At once.")
    cancel_job(rw, ada, key, reason="Not yet.")
    keep_job(rw, ada, key, reason="Taken back.")
    yard.run()
    assert yard.job(key).status == "failed"
    run_job_again(rw, ada, kinds, key, reason="It is mended.")
    rows = audit(yard, key)
    assert [(row.actor, row.action, row.reason) for row in rows] == [
        ("Ada", "insert", "Begin."), ("Ada", "update", "At once."), ("Ada", "update", "Not yet."),
        ("Ada", "update", "Taken back."), ("Ada", "update", "It is mended."),
    ]  # fmt: skip
    assert [row.after.get("status") for row in rows] == ["pending", None, "cancelled", "pending", "pending"]
    assert rows[4].before["status"] == "failed"
    assert "canary4711" not in str(rows)


def test_a_cancellation_is_taken_back_to_the_time_for_which_the_job_waited(yard, ada):
    key = yard.add("effect", wait_seconds=3600)
    before = yard.job(key)
    cancel_job(yard.database.rw, ada, key, reason=WHY)
    keep_job(yard.database.rw, ada, key, reason=WHY)
    after = yard.job(key)
    assert (after.status, after.scheduled_at, after.max_attempts) == ("pending", before.scheduled_at, 5)
    assert (after.completed_at, after.cancel_requested_at) == (None, None)


def test_a_job_that_runs_is_asked_to_stop_and_the_wish_is_taken_back(yard, ada):
    yard.add("effect")
    held = yard.lease()
    assert cancel_job(yard.database.rw, ada, held.id, reason=WHY) == "running"
    assert keep_job(yard.database.rw, ada, held.id, reason=WHY) == "running"
    assert yard.job(held.id).cancel_requested_at is None


def test_what_does_not_fit_the_state_of_a_job_is_refused_and_says_the_state(yard, ada):
    rw, kinds = yard.database.rw, catalogue()
    key = yard.add("effect")
    for deed, says in (
        (lambda: run_job_again(rw, ada, kinds, key, reason=WHY), "can't be run again: it is pending"),
        (lambda: run_job_now(rw, ada, key, reason=WHY), "can't be put forward: it is pending"),
        (lambda: keep_job(rw, ada, key, reason=WHY), "can't be kept: it is pending"),
    ):
        with pytest.raises(SightlineError, match=says):
            deed()
    yard.run()
    with pytest.raises(SightlineError, match="can't be cancelled: it is completed"):
        cancel_job(rw, ada, key, reason=WHY)


def test_a_cancelled_job_is_not_kept_beside_another_of_its_unique_key(yard, ada):
    key = yard.add("effect", unique_key="effect")
    cancel_job(yard.database.rw, ada, key, reason=WHY)
    yard.add("effect", unique_key="effect")
    with pytest.raises(SightlineError, match="One of its kind waits or runs already"):
        keep_job(yard.database.rw, ada, key, reason=WHY)


def test_a_kind_that_nobody_here_knows_is_run_again_but_not_added(yard, ada):
    key = yard.add("of_a_product")
    yard.change("UPDATE jobs SET status = 'failed', attempts = 5")
    assert run_job_again(yard.database.rw, ada, catalogue(), key, reason=WHY) == "of_a_product"
    assert (yard.job(key).status, yard.job(key).max_attempts) == ("pending", 10)
    with pytest.raises(SightlineError, match="No kind of job is named 'of_a_product'"):
        add_job(yard.database.rw, ada, catalogue(), "of_a_product", reason=WHY)
    with pytest.raises(SightlineError, match="can't wait for so long"):
        add_job(yard.database.rw, ada, catalogue(), "effect", reason=WHY, wait_seconds=-1)


def test_whoever_is_limited_decides_on_jobs_of_their_workspaces_alone(yard, theirs):
    rw, ro, kinds = yard.database.rw, yard.database.ro, catalogue()
    with yard.database.setup.begin() as connection:
        other = workspace(connection)
    mine = yard.add("effect", workspaces=[theirs.id], workspace_id=theirs.id)
    foreign = yard.add("effect", workspaces=[other.id], workspace_id=other.id)
    company = yard.add("effect")
    eve = person(yard, Role.ADMIN, limited_to=theirs.id)
    assert [one.id for one in jobs(ro, eve).rows] == [mine]
    assert [(one.job_type, one.jobs) for one in job_counts(ro, eve)] == [("effect", 1)]
    assert job(ro, eve, foreign) is job(ro, eve, company) is None
    assert cancel_job(rw, eve, mine, reason=WHY) == "cancelled"
    with pytest.raises(SightlineError, match="No job has the key"):
        cancel_job(rw, eve, foreign, reason=WHY)
    with pytest.raises(NotPermittedError, match="This job is for every workspace"):
        cancel_job(rw, eve, company, reason=WHY)
    with pytest.raises(NotPermittedError, match="This job is for every workspace"):
        add_job(rw, eve, kinds, "effect", reason=WHY)
    with pytest.raises(SightlineError, match=f"No workspace is called {other.slug}"):
        add_job(rw, eve, kinds, "effect", reason=WHY, workspace_slug=other.slug)
    added = add_job(rw, eve, kinds, "effect", reason=WHY, workspace_slug=theirs.slug)
    assert yard.job(added).workspace_id == theirs.id
    assert workers(ro, eve) == schedule_notes(ro, eve) == ()


def test_what_a_job_says_is_read_without_secrets(yard, ada):
    key = yard.add("effect", payload={"api_key": "canary4711", "days": 3})
    yard.change("UPDATE jobs SET status = 'failed', error_message = 'password=canary4711 <script>', result = NULL")
    found = job(yard.database.ro, ada, key)
    assert "canary4711" not in str(found)
    assert "<script>" in found.error
    assert "3" in found.payload


def test_hours_tell_how_jobs_ended_and_how_long_they_took(yard, ada):
    for seconds, status in ((1, "completed"), (2, "completed"), (9, "completed"), (50, "failed")):
        key = yard.add("effect")
        yard.change(
            "UPDATE jobs SET status = :status, completed_at = date_trunc('hour', now()) - interval '20 minutes',"
            " started_at = date_trunc('hour', now()) - interval '20 minutes' - make_interval(secs => :took)"
            " WHERE id = :key",
            status=status, took=seconds, key=key,
        )  # fmt: skip
    [hour] = job_hours(yard.database.ro, ada)
    assert (hour.completed, hour.failed, hour.cancelled, hour.median_seconds) == (3, 1, 0, 2.0)


def test_a_worker_lives_while_it_says_so_or_holds_a_job(yard, ada):
    plan(yard.database.rw, catalogue(), "idle")
    plan(yard.database.rw, catalogue(), "killed")
    yard.change("UPDATE job_workers SET seen_at = now() - interval '10 minutes' WHERE name = 'killed'")
    yard.add("effect")
    yard.lease()
    found = {one.name: (one.lives, one.runs) for one in workers(yard.database.ro, ada)}
    assert found.pop("idle") == (True, None)
    assert found.pop("killed") == (False, None)
    assert list(found.values()) == [(True, "effect")]
    take_leave(yard.database.rw, "idle")
    assert "idle" not in {one.name for one in workers(yard.database.ro, ada)}
    yard.change("UPDATE job_workers SET seen_at = now() - interval '2 days'")
    plan(yard.database.rw, catalogue(), "another")
    assert "killed" not in {one.name for one in workers(yard.database.ro, ada)}
