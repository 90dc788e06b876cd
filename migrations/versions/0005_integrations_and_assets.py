"""Connections to other platforms, and the files that products made.

Revision: 0005
Follows: 0004
"""

from migrations.running import run

revision = "0005"
down_revision = "0004"

TABLES = r"""
CREATE TABLE creative_assets (
    workspace_id UUID NOT NULL,
    id UUID DEFAULT uuid_v7() NOT NULL,
    user_id UUID NOT NULL,
    product TEXT NOT NULL,
    generation_id UUID,
    asset_type TEXT NOT NULL,
    origin TEXT DEFAULT 'generated' NOT NULL,
    file_url TEXT NOT NULL,
    file_size BIGINT,
    filename TEXT,
    mime_type TEXT,
    format TEXT,
    dimensions JSONB,
    prompt TEXT,
    style TEXT,
    ai_model TEXT,
    generation_time INTEGER,
    tags TEXT[] DEFAULT '{}' NOT NULL,
    is_favorite BOOLEAN DEFAULT false NOT NULL,
    usage_count BIGINT DEFAULT 0 NOT NULL,
    status TEXT DEFAULT 'active' NOT NULL,
    expires_at TIMESTAMP WITH TIME ZONE,
    metadata JSONB DEFAULT '{}'::jsonb NOT NULL,
    created_at TIMESTAMP WITH TIME ZONE DEFAULT now() NOT NULL,
    updated_at TIMESTAMP WITH TIME ZONE DEFAULT now() NOT NULL,
    deleted_at TIMESTAMP WITH TIME ZONE,
    CONSTRAINT creative_assets_key PRIMARY KEY (workspace_id, id),
    CONSTRAINT product_is_known CHECK (product IN ('email_studio', 'web_builder', 'craft_ads', 'ads_autopilot',
        'mailer')),
    CONSTRAINT asset_type_is_known CHECK (asset_type IN ('image', 'video')),
    CONSTRAINT origin_is_known CHECK (origin IN ('generated', 'upload', 'result')),
    CONSTRAINT status_is_known CHECK (status IN ('active', 'deleted', 'processing', 'failed')),
    CONSTRAINT file_size_is_not_negative CHECK (file_size >= 0),
    CONSTRAINT generation_time_is_not_negative CHECK (generation_time >= 0),
    CONSTRAINT usage_count_is_not_negative CHECK (usage_count >= 0),
    CONSTRAINT creative_assets_workspace_id_exists FOREIGN KEY(workspace_id) REFERENCES workspaces (id),
    CONSTRAINT creative_assets_user_id_exists FOREIGN KEY(user_id) REFERENCES users (id)
);
CREATE INDEX creative_assets_by_format ON creative_assets (format);
CREATE INDEX creative_assets_by_generation_id ON creative_assets (workspace_id, generation_id);
CREATE INDEX creative_assets_by_status ON creative_assets (status);
CREATE INDEX creative_assets_by_user_id_asset_type_created_at ON creative_assets (user_id, asset_type, created_at DESC);
CREATE INDEX creative_assets_search_metadata ON creative_assets USING gin (metadata);
CREATE INDEX creative_assets_search_tags ON creative_assets USING gin (tags);
COMMENT ON COLUMN creative_assets.generation_id IS 'A fact, which may be dropped with its month: no foreign key.';
COMMENT ON COLUMN creative_assets.generation_time IS 'Seconds.';

CREATE TABLE meta_accounts (
    workspace_id UUID NOT NULL,
    id UUID DEFAULT uuid_v7() NOT NULL,
    user_id UUID NOT NULL,
    meta_user_id TEXT NOT NULL,
    access_token TEXT NOT NULL,
    refresh_token TEXT,
    token_expires_at TIMESTAMP WITH TIME ZONE,
    permissions JSONB DEFAULT '[]'::jsonb NOT NULL,
    ad_account_ids TEXT[] DEFAULT '{}' NOT NULL,
    ad_account_timezone TEXT DEFAULT 'UTC' NOT NULL,
    connection_status TEXT DEFAULT 'active' NOT NULL,
    last_sync_at TIMESTAMP WITH TIME ZONE,
    created_at TIMESTAMP WITH TIME ZONE DEFAULT now() NOT NULL,
    updated_at TIMESTAMP WITH TIME ZONE DEFAULT now() NOT NULL,
    deleted_at TIMESTAMP WITH TIME ZONE,
    CONSTRAINT meta_accounts_key PRIMARY KEY (workspace_id, id),
    CONSTRAINT access_token_is_encrypted CHECK (access_token ~ '^v1\.[0-9a-f]{8}\.'),
    CONSTRAINT refresh_token_is_encrypted CHECK (refresh_token ~ '^v1\.[0-9a-f]{8}\.'),
    CONSTRAINT connection_status_is_known CHECK (connection_status IN ('active', 'expired', 'revoked', 'error')),
    CONSTRAINT meta_accounts_workspace_id_user_id_meta_user_id_is_unique UNIQUE (workspace_id, user_id, meta_user_id),
    CONSTRAINT meta_accounts_workspace_id_exists FOREIGN KEY(workspace_id) REFERENCES workspaces (id),
    CONSTRAINT meta_accounts_user_id_exists FOREIGN KEY(user_id) REFERENCES users (id)
);
CREATE INDEX meta_accounts_by_connection_status ON meta_accounts (connection_status);
CREATE INDEX meta_accounts_by_user_id ON meta_accounts (user_id);
CREATE INDEX meta_accounts_search_ad_account_ids ON meta_accounts USING gin (ad_account_ids);
CREATE INDEX meta_accounts_search_permissions ON meta_accounts USING gin (permissions);

CREATE TABLE platform_integrations (
    workspace_id UUID NOT NULL,
    id UUID DEFAULT uuid_v7() NOT NULL,
    user_id UUID NOT NULL,
    platform_type TEXT NOT NULL,
    connection_status TEXT DEFAULT 'pending' NOT NULL,
    account_name TEXT,
    account_email TEXT,
    encrypted_credentials TEXT,
    platform_metadata JSONB DEFAULT '{}'::jsonb NOT NULL,
    last_sync_at TIMESTAMP WITH TIME ZONE,
    sync_status TEXT DEFAULT 'idle' NOT NULL,
    sync_error_message TEXT,
    created_at TIMESTAMP WITH TIME ZONE DEFAULT now() NOT NULL,
    updated_at TIMESTAMP WITH TIME ZONE DEFAULT now() NOT NULL,
    deleted_at TIMESTAMP WITH TIME ZONE,
    CONSTRAINT platform_integrations_key PRIMARY KEY (workspace_id, id),
    CONSTRAINT platform_type_is_known CHECK (platform_type IN ('gohighlevel', 'simvoly', 'wordpress', 'custom')),
    CONSTRAINT connection_status_is_known CHECK (connection_status IN ('connected', 'disconnected', 'error',
        'pending')),
    CONSTRAINT encrypted_credentials_is_encrypted CHECK (encrypted_credentials ~ '^v1\.[0-9a-f]{8}\.'),
    CONSTRAINT sync_status_is_known CHECK (sync_status IN ('idle', 'syncing', 'error', 'completed')),
    CONSTRAINT platform_integrations_workspace_id_exists FOREIGN KEY(workspace_id) REFERENCES workspaces (id),
    CONSTRAINT platform_integrations_user_id_exists FOREIGN KEY(user_id) REFERENCES users (id)
);
CREATE INDEX platform_integrations_by_user_id ON platform_integrations (user_id);
CREATE INDEX platform_integrations_search_platform_metadata ON platform_integrations USING gin (platform_metadata);
CREATE UNIQUE INDEX platform_integrations_user_id_platform_type_is_unique ON platform_integrations (workspace_id,
    user_id, platform_type) WHERE deleted_at IS NULL;

CREATE TABLE platform_analyses (
    workspace_id UUID NOT NULL,
    id UUID DEFAULT uuid_v7() NOT NULL,
    integration_id UUID NOT NULL,
    analysis_type TEXT NOT NULL,
    summary JSONB DEFAULT '{}'::jsonb NOT NULL,
    campaigns_analyzed JSONB DEFAULT '[]'::jsonb NOT NULL,
    recommendations JSONB DEFAULT '[]'::jsonb NOT NULL,
    migration_assessment JSONB DEFAULT '{}'::jsonb NOT NULL,
    ai_model_used TEXT,
    ai_cost NUMERIC(20, 12),
    processing_time_seconds INTEGER,
    created_at TIMESTAMP WITH TIME ZONE DEFAULT now() NOT NULL,
    updated_at TIMESTAMP WITH TIME ZONE DEFAULT now() NOT NULL,
    CONSTRAINT platform_analyses_key PRIMARY KEY (workspace_id, id),
    CONSTRAINT analysis_type_is_known CHECK (analysis_type IN ('full_audit', 'campaign_analysis',
        'migration_assessment')),
    CONSTRAINT ai_cost_is_not_negative CHECK (ai_cost >= 0),
    CONSTRAINT processing_time_seconds_is_not_negative CHECK (processing_time_seconds >= 0),
    CONSTRAINT platform_analyses_workspace_id_integration_id_exists FOREIGN KEY(workspace_id, integration_id) REFERENCES
        platform_integrations (workspace_id, id),
    CONSTRAINT platform_analyses_workspace_id_exists FOREIGN KEY(workspace_id) REFERENCES workspaces (id)
);
CREATE INDEX platform_analyses_by_integration_id ON platform_analyses (workspace_id, integration_id);
CREATE INDEX platform_analyses_search_recommendations ON platform_analyses USING gin (recommendations);
CREATE INDEX platform_analyses_search_summary ON platform_analyses USING gin (summary);
"""

GUARDS = """
SELECT guard_tenant_table('platform_integrations', hidden => ARRAY['encrypted_credentials']);
SELECT guard_tenant_table('platform_analyses');
SELECT guard_tenant_table('meta_accounts', hidden => ARRAY['access_token', 'refresh_token']);
SELECT guard_tenant_table('creative_assets');
"""


def upgrade() -> None:
    run(TABLES)
    run(GUARDS)


def downgrade() -> None:
    run("""
    DROP TABLE platform_analyses, platform_integrations, meta_accounts, creative_assets;
    """)
