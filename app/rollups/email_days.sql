-- One row per e-mail campaign and day: to how many of its sends each thing happened for the first time.
-- A send is one campaign's e-mail to one contact; `confirmed` is opened or clicked, whichever came first.
-- grain: workspace_code, campaign_code, day
-- reads: email_sends
-- unit: row
SELECT
    workspace_code,
    campaign_code,
    day,
    CAST(COALESCE(SUM(sends) FILTER (WHERE what = 'sent'), 0) AS BIGINT) AS emails_sent,
    CAST(COALESCE(SUM(sends) FILTER (WHERE what = 'delivered'), 0) AS BIGINT) AS emails_delivered,
    CAST(COALESCE(SUM(sends) FILTER (WHERE what = 'opened'), 0) AS BIGINT) AS emails_opened,
    CAST(COALESCE(SUM(sends) FILTER (WHERE what = 'human_opened'), 0) AS BIGINT) AS emails_human_opened,
    CAST(COALESCE(SUM(sends) FILTER (WHERE what = 'clicked'), 0) AS BIGINT) AS emails_clicked,
    CAST(COALESCE(SUM(sends) FILTER (WHERE what = 'confirmed'), 0) AS BIGINT) AS emails_confirmed,
    CAST(COALESCE(SUM(sends) FILTER (WHERE what IN ('hard', 'soft', 'undetermined')), 0) AS BIGINT) AS emails_bounced,
    CAST(COALESCE(SUM(sends) FILTER (WHERE what = 'hard'), 0) AS BIGINT) AS emails_bounced_hard,
    CAST(COALESCE(SUM(sends) FILTER (WHERE what = 'soft'), 0) AS BIGINT) AS emails_bounced_soft,
    CAST(COALESCE(SUM(sends) FILTER (WHERE what = 'undetermined'), 0) AS BIGINT) AS emails_bounced_undetermined,
    CAST(COALESCE(SUM(sends) FILTER (WHERE what = 'unsubscribed'), 0) AS BIGINT) AS emails_unsubscribed,
    CAST(COALESCE(SUM(sends) FILTER (WHERE what = 'complained'), 0) AS BIGINT) AS emails_complained
FROM (
    SELECT
        workspace_code,
        campaign_code,
        CAST(first_sent_at AS DATE) AS day,
        'sent' AS what,
        COUNT(*) AS sends
    FROM email_sends
    WHERE first_sent_at IS NOT NULL
    GROUP BY workspace_code, campaign_code, CAST(first_sent_at AS DATE)
    UNION ALL
    SELECT
        workspace_code,
        campaign_code,
        CAST(first_delivered_at AS DATE) AS day,
        'delivered' AS what,
        COUNT(*) AS sends
    FROM email_sends
    WHERE first_delivered_at IS NOT NULL
    GROUP BY workspace_code, campaign_code, CAST(first_delivered_at AS DATE)
    UNION ALL
    SELECT
        workspace_code,
        campaign_code,
        CAST(first_opened_at AS DATE) AS day,
        'opened' AS what,
        COUNT(*) AS sends
    FROM email_sends
    WHERE first_opened_at IS NOT NULL
    GROUP BY workspace_code, campaign_code, CAST(first_opened_at AS DATE)
    UNION ALL
    SELECT
        workspace_code,
        campaign_code,
        CAST(first_human_opened_at AS DATE) AS day,
        'human_opened' AS what,
        COUNT(*) AS sends
    FROM email_sends
    WHERE first_human_opened_at IS NOT NULL
    GROUP BY workspace_code, campaign_code, CAST(first_human_opened_at AS DATE)
    UNION ALL
    SELECT
        workspace_code,
        campaign_code,
        CAST(first_clicked_at AS DATE) AS day,
        'clicked' AS what,
        COUNT(*) AS sends
    FROM email_sends
    WHERE first_clicked_at IS NOT NULL
    GROUP BY workspace_code, campaign_code, CAST(first_clicked_at AS DATE)
    UNION ALL
    SELECT
        workspace_code,
        campaign_code,
        CAST(LEAST(first_opened_at, first_clicked_at) AS DATE) AS day,
        'confirmed' AS what,
        COUNT(*) AS sends
    FROM email_sends
    WHERE LEAST(first_opened_at, first_clicked_at) IS NOT NULL
    GROUP BY workspace_code, campaign_code, CAST(LEAST(first_opened_at, first_clicked_at) AS DATE)
    UNION ALL
    SELECT
        workspace_code,
        campaign_code,
        CAST(first_bounced_at AS DATE) AS day,
        bounce_type AS what,
        COUNT(*) AS sends
    FROM email_sends
    WHERE first_bounced_at IS NOT NULL
    GROUP BY workspace_code, campaign_code, CAST(first_bounced_at AS DATE), bounce_type
    UNION ALL
    SELECT
        workspace_code,
        campaign_code,
        CAST(first_unsubscribed_at AS DATE) AS day,
        'unsubscribed' AS what,
        COUNT(*) AS sends
    FROM email_sends
    WHERE first_unsubscribed_at IS NOT NULL
    GROUP BY workspace_code, campaign_code, CAST(first_unsubscribed_at AS DATE)
    UNION ALL
    SELECT
        workspace_code,
        campaign_code,
        CAST(first_complained_at AS DATE) AS day,
        'complained' AS what,
        COUNT(*) AS sends
    FROM email_sends
    WHERE first_complained_at IS NOT NULL
    GROUP BY workspace_code, campaign_code, CAST(first_complained_at AS DATE)
) AS first_times
GROUP BY workspace_code, campaign_code, day
