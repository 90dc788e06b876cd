-- What the autopilot changed, and whether it helped; not known of all.
SELECT
    w.code AS workspace_code,
    c.code AS campaign_code,
    DATE(o.optimized_at AT TIME ZONE :zone) AS day,
    o.optimization_type,
    COUNT(*) AS optimizations,
    COUNT(NULLIF(o.success, FALSE)) AS optimizations_succeeded,
    COUNT(NULLIF(o.success, TRUE)) AS optimizations_failed
FROM ai_optimization_logs AS o
JOIN campaigns AS c ON c.id = o.campaign_id
JOIN workspaces AS w ON w.id = c.workspace_id
GROUP BY 1, 2, 3, 4
