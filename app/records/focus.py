"""What an export of AI cost is made of, a day at a time: calls, the book's history, corrections, credits and bills."""

from collections.abc import Iterator
from datetime import UTC, date, datetime, time, timedelta
from typing import Any
from uuid import UUID

from sqlalchemy import Connection, Engine, RowMapping, text

from app.access import Permission, Viewer
from app.records.reading import rows
from db.engine import seeing

Row = dict[str, Any]
_AT_ONCE = 2_000
# In the order of their keys: the same rows give the same file.
_CALLS = text("""
    SELECT workspace_id, created_at, provider, model, service_tier, cost, price_version, input_tokens,
        cached_input_tokens, cache_write_tokens, cache_write_1h_tokens, output_tokens, reasoning_tokens, images,
        image_size, image_quality, audio_seconds, video_seconds, tool_calls, more_units
    FROM ai_generations
    WHERE workspace_id = ANY (:workspaces) AND created_at >= :since AND created_at < :until
        AND (cost IS NOT NULL OR status IN ('completed', 'failed', 'cancelled'))
    ORDER BY workspace_id, created_at, id
    """)
_BOOK = """
    SELECT p.provider, p.model, p.unit, p.variant, p.service_tier, p.context_from, p.price, p.per, p.valid_from,
        p.valid_to, p.version, s.version AS superseded_by
    FROM ai_prices AS p
    LEFT JOIN ai_prices AS s ON s.id = p.superseded_by
    WHERE p.approved_at IS NOT NULL
    """
_CORRECTIONS = """
    SELECT workspace_id, month, kind, provider, model, amount, reason
    FROM ai_cost_corrections
    WHERE workspace_id = ANY (:workspaces) AND created_at >= :since AND created_at < :until
    ORDER BY created_at, id
    """
_CREDITS = """
    SELECT workspace_id, type, SUM(amount) AS amount
    FROM credit_transactions
    WHERE workspace_id = ANY (:workspaces) AND created_at >= :since AND created_at < :until
    GROUP BY workspace_id, type
    ORDER BY workspace_id, type
    """
_WORKSPACES = "SELECT id, name FROM workspaces WHERE id = ANY (:workspaces)"
_MONTH = "SELECT created_at, closed_at FROM ai_months WHERE month = :month"
# Bills are the company's: who is limited to some workspaces sees none. Lines of usage have no amount.
_BILLS = """
    SELECT CAST(l.id AS TEXT) AS id, COALESCE(b.invoice_number, CAST(b.id AS TEXT)) AS invoice, b.provider, b.month,
        l.day, l.model, l.unit, l.service_tier, l.amount, l.currency, l.description, b.status <> 'open' AS is_issued,
        l.created_at, b.updated_at
    FROM provider_bills AS b
    JOIN provider_bill_lines AS l ON l.bill_id = b.id
    WHERE b.month = :month AND l.kind = 'cost' AND l.replaced_by IS NULL AND l.amount IS NOT NULL
        AND {seen}
    UNION ALL
    SELECT b.id || '-tax', COALESCE(b.invoice_number, CAST(b.id AS TEXT)), b.provider, b.month, NULL, NULL, NULL, NULL,
        b.tax, b.currency, 'Tax', b.status <> 'open', b.created_at, b.updated_at
    FROM provider_bills AS b
    WHERE b.month = :month AND b.tax <> 0 AND {seen}
    ORDER BY 3, 5 NULLS LAST, 1
    """.replace(
    "{seen}",
    "NOT EXISTS (SELECT FROM team_members AS m WHERE m.id = CAST(:member AS UUID) AND m.workspace_ids IS NOT NULL)",
)


def require(viewer: Viewer) -> None:
    """What is exported tells what AI costs, and what credits move."""
    viewer.require(Permission.AI_COST_READ)
    viewer.require(Permission.MONEY_READ)


def calls(engine: Engine, viewer: Viewer, day: date) -> Iterator[Row]:
    """The calls of a day (UTC) that cost something, or whose cost is not known; some are held at a time."""
    require(viewer)
    since, until = _day(day)
    with seeing(engine, viewer.workspaces) as connection:
        named = {"workspaces": sorted(viewer.workspaces), "since": since, "until": until}
        for row in connection.execution_options(yield_per=_AT_ONCE).execute(_CALLS, named).mappings():
            yield _plain(row)


def book(engine: Engine, viewer: Viewer) -> list[Row]:
    """All prices that were ever approved, with the version that superseded each."""
    require(viewer)
    with seeing(engine, viewer.workspaces) as connection:
        return _read(connection, _BOOK)


def corrections(engine: Engine, viewer: Viewer, day: date) -> list[Row]:
    """Corrections of closed months that were made on a day (UTC)."""
    return _of_day(engine, viewer, _CORRECTIONS, day)


def credit_moves(engine: Engine, viewer: Viewer, day: date) -> list[Row]:
    """Credits that came and went on a day (UTC), by workspace and reason."""
    return _of_day(engine, viewer, _CREDITS, day)


def names(engine: Engine, viewer: Viewer) -> dict[UUID, str]:
    """The viewer's workspaces by key."""
    require(viewer)
    with seeing(engine, viewer.workspaces) as connection:
        found = rows(connection, _WORKSPACES, workspaces=sorted(viewer.workspaces))
    return {row["id"]: row["name"] for row in found}


def month_of_cost(engine: Engine, viewer: Viewer, month: date) -> Row | None:
    """When a month of AI cost was opened and closed, if anybody has closed one."""
    require(viewer)
    with seeing(engine, viewer.workspaces) as connection:
        return next(iter(_read(connection, _MONTH, month=month)), None)


def bill_lines(engine: Engine, viewer: Viewer, month: date) -> list[Row]:
    """What AI providers charged for a month, line by line."""
    require(viewer)
    with seeing(engine, viewer.workspaces) as connection:
        return _read(connection, _BILLS, month=month, member=viewer.member_id)


def _of_day(engine: Engine, viewer: Viewer, question: str, day: date) -> list[Row]:
    require(viewer)
    since, until = _day(day)
    with seeing(engine, viewer.workspaces) as connection:
        return _read(connection, question, workspaces=sorted(viewer.workspaces), since=since, until=until)


def _read(connection: Connection, question: str, **named: object) -> list[Row]:
    return [_plain(row) for row in rows(connection, question, **named)]


def _plain(row: RowMapping) -> Row:
    return {str(name): value for name, value in row.items()}


def _day(day: date) -> tuple[datetime, datetime]:
    since = datetime.combine(day, time(), UTC)
    return since, since + timedelta(days=1)
