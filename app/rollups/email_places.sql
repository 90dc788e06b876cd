-- One row per e-mail campaign, day and place of the reader: how many opens and clicks there were, repeats included.
-- What providers tell without a place has one that is NULL, so that the places add up to all.
-- grain: workspace_code, campaign_code, day, location
-- reads: email_events
-- unit: row
SELECT
    workspace_code,
    campaign_code,
    CAST(occurred_at AS DATE) AS day,
    location,
    COUNT(*) FILTER (WHERE event_type = 'opened') AS opened_events,
    COUNT(*) FILTER (WHERE event_type = 'opened' AND is_machine_open IS NOT TRUE) AS human_opened_events,
    COUNT(*) FILTER (WHERE event_type = 'clicked') AS clicked_events
FROM email_events
WHERE event_type IN ('opened', 'clicked')
GROUP BY
    workspace_code,
    campaign_code,
    CAST(occurred_at AS DATE),
    location
