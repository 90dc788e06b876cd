"""Credits of customers: one customer's ledger, movement by movement, with the balance that each must leave."""

from dataclasses import dataclass
from datetime import datetime
from uuid import UUID

from sqlalchemy import Engine

from app.access import Permission, Viewer
from app.records.reading import Page, Place, page_of, rows, some
from db.engine import seeing


@dataclass(frozen=True)
class Movement:
    """Credits that came or went. `running` is what adding up all movements until this one gives."""

    id: UUID
    workspace_id: UUID
    workspace: str
    position: int
    created_at: datetime
    type: str
    amount: int
    balance_after: int
    running: int
    description: str | None
    reference_type: str | None
    expires_at: datetime | None
    invoice_id: UUID | None


@dataclass(frozen=True)
class Account:
    """What a customer's credits in one workspace came from and went to, and how many are left."""

    user_id: UUID
    user: str
    workspace_id: UUID
    workspace: str
    movements: int
    purchased: int
    granted: int
    promoted: int
    refunded: int
    used: int
    expired: int
    taken_back: int
    owed: int
    # What the last movement says is left.
    balance_after: int


_ACCOUNTS = """
    SELECT t.user_id, COALESCE(u.name, u.email) AS "user", t.workspace_id, s.name AS workspace,
        COUNT(*) AS movements,
        COALESCE(SUM(t.amount) FILTER (WHERE t.type = 'purchase'), 0) AS purchased,
        COALESCE(SUM(t.amount) FILTER (WHERE t.type = 'grant'), 0) AS granted,
        COALESCE(SUM(t.amount) FILTER (WHERE t.type = 'promotion'), 0) AS promoted,
        COALESCE(SUM(t.amount) FILTER (WHERE t.type = 'refund'), 0) AS refunded,
        COALESCE(-SUM(t.amount) FILTER (WHERE t.type = 'usage'), 0) AS used,
        COALESCE(-SUM(t.amount) FILTER (WHERE t.type = 'expiry'), 0) AS expired,
        COALESCE(-SUM(t.amount) FILTER (WHERE t.type = 'take_back'), 0) AS taken_back,
        SUM(t.amount) AS owed,
        (ARRAY_AGG(t.balance_after ORDER BY t.position DESC))[1] AS balance_after
    FROM credit_transactions AS t
    JOIN workspaces AS s ON s.id = t.workspace_id
    LEFT JOIN users AS u ON u.id = t.user_id
    WHERE t.user_id = :user AND t.workspace_id = ANY (:workspaces)
    GROUP BY t.user_id, u.name, u.email, t.workspace_id, s.name
    ORDER BY s.name, t.workspace_id
    """
# A customer's movements are added up from the first: a page in the middle still shows the sum of all before it.
_LEDGER = """
    SELECT l.id, l.workspace_id, s.name AS workspace, l.position, l.created_at, l.type, l.amount, l.balance_after,
        l.running, l.description, l.reference_type, l.expires_at, p.invoice_id
    FROM (
        SELECT t.id, t.workspace_id, t.position, t.created_at, t.type, t.amount, t.balance_after, t.description,
            t.reference_type, t.reference_id, t.expires_at,
            SUM(t.amount) OVER (PARTITION BY t.workspace_id ORDER BY t.position) AS running
        FROM credit_transactions AS t
        WHERE t.user_id = :user AND t.workspace_id = ANY (:workspaces)
    ) AS l
    JOIN workspaces AS s ON s.id = l.workspace_id
    LEFT JOIN payments AS p
        ON l.reference_type = 'payment' AND p.workspace_id = l.workspace_id AND p.id = l.reference_id
    WHERE CAST(:after_at AS TIMESTAMPTZ) IS NULL OR (l.created_at, l.id) < (:after_at, CAST(:after_key AS UUID))
    ORDER BY l.created_at DESC, l.id DESC
    LIMIT :most
    """


def accounts(engine: Engine, viewer: Viewer, user: UUID) -> tuple[Account, ...]:
    """A customer's credits in each workspace that the viewer sees."""
    viewer.require(Permission.MONEY_READ)
    with seeing(engine, viewer.workspaces) as connection:
        found = rows(connection, _ACCOUNTS, user=user, workspaces=sorted(viewer.workspaces))
    return tuple(Account(**row) for row in found)


def ledger(
    engine: Engine, viewer: Viewer, user: UUID, *, after: Place | None = None, limit: int = 25
) -> Page[Movement]:
    """A customer's movements, the newest first."""
    viewer.require(Permission.MONEY_READ)
    with seeing(engine, viewer.workspaces) as connection:
        found = rows(
            connection,
            _LEDGER,
            user=user,
            workspaces=sorted(viewer.workspaces),
            after_at=after and after.at,
            after_key=after and after.key,
            most=some(limit) + 1,
        )
    return page_of(found, some(limit), lambda row: Place(row["created_at"], row["id"]), Movement)
