-- One row per e-mail campaign, day and hour: to how many sends each thing happened first in this hour,
-- and what later became of those that were sent in it, which tells when sending is worth it.
-- grain: workspace_code, campaign_code, day, hour
-- reads: email_sends
-- unit: row
/* An instant becomes the zone's clock once, and sends of the same hours are counted before they are taken apart. */
WITH local_times AS (
    SELECT
        workspace_code,
        campaign_code,
        CAST(first_sent_at AS TIMESTAMP) AS sent_at,
        CAST(first_delivered_at AS TIMESTAMP) AS delivered_at,
        CAST(first_opened_at AS TIMESTAMP) AS opened_at,
        CAST(first_human_opened_at AS TIMESTAMP) AS human_opened_at,
        CAST(first_clicked_at AS TIMESTAMP) AS clicked_at
    FROM email_sends
), alike AS (
    SELECT
        workspace_code,
        campaign_code,
        CAST(sent_at AS DATE) AS sent_day,
        CAST(EXTRACT(HOUR FROM sent_at) AS INT) AS sent_hour,
        CAST(delivered_at AS DATE) AS delivered_day,
        CAST(EXTRACT(HOUR FROM delivered_at) AS INT) AS delivered_hour,
        CAST(opened_at AS DATE) AS opened_day,
        CAST(EXTRACT(HOUR FROM opened_at) AS INT) AS opened_hour,
        CAST(human_opened_at AS DATE) AS human_opened_day,
        CAST(EXTRACT(HOUR FROM human_opened_at) AS INT) AS human_opened_hour,
        CAST(clicked_at AS DATE) AS clicked_day,
        CAST(EXTRACT(HOUR FROM clicked_at) AS INT) AS clicked_hour,
        COUNT(*) AS emails
    FROM local_times
    GROUP BY
        workspace_code,
        campaign_code,
        CAST(sent_at AS DATE),
        CAST(EXTRACT(HOUR FROM sent_at) AS INT),
        CAST(delivered_at AS DATE),
        CAST(EXTRACT(HOUR FROM delivered_at) AS INT),
        CAST(opened_at AS DATE),
        CAST(EXTRACT(HOUR FROM opened_at) AS INT),
        CAST(human_opened_at AS DATE),
        CAST(EXTRACT(HOUR FROM human_opened_at) AS INT),
        CAST(clicked_at AS DATE),
        CAST(EXTRACT(HOUR FROM clicked_at) AS INT)
), first_times AS (
    SELECT
        workspace_code,
        campaign_code,
        what,
        CASE what
            WHEN 'sent' THEN sent_day
            WHEN 'delivered' THEN delivered_day
            WHEN 'opened' THEN opened_day
            WHEN 'human_opened' THEN human_opened_day
            WHEN 'clicked' THEN clicked_day
        END AS day,
        CASE what
            WHEN 'sent' THEN sent_hour
            WHEN 'delivered' THEN delivered_hour
            WHEN 'opened' THEN opened_hour
            WHEN 'human_opened' THEN human_opened_hour
            WHEN 'clicked' THEN clicked_hour
        END AS hour,
        delivered_day,
        opened_day,
        human_opened_day,
        clicked_day,
        emails
    FROM alike
    CROSS JOIN (
        VALUES
            ('sent'),
            ('delivered'),
            ('opened'),
            ('human_opened'),
            ('clicked')
    ) AS things (what)
)
SELECT
    workspace_code,
    campaign_code,
    day,
    hour,
    CAST(COALESCE(SUM(emails) FILTER (WHERE what = 'sent'), 0) AS BIGINT) AS emails_sent,
    CAST(COALESCE(SUM(emails) FILTER (WHERE what = 'delivered'), 0) AS BIGINT) AS emails_delivered,
    CAST(COALESCE(SUM(emails) FILTER (WHERE what = 'opened'), 0) AS BIGINT) AS emails_opened,
    CAST(COALESCE(SUM(emails) FILTER (WHERE what = 'human_opened'), 0) AS BIGINT) AS emails_human_opened,
    CAST(COALESCE(SUM(emails) FILTER (WHERE what = 'clicked'), 0) AS BIGINT) AS emails_clicked,
    CAST(
        COALESCE(SUM(emails) FILTER (WHERE what = 'sent' AND delivered_day IS NOT NULL), 0) AS BIGINT
    ) AS sent_then_delivered,
    CAST(
        COALESCE(SUM(emails) FILTER (WHERE what = 'sent' AND opened_day IS NOT NULL), 0) AS BIGINT
    ) AS sent_then_opened,
    CAST(
        COALESCE(SUM(emails) FILTER (WHERE what = 'sent' AND human_opened_day IS NOT NULL), 0) AS BIGINT
    ) AS sent_then_human_opened,
    CAST(
        COALESCE(SUM(emails) FILTER (WHERE what = 'sent' AND clicked_day IS NOT NULL), 0) AS BIGINT
    ) AS sent_then_clicked
FROM first_times
WHERE day IS NOT NULL
GROUP BY
    workspace_code,
    campaign_code,
    day,
    hour
