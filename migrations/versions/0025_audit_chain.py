"""The audit log as a chain: each row is sealed with a hash over what it says and the hash of the row before it.

Many transactions write the log at once. A chain that is made as rows are written would need each to wait until the one
before has committed: every change of a plan would stand behind the longest of all changes. So rows are written as
before, and sealed when it is certain that no earlier one is still to come: what was written by transactions below the
horizon of those that run is complete, and its order is that of the transactions. That is not the order of positions,
which are drawn early and committed late. Sealing takes a lock that only sealing takes, and waits for no writer.

What appears below the last seal afterwards can't have been written by the app: it is never sealed, and named.
A dump that is restored elsewhere brings the numbers of another server's transactions, so a seal names its server, and
on a new one the chain goes on with all that is not sealed.

The digest of each column is kept beside the hash, so that not only the row that was changed is named but what of it.
Whoever may alter tables may write the whole chain anew. That is seen by comparing its head with one that was kept
elsewhere: the worker logs it, the page shows it, and `sightline audit verify` keeps it in a file and compares.

Revision: 0025
Follows: 0024
"""

from migrations.running import run

revision = "0025"
down_revision = "0024"

TABLES = """
-- Rows from before say no transaction and come first. A constant default rewrites nothing.
ALTER TABLE audit_log ADD COLUMN written_in xid8 DEFAULT '0' NOT NULL;
ALTER TABLE audit_log ALTER COLUMN written_in SET DEFAULT pg_current_xact_id();
CREATE INDEX audit_log_by_written_in ON audit_log (written_in, position);
COMMENT ON COLUMN audit_log.written_in IS 'The transaction; 0: before rows were sealed. Not part of what is sealed.';
GRANT SELECT (written_in) ON audit_log TO app_ro, app_pipe;

CREATE TABLE audit_seals (
    number BIGINT NOT NULL,
    position BIGINT NOT NULL,
    digests BYTEA NOT NULL,
    horizon xid8 NOT NULL,
    cluster BIGINT NOT NULL,
    sealed_at TIMESTAMP WITH TIME ZONE NOT NULL,
    hash BYTEA NOT NULL,
    CONSTRAINT audit_seals_key PRIMARY KEY (number),
    CONSTRAINT audit_seals_position_is_unique UNIQUE (position),
    CONSTRAINT a_seal_is_a_sha256 CHECK (octet_length(hash) = 32)
);
COMMENT ON COLUMN audit_seals.number IS 'The place in the chain, from 1 without a gap.';
COMMENT ON COLUMN audit_seals.position IS 'Of the row; no foreign key, which would keep a missing row from being told.';
COMMENT ON COLUMN audit_seals.digests IS 'A SHA-256 for each column of the row.';
COMMENT ON COLUMN audit_seals.horizon IS 'What is written below it and is not sealed was not there.';
COMMENT ON COLUMN audit_seals.cluster IS 'The server whose transactions the horizon counts.';
COMMENT ON COLUMN audit_seals.hash IS 'Over the hash before, and all of this row.';
SELECT make_append_only('audit_seals');
GRANT SELECT ON audit_seals TO app_pipe;

CREATE TABLE audit_verifications (
    id UUID DEFAULT uuid_v7() NOT NULL,
    verified_by TEXT NOT NULL,
    since BIGINT NOT NULL,
    number BIGINT NOT NULL,
    hash TEXT NOT NULL,
    found TEXT,
    created_at TIMESTAMP WITH TIME ZONE DEFAULT now() NOT NULL,
    CONSTRAINT audit_verifications_key PRIMARY KEY (id)
);
COMMENT ON COLUMN audit_verifications.since IS 'The number after which it began; 0: all of the chain.';
COMMENT ON COLUMN audit_verifications.number IS 'How far it went.';
COMMENT ON COLUMN audit_verifications.found IS 'The first thing that was wrong; NULL: nothing was.';
SELECT guard_company_table('audit_verifications');
SELECT make_append_only('audit_verifications');
"""

SEALING = r"""
CREATE FUNCTION audit_digest(value text) RETURNS bytea LANGUAGE sql IMMUTABLE
    SET search_path = pg_catalog, public
    RETURN sha256(CASE WHEN value IS NULL THEN '\x00'::bytea ELSE '\x01'::bytea || convert_to(value, 'UTF8') END);

CREATE FUNCTION audit_digests(of_row audit_log) RETURNS bytea LANGUAGE sql IMMUTABLE
    SET search_path = pg_catalog, public
    RETURN audit_digest(of_row.position::text)
        || audit_digest((extract(epoch FROM of_row.at) * 1000000)::bigint::text)
        || audit_digest(of_row.actor)
        || audit_digest(of_row.database_role)
        || audit_digest(of_row.action)
        || audit_digest(of_row.table_name)
        || audit_digest(of_row.row_key)
        || audit_digest(of_row.workspace_id::text)
        || audit_digest(of_row.before::text)
        || audit_digest(of_row.after::text)
        || audit_digest(of_row.reason);

-- The statement that reads the rows reads the horizon: what one snapshot says of the other is true. Transactions that
-- are numbered beyond the snapshot's end, and yet seen, are of the server that a dump came from, and over.
CREATE FUNCTION seal_audit_log(at_most integer) RETURNS integer
    LANGUAGE plpgsql SECURITY DEFINER SET search_path = pg_catalog, public AS $$
DECLARE
    this_cluster CONSTANT bigint := (SELECT system_identifier FROM pg_control_system());
    last audit_seals;
    found_row record;
    sealed_now CONSTANT timestamptz := clock_timestamp();
    sealed integer := 0;
BEGIN
    PERFORM pg_advisory_xact_lock(7316205131);
    SELECT * INTO last FROM audit_seals ORDER BY number DESC LIMIT 1;
    FOR found_row IN
        SELECT l.position, l.written_in, audit_digests(l) AS digests, pg_snapshot_xmin(pg_current_snapshot()) AS xmin
        FROM audit_log AS l
        WHERE (l.written_in < pg_snapshot_xmin(pg_current_snapshot())
                OR l.written_in >= pg_snapshot_xmax(pg_current_snapshot()))
            AND (last.number IS NULL OR last.cluster <> this_cluster
                OR (l.written_in, l.position) > (last.horizon, last.position))
            AND NOT EXISTS (SELECT FROM audit_seals AS s WHERE s.position = l.position)
        ORDER BY l.written_in, l.position
        LIMIT at_most
    LOOP
        last.hash := sha256(COALESCE(last.hash, '\x'::bytea) || int8send(COALESCE(last.number, 0) + 1)
            || int8send((extract(epoch FROM sealed_now) * 1000000)::bigint) || int8send(this_cluster)
            || int8send(LEAST(found_row.written_in, found_row.xmin)::text::bigint) || found_row.digests);
        last.number := COALESCE(last.number, 0) + 1;
        INSERT INTO audit_seals (number, position, digests, horizon, cluster, sealed_at, hash)
        VALUES (last.number, found_row.position, found_row.digests, LEAST(found_row.written_in, found_row.xmin),
            this_cluster, sealed_now, last.hash);
        sealed := sealed + 1;
    END LOOP;
    RETURN sealed;
END
$$;
GRANT EXECUTE ON FUNCTION seal_audit_log(integer) TO app_rw;

-- Rows are kept when their workspace is gone, and the house's belong to the library: whoever names every workspace that
-- there is sees them as well. NULL: the transaction does not.
CREATE FUNCTION audited_workspaces() RETURNS uuid[] LANGUAGE sql STABLE SECURITY DEFINER
    SET search_path = pg_catalog, public
    RETURN (
        WITH RECURSIVE each AS (
            (SELECT l.workspace_id AS id FROM audit_log AS l WHERE l.workspace_id IS NOT NULL ORDER BY 1 LIMIT 1)
            UNION ALL
            SELECT (SELECT l.workspace_id FROM audit_log AS l WHERE l.workspace_id > e.id ORDER BY 1 LIMIT 1)
            FROM each AS e
            WHERE e.id IS NOT NULL
        )
        SELECT COALESCE(array_agg(id) FILTER (WHERE id IS NOT NULL), '{}')
        FROM each
        HAVING NOT EXISTS (
            SELECT FROM workspaces AS w
            WHERE w.deleted_at IS NULL AND w.id <> house_workspace() AND w.id <> ALL (COALESCE(app_workspaces(), '{}'))
        )
    );
GRANT EXECUTE ON FUNCTION audited_workspaces() TO app_rw, app_ro;
"""


def upgrade() -> None:
    run(TABLES)
    run(SEALING)


def downgrade() -> None:
    run("""
    DROP FUNCTION audited_workspaces(), seal_audit_log(integer), audit_digests(audit_log), audit_digest(text);
    DROP TABLE audit_verifications, audit_seals;
    ALTER TABLE audit_log DROP COLUMN written_in;
    """)
