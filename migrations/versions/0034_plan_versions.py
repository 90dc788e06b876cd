"""Versions of plans that are edited while they are drafts alone, published on a day, and moved to by subscriptions.

A published version is what customers bought: the app changes neither it nor its limits and features, and says so from
here on. What a command may change of one is its standing: from draft to scheduled, published, retired, and back where
nobody has bought it yet.

Revision: 0034
Follows: 0033
"""

from migrations.running import run

revision = "0034"
down_revision = "0033"

TABLES = """
ALTER TABLE plans
    ADD COLUMN publishes_on DATE,
    ADD COLUMN replaces_id UUID,
    DROP CONSTRAINT status_is_known,
    DROP CONSTRAINT what_is_not_a_draft_was_published,
    ADD CONSTRAINT status_is_known CHECK (status IN ('draft', 'scheduled', 'published', 'retired', 'discarded')),
    ADD CONSTRAINT what_is_or_was_live_was_published
        CHECK (status NOT IN ('published', 'retired') OR published_at IS NOT NULL),
    ADD CONSTRAINT what_is_scheduled_has_a_day CHECK (status <> 'scheduled' OR publishes_on IS NOT NULL),
    ADD CONSTRAINT plans_replaces_id_exists FOREIGN KEY(replaces_id) REFERENCES plans (id);
COMMENT ON COLUMN plans.publishes_on IS 'The day, in UTC, on which it goes live.';
COMMENT ON COLUMN plans.replaces_id IS 'What was retired when this went live.';
GRANT SELECT (publishes_on, replaces_id) ON plans TO app_ro, app_pipe;

-- Of several that are sold alike, the newest is the one that is sold.
UPDATE plans AS p SET status = 'retired', retired_at = now()
WHERE p.status = 'published' AND EXISTS (
    SELECT FROM plans AS n
    WHERE n.status = 'published' AND n.version > p.version
        AND (n.product, n.tier, n.billing_period, n.currency) = (p.product, p.tier, p.billing_period, p.currency)
);
CREATE UNIQUE INDEX plans_one_version_is_live ON plans (product, tier, billing_period, currency)
    WHERE status = 'published';
CREATE UNIQUE INDEX plans_one_version_is_next ON plans (product, tier, billing_period, currency)
    WHERE status = 'scheduled';

CREATE TABLE plan_approvals (
    id UUID DEFAULT uuid_v7() NOT NULL,
    plan_id UUID NOT NULL,
    plan_revision INTEGER NOT NULL,
    publishes_on DATE NOT NULL,
    margin_after NUMERIC(20, 6),
    margin_floor NUMERIC(20, 6) NOT NULL,
    asked_by UUID,
    asked_name TEXT NOT NULL,
    reason TEXT NOT NULL,
    decision TEXT,
    decided_by UUID,
    decided_name TEXT,
    decided_at TIMESTAMP WITH TIME ZONE,
    decision_reason TEXT,
    created_at TIMESTAMP WITH TIME ZONE DEFAULT now() NOT NULL,
    CONSTRAINT plan_approvals_key PRIMARY KEY (id),
    CONSTRAINT decision_is_known CHECK (decision IN ('approved', 'declined', 'withdrawn')),
    CONSTRAINT what_is_decided_says_who_when_and_why CHECK (
        (decision IS NULL) = (decided_at IS NULL) AND (decision IS NULL) = (decided_name IS NULL)
        AND (decision IS NULL) = (decision_reason IS NULL)
    ),
    CONSTRAINT who_asks_does_not_approve CHECK (
        decision <> 'approved' OR CASE WHEN asked_by IS NULL OR decided_by IS NULL THEN decided_name <> asked_name
            ELSE decided_by <> asked_by END
    ),
    CONSTRAINT plan_approvals_plan_id_exists FOREIGN KEY(plan_id) REFERENCES plans (id),
    CONSTRAINT plan_approvals_asked_by_exists FOREIGN KEY(asked_by) REFERENCES team_members (id),
    CONSTRAINT plan_approvals_decided_by_exists FOREIGN KEY(decided_by) REFERENCES team_members (id)
);
CREATE UNIQUE INDEX plan_approvals_one_is_open ON plan_approvals (plan_id) WHERE decision IS NULL;
CREATE INDEX plan_approvals_by_plan_id ON plan_approvals (plan_id, created_at);

CREATE TABLE plan_migrations (
    workspace_id UUID NOT NULL,
    id UUID DEFAULT uuid_v7() NOT NULL,
    batch_id UUID NOT NULL,
    subscription_id UUID NOT NULL,
    from_plan_id UUID NOT NULL,
    to_plan_id UUID NOT NULL,
    price_before NUMERIC(18, 4) NOT NULL,
    price_after NUMERIC(18, 4) NOT NULL,
    due_on DATE NOT NULL,
    asked_name TEXT NOT NULL,
    reason TEXT NOT NULL,
    done_at TIMESTAMP WITH TIME ZONE,
    cancelled_at TIMESTAMP WITH TIME ZONE,
    cancelled_because TEXT,
    created_at TIMESTAMP WITH TIME ZONE DEFAULT now() NOT NULL,
    CONSTRAINT plan_migrations_key PRIMARY KEY (workspace_id, id),
    CONSTRAINT price_before_is_not_negative CHECK (price_before >= 0),
    CONSTRAINT price_after_is_not_negative CHECK (price_after >= 0),
    CONSTRAINT what_is_cancelled_says_why CHECK ((cancelled_at IS NULL) = (cancelled_because IS NULL)),
    CONSTRAINT plan_migrations_workspace_id_exists FOREIGN KEY(workspace_id) REFERENCES workspaces (id),
    CONSTRAINT plan_migrations_workspace_id_subscription_id_exists FOREIGN KEY(workspace_id, subscription_id)
        REFERENCES subscriptions (workspace_id, id),
    CONSTRAINT plan_migrations_from_plan_id_exists FOREIGN KEY(from_plan_id) REFERENCES plans (id),
    CONSTRAINT plan_migrations_to_plan_id_exists FOREIGN KEY(to_plan_id) REFERENCES plans (id)
);
CREATE UNIQUE INDEX plan_migrations_one_waits_per_subscription ON plan_migrations (workspace_id, subscription_id)
    WHERE done_at IS NULL AND cancelled_at IS NULL;
CREATE INDEX plan_migrations_by_batch_id ON plan_migrations (batch_id);
CREATE INDEX plan_migrations_due ON plan_migrations (due_on) WHERE done_at IS NULL AND cancelled_at IS NULL;
CREATE INDEX plan_migrations_by_from_plan_id ON plan_migrations (from_plan_id);
CREATE INDEX plan_migrations_by_to_plan_id ON plan_migrations (to_plan_id);
"""

GUARDS = """
SELECT guard_company_table('plan_approvals');
SELECT guard_tenant_table('plan_migrations');
-- Plans are discarded, and what was asked and moved is history.
REVOKE DELETE ON plans, plan_approvals, plan_migrations FROM app_rw;
REVOKE UPDATE ON plan_approvals, plan_migrations FROM app_rw;
GRANT UPDATE (decision, decided_by, decided_name, decided_at, decision_reason) ON plan_approvals TO app_rw;
GRANT UPDATE (done_at, cancelled_at, cancelled_because) ON plan_migrations TO app_rw;
"""
AUDITED = ("plan_approvals", "plan_migrations")

# Who owns the tables may do all: migrations do, and the loader of the demo.
VERSIONS = """
CREATE FUNCTION plan_is_taken(plan uuid) RETURNS boolean
    LANGUAGE sql STABLE SECURITY DEFINER SET search_path = pg_catalog, public
    RETURN EXISTS (SELECT FROM subscriptions WHERE plan_id = plan)
        OR EXISTS (SELECT FROM invoice_lines WHERE plan_id = plan)
        OR EXISTS (SELECT FROM plan_migrations WHERE to_plan_id = plan AND done_at IS NULL AND cancelled_at IS NULL);

CREATE FUNCTION keep_plan_versions() RETURNS trigger LANGUAGE plpgsql SET search_path = pg_catalog, public AS $$
DECLARE
    today CONSTANT date := (clock_timestamp() AT TIME ZONE 'UTC')::date;
BEGIN
    IF pg_has_role(current_user, 'app_owner', 'USAGE') THEN
        RETURN NEW;
    END IF;
    IF TG_OP = 'INSERT' THEN
        IF NEW.status <> 'draft' THEN
            RAISE EXCEPTION 'A plan begins as a draft.' USING ERRCODE = 'check_violation';
        END IF;
        RETURN NEW;
    END IF;
    IF (OLD.status <> 'draft' OR NEW.status <> 'draft')
        AND (OLD.product, OLD.tier, OLD.version, OLD.name, OLD.description, OLD.price, OLD.currency,
            OLD.billing_period, OLD.generation_credits, OLD.has_watermark)
        IS DISTINCT FROM (NEW.product, NEW.tier, NEW.version, NEW.name, NEW.description, NEW.price, NEW.currency,
            NEW.billing_period, NEW.generation_credits, NEW.has_watermark)
    THEN
        RAISE EXCEPTION 'A version of a plan is edited while it is a draft alone: make a draft of it.'
            USING ERRCODE = 'check_violation';
    END IF;
    IF NEW.status <> OLD.status AND (OLD.status, NEW.status) NOT IN (
        ('draft', 'scheduled'), ('draft', 'discarded'), ('discarded', 'draft'), ('scheduled', 'draft'),
        ('scheduled', 'published'), ('published', 'draft'), ('published', 'retired'), ('retired', 'published')
    ) THEN
        RAISE EXCEPTION 'A plan that is % does not become %.', OLD.status, NEW.status USING ERRCODE = 'check_violation';
    END IF;
    IF OLD.status = 'scheduled' AND NEW.status = 'published' AND OLD.publishes_on > today THEN
        RAISE EXCEPTION 'This plan goes live on %.', OLD.publishes_on USING ERRCODE = 'check_violation';
    END IF;
    IF OLD.status = 'published' AND NEW.status = 'draft' AND plan_is_taken(OLD.id) THEN
        RAISE EXCEPTION 'Somebody has subscribed to this plan.' USING ERRCODE = 'check_violation';
    END IF;
    RETURN NEW;
END
$$;
CREATE TRIGGER keep_plan_versions BEFORE INSERT OR UPDATE ON plans
    FOR EACH ROW EXECUTE FUNCTION keep_plan_versions();

CREATE FUNCTION keep_parts_of_plan_versions() RETURNS trigger LANGUAGE plpgsql
    SET search_path = pg_catalog, public AS $$
BEGIN
    IF NOT pg_has_role(current_user, 'app_owner', 'USAGE') AND EXISTS (
        SELECT FROM plans
        WHERE status <> 'draft'
            AND (TG_OP <> 'INSERT' AND id = OLD.plan_id OR TG_OP <> 'DELETE' AND id = NEW.plan_id)
    ) THEN
        RAISE EXCEPTION 'A version of a plan is edited while it is a draft alone: make a draft of it.'
            USING ERRCODE = 'check_violation';
    END IF;
    RETURN CASE WHEN TG_OP = 'DELETE' THEN OLD ELSE NEW END;
END
$$;

-- A plan is edited as a whole: who changes a limit or a feature of it changes its revision.
CREATE FUNCTION raise_revision_of_plan() RETURNS trigger LANGUAGE plpgsql SET search_path = pg_catalog, public AS $$
BEGIN
    UPDATE plans SET updated_at = now() WHERE id IN (SELECT plan_id FROM touched);
    RETURN NULL;
END
$$;
"""
PARTS = ("plan_limits", "plan_features")

GOING_LIVE = """
-- Those whose day has come, in UTC: each takes the place of the one that is sold until then. Again: nothing more.
CREATE FUNCTION publish_due_plans(at_most integer DEFAULT 100) RETURNS bigint LANGUAGE plpgsql
    SET search_path = pg_catalog, public AS $$
DECLARE
    one record;
    was uuid;
    published bigint := 0;
BEGIN
    FOR one IN
        SELECT id, product, tier, billing_period, currency FROM plans
        WHERE status = 'scheduled' AND publishes_on <= (clock_timestamp() AT TIME ZONE 'UTC')::date
        ORDER BY publishes_on, id
        LIMIT at_most
        FOR UPDATE
    LOOP
        was := NULL;
        UPDATE plans SET status = 'retired', retired_at = clock_timestamp()
        WHERE status = 'published' AND product = one.product AND tier = one.tier
            AND billing_period = one.billing_period AND currency = one.currency
        RETURNING id INTO was;
        UPDATE plans SET status = 'published', published_at = clock_timestamp(), replaces_id = was WHERE id = one.id;
        published := published + 1;
    END LOOP;
    RETURN published;
END
$$;
"""

MIGRATING = """
-- Balances of a workspace say what the plan allows by now, of all that either plan speaks of.
CREATE FUNCTION renew_limits_of_plans(workspace uuid, of_product text, plans uuid[]) RETURNS void LANGUAGE sql
    SET search_path = pg_catalog, public AS $$
    SELECT renew_quota_limits(workspace, NULL, of_product, m.meter)
    FROM (
        SELECT meter FROM plan_limits WHERE plan_id = ANY (plans)
        UNION
        SELECT meter FROM quota_balances WHERE workspace_id = workspace AND product = of_product
    ) AS m
    ORDER BY m.meter
$$;

-- What the subscription was meanwhile is not written over: then the move is given up, with its reason.
CREATE FUNCTION move_subscription(workspace uuid, chosen uuid) RETURNS boolean LANGUAGE plpgsql
    SET search_path = pg_catalog, public AS $$
DECLARE
    moving plan_migrations;
    leaving plans;
    taken plans;
BEGIN
    SELECT m.* INTO moving FROM plan_migrations AS m
    WHERE m.workspace_id = workspace AND m.id = chosen AND m.done_at IS NULL AND m.cancelled_at IS NULL
    FOR UPDATE;
    IF NOT FOUND THEN
        RETURN false;
    END IF;
    SELECT p.* INTO leaving FROM plans AS p WHERE p.id = moving.from_plan_id;
    SELECT p.* INTO taken FROM plans AS p WHERE p.id = moving.to_plan_id;
    UPDATE subscriptions AS s
    SET plan_id = taken.id, tier = taken.tier, price = moving.price_after,
        monthly_ai_credits_limit = CASE WHEN s.monthly_ai_credits_limit = leaving.generation_credits
            THEN taken.generation_credits ELSE s.monthly_ai_credits_limit END
    WHERE s.workspace_id = workspace AND s.id = moving.subscription_id AND s.plan_id = leaving.id
        AND s.price = moving.price_before AND s.status IN ('trialing', 'active', 'past_due');
    IF NOT FOUND THEN
        UPDATE plan_migrations SET cancelled_at = clock_timestamp(),
            cancelled_because = 'The subscription had ended or was another one by then.'
        WHERE workspace_id = workspace AND id = chosen;
        RETURN false;
    END IF;
    UPDATE plan_migrations SET done_at = clock_timestamp() WHERE workspace_id = workspace AND id = chosen;
    PERFORM renew_limits_of_plans(workspace, taken.product, ARRAY[leaving.id, taken.id]);
    RETURN true;
END
$$;

CREATE FUNCTION move_subscription_back(workspace uuid, chosen uuid, why text) RETURNS boolean LANGUAGE plpgsql
    SET search_path = pg_catalog, public AS $$
DECLARE
    moving plan_migrations;
    leaving plans;
    taken plans;
BEGIN
    SELECT m.* INTO moving FROM plan_migrations AS m
    WHERE m.workspace_id = workspace AND m.id = chosen AND m.cancelled_at IS NULL
    FOR UPDATE;
    IF NOT FOUND THEN
        RETURN false;
    END IF;
    IF moving.done_at IS NOT NULL THEN
        SELECT p.* INTO leaving FROM plans AS p WHERE p.id = moving.from_plan_id;
        SELECT p.* INTO taken FROM plans AS p WHERE p.id = moving.to_plan_id;
        UPDATE subscriptions AS s
        SET plan_id = leaving.id, tier = leaving.tier, price = moving.price_before,
            monthly_ai_credits_limit = CASE WHEN s.monthly_ai_credits_limit = taken.generation_credits
                THEN leaving.generation_credits ELSE s.monthly_ai_credits_limit END
        WHERE s.workspace_id = workspace AND s.id = moving.subscription_id AND s.plan_id = taken.id
            AND s.price = moving.price_after AND s.status IN ('trialing', 'active', 'past_due');
        IF NOT FOUND THEN
            RETURN false;
        END IF;
        PERFORM renew_limits_of_plans(workspace, leaving.product, ARRAY[leaving.id, taken.id]);
    END IF;
    UPDATE plan_migrations SET cancelled_at = clock_timestamp(), cancelled_because = why
    WHERE workspace_id = workspace AND id = chosen;
    RETURN true;
END
$$;

-- Subscriptions whose period has ended, in UTC.
CREATE FUNCTION move_due_subscriptions(at_most integer DEFAULT 1000) RETURNS bigint
    LANGUAGE plpgsql SECURITY DEFINER SET search_path = pg_catalog, public AS $$
DECLARE
    one record;
    looked_at bigint := 0;
BEGIN
    FOR one IN
        SELECT workspace_id, id FROM plan_migrations
        WHERE done_at IS NULL AND cancelled_at IS NULL AND due_on <= (clock_timestamp() AT TIME ZONE 'UTC')::date
        ORDER BY due_on, workspace_id, id
        LIMIT at_most
    LOOP
        PERFORM move_subscription(one.workspace_id, one.id);
        looked_at := looked_at + 1;
    END LOOP;
    RETURN looked_at;
END
$$;
"""

SETTING = """
INSERT INTO settings (key, value, description)
VALUES ('plan_margin_floor', '30', 'Per cent of revenue: a plan whose margin would be below it needs a second admin.')
ON CONFLICT DO NOTHING;
"""

CALLED_BY_COMMANDS = (
    "plan_is_taken(uuid)",
    "publish_due_plans(integer)",
    "renew_limits_of_plans(uuid, text, uuid[])",
    "move_subscription(uuid, uuid)",
    "move_subscription_back(uuid, uuid, text)",
    "move_due_subscriptions(integer)",
)


def upgrade() -> None:
    for part in (TABLES, GUARDS, VERSIONS, GOING_LIVE, MIGRATING, SETTING):
        run(part)
    for table in AUDITED:
        run(f"""
        CREATE TRIGGER keep_key BEFORE UPDATE ON {table}
            FOR EACH ROW WHEN (OLD.id <> NEW.id) EXECUTE FUNCTION keep_key();
        CREATE TRIGGER audit_inserts AFTER INSERT ON {table} REFERENCING NEW TABLE AS arrived
            FOR EACH STATEMENT EXECUTE FUNCTION audit_changes('id', '');
        CREATE TRIGGER audit_updates AFTER UPDATE ON {table} REFERENCING OLD TABLE AS gone NEW TABLE AS arrived
            FOR EACH STATEMENT EXECUTE FUNCTION audit_changes('id', '');
        """)
    for table in PARTS:
        run(f"""
        CREATE TRIGGER keep_parts_of_plan_versions BEFORE INSERT OR UPDATE OR DELETE ON {table}
            FOR EACH ROW EXECUTE FUNCTION keep_parts_of_plan_versions();
        CREATE TRIGGER raise_revision_on_insert AFTER INSERT ON {table} REFERENCING NEW TABLE AS touched
            FOR EACH STATEMENT EXECUTE FUNCTION raise_revision_of_plan();
        CREATE TRIGGER raise_revision_on_update AFTER UPDATE ON {table} REFERENCING NEW TABLE AS touched
            FOR EACH STATEMENT EXECUTE FUNCTION raise_revision_of_plan();
        CREATE TRIGGER raise_revision_on_delete AFTER DELETE ON {table} REFERENCING OLD TABLE AS touched
            FOR EACH STATEMENT EXECUTE FUNCTION raise_revision_of_plan();
        """)
    run(f"GRANT EXECUTE ON FUNCTION {', '.join(CALLED_BY_COMMANDS)} TO app_rw;")


def downgrade() -> None:
    for table in PARTS:
        run(f"""
        DROP TRIGGER raise_revision_on_insert ON {table};
        DROP TRIGGER raise_revision_on_update ON {table};
        DROP TRIGGER raise_revision_on_delete ON {table};
        DROP TRIGGER keep_parts_of_plan_versions ON {table};
        """)
    run(f"""
    DROP TRIGGER keep_plan_versions ON plans;
    DROP FUNCTION {", ".join(reversed(CALLED_BY_COMMANDS))}, keep_plan_versions(), keep_parts_of_plan_versions(),
        raise_revision_of_plan();
    DROP TABLE plan_approvals, plan_migrations;
    DROP INDEX plans_one_version_is_live, plans_one_version_is_next;
    UPDATE plans SET status = 'draft' WHERE status IN ('scheduled', 'discarded');
    ALTER TABLE plans
        DROP CONSTRAINT status_is_known,
        DROP CONSTRAINT what_is_or_was_live_was_published,
        ADD CONSTRAINT status_is_known CHECK (status IN ('draft', 'published', 'retired')),
        ADD CONSTRAINT what_is_not_a_draft_was_published CHECK (status = 'draft' OR published_at IS NOT NULL),
        DROP COLUMN replaces_id,
        DROP COLUMN publishes_on;
    GRANT DELETE ON plans TO app_rw;
    DELETE FROM settings WHERE key = 'plan_margin_floor' AND updated_at = created_at;
    """)
