"""The worker seals what was written, verifies all of it, and fails aloud when a row is not as it was sealed."""

import pytest
from sqlalchemy import text

from app.jobs.audit import audit_jobs
from app.jobs.catalogue import Catalogue
from app.jobs.stopping import Stop
from app.jobs.worker import Worker
from db.engine import seeing

KINDS = Catalogue(audit_jobs("Europe/Berlin"))


@pytest.fixture
def work(ledger):
    def run(*names):
        with seeing(ledger.database.rw, ()) as connection:
            for name in names:
                connection.execute(text("INSERT INTO jobs (job_type, max_attempts) VALUES (:n, 1)"), {"n": name})
        worker = Worker(ledger.database, KINDS, name="a worker of a test")
        worker._plan_at = float("inf")
        while worker.turn(Stop()) == 0.0:
            pass
        question = "SELECT status, result, error_message FROM jobs WHERE job_type = :name ORDER BY completed_at DESC"
        return ledger.ask(question, name=names[-1])[0]

    return run


def test_what_was_written_is_sealed_and_verified_until_a_row_is_changed(ledger, work):
    made = ledger.change("a")
    [[rows]] = ledger.ask("SELECT COUNT(*) FROM audit_log")
    assert work("seal_audit_log").result == {"sealed": rows}
    verified = work("verify_audit_log")
    assert (verified.status, verified.result["rows"]) == ("completed", rows)
    ledger.tamper("UPDATE audit_log SET reason = 'Another.' WHERE position = :p", p=made)
    failed = work("verify_audit_log")
    assert failed.status == "failed"
    assert f"The row at position {made} was changed: its reason is not as sealed." in failed.error_message
