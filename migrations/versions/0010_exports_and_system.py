"""Exports, settings, jobs, the audit log, retention, saved views and annotations.

Revision: 0010
Follows: 0009
"""

from migrations.running import run

revision = "0010"
down_revision = "0009"

TABLES = r"""
CREATE TABLE audit_log (
    position BIGINT GENERATED ALWAYS AS IDENTITY,
    at TIMESTAMP WITH TIME ZONE DEFAULT clock_timestamp() NOT NULL,
    actor TEXT,
    database_role TEXT DEFAULT session_user NOT NULL,
    action TEXT NOT NULL,
    table_name TEXT NOT NULL,
    row_key TEXT NOT NULL,
    workspace_id UUID,
    before JSONB,
    after JSONB,
    reason TEXT,
    CONSTRAINT audit_log_key PRIMARY KEY (position),
    CONSTRAINT action_is_known CHECK (action IN ('insert', 'update', 'delete'))
);
CREATE INDEX audit_log_by_at ON audit_log (at);
CREATE INDEX audit_log_by_row ON audit_log (table_name, row_key);
CREATE INDEX audit_log_by_workspace_id ON audit_log (workspace_id);
COMMENT ON COLUMN audit_log.actor IS 'The team member, as the command said.';
COMMENT ON COLUMN audit_log.workspace_id IS 'Kept when the workspace is erased: no foreign key.';
COMMENT ON COLUMN audit_log.before IS 'Of an update: the changed columns.';

CREATE TABLE export_formats (
    id UUID DEFAULT uuid_v7() NOT NULL,
    key TEXT NOT NULL,
    name TEXT NOT NULL,
    description TEXT,
    platform TEXT,
    mime_type TEXT NOT NULL,
    is_active BOOLEAN DEFAULT true NOT NULL,
    created_at TIMESTAMP WITH TIME ZONE DEFAULT now() NOT NULL,
    updated_at TIMESTAMP WITH TIME ZONE DEFAULT now() NOT NULL,
    CONSTRAINT export_formats_key PRIMARY KEY (id),
    CONSTRAINT export_formats_key_is_unique UNIQUE (key)
);

CREATE TABLE retention_policies (
    id UUID DEFAULT uuid_v7() NOT NULL,
    subject TEXT NOT NULL,
    audience TEXT DEFAULT 'all' NOT NULL,
    keep_days INTEGER,
    description TEXT NOT NULL,
    is_active BOOLEAN DEFAULT true NOT NULL,
    revision INTEGER DEFAULT 1 NOT NULL,
    created_at TIMESTAMP WITH TIME ZONE DEFAULT now() NOT NULL,
    updated_at TIMESTAMP WITH TIME ZONE DEFAULT now() NOT NULL,
    CONSTRAINT retention_policies_key PRIMARY KEY (id),
    CONSTRAINT audience_is_known CHECK (audience IN ('all', 'free', 'paid')),
    CONSTRAINT what_is_kept_is_kept_for_a_day_at_least CHECK (keep_days > 0)
);
CREATE UNIQUE INDEX retention_policies_subject_audience_is_unique ON retention_policies (subject, audience);
COMMENT ON COLUMN retention_policies.keep_days IS 'NULL: for ever.';

CREATE TABLE settings (
    key TEXT NOT NULL,
    value JSONB NOT NULL,
    description TEXT,
    revision INTEGER DEFAULT 1 NOT NULL,
    created_at TIMESTAMP WITH TIME ZONE DEFAULT now() NOT NULL,
    updated_at TIMESTAMP WITH TIME ZONE DEFAULT now() NOT NULL,
    CONSTRAINT settings_key PRIMARY KEY (key)
);

CREATE TABLE saved_views (
    id UUID DEFAULT uuid_v7() NOT NULL,
    team_member_id UUID NOT NULL,
    page TEXT NOT NULL,
    name TEXT NOT NULL,
    query JSONB DEFAULT '{}'::jsonb NOT NULL,
    is_shared BOOLEAN DEFAULT false NOT NULL,
    is_default BOOLEAN DEFAULT false NOT NULL,
    revision INTEGER DEFAULT 1 NOT NULL,
    created_at TIMESTAMP WITH TIME ZONE DEFAULT now() NOT NULL,
    updated_at TIMESTAMP WITH TIME ZONE DEFAULT now() NOT NULL,
    deleted_at TIMESTAMP WITH TIME ZONE,
    CONSTRAINT saved_views_key PRIMARY KEY (id),
    CONSTRAINT saved_views_team_member_id_exists FOREIGN KEY(team_member_id) REFERENCES team_members (id)
);
CREATE UNIQUE INDEX saved_views_name_is_unique ON saved_views (team_member_id, page, name) WHERE deleted_at IS NULL;
CREATE UNIQUE INDEX saved_views_one_is_the_default ON saved_views (team_member_id, page) WHERE is_default AND
    deleted_at IS NULL;

CREATE TABLE annotations (
    id UUID DEFAULT uuid_v7() NOT NULL,
    team_member_id UUID NOT NULL,
    workspace_id UUID,
    product TEXT,
    channel TEXT,
    campaign_id UUID,
    starts_on DATE NOT NULL,
    ends_on DATE,
    text TEXT NOT NULL,
    revision INTEGER DEFAULT 1 NOT NULL,
    created_at TIMESTAMP WITH TIME ZONE DEFAULT now() NOT NULL,
    deleted_at TIMESTAMP WITH TIME ZONE,
    CONSTRAINT annotations_key PRIMARY KEY (id),
    CONSTRAINT product_is_known CHECK (product IN ('email_studio', 'web_builder', 'craft_ads', 'ads_autopilot',
        'mailer')),
    CONSTRAINT channel_is_known CHECK (channel IN ('email', 'web', 'ads')),
    CONSTRAINT an_annotation_says_something CHECK (text <> ''),
    CONSTRAINT an_annotation_ends_after_it_starts CHECK (ends_on >= starts_on),
    CONSTRAINT a_campaign_comes_with_its_workspace CHECK (campaign_id IS NULL OR workspace_id IS NOT NULL),
    CONSTRAINT annotations_team_member_id_exists FOREIGN KEY(team_member_id) REFERENCES team_members (id),
    CONSTRAINT annotations_workspace_id_exists FOREIGN KEY(workspace_id) REFERENCES workspaces (id)
);
CREATE INDEX annotations_by_starts_on ON annotations (starts_on);
CREATE INDEX annotations_by_workspace_id ON annotations (workspace_id);
COMMENT ON COLUMN annotations.campaign_id IS 'Of the workspace of this row.';

CREATE TABLE jobs (
    id UUID DEFAULT uuid_v7() NOT NULL,
    job_type TEXT NOT NULL,
    workspace_id UUID,
    user_id UUID,
    campaign_id UUID,
    unique_key TEXT,
    payload JSONB DEFAULT '{}'::jsonb NOT NULL,
    status TEXT DEFAULT 'pending' NOT NULL,
    attempts INTEGER DEFAULT 0 NOT NULL,
    max_attempts INTEGER DEFAULT 5 NOT NULL,
    result JSONB,
    error_message TEXT,
    scheduled_at TIMESTAMP WITH TIME ZONE DEFAULT now() NOT NULL,
    started_at TIMESTAMP WITH TIME ZONE,
    completed_at TIMESTAMP WITH TIME ZONE,
    leased_until TIMESTAMP WITH TIME ZONE,
    worker TEXT,
    created_at TIMESTAMP WITH TIME ZONE DEFAULT now() NOT NULL,
    updated_at TIMESTAMP WITH TIME ZONE DEFAULT now() NOT NULL,
    CONSTRAINT jobs_key PRIMARY KEY (id),
    CONSTRAINT status_is_known CHECK (status IN ('pending', 'running', 'completed', 'failed', 'retrying', 'cancelled')),
    CONSTRAINT attempts_is_not_negative CHECK (attempts >= 0),
    CONSTRAINT a_job_is_tried_at_least_once CHECK (max_attempts >= 1),
    CONSTRAINT a_campaign_comes_with_its_workspace CHECK (campaign_id IS NULL OR workspace_id IS NOT NULL),
    CONSTRAINT jobs_workspace_id_exists FOREIGN KEY(workspace_id) REFERENCES workspaces (id),
    CONSTRAINT jobs_user_id_exists FOREIGN KEY(user_id) REFERENCES users (id)
);
CREATE INDEX jobs_by_status ON jobs (status, created_at);
CREATE INDEX jobs_by_workspace_id ON jobs (workspace_id);
CREATE INDEX jobs_due ON jobs (scheduled_at) WHERE status IN ('pending', 'retrying');
CREATE INDEX jobs_leased ON jobs (leased_until) WHERE status = 'running';
CREATE UNIQUE INDEX jobs_one_is_live_per_unique_key ON jobs (workspace_id, unique_key) NULLS NOT DISTINCT WHERE
    unique_key IS NOT NULL AND status IN ('pending', 'running', 'retrying');
COMMENT ON COLUMN jobs.campaign_id IS 'Of the workspace of this row.';

CREATE TABLE exports (
    workspace_id UUID NOT NULL,
    id UUID DEFAULT uuid_v7() NOT NULL,
    user_id UUID NOT NULL,
    template_id UUID,
    format_id UUID NOT NULL,
    status TEXT DEFAULT 'pending' NOT NULL,
    file_url TEXT,
    file_size BIGINT,
    options JSONB DEFAULT '{}'::jsonb NOT NULL,
    error_message TEXT,
    completed_at TIMESTAMP WITH TIME ZONE,
    created_at TIMESTAMP WITH TIME ZONE DEFAULT now() NOT NULL,
    updated_at TIMESTAMP WITH TIME ZONE DEFAULT now() NOT NULL,
    deleted_at TIMESTAMP WITH TIME ZONE,
    CONSTRAINT exports_key PRIMARY KEY (workspace_id, id),
    CONSTRAINT status_is_known CHECK (status IN ('pending', 'processing', 'completed', 'failed')),
    CONSTRAINT file_size_is_not_negative CHECK (file_size >= 0),
    CONSTRAINT exports_workspace_id_template_id_exists FOREIGN KEY(workspace_id, template_id) REFERENCES templates
        (workspace_id, id),
    CONSTRAINT exports_workspace_id_exists FOREIGN KEY(workspace_id) REFERENCES workspaces (id),
    CONSTRAINT exports_user_id_exists FOREIGN KEY(user_id) REFERENCES users (id),
    CONSTRAINT exports_format_id_exists FOREIGN KEY(format_id) REFERENCES export_formats (id)
);
CREATE INDEX exports_by_template_id ON exports (workspace_id, template_id);
CREATE INDEX exports_by_user_id ON exports (user_id);
"""

GUARDS = """
SELECT guard_company_table('export_formats');
SELECT guard_tenant_table('exports');
SELECT guard_company_table('settings');
SELECT guard_tenant_table('jobs', 'company');
SELECT guard_company_table('retention_policies');
SELECT guard_company_table('saved_views');
SELECT guard_tenant_table('annotations', 'company');
SELECT guard_tenant_table('audit_log', 'company');
SELECT make_append_only('audit_log');
-- The audit triggers write it, as the owner; nobody else adds a line of their own.
REVOKE INSERT ON audit_log FROM app_rw;
"""


def upgrade() -> None:
    run(TABLES)
    run(GUARDS)


def downgrade() -> None:
    run("""
    DROP TABLE exports, jobs, annotations, saved_views, settings, retention_policies, export_formats, audit_log;
    """)
