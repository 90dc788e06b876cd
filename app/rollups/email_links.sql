-- One row per e-mail campaign, day and link: how often it was clicked.
-- grain: workspace_code, campaign_code, day, link_url
-- reads: email_events
-- unit: row
SELECT
    workspace_code,
    campaign_code,
    CAST(occurred_at AS DATE) AS day,
    link_url,
    COUNT(*) AS clicked_events
FROM email_events
WHERE event_type = 'clicked'
GROUP BY
    workspace_code,
    campaign_code,
    CAST(occurred_at AS DATE),
    link_url
