"""Plans, subscriptions, invoices, payments, credits and exchange rates.

Revision: 0003
Follows: 0002
"""

from migrations.running import run

revision = "0003"
down_revision = "0002"

TABLES = r"""
CREATE TABLE credit_packages (
    id UUID DEFAULT uuid_v7() NOT NULL,
    name TEXT NOT NULL,
    description TEXT,
    credit_amount INTEGER NOT NULL,
    price NUMERIC(18, 4) NOT NULL,
    currency CHAR(3) NOT NULL,
    is_active BOOLEAN DEFAULT true NOT NULL,
    is_featured BOOLEAN DEFAULT false NOT NULL,
    sort_order INTEGER DEFAULT 0 NOT NULL,
    revision INTEGER DEFAULT 1 NOT NULL,
    created_at TIMESTAMP WITH TIME ZONE DEFAULT now() NOT NULL,
    updated_at TIMESTAMP WITH TIME ZONE DEFAULT now() NOT NULL,
    CONSTRAINT credit_packages_key PRIMARY KEY (id),
    CONSTRAINT currency_is_a_currency_code CHECK (currency ~ '^[A-Z]{3}$'),
    CONSTRAINT price_is_not_negative CHECK (price >= 0),
    CONSTRAINT a_package_holds_credits CHECK (credit_amount > 0)
);
CREATE INDEX credit_packages_by_is_active_sort_order ON credit_packages (is_active, sort_order);

CREATE TABLE fx_rates (
    day DATE NOT NULL,
    currency CHAR(3) NOT NULL,
    reporting_currency CHAR(3) NOT NULL,
    rate NUMERIC(20, 10) NOT NULL,
    source TEXT NOT NULL,
    created_at TIMESTAMP WITH TIME ZONE DEFAULT now() NOT NULL,
    CONSTRAINT fx_rates_key PRIMARY KEY (day, currency, reporting_currency),
    CONSTRAINT currency_is_a_currency_code CHECK (currency ~ '^[A-Z]{3}$'),
    CONSTRAINT reporting_currency_is_a_currency_code CHECK (reporting_currency ~ '^[A-Z]{3}$'),
    CONSTRAINT a_rate_is_positive CHECK (rate > 0)
);

CREATE TABLE plans (
    id UUID DEFAULT uuid_v7() NOT NULL,
    product TEXT NOT NULL,
    tier TEXT NOT NULL,
    version INTEGER DEFAULT 1 NOT NULL,
    status TEXT DEFAULT 'draft' NOT NULL,
    name TEXT NOT NULL,
    description TEXT,
    price NUMERIC(18, 4) NOT NULL,
    currency CHAR(3) NOT NULL,
    billing_period TEXT DEFAULT 'monthly' NOT NULL,
    generation_credits INTEGER DEFAULT 0 NOT NULL,
    has_watermark BOOLEAN DEFAULT false NOT NULL,
    published_at TIMESTAMP WITH TIME ZONE,
    retired_at TIMESTAMP WITH TIME ZONE,
    revision INTEGER DEFAULT 1 NOT NULL,
    created_at TIMESTAMP WITH TIME ZONE DEFAULT now() NOT NULL,
    updated_at TIMESTAMP WITH TIME ZONE DEFAULT now() NOT NULL,
    CONSTRAINT plans_key PRIMARY KEY (id),
    CONSTRAINT product_is_known CHECK (product IN ('email_studio', 'web_builder', 'craft_ads', 'ads_autopilot',
        'mailer')),
    CONSTRAINT tier_is_known CHECK (tier IN ('free', 'starter', 'creator', 'growth', 'pro', 'business', 'agency',
        'scale')),
    CONSTRAINT status_is_known CHECK (status IN ('draft', 'published', 'retired')),
    CONSTRAINT billing_period_is_known CHECK (billing_period IN ('monthly', 'annual')),
    CONSTRAINT currency_is_a_currency_code CHECK (currency ~ '^[A-Z]{3}$'),
    CONSTRAINT price_is_not_negative CHECK (price >= 0),
    CONSTRAINT generation_credits_is_not_negative CHECK (generation_credits >= 0),
    CONSTRAINT plans_product_tier_billing_period_currency_version_is_unique UNIQUE (product, tier, billing_period,
        currency, version),
    CONSTRAINT what_is_not_a_draft_was_published CHECK (status = 'draft' OR published_at IS NOT NULL),
    CONSTRAINT what_is_retired_has_a_date CHECK (status <> 'retired' OR retired_at IS NOT NULL)
);
CREATE INDEX plans_by_status_billing_period ON plans (status, billing_period);

CREATE TABLE plan_features (
    id UUID DEFAULT uuid_v7() NOT NULL,
    plan_id UUID NOT NULL,
    feature TEXT NOT NULL,
    kind TEXT DEFAULT 'boolean' NOT NULL,
    value JSONB DEFAULT 'true'::jsonb NOT NULL,
    revision INTEGER DEFAULT 1 NOT NULL,
    created_at TIMESTAMP WITH TIME ZONE DEFAULT now() NOT NULL,
    updated_at TIMESTAMP WITH TIME ZONE DEFAULT now() NOT NULL,
    CONSTRAINT plan_features_key PRIMARY KEY (id),
    CONSTRAINT kind_is_known CHECK (kind IN ('boolean', 'static', 'metered')),
    CONSTRAINT a_boolean_feature_is_on_or_off CHECK (kind <> 'boolean' OR jsonb_typeof(value) = 'boolean'),
    CONSTRAINT plan_features_plan_id_feature_is_unique UNIQUE (plan_id, feature),
    CONSTRAINT plan_features_plan_id_exists FOREIGN KEY(plan_id) REFERENCES plans (id)
);

CREATE TABLE plan_limits (
    id UUID DEFAULT uuid_v7() NOT NULL,
    plan_id UUID NOT NULL,
    meter TEXT NOT NULL,
    period TEXT DEFAULT 'month' NOT NULL,
    amount BIGINT,
    enforcement TEXT DEFAULT 'hard' NOT NULL,
    grace_amount BIGINT DEFAULT 0 NOT NULL,
    grace_days INTEGER DEFAULT 0 NOT NULL,
    rolls_over BOOLEAN DEFAULT false NOT NULL,
    revision INTEGER DEFAULT 1 NOT NULL,
    created_at TIMESTAMP WITH TIME ZONE DEFAULT now() NOT NULL,
    updated_at TIMESTAMP WITH TIME ZONE DEFAULT now() NOT NULL,
    CONSTRAINT plan_limits_key PRIMARY KEY (id),
    CONSTRAINT meter_is_known CHECK (meter IN ('generations', 'image_generations', 'video_generations', 'ai_credits',
        'emails', 'contacts', 'campaigns', 'storage_bytes', 'api_calls', 'template_versions', 'imagen', 'veo')),
    CONSTRAINT period_is_known CHECK (period IN ('day', 'month', 'year', 'lifetime')),
    CONSTRAINT enforcement_is_known CHECK (enforcement IN ('hard', 'soft')),
    CONSTRAINT amount_is_not_negative CHECK (amount >= 0),
    CONSTRAINT grace_amount_is_not_negative CHECK (grace_amount >= 0),
    CONSTRAINT grace_days_is_not_negative CHECK (grace_days >= 0),
    CONSTRAINT plan_limits_plan_id_meter_period_is_unique UNIQUE (plan_id, meter, period),
    CONSTRAINT plan_limits_plan_id_exists FOREIGN KEY(plan_id) REFERENCES plans (id)
);
COMMENT ON COLUMN plan_limits.amount IS 'NULL: unlimited.';

CREATE TABLE credit_transactions (
    workspace_id UUID NOT NULL,
    id UUID DEFAULT uuid_v7() NOT NULL,
    user_id UUID NOT NULL,
    position BIGINT NOT NULL,
    amount INTEGER NOT NULL,
    type TEXT NOT NULL,
    reference_id UUID,
    reference_type TEXT,
    description TEXT,
    balance_after INTEGER NOT NULL,
    expires_at TIMESTAMP WITH TIME ZONE,
    metadata JSONB DEFAULT '{}'::jsonb NOT NULL,
    created_at TIMESTAMP WITH TIME ZONE DEFAULT now() NOT NULL,
    CONSTRAINT credit_transactions_key PRIMARY KEY (workspace_id, id),
    CONSTRAINT type_is_known CHECK (type IN ('purchase', 'grant', 'usage', 'refund', 'promotion', 'expiry',
        'take_back')),
    CONSTRAINT a_movement_moves_something CHECK (amount <> 0),
    CONSTRAINT credits_are_not_negative CHECK (balance_after >= 0),
    CONSTRAINT the_sign_of_an_amount_follows_its_type CHECK (CASE WHEN type IN ('usage', 'expiry', 'take_back') THEN
        amount < 0 ELSE amount > 0 END),
    CONSTRAINT credit_transactions_workspace_id_user_id_position_is_unique UNIQUE (workspace_id, user_id, position),
    CONSTRAINT credit_transactions_workspace_id_exists FOREIGN KEY(workspace_id) REFERENCES workspaces (id),
    CONSTRAINT credit_transactions_user_id_exists FOREIGN KEY(user_id) REFERENCES users (id)
);
CREATE INDEX credit_transactions_by_created_at_type ON credit_transactions (created_at, type);
CREATE INDEX credit_transactions_by_reference_id ON credit_transactions (workspace_id, reference_id);
CREATE INDEX credit_transactions_by_user_id ON credit_transactions (user_id, position);
COMMENT ON COLUMN credit_transactions.position IS '1, 2, 3 … per user; made by a trigger.';
COMMENT ON COLUMN credit_transactions.balance_after IS 'Made, or if given proven, by a trigger.';

CREATE TABLE subscriptions (
    workspace_id UUID NOT NULL,
    id UUID DEFAULT uuid_v7() NOT NULL,
    user_id UUID NOT NULL,
    plan_id UUID NOT NULL,
    product TEXT NOT NULL,
    tier TEXT NOT NULL,
    status TEXT DEFAULT 'active' NOT NULL,
    billing_cycle TEXT DEFAULT 'monthly' NOT NULL,
    price NUMERIC(18, 4) NOT NULL,
    currency CHAR(3) DEFAULT 'INR' NOT NULL,
    started_at TIMESTAMP WITH TIME ZONE NOT NULL,
    ends_at TIMESTAMP WITH TIME ZONE,
    trial_ends_at TIMESTAMP WITH TIME ZONE,
    cancelled_at TIMESTAMP WITH TIME ZONE,
    current_period_start DATE NOT NULL,
    current_period_end DATE NOT NULL,
    cancel_at_period_end BOOLEAN DEFAULT false NOT NULL,
    credits_total INTEGER DEFAULT 0 NOT NULL,
    credits_remaining INTEGER DEFAULT 0 NOT NULL,
    monthly_ai_credits_used INTEGER DEFAULT 0 NOT NULL,
    monthly_ai_credits_limit INTEGER,
    payment_provider TEXT,
    payment_id TEXT,
    payment_method TEXT,
    payment_method_id TEXT,
    revision INTEGER DEFAULT 1 NOT NULL,
    created_at TIMESTAMP WITH TIME ZONE DEFAULT now() NOT NULL,
    updated_at TIMESTAMP WITH TIME ZONE DEFAULT now() NOT NULL,
    CONSTRAINT subscriptions_key PRIMARY KEY (workspace_id, id),
    CONSTRAINT product_is_known CHECK (product IN ('email_studio', 'web_builder', 'craft_ads', 'ads_autopilot',
        'mailer')),
    CONSTRAINT tier_is_known CHECK (tier IN ('free', 'starter', 'creator', 'growth', 'pro', 'business', 'agency',
        'scale')),
    CONSTRAINT status_is_known CHECK (status IN ('trialing', 'active', 'past_due', 'cancelled', 'expired')),
    CONSTRAINT billing_cycle_is_known CHECK (billing_cycle IN ('monthly', 'annual')),
    CONSTRAINT currency_is_a_currency_code CHECK (currency ~ '^[A-Z]{3}$'),
    CONSTRAINT price_is_not_negative CHECK (price >= 0),
    CONSTRAINT credits_total_is_not_negative CHECK (credits_total >= 0),
    CONSTRAINT credits_remaining_is_not_negative CHECK (credits_remaining >= 0),
    CONSTRAINT monthly_ai_credits_used_is_not_negative CHECK (monthly_ai_credits_used >= 0),
    CONSTRAINT payment_id_is_encrypted CHECK (payment_id ~ '^v1\.[0-9a-f]{8}\.'),
    CONSTRAINT payment_method_id_is_encrypted CHECK (payment_method_id ~ '^v1\.[0-9a-f]{8}\.'),
    CONSTRAINT a_period_ends_after_it_starts CHECK (current_period_end > current_period_start),
    CONSTRAINT no_more_credits_remain_than_were_given CHECK (credits_remaining <= credits_total),
    CONSTRAINT subscriptions_workspace_id_exists FOREIGN KEY(workspace_id) REFERENCES workspaces (id),
    CONSTRAINT subscriptions_user_id_exists FOREIGN KEY(user_id) REFERENCES users (id),
    CONSTRAINT subscriptions_plan_id_exists FOREIGN KEY(plan_id) REFERENCES plans (id)
);
CREATE INDEX subscriptions_by_plan_id ON subscriptions (plan_id);
CREATE INDEX subscriptions_by_status_ends_at ON subscriptions (status, ends_at);
CREATE INDEX subscriptions_by_user_id ON subscriptions (user_id);
CREATE UNIQUE INDEX subscriptions_one_is_live_per_product ON subscriptions (workspace_id, product) WHERE status IN
    ('trialing', 'active', 'past_due');

CREATE TABLE invoices (
    workspace_id UUID NOT NULL,
    id UUID DEFAULT uuid_v7() NOT NULL,
    subscription_id UUID,
    number TEXT NOT NULL,
    kind TEXT DEFAULT 'invoice' NOT NULL,
    corrects_invoice_id UUID,
    status TEXT DEFAULT 'draft' NOT NULL,
    currency CHAR(3) NOT NULL,
    subtotal_minor BIGINT NOT NULL,
    discount_minor BIGINT DEFAULT 0 NOT NULL,
    tax_minor BIGINT DEFAULT 0 NOT NULL,
    total_minor BIGINT NOT NULL,
    amount_paid_minor BIGINT DEFAULT 0 NOT NULL,
    period_start TIMESTAMP WITH TIME ZONE NOT NULL,
    period_end TIMESTAMP WITH TIME ZONE NOT NULL,
    issued_at TIMESTAMP WITH TIME ZONE,
    due_at TIMESTAMP WITH TIME ZONE,
    paid_at TIMESTAMP WITH TIME ZONE,
    voided_at TIMESTAMP WITH TIME ZONE,
    provider TEXT,
    provider_invoice_id TEXT,
    created_at TIMESTAMP WITH TIME ZONE DEFAULT now() NOT NULL,
    updated_at TIMESTAMP WITH TIME ZONE DEFAULT now() NOT NULL,
    CONSTRAINT invoices_key PRIMARY KEY (workspace_id, id),
    CONSTRAINT kind_is_known CHECK (kind IN ('invoice', 'credit_note')),
    CONSTRAINT status_is_known CHECK (status IN ('draft', 'open', 'paid', 'void', 'uncollectible')),
    CONSTRAINT currency_is_a_currency_code CHECK (currency ~ '^[A-Z]{3}$'),
    CONSTRAINT subtotal_minor_is_not_negative CHECK (subtotal_minor >= 0),
    CONSTRAINT discount_minor_is_not_negative CHECK (discount_minor >= 0),
    CONSTRAINT tax_minor_is_not_negative CHECK (tax_minor >= 0),
    CONSTRAINT total_minor_is_not_negative CHECK (total_minor >= 0),
    CONSTRAINT amount_paid_minor_is_not_negative CHECK (amount_paid_minor >= 0),
    CONSTRAINT the_total_is_the_sum_of_its_parts CHECK (total_minor = subtotal_minor - discount_minor + tax_minor),
    CONSTRAINT what_is_paid_has_a_date CHECK (status <> 'paid' OR paid_at IS NOT NULL),
    CONSTRAINT a_credit_note_corrects_an_invoice CHECK (kind = 'invoice' OR corrects_invoice_id IS NOT NULL),
    CONSTRAINT invoices_workspace_id_subscription_id_exists FOREIGN KEY(workspace_id, subscription_id) REFERENCES
        subscriptions (workspace_id, id),
    CONSTRAINT invoices_workspace_id_corrects_invoice_id_exists FOREIGN KEY(workspace_id, corrects_invoice_id)
        REFERENCES invoices (workspace_id, id),
    CONSTRAINT invoices_workspace_id_number_is_unique UNIQUE (workspace_id, number),
    CONSTRAINT invoices_workspace_id_provider_provider_invoice_id_is_unique UNIQUE (workspace_id, provider,
        provider_invoice_id),
    CONSTRAINT invoices_workspace_id_exists FOREIGN KEY(workspace_id) REFERENCES workspaces (id)
);
CREATE INDEX invoices_by_issued_at ON invoices (issued_at);

CREATE TABLE invoice_lines (
    workspace_id UUID NOT NULL,
    id UUID DEFAULT uuid_v7() NOT NULL,
    invoice_id UUID NOT NULL,
    subscription_id UUID,
    plan_id UUID,
    product TEXT NOT NULL,
    kind TEXT NOT NULL,
    description TEXT NOT NULL,
    quantity BIGINT DEFAULT 1 NOT NULL,
    unit_amount_minor BIGINT NOT NULL,
    amount_minor BIGINT NOT NULL,
    discount_minor BIGINT DEFAULT 0 NOT NULL,
    tax_minor BIGINT DEFAULT 0 NOT NULL,
    currency CHAR(3) NOT NULL,
    period_start TIMESTAMP WITH TIME ZONE NOT NULL,
    period_end TIMESTAMP WITH TIME ZONE NOT NULL,
    created_at TIMESTAMP WITH TIME ZONE DEFAULT now() NOT NULL,
    CONSTRAINT invoice_lines_key PRIMARY KEY (workspace_id, id),
    CONSTRAINT product_is_known CHECK (product IN ('email_studio', 'web_builder', 'craft_ads', 'ads_autopilot',
        'mailer')),
    CONSTRAINT kind_is_known CHECK (kind IN ('subscription', 'proration', 'usage', 'credits')),
    CONSTRAINT currency_is_a_currency_code CHECK (currency ~ '^[A-Z]{3}$'),
    CONSTRAINT invoice_lines_workspace_id_invoice_id_exists FOREIGN KEY(workspace_id, invoice_id) REFERENCES invoices
        (workspace_id, id),
    CONSTRAINT invoice_lines_workspace_id_subscription_id_exists FOREIGN KEY(workspace_id, subscription_id) REFERENCES
        subscriptions (workspace_id, id),
    CONSTRAINT a_period_ends_after_it_starts CHECK (period_end > period_start),
    CONSTRAINT invoice_lines_workspace_id_exists FOREIGN KEY(workspace_id) REFERENCES workspaces (id),
    CONSTRAINT invoice_lines_plan_id_exists FOREIGN KEY(plan_id) REFERENCES plans (id)
);
CREATE INDEX invoice_lines_by_invoice_id ON invoice_lines (workspace_id, invoice_id);

CREATE TABLE payments (
    workspace_id UUID NOT NULL,
    id UUID DEFAULT uuid_v7() NOT NULL,
    user_id UUID NOT NULL,
    package_id UUID,
    invoice_id UUID,
    provider TEXT NOT NULL,
    provider_payment_id TEXT,
    provider_payment_digest BYTEA,
    amount NUMERIC(18, 4) NOT NULL,
    currency CHAR(3) NOT NULL,
    status TEXT DEFAULT 'pending' NOT NULL,
    failure_reason TEXT,
    credits_purchased INTEGER DEFAULT 0 NOT NULL,
    metadata JSONB DEFAULT '{}'::jsonb NOT NULL,
    created_at TIMESTAMP WITH TIME ZONE DEFAULT now() NOT NULL,
    updated_at TIMESTAMP WITH TIME ZONE DEFAULT now() NOT NULL,
    CONSTRAINT payments_key PRIMARY KEY (workspace_id, id),
    CONSTRAINT status_is_known CHECK (status IN ('pending', 'completed', 'failed', 'refunded')),
    CONSTRAINT currency_is_a_currency_code CHECK (currency ~ '^[A-Z]{3}$'),
    CONSTRAINT amount_is_not_negative CHECK (amount >= 0),
    CONSTRAINT credits_purchased_is_not_negative CHECK (credits_purchased >= 0),
    CONSTRAINT provider_payment_id_is_encrypted CHECK (provider_payment_id ~ '^v1\.[0-9a-f]{8}\.'),
    CONSTRAINT payments_workspace_id_invoice_id_exists FOREIGN KEY(workspace_id, invoice_id) REFERENCES invoices
        (workspace_id, id),
    CONSTRAINT payments_workspace_id_provider_provider_payment_digest__7517 UNIQUE (workspace_id, provider,
        provider_payment_digest),
    CONSTRAINT payments_workspace_id_exists FOREIGN KEY(workspace_id) REFERENCES workspaces (id),
    CONSTRAINT payments_user_id_exists FOREIGN KEY(user_id) REFERENCES users (id),
    CONSTRAINT payments_package_id_exists FOREIGN KEY(package_id) REFERENCES credit_packages (id)
);
CREATE INDEX payments_by_status_created_at ON payments (status, created_at);
CREATE INDEX payments_by_user_id ON payments (user_id);
COMMENT ON COLUMN payments.provider_payment_digest
    IS 'A keyed digest of provider_payment_id: the encrypted text can''t be compared, this can.';
"""

GUARDS = """
SELECT guard_company_table('plans');
SELECT guard_company_table('plan_limits');
SELECT guard_company_table('plan_features');
SELECT guard_company_table('credit_packages');
SELECT guard_company_table('fx_rates');
SELECT guard_tenant_table('subscriptions', hidden => ARRAY['payment_id', 'payment_method_id']);
SELECT guard_tenant_table('invoices');
SELECT guard_tenant_table('invoice_lines');
SELECT guard_tenant_table('payments', hidden => ARRAY['provider_payment_id', 'provider_payment_digest']);
SELECT guard_tenant_table('credit_transactions');
SELECT make_append_only('credit_transactions');
"""


def upgrade() -> None:
    run(TABLES)
    run(GUARDS)


def downgrade() -> None:
    run("""
    DROP TABLE payments, invoice_lines, invoices, subscriptions, credit_transactions, plan_limits, plan_features,
        plans, fx_rates, credit_packages;
    """)
