"""Customers in the audit log: who changed a workspace, its members, its subscriptions, or a customer's account.

Of subscriptions stays out what providers call them and what products count on them; of accounts everything but whether
they are open. A row says in which workspace it happened, so that nobody reads of workspaces that are not theirs.

Revision: 0027
Follows: 0026
"""

from migrations.running import run

revision = "0027"
down_revision = "0026"

AUDITED = {
    "subscriptions": (
        "payment_id",
        "payment_method_id",
        "credits_remaining",
        "monthly_ai_credits_used",
        "row_xid",
        "row_changed",
    ),
    "workspace_members": ("",),
}

# The audit of other tables reads the workspace in a column that a workspace itself does not have.
WORKSPACES = """
CREATE FUNCTION audit_workspace() RETURNS trigger
    LANGUAGE plpgsql SECURITY DEFINER SET search_path = pg_catalog, public AS $$
DECLARE
    left_out CONSTANT text[] := ARRAY['updated_at', 'revision', 'row_xid', 'row_changed'];
    was CONSTANT jsonb := CASE WHEN TG_OP = 'INSERT' THEN NULL ELSE to_jsonb(OLD) - left_out END;
    becomes CONSTANT jsonb := to_jsonb(NEW) - left_out;
BEGIN
    IF was IS DISTINCT FROM becomes THEN
        INSERT INTO audit_log (actor, action, table_name, row_key, workspace_id, before, after, reason)
        SELECT NULLIF(current_setting('app.actor', true), ''), lower(TG_OP), TG_TABLE_NAME, NEW.id::text, NEW.id,
            (SELECT jsonb_object_agg(key, value) FROM jsonb_each(was) WHERE value IS DISTINCT FROM becomes -> key),
            (SELECT jsonb_object_agg(key, value) FROM jsonb_each(becomes)
                WHERE was IS NULL OR value IS DISTINCT FROM was -> key),
            NULLIF(current_setting('app.reason', true), '');
    END IF;
    RETURN NULL;
END
$$;
CREATE TRIGGER audit_workspace AFTER INSERT OR UPDATE ON workspaces FOR EACH ROW EXECUTE FUNCTION audit_workspace();
"""

ACCOUNTS = """
-- The workspace of the transaction in which the customer has been longest; none where they are in none of them.
CREATE FUNCTION workspace_of_customer(customer uuid) RETURNS uuid LANGUAGE sql STABLE
    SET search_path = pg_catalog, public
    RETURN (
        SELECT w.id FROM workspaces AS w
        WHERE w.id = ANY (app_workspaces()) AND (w.owner_id = customer OR EXISTS (
            SELECT FROM workspace_members AS m WHERE m.workspace_id = w.id AND m.user_id = customer
        ))
        ORDER BY w.created_at, w.id
        LIMIT 1
    );

CREATE FUNCTION audit_account() RETURNS trigger
    LANGUAGE plpgsql SECURITY DEFINER SET search_path = pg_catalog, public AS $$
BEGIN
    INSERT INTO audit_log (actor, action, table_name, row_key, workspace_id, before, after, reason)
    VALUES (NULLIF(current_setting('app.actor', true), ''), 'update', TG_TABLE_NAME, NEW.id::text,
        workspace_of_customer(NEW.id),
        jsonb_build_object('is_active', OLD.is_active, 'deleted_at', OLD.deleted_at),
        jsonb_build_object('is_active', NEW.is_active, 'deleted_at', NEW.deleted_at),
        NULLIF(current_setting('app.reason', true), ''));
    RETURN NULL;
END
$$;
CREATE TRIGGER audit_account AFTER UPDATE ON users FOR EACH ROW
    WHEN (OLD.is_active <> NEW.is_active OR OLD.deleted_at IS DISTINCT FROM NEW.deleted_at)
    EXECUTE FUNCTION audit_account();

-- Sessions that the team ended. Those that customers end themselves are no act of ours.
CREATE FUNCTION audit_ended_sessions() RETURNS trigger
    LANGUAGE plpgsql SECURITY DEFINER SET search_path = pg_catalog, public AS $$
BEGIN
    INSERT INTO audit_log (actor, action, table_name, row_key, workspace_id, before, after, reason)
    SELECT current_setting('app.actor', true), 'update', TG_TABLE_NAME, e.user_id::text,
        workspace_of_customer(e.user_id), jsonb_build_object('ended_sessions', 0),
        jsonb_build_object('ended_sessions', e.ended),
        NULLIF(current_setting('app.reason', true), '')
    FROM (
        SELECT n.user_id, COUNT(*) AS ended
        FROM arrived AS n JOIN gone AS o ON o.id = n.id
        WHERE o.revoked_at IS NULL AND n.revoked_at IS NOT NULL
        GROUP BY n.user_id
    ) AS e
    WHERE COALESCE(current_setting('app.actor', true), '') <> '';
    RETURN NULL;
END
$$;
CREATE TRIGGER audit_ended_sessions AFTER UPDATE ON user_sessions REFERENCING OLD TABLE AS gone NEW TABLE AS arrived
    FOR EACH STATEMENT EXECUTE FUNCTION audit_ended_sessions();
"""

# Row level security hides people of other workspaces, and these tell no more of them than is asked for.
ELSEWHERE = """
-- Who is invited by address may be a customer already, of others: then it is the same person.
CREATE FUNCTION invited_customer(address text) RETURNS uuid
    LANGUAGE plpgsql SECURITY DEFINER SET search_path = pg_catalog, public AS $$
DECLARE
    found uuid;
BEGIN
    INSERT INTO users (email) VALUES (address)
    ON CONFLICT (lower(email)) WHERE deleted_at IS NULL DO NOTHING
    RETURNING id INTO found;
    IF found IS NULL THEN
        SELECT id INTO found FROM users WHERE lower(email) = lower(address) AND deleted_at IS NULL;
    END IF;
    RETURN found;
END
$$;

CREATE FUNCTION customer_is_elsewhere(customer uuid) RETURNS boolean
    LANGUAGE sql STABLE SECURITY DEFINER SET search_path = pg_catalog, public
    RETURN EXISTS (
        SELECT FROM workspaces AS w
        WHERE w.deleted_at IS NULL AND w.id <> ALL (COALESCE(app_workspaces(), '{}'))
            AND (w.owner_id = customer OR EXISTS (
                SELECT FROM workspace_members AS m
                WHERE m.workspace_id = w.id AND m.user_id = customer AND m.deleted_at IS NULL
            ))
    );
GRANT EXECUTE ON FUNCTION invited_customer(text), customer_is_elsewhere(uuid) TO app_rw;
"""


def upgrade() -> None:
    for part in (WORKSPACES, ACCOUNTS, ELSEWHERE):
        run(part)
    for table, columns in AUDITED.items():
        arguments = ", ".join(f"'{column}'" for column in ("id", *columns, "updated_at", "revision"))
        run(f"""
        CREATE TRIGGER audit_inserts AFTER INSERT ON {table} REFERENCING NEW TABLE AS arrived
            FOR EACH STATEMENT EXECUTE FUNCTION audit_changes({arguments});
        CREATE TRIGGER audit_updates AFTER UPDATE ON {table} REFERENCING OLD TABLE AS gone NEW TABLE AS arrived
            FOR EACH STATEMENT EXECUTE FUNCTION audit_changes({arguments});
        CREATE TRIGGER audit_deletes AFTER DELETE ON {table} REFERENCING OLD TABLE AS gone
            FOR EACH STATEMENT EXECUTE FUNCTION audit_changes({arguments});
        """)
    run("""
    CREATE TRIGGER keep_key BEFORE UPDATE ON workspace_members
        FOR EACH ROW WHEN (OLD.id <> NEW.id) EXECUTE FUNCTION keep_key();
    """)


def downgrade() -> None:
    run("DROP TRIGGER keep_key ON workspace_members;")
    for table in AUDITED:
        run(f"""
        DROP TRIGGER audit_inserts ON {table};
        DROP TRIGGER audit_updates ON {table};
        DROP TRIGGER audit_deletes ON {table};
        """)
    run("""
    DROP TRIGGER audit_ended_sessions ON user_sessions;
    DROP TRIGGER audit_account ON users;
    DROP TRIGGER audit_workspace ON workspaces;
    DROP FUNCTION audit_ended_sessions(), audit_account(), audit_workspace(), workspace_of_customer(uuid),
        invited_customer(text), customer_is_elsewhere(uuid);
    """)
