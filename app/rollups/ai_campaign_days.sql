-- One row per campaign, day, product and model: the AI calls that were made for it, and what they cost (US dollars).
-- Calls that belong to no campaign have none, and so have corrections of closed months, on the month's first day.
-- grain: workspace_code, campaign_code, day, product, provider, model
-- reads: ai_generations, ai_cost_corrections
-- unit: row
WITH entries AS (
    SELECT
        workspace_code,
        campaign_code,
        CAST(created_at AS DATE) AS day,
        product,
        provider,
        model,
        COUNT(*) AS generations,
        COUNT(*) FILTER (WHERE accepted) AS accepted,
        CAST(SUM(COALESCE(cost, 0)) AS DECIMAL(38,12)) AS ai_cost,
        CAST(0 AS DECIMAL(38,12)) AS ai_cost_corrections
    FROM ai_generations
    GROUP BY
        workspace_code,
        campaign_code,
        CAST(created_at AS DATE),
        product,
        provider,
        model
    UNION ALL
    SELECT
        workspace_code,
        NULL AS campaign_code,
        month AS day,
        product,
        provider,
        model,
        0 AS generations,
        0 AS accepted,
        CAST(SUM(amount) AS DECIMAL(38,12)) AS ai_cost,
        CAST(SUM(amount) AS DECIMAL(38,12)) AS ai_cost_corrections
    FROM ai_cost_corrections
    GROUP BY
        workspace_code,
        month,
        product,
        provider,
        model
)
SELECT
    workspace_code,
    campaign_code,
    day,
    product,
    provider,
    model,
    generations,
    accepted,
    ai_cost,
    ai_cost_corrections
FROM entries
