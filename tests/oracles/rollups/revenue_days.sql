-- What invoice lines are worth without tax and discount, spread over the days of their period.
-- A day gets the sum up to it, cut to millionths, less that of the day before: all days together are the line.
WITH digits (currency, number) AS (
    -- ISO 4217; every other currency has two.
    SELECT UNNEST(STRING_TO_ARRAY('BIF CLP DJF GNF ISK JPY KMF KRW PYG RWF UGX UYI VND VUV XAF XOF XPF', ' ')), 0
    UNION ALL
    SELECT UNNEST(ARRAY['BHD', 'IQD', 'JOD', 'KWD', 'LYD', 'OMR', 'TND']), 3
    UNION ALL
    SELECT UNNEST(ARRAY['CLF', 'UYW']), 4
),
lines AS (
    SELECT
        l.workspace_id,
        l.product,
        l.plan_id,
        CAST(l.currency AS TEXT) AS currency,
        (l.amount_minor - l.discount_minor) * CASE i.kind WHEN 'credit_note' THEN -1 ELSE 1 END
            / POWER(CAST(10 AS NUMERIC), COALESCE(d.number, 2)) AS worth,
        DATE(l.period_start AT TIME ZONE :zone) AS first_day,
        GREATEST(DATE(l.period_end AT TIME ZONE :zone) - DATE(l.period_start AT TIME ZONE :zone), 1) AS days
    FROM invoice_lines AS l
    JOIN invoices AS i
        ON i.workspace_id = l.workspace_id
        AND i.id = l.invoice_id
    LEFT JOIN digits AS d ON d.currency = l.currency
    WHERE i.status IN ('open', 'paid', 'uncollectible')
)
SELECT
    w.code AS workspace_code,
    l.product,
    CAST(l.plan_id AS TEXT) AS plan_id,
    l.first_day + n - 1 AS day,
    l.currency,
    SUM(TRUNC(l.worth * n / l.days, 6) - TRUNC(l.worth * (n - 1) / l.days, 6)) AS recognised_revenue
FROM lines AS l
JOIN workspaces AS w ON w.id = l.workspace_id
CROSS JOIN LATERAL GENERATE_SERIES(1, l.days) AS n
GROUP BY 1, 2, 3, 4, 5
