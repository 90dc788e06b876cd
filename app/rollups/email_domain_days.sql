-- The same as email_days, also by the receiving domain: how well mail reaches each of them.
-- A send is one campaign's e-mail to one contact; `confirmed` is opened or clicked, whichever came first.
-- grain: workspace_code, campaign_code, email_domain, day
-- reads: email_sends
-- unit: row
/* Sends of the same days are counted first: what is then taken apart is a hundredth of the table, read once. */
WITH alike AS (
    SELECT
        workspace_code,
        campaign_code,
        email_domain,
        CAST(first_sent_at AS DATE) AS sent_day,
        CAST(first_delivered_at AS DATE) AS delivered_day,
        CAST(first_opened_at AS DATE) AS opened_day,
        CAST(first_human_opened_at AS DATE) AS human_opened_day,
        CAST(first_clicked_at AS DATE) AS clicked_day,
        CAST(first_bounced_at AS DATE) AS bounced_day,
        CAST(first_unsubscribed_at AS DATE) AS unsubscribed_day,
        CAST(first_complained_at AS DATE) AS complained_day,
        bounce_type,
        COUNT(*) AS emails
    FROM email_sends
    GROUP BY
        workspace_code,
        campaign_code,
        email_domain,
        CAST(first_sent_at AS DATE),
        CAST(first_delivered_at AS DATE),
        CAST(first_opened_at AS DATE),
        CAST(first_human_opened_at AS DATE),
        CAST(first_clicked_at AS DATE),
        CAST(first_bounced_at AS DATE),
        CAST(first_unsubscribed_at AS DATE),
        CAST(first_complained_at AS DATE),
        bounce_type
), first_times AS (
    SELECT
        workspace_code,
        campaign_code,
        email_domain,
        what,
        CASE what
            WHEN 'sent' THEN sent_day
            WHEN 'delivered' THEN delivered_day
            WHEN 'opened' THEN opened_day
            WHEN 'human_opened' THEN human_opened_day
            WHEN 'clicked' THEN clicked_day
            WHEN 'confirmed' THEN LEAST(opened_day, clicked_day)
            WHEN 'bounced' THEN bounced_day
            WHEN 'unsubscribed' THEN unsubscribed_day
            WHEN 'complained' THEN complained_day
        END AS day,
        bounce_type,
        emails
    FROM alike
    CROSS JOIN (
        VALUES
            ('sent'),
            ('delivered'),
            ('opened'),
            ('human_opened'),
            ('clicked'),
            ('confirmed'),
            ('bounced'),
            ('unsubscribed'),
            ('complained')
    ) AS things (what)
)
SELECT
    workspace_code,
    campaign_code,
    email_domain,
    day,
    CAST(COALESCE(SUM(emails) FILTER (WHERE what = 'sent'), 0) AS BIGINT) AS emails_sent,
    CAST(COALESCE(SUM(emails) FILTER (WHERE what = 'delivered'), 0) AS BIGINT) AS emails_delivered,
    CAST(COALESCE(SUM(emails) FILTER (WHERE what = 'opened'), 0) AS BIGINT) AS emails_opened,
    CAST(COALESCE(SUM(emails) FILTER (WHERE what = 'human_opened'), 0) AS BIGINT) AS emails_human_opened,
    CAST(COALESCE(SUM(emails) FILTER (WHERE what = 'clicked'), 0) AS BIGINT) AS emails_clicked,
    CAST(COALESCE(SUM(emails) FILTER (WHERE what = 'confirmed'), 0) AS BIGINT) AS emails_confirmed,
    CAST(COALESCE(SUM(emails) FILTER (WHERE what = 'bounced'), 0) AS BIGINT) AS emails_bounced,
    CAST(
        COALESCE(SUM(emails) FILTER (WHERE what = 'bounced' AND bounce_type = 'hard'), 0) AS BIGINT
    ) AS emails_bounced_hard,
    CAST(
        COALESCE(SUM(emails) FILTER (WHERE what = 'bounced' AND bounce_type = 'soft'), 0) AS BIGINT
    ) AS emails_bounced_soft,
    CAST(
        COALESCE(SUM(emails) FILTER (WHERE what = 'bounced' AND bounce_type = 'undetermined'), 0) AS BIGINT
    ) AS emails_bounced_undetermined,
    CAST(COALESCE(SUM(emails) FILTER (WHERE what = 'unsubscribed'), 0) AS BIGINT) AS emails_unsubscribed,
    CAST(COALESCE(SUM(emails) FILTER (WHERE what = 'complained'), 0) AS BIGINT) AS emails_complained
FROM first_times
WHERE day IS NOT NULL
GROUP BY
    workspace_code,
    campaign_code,
    email_domain,
    day
