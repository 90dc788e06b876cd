-- Attempts of AI calls and their cost by the campaign they were made for, if any.
SELECT
    w.code AS workspace_code,
    (SELECT c.code FROM campaigns AS c WHERE c.id = g.campaign_id) AS campaign_code,
    DATE(g.created_at AT TIME ZONE :zone) AS day,
    g.product,
    g.provider,
    g.model,
    COUNT(*) AS generations,
    COUNT(NULLIF(g.accepted, FALSE)) AS accepted,
    SUM(COALESCE(g.cost, 0)) AS ai_cost,
    0 AS ai_cost_corrections
FROM ai_generations AS g
JOIN workspaces AS w ON w.id = g.workspace_id
GROUP BY 1, 2, 3, 4, 5, 6
UNION ALL
SELECT w.code, NULL, c.month, c.product, c.provider, c.model, 0, 0, c.amount, c.amount
FROM ai_cost_corrections AS c
JOIN workspaces AS w ON w.id = c.workspace_id
