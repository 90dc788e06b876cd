-- What visitors did with each part of a page; no part where the event names none.
SELECT
    w.code AS workspace_code,
    c.code AS campaign_code,
    CAST(e.component_id AS TEXT) AS component_id,
    DATE(e.occurred_at AT TIME ZONE :zone) AS day,
    COUNT(CASE WHEN e.event_type = 'view' THEN e.id END) AS views,
    COUNT(CASE WHEN e.event_type = 'click' THEN e.id END) AS clicks,
    COUNT(CASE WHEN e.event_type = 'form_submit' THEN e.id END) AS form_submits
FROM campaign_events AS e
JOIN campaigns AS c ON c.id = e.campaign_id
JOIN workspaces AS w ON w.id = c.workspace_id
GROUP BY 1, 2, 3, 4
