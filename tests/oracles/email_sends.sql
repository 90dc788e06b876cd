-- One row per campaign and contact: everything that happened to that e-mail, from the events alone.
-- grain: workspace_id, campaign_id, contact_id
-- reads: email_events
WITH told AS (
    SELECT
        e.workspace_id,
        e.campaign_id,
        e.contact_id,
        ARRAY_AGG(e.occurred_at ORDER BY e.occurred_at) FILTER (WHERE e.event_type = 'sent') AS sent,
        ARRAY_AGG(e.occurred_at ORDER BY e.occurred_at) FILTER (WHERE e.event_type = 'delivered') AS delivered,
        ARRAY_AGG(e.occurred_at ORDER BY e.occurred_at) FILTER (WHERE e.event_type = 'opened') AS opened,
        ARRAY_AGG(e.occurred_at ORDER BY e.occurred_at)
            FILTER (WHERE e.event_type = 'opened' AND NOT COALESCE(e.is_machine_open, FALSE)) AS human,
        ARRAY_AGG(e.occurred_at ORDER BY e.occurred_at) FILTER (WHERE e.event_type = 'clicked') AS clicked,
        ARRAY_AGG(e.occurred_at ORDER BY e.occurred_at) FILTER (WHERE e.event_type = 'unsubscribed') AS unsubscribed,
        ARRAY_AGG(e.occurred_at ORDER BY e.occurred_at) FILTER (WHERE e.event_type = 'complained') AS complained,
        ARRAY_AGG(e.occurred_at ORDER BY e.occurred_at) FILTER (WHERE e.event_type = 'bounced') AS bounced,
        ARRAY_AGG(DISTINCT e.bounce_type) FILTER (WHERE e.event_type = 'bounced') AS classes,
        -- A bounce stands when it is hard, or when no delivery came with it or after it.
        BOOL_OR(
            e.event_type = 'bounced'
            AND (
                e.bounce_type = 'hard'
                OR NOT EXISTS (
                    SELECT
                    FROM email_events AS d
                    WHERE d.workspace_id = e.workspace_id
                        AND d.campaign_id = e.campaign_id
                        AND d.contact_id = e.contact_id
                        AND d.event_type = 'delivered'
                        AND d.occurred_at >= e.occurred_at
                )
            )
        ) AS is_bounced
    FROM email_events AS e
    GROUP BY e.workspace_id, e.campaign_id, e.contact_id
)
SELECT
    workspace_id,
    campaign_id,
    contact_id,
    sent[1] AS first_sent_at,
    delivered[1] AS first_delivered_at,
    delivered[CARDINALITY(delivered)] AS last_delivered_at,
    opened[1] AS first_opened_at,
    human[1] AS first_human_opened_at,
    clicked[1] AS first_clicked_at,
    unsubscribed[1] AS first_unsubscribed_at,
    complained[1] AS first_complained_at,
    CASE WHEN is_bounced THEN bounced[1] END AS first_bounced_at,
    CASE
        WHEN NOT is_bounced THEN NULL
        WHEN 'hard' = ANY (classes) THEN 'hard'
        WHEN 'soft' = ANY (classes) THEN 'soft'
        ELSE 'undetermined'
    END AS bounce_type,
    COALESCE(CARDINALITY(opened), 0) AS opens,
    COALESCE(CARDINALITY(opened), 0) - COALESCE(CARDINALITY(human), 0) AS machine_opens,
    COALESCE(CARDINALITY(clicked), 0) AS clicks
FROM told
