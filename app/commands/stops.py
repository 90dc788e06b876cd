"""Emergency stops: until its end, no AI call of a provider, of a product or at all is let through."""

from uuid import UUID

from sqlalchemy import Engine, func, insert, select, update

from app.access import Permission, Viewer
from app.commands.company import require_whole_company
from app.commands.stale import NotThereError
from app.commands.texts import one_line
from app.money.budgets import AlertKind
from db.engine import seeing
from db.errors import SightlineError
from db.tables.budgets import STOP_SCOPES, AiStop, BudgetAlert
from db.tables.products import AI_PROVIDERS, PRODUCTS

LONGEST_REASON = 300
_VALUES = {"all": (), "provider": AI_PROVIDERS, "product": PRODUCTS}


def start_stop(engine: Engine, by: Viewer, *, scope: str, value: str | None = None, reason: str) -> UUID:
    """Stop at once what asks before a call; calls that run go on. An alert tells everyone, until the stop is ended."""
    by.require(Permission.AI_STOP)
    if scope not in STOP_SCOPES:
        raise SightlineError(f"'{scope}' can't be stopped.", fix=f"Choose one of {', '.join(STOP_SCOPES)}.")
    named = value if scope != "all" else None
    if scope != "all" and named not in _VALUES[scope]:
        raise SightlineError(
            f"'{named or 'nothing'}' is no {scope}.", fix=f"Choose one of {', '.join(_VALUES[scope])}."
        )
    why = _reason(reason, "AI is stopped")
    with seeing(engine, by.workspaces, actor=by.name, reason=why) as connection:
        require_whole_company(connection, by)
        live = select(AiStop.id).where(
            AiStop.ended_at.is_(None), AiStop.scope == scope, AiStop.scope_value.is_not_distinct_from(named)
        )
        # One person at a time: the second is told, and not refused by an index.
        connection.execute(select(func.pg_advisory_xact_lock(7_316_205_127)))
        if connection.scalar(live):
            raise SightlineError("This is stopped already.", fix="Look at the stop that holds; end it, or leave it.")
        made: UUID = connection.execute(
            insert(AiStop)
            .values(scope=scope, scope_value=named, reason=why, started_by=by.member_id)
            .returning(AiStop.id)
        ).scalar_one()
        connection.execute(
            insert(BudgetAlert).values(
                kind=AlertKind.EMERGENCY_STOP, stop_id=made, about=named or scope, period_start=func.now(), reason=why,
                details={"by": by.name, "scope": scope, "value": named},
            )
        )  # fmt: skip
    return made


def end_stop(engine: Engine, by: Viewer, key: UUID, *, reason: str) -> None:
    """Let calls through again; the stop and its end stay to be read."""
    by.require(Permission.AI_STOP)
    why = _reason(reason, "A stop is ended")
    with seeing(engine, by.workspaces, actor=by.name, reason=why) as connection:
        require_whole_company(connection, by)
        ended = connection.scalar(
            update(AiStop)
            .where(AiStop.id == key, AiStop.ended_at.is_(None))
            .values(ended_at=func.now(), ended_by=by.member_id, end_reason=why)
            .returning(AiStop.id)
        )
        if ended is None:
            raise NotThereError("This stop does not hold any more.", fix="Load the page again.")
        connection.execute(update(BudgetAlert).where(BudgetAlert.stop_id == key).values(ended_at=func.now()))


def _reason(given: str, done: str) -> str:
    said = one_line(given)
    if not said:
        raise SightlineError(f"{done} for a reason.", fix="Say why in a few words: others will read it.")
    if len(said) > LONGEST_REASON:
        raise SightlineError(f"The reason has {len(said)} characters.", why=f"At most {LONGEST_REASON} fit.")
    return said
