-- Ad figures as their source tells them, in the ad account's own days: the zone changes nothing.
SELECT
    w.code AS workspace_code,
    c.code AS campaign_code,
    a.date AS day,
    a.breakdown,
    a.hour,
    a.platform,
    a.placement,
    a.age_range,
    a.gender,
    a.location,
    CAST(a.currency AS TEXT) AS currency,
    a.impressions,
    a.clicks AS ad_clicks,
    a.spend,
    a.conversions AS ad_conversions,
    a.revenue AS ad_revenue,
    COALESCE(a.reach, 0) AS reach,
    a.restatements
FROM performance_analytics AS a
JOIN campaigns AS c ON c.id = a.campaign_id
JOIN workspaces AS w ON w.id = c.workspace_id
