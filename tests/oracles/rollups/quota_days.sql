-- Quotas at the day on which their period starts.
SELECT
    w.code AS workspace_code,
    (SELECT u.code FROM users AS u WHERE u.id = q.user_id) AS user_code,
    q.product,
    q.meter,
    q.period,
    DATE(q.period_start AT TIME ZONE :zone) AS day,
    COUNT(*) AS quota_balances,
    COALESCE(SUM(q.limit_amount), 0) AS quota_limit,
    COUNT(*) - COUNT(q.limit_amount) AS quota_unlimited,
    SUM(q.used) AS quota_used,
    SUM(q.held) AS quota_held
FROM quota_balances AS q
JOIN workspaces AS w ON w.id = q.workspace_id
GROUP BY 1, 2, 3, 4, 5, 6
