-- Invoices and credit notes that were issued, in major units; a credit note takes away.
WITH digits (currency, number) AS (
    -- ISO 4217; every other currency has two.
    SELECT UNNEST(STRING_TO_ARRAY('BIF CLP DJF GNF ISK JPY KMF KRW PYG RWF UGX UYI VND VUV XAF XOF XPF', ' ')), 0
    UNION ALL
    SELECT UNNEST(ARRAY['BHD', 'IQD', 'JOD', 'KWD', 'LYD', 'OMR', 'TND']), 3
    UNION ALL
    SELECT UNNEST(ARRAY['CLF', 'UYW']), 4
)
SELECT
    w.code AS workspace_code,
    DATE(i.issued_at AT TIME ZONE :zone) AS day,
    CAST(i.currency AS TEXT) AS currency,
    i.kind AS invoice_kind,
    i.status AS invoice_status,
    COUNT(*) AS invoices,
    SUM(i.subtotal_minor * unit.worth) AS invoiced_subtotal,
    SUM(i.discount_minor * unit.worth) AS invoiced_discount,
    SUM(i.tax_minor * unit.worth) AS invoiced_tax,
    SUM(i.total_minor * unit.worth) AS invoiced_total,
    SUM(i.amount_paid_minor * unit.worth) AS invoiced_paid
FROM invoices AS i
JOIN workspaces AS w ON w.id = i.workspace_id
LEFT JOIN digits AS d ON d.currency = i.currency
CROSS JOIN LATERAL (
    SELECT POWER(CAST(10 AS NUMERIC), -COALESCE(d.number, 2)) * CASE i.kind WHEN 'credit_note' THEN -1 ELSE 1 END
) AS unit (worth)
WHERE i.status <> 'draft'
    AND i.issued_at IS NOT NULL
GROUP BY 1, 2, 3, 4, 5
