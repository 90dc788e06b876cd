-- What visitors did, by where they came from and their country.
SELECT
    w.code AS workspace_code,
    c.code AS campaign_code,
    DATE(e.occurred_at AT TIME ZONE :zone) AS day,
    e.source,
    e.medium,
    e.country,
    COUNT(e.id) AS web_events,
    COUNT(e.id) FILTER (WHERE e.event_type = 'view') AS views,
    COUNT(e.id) FILTER (WHERE e.event_type = 'click') AS clicks,
    COUNT(e.id) FILTER (WHERE e.event_type = 'form_submit') AS form_submits,
    COUNT(e.id) FILTER (WHERE e.event_type = 'email_open') AS web_email_opens,
    COUNT(e.id) FILTER (WHERE e.event_type = 'email_click') AS web_email_clicks,
    COUNT(e.id) FILTER (WHERE e.event_type = 'conversion') AS conversion_events
FROM workspaces AS w
JOIN campaigns AS c ON c.workspace_id = w.id
JOIN campaign_events AS e ON e.campaign_id = c.id
GROUP BY 1, 2, 3, 4, 5, 6
