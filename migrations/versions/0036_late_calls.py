"""Calls that come in after their month was closed: what they cost is a correction, and no longer lost.

Whoever brought such a call was refused, and could not write the correction that the refusal asked for.

Revision: 0036
Follows: 0035
"""

from migrations.running import run

revision = "0036"
down_revision = "0035"

# The key of the row is made of the request's: told again, it is there already.
RECORDING = """
CREATE FUNCTION record_late_ai_call(
    workspace uuid, request uuid, began timestamptz, of_product text, of_provider text, of_model text, of_type text,
    tier text, units jsonb
) RETURNS numeric LANGUAGE plpgsql SECURITY DEFINER SET search_path = pg_catalog, public AS $$
DECLARE
    correction CONSTANT uuid := md5('late call ' || workspace || ' ' || request)::uuid;
    of_month CONSTANT date := date_trunc('month', began AT TIME ZONE 'UTC')::date;
    rated record;
    known numeric;
BEGIN
    -- This runs as the owner, who sees everyone.
    IF workspace <> ALL (COALESCE(app_workspaces(), '{}')) THEN
        RAISE EXCEPTION 'The workspace is not one of this transaction''s.' USING ERRCODE = 'insufficient_privilege';
    END IF;
    IF request IS NULL THEN
        RAISE EXCEPTION 'A call is told with the key of its request.' USING ERRCODE = 'invalid_parameter_value';
    END IF;
    SELECT amount INTO known FROM ai_cost_corrections WHERE workspace_id = workspace AND id = correction;
    IF FOUND THEN
        RETURN known;
    END IF;
    PERFORM 1 FROM ai_months WHERE month = of_month AND closed_at IS NOT NULL FOR SHARE;
    IF NOT FOUND THEN
        RAISE EXCEPTION '% is not closed: write the call itself.', to_char(of_month, 'FMMonth YYYY')
            USING ERRCODE = 'object_not_in_prerequisite_state';
    END IF;
    IF EXISTS (
        SELECT FROM ai_generations
        WHERE workspace_id = workspace AND request_key = request AND status = 'completed' AND cost IS NOT NULL
            AND created_at >= of_month::timestamp AT TIME ZONE 'UTC'
            AND created_at < (of_month + interval '1 month') AT TIME ZONE 'UTC'
    ) THEN
        RAISE EXCEPTION 'The call % was counted before the close.', request
            USING ERRCODE = 'object_not_in_prerequisite_state';
    END IF;
    -- As rated_ai_calls says of calls that are there.
    WITH used AS (
        SELECT split_part(u.key, '/', 1) AS unit, substr(u.key, length(split_part(u.key, '/', 1)) + 2) AS kind,
            u.value::numeric AS quantity
        FROM jsonb_each_text(units) AS u
        WHERE u.value::numeric <> 0
    ),
    read AS (
        SELECT COALESCE(SUM(quantity), 0) AS tokens FROM used
        WHERE unit IN ('input', 'cached_input', 'cache_write_5m', 'cache_write_1h', 'audio_input', 'cached_audio_input',
            'image_input', 'cached_image_input', 'video_input')
    )
    SELECT COALESCE(SUM(u.quantity * b.unit_price), 0)::numeric(20, 12) AS cost, MAX(b.version) AS version,
        string_agg(concat_ws(' ', u.unit, NULLIF(u.kind, '')), ', ') FILTER (WHERE b.version IS NULL) AS missing
    INTO rated
    FROM used AS u
    CROSS JOIN read AS r
    LEFT JOIN LATERAL (
        SELECT p.price / p.per AS unit_price, p.version
        FROM ai_prices AS p
        WHERE p.provider = of_provider AND p.model = of_model AND p.service_tier = tier AND p.unit = u.unit
            AND p.variant IN (u.kind, '') AND p.context_from <= r.tokens AND u.quantity > 0
            AND p.approved_at IS NOT NULL AND p.superseded_by IS NULL
            AND p.valid_from <= began AND began < COALESCE(p.valid_to, 'infinity')
        ORDER BY p.variant = u.kind DESC, p.context_from DESC, p.valid_from DESC, p.version DESC
        LIMIT 1
    ) AS b ON true;
    IF rated.missing IS NOT NULL THEN
        RAISE EXCEPTION 'The book has no price of % for %/% (%).', rated.missing, of_provider, of_model, tier
            USING ERRCODE = 'object_not_in_prerequisite_state', HINT = 'Approve one, and tell the call again.';
    END IF;
    IF rated.cost <> 0 THEN
        INSERT INTO ai_cost_corrections (workspace_id, id, month, kind, product, provider, model, generation_type,
            amount, price_version, reason)
        VALUES (workspace, correction, of_month, 'late_usage', of_product, of_provider, of_model, of_type, rated.cost,
            rated.version, format('A call of %s (UTC) came after the close: %s.',
                to_char(began AT TIME ZONE 'UTC', 'YYYY-MM-DD HH24:MI'), request))
        -- Two who tell it at once have told it once.
        ON CONFLICT DO NOTHING;
    END IF;
    RETURN rated.cost;
END
$$;
GRANT EXECUTE ON FUNCTION record_late_ai_call(uuid, uuid, timestamptz, text, text, text, text, text, jsonb)
    TO app_rw, app_ingest;
"""


def keeping(hint: str) -> str:
    """How closed months are kept, and what who is refused is told to do."""
    return f"""
CREATE OR REPLACE FUNCTION keep_closed_months() RETURNS trigger
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
            to_char(closed, 'FMMonth YYYY') USING ERRCODE = 'object_not_in_prerequisite_state'{hint};
    END IF;
    RETURN NULL;
END
$$;
"""


HINT = ", HINT = 'record_late_ai_call(…) takes a call that came after the close.'"


def upgrade() -> None:
    run(RECORDING)
    run(keeping(HINT))


def downgrade() -> None:
    run(keeping(""))
    run("DROP FUNCTION record_late_ai_call(uuid, uuid, timestamptz, text, text, text, text, text, jsonb);")
