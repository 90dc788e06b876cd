-- One row per campaign, day, conversion type, source, medium and currency: conversions, and their worth in it.
-- Source and medium are what the conversion itself was reported with; who earned it is in `attribution_days`.
-- grain: workspace_code, campaign_code, day, conversion_type, source, medium, currency
-- reads: conversions
-- unit: row
SELECT
    workspace_code,
    campaign_code,
    CAST(occurred_at AS DATE) AS day,
    conversion_type,
    source,
    medium,
    currency,
    COUNT(*) AS conversions,
    CAST(SUM(value) AS DECIMAL(38, 4)) AS conversion_value
FROM conversions
GROUP BY
    workspace_code,
    campaign_code,
    CAST(occurred_at AS DATE),
    conversion_type,
    source,
    medium,
    currency
