"""Tokens by which programs call the API; they and corrections that people make stand in the audit log.

A correction by hand was kept with its reason, and yet the one place that tells who changed what did not know of it.

Revision: 0033
Follows: 0032
"""

from migrations.running import run

revision = "0033"
down_revision = "0032"

TOKENS = """
CREATE TABLE api_tokens (
    id UUID DEFAULT uuid_v7() NOT NULL,
    team_member_id UUID NOT NULL,
    name TEXT NOT NULL,
    begins_with TEXT NOT NULL,
    token_hash BYTEA NOT NULL,
    only_reads BOOLEAN DEFAULT false NOT NULL,
    expires_at TIMESTAMP WITH TIME ZONE NOT NULL,
    last_used_at TIMESTAMP WITH TIME ZONE,
    revoked_at TIMESTAMP WITH TIME ZONE,
    created_at TIMESTAMP WITH TIME ZONE DEFAULT now() NOT NULL,
    CONSTRAINT api_tokens_key PRIMARY KEY (id),
    CONSTRAINT token_hash_is_a_sha256_digest CHECK (length(token_hash) = 32),
    CONSTRAINT a_token_lives_for_a_while CHECK (expires_at > created_at),
    CONSTRAINT api_tokens_token_hash_is_unique UNIQUE (token_hash),
    CONSTRAINT api_tokens_team_member_id_exists FOREIGN KEY(team_member_id) REFERENCES team_members (id)
);
CREATE INDEX api_tokens_by_team_member_id ON api_tokens (team_member_id) WHERE revoked_at IS NULL;
COMMENT ON COLUMN api_tokens.begins_with IS 'Enough to know it by, and not enough to call with.';

-- Pages and the lake have no business with them. What a token is and may stays as it was made.
SELECT guard_company_table('api_tokens', ARRAY['token_hash']);
REVOKE SELECT (id, team_member_id, name, begins_with, only_reads, expires_at, last_used_at, revoked_at, created_at)
    ON api_tokens FROM app_ro, app_pipe;
REVOKE UPDATE, DELETE ON api_tokens FROM app_rw;
GRANT UPDATE (last_used_at, revoked_at) ON api_tokens TO app_rw;

CREATE TRIGGER audit_inserts AFTER INSERT ON api_tokens REFERENCING NEW TABLE AS arrived
    FOR EACH STATEMENT EXECUTE FUNCTION audit_changes('id', 'token_hash', 'last_used_at');
CREATE TRIGGER audit_updates AFTER UPDATE ON api_tokens REFERENCING OLD TABLE AS gone NEW TABLE AS arrived
    FOR EACH STATEMENT EXECUTE FUNCTION audit_changes('id', 'token_hash', 'last_used_at');
"""

# By hand alone: those by price are many, and the approval that made them is told already.
CORRECTIONS = """
CREATE FUNCTION audit_corrections_by_hand() RETURNS trigger
    LANGUAGE plpgsql SECURITY DEFINER SET search_path = pg_catalog, public AS $$
BEGIN
    INSERT INTO audit_log (actor, action, table_name, row_key, workspace_id, after, reason)
    SELECT NULLIF(current_setting('app.actor', true), ''), 'insert', TG_TABLE_NAME, a.id::text, a.workspace_id,
        to_jsonb(a) - ARRAY['row_xid', 'row_changed', 'created_at'], NULLIF(current_setting('app.reason', true), '')
    FROM arrived AS a
    WHERE a.kind <> 'price';
    RETURN NULL;
END
$$;
CREATE TRIGGER audit_corrections_by_hand AFTER INSERT ON ai_cost_corrections REFERENCING NEW TABLE AS arrived
    FOR EACH STATEMENT EXECUTE FUNCTION audit_corrections_by_hand();
"""


def upgrade() -> None:
    run(TOKENS)
    run(CORRECTIONS)


def downgrade() -> None:
    run("""
    DROP TRIGGER audit_corrections_by_hand ON ai_cost_corrections;
    DROP FUNCTION audit_corrections_by_hand();
    DROP TABLE api_tokens;
    """)
