-- Every open and every click, by where the reader was.
SELECT
    w.code AS workspace_code,
    c.code AS campaign_code,
    DATE(e.occurred_at AT TIME ZONE :zone) AS day,
    e.location,
    SUM(CAST(e.event_type = 'opened' AS INTEGER)) AS opened_events,
    SUM(CAST(e.event_type = 'opened' AND COALESCE(e.is_machine_open, FALSE) = FALSE AS INTEGER)) AS human_opened_events,
    SUM(CAST(e.event_type = 'clicked' AS INTEGER)) AS clicked_events
FROM email_events AS e
JOIN campaigns AS c ON c.id = e.campaign_id
JOIN workspaces AS w ON w.id = e.workspace_id
WHERE e.event_type = 'opened' OR e.event_type = 'clicked'
GROUP BY 1, 2, 3, 4
