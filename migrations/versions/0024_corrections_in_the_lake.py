"""Corrections of closed months for the lake, and what caches and batches saved, kept with each call.

What was saved is what the call would have cost by the standard prices of its moment, so it is found when it is rated.

Revision: 0024
Follows: 0023
"""

from migrations.running import run

revision = "0024"
down_revision = "0023"

COPIED = "month, kind, product, provider, model, generation_type, amount, currency"

COLUMNS = """
ALTER TABLE ai_generations
    ADD COLUMN cache_saving NUMERIC(20, 12),
    ADD COLUMN batch_saving NUMERIC(20, 12);
COMMENT ON COLUMN ai_generations.cache_saving IS
    'What it would have cost more without a cache, by standard prices; below zero where writing into it cost more.';
COMMENT ON COLUMN ai_generations.batch_saving IS 'What it would have cost more as a standard call.';
GRANT SELECT (cache_saving, batch_saving) ON ai_generations TO app_ro, app_pipe;
"""

SAVING = """
CREATE FUNCTION standard_ai_price(
    of_provider text, of_model text, of_unit text, of_kind text, tokens_read numeric, at timestamptz
) RETURNS numeric LANGUAGE sql STABLE SET search_path = pg_catalog, public AS $$
    SELECT p.price / p.per
    FROM ai_prices AS p
    WHERE p.provider = of_provider AND p.model = of_model AND p.unit = of_unit AND p.service_tier = 'standard'
        AND p.variant IN (of_kind, '') AND p.approved_at IS NOT NULL AND p.superseded_by IS NULL
        AND p.context_from <= tokens_read AND p.valid_from <= at AND at < COALESCE(p.valid_to, 'infinity')
    ORDER BY p.variant = of_kind DESC, p.context_from DESC, p.valid_from DESC, p.version DESC
    LIMIT 1
$$;

-- Of calls that used a cache or ran in a batch: what all of it would have cost as a standard call, and how much more
-- without a cache. NULL where a price for that is not known.
CREATE FUNCTION standard_cost_of_ai_calls(
    since timestamptz, until timestamptz, models text[], unpriced_alone boolean
) RETURNS TABLE (workspace_id uuid, id uuid, created_at timestamptz, standard_cost numeric, cache_saving numeric)
    LANGUAGE sql STABLE SET search_path = pg_catalog, public AS $$
    WITH calls AS (
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
            AND (g.service_tier IN ('batch', 'flex') OR g.cached_input_tokens > 0 OR g.cache_write_tokens > 0
                OR g.more_units ?| '{cached_audio_input,cached_image_input}')
    ),
    used AS (
        SELECT c.workspace_id, c.id, c.created_at, u.quantity, u.plain_unit IS NOT NULL AS is_of_cache,
            standard_ai_price(c.provider, c.model, u.unit, u.kind, c.tokens_read, c.created_at) AS own,
            CASE WHEN u.plain_unit IS NOT NULL THEN
                standard_ai_price(c.provider, c.model, u.plain_unit, u.kind, c.tokens_read, c.created_at)
            END AS plain
        FROM calls AS c
        CROSS JOIN LATERAL (
            VALUES
                ('input', '', NULL, c.input_tokens::numeric),
                ('cached_input', '', 'input', c.cached_input_tokens),
                ('cache_write_5m', '', 'input', c.cache_write_tokens - c.cache_write_1h_tokens),
                ('cache_write_1h', '', 'input', c.cache_write_1h_tokens),
                ('output', '', NULL, c.output_tokens),
                ('reasoning', '', NULL, c.reasoning_tokens),
                ('image', c.image_kind, NULL, c.images - told_by_kind(c.more_units, 'image')),
                ('audio_second', '', NULL, c.audio_seconds - told_by_kind(c.more_units, 'audio_second')),
                ('video_second', '', NULL, c.video_seconds - told_by_kind(c.more_units, 'video_second')),
                ('tool_call', '', NULL, c.tool_calls - told_by_kind(c.more_units, 'tool_call'))
            UNION ALL
            SELECT split_part(m.key, '/', 1), substr(m.key, length(split_part(m.key, '/', 1)) + 2),
                CASE WHEN m.key IN ('cached_audio_input', 'cached_image_input') THEN substr(m.key, 8) END,
                m.value::numeric
            FROM jsonb_each_text(c.more_units) AS m
        ) AS u (unit, kind, plain_unit, quantity)
        WHERE u.quantity <> 0 AND (u.plain_unit IS NOT NULL OR c.service_tier IN ('batch', 'flex'))
    )
    SELECT workspace_id, id, created_at,
        CASE WHEN COUNT(own) = COUNT(*) THEN SUM(quantity * own) END,
        CASE WHEN COUNT(plain) FILTER (WHERE own IS NOT NULL) = COUNT(*) FILTER (WHERE is_of_cache) THEN
            SUM(quantity * (plain - own)) FILTER (WHERE is_of_cache)
        END
    FROM used
    GROUP BY workspace_id, id, created_at
$$;
"""


def rating(saved: str, joined: str, changed: str, told: str) -> str:
    """How calls are rated, with what they saved or without."""
    return f"""
CREATE OR REPLACE FUNCTION rate_ai_calls(since timestamptz, until timestamptz, models text[], unpriced_alone boolean)
    RETURNS bigint LANGUAGE plpgsql SECURITY DEFINER SET search_path = pg_catalog, public AS $$
DECLARE
    changed bigint;
BEGIN
    PERFORM pg_advisory_xact_lock(7316205124);
    UPDATE ai_generations AS g
    SET cost = r.cost, price_version = r.price_version, unpriced_because = r.unpriced_because{saved}
    FROM rated_ai_calls(since, until, models, '{{}}', unpriced_alone) AS r
    {joined}
    WHERE g.workspace_id = r.workspace_id AND g.id = r.id AND g.created_at = r.created_at
        AND g.created_at >= since AND g.created_at < until
        AND (g.cost, g.price_version, g.unpriced_because{changed})
            IS DISTINCT FROM (r.cost, r.price_version, r.unpriced_because{told})
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
"""


def forgetting(also: str) -> str:
    """What a call loses when its usage is restated."""
    return f"""
CREATE OR REPLACE FUNCTION forget_price() RETURNS trigger LANGUAGE plpgsql AS $$
BEGIN
    NEW.cost := NULL;
    NEW.price_version := NULL;
    NEW.unpriced_because := NULL;{also}
    RETURN NEW;
END
$$;
"""


BATCH_SAVING = "CASE WHEN r.cost IS NOT NULL AND g.service_tier IN ('batch', 'flex') THEN s.standard_cost - r.cost END"
CACHE_SAVING = "CASE WHEN r.cost IS NOT NULL THEN s.cache_saving END"

# Closed months stay as they are in what they cost; what they saved is a comparison, and no part of their sums.
BACKFILL = """
UPDATE ai_generations AS g
SET cache_saving = s.cache_saving,
    batch_saving = CASE WHEN g.service_tier IN ('batch', 'flex') THEN s.standard_cost - g.cost END
FROM standard_cost_of_ai_calls('-infinity', 'infinity', NULL, false) AS s
WHERE g.workspace_id = s.workspace_id AND g.id = s.id AND g.created_at = s.created_at AND g.cost IS NOT NULL;
"""


def upgrade() -> None:
    run(f"""
    SELECT follow_dimension('ai_cost_corrections', string_to_array('{COPIED}', ', '));
    CREATE TRIGGER wake_lake AFTER INSERT OR UPDATE OR DELETE ON ai_cost_corrections
        FOR EACH STATEMENT WHEN (pg_trigger_depth() = 0) EXECUTE FUNCTION wake_lake();
    """)
    run(COLUMNS)
    run(SAVING)
    run(
        rating(
            saved=f",\n        cache_saving = {CACHE_SAVING},\n        batch_saving = {BATCH_SAVING}",
            joined="LEFT JOIN standard_cost_of_ai_calls(since, until, models, unpriced_alone) AS s"
            " USING (workspace_id, id, created_at)",
            changed=", g.cache_saving, g.batch_saving",
            told=f", {CACHE_SAVING}, {BATCH_SAVING}",
        )
    )
    run(forgetting("\n    NEW.cache_saving := NULL;\n    NEW.batch_saving := NULL;"))
    run(BACKFILL)


def downgrade() -> None:
    run(forgetting(""))
    run(rating("", "", "", ""))
    run("""
    DROP FUNCTION standard_cost_of_ai_calls(timestamptz, timestamptz, text[], boolean),
        standard_ai_price(text, text, text, text, numeric, timestamptz);
    ALTER TABLE ai_generations DROP COLUMN cache_saving, DROP COLUMN batch_saving;
    DROP TRIGGER wake_lake ON ai_cost_corrections;
    DROP TRIGGER stamp_row_xid ON ai_cost_corrections;
    DROP TRIGGER leave_tombstones ON ai_cost_corrections;
    ALTER TABLE ai_cost_corrections DROP COLUMN row_xid, DROP COLUMN row_changed;
    GRANT INSERT ON ai_cost_corrections TO app_rw;
    """)
