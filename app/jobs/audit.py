"""The jobs of the audit log: what was written is sealed within a minute, and all of it is verified every night."""

from datetime import time

import structlog
from sqlalchemy import Connection, text

from app.access import operator
from app.commands.audit import SEALED_AT_ONCE, verify_audit
from app.commands.audit_chain import Verified
from app.jobs.catalogue import Again, Handle, InTransaction, Job, JobType, Outcome, Outside
from app.jobs.schedules import Daily, Every
from db.errors import SightlineError

SEAL_AUDIT_LOG, VERIFY_AUDIT_LOG = "seal_audit_log", "verify_audit_log"
_SEAL = text("SELECT seal_audit_log(:at_most)")


class AuditLogDiffersError(SightlineError):
    """The audit log is not as it was sealed."""


def audit_jobs(zone: str) -> tuple[JobType, ...]:
    """A row that is not sealed yet can be changed unnoticed: it is so for a minute."""
    return (
        JobType(
            SEAL_AUDIT_LOG,
            "Seals what was written into the audit log, so that nothing of it can change unnoticed.",
            InTransaction(_seal),
            Every(60),
        ),
        JobType(
            VERIFY_AUDIT_LOG,
            "Verifies the chain of the audit log from its beginning, and fails when a row is not as it was sealed.",
            Outside(_verify),
            Daily(time(4, 30), zone),
            max_attempts=1,
            lease_seconds=300,
        ),
    )


def _seal(connection: Connection, _: Job) -> Outcome:
    sealed = connection.execute(_SEAL, {"at_most": SEALED_AT_ONCE}).scalar_one()
    return Again({"sealed": sealed}) if sealed == SEALED_AT_ONCE else {"sealed": sealed}


def _verify(handle: Handle) -> Outcome:
    def go_on(_: Verified) -> None:
        handle.go_on()

    by = operator(handle.engines.pipe, f"the job {VERIFY_AUDIT_LOG}")
    found = verify_audit(handle.engines, by, told=go_on)
    # Logs are kept elsewhere than the database: there the head can be compared.
    structlog.get_logger().info("audit log verified", head=str(found.head), found=found.found)
    if not found.is_whole:
        raise AuditLogDiffersError(
            "The audit log is not as it was sealed.",
            why=" ".join(one.says for one in found.findings),
            fix="Nothing was changed. Find out who could write tables past the app, and compare with a backup.",
        )
    return {"rows": found.rows, "head": str(found.head)}
