"""Closing months of AI cost, opening them again for a reason, and correcting those that are closed."""

from collections.abc import Iterator
from contextlib import contextmanager
from dataclasses import dataclass
from datetime import UTC, date, datetime, timedelta
from decimal import Decimal
from uuid import UUID

import psycopg.errors
from sqlalchemy import Connection, Engine, func, insert, select, text
from sqlalchemy.exc import DBAPIError

from app.access import Permission, Viewer
from app.commands.company import require_whole_company
from app.commands.texts import one_line
from app.commands.together import one_after_the_other
from db.engine import seeing
from db.errors import SightlineError
from db.tables.money import AiCostCorrection, AiMonth
from db.tables.workspaces import Workspace

_EARLIEST = date(2015, 1, 1)
_MOST_DOLLARS = 10_000_000


@dataclass(frozen=True)
class ClosedMonth:
    """A month that stays as it is, and its sums when it was closed."""

    month: date
    closed_at: datetime
    cost: Decimal
    calls: int
    unpriced: int
    price_version: int | None


@dataclass(frozen=True)
class ReopenedMonth:
    """A month that is open again, and its corrections that stay: those by hand."""

    month: date
    corrections_left: int
    amount_left: Decimal

    @property
    def warning(self) -> str | None:
        """What somebody has to look at before the month is closed again."""
        if not self.corrections_left:
            return None
        return (
            f"Corrections of {self.month:%B %Y} made by hand stay: {self.corrections_left:,},"
            f" {self.amount_left.normalize():,f} USD in all. Usage that is now added to the month's calls counts twice"
            " until, after the next close, a correction takes it back."
        )


@dataclass(frozen=True)
class OpenCalls:
    """Calls of a month that a close would leave without a cost, of the workspaces that the viewer sees."""

    running: int
    unpriced: int

    @property
    def warnings(self) -> tuple[str, ...]:
        """What somebody who closes the month should know; what has no price stands in the way by itself."""
        if not self.running:
            return ()
        return (f"{self.running:,} calls are still running: what they cost can then only be a correction.",)


_OPEN_CALLS = text("""
    SELECT COUNT(*) FILTER (WHERE g.status NOT IN ('completed', 'failed', 'cancelled')) AS running,
        COUNT(*) FILTER (WHERE g.status IN ('completed', 'failed', 'cancelled')) AS unpriced
    FROM ai_generations AS g
    WHERE g.cost IS NULL
        AND g.created_at >= CAST(:month AS TIMESTAMP) AT TIME ZONE 'UTC'
        AND g.created_at < (CAST(:month AS TIMESTAMP) + INTERVAL '1 month') AT TIME ZONE 'UTC'
    """)


def open_calls(engine: Engine, by: Viewer, month: date) -> OpenCalls:
    """What is not at its end in a month that somebody is about to close."""
    by.require(Permission.AI_COST_READ)
    _require_first(month)
    with seeing(engine, by.workspaces) as connection:
        require_whole_company(connection, by)
        return OpenCalls(**connection.execute(_OPEN_CALLS, {"month": month}).mappings().one())


def closed_months(engine: Engine, by: Viewer) -> list[ClosedMonth]:
    """The closed months, newest first."""
    by.require(Permission.AI_COST_READ)
    asked = (
        select(
            AiMonth.month, AiMonth.closed_at, AiMonth.cost, AiMonth.calls, AiMonth.unpriced, AiMonth.price_version
        )
        .where(AiMonth.closed_at.is_not(None))
        .order_by(AiMonth.month.desc())
    )  # fmt: skip
    with seeing(engine, by.workspaces) as connection:
        require_whole_company(connection, by)
        return [ClosedMonth(**row) for row in connection.execute(asked).mappings()]


def close_month(engine: Engine, by: Viewer, month: date, *, despite_unpriced: bool = False) -> None:
    """Close a month that is over. From then on no role changes what its calls cost; corrections stand beside them."""
    by.require(Permission.MONTHS_CLOSE)
    _require_first(month)
    with _changing(engine, by, f"{month:%B %Y} was closed.") as connection:
        connection.execute(text("SELECT close_ai_month(:month, :member)"), {"month": month, "member": by.member_id})
        unpriced = connection.scalar(select(AiMonth.unpriced).where(AiMonth.month == month))
        if unpriced and not despite_unpriced:
            raise SightlineError(
                f"{unpriced:,} calls of {month:%B %Y} have no price.",
                why="Once the month is closed, what they cost can only be a correction.",
                fix="Approve prices for them first, or close the month despite them.",
            )


def reopen_month(engine: Engine, by: Viewer, month: date, *, reason: str) -> ReopenedMonth:
    """Open a closed month again: its calls are rated by today's book, and corrections by price are taken back."""
    by.require(Permission.MONTHS_CLOSE)
    _require_first(month)
    why = _reason(reason)
    with _changing(engine, by, why) as connection:
        connection.execute(
            text("SELECT reopen_ai_month(:month, :member, :why)"),
            {"month": month, "member": by.member_id, "why": why},
        )
        left = connection.execute(
            select(func.count(), func.coalesce(func.sum(AiCostCorrection.amount), 0)).where(
                AiCostCorrection.month == month, AiCostCorrection.kind != "price"
            )
        ).one()
    return ReopenedMonth(month, *left)


def correct_month(
    engine: Engine,
    by: Viewer,
    month: date,
    *,
    workspace_slug: str,
    kind: str,
    product: str,
    provider: str,
    model: str,
    generation_type: str,
    amount: Decimal,
    reason: str,
) -> UUID:
    """Say that a closed month cost a workspace more or, below zero, less: usage that came late, for example."""
    by.require(Permission.MONTHS_CLOSE)
    _require_first(month)
    if kind == "price":
        raise SightlineError(
            "Nobody corrects a month by price by hand.",
            why="The next approval reckons such corrections anew, and would take this one back.",
            fix="Approve the right price, or give late_usage or other as the kind.",
        )
    if not amount or abs(amount) > _MOST_DOLLARS or amount != round(amount, 12):
        raise SightlineError(
            f"{amount} is no amount of a correction.",
            why=f"It is not zero, at most {_MOST_DOLLARS:,} dollars, and has at most twelve decimal places.",
        )
    with _changing(engine, by, _reason(reason)) as connection:
        workspace = connection.scalar(
            select(Workspace.id).where(Workspace.slug == workspace_slug, Workspace.id.in_(by.workspaces))
        )
        if workspace is None:
            raise SightlineError(f"No workspace that you see is called {workspace_slug}.", fix="Choose another one.")
        made: UUID = connection.execute(
            insert(AiCostCorrection)
            .values(
                workspace_id=workspace,
                month=month,
                kind=kind,
                product=product,
                provider=provider,
                model=model,
                generation_type=generation_type,
                amount=amount,
                reason=_reason(reason),
                made_by=by.member_id,
            )
            .returning(AiCostCorrection.id)
        ).scalar_one()
    return made


@contextmanager
def _changing(engine: Engine, by: Viewer, reason: str) -> Iterator[Connection]:
    """A transaction in which the database's own refusals become sentences: they are sentences already."""
    try:
        with (
            one_after_the_other("calls of the month"),
            seeing(engine, by.workspaces, actor=by.name, reason=reason) as connection,
        ):
            require_whole_company(connection, by)
            yield connection
    except DBAPIError as error:
        if isinstance(error.orig, psycopg.errors.ObjectNotInPrerequisiteState | psycopg.errors.InvalidParameterValue):
            raise SightlineError(str(error.orig).splitlines()[0]) from None
        if isinstance(error.orig, psycopg.errors.IntegrityError):
            raise SightlineError(
                "The correction could not be made.",
                why="The month was never closed, or the kind, product, provider or type is not one that there is.",
                fix="Choose a closed month, and values from the lists.",
            ) from None
        raise


def _require_first(month: date) -> None:
    if month.day != 1:
        raise SightlineError(f"{month} is not the first of a month.", fix="Give the month by its first day.")
    if month < _EARLIEST:
        raise SightlineError(f"{month:%B %Y} lies before every call.", fix="Give a month in which AI was called.")
    if month > datetime.now(UTC).date() + timedelta(days=366):
        raise SightlineError(f"{month:%B %Y} is far from now.", fix="Give a month that is over.")


def _reason(given: str) -> str:
    said = one_line(given)
    if not said:
        raise SightlineError("This is done for a reason.", fix="Say why in a few words.")
    return said
