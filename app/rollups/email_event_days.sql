-- One row per e-mail campaign, day, device and receiving domain: how many events of each kind there were, repeats of
-- one contact included. Opens by machines are in the opens and beside them.
-- grain: workspace_code, campaign_code, day, device_type, email_domain
-- reads: email_events
-- unit: row
SELECT
    workspace_code,
    campaign_code,
    CAST(occurred_at AS DATE) AS day,
    device_type,
    email_domain,
    COUNT(*) FILTER (WHERE event_type = 'sent') AS sent_events,
    COUNT(*) FILTER (WHERE event_type = 'delivered') AS delivered_events,
    COUNT(*) FILTER (WHERE event_type = 'opened') AS opened_events,
    COUNT(*) FILTER (WHERE event_type = 'opened' AND is_machine_open) AS machine_opened_events,
    COUNT(*) FILTER (WHERE event_type = 'opened' AND is_machine_open IS NOT TRUE) AS human_opened_events,
    COUNT(*) FILTER (WHERE event_type = 'clicked') AS clicked_events,
    COUNT(*) FILTER (WHERE event_type = 'bounced') AS bounced_events,
    COUNT(*) FILTER (WHERE event_type = 'unsubscribed') AS unsubscribed_events,
    COUNT(*) FILTER (WHERE event_type = 'complained') AS complained_events
FROM email_events
GROUP BY
    workspace_code,
    campaign_code,
    CAST(occurred_at AS DATE),
    device_type,
    email_domain
