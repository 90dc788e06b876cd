"""Edits that were made on an older state than there is now."""

from db.errors import SightlineError


class StaleEditError(SightlineError):
    """Somebody else was faster."""


def changed_by_others(now: str) -> StaleEditError:
    """What is there now, so that nobody has to look for it."""
    return StaleEditError(
        "Somebody changed this while you were writing.",
        why=f"It now says: “{now}”.",
        fix="Look at it, and change it again.",
    )
