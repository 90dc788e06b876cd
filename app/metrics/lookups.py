"""What stands beside the rollups: small tables that turn codes into keys, names and properties."""

from collections.abc import Mapping
from dataclasses import dataclass
from types import MappingProxyType

# Plans by the days on which a workspace had them. Of subscriptions that overlap, the one begun last counts, so that no
# row of a rollup is ever counted twice; the day on which one ends is still its own where no other begins.
_SUBSCRIBED = """
SELECT
    workspace_code,
    product,
    plan_id,
    tier,
    CAST(started_at AS DATE) AS since,
    LEAST(
        CAST(
            CASE
                WHEN status IN ('cancelled', 'expired') THEN COALESCE(ends_at, cancelled_at, started_at)
                ELSE ends_at
            END AS DATE
        ) + 1,
        LEAD(CAST(started_at AS DATE)) OVER (PARTITION BY workspace_code, product ORDER BY started_at, id),
        DATE '9999-12-31'
    ) AS until
FROM subscriptions
"""


@dataclass(frozen=True)
class Lookup:
    """A small table, the text that makes it from the lake's sources, and the columns it is joined by."""

    name: str
    reads: str
    sql: str
    # Columns of the rollup that lead here, with their names in the lookup.
    keys: tuple[tuple[str, str], ...]
    # A row counts from `since` until `until` only.
    is_dated: bool = False


def _columns(name: str, columns: str, key: str, code: str) -> Lookup:
    return Lookup(name, name, f"SELECT {columns} FROM {name}", ((key, code),))  # noqa: S608 - our own names


WORKSPACES = _columns("workspaces", "code, id, name, slug, country", "workspace_code", "code")
USERS = _columns("users", "code, id, COALESCE(name, email) AS name", "user_code", "code")
CAMPAIGNS = _columns("campaigns", "code, id, workspace_code, name, product, channel, status", "campaign_code", "code")
TOUCHES = Lookup("campaigns", "campaigns", CAMPAIGNS.sql, (("touch_campaign_code", "code"),))
# A tier is sold in several currencies, by the month and by the year, and its versions follow each other.
_PLANS = """
SELECT
    id,
    product,
    tier,
    version,
    CONCAT_WS(
        ', ',
        name,
        currency,
        CASE WHEN billing_period = 'annual' THEN 'annual' END,
        CASE WHEN version > 1 THEN CONCAT('version ', version) END
    ) AS name
FROM plans
"""
PLANS = Lookup("plans", "plans", _PLANS, (("plan_id", "id"),))
COMPONENTS = _columns("campaign_components", "id, workspace_code, name, component_type", "component_id", "id")
SUBSCRIBED = Lookup(
    "subscribed",
    "subscriptions",
    _SUBSCRIBED,
    (("workspace_code", "workspace_code"), ("product", "product")),
    is_dated=True,
)

LOOKUPS: Mapping[str, Lookup] = MappingProxyType(
    {lookup.name: lookup for lookup in (WORKSPACES, USERS, CAMPAIGNS, PLANS, COMPONENTS, SUBSCRIBED)}
)
