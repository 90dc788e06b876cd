-- One row per e-mail campaign, day, receiving domain, class and reason of bounces: how many there were.
-- grain: workspace_code, campaign_code, day, email_domain, bounce_type, bounce_reason
-- reads: email_events
-- unit: row
SELECT
    workspace_code,
    campaign_code,
    CAST(occurred_at AS DATE) AS day,
    email_domain,
    bounce_type,
    bounce_reason,
    COUNT(*) AS bounced_events
FROM email_events
WHERE event_type = 'bounced'
GROUP BY
    workspace_code,
    campaign_code,
    CAST(occurred_at AS DATE),
    email_domain,
    bounce_type,
    bounce_reason
