"""A question as JSON, answered with its rows and its receipt."""

from collections.abc import Sequence
from datetime import date, datetime, timedelta
from typing import Any
from zoneinfo import ZoneInfo

from pydantic import BaseModel, ConfigDict, Field, ValidationError

from app.access import Viewer
from app.commands.catalogue import malformed
from app.metrics.desk import Desk
from app.metrics.errors import EmptyPeriodError
from app.metrics.question import Compare, Question, Value, question
from app.settings import settings

LARGEST_QUESTION = 100_000
MOST_ROWS = 10_000
_DAYS = 28
_Filters = dict[str, Value | tuple[Value, ...]]


class Asked(BaseModel):
    """What `sightline query` takes. The days run from `since` up to, and without, `until`."""

    model_config = ConfigDict(extra="forbid", strict=True, frozen=True)

    metrics: tuple[str, ...]
    by: tuple[str, ...] = ()
    since: date | None = None
    until: date | None = None
    where: _Filters = Field(default_factory=dict)
    exclude: _Filters = Field(default_factory=dict)
    grain: str | None = None
    compare: Compare | None = None
    order: str | None = None
    limit: int = Field(default=MOST_ROWS, le=MOST_ROWS)
    as_of: int | None = None


def answer_of(desk: Desk, viewer: Viewer, body: bytes) -> dict[str, Any]:
    """The rows, how many there are without the limit, and how the figures come about."""
    try:
        asked = Asked.model_validate_json(body, strict=True)
    except ValidationError as error:
        raise malformed(error, "The question") from None
    answer = desk.ask(_question(asked), viewer)
    return {"rows": answer.rows(), "rows_in_all": answer.keys_found, "receipt": answer.receipt.as_dict()}


def _question(asked: Asked) -> Question:
    since, until = _period(asked.since, asked.until)
    told: Sequence[str] = ("metrics", "by", "where", "exclude", "grain", "compare", "order", "limit", "as_of")
    return question(**{name: getattr(asked, name) for name in told}, since=since, until=until)


def _period(since: date | None, until: date | None) -> tuple[date, date]:
    """The last 28 days and today where nothing is said, as at the command line."""
    today = datetime.now(ZoneInfo(settings().zone)).date()
    last = until or today + timedelta(days=1)
    try:
        return since or last - timedelta(days=_DAYS), last
    except OverflowError:
        raise EmptyPeriodError(f"The period until {last} has no day in it.", fix="End it later.") from None
