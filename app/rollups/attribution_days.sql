-- One row per day, model, touched campaign, source, medium and currency: which touches earned the conversions.
-- Touches of a conversion are the events of its session (view, click, form_submit, email_open, email_click), on any
-- campaign of the workspace, at most 7 days (168 hours, in every zone) before it and not after it.
-- `first` gives all to the earliest touch, `last` to the latest, `linear` an equal part to each, in millionths, with
-- what is left over on the latest. Touches at the same moment are told apart by their id.
-- A conversion without a touch, as every one without a session, is there with campaign, source and medium NULL: in each
-- model the parts add up to all conversions and to their value in each currency, exactly.
-- The day and the workspace are the conversion's; campaign, source and medium are the touch's.
-- Values are exact in all engines below 9.0e11 major units a conversion (2^53 ten-thousandths).
-- grain: workspace_code, day, model, touch_campaign_code, source, medium, currency
-- reads: conversions, campaign_events
-- unit: conversions(workspace_code, session_id), campaign_events(workspace_code, session_id)
WITH touches AS (
    SELECT
        workspace_code,
        session_id,
        id,
        campaign_code,
        occurred_at,
        source,
        medium
    FROM campaign_events
    WHERE event_type IN ('view', 'click', 'form_submit', 'email_open', 'email_click')
        AND session_id IS NOT NULL
),
credits AS (
    SELECT
        conversions.workspace_code,
        CAST(conversions.occurred_at AS DATE) AS day,
        touches.campaign_code AS touch_campaign_code,
        touches.source,
        touches.medium,
        conversions.currency,
        CAST(CAST(conversions.value AS DECIMAL(28, 4)) * 10000 AS BIGINT) AS ten_thousandths,
        ROW_NUMBER() OVER (PARTITION BY conversions.id ORDER BY touches.occurred_at, touches.id) AS place,
        -- One also where there is no touch: then the conversion is its own only part.
        COUNT(*) OVER (PARTITION BY conversions.id) AS parts
    FROM conversions
    LEFT JOIN touches
        ON touches.workspace_code = conversions.workspace_code
        AND touches.session_id = conversions.session_id
        AND touches.occurred_at <= conversions.occurred_at
        -- INTERVAL '7' DAY, in Spark '168' HOUR too, counts local days: an hour off when clocks change.
        AND touches.occurred_at >= conversions.occurred_at - CAST('168 hours' AS INTERVAL)
),
even_parts AS (
    SELECT
        workspace_code,
        day,
        touch_campaign_code,
        source,
        medium,
        currency,
        place,
        parts,
        ten_thousandths,
        CAST((1000000 - MOD(1000000, parts)) / parts AS BIGINT) AS even_conversion,
        CAST((ten_thousandths - MOD(ten_thousandths, parts)) / parts AS BIGINT) * 100
        + CAST(
            (MOD(ten_thousandths, parts) * 100 - MOD(MOD(ten_thousandths, parts) * 100, parts)) / parts AS BIGINT
        ) AS even_value
    FROM credits
),
models AS (
    SELECT 'first' AS model
    UNION ALL
    SELECT 'last' AS model
    UNION ALL
    SELECT 'linear' AS model
),
shares AS (
    SELECT
        even_parts.workspace_code,
        even_parts.day,
        models.model,
        even_parts.touch_campaign_code,
        even_parts.source,
        even_parts.medium,
        even_parts.currency,
        CASE
            WHEN models.model <> 'linear' THEN 1000000
            WHEN even_parts.place < even_parts.parts THEN even_parts.even_conversion
            ELSE 1000000 - (even_parts.parts - 1) * even_parts.even_conversion
        END AS conversion_millionths,
        CASE
            WHEN models.model <> 'linear' THEN even_parts.ten_thousandths * 100
            WHEN even_parts.place < even_parts.parts THEN even_parts.even_value
            ELSE even_parts.ten_thousandths * 100 - (even_parts.parts - 1) * even_parts.even_value
        END AS value_millionths
    FROM even_parts
    CROSS JOIN models
    WHERE models.model = 'linear'
        OR (models.model = 'first' AND even_parts.place = 1)
        OR (models.model = 'last' AND even_parts.place = even_parts.parts)
)
SELECT
    workspace_code,
    day,
    model,
    touch_campaign_code,
    source,
    medium,
    currency,
    CAST(SUM(CAST(conversion_millionths AS DECIMAL(20, 0)) * 0.000001) AS DECIMAL(38, 6)) AS attributed_conversions,
    CAST(SUM(CAST(value_millionths AS DECIMAL(20, 0)) * 0.000001) AS DECIMAL(38, 6)) AS attributed_value
FROM shares
GROUP BY
    workspace_code,
    day,
    model,
    touch_campaign_code,
    source,
    medium,
    currency
