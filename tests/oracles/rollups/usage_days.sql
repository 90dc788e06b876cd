-- Uses of features, with the credits and the quantity that they took.
SELECT
    w.code AS workspace_code,
    u.code AS user_code,
    l.product,
    l.feature,
    DATE(l.logged_at AT TIME ZONE :zone) AS day,
    COUNT(*) AS uses,
    SUM(l.credits_consumed) AS credits_consumed,
    SUM(l.quantity) AS quantity
FROM usage_logs AS l
JOIN workspaces AS w ON w.id = l.workspace_id
JOIN users AS u ON u.id = l.user_id
GROUP BY 1, 2, 3, 4, 5
