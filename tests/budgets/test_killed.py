"""Two workers in processes of their own look at one budget, and one is killed after it raised its alerts."""

import pytest
from sqlalchemy import text

from app.jobs.alerts import alert_jobs
from app.jobs.budgets import budget_jobs
from app.jobs.catalogue import Catalogue
from tests.jobs.kinds import Yard
from tests.jobs.process import WorkerProcess

_GATE = 4711
# The alerts of a look are written by then, and its transaction is not over.
_HOLD = f"""
    CREATE FUNCTION wait_at_the_gate() RETURNS trigger LANGUAGE plpgsql AS $$
    BEGIN
        PERFORM pg_advisory_xact_lock_shared({_GATE});
        RETURN NEW;
    END
    $$;
    CREATE TRIGGER wait_at_the_gate BEFORE INSERT ON budget_evaluations
        FOR EACH ROW EXECUTE FUNCTION wait_at_the_gate();
    """
_AT_THE_GATE = f"""
    SELECT COUNT(*) FROM pg_locks AS l
    WHERE l.locktype = 'advisory' AND NOT l.granted AND l.objid = {_GATE}
        AND l.database = (SELECT oid FROM pg_database WHERE datname = current_database())
    """


def watching():
    return Catalogue((*budget_jobs(), *alert_jobs()))


@pytest.fixture
def start(place):
    started = []

    def begin():
        started.append(WorkerProcess(Yard(place.database).addresses, watching))
        return started[-1]

    yield begin
    for process in started:
        process.kill()


def test_a_worker_that_is_killed_between_its_alerts_and_their_commit_leaves_each_threshold_told_once(place, start):
    yard = Yard(place.database)
    budget = place.budget(amount=100)
    place.spend("100")
    place.change(_HOLD)
    with place.database.setup.connect() as gate:
        gate.execute(text(f"SELECT pg_advisory_lock({_GATE})"))
        yard.add("watch_budgets")
        first = start()
        yard.until(f"SELECT ({_AT_THE_GATE}) = 1")
        yard.add("watch_budgets")
        start()
        # The second has the job and waits for the first one's alerts, which nobody sees yet.
        yard.until("SELECT COUNT(*) >= 1 FROM pg_locks WHERE locktype = 'transactionid' AND NOT granted")
        assert place.ask("SELECT COUNT(*) FROM budget_alerts") == [(0,)]
        first.kill()
        gate.execute(text(f"SELECT pg_advisory_unlock({_GATE})"))
        gate.commit()
    yard.until("SELECT EXISTS (SELECT FROM budget_evaluations WHERE raised = 3)", seconds=30)
    # The job of the killed one is anybody's once its lease is over.
    place.change("UPDATE jobs SET leased_until = now() - interval '1 second' WHERE status = 'running'")
    yard.until("SELECT COUNT(*) >= 2 FROM budget_evaluations", seconds=30)
    told = place.ask("SELECT kind, threshold FROM budget_alerts WHERE budget_id = :budget ORDER BY 2", budget=budget)
    assert [tuple(row) for row in told] == [("threshold", 50), ("threshold", 80), ("threshold", 100)]
    assert place.ask("SELECT SUM(raised) FROM budget_evaluations") == [(3,)]
