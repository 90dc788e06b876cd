"""What must not be lost: template versions, the credit ledger, soft deletes with their cascades, and the audit log.

Revision: 0012
Follows: 0011
"""

from migrations.running import run

revision = "0012"
down_revision = "0011"

VERSIONS = """
CREATE FUNCTION sections_of(workspace uuid, template uuid) RETURNS jsonb LANGUAGE sql STABLE
    SET search_path = pg_catalog, public
    RETURN (
        SELECT COALESCE(jsonb_agg(jsonb_build_object(
            'kind', kind, 'position', position, 'content', content, 'html_content', html_content
        ) ORDER BY position), '[]'::jsonb)
        FROM template_sections WHERE workspace_id = workspace AND template_id = template
    );

-- Before a change of the content the old one is kept; a publication keeps the new one.
CREATE FUNCTION keep_template_version() RETURNS trigger LANGUAGE plpgsql SET search_path = pg_catalog, public AS $$
BEGIN
    IF TG_OP = 'UPDATE' AND (OLD.subject, OLD.preheader, OLD.html_content, OLD.text_content)
        IS DISTINCT FROM (NEW.subject, NEW.preheader, NEW.html_content, NEW.text_content)
    THEN
        INSERT INTO template_versions (workspace_id, template_id, version, reason, subject, preheader, html_content,
            text_content, sections, created_by)
        VALUES (OLD.workspace_id, OLD.id, OLD.current_version, 'snapshot', OLD.subject, OLD.preheader, OLD.html_content,
            OLD.text_content, sections_of(OLD.workspace_id, OLD.id), NULLIF(current_setting('app.actor', true), ''))
        ON CONFLICT DO NOTHING;
        NEW.current_version := OLD.current_version + 1;
    END IF;
    RETURN NEW;
END
$$;
CREATE FUNCTION keep_published_version() RETURNS trigger LANGUAGE plpgsql SET search_path = pg_catalog, public AS $$
BEGIN
    INSERT INTO template_versions (workspace_id, template_id, version, reason, subject, preheader, html_content,
        text_content, sections, published_at, created_by)
    VALUES (NEW.workspace_id, NEW.id, NEW.current_version, 'publish', NEW.subject, NEW.preheader, NEW.html_content,
        NEW.text_content, sections_of(NEW.workspace_id, NEW.id), now(),
        NULLIF(current_setting('app.actor', true), ''))
    ON CONFLICT DO NOTHING;
    RETURN NULL;
END
$$;
CREATE TRIGGER keep_template_version BEFORE UPDATE ON templates
    FOR EACH ROW EXECUTE FUNCTION keep_template_version();
CREATE TRIGGER keep_first_publication AFTER INSERT ON templates
    FOR EACH ROW WHEN (NEW.status = 'published') EXECUTE FUNCTION keep_published_version();
-- Content that is changed while it is published is published anew.
CREATE TRIGGER keep_publication AFTER UPDATE ON templates
    FOR EACH ROW WHEN (NEW.status = 'published'
        AND (OLD.status <> 'published' OR NEW.current_version <> OLD.current_version))
    EXECUTE FUNCTION keep_published_version();

-- NULL: all. Nothing is thrown away unless a plan says so, and the free plan does.
CREATE FUNCTION template_versions_kept(workspace uuid) RETURNS bigint LANGUAGE sql STABLE
    SET search_path = pg_catalog, public
    RETURN (
        SELECT CASE
            WHEN workspace = house_workspace() THEN NULL
            WHEN COUNT(*) = 0 THEN 5
            WHEN bool_or(s.tier <> 'free' AND l.amount IS NULL) THEN NULL
            ELSE MAX(COALESCE(l.amount, 5))
        END
        FROM subscriptions AS s
        LEFT JOIN plan_limits AS l ON l.plan_id = s.plan_id AND l.meter = 'template_versions'
        WHERE s.workspace_id = workspace AND s.product = 'email_studio'
            AND s.status IN ('trialing', 'active', 'past_due')
    );

-- Versions that were published are kept for ever.
CREATE FUNCTION forget_old_versions() RETURNS trigger
    LANGUAGE plpgsql SECURITY DEFINER SET search_path = pg_catalog, public AS $$
BEGIN
    DELETE FROM template_versions AS v
    USING (
        SELECT workspace_id, id,
            row_number() OVER (PARTITION BY workspace_id, template_id ORDER BY version DESC) AS age
        FROM template_versions
        WHERE (workspace_id, template_id) IN (SELECT workspace_id, template_id FROM arrived) AND reason <> 'publish'
    ) AS ranked
    WHERE v.workspace_id = ranked.workspace_id AND v.id = ranked.id
        AND ranked.age > template_versions_kept(v.workspace_id);
    RETURN NULL;
END
$$;
CREATE TRIGGER forget_old_versions AFTER INSERT ON template_versions REFERENCING NEW TABLE AS arrived
    FOR EACH STATEMENT EXECUTE FUNCTION forget_old_versions();
REVOKE UPDATE, DELETE ON template_versions FROM app_rw;
"""

# The customer's row is locked first, so two movements at once can't start from the same balance.
CREDITS = """
-- Policies are asked after BEFORE triggers. The trigger below runs as the owner and would tell what it sees, so this
-- one, with the rights of who writes and a name that comes first, asks the same question before it.
CREATE FUNCTION keep_to_own_workspaces() RETURNS trigger LANGUAGE plpgsql SET search_path = pg_catalog, public AS $$
BEGIN
    IF row_security_active(TG_RELID) AND current_user <> 'app_owner'
        AND NEW.workspace_id <> ALL (COALESCE(app_workspaces(), '{}'))
    THEN
        RAISE EXCEPTION 'The workspace is not one of this transaction''s.' USING ERRCODE = 'insufficient_privilege';
    END IF;
    RETURN NEW;
END
$$;
CREATE TRIGGER keep_to_own_workspaces BEFORE INSERT ON credit_transactions
    FOR EACH ROW EXECUTE FUNCTION keep_to_own_workspaces();

CREATE FUNCTION prove_credit_balance() RETURNS trigger
    LANGUAGE plpgsql SECURITY DEFINER SET search_path = pg_catalog, public AS $$
DECLARE
    balance integer;
BEGIN
    -- This runs as the owner, who sees everyone: a workspace moves the credits of its own people only.
    IF NOT EXISTS (SELECT FROM workspace_members WHERE workspace_id = NEW.workspace_id AND user_id = NEW.user_id)
        AND NOT EXISTS (SELECT FROM workspaces WHERE id = NEW.workspace_id AND owner_id = NEW.user_id)
    THEN
        RAISE EXCEPTION 'The customer is not in this workspace.' USING ERRCODE = 'foreign_key_violation';
    END IF;
    SELECT credits_balance + NEW.amount INTO balance FROM users WHERE id = NEW.user_id FOR NO KEY UPDATE;
    IF balance < 0 THEN
        RAISE EXCEPTION 'The customer has % credits: % can''t be taken.', balance - NEW.amount, -NEW.amount
            USING ERRCODE = 'check_violation';
    END IF;
    IF NEW.balance_after IS NOT NULL AND NEW.balance_after <> balance THEN
        RAISE EXCEPTION 'The balance after this movement is %, not %.', balance, NEW.balance_after
            USING ERRCODE = 'check_violation';
    END IF;
    NEW.balance_after := balance;
    SELECT COALESCE(MAX(position), 0) + 1 INTO NEW.position FROM credit_transactions WHERE user_id = NEW.user_id;
    UPDATE users SET credits_balance = balance WHERE id = NEW.user_id;
    RETURN NEW;
END
$$;
CREATE TRIGGER prove_credit_balance BEFORE INSERT ON credit_transactions
    FOR EACH ROW EXECUTE FUNCTION prove_credit_balance();

CREATE FUNCTION refuse_price_edit() RETURNS trigger LANGUAGE plpgsql AS $$
BEGIN
    RAISE EXCEPTION 'A price is never edited: add a new one that supersedes it.'
        USING ERRCODE = 'insufficient_privilege';
END
$$;
CREATE TRIGGER refuse_price_edit BEFORE UPDATE ON ai_prices FOR EACH ROW
    WHEN ((OLD.provider, OLD.model, OLD.unit, OLD.service_tier, OLD.variant, OLD.context_from, OLD.price, OLD.per,
           OLD.currency, OLD.valid_from, OLD.version)
        IS DISTINCT FROM (NEW.provider, NEW.model, NEW.unit, NEW.service_tier, NEW.variant, NEW.context_from, NEW.price,
           NEW.per, NEW.currency, NEW.valid_from, NEW.version))
    EXECUTE FUNCTION refuse_price_edit();
"""

# A restored workspace gets back what was deleted with it, and not what was deleted before.
SOFT_DELETES = """
CREATE FUNCTION delete_with_workspace() RETURNS trigger
    LANGUAGE plpgsql SECURITY DEFINER SET search_path = pg_catalog, public AS $$
DECLARE
    owned regclass;
BEGIN
    FOR owned IN
        SELECT c.oid::regclass
        FROM pg_class AS c
        JOIN pg_attribute AS w ON w.attrelid = c.oid AND w.attname = 'workspace_id' AND NOT w.attisdropped
        JOIN pg_attribute AS d ON d.attrelid = c.oid AND d.attname = 'deleted_at' AND NOT d.attisdropped
        WHERE c.relnamespace = 'public'::regnamespace AND c.relkind IN ('r', 'p') AND NOT c.relispartition
        ORDER BY c.relname
    LOOP
        EXECUTE format('UPDATE %s SET deleted_at = $1 WHERE workspace_id = $2 AND deleted_at IS NOT DISTINCT FROM $3',
            owned) USING NEW.deleted_at, NEW.id, OLD.deleted_at;
    END LOOP;
    RETURN NULL;
END
$$;
CREATE TRIGGER delete_with_workspace AFTER UPDATE OF deleted_at ON workspaces
    FOR EACH ROW
    WHEN (OLD.deleted_at IS DISTINCT FROM NEW.deleted_at AND (OLD.deleted_at IS NULL OR NEW.deleted_at IS NULL))
    EXECUTE FUNCTION delete_with_workspace();

-- The next owner, else admin, who joined first takes a workspace over; with nobody left it has no owner.
CREATE FUNCTION hand_over_workspaces() RETURNS trigger
    LANGUAGE plpgsql SECURITY DEFINER SET search_path = pg_catalog, public AS $$
BEGIN
    UPDATE workspace_members SET deleted_at = NEW.deleted_at WHERE user_id = NEW.id AND deleted_at IS NULL;
    UPDATE workspaces AS w
    SET owner_id = (
        SELECT m.user_id
        FROM workspace_members AS m
        JOIN users AS u ON u.id = m.user_id AND u.deleted_at IS NULL
        WHERE m.workspace_id = w.id AND m.deleted_at IS NULL AND m.role IN ('owner', 'admin')
        ORDER BY m.role = 'owner' DESC, m.joined_at, m.id
        LIMIT 1
    )
    WHERE w.owner_id = NEW.id;
    UPDATE workspace_members AS m SET role = 'owner'
    FROM workspaces AS w
    WHERE w.id = m.workspace_id AND w.owner_id = m.user_id AND m.role <> 'owner' AND m.deleted_at IS NULL
        AND m.workspace_id IN (SELECT workspace_id FROM workspace_members WHERE user_id = NEW.id);
    UPDATE user_sessions SET revoked_at = NEW.deleted_at WHERE user_id = NEW.id AND revoked_at IS NULL;
    UPDATE user_preferences SET deleted_at = NEW.deleted_at WHERE user_id = NEW.id AND deleted_at IS NULL;
    UPDATE business_profiles SET deleted_at = NEW.deleted_at WHERE user_id = NEW.id AND deleted_at IS NULL;
    RETURN NULL;
END
$$;
CREATE TRIGGER hand_over_workspaces AFTER UPDATE OF deleted_at ON users
    FOR EACH ROW WHEN (OLD.deleted_at IS NULL AND NEW.deleted_at IS NOT NULL)
    EXECUTE FUNCTION hand_over_workspaces();
"""

# The arguments: the key's column, a hidden column whose change is told but not its value (or ''), and the columns that
# are left out because they change by themselves.
AUDIT = """
CREATE FUNCTION audit_changes() RETURNS trigger
    LANGUAGE plpgsql SECURITY DEFINER SET search_path = pg_catalog, public AS $$
DECLARE
    key_column CONSTANT text := TG_ARGV[0];
    hidden CONSTANT text := TG_ARGV[1];
    left_out CONSTANT text[] := TG_ARGV[2:];
    who CONSTANT text := NULLIF(current_setting('app.actor', true), '');
    why CONSTANT text := NULLIF(current_setting('app.reason', true), '');
BEGIN
    IF TG_OP = 'INSERT' THEN
        INSERT INTO audit_log (actor, action, table_name, row_key, workspace_id, after, reason)
        SELECT who, 'insert', TG_TABLE_NAME, r ->> key_column, (r ->> 'workspace_id')::uuid, r - left_out - hidden, why
        FROM (SELECT to_jsonb(arrived) AS r FROM arrived) AS rows;
    ELSIF TG_OP = 'DELETE' THEN
        INSERT INTO audit_log (actor, action, table_name, row_key, workspace_id, before, reason)
        SELECT who, 'delete', TG_TABLE_NAME, r ->> key_column, (r ->> 'workspace_id')::uuid, r - left_out - hidden, why
        FROM (SELECT to_jsonb(gone) AS r FROM gone) AS rows;
    ELSE
        INSERT INTO audit_log (actor, action, table_name, row_key, workspace_id, before, after, reason)
        SELECT who, 'update', TG_TABLE_NAME, row_key, workspace_id, before, after, why
        FROM (
            SELECT
                n.r ->> key_column AS row_key,
                (n.r ->> 'workspace_id')::uuid AS workspace_id,
                (SELECT jsonb_object_agg(key, CASE WHEN key = hidden THEN '"hidden"' ELSE value END)
                    FROM jsonb_each(o.r)
                    WHERE value IS DISTINCT FROM n.r -> key) AS before,
                (SELECT jsonb_object_agg(key, CASE WHEN key = hidden THEN '"hidden"' ELSE value END)
                    FROM jsonb_each(n.r)
                    WHERE value IS DISTINCT FROM o.r -> key) AS after
            FROM (SELECT to_jsonb(gone) - left_out AS r FROM gone) AS o
            JOIN (SELECT to_jsonb(arrived) - left_out AS r FROM arrived) AS n
                ON n.r ->> key_column = o.r ->> key_column
        ) AS changed
        WHERE after IS NOT NULL;
    END IF;
    RETURN NULL;
END
$$;
"""

UNINTERESTING = ("updated_at", "revision")
AUDITED = {
    "plans": ("id", ""),
    "plan_limits": ("id", ""),
    "plan_features": ("id", ""),
    "credit_packages": ("id", ""),
    "templates": ("id", "", "search_vector", "usage_count"),
    "quota_overrides": ("id", ""),
    "settings": ("key", ""),
    "budgets": ("id", ""),
    "ai_prices": ("id", ""),
    "retention_policies": ("id", ""),
    "team_members": ("id", "password_hash", "last_login_at"),
}


def upgrade() -> None:
    for part in (VERSIONS, CREDITS, SOFT_DELETES, AUDIT):
        run(part)
    for table, columns in AUDITED.items():
        arguments = ", ".join(f"'{column}'" for column in (*columns, *UNINTERESTING))
        run(f"""
        CREATE TRIGGER keep_key BEFORE UPDATE ON {table}
            FOR EACH ROW WHEN (OLD.{columns[0]} <> NEW.{columns[0]}) EXECUTE FUNCTION keep_key();
        CREATE TRIGGER audit_inserts AFTER INSERT ON {table} REFERENCING NEW TABLE AS arrived
            FOR EACH STATEMENT EXECUTE FUNCTION audit_changes({arguments});
        CREATE TRIGGER audit_updates AFTER UPDATE ON {table} REFERENCING OLD TABLE AS gone NEW TABLE AS arrived
            FOR EACH STATEMENT EXECUTE FUNCTION audit_changes({arguments});
        CREATE TRIGGER audit_deletes AFTER DELETE ON {table} REFERENCING OLD TABLE AS gone
            FOR EACH STATEMENT EXECUTE FUNCTION audit_changes({arguments});
        """)


def downgrade() -> None:
    for table in AUDITED:
        run(f"""
        DROP TRIGGER keep_key ON {table};
        DROP TRIGGER audit_inserts ON {table};
        DROP TRIGGER audit_updates ON {table};
        DROP TRIGGER audit_deletes ON {table};
        """)
    run("""
    DROP TRIGGER hand_over_workspaces ON users;
    DROP TRIGGER delete_with_workspace ON workspaces;
    DROP TRIGGER refuse_price_edit ON ai_prices;
    DROP TRIGGER prove_credit_balance ON credit_transactions;
    DROP TRIGGER keep_to_own_workspaces ON credit_transactions;
    DROP TRIGGER forget_old_versions ON template_versions;
    DROP TRIGGER keep_publication ON templates;
    DROP TRIGGER keep_first_publication ON templates;
    DROP TRIGGER keep_template_version ON templates;
    GRANT UPDATE, DELETE ON template_versions TO app_rw;
    DROP FUNCTION audit_changes(), hand_over_workspaces(), delete_with_workspace(), refuse_price_edit(),
        prove_credit_balance(), keep_to_own_workspaces(), forget_old_versions(), template_versions_kept(uuid),
        keep_published_version(), keep_template_version(), sections_of(uuid, uuid);
    """)
