-- One row per meter, customer and period, at the day on which the period starts: what is allowed, used and held.
-- Without a customer it is the workspace's own; a balance without a limit is counted as unlimited.
-- grain: workspace_code, user_code, product, meter, period, day
-- reads: quota_balances
-- unit: row
SELECT
    workspace_code,
    user_code,
    product,
    meter,
    period,
    CAST(period_start AS DATE) AS day,
    COUNT(*) AS quota_balances,
    CAST(SUM(COALESCE(limit_amount, 0)) AS BIGINT) AS quota_limit,
    COUNT(*) FILTER (WHERE limit_amount IS NULL) AS quota_unlimited,
    CAST(SUM(used) AS BIGINT) AS quota_used,
    CAST(SUM(held) AS BIGINT) AS quota_held
FROM quota_balances
GROUP BY
    workspace_code,
    user_code,
    product,
    meter,
    period,
    CAST(period_start AS DATE)
