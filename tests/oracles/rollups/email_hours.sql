-- Sends at the hour of each of their first times; and for the hour of sending, what ever came of those sends.
WITH firsts AS (
    SELECT
        e.workspace_id,
        e.campaign_id,
        e.contact_id,
        MIN(CASE e.event_type WHEN 'sent' THEN e.occurred_at END) AS sent_at,
        MIN(CASE e.event_type WHEN 'delivered' THEN e.occurred_at END) AS delivered_at,
        MIN(CASE e.event_type WHEN 'opened' THEN e.occurred_at END) AS opened_at,
        MIN(CASE WHEN e.event_type = 'opened' AND NOT COALESCE(e.is_machine_open, FALSE) THEN e.occurred_at END)
            AS human_opened_at,
        MIN(CASE e.event_type WHEN 'clicked' THEN e.occurred_at END) AS clicked_at
    FROM email_events AS e
    GROUP BY e.workspace_id, e.campaign_id, e.contact_id
)
SELECT
    w.code AS workspace_code,
    c.code AS campaign_code,
    CAST(DATE_TRUNC('hour', t.at AT TIME ZONE :zone) AS DATE) AS day,
    CAST(DATE_PART('hour', t.at AT TIME ZONE :zone) AS INTEGER) AS hour,
    SUM(CASE t.what WHEN 'sent' THEN 1 ELSE 0 END) AS emails_sent,
    SUM(CASE t.what WHEN 'delivered' THEN 1 ELSE 0 END) AS emails_delivered,
    SUM(CASE t.what WHEN 'opened' THEN 1 ELSE 0 END) AS emails_opened,
    SUM(CASE t.what WHEN 'human' THEN 1 ELSE 0 END) AS emails_human_opened,
    SUM(CASE t.what WHEN 'clicked' THEN 1 ELSE 0 END) AS emails_clicked,
    COUNT(CASE t.what WHEN 'sent' THEN f.delivered_at END) AS sent_then_delivered,
    COUNT(CASE t.what WHEN 'sent' THEN f.opened_at END) AS sent_then_opened,
    COUNT(CASE t.what WHEN 'sent' THEN f.human_opened_at END) AS sent_then_human_opened,
    COUNT(CASE t.what WHEN 'sent' THEN f.clicked_at END) AS sent_then_clicked
FROM firsts AS f
JOIN workspaces AS w ON w.id = f.workspace_id
JOIN campaigns AS c ON c.id = f.campaign_id
CROSS JOIN LATERAL (
    VALUES
        ('sent', f.sent_at),
        ('delivered', f.delivered_at),
        ('opened', f.opened_at),
        ('human', f.human_opened_at),
        ('clicked', f.clicked_at)
) AS t (what, at)
WHERE t.at IS NOT NULL
GROUP BY 1, 2, 3, 4
