-- Conversions and their worth, as they were reported.
SELECT
    w.code AS workspace_code,
    c.code AS campaign_code,
    DATE(v.occurred_at AT TIME ZONE :zone) AS day,
    v.conversion_type,
    v.source,
    v.medium,
    CAST(v.currency AS TEXT) AS currency,
    COUNT(v.id) AS conversions,
    SUM(v.value) AS conversion_value
FROM conversions AS v
JOIN campaigns AS c ON c.id = v.campaign_id
JOIN workspaces AS w ON w.id = c.workspace_id
GROUP BY 1, 2, 3, 4, 5, 6, 7
