-- Every attempt that failed, under what the provider gave as its code.
SELECT
    w.code AS workspace_code,
    DATE(g.created_at AT TIME ZONE :zone) AS day,
    g.product,
    g.provider,
    g.model,
    g.generation_type,
    g.error_code,
    COUNT(g.id) AS failed
FROM ai_generations AS g
JOIN workspaces AS w ON w.id = g.workspace_id
WHERE g.status = 'failed'
GROUP BY 1, 2, 3, 4, 5, 6, 7
