"""What every later table leans on: keys, tenancy, stamps, tombstones, partitions and the functions that guard tables.

Revision: 0001
Follows: nothing
"""

from migrations.running import run

revision = "0001"
down_revision = None

# Postgres 18 makes UUIDv7 itself; on older servers the time goes into the first 48 bits of a random UUID.
KEYS = """
DO $version$
BEGIN
    IF current_setting('server_version_num')::int >= 180000 THEN
        CREATE FUNCTION uuid_v7() RETURNS uuid LANGUAGE sql VOLATILE PARALLEL SAFE
            RETURN uuidv7();
    ELSE
        CREATE FUNCTION uuid_v7() RETURNS uuid LANGUAGE sql VOLATILE PARALLEL SAFE
            RETURN encode(
                set_bit(
                    set_bit(
                        overlay(
                            uuid_send(gen_random_uuid())
                            PLACING substring(
                                int8send(floor(extract(epoch FROM clock_timestamp()) * 1000)::bigint) FROM 3
                            ) FROM 1 FOR 6
                        ),
                        52, 1
                    ),
                    53, 1
                ),
                'hex'
            )::uuid;
    END IF;
END
$version$;
"""

# After the setting's transaction has ended, a pooled connection answers '' and not NULL: '' is not an array.
TENANCY = """
CREATE FUNCTION app_workspaces() RETURNS uuid[] LANGUAGE sql STABLE PARALLEL SAFE
    RETURN NULLIF(current_setting('app.workspaces', true), '')::uuid[];

CREATE FUNCTION house_workspace() RETURNS uuid LANGUAGE sql IMMUTABLE PARALLEL SAFE
    RETURN '00000000-0000-7000-8000-000000000000'::uuid;
"""

STAMPS = """
CREATE FUNCTION touch_updated_at() RETURNS trigger LANGUAGE plpgsql AS $$
BEGIN
    NEW.updated_at := now();
    RETURN NEW;
END
$$;

-- An update does not run a column's default: without this the lake would never see the change.
CREATE FUNCTION stamp_row_xid() RETURNS trigger LANGUAGE plpgsql AS $$
BEGIN
    NEW.row_xid := pg_current_xact_id();
    RETURN NEW;
END
$$;

-- An edit must say which revision it was made on: the number goes up by itself, and an edit made on another is refused.
CREATE FUNCTION raise_revision() RETURNS trigger LANGUAGE plpgsql AS $$
BEGIN
    IF NEW.revision <> OLD.revision THEN
        RAISE EXCEPTION 'The row of % was changed by someone else: revision % is not %.',
            TG_TABLE_NAME, NEW.revision, OLD.revision
            USING ERRCODE = 'serialization_failure';
    END IF;
    NEW.revision := OLD.revision + 1;
    RETURN NEW;
END
$$;

CREATE FUNCTION refuse_change() RETURNS trigger LANGUAGE plpgsql AS $$
BEGIN
    RAISE EXCEPTION 'Rows of % are only added, never changed or deleted.', TG_TABLE_NAME
        USING ERRCODE = 'insufficient_privilege';
END
$$;

-- The lake and the audit log know a row by its key: under a new one it would be another row.
CREATE FUNCTION keep_key() RETURNS trigger LANGUAGE plpgsql AS $$
BEGIN
    RAISE EXCEPTION 'The key of a row of % never changes: delete the row and add it anew.', TG_TABLE_NAME
        USING ERRCODE = 'invalid_parameter_value';
END
$$;

-- The arguments are the columns of the primary key besides the workspace.
CREATE FUNCTION leave_tombstones() RETURNS trigger
    LANGUAGE plpgsql SECURITY DEFINER SET search_path = pg_catalog, public AS $$
BEGIN
    EXECUTE format(
        'INSERT INTO public.fact_tombstones (workspace_id, fact, row_key)
         SELECT workspace_id, %L, jsonb_build_object(%s) FROM gone',
        TG_TABLE_NAME,
        (SELECT string_agg(format('%L, %I', key, key), ', ') FROM unnest(TG_ARGV) AS key)
    );
    RETURN NULL;
END
$$;
"""

# New partitions are built aside and attached: attaching takes a weaker lock on the parent than creating in place.
PARTITIONS = """
CREATE FUNCTION monthly_facts() RETURNS TABLE (fact regclass, month_column text)
    LANGUAGE sql STABLE SET search_path = pg_catalog, public AS $$
    SELECT p.partrelid::regclass, a.attname::text
    FROM pg_partitioned_table AS p
    JOIN pg_class AS c ON c.oid = p.partrelid
    JOIN pg_attribute AS a ON a.attrelid = p.partrelid AND a.attnum = p.partattrs[0]
    WHERE c.relnamespace = 'public'::regnamespace AND p.partstrat = 'r'
    ORDER BY c.relname
$$;

CREATE FUNCTION fact_partitions() RETURNS TABLE (fact regclass, partition regclass, month date)
    LANGUAGE sql STABLE SET search_path = pg_catalog, public AS $$
    SELECT i.inhparent::regclass, i.inhrelid::regclass, to_date(right(c.relname, 7), 'YYYY_MM')
    FROM pg_inherits AS i
    JOIN pg_class AS c ON c.oid = i.inhrelid
    WHERE i.inhparent IN (SELECT fact FROM monthly_facts()) AND NOT i.inhdetachpending
$$;

CREATE FUNCTION make_partitions_between(from_day date, to_day date) RETURNS integer
    LANGUAGE plpgsql SECURITY DEFINER SET search_path = pg_catalog, public SET timezone = 'UTC' SET lock_timeout = '2s'
    AS $$
DECLARE
    one_fact record;
    month_start date;
    child text;
    made integer := 0;
BEGIN
    IF from_day < '2000-01-01' OR to_day > current_date + 732 OR to_day < from_day THEN
        RAISE EXCEPTION 'Partitions can be made from 2000 to two years ahead, not from % to %.', from_day, to_day
            USING ERRCODE = 'invalid_parameter_value';
    END IF;
    PERFORM pg_advisory_xact_lock(7316205120);
    FOR one_fact IN SELECT fact, month_column FROM monthly_facts() LOOP
        FOR month_start IN
            SELECT generate_series(date_trunc('month', from_day), date_trunc('month', to_day), '1 month')::date
        LOOP
            child := format('%s_%s', one_fact.fact, to_char(month_start, 'YYYY_MM'));
            CONTINUE WHEN to_regclass(format('public.%I', child)) IS NOT NULL;
            EXECUTE format(
                'CREATE TABLE public.%I (LIKE %s INCLUDING DEFAULTS INCLUDING GENERATED INCLUDING CONSTRAINTS
                 INCLUDING STORAGE INCLUDING COMPRESSION)', child, one_fact.fact
            );
            EXECUTE format(
                'ALTER TABLE %s ATTACH PARTITION public.%I FOR VALUES FROM (%L) TO (%L)',
                one_fact.fact, child, month_start, (month_start + interval '1 month')::date
            );
            made := made + 1;
        END LOOP;
    END LOOP;
    RETURN made;
END
$$;

CREATE FUNCTION make_partitions(months_ahead integer DEFAULT 3) RETURNS integer
    LANGUAGE sql SECURITY DEFINER SET search_path = pg_catalog, public
    RETURN make_partitions_between(
        (current_date - interval '1 month')::date,
        (current_date + make_interval(months => months_ahead))::date
    );
"""

# One table is one call: nobody has to remember the pieces, and `doctor` finds a table that was never guarded.
GUARDS = """
-- Triggers and rights that depend only on which columns a table has.
CREATE FUNCTION guard_columns(target regclass, hidden text[]) RETURNS void LANGUAGE plpgsql AS $$
DECLARE
    has_updated_at boolean;
    has_revision boolean;
    has_deleted_at boolean;
    shown text;
BEGIN
    SELECT bool_or(attname = 'updated_at'), bool_or(attname = 'revision'), bool_or(attname = 'deleted_at'),
           string_agg(quote_ident(attname), ', ' ORDER BY attnum) FILTER (WHERE attname <> ALL (hidden))
    INTO has_updated_at, has_revision, has_deleted_at, shown
    FROM pg_attribute WHERE attrelid = target AND attnum > 0 AND NOT attisdropped;

    IF has_updated_at THEN
        EXECUTE format('CREATE TRIGGER touch_updated_at BEFORE UPDATE ON %s
            FOR EACH ROW EXECUTE FUNCTION touch_updated_at()', target);
    END IF;
    IF has_revision THEN
        EXECUTE format('CREATE TRIGGER raise_revision BEFORE UPDATE ON %s
            FOR EACH ROW EXECUTE FUNCTION raise_revision()', target);
    END IF;
    EXECUTE format('GRANT SELECT, INSERT, UPDATE ON %s TO app_rw', target);
    IF NOT has_deleted_at THEN
        EXECUTE format('GRANT DELETE ON %s TO app_rw', target);
    END IF;
    EXECUTE format('GRANT SELECT (%s) ON %s TO app_ro, app_pipe', shown, target);
END
$$;

CREATE FUNCTION guard_rows(target regclass, visible text, writable text) RETURNS void LANGUAGE plpgsql AS $$
BEGIN
    EXECUTE format('ALTER TABLE %s ENABLE ROW LEVEL SECURITY', target);
    EXECUTE format('ALTER TABLE %s FORCE ROW LEVEL SECURITY', target);
    EXECUTE format('CREATE POLICY scope_reads ON %s FOR SELECT TO app_rw, app_ro, app_ingest USING (%s)',
        target, visible);
    EXECUTE format('CREATE POLICY scope_inserts ON %s FOR INSERT TO app_rw, app_ingest WITH CHECK (%s)',
        target, writable);
    EXECUTE format('CREATE POLICY scope_updates ON %s FOR UPDATE TO app_rw, app_ingest USING (%s) WITH CHECK (%s)',
        target, writable, writable);
    EXECUTE format('CREATE POLICY scope_deletes ON %s FOR DELETE TO app_rw USING (%s)', target, writable);
    EXECUTE format('CREATE POLICY pull_reads_all ON %s FOR SELECT TO app_pipe USING (true)', target);
    EXECUTE format('CREATE POLICY owner_does_all ON %s TO app_owner USING (true) WITH CHECK (true)', target);
    IF EXISTS (SELECT FROM pg_attribute WHERE attrelid = target AND attname = 'deleted_at' AND NOT attisdropped) THEN
        EXECUTE format('CREATE POLICY pages_see_no_deleted_rows ON %s AS RESTRICTIVE FOR SELECT TO app_ro
            USING (deleted_at IS NULL)', target);
    END IF;
END
$$;

-- A table of tenants: only the workspaces that the transaction named. `kind` says which rows besides:
-- 'tenant' none; 'library' the house's as well; 'company' rows without a workspace as well.
CREATE FUNCTION guard_tenant_table(target regclass, kind text DEFAULT 'tenant', hidden text[] DEFAULT '{}')
    RETURNS void LANGUAGE plpgsql AS $$
DECLARE
    own CONSTANT text := 'workspace_id = ANY ((SELECT app_workspaces())::uuid[])';
BEGIN
    PERFORM guard_columns(target, hidden);
    CASE kind
        WHEN 'tenant' THEN PERFORM guard_rows(target, own, own);
        WHEN 'library' THEN PERFORM guard_rows(
            target, own || ' OR workspace_id = house_workspace() AND (SELECT app_workspaces()) IS NOT NULL', own);
        WHEN 'company' THEN PERFORM guard_rows(
            target, own || ' OR workspace_id IS NULL', own || ' OR workspace_id IS NULL');
    END CASE;
END
$$;

-- A fact: a tenants' table whose rows are stamped by the database alone, and whose deletion leaves a tombstone.
CREATE FUNCTION guard_fact_table(target regclass, row_key text[], deleted_by_triggers boolean DEFAULT true)
    RETURNS void LANGUAGE plpgsql AS $$
DECLARE
    written text;
BEGIN
    PERFORM guard_tenant_table(target);
    SELECT string_agg(quote_ident(attname), ', ' ORDER BY attnum) INTO written
    FROM pg_attribute
    WHERE attrelid = target AND attnum > 0 AND NOT attisdropped AND attname <> 'row_xid' AND attgenerated = '';
    EXECUTE format('REVOKE INSERT, UPDATE ON %s FROM app_rw', target);
    EXECUTE format('GRANT INSERT (%1$s), UPDATE (%1$s) ON %2$s TO app_rw', written, target);
    EXECUTE format('CREATE TRIGGER stamp_row_xid BEFORE UPDATE ON %s
        FOR EACH ROW EXECUTE FUNCTION stamp_row_xid()', target);
    EXECUTE format('CREATE TRIGGER keep_key BEFORE UPDATE ON %s
        FOR EACH ROW WHEN (%s) EXECUTE FUNCTION keep_key()', target,
        (SELECT string_agg(format('OLD.%1$I <> NEW.%1$I', key), ' OR ') FROM unnest(row_key) AS key));
    EXECUTE format('CREATE TRIGGER leave_tombstones AFTER DELETE ON %s REFERENCING OLD TABLE AS gone
        FOR EACH STATEMENT %s EXECUTE FUNCTION leave_tombstones(%s)',
        target,
        CASE WHEN deleted_by_triggers THEN '' ELSE 'WHEN (pg_trigger_depth() = 0)' END,
        (SELECT string_agg(quote_literal(key), ', ') FROM unnest(row_key) AS key));
END
$$;

-- What importers may do with a fact besides: add rows and, where the source restates, change them.
CREATE FUNCTION open_to_ingest(target regclass, restated boolean DEFAULT false) RETURNS void LANGUAGE plpgsql AS $$
DECLARE
    written text;
BEGIN
    SELECT string_agg(quote_ident(attname), ', ' ORDER BY attnum) INTO written
    FROM pg_attribute
    WHERE attrelid = target AND attnum > 0 AND NOT attisdropped AND attname <> 'row_xid' AND attgenerated = '';
    EXECUTE format('GRANT SELECT ON %s TO app_ingest', target);
    EXECUTE format('GRANT INSERT (%s) ON %s TO app_ingest', written, target);
    IF restated THEN
        EXECUTE format('GRANT UPDATE (%s) ON %s TO app_ingest', written, target);
    END IF;
END
$$;

-- A table of the company, with no tenant in it.
CREATE FUNCTION guard_company_table(target regclass, hidden text[] DEFAULT '{}') RETURNS void LANGUAGE sql AS $$
    SELECT guard_columns(target, hidden);
$$;

-- Rows of such a table are only added.
CREATE FUNCTION make_append_only(target regclass) RETURNS void LANGUAGE plpgsql AS $$
BEGIN
    EXECUTE format('REVOKE UPDATE, DELETE ON %s FROM app_rw', target);
    EXECUTE format('CREATE TRIGGER refuse_change BEFORE UPDATE OR DELETE ON %s
        FOR EACH ROW EXECUTE FUNCTION refuse_change()', target);
    EXECUTE format('CREATE TRIGGER refuse_truncate BEFORE TRUNCATE ON %s
        FOR EACH STATEMENT EXECUTE FUNCTION refuse_change()', target);
END
$$;
"""

# Functions are executable by everyone unless it is taken away; only these are for the app.
RIGHTS = """
ALTER DEFAULT PRIVILEGES FOR ROLE app_owner REVOKE EXECUTE ON FUNCTIONS FROM PUBLIC;
REVOKE EXECUTE ON ALL FUNCTIONS IN SCHEMA public FROM PUBLIC;
GRANT EXECUTE ON FUNCTION uuid_v7(), app_workspaces(), house_workspace() TO app_rw, app_ro, app_pipe, app_ingest;
GRANT EXECUTE ON FUNCTION monthly_facts(), fact_partitions() TO app_rw, app_ro, app_pipe;
GRANT EXECUTE ON FUNCTION make_partitions(integer), make_partitions_between(date, date) TO app_rw;
GRANT SELECT ON alembic_version TO app_rw, app_ro, app_pipe, app_ingest;
"""


def upgrade() -> None:
    for part in (KEYS, TENANCY, STAMPS, PARTITIONS, GUARDS, RIGHTS):
        run(part)


def downgrade() -> None:
    run("""
    REVOKE SELECT ON alembic_version FROM app_rw, app_ro, app_pipe, app_ingest;
    ALTER DEFAULT PRIVILEGES FOR ROLE app_owner GRANT EXECUTE ON FUNCTIONS TO PUBLIC;
    DROP FUNCTION make_append_only(regclass), guard_company_table(regclass, text[]), open_to_ingest(regclass,
        boolean), guard_fact_table(regclass, text[], boolean), guard_tenant_table(regclass, text, text[]),
        guard_rows(regclass, text, text), guard_columns(regclass, text[]), make_partitions(integer),
        make_partitions_between(date, date), fact_partitions(), monthly_facts(), leave_tombstones(),
        keep_key(), refuse_change(), raise_revision(), stamp_row_xid(), touch_updated_at(),
        house_workspace(), app_workspaces(), uuid_v7();
    """)
