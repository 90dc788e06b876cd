-- Sends at the day of each of their first times, from the events alone.
WITH standing AS (
    -- A bounce counts when it is hard, or when no delivery came with it or after it.
    SELECT
        b.campaign_id,
        b.contact_id,
        (ARRAY['hard', 'soft', 'undetermined'])[
            MIN(ARRAY_POSITION(ARRAY['hard', 'soft', 'undetermined'], b.bounce_type))
        ] AS class
    FROM email_events AS b
    WHERE b.event_type = 'bounced'
    GROUP BY b.campaign_id, b.contact_id
    HAVING BOOL_OR(b.bounce_type = 'hard')
        OR NOT EXISTS (
            SELECT
            FROM email_events AS d
            WHERE d.campaign_id = b.campaign_id
                AND d.contact_id = b.contact_id
                AND d.event_type = 'delivered'
                AND d.occurred_at >= MAX(b.occurred_at)
        )
),
firsts AS (
    SELECT
        e.workspace_id,
        e.campaign_id,
        e.contact_id,
        kind.name,
        CASE WHEN kind.name = 'bounced' THEN s.class END AS class,
        MIN(e.occurred_at) AT TIME ZONE :zone AS local_time
    FROM email_events AS e
    LEFT JOIN standing AS s
        ON s.campaign_id = e.campaign_id
        AND s.contact_id = e.contact_id
    CROSS JOIN LATERAL UNNEST(ARRAY[
        e.event_type,
        CASE WHEN e.event_type IN ('opened', 'clicked') THEN 'confirmed' END,
        CASE WHEN e.event_type = 'opened' AND e.is_machine_open IS NOT TRUE THEN 'opened by a human' END
    ]) AS kind (name)
    WHERE kind.name IS NOT NULL
        AND (e.event_type <> 'bounced' OR s.class IS NOT NULL)
    GROUP BY e.workspace_id, e.campaign_id, e.contact_id, kind.name, s.class
)
SELECT
    w.code AS workspace_code,
    c.code AS campaign_code,
    CAST(f.local_time AS DATE) AS day,
    COUNT(*) FILTER (WHERE f.name = 'sent') AS emails_sent,
    COUNT(*) FILTER (WHERE f.name = 'delivered') AS emails_delivered,
    COUNT(*) FILTER (WHERE f.name = 'opened') AS emails_opened,
    COUNT(*) FILTER (WHERE f.name = 'opened by a human') AS emails_human_opened,
    COUNT(*) FILTER (WHERE f.name = 'clicked') AS emails_clicked,
    COUNT(*) FILTER (WHERE f.name = 'confirmed') AS emails_confirmed,
    COUNT(*) FILTER (WHERE f.name = 'bounced') AS emails_bounced,
    -- Every class at the day of the first bounce of any.
    COUNT(*) FILTER (WHERE f.name = 'bounced' AND f.class = 'hard') AS emails_bounced_hard,
    COUNT(*) FILTER (WHERE f.name = 'bounced' AND f.class = 'soft') AS emails_bounced_soft,
    COUNT(*) FILTER (WHERE f.name = 'bounced' AND f.class = 'undetermined') AS emails_bounced_undetermined,
    COUNT(*) FILTER (WHERE f.name = 'unsubscribed') AS emails_unsubscribed,
    COUNT(*) FILTER (WHERE f.name = 'complained') AS emails_complained
FROM firsts AS f
JOIN workspaces AS w ON w.id = f.workspace_id
JOIN campaigns AS c ON c.id = f.campaign_id
GROUP BY w.code, c.code, CAST(f.local_time AS DATE)
