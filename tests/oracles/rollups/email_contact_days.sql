-- What each person did on each day.
SELECT
    w.code AS workspace_code,
    p.code AS contact_code,
    DATE(e.occurred_at AT TIME ZONE :zone) AS day,
    COUNT(NULLIF(e.event_type, 'clicked')) AS opened_events,
    COUNT(NULLIF(e.event_type, 'clicked')) - COUNT(*) FILTER (WHERE e.is_machine_open AND e.event_type = 'opened')
        AS human_opened_events,
    COUNT(NULLIF(e.event_type, 'opened')) AS clicked_events
FROM workspaces AS w
JOIN contacts AS p ON p.workspace_id = w.id
JOIN email_events AS e ON e.contact_id = p.id
WHERE e.event_type IN ('opened', 'clicked')
GROUP BY 1, 2, 3
