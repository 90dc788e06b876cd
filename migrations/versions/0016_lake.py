"""What the lake needs to copy exactly once: changes told from additions, dimensions stamped like facts, and a wake-up.

Revision: 0016
Follows: 0015
"""

from migrations.running import run

revision = "0016"
down_revision = "0015"

FACTS = (
    "email_events", "email_sends", "campaign_events", "conversions", "performance_analytics", "ai_generations",
    "ai_cost_tracking", "ai_optimization_logs", "usage_logs", "user_usage",
)  # fmt: skip
# Each with the columns that the lake copies: a change of another one, such as a counter, is nothing to the lake, and
# the update stays away from the index on row_xid.
DIMENSIONS = {
    "workspaces": "name, slug, kind, timezone, currency, country, deleted_at",
    "users": "email, name, deleted_at",
    "campaigns": "user_id, product, channel, name, status, start_date, end_date, launched_at, daily_budget,"
    " total_budget, currency, deleted_at",
    "contacts": "email, status, subscribed_at, unsubscribed_at, created_at, deleted_at",
    "campaign_components": "campaign_id, name, component_type, deleted_at",
    "subscriptions": "user_id, plan_id, product, tier, status, billing_cycle, price, currency, started_at, ends_at,"
    " trial_ends_at, cancelled_at",
    "invoices": "subscription_id, kind, corrects_invoice_id, status, currency, subtotal_minor, discount_minor,"
    " tax_minor, total_minor, amount_paid_minor, period_start, period_end, issued_at, paid_at, voided_at",
    "invoice_lines": "invoice_id, subscription_id, plan_id, product, kind, quantity, amount_minor, discount_minor,"
    " tax_minor, currency, period_start, period_end",
    "credit_transactions": "user_id, position, amount, type, balance_after, created_at",
}

# A row that was only ever added can't be in the lake yet: it is appended without a look at what is there.
STAMPS = """
CREATE OR REPLACE FUNCTION stamp_row_xid() RETURNS trigger LANGUAGE plpgsql AS $$
BEGIN
    NEW.row_xid := pg_current_xact_id();
    NEW.row_changed := true;
    RETURN NEW;
END
$$;

-- Rows of the company have no workspace.
ALTER TABLE fact_tombstones ALTER COLUMN workspace_id DROP NOT NULL;
-- Each table is asked for its own news: most have had none for months.
CREATE INDEX fact_tombstones_by_fact_row_xid ON fact_tombstones (fact, row_xid);
CREATE OR REPLACE FUNCTION leave_tombstones() RETURNS trigger
    LANGUAGE plpgsql SECURITY DEFINER SET search_path = pg_catalog, public AS $$
BEGIN
    EXECUTE format(
        'INSERT INTO public.fact_tombstones (workspace_id, fact, row_key)
         SELECT %s, %L, jsonb_build_object(%s) FROM gone',
        CASE WHEN EXISTS (
            SELECT FROM pg_attribute WHERE attrelid = TG_RELID AND attname = 'workspace_id' AND NOT attisdropped
        ) THEN 'workspace_id' ELSE 'NULL' END,
        TG_TABLE_NAME,
        (SELECT string_agg(format('%L, %I', key, key), ', ') FROM unnest(TG_ARGV) AS key)
    );
    RETURN NULL;
END
$$;

-- A dimension: stamped when a column that the lake copies changes, and written by the database alone.
CREATE FUNCTION follow_dimension(target regclass, copied text[]) RETURNS void LANGUAGE plpgsql AS $$
DECLARE
    written text;
    granted record;
BEGIN
    SELECT string_agg(quote_ident(attname), ', ' ORDER BY attnum) INTO written
    FROM pg_attribute
    WHERE attrelid = target AND attnum > 0 AND NOT attisdropped AND attgenerated = '';
    FOR granted IN
        SELECT a.grantee::regrole::text AS role_name, a.privilege_type AS privilege
        FROM pg_class AS c
        CROSS JOIN LATERAL aclexplode(c.relacl) AS a
        WHERE c.oid = target AND a.privilege_type IN ('INSERT', 'UPDATE') AND a.grantee <> c.relowner
    LOOP
        EXECUTE format('REVOKE %s ON %s FROM %s', granted.privilege, target, granted.role_name);
        EXECUTE format('GRANT %s (%s) ON %s TO %s', granted.privilege, written, target, granted.role_name);
    END LOOP;
    EXECUTE format('ALTER TABLE %s ADD COLUMN row_xid xid8 DEFAULT pg_current_xact_id() NOT NULL,
        ADD COLUMN row_changed boolean DEFAULT false NOT NULL', target);
    EXECUTE format('CREATE INDEX %s_by_row_xid ON %s (row_xid)', target, target);
    EXECUTE format('GRANT SELECT (row_xid, row_changed) ON %s TO app_ro, app_pipe', target);
    EXECUTE format('CREATE TRIGGER stamp_row_xid BEFORE UPDATE ON %s
        FOR EACH ROW WHEN (%s) EXECUTE FUNCTION stamp_row_xid()', target,
        (SELECT string_agg(format('OLD.%1$I IS DISTINCT FROM NEW.%1$I', c), ' OR ') FROM unnest(copied) AS c));
    EXECUTE format('CREATE TRIGGER leave_tombstones AFTER DELETE ON %s REFERENCING OLD TABLE AS gone
        FOR EACH STATEMENT EXECUTE FUNCTION leave_tombstones(''id'')', target);
END
$$;
"""

# One notice of many transactions at once is enough, and a refresh comes within seconds without any: only one of them
# takes the lock that the whole server shares for notices.
WAKING = """
CREATE FUNCTION wake_lake() RETURNS trigger LANGUAGE plpgsql AS $$
BEGIN
    IF pg_try_advisory_xact_lock(7316205122) THEN
        PERFORM pg_notify('sightline_lake', '');
    END IF;
    RETURN NULL;
END
$$;
"""

# The receiving domain is copied with each event and send: under another one they are other rows to the lake.
DOMAINS = """
CREATE FUNCTION restamp_mail() RETURNS trigger
    LANGUAGE plpgsql SECURITY DEFINER SET search_path = pg_catalog, public AS $$
BEGIN
    UPDATE email_events SET row_changed = true WHERE workspace_id = NEW.workspace_id AND contact_id = NEW.id;
    UPDATE email_sends SET row_changed = true WHERE workspace_id = NEW.workspace_id AND contact_id = NEW.id;
    RETURN NULL;
END
$$;
CREATE TRIGGER restamp_mail AFTER UPDATE ON contacts
    FOR EACH ROW WHEN (OLD.email_domain IS DISTINCT FROM NEW.email_domain) EXECUTE FUNCTION restamp_mail();

-- Stamping counts nothing anew.
DROP TRIGGER recount_changed_events ON email_events;
CREATE TRIGGER recount_changed_events AFTER UPDATE ON email_events REFERENCING OLD TABLE AS gone NEW TABLE AS arrived
    FOR EACH STATEMENT WHEN (pg_trigger_depth() = 0) EXECUTE FUNCTION recount_email_sends();
"""


def upgrade() -> None:
    for fact in FACTS:
        run(f"""
        ALTER TABLE {fact} ADD COLUMN row_changed boolean DEFAULT false NOT NULL;
        GRANT SELECT (row_changed) ON {fact} TO app_ro, app_pipe;
        """)
    run(STAMPS)
    for table, copied in DIMENSIONS.items():
        run(f"SELECT follow_dimension('{table}', string_to_array('{copied}', ', '));")
    run(WAKING)
    for table in (*FACTS, *DIMENSIONS):
        run(f"""
        CREATE TRIGGER wake_lake AFTER INSERT OR UPDATE OR DELETE ON {table}
            FOR EACH STATEMENT WHEN (pg_trigger_depth() = 0) EXECUTE FUNCTION wake_lake();
        """)
    run(DOMAINS)


def downgrade() -> None:
    run("""
    DROP TRIGGER recount_changed_events ON email_events;
    CREATE TRIGGER recount_changed_events AFTER UPDATE ON email_events REFERENCING OLD TABLE AS gone
        NEW TABLE AS arrived FOR EACH STATEMENT EXECUTE FUNCTION recount_email_sends();
    DROP TRIGGER restamp_mail ON contacts;
    DROP FUNCTION restamp_mail();
    """)
    for table in (*FACTS, *DIMENSIONS):
        run(f"DROP TRIGGER wake_lake ON {table};")
    for table in DIMENSIONS:
        run(f"""
        DROP TRIGGER stamp_row_xid ON {table};
        DROP TRIGGER leave_tombstones ON {table};
        ALTER TABLE {table} DROP COLUMN row_xid, DROP COLUMN row_changed;
        """)
    run("""
    DROP FUNCTION wake_lake(), follow_dimension(regclass, text[]);
    DROP INDEX fact_tombstones_by_fact_row_xid;
    DELETE FROM fact_tombstones WHERE workspace_id IS NULL;
    ALTER TABLE fact_tombstones ALTER COLUMN workspace_id SET NOT NULL;
    CREATE OR REPLACE FUNCTION stamp_row_xid() RETURNS trigger LANGUAGE plpgsql AS $$
    BEGIN
        NEW.row_xid := pg_current_xact_id();
        RETURN NEW;
    END
    $$;
    CREATE OR REPLACE FUNCTION leave_tombstones() RETURNS trigger
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
    """)
    for fact in FACTS:
        run(f"ALTER TABLE {fact} DROP COLUMN row_changed;")
    # A table's rights were given by column while it was followed.
    for table in DIMENSIONS:
        rights = "INSERT" if table == "credit_transactions" else "INSERT, UPDATE"
        run(f"GRANT {rights} ON {table} TO app_rw;")
