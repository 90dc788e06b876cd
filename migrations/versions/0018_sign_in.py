"""Who of the team is signed in where, and how often somebody tried.

Revision: 0018
Follows: 0017
"""

from migrations.running import run

revision = "0018"
down_revision = "0017"

TABLES = """
CREATE TABLE team_sessions (
    id UUID DEFAULT uuid_v7() NOT NULL,
    team_member_id UUID NOT NULL,
    token_hash BYTEA NOT NULL,
    session_version INTEGER NOT NULL,
    signed_in_with TEXT NOT NULL,
    last_seen_at TIMESTAMP WITH TIME ZONE DEFAULT now() NOT NULL,
    expires_at TIMESTAMP WITH TIME ZONE NOT NULL,
    revoked_at TIMESTAMP WITH TIME ZONE,
    user_agent TEXT,
    ip_address INET,
    created_at TIMESTAMP WITH TIME ZONE DEFAULT now() NOT NULL,
    CONSTRAINT team_sessions_key PRIMARY KEY (id),
    CONSTRAINT token_hash_is_a_sha256_digest CHECK (length(token_hash) = 32),
    CONSTRAINT signed_in_with_is_known CHECK (signed_in_with IN ('password', 'oidc')),
    CONSTRAINT team_sessions_token_hash_is_unique UNIQUE (token_hash),
    CONSTRAINT team_sessions_team_member_id_exists FOREIGN KEY(team_member_id) REFERENCES team_members (id)
);
CREATE INDEX team_sessions_by_team_member_id ON team_sessions (team_member_id) WHERE revoked_at IS NULL;
CREATE INDEX team_sessions_by_expires_at ON team_sessions (expires_at);
COMMENT ON COLUMN team_sessions.session_version IS 'Of the person at sign-in: a higher one there ends the session.';

CREATE TABLE sign_in_limits (
    subject_hash BYTEA NOT NULL,
    attempts INTEGER NOT NULL,
    began_at TIMESTAMP WITH TIME ZONE DEFAULT now() NOT NULL,
    CONSTRAINT sign_in_limits_key PRIMARY KEY (subject_hash),
    CONSTRAINT subject_hash_is_a_sha256_digest CHECK (length(subject_hash) = 32),
    CONSTRAINT attempts_is_not_negative CHECK (attempts >= 0)
);
CREATE INDEX sign_in_limits_by_began_at ON sign_in_limits (began_at);
COMMENT ON COLUMN sign_in_limits.subject_hash IS 'Of an account or an address: people mistype passwords as names.';
"""

# Pages and the lake have no business with either; signing in writes.
GUARDS = """
SELECT guard_company_table('team_sessions', ARRAY['token_hash']);
SELECT guard_company_table('sign_in_limits', ARRAY['subject_hash']);
REVOKE SELECT (id, team_member_id, session_version, signed_in_with, last_seen_at, expires_at, revoked_at, user_agent,
    ip_address, created_at) ON team_sessions FROM app_ro, app_pipe;
REVOKE SELECT (attempts, began_at) ON sign_in_limits FROM app_ro, app_pipe;
"""


def upgrade() -> None:
    run(TABLES)
    run(GUARDS)


def downgrade() -> None:
    run("DROP TABLE team_sessions, sign_in_limits;")
