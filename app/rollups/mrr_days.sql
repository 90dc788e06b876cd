-- One row per tier, day and currency: how the monthly recurring revenue of a workspace's product moved on that day, and
-- subscriptions that started and ended.
-- A subscription is worth its price a month (an annual one a twelfth, rounded to millionths) from its start, or from the
-- end of its trial, until it ends. While its status is trialing it is worth nothing, whatever its dates; past due counts.
-- What is cancelled or expired ends at `ends_at`, else when it was cancelled, else (nobody knows when) where it started.
-- Anything else ends at `ends_at` if it has one: an end that is set for a coming day is in that day already.
-- The level at the end of the day decides. From nothing it is new, or a reactivation if there was something on an earlier
-- day; otherwise up is expansion, down contraction, and down to nothing churn. One subscription that follows another on
-- the same day is thus never churn. Contraction and churn are negative; the five add up to `mrr_change`, whose running
-- sum is MRR. A currency is followed by itself: a change of currency is churn in one, and new in the other.
-- The tier is that of the paid subscription begun last on that day; on churn, or where none began, that of the one left.
-- Started and ended count every subscription, free and trialing ones too, on its own tier: their running difference is
-- the number of subscriptions.
-- Prices are exact in all engines below 9.0e11 major units (2^53 ten-thousandths).
-- grain: workspace_code, product, tier, day, currency
-- reads: subscriptions
-- unit: subscriptions(workspace_code, product)
WITH ends AS (
    SELECT
        id,
        CASE
            WHEN status IN ('cancelled', 'expired') THEN COALESCE(ends_at, cancelled_at, started_at)
            ELSE ends_at
        END AS ended_at
    FROM subscriptions
),
spans AS (
    SELECT
        subscriptions.id,
        subscriptions.workspace_code,
        subscriptions.product,
        subscriptions.tier,
        subscriptions.currency,
        subscriptions.started_at,
        GREATEST(subscriptions.started_at, subscriptions.trial_ends_at) AS paid_at,
        CASE
            WHEN ends.ended_at < subscriptions.started_at THEN subscriptions.started_at
            ELSE ends.ended_at
        END AS ended_at,
        CASE WHEN subscriptions.status = 'trialing' THEN 0 ELSE subscriptions.price END AS price,
        CASE WHEN subscriptions.billing_cycle = 'annual' THEN 12 ELSE 1 END AS months
    FROM subscriptions
    JOIN ends
        ON ends.id = subscriptions.id
)
