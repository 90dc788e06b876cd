"""Whether this copy is well, for those who watch it: the database, the lake and how fresh it is."""

import math
from datetime import UTC, datetime

import anyio.to_thread
from sqlalchemy import text
from sqlalchemy.exc import OperationalError
from starlette.requests import Request
from starlette.responses import JSONResponse, Response

from app import serving
from app.lake.lake import the_lake
from app.lake.storage import LakeDamagedError
from db.health import partitions_ahead

# The worker brings the lake up within seconds; a rebuild takes minutes.
_LATE_SECONDS = 900


async def show_health(_: Request) -> Response:
    answer, status = await anyio.to_thread.run_sync(_look)
    return JSONResponse(answer, status, {"cache-control": "no-store"})


def _look() -> tuple[dict[str, object], int]:
    lake = _lake()
    try:
        with serving.engines().ro.connect() as connection:
            connection.execute(text("SELECT 1"))
            months = partitions_ahead(connection)
    except OperationalError:
        return {"database": "does not answer", "lake": lake}, 503
    # A lake that is late still serves: taking this copy out of service would help nobody.
    return {"database": "answers", "partitions": months.says, "lake": lake}, 200 if months.is_well else 503


def _lake() -> dict[str, object]:
    try:
        age = lake_age_seconds()
    except LakeDamagedError as error:
        return {"state": "damaged", "fix": error.fix}
    if math.isnan(age):
        return {"state": "missing", "fix": "Run `sightline refresh`."}
    return {
        "state": "late" if age > _LATE_SECONDS else "fresh",
        "version": the_lake().latest_number,
        "age_seconds": round(age),
    }


def lake_age_seconds() -> float:
    """How far back lies the moment up to which the lake tells everything; not a number without a lake."""
    through = the_lake().complete_through
    return math.nan if through is None else max(0.0, (datetime.now(UTC) - through).total_seconds())
