"""Facts: partitioned by month, stamped with the transaction that wrote them, with tombstones of what is deleted.

Revision: 0008
Follows: 0007
"""

from migrations.running import run

revision = "0008"
down_revision = "0007"

TABLES = r"""
CREATE TABLE email_event_keys (
    workspace_id UUID NOT NULL,
    fingerprint UUID NOT NULL,
    event_id UUID NOT NULL,
    seen_at TIMESTAMP WITH TIME ZONE DEFAULT now() NOT NULL,
    CONSTRAINT email_event_keys_key PRIMARY KEY (workspace_id, fingerprint)
);
CREATE INDEX email_event_keys_by_seen_at ON email_event_keys USING brin (seen_at);

CREATE TABLE ai_cost_tracking (
    workspace_id UUID NOT NULL,
    id UUID DEFAULT uuid_v7() NOT NULL,
    date DATE NOT NULL,
    user_id UUID NOT NULL,
    provider TEXT NOT NULL,
    model TEXT NOT NULL,
    cost NUMERIC(20, 12) DEFAULT 0 NOT NULL,
    generations_count BIGINT DEFAULT 0 NOT NULL,
    failed_count BIGINT DEFAULT 0 NOT NULL,
    unpriced_count BIGINT DEFAULT 0 NOT NULL,
    tokens_used BIGINT DEFAULT 0 NOT NULL,
    created_at TIMESTAMP WITH TIME ZONE DEFAULT now() NOT NULL,
    updated_at TIMESTAMP WITH TIME ZONE DEFAULT now() NOT NULL,
    row_xid xid8 DEFAULT pg_current_xact_id() NOT NULL,
    CONSTRAINT ai_cost_tracking_key PRIMARY KEY (workspace_id, id, date),
    CONSTRAINT provider_is_known CHECK (provider IN ('openai', 'anthropic', 'google')),
    CONSTRAINT cost_is_not_negative CHECK (cost >= 0),
    CONSTRAINT generations_count_is_not_negative CHECK (generations_count >= 0),
    CONSTRAINT failed_count_is_not_negative CHECK (failed_count >= 0),
    CONSTRAINT unpriced_count_is_not_negative CHECK (unpriced_count >= 0),
    CONSTRAINT tokens_used_is_not_negative CHECK (tokens_used >= 0),
    CONSTRAINT ai_cost_tracking_workspace_id_exists FOREIGN KEY(workspace_id) REFERENCES workspaces (id),
    CONSTRAINT ai_cost_tracking_user_id_exists FOREIGN KEY(user_id) REFERENCES users (id)
)
 PARTITION BY RANGE (date);
CREATE INDEX ai_cost_tracking_by_row_xid ON ai_cost_tracking (row_xid);
CREATE UNIQUE INDEX ai_cost_tracking_has_a_row_once ON ai_cost_tracking (workspace_id, user_id, date, provider, model);

CREATE TABLE email_event_repeats (
    workspace_id UUID NOT NULL,
    provider TEXT NOT NULL,
    day DATE NOT NULL,
    repeats BIGINT NOT NULL,
    CONSTRAINT email_event_repeats_key PRIMARY KEY (workspace_id, provider, day),
    CONSTRAINT provider_is_known CHECK (provider IN ('sendgrid', 'ses', 'postmark', 'mailgun', 'smtp')),
    CONSTRAINT repeats_is_not_negative CHECK (repeats >= 0),
    CONSTRAINT email_event_repeats_workspace_id_exists FOREIGN KEY(workspace_id) REFERENCES workspaces (id)
);

CREATE TABLE fact_tombstones (
    position BIGINT GENERATED ALWAYS AS IDENTITY,
    workspace_id UUID NOT NULL,
    fact TEXT NOT NULL,
    row_key JSONB NOT NULL,
    removed_at TIMESTAMP WITH TIME ZONE DEFAULT now() NOT NULL,
    row_xid xid8 DEFAULT pg_current_xact_id() NOT NULL,
    CONSTRAINT fact_tombstones_key PRIMARY KEY (position),
    CONSTRAINT fact_tombstones_workspace_id_exists FOREIGN KEY(workspace_id) REFERENCES workspaces (id)
);
CREATE INDEX fact_tombstones_by_row_xid ON fact_tombstones (row_xid);
COMMENT ON COLUMN fact_tombstones.row_key IS 'The primary key of the row.';

CREATE TABLE usage_logs (
    workspace_id UUID NOT NULL,
    id UUID DEFAULT uuid_v7() NOT NULL,
    logged_at TIMESTAMP WITH TIME ZONE DEFAULT now() NOT NULL,
    user_id UUID NOT NULL,
    product TEXT NOT NULL,
    feature TEXT NOT NULL,
    credits_consumed INTEGER DEFAULT 1 NOT NULL,
    quantity BIGINT DEFAULT 1 NOT NULL,
    resource_id UUID,
    metadata JSONB DEFAULT '{}'::jsonb NOT NULL,
    row_xid xid8 DEFAULT pg_current_xact_id() NOT NULL,
    CONSTRAINT usage_logs_key PRIMARY KEY (workspace_id, id, logged_at),
    CONSTRAINT credits_consumed_is_not_negative CHECK (credits_consumed >= 0),
    CONSTRAINT usage_logs_workspace_id_exists FOREIGN KEY(workspace_id) REFERENCES workspaces (id),
    CONSTRAINT usage_logs_user_id_exists FOREIGN KEY(user_id) REFERENCES users (id)
)
 PARTITION BY RANGE (logged_at);
CREATE INDEX usage_logs_by_row_xid ON usage_logs (row_xid);
CREATE INDEX usage_logs_by_user_feature ON usage_logs (workspace_id, user_id, feature, logged_at);
COMMENT ON COLUMN usage_logs.quantity IS 'Bytes where it is storage.';

CREATE TABLE user_usage (
    workspace_id UUID NOT NULL,
    id UUID DEFAULT uuid_v7() NOT NULL,
    month DATE NOT NULL,
    user_id UUID NOT NULL,
    campaigns_generated BIGINT DEFAULT 0 NOT NULL,
    ai_credits_used BIGINT DEFAULT 0 NOT NULL,
    storage_bytes_used BIGINT DEFAULT 0 NOT NULL,
    api_calls_made BIGINT DEFAULT 0 NOT NULL,
    row_xid xid8 DEFAULT pg_current_xact_id() NOT NULL,
    CONSTRAINT user_usage_key PRIMARY KEY (workspace_id, id, month),
    CONSTRAINT month_is_the_first_of_a_month CHECK (month = date_trunc('month', month)),
    CONSTRAINT user_usage_workspace_id_exists FOREIGN KEY(workspace_id) REFERENCES workspaces (id),
    CONSTRAINT user_usage_user_id_exists FOREIGN KEY(user_id) REFERENCES users (id)
)
 PARTITION BY RANGE (month);
CREATE INDEX user_usage_by_row_xid ON user_usage (row_xid);
CREATE UNIQUE INDEX user_usage_user_id_month_is_unique ON user_usage (workspace_id, user_id, month);

CREATE TABLE ai_generations (
    workspace_id UUID NOT NULL,
    id UUID DEFAULT uuid_v7() NOT NULL,
    user_id UUID NOT NULL,
    campaign_id UUID,
    component_id UUID,
    template_id UUID,
    template_workspace_id UUID,
    product TEXT NOT NULL,
    provider TEXT NOT NULL,
    model TEXT NOT NULL,
    generation_type TEXT NOT NULL,
    service_tier TEXT DEFAULT 'standard' NOT NULL,
    request_key UUID,
    attempt INTEGER DEFAULT 1 NOT NULL,
    status TEXT DEFAULT 'pending' NOT NULL,
    error_code TEXT,
    error_message TEXT,
    prompt_text TEXT,
    prompt_data JSONB DEFAULT '{}'::jsonb NOT NULL,
    customization_data JSONB DEFAULT '{}'::jsonb NOT NULL,
    reference_images TEXT[] DEFAULT '{}' NOT NULL,
    result_data JSONB,
    result_image_url TEXT,
    input_tokens BIGINT DEFAULT 0 NOT NULL,
    cached_input_tokens BIGINT DEFAULT 0 NOT NULL,
    cache_write_tokens BIGINT DEFAULT 0 NOT NULL,
    output_tokens BIGINT DEFAULT 0 NOT NULL,
    reasoning_tokens BIGINT DEFAULT 0 NOT NULL,
    images INTEGER DEFAULT 0 NOT NULL,
    image_size TEXT,
    image_quality TEXT,
    audio_seconds NUMERIC(12, 3) DEFAULT 0 NOT NULL,
    video_seconds NUMERIC(12, 3) DEFAULT 0 NOT NULL,
    tool_calls INTEGER DEFAULT 0 NOT NULL,
    cost NUMERIC(20, 12),
    reported_cost NUMERIC(20, 12),
    currency CHAR(3) DEFAULT 'USD' NOT NULL,
    price_version INTEGER,
    credits_used INTEGER DEFAULT 0 NOT NULL,
    completed_at TIMESTAMP WITH TIME ZONE,
    generation_time_ms BIGINT,
    iterations INTEGER DEFAULT 1 NOT NULL,
    user_rating INTEGER,
    user_feedback TEXT,
    accepted BOOLEAN,
    created_at TIMESTAMP WITH TIME ZONE DEFAULT now() NOT NULL,
    updated_at TIMESTAMP WITH TIME ZONE DEFAULT now() NOT NULL,
    row_xid xid8 DEFAULT pg_current_xact_id() NOT NULL,
    CONSTRAINT ai_generations_key PRIMARY KEY (workspace_id, id, created_at),
    CONSTRAINT product_is_known CHECK (product IN ('email_studio', 'web_builder', 'craft_ads', 'ads_autopilot',
        'mailer')),
    CONSTRAINT provider_is_known CHECK (provider IN ('openai', 'anthropic', 'google')),
    CONSTRAINT generation_type_is_known CHECK (generation_type IN ('campaign', 'component', 'enhancement', 'analysis',
        'migration_plan', 'email', 'image', 'video', 'assistant')),
    CONSTRAINT status_is_known CHECK (status IN ('pending', 'processing', 'completed', 'failed', 'cancelled')),
    CONSTRAINT service_tier_is_known CHECK (service_tier IN ('standard', 'batch', 'priority')),
    CONSTRAINT ai_is_priced_in_dollars CHECK (currency = 'USD'),
    CONSTRAINT input_tokens_is_not_negative CHECK (input_tokens >= 0),
    CONSTRAINT cached_input_tokens_is_not_negative CHECK (cached_input_tokens >= 0),
    CONSTRAINT cache_write_tokens_is_not_negative CHECK (cache_write_tokens >= 0),
    CONSTRAINT output_tokens_is_not_negative CHECK (output_tokens >= 0),
    CONSTRAINT reasoning_tokens_is_not_negative CHECK (reasoning_tokens >= 0),
    CONSTRAINT images_is_not_negative CHECK (images >= 0),
    CONSTRAINT audio_seconds_is_not_negative CHECK (audio_seconds >= 0),
    CONSTRAINT video_seconds_is_not_negative CHECK (video_seconds >= 0),
    CONSTRAINT tool_calls_is_not_negative CHECK (tool_calls >= 0),
    CONSTRAINT cost_is_not_negative CHECK (cost >= 0),
    CONSTRAINT reported_cost_is_not_negative CHECK (reported_cost >= 0),
    CONSTRAINT credits_used_is_not_negative CHECK (credits_used >= 0),
    CONSTRAINT generation_time_ms_is_not_negative CHECK (generation_time_ms >= 0),
    CONSTRAINT attempts_count_from_one CHECK (attempt >= 1),
    CONSTRAINT user_rating_is_from_1_to_5 CHECK (user_rating BETWEEN 1 AND 5),
    CONSTRAINT a_cost_names_its_prices CHECK ((cost IS NULL) = (price_version IS NULL)),
    CONSTRAINT ai_generations_workspace_id_campaign_id_exists FOREIGN KEY(workspace_id, campaign_id) REFERENCES
        campaigns (workspace_id, id),
    CONSTRAINT ai_generations_workspace_id_component_id_exists FOREIGN KEY(workspace_id, component_id) REFERENCES
        campaign_components (workspace_id, id),
    CONSTRAINT template_exists FOREIGN KEY(template_workspace_id, template_id) REFERENCES templates (workspace_id, id),
    CONSTRAINT template_is_own_or_from_the_library CHECK (template_workspace_id = workspace_id OR template_workspace_id
        = '00000000-0000-7000-8000-000000000000'::uuid),
    CONSTRAINT template_and_its_workspace_come_together CHECK ((template_id IS NULL) = (template_workspace_id IS NULL)),
    CONSTRAINT ai_generations_workspace_id_exists FOREIGN KEY(workspace_id) REFERENCES workspaces (id),
    CONSTRAINT ai_generations_user_id_exists FOREIGN KEY(user_id) REFERENCES users (id)
)
 PARTITION BY RANGE (created_at);
CREATE INDEX ai_generations_by_created_at ON ai_generations (workspace_id, created_at);
CREATE INDEX ai_generations_by_model ON ai_generations (model, created_at);
CREATE INDEX ai_generations_by_row_xid ON ai_generations (row_xid);
CREATE INDEX ai_generations_by_user ON ai_generations (workspace_id, user_id, created_at);
CREATE INDEX ai_generations_unpriced ON ai_generations (created_at) WHERE cost IS NULL;
COMMENT ON COLUMN ai_generations.request_key IS 'The same on every attempt of one request.';
COMMENT ON COLUMN ai_generations.cost IS 'What we computed, unrounded; NULL: unpriced.';
COMMENT ON COLUMN ai_generations.reported_cost IS 'What the source said.';

CREATE TABLE ai_optimization_logs (
    workspace_id UUID NOT NULL,
    id UUID DEFAULT uuid_v7() NOT NULL,
    optimized_at TIMESTAMP WITH TIME ZONE DEFAULT now() NOT NULL,
    campaign_id UUID NOT NULL,
    optimization_type TEXT NOT NULL,
    trigger_condition TEXT,
    before_values JSONB DEFAULT '{}'::jsonb NOT NULL,
    after_values JSONB DEFAULT '{}'::jsonb NOT NULL,
    success BOOLEAN,
    impact_description TEXT,
    performance_change JSONB,
    row_xid xid8 DEFAULT pg_current_xact_id() NOT NULL,
    CONSTRAINT ai_optimization_logs_key PRIMARY KEY (workspace_id, id, optimized_at),
    CONSTRAINT ai_optimization_logs_workspace_id_campaign_id_exists FOREIGN KEY(workspace_id, campaign_id) REFERENCES
        ad_campaigns (workspace_id, campaign_id)
)
 PARTITION BY RANGE (optimized_at);
CREATE INDEX ai_optimization_logs_by_campaign ON ai_optimization_logs (workspace_id, campaign_id, optimized_at);
CREATE INDEX ai_optimization_logs_by_optimization_type ON ai_optimization_logs (optimization_type);
CREATE INDEX ai_optimization_logs_by_row_xid ON ai_optimization_logs (row_xid);

CREATE TABLE campaign_events (
    workspace_id UUID NOT NULL,
    id UUID DEFAULT uuid_v7() NOT NULL,
    occurred_at TIMESTAMP WITH TIME ZONE DEFAULT now() NOT NULL,
    campaign_id UUID NOT NULL,
    component_id UUID,
    event_type TEXT NOT NULL,
    event_data JSONB DEFAULT '{}'::jsonb NOT NULL,
    session_id TEXT,
    source TEXT,
    medium TEXT,
    user_agent TEXT,
    ip_address INET,
    referrer TEXT,
    country TEXT,
    region TEXT,
    city TEXT,
    created_at TIMESTAMP WITH TIME ZONE DEFAULT now() NOT NULL,
    row_xid xid8 DEFAULT pg_current_xact_id() NOT NULL,
    CONSTRAINT campaign_events_key PRIMARY KEY (workspace_id, id, occurred_at),
    CONSTRAINT event_type_is_known CHECK (event_type IN ('view', 'click', 'conversion', 'form_submit', 'email_open',
        'email_click')),
    CONSTRAINT country_is_a_two_letter_code CHECK (length(country) = 2),
    CONSTRAINT campaign_events_workspace_id_campaign_id_exists FOREIGN KEY(workspace_id, campaign_id) REFERENCES
        web_campaigns (workspace_id, campaign_id),
    CONSTRAINT campaign_events_workspace_id_component_id_exists FOREIGN KEY(workspace_id, component_id) REFERENCES
        campaign_components (workspace_id, id)
)
 PARTITION BY RANGE (occurred_at);
CREATE INDEX campaign_events_by_campaign ON campaign_events (workspace_id, campaign_id, occurred_at);
CREATE INDEX campaign_events_by_occurred_at ON campaign_events (workspace_id, occurred_at);
CREATE INDEX campaign_events_by_row_xid ON campaign_events (row_xid);
CREATE INDEX campaign_events_by_session ON campaign_events (workspace_id, session_id);

CREATE TABLE conversions (
    workspace_id UUID NOT NULL,
    id UUID DEFAULT uuid_v7() NOT NULL,
    occurred_at TIMESTAMP WITH TIME ZONE DEFAULT now() NOT NULL,
    campaign_id UUID NOT NULL,
    component_id UUID,
    conversion_type TEXT NOT NULL,
    value NUMERIC(18, 4) DEFAULT 0 NOT NULL,
    currency CHAR(3) NOT NULL,
    session_id TEXT,
    source TEXT,
    medium TEXT,
    created_at TIMESTAMP WITH TIME ZONE DEFAULT now() NOT NULL,
    row_xid xid8 DEFAULT pg_current_xact_id() NOT NULL,
    CONSTRAINT conversions_key PRIMARY KEY (workspace_id, id, occurred_at),
    CONSTRAINT currency_is_a_currency_code CHECK (currency ~ '^[A-Z]{3}$'),
    CONSTRAINT value_is_not_negative CHECK (value >= 0),
    CONSTRAINT conversions_workspace_id_campaign_id_exists FOREIGN KEY(workspace_id, campaign_id) REFERENCES
        web_campaigns (workspace_id, campaign_id),
    CONSTRAINT conversions_workspace_id_component_id_exists FOREIGN KEY(workspace_id, component_id) REFERENCES
        campaign_components (workspace_id, id)
)
 PARTITION BY RANGE (occurred_at);
CREATE INDEX conversions_by_campaign ON conversions (workspace_id, campaign_id, occurred_at);
CREATE INDEX conversions_by_occurred_at ON conversions (workspace_id, occurred_at);
CREATE INDEX conversions_by_row_xid ON conversions (row_xid);
CREATE INDEX conversions_by_session ON conversions (workspace_id, session_id);

CREATE TABLE email_events (
    workspace_id UUID NOT NULL,
    id UUID DEFAULT uuid_v7() NOT NULL,
    occurred_at TIMESTAMP WITH TIME ZONE NOT NULL,
    campaign_id UUID NOT NULL,
    contact_id UUID NOT NULL,
    event_type TEXT NOT NULL,
    provider TEXT NOT NULL,
    provider_event_key TEXT,
    provider_message_id TEXT,
    user_agent TEXT,
    ip_address INET,
    location TEXT,
    device_type TEXT,
    link_url TEXT,
    link_text TEXT,
    bounce_type TEXT,
    bounce_reason TEXT,
    is_machine_open BOOLEAN,
    machine_rules_version INTEGER,
    metadata JSONB DEFAULT '{}'::jsonb NOT NULL,
    created_at TIMESTAMP WITH TIME ZONE DEFAULT now() NOT NULL,
    row_xid xid8 DEFAULT pg_current_xact_id() NOT NULL,
    CONSTRAINT email_events_key PRIMARY KEY (workspace_id, id, occurred_at),
    CONSTRAINT event_type_is_known CHECK (event_type IN ('sent', 'delivered', 'opened', 'clicked', 'bounced',
        'unsubscribed', 'complained')),
    CONSTRAINT provider_is_known CHECK (provider IN ('sendgrid', 'ses', 'postmark', 'mailgun', 'smtp')),
    CONSTRAINT bounce_type_is_known CHECK (bounce_type IN ('hard', 'soft', 'undetermined')),
    CONSTRAINT a_bounce_has_a_class CHECK ((event_type = 'bounced') = (bounce_type IS NOT NULL)),
    CONSTRAINT email_events_workspace_id_campaign_id_exists FOREIGN KEY(workspace_id, campaign_id) REFERENCES
        email_campaigns (workspace_id, campaign_id),
    CONSTRAINT email_events_workspace_id_contact_id_exists FOREIGN KEY(workspace_id, contact_id) REFERENCES contacts
        (workspace_id, id)
)
 PARTITION BY RANGE (occurred_at);
CREATE INDEX email_events_by_campaign_contact ON email_events (workspace_id, campaign_id, contact_id);
CREATE INDEX email_events_by_contact ON email_events (workspace_id, contact_id);
CREATE INDEX email_events_by_occurred_at ON email_events (workspace_id, occurred_at);
CREATE INDEX email_events_by_row_xid ON email_events (row_xid);

CREATE TABLE email_sends (
    workspace_id UUID NOT NULL,
    campaign_id UUID NOT NULL,
    contact_id UUID NOT NULL,
    sends_month DATE NOT NULL,
    first_sent_at TIMESTAMP WITH TIME ZONE,
    first_delivered_at TIMESTAMP WITH TIME ZONE,
    last_delivered_at TIMESTAMP WITH TIME ZONE,
    first_opened_at TIMESTAMP WITH TIME ZONE,
    first_human_opened_at TIMESTAMP WITH TIME ZONE,
    first_clicked_at TIMESTAMP WITH TIME ZONE,
    last_engaged_at TIMESTAMP WITH TIME ZONE,
    hard_bounced_at TIMESTAMP WITH TIME ZONE,
    soft_bounced_at TIMESTAMP WITH TIME ZONE,
    undetermined_bounced_at TIMESTAMP WITH TIME ZONE,
    last_transient_bounced_at TIMESTAMP WITH TIME ZONE,
    first_unsubscribed_at TIMESTAMP WITH TIME ZONE,
    first_complained_at TIMESTAMP WITH TIME ZONE,
    opens INTEGER DEFAULT 0 NOT NULL,
    machine_opens INTEGER DEFAULT 0 NOT NULL,
    clicks INTEGER DEFAULT 0 NOT NULL,
    first_bounced_at TIMESTAMP WITH TIME ZONE GENERATED ALWAYS AS (CASE WHEN hard_bounced_at IS NOT NULL OR
        last_transient_bounced_at IS NOT NULL AND (last_delivered_at IS NULL OR last_delivered_at <
        last_transient_bounced_at) THEN LEAST(hard_bounced_at, soft_bounced_at, undetermined_bounced_at) ELSE
        NULL::timestamp with time zone END) STORED,
    bounce_type TEXT GENERATED ALWAYS AS (CASE WHEN NOT (hard_bounced_at IS NOT NULL OR last_transient_bounced_at IS NOT
        NULL AND (last_delivered_at IS NULL OR last_delivered_at < last_transient_bounced_at)) THEN NULL::text WHEN
        hard_bounced_at IS NOT NULL THEN 'hard'::text WHEN soft_bounced_at IS NOT NULL THEN 'soft'::text ELSE
        'undetermined'::text END) STORED,
    row_xid xid8 DEFAULT pg_current_xact_id() NOT NULL,
    CONSTRAINT email_sends_key PRIMARY KEY (workspace_id, campaign_id, contact_id, sends_month),
    CONSTRAINT opens_is_not_negative CHECK (opens >= 0),
    CONSTRAINT machine_opens_is_not_negative CHECK (machine_opens >= 0),
    CONSTRAINT clicks_is_not_negative CHECK (clicks >= 0),
    CONSTRAINT email_sends_workspace_id_campaign_id_exists FOREIGN KEY(workspace_id, campaign_id) REFERENCES
        email_campaigns (workspace_id, campaign_id),
    CONSTRAINT email_sends_workspace_id_contact_id_exists FOREIGN KEY(workspace_id, contact_id) REFERENCES contacts
        (workspace_id, id)
)
 PARTITION BY RANGE (sends_month);
CREATE INDEX email_sends_by_contact ON email_sends (workspace_id, contact_id);
CREATE INDEX email_sends_by_row_xid ON email_sends (row_xid);
COMMENT ON COLUMN email_sends.sends_month IS 'The campaign''s; see email_campaigns.';

CREATE TABLE performance_analytics (
    workspace_id UUID NOT NULL,
    id UUID DEFAULT uuid_v7() NOT NULL,
    date DATE NOT NULL,
    campaign_id UUID NOT NULL,
    breakdown TEXT DEFAULT 'none' NOT NULL,
    hour INTEGER,
    platform TEXT,
    placement TEXT,
    age_range TEXT,
    gender TEXT,
    location TEXT,
    impressions BIGINT DEFAULT 0 NOT NULL,
    reach BIGINT,
    clicks BIGINT DEFAULT 0 NOT NULL,
    spend NUMERIC(18, 4) DEFAULT 0 NOT NULL,
    conversions BIGINT DEFAULT 0 NOT NULL,
    revenue NUMERIC(18, 4) DEFAULT 0 NOT NULL,
    currency CHAR(3) NOT NULL,
    restatements INTEGER DEFAULT 0 NOT NULL,
    restated_at TIMESTAMP WITH TIME ZONE,
    created_at TIMESTAMP WITH TIME ZONE DEFAULT now() NOT NULL,
    row_xid xid8 DEFAULT pg_current_xact_id() NOT NULL,
    CONSTRAINT performance_analytics_key PRIMARY KEY (workspace_id, id, date),
    CONSTRAINT breakdown_is_known CHECK (breakdown IN ('none', 'hour', 'platform', 'platform+placement', 'age',
        'gender', 'age+gender', 'location')),
    CONSTRAINT platform_is_known CHECK (platform IN ('facebook', 'instagram', 'messenger', 'audience_network',
        'unknown')),
    CONSTRAINT gender_is_known CHECK (gender IN ('female', 'male', 'unknown')),
    CONSTRAINT currency_is_a_currency_code CHECK (currency ~ '^[A-Z]{3}$'),
    CONSTRAINT impressions_is_not_negative CHECK (impressions >= 0),
    CONSTRAINT reach_is_not_negative CHECK (reach >= 0),
    CONSTRAINT clicks_is_not_negative CHECK (clicks >= 0),
    CONSTRAINT spend_is_not_negative CHECK (spend >= 0),
    CONSTRAINT conversions_is_not_negative CHECK (conversions >= 0),
    CONSTRAINT hour_is_from_0_to_23 CHECK (hour BETWEEN 0 AND 23),
    CONSTRAINT a_row_is_split_by_what_its_breakdown_names CHECK ((hour IS NOT NULL) = ('hour' = ANY
        (string_to_array(breakdown, '+'))) AND (platform IS NOT NULL) = ('platform' = ANY
        (string_to_array(breakdown, '+'))) AND (placement IS NOT NULL) = ('placement' = ANY
        (string_to_array(breakdown, '+'))) AND (age_range IS NOT NULL) = ('age' = ANY (string_to_array(breakdown,
        '+'))) AND (gender IS NOT NULL) = ('gender' = ANY (string_to_array(breakdown, '+'))) AND (location IS NOT
        NULL) = ('location' = ANY (string_to_array(breakdown, '+')))),
    CONSTRAINT performance_analytics_workspace_id_campaign_id_exists FOREIGN KEY(workspace_id, campaign_id) REFERENCES
        ad_campaigns (workspace_id, campaign_id)
)
 PARTITION BY RANGE (date);
CREATE INDEX performance_analytics_by_date ON performance_analytics (workspace_id, date);
CREATE INDEX performance_analytics_by_row_xid ON performance_analytics (row_xid);
CREATE UNIQUE INDEX performance_analytics_has_a_row_once ON performance_analytics (workspace_id, campaign_id, date,
    breakdown, hour, platform, placement, age_range, gender, location) NULLS NOT DISTINCT;
COMMENT ON COLUMN performance_analytics.date IS 'The ad account''s day.';
COMMENT ON COLUMN performance_analytics.reach IS 'People; does not add up over rows.';
COMMENT ON COLUMN performance_analytics.restatements IS 'How often the source changed this row.';
"""

GUARDS = """
-- An event that is deleted inside a trigger was a repeat: it was never counted, committed or copied.
SELECT guard_fact_table('email_events', ARRAY['id', 'occurred_at'], deleted_by_triggers => false);
SELECT guard_fact_table('email_sends', ARRAY['campaign_id', 'contact_id', 'sends_month']);
SELECT guard_fact_table('campaign_events', ARRAY['id', 'occurred_at']);
SELECT guard_fact_table('conversions', ARRAY['id', 'occurred_at']);
SELECT guard_fact_table('performance_analytics', ARRAY['id', 'date']);
SELECT guard_fact_table('ai_generations', ARRAY['id', 'created_at']);
SELECT guard_fact_table('ai_cost_tracking', ARRAY['id', 'date']);
SELECT guard_fact_table('ai_optimization_logs', ARRAY['id', 'optimized_at']);
SELECT guard_fact_table('usage_logs', ARRAY['id', 'logged_at']);
SELECT guard_fact_table('user_usage', ARRAY['id', 'month']);

SELECT open_to_ingest('email_events');
SELECT open_to_ingest('campaign_events');
SELECT open_to_ingest('conversions', restated => true);
SELECT open_to_ingest('performance_analytics', restated => true);
SELECT open_to_ingest('ai_generations', restated => true);
SELECT open_to_ingest('ai_optimization_logs');
SELECT open_to_ingest('usage_logs');

-- What triggers keep is written by triggers alone.
SELECT guard_tenant_table('email_event_keys');
SELECT guard_tenant_table('email_event_repeats');
SELECT guard_tenant_table('fact_tombstones');
REVOKE INSERT, UPDATE, DELETE ON email_event_keys, email_event_repeats, fact_tombstones, email_sends, ai_cost_tracking,
    user_usage FROM app_rw;

SELECT make_partitions();
"""


def upgrade() -> None:
    run(TABLES)
    run(GUARDS)


def downgrade() -> None:
    run("""
    DROP TABLE performance_analytics, email_sends, email_events, conversions, campaign_events,
        ai_optimization_logs, ai_generations, user_usage, usage_logs, fact_tombstones, email_event_repeats,
        ai_cost_tracking, email_event_keys;
    """)
