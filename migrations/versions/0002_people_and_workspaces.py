"""Customers, the team, and workspaces, the tenants that everything else belongs to.

Revision: 0002
Follows: 0001
"""

from migrations.running import run

revision = "0002"
down_revision = "0001"

TABLES = r"""
CREATE TABLE team_members (
    id UUID DEFAULT uuid_v7() NOT NULL,
    email TEXT NOT NULL,
    name TEXT,
    password_hash TEXT,
    oidc_issuer TEXT,
    oidc_subject TEXT,
    roles TEXT[] NOT NULL,
    workspace_ids UUID[],
    is_active BOOLEAN DEFAULT true NOT NULL,
    session_version INTEGER DEFAULT 1 NOT NULL,
    last_login_at TIMESTAMP WITH TIME ZONE,
    revision INTEGER DEFAULT 1 NOT NULL,
    created_at TIMESTAMP WITH TIME ZONE DEFAULT now() NOT NULL,
    updated_at TIMESTAMP WITH TIME ZONE DEFAULT now() NOT NULL,
    deleted_at TIMESTAMP WITH TIME ZONE,
    CONSTRAINT team_members_key PRIMARY KEY (id),
    CONSTRAINT email_has_an_at_sign CHECK (email LIKE '%_@_%'),
    CONSTRAINT roles_are_known CHECK (roles <@ ARRAY['viewer', 'finance', 'admin'] AND cardinality(roles) > 0)
);
CREATE UNIQUE INDEX team_members_email_is_unique ON team_members (lower(email)) WHERE deleted_at IS NULL;
CREATE UNIQUE INDEX team_members_oidc_issuer_oidc_subject_is_unique ON team_members (oidc_issuer, oidc_subject);
COMMENT ON COLUMN team_members.workspace_ids IS 'NULL: every workspace.';
COMMENT ON COLUMN team_members.session_version IS 'Raised to end all sessions.';

CREATE TABLE users (
    id UUID DEFAULT uuid_v7() NOT NULL,
    code BIGINT GENERATED ALWAYS AS IDENTITY,
    email TEXT NOT NULL,
    password_hash TEXT,
    auth_provider TEXT,
    auth_provider_id TEXT,
    name TEXT,
    first_name TEXT,
    last_name TEXT,
    phone TEXT,
    avatar_url TEXT,
    credits_balance INTEGER DEFAULT 0 NOT NULL,
    monthly_email_limit INTEGER,
    monthly_emails_sent INTEGER DEFAULT 0 NOT NULL,
    contact_limit INTEGER,
    trial_ends_at TIMESTAMP WITH TIME ZONE,
    last_login_at TIMESTAMP WITH TIME ZONE,
    last_active_at TIMESTAMP WITH TIME ZONE,
    is_verified BOOLEAN DEFAULT false NOT NULL,
    is_active BOOLEAN DEFAULT true NOT NULL,
    settings JSONB DEFAULT '{}'::jsonb NOT NULL,
    metadata JSONB DEFAULT '{}'::jsonb NOT NULL,
    created_at TIMESTAMP WITH TIME ZONE DEFAULT now() NOT NULL,
    updated_at TIMESTAMP WITH TIME ZONE DEFAULT now() NOT NULL,
    deleted_at TIMESTAMP WITH TIME ZONE,
    CONSTRAINT users_key PRIMARY KEY (id),
    CONSTRAINT email_has_an_at_sign CHECK (email LIKE '%_@_%'),
    CONSTRAINT credits_are_not_negative CHECK (credits_balance >= 0),
    CONSTRAINT monthly_email_limit_is_not_negative CHECK (monthly_email_limit >= 0),
    CONSTRAINT monthly_emails_sent_is_not_negative CHECK (monthly_emails_sent >= 0),
    CONSTRAINT contact_limit_is_not_negative CHECK (contact_limit >= 0)
);
CREATE UNIQUE INDEX users_auth_provider_auth_provider_id_is_unique ON users (auth_provider, auth_provider_id);
CREATE INDEX users_by_is_active_created_at ON users (is_active, created_at);
CREATE UNIQUE INDEX users_email_is_unique ON users (lower(email)) WHERE deleted_at IS NULL;
CREATE INDEX users_search_metadata ON users USING gin (metadata);
CREATE INDEX users_search_settings ON users USING gin (settings);

CREATE TABLE user_sessions (
    id UUID DEFAULT uuid_v7() NOT NULL,
    user_id UUID NOT NULL,
    token_hash BYTEA NOT NULL,
    expires_at TIMESTAMP WITH TIME ZONE NOT NULL,
    revoked_at TIMESTAMP WITH TIME ZONE,
    last_seen_at TIMESTAMP WITH TIME ZONE,
    user_agent TEXT,
    ip_address INET,
    created_at TIMESTAMP WITH TIME ZONE DEFAULT now() NOT NULL,
    updated_at TIMESTAMP WITH TIME ZONE DEFAULT now() NOT NULL,
    CONSTRAINT user_sessions_key PRIMARY KEY (id),
    CONSTRAINT token_hash_is_a_sha256_digest CHECK (length(token_hash) = 32),
    CONSTRAINT user_sessions_user_id_exists FOREIGN KEY(user_id) REFERENCES users (id),
    CONSTRAINT user_sessions_token_hash_is_unique UNIQUE (token_hash)
);
CREATE INDEX user_sessions_by_user_id ON user_sessions (user_id) WHERE revoked_at IS NULL;

CREATE TABLE workspaces (
    id UUID DEFAULT uuid_v7() NOT NULL,
    code BIGINT GENERATED ALWAYS AS IDENTITY,
    owner_id UUID,
    name TEXT NOT NULL,
    slug TEXT NOT NULL,
    kind TEXT DEFAULT 'customer' NOT NULL,
    is_personal BOOLEAN DEFAULT false NOT NULL,
    timezone TEXT DEFAULT 'UTC' NOT NULL,
    currency CHAR(3) DEFAULT 'USD' NOT NULL,
    country TEXT,
    settings JSONB DEFAULT '{}'::jsonb NOT NULL,
    revision INTEGER DEFAULT 1 NOT NULL,
    created_at TIMESTAMP WITH TIME ZONE DEFAULT now() NOT NULL,
    updated_at TIMESTAMP WITH TIME ZONE DEFAULT now() NOT NULL,
    deleted_at TIMESTAMP WITH TIME ZONE,
    CONSTRAINT workspaces_key PRIMARY KEY (id),
    CONSTRAINT kind_is_known CHECK (kind IN ('customer', 'house')),
    CONSTRAINT currency_is_a_currency_code CHECK (currency ~ '^[A-Z]{3}$'),
    CONSTRAINT name_is_not_empty CHECK (name <> ''),
    CONSTRAINT the_house_is_never_deleted CHECK (kind <> 'house' OR deleted_at IS NULL),
    CONSTRAINT workspaces_owner_id_exists FOREIGN KEY(owner_id) REFERENCES users (id)
);
CREATE INDEX workspaces_by_owner_id ON workspaces (owner_id);
CREATE INDEX workspaces_search_settings ON workspaces USING gin (settings);
CREATE UNIQUE INDEX workspaces_slug_is_unique ON workspaces (slug) WHERE deleted_at IS NULL;

CREATE TABLE brand_profiles (
    workspace_id UUID NOT NULL,
    id UUID DEFAULT uuid_v7() NOT NULL,
    user_id UUID,
    name TEXT,
    website_url TEXT,
    website_analysis JSONB,
    logo_url TEXT,
    color_palette JSONB,
    typography JSONB,
    brand_voice JSONB,
    messaging_patterns JSONB,
    social_media_analysis JSONB,
    ai_generated_guidelines JSONB,
    last_analysis_at TIMESTAMP WITH TIME ZONE,
    analysis_version INTEGER DEFAULT 1 NOT NULL,
    created_at TIMESTAMP WITH TIME ZONE DEFAULT now() NOT NULL,
    updated_at TIMESTAMP WITH TIME ZONE DEFAULT now() NOT NULL,
    deleted_at TIMESTAMP WITH TIME ZONE,
    CONSTRAINT brand_profiles_key PRIMARY KEY (workspace_id, id),
    CONSTRAINT brand_profiles_workspace_id_exists FOREIGN KEY(workspace_id) REFERENCES workspaces (id),
    CONSTRAINT brand_profiles_user_id_exists FOREIGN KEY(user_id) REFERENCES users (id)
);
CREATE INDEX brand_profiles_by_user_id ON brand_profiles (user_id);

CREATE TABLE business_profiles (
    workspace_id UUID NOT NULL,
    id UUID DEFAULT uuid_v7() NOT NULL,
    user_id UUID NOT NULL,
    business_name TEXT,
    business_type TEXT,
    industry TEXT,
    website_url TEXT,
    business_address TEXT,
    target_audience_description TEXT,
    monthly_budget_range TEXT,
    created_at TIMESTAMP WITH TIME ZONE DEFAULT now() NOT NULL,
    updated_at TIMESTAMP WITH TIME ZONE DEFAULT now() NOT NULL,
    deleted_at TIMESTAMP WITH TIME ZONE,
    CONSTRAINT business_profiles_key PRIMARY KEY (workspace_id, id),
    CONSTRAINT business_profiles_workspace_id_exists FOREIGN KEY(workspace_id) REFERENCES workspaces (id),
    CONSTRAINT business_profiles_user_id_exists FOREIGN KEY(user_id) REFERENCES users (id)
);
CREATE INDEX business_profiles_by_user_id ON business_profiles (user_id);

CREATE TABLE user_preferences (
    workspace_id UUID NOT NULL,
    id UUID DEFAULT uuid_v7() NOT NULL,
    user_id UUID NOT NULL,
    default_ai_model TEXT,
    favorite_templates JSONB DEFAULT '[]'::jsonb NOT NULL,
    ui_preferences JSONB DEFAULT '{}'::jsonb NOT NULL,
    created_at TIMESTAMP WITH TIME ZONE DEFAULT now() NOT NULL,
    updated_at TIMESTAMP WITH TIME ZONE DEFAULT now() NOT NULL,
    deleted_at TIMESTAMP WITH TIME ZONE,
    CONSTRAINT user_preferences_key PRIMARY KEY (workspace_id, id),
    CONSTRAINT user_preferences_workspace_id_exists FOREIGN KEY(workspace_id) REFERENCES workspaces (id),
    CONSTRAINT user_preferences_user_id_exists FOREIGN KEY(user_id) REFERENCES users (id)
);
CREATE INDEX user_preferences_by_user_id ON user_preferences (user_id);
CREATE UNIQUE INDEX user_preferences_user_id_is_unique ON user_preferences (workspace_id, user_id);

CREATE TABLE workspace_members (
    workspace_id UUID NOT NULL,
    id UUID DEFAULT uuid_v7() NOT NULL,
    user_id UUID NOT NULL,
    role TEXT DEFAULT 'editor' NOT NULL,
    invited_at TIMESTAMP WITH TIME ZONE,
    joined_at TIMESTAMP WITH TIME ZONE,
    created_at TIMESTAMP WITH TIME ZONE DEFAULT now() NOT NULL,
    updated_at TIMESTAMP WITH TIME ZONE DEFAULT now() NOT NULL,
    deleted_at TIMESTAMP WITH TIME ZONE,
    CONSTRAINT workspace_members_key PRIMARY KEY (workspace_id, id),
    CONSTRAINT role_is_known CHECK (role IN ('owner', 'admin', 'editor', 'viewer')),
    CONSTRAINT workspace_members_workspace_id_exists FOREIGN KEY(workspace_id) REFERENCES workspaces (id),
    CONSTRAINT workspace_members_user_id_exists FOREIGN KEY(user_id) REFERENCES users (id)
);
CREATE INDEX workspace_members_by_user_id ON workspace_members (user_id);
CREATE UNIQUE INDEX workspace_members_user_id_is_unique ON workspace_members (workspace_id, user_id) WHERE deleted_at
    IS NULL;
"""

GUARDS = """
-- A customer is seen by the workspaces that the customer is in or owns.
SELECT guard_columns('users', ARRAY['password_hash']);
SELECT guard_columns('workspaces', '{}');
SELECT guard_rows(
    'workspaces',
    'id = ANY ((SELECT app_workspaces())::uuid[]) OR id = house_workspace() AND (SELECT app_workspaces()) IS NOT NULL',
    'id = ANY ((SELECT app_workspaces())::uuid[])'
);
SELECT guard_tenant_table('workspace_members');
SELECT guard_rows(
    'users',
    'id IN (SELECT user_id FROM workspace_members) OR id IN (SELECT owner_id FROM workspaces)',
    'id IN (SELECT user_id FROM workspace_members) OR id IN (SELECT owner_id FROM workspaces)'
);
-- A new customer is in no workspace yet.
DROP POLICY scope_inserts ON users;
CREATE POLICY scope_inserts ON users FOR INSERT TO app_rw WITH CHECK (true);

SELECT guard_columns('user_sessions', ARRAY['token_hash']);
SELECT guard_rows('user_sessions', 'user_id IN (SELECT id FROM users)', 'user_id IN (SELECT id FROM users)');
REVOKE ALL ON user_sessions FROM app_ro, app_pipe;
REVOKE SELECT (id, user_id, expires_at, revoked_at, last_seen_at, user_agent, ip_address, created_at, updated_at)
    ON user_sessions FROM app_ro, app_pipe;

SELECT guard_company_table('team_members', ARRAY['password_hash']);
SELECT guard_tenant_table('brand_profiles');
SELECT guard_tenant_table('business_profiles');
SELECT guard_tenant_table('user_preferences');

-- The house owns what Sightline gives to everyone: the template library and its categories.
INSERT INTO workspaces (id, name, slug, kind) VALUES (house_workspace(), 'Sightline library', 'sightline-library',
    'house');
"""


def upgrade() -> None:
    run(TABLES)
    run(GUARDS)


def downgrade() -> None:
    run("""
    DROP TABLE workspace_members, user_preferences, business_profiles, brand_profiles, workspaces, user_sessions,
        users, team_members;
    """)
