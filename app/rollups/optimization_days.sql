-- One row per ad campaign, day and type of change: what the autopilot changed, and how often it helped.
-- grain: workspace_code, campaign_code, day, optimization_type
-- reads: ai_optimization_logs
-- unit: row
SELECT
    workspace_code,
    campaign_code,
    CAST(optimized_at AS DATE) AS day,
    optimization_type,
    COUNT(*) AS optimizations,
    COUNT(*) FILTER (WHERE success) AS optimizations_succeeded,
    COUNT(*) FILTER (WHERE NOT success) AS optimizations_failed
FROM ai_optimization_logs
GROUP BY
    workspace_code,
    campaign_code,
    CAST(optimized_at AS DATE),
    optimization_type
