-- Every bounce with its class and reason, also one that a delivery undid.
SELECT
    w.code AS workspace_code,
    c.code AS campaign_code,
    DATE(e.occurred_at AT TIME ZONE :zone) AS day,
    LOWER(SPLIT_PART(p.email, '@', 2)) AS email_domain,
    e.bounce_type,
    e.bounce_reason,
    COUNT(e.id) AS bounced_events
FROM workspaces AS w
JOIN campaigns AS c ON c.workspace_id = w.id
JOIN email_events AS e ON e.campaign_id = c.id
JOIN contacts AS p ON p.id = e.contact_id
WHERE e.bounce_type IS NOT NULL
GROUP BY 1, 2, 3, 4, 5, 6
