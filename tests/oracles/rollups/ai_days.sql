-- Attempts of AI calls, what they used and what they cost.
SELECT
    w.code AS workspace_code,
    u.code AS user_code,
    DATE(g.created_at AT TIME ZONE :zone) AS day,
    g.product,
    g.provider,
    g.model,
    g.generation_type,
    g.status,
    g.service_tier,
    COUNT(g.id) AS generations,
    COUNT(g.id) FILTER (WHERE g.attempt = 1) AS requests,
    COUNT(g.id) FILTER (WHERE g.attempt <> 1) AS retries,
    COUNT(g.id) FILTER (WHERE g.status = 'completed') AS completed,
    COUNT(g.id) FILTER (WHERE g.status = 'failed') AS failed,
    COUNT(g.id) FILTER (WHERE g.accepted) AS accepted,
    COUNT(g.user_rating) AS rated,
    COALESCE(SUM(g.user_rating), 0) AS rating_total,
    COUNT(g.id) FILTER (WHERE g.cost IS NULL AND g.status IN ('completed', 'failed')) AS unpriced,
    SUM(g.input_tokens) AS input_tokens,
    SUM(g.cached_input_tokens) AS cached_input_tokens,
    SUM(g.cache_write_tokens) AS cache_write_tokens,
    SUM(g.output_tokens) AS output_tokens,
    SUM(g.reasoning_tokens) AS reasoning_tokens,
    SUM(g.images) AS images,
    SUM(g.audio_seconds) AS audio_seconds,
    SUM(g.video_seconds) AS video_seconds,
    SUM(g.tool_calls) AS tool_calls,
    COALESCE(SUM(g.cost), 0) AS ai_cost,
    COALESCE(SUM(g.reported_cost), 0) AS reported_cost,
    SUM(g.credits_used) AS credits_used
FROM ai_generations AS g
JOIN workspaces AS w ON w.id = g.workspace_id
JOIN users AS u ON u.id = g.user_id
GROUP BY 1, 2, 3, 4, 5, 6, 7, 8, 9
