-- One row per campaign, day, product and model: the AI calls that were made for it, and what they cost (US dollars).
-- Calls that belong to no campaign have none.
-- grain: workspace_code, campaign_code, day, product, provider, model
-- reads: ai_generations
-- unit: row
SELECT
    workspace_code,
    campaign_code,
    CAST(created_at AS DATE) AS day,
    product,
    provider,
    model,
    COUNT(*) AS generations,
    COUNT(*) FILTER (WHERE accepted) AS accepted,
    CAST(SUM(COALESCE(cost, 0)) AS DECIMAL(38,12)) AS ai_cost
FROM ai_generations
GROUP BY
    workspace_code,
    campaign_code,
    CAST(created_at AS DATE),
    product,
    provider,
    model
