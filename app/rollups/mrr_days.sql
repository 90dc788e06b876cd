-- One row per product, tier, day and currency: how a workspace's monthly recurring revenue moved on that day, and how
-- many subscriptions started and ended.
-- A subscription is worth its price a month (an annual one a twelfth, rounded to millionths) from its start, or from
-- the end of its trial, until it ends. While its status is trialing it is worth nothing, whatever its dates; past due
-- counts. What is cancelled or expired ends at `ends_at`, else when it was cancelled, else (nobody knows when) where it
-- started. Anything else ends at `ends_at` if it has one: an end set for a coming day is in that day already.
-- The level at the end of the day decides. From nothing it is new, or a reactivation if there was something before;
-- otherwise up is expansion, down contraction, and down to nothing churn. One subscription that follows another on the
-- same day is thus never churn. Contraction and churn are negative; the five add up to `mrr_change`, whose running sum
-- is MRR. Each currency is followed by itself: a change of currency is churn in one, and new in the other.
-- The tier is the paid one begun last on that day; where none began, as always on churn, the one left last.
-- Started and ended count every subscription once, free and trialing ones too, on its own tier: their running
-- difference is the number of subscriptions.
-- Prices are exact in all engines below 9.0e11 major units (2^53 ten-thousandths).
-- grain: workspace_code, product, tier, day, currency
-- reads: subscriptions
-- unit: subscriptions(workspace_code, product)
WITH spans AS (
    SELECT
        id,
        workspace_code,
        product,
        tier,
        currency,
        started_at,
        GREATEST(started_at, trial_ends_at) AS paid_at,
        CASE
            WHEN status IN ('cancelled', 'expired')
                THEN GREATEST(COALESCE(ends_at, cancelled_at, started_at), started_at)
            WHEN ends_at IS NOT NULL THEN GREATEST(ends_at, started_at)
        END AS ended_at,
        CASE
            WHEN status = 'trialing' THEN 0
            ELSE CAST(CAST(price AS DECIMAL(28, 4)) * 10000 AS BIGINT)
        END AS ten_thousandths,
        CASE WHEN billing_cycle = 'annual' THEN 12 ELSE 1 END AS months
    FROM subscriptions
),
worths AS (
    SELECT
        id,
        workspace_code,
        product,
        tier,
        currency,
        paid_at,
        ended_at,
        CAST(started_at AS DATE) AS started_day,
        CAST(paid_at AS DATE) AS paid_day,
        CAST(ended_at AS DATE) AS ended_day,
        -- The rest of a division by twelve, in millionths, is rounded half up; there is none where nothing is divided.
        CAST((ten_thousandths - MOD(ten_thousandths, months)) / months AS BIGINT) * 100
        + CAST(
            (MOD(ten_thousandths, months) * 100 + 6 - MOD(MOD(ten_thousandths, months) * 100 + 6, 12)) / 12 AS BIGINT
        ) AS millionths
    FROM spans
),
movements AS (
    SELECT
        id,
        workspace_code,
        product,
        tier,
        currency,
        'begun' AS what,
        paid_at AS moved_at,
        paid_day AS day,
        millionths AS change
    FROM worths
    WHERE millionths > 0
        AND (ended_day IS NULL OR ended_day > paid_day)
    UNION ALL
    SELECT
        id,
        workspace_code,
        product,
        tier,
        currency,
        'left' AS what,
        ended_at AS moved_at,
        ended_day AS day,
        -millionths AS change
    FROM worths
    WHERE millionths > 0
        AND ended_day > paid_day
),
ordered AS (
    SELECT
        workspace_code,
        product,
        tier,
        currency,
        what,
        day,
        change,
        ROW_NUMBER() OVER (
            PARTITION BY workspace_code, product, currency, day, what
            ORDER BY moved_at DESC, id DESC
        ) AS from_last
    FROM movements
),
changes AS (
    SELECT
        workspace_code,
        product,
        currency,
        day,
        MAX(tier) FILTER (WHERE what = 'begun' AND from_last = 1) AS begun_tier,
        MAX(tier) FILTER (WHERE what = 'left' AND from_last = 1) AS left_tier,
        CAST(SUM(change) AS BIGINT) AS change
    FROM ordered
    GROUP BY
        workspace_code,
        product,
        currency,
        day
),
levels AS (
    SELECT
        workspace_code,
        product,
        currency,
        day,
        begun_tier,
        left_tier,
        change,
        -- What has worth keeps it over a day's end, so the first change is always up from nothing.
        ROW_NUMBER() OVER (PARTITION BY workspace_code, product, currency ORDER BY day) AS place,
        CAST(SUM(change) OVER (PARTITION BY workspace_code, product, currency ORDER BY day) AS BIGINT) AS level
    FROM changes
),
kinds AS (
    SELECT
        workspace_code,
        product,
        currency,
        day,
        change,
        COALESCE(begun_tier, left_tier) AS tier,
        CASE
            WHEN place = 1 THEN 'new'
            WHEN level = change THEN 'reactivation'
            WHEN level = 0 THEN 'churn'
            WHEN change > 0 THEN 'expansion'
            ELSE 'contraction'
        END AS kind
    FROM levels
    WHERE change <> 0
),
happenings AS (
    SELECT
        workspace_code,
        product,
        tier,
        day,
        currency,
        kind,
        change
    FROM kinds
    UNION ALL
    SELECT
        workspace_code,
        product,
        tier,
        started_day AS day,
        currency,
        'started' AS kind,
        0 AS change
    FROM worths
    UNION ALL
    SELECT
        workspace_code,
        product,
        tier,
        ended_day AS day,
        currency,
        'ended' AS kind,
        0 AS change
    FROM worths
    WHERE ended_day IS NOT NULL
),
amounts AS (
    SELECT
        workspace_code,
        product,
        tier,
        day,
        currency,
        kind,
        CAST(change AS DECIMAL(20, 0)) * 0.000001 AS amount
    FROM happenings
)
SELECT
    workspace_code,
    product,
    tier,
    day,
    currency,
    CAST(SUM(CASE WHEN kind = 'new' THEN amount ELSE 0 END) AS DECIMAL(38, 6)) AS mrr_new,
    CAST(SUM(CASE WHEN kind = 'expansion' THEN amount ELSE 0 END) AS DECIMAL(38, 6)) AS mrr_expansion,
    CAST(SUM(CASE WHEN kind = 'contraction' THEN amount ELSE 0 END) AS DECIMAL(38, 6)) AS mrr_contraction,
    CAST(SUM(CASE WHEN kind = 'churn' THEN amount ELSE 0 END) AS DECIMAL(38, 6)) AS mrr_churn,
    CAST(SUM(CASE WHEN kind = 'reactivation' THEN amount ELSE 0 END) AS DECIMAL(38, 6)) AS mrr_reactivation,
    CAST(SUM(amount) AS DECIMAL(38, 6)) AS mrr_change,
    COUNT(*) FILTER (WHERE kind = 'started') AS subscriptions_started,
    COUNT(*) FILTER (WHERE kind = 'ended') AS subscriptions_ended
FROM amounts
GROUP BY
    workspace_code,
    product,
    tier,
    day,
    currency
