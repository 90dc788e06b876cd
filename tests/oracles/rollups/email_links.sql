-- Every click, by where it led.
SELECT
    w.code AS workspace_code,
    c.code AS campaign_code,
    DATE(e.occurred_at AT TIME ZONE :zone) AS day,
    e.link_url,
    COUNT(e.id) AS clicked_events
FROM workspaces AS w
JOIN campaigns AS c ON c.workspace_id = w.id
JOIN email_events AS e ON e.campaign_id = c.id
WHERE e.event_type = 'clicked'
GROUP BY 1, 2, 3, 4
