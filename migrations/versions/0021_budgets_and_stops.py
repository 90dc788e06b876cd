"""Budgets that hold under many at once, what was found when they were looked at, who was told, and emergency stops.

What a budget's calls cost is summed by day in the budget's zone, in the statement that prices them; what calls that run
may still cost is held beside it. A call asks for a hold under the lock of the budgets that could refuse it, so of many
at once each sees what the others hold.

Revision: 0021
Follows: 0020
"""

from migrations.running import run

revision = "0021"
down_revision = "0020"

KINDS = "'threshold', 'forecast', 'blocked', 'emergency_stop', 'unpriced', 'anomaly', 'evaluation_failed'"
OLD_KINDS = "'threshold', 'forecast', 'blocked', 'emergency_stop'"

TABLES = f"""
ALTER TABLE budgets
    ADD COLUMN warns_of_forecast BOOLEAN DEFAULT true NOT NULL,
    ADD CONSTRAINT a_budget_has_a_name CHECK (name <> ''),
    ADD CONSTRAINT ai_is_priced_in_dollars CHECK (currency = 'USD'),
    ADD CONSTRAINT timezone_is_a_zone
        CHECK ((TIMESTAMP WITH TIME ZONE '2000-01-01 00:00:00+00' AT TIME ZONE timezone) IS NOT NULL);

CREATE TABLE budget_days (
    budget_id UUID NOT NULL,
    workspace_id UUID,
    day DATE NOT NULL,
    spent NUMERIC(20, 12) DEFAULT 0 NOT NULL,
    refused BIGINT DEFAULT 0 NOT NULL,
    CONSTRAINT budget_days_key PRIMARY KEY (budget_id, day),
    CONSTRAINT budget_days_budget_id_exists FOREIGN KEY(budget_id) REFERENCES budgets (id),
    CONSTRAINT budget_days_workspace_id_budget_id_exists FOREIGN KEY(workspace_id, budget_id) REFERENCES budgets
        (workspace_id, id),
    CONSTRAINT budget_days_workspace_id_exists FOREIGN KEY(workspace_id) REFERENCES workspaces (id)
)
 WITH (fillfactor = 50);
CREATE INDEX budget_days_by_workspace_id ON budget_days (workspace_id);
COMMENT ON COLUMN budget_days.day IS 'In the budget''s zone.';
COMMENT ON COLUMN budget_days.refused IS 'Calls that the budget refused.';

CREATE TABLE ai_holds (
    workspace_id UUID NOT NULL,
    id UUID DEFAULT uuid_v7() NOT NULL,
    call_key TEXT NOT NULL,
    user_id UUID,
    product TEXT,
    provider TEXT,
    generation_type TEXT,
    amount NUMERIC(20, 12) NOT NULL,
    arrived NUMERIC(20, 12) DEFAULT 0 NOT NULL,
    is_estimate BOOLEAN DEFAULT true NOT NULL,
    settled_at TIMESTAMP WITH TIME ZONE,
    expires_at TIMESTAMP WITH TIME ZONE NOT NULL,
    created_at TIMESTAMP WITH TIME ZONE DEFAULT now() NOT NULL,
    CONSTRAINT ai_holds_key PRIMARY KEY (workspace_id, id),
    CONSTRAINT ai_holds_workspace_id_call_key_is_unique UNIQUE (workspace_id, call_key),
    CONSTRAINT amount_is_not_negative CHECK (amount >= 0),
    CONSTRAINT ai_holds_workspace_id_exists FOREIGN KEY(workspace_id) REFERENCES workspaces (id),
    CONSTRAINT ai_holds_user_id_exists FOREIGN KEY(user_id) REFERENCES users (id)
);
CREATE INDEX ai_holds_by_expires_at ON ai_holds (expires_at);
COMMENT ON COLUMN ai_holds.call_key IS 'The request_key of its calls, as text: their costs take its place.';
COMMENT ON COLUMN ai_holds.arrived IS 'Of the amount, what has been priced and counts as spent.';

CREATE TABLE ai_stops (
    id UUID DEFAULT uuid_v7() NOT NULL,
    scope TEXT NOT NULL,
    scope_value TEXT,
    reason TEXT NOT NULL,
    started_by UUID,
    ended_at TIMESTAMP WITH TIME ZONE,
    ended_by UUID,
    end_reason TEXT,
    refused BIGINT DEFAULT 0 NOT NULL,
    created_at TIMESTAMP WITH TIME ZONE DEFAULT now() NOT NULL,
    CONSTRAINT ai_stops_key PRIMARY KEY (id),
    CONSTRAINT scope_is_known CHECK (scope IN ('all', 'provider', 'product')),
    CONSTRAINT a_stop_names_what_it_stops CHECK ((scope = 'all') = (scope_value IS NULL)),
    CONSTRAINT a_stop_has_a_reason CHECK (reason <> ''),
    CONSTRAINT an_end_has_a_reason CHECK ((ended_at IS NULL) = (end_reason IS NULL) AND end_reason <> ''),
    CONSTRAINT a_stop_ends_after_it_starts CHECK (ended_at >= created_at),
    CONSTRAINT ai_stops_started_by_exists FOREIGN KEY(started_by) REFERENCES team_members (id),
    CONSTRAINT ai_stops_ended_by_exists FOREIGN KEY(ended_by) REFERENCES team_members (id)
);
CREATE UNIQUE INDEX ai_stops_one_is_live ON ai_stops (scope, scope_value) NULLS NOT DISTINCT WHERE ended_at IS NULL;
COMMENT ON COLUMN ai_stops.refused IS 'Calls that the stop refused.';

ALTER TABLE budget_alerts
    ADD COLUMN about TEXT DEFAULT '' NOT NULL,
    ADD COLUMN stop_id UUID,
    ADD COLUMN snoozed_until TIMESTAMP WITH TIME ZONE,
    ADD COLUMN snoozed_by UUID,
    DROP CONSTRAINT kind_is_known,
    ADD CONSTRAINT kind_is_known CHECK (kind IN ({KINDS})),
    DROP CONSTRAINT an_alert_belongs_to_a_budget,
    ADD CONSTRAINT an_alert_belongs_to_a_budget
        CHECK (kind NOT IN ('threshold', 'forecast', 'blocked') OR budget_id IS NOT NULL),
    DROP CONSTRAINT budget_alerts_budget_id_kind_period_start_threshold_is_unique,
    ADD CONSTRAINT budget_alerts_workspace_id_id_is_unique UNIQUE (workspace_id, id),
    ADD CONSTRAINT budget_alerts_stop_id_exists FOREIGN KEY(stop_id) REFERENCES ai_stops (id),
    ADD CONSTRAINT budget_alerts_snoozed_by_exists FOREIGN KEY(snoozed_by) REFERENCES team_members (id);
CREATE UNIQUE INDEX budget_alerts_are_raised_once ON budget_alerts (workspace_id, budget_id, kind, about, period_start,
    threshold) NULLS NOT DISTINCT WHERE kind <> 'emergency_stop';
CREATE INDEX budget_alerts_by_created_at ON budget_alerts (created_at);
COMMENT ON COLUMN budget_alerts.about IS 'What else tells one alert of a period from another, such as a model.';

CREATE TABLE budget_evaluations (
    id UUID DEFAULT uuid_v7() NOT NULL,
    workspace_id UUID,
    budget_id UUID,
    period_start TIMESTAMP WITH TIME ZONE,
    period_end TIMESTAMP WITH TIME ZONE,
    amount NUMERIC(18, 4),
    spent NUMERIC(20, 12),
    held NUMERIC(20, 12),
    unpriced BIGINT,
    forecast NUMERIC(20, 12),
    forecast_low NUMERIC(20, 12),
    forecast_high NUMERIC(20, 12),
    raised INTEGER DEFAULT 0 NOT NULL,
    error TEXT,
    created_at TIMESTAMP WITH TIME ZONE DEFAULT now() NOT NULL,
    CONSTRAINT budget_evaluations_key PRIMARY KEY (id),
    CONSTRAINT an_evaluation_finds_or_fails CHECK ((spent IS NULL) = (error IS NOT NULL)),
    CONSTRAINT budget_evaluations_budget_id_exists FOREIGN KEY(budget_id) REFERENCES budgets (id),
    CONSTRAINT budget_evaluations_workspace_id_budget_id_exists FOREIGN KEY(workspace_id, budget_id) REFERENCES budgets
        (workspace_id, id),
    CONSTRAINT budget_evaluations_workspace_id_exists FOREIGN KEY(workspace_id) REFERENCES workspaces (id)
);
CREATE INDEX budget_evaluations_by_budget_id ON budget_evaluations (budget_id, created_at);
CREATE INDEX budget_evaluations_by_created_at ON budget_evaluations (created_at);
CREATE INDEX budget_evaluations_by_workspace_id ON budget_evaluations (workspace_id);
COMMENT ON COLUMN budget_evaluations.unpriced IS 'Calls of the period without a price: they are not in what was spent.';

CREATE TABLE alert_deliveries (
    id UUID DEFAULT uuid_v7() NOT NULL,
    workspace_id UUID,
    alert_id UUID NOT NULL,
    channel TEXT NOT NULL,
    round INTEGER DEFAULT 1 NOT NULL,
    status TEXT DEFAULT 'pending' NOT NULL,
    attempts INTEGER DEFAULT 0 NOT NULL,
    error TEXT,
    sent_at TIMESTAMP WITH TIME ZONE,
    created_at TIMESTAMP WITH TIME ZONE DEFAULT now() NOT NULL,
    updated_at TIMESTAMP WITH TIME ZONE DEFAULT now() NOT NULL,
    CONSTRAINT alert_deliveries_key PRIMARY KEY (id),
    CONSTRAINT channel_is_known CHECK (channel IN ('email', 'webhook')),
    CONSTRAINT status_is_known CHECK (status IN ('pending', 'sent', 'failed')),
    CONSTRAINT what_is_sent_has_a_time CHECK ((status = 'sent') = (sent_at IS NOT NULL)),
    CONSTRAINT rounds_count_from_one CHECK (round >= 1),
    CONSTRAINT attempts_is_not_negative CHECK (attempts >= 0),
    CONSTRAINT alert_deliveries_alert_id_exists FOREIGN KEY(alert_id) REFERENCES budget_alerts (id),
    CONSTRAINT alert_deliveries_workspace_id_alert_id_exists FOREIGN KEY(workspace_id, alert_id) REFERENCES
        budget_alerts (workspace_id, id),
    CONSTRAINT alert_deliveries_workspace_id_exists FOREIGN KEY(workspace_id) REFERENCES workspaces (id)
);
CREATE UNIQUE INDEX alert_deliveries_go_out_once ON alert_deliveries (workspace_id, alert_id, channel, round)
    NULLS NOT DISTINCT;
CREATE INDEX alert_deliveries_by_alert_id ON alert_deliveries (alert_id);
COMMENT ON COLUMN alert_deliveries.round IS 'The first tells of the alert; later ones remind of it after a snooze.';
"""

GUARDS = """
GRANT SELECT (warns_of_forecast) ON budgets TO app_ro, app_pipe;
GRANT SELECT (about, stop_id, snoozed_until, snoozed_by) ON budget_alerts TO app_ro, app_pipe;

SELECT guard_tenant_table('budget_days', 'company');
SELECT guard_tenant_table('ai_holds');
SELECT guard_company_table('ai_stops');
SELECT guard_tenant_table('budget_evaluations', 'company');
SELECT guard_tenant_table('alert_deliveries', 'company');

-- Kept by the triggers and functions below alone.
REVOKE INSERT, UPDATE, DELETE ON budget_days, ai_holds FROM app_rw;
REVOKE UPDATE, DELETE ON budget_evaluations FROM app_rw;
-- A stop is started and ended, and then it is history.
REVOKE INSERT, UPDATE, DELETE ON ai_stops FROM app_rw;
GRANT INSERT (scope, scope_value, reason, started_by) ON ai_stops TO app_rw;
GRANT UPDATE (ended_at, ended_by, end_reason) ON ai_stops TO app_rw;

CREATE TRIGGER keep_key BEFORE UPDATE ON ai_stops
    FOR EACH ROW WHEN (OLD.id <> NEW.id) EXECUTE FUNCTION keep_key();
CREATE TRIGGER audit_inserts AFTER INSERT ON ai_stops REFERENCING NEW TABLE AS arrived
    FOR EACH STATEMENT EXECUTE FUNCTION audit_changes('id', '', 'refused');
CREATE TRIGGER audit_updates AFTER UPDATE ON ai_stops REFERENCING OLD TABLE AS gone NEW TABLE AS arrived
    FOR EACH STATEMENT EXECUTE FUNCTION audit_changes('id', '', 'refused');
CREATE TRIGGER audit_updates AFTER UPDATE ON budget_alerts REFERENCING OLD TABLE AS gone NEW TABLE AS arrived
    FOR EACH STATEMENT EXECUTE FUNCTION audit_changes('id', '');
"""

READING = """
CREATE FUNCTION budget_covers(b budgets, workspace uuid, customer uuid, of_product text, of_provider text, of_type text)
    RETURNS boolean LANGUAGE sql IMMUTABLE PARALLEL SAFE
    RETURN CASE b.scope
        WHEN 'company' THEN true
        WHEN 'product' THEN b.scope_value = of_product
        WHEN 'provider' THEN b.scope_value = of_provider
        WHEN 'generation_type' THEN b.scope_value = of_type
        WHEN 'workspace' THEN b.workspace_id = workspace
        WHEN 'user' THEN b.workspace_id = workspace AND b.user_id = customer
    END;

-- The calendar period around a moment, by its days in a zone and by the moments at which they begin there: a day of
-- 23 hours is as long as it is, and one whose midnight is left out begins when its first hour does.
CREATE FUNCTION budget_period(period text, zone text, at timestamptz, OUT first_day date, OUT next_day date,
    OUT starts_at timestamptz, OUT ends_at timestamptz) LANGUAGE sql STABLE AS $$
    SELECT d.first_day, d.next_day, d.first_day::timestamp AT TIME ZONE zone, d.next_day::timestamp AT TIME ZONE zone
    FROM (
        SELECT f.first_day,
            CASE WHEN period <> 'lifetime' THEN (f.first_day + ('1 ' || period)::interval)::date END AS next_day
        FROM (
            SELECT CASE period WHEN 'lifetime' THEN date '1970-01-01'
                ELSE date_trunc(period, at AT TIME ZONE zone)::date END AS first_day
        ) AS f
    ) AS d
$$;

-- What the budgets that the caller sees have spent and held in the period around a moment.
CREATE FUNCTION budget_standings(at timestamptz) RETURNS TABLE (
    budget_id uuid, first_day date, next_day date, starts_at timestamptz, ends_at timestamptz, spent numeric,
    held numeric, refused bigint
) LANGUAGE sql STABLE AS $$
    SELECT b.id, p.first_day, p.next_day, p.starts_at, p.ends_at, d.spent, h.held, d.refused
    FROM budgets AS b
    CROSS JOIN LATERAL budget_period(b.period, b.timezone, at) AS p
    CROSS JOIN LATERAL (
        SELECT COALESCE(SUM(s.spent), 0) AS spent, COALESCE(SUM(s.refused), 0)::bigint AS refused
        FROM budget_days AS s
        WHERE s.budget_id = b.id AND s.day >= p.first_day AND (p.next_day IS NULL OR s.day < p.next_day)
    ) AS d
    CROSS JOIN LATERAL (
        SELECT COALESCE(SUM(GREATEST(c.amount - c.arrived, 0)), 0) AS held
        FROM ai_holds AS c
        WHERE c.expires_at > clock_timestamp()
            AND budget_covers(b, c.workspace_id, c.user_id, c.product, c.provider, c.generation_type)
    ) AS h
    WHERE b.deleted_at IS NULL
$$;

GRANT EXECUTE ON FUNCTION budget_covers(budgets, uuid, uuid, text, text, text), budget_period(text, text, timestamptz),
    budget_standings(timestamptz) TO app_rw, app_ro, app_pipe;
"""

# Calls that did not change what they cost add up to nothing, and then no budget's row is locked.
COUNTED = "workspace_id, user_id, product, provider, generation_type, request_key, created_at, cost"
ARRIVED = f"SELECT {COUNTED}, 1 AS sign FROM arrived"
GONE = f"SELECT {COUNTED}, -1 AS sign FROM gone"
CHANGES = {"INSERT": ARRIVED, "UPDATE": f"{ARRIVED} UNION ALL {GONE}", "DELETE": GONE}
SPEND = """
            WITH changes AS MATERIALIZED (
                SELECT c.workspace_id, c.user_id, c.product, c.provider, c.generation_type,
                    date_bin('15 minutes', c.created_at, timestamptz '2000-01-01 00:00+00') AS at,
                    SUM(c.cost * c.sign) AS cost
                FROM ({changes}) AS c
                WHERE c.cost <> 0
                GROUP BY 1, 2, 3, 4, 5, 6
                HAVING SUM(c.cost * c.sign) <> 0
            )
            INSERT INTO budget_days (budget_id, workspace_id, day, spent)
            SELECT b.id, b.workspace_id, (c.at AT TIME ZONE b.timezone)::date, SUM(c.cost)
            FROM changes AS c
            JOIN budgets AS b ON b.deleted_at IS NULL
                AND budget_covers(b, c.workspace_id, c.user_id, c.product, c.provider, c.generation_type)
            GROUP BY 1, 2, 3
            ORDER BY 1, 3
            ON CONFLICT (budget_id, day) DO UPDATE SET spent = budget_days.spent + EXCLUDED.spent;

            -- What has arrived is no longer held, in the same moment; a cost that was unknown is known by now.
            PERFORM 1 FROM ai_holds
            WHERE (workspace_id, call_key) IN (
                SELECT c.workspace_id, c.request_key::text FROM ({changes}) AS c WHERE c.request_key IS NOT NULL
            )
            ORDER BY workspace_id, call_key FOR UPDATE;
            UPDATE ai_holds AS h
            SET arrived = h.arrived + d.cost,
                amount = CASE WHEN h.settled_at IS NOT NULL AND h.is_estimate THEN LEAST(h.amount, h.arrived + d.cost)
                    ELSE h.amount END
            FROM (
                SELECT c.workspace_id, c.request_key::text AS call_key, SUM(c.cost * c.sign) AS cost
                FROM ({changes}) AS c
                WHERE c.request_key IS NOT NULL AND c.cost <> 0
                GROUP BY 1, 2
                HAVING SUM(c.cost * c.sign) <> 0
            ) AS d
            WHERE h.workspace_id = d.workspace_id AND h.call_key = d.call_key;"""


def counting() -> str:
    """The triggers that keep what was spent. Every zone of this century begins its days on a quarter of an hour."""
    branches = "".join(
        f"""
        {"IF" if operation == "INSERT" else "ELSIF"} TG_OP = '{operation}' THEN{SPEND.replace("{changes}", rows)}"""
        for operation, rows in CHANGES.items()
    )
    referencing = {
        "INSERT": "NEW TABLE AS arrived",
        "UPDATE": "OLD TABLE AS gone NEW TABLE AS arrived",
        "DELETE": "OLD TABLE AS gone",
    }
    triggers = "".join(
        f"""
    CREATE TRIGGER spend_of_{operation.lower()}s AFTER {operation} ON ai_generations REFERENCING {tables}
        FOR EACH STATEMENT EXECUTE FUNCTION count_budget_spend();"""
        for operation, tables in referencing.items()
    )
    return f"""
    CREATE FUNCTION count_budget_spend() RETURNS trigger
        LANGUAGE plpgsql SECURITY DEFINER SET search_path = pg_catalog, public AS $$
    BEGIN
        -- Whoever counts a budget anew waits until this is committed, and this waits for the count.
        PERFORM pg_advisory_xact_lock_shared(7316205126);{branches}
        END IF;
        RETURN NULL;
    END
    $$;{triggers}

    -- From all calls that there are; NULL: every budget. Refusals are no calls, and stay.
    CREATE FUNCTION recount_budgets(chosen uuid) RETURNS void
        LANGUAGE plpgsql SECURITY DEFINER SET search_path = pg_catalog, public AS $$
    BEGIN
        PERFORM pg_advisory_xact_lock(7316205126);
        UPDATE budget_days SET spent = 0 WHERE chosen IS NULL OR budget_id = chosen;
        INSERT INTO budget_days (budget_id, workspace_id, day, spent)
        SELECT b.id, b.workspace_id, (g.created_at AT TIME ZONE b.timezone)::date, SUM(g.cost)
        FROM budgets AS b
        JOIN ai_generations AS g ON g.cost <> 0 AND (b.workspace_id IS NULL OR g.workspace_id = b.workspace_id)
            AND budget_covers(b, g.workspace_id, g.user_id, g.product, g.provider, g.generation_type)
        WHERE b.deleted_at IS NULL AND (chosen IS NULL OR b.id = chosen)
        GROUP BY 1, 2, 3
        ON CONFLICT (budget_id, day) DO UPDATE SET spent = EXCLUDED.spent;
    END
    $$;

    CREATE FUNCTION recount_changed_budget() RETURNS trigger
        LANGUAGE plpgsql SECURITY DEFINER SET search_path = pg_catalog, public AS $$
    BEGIN
        PERFORM recount_budgets(NEW.id);
        RETURN NULL;
    END
    $$;
    CREATE TRIGGER count_new_budget AFTER INSERT ON budgets
        FOR EACH ROW WHEN (NEW.deleted_at IS NULL) EXECUTE FUNCTION recount_changed_budget();
    CREATE TRIGGER count_changed_budget AFTER UPDATE ON budgets
        FOR EACH ROW WHEN (NEW.deleted_at IS NULL
            AND (OLD.scope, OLD.scope_value, OLD.workspace_id, OLD.user_id, OLD.timezone, OLD.deleted_at)
                IS DISTINCT FROM (NEW.scope, NEW.scope_value, NEW.workspace_id, NEW.user_id, NEW.timezone,
                    NEW.deleted_at))
        EXECUTE FUNCTION recount_changed_budget();
    """


# The sentences may reach a customer: amounts are told of the customer's own budgets alone, and no reason of a stop.
ASKING = """
CREATE FUNCTION require_own_workspace(workspace uuid) RETURNS void LANGUAGE plpgsql STABLE
    SET search_path = pg_catalog, public AS $$
BEGIN
    IF workspace IS NULL OR workspace <> ALL (COALESCE(app_workspaces(), '{}')) THEN
        RAISE EXCEPTION 'The workspace is not one of this transaction''s.' USING ERRCODE = 'insufficient_privilege';
    END IF;
END
$$;

CREATE FUNCTION why_ai_is_blocked(workspace uuid, customer uuid, of_product text, of_provider text, of_type text,
    estimated_cost numeric) RETURNS TABLE (because text, budget_id uuid, stop_id uuid)
    LANGUAGE plpgsql STABLE SECURITY DEFINER SET search_path = pg_catalog, public AS $$
BEGIN
    PERFORM require_own_workspace(workspace);
    RETURN QUERY
    SELECT CASE s.scope WHEN 'all' THEN 'AI is stopped for now.'
            ELSE format('AI of %s is stopped for now.', s.scope_value) END, NULL::uuid, s.id
    FROM ai_stops AS s
    WHERE s.ended_at IS NULL
        AND (s.scope = 'all' OR s.scope = 'provider' AND s.scope_value = of_provider
            OR s.scope = 'product' AND s.scope_value = of_product)
    ORDER BY s.created_at
    LIMIT 1;
    IF FOUND THEN
        RETURN;
    END IF;
    RETURN QUERY
    SELECT CASE WHEN b.workspace_id IS NULL THEN 'A budget for AI is used up for now.'
            ELSE format('The budget %s allows %s USD %s, of which %s are spent and %s held for calls that run; this'
                ' call may cost %s.', b.name, trim_scale(b.amount),
                CASE b.period WHEN 'lifetime' THEN 'in all' ELSE 'a ' || b.period END, round(t.spent, 4),
                round(t.held, 4), COALESCE(trim_scale(estimated_cost)::text, 'more')) END, b.id, NULL::uuid
    FROM budgets AS b
    JOIN budget_standings(clock_timestamp()) AS t ON t.budget_id = b.id
    WHERE b.at_limit = 'block' AND b.is_active AND b.deleted_at IS NULL
        AND budget_covers(b, workspace, customer, of_product, of_provider, of_type)
        AND (t.spent + t.held >= b.amount OR t.spent + t.held + COALESCE(estimated_cost, 0) > b.amount)
    ORDER BY b.id
    LIMIT 1;
END
$$;

CREATE FUNCTION hold_ai_budget(workspace uuid, customer uuid, of_product text, of_provider text, of_type text,
    estimated_cost numeric, call_key text, keep_seconds integer DEFAULT 900, OUT is_allowed boolean, OUT because text,
    OUT budget_id uuid, OUT stop_id uuid)
    LANGUAGE plpgsql SECURITY DEFINER SET search_path = pg_catalog, public AS $$
BEGIN
    PERFORM require_own_workspace(workspace);
    IF current_setting('transaction_isolation') <> 'read committed' THEN
        RAISE EXCEPTION 'A budget is asked in a transaction that is READ COMMITTED: it must see what others hold.'
            USING ERRCODE = 'invalid_transaction_state';
    END IF;
    is_allowed := EXISTS (SELECT FROM ai_holds AS h
        WHERE h.workspace_id = workspace AND h.call_key = hold_ai_budget.call_key);
    IF is_allowed THEN
        RETURN;
    END IF;
    -- One at a time of those whom the same budget could refuse; the next statement sees what the one before holds.
    PERFORM 1 FROM budgets AS b
    WHERE b.at_limit = 'block' AND b.is_active AND b.deleted_at IS NULL
        AND budget_covers(b, workspace, customer, of_product, of_provider, of_type)
    ORDER BY b.id FOR NO KEY UPDATE;
    SELECT w.because, w.budget_id, w.stop_id INTO because, budget_id, stop_id
    FROM why_ai_is_blocked(workspace, customer, of_product, of_provider, of_type, estimated_cost) AS w;
    is_allowed := NOT FOUND;
    IF is_allowed THEN
        INSERT INTO ai_holds (workspace_id, call_key, user_id, product, provider, generation_type, amount, expires_at)
        VALUES (workspace, call_key, customer, of_product, of_provider, of_type, COALESCE(estimated_cost, 0),
            clock_timestamp() + make_interval(secs => keep_seconds))
        ON CONFLICT DO NOTHING;
    ELSIF stop_id IS NOT NULL THEN
        UPDATE ai_stops AS s SET refused = s.refused + 1 WHERE s.id = hold_ai_budget.stop_id;
    ELSE
        INSERT INTO budget_days (budget_id, workspace_id, day, refused)
        SELECT b.id, b.workspace_id, (clock_timestamp() AT TIME ZONE b.timezone)::date, 1
        FROM budgets AS b WHERE b.id = hold_ai_budget.budget_id
        ON CONFLICT ON CONSTRAINT budget_days_key DO UPDATE SET refused = budget_days.refused + 1;
    END IF;
END
$$;

-- A hold whose cost is known is of that cost; else it stays until the cost arrives, or for an hour.
CREATE FUNCTION settle_ai_hold(workspace uuid, call_key text, actual_cost numeric) RETURNS void
    LANGUAGE plpgsql SECURITY DEFINER SET search_path = pg_catalog, public AS $$
BEGIN
    PERFORM require_own_workspace(workspace);
    UPDATE ai_holds AS h
    SET settled_at = now(), expires_at = now() + interval '1 hour', is_estimate = actual_cost IS NULL,
        amount = CASE WHEN actual_cost IS NOT NULL THEN actual_cost
            WHEN h.arrived > 0 THEN LEAST(h.amount, h.arrived) ELSE h.amount END
    WHERE h.workspace_id = workspace AND h.call_key = settle_ai_hold.call_key AND h.settled_at IS NULL;
END
$$;

CREATE FUNCTION release_ai_hold(workspace uuid, call_key text) RETURNS void
    LANGUAGE plpgsql SECURITY DEFINER SET search_path = pg_catalog, public AS $$
BEGIN
    PERFORM require_own_workspace(workspace);
    DELETE FROM ai_holds AS h
    WHERE h.workspace_id = workspace AND h.call_key = release_ai_hold.call_key AND h.settled_at IS NULL;
END
$$;

CREATE FUNCTION forget_budget_traces(at_most integer) RETURNS integer
    LANGUAGE plpgsql SECURITY DEFINER SET search_path = pg_catalog, public AS $$
DECLARE
    holds integer;
    evaluations integer;
BEGIN
    DELETE FROM ai_holds WHERE (workspace_id, id) IN (
        SELECT workspace_id, id FROM ai_holds WHERE expires_at < now() - interval '1 day' LIMIT at_most);
    GET DIAGNOSTICS holds = ROW_COUNT;
    DELETE FROM budget_evaluations WHERE id IN (
        SELECT id FROM budget_evaluations WHERE created_at < now() - interval '400 days' LIMIT at_most);
    GET DIAGNOSTICS evaluations = ROW_COUNT;
    RETURN GREATEST(holds, evaluations);
END
$$;

GRANT EXECUTE ON FUNCTION why_ai_is_blocked(uuid, uuid, text, text, text, numeric),
    hold_ai_budget(uuid, uuid, text, text, text, numeric, text, integer), settle_ai_hold(uuid, text, numeric),
    release_ai_hold(uuid, text) TO app_rw, app_ingest;
GRANT EXECUTE ON FUNCTION forget_budget_traces(integer) TO app_rw;
"""


def upgrade() -> None:
    for part in (TABLES, GUARDS, READING, counting(), ASKING):
        run(part)
    run("SELECT recount_budgets(NULL)")


def downgrade() -> None:
    run(f"""
    DROP TRIGGER spend_of_inserts ON ai_generations;
    DROP TRIGGER spend_of_updates ON ai_generations;
    DROP TRIGGER spend_of_deletes ON ai_generations;
    DROP TRIGGER count_new_budget ON budgets;
    DROP TRIGGER count_changed_budget ON budgets;
    DROP TRIGGER audit_updates ON budget_alerts;
    DROP FUNCTION forget_budget_traces(integer), release_ai_hold(uuid, text), settle_ai_hold(uuid, text, numeric),
        hold_ai_budget(uuid, uuid, text, text, text, numeric, text, integer),
        why_ai_is_blocked(uuid, uuid, text, text, text, numeric), require_own_workspace(uuid),
        recount_changed_budget(), recount_budgets(uuid), count_budget_spend(), budget_standings(timestamptz),
        budget_period(text, text, timestamptz), budget_covers(budgets, uuid, uuid, text, text, text);
    DROP TABLE alert_deliveries, budget_evaluations, ai_holds, budget_days;
    DELETE FROM budget_alerts WHERE kind NOT IN ({OLD_KINDS});
    DROP INDEX budget_alerts_are_raised_once, budget_alerts_by_created_at;
    ALTER TABLE budget_alerts
        DROP COLUMN about,
        DROP COLUMN stop_id,
        DROP COLUMN snoozed_until,
        DROP COLUMN snoozed_by,
        DROP CONSTRAINT budget_alerts_workspace_id_id_is_unique,
        DROP CONSTRAINT kind_is_known,
        ADD CONSTRAINT kind_is_known CHECK (kind IN ({OLD_KINDS})),
        DROP CONSTRAINT an_alert_belongs_to_a_budget,
        ADD CONSTRAINT an_alert_belongs_to_a_budget CHECK (kind = 'emergency_stop' OR budget_id IS NOT NULL),
        ADD CONSTRAINT budget_alerts_budget_id_kind_period_start_threshold_is_unique UNIQUE (budget_id, kind,
            period_start, threshold);
    DROP TABLE ai_stops;
    ALTER TABLE budgets
        DROP COLUMN warns_of_forecast,
        DROP CONSTRAINT a_budget_has_a_name,
        DROP CONSTRAINT ai_is_priced_in_dollars,
        DROP CONSTRAINT timezone_is_a_zone;
    """)
