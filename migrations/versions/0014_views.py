"""The ratios that the documents store, as views: a stored ratio can't be added up, and goes stale.

Every view runs with the rights of who asks (`security_invoker`), so that row level security holds in it.
Ratios are divided last and are empty where there is nothing to divide by.

Revision: 0014
Follows: 0013
"""

from migrations.running import run

revision = "0014"
down_revision = "0013"

VIEWS = {
    # The document's rates are per cent.
    "email_campaign_rates": """
        SELECT
            workspace_id,
            campaign_id,
            emails_sent,
            emails_delivered,
            emails_opened,
            emails_clicked,
            emails_bounced,
            emails_unsubscribed,
            emails_complained,
            emails_opened * 100.0 / NULLIF(emails_delivered, 0) AS open_rate,
            emails_clicked * 100.0 / NULLIF(emails_delivered, 0) AS click_rate,
            emails_bounced * 100.0 / NULLIF(emails_sent, 0) AS bounce_rate,
            emails_unsubscribed * 100.0 / NULLIF(emails_delivered, 0) AS unsubscribe_rate,
            emails_complained * 100.0 / NULLIF(emails_delivered, 0) AS complaint_rate
        FROM email_campaigns""",
    # The document's ctr is a fraction, as here; what Meta's API answers is per cent.
    "ad_performance_rates": """
        SELECT
            workspace_id,
            id,
            date,
            campaign_id,
            breakdown,
            hour,
            platform,
            placement,
            age_range,
            gender,
            location,
            clicks * 1.0 / NULLIF(impressions, 0) AS ctr,
            spend / NULLIF(clicks, 0) AS cpc,
            spend * 1000 / NULLIF(impressions, 0) AS cpm,
            spend / NULLIF(conversions, 0) AS cpa,
            revenue / NULLIF(spend, 0) AS roas
        FROM performance_analytics""",
    "ai_cost_by_provider": """
        SELECT
            workspace_id,
            user_id,
            date,
            COALESCE(SUM(cost) FILTER (WHERE provider = 'openai'), 0) AS openai_cost,
            COALESCE(SUM(cost) FILTER (WHERE provider = 'anthropic'), 0) AS anthropic_cost,
            COALESCE(SUM(cost) FILTER (WHERE provider = 'google'), 0) AS google_cost,
            SUM(cost) AS total_cost,
            SUM(generations_count) AS generations_count,
            SUM(unpriced_count) AS unpriced_count,
            SUM(tokens_used) AS tokens_used
        FROM ai_cost_tracking
        GROUP BY workspace_id, user_id, date""",
    "template_metric_rates": """
        SELECT
            workspace_id,
            id,
            template_id,
            recorded_at,
            impressions,
            clicks * 1.0 / NULLIF(impressions, 0) AS ctr,
            conversions * 1.0 / NULLIF(clicks, 0) AS conversion_rate,
            engagements * 1.0 / NULLIF(impressions, 0) AS engagement_rate
        FROM template_metrics""",
    # What campaigns of every channel can be compared by.
    "campaign_totals": """
        SELECT
            c.workspace_id,
            c.id AS campaign_id,
            c.channel,
            c.currency,
            COALESCE(e.emails_delivered, w.views, a.total_impressions) AS reached,
            COALESCE(e.emails_clicked, w.clicks, a.total_clicks) AS clicks,
            COALESCE(w.conversions, a.total_conversions) AS conversions,
            a.total_spend AS spend,
            COALESCE(w.revenue_generated, a.total_revenue) AS revenue
        FROM campaigns AS c
        LEFT JOIN email_campaigns AS e ON e.workspace_id = c.workspace_id AND e.campaign_id = c.id
        LEFT JOIN web_campaigns AS w ON w.workspace_id = c.workspace_id AND w.campaign_id = c.id
        LEFT JOIN ad_campaigns AS a ON a.workspace_id = c.workspace_id AND a.campaign_id = c.id""",
}


def upgrade() -> None:
    for view, query in VIEWS.items():
        run(f"""
        CREATE VIEW {view} WITH (security_invoker = true) AS {query};
        GRANT SELECT ON {view} TO app_rw, app_ro;
        """)


def downgrade() -> None:
    run(f"DROP VIEW {', '.join(VIEWS)};")
