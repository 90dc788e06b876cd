"""What programs read live: the lists of pages and their downloads, for whoever may see them there."""

from typing import Any

from pydantic import BaseModel, ConfigDict, Field, ValidationError
from sqlalchemy import Engine

from app.access import Viewer
from app.commands.catalogue import malformed
from app.exports.lists import LISTS
from app.exports.live import read_list
from app.records.reading import MOST_ROWS, Place

LARGEST_LIST_CALL = 100_000


class Asked(BaseModel):
    """What narrows a list, after which place of it, and how many rows at the most."""

    model_config = ConfigDict(extra="forbid", strict=True, frozen=True)

    narrowed: dict[str, tuple[str, ...]] = Field(default_factory=dict)
    after: str | None = None
    limit: int = Field(default=MOST_ROWS, ge=1, le=MOST_ROWS)


def lists() -> dict[str, Any]:
    """All that there are; whoever may not read one is told so when they ask for it."""
    return {"lists": [{"name": name, "narrowed_by": sorted(one.narrowed_by)} for name, one in sorted(LISTS.items())]}


def rows_of(engine: Engine, viewer: Viewer, name: str, body: bytes) -> dict[str, Any]:
    """Some rows, where the next ones begin, and how they were read."""
    try:
        asked = Asked.model_validate_json(body, strict=True)
    except ValidationError as error:
        raise malformed(error, "What is asked of the list") from None
    after = None if asked.after is None else Place.read(asked.after)
    found = read_list(engine, viewer, name, asked.narrowed, after=after, limit=asked.limit)
    kept_back = LISTS[name].kept_back
    return {
        "rows": [{key: value for key, value in vars(row).items() if key not in kept_back} for row in found.rows],
        "next": None if found.next is None else str(found.next),
        "receipt": {"id": found.receipt.id, "read_at": found.receipt.read_at, "sql": found.receipt.sql,
            "parameters": found.receipt.parameters},
    }  # fmt: skip
