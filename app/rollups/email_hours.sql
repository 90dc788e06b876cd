-- One row per e-mail campaign, day and hour: to how many sends each thing happened first in this hour,
-- and what later became of those that were sent in it, which tells when sending is worth it.
-- grain: workspace_code, campaign_code, day, hour
-- reads: email_sends
-- unit: row
SELECT
    workspace_code,
    campaign_code,
    day,
    hour,
    CAST(COALESCE(SUM(sends) FILTER (WHERE what = 'sent'), 0) AS BIGINT) AS emails_sent,
    CAST(COALESCE(SUM(sends) FILTER (WHERE what = 'delivered'), 0) AS BIGINT) AS emails_delivered,
    CAST(COALESCE(SUM(sends) FILTER (WHERE what = 'opened'), 0) AS BIGINT) AS emails_opened,
    CAST(COALESCE(SUM(sends) FILTER (WHERE what = 'human_opened'), 0) AS BIGINT) AS emails_human_opened,
    CAST(COALESCE(SUM(sends) FILTER (WHERE what = 'clicked'), 0) AS BIGINT) AS emails_clicked,
    CAST(COALESCE(SUM(sends) FILTER (WHERE what = 'sent_then_delivered'), 0) AS BIGINT) AS sent_then_delivered,
    CAST(COALESCE(SUM(sends) FILTER (WHERE what = 'sent_then_opened'), 0) AS BIGINT) AS sent_then_opened,
    CAST(COALESCE(SUM(sends) FILTER (WHERE what = 'sent_then_human_opened'), 0) AS BIGINT) AS sent_then_human_opened,
    CAST(COALESCE(SUM(sends) FILTER (WHERE what = 'sent_then_clicked'), 0) AS BIGINT) AS sent_then_clicked
FROM (
    SELECT
        workspace_code,
        campaign_code,
        CAST(first_sent_at AS DATE) AS day,
        CAST(EXTRACT(HOUR FROM first_sent_at) AS INT) AS hour,
        'sent' AS what,
        COUNT(*) AS sends
    FROM email_sends
    WHERE first_sent_at IS NOT NULL
    GROUP BY workspace_code, campaign_code, CAST(first_sent_at AS DATE), CAST(EXTRACT(HOUR FROM first_sent_at) AS INT)
    UNION ALL
    SELECT
        workspace_code,
        campaign_code,
        CAST(first_delivered_at AS DATE) AS day,
        CAST(EXTRACT(HOUR FROM first_delivered_at) AS INT) AS hour,
        'delivered' AS what,
        COUNT(*) AS sends
    FROM email_sends
    WHERE first_delivered_at IS NOT NULL
    GROUP BY workspace_code, campaign_code, CAST(first_delivered_at AS DATE), CAST(EXTRACT(HOUR FROM first_delivered_at) AS INT)
    UNION ALL
    SELECT
        workspace_code,
        campaign_code,
        CAST(first_opened_at AS DATE) AS day,
        CAST(EXTRACT(HOUR FROM first_opened_at) AS INT) AS hour,
        'opened' AS what,
        COUNT(*) AS sends
    FROM email_sends
    WHERE first_opened_at IS NOT NULL
    GROUP BY workspace_code, campaign_code, CAST(first_opened_at AS DATE), CAST(EXTRACT(HOUR FROM first_opened_at) AS INT)
    UNION ALL
    SELECT
        workspace_code,
        campaign_code,
        CAST(first_human_opened_at AS DATE) AS day,
        CAST(EXTRACT(HOUR FROM first_human_opened_at) AS INT) AS hour,
        'human_opened' AS what,
        COUNT(*) AS sends
    FROM email_sends
    WHERE first_human_opened_at IS NOT NULL
    GROUP BY workspace_code, campaign_code, CAST(first_human_opened_at AS DATE), CAST(EXTRACT(HOUR FROM first_human_opened_at) AS INT)
    UNION ALL
    SELECT
        workspace_code,
        campaign_code,
        CAST(first_clicked_at AS DATE) AS day,
        CAST(EXTRACT(HOUR FROM first_clicked_at) AS INT) AS hour,
        'clicked' AS what,
        COUNT(*) AS sends
    FROM email_sends
    WHERE first_clicked_at IS NOT NULL
    GROUP BY workspace_code, campaign_code, CAST(first_clicked_at AS DATE), CAST(EXTRACT(HOUR FROM first_clicked_at) AS INT)
    UNION ALL
    SELECT
        workspace_code,
        campaign_code,
        CAST(first_sent_at AS DATE) AS day,
        CAST(EXTRACT(HOUR FROM first_sent_at) AS INT) AS hour,
        'sent_then_delivered' AS what,
        COUNT(*) AS sends
    FROM email_sends
    WHERE first_sent_at IS NOT NULL AND first_delivered_at IS NOT NULL
    GROUP BY workspace_code, campaign_code, CAST(first_sent_at AS DATE), CAST(EXTRACT(HOUR FROM first_sent_at) AS INT)
    UNION ALL
    SELECT
        workspace_code,
        campaign_code,
        CAST(first_sent_at AS DATE) AS day,
        CAST(EXTRACT(HOUR FROM first_sent_at) AS INT) AS hour,
        'sent_then_opened' AS what,
        COUNT(*) AS sends
    FROM email_sends
    WHERE first_sent_at IS NOT NULL AND first_opened_at IS NOT NULL
    GROUP BY workspace_code, campaign_code, CAST(first_sent_at AS DATE), CAST(EXTRACT(HOUR FROM first_sent_at) AS INT)
    UNION ALL
    SELECT
        workspace_code,
        campaign_code,
        CAST(first_sent_at AS DATE) AS day,
        CAST(EXTRACT(HOUR FROM first_sent_at) AS INT) AS hour,
        'sent_then_human_opened' AS what,
        COUNT(*) AS sends
    FROM email_sends
    WHERE first_sent_at IS NOT NULL AND first_human_opened_at IS NOT NULL
    GROUP BY workspace_code, campaign_code, CAST(first_sent_at AS DATE), CAST(EXTRACT(HOUR FROM first_sent_at) AS INT)
    UNION ALL
    SELECT
        workspace_code,
        campaign_code,
        CAST(first_sent_at AS DATE) AS day,
        CAST(EXTRACT(HOUR FROM first_sent_at) AS INT) AS hour,
        'sent_then_clicked' AS what,
        COUNT(*) AS sends
    FROM email_sends
    WHERE first_sent_at IS NOT NULL AND first_clicked_at IS NOT NULL
    GROUP BY workspace_code, campaign_code, CAST(first_sent_at AS DATE), CAST(EXTRACT(HOUR FROM first_sent_at) AS INT)
) AS first_times
GROUP BY workspace_code, campaign_code, day, hour
