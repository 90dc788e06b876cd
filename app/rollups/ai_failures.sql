-- One row per day, product, model, type and error: how many attempts failed, and with which code.
-- Those for which no code was kept have none, so that the parts add up to all that failed.
-- grain: workspace_code, day, product, provider, model, generation_type, error_code
-- reads: ai_generations
-- unit: row
SELECT
    workspace_code,
    CAST(created_at AS DATE) AS day,
    product,
    provider,
    model,
    generation_type,
    error_code,
    COUNT(*) AS failed
FROM ai_generations
WHERE status = 'failed'
GROUP BY
    workspace_code,
    CAST(created_at AS DATE),
    product,
    provider,
    model,
    generation_type,
    error_code
