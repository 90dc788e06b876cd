-- One row per campaign, day, source, medium and country: what visitors did on the pages of web campaigns.
-- `web_events` counts every event; the six columns after it are its kinds and add up to it.
-- grain: workspace_code, campaign_code, day, source, medium, country
-- reads: campaign_events
-- unit: row
SELECT
    workspace_code,
    campaign_code,
    CAST(occurred_at AS DATE) AS day,
    source,
    medium,
    country,
    COUNT(*) AS web_events,
    COUNT(*) FILTER (WHERE event_type = 'view') AS views,
    COUNT(*) FILTER (WHERE event_type = 'click') AS clicks,
    COUNT(*) FILTER (WHERE event_type = 'form_submit') AS form_submits,
    COUNT(*) FILTER (WHERE event_type = 'email_open') AS web_email_opens,
    COUNT(*) FILTER (WHERE event_type = 'email_click') AS web_email_clicks,
    COUNT(*) FILTER (WHERE event_type = 'conversion') AS conversion_events
FROM campaign_events
GROUP BY
    workspace_code,
    campaign_code,
    CAST(occurred_at AS DATE),
    source,
    medium,
    country
