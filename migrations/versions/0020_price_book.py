"""Prices for everything that providers charge for, calls rated by them as a set, and months that stay closed.

The book's rules hold here and not in the app alone: a call is priced by the approved price that was valid when it
began; an approval re-rates the open months in the same transaction; a closed month is corrected, never changed.

Revision: 0020
Follows: 0019
"""

from migrations.running import run

revision = "0020"
down_revision = "0019"

OLD_UNITS = (
    "'input', 'cached_input', 'cache_write_5m', 'cache_write_1h', 'output', 'reasoning', 'image', 'audio_second',"
    " 'video_second', 'tool_call'"
)
UNITS = (
    "'input', 'cached_input', 'cache_write_5m', 'cache_write_1h', 'output', 'reasoning', 'audio_input',"
    " 'cached_audio_input', 'audio_output', 'image_input', 'cached_image_input', 'image_output', 'video_input',"
    " 'video_output', 'image', 'audio_second', 'video_second', 'tool_call'"
)
TIERS = "'standard', 'batch', 'flex', 'priority'"
FACTS = (
    "email_events", "email_sends", "campaign_events", "conversions", "performance_analytics", "ai_generations",
    "ai_cost_tracking", "ai_optimization_logs", "usage_logs", "user_usage",
)  # fmt: skip
NEW_COLUMNS = "cache_write_1h_tokens, more_units, unpriced_because"
PROPOSED_COLUMNS = (
    "id, provider, model, unit, service_tier, variant, context_from, price, per, currency, valid_from, valid_to,"
    " source, source_reference"
)

TABLES = f"""
ALTER TABLE ai_generations
    DROP CONSTRAINT service_tier_is_known,
    ADD CONSTRAINT service_tier_is_known CHECK (service_tier IN ({TIERS})),
    ADD COLUMN cache_write_1h_tokens BIGINT DEFAULT 0 NOT NULL,
    ADD COLUMN more_units JSONB DEFAULT '{{}}'::jsonb NOT NULL,
    ADD COLUMN unpriced_because TEXT,
    ADD CONSTRAINT cache_write_1h_tokens_is_not_negative CHECK (cache_write_1h_tokens >= 0),
    ADD CONSTRAINT what_is_priced_has_no_reason_not_to_be CHECK (cost IS NULL OR unpriced_because IS NULL),
    ADD CONSTRAINT an_hours_cache_writes_are_cache_writes CHECK (cache_write_1h_tokens <= cache_write_tokens),
    ADD CONSTRAINT more_units_are_not_negative
        CHECK (NOT jsonb_path_exists(more_units, '$.* ? (@.type() <> "number" || @ < 0)'));
COMMENT ON COLUMN ai_generations.cache_write_1h_tokens IS 'Those of cache_write_tokens that are kept for an hour.';
COMMENT ON COLUMN ai_generations.more_units IS
    'What has no column, such as audio_input; and, as unit/kind, which of a column''s are of which kind.';

ALTER TABLE ai_prices
    DROP CONSTRAINT unit_is_known,
    ADD CONSTRAINT unit_is_known CHECK (unit IN ({UNITS})),
    ADD CONSTRAINT service_tier_is_known CHECK (service_tier IN ({TIERS})),
    ADD CONSTRAINT a_price_of_one_unit_is_exact CHECK (mod(price * 1000000000000, per) = 0),
    ADD CONSTRAINT ai_is_priced_in_dollars CHECK (currency = 'USD'),
    ADD COLUMN rejected_by UUID,
    ADD COLUMN rejected_at TIMESTAMP WITH TIME ZONE,
    ADD CONSTRAINT ai_prices_rejected_by_exists FOREIGN KEY(rejected_by) REFERENCES team_members (id),
    ADD CONSTRAINT a_price_is_not_approved_and_rejected CHECK (approved_at IS NULL OR rejected_at IS NULL),
    ALTER COLUMN version SET DEFAULT 0;
COMMENT ON COLUMN ai_prices.version IS 'Of the book, by approval; 0: proposed.';

CREATE TABLE ai_months (
    month DATE NOT NULL,
    closed_at TIMESTAMP WITH TIME ZONE,
    closed_by UUID,
    cost NUMERIC(20, 12),
    calls BIGINT,
    unpriced BIGINT,
    price_version INTEGER,
    created_at TIMESTAMP WITH TIME ZONE DEFAULT now() NOT NULL,
    CONSTRAINT ai_months_key PRIMARY KEY (month),
    CONSTRAINT month_is_the_first_of_a_month CHECK (month = date_trunc('month', month)),
    CONSTRAINT a_closed_month_has_its_sums CHECK ((closed_at IS NULL) = (cost IS NULL) AND (closed_at IS NULL) =
        (calls IS NULL) AND (closed_at IS NULL) = (unpriced IS NULL)),
    CONSTRAINT ai_months_closed_by_exists FOREIGN KEY(closed_by) REFERENCES team_members (id)
);

CREATE TABLE ai_cost_corrections (
    workspace_id UUID NOT NULL,
    id UUID DEFAULT uuid_v7() NOT NULL,
    month DATE NOT NULL,
    kind TEXT NOT NULL,
    product TEXT NOT NULL,
    provider TEXT NOT NULL,
    model TEXT NOT NULL,
    generation_type TEXT NOT NULL,
    amount NUMERIC(20, 12) NOT NULL,
    currency CHAR(3) DEFAULT 'USD' NOT NULL,
    price_version INTEGER,
    reason TEXT NOT NULL,
    made_by UUID,
    created_at TIMESTAMP WITH TIME ZONE DEFAULT now() NOT NULL,
    CONSTRAINT ai_cost_corrections_key PRIMARY KEY (workspace_id, id),
    CONSTRAINT kind_is_known CHECK (kind IN ('price', 'late_usage', 'other')),
    CONSTRAINT product_is_known CHECK (product IN ('email_studio', 'web_builder', 'craft_ads', 'ads_autopilot',
        'mailer')),
    CONSTRAINT provider_is_known CHECK (provider IN ('openai', 'anthropic', 'google')),
    CONSTRAINT generation_type_is_known CHECK (generation_type IN ('campaign', 'component', 'enhancement', 'analysis',
        'migration_plan', 'email', 'image', 'video', 'assistant')),
    CONSTRAINT ai_is_priced_in_dollars CHECK (currency = 'USD'),
    CONSTRAINT a_correction_corrects_something CHECK (amount <> 0),
    CONSTRAINT a_correction_has_a_reason CHECK (reason <> ''),
    CONSTRAINT ai_cost_corrections_month_exists FOREIGN KEY(month) REFERENCES ai_months (month),
    CONSTRAINT ai_cost_corrections_made_by_exists FOREIGN KEY(made_by) REFERENCES team_members (id),
    CONSTRAINT ai_cost_corrections_workspace_id_exists FOREIGN KEY(workspace_id) REFERENCES workspaces (id)
);
CREATE INDEX ai_cost_corrections_by_month ON ai_cost_corrections (workspace_id, month);
"""

KEEP_WORKSPACES = "\n".join(
    f"CREATE TRIGGER keep_workspace AFTER UPDATE ON {fact}"
    " FOR EACH ROW WHEN (OLD.workspace_id <> NEW.workspace_id) EXECUTE FUNCTION keep_key();"
    for fact in FACTS
)

GUARDS = f"""
GRANT SELECT ({NEW_COLUMNS}) ON ai_generations TO app_ro, app_pipe;
GRANT INSERT ({NEW_COLUMNS}), UPDATE ({NEW_COLUMNS}) ON ai_generations TO app_rw, app_ingest;

-- After the policies, which first say whose rows these are.
{KEEP_WORKSPACES}

-- Months are closed by the functions below alone.
SELECT guard_company_table('ai_months');
REVOKE INSERT, UPDATE, DELETE ON ai_months FROM app_rw;
SELECT guard_tenant_table('ai_cost_corrections');
SELECT make_append_only('ai_cost_corrections');

-- The app proposes prices and rejects proposals; approving is the function's, which re-rates in the same breath.
REVOKE INSERT ON ai_prices FROM app_rw;
REVOKE UPDATE (valid_to, approved_by, approved_at, superseded_by) ON ai_prices FROM app_rw;
GRANT INSERT ({PROPOSED_COLUMNS}) ON ai_prices TO app_rw;
GRANT UPDATE (rejected_by, rejected_at) ON ai_prices TO app_rw;
GRANT SELECT (rejected_by, rejected_at) ON ai_prices TO app_ro, app_pipe;
"""

BOOK = """
DROP TRIGGER refuse_price_edit ON ai_prices;
CREATE TRIGGER refuse_price_edit BEFORE UPDATE ON ai_prices FOR EACH ROW
    WHEN ((OLD.provider, OLD.model, OLD.unit, OLD.service_tier, OLD.variant, OLD.context_from, OLD.price, OLD.per,
           OLD.currency, OLD.valid_from)
        IS DISTINCT FROM (NEW.provider, NEW.model, NEW.unit, NEW.service_tier, NEW.variant, NEW.context_from, NEW.price,
           NEW.per, NEW.currency, NEW.valid_from)
        OR (OLD.approved_at IS NOT NULL OR NEW.approved_at IS NULL) AND OLD.version <> NEW.version
        OR OLD.approved_at IS NOT NULL AND (OLD.approved_at, OLD.approved_by, OLD.known_from)
            IS DISTINCT FROM (NEW.approved_at, NEW.approved_by, NEW.known_from)
        OR OLD.valid_to IS NOT NULL AND OLD.valid_to IS DISTINCT FROM NEW.valid_to
        OR OLD.superseded_by IS NOT NULL AND OLD.superseded_by IS DISTINCT FROM NEW.superseded_by
        OR OLD.rejected_at IS NOT NULL AND NEW.approved_at IS NOT NULL)
    EXECUTE FUNCTION refuse_price_edit();

-- How much of a unit is told by kind: the rest of its column is of no kind.
CREATE FUNCTION told_by_kind(more_units jsonb, unit text) RETURNS numeric LANGUAGE sql IMMUTABLE PARALLEL SAFE
    RETURN CASE WHEN more_units = '{}'::jsonb THEN 0 ELSE (
        SELECT COALESCE(SUM(value::numeric), 0) FROM jsonb_each_text(more_units) WHERE split_part(key, '/', 1) = unit
    ) END;

-- What calls of a time cost by the book, with proposals as if they were approved: one row per finished call.
-- The price of a unit is that of its kind, else of no kind; of the highest context tier that the call reaches; and the
-- one that began last, as a price list is read. A call is priced whole or not at all. app/money/pricing.py says the
-- same of one call.
CREATE FUNCTION rated_ai_calls(
    since timestamptz, until timestamptz, models text[], proposed uuid[], unpriced_alone boolean
) RETURNS TABLE (
    workspace_id uuid, id uuid, created_at timestamptz, cost numeric, price_version integer, unpriced_because text
) LANGUAGE sql STABLE SET search_path = pg_catalog, public AS $$
    WITH book AS MATERIALIZED (
        SELECT
            p.provider, p.model, p.unit, p.service_tier, p.variant, p.context_from, p.price / p.per AS unit_price,
            p.valid_from, COALESCE(p.valid_to, 'infinity') AS valid_to,
            CASE WHEN p.approved_at IS NOT NULL THEN p.version
                ELSE (SELECT COALESCE(MAX(a.version), 0) + 1 FROM ai_prices AS a WHERE a.approved_at IS NOT NULL)
            END AS version
        FROM ai_prices AS p
        WHERE (models IS NULL OR p.provider || '/' || p.model = ANY (models))
            AND p.superseded_by IS NULL
            AND (p.id = ANY (proposed) OR p.approved_at IS NOT NULL AND NOT EXISTS (
                SELECT FROM ai_prices AS n
                WHERE n.id = ANY (proposed)
                    AND (n.provider, n.model, n.unit, n.service_tier, n.variant, n.context_from, n.valid_from)
                        = (p.provider, p.model, p.unit, p.service_tier, p.variant, p.context_from, p.valid_from)
            ))
    ),
    calls AS MATERIALIZED (
        SELECT
            g.workspace_id, g.id, g.created_at, g.provider, g.model, g.service_tier, g.input_tokens,
            g.cached_input_tokens, g.cache_write_tokens, g.cache_write_1h_tokens, g.output_tokens, g.reasoning_tokens,
            g.images, concat_ws('/', g.image_size, g.image_quality) AS image_kind, g.audio_seconds, g.video_seconds,
            g.tool_calls, g.more_units,
            g.input_tokens + g.cached_input_tokens + g.cache_write_tokens + CASE WHEN g.more_units = '{}' THEN 0 ELSE (
                SELECT COALESCE(SUM(m.value::numeric), 0) FROM jsonb_each_text(g.more_units) AS m
                WHERE m.key IN ('audio_input', 'cached_audio_input', 'image_input', 'cached_image_input', 'video_input')
            ) END AS tokens_read
        FROM ai_generations AS g
        WHERE g.created_at >= since AND g.created_at < until
            AND g.status IN ('completed', 'failed', 'cancelled')
            AND (models IS NULL OR g.provider || '/' || g.model = ANY (models))
            AND (NOT unpriced_alone OR g.cost IS NULL)
    ),
    used AS (
        SELECT c.workspace_id, c.id, c.created_at, c.provider, c.model, c.service_tier, c.tokens_read, u.unit, u.kind,
            u.is_rest, u.quantity
        FROM calls AS c
        CROSS JOIN LATERAL (
            VALUES
                ('input', '', true, c.input_tokens::numeric),
                ('cached_input', '', true, c.cached_input_tokens),
                ('cache_write_5m', '', true, c.cache_write_tokens - c.cache_write_1h_tokens),
                ('cache_write_1h', '', true, c.cache_write_1h_tokens),
                ('output', '', true, c.output_tokens),
                ('reasoning', '', true, c.reasoning_tokens),
                ('image', c.image_kind, true, c.images - told_by_kind(c.more_units, 'image')),
                ('audio_second', '', true, c.audio_seconds - told_by_kind(c.more_units, 'audio_second')),
                ('video_second', '', true, c.video_seconds - told_by_kind(c.more_units, 'video_second')),
                ('tool_call', '', true, c.tool_calls - told_by_kind(c.more_units, 'tool_call'))
            UNION ALL
            SELECT split_part(m.key, '/', 1), substr(m.key, length(split_part(m.key, '/', 1)) + 2), false,
                m.value::numeric
            FROM jsonb_each_text(c.more_units) AS m
        ) AS u (unit, kind, is_rest, quantity)
        WHERE u.quantity <> 0
    ),
    priced AS (
        -- More by kind than in all leaves a negative rest, which no price fits: the call is not priced.
        SELECT DISTINCT ON (u.workspace_id, u.id, u.created_at, u.unit, u.kind, u.is_rest)
            u.workspace_id, u.id, u.created_at, u.unit, u.kind, u.quantity, b.unit_price, b.version
        FROM used AS u
        LEFT JOIN book AS b
            ON b.provider = u.provider AND b.model = u.model AND b.service_tier = u.service_tier AND b.unit = u.unit
            AND b.variant IN (u.kind, '') AND b.context_from <= u.tokens_read AND u.quantity > 0
            AND b.valid_from <= u.created_at AND u.created_at < b.valid_to
        ORDER BY u.workspace_id, u.id, u.created_at, u.unit, u.kind, u.is_rest, b.variant = u.kind DESC,
            b.context_from DESC, b.valid_from DESC, b.version DESC
    ),
    summed AS (
        SELECT p.workspace_id, p.id, p.created_at, SUM(p.quantity * p.unit_price) AS cost,
            MAX(p.version) AS version,
            string_agg(DISTINCT concat_ws(' ', p.unit, NULLIF(p.kind, '')) COLLATE "C", ', '
                ORDER BY concat_ws(' ', p.unit, NULLIF(p.kind, '')) COLLATE "C")
                FILTER (WHERE p.unit_price IS NULL) AS missing
        FROM priced AS p
        GROUP BY p.workspace_id, p.id, p.created_at
    ),
    known AS (
        SELECT c.workspace_id, c.id, c.created_at, MIN(b.version) AS version
        FROM calls AS c
        JOIN book AS b ON b.provider = c.provider AND b.model = c.model AND b.service_tier = c.service_tier
            AND b.valid_from <= c.created_at AND c.created_at < b.valid_to
        GROUP BY c.workspace_id, c.id, c.created_at
    )
    SELECT c.workspace_id, c.id, c.created_at,
        CASE WHEN k.version IS NOT NULL AND s.missing IS NULL THEN COALESCE(s.cost, 0)::numeric(20, 12) END,
        -- A call that used nothing is priced by the first version that knew its model: later ones don't touch it.
        CASE WHEN s.missing IS NULL THEN COALESCE(s.version, k.version) END,
        CASE WHEN k.version IS NULL THEN 'no prices of the model, ' || c.service_tier
            WHEN s.missing IS NOT NULL THEN 'no price of ' || s.missing END
    FROM calls AS c
    LEFT JOIN known AS k USING (workspace_id, id, created_at)
    LEFT JOIN summed AS s USING (workspace_id, id, created_at)
$$;
"""

# The lock puts approvals, ratings and closes one after the other: a rating by yesterday's book never overwrites one by
# today's.
RATING = """
CREATE FUNCTION rate_ai_calls(since timestamptz, until timestamptz, models text[], unpriced_alone boolean)
    RETURNS bigint LANGUAGE plpgsql SECURITY DEFINER SET search_path = pg_catalog, public AS $$
DECLARE
    changed bigint;
BEGIN
    PERFORM pg_advisory_xact_lock(7316205124);
    UPDATE ai_generations AS g
    SET cost = r.cost, price_version = r.price_version, unpriced_because = r.unpriced_because
    FROM rated_ai_calls(since, until, models, '{}', unpriced_alone) AS r
    WHERE g.workspace_id = r.workspace_id AND g.id = r.id AND g.created_at = r.created_at
        AND g.created_at >= since AND g.created_at < until
        AND (g.cost, g.price_version, g.unpriced_because)
            IS DISTINCT FROM (r.cost, r.price_version, r.unpriced_because)
        AND NOT EXISTS (
            SELECT FROM ai_months AS m
            WHERE m.closed_at IS NOT NULL
                AND g.created_at >= m.month::timestamp AT TIME ZONE 'UTC'
                AND g.created_at < (m.month + interval '1 month') AT TIME ZONE 'UTC'
        );
    GET DIAGNOSTICS changed = ROW_COUNT;
    RETURN changed;
END
$$;

-- What was restated is no longer what was priced: it waits for the next pricing, as a new call does.
CREATE FUNCTION forget_price() RETURNS trigger LANGUAGE plpgsql AS $$
BEGIN
    NEW.cost := NULL;
    NEW.price_version := NULL;
    NEW.unpriced_because := NULL;
    RETURN NEW;
END
$$;
CREATE TRIGGER forget_price BEFORE UPDATE ON ai_generations FOR EACH ROW
    WHEN (OLD.cost IS NOT DISTINCT FROM NEW.cost
        AND (OLD.provider, OLD.model, OLD.service_tier, OLD.input_tokens, OLD.cached_input_tokens,
                OLD.cache_write_tokens, OLD.cache_write_1h_tokens, OLD.output_tokens, OLD.reasoning_tokens, OLD.images,
                OLD.image_size, OLD.image_quality, OLD.audio_seconds, OLD.video_seconds, OLD.tool_calls, OLD.more_units)
            IS DISTINCT FROM (NEW.provider, NEW.model, NEW.service_tier, NEW.input_tokens, NEW.cached_input_tokens,
                NEW.cache_write_tokens, NEW.cache_write_1h_tokens, NEW.output_tokens, NEW.reasoning_tokens, NEW.images,
                NEW.image_size, NEW.image_quality, NEW.audio_seconds, NEW.video_seconds, NEW.tool_calls,
                NEW.more_units))
    EXECUTE FUNCTION forget_price();

CREATE FUNCTION price_new_ai_calls(since timestamptz) RETURNS bigint LANGUAGE sql
    SECURITY DEFINER SET search_path = pg_catalog, public
    RETURN rate_ai_calls(since, 'infinity', NULL, true);

-- What a closed month would cost by the book, less what it costs with the corrections that are there already: told
-- again, nothing is corrected twice.
CREATE FUNCTION correct_closed_ai_months(since timestamptz, models text[], maker uuid, why text)
    RETURNS bigint LANGUAGE plpgsql SECURITY DEFINER SET search_path = pg_catalog, public AS $$
DECLARE
    made bigint;
BEGIN
    INSERT INTO ai_cost_corrections (workspace_id, month, kind, product, provider, model, generation_type, amount,
        price_version, reason, made_by)
    SELECT d.workspace_id, d.month, 'price', d.product, d.provider, d.model, d.generation_type, d.amount, d.version,
        why, maker
    FROM (
        SELECT
            g.workspace_id, m.month, g.product, g.provider, g.model, g.generation_type, MAX(r.price_version) AS version,
            SUM(COALESCE(r.cost, g.cost, 0) - COALESCE(g.cost, 0)) - COALESCE((
                SELECT SUM(c.amount) FROM ai_cost_corrections AS c
                WHERE c.kind = 'price' AND c.workspace_id = g.workspace_id AND c.month = m.month
                    AND c.product = g.product AND c.provider = g.provider AND c.model = g.model
                    AND c.generation_type = g.generation_type
            ), 0) AS amount
        FROM rated_ai_calls(since, 'infinity', models, '{}', false) AS r
        JOIN ai_generations AS g
            ON g.workspace_id = r.workspace_id AND g.id = r.id AND g.created_at = r.created_at
        JOIN ai_months AS m
            ON m.closed_at IS NOT NULL AND m.month = date_trunc('month', g.created_at AT TIME ZONE 'UTC')
        WHERE g.created_at >= since
        GROUP BY g.workspace_id, m.month, g.product, g.provider, g.model, g.generation_type
    ) AS d
    WHERE d.amount <> 0
    ORDER BY d.workspace_id, d.month;
    GET DIAGNOSTICS made = ROW_COUNT;
    RETURN made;
END
$$;

-- From the first of the month: corrections are of months as wholes.
CREATE FUNCTION span_of_ai_prices(chosen uuid[], OUT since timestamptz, OUT models text[]) LANGUAGE sql STABLE
    SET search_path = pg_catalog, public AS $$
    SELECT date_trunc('month', MIN(valid_from) AT TIME ZONE 'UTC') AT TIME ZONE 'UTC',
        array_agg(DISTINCT provider || '/' || model)
    FROM ai_prices WHERE id = ANY (chosen)
$$;

-- What would change if these were approved, by month and model. Sums of the company alone.
CREATE FUNCTION effect_of_ai_prices(proposed uuid[]) RETURNS TABLE (
    month date, is_closed boolean, provider text, model text, calls bigint, newly_priced bigint, newly_unpriced bigint,
    cost_before numeric, cost_after numeric
) LANGUAGE sql STABLE SECURITY DEFINER SET search_path = pg_catalog, public AS $$
    WITH span AS (SELECT since, models FROM span_of_ai_prices(proposed)),
    months AS (
        SELECT
            date_trunc('month', g.created_at AT TIME ZONE 'UTC')::date AS month, g.provider, g.model,
            COUNT(*) FILTER (WHERE g.cost IS DISTINCT FROM r.cost) AS calls,
            COUNT(*) FILTER (WHERE g.cost IS NULL AND r.cost IS NOT NULL) AS newly_priced,
            COUNT(*) FILTER (WHERE g.cost IS NOT NULL AND r.cost IS NULL) AS newly_unpriced,
            COALESCE(SUM(g.cost), 0) AS cost_before,
            COALESCE(SUM(r.cost), 0) AS by_the_book,
            COALESCE(SUM(COALESCE(r.cost, g.cost)), 0) AS corrected
        FROM span
        CROSS JOIN LATERAL rated_ai_calls(span.since, 'infinity', span.models, proposed, false) AS r
        JOIN ai_generations AS g
            ON g.workspace_id = r.workspace_id AND g.id = r.id AND g.created_at = r.created_at
            AND g.created_at >= span.since
        GROUP BY 1, 2, 3
    ),
    corrections AS (
        SELECT c.month, c.provider, c.model, SUM(c.amount) AS amount
        FROM ai_cost_corrections AS c WHERE c.kind = 'price' GROUP BY c.month, c.provider, c.model
    )
    SELECT m.month, s.closed_at IS NOT NULL, m.provider, m.model, m.calls, m.newly_priced, m.newly_unpriced,
        m.cost_before + COALESCE(c.amount, 0),
        CASE WHEN s.closed_at IS NULL THEN m.by_the_book ELSE m.corrected END
    FROM months AS m
    LEFT JOIN ai_months AS s USING (month)
    LEFT JOIN corrections AS c USING (month, provider, model)
    WHERE m.calls > 0
    ORDER BY m.month, m.provider, m.model
$$;

CREATE FUNCTION approve_ai_prices(proposed uuid[], approver uuid, OUT book_version integer, OUT rated bigint,
    OUT corrections bigint) LANGUAGE plpgsql SECURITY DEFINER SET search_path = pg_catalog, public AS $$
DECLARE
    span record;
BEGIN
    PERFORM pg_advisory_xact_lock(7316205124);
    IF (SELECT COUNT(*) FROM ai_prices
        WHERE id = ANY (proposed) AND approved_at IS NULL AND rejected_at IS NULL) <> cardinality(proposed)
        OR cardinality(proposed) = 0
    THEN
        RAISE EXCEPTION 'Not all of these are proposals any more.' USING ERRCODE = 'invalid_parameter_value';
    END IF;
    SELECT COALESCE(MAX(version), 0) + 1 INTO book_version FROM ai_prices WHERE approved_at IS NOT NULL;
    UPDATE ai_prices AS old SET superseded_by = new.id
    FROM ai_prices AS new
    WHERE new.id = ANY (proposed) AND old.approved_at IS NOT NULL AND old.superseded_by IS NULL
        AND (new.provider, new.model, new.unit, new.service_tier, new.variant, new.context_from, new.valid_from)
            = (old.provider, old.model, old.unit, old.service_tier, old.variant, old.context_from, old.valid_from);
    UPDATE ai_prices SET approved_at = now(), approved_by = approver, version = book_version WHERE id = ANY (proposed);
    SELECT since, models INTO span FROM span_of_ai_prices(proposed);
    rated := rate_ai_calls(span.since, 'infinity', span.models, false);
    corrections := correct_closed_ai_months(span.since, span.models, approver,
        format('Prices of version %s of the book.', book_version));
END
$$;
"""

# The row of a month is locked by who writes calls of it and by who closes it, so that one waits for the other; a
# transaction that began before the close and reads as of then is refused by Postgres itself.
CLOSING = """
CREATE FUNCTION keep_closed_months() RETURNS trigger
    LANGUAGE plpgsql SECURITY DEFINER SET search_path = pg_catalog, public AS $$
DECLARE
    touched date[];
    closed date;
BEGIN
    IF TG_OP = 'INSERT' THEN
        SELECT array_agg(DISTINCT date_trunc('month', created_at AT TIME ZONE 'UTC')::date) INTO touched FROM arrived;
    ELSIF TG_OP = 'DELETE' THEN
        SELECT array_agg(DISTINCT date_trunc('month', created_at AT TIME ZONE 'UTC')::date) INTO touched FROM gone;
    ELSE
        -- What people think of an answer may still come in.
        SELECT array_agg(DISTINCT date_trunc('month', a.created_at AT TIME ZONE 'UTC')::date) INTO touched
        FROM arrived AS a
        JOIN gone AS g USING (workspace_id, id, created_at)
        WHERE (a.user_id, a.product, a.provider, a.model, a.generation_type, a.service_tier, a.request_key, a.attempt,
                a.status, a.input_tokens, a.cached_input_tokens, a.cache_write_tokens, a.cache_write_1h_tokens,
                a.output_tokens, a.reasoning_tokens, a.images, a.image_size, a.image_quality, a.audio_seconds,
                a.video_seconds, a.tool_calls, a.more_units, a.cost, a.reported_cost, a.currency, a.price_version,
                a.credits_used)
            IS DISTINCT FROM (g.user_id, g.product, g.provider, g.model, g.generation_type, g.service_tier,
                g.request_key, g.attempt, g.status, g.input_tokens, g.cached_input_tokens, g.cache_write_tokens,
                g.cache_write_1h_tokens, g.output_tokens, g.reasoning_tokens, g.images, g.image_size, g.image_quality,
                g.audio_seconds, g.video_seconds, g.tool_calls, g.more_units, g.cost, g.reported_cost, g.currency,
                g.price_version, g.credits_used);
    END IF;
    IF touched IS NULL THEN
        RETURN NULL;
    END IF;
    INSERT INTO ai_months (month) SELECT unnest(touched) ORDER BY 1 ON CONFLICT DO NOTHING;
    PERFORM 1 FROM ai_months WHERE month = ANY (touched) ORDER BY month FOR SHARE;
    SELECT MIN(month) INTO closed FROM ai_months WHERE month = ANY (touched) AND closed_at IS NOT NULL;
    IF closed IS NOT NULL THEN
        RAISE EXCEPTION '% is closed: its calls stay as they are. What was found out later is a correction.',
            to_char(closed, 'FMMonth YYYY') USING ERRCODE = 'object_not_in_prerequisite_state';
    END IF;
    RETURN NULL;
END
$$;
CREATE TRIGGER keep_closed_months_on_insert AFTER INSERT ON ai_generations REFERENCING NEW TABLE AS arrived
    FOR EACH STATEMENT EXECUTE FUNCTION keep_closed_months();
CREATE TRIGGER keep_closed_months_on_update AFTER UPDATE ON ai_generations
    REFERENCING OLD TABLE AS gone NEW TABLE AS arrived FOR EACH STATEMENT EXECUTE FUNCTION keep_closed_months();
CREATE TRIGGER keep_closed_months_on_delete AFTER DELETE ON ai_generations REFERENCING OLD TABLE AS gone
    FOR EACH STATEMENT EXECUTE FUNCTION keep_closed_months();

CREATE FUNCTION correct_closed_months_alone() RETURNS trigger
    LANGUAGE plpgsql SECURITY DEFINER SET search_path = pg_catalog, public AS $$
DECLARE
    open_month date;
BEGIN
    PERFORM 1 FROM ai_months WHERE month IN (SELECT month FROM arrived) ORDER BY month FOR SHARE;
    SELECT MIN(m.month) INTO open_month FROM ai_months AS m
    WHERE m.month IN (SELECT month FROM arrived) AND m.closed_at IS NULL;
    IF open_month IS NOT NULL THEN
        RAISE EXCEPTION '% is open: its calls are changed, not corrected.', to_char(open_month, 'FMMonth YYYY')
            USING ERRCODE = 'object_not_in_prerequisite_state';
    END IF;
    RETURN NULL;
END
$$;
CREATE TRIGGER correct_closed_months_alone AFTER INSERT ON ai_cost_corrections REFERENCING NEW TABLE AS arrived
    FOR EACH STATEMENT EXECUTE FUNCTION correct_closed_months_alone();

-- An approval reckons those by price anew, and would take back what somebody wrote as one.
CREATE FUNCTION refuse_correction_by_price() RETURNS trigger LANGUAGE plpgsql AS $$
BEGIN
    RAISE EXCEPTION 'Corrections by price are made by approvals alone.' USING ERRCODE = 'insufficient_privilege';
END
$$;
CREATE TRIGGER refuse_correction_by_price AFTER INSERT ON ai_cost_corrections FOR EACH ROW
    WHEN (NEW.kind = 'price' AND NOT pg_has_role('app_owner', 'USAGE'))
    EXECUTE FUNCTION refuse_correction_by_price();

CREATE FUNCTION close_ai_month(closing date, closer uuid) RETURNS void
    LANGUAGE plpgsql SECURITY DEFINER SET search_path = pg_catalog, public AS $$
DECLARE
    since CONSTANT timestamptz := closing::timestamp AT TIME ZONE 'UTC';
    until CONSTANT timestamptz := (closing + interval '1 month') AT TIME ZONE 'UTC';
BEGIN
    IF until > clock_timestamp() THEN
        RAISE EXCEPTION '% is not over.', to_char(closing, 'FMMonth YYYY') USING ERRCODE = 'invalid_parameter_value';
    END IF;
    PERFORM pg_advisory_xact_lock(7316205124);
    INSERT INTO ai_months (month) VALUES (closing) ON CONFLICT DO NOTHING;
    -- From here on nobody writes calls of the month, and who did is done.
    PERFORM 1 FROM ai_months WHERE month = closing FOR UPDATE;
    IF EXISTS (SELECT FROM ai_months WHERE month = closing AND closed_at IS NOT NULL) THEN
        RAISE EXCEPTION '% is closed already.', to_char(closing, 'FMMonth YYYY')
            USING ERRCODE = 'object_not_in_prerequisite_state';
    END IF;
    UPDATE ai_months AS m
    SET closed_at = clock_timestamp(), closed_by = closer, cost = s.cost, calls = s.calls, unpriced = s.unpriced,
        price_version = (SELECT MAX(version) FROM ai_prices WHERE approved_at IS NOT NULL)
    FROM (
        SELECT COALESCE(SUM(g.cost), 0) AS cost, COUNT(*) AS calls,
            COUNT(*) FILTER (WHERE g.cost IS NULL AND g.status IN ('completed', 'failed')) AS unpriced
        FROM ai_generations AS g WHERE g.created_at >= since AND g.created_at < until
    ) AS s
    WHERE m.month = closing;
END
$$;

-- Corrections by price are taken back, and the calls are rated by today's book: the sum stays what it was corrected to.
CREATE FUNCTION reopen_ai_month(opening date, opener uuid, why text) RETURNS void
    LANGUAGE plpgsql SECURITY DEFINER SET search_path = pg_catalog, public AS $$
BEGIN
    IF COALESCE(why, '') = '' THEN
        RAISE EXCEPTION 'A month is opened again for a reason.' USING ERRCODE = 'invalid_parameter_value';
    END IF;
    PERFORM pg_advisory_xact_lock(7316205124);
    PERFORM 1 FROM ai_months WHERE month = opening AND closed_at IS NOT NULL FOR UPDATE;
    IF NOT FOUND THEN
        RAISE EXCEPTION '% is not closed.', to_char(opening, 'FMMonth YYYY')
            USING ERRCODE = 'object_not_in_prerequisite_state';
    END IF;
    INSERT INTO ai_cost_corrections (workspace_id, month, kind, product, provider, model, generation_type, amount,
        reason, made_by)
    SELECT workspace_id, month, 'price', product, provider, model, generation_type, -SUM(amount), why, opener
    FROM ai_cost_corrections
    WHERE month = opening AND kind = 'price'
    GROUP BY workspace_id, month, product, provider, model, generation_type
    HAVING SUM(amount) <> 0;
    PERFORM set_config('app.reason', why, true);
    UPDATE ai_months
    SET closed_at = NULL, closed_by = NULL, cost = NULL, calls = NULL, unpriced = NULL, price_version = NULL
    WHERE month = opening;
    PERFORM rate_ai_calls(opening::timestamp AT TIME ZONE 'UTC', (opening + interval '1 month') AT TIME ZONE 'UTC',
        NULL, false);
END
$$;

CREATE TRIGGER audit_updates AFTER UPDATE ON ai_months REFERENCING OLD TABLE AS gone NEW TABLE AS arrived
    FOR EACH STATEMENT EXECUTE FUNCTION audit_changes('month', '');

GRANT EXECUTE ON FUNCTION effect_of_ai_prices(uuid[]), approve_ai_prices(uuid[], uuid),
    price_new_ai_calls(timestamptz), close_ai_month(date, uuid), reopen_ai_month(date, uuid, text) TO app_rw;
"""


def upgrade() -> None:
    for part in (TABLES, GUARDS, BOOK, RATING, CLOSING):
        run(part)


def downgrade() -> None:
    for fact in FACTS:
        run(f"DROP TRIGGER keep_workspace ON {fact}")
    run(f"""
    DROP TRIGGER forget_price ON ai_generations;
    DROP TRIGGER keep_closed_months_on_insert ON ai_generations;
    DROP TRIGGER keep_closed_months_on_update ON ai_generations;
    DROP TRIGGER keep_closed_months_on_delete ON ai_generations;
    DROP TABLE ai_cost_corrections, ai_months;
    DROP FUNCTION reopen_ai_month(date, uuid, text), close_ai_month(date, uuid), correct_closed_months_alone(),
        refuse_correction_by_price(), forget_price(), keep_closed_months(), approve_ai_prices(uuid[], uuid),
        effect_of_ai_prices(uuid[]), span_of_ai_prices(uuid[]),
        correct_closed_ai_months(timestamptz, text[], uuid, text), price_new_ai_calls(timestamptz),
        rate_ai_calls(timestamptz, timestamptz, text[], boolean),
        rated_ai_calls(timestamptz, timestamptz, text[], uuid[], boolean), told_by_kind(jsonb, text);
    REVOKE INSERT ({PROPOSED_COLUMNS}) ON ai_prices FROM app_rw;
    REVOKE UPDATE (rejected_by, rejected_at) ON ai_prices FROM app_rw;
    GRANT INSERT ON ai_prices TO app_rw;
    GRANT UPDATE (valid_to, approved_by, approved_at, superseded_by) ON ai_prices TO app_rw;
    DROP TRIGGER refuse_price_edit ON ai_prices;
    ALTER TABLE ai_prices
        DROP CONSTRAINT unit_is_known,
        ADD CONSTRAINT unit_is_known CHECK (unit IN ({OLD_UNITS})),
        DROP CONSTRAINT service_tier_is_known,
        DROP CONSTRAINT a_price_of_one_unit_is_exact,
        DROP CONSTRAINT ai_is_priced_in_dollars,
        DROP COLUMN rejected_by,
        DROP COLUMN rejected_at,
        ALTER COLUMN version DROP DEFAULT;
    COMMENT ON COLUMN ai_prices.version IS NULL;
    CREATE TRIGGER refuse_price_edit BEFORE UPDATE ON ai_prices FOR EACH ROW
        WHEN ((OLD.provider, OLD.model, OLD.unit, OLD.service_tier, OLD.variant, OLD.context_from, OLD.price, OLD.per,
               OLD.currency, OLD.valid_from, OLD.version)
            IS DISTINCT FROM (NEW.provider, NEW.model, NEW.unit, NEW.service_tier, NEW.variant, NEW.context_from,
               NEW.price, NEW.per, NEW.currency, NEW.valid_from, NEW.version))
        EXECUTE FUNCTION refuse_price_edit();
    ALTER TABLE ai_generations
        DROP CONSTRAINT service_tier_is_known,
        ADD CONSTRAINT service_tier_is_known CHECK (service_tier IN ('standard', 'batch', 'priority')),
        DROP COLUMN cache_write_1h_tokens,
        DROP COLUMN more_units,
        DROP COLUMN unpriced_because;
    """)
