-- One row per campaign that has events: how many contacts each kind of event happened to.
-- grain: workspace_id, campaign_id
-- reads: email_events
SELECT
    e.workspace_id,
    e.campaign_id,
    COUNT(DISTINCT CASE e.event_type WHEN 'sent' THEN e.contact_id END) AS emails_sent,
    COUNT(DISTINCT CASE e.event_type WHEN 'delivered' THEN e.contact_id END) AS emails_delivered,
    COUNT(DISTINCT CASE e.event_type WHEN 'opened' THEN e.contact_id END) AS emails_opened,
    COUNT(DISTINCT CASE e.event_type WHEN 'clicked' THEN e.contact_id END) AS emails_clicked,
    -- A bounce counts when it is hard, or when no delivery came with it or after it.
    COUNT(DISTINCT CASE
        WHEN e.bounce_type = 'hard' THEN e.contact_id
        WHEN e.event_type = 'bounced'
            AND e.occurred_at > COALESCE(delivery.last_at, CAST('-infinity' AS TIMESTAMPTZ)) THEN e.contact_id
    END) AS emails_bounced,
    COUNT(DISTINCT CASE e.event_type WHEN 'unsubscribed' THEN e.contact_id END) AS emails_unsubscribed,
    COUNT(DISTINCT CASE e.event_type WHEN 'complained' THEN e.contact_id END) AS emails_complained
FROM email_events AS e
LEFT JOIN (
    SELECT
        workspace_id,
        campaign_id,
        contact_id,
        MAX(occurred_at) AS last_at
    FROM email_events
    WHERE event_type = 'delivered'
    GROUP BY workspace_id, campaign_id, contact_id
) AS delivery
    ON delivery.workspace_id = e.workspace_id
    AND delivery.campaign_id = e.campaign_id
    AND delivery.contact_id = e.contact_id
GROUP BY e.workspace_id, e.campaign_id
