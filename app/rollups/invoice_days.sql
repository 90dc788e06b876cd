-- One row per day of issue, currency, kind and status: invoices and credit notes, with their amounts in major units.
-- `invoices` counts documents of either kind; the amounts of credit notes are negative. Drafts and what was never
-- issued are not in it; what was voided is, under its status.
-- Minor units have the digits that ISO 4217 gives the currency: none (JPY), three (KWD), four (CLF), otherwise two.
-- grain: workspace_code, day, currency, invoice_kind, invoice_status
-- reads: invoices
-- unit: row
WITH issued AS (
    SELECT
        workspace_code,
        CAST(issued_at AS DATE) AS day,
        currency,
        kind AS invoice_kind,
        status AS invoice_status,
        CAST(subtotal_minor AS DECIMAL(19, 0)) AS subtotal_minor,
        CAST(discount_minor AS DECIMAL(19, 0)) AS discount_minor,
        CAST(tax_minor AS DECIMAL(19, 0)) AS tax_minor,
        CAST(total_minor AS DECIMAL(19, 0)) AS total_minor,
        CAST(amount_paid_minor AS DECIMAL(19, 0)) AS paid_minor,
        CAST(
            CASE
                WHEN currency IN (
                    'BIF', 'CLP', 'DJF', 'GNF', 'ISK', 'JPY', 'KMF', 'KRW', 'PYG', 'RWF', 'UGX', 'UYI', 'VND', 'VUV',
                    'XAF', 'XOF', 'XPF'
                ) THEN 1.0000
                WHEN currency IN ('BHD', 'IQD', 'JOD', 'KWD', 'LYD', 'OMR', 'TND') THEN 0.0010
                WHEN currency IN ('CLF', 'UYW') THEN 0.0001
                ELSE 0.0100
            END * CASE WHEN kind = 'credit_note' THEN -1 ELSE 1 END AS DECIMAL(5, 4)
        ) AS signed_unit
    FROM invoices
    WHERE issued_at IS NOT NULL
        AND status <> 'draft'
)
SELECT
    workspace_code,
    day,
    currency,
    invoice_kind,
    invoice_status,
    COUNT(*) AS invoices,
    CAST(SUM(subtotal_minor * signed_unit) AS DECIMAL(38, 4)) AS invoiced_subtotal,
    CAST(SUM(discount_minor * signed_unit) AS DECIMAL(38, 4)) AS invoiced_discount,
    CAST(SUM(tax_minor * signed_unit) AS DECIMAL(38, 4)) AS invoiced_tax,
    CAST(SUM(total_minor * signed_unit) AS DECIMAL(38, 4)) AS invoiced_total,
    CAST(SUM(paid_minor * signed_unit) AS DECIMAL(38, 4)) AS invoiced_paid
FROM issued
GROUP BY
    workspace_code,
    day,
    currency,
    invoice_kind,
    invoice_status
