-- One row per ad campaign, day of the ad account, breakdown and what it splits by. Breakdowns show the same money from
-- different sides: never add them up. Reach counts people, and stands for exactly one row.
-- grain: workspace_code, campaign_code, day, breakdown, hour, platform, placement, age_range, gender, location,currency
-- reads: performance_analytics
-- unit: row
SELECT
    workspace_code,
    campaign_code,
    day,
    breakdown,
    hour,
    platform,
    placement,
    age_range,
    gender,
    location,
    currency,
    CAST(SUM(impressions) AS BIGINT) AS impressions,
    CAST(SUM(clicks) AS BIGINT) AS ad_clicks,
    CAST(SUM(spend) AS DECIMAL(38,4)) AS spend,
    CAST(SUM(conversions) AS BIGINT) AS ad_conversions,
    CAST(SUM(revenue) AS DECIMAL(38,4)) AS ad_revenue,
    CAST(SUM(COALESCE(reach, 0)) AS BIGINT) AS reach,
    CAST(SUM(restatements) AS BIGINT) AS restatements
FROM performance_analytics
GROUP BY
    workspace_code,
    campaign_code,
    day,
    breakdown,
    hour,
    platform,
    placement,
    age_range,
    gender,
    location,
    currency
