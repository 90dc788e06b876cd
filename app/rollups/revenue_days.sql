-- One row per plan, day and currency: revenue recognised on that day, in major units.
-- A line's amount less its discount (tax is beside the amount, not in it) is spread evenly over its days: from the day
-- of `period_start` until the day of `period_end`, which is not one of them; a period within one day is recognised on
-- that day. Credit notes are negative, over the periods of their own lines. Lines of drafts and voids are not in it;
-- those of uncollectible invoices are: the service was given, and the loss is an expense.
-- Day k of n gets the rounded share of the first k days minus that of the first k - 1, in millionths, so the days of a
-- line add up to the line exactly. Every quotient is one of whole numbers without a remainder, which all engines give
-- alike up to 2^53: 9.0e15 minor units a line, and 9.2e12 major units a day.
-- Minor units have the digits that ISO 4217 gives the currency: none (JPY), three (KWD), four (CLF), otherwise two.
-- grain: workspace_code, product, plan_id, day, currency
-- reads: invoice_lines, invoices, calendar
-- unit: invoice_lines(invoice_id), invoices(id)
WITH periods AS (
    SELECT
        invoice_lines.workspace_code,
        invoice_lines.product,
        invoice_lines.plan_id,
        invoice_lines.currency,
        first_days.number AS first_number,
        GREATEST(end_days.number - first_days.number, 1) AS days,
        (invoice_lines.amount_minor - invoice_lines.discount_minor)
        * CASE WHEN invoices.kind = 'credit_note' THEN -1 ELSE 1 END AS net_minor,
        CASE
            WHEN invoice_lines.currency IN (
                'BIF', 'CLP', 'DJF', 'GNF', 'ISK', 'JPY', 'KMF', 'KRW', 'PYG', 'RWF', 'UGX', 'UYI', 'VND', 'VUV',
                'XAF', 'XOF', 'XPF'
            ) THEN 1000000
            WHEN invoice_lines.currency IN ('BHD', 'IQD', 'JOD', 'KWD', 'LYD', 'OMR', 'TND') THEN 1000
            WHEN invoice_lines.currency IN ('CLF', 'UYW') THEN 100
            ELSE 10000
        END AS millionths_per_minor
    FROM invoice_lines
    JOIN invoices
        ON invoices.id = invoice_lines.invoice_id
    JOIN calendar AS first_days
        ON first_days.day = CAST(invoice_lines.period_start AS DATE)
    JOIN calendar AS end_days
        ON end_days.day = CAST(invoice_lines.period_end AS DATE)
    WHERE invoices.status NOT IN ('draft', 'void')
),
shares AS (
    SELECT
        workspace_code,
        product,
        plan_id,
        currency,
        first_number,
        days,
        CAST((net_minor - MOD(net_minor, days)) / days AS BIGINT) * millionths_per_minor AS whole_millionths,
        MOD(net_minor, days) * millionths_per_minor AS rest_millionths
    FROM periods
),
lengths AS (
    -- Many lines have few lengths: with the places of each length made first, lines are joined by equality alone.
    SELECT DISTINCT days
    FROM periods
),
places AS (
    SELECT
        lengths.days,
        calendar.number - origins.number AS place
    FROM lengths
    CROSS JOIN (SELECT MIN(number) AS number FROM calendar) AS origins
    JOIN calendar
        ON calendar.number < origins.number + lengths.days
),
daily AS (
    SELECT
        shares.workspace_code,
        shares.product,
        shares.plan_id,
        shares.currency,
        shares.first_number + places.place AS number,
        shares.whole_millionths + CAST(
            (
                shares.rest_millionths
                + MOD(shares.rest_millionths * places.place, shares.days)
                - MOD(shares.rest_millionths * (places.place + 1), shares.days)
            ) / shares.days AS BIGINT
        ) AS millionths
    FROM shares
    JOIN places
        ON places.days = shares.days
)
SELECT
    daily.workspace_code,
    daily.product,
    daily.plan_id,
    calendar.day,
    daily.currency,
    CAST(SUM(CAST(daily.millionths AS DECIMAL(20, 0)) * 0.000001) AS DECIMAL(38, 6)) AS recognised_revenue
FROM daily
JOIN calendar
    ON calendar.number = daily.number
GROUP BY
    daily.workspace_code,
    daily.product,
    daily.plan_id,
    calendar.day,
    daily.currency
