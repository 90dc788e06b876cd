-- One row per customer, product, feature and day: how often it was used, and what that took from a plan.
-- grain: workspace_code, user_code, product, feature, day
-- reads: usage_logs
-- unit: row
SELECT
    workspace_code,
    user_code,
    product,
    feature,
    CAST(logged_at AS DATE) AS day,
    COUNT(*) AS uses,
    CAST(SUM(credits_consumed) AS BIGINT) AS credits_consumed,
    CAST(SUM(quantity) AS BIGINT) AS quantity
FROM usage_logs
GROUP BY
    workspace_code,
    user_code,
    product,
    feature,
    CAST(logged_at AS DATE)
