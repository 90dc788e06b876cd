-- Balances whose sums are not those of their reservations: there should be none.
-- reads: quota_balances, quota_reservations
SELECT
    b.id,
    b.used,
    b.held,
    b.opening_used + COALESCE(r.settled, 0) AS used_by_reservations,
    COALESCE(r.held, 0) AS held_by_reservations
FROM quota_balances AS b
LEFT JOIN (
    SELECT
        balance_id,
        SUM(settled_amount) FILTER (WHERE state = 'settled') AS settled,
        SUM(amount) FILTER (WHERE state = 'held') AS held
    FROM quota_reservations
    GROUP BY balance_id
) AS r ON r.balance_id = b.id
WHERE b.used <> b.opening_used + COALESCE(r.settled, 0)
    OR b.held <> COALESCE(r.held, 0)
