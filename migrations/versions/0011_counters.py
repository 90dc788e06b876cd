"""Counters kept by triggers: once per statement, locks in key order, repeats counted once.

A row trigger that updates a campaign per event is slow, deadlocks and counts what providers deliver twice. These run
once per statement over all its rows. Each locks the parents it will change first and in the order of their keys, so
that two batches can wait for each other but never deadlock; with a campaign's lock held, nobody else changes its sends.

Revision: 0011
Follows: 0010
"""

from migrations.running import run

revision = "0011"
down_revision = "0010"

# What is kept of a send: how a new value meets the old one, and how it is made from events. MIN and MAX do not care
# about the order in which events arrive.
SEND_MEASURES = {
    "first_sent_at": ("LEAST", "MIN(occurred_at) FILTER (WHERE event_type = 'sent')"),
    "first_delivered_at": ("LEAST", "MIN(occurred_at) FILTER (WHERE event_type = 'delivered')"),
    "last_delivered_at": ("GREATEST", "MAX(occurred_at) FILTER (WHERE event_type = 'delivered')"),
    "first_opened_at": ("LEAST", "MIN(occurred_at) FILTER (WHERE event_type = 'opened')"),
    "first_human_opened_at": (
        "LEAST",
        "MIN(occurred_at) FILTER (WHERE event_type = 'opened' AND is_machine_open IS NOT TRUE)",
    ),
    "first_clicked_at": ("LEAST", "MIN(occurred_at) FILTER (WHERE event_type = 'clicked')"),
    "last_engaged_at": (
        "GREATEST",
        "MAX(occurred_at) FILTER (WHERE event_type IN ('opened', 'clicked') AND is_machine_open IS NOT TRUE)",
    ),
    "hard_bounced_at": ("LEAST", "MIN(occurred_at) FILTER (WHERE bounce_type = 'hard')"),
    "soft_bounced_at": ("LEAST", "MIN(occurred_at) FILTER (WHERE bounce_type = 'soft')"),
    "undetermined_bounced_at": ("LEAST", "MIN(occurred_at) FILTER (WHERE bounce_type = 'undetermined')"),
    "last_transient_bounced_at": (
        "GREATEST",
        "MAX(occurred_at) FILTER (WHERE bounce_type IN ('soft', 'undetermined'))",
    ),
    "first_unsubscribed_at": ("LEAST", "MIN(occurred_at) FILTER (WHERE event_type = 'unsubscribed')"),
    "first_complained_at": ("LEAST", "MIN(occurred_at) FILTER (WHERE event_type = 'complained')"),
    "opens": ("+", "COUNT(*) FILTER (WHERE event_type = 'opened')"),
    "machine_opens": ("+", "COUNT(*) FILTER (WHERE event_type = 'opened' AND is_machine_open IS TRUE)"),
    "clicks": ("+", "COUNT(*) FILTER (WHERE event_type = 'clicked')"),
}
# A campaign's counter is the number of its sends that have this time.
EMAIL_COUNTERS = {
    "emails_sent": "first_sent_at",
    "emails_delivered": "first_delivered_at",
    "emails_opened": "first_opened_at",
    "emails_clicked": "first_clicked_at",
    "emails_bounced": "first_bounced_at",
    "emails_unsubscribed": "first_unsubscribed_at",
    "emails_complained": "first_complained_at",
}


def _met(column: str, how: str) -> str:
    old, new = f"email_sends.{column}", f"EXCLUDED.{column}"
    return f"{column} = {old} + {new}" if how == "+" else f"{column} = {how}({old}, {new})"


MEASURES = ", ".join(SEND_MEASURES)
MADE_FROM_EVENTS = ",\n            ".join(f"{made} AS {column}" for column, (_, made) in SEND_MEASURES.items())
MET = ",\n            ".join(_met(column, how) for column, (how, _) in SEND_MEASURES.items())
REPLACED = ", ".join(f"{column} = EXCLUDED.{column}" for column in SEND_MEASURES)
TIMES = ", ".join(EMAIL_COUNTERS.values())
CHANGES = ",\n            ".join(
    f"COUNT(later.{time}) - COUNT(earlier.{time}) AS {counter}" for counter, time in EMAIL_COUNTERS.items()
)
COUNTED = ", ".join(f"{counter} = c.{counter} + d.{counter}" for counter in EMAIL_COUNTERS)

# A repeat is the same event of the provider, or the same message, contact, type, time and link.
FINGERPRINTS = """
-- Declared no stricter than what it calls: only then does the planner put its body in the place of the call.
CREATE FUNCTION fingerprint(VARIADIC parts text[]) RETURNS uuid LANGUAGE sql STABLE PARALLEL SAFE
    RETURN encode(substring(sha256(convert_to(array_to_string(parts, chr(31), ''), 'UTF8')) FOR 16), 'hex')::uuid;

CREATE FUNCTION email_event_fingerprints(
    provider text, provider_event_key text, provider_message_id text, campaign_id uuid, contact_id uuid,
    event_type text, occurred_at timestamptz, link_url text
) RETURNS uuid[] LANGUAGE sql STABLE PARALLEL SAFE
    RETURN array_remove(
        ARRAY[
            CASE WHEN provider_event_key IS NOT NULL THEN fingerprint('event', provider, provider_event_key) END,
            fingerprint(
                'what happened', provider, COALESCE(provider_message_id, campaign_id::text), contact_id::text,
                event_type, extract(epoch FROM occurred_at)::text, link_url
            )
        ],
        NULL
    );
"""

EMAIL = f"""
CREATE FUNCTION count_email_events() RETURNS trigger
    LANGUAGE plpgsql SECURITY DEFINER SET search_path = pg_catalog, public AS $$
DECLARE
    repeated record;
    repeats uuid[] := '{{}}';
BEGIN
    PERFORM 1 FROM email_campaigns
    WHERE (workspace_id, campaign_id) IN (SELECT workspace_id, campaign_id FROM arrived)
    ORDER BY workspace_id, campaign_id
    FOR NO KEY UPDATE;

    -- What another row, of this statement or before, has claimed already is a repeat and goes.
    FOR repeated IN
        WITH keys AS (
            SELECT workspace_id, id, occurred_at, unnest(email_event_fingerprints(
                provider, provider_event_key, provider_message_id, campaign_id, contact_id, event_type, occurred_at,
                link_url
            )) AS fingerprint
            FROM arrived
        ),
        claimed AS (
            INSERT INTO email_event_keys (workspace_id, fingerprint, event_id)
            SELECT DISTINCT ON (workspace_id, fingerprint) workspace_id, fingerprint, id
            FROM keys
            ORDER BY workspace_id, fingerprint, id
            ON CONFLICT DO NOTHING
            RETURNING workspace_id, fingerprint, event_id
        )
        SELECT DISTINCT keys.workspace_id, keys.id, keys.occurred_at
        FROM keys
        LEFT JOIN claimed
            ON claimed.workspace_id = keys.workspace_id
            AND claimed.fingerprint = keys.fingerprint
            AND claimed.event_id = keys.id
        WHERE claimed.event_id IS NULL
    LOOP
        -- One by one: with its whole key, each delete opens one partition only.
        DELETE FROM email_events
        WHERE workspace_id = repeated.workspace_id AND id = repeated.id AND occurred_at = repeated.occurred_at;
        repeats := repeats || repeated.id;
    END LOOP;
    IF cardinality(repeats) > 0 THEN
        INSERT INTO email_event_repeats (workspace_id, provider, day, repeats)
        SELECT workspace_id, provider, (now() AT TIME ZONE 'UTC')::date, COUNT(*)
        FROM arrived
        WHERE id = ANY (repeats)
        GROUP BY workspace_id, provider
        ORDER BY workspace_id, provider
        ON CONFLICT (workspace_id, provider, day) DO UPDATE
            SET repeats = email_event_repeats.repeats + EXCLUDED.repeats;
    END IF;

    WITH touched AS (
        SELECT
            a.workspace_id,
            a.campaign_id,
            a.contact_id,
            c.sends_month,
            {MADE_FROM_EVENTS}
        FROM arrived AS a
        JOIN email_campaigns AS c ON c.workspace_id = a.workspace_id AND c.campaign_id = a.campaign_id
        WHERE a.id <> ALL (repeats)
        GROUP BY a.workspace_id, a.campaign_id, a.contact_id, c.sends_month
    ),
    earlier AS (
        SELECT workspace_id, campaign_id, contact_id, {TIMES}
        FROM email_sends
        JOIN (SELECT workspace_id, campaign_id, contact_id, sends_month FROM touched) AS keys
            USING (workspace_id, campaign_id, contact_id, sends_month)
    ),
    later AS (
        INSERT INTO email_sends (workspace_id, campaign_id, contact_id, sends_month, {MEASURES})
        SELECT workspace_id, campaign_id, contact_id, sends_month, {MEASURES}
        FROM touched
        ORDER BY workspace_id, campaign_id, contact_id
        ON CONFLICT (workspace_id, campaign_id, contact_id, sends_month) DO UPDATE SET
            {MET}
        RETURNING workspace_id, campaign_id, contact_id, {TIMES}
    ),
    changes AS (
        SELECT
            later.workspace_id,
            later.campaign_id,
            {CHANGES}
        FROM later
        LEFT JOIN earlier USING (workspace_id, campaign_id, contact_id)
        GROUP BY later.workspace_id, later.campaign_id
    )
    UPDATE email_campaigns AS c
    SET {COUNTED}
    FROM changes AS d
    WHERE c.workspace_id = d.workspace_id AND c.campaign_id = d.campaign_id;

    WITH engaged AS (
        SELECT workspace_id, contact_id, MAX(occurred_at) AS at
        FROM arrived
        WHERE event_type IN ('opened', 'clicked') AND is_machine_open IS NOT TRUE AND id <> ALL (repeats)
        GROUP BY workspace_id, contact_id
    ),
    behind AS (
        SELECT c.workspace_id, c.id, engaged.at
        FROM contacts AS c
        JOIN engaged ON engaged.workspace_id = c.workspace_id AND engaged.contact_id = c.id
        WHERE c.last_engaged_at IS NULL OR c.last_engaged_at < engaged.at
        ORDER BY c.workspace_id, c.id
        FOR NO KEY UPDATE OF c
    )
    UPDATE contacts AS c
    SET last_engaged_at = GREATEST(c.last_engaged_at, behind.at)
    FROM behind
    WHERE c.workspace_id = behind.workspace_id AND c.id = behind.id;
    RETURN NULL;
END
$$;

-- Changes and deletions of events are rare (machine opens scored anew, a person erased): their sends are made again
-- from all their events.
CREATE FUNCTION recount_email_sends() RETURNS trigger
    LANGUAGE plpgsql SECURITY DEFINER SET search_path = pg_catalog, public AS $$
BEGIN
    PERFORM 1 FROM email_campaigns
    WHERE (workspace_id, campaign_id) IN (SELECT workspace_id, campaign_id FROM gone)
    ORDER BY workspace_id, campaign_id
    FOR NO KEY UPDATE;
    IF TG_OP = 'UPDATE' THEN
        IF EXISTS (
            SELECT FROM arrived JOIN gone USING (workspace_id, id)
            WHERE (arrived.campaign_id, arrived.contact_id) IS DISTINCT FROM (gone.campaign_id, gone.contact_id)
        ) THEN
            RAISE EXCEPTION 'An event keeps its campaign and its contact.' USING ERRCODE = 'invalid_parameter_value';
        END IF;
    END IF;
    WITH recounted AS (
        SELECT DISTINCT gone.workspace_id, gone.campaign_id, gone.contact_id, c.sends_month
        FROM gone
        JOIN email_campaigns AS c ON c.workspace_id = gone.workspace_id AND c.campaign_id = gone.campaign_id
    ),
    made AS (
        SELECT r.workspace_id, r.campaign_id, r.contact_id, r.sends_month, e.*
        FROM recounted AS r
        CROSS JOIN LATERAL (
            SELECT
            COUNT(*) AS events,
            {MADE_FROM_EVENTS}
            FROM email_events AS e
            WHERE e.workspace_id = r.workspace_id AND e.campaign_id = r.campaign_id AND e.contact_id = r.contact_id
        ) AS e
    ),
    earlier AS (
        SELECT workspace_id, campaign_id, contact_id, {TIMES}
        FROM email_sends
        JOIN recounted USING (workspace_id, campaign_id, contact_id, sends_month)
    ),
    emptied AS (
        DELETE FROM email_sends AS s
        USING made AS m
        WHERE m.events = 0 AND s.workspace_id = m.workspace_id AND s.campaign_id = m.campaign_id
            AND s.contact_id = m.contact_id AND s.sends_month = m.sends_month
    ),
    later AS (
        INSERT INTO email_sends (workspace_id, campaign_id, contact_id, sends_month, {MEASURES})
        SELECT workspace_id, campaign_id, contact_id, sends_month, {MEASURES}
        FROM made
        WHERE events > 0
        ORDER BY workspace_id, campaign_id, contact_id
        ON CONFLICT (workspace_id, campaign_id, contact_id, sends_month) DO UPDATE SET {REPLACED}
        RETURNING workspace_id, campaign_id, contact_id, {TIMES}
    ),
    changes AS (
        SELECT
            workspace_id,
            campaign_id,
            {CHANGES}
        FROM earlier
        FULL JOIN later USING (workspace_id, campaign_id, contact_id)
        GROUP BY workspace_id, campaign_id
    )
    UPDATE email_campaigns AS c
    SET {COUNTED}
    FROM changes AS d
    WHERE c.workspace_id = d.workspace_id AND c.campaign_id = d.campaign_id;

    -- What was deleted may be added again: it is no repeat any more.
    IF TG_OP = 'DELETE' THEN
        DELETE FROM email_event_keys AS k
        USING (
            SELECT workspace_id, id, unnest(email_event_fingerprints(
                provider, provider_event_key, provider_message_id, campaign_id, contact_id, event_type, occurred_at,
                link_url
            )) AS fingerprint
            FROM gone
        ) AS g
        WHERE k.workspace_id = g.workspace_id AND k.fingerprint = g.fingerprint AND k.event_id = g.id;
    END IF;

    PERFORM 1 FROM contacts
    WHERE (workspace_id, id) IN (SELECT workspace_id, contact_id FROM gone)
    ORDER BY workspace_id, id
    FOR NO KEY UPDATE;
    UPDATE contacts AS c
    SET last_engaged_at = engaged.at
    FROM (
        SELECT r.workspace_id, r.contact_id, (
            SELECT MAX(s.last_engaged_at) FROM email_sends AS s
            WHERE s.workspace_id = r.workspace_id AND s.contact_id = r.contact_id
        ) AS at
        FROM (SELECT DISTINCT workspace_id, contact_id FROM gone) AS r
    ) AS engaged
    WHERE c.workspace_id = engaged.workspace_id AND c.id = engaged.contact_id
        AND c.last_engaged_at IS DISTINCT FROM engaged.at;
    RETURN NULL;
END
$$;

CREATE TRIGGER count_email_events AFTER INSERT ON email_events REFERENCING NEW TABLE AS arrived
    FOR EACH STATEMENT EXECUTE FUNCTION count_email_events();
CREATE TRIGGER recount_changed_events AFTER UPDATE ON email_events REFERENCING OLD TABLE AS gone NEW TABLE AS arrived
    FOR EACH STATEMENT EXECUTE FUNCTION recount_email_sends();
-- Inside a trigger only repeats are deleted, which were never counted.
CREATE TRIGGER recount_deleted_events AFTER DELETE ON email_events REFERENCING OLD TABLE AS gone
    FOR EACH STATEMENT WHEN (pg_trigger_depth() = 0) EXECUTE FUNCTION recount_email_sends();

CREATE FUNCTION keep_sends_month() RETURNS trigger LANGUAGE plpgsql AS $$
BEGIN
    RAISE EXCEPTION 'The month of a campaign''s sends never changes: its sends lie in that month''s partition.'
        USING ERRCODE = 'invalid_parameter_value';
END
$$;
CREATE TRIGGER keep_sends_month BEFORE UPDATE ON email_campaigns
    FOR EACH ROW WHEN (OLD.sends_month <> NEW.sends_month) EXECUTE FUNCTION keep_sends_month();
"""


def locked(parent: str, key: str, rows: str, column: str = "") -> str:
    """Lock the parents of some rows in the order of their keys."""
    return f"""
        PERFORM 1 FROM {parent}
        WHERE (workspace_id, {key}) IN (SELECT workspace_id, {column or key} FROM {rows})
        ORDER BY workspace_id, {key}
        FOR NO KEY UPDATE;"""


def web_events(rows: str, sign: str) -> str:
    return f"""{locked("web_campaigns", "campaign_id", rows)}
        UPDATE web_campaigns AS w
        SET views = w.views {sign} d.views, clicks = w.clicks {sign} d.clicks
        FROM (
            SELECT workspace_id, campaign_id,
                COUNT(*) FILTER (WHERE event_type = 'view') AS views,
                COUNT(*) FILTER (WHERE event_type = 'click') AS clicks
            FROM {rows} GROUP BY workspace_id, campaign_id
        ) AS d
        WHERE w.workspace_id = d.workspace_id AND w.campaign_id = d.campaign_id;
        {locked("campaign_components", "id", rows, "component_id")}
        UPDATE campaign_components AS k
        SET views = k.views {sign} d.views, clicks = k.clicks {sign} d.clicks
        FROM (
            SELECT workspace_id, component_id,
                COUNT(*) FILTER (WHERE event_type = 'view') AS views,
                COUNT(*) FILTER (WHERE event_type = 'click') AS clicks
            FROM {rows} GROUP BY workspace_id, component_id
        ) AS d
        WHERE k.workspace_id = d.workspace_id AND k.id = d.component_id;"""


def conversions(rows: str, sign: str) -> str:
    return f"""{locked("web_campaigns", "campaign_id", rows)}
        UPDATE web_campaigns AS w
        SET conversions = w.conversions {sign} d.conversions,
            revenue_generated = w.revenue_generated {sign} d.revenue
        FROM (
            SELECT r.workspace_id, r.campaign_id,
                COUNT(*) AS conversions,
                COALESCE(SUM(r.value) FILTER (WHERE r.currency = c.currency), 0) AS revenue
            FROM {rows} AS r
            JOIN campaigns AS c ON c.workspace_id = r.workspace_id AND c.id = r.campaign_id
            GROUP BY r.workspace_id, r.campaign_id
        ) AS d
        WHERE w.workspace_id = d.workspace_id AND w.campaign_id = d.campaign_id;
        {locked("campaign_components", "id", rows, "component_id")}
        UPDATE campaign_components AS k
        SET conversions = k.conversions {sign} d.conversions
        FROM (
            SELECT workspace_id, component_id, COUNT(*) AS conversions
            FROM {rows} GROUP BY workspace_id, component_id
        ) AS d
        WHERE k.workspace_id = d.workspace_id AND k.id = d.component_id;"""


def ad_totals(rows: str, sign: str) -> str:
    return f"""{locked("ad_campaigns", "campaign_id", rows)}
        UPDATE ad_campaigns AS a
        SET total_spend = a.total_spend {sign} d.spend,
            total_impressions = a.total_impressions {sign} d.impressions,
            total_clicks = a.total_clicks {sign} d.clicks,
            total_conversions = a.total_conversions {sign} d.conversions,
            total_revenue = a.total_revenue {sign} d.revenue
        FROM (
            SELECT r.workspace_id, r.campaign_id, SUM(r.impressions) AS impressions, SUM(r.clicks) AS clicks,
                SUM(r.conversions) AS conversions,
                COALESCE(SUM(r.spend) FILTER (WHERE r.currency = c.currency), 0) AS spend,
                COALESCE(SUM(r.revenue) FILTER (WHERE r.currency = c.currency), 0) AS revenue
            FROM {rows} AS r
            JOIN campaigns AS c ON c.workspace_id = r.workspace_id AND c.id = r.campaign_id
            -- The other breakdowns show the same money again.
            WHERE r.breakdown = 'none'
            GROUP BY r.workspace_id, r.campaign_id
        ) AS d
        WHERE a.workspace_id = d.workspace_id AND a.campaign_id = d.campaign_id;"""


AI_DAYS = """
            SELECT workspace_id, user_id, (created_at AT TIME ZONE 'UTC')::date AS date, provider, model,
                COALESCE(SUM(cost), 0) AS cost,
                COUNT(*) AS generations_count,
                COUNT(*) FILTER (WHERE status = 'failed') AS failed_count,
                COUNT(*) FILTER (WHERE status IN ('completed', 'failed') AND cost IS NULL) AS unpriced_count,
                SUM(input_tokens + cached_input_tokens + cache_write_tokens + output_tokens + reasoning_tokens)
                    AS tokens_used
            FROM {rows}
            GROUP BY workspace_id, user_id, (created_at AT TIME ZONE 'UTC')::date, provider, model"""

USAGE_MONTHS = """
            SELECT workspace_id, user_id, date_trunc('month', logged_at AT TIME ZONE 'UTC')::date AS month,
                SUM(credits_consumed) AS ai_credits_used,
                COALESCE(SUM(quantity) FILTER (WHERE feature = 'campaign_creation'), 0) AS campaigns_generated,
                COALESCE(SUM(quantity) FILTER (WHERE feature = 'storage'), 0) AS storage_bytes_used,
                COALESCE(SUM(quantity) FILTER (WHERE feature = 'api_call'), 0) AS api_calls_made
            FROM {rows}
            GROUP BY workspace_id, user_id, date_trunc('month', logged_at AT TIME ZONE 'UTC')::date"""


def summed(target: str, keys: tuple[str, ...], sums: tuple[str, ...], source: str, rows: str, sign: str) -> str:
    """Add rows' sums to a table of sums, or take them away; inserting in key order takes the locks in key order."""
    made, key_list, sum_list = source.replace("{rows}", rows), ", ".join(keys), ", ".join(sums)
    same_key = " AND ".join(f"t.{key} = d.{key}" for key in keys)
    if sign == "+":
        added = ", ".join(f"{column} = {target}.{column} + EXCLUDED.{column}" for column in sums)
        return f"""
        INSERT INTO {target} ({key_list}, {sum_list})
        SELECT {key_list}, {sum_list} FROM ({made}) AS d
        ORDER BY {key_list}
        ON CONFLICT ({key_list}) DO UPDATE SET {added};"""
    less = ", ".join(f"{column} = t.{column} - d.{column}" for column in sums)
    return f"""
        PERFORM 1 FROM {target} AS t
        WHERE ({key_list}) IN (SELECT {key_list} FROM ({made}) AS d)
        ORDER BY {key_list}
        FOR NO KEY UPDATE;
        UPDATE {target} AS t SET {less}
        FROM ({made}) AS d
        WHERE {same_key};"""


def ai_cost(rows: str, sign: str) -> str:
    keys = ("workspace_id", "user_id", "date", "provider", "model")
    sums = ("cost", "generations_count", "failed_count", "unpriced_count", "tokens_used")
    return summed("ai_cost_tracking", keys, sums, AI_DAYS, rows, sign)


def usage(rows: str, sign: str) -> str:
    keys = ("workspace_id", "user_id", "month")
    sums = ("ai_credits_used", "campaigns_generated", "storage_bytes_used", "api_calls_made")
    return summed("user_usage", keys, sums, USAGE_MONTHS, rows, sign)


def list_counts(rows: str, sign: str) -> str:
    return f"""{locked("lists", "id", rows, "list_id")}
        UPDATE lists AS l SET contact_count = l.contact_count {sign} d.contacts
        FROM (
            SELECT workspace_id, list_id, COUNT(*) AS contacts FROM {rows} GROUP BY workspace_id, list_id
        ) AS d
        WHERE l.workspace_id = d.workspace_id AND l.id = d.list_id;"""


# Totals are sums in the campaign's currency: under another one they would be sums of nothing.
CURRENCY = """
CREATE FUNCTION keep_currency() RETURNS trigger
    LANGUAGE plpgsql SECURITY DEFINER SET search_path = pg_catalog, public AS $$
BEGIN
    IF EXISTS (SELECT FROM conversions WHERE workspace_id = OLD.workspace_id AND campaign_id = OLD.id)
        OR EXISTS (SELECT FROM performance_analytics WHERE workspace_id = OLD.workspace_id AND campaign_id = OLD.id)
    THEN
        RAISE EXCEPTION 'The campaign has earned or spent in % already: its currency stays.', OLD.currency
            USING ERRCODE = 'invalid_parameter_value';
    END IF;
    RETURN NULL;
END
$$;
CREATE TRIGGER keep_currency AFTER UPDATE ON campaigns
    FOR EACH ROW WHEN (OLD.currency <> NEW.currency) EXECUTE FUNCTION keep_currency();
"""

COUNTERS = {
    "campaign_events": web_events,
    "conversions": conversions,
    "performance_analytics": ad_totals,
    "ai_generations": ai_cost,
    "usage_logs": usage,
    "list_contacts": list_counts,
}


def upgrade() -> None:
    run(FINGERPRINTS)
    run(EMAIL)
    run(CURRENCY)
    for table, change in COUNTERS.items():
        # What arrives is added before what is gone is taken away: a counter never passes through a negative number.
        run(f"""
        CREATE FUNCTION count_{table}() RETURNS trigger
            LANGUAGE plpgsql SECURITY DEFINER SET search_path = pg_catalog, public AS $$
        BEGIN
            IF TG_OP <> 'DELETE' THEN {change("arrived", "+")}
            END IF;
            IF TG_OP <> 'INSERT' THEN {change("gone", "-")}
            END IF;
            RETURN NULL;
        END
        $$;
        CREATE TRIGGER count_arrived AFTER INSERT ON {table} REFERENCING NEW TABLE AS arrived
            FOR EACH STATEMENT EXECUTE FUNCTION count_{table}();
        CREATE TRIGGER count_changed AFTER UPDATE ON {table} REFERENCING OLD TABLE AS gone NEW TABLE AS arrived
            FOR EACH STATEMENT EXECUTE FUNCTION count_{table}();
        CREATE TRIGGER count_gone AFTER DELETE ON {table} REFERENCING OLD TABLE AS gone
            FOR EACH STATEMENT EXECUTE FUNCTION count_{table}();
        """)


def downgrade() -> None:
    run("""
    DROP TRIGGER keep_currency ON campaigns;
    DROP FUNCTION keep_currency();
    DROP TRIGGER keep_sends_month ON email_campaigns;
    DROP TRIGGER count_email_events ON email_events;
    DROP TRIGGER recount_changed_events ON email_events;
    DROP TRIGGER recount_deleted_events ON email_events;
    DROP FUNCTION keep_sends_month(), count_email_events(), recount_email_sends();
    DROP FUNCTION email_event_fingerprints(text, text, text, uuid, uuid, text, timestamptz, text), fingerprint(text[]);
    """)
    for table in COUNTERS:
        run(f"""
        DROP TRIGGER count_arrived ON {table};
        DROP TRIGGER count_changed ON {table};
        DROP TRIGGER count_gone ON {table};
        DROP FUNCTION count_{table}();
        """)
