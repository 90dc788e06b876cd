"""Work that looks at AI cost and fails: finance is told once a day, and the job fails as ever."""

from collections.abc import Callable

from sqlalchemy import Engine, text
from structlog import get_logger

from app.jobs import queue
from app.jobs.alerts import SEND_ALERTS, Raised, raise_alert
from app.jobs.catalogue import Handle, Outcome, Outside
from app.money.budgets import AlertKind
from db.engine import seeing, without_statement

log = get_logger(__name__)

_LONGEST_ERROR = 500


def told_when_it_fails(job: str, says: str, work: Callable[[Handle], Outcome]) -> Outside:
    """The same work; a failure raises an alert before the queue hears of it, which tries again by itself."""

    def watched(handle: Handle) -> Outcome:
        try:
            return work(handle)
        except Exception as error:
            _tell(handle.engines.rw, job, says, error)
            raise

    return Outside(watched)


def _tell(rw: Engine, job: str, says: str, error: Exception) -> None:
    why = f"{type(error).__name__}: {without_statement(error)}"[:_LONGEST_ERROR]
    log.error("A look at AI cost failed.", job=job, error=why)
    with seeing(rw, (), actor=f"the job {job}") as connection:
        today = connection.execute(text("SELECT date_trunc('day', now(), 'UTC') AS today")).scalar_one()
        raise_alert(connection, Raised(AlertKind.EVALUATION_FAILED, today, f"{says} {why}", about=job))
        queue.enqueue(connection, SEND_ALERTS, unique_key=SEND_ALERTS)
