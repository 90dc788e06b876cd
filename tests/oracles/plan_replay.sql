-- One row per workspace: how many calls a plan with one limit of one meter would have refused in a time, how much they
-- asked for, when the first came, and what they cost. The calls are walked through one after the other, each from where
-- the last one left.
-- grain: workspace_id
-- reads: subscriptions, plans, workspaces, quota_overrides, ai_generations, usage_logs, campaigns, contacts, email_sends
WITH RECURSIVE subscribed AS (
    SELECT
        s.workspace_id,
        w.timezone AS zone,
        s.started_at,
        GREATEST(CAST(:since AS TIMESTAMPTZ), s.started_at) AS since,
        CAST(s.started_at AT TIME ZONE w.timezone AS DATE) AS anchor,
        CAST(CAST(:since AS TIMESTAMPTZ) AT TIME ZONE w.timezone AS DATE) AS first_day
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
spans AS (
    -- Months end where the next begins; 200 of them reach from any start of the demo to its end.
    SELECT
        h.workspace_id,
        CAST(CAST(h.anchor + n * INTERVAL '1 month' AS DATE) AS TIMESTAMP) AT TIME ZONE h.zone AS begins,
        CAST(CAST(h.anchor + (n + 1) * INTERVAL '1 month' AS DATE) AS TIMESTAMP) AT TIME ZONE h.zone AS ends
    FROM subscribed AS h
    CROSS JOIN generate_series(0, 199) AS n
    WHERE CAST(:period AS TEXT) = 'month'
    UNION ALL
    SELECT
        h.workspace_id,
        CAST(h.first_day + n AS TIMESTAMP) AT TIME ZONE h.zone AS begins,
        CAST(h.first_day + n + 1 AS TIMESTAMP) AT TIME ZONE h.zone AS ends
    FROM subscribed AS h
    CROSS JOIN generate_series(0, 200) AS n
    WHERE CAST(:period AS TEXT) = 'day'
    UNION ALL
    SELECT h.workspace_id, CAST('-infinity' AS TIMESTAMPTZ) AS begins, CAST('infinity' AS TIMESTAMPTZ) AS ends
    FROM subscribed AS h
    WHERE CAST(:period AS TEXT) = 'lifetime'
),
attempted AS (
    SELECT
        g.workspace_id,
        COALESCE(g.request_key, g.id) AS request,
        MIN(g.created_at) AS at,
        CASE CAST(:meter AS TEXT)
            WHEN 'generations' THEN 1
            WHEN 'image_generations' THEN CAST(BOOL_OR(g.generation_type = 'image') AS INTEGER)
            WHEN 'video_generations' THEN CAST(BOOL_OR(g.generation_type = 'video') AS INTEGER)
            WHEN 'ai_credits' THEN MAX(g.credits_used)
            WHEN 'imagen' THEN MAX(GREATEST(1, g.images)) FILTER (WHERE STARTS_WITH(g.model, 'imagen'))
            WHEN 'veo' THEN MAX(1) FILTER (WHERE STARTS_WITH(g.model, 'veo'))
        END AS amount,
        BOOL_OR(g.status <> 'failed') AS counts,
        SUM(COALESCE(g.cost, 0)) AS cost
    FROM ai_generations AS g
    WHERE g.product = :product
    GROUP BY g.workspace_id, COALESCE(g.request_key, g.id)
),
requests AS (
    SELECT workspace_id, request, at, amount, counts, cost FROM attempted WHERE amount > 0
    UNION ALL
    SELECT l.workspace_id, l.id, l.logged_at, l.quantity, TRUE, 0
    FROM usage_logs AS l
    WHERE l.product = :product
        AND l.quantity > 0
        AND (CAST(:meter AS TEXT), l.feature) IN (('api_calls', 'api_call'), ('storage_bytes', 'storage'))
    UNION ALL
    SELECT c.workspace_id, c.id, c.created_at, 1, TRUE, 0
    FROM campaigns AS c
    WHERE c.product = :product AND CAST(:meter AS TEXT) = 'campaigns'
    UNION ALL
    SELECT c.workspace_id, c.id, c.created_at, 1, TRUE, 0
    FROM contacts AS c
    JOIN subscribed AS h ON h.workspace_id = c.workspace_id
    -- Who had left before the time, or before its end, took no room in it.
    WHERE CAST(:meter AS TEXT) = 'contacts'
        AND COALESCE(c.deleted_at, 'infinity') >= CASE WHEN c.created_at < h.since THEN h.since ELSE :until END
    UNION ALL
    SELECT s.workspace_id, s.contact_id, s.first_sent_at, 1, TRUE, 0
    FROM email_sends AS s
    JOIN campaigns AS c ON c.workspace_id = s.workspace_id AND c.id = s.campaign_id
    WHERE c.product = :product AND CAST(:meter AS TEXT) = 'emails'
),
placed AS (
    SELECT
        r.workspace_id,
        m.begins,
        r.request,
        r.at,
        r.amount,
        r.counts,
        r.cost,
        r.at < h.since AS is_before,
        (
            SELECT o.limit_amount
            FROM quota_overrides AS o
            WHERE o.workspace_id = r.workspace_id
                AND o.user_id IS NULL
                AND o.product = :product
                AND o.meter = :meter
                AND o.period = :period
                AND o.starts_at <= r.at
                AND o.ends_at > r.at
            ORDER BY o.starts_at DESC
            LIMIT 1
        ) AS excepted
    FROM requests AS r
    JOIN subscribed AS h ON h.workspace_id = r.workspace_id
    JOIN spans AS m ON m.workspace_id = r.workspace_id AND m.begins <= r.at AND m.ends > r.at
    WHERE r.at < :until
),
used_before AS (
    SELECT workspace_id, begins, SUM(amount) AS used
    FROM placed
    WHERE is_before AND counts
    GROUP BY workspace_id, begins
),
ordered AS (
    SELECT
        p.workspace_id,
        p.begins,
        p.at,
        p.amount,
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
        CAST(0 AS BIGINT) AS amount,
        CAST(0 AS NUMERIC) AS cost
    FROM (SELECT DISTINCT workspace_id, begins FROM ordered) AS o
    LEFT JOIN used_before AS u ON u.workspace_id = o.workspace_id AND u.begins = o.begins
    UNION ALL
    SELECT
        n.workspace_id,
        n.begins,
        n.place,
        CAST(n.used + CASE WHEN n.fits AND n.counts THEN n.amount ELSE 0 END AS BIGINT),
        CASE
            WHEN NOT n.fits THEN n.over_since
            WHEN n.used + CASE WHEN n.counts THEN n.amount ELSE 0 END <= n.allowed THEN NULL
            ELSE COALESCE(n.over_since, n.at)
        END,
        NOT n.fits,
        n.at,
        CAST(n.amount AS BIGINT),
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
            o.amount,
            o.cost,
            o.allowed,
            w.used + o.amount <= o.allowed + CASE
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
    COALESCE(SUM(amount) FILTER (WHERE is_refused), 0) AS amount,
    MIN(at) FILTER (WHERE is_refused) AS first_at,
    COALESCE(SUM(cost) FILTER (WHERE is_refused), 0) AS saved
FROM walked
WHERE place > 0
GROUP BY workspace_id
ORDER BY workspace_id
