-- One row per day, product, model, type and bucket of time: how many calls took so long. Buckets grow by 2 %, so that
-- percentiles of any period are right to 2 %; calls of no time at all are in bucket -1.
-- grain: workspace_code, day, product, provider, model, generation_type, latency_bucket
-- reads: ai_generations
-- unit: row
SELECT
    workspace_code,
    CAST(created_at AS DATE) AS day,
    product,
    provider,
    model,
    generation_type,
    CASE
        WHEN generation_time_ms < 1 THEN -1
        ELSE CAST(FLOOR(LN(generation_time_ms) / LN(1.02)) AS INT)
    END AS latency_bucket,
    COUNT(*) AS timed_generations
FROM ai_generations
WHERE generation_time_ms IS NOT NULL
GROUP BY
    workspace_code,
    CAST(created_at AS DATE),
    product,
    provider,
    model,
    generation_type,
    CASE WHEN generation_time_ms < 1 THEN -1 ELSE CAST(FLOOR(LN(generation_time_ms) / LN(1.02)) AS INT) END
