"""Quotas that any product reserves, settles and gives back by functions of the database.

A reservation adds to `held` of every balance that rules the call, in one conditional update per balance and in the
order of their keys: all of them take it, or none does. What was used is `opening_used` and the settled reservations;
what is held are the held ones. Locks are taken in one order by everyone: keys, reservations that are there, balances,
budgets, customers; so a transaction that reserves or settles once can't deadlock with another.

Revision: 0023
Follows: 0022
"""

from migrations.running import run

revision = "0023"
down_revision = "0022"

TABLES = """
ALTER TABLE quota_balances
    ADD COLUMN opening_used BIGINT DEFAULT 0 NOT NULL,
    ADD COLUMN over_since TIMESTAMP WITH TIME ZONE,
    ADD CONSTRAINT opening_used_is_not_negative CHECK (opening_used >= 0);
COMMENT ON COLUMN quota_balances.opening_used IS 'What was used before reservations were counted.';
COMMENT ON COLUMN quota_balances.over_since IS
    'Since when more than the limit is used and held: grace counts from then.';

ALTER TABLE quota_reservations
    ADD COLUMN key_place INTEGER DEFAULT 1 NOT NULL,
    ADD CONSTRAINT places_of_a_key_count_from_one CHECK (key_place >= 1);
COMMENT ON COLUMN quota_reservations.key_place IS '1, 2, 3 … per key, one for each balance; the first has the answer.';

GRANT SELECT (opening_used, over_since) ON quota_balances TO app_ro, app_pipe;
GRANT SELECT (key_place) ON quota_reservations TO app_ro, app_pipe;

UPDATE quota_balances AS b
SET opening_used = b.used - r.settled
FROM (
    SELECT q.workspace_id, q.id, COALESCE(SUM(v.settled_amount), 0)::bigint AS settled
    FROM quota_balances AS q
    LEFT JOIN quota_reservations AS v ON v.workspace_id = q.workspace_id AND v.balance_id = q.id
    GROUP BY q.workspace_id, q.id
) AS r
WHERE r.workspace_id = b.workspace_id AND r.id = b.id AND b.used > r.settled;
UPDATE quota_reservations AS q
SET key_place = n.place
FROM (
    SELECT workspace_id, id, row_number() OVER (PARTITION BY workspace_id, idempotency_key ORDER BY balance_id) AS place
    FROM quota_reservations
) AS n
WHERE n.workspace_id = q.workspace_id AND n.id = q.id AND n.place > 1;
CREATE UNIQUE INDEX quota_reservations_a_key_fills_each_place_once
    ON quota_reservations (workspace_id, idempotency_key, key_place);
"""

# A day begins with its first moment: at a midnight that comes twice with the first of the two, at one that is left out
# with the moment after the gap. So periods partition time in every zone.
PERIODS = """
CREATE FUNCTION first_moment_of(day date, zone text) RETURNS timestamptz LANGUAGE plpgsql IMMUTABLE PARALLEL SAFE
    SET search_path = pg_catalog, public AS $$
DECLARE
    midnight CONSTANT timestamptz := day::timestamp AT TIME ZONE zone;
    earlier CONSTANT timestamptz := midnight - interval '1 hour';
BEGIN
    RETURN CASE WHEN earlier AT TIME ZONE zone >= day::timestamp THEN earlier ELSE midnight END;
END
$$;

-- The period of a zone that holds a moment. Months and years are counted from the anchor's day and not from one
-- another: the 31st is the last of a shorter month, and the 31st again after it.
CREATE FUNCTION quota_period(
    of_period text, anchor timestamptz, zone text, at timestamptz, OUT starts_at timestamptz, OUT ends_at timestamptz
) LANGUAGE plpgsql IMMUTABLE PARALLEL SAFE SET search_path = pg_catalog, public AS $$
DECLARE
    began CONSTANT date := (anchor AT TIME ZONE zone)::date;
    today CONSTANT date := (at AT TIME ZONE zone)::date;
    months integer;
    step CONSTANT integer := CASE of_period WHEN 'year' THEN 12 ELSE 1 END;
BEGIN
    IF of_period = 'lifetime' THEN
        starts_at := first_moment_of(began, zone);
    ELSIF of_period = 'day' THEN
        starts_at := first_moment_of(today, zone);
        ends_at := first_moment_of(today + 1, zone);
    ELSE
        months := step * floor((12 * (extract(year FROM today) - extract(year FROM began))
            + extract(month FROM today) - extract(month FROM began)) / step);
        IF began + make_interval(months => months) > today THEN
            months := months - step;
        END IF;
        starts_at := first_moment_of((began + make_interval(months => months))::date, zone);
        ends_at := first_moment_of((began + make_interval(months => months + step))::date, zone);
    END IF;
END
$$;
"""

# Plans limit a workspace; a customer's own limits and those of services by the day limit a person in it; an override
# takes the place of either, or stands where there was none. Without a plan nothing is allowed, but to the house.
LIMITS = """
CREATE FUNCTION quota_limits(workspace uuid, customer uuid, of_product text, of_meter text, at timestamptz)
    RETURNS TABLE (
        user_id uuid, period text, source text, limit_amount bigint, grace_amount bigint, grace_days integer,
        is_soft boolean, rolls_over boolean, period_start timestamptz, period_end timestamptz
    ) LANGUAGE plpgsql STABLE SET search_path = pg_catalog, public AS $$
BEGIN
    RETURN QUERY
    WITH home AS MATERIALIZED (
        SELECT w.timezone, w.created_at, w.kind, s.plan_id, COALESCE(s.started_at, w.created_at) AS anchor
        FROM workspaces AS w
        LEFT JOIN subscriptions AS s ON s.workspace_id = w.id AND s.product = of_product
            AND s.status IN ('trialing', 'active', 'past_due')
        WHERE w.id = workspace
    ),
    said AS (
        SELECT NULL::uuid AS user_id, l.period, 'plan' AS source, l.amount, l.grace_amount, l.grace_days,
            l.enforcement = 'soft' AS is_soft, l.rolls_over
        FROM home AS h
        JOIN plan_limits AS l ON l.plan_id = h.plan_id AND l.meter = of_meter
        UNION ALL
        SELECT u.id, o.period, 'customer', o.amount, 0, 0, false, false
        FROM users AS u
        CROSS JOIN LATERAL (
            VALUES ('emails', 'month', u.monthly_email_limit), ('contacts', 'lifetime', u.contact_limit)
        ) AS o (meter, period, amount)
        WHERE u.id = customer AND of_product = 'mailer' AND o.meter = of_meter AND o.amount IS NOT NULL
        UNION ALL
        SELECT customer, 'day', 'service', (g.value ->> of_meter)::bigint, 0, 0, false, false
        FROM settings AS g
        WHERE g.key = 'ai_service_limits' AND customer IS NOT NULL AND jsonb_typeof(g.value -> of_meter) = 'number'
    ),
    excepted AS (
        SELECT DISTINCT ON (o.user_id, o.period) o.user_id, o.period, o.limit_amount
        FROM quota_overrides AS o
        WHERE o.workspace_id = workspace AND o.product = of_product AND o.meter = of_meter
            AND (o.user_id IS NULL OR o.user_id = customer) AND o.starts_at <= at AND o.ends_at > at
        ORDER BY o.user_id, o.period, o.starts_at DESC, o.id DESC
    ),
    ruled AS (
        SELECT COALESCE(s.user_id, e.user_id) AS user_id, COALESCE(s.period, e.period) AS period,
            CASE WHEN e.period IS NULL THEN s.source ELSE 'override' END AS source,
            CASE WHEN e.period IS NULL THEN s.amount ELSE e.limit_amount END AS amount,
            COALESCE(s.grace_amount, 0) AS grace_amount, COALESCE(s.grace_days, 0) AS grace_days,
            COALESCE(s.is_soft, false) AS is_soft, COALESCE(s.rolls_over, false) AS rolls_over
        FROM said AS s
        FULL JOIN excepted AS e ON e.period = s.period
            AND COALESCE(e.user_id, house_workspace()) = COALESCE(s.user_id, house_workspace())
    ),
    complete AS (
        SELECT r.user_id, r.period, r.source, r.amount, r.grace_amount, r.grace_days, r.is_soft, r.rolls_over
        FROM ruled AS r
        UNION ALL
        -- What a plan does not mention is counted by the month and not limited.
        SELECT NULL, 'month', CASE WHEN h.plan_id IS NULL AND h.kind <> 'house' THEN 'no plan' ELSE 'none' END,
            CASE WHEN h.plan_id IS NULL AND h.kind <> 'house' THEN 0 END, 0, 0, false, false
        FROM home AS h
        WHERE NOT EXISTS (SELECT FROM ruled AS r WHERE r.user_id IS NULL)
    )
    SELECT c.user_id, c.period, c.source, c.amount, c.grace_amount, c.grace_days, c.is_soft,
        -- In the first period there is nothing to bring along.
        c.rolls_over AND p.starts_at > first_moment_of((h.anchor AT TIME ZONE h.timezone)::date, h.timezone),
        p.starts_at, p.ends_at
    FROM home AS h
    CROSS JOIN complete AS c
    CROSS JOIN LATERAL quota_period(
        c.period, CASE c.period WHEN 'lifetime' THEN h.created_at ELSE h.anchor END, h.timezone, at
    ) AS p
    ORDER BY c.user_id NULLS FIRST, c.period;
END
$$;

-- So much more than the limit is allowed, until so many days after the limit was passed; no days: for the period.
CREATE FUNCTION quota_grace(amount bigint, days integer, over_since timestamptz, at timestamptz)
    RETURNS bigint LANGUAGE sql IMMUTABLE PARALLEL SAFE
    RETURN CASE WHEN days = 0 OR over_since IS NULL OR at < over_since + make_interval(days => days) THEN amount
        ELSE 0 END;

-- A balance that rules a call, with the limit as it is now.
CREATE TYPE quota_level AS (
    balance_id uuid, user_id uuid, meter text, period text, source text, amount bigint, limit_amount bigint,
    grace_amount bigint, grace_days integer, is_soft boolean, rolled_over bigint, period_start timestamptz,
    period_end timestamptz, used bigint, held bigint, over_since timestamptz
);

-- The balances that rule a call, in the order in which they are locked; those that are missing are opened. A period
-- that has begun goes on to its end, also when its zone or its anchor changes: what was used stays used.
CREATE FUNCTION open_quotas(workspace uuid, customer uuid, of_product text, wanted jsonb, at timestamptz)
    RETURNS quota_level[] LANGUAGE plpgsql SET search_path = pg_catalog, public AS $$
DECLARE
    ruling record;
    open_one quota_balances;
    last_end timestamptz;
    carried bigint;
    level quota_level;
    levels quota_level[] := '{}';
BEGIN
    FOR ruling IN
        SELECT w.key AS meter, w.value::bigint AS amount, l.user_id, l.period, l.source, l.limit_amount, l.grace_amount,
            l.grace_days, l.is_soft, l.rolls_over, l.period_start, l.period_end
        FROM jsonb_each_text(wanted) AS w
        CROSS JOIN LATERAL quota_limits(workspace, customer, of_product, w.key, at) AS l
        ORDER BY w.key, l.user_id NULLS FIRST, l.period
    LOOP
        SELECT b.* INTO open_one
        FROM quota_balances AS b
        WHERE b.workspace_id = workspace AND b.user_id IS NOT DISTINCT FROM ruling.user_id AND b.product = of_product
            AND b.meter = ruling.meter AND b.period = ruling.period
            AND b.period_start <= at AND (b.period_end IS NULL OR b.period_end > at)
        ORDER BY b.period_start DESC
        LIMIT 1;
        IF open_one.id IS NULL THEN
            SELECT MAX(b.period_end) INTO last_end
            FROM quota_balances AS b
            WHERE b.workspace_id = workspace AND b.user_id IS NOT DISTINCT FROM ruling.user_id
                AND b.product = of_product AND b.meter = ruling.meter AND b.period = ruling.period
                AND b.period_end <= at;
            INSERT INTO quota_balances (workspace_id, user_id, product, meter, period, period_start, period_end,
                limit_amount, grace_amount, is_soft)
            VALUES (workspace, ruling.user_id, of_product, ruling.meter, ruling.period,
                GREATEST(ruling.period_start, last_end), ruling.period_end, ruling.limit_amount, ruling.grace_amount,
                ruling.is_soft)
            ON CONFLICT DO NOTHING;
            SELECT b.* INTO STRICT open_one
            FROM quota_balances AS b
            WHERE b.workspace_id = workspace AND b.user_id IS NOT DISTINCT FROM ruling.user_id
                AND b.product = of_product AND b.meter = ruling.meter AND b.period = ruling.period
                AND b.period_start = GREATEST(ruling.period_start, last_end);
        END IF;
        carried := 0;
        IF ruling.rolls_over THEN
            -- What was left of one period goes into the next, and no further: at most a limit is brought along.
            SELECT GREATEST(0, LEAST(b.limit_amount, b.limit_amount + b.rolled_over - b.used - b.held)) INTO carried
            FROM quota_balances AS b
            WHERE b.workspace_id = workspace AND b.user_id IS NOT DISTINCT FROM ruling.user_id
                AND b.product = of_product AND b.meter = ruling.meter AND b.period = ruling.period
                AND b.period_end = open_one.period_start;
            IF NOT FOUND THEN
                carried := ruling.limit_amount;
            END IF;
        END IF;
        level := ROW(
            open_one.id, ruling.user_id, ruling.meter, ruling.period, ruling.source, ruling.amount, ruling.limit_amount,
            ruling.grace_amount, ruling.grace_days, ruling.is_soft, COALESCE(carried, 0), open_one.period_start,
            open_one.period_end, open_one.used, open_one.held, open_one.over_since
        );
        levels := levels || level;
    END LOOP;
    RETURN ARRAY(SELECT o FROM unnest(levels) AS o ORDER BY o.balance_id);
END
$$;

-- Say on the open balances what limits them now: pages show it before the next call.
CREATE FUNCTION renew_quota_limits(workspace uuid, customer uuid, of_product text, of_meter text) RETURNS void
    LANGUAGE sql SET search_path = pg_catalog, public AS $$
    UPDATE quota_balances AS b
    SET limit_amount = o.limit_amount, grace_amount = o.grace_amount, is_soft = o.is_soft, rolled_over = o.rolled_over
    FROM unnest(open_quotas(workspace, customer, of_product, jsonb_build_object(of_meter, 0), clock_timestamp())) AS o
    WHERE b.workspace_id = workspace AND b.id = o.balance_id;
$$;
"""

# What a product can show as it stands. A limit of a plan is answered with the plan that has more of it.
ANSWERS = """
CREATE FUNCTION quota_words(meter text) RETURNS text LANGUAGE sql IMMUTABLE PARALLEL SAFE
    RETURN CASE meter
        WHEN 'ai_credits' THEN 'AI credits' WHEN 'api_calls' THEN 'API calls'
        WHEN 'storage_bytes' THEN 'bytes of storage'
        WHEN 'imagen' THEN 'Imagen pictures' WHEN 'veo' THEN 'Veo videos' WHEN 'emails' THEN 'e-mails'
        ELSE replace(meter, '_', ' ') END;

CREATE FUNCTION quota_told(level quota_level, now_used bigint, now_held bigint) RETURNS jsonb
    LANGUAGE sql IMMUTABLE PARALLEL SAFE
    RETURN jsonb_build_object(
        'for', CASE WHEN (level).user_id IS NULL THEN 'workspace' ELSE 'customer' END,
        'source', (level).source, 'meter', (level).meter, 'period', (level).period,
        'period_start', (level).period_start, 'period_end', (level).period_end,
        'limit', (level).limit_amount, 'grace', (level).grace_amount, 'rolled_over', (level).rolled_over,
        'is_soft', (level).is_soft, 'used', now_used, 'held', now_held,
        'left', GREATEST(0, (level).limit_amount + (level).rolled_over - now_used - now_held)
    );

-- What can be done in place of what was asked for.
CREATE FUNCTION quota_instead(meter text) RETURNS jsonb LANGUAGE sql IMMUTABLE PARALLEL SAFE
    RETURN CASE
        WHEN meter IN ('generations', 'image_generations', 'video_generations', 'ai_credits', 'imagen', 'veo') THEN
            jsonb_build_object('action', 'preview', 'text', 'A preview from templates is shown in place of a new one.')
        WHEN meter = 'emails' THEN
            jsonb_build_object('action', 'queue', 'text', 'The e-mails wait, and go out when the next period begins.')
        WHEN meter = 'contacts' THEN
            jsonb_build_object('action', 'read_only', 'text', 'Contacts that are there stay; no new ones are added.')
        WHEN meter = 'campaigns' THEN
            jsonb_build_object('action', 'draft', 'text', 'The campaign is kept as a draft.')
        WHEN meter = 'api_calls' THEN
            jsonb_build_object('action', 'slow_down', 'text', 'Calls are answered again when the next period begins.')
        ELSE jsonb_build_object('action', 'read_only', 'text', 'What is there stays; nothing is added.')
    END;

CREATE FUNCTION quota_upgrade(workspace uuid, of_product text, of_meter text, of_period text, above bigint)
    RETURNS jsonb LANGUAGE sql STABLE SET search_path = pg_catalog, public AS $$
    SELECT jsonb_build_object('plan', p.name, 'tier', p.tier, 'plan_id', p.id, 'limit', l.amount, 'price', p.price,
        'currency', p.currency, 'billing_period', p.billing_period)
    FROM workspaces AS w
    LEFT JOIN subscriptions AS s ON s.workspace_id = w.id AND s.product = of_product
        AND s.status IN ('trialing', 'active', 'past_due')
    LEFT JOIN plans AS c ON c.id = s.plan_id
    JOIN plans AS p ON p.product = of_product AND p.status = 'published'
        AND p.currency = COALESCE(c.currency, w.currency)
        AND p.billing_period = COALESCE(c.billing_period, 'monthly') AND p.price > COALESCE(c.price, -1)
    LEFT JOIN plan_limits AS l ON l.plan_id = p.id AND l.meter = of_meter AND l.period = of_period
    WHERE w.id = workspace AND (l.amount IS NULL OR l.amount > above)
    ORDER BY p.price, p.version DESC
    LIMIT 1
$$;

CREATE FUNCTION quota_refused(workspace uuid, of_product text, level quota_level) RETURNS jsonb
    LANGUAGE plpgsql STABLE SET search_path = pg_catalog, public AS $$
DECLARE
    -- A larger plan helps against a limit of a plan alone.
    upgrade CONSTANT jsonb := CASE WHEN level.source IN ('plan', 'no plan') THEN
        quota_upgrade(workspace, of_product, level.meter, level.period, level.limit_amount) END;
    allowed CONSTANT text := to_char(level.limit_amount + level.rolled_over, 'FM999,999,999,999,990');
    at_end CONSTANT timestamptz := CASE level.source WHEN 'no plan' THEN NULL ELSE level.period_end END;
BEGIN
    RETURN jsonb_build_object(
        'verdict', 'refused', 'because', CASE level.source WHEN 'no plan' THEN 'no plan' ELSE 'limit' END,
        'limit', quota_told(level, level.used, level.held),
        'degrade', quota_instead(level.meter) || jsonb_build_object(
            'title', CASE
                WHEN level.source = 'no plan' THEN 'There is no plan for this yet.'
                WHEN level.period = 'lifetime' THEN format('All %s %s of the plan are taken.', allowed,
                    quota_words(level.meter))
                ELSE format('All %s %s of this %s are used.', allowed, quota_words(level.meter), level.period) END,
            'upgrade', upgrade, 'prompt', CASE WHEN upgrade IS NULL THEN NULL ELSE format('%s has %s.',
                upgrade ->> 'plan', COALESCE(to_char((upgrade ->> 'limit')::bigint, 'FM999,999,999,999,990'),
                    'any number of') || ' ' || quota_words(level.meter)) END,
            'again_at', at_end
        )
    );
END
$$;

CREATE FUNCTION quota_refused_by_money(because text, said text, of_meter text) RETURNS jsonb
    LANGUAGE sql IMMUTABLE PARALLEL SAFE
    RETURN jsonb_build_object('verdict', 'refused', 'because', because, 'degrade',
        quota_instead(of_meter)
            || jsonb_build_object('title', said, 'upgrade', NULL, 'prompt', NULL, 'again_at', NULL));
"""

ENGINE = """
-- Budgets and emergency stops: a sentence when one of them blocks the call, NULL when the call may go on. It holds the
-- most that the call may cost under the same key.
CREATE FUNCTION budget_verdict(
    workspace uuid, customer uuid, of_product text, call jsonb, key text, holds_for interval, OUT said text,
    OUT is_stop boolean
) LANGUAGE plpgsql SET search_path = pg_catalog, public AS $$
DECLARE
    answer record;
BEGIN
    SELECT h.is_allowed, h.because, h.stop_id INTO answer
    FROM hold_ai_budget(workspace, customer, of_product, call ->> 'provider', call ->> 'generation_type',
        (call ->> 'estimated_cost')::numeric, key, CEIL(extract(epoch FROM holds_for))::integer) AS h;
    IF NOT answer.is_allowed THEN
        said := answer.because;
        is_stop := answer.stop_id IS NOT NULL;
    END IF;
END
$$;

-- Take amounts off what is held, and add to what is used.
CREATE FUNCTION move_quota(workspace uuid, balance uuid, less_held bigint, more_used bigint, at timestamptz)
    RETURNS void LANGUAGE sql SET search_path = pg_catalog, public AS $$
    UPDATE quota_balances AS b
    SET held = b.held - less_held, used = b.used + more_used,
        over_since = CASE
            WHEN b.limit_amount IS NULL
                OR b.used + b.held + more_used - less_held <= b.limit_amount + b.rolled_over THEN NULL
            ELSE COALESCE(b.over_since, at) END
    WHERE b.workspace_id = workspace AND b.id = balance
$$;

CREATE FUNCTION return_credits(workspace uuid, reservation uuid, at_most integer) RETURNS void
    LANGUAGE sql SET search_path = pg_catalog, public AS $$
    INSERT INTO credit_transactions (workspace_id, user_id, amount, type, reference_id, reference_type, description)
    SELECT t.workspace_id, t.user_id, LEAST(at_most, -t.amount), 'refund', t.reference_id, 'reservation',
        'Held for a call and not used'
    FROM credit_transactions AS t
    WHERE t.workspace_id = workspace AND t.reference_id = reservation AND t.reference_type = 'reservation'
        AND t.type = 'usage' AND LEAST(at_most, -t.amount) > 0
$$;

-- Give back what was held too much; after the reservation expired, which gave back all, take what there is again.
CREATE FUNCTION settle_credits(workspace uuid, reservation uuid, asked jsonb, is_held boolean, actual integer)
    RETURNS void LANGUAGE plpgsql SET search_path = pg_catalog, public AS $$
DECLARE
    were_held CONSTANT integer := (asked ->> 'credits')::integer;
    spent CONSTANT integer := COALESCE(actual, were_held);
BEGIN
    IF spent NOT BETWEEN 0 AND were_held THEN
        RAISE EXCEPTION 'From none to % credits can be used: so many were held.', were_held
            USING ERRCODE = 'invalid_parameter_value';
    END IF;
    IF is_held THEN
        PERFORM return_credits(workspace, reservation, were_held - spent);
        RETURN;
    END IF;
    INSERT INTO credit_transactions (workspace_id, user_id, amount, type, reference_id, reference_type, description)
    SELECT workspace, u.id, -LEAST(spent, u.credits_balance), 'usage', reservation, 'late call', 'Used by a call'
    FROM users AS u
    WHERE u.id = (asked ->> 'customer')::uuid AND LEAST(spent, u.credits_balance) > 0
    FOR NO KEY UPDATE;
END
$$;

CREATE FUNCTION require_quota_call(workspace uuid, customer uuid, wanted jsonb, key text) RETURNS void
    LANGUAGE plpgsql STABLE SET search_path = pg_catalog, public AS $$
BEGIN
    IF NOT EXISTS (SELECT FROM workspaces WHERE id = workspace AND deleted_at IS NULL
        AND (NOT row_security_active('workspaces') OR id = ANY (COALESCE(app_workspaces(), '{}'))))
    THEN
        RAISE EXCEPTION 'The workspace is not one of this transaction''s.' USING ERRCODE = 'insufficient_privilege';
    END IF;
    IF customer IS NOT NULL
        AND NOT EXISTS (SELECT FROM workspace_members AS m WHERE m.workspace_id = workspace AND m.user_id = customer
            AND m.deleted_at IS NULL)
        AND NOT EXISTS (SELECT FROM workspaces AS w WHERE w.id = workspace AND w.owner_id = customer)
    THEN
        RAISE EXCEPTION 'The customer is not in this workspace.' USING ERRCODE = 'foreign_key_violation';
    END IF;
    IF COALESCE(key, '') = '' THEN
        RAISE EXCEPTION 'A reservation is asked for under a key.' USING ERRCODE = 'invalid_parameter_value';
    END IF;
    IF wanted IS NULL OR jsonb_typeof(wanted) <> 'object' OR wanted = '{}'::jsonb
        OR EXISTS (SELECT FROM jsonb_each(wanted) AS w WHERE jsonb_typeof(w.value) <> 'number')
        OR EXISTS (SELECT FROM jsonb_each_text(wanted) AS w
            WHERE w.value::numeric <> trunc(w.value::numeric) OR w.value::numeric NOT BETWEEN 1 AND 1000000000000000)
    THEN
        RAISE EXCEPTION 'What is reserved is a whole number above zero of each meter, not %.', wanted
            USING ERRCODE = 'invalid_parameter_value';
    END IF;
END
$$;

-- What a key was told before, and what has become of it since; NULL where it is new.
CREATE FUNCTION quota_replay(workspace uuid, key text, asked jsonb) RETURNS jsonb
    LANGUAGE plpgsql SET search_path = pg_catalog, public AS $$
DECLARE
    stored record;
BEGIN
    SELECT r.answer, r.state INTO stored
    FROM quota_reservations AS r
    WHERE r.workspace_id = workspace AND r.idempotency_key = key AND r.key_place = 1;
    IF NOT FOUND THEN
        RETURN NULL;
    END IF;
    IF stored.answer -> 'asked' IS DISTINCT FROM asked THEN
        RAISE EXCEPTION 'The key was used before, to ask for something else.' USING ERRCODE = 'invalid_parameter_value';
    END IF;
    RETURN stored.answer || jsonb_build_object('replayed', true, 'state', stored.state);
END
$$;

-- Reserve amounts of meters for a call, and credits, and money of budgets: all that it needs, or nothing. The answer
-- says 'admitted' or 'refused', and then what can be shown in place. Asked again under its key, an admitted call gets
-- the same answer; a refused one has held nothing and is decided anew.
CREATE FUNCTION quota_reserve(
    workspace uuid, customer uuid, of_product text, wanted jsonb, idempotency_key text, call jsonb DEFAULT '{}',
    credits integer DEFAULT 0, holds_for interval DEFAULT '15 minutes', at timestamptz DEFAULT clock_timestamp()
) RETURNS jsonb LANGUAGE plpgsql SET search_path = pg_catalog, public AS $$
#variable_conflict use_column
DECLARE
    key CONSTANT text := quota_reserve.idempotency_key;
    asked CONSTANT jsonb := jsonb_build_object('customer', customer, 'product', of_product, 'wanted', wanted,
        'credits', credits);
    answer jsonb;
    levels quota_level[];
    level quota_level;
    now_used bigint;
    now_held bigint;
    taken integer := 0;
    told jsonb := '[]';
    flags jsonb := '[]';
    refusal jsonb;
    first_id uuid;
BEGIN
    PERFORM require_quota_call(workspace, customer, wanted, key);
    -- One at a time under a key. Who held balances and then met a row of the same key that is being settled or swept
    -- would wait for somebody who waits for the balances.
    PERFORM pg_advisory_xact_lock(hashtextextended(concat(workspace, ' ', key), 23));
    answer := quota_replay(workspace, key, asked);
    IF answer IS NOT NULL THEN
        RETURN answer;
    END IF;
    levels := open_quotas(workspace, customer, of_product, wanted, at);
    -- Where it is plain that there is no room, nothing is locked or written.
    FOREACH level IN ARRAY levels LOOP
        IF NOT level.is_soft AND level.used + level.held + level.amount > level.limit_amount + level.rolled_over
            + quota_grace(level.grace_amount, level.grace_days, level.over_since, at)
        THEN
            RETURN quota_refused(workspace, of_product, level);
        END IF;
    END LOOP;
    FOREACH level IN ARRAY levels LOOP
        UPDATE quota_balances AS b
        SET held = b.held + level.amount, limit_amount = level.limit_amount, grace_amount = level.grace_amount,
            is_soft = level.is_soft, rolled_over = level.rolled_over,
            over_since = CASE
                WHEN level.limit_amount IS NULL
                    OR b.used + b.held + level.amount <= level.limit_amount + level.rolled_over THEN NULL
                ELSE COALESCE(b.over_since, at) END
        WHERE b.workspace_id = workspace AND b.id = level.balance_id
            AND (level.limit_amount IS NULL OR level.is_soft
                OR b.used + b.held + level.amount <= level.limit_amount + level.rolled_over
                    + quota_grace(level.grace_amount, level.grace_days, b.over_since, at))
        RETURNING b.used, b.held INTO now_used, now_held;
        IF NOT FOUND THEN
            SELECT b.used, b.held INTO level.used, level.held
            FROM quota_balances AS b WHERE b.workspace_id = workspace AND b.id = level.balance_id;
            refusal := quota_refused(workspace, of_product, level);
            EXIT;
        END IF;
        taken := taken + 1;
        told := told || quota_told(level, now_used, now_held);
        IF now_used + now_held > level.limit_amount + level.rolled_over THEN
            flags := flags || jsonb_build_array(CASE WHEN level.is_soft THEN 'over_soft_limit' ELSE 'in_grace' END);
        END IF;
    END LOOP;
    IF refusal IS NULL THEN
        answer := jsonb_build_object('verdict', 'admitted', 'key', key, 'asked', asked, 'limits', told, 'flags', flags,
            'expires_at', at + holds_for);
        INSERT INTO quota_reservations (workspace_id, balance_id, idempotency_key, amount, expires_at, answer)
        VALUES (workspace, (levels[1]).balance_id, key, (levels[1]).amount, at + holds_for, answer)
        RETURNING id INTO first_id;
        INSERT INTO quota_reservations (workspace_id, balance_id, idempotency_key, key_place, amount, expires_at)
        SELECT workspace, (levels[place]).balance_id, key, place, (levels[place]).amount, at + holds_for
        FROM generate_series(2, cardinality(levels)) AS place;
        refusal := quota_paid(workspace, customer, of_product, wanted, key, call, credits, holds_for, first_id);
        IF refusal IS NOT NULL THEN
            DELETE FROM quota_reservations AS r WHERE r.workspace_id = workspace AND r.idempotency_key = key;
        END IF;
    END IF;
    IF refusal IS NULL THEN
        RETURN answer || '{"replayed": false, "state": "held"}';
    END IF;
    FOR place IN 1 .. taken LOOP
        PERFORM move_quota(workspace, (levels[place]).balance_id, (levels[place]).amount, 0, at);
    END LOOP;
    RETURN refusal;
END
$$;

-- What a call needs besides quota: money of budgets, unless no meter of it is one of AI, and the customer's credits. A
-- refusal where either is missing, and nothing is taken then.
CREATE FUNCTION quota_paid(
    workspace uuid, customer uuid, of_product text, wanted jsonb, key text, call jsonb, credits integer,
    holds_for interval, reservation uuid
) RETURNS jsonb LANGUAGE plpgsql SET search_path = pg_catalog, public AS $$
DECLARE
    is_ai CONSTANT boolean := call <> '{}'::jsonb OR wanted ?| ARRAY['generations', 'image_generations',
        'video_generations', 'ai_credits', 'imagen', 'veo'];
    of_meter CONSTANT text := (SELECT MIN(w.key) FROM jsonb_each(wanted) AS w);
    verdict record;
    balance integer;
BEGIN
    IF is_ai THEN
        SELECT v.said, v.is_stop INTO verdict
        FROM budget_verdict(workspace, customer, of_product, call, key, holds_for) AS v;
        IF verdict.said IS NOT NULL THEN
            RETURN quota_refused_by_money(CASE WHEN verdict.is_stop THEN 'stop' ELSE 'budget' END, verdict.said,
                of_meter);
        END IF;
    END IF;
    IF credits > 0 THEN
        SELECT u.credits_balance INTO balance FROM users AS u WHERE u.id = customer FOR NO KEY UPDATE;
        IF COALESCE(balance, 0) < credits THEN
            PERFORM release_ai_hold(workspace, key);
            RETURN quota_refused_by_money('credits', format('This takes %s credits, and %s are left.', credits,
                COALESCE(balance, 0)), of_meter);
        END IF;
        INSERT INTO credit_transactions (workspace_id, user_id, amount, type, reference_id, reference_type, description)
        VALUES (workspace, customer, -credits, 'usage', reservation, 'reservation', 'Held for a call');
    END IF;
    RETURN NULL;
END
$$;

-- The call is over: what it really used is counted in the period in which it was reserved, also where that is more than
-- was held, and also after the reservation expired. Meters that are not named used what was held.
CREATE FUNCTION quota_settle(
    workspace uuid, idempotency_key text, actual jsonb DEFAULT '{}', actual_cost numeric DEFAULT NULL,
    actual_credits integer DEFAULT NULL, at timestamptz DEFAULT clock_timestamp()
) RETURNS jsonb LANGUAGE plpgsql SET search_path = pg_catalog, public AS $$
#variable_conflict use_column
DECLARE
    key CONSTANT text := quota_settle.idempotency_key;
    one record;
    counted bigint;
    answer jsonb;
    changed boolean := false;
    is_late boolean := false;
    over jsonb := '{}';
BEGIN
    FOR one IN
        SELECT r.id, r.balance_id, r.amount, r.state, r.answer, r.key_place, b.meter
        FROM quota_reservations AS r
        JOIN quota_balances AS b ON b.workspace_id = r.workspace_id AND b.id = r.balance_id
        WHERE r.workspace_id = workspace AND r.idempotency_key = key
        ORDER BY r.balance_id
        FOR UPDATE OF r
    LOOP
        answer := COALESCE(answer, '{}') || jsonb_build_object('state', one.state);
        CONTINUE WHEN one.state NOT IN ('held', 'expired');
        counted := COALESCE((actual ->> one.meter)::bigint, one.amount);
        UPDATE quota_reservations AS r SET state = 'settled', settled_amount = counted
        WHERE r.workspace_id = workspace AND r.id = one.id;
        PERFORM move_quota(workspace, one.balance_id, CASE one.state WHEN 'held' THEN one.amount ELSE 0 END, counted,
            at);
        changed := true;
        is_late := is_late OR one.state = 'expired';
        IF counted > one.amount THEN
            over := over || jsonb_build_object(one.meter, counted - one.amount);
        END IF;
        IF one.key_place = 1 AND (one.answer #>> '{asked,credits}')::integer > 0 THEN
            PERFORM settle_credits(workspace, one.id, one.answer -> 'asked', one.state = 'held', actual_credits);
        END IF;
    END LOOP;
    IF answer IS NULL THEN
        RAISE EXCEPTION 'Nothing was reserved under this key.' USING ERRCODE = 'no_data_found';
    END IF;
    IF changed THEN
        PERFORM settle_ai_hold(workspace, key, actual_cost);
        RETURN jsonb_build_object('state', 'settled', 'changed', true, 'late', is_late, 'over', over);
    END IF;
    RETURN answer || '{"changed": false, "late": false, "over": {}}';
END
$$;

-- The call was not made: everything that was held for it is free again.
CREATE FUNCTION quota_release(
    workspace uuid, idempotency_key text, at timestamptz DEFAULT clock_timestamp()
) RETURNS jsonb LANGUAGE plpgsql SET search_path = pg_catalog, public AS $$
#variable_conflict use_column
DECLARE
    key CONSTANT text := quota_release.idempotency_key;
    one record;
    state text;
    changed boolean := false;
BEGIN
    FOR one IN
        SELECT r.id, r.balance_id, r.amount, r.state, r.answer, r.key_place
        FROM quota_reservations AS r
        WHERE r.workspace_id = workspace AND r.idempotency_key = key
        ORDER BY r.balance_id
        FOR UPDATE
    LOOP
        state := one.state;
        CONTINUE WHEN one.state <> 'held';
        UPDATE quota_reservations AS r SET state = 'released' WHERE r.workspace_id = workspace AND r.id = one.id;
        PERFORM move_quota(workspace, one.balance_id, one.amount, 0, at);
        state := 'released';
        changed := true;
        IF one.key_place = 1 THEN
            PERFORM return_credits(workspace, one.id, (one.answer #>> '{asked,credits}')::integer);
        END IF;
    END LOOP;
    IF state IS NULL THEN
        RAISE EXCEPTION 'Nothing was reserved under this key.' USING ERRCODE = 'no_data_found';
    END IF;
    IF changed THEN
        PERFORM release_ai_hold(workspace, key);
    END IF;
    RETURN jsonb_build_object('state', state, 'changed', changed);
END
$$;
"""

# The worker calls this for everybody. What another session settles or releases in this moment is passed over.
SWEEPING = """
CREATE FUNCTION expire_quotas_at(at timestamptz, at_most integer) RETURNS bigint
    LANGUAGE plpgsql SET search_path = pg_catalog, public AS $$
DECLARE
    expired uuid[];
    one record;
BEGIN
    WITH old AS MATERIALIZED (
        SELECT r.workspace_id, r.id FROM quota_reservations AS r
        WHERE r.state = 'held' AND r.expires_at <= at
        ORDER BY r.expires_at
        LIMIT at_most
        FOR UPDATE SKIP LOCKED
    ),
    gone AS (
        UPDATE quota_reservations AS r SET state = 'expired' FROM old AS o
        WHERE r.workspace_id = o.workspace_id AND r.id = o.id
        RETURNING r.id
    )
    SELECT array_agg(g.id) INTO expired FROM gone AS g;
    FOR one IN
        SELECT r.workspace_id, r.balance_id, SUM(r.amount)::bigint AS amount
        FROM quota_reservations AS r
        WHERE r.id = ANY (expired)
        GROUP BY r.workspace_id, r.balance_id
        ORDER BY r.workspace_id, r.balance_id
    LOOP
        PERFORM move_quota(one.workspace_id, one.balance_id, one.amount, 0, at);
    END LOOP;
    FOR one IN
        SELECT r.workspace_id, r.id, (r.answer #>> '{asked,credits}')::integer AS credits
        FROM quota_reservations AS r
        WHERE r.id = ANY (expired) AND r.key_place = 1 AND (r.answer #>> '{asked,credits}')::integer > 0
        ORDER BY r.answer #>> '{asked,customer}', r.id
    LOOP
        PERFORM return_credits(one.workspace_id, one.id, one.credits);
    END LOOP;
    RETURN COALESCE(cardinality(expired), 0);
END
$$;

CREATE FUNCTION expire_quota_reservations(at_most integer DEFAULT 1000) RETURNS bigint
    LANGUAGE sql SECURITY DEFINER SET search_path = pg_catalog, public
    RETURN expire_quotas_at(clock_timestamp(), at_most);

-- Credits are used in the order in which they came, so of a grant is left what the balance has more than came after it.
CREATE FUNCTION left_of_grant(customer uuid, granted_at bigint, amount integer) RETURNS integer
    LANGUAGE sql STABLE SET search_path = pg_catalog, public AS $$
    SELECT LEAST(amount, u.credits_balance - COALESCE((
        SELECT SUM(t.amount) FROM credit_transactions AS t
        WHERE t.user_id = customer AND t.position > granted_at AND t.amount > 0
    ), 0))::integer
    FROM users AS u WHERE u.id = customer
$$;

-- Take back what is left of credits that the team granted for a time.
CREATE FUNCTION expire_granted_credits(at_most integer DEFAULT 1000) RETURNS bigint
    LANGUAGE plpgsql SECURITY DEFINER SET search_path = pg_catalog, public AS $$
DECLARE
    one record;
    left_of_it integer;
    expired bigint := 0;
BEGIN
    FOR one IN
        SELECT g.workspace_id, g.id, g.user_id
        FROM credit_transactions AS g
        WHERE g.type = 'grant' AND g.reference_type = 'team' AND g.expires_at <= clock_timestamp()
            AND left_of_grant(g.user_id, g.position, g.amount) > 0
        ORDER BY g.user_id, g.position
        LIMIT at_most
    LOOP
        PERFORM 1 FROM users AS u WHERE u.id = one.user_id FOR NO KEY UPDATE;
        SELECT left_of_grant(g.user_id, g.position, g.amount) INTO left_of_it
        FROM credit_transactions AS g WHERE g.workspace_id = one.workspace_id AND g.id = one.id;
        CONTINUE WHEN left_of_it <= 0;
        INSERT INTO credit_transactions (workspace_id, user_id, amount, type, reference_id, reference_type, description)
        VALUES (one.workspace_id, one.user_id, -left_of_it, 'expiry', one.id, 'grant', 'The grant ended');
        expired := expired + 1;
    END LOOP;
    RETURN expired;
END
$$;
"""

# A killed process leaves a call that seems to run for ever. What it used is not known, and it is counted as that: only
# calls that have ended are looked at for what has no price.
LOST_CALLS = """
CREATE FUNCTION end_lost_ai_calls(at_most integer DEFAULT 1000, older_than interval DEFAULT '1 hour') RETURNS bigint
    LANGUAGE plpgsql SECURITY DEFINER SET search_path = pg_catalog, public AS $$
DECLARE
    ended bigint;
BEGIN
    UPDATE ai_generations AS g
    SET status = 'failed', error_code = 'lost', error_message = 'Nobody wrote down how this call ended.',
        unpriced_because = 'no price of unreported_usage'
    FROM (
        SELECT r.workspace_id, r.id, r.created_at
        FROM ai_generations AS r
        WHERE r.status = 'processing' AND r.cost IS NULL AND r.more_units ? 'unreported_usage'
            AND r.created_at < clock_timestamp() - older_than AND r.created_at > clock_timestamp() - interval '7 days'
        ORDER BY r.created_at
        LIMIT at_most
        FOR UPDATE SKIP LOCKED
    ) AS l
    WHERE g.workspace_id = l.workspace_id AND g.id = l.id AND g.created_at = l.created_at;
    GET DIAGNOSTICS ended = ROW_COUNT;
    RETURN ended;
END
$$;
"""

# Movements by the team alone: those of calls are many, and the ledger keeps them as well.
CREDITS_AUDIT = """
CREATE FUNCTION audit_team_credits() RETURNS trigger
    LANGUAGE plpgsql SECURITY DEFINER SET search_path = pg_catalog, public AS $$
BEGIN
    INSERT INTO audit_log (actor, action, table_name, row_key, workspace_id, after, reason)
    SELECT NULLIF(current_setting('app.actor', true), ''), 'insert', TG_TABLE_NAME, a.id::text, a.workspace_id,
        jsonb_build_object('user_id', a.user_id, 'type', a.type, 'amount', a.amount, 'balance_after', a.balance_after,
            'expires_at', a.expires_at),
        NULLIF(current_setting('app.reason', true), '')
    FROM arrived AS a
    WHERE a.reference_type = 'team';
    RETURN NULL;
END
$$;
CREATE TRIGGER audit_team_credits AFTER INSERT ON credit_transactions REFERENCING NEW TABLE AS arrived
    FOR EACH STATEMENT EXECUTE FUNCTION audit_team_credits();
"""

CALLED_BY_COMMANDS = (
    "open_quotas(uuid, uuid, text, jsonb, timestamptz)",
    "renew_quota_limits(uuid, uuid, text, text)",
    "quota_told(quota_level, bigint, bigint)",
    "quota_instead(text)",
    "quota_upgrade(uuid, text, text, text, bigint)",
    "quota_refused(uuid, text, quota_level)",
    "quota_refused_by_money(text, text, text)",
    "quota_paid(uuid, uuid, text, jsonb, text, jsonb, integer, interval, uuid)",
    "budget_verdict(uuid, uuid, text, jsonb, text, interval)",
    "move_quota(uuid, uuid, bigint, bigint, timestamptz)",
    "return_credits(uuid, uuid, integer)",
    "settle_credits(uuid, uuid, jsonb, boolean, integer)",
    "require_quota_call(uuid, uuid, jsonb, text)",
    "quota_replay(uuid, text, jsonb)",
    "quota_reserve(uuid, uuid, text, jsonb, text, jsonb, integer, interval, timestamptz)",
    "quota_settle(uuid, text, jsonb, numeric, integer, timestamptz)",
    "quota_release(uuid, text, timestamptz)",
    "expire_quota_reservations(integer)",
    "expire_granted_credits(integer)",
    "end_lost_ai_calls(integer, interval)",
)
ASKED_BY_PAGES = (
    "first_moment_of(date, text)",
    "quota_period(text, timestamptz, text, timestamptz)",
    "quota_limits(uuid, uuid, text, text, timestamptz)",
    "quota_grace(bigint, integer, timestamptz, timestamptz)",
    "quota_words(text)",
)


def upgrade() -> None:
    for part in (TABLES, PERIODS, LIMITS, ANSWERS, ENGINE, SWEEPING, LOST_CALLS, CREDITS_AUDIT):
        run(part)
    run(f"GRANT EXECUTE ON FUNCTION {', '.join(CALLED_BY_COMMANDS)} TO app_rw;")
    run(f"GRANT EXECUTE ON FUNCTION {', '.join(ASKED_BY_PAGES)} TO app_rw, app_ro, app_pipe;")


def downgrade() -> None:
    run(
        f"DROP FUNCTION {', '.join((*CALLED_BY_COMMANDS, *ASKED_BY_PAGES))}, expire_quotas_at(timestamptz, integer),"
        " left_of_grant(uuid, bigint, integer);"
    )
    run("""
    DROP TRIGGER audit_team_credits ON credit_transactions;
    DROP FUNCTION audit_team_credits();
    DROP TYPE quota_level;
    DROP INDEX quota_reservations_a_key_fills_each_place_once;
    ALTER TABLE quota_reservations DROP COLUMN key_place;
    ALTER TABLE quota_balances DROP COLUMN over_since, DROP COLUMN opening_used;
    """)
