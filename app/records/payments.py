"""Payments: what providers took, failed to take or gave back, and why attempts failed."""

from collections.abc import Sequence
from dataclasses import dataclass
from datetime import date, datetime
from decimal import Decimal
from typing import Any
from uuid import UUID

from sqlalchemy import Engine

from app.access import Permission, Viewer
from app.records.reading import Page, Place, moments, page_of, rows, some, typed_words
from db.engine import seeing


@dataclass(frozen=True)
class Payment:
    """Money that moved, or should have."""

    id: UUID
    workspace_id: UUID
    workspace: str
    created_at: datetime
    status: str
    amount: Decimal
    currency: str
    provider: str
    failure_reason: str | None
    invoice_id: UUID | None
    invoice: str | None
    user_id: UUID
    user: str | None
    credits_purchased: int
    package: str | None


@dataclass(frozen=True)
class Failures:
    """Attempts of one kind that failed, for one reason, in one currency."""

    failure_reason: str
    currency: str
    payments: int
    customers: int
    amount: Decimal
    # Of them, those whose invoice was paid later.
    recovered: int


@dataclass(frozen=True)
class Wanted:
    """Which payments. Days are half-open, in the reporting zone."""

    workspaces: frozenset[UUID] | None = None
    statuses: tuple[str, ...] = ()
    invoice: UUID | None = None
    words: str = ""
    since: date | None = None
    until: date | None = None


# Keys are made of the time: their order is that of the rows.
_LIST = """
    SELECT p.id, p.workspace_id, s.name AS workspace, p.created_at, p.status, p.amount, p.currency, p.provider,
        p.failure_reason, p.invoice_id, i.number AS invoice, p.user_id, COALESCE(u.name, u.email) AS "user",
        p.credits_purchased, k.name AS package
    FROM (
        SELECT f.workspace_id, f.id
        FROM UNNEST(CAST(:workspaces AS UUID[])) AS w (workspace)
        CROSS JOIN LATERAL (
            SELECT o.workspace_id, o.id
            FROM payments AS o
            JOIN workspaces AS n ON n.id = o.workspace_id
            LEFT JOIN invoices AS v ON v.workspace_id = o.workspace_id AND v.id = o.invoice_id
            WHERE o.workspace_id = w.workspace
                AND (CAST(:statuses AS TEXT[]) = '{}' OR o.status = ANY (:statuses))
                AND (CAST(:invoice AS UUID) IS NULL OR o.invoice_id = :invoice)
                AND (CAST(:since AS TIMESTAMPTZ) IS NULL OR o.created_at >= :since)
                AND (CAST(:until AS TIMESTAMPTZ) IS NULL OR o.created_at < :until)
                AND (CAST(:after AS UUID) IS NULL OR o.id < :after)
                AND NOT EXISTS (
                    SELECT FROM UNNEST(CAST(:words AS TEXT[])) AS words (word)
                    WHERE STRPOS(LOWER(CONCAT_WS(' ', n.name, v.number, o.failure_reason)), word) = 0
                )
            ORDER BY o.id DESC
            LIMIT :most
        ) AS f
        ORDER BY f.id DESC
        LIMIT :most
    ) AS q
    JOIN payments AS p ON p.workspace_id = q.workspace_id AND p.id = q.id
    JOIN workspaces AS s ON s.id = p.workspace_id
    LEFT JOIN invoices AS i ON i.workspace_id = p.workspace_id AND i.id = p.invoice_id
    LEFT JOIN users AS u ON u.id = p.user_id
    LEFT JOIN credit_packages AS k ON k.id = p.package_id
    ORDER BY p.id DESC
    """
_FAILURES = """
    SELECT COALESCE(p.failure_reason, 'No reason was given.') AS failure_reason, p.currency, COUNT(*) AS payments,
        COUNT(DISTINCT p.workspace_id) AS customers, SUM(p.amount) AS amount,
        COUNT(*) FILTER (WHERE i.status = 'paid') AS recovered
    FROM payments AS p
    LEFT JOIN invoices AS i ON i.workspace_id = p.workspace_id AND i.id = p.invoice_id
    WHERE p.workspace_id = ANY (:workspaces)
        AND p.status = 'failed'
        AND (CAST(:since AS TIMESTAMPTZ) IS NULL OR p.created_at >= :since)
        AND (CAST(:until AS TIMESTAMPTZ) IS NULL OR p.created_at < :until)
    GROUP BY 1, 2
    ORDER BY payments DESC, 1, 2
    """


def payments(
    engine: Engine, viewer: Viewer, wanted: Wanted, *, after: Place | None = None, limit: int = 25
) -> Page[Payment]:
    """Payments and attempts of them, the newest first."""
    viewer.require(Permission.MONEY_READ)
    with seeing(engine, viewer.workspaces) as connection:
        found = rows(
            connection,
            _LIST,
            **_days_and_places(viewer, wanted),
            statuses=list(wanted.statuses),
            invoice=wanted.invoice,
            words=typed_words(wanted.words).lower().split(),
            after=after and after.key,
            most=some(limit) + 1,
        )
    return page_of(found, some(limit), lambda row: Place(row["created_at"], row["id"]), Payment)


def failures(engine: Engine, viewer: Viewer, wanted: Wanted) -> Sequence[Failures]:
    """Failed attempts by reason, the most frequent first."""
    viewer.require(Permission.MONEY_READ)
    with seeing(engine, viewer.workspaces) as connection:
        return [Failures(**row) for row in rows(connection, _FAILURES, **_days_and_places(viewer, wanted))]


def _days_and_places(viewer: Viewer, wanted: Wanted) -> dict[str, Any]:
    since, until = moments(wanted.since, wanted.until)
    chosen = viewer.workspaces if wanted.workspaces is None else viewer.workspaces & wanted.workspaces
    return {"workspaces": sorted(chosen), "since": since, "until": until}
