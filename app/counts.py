"""What each product holds, from the counters that the database keeps: exact, and no fact table is walked."""

from dataclasses import dataclass

import pandas as pd
from sqlalchemy import Connection, Engine, TextClause, text

from app.access import Permission, Viewer
from db.engine import seeing

_PER_PRODUCT = text(
    """
    WITH campaign_counts AS (
        SELECT
            c.product,
            COUNT(*) AS campaigns,
            SUM(e.emails_delivered) AS emails_delivered,
            SUM(w.views) AS page_views,
            SUM(a.total_impressions) AS ad_impressions
        FROM campaigns AS c
        LEFT JOIN email_campaigns AS e ON e.workspace_id = c.workspace_id AND e.campaign_id = c.id
        LEFT JOIN web_campaigns AS w ON w.workspace_id = c.workspace_id AND w.campaign_id = c.id
        LEFT JOIN ad_campaigns AS a ON a.workspace_id = c.workspace_id AND a.campaign_id = c.id
        GROUP BY c.product
    ),
    template_counts AS (
        SELECT product, COUNT(*) AS templates FROM templates GROUP BY product
    ),
    subscriber_counts AS (
        SELECT product, COUNT(DISTINCT workspace_id) AS subscribers
        FROM subscriptions
        WHERE status IN ('trialing', 'active', 'past_due')
        GROUP BY product
    )
    SELECT
        products.product,
        COALESCE(subscribers, 0) AS subscribers,
        COALESCE(campaigns, 0) AS campaigns,
        COALESCE(templates, 0) AS templates,
        COALESCE(emails_delivered, 0) AS emails_delivered,
        COALESCE(page_views, 0) AS page_views,
        COALESCE(ad_impressions, 0) AS ad_impressions
    FROM (SELECT DISTINCT product FROM plans) AS products
    LEFT JOIN campaign_counts USING (product)
    LEFT JOIN template_counts USING (product)
    LEFT JOIN subscriber_counts USING (product)
    ORDER BY products.product
    """
)
_COMPANY = text(
    """
    SELECT
        (SELECT COUNT(*) FROM workspaces WHERE kind = 'customer') AS workspaces,
        (SELECT COUNT(*) FROM users) AS customers,
        (SELECT COUNT(*) FROM contacts) AS contacts,
        (
            SELECT COALESCE(SUM(e.emails_sent), 0)
            -- Deleted campaigns are hidden in campaigns alone.
            FROM email_campaigns AS e
            JOIN campaigns AS c ON c.workspace_id = e.workspace_id AND c.id = e.campaign_id
        ) AS emails_sent,
        (SELECT COALESCE(SUM(generations_count), 0) FROM ai_cost_tracking) AS generations,
        (SELECT COALESCE(SUM(cost), 0) FROM ai_cost_tracking) AS ai_cost_usd
    """
)
_AI_BY_DAY = text(
    """
    SELECT date AS day, SUM(cost) AS ai_cost_usd, SUM(generations_count) AS generations
    FROM ai_cost_tracking
    GROUP BY date
    ORDER BY date
    """
)


@dataclass(frozen=True)
class Counts:
    """What the database holds of the workspaces that a viewer sees."""

    company: dict[str, object]
    per_product: pd.DataFrame
    ai_by_day: pd.DataFrame


def counts(engine: Engine, viewer: Viewer) -> Counts:
    """Count for one viewer, in one transaction: the figures belong together."""
    viewer.require(Permission.OVERVIEW_READ)
    with seeing(engine, viewer.workspaces) as connection:
        return Counts(
            company=dict(connection.execute(_COMPANY).mappings().one()),
            per_product=_frame(connection, _PER_PRODUCT),
            ai_by_day=_frame(connection, _AI_BY_DAY),
        )


def _frame(connection: Connection, question: TextClause) -> pd.DataFrame:
    answer = connection.execute(question)
    return pd.DataFrame(answer.all(), columns=list(answer.keys()))
