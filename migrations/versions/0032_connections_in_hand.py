"""Connections to platforms and to Meta in the hands of admins: disabled, disconnected, marked to be authorised anew.

A connection could only be cut by deleting its row, which took its analyses and its history with it; and whoever did so
left no trace.

Revision: 0032
Follows: 0031
"""

from migrations.running import run

revision = "0032"
down_revision = "0031"

TABLES = {"platform_integrations": "encrypted_credentials", "meta_accounts": "access_token"}
# What changes with every sync is no change of the connection.
_BY_ITSELF = {
    "platform_integrations": "'last_sync_at', 'sync_status', 'sync_error_message', 'platform_metadata'",
    "meta_accounts": "'last_sync_at', 'refresh_token'",
}
# What a product writes when it begins or ends a sync.
_SYNCS = {
    "platform_integrations": "NEW.sync_status = 'syncing' OR NEW.last_sync_at IS DISTINCT FROM OLD.last_sync_at",
    "meta_accounts": "NEW.last_sync_at IS DISTINCT FROM OLD.last_sync_at",
}

REFUSAL = """
CREATE FUNCTION refuse_sync() RETURNS trigger LANGUAGE plpgsql AS $$
BEGIN
    RAISE EXCEPTION 'The connection is disabled: nothing is synced until an admin of Sightline enables it.'
        USING ERRCODE = 'object_not_in_prerequisite_state';
END
$$;
"""

# The document gives every account a token; one that was disconnected has none any more.
TOKENS = """
ALTER TABLE meta_accounts ALTER COLUMN access_token DROP NOT NULL;
ALTER TABLE meta_accounts ADD CONSTRAINT an_account_without_a_token_is_revoked
    CHECK (access_token IS NOT NULL OR connection_status = 'revoked');
"""


def upgrade() -> None:
    run(REFUSAL)
    for table, secret in TABLES.items():
        run(f"""
        ALTER TABLE {table}
            ADD COLUMN disabled_at TIMESTAMP WITH TIME ZONE,
            ADD COLUMN reauthorization_asked_at TIMESTAMP WITH TIME ZONE,
            ADD COLUMN revision INTEGER DEFAULT 1 NOT NULL;
        COMMENT ON COLUMN {table}.disabled_at IS 'Since then an admin lets nothing be synced.';
        COMMENT ON COLUMN {table}.reauthorization_asked_at IS
            'Since then the product asks its customer to authorise it anew, and empties this when that is done.';
        GRANT SELECT (disabled_at, reauthorization_asked_at, revision) ON {table} TO app_ro, app_pipe;
        CREATE TRIGGER raise_revision BEFORE UPDATE ON {table} FOR EACH ROW
            WHEN (NEW.revision <> OLD.revision OR (OLD.connection_status, OLD.disabled_at, OLD.reauthorization_asked_at)
                IS DISTINCT FROM (NEW.connection_status, NEW.disabled_at, NEW.reauthorization_asked_at))
            EXECUTE FUNCTION raise_revision();
        CREATE TRIGGER refuse_sync BEFORE UPDATE ON {table} FOR EACH ROW
            WHEN (OLD.disabled_at IS NOT NULL AND NEW.disabled_at IS NOT NULL AND ({_SYNCS[table]}))
            EXECUTE FUNCTION refuse_sync();
        CREATE TRIGGER keep_key BEFORE UPDATE ON {table}
            FOR EACH ROW WHEN (OLD.id <> NEW.id) EXECUTE FUNCTION keep_key();
        """)
        told = f"'id', '{secret}', {_BY_ITSELF[table]}, 'updated_at', 'revision'"
        run(f"""
        CREATE TRIGGER audit_inserts AFTER INSERT ON {table} REFERENCING NEW TABLE AS arrived
            FOR EACH STATEMENT EXECUTE FUNCTION audit_changes({told});
        CREATE TRIGGER audit_updates AFTER UPDATE ON {table} REFERENCING OLD TABLE AS gone NEW TABLE AS arrived
            FOR EACH STATEMENT EXECUTE FUNCTION audit_changes({told});
        CREATE TRIGGER audit_deletes AFTER DELETE ON {table} REFERENCING OLD TABLE AS gone
            FOR EACH STATEMENT EXECUTE FUNCTION audit_changes({told});
        """)
    run(TOKENS)


def downgrade() -> None:
    # What has no token could not be kept under the old rule.
    run("""
    DELETE FROM meta_accounts WHERE access_token IS NULL;
    ALTER TABLE meta_accounts DROP CONSTRAINT an_account_without_a_token_is_revoked;
    ALTER TABLE meta_accounts ALTER COLUMN access_token SET NOT NULL;
    """)
    for table in TABLES:
        run(f"""
        DROP TRIGGER audit_inserts ON {table};
        DROP TRIGGER audit_updates ON {table};
        DROP TRIGGER audit_deletes ON {table};
        DROP TRIGGER keep_key ON {table};
        DROP TRIGGER refuse_sync ON {table};
        DROP TRIGGER raise_revision ON {table};
        ALTER TABLE {table}
            DROP COLUMN disabled_at,
            DROP COLUMN reauthorization_asked_at,
            DROP COLUMN revision;
        """)
    run("DROP FUNCTION refuse_sync()")
