"""Pinning a version of the figures: an address leans on it for good, so that it is kept who did, and few are."""

from datetime import timedelta

from sqlalchemy import Engine, func, select

from app.access import Permission, Viewer
from app.answering import keep_version, require_version
from app.commands.views import Query, save_view
from db.engine import seeing
from db.errors import SightlineError
from db.tables.system import SavedView

MOST_PINS = 20
_WITHIN = timedelta(days=30)
_NAME = "Pinned to version "


class TooManyPinsError(SightlineError):
    """Somebody has pinned enough for a while."""


def pin_version(engine: Engine, by: Viewer, *, page: str, version: int, query: Query) -> None:
    """Keep a version, and the page as it is seen with it among the person's views: the audit log tells of it."""
    by.require(Permission.OVERVIEW_READ)
    require_version(version)
    name = f"{_NAME}{version}"
    with seeing(engine, by.workspaces) as connection:
        pinned = connection.scalars(
            select(SavedView.name)
            .where(
                SavedView.team_member_id == by.member_id,
                SavedView.name.startswith(_NAME),
                # Forgetting the view frees no version: its address may be anywhere.
                SavedView.created_at > func.now() - _WITHIN,
            )
            .distinct()
        ).all()
    if name not in pinned and len(pinned) >= MOST_PINS:
        raise TooManyPinsError(
            "This version was not pinned.",
            why=f"Every pinned version is kept for good, and you have pinned {MOST_PINS} within {_WITHIN.days} days.",
            fix="Share the address as it is, or download the figures.",
        )
    kept = [(key, value) for key, value in query if key != "as_of"]
    save_view(engine, by, page=page, name=name, query=[*kept, ("as_of", str(version))])
    keep_version(version)
