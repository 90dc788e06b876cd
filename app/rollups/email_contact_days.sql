-- One row per contact and day on which the contact opened or clicked anything: people of any period are the contacts
-- whose sums in it are more than nothing.
-- grain: workspace_code, contact_code, day
-- reads: email_events
-- unit: row
SELECT
    workspace_code,
    contact_code,
    CAST(occurred_at AS DATE) AS day,
    COUNT(*) FILTER (WHERE event_type = 'opened') AS opened_events,
    COUNT(*) FILTER (WHERE event_type = 'opened' AND is_machine_open IS NOT TRUE) AS human_opened_events,
    COUNT(*) FILTER (WHERE event_type = 'clicked') AS clicked_events
FROM email_events
WHERE event_type IN ('opened', 'clicked')
GROUP BY
    workspace_code,
    contact_code,
    CAST(occurred_at AS DATE)
