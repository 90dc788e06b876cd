-- One row per user, day and kind of transaction: credits that came and went.
-- `credits_moved` is signed: what was used, expired or taken back is negative, so the running sum over all kinds is
-- the balance.
-- grain: workspace_code, user_code, day, transaction_type
-- reads: credit_transactions
-- unit: row
SELECT
    workspace_code,
    user_code,
    CAST(created_at AS DATE) AS day,
    type AS transaction_type,
    COUNT(*) AS credit_movements,
    CAST(SUM(amount) AS BIGINT) AS credits_moved
FROM credit_transactions
GROUP BY
    workspace_code,
    user_code,
    CAST(created_at AS DATE),
    type
