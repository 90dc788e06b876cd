"""The reader of the documents finds what a person finds, and fails aloud where it understands nothing."""

import pytest

from tests.documents.facts import (
    DocumentColumn,
    DocumentField,
    DocumentIndex,
    DocumentNotUnderstoodError,
    DocumentRow,
    DocumentTrigger,
    DocumentUnique,
    DocumentValue,
    text_of,
)
from tests.documents.reader import all_facts, facts_of, of_kind


@pytest.mark.parametrize(
    "fact",
    [
        DocumentColumn("email_studio", "Sessions", "workspace_id", "for tenant isolation"),
        DocumentColumn("web_builder", "campaigns", "created_at", "TIMESTAMPTZ, told by an index"),
        DocumentColumn("craft_ads", "AdMetric", "ctr", "FLOAT"),
        DocumentColumn("ads_autopilot", "creative_assets", "tags", "TEXT[]"),
        DocumentColumn("mailer", "lists", "user_id", ""),
        DocumentColumn("mailer", "contacts", "tags", "[]"),
        DocumentColumn("mailer", "users", "deleted_at", "TIMESTAMPTZ"),
        DocumentColumn("mailer", "campaigns", "template_id", "reference"),
        DocumentValue("web_builder", "users", "subscription_tier", "freemium"),
        DocumentValue("craft_ads", "User", "auth_provider", "google"),
        DocumentValue("ads_autopilot", "users", "subscription_status", "trial"),
        DocumentValue("ads_autopilot", "usage_logs", "feature", "video_generation"),
        DocumentValue("mailer", "email_events", "event_type", "complained"),
        DocumentValue("mailer", "users", "subscription_tier", "scale"),
        DocumentUnique("craft_ads", "User", ("auth_provider", "auth_provider_id")),
        DocumentIndex("web_builder", "campaigns", "idx_campaigns_user_id", ("user_id",), "btree"),
        DocumentIndex("mailer", "contacts", "idx_contacts_tags", ("tags",), "gin"),
        DocumentRow(
            "ads_autopilot",
            "system_config",
            "ai_service_limits",
            '{"imagen": 100, "veo": 50}',
            "AI service usage limits per user per day",
        ),
        DocumentField("mailer", "contacts", "custom_fields", "vip_status"),
        DocumentTrigger("mailer", "list_contacts", "update_list_contact_count"),
    ],
    ids=lambda fact: f"{type(fact).__name__} {fact.document}.{fact.table}",
)
def test_a_fact_that_a_person_reads_is_read(fact):
    assert fact in all_facts()


def test_the_three_default_rows_are_read():
    assert [row.key for row in of_kind(DocumentRow)] == [
        "ai_service_limits",
        "meta_api_rate_limits",
        "subscription_features",
    ]


@pytest.mark.parametrize(
    ("document", "written", "changed"),
    [
        ("email_studio", "- Sessions (security, token management)", "- Sessions: security, token management"),
        ("email_studio", "- `deleted_at` timestamp instead", "- A timestamp instead"),
        ("web_builder", "#### `conversions`", "#### Conversions of a campaign"),
        ("web_builder", "| `likes` | INTEGER | Like count |", "| likes of people | INTEGER | Like count |"),
        ("web_builder", "- Unique constraint on (user_id, month)", "- user_id and month are unique"),
        ("craft_ads", "        string default_ai_model\n", ""),
        ("craft_ads", "| mime_type | VARCHAR(100) | File MIME type |\n", ""),
        ("craft_ads", "- Unique: provider_payment_id", "- Only once: provider_payment_id"),
        ("ads_autopilot", "    phone VARCHAR(20),", "    phone of the user,"),
        ("ads_autopilot", "CREATE TABLE usage_logs (", "CREATE TABLE IF NOT EXISTS usage_logs ("),
        ("ads_autopilot", "CREATE INDEX idx_users_email ON", "CREATE INDEX CONCURRENTLY idx_users_email ON"),
        ("mailer", "│ PK  id           │          │ ", "  PK  id                      │ "),
        ("mailer", "│     link_url (TEXT)                  │", "│     link url (TEXT)                  │"),
        ("mailer", "- `idx_contacts_tags` - GIN", "- `idx_contacts_tags`: GIN"),
        ("mailer", "- campaign_lists", "- lists of campaigns"),
    ],
)
def test_a_document_that_is_written_in_another_form_is_refused(document, written, changed):
    text = text_of(document)
    assert written in text
    with pytest.raises(DocumentNotUnderstoodError):
        facts_of(document, text.replace(written, changed))
