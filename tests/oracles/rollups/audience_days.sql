-- Contacts that came, went, subscribed and unsubscribed, as their times now stand.
SELECT
    w.code AS workspace_code,
    LOWER(SPLIT_PART(p.email, '@', 2)) AS email_domain,
    DATE(t.at AT TIME ZONE :zone) AS day,
    COUNT(*) FILTER (WHERE t.what = 'created') AS contacts_added,
    COUNT(*) FILTER (WHERE t.what = 'deleted') AS contacts_removed,
    COUNT(*) FILTER (WHERE t.what = 'subscribed') AS contacts_subscribed,
    COUNT(*) FILTER (WHERE t.what = 'unsubscribed') AS contacts_unsubscribed
FROM contacts AS p
JOIN workspaces AS w ON w.id = p.workspace_id
CROSS JOIN LATERAL UNNEST(
    ARRAY['created', 'deleted', 'subscribed', 'unsubscribed'],
    ARRAY[p.created_at, p.deleted_at, p.subscribed_at, p.unsubscribed_at]
) AS t (what, at)
WHERE t.at IS NOT NULL
GROUP BY 1, 2, 3
