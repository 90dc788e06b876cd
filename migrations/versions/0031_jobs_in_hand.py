"""Jobs in the hands of admins: what people do with them is in the audit log, and workers say that they live.

A worker that waits leaves no trace in the table of jobs, so nobody could tell an idle one from none. And what somebody
at the command line did with a job was known to nobody.

Revision: 0031
Follows: 0030
"""

from migrations.running import run

revision = "0031"
down_revision = "0030"

# Workers change jobs all the time and give no reason; people must. Payloads, results and errors stay where they are:
# they are long, and texts of others.
AUDIT = """
CREATE FUNCTION audit_job() RETURNS trigger
    LANGUAGE plpgsql SECURITY DEFINER SET search_path = pg_catalog, public AS $$
DECLARE
    told CONSTANT text[] := ARRAY['job_type', 'status', 'max_attempts', 'scheduled_at', 'cancel_requested_at',
        'unique_key'];
    old_row jsonb;
    new_row jsonb;
BEGIN
    SELECT jsonb_object_agg(key, value) INTO new_row FROM jsonb_each(to_jsonb(NEW)) WHERE key = ANY (told);
    IF TG_OP = 'UPDATE' THEN
        SELECT jsonb_object_agg(key, value) INTO old_row FROM jsonb_each(to_jsonb(OLD)) WHERE key = ANY (told);
    END IF;
    INSERT INTO audit_log (actor, action, table_name, row_key, workspace_id, before, after, reason)
    VALUES (
        NULLIF(current_setting('app.actor', true), ''), lower(TG_OP), 'jobs', CAST(NEW.id AS text), NEW.workspace_id,
        (SELECT jsonb_object_agg(key, value) FROM jsonb_each(old_row) WHERE value IS DISTINCT FROM new_row -> key),
        (SELECT jsonb_object_agg(key, value) FROM jsonb_each(new_row) WHERE old_row IS NULL
            OR value IS DISTINCT FROM old_row -> key),
        current_setting('app.reason', true)
    );
    RETURN NULL;
END
$$;
CREATE TRIGGER audit_people AFTER INSERT OR UPDATE ON jobs
    FOR EACH ROW WHEN (NULLIF(current_setting('app.reason', true), '') IS NOT NULL) EXECUTE FUNCTION audit_job();
"""

WORKERS = """
CREATE TABLE job_workers (
    name TEXT NOT NULL,
    seen_at TIMESTAMP WITH TIME ZONE DEFAULT now() NOT NULL,
    created_at TIMESTAMP WITH TIME ZONE DEFAULT now() NOT NULL,
    updated_at TIMESTAMP WITH TIME ZONE DEFAULT now() NOT NULL,
    CONSTRAINT job_workers_key PRIMARY KEY (name)
);
SELECT guard_company_table('job_workers');
"""


def upgrade() -> None:
    run(AUDIT)
    run(WORKERS)


def downgrade() -> None:
    run("""
    DROP TABLE job_workers;
    DROP TRIGGER audit_people ON jobs;
    DROP FUNCTION audit_job();
    """)
