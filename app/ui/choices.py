"""What can be chosen in filters: the viewer's own workspaces, and values that occur."""

from collections.abc import Sequence
from datetime import date

from sqlalchemy import select

from app import serving
from app.access import Viewer
from app.ui.asking import Asked, Refused, ask
from app.ui.scope import Scope
from db.engine import seeing
from db.tables.workspaces import Workspace

_MOST_VALUES = 200
_LONG_AGO = date(2000, 1, 1)
# By which figure the values of a dimension are found: the ones with the most come first.
_COUNTED_BY = {
    "domain": "emails_delivered",
    "device": "total_opens",
    "link": "total_clicks",
    "bounce_reason": "total_bounces",
    "country": "web_events",
    "source": "web_events",
    "medium": "web_events",
    "conversion_type": "conversions",
    "placement": "impressions",
    "age": "impressions",
    "location": "impressions",
    "model": "generations",
    "plan": "generations",
    "feature": "uses",
    "optimization_type": "optimizations",
    "currency": "invoiced",
    "workspace_country": "emails_sent",
    "component_type": "web_events",
}


def workspaces_of(viewer: Viewer) -> dict[str, str]:
    """Short names by what people read; two of the same name are told apart by their short names."""
    with seeing(serving.engines().ro, viewer.workspaces) as connection:
        rows = connection.execute(
            select(Workspace.name, Workspace.slug).where(Workspace.id.in_(viewer.workspaces))
        ).all()
    names = [name for name, _ in rows]
    listed = {(name if names.count(name) == 1 else f"{name} ({slug})"): slug for name, slug in rows}
    return dict(sorted(listed.items(), key=lambda pair: pair[0].lower()))


def values_in(scope: Scope, name: str, named: Sequence[str] = ()) -> list[str]:
    """The values of a dimension that occur in the period, the most frequent; and those of the named that ever did."""
    metric = _COUNTED_BY[name]
    listed = _values(ask(metric, scope.uncompared, by=name, order=f"-{metric}", limit=_MOST_VALUES), name)
    rare = tuple(value for value in named[:_MOST_VALUES] if value not in listed)
    if not rare:
        return listed
    ever = scope.uncompared.over(_LONG_AGO, scope.until)
    return listed + _values(ask(metric, ever, by=name, where={name: rare}), name)


def _values(found: Asked | Refused, name: str) -> list[str]:
    return [str(row[name]) for row in found.rows() if row[name] is not None]
