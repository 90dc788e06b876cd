-- One row per campaign, component and day: how often each part of a page was seen and used.
-- What happened on no component in particular has a component that is NULL, so that the parts add up to the campaign.
-- grain: workspace_code, campaign_code, component_id, day
-- reads: campaign_events
-- unit: row
SELECT
    workspace_code,
    campaign_code,
    component_id,
    CAST(occurred_at AS DATE) AS day,
    COUNT(*) FILTER (WHERE event_type = 'view') AS views,
    COUNT(*) FILTER (WHERE event_type = 'click') AS clicks,
    COUNT(*) FILTER (WHERE event_type = 'form_submit') AS form_submits
FROM campaign_events
WHERE event_type IN ('view', 'click', 'form_submit')
GROUP BY
    workspace_code,
    campaign_code,
    component_id,
    CAST(occurred_at AS DATE)
