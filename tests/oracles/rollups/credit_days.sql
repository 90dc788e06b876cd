-- Movements of credits; what goes out is negative.
SELECT
    w.code AS workspace_code,
    u.code AS user_code,
    DATE(t.created_at AT TIME ZONE :zone) AS day,
    t.type AS transaction_type,
    COUNT(*) AS credit_movements,
    -- Each row proves the balance after it: the movement is the difference from the row before.
    SUM(t.balance_after - COALESCE((
        SELECT b.balance_after
        FROM credit_transactions AS b
        WHERE b.user_id = t.user_id
            AND b.position = t.position - 1
    ), 0)) AS credits_moved
FROM credit_transactions AS t
JOIN workspaces AS w ON w.id = t.workspace_id
JOIN users AS u ON u.id = t.user_id
GROUP BY 1, 2, 3, 4
