"""Audience: the people whom workspaces may write to."""

from app.access import Permission
from app.metrics.metric import Difference, Direction, Metric, Stock, Sum, Unit

UP, DOWN = Direction.UP, Direction.DOWN
_READ = Permission.AUDIENCE_READ


def _moved(name: str, meaning: str, good: Direction) -> Sum:
    return Sum(name=name, meaning=meaning, unit=Unit.PEOPLE, good=good, permission=_READ, measure=name)


ADDED = _moved("contacts_added", "Contacts that came.", UP)
REMOVED = _moved("contacts_removed", "Contacts that were deleted.", DOWN)

METRICS: tuple[Metric, ...] = (
    ADDED,
    REMOVED,
    _moved("contacts_subscribed", "Contacts by the day on which they last agreed to get mail.", UP),
    _moved("contacts_unsubscribed", "Contacts by the day on which they last took that back.", DOWN),
    Stock(
        name="contacts",
        meaning="Contacts at the period's end.",
        unit=Unit.PEOPLE,
        good=UP,
        permission=_READ,
        added=ADDED,
        removed=REMOVED,
    ),
    Difference(
        name="list_growth",
        meaning="Contacts that came, less those that were deleted.",
        unit=Unit.PEOPLE,
        good=UP,
        permission=_READ,
        minuend=ADDED,
        subtrahend=REMOVED,
    ),
)
