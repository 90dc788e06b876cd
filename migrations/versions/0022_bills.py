"""Providers' bills: one a month, the files that were read into it, and who approved it.

A day of a bill is taken once: a file that tells it again changes nothing, and one that tells it otherwise replaces its
lines, which stay to be looked at. What was approved is locked here, and a month that closes locks it for good.

Revision: 0022
Follows: 0021
"""

from migrations.running import run

revision = "0022"
down_revision = "0021"

TABLES = """
CREATE TABLE provider_bill_files (
    id UUID DEFAULT uuid_v7() NOT NULL,
    provider TEXT NOT NULL,
    kind TEXT NOT NULL,
    name TEXT NOT NULL,
    source TEXT DEFAULT 'file' NOT NULL,
    digest TEXT NOT NULL,
    rows BIGINT NOT NULL,
    first_day DATE NOT NULL,
    last_day DATE NOT NULL,
    read_by UUID,
    created_at TIMESTAMP WITH TIME ZONE DEFAULT now() NOT NULL,
    CONSTRAINT provider_bill_files_key PRIMARY KEY (id),
    CONSTRAINT provider_is_known CHECK (provider IN ('openai', 'anthropic', 'google')),
    CONSTRAINT kind_is_known CHECK (kind IN ('cost', 'usage')),
    CONSTRAINT source_is_known CHECK (source IN ('file', 'api')),
    CONSTRAINT rows_is_not_negative CHECK (rows >= 0),
    CONSTRAINT a_file_ends_after_it_starts CHECK (last_day >= first_day),
    CONSTRAINT provider_bill_files_provider_digest_is_unique UNIQUE (provider, digest),
    CONSTRAINT provider_bill_files_read_by_exists FOREIGN KEY(read_by) REFERENCES team_members (id)
);

ALTER TABLE provider_bills
    DROP CONSTRAINT provider_bills_provider_month_source_digest_is_unique,
    DROP COLUMN source,
    DROP COLUMN source_digest,
    ALTER COLUMN total SET DEFAULT 0,
    ADD COLUMN zone TEXT DEFAULT 'UTC' NOT NULL,
    ADD COLUMN invoiced NUMERIC(20, 12),
    ADD COLUMN invoice_number TEXT,
    ADD COLUMN note TEXT,
    ADD COLUMN approved_at TIMESTAMP WITH TIME ZONE,
    ADD COLUMN approved_by UUID,
    ADD COLUMN revision INTEGER DEFAULT 1 NOT NULL;
UPDATE provider_bills SET approved_at = COALESCE(closed_at, updated_at), approved_by = closed_by WHERE status <> 'open';
ALTER TABLE provider_bills
    ADD CONSTRAINT provider_bills_provider_month_is_unique UNIQUE (provider, month),
    ADD CONSTRAINT what_is_approved_has_a_date CHECK ((status = 'open') = (approved_at IS NULL)),
    ADD CONSTRAINT provider_bills_approved_by_exists FOREIGN KEY(approved_by) REFERENCES team_members (id);
COMMENT ON COLUMN provider_bills.total IS 'Of its lines.';
COMMENT ON COLUMN provider_bills.zone IS 'By whose clock its days are days.';
COMMENT ON COLUMN provider_bills.invoiced IS 'What the invoice says, before tax; NULL: it is not known yet.';

ALTER TABLE provider_bill_lines
    ALTER COLUMN amount DROP NOT NULL,
    ADD COLUMN kind TEXT DEFAULT 'cost' NOT NULL,
    ADD COLUMN variant TEXT,
    ADD COLUMN context_from BIGINT,
    ADD COLUMN step NUMERIC(20, 12) DEFAULT 0.000000000001 NOT NULL,
    ADD COLUMN file_id UUID,
    ADD COLUMN replaced_by UUID,
    ADD CONSTRAINT kind_is_known CHECK (kind IN ('cost', 'usage')),
    ADD CONSTRAINT a_cost_has_an_amount_and_usage_a_quantity
        CHECK (CASE kind WHEN 'cost' THEN amount IS NOT NULL ELSE amount IS NULL AND quantity IS NOT NULL END),
    ADD CONSTRAINT a_step_is_positive CHECK (step > 0),
    ADD CONSTRAINT provider_bill_lines_file_id_exists FOREIGN KEY(file_id) REFERENCES provider_bill_files (id),
    ADD CONSTRAINT provider_bill_lines_replaced_by_exists FOREIGN KEY(replaced_by)
        REFERENCES provider_bill_files (id);
COMMENT ON COLUMN provider_bill_lines.step IS 'The smallest amount in which its file tells amounts.';
COMMENT ON COLUMN provider_bill_lines.replaced_by IS 'The file that tells the day otherwise; NULL: the line holds.';
"""

# Whoever approves waits for who is just reading a file into the bill, and the other way round.
LOCKS = """
SELECT guard_company_table('provider_bill_files');
SELECT make_append_only('provider_bill_files');
GRANT SELECT (kind, variant, context_from, step, file_id, replaced_by) ON provider_bill_lines TO app_ro, app_pipe;
GRANT SELECT (zone, invoiced, invoice_number, note, approved_at, approved_by, revision) ON provider_bills
    TO app_ro, app_pipe;
REVOKE UPDATE, DELETE ON provider_bill_lines FROM app_rw;
GRANT UPDATE (replaced_by) ON provider_bill_lines TO app_rw;
REVOKE DELETE ON provider_bills FROM app_rw;

CREATE TRIGGER raise_revision BEFORE UPDATE ON provider_bills FOR EACH ROW EXECUTE FUNCTION raise_revision();
CREATE TRIGGER audit_inserts AFTER INSERT ON provider_bills REFERENCING NEW TABLE AS arrived
    FOR EACH STATEMENT EXECUTE FUNCTION audit_changes('id', '', 'updated_at', 'revision');
CREATE TRIGGER audit_updates AFTER UPDATE ON provider_bills REFERENCING OLD TABLE AS gone NEW TABLE AS arrived
    FOR EACH STATEMENT EXECUTE FUNCTION audit_changes('id', '', 'updated_at', 'revision');

CREATE FUNCTION keep_approved_bills() RETURNS trigger
    LANGUAGE plpgsql SECURITY DEFINER SET search_path = pg_catalog, public AS $$
DECLARE
    locked record;
BEGIN
    PERFORM 1 FROM provider_bills WHERE id IN (SELECT bill_id FROM arrived) ORDER BY id FOR SHARE;
    SELECT b.provider, b.month, b.status INTO locked FROM provider_bills AS b
    WHERE b.id IN (SELECT bill_id FROM arrived) AND b.status <> 'open' ORDER BY b.month LIMIT 1;
    IF FOUND THEN
        RAISE EXCEPTION 'The bill of % of % is %: its lines stay as they are.', locked.provider,
            to_char(locked.month, 'FMMonth YYYY'), locked.status USING ERRCODE = 'object_not_in_prerequisite_state';
    END IF;
    RETURN NULL;
END
$$;
CREATE TRIGGER keep_approved_bills_on_insert AFTER INSERT ON provider_bill_lines REFERENCING NEW TABLE AS arrived
    FOR EACH STATEMENT EXECUTE FUNCTION keep_approved_bills();
CREATE TRIGGER keep_approved_bills_on_update AFTER UPDATE ON provider_bill_lines REFERENCING NEW TABLE AS arrived
    FOR EACH STATEMENT EXECUTE FUNCTION keep_approved_bills();

CREATE FUNCTION keep_bills() RETURNS trigger LANGUAGE plpgsql SET search_path = pg_catalog, public AS $$
BEGIN
    IF pg_has_role('app_owner', 'USAGE') THEN
        RETURN NEW;
    END IF;
    IF TG_OP = 'INSERT' THEN
        IF NEW.status <> 'open' THEN
            RAISE EXCEPTION 'A bill begins open.' USING ERRCODE = 'object_not_in_prerequisite_state';
        END IF;
        RETURN NEW;
    END IF;
    IF OLD.status = 'closed' OR NEW.status = 'closed' THEN
        RAISE EXCEPTION 'The bill of % is closed and opened with its month.', to_char(OLD.month, 'FMMonth YYYY')
            USING ERRCODE = 'object_not_in_prerequisite_state';
    END IF;
    IF (OLD.provider, OLD.month) <> (NEW.provider, NEW.month) THEN
        RAISE EXCEPTION 'A bill stays that of its provider and month.'
            USING ERRCODE = 'object_not_in_prerequisite_state';
    END IF;
    IF OLD.status = 'approved' AND (NEW.status = 'approved' OR (OLD.total, OLD.tax, OLD.zone, OLD.currency)
            IS DISTINCT FROM (NEW.total, NEW.tax, NEW.zone, NEW.currency)
            OR (OLD.invoiced, OLD.invoice_number) IS DISTINCT FROM (NEW.invoiced, NEW.invoice_number)) THEN
        RAISE EXCEPTION 'The bill of % of % is approved: open it before it is changed.', OLD.provider,
            to_char(OLD.month, 'FMMonth YYYY') USING ERRCODE = 'object_not_in_prerequisite_state';
    END IF;
    RETURN NEW;
END
$$;
CREATE TRIGGER keep_bills BEFORE INSERT OR UPDATE ON provider_bills FOR EACH ROW EXECUTE FUNCTION keep_bills();

CREATE FUNCTION close_bills_with_months() RETURNS trigger
    LANGUAGE plpgsql SECURITY DEFINER SET search_path = pg_catalog, public AS $$
BEGIN
    IF NEW.closed_at IS NOT NULL THEN
        UPDATE provider_bills SET status = 'closed', closed_at = NEW.closed_at, closed_by = NEW.closed_by
        WHERE month = NEW.month AND status = 'approved';
    ELSE
        UPDATE provider_bills SET status = 'approved', closed_at = NULL, closed_by = NULL
        WHERE month = NEW.month AND status = 'closed';
    END IF;
    RETURN NULL;
END
$$;
CREATE TRIGGER close_bills_with_months AFTER UPDATE ON ai_months FOR EACH ROW
    WHEN ((OLD.closed_at IS NULL) <> (NEW.closed_at IS NULL)) EXECUTE FUNCTION close_bills_with_months();
"""

# Sums of the company alone, also of workspaces that were deleted since: the provider charged for their calls too.
USED = """
CREATE FUNCTION ai_usage_of(
    of_provider text, since timestamptz, until timestamptz, zone text, eras timestamptz[], contexts bigint[]
) RETURNS TABLE (
    model text, service_tier text, day date, began_on date, ended_on date, era integer, context integer,
    is_priced boolean, unit text, kind text, quantity numeric, cost numeric
) LANGUAGE sql STABLE SECURITY DEFINER SET search_path = pg_catalog, public AS $$
    WITH calls AS (
        SELECT
            g.model, g.service_tier, (g.created_at AT TIME ZONE 'UTC')::date AS day,
            (g.created_at AT TIME ZONE zone)::date AS began_on,
            (GREATEST(g.completed_at, g.created_at) AT TIME ZONE zone)::date AS ended_on,
            width_bucket(g.created_at, eras) AS era,
            width_bucket((
                g.input_tokens + g.cached_input_tokens + g.cache_write_tokens + CASE WHEN g.more_units = '{}' THEN 0
                ELSE (
                    SELECT COALESCE(SUM(m.value::numeric), 0) FROM jsonb_each_text(g.more_units) AS m
                    WHERE m.key IN
                        ('audio_input', 'cached_audio_input', 'image_input', 'cached_image_input', 'video_input')
                ) END
            )::bigint, contexts) AS context,
            g.input_tokens, g.cached_input_tokens, g.cache_write_tokens, g.cache_write_1h_tokens, g.output_tokens,
            g.reasoning_tokens, g.images, concat_ws('/', g.image_size, g.image_quality) AS image_kind,
            g.audio_seconds, g.video_seconds, g.tool_calls, g.more_units, g.cost
        FROM ai_generations AS g
        WHERE g.provider = of_provider AND g.created_at >= since AND g.created_at < until
            AND g.status IN ('completed', 'failed', 'cancelled')
    )
    SELECT
        c.model, c.service_tier, c.day, c.began_on, c.ended_on, c.era, c.context, c.cost IS NOT NULL, u.unit, u.kind,
        SUM(u.quantity), COALESCE(SUM(c.cost) FILTER (WHERE u.unit = ''), 0)
    FROM calls AS c
    CROSS JOIN LATERAL (
        VALUES
            ('', '', 1::numeric),
            ('input', '', c.input_tokens),
            ('cached_input', '', c.cached_input_tokens),
            ('cache_write_5m', '', c.cache_write_tokens - c.cache_write_1h_tokens),
            ('cache_write_1h', '', c.cache_write_1h_tokens),
            ('output', '', c.output_tokens),
            ('reasoning', '', c.reasoning_tokens),
            ('image', c.image_kind, c.images - told_by_kind(c.more_units, 'image')),
            ('audio_second', '', c.audio_seconds - told_by_kind(c.more_units, 'audio_second')),
            ('video_second', '', c.video_seconds - told_by_kind(c.more_units, 'video_second')),
            ('tool_call', '', c.tool_calls - told_by_kind(c.more_units, 'tool_call'))
        UNION ALL
        SELECT split_part(m.key, '/', 1), substr(m.key, length(split_part(m.key, '/', 1)) + 2), m.value::numeric
        FROM jsonb_each_text(c.more_units) AS m
    ) AS u (unit, kind, quantity)
    WHERE u.quantity <> 0
    GROUP BY c.model, c.service_tier, c.day, c.began_on, c.ended_on, c.era, c.context, c.cost IS NOT NULL, u.unit,
        u.kind
$$;
GRANT EXECUTE ON FUNCTION ai_usage_of(text, timestamptz, timestamptz, text, timestamptz[], bigint[]) TO app_rw;
"""


def upgrade() -> None:
    for part in (TABLES, LOCKS, USED):
        run(part)


def downgrade() -> None:
    run("""
    DROP FUNCTION ai_usage_of(text, timestamptz, timestamptz, text, timestamptz[], bigint[]);
    DROP TRIGGER close_bills_with_months ON ai_months;
    DROP TRIGGER keep_bills ON provider_bills;
    DROP TRIGGER raise_revision ON provider_bills;
    DROP TRIGGER audit_inserts ON provider_bills;
    DROP TRIGGER audit_updates ON provider_bills;
    DROP TRIGGER keep_approved_bills_on_insert ON provider_bill_lines;
    DROP TRIGGER keep_approved_bills_on_update ON provider_bill_lines;
    DROP FUNCTION close_bills_with_months(), keep_bills(), keep_approved_bills();
    DELETE FROM provider_bill_lines WHERE kind = 'usage' OR replaced_by IS NOT NULL;
    ALTER TABLE provider_bill_lines
        DROP COLUMN kind,
        DROP COLUMN variant,
        DROP COLUMN context_from,
        DROP COLUMN step,
        DROP COLUMN file_id,
        DROP COLUMN replaced_by,
        ALTER COLUMN amount SET NOT NULL;
    ALTER TABLE provider_bills
        DROP CONSTRAINT provider_bills_provider_month_is_unique,
        DROP CONSTRAINT what_is_approved_has_a_date,
        DROP COLUMN zone,
        DROP COLUMN invoiced,
        DROP COLUMN invoice_number,
        DROP COLUMN note,
        DROP COLUMN approved_at,
        DROP COLUMN approved_by,
        DROP COLUMN revision,
        ALTER COLUMN total DROP DEFAULT,
        ADD COLUMN source TEXT NOT NULL DEFAULT '',
        ADD COLUMN source_digest TEXT NOT NULL DEFAULT '',
        ADD CONSTRAINT provider_bills_provider_month_source_digest_is_unique UNIQUE (provider, month, source_digest);
    ALTER TABLE provider_bills ALTER COLUMN source DROP DEFAULT, ALTER COLUMN source_digest DROP DEFAULT;
    COMMENT ON COLUMN provider_bills.total IS NULL;
    DROP TABLE provider_bill_files;
    GRANT UPDATE, DELETE ON provider_bill_lines TO app_rw;
    GRANT DELETE ON provider_bills TO app_rw;
    """)
