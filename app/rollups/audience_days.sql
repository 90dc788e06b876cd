-- One row per receiving domain and day: contacts that came, went, agreed to get mail, and took that back.
-- A contact counts on the day of each of its four times, as they now stand: one that subscribes again has moved.
-- The running sum of added minus removed is the number of contacts.
-- grain: workspace_code, email_domain, day
-- reads: contacts
-- unit: row
WITH moments AS (
    SELECT
        workspace_code,
        email_domain,
        created_at AS happened_at,
        'added' AS what
    FROM contacts
    UNION ALL
    SELECT
        workspace_code,
        email_domain,
        deleted_at AS happened_at,
        'removed' AS what
    FROM contacts
    WHERE deleted_at IS NOT NULL
    UNION ALL
    SELECT
        workspace_code,
        email_domain,
        subscribed_at AS happened_at,
        'subscribed' AS what
    FROM contacts
    WHERE subscribed_at IS NOT NULL
    UNION ALL
    SELECT
        workspace_code,
        email_domain,
        unsubscribed_at AS happened_at,
        'unsubscribed' AS what
    FROM contacts
    WHERE unsubscribed_at IS NOT NULL
)
SELECT
    workspace_code,
    email_domain,
    CAST(happened_at AS DATE) AS day,
    COUNT(*) FILTER (WHERE what = 'added') AS contacts_added,
    COUNT(*) FILTER (WHERE what = 'removed') AS contacts_removed,
    COUNT(*) FILTER (WHERE what = 'subscribed') AS contacts_subscribed,
    COUNT(*) FILTER (WHERE what = 'unsubscribed') AS contacts_unsubscribed
FROM moments
GROUP BY
    workspace_code,
    email_domain,
    CAST(happened_at AS DATE)
