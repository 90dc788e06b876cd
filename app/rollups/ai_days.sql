-- One row per customer, day, product, model, type, status and tier: how many calls, what they used, what they cost (US
-- dollars). Cost without a price is not in the sum: such calls are counted as unpriced.
-- grain: workspace_code, user_code, day, product, provider, model, generation_type, status, service_tier
-- reads: ai_generations
-- unit: row
SELECT
    workspace_code,
    user_code,
    CAST(created_at AS DATE) AS day,
    product,
    provider,
    model,
    generation_type,
    status,
    service_tier,
    COUNT(*) AS generations,
    COUNT(*) FILTER (WHERE attempt = 1) AS requests,
    COUNT(*) FILTER (WHERE attempt > 1) AS retries,
    COUNT(*) FILTER (WHERE status = 'completed') AS completed,
    COUNT(*) FILTER (WHERE status = 'failed') AS failed,
    COUNT(*) FILTER (WHERE accepted) AS accepted,
    COUNT(*) FILTER (WHERE user_rating IS NOT NULL) AS rated,
    CAST(SUM(COALESCE(user_rating, 0)) AS BIGINT) AS rating_total,
    COUNT(*) FILTER (WHERE status IN ('completed', 'failed') AND cost IS NULL) AS unpriced,
    CAST(SUM(input_tokens) AS BIGINT) AS input_tokens,
    CAST(SUM(cached_input_tokens) AS BIGINT) AS cached_input_tokens,
    CAST(SUM(cache_write_tokens) AS BIGINT) AS cache_write_tokens,
    CAST(SUM(output_tokens) AS BIGINT) AS output_tokens,
    CAST(SUM(reasoning_tokens) AS BIGINT) AS reasoning_tokens,
    CAST(SUM(images) AS BIGINT) AS images,
    CAST(SUM(audio_seconds) AS DECIMAL(38,3)) AS audio_seconds,
    CAST(SUM(video_seconds) AS DECIMAL(38,3)) AS video_seconds,
    CAST(SUM(tool_calls) AS BIGINT) AS tool_calls,
    CAST(SUM(COALESCE(cost, 0)) AS DECIMAL(38,12)) AS ai_cost,
    CAST(SUM(COALESCE(reported_cost, 0)) AS DECIMAL(38,12)) AS reported_cost,
    CAST(SUM(credits_used) AS BIGINT) AS credits_used
FROM ai_generations
GROUP BY
    workspace_code,
    user_code,
    CAST(created_at AS DATE),
    product,
    provider,
    model,
    generation_type,
    status,
    service_tier
