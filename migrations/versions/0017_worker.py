"""What the worker needs beside the table of jobs: notes of schedules, requests to cancel, a wake-up, and forgetting.

Revision: 0017
Follows: 0016
"""

from migrations.running import run

revision = "0017"
down_revision = "0016"

JOBS = """
ALTER TABLE jobs ADD COLUMN cancel_requested_at TIMESTAMP WITH TIME ZONE;
COMMENT ON COLUMN jobs.cancel_requested_at IS 'Asked for while it ran; the job sees it at its next heartbeat.';
GRANT SELECT (cancel_requested_at) ON jobs TO app_ro, app_pipe;

-- Jobs that are done are forgotten some day: which occurrence came last must outlive them.
CREATE TABLE job_schedules (
    job_type TEXT NOT NULL,
    occurred_at TIMESTAMP WITH TIME ZONE NOT NULL,
    created_at TIMESTAMP WITH TIME ZONE DEFAULT now() NOT NULL,
    updated_at TIMESTAMP WITH TIME ZONE DEFAULT now() NOT NULL,
    CONSTRAINT job_schedules_key PRIMARY KEY (job_type)
);
COMMENT ON COLUMN job_schedules.occurred_at IS 'The last occurrence that became a job.';
SELECT guard_company_table('job_schedules');
"""

# Also for jobs that wait: whoever sleeps until the next one may have to wake earlier.
WAKING = """
CREATE FUNCTION wake_workers() RETURNS trigger LANGUAGE plpgsql AS $$
BEGIN
    PERFORM pg_notify('sightline_jobs', '');
    RETURN NULL;
END
$$;
CREATE TRIGGER wake_workers AFTER INSERT OR UPDATE ON jobs
    FOR EACH ROW WHEN (NEW.status IN ('pending', 'retrying')) EXECUTE FUNCTION wake_workers();
"""

# The app may delete neither table, and these take nothing but how many: what is old is not for the caller to say.
FORGETTING = """
-- The rows of one time lie together, and reading the whole table for the first few would take as long as for all.
CREATE FUNCTION forget_event_keys(at_most integer) RETURNS integer
    LANGUAGE plpgsql SECURITY DEFINER SET search_path = pg_catalog, public SET enable_seqscan = off AS $$
DECLARE
    kept_days integer;
    forgotten integer;
BEGIN
    SELECT keep_days INTO kept_days
    FROM retention_policies
    WHERE subject = 'email_event_keys' AND audience = 'all' AND is_active;
    IF kept_days IS NULL THEN
        RETURN 0;
    END IF;
    DELETE FROM email_event_keys
    WHERE ctid = ANY (ARRAY(
        SELECT ctid FROM email_event_keys
        WHERE seen_at < now() - make_interval(days => kept_days)
        LIMIT at_most
    ));
    GET DIAGNOSTICS forgotten = ROW_COUNT;
    RETURN forgotten;
END
$$;

-- Positions grow with time, nearly: what is out of order waits until what lies before it is old.
CREATE FUNCTION forget_tombstones(at_most integer) RETURNS integer
    LANGUAGE plpgsql SECURITY DEFINER SET search_path = pg_catalog, public AS $$
DECLARE
    forgotten integer;
BEGIN
    DELETE FROM fact_tombstones
    WHERE position IN (SELECT position FROM fact_tombstones ORDER BY position LIMIT at_most)
        AND removed_at < now() - interval '30 days';
    GET DIAGNOSTICS forgotten = ROW_COUNT;
    RETURN forgotten;
END
$$;
GRANT EXECUTE ON FUNCTION forget_event_keys(integer), forget_tombstones(integer) TO app_rw;
"""


def upgrade() -> None:
    for part in (JOBS, WAKING, FORGETTING):
        run(part)


def downgrade() -> None:
    run("""
    DROP FUNCTION forget_event_keys(integer), forget_tombstones(integer);
    DROP TRIGGER wake_workers ON jobs;
    DROP FUNCTION wake_workers();
    DROP TABLE job_schedules;
    ALTER TABLE jobs DROP COLUMN cancel_requested_at;
    """)
