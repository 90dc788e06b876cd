"""The rows that a new database starts with: the documents' default settings, retention rules and export formats.

Revision: 0015
Follows: 0014
"""

from migrations.running import run

revision = "0015"
down_revision = "0014"


# As (table, key columns, other columns, rows as SQL).
DEFAULTS = (
    (
        "settings",
        "key",
        "value, description",
        """
        ('ai_service_limits', '{"imagen": 100, "veo": 50}'::jsonb, 'AI service usage limits per user per day'),
        ('meta_api_rate_limits', '{"calls_per_hour": 200}', 'Meta API rate limiting configuration'),
        ('subscription_features',
         '{"starter": {"ai_credits": 50}, "professional": {"ai_credits": 200}, "business": {"ai_credits": 400}}',
         'Feature limits by subscription tier')""",
    ),
    (
        "retention_policies",
        "subject, audience",
        "keep_days, description",
        """
        ('closed_accounts', 'all', 30, 'Customers'' data after the account was closed.'),
        ('ai_generations', 'free', 365, 'Generation history of customers without a paid plan.'),
        ('ai_generations', 'paid', NULL, 'Generation history of customers with a paid plan.'),
        ('uploaded_assets', 'free', 30, 'Uploaded files of customers without a paid plan.'),
        ('uploaded_assets', 'paid', 365, 'Uploaded files of customers with a paid plan.'),
        ('generated_assets', 'free', 30, 'Generated results of customers without a paid plan.'),
        ('generated_assets', 'paid', NULL, 'Generated results of customers with a paid plan.'),
        ('performance_analytics', 'all', 730, 'Ad performance by day.'),
        ('completed_jobs', 'all', 30, 'Jobs that were done.'),
        ('usage_logs', 'all', 365, 'Single uses of a feature.'),
        ('email_event_keys', 'all', 90, 'Fingerprints by which an event that a provider delivers again is known.')""",
    ),
    (
        "export_formats",
        "key",
        "name, mime_type, platform, description",
        """
        ('html', 'HTML', 'text/html', NULL, 'One HTML file with its styles inside.'),
        ('text', 'Plain text', 'text/plain', NULL, 'The text version.'),
        ('mailchimp', 'Mailchimp', 'text/html', 'mailchimp', 'HTML with Mailchimp''s merge tags.'),
        ('klaviyo', 'Klaviyo', 'text/html', 'klaviyo', 'HTML with Klaviyo''s template tags.'),
        ('hubspot', 'HubSpot', 'text/html', 'hubspot', 'HTML with HubSpot''s tokens.')""",
    ),
)


def upgrade() -> None:
    for table, keys, others, rows in DEFAULTS:
        run(f"INSERT INTO {table} ({keys}, {others}) VALUES {rows} ON CONFLICT DO NOTHING;")


def downgrade() -> None:
    # What an admin has edited since is the admin's, and an export keeps the format that it was made in.
    for table, keys, others, rows in DEFAULTS:
        unused = "AND NOT EXISTS (SELECT FROM exports WHERE format_id = t.id)" if table == "export_formats" else ""
        run(f"""
        DELETE FROM {table} AS t
        WHERE ({keys}) IN (SELECT {keys} FROM (VALUES {rows}) AS defaults ({keys}, {others}))
            AND updated_at = created_at {unused};
        """)
