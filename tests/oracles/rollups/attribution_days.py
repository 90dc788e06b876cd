"""Who earned the conversions: looked up for each conversion by itself, among what its visitor did before."""

from bisect import bisect_left, bisect_right
from collections import defaultdict
from datetime import timedelta
from decimal import Decimal
from zoneinfo import ZoneInfo

from sqlalchemy import text

WINDOW = timedelta(days=7)
MILLIONTH = Decimal("0.000001")
CONVERSIONS = """
SELECT v.workspace_id, w.code AS workspace_code, v.session_id, v.occurred_at, v.value,
    CAST(v.currency AS TEXT) AS currency
FROM conversions AS v
JOIN workspaces AS w ON w.id = v.workspace_id
"""
TOUCHES = """
SELECT e.workspace_id, e.session_id, e.occurred_at, c.code AS campaign, e.source, e.medium
FROM campaign_events AS e
JOIN campaigns AS c ON c.id = e.campaign_id
WHERE e.event_type <> 'conversion' AND e.session_id IS NOT NULL
ORDER BY e.occurred_at, e.id
"""


def answer(connection, zone):
    """The rows of the rollup, one for each part of each conversion."""
    touches = defaultdict(list)
    for touch in connection.execute(text(TOUCHES)):
        touches[touch.workspace_id, touch.session_id].append(touch)
    for conversion in connection.execute(text(CONVERSIONS)):
        visit = touches.get((conversion.workspace_id, conversion.session_id), [])
        times = [touch.occurred_at for touch in visit]
        # Time zones have no say: a window is so many hours.
        first = bisect_left(times, conversion.occurred_at - WINDOW)
        path = visit[first : bisect_right(times, conversion.occurred_at)]
        yield from _rows(conversion, path, ZoneInfo(zone))


def _rows(conversion, path, zone):
    whole = {"attributed_conversions": Decimal(1), "attributed_value": conversion.value}
    parts = {"first": [(path[:1], whole)], "last": [(path[-1:], whole)], "linear": _equal_parts(path, whole)}
    for model, earned in parts.items():
        for touch, measures in earned:
            campaign, source, medium = (touch[0].campaign, touch[0].source, touch[0].medium) if touch else (None,) * 3
            yield {
                "workspace_code": conversion.workspace_code,
                "day": conversion.occurred_at.astimezone(zone).date(),
                "model": model,
                "touch_campaign_code": campaign,
                "source": source,
                "medium": medium,
                "currency": conversion.currency,
                **measures,
            }


def _equal_parts(path, whole):
    """Equal parts, cut to millionths; what is left over is the last one's."""
    if not path:
        return [([], whole)]
    part = {name: (amount / MILLIONTH // len(path)) * MILLIONTH for name, amount in whole.items()}
    rest = {name: amount - part[name] * (len(path) - 1) for name, amount in whole.items()}
    return [([touch], part) for touch in path[:-1]] + [(path[-1:], rest)]
