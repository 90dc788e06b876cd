"""What rules quotas besides plans: the limits of services by the day, and what a lost call still holds."""

from collections.abc import Mapping
from typing import Any
from uuid import UUID

from sqlalchemy import Engine, select, text, update

from app.access import Permission, Viewer
from app.commands.company import require_whole_company
from app.commands.quotas import MOST, reason_given
from app.commands.stale import EditedMeanwhileError, NotThereError
from db.engine import seeing
from db.errors import SightlineError
from db.tables.products import METERS
from db.tables.system import Setting

SERVICE_LIMITS = "ai_service_limits"


def set_service_limits(
    engine: Engine,
    by: Viewer,
    wanted: Mapping[str, int],
    *,
    revision: int,
    reason: str,
    made_on: Mapping[str, int] | None = None,
) -> None:
    """So much of a meter a customer may use on one day, in any product; a meter that is not named is not limited so."""
    by.require(Permission.QUOTAS_MANAGE)
    for meter, amount in wanted.items():
        if meter not in METERS:
            raise SightlineError(f"'{meter}' is no meter.", fix=f"Choose one of {', '.join(METERS)}.")
        if not 0 <= amount <= MOST:
            raise SightlineError(f"{amount:,} is no limit.", fix="Give a number from zero up, or leave it out.")
    with seeing(engine, by.workspaces, actor=by.name, reason=reason_given(reason)) as connection:
        require_whole_company(connection, by, what="These limits are of every workspace.", whom="an admin")
        found = connection.execute(
            select(Setting.value, Setting.revision).where(Setting.key == SERVICE_LIMITS).with_for_update()
        ).one_or_none()
        if found is None:
            raise NotThereError("These limits are not there any more.", fix="Load the page again.")
        if found.revision != revision:
            every = sorted({*found.value, *wanted, *(made_on or {})})
            raise EditedMeanwhileError(
                "the limits of services", now=_whole(found.value, every), wanted=_whole(wanted, every),
                revision=found.revision, made_on=_whole(made_on, every) if made_on is not None else None,
            )  # fmt: skip
        connection.execute(update(Setting).where(Setting.key == SERVICE_LIMITS).values(value=dict(wanted)))


def give_up(engine: Engine, by: Viewer, workspace: UUID, reservation: UUID, *, reason: str) -> int:
    """Free what a lost call holds before its time; should it still end, what it used is counted. How many limits."""
    by.require(Permission.QUOTAS_MANAGE)
    if workspace not in by.workspaces:
        raise _over()
    with seeing(engine, by.workspaces, actor=by.name, reason=reason_given(reason)) as connection:
        freed: int = connection.scalar(
            text("SELECT give_up_quota_reservation(:workspace, :reservation)"),
            {"workspace": workspace, "reservation": reservation},
        )
        if not freed:
            raise _over()
    return freed


def _over() -> SightlineError:
    return SightlineError(
        "This call holds nothing any more.", why="It has ended, or its time has.", fix="Look at the list again."
    )


def _whole(limits: Mapping[str, Any], meters: list[str]) -> dict[str, Any]:
    return {meter: limits.get(meter) for meter in meters}
