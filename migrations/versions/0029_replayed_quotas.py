"""One rule of quotas for calls that are made and for calls that were: a plan can be tried on usage that is past.

What decides whether a call fits, since when a limit is passed and what goes into the next period was written inside of
`quota_reserve`, `move_quota` and `open_quotas`. Now each is a function of its own, which these call, and
`replay_quotas` as well: it goes through the calls of a workspace in the order of time, as if it had another plan, and
writes nothing.

Revision: 0029
Follows: 0028
"""

from importlib import import_module

from migrations.running import run

revision = "0029"
down_revision = "0028"

_ENGINE = import_module("migrations.versions.0023_quota_engine")

RULES = """
-- Up to how much may be used and held at a moment; NULL: as much as one likes.
CREATE FUNCTION quota_room(
    is_soft boolean, limit_amount bigint, rolled_over bigint, grace_amount bigint, grace_days integer,
    over_since timestamptz, at timestamptz
) RETURNS bigint LANGUAGE sql IMMUTABLE PARALLEL SAFE
    RETURN CASE WHEN NOT is_soft THEN limit_amount + rolled_over + quota_grace(grace_amount, grace_days, over_since, at)
        END;

-- Since when more than the limit is taken; NULL: it is not.
CREATE FUNCTION quota_over_since(
    limit_amount bigint, rolled_over bigint, taken bigint, over_since timestamptz, at timestamptz
) RETURNS timestamptz LANGUAGE sql IMMUTABLE PARALLEL SAFE
    RETURN CASE WHEN taken > limit_amount + rolled_over THEN COALESCE(over_since, at) END;

-- What was left of one period goes into the next, and no further: at most a limit is brought along.
CREATE FUNCTION quota_left_over(limit_amount bigint, rolled_over bigint, taken bigint) RETURNS bigint
    LANGUAGE sql IMMUTABLE PARALLEL SAFE
    RETURN GREATEST(0, LEAST(limit_amount, limit_amount + rolled_over - taken));
"""

# What stood in each of the functions, and how it is said now.
SHARED = {
    "open_quotas": (
        "LIMITS",
        {
            "GREATEST(0, LEAST(b.limit_amount, b.limit_amount + b.rolled_over - b.used - b.held)) INTO": (
                "quota_left_over(b.limit_amount, b.rolled_over, b.used + b.held) INTO"
            ),
        },
    ),
    "move_quota": (
        "ENGINE",
        {
            """        over_since = CASE
            WHEN b.limit_amount IS NULL
                OR b.used + b.held + more_used - less_held <= b.limit_amount + b.rolled_over THEN NULL
            ELSE COALESCE(b.over_since, at) END
""": """        over_since = quota_over_since(b.limit_amount, b.rolled_over, b.used + b.held + more_used - less_held,
            b.over_since, at)
""",
        },
    ),
    "quota_reserve": (
        "ENGINE",
        {
            """IF NOT level.is_soft AND level.used + level.held + level.amount > level.limit_amount + level.rolled_over
            + quota_grace(level.grace_amount, level.grace_days, level.over_since, at)
""": """IF level.used + level.held + level.amount > quota_room(level.is_soft, level.limit_amount,
            level.rolled_over, level.grace_amount, level.grace_days, level.over_since, at)
""",
            """            over_since = CASE
                WHEN level.limit_amount IS NULL
                    OR b.used + b.held + level.amount <= level.limit_amount + level.rolled_over THEN NULL
                ELSE COALESCE(b.over_since, at) END
""": """            over_since = quota_over_since(level.limit_amount, level.rolled_over, b.used + b.held + level.amount,
                b.over_since, at)
""",
            """            AND (level.limit_amount IS NULL OR level.is_soft
                OR b.used + b.held + level.amount <= level.limit_amount + level.rolled_over
                    + quota_grace(level.grace_amount, level.grace_days, b.over_since, at))
""": """            AND COALESCE(b.used + b.held + level.amount <= quota_room(level.is_soft, level.limit_amount,
                level.rolled_over, level.grace_amount, level.grace_days, b.over_since, at), true)
""",
        },
    ),
}

# The limits of a workspace as if it had another plan, and the plan that has more than that one.
OF_A_PLAN = {
    "quota_limits": (
        "LIMITS",
        {
            "of_meter text, at timestamptz)\n": "of_meter text, at timestamptz, as_plan uuid DEFAULT NULL)\n",
            "SELECT w.timezone, w.created_at, w.kind, s.plan_id, ": "SELECT w.timezone, w.created_at, w.kind,"
            " COALESCE(as_plan, s.plan_id) AS plan_id,\n            ",
        },
    ),
    "quota_upgrade": (
        "ANSWERS",
        {
            "above bigint)\n": "above bigint, as_plan uuid DEFAULT NULL)\n",
            "c.id = s.plan_id\n": "c.id = COALESCE(as_plan, s.plan_id)\n",
        },
    ),
    "quota_refused": (
        "ANSWERS",
        {
            "level quota_level) RETURNS": "level quota_level, as_plan uuid DEFAULT NULL) RETURNS",
            "level.period, level.limit_amount) END": "level.period, level.limit_amount, as_plan) END",
        },
    ),
}
WITHOUT_A_PLAN = (
    "quota_limits(uuid, uuid, text, text, timestamptz)",
    "quota_upgrade(uuid, text, text, text, bigint)",
    "quota_refused(uuid, text, quota_level)",
)
WITH_A_PLAN = (
    "quota_limits(uuid, uuid, text, text, timestamptz, uuid)",
    "quota_upgrade(uuid, text, text, text, bigint, uuid)",
    "quota_refused(uuid, text, quota_level, uuid)",
)

# What each meter counts, and where it is told. A call of a model is asked for once, however many attempts it took, and
# one that failed uses nothing; logs of usage tell of the same calls again, and are read for the rest. E-mails and
# contacts are many: those of one minute are so many calls for one each.
CALLS = """
CREATE FUNCTION metered_calls(
    workspace uuid, of_product text, since timestamptz, until timestamptz, of_meter text DEFAULT NULL
) RETURNS TABLE (
    key text, customer uuid, at timestamptz, wanted jsonb, uses_it boolean, times bigint, cost numeric, unpriced bigint
) LANGUAGE sql STABLE SET search_path = pg_catalog, public AS $$
    SELECT COALESCE(g.request_key, g.id)::text, (array_agg(g.user_id ORDER BY g.created_at))[1], MIN(g.created_at),
        jsonb_strip_nulls(jsonb_build_object(
            'generations', 1,
            'image_generations', MAX(CASE g.generation_type WHEN 'image' THEN 1 END),
            'video_generations', MAX(CASE g.generation_type WHEN 'video' THEN 1 END),
            'ai_credits', NULLIF(MAX(g.credits_used), 0),
            'imagen', MAX(CASE WHEN g.model LIKE 'imagen%' THEN GREATEST(g.images, 1) END),
            'veo', MAX(CASE WHEN g.model LIKE 'veo%' THEN 1 END)
        )),
        bool_or(g.status <> 'failed'), 1, COALESCE(SUM(g.cost), 0),
        COUNT(*) FILTER (WHERE g.status IN ('completed', 'failed') AND g.cost IS NULL)
    FROM ai_generations AS g
    WHERE g.workspace_id = workspace AND g.product = of_product AND g.created_at >= since AND g.created_at < until
        AND COALESCE(of_meter, 'generations') IN ('generations', 'image_generations', 'video_generations',
            'ai_credits', 'imagen', 'veo')
    GROUP BY COALESCE(g.request_key, g.id)
    UNION ALL
    SELECT l.id::text, l.user_id, l.logged_at,
        jsonb_build_object(CASE l.feature WHEN 'storage' THEN 'storage_bytes' ELSE 'api_calls' END, l.quantity),
        true, 1, 0, 0
    FROM usage_logs AS l
    WHERE l.workspace_id = workspace AND l.product = of_product AND l.logged_at >= since AND l.logged_at < until
        AND l.feature IN ('storage', 'api_call') AND l.quantity > 0
        AND COALESCE(of_meter, 'api_calls') IN ('api_calls', 'storage_bytes')
    UNION ALL
    SELECT c.id::text, c.user_id, c.created_at, '{"campaigns": 1}', true, 1, 0, 0
    FROM campaigns AS c
    WHERE c.workspace_id = workspace AND c.product = of_product AND c.created_at >= since AND c.created_at < until
        AND COALESCE(of_meter, 'campaigns') = 'campaigns'
    UNION ALL
    SELECT concat('contacts ', date_trunc('minute', c.created_at)), w.owner_id, date_trunc('minute', c.created_at),
        '{"contacts": 1}', true, COUNT(*), 0, 0
    FROM contacts AS c
    JOIN workspaces AS w ON w.id = c.workspace_id
    WHERE c.workspace_id = workspace AND of_product = 'mailer' AND c.created_at >= since AND c.created_at < until
        -- Those that are there at the end: nobody is asked for room for what was taken away again.
        AND (c.deleted_at IS NULL OR c.deleted_at >= until)
        AND COALESCE(of_meter, 'contacts') = 'contacts'
    GROUP BY w.owner_id, date_trunc('minute', c.created_at)
    UNION ALL
    SELECT concat('e-mails ', c.user_id, date_trunc('minute', s.first_sent_at)), c.user_id,
        date_trunc('minute', s.first_sent_at), '{"emails": 1}', true, COUNT(*), 0, 0
    FROM email_sends AS s
    JOIN campaigns AS c ON c.workspace_id = s.workspace_id AND c.id = s.campaign_id
    WHERE s.workspace_id = workspace AND c.workspace_id = workspace AND c.product = of_product
        AND of_product = 'mailer' AND s.first_sent_at >= since AND s.first_sent_at < until
        AND COALESCE(of_meter, 'emails') = 'emails'
    GROUP BY c.user_id, date_trunc('minute', s.first_sent_at)
$$;

-- What was used of a meter in a time; of one customer alone where one is named.
CREATE FUNCTION metered_use(
    workspace uuid, of_customer uuid, of_product text, of_meter text, since timestamptz, until timestamptz
) RETURNS bigint LANGUAGE sql STABLE SET search_path = pg_catalog, public AS $$
    SELECT COALESCE(SUM((c.wanted ->> of_meter)::bigint * c.times), 0)::bigint
    FROM metered_calls(workspace, of_product, since, until, of_meter) AS c
    WHERE c.uses_it AND c.wanted ? of_meter AND (of_customer IS NULL OR c.customer = of_customer)
$$;
"""

# Periods begin with days, so a day's calls are all of one period. Where nobody asked for more than a limit in a whole
# period, nobody was refused at any moment of it, and the calls need not be gone through one by one.
REPLAY = """
CREATE FUNCTION may_pass_a_limit(
    workspace uuid, of_product text, as_plan uuid, since timestamptz, until timestamptz
) RETURNS boolean LANGUAGE sql STABLE SET search_path = pg_catalog, public AS $$
    WITH asked AS MATERIALIZED (
        SELECT c.customer, m.key AS meter, (c.at AT TIME ZONE w.timezone)::date AS day, MIN(c.at) AS at,
            SUM(m.value::bigint * c.times) AS amount
        FROM workspaces AS w
        CROSS JOIN LATERAL metered_calls(w.id, of_product, since, until) AS c
        CROSS JOIN LATERAL jsonb_each_text(c.wanted) AS m
        WHERE w.id = workspace
        GROUP BY c.customer, m.key, (c.at AT TIME ZONE w.timezone)::date
    ),
    ruling AS MATERIALIZED (
        SELECT DISTINCT a.meter, l.user_id, l.period, l.limit_amount, l.period_start
        FROM (SELECT DISTINCT a.customer, a.meter FROM asked AS a) AS a
        CROSS JOIN LATERAL quota_limits(workspace, a.customer, of_product, a.meter, since, as_plan) AS l
        WHERE l.limit_amount IS NOT NULL
    ),
    summed AS (
        SELECT r.meter, r.user_id, r.period, r.limit_amount, p.starts_at, SUM(a.amount) AS amount
        FROM ruling AS r
        JOIN asked AS a ON a.meter = r.meter AND (r.user_id IS NULL OR a.customer = r.user_id)
        JOIN workspaces AS w ON w.id = workspace
        LEFT JOIN subscriptions AS s ON s.workspace_id = w.id AND s.product = of_product
            AND s.status IN ('trialing', 'active', 'past_due')
        CROSS JOIN LATERAL quota_period(
            r.period, CASE r.period WHEN 'lifetime' THEN w.created_at ELSE COALESCE(s.started_at, w.created_at) END,
            w.timezone, a.at
        ) AS p
        GROUP BY r.meter, r.user_id, r.period, r.limit_amount, p.starts_at
    )
    SELECT EXISTS (
        SELECT FROM quota_overrides AS o
        WHERE o.workspace_id = workspace AND o.product = of_product AND o.starts_at < until AND o.ends_at > since
    ) OR EXISTS (
        SELECT FROM summed AS s
        WHERE s.limit_amount < s.amount + CASE WHEN s.starts_at < since THEN
            metered_use(workspace, s.user_id, of_product, s.meter, s.starts_at, since) ELSE 0 END
    )
$$;

-- What would have been refused, or would have gone on beyond a limit, had the workspace had this plan: its calls, in
-- the order in which they were made. What was used of a period before `since` stays used. Calls are taken for over in
-- the moment in which they are made. `left_over` is what a period brought along; NULL: of the one before nothing is
-- known, and by the rule a whole limit is brought along then.
CREATE FUNCTION replay_quotas(workspace uuid, of_product text, as_plan uuid, since timestamptz, until timestamptz)
    RETURNS TABLE (
        key text, customer uuid, at timestamptz, verdict text, calls bigint, cost numeric, amount bigint,
        level quota_level
    ) LANGUAGE plpgsql STABLE SET search_path = pg_catalog, public AS $$
#variable_conflict use_column
DECLARE
    one record;
    asked record;
    ruling record;
    levels quota_level[] := '{}';
    left_over bigint[] := '{}';
    used bigint[] := '{}';
    over_since timestamptz[] := '{}';
    kept_limit bigint[] := '{}';
    kept_rolled bigint[] := '{}';
    places_of jsonb := '{}';
    known jsonb;
    name text;
    moment timestamptz;
    place integer;
    places integer[];
    amounts bigint[];
    of_name integer[];
    ends timestamptz;
    changes_at timestamptz;
    is_first boolean;
    room bigint;
    carried bigint;
    fits bigint;
    blamed integer;
    now_used bigint;
BEGIN
    IF NOT may_pass_a_limit(workspace, of_product, as_plan, since, until) THEN
        RETURN;
    END IF;
    FOR one IN
        -- First everything that is going to be asked for is looked up as it stood at the beginning.
        SELECT DISTINCT NULL AS key, c.customer, since AS at, jsonb_build_object(m.meter, 0) AS wanted,
            false AS uses_it, 0::bigint AS times, 0::numeric AS cost
        FROM metered_calls(workspace, of_product, since, until) AS c
        CROSS JOIN LATERAL jsonb_object_keys(c.wanted) AS m (meter)
        UNION ALL
        SELECT c.key, c.customer, c.at, c.wanted, c.uses_it, c.times, c.cost
        FROM metered_calls(workspace, of_product, since, until) AS c
        ORDER BY at, key NULLS FIRST
    LOOP
        moment := one.at;
        is_first := one.times = 0;
        IF changes_at IS NULL OR moment >= changes_at THEN
            places_of := '{}';
            SELECT COALESCE(MIN(e.at), 'infinity') INTO changes_at
            FROM quota_overrides AS o
            CROSS JOIN LATERAL (VALUES (o.starts_at), (o.ends_at)) AS e (at)
            WHERE o.workspace_id = workspace AND o.product = of_product AND e.at > moment;
        END IF;
        places := '{}';
        amounts := '{}';
        FOR asked IN
            SELECT w.key AS meter, w.value::bigint AS amount FROM jsonb_each_text(one.wanted) AS w ORDER BY w.key
        LOOP
            name := concat(asked.meter, ' ', one.customer);
            known := places_of -> name;
            IF known IS NULL OR (known ->> 'ends')::timestamptz <= moment THEN
                of_name := '{}';
                ends := 'infinity';
                FOR ruling IN
                    SELECT l.* FROM quota_limits(workspace, one.customer, of_product, asked.meter, moment, as_plan) AS l
                LOOP
                    place := (
                        SELECT n FROM generate_subscripts(levels, 1) AS n
                        WHERE (levels[n]).meter = asked.meter AND (levels[n]).period = ruling.period
                            AND (levels[n]).user_id IS NOT DISTINCT FROM ruling.user_id
                    );
                    IF place IS NULL OR (levels[place]).period_end <= moment THEN
                        carried := NULL;
                        now_used := 0;
                        IF place IS NULL THEN
                            place := cardinality(levels) + 1;
                            IF is_first AND ruling.rolls_over THEN
                                SELECT quota_left_over(b.limit_amount, b.rolled_over, b.used + b.held) INTO carried
                                FROM quota_balances AS b
                                WHERE b.workspace_id = workspace AND b.user_id IS NOT DISTINCT FROM ruling.user_id
                                    AND b.product = of_product AND b.meter = asked.meter
                                    AND b.period = ruling.period AND b.period_end = ruling.period_start;
                            END IF;
                            IF is_first THEN
                                now_used := metered_use(workspace, ruling.user_id, of_product, asked.meter,
                                    ruling.period_start, since);
                            END IF;
                        ELSIF (levels[place]).period_end = ruling.period_start THEN
                            carried := quota_left_over(kept_limit[place], kept_rolled[place], used[place]);
                        END IF;
                        left_over[place] := carried;
                        used[place] := now_used;
                        over_since[place] := NULL;
                        kept_limit[place] := ruling.limit_amount;
                        kept_rolled[place] := 0;
                    END IF;
                    levels[place] := ROW(
                        NULL, ruling.user_id, asked.meter, ruling.period, ruling.source, 0, ruling.limit_amount,
                        ruling.grace_amount, ruling.grace_days, ruling.is_soft,
                        CASE WHEN ruling.rolls_over THEN COALESCE(left_over[place], ruling.limit_amount, 0) ELSE 0 END,
                        ruling.period_start, ruling.period_end, used[place], 0, over_since[place]
                    )::quota_level;
                    IF is_first THEN
                        kept_rolled[place] := (levels[place]).rolled_over;
                    END IF;
                    of_name := of_name || place;
                    ends := LEAST(ends, ruling.period_end);
                END LOOP;
                known := jsonb_build_object('ends', ends, 'places', to_jsonb(of_name));
                places_of := places_of || jsonb_build_object(name, known);
            ELSE
                of_name := ARRAY(SELECT p.value::integer FROM jsonb_array_elements_text(known -> 'places') AS p);
            END IF;
            places := places || of_name;
            amounts := amounts || array_fill(asked.amount, ARRAY[cardinality(of_name)]);
        END LOOP;
        CONTINUE WHEN is_first;
        fits := one.times;
        FOR n IN 1 .. cardinality(places) LOOP
            place := places[n];
            room := quota_room((levels[place]).is_soft, (levels[place]).limit_amount, (levels[place]).rolled_over,
                (levels[place]).grace_amount, (levels[place]).grace_days, over_since[place], moment);
            IF room IS NOT NULL AND GREATEST(0, room - used[place]) / amounts[n] < fits THEN
                fits := GREATEST(0, room - used[place]) / amounts[n];
                blamed := n;
            END IF;
        END LOOP;
        key := one.key;
        customer := one.customer;
        at := moment;
        IF fits < one.times THEN
            verdict := 'refused';
            calls := one.times - fits;
            cost := one.cost;
            amount := calls * amounts[blamed];
            level := levels[places[blamed]];
            level.used := used[places[blamed]];
            RETURN NEXT;
        END IF;
        CONTINUE WHEN fits = 0;
        cost := 0;
        calls := fits;
        FOR n IN 1 .. cardinality(places) LOOP
            place := places[n];
            now_used := used[place] + fits * amounts[n];
            -- It is held, and then used or given back.
            over_since[place] := quota_over_since((levels[place]).limit_amount, (levels[place]).rolled_over, now_used,
                over_since[place], moment);
            kept_limit[place] := (levels[place]).limit_amount;
            kept_rolled[place] := (levels[place]).rolled_over;
            IF over_since[place] IS NOT NULL THEN
                verdict := CASE WHEN (levels[place]).is_soft THEN 'over_soft_limit' ELSE 'in_grace' END;
                amount := LEAST(fits * amounts[n],
                    now_used - (levels[place]).limit_amount - (levels[place]).rolled_over);
                level := levels[place];
                level.used := now_used;
                RETURN NEXT;
            END IF;
            IF one.uses_it THEN
                used[place] := now_used;
            ELSE
                over_since[place] := quota_over_since((levels[place]).limit_amount, (levels[place]).rolled_over,
                    used[place], over_since[place], moment);
            END IF;
        END LOOP;
    END LOOP;
END
$$;
"""
CALLED_BY_COMMANDS = (
    "metered_calls(uuid, text, timestamptz, timestamptz, text)",
    "metered_use(uuid, uuid, text, text, timestamptz, timestamptz)",
    "may_pass_a_limit(uuid, text, uuid, timestamptz, timestamptz)",
    "replay_quotas(uuid, text, uuid, timestamptz, timestamptz)",
)
RULE_NAMES = (
    "quota_room(boolean, bigint, bigint, bigint, integer, timestamptz, timestamptz)",
    "quota_over_since(bigint, bigint, bigint, timestamptz, timestamptz)",
    "quota_left_over(bigint, bigint, bigint)",
)


def upgrade() -> None:
    run(RULES)
    for name, (part, said) in SHARED.items():
        run(_changed(name, part, said))
    run(f"DROP FUNCTION {', '.join(WITHOUT_A_PLAN)};")
    for name, (part, said) in OF_A_PLAN.items():
        run(_changed(name, part, said))
    run(CALLS)
    run(REPLAY)
    run(f"GRANT EXECUTE ON FUNCTION {', '.join((*RULE_NAMES, *CALLED_BY_COMMANDS, *WITH_A_PLAN))} TO app_rw;")
    run(f"GRANT EXECUTE ON FUNCTION {WITH_A_PLAN[0]} TO app_ro, app_pipe;")


def downgrade() -> None:
    run(f"DROP FUNCTION {', '.join((*CALLED_BY_COMMANDS, *WITH_A_PLAN))};")
    for name, (part, _) in (SHARED | OF_A_PLAN).items():
        run(_changed(name, part, {}))
    run(f"GRANT EXECUTE ON FUNCTION {', '.join(WITHOUT_A_PLAN)} TO app_rw;")
    run(f"GRANT EXECUTE ON FUNCTION {WITHOUT_A_PLAN[0]} TO app_ro, app_pipe;")
    run(f"DROP FUNCTION {', '.join(RULE_NAMES)};")


def _changed(name: str, part: str, said: dict[str, str]) -> str:
    """A function as the engine's migration made it, with some of it said otherwise."""
    text: str = getattr(_ENGINE, part)
    begins = text.index(f"CREATE FUNCTION {name}(")
    ends = text.index("\n$$;", begins) + len("\n$$;")
    found = text[begins:ends].replace("CREATE FUNCTION", "CREATE OR REPLACE FUNCTION", 1)
    for old, new in said.items():
        if found.count(old) != 1:
            raise ValueError(f"{name} does not say once: {old}")
        found = found.replace(old, new)
    return found
