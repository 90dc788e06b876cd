-- One row per workspace: how many calls of AI a plan with one limit of generations a month would have refused in a time,
-- when first, and what they cost. The calls are walked through one after the other, each from where the last one left.
-- grain: workspace_id
-- reads: subscriptions, plans, workspaces, ai_generations, quota_overrides
WITH RECURSIVE subscribed AS (
    SELECT
        s.workspace_id,
        w.timezone AS zone,
        s.started_at,
        GREATEST(CAST(:since AS TIMESTAMPTZ), s.started_at) AS since,
        CAST(s.started_at AT TIME ZONE w.timezone AS DATE) AS anchor
    FROM subscriptions AS s
    JOIN plans AS p ON p.id = s.plan_id
    JOIN workspaces AS w ON w.id = s.workspace_id
    WHERE s.product = :product
        AND p.tier = :tier
        AND p.currency = 'USD'
        AND p.billing_period = 'monthly'
        AND s.status IN ('trialing', 'active', 'past_due')
        AND s.started_at < :until
),
months AS (
    -- Months end where the next begins; 200 of them reach from any start of the demo to its end.
    SELECT
        h.workspace_id,
        CAST(CAST(h.anchor + n * INTERVAL '1 month' AS DATE) AS TIMESTAMP) AT TIME ZONE h.zone AS begins,
        CAST(CAST(h.anchor + (n + 1) * INTERVAL '1 month' AS DATE) AS TIMESTAMP) AT TIME ZONE h.zone AS ends
    FROM subscribed AS h
    CROSS JOIN generate_series(0, 199) AS n
),
requests AS (
    SELECT
        g.workspace_id,
        COALESCE(g.request_key, g.id) AS request,
        MIN(g.created_at) AS at,
        BOOL_OR(g.status <> 'failed') AS counts,
        SUM(COALESCE(g.cost, 0)) AS cost
    FROM ai_generations AS g
    JOIN subscribed AS h ON h.workspace_id = g.workspace_id
    WHERE g.product = :product
        AND g.created_at >= h.since - INTERVAL '40 days'
        AND g.created_at < :until
    GROUP BY g.workspace_id, COALESCE(g.request_key, g.id)
),
placed AS (
    SELECT
        r.workspace_id,
        m.begins,
        r.request,
        r.at,
        r.counts,
        r.cost,
        r.at < h.since AS is_before,
        (
            SELECT o.limit_amount
            FROM quota_overrides AS o
            WHERE o.workspace_id = r.workspace_id
                AND o.user_id IS NULL
                AND o.product = :product
                AND o.meter = 'generations'
                AND o.period = 'month'
                AND o.starts_at <= r.at
                AND o.ends_at > r.at
            ORDER BY o.starts_at DESC
            LIMIT 1
        ) AS excepted
    FROM requests AS r
    JOIN subscribed AS h ON h.workspace_id = r.workspace_id
    JOIN months AS m ON m.workspace_id = r.workspace_id AND m.begins <= r.at AND m.ends > r.at
),
used_before AS (
    SELECT workspace_id, begins, COUNT(*) AS used
    FROM placed
    WHERE is_before AND counts
    GROUP BY workspace_id, begins
),
ordered AS (
    SELECT
        p.workspace_id,
        p.begins,
        p.at,
        p.counts,
        p.cost,
        COALESCE(p.excepted, :limit) AS allowed,
        ROW_NUMBER() OVER (PARTITION BY p.workspace_id, p.begins ORDER BY p.at, p.request) AS place
    FROM placed AS p
    WHERE NOT p.is_before
),
walked AS (
    SELECT
        o.workspace_id,
        o.begins,
        CAST(0 AS BIGINT) AS place,
        CAST(COALESCE(u.used, 0) AS BIGINT) AS used,
        CAST(NULL AS TIMESTAMPTZ) AS over_since,
        FALSE AS is_refused,
        CAST(NULL AS TIMESTAMPTZ) AS at,
        CAST(0 AS NUMERIC) AS cost
    FROM (SELECT DISTINCT workspace_id, begins FROM ordered) AS o
    LEFT JOIN used_before AS u ON u.workspace_id = o.workspace_id AND u.begins = o.begins
    UNION ALL
    SELECT
        n.workspace_id,
        n.begins,
        n.place,
        CAST(n.used + CASE WHEN n.fits AND n.counts THEN 1 ELSE 0 END AS BIGINT),
        CASE
            WHEN NOT n.fits THEN n.over_since
            WHEN n.used + CASE WHEN n.counts THEN 1 ELSE 0 END <= n.allowed THEN NULL
            ELSE COALESCE(n.over_since, n.at)
        END,
        NOT n.fits,
        n.at,
        n.cost
    FROM (
        SELECT
            w.workspace_id,
            w.begins,
            o.place,
            w.used,
            w.over_since,
            o.counts,
            o.at,
            o.cost,
            o.allowed,
            w.used + 1 <= o.allowed + CASE
                WHEN w.over_since IS NULL OR o.at < w.over_since + :grace_days * INTERVAL '1 day' THEN :grace
                ELSE 0
            END AS fits
        FROM walked AS w
        JOIN ordered AS o ON o.workspace_id = w.workspace_id AND o.begins = w.begins AND o.place = w.place + 1
    ) AS n
)
SELECT
    workspace_id,
    COUNT(*) FILTER (WHERE is_refused) AS refused,
    MIN(at) FILTER (WHERE is_refused) AS first_at,
    COALESCE(SUM(cost) FILTER (WHERE is_refused), 0) AS saved
FROM walked
WHERE place > 0
GROUP BY workspace_id
ORDER BY workspace_id
