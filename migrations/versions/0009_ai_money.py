"""AI money: the price book, budgets and alerts, providers' bills, and quotas.

Revision: 0009
Follows: 0008
"""

from migrations.running import run

revision = "0009"
down_revision = "0008"

TABLES = r"""
CREATE TABLE ai_prices (
    id UUID DEFAULT uuid_v7() NOT NULL,
    provider TEXT NOT NULL,
    model TEXT NOT NULL,
    unit TEXT NOT NULL,
    service_tier TEXT DEFAULT 'standard' NOT NULL,
    variant TEXT DEFAULT '' NOT NULL,
    context_from BIGINT DEFAULT 0 NOT NULL,
    price NUMERIC(20, 12) NOT NULL,
    per BIGINT DEFAULT 1000000 NOT NULL,
    currency CHAR(3) DEFAULT 'USD' NOT NULL,
    valid_from TIMESTAMP WITH TIME ZONE NOT NULL,
    valid_to TIMESTAMP WITH TIME ZONE,
    known_from TIMESTAMP WITH TIME ZONE DEFAULT now() NOT NULL,
    version INTEGER NOT NULL,
    source TEXT NOT NULL,
    source_reference TEXT,
    approved_by UUID,
    approved_at TIMESTAMP WITH TIME ZONE,
    superseded_by UUID,
    created_at TIMESTAMP WITH TIME ZONE DEFAULT now() NOT NULL,
    CONSTRAINT ai_prices_key PRIMARY KEY (id),
    CONSTRAINT provider_is_known CHECK (provider IN ('openai', 'anthropic', 'google')),
    CONSTRAINT unit_is_known CHECK (unit IN ('input', 'cached_input', 'cache_write_5m', 'cache_write_1h', 'output',
        'reasoning', 'image', 'audio_second', 'video_second', 'tool_call')),
    CONSTRAINT currency_is_a_currency_code CHECK (currency ~ '^[A-Z]{3}$'),
    CONSTRAINT price_is_not_negative CHECK (price >= 0),
    CONSTRAINT context_from_is_not_negative CHECK (context_from >= 0),
    CONSTRAINT a_price_is_for_some_units CHECK (per > 0),
    CONSTRAINT a_price_ends_after_it_starts CHECK (valid_to > valid_from),
    CONSTRAINT ai_prices_approved_by_exists FOREIGN KEY(approved_by) REFERENCES team_members (id),
    CONSTRAINT ai_prices_superseded_by_exists FOREIGN KEY(superseded_by) REFERENCES ai_prices (id)
);
CREATE INDEX ai_prices_by_model ON ai_prices (provider, model, valid_from);
CREATE UNIQUE INDEX ai_prices_live_has_a_row_once ON ai_prices (provider, model, unit, service_tier, variant,
    context_from, valid_from) WHERE superseded_by IS NULL AND approved_at IS NOT NULL;
COMMENT ON COLUMN ai_prices.variant IS 'Size and quality of an image, for example.';
COMMENT ON COLUMN ai_prices.context_from IS 'Calls with at least so many input tokens pay this for all of them.';
COMMENT ON COLUMN ai_prices.per IS 'The price is for so many units.';

CREATE TABLE provider_bills (
    id UUID DEFAULT uuid_v7() NOT NULL,
    provider TEXT NOT NULL,
    month DATE NOT NULL,
    currency CHAR(3) NOT NULL,
    total NUMERIC(20, 12) NOT NULL,
    tax NUMERIC(20, 12) DEFAULT 0 NOT NULL,
    source TEXT NOT NULL,
    source_digest TEXT NOT NULL,
    status TEXT DEFAULT 'open' NOT NULL,
    closed_at TIMESTAMP WITH TIME ZONE,
    closed_by UUID,
    created_at TIMESTAMP WITH TIME ZONE DEFAULT now() NOT NULL,
    updated_at TIMESTAMP WITH TIME ZONE DEFAULT now() NOT NULL,
    CONSTRAINT provider_bills_key PRIMARY KEY (id),
    CONSTRAINT provider_is_known CHECK (provider IN ('openai', 'anthropic', 'google')),
    CONSTRAINT status_is_known CHECK (status IN ('open', 'approved', 'closed')),
    CONSTRAINT currency_is_a_currency_code CHECK (currency ~ '^[A-Z]{3}$'),
    CONSTRAINT month_is_the_first_of_a_month CHECK (month = date_trunc('month', month)),
    CONSTRAINT provider_bills_provider_month_source_digest_is_unique UNIQUE (provider, month, source_digest),
    CONSTRAINT provider_bills_closed_by_exists FOREIGN KEY(closed_by) REFERENCES team_members (id)
);

CREATE TABLE budgets (
    id UUID DEFAULT uuid_v7() NOT NULL,
    name TEXT NOT NULL,
    scope TEXT NOT NULL,
    scope_value TEXT,
    workspace_id UUID,
    user_id UUID,
    amount NUMERIC(18, 4) NOT NULL,
    currency CHAR(3) DEFAULT 'USD' NOT NULL,
    period TEXT DEFAULT 'month' NOT NULL,
    timezone TEXT DEFAULT 'UTC' NOT NULL,
    thresholds BIGINT[] DEFAULT '{50,80,100}' NOT NULL,
    at_limit TEXT DEFAULT 'notify' NOT NULL,
    is_active BOOLEAN DEFAULT true NOT NULL,
    revision INTEGER DEFAULT 1 NOT NULL,
    created_at TIMESTAMP WITH TIME ZONE DEFAULT now() NOT NULL,
    updated_at TIMESTAMP WITH TIME ZONE DEFAULT now() NOT NULL,
    deleted_at TIMESTAMP WITH TIME ZONE,
    CONSTRAINT budgets_key PRIMARY KEY (id),
    CONSTRAINT scope_is_known CHECK (scope IN ('company', 'product', 'provider', 'workspace', 'user',
        'generation_type')),
    CONSTRAINT period_is_known CHECK (period IN ('day', 'month', 'year', 'lifetime')),
    CONSTRAINT at_limit_is_known CHECK (at_limit IN ('notify', 'block')),
    CONSTRAINT currency_is_a_currency_code CHECK (currency ~ '^[A-Z]{3}$'),
    CONSTRAINT a_budget_is_positive CHECK (amount > 0),
    CONSTRAINT thresholds_are_positive_percentages CHECK (0 < ALL (thresholds)),
    CONSTRAINT a_scope_names_what_it_covers CHECK ((scope IN ('workspace', 'user')) = (workspace_id IS NOT NULL) AND
        (scope = 'user') = (user_id IS NOT NULL) AND (scope IN ('product', 'provider', 'generation_type')) =
        (scope_value IS NOT NULL)),
    CONSTRAINT budgets_workspace_id_id_is_unique UNIQUE (workspace_id, id),
    CONSTRAINT budgets_workspace_id_exists FOREIGN KEY(workspace_id) REFERENCES workspaces (id),
    CONSTRAINT budgets_user_id_exists FOREIGN KEY(user_id) REFERENCES users (id)
);
CREATE INDEX budgets_by_workspace_id ON budgets (workspace_id);
COMMENT ON COLUMN budgets.scope_value IS 'The product, provider or type that a scope names.';

CREATE TABLE provider_bill_lines (
    id UUID DEFAULT uuid_v7() NOT NULL,
    bill_id UUID NOT NULL,
    day DATE NOT NULL,
    model TEXT,
    unit TEXT,
    service_tier TEXT,
    quantity NUMERIC(24, 6),
    amount NUMERIC(20, 12) NOT NULL,
    currency CHAR(3) NOT NULL,
    description TEXT,
    raw JSONB DEFAULT '{}'::jsonb NOT NULL,
    created_at TIMESTAMP WITH TIME ZONE DEFAULT now() NOT NULL,
    CONSTRAINT provider_bill_lines_key PRIMARY KEY (id),
    CONSTRAINT currency_is_a_currency_code CHECK (currency ~ '^[A-Z]{3}$'),
    CONSTRAINT provider_bill_lines_bill_id_exists FOREIGN KEY(bill_id) REFERENCES provider_bills (id)
);
CREATE INDEX provider_bill_lines_by_bill_id ON provider_bill_lines (bill_id, day);

CREATE TABLE quota_balances (
    workspace_id UUID NOT NULL,
    id UUID DEFAULT uuid_v7() NOT NULL,
    user_id UUID,
    product TEXT NOT NULL,
    meter TEXT NOT NULL,
    period TEXT NOT NULL,
    period_start TIMESTAMP WITH TIME ZONE NOT NULL,
    period_end TIMESTAMP WITH TIME ZONE,
    limit_amount BIGINT,
    grace_amount BIGINT DEFAULT 0 NOT NULL,
    is_soft BOOLEAN DEFAULT false NOT NULL,
    rolled_over BIGINT DEFAULT 0 NOT NULL,
    used BIGINT DEFAULT 0 NOT NULL,
    held BIGINT DEFAULT 0 NOT NULL,
    created_at TIMESTAMP WITH TIME ZONE DEFAULT now() NOT NULL,
    updated_at TIMESTAMP WITH TIME ZONE DEFAULT now() NOT NULL,
    CONSTRAINT quota_balances_key PRIMARY KEY (workspace_id, id),
    CONSTRAINT product_is_known CHECK (product IN ('email_studio', 'web_builder', 'craft_ads', 'ads_autopilot',
        'mailer')),
    CONSTRAINT meter_is_known CHECK (meter IN ('generations', 'image_generations', 'video_generations', 'ai_credits',
        'emails', 'contacts', 'campaigns', 'storage_bytes', 'api_calls', 'template_versions', 'imagen', 'veo')),
    CONSTRAINT period_is_known CHECK (period IN ('day', 'month', 'year', 'lifetime')),
    CONSTRAINT limit_amount_is_not_negative CHECK (limit_amount >= 0),
    CONSTRAINT grace_amount_is_not_negative CHECK (grace_amount >= 0),
    CONSTRAINT rolled_over_is_not_negative CHECK (rolled_over >= 0),
    CONSTRAINT used_is_not_negative CHECK (used >= 0),
    CONSTRAINT held_is_not_negative CHECK (held >= 0),
    CONSTRAINT a_period_ends_after_it_starts CHECK (period_end > period_start),
    CONSTRAINT quota_balances_workspace_id_exists FOREIGN KEY(workspace_id) REFERENCES workspaces (id),
    CONSTRAINT quota_balances_user_id_exists FOREIGN KEY(user_id) REFERENCES users (id)
)
 WITH (fillfactor = 50);
CREATE UNIQUE INDEX quota_balances_has_a_row_once ON quota_balances (workspace_id, user_id, product, meter, period,
    period_start) NULLS NOT DISTINCT;
COMMENT ON COLUMN quota_balances.user_id IS 'NULL: the workspace as a whole.';
COMMENT ON COLUMN quota_balances.limit_amount IS 'NULL: unlimited.';

CREATE TABLE quota_overrides (
    workspace_id UUID NOT NULL,
    id UUID DEFAULT uuid_v7() NOT NULL,
    user_id UUID,
    product TEXT NOT NULL,
    meter TEXT NOT NULL,
    period TEXT NOT NULL,
    limit_amount BIGINT,
    reason TEXT NOT NULL,
    starts_at TIMESTAMP WITH TIME ZONE DEFAULT now() NOT NULL,
    ends_at TIMESTAMP WITH TIME ZONE NOT NULL,
    granted_by UUID,
    revision INTEGER DEFAULT 1 NOT NULL,
    created_at TIMESTAMP WITH TIME ZONE DEFAULT now() NOT NULL,
    updated_at TIMESTAMP WITH TIME ZONE DEFAULT now() NOT NULL,
    CONSTRAINT quota_overrides_key PRIMARY KEY (workspace_id, id),
    CONSTRAINT product_is_known CHECK (product IN ('email_studio', 'web_builder', 'craft_ads', 'ads_autopilot',
        'mailer')),
    CONSTRAINT meter_is_known CHECK (meter IN ('generations', 'image_generations', 'video_generations', 'ai_credits',
        'emails', 'contacts', 'campaigns', 'storage_bytes', 'api_calls', 'template_versions', 'imagen', 'veo')),
    CONSTRAINT period_is_known CHECK (period IN ('day', 'month', 'year', 'lifetime')),
    CONSTRAINT limit_amount_is_not_negative CHECK (limit_amount >= 0),
    CONSTRAINT an_override_ends_after_it_starts CHECK (ends_at > starts_at),
    CONSTRAINT an_override_has_a_reason CHECK (reason <> ''),
    CONSTRAINT quota_overrides_workspace_id_exists FOREIGN KEY(workspace_id) REFERENCES workspaces (id),
    CONSTRAINT quota_overrides_user_id_exists FOREIGN KEY(user_id) REFERENCES users (id),
    CONSTRAINT quota_overrides_granted_by_exists FOREIGN KEY(granted_by) REFERENCES team_members (id)
);
CREATE INDEX quota_overrides_by_meter ON quota_overrides (workspace_id, product, meter, ends_at);
COMMENT ON COLUMN quota_overrides.limit_amount IS 'NULL: unlimited.';

CREATE TABLE budget_alerts (
    id UUID DEFAULT uuid_v7() NOT NULL,
    budget_id UUID,
    workspace_id UUID,
    kind TEXT DEFAULT 'threshold' NOT NULL,
    period_start TIMESTAMP WITH TIME ZONE NOT NULL,
    threshold INTEGER,
    spent NUMERIC(20, 12),
    reason TEXT,
    details JSONB DEFAULT '{}'::jsonb NOT NULL,
    acknowledged_by UUID,
    acknowledged_at TIMESTAMP WITH TIME ZONE,
    ended_at TIMESTAMP WITH TIME ZONE,
    created_at TIMESTAMP WITH TIME ZONE DEFAULT now() NOT NULL,
    CONSTRAINT budget_alerts_key PRIMARY KEY (id),
    CONSTRAINT kind_is_known CHECK (kind IN ('threshold', 'forecast', 'blocked', 'emergency_stop')),
    CONSTRAINT an_alert_belongs_to_a_budget CHECK (kind = 'emergency_stop' OR budget_id IS NOT NULL),
    CONSTRAINT budget_alerts_workspace_id_budget_id_exists FOREIGN KEY(workspace_id, budget_id) REFERENCES budgets
        (workspace_id, id),
    CONSTRAINT a_stop_has_a_reason CHECK (kind <> 'emergency_stop' OR reason IS NOT NULL),
    CONSTRAINT budget_alerts_budget_id_kind_period_start_threshold_is_unique UNIQUE (budget_id, kind, period_start,
        threshold),
    CONSTRAINT budget_alerts_budget_id_exists FOREIGN KEY(budget_id) REFERENCES budgets (id),
    CONSTRAINT budget_alerts_workspace_id_exists FOREIGN KEY(workspace_id) REFERENCES workspaces (id),
    CONSTRAINT budget_alerts_acknowledged_by_exists FOREIGN KEY(acknowledged_by) REFERENCES team_members (id)
);
CREATE INDEX budget_alerts_by_workspace_id ON budget_alerts (workspace_id);

CREATE TABLE quota_reservations (
    workspace_id UUID NOT NULL,
    id UUID DEFAULT uuid_v7() NOT NULL,
    balance_id UUID NOT NULL,
    idempotency_key TEXT NOT NULL,
    amount BIGINT NOT NULL,
    settled_amount BIGINT,
    state TEXT DEFAULT 'held' NOT NULL,
    expires_at TIMESTAMP WITH TIME ZONE NOT NULL,
    answer JSONB DEFAULT '{}'::jsonb NOT NULL,
    created_at TIMESTAMP WITH TIME ZONE DEFAULT now() NOT NULL,
    updated_at TIMESTAMP WITH TIME ZONE DEFAULT now() NOT NULL,
    CONSTRAINT quota_reservations_key PRIMARY KEY (workspace_id, id),
    CONSTRAINT state_is_known CHECK (state IN ('held', 'settled', 'released', 'expired')),
    CONSTRAINT amount_is_not_negative CHECK (amount >= 0),
    CONSTRAINT settled_amount_is_not_negative CHECK (settled_amount >= 0),
    CONSTRAINT what_is_settled_has_an_amount CHECK ((state = 'settled') = (settled_amount IS NOT NULL)),
    CONSTRAINT quota_reservations_workspace_id_balance_id_exists FOREIGN KEY(workspace_id, balance_id) REFERENCES
        quota_balances (workspace_id, id),
    CONSTRAINT quota_reservations_workspace_id_idempotency_key_balance_679c UNIQUE (workspace_id, idempotency_key,
        balance_id),
    CONSTRAINT quota_reservations_workspace_id_exists FOREIGN KEY(workspace_id) REFERENCES workspaces (id)
);
CREATE INDEX quota_reservations_by_balance_id ON quota_reservations (workspace_id, balance_id);
CREATE INDEX quota_reservations_held ON quota_reservations (expires_at) WHERE state = 'held';
COMMENT ON COLUMN quota_reservations.answer IS 'What a replay of the call is told.';
"""

GUARDS = """
SELECT guard_company_table('ai_prices');
SELECT guard_company_table('provider_bills');
SELECT guard_company_table('provider_bill_lines');
SELECT guard_tenant_table('budgets', 'company');
SELECT guard_tenant_table('budget_alerts', 'company');
SELECT guard_tenant_table('quota_balances');
SELECT guard_tenant_table('quota_reservations');
SELECT guard_tenant_table('quota_overrides');

-- A price is never edited: it is approved, ended or superseded.
REVOKE UPDATE, DELETE ON ai_prices FROM app_rw;
GRANT UPDATE (valid_to, approved_by, approved_at, superseded_by) ON ai_prices TO app_rw;
"""


def upgrade() -> None:
    run(TABLES)
    run(GUARDS)


def downgrade() -> None:
    run("""
    DROP TABLE quota_reservations, budget_alerts, quota_overrides, quota_balances, provider_bill_lines, budgets,
        provider_bills, ai_prices;
    """)
