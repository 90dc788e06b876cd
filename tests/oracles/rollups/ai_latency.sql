-- How many attempts took how long: bucket b holds what took 1.02 to the power of b ms or more, and less than of b + 1.
WITH bounds AS (
    SELECT ARRAY_AGG(POWER(CAST('1.02' AS NUMERIC), b) ORDER BY b) AS powers
    FROM GENERATE_SERIES(0, 1500) AS b
)
SELECT
    w.code AS workspace_code,
    DATE(g.created_at AT TIME ZONE :zone) AS day,
    g.product,
    g.provider,
    g.model,
    g.generation_type,
    -- Below the first bound, one millisecond, it is 0.
    WIDTH_BUCKET(CAST(g.generation_time_ms AS NUMERIC), b.powers) - 1 AS latency_bucket,
    COUNT(*) AS timed_generations
FROM ai_generations AS g
JOIN workspaces AS w ON w.id = g.workspace_id
CROSS JOIN bounds AS b
WHERE g.generation_time_ms IS NOT NULL
GROUP BY 1, 2, 3, 4, 5, 6, 7
