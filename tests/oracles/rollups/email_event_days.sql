-- Every event that was kept, by device and receiving domain.
SELECT
    (SELECT w.code FROM workspaces AS w WHERE w.id = e.workspace_id) AS workspace_code,
    (SELECT c.code FROM campaigns AS c WHERE c.id = e.campaign_id) AS campaign_code,
    DATE(e.occurred_at AT TIME ZONE :zone) AS day,
    e.device_type,
    (SELECT LOWER(SPLIT_PART(p.email, '@', 2)) FROM contacts AS p WHERE p.id = e.contact_id) AS email_domain,
    SUM(CAST(e.event_type = 'sent' AS INTEGER)) AS sent_events,
    SUM(CAST(e.event_type = 'delivered' AS INTEGER)) AS delivered_events,
    SUM(CAST(e.event_type = 'opened' AS INTEGER)) AS opened_events,
    SUM(CAST(e.event_type = 'opened' AND e.is_machine_open IS TRUE AS INTEGER)) AS machine_opened_events,
    SUM(CAST(e.event_type = 'opened' AND COALESCE(e.is_machine_open, FALSE) = FALSE AS INTEGER)) AS human_opened_events,
    SUM(CAST(e.event_type = 'clicked' AS INTEGER)) AS clicked_events,
    SUM(CAST(e.event_type = 'bounced' AS INTEGER)) AS bounced_events,
    SUM(CAST(e.event_type = 'unsubscribed' AS INTEGER)) AS unsubscribed_events,
    SUM(CAST(e.event_type = 'complained' AS INTEGER)) AS complained_events
FROM email_events AS e
GROUP BY 1, 2, 3, 4, 5
