"""Contacts and lists.

Revision: 0006
Follows: 0005
"""

from migrations.running import run

revision = "0006"
down_revision = "0005"

TABLES = r"""
CREATE TABLE contacts (
    workspace_id UUID NOT NULL,
    id UUID DEFAULT uuid_v7() NOT NULL,
    code BIGINT GENERATED ALWAYS AS IDENTITY,
    user_id UUID,
    email TEXT NOT NULL,
    email_domain TEXT GENERATED ALWAYS AS (lower(split_part(email, '@'::text, 2))) STORED NOT NULL,
    first_name TEXT,
    last_name TEXT,
    status TEXT DEFAULT 'subscribed' NOT NULL,
    custom_fields JSONB DEFAULT '{}'::jsonb NOT NULL,
    tags TEXT[] DEFAULT '{}' NOT NULL,
    subscribed_at TIMESTAMP WITH TIME ZONE,
    unsubscribed_at TIMESTAMP WITH TIME ZONE,
    last_engaged_at TIMESTAMP WITH TIME ZONE,
    created_at TIMESTAMP WITH TIME ZONE DEFAULT now() NOT NULL,
    updated_at TIMESTAMP WITH TIME ZONE DEFAULT now() NOT NULL,
    deleted_at TIMESTAMP WITH TIME ZONE,
    CONSTRAINT contacts_key PRIMARY KEY (workspace_id, id),
    CONSTRAINT status_is_known CHECK (status IN ('pending', 'subscribed', 'unsubscribed', 'bounced', 'complained')),
    CONSTRAINT email_has_an_at_sign CHECK (email LIKE '%_@_%'),
    CONSTRAINT contacts_workspace_id_exists FOREIGN KEY(workspace_id) REFERENCES workspaces (id),
    CONSTRAINT contacts_user_id_exists FOREIGN KEY(user_id) REFERENCES users (id)
)
 WITH (fillfactor = 85);
CREATE INDEX contacts_by_status ON contacts (workspace_id, status);
CREATE INDEX contacts_by_user_id ON contacts (user_id);
CREATE UNIQUE INDEX contacts_email_is_unique ON contacts (workspace_id, lower(email)) WHERE deleted_at IS NULL;
CREATE INDEX contacts_search_custom_fields ON contacts USING gin (custom_fields);
CREATE INDEX contacts_search_tags ON contacts USING gin (tags);

CREATE TABLE lists (
    workspace_id UUID NOT NULL,
    id UUID DEFAULT uuid_v7() NOT NULL,
    user_id UUID,
    name TEXT NOT NULL,
    description TEXT,
    contact_count BIGINT DEFAULT 0 NOT NULL,
    metadata JSONB DEFAULT '{}'::jsonb NOT NULL,
    created_at TIMESTAMP WITH TIME ZONE DEFAULT now() NOT NULL,
    updated_at TIMESTAMP WITH TIME ZONE DEFAULT now() NOT NULL,
    deleted_at TIMESTAMP WITH TIME ZONE,
    CONSTRAINT lists_key PRIMARY KEY (workspace_id, id),
    CONSTRAINT contact_count_is_not_negative CHECK (contact_count >= 0),
    CONSTRAINT lists_workspace_id_exists FOREIGN KEY(workspace_id) REFERENCES workspaces (id),
    CONSTRAINT lists_user_id_exists FOREIGN KEY(user_id) REFERENCES users (id)
);
CREATE INDEX lists_by_deleted_at ON lists (workspace_id) WHERE deleted_at IS NULL;
CREATE INDEX lists_by_user_id ON lists (user_id);
CREATE INDEX lists_search_metadata ON lists USING gin (metadata);

CREATE TABLE list_contacts (
    workspace_id UUID NOT NULL,
    id UUID DEFAULT uuid_v7() NOT NULL,
    list_id UUID NOT NULL,
    contact_id UUID NOT NULL,
    created_at TIMESTAMP WITH TIME ZONE DEFAULT now() NOT NULL,
    CONSTRAINT list_contacts_key PRIMARY KEY (workspace_id, id),
    CONSTRAINT list_contacts_workspace_id_list_id_exists FOREIGN KEY(workspace_id, list_id) REFERENCES lists
        (workspace_id, id),
    CONSTRAINT list_contacts_workspace_id_contact_id_exists FOREIGN KEY(workspace_id, contact_id) REFERENCES contacts
        (workspace_id, id),
    CONSTRAINT list_contacts_workspace_id_list_id_contact_id_is_unique UNIQUE (workspace_id, list_id, contact_id),
    CONSTRAINT list_contacts_workspace_id_exists FOREIGN KEY(workspace_id) REFERENCES workspaces (id)
);
CREATE INDEX list_contacts_by_contact_id ON list_contacts (workspace_id, contact_id);
"""

GUARDS = """
SELECT guard_tenant_table('contacts');
SELECT guard_tenant_table('lists');
SELECT guard_tenant_table('list_contacts');
"""


def upgrade() -> None:
    run(TABLES)
    run(GUARDS)


def downgrade() -> None:
    run("""
    DROP TABLE list_contacts, lists, contacts;
    """)
