"""Invoices and credit notes: listed, found by words, and one of them with its lines and payments."""

from collections.abc import Callable
from dataclasses import dataclass
from datetime import date, datetime
from decimal import Decimal
from typing import Any, TypeVar
from uuid import UUID

from sqlalchemy import Engine, RowMapping

from app.access import Permission, Viewer
from app.records.reading import Page, Place, moments, page_of, rows, some, typed_words
from db.engine import seeing
from db.minor import major

Made = TypeVar("Made")
_MINOR = "_minor"


@dataclass(frozen=True)
class Invoice:
    """An invoice or a credit note, as a list shows it. `unpaid` is below zero where too much was paid."""

    id: UUID
    workspace_id: UUID
    workspace: str
    number: str
    kind: str
    status: str
    currency: str
    total: Decimal
    amount_paid: Decimal
    unpaid: Decimal
    created_at: datetime
    issued_at: datetime | None
    due_at: datetime | None
    paid_at: datetime | None
    days_overdue: int | None
    corrects_invoice_id: UUID | None
    corrects: str | None


@dataclass(frozen=True)
class InvoiceDetail(Invoice):
    """Everything that an invoice says."""

    subtotal: Decimal
    discount: Decimal
    tax: Decimal
    period_start: datetime
    period_end: datetime
    voided_at: datetime | None
    provider: str | None
    provider_invoice_id: str | None


@dataclass(frozen=True)
class InvoiceLine:
    """What was charged for, and over which period it is earned."""

    description: str
    product: str
    plan: str | None
    kind: str
    quantity: int
    unit_amount: Decimal
    amount: Decimal
    discount: Decimal
    net: Decimal
    tax: Decimal
    currency: str
    period_start: datetime
    period_end: datetime


@dataclass(frozen=True)
class Unpaid:
    """What customers owe in one currency, by how long it is overdue; 0 days: not due yet."""

    overdue_from: int
    currency: str
    invoices: int
    customers: int
    unpaid: Decimal
    written_off: Decimal


@dataclass(frozen=True)
class Wanted:
    """Which invoices: of some workspaces, kinds and statuses, issued in some days, holding some words.

    A draft counts on the day on which it was made. Days are half-open, in the reporting zone.
    """

    workspaces: frozenset[UUID] | None = None
    kind: str | None = None
    statuses: tuple[str, ...] = ()
    words: str = ""
    since: date | None = None
    until: date | None = None


_OWN = """
    i.id, i.workspace_id, s.name AS workspace, i.number, i.kind, i.status, i.currency, i.total_minor,
    i.amount_paid_minor,
    CASE WHEN i.status IN ('open', 'uncollectible') THEN i.total_minor - i.amount_paid_minor ELSE 0 END AS unpaid_minor,
    i.created_at, i.issued_at, i.due_at, i.paid_at,
    CASE WHEN i.status IN ('open', 'uncollectible') AND i.due_at < now()
        THEN CAST(EXTRACT(DAY FROM now() - i.due_at) AS INTEGER) END AS days_overdue,
    i.corrects_invoice_id, c.number AS corrects
    """
_JOINED = """
    JOIN workspaces AS s ON s.id = i.workspace_id
    LEFT JOIN invoices AS c ON c.workspace_id = i.workspace_id AND c.id = i.corrects_invoice_id
    """
# Keys are made of the time: their order is that of the rows.
_LIST = f"""
    SELECT {_OWN}
    FROM (
        SELECT f.workspace_id, f.id
        FROM UNNEST(CAST(:workspaces AS UUID[])) AS w (workspace)
        CROSS JOIN LATERAL (
            SELECT o.workspace_id, o.id
            FROM invoices AS o
            JOIN workspaces AS n ON n.id = o.workspace_id
            WHERE o.workspace_id = w.workspace
                AND (CAST(:kind AS TEXT) IS NULL OR o.kind = :kind)
                AND (CAST(:statuses AS TEXT[]) = '{{}}' OR o.status = ANY (:statuses))
                AND (CAST(:since AS TIMESTAMPTZ) IS NULL OR COALESCE(o.issued_at, o.created_at) >= :since)
                AND (CAST(:until AS TIMESTAMPTZ) IS NULL OR COALESCE(o.issued_at, o.created_at) < :until)
                AND (CAST(:after AS UUID) IS NULL OR o.id < :after)
                -- No pattern: what people type may hold its signs.
                AND NOT EXISTS (
                    SELECT FROM UNNEST(CAST(:words AS TEXT[])) AS words (word)
                    WHERE STRPOS(LOWER(CONCAT_WS(' ', o.number, n.name, o.provider_invoice_id)), word) = 0
                )
            ORDER BY o.id DESC
            LIMIT :most
        ) AS f
        ORDER BY f.id DESC
        LIMIT :most
    ) AS p
    JOIN invoices AS i ON i.workspace_id = p.workspace_id AND i.id = p.id
    {_JOINED}
    ORDER BY i.id DESC
    """  # noqa: S608 - our own columns
_ONE = f"""
    SELECT {_OWN}, i.subtotal_minor, i.discount_minor, i.tax_minor, i.period_start, i.period_end, i.voided_at,
        i.provider, i.provider_invoice_id
    FROM invoices AS i
    {_JOINED}
    WHERE i.id = :invoice
    """  # noqa: S608 - our own columns
_NOTES = f"""
    SELECT {_OWN}
    FROM invoices AS i
    {_JOINED}
    WHERE i.corrects_invoice_id = :invoice
    ORDER BY i.id
    """  # noqa: S608 - our own columns
_LINES = """
    SELECT l.description, l.product, p.name AS plan, l.kind, l.quantity, l.unit_amount_minor, l.amount_minor,
        l.discount_minor, l.amount_minor - l.discount_minor AS net_minor, l.tax_minor, l.currency,
        l.period_start, l.period_end
    FROM invoice_lines AS l
    LEFT JOIN plans AS p ON p.id = l.plan_id
    WHERE l.invoice_id = :invoice
        AND l.workspace_id IN (SELECT workspace_id FROM invoices WHERE id = :invoice)
    ORDER BY l.id
    """
_UNPAID = """
    SELECT
        CASE
            WHEN due_at IS NULL OR due_at >= now() THEN 0
            WHEN due_at >= now() - INTERVAL '30 days' THEN 1
            WHEN due_at >= now() - INTERVAL '60 days' THEN 31
            WHEN due_at >= now() - INTERVAL '90 days' THEN 61
            ELSE 91
        END AS overdue_from,
        currency,
        COUNT(*) AS invoices,
        COUNT(DISTINCT workspace_id) AS customers,
        COALESCE(SUM(total_minor - amount_paid_minor) FILTER (WHERE status = 'open'), 0) AS unpaid_minor,
        COALESCE(SUM(total_minor - amount_paid_minor) FILTER (WHERE status = 'uncollectible'), 0) AS written_off_minor
    FROM invoices
    WHERE workspace_id = ANY (:workspaces)
        AND kind = 'invoice'
        AND status IN ('open', 'uncollectible')
    GROUP BY 1, 2
    ORDER BY 1, 2
    """


def invoices(
    engine: Engine, viewer: Viewer, wanted: Wanted, *, after: Place | None = None, limit: int = 25
) -> Page[Invoice]:
    """Invoices and credit notes, the newest first."""
    viewer.require(Permission.MONEY_READ)
    since, until = moments(wanted.since, wanted.until)
    chosen = viewer.workspaces if wanted.workspaces is None else viewer.workspaces & wanted.workspaces
    with seeing(engine, viewer.workspaces) as connection:
        found = rows(
            connection,
            _LIST,
            workspaces=sorted(chosen),
            kind=wanted.kind,
            statuses=list(wanted.statuses),
            since=since,
            until=until,
            words=typed_words(wanted.words).lower().split(),
            after=after and after.key,
            most=some(limit) + 1,
        )
    return page_of(found, some(limit), lambda row: Place(row["created_at"], row["id"]), _maker(Invoice))


def unpaid(engine: Engine, viewer: Viewer, workspaces: frozenset[UUID] | None = None) -> tuple[Unpaid, ...]:
    """What is owed now, whenever it was issued, by how long it is overdue."""
    viewer.require(Permission.MONEY_READ)
    chosen = viewer.workspaces if workspaces is None else viewer.workspaces & workspaces
    with seeing(engine, viewer.workspaces) as connection:
        return tuple(_made(Unpaid, row) for row in rows(connection, _UNPAID, workspaces=sorted(chosen)))


def invoice(engine: Engine, viewer: Viewer, key: UUID) -> InvoiceDetail | None:
    """One invoice; None where the viewer sees none by this key."""
    viewer.require(Permission.MONEY_READ)
    with seeing(engine, viewer.workspaces) as connection:
        found = rows(connection, _ONE, invoice=key)
    return _made(InvoiceDetail, found[0]) if found else None


def lines_of(engine: Engine, viewer: Viewer, key: UUID) -> tuple[InvoiceLine, ...]:
    """What an invoice charges for, as it lists it."""
    viewer.require(Permission.MONEY_READ)
    with seeing(engine, viewer.workspaces) as connection:
        return tuple(_made(InvoiceLine, row) for row in rows(connection, _LINES, invoice=key))


def notes_of(engine: Engine, viewer: Viewer, key: UUID) -> tuple[Invoice, ...]:
    """The credit notes that correct an invoice."""
    viewer.require(Permission.MONEY_READ)
    with seeing(engine, viewer.workspaces) as connection:
        return tuple(_made(Invoice, row) for row in rows(connection, _NOTES, invoice=key))


def _maker(make: Callable[..., Made]) -> Callable[..., Made]:
    return lambda **row: _made(make, row)


def _made(make: Callable[..., Made], row: RowMapping | dict[str, Any]) -> Made:
    """With amounts in whole units of the row's currency, as people read them."""
    return make(
        **{
            name.removesuffix(_MINOR): major(value, row["currency"]) if name.endswith(_MINOR) else value
            for name, value in row.items()
        }
    )
