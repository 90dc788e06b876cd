"""The rows of `ai_generations`: one per attempt, there before the call is made and complete when it has ended."""

from dataclasses import dataclass
from datetime import UTC, datetime, timedelta
from decimal import Decimal
from typing import Any
from uuid import UUID

from sqlalchemy import Connection, func, insert, select, update

from app.ai.asked import UNKNOWN_USAGE, Asked, Done, Outcome
from app.money.ledger import columns_of
from app.money.pricing import Priced
from app.redaction import without_secrets
from db.tables.ai import AiGeneration

_LONGEST_MESSAGE = 500
_LOOKED_BACK = timedelta(days=2)


@dataclass(frozen=True)
class Row:
    """The key of an attempt's row; facts are partitioned by when they began."""

    id: UUID
    began_at: datetime
    attempt: int


def begin(connection: Connection, asked: Asked, provider: str, model: str) -> Row:
    """An attempt starts. If nobody writes its end, it stays as a call of which nobody knows what it used."""
    attempt = (
        1 + connection.execute(select(func.coalesce(func.max(AiGeneration.attempt), 0)).where(*_of(asked))).scalar_one()
    )
    began_at = datetime.now(UTC)
    key: UUID = connection.execute(
        insert(AiGeneration)
        .values(
            workspace_id=asked.workspace_id,
            user_id=asked.customer_id,
            product=asked.product,
            provider=provider,
            model=model,
            generation_type=asked.generation_type,
            request_key=asked.request_key,
            attempt=attempt,
            status="processing",
            prompt_data={"messages": list(asked.messages), "most_tokens": asked.most_tokens},
            created_at=began_at,
            **columns_of(UNKNOWN_USAGE),
        )
        .returning(AiGeneration.id)
    ).scalar_one()
    return Row(key, began_at, attempt)


def end(connection: Connection, asked: Asked, row: Row, outcome: Outcome, cost: Priced) -> None:
    """How the attempt ended, and what it cost by the book as it was when it began."""
    ended_at = datetime.now(UTC)
    values: dict[str, Any] = {
        "status": outcome.status,
        "error_code": outcome.error_code,
        "error_message": outcome.error_message and without_secrets(outcome.error_message)[:_LONGEST_MESSAGE],
        "result_data": {"text": outcome.text} if outcome.text else None,
        "credits_used": asked.credits if outcome.status == "completed" else 0,
        "completed_at": ended_at,
        "generation_time_ms": round((ended_at - row.began_at).total_seconds() * 1000),
    }
    where = (
        AiGeneration.workspace_id == asked.workspace_id,
        AiGeneration.id == row.id,
        AiGeneration.created_at == row.began_at,
    )
    connection.execute(update(AiGeneration).where(*where).values(**values, **columns_of(outcome.usage)))
    # In a statement of its own: one that changes what was used takes the price away, since it is of something else.
    connection.execute(
        update(AiGeneration)
        .where(*where)
        .values(cost=cost.cost, price_version=cost.version, unpriced_because=cost.unpriced_because)
    )


def earlier(connection: Connection, asked: Asked) -> Done | None:
    """The answer that the same request got before."""
    row = connection.execute(
        select(AiGeneration.result_data, AiGeneration.cost, AiGeneration.unpriced_because, AiGeneration.attempt)
        .where(*_of(asked), AiGeneration.status == "completed")
        .order_by(AiGeneration.attempt.desc())
        .limit(1)
    ).one_or_none()
    if row is None:
        return None
    return Done((row.result_data or {}).get("text", ""), row.cost, row.unpriced_because, row.attempt, is_replay=True)


def cost_with(connection: Connection, asked: Asked, row: Row, cost: Decimal | None) -> Decimal | None:
    """What all attempts of a request cost together with this one; nothing is said where one of them has no price."""
    before, unpriced = connection.execute(
        select(func.coalesce(func.sum(AiGeneration.cost), 0), func.count().filter(AiGeneration.cost.is_(None))).where(
            *_of(asked), AiGeneration.id != row.id
        )
    ).one()
    return None if unpriced or cost is None or before is None else before + cost


def _of(asked: Asked) -> tuple[Any, ...]:
    """Attempts of one request are minutes apart: only the months of now are looked at."""
    return (
        AiGeneration.workspace_id == asked.workspace_id,
        AiGeneration.request_key == asked.request_key,
        AiGeneration.created_at >= datetime.now(UTC) - _LOOKED_BACK,
    )
