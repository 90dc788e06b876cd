"""Compares campaigns' counters, which triggers keep, with a recount of what they count."""

# ruff: noqa: S608 - the SQL is made of our own names

from collections.abc import Mapping
from typing import Any

from sqlalchemy import Connection, text

# In each query, one statement sees counters and facts of one moment. A campaign older than the oldest partition of its
# facts may have counted what is no longer there.
_SAMPLE = """
    WITH sample AS (
        SELECT k.*, c.currency
        FROM {table} AS k
        JOIN campaigns AS c ON c.workspace_id = k.workspace_id AND c.id = k.campaign_id
        WHERE c.created_at >= (SELECT MIN(month) FROM fact_partitions() WHERE fact IN ({facts}))
        ORDER BY k.updated_at DESC
        LIMIT :at_most
    )
"""

_EMAIL = """
    , contact AS (
        SELECT
            s.workspace_id,
            s.campaign_id,
            BOOL_OR(e.event_type = 'sent') AS is_sent,
            BOOL_OR(e.event_type = 'delivered') AS is_delivered,
            BOOL_OR(e.event_type = 'opened') AS is_opened,
            BOOL_OR(e.event_type = 'clicked') AS is_clicked,
            -- A bounce counts when it is hard, or when no delivery came with it or after it.
            BOOL_OR(e.bounce_type IS NOT DISTINCT FROM 'hard')
                OR MAX(e.occurred_at) FILTER (WHERE e.event_type = 'bounced') > COALESCE(
                    MAX(e.occurred_at) FILTER (WHERE e.event_type = 'delivered'), '-infinity'
                ) AS is_bounced,
            BOOL_OR(e.event_type = 'unsubscribed') AS is_unsubscribed,
            BOOL_OR(e.event_type = 'complained') AS is_complained
        FROM sample AS s
        JOIN email_events AS e ON e.workspace_id = s.workspace_id AND e.campaign_id = s.campaign_id
        GROUP BY s.workspace_id, s.campaign_id, e.contact_id
    ),
    counted AS (
        SELECT
            workspace_id,
            campaign_id,
            COUNT(*) FILTER (WHERE is_sent) AS emails_sent,
            COUNT(*) FILTER (WHERE is_delivered) AS emails_delivered,
            COUNT(*) FILTER (WHERE is_opened) AS emails_opened,
            COUNT(*) FILTER (WHERE is_clicked) AS emails_clicked,
            COUNT(*) FILTER (WHERE is_bounced) AS emails_bounced,
            COUNT(*) FILTER (WHERE is_unsubscribed) AS emails_unsubscribed,
            COUNT(*) FILTER (WHERE is_complained) AS emails_complained
        FROM contact
        GROUP BY workspace_id, campaign_id
    )
"""

_WEB = """
    , seen AS (
        SELECT
            s.workspace_id,
            s.campaign_id,
            COUNT(*) FILTER (WHERE e.event_type = 'view') AS views,
            COUNT(*) FILTER (WHERE e.event_type = 'click') AS clicks
        FROM sample AS s
        JOIN campaign_events AS e ON e.workspace_id = s.workspace_id AND e.campaign_id = s.campaign_id
        GROUP BY s.workspace_id, s.campaign_id
    ),
    converted AS (
        SELECT
            s.workspace_id,
            s.campaign_id,
            COUNT(*) AS conversions,
            COALESCE(SUM(v.value) FILTER (WHERE v.currency = s.currency), 0) AS revenue_generated
        FROM sample AS s
        JOIN conversions AS v ON v.workspace_id = s.workspace_id AND v.campaign_id = s.campaign_id
        GROUP BY s.workspace_id, s.campaign_id
    ),
    counted AS (
        SELECT
            workspace_id,
            campaign_id,
            seen.views,
            seen.clicks,
            converted.conversions,
            converted.revenue_generated
        FROM seen
        FULL JOIN converted USING (workspace_id, campaign_id)
    )
"""

_ADS = """
    , counted AS (
        SELECT
            s.workspace_id,
            s.campaign_id,
            COALESCE(SUM(p.spend) FILTER (WHERE p.currency = s.currency), 0) AS total_spend,
            SUM(p.impressions) AS total_impressions,
            SUM(p.clicks) AS total_clicks,
            SUM(p.conversions) AS total_conversions,
            COALESCE(SUM(p.revenue) FILTER (WHERE p.currency = s.currency), 0) AS total_revenue
        FROM sample AS s
        JOIN performance_analytics AS p
            ON p.workspace_id = s.workspace_id
            AND p.campaign_id = s.campaign_id
            -- The other breakdowns show the same money again.
            AND p.breakdown = 'none'
        GROUP BY s.workspace_id, s.campaign_id
    )
"""

# As table: (its facts, how they are counted, the counters).
_CHECKED = {
    "email_campaigns": (
        ("email_events",),
        _EMAIL,
        (
            "emails_sent",
            "emails_delivered",
            "emails_opened",
            "emails_clicked",
            "emails_bounced",
            "emails_unsubscribed",
            "emails_complained",
        ),
    ),
    "web_campaigns": (
        ("campaign_events", "conversions"),
        _WEB,
        ("views", "clicks", "conversions", "revenue_generated"),
    ),
    "ad_campaigns": (
        ("performance_analytics",),
        _ADS,
        ("total_spend", "total_impressions", "total_clicks", "total_conversions", "total_revenue"),
    ),
}


def counters_of_sample(connection: Connection, at_most: int) -> tuple[int, list[str]]:
    """How many of the campaigns that changed last were compared, and a sentence per counter that is not right."""
    compared = 0
    wrong: list[str] = []
    for table, (facts, counting, counters) in _CHECKED.items():
        for row in connection.execute(text(_query(table, facts, counting, counters)), {"at_most": at_most}).mappings():
            compared += 1
            wrong += _differences(table, row, counters)
    return compared, wrong


def _query(table: str, facts: tuple[str, ...], counting: str, counters: tuple[str, ...]) -> str:
    """Made of our own names alone."""
    listed = ", ".join(f"CAST('{fact}' AS regclass)" for fact in facts)
    columns = ", ".join(f"s.{name} AS kept_{name}, COALESCE(counted.{name}, 0) AS counted_{name}" for name in counters)
    compared = f"SELECT s.campaign_id, {columns} FROM sample AS s LEFT JOIN counted USING (workspace_id, campaign_id)"
    return f"{_SAMPLE.format(table=table, facts=listed)}{counting}{compared}"


def _differences(table: str, row: Mapping[Any, Any], counters: tuple[str, ...]) -> list[str]:
    return [
        f"{table} {row['campaign_id']}: {name} is {row[f'kept_{name}']}, a recount says {row[f'counted_{name}']}."
        for name in counters
        if row[f"kept_{name}"] != row[f"counted_{name}"]
    ]
