"""Campaigns: what all channels share, and one table for what each channel alone has.

Revision: 0007
Follows: 0006
"""

from migrations.running import run

revision = "0007"
down_revision = "0006"

TABLES = r"""
CREATE TABLE campaigns (
    workspace_id UUID NOT NULL,
    id UUID DEFAULT uuid_v7() NOT NULL,
    code BIGINT GENERATED ALWAYS AS IDENTITY,
    user_id UUID,
    product TEXT NOT NULL,
    channel TEXT NOT NULL,
    name TEXT NOT NULL,
    description TEXT,
    status TEXT DEFAULT 'draft' NOT NULL,
    start_date DATE,
    end_date DATE,
    launched_at TIMESTAMP WITH TIME ZONE,
    daily_budget NUMERIC(18, 4),
    total_budget NUMERIC(18, 4),
    currency CHAR(3) DEFAULT 'USD' NOT NULL,
    metadata JSONB DEFAULT '{}'::jsonb NOT NULL,
    search_vector TSVECTOR,
    revision INTEGER DEFAULT 1 NOT NULL,
    created_at TIMESTAMP WITH TIME ZONE DEFAULT now() NOT NULL,
    updated_at TIMESTAMP WITH TIME ZONE DEFAULT now() NOT NULL,
    deleted_at TIMESTAMP WITH TIME ZONE,
    CONSTRAINT campaigns_key PRIMARY KEY (workspace_id, id),
    CONSTRAINT product_is_known CHECK (product IN ('email_studio', 'web_builder', 'craft_ads', 'ads_autopilot',
        'mailer')),
    CONSTRAINT channel_is_known CHECK (channel IN ('email', 'web', 'ads')),
    CONSTRAINT status_is_known CHECK (status IN ('draft', 'generating', 'review', 'ready', 'scheduled', 'launched',
        'active', 'sending', 'sent', 'paused', 'completed', 'cancelled', 'archived')),
    CONSTRAINT currency_is_a_currency_code CHECK (currency ~ '^[A-Z]{3}$'),
    CONSTRAINT daily_budget_is_not_negative CHECK (daily_budget >= 0),
    CONSTRAINT total_budget_is_not_negative CHECK (total_budget >= 0),
    CONSTRAINT a_campaign_ends_after_it_starts CHECK (end_date >= start_date),
    CONSTRAINT campaigns_workspace_id_id_channel_is_unique UNIQUE (workspace_id, id, channel),
    CONSTRAINT campaigns_workspace_id_exists FOREIGN KEY(workspace_id) REFERENCES workspaces (id),
    CONSTRAINT campaigns_user_id_exists FOREIGN KEY(user_id) REFERENCES users (id)
);
CREATE INDEX campaigns_by_created_at ON campaigns (workspace_id, created_at DESC);
CREATE INDEX campaigns_by_status ON campaigns (workspace_id, status);
CREATE INDEX campaigns_by_user_id_status_created_at ON campaigns (user_id, status, created_at DESC);
CREATE INDEX campaigns_search_metadata ON campaigns USING gin (metadata);
CREATE INDEX campaigns_search_search_vector ON campaigns USING gin (search_vector);

CREATE TABLE ad_campaigns (
    workspace_id UUID NOT NULL,
    campaign_id UUID NOT NULL,
    channel TEXT DEFAULT 'ads' NOT NULL,
    meta_account_id UUID,
    meta_campaign_id TEXT,
    purpose TEXT NOT NULL,
    objective TEXT,
    target_audience JSONB DEFAULT '{}'::jsonb NOT NULL,
    audience_size_estimate JSONB,
    approval_status TEXT DEFAULT 'pending' NOT NULL,
    ai_optimization_enabled BOOLEAN DEFAULT true NOT NULL,
    optimization_goals JSONB DEFAULT '{}'::jsonb NOT NULL,
    total_spend NUMERIC(18, 4) DEFAULT 0 NOT NULL,
    total_impressions BIGINT DEFAULT 0 NOT NULL,
    total_clicks BIGINT DEFAULT 0 NOT NULL,
    total_conversions BIGINT DEFAULT 0 NOT NULL,
    total_revenue NUMERIC(18, 4) DEFAULT 0 NOT NULL,
    created_at TIMESTAMP WITH TIME ZONE DEFAULT now() NOT NULL,
    updated_at TIMESTAMP WITH TIME ZONE DEFAULT now() NOT NULL,
    CONSTRAINT ad_campaigns_key PRIMARY KEY (workspace_id, campaign_id),
    CONSTRAINT the_channel_is_ads CHECK (channel = 'ads'),
    CONSTRAINT ad_campaigns_workspace_id_campaign_id_channel_exists FOREIGN KEY(workspace_id, campaign_id, channel)
        REFERENCES campaigns (workspace_id, id, channel),
    CONSTRAINT ad_campaigns_workspace_id_meta_account_id_exists FOREIGN KEY(workspace_id, meta_account_id) REFERENCES
        meta_accounts (workspace_id, id),
    CONSTRAINT purpose_is_known CHECK (purpose IN ('lead_generation', 'sales', 'brand_awareness', 'app_installs',
        'event_promotion', 'store_visits', 'retargeting')),
    CONSTRAINT approval_status_is_known CHECK (approval_status IN ('pending', 'approved', 'rejected')),
    CONSTRAINT total_spend_is_not_negative CHECK (total_spend >= 0),
    CONSTRAINT total_impressions_is_not_negative CHECK (total_impressions >= 0),
    CONSTRAINT total_clicks_is_not_negative CHECK (total_clicks >= 0),
    CONSTRAINT total_conversions_is_not_negative CHECK (total_conversions >= 0),
    CONSTRAINT ad_campaigns_workspace_id_exists FOREIGN KEY(workspace_id) REFERENCES workspaces (id)
)
 WITH (fillfactor = 70);
CREATE INDEX ad_campaigns_by_purpose ON ad_campaigns (purpose);
CREATE UNIQUE INDEX ad_campaigns_meta_campaign_id_is_unique ON ad_campaigns (workspace_id, meta_campaign_id);
CREATE INDEX ad_campaigns_search_target_audience ON ad_campaigns USING gin (target_audience);
COMMENT ON COLUMN ad_campaigns.total_spend IS 'Like total_revenue, in the campaign''s currency alone.';

CREATE TABLE campaign_assets (
    workspace_id UUID NOT NULL,
    id UUID DEFAULT uuid_v7() NOT NULL,
    campaign_id UUID NOT NULL,
    asset_id UUID NOT NULL,
    asset_role TEXT DEFAULT 'primary' NOT NULL,
    is_active BOOLEAN DEFAULT true NOT NULL,
    performance_score NUMERIC(3, 2),
    created_at TIMESTAMP WITH TIME ZONE DEFAULT now() NOT NULL,
    CONSTRAINT campaign_assets_key PRIMARY KEY (workspace_id, id),
    CONSTRAINT asset_role_is_known CHECK (asset_role IN ('primary', 'variation', 'test')),
    CONSTRAINT performance_score_is_from_0_to_5 CHECK (performance_score BETWEEN 0 AND 5),
    CONSTRAINT campaign_assets_workspace_id_campaign_id_exists FOREIGN KEY(workspace_id, campaign_id) REFERENCES
        campaigns (workspace_id, id),
    CONSTRAINT campaign_assets_workspace_id_asset_id_exists FOREIGN KEY(workspace_id, asset_id) REFERENCES
        creative_assets (workspace_id, id),
    CONSTRAINT campaign_assets_workspace_id_campaign_id_asset_id_is_unique UNIQUE (workspace_id, campaign_id, asset_id),
    CONSTRAINT campaign_assets_workspace_id_exists FOREIGN KEY(workspace_id) REFERENCES workspaces (id)
);
CREATE INDEX campaign_assets_by_asset_id ON campaign_assets (workspace_id, asset_id);

CREATE TABLE campaign_components (
    workspace_id UUID NOT NULL,
    id UUID DEFAULT uuid_v7() NOT NULL,
    campaign_id UUID NOT NULL,
    name TEXT NOT NULL,
    component_type TEXT NOT NULL,
    code TEXT,
    props JSONB DEFAULT '{}'::jsonb NOT NULL,
    css_styles TEXT,
    preview_url TEXT,
    export_formats JSONB DEFAULT '[]'::jsonb NOT NULL,
    views BIGINT DEFAULT 0 NOT NULL,
    clicks BIGINT DEFAULT 0 NOT NULL,
    conversions BIGINT DEFAULT 0 NOT NULL,
    engagement_score NUMERIC(5, 2),
    ai_generation_metadata JSONB DEFAULT '{}'::jsonb NOT NULL,
    version INTEGER DEFAULT 1 NOT NULL,
    parent_component_id UUID,
    sort_order INTEGER DEFAULT 0 NOT NULL,
    created_at TIMESTAMP WITH TIME ZONE DEFAULT now() NOT NULL,
    updated_at TIMESTAMP WITH TIME ZONE DEFAULT now() NOT NULL,
    deleted_at TIMESTAMP WITH TIME ZONE,
    CONSTRAINT campaign_components_key PRIMARY KEY (workspace_id, id),
    CONSTRAINT component_type_is_known CHECK (component_type IN ('landing_page', 'form', 'header', 'footer',
        'hero_section', 'testimonials', 'pricing', 'email_template', 'popup', 'navigation', 'custom')),
    CONSTRAINT views_is_not_negative CHECK (views >= 0),
    CONSTRAINT clicks_is_not_negative CHECK (clicks >= 0),
    CONSTRAINT conversions_is_not_negative CHECK (conversions >= 0),
    CONSTRAINT campaign_components_workspace_id_campaign_id_exists FOREIGN KEY(workspace_id, campaign_id) REFERENCES
        campaigns (workspace_id, id),
    CONSTRAINT campaign_components_workspace_id_parent_component_id_exists FOREIGN KEY(workspace_id,
        parent_component_id) REFERENCES campaign_components (workspace_id, id),
    CONSTRAINT campaign_components_workspace_id_exists FOREIGN KEY(workspace_id) REFERENCES workspaces (id)
);
CREATE INDEX campaign_components_by_campaign_id_sort_order ON campaign_components (workspace_id, campaign_id,
    sort_order);
CREATE INDEX campaign_components_by_component_type ON campaign_components (component_type);
CREATE INDEX campaign_components_search_props ON campaign_components USING gin (props);

CREATE TABLE campaign_lists (
    workspace_id UUID NOT NULL,
    id UUID DEFAULT uuid_v7() NOT NULL,
    campaign_id UUID NOT NULL,
    list_id UUID NOT NULL,
    created_at TIMESTAMP WITH TIME ZONE DEFAULT now() NOT NULL,
    CONSTRAINT campaign_lists_key PRIMARY KEY (workspace_id, id),
    CONSTRAINT campaign_lists_workspace_id_campaign_id_exists FOREIGN KEY(workspace_id, campaign_id) REFERENCES
        campaigns (workspace_id, id),
    CONSTRAINT campaign_lists_workspace_id_list_id_exists FOREIGN KEY(workspace_id, list_id) REFERENCES lists
        (workspace_id, id),
    CONSTRAINT campaign_lists_workspace_id_campaign_id_list_id_is_unique UNIQUE (workspace_id, campaign_id, list_id),
    CONSTRAINT campaign_lists_workspace_id_exists FOREIGN KEY(workspace_id) REFERENCES workspaces (id)
);
CREATE INDEX campaign_lists_by_list_id ON campaign_lists (workspace_id, list_id);

CREATE TABLE email_campaigns (
    workspace_id UUID NOT NULL,
    campaign_id UUID NOT NULL,
    channel TEXT DEFAULT 'email' NOT NULL,
    template_id UUID,
    subject TEXT,
    preheader TEXT,
    from_name TEXT,
    from_email TEXT,
    reply_to_email TEXT,
    html_content TEXT,
    text_content TEXT,
    scheduled_at TIMESTAMP WITH TIME ZONE,
    sent_at TIMESTAMP WITH TIME ZONE,
    sends_month DATE DEFAULT date_trunc('month', now() AT TIME ZONE 'UTC')::date NOT NULL,
    emails_sent BIGINT DEFAULT 0 NOT NULL,
    emails_delivered BIGINT DEFAULT 0 NOT NULL,
    emails_opened BIGINT DEFAULT 0 NOT NULL,
    emails_clicked BIGINT DEFAULT 0 NOT NULL,
    emails_bounced BIGINT DEFAULT 0 NOT NULL,
    emails_unsubscribed BIGINT DEFAULT 0 NOT NULL,
    emails_complained BIGINT DEFAULT 0 NOT NULL,
    created_at TIMESTAMP WITH TIME ZONE DEFAULT now() NOT NULL,
    updated_at TIMESTAMP WITH TIME ZONE DEFAULT now() NOT NULL,
    CONSTRAINT email_campaigns_key PRIMARY KEY (workspace_id, campaign_id),
    CONSTRAINT the_channel_is_email CHECK (channel = 'email'),
    CONSTRAINT email_campaigns_workspace_id_campaign_id_channel_exists FOREIGN KEY(workspace_id, campaign_id, channel)
        REFERENCES campaigns (workspace_id, id, channel),
    CONSTRAINT email_campaigns_workspace_id_template_id_exists FOREIGN KEY(workspace_id, template_id) REFERENCES
        templates (workspace_id, id),
    CONSTRAINT sends_month_is_the_first_of_a_month CHECK (sends_month = date_trunc('month', sends_month)),
    CONSTRAINT emails_sent_is_not_negative CHECK (emails_sent >= 0),
    CONSTRAINT emails_delivered_is_not_negative CHECK (emails_delivered >= 0),
    CONSTRAINT emails_opened_is_not_negative CHECK (emails_opened >= 0),
    CONSTRAINT emails_clicked_is_not_negative CHECK (emails_clicked >= 0),
    CONSTRAINT emails_bounced_is_not_negative CHECK (emails_bounced >= 0),
    CONSTRAINT emails_unsubscribed_is_not_negative CHECK (emails_unsubscribed >= 0),
    CONSTRAINT emails_complained_is_not_negative CHECK (emails_complained >= 0),
    CONSTRAINT email_campaigns_workspace_id_exists FOREIGN KEY(workspace_id) REFERENCES workspaces (id)
)
 WITH (fillfactor = 70);
CREATE INDEX email_campaigns_by_scheduled_at ON email_campaigns (scheduled_at) WHERE sent_at IS NULL;
CREATE INDEX email_campaigns_by_sent_at ON email_campaigns (workspace_id, sent_at);
CREATE INDEX email_campaigns_by_template_id ON email_campaigns (workspace_id, template_id);
COMMENT ON COLUMN email_campaigns.sends_month
    IS 'The month whose partition of email_sends holds this campaign''s sends; never changes.';

CREATE TABLE web_campaigns (
    workspace_id UUID NOT NULL,
    campaign_id UUID NOT NULL,
    channel TEXT DEFAULT 'web' NOT NULL,
    type TEXT NOT NULL,
    platform_source TEXT,
    platform_source_id TEXT,
    target_audience TEXT,
    business_type TEXT,
    goals JSONB DEFAULT '[]'::jsonb NOT NULL,
    brand_guidelines TEXT,
    performance_requirements JSONB DEFAULT '{}'::jsonb NOT NULL,
    views BIGINT DEFAULT 0 NOT NULL,
    clicks BIGINT DEFAULT 0 NOT NULL,
    conversions BIGINT DEFAULT 0 NOT NULL,
    revenue_generated NUMERIC(18, 4) DEFAULT 0 NOT NULL,
    created_at TIMESTAMP WITH TIME ZONE DEFAULT now() NOT NULL,
    updated_at TIMESTAMP WITH TIME ZONE DEFAULT now() NOT NULL,
    CONSTRAINT web_campaigns_key PRIMARY KEY (workspace_id, campaign_id),
    CONSTRAINT the_channel_is_web CHECK (channel = 'web'),
    CONSTRAINT web_campaigns_workspace_id_campaign_id_channel_exists FOREIGN KEY(workspace_id, campaign_id, channel)
        REFERENCES campaigns (workspace_id, id, channel),
    CONSTRAINT type_is_known CHECK (type IN ('landing_page', 'funnel', 'email_sequence', 'complete_campaign',
        'component_enhancement')),
    CONSTRAINT views_is_not_negative CHECK (views >= 0),
    CONSTRAINT clicks_is_not_negative CHECK (clicks >= 0),
    CONSTRAINT conversions_is_not_negative CHECK (conversions >= 0),
    CONSTRAINT web_campaigns_workspace_id_exists FOREIGN KEY(workspace_id) REFERENCES workspaces (id)
)
 WITH (fillfactor = 70);
CREATE INDEX web_campaigns_search_goals ON web_campaigns USING gin (goals);
CREATE INDEX web_campaigns_search_performance_requirements ON web_campaigns USING gin (performance_requirements);
COMMENT ON COLUMN web_campaigns.revenue_generated
    IS 'In the campaign''s currency; conversions in another one are not in it.';
"""

GUARDS = """
SELECT guard_tenant_table('campaigns');
SELECT guard_tenant_table('email_campaigns');
SELECT guard_tenant_table('web_campaigns');
SELECT guard_tenant_table('ad_campaigns');
SELECT guard_tenant_table('campaign_components');
SELECT guard_tenant_table('campaign_assets');
SELECT guard_tenant_table('campaign_lists');
"""


def upgrade() -> None:
    run(TABLES)
    run(GUARDS)


def downgrade() -> None:
    run("""
    DROP TABLE web_campaigns, email_campaigns, campaign_lists, campaign_components, campaign_assets, ad_campaigns,
        campaigns;
    """)
