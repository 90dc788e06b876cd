"""Checks of rights: what is granted on tables, views and functions, and what the roles themselves may do."""

# ruff: noqa: S608 - the SQL is made of our own names

from db.catalog_checks import Check, listed
from db.roles import INGEST, LOGIN_GROUPS, OWNER, PIPE, RO

# Rows of these are only added; their triggers refuse the rest, and the right is not given either.
APPEND_ONLY = {
    "audit_log": "history is not rewritten",
    "audit_seals": "a seal that could be written again would seal nothing",
    "audit_verifications": "what was found then was found",
    "credit_transactions": "a balance is proven by the movements before it",
    "template_versions": "a version is what was saved then",
    "ai_cost_corrections": "a correction is itself corrected by another",
    "provider_bill_files": "a file was read as it was",
    "budget_evaluations": "what was found then was found",
}
# Triggers write these, as the owner.
KEPT_BY_TRIGGERS = {
    "audit_log": "nobody writes a line of their own",
    "audit_seals": "made of the audit log by a function that takes nothing but how many",
    "fact_tombstones": "the lake trusts them",
    "email_event_keys": "a foreign key in it would hide an event",
    "email_event_repeats": "counted from what arrives",
    "email_sends": "made from e-mail events",
    "ai_cost_tracking": "summed from AI generations",
    "user_usage": "summed from usage logs",
    "budget_days": "summed from AI generations",
    "ai_holds": "held, settled and released by functions that ask for what that needs",
    "ai_months": "a month is closed and opened by functions that ask for what that needs",
}
# Run as the owner on the app's call, and take nothing that chooses a tenant's row.
REVIEWED_AS_OWNER = {
    "make_partitions(integer)": "makes empty partitions, two years ahead at most",
    "make_partitions_between(date,date)": "makes empty partitions, two years ahead at most",
    "forget_event_keys(integer)": "deletes what the retention policy gives up, and answers how many",
    "forget_tombstones(integer)": "deletes traces older than 30 days, and answers how many",
    "price_new_ai_calls(timestamp with time zone)": "prices calls by the one book, and answers how many",
    "approve_ai_prices(uuid[],uuid)": "prices calls by the one book, and answers how many",
    "effect_of_ai_prices(uuid[])": "answers sums of the company by month and model",
    "close_ai_month(date,uuid)": "closes a month for every workspace, and answers nothing",
    "reopen_ai_month(date,uuid,text)": "opens a month for every workspace, and answers nothing",
    "expire_quota_reservations(integer)": "frees what calls held and never used, and answers how many",
    "give_up_quota_reservation(uuid,uuid,timestamp with time zone)": "asks whether the transaction names the workspace",
    "invited_customer(text)": "finds or adds a person by address, and answers the key alone",
    "customer_is_elsewhere(uuid)": "answers whether somebody is in workspaces that the transaction does not name",
    "plan_is_taken(uuid)": "answers whether anybody has or had a plan, and not who",
    "move_due_subscriptions(integer)": "moves subscriptions as it was decided for them, and answers how many",
    "expire_granted_credits(integer)": "takes back what is left of grants that ended, and answers how many",
    "end_lost_ai_calls(integer,interval)": "ends calls whose process was killed, and answers how many",
    "ai_usage_of(text,timestamp with time zone,timestamp with time zone,text,timestamp with time zone[],bigint[])": (
        "answers sums of the company by model and day"
    ),
    "why_ai_is_blocked(uuid,uuid,text,text,text,numeric)": "asks whether the transaction names the workspace",
    "hold_ai_budget(uuid,uuid,text,text,text,numeric,text,integer)": "asks whether the transaction names the workspace",
    "settle_ai_hold(uuid,text,numeric)": "asks whether the transaction names the workspace",
    "release_ai_hold(uuid,text)": "asks whether the transaction names the workspace",
    "record_late_ai_call(uuid,uuid,timestamp with time zone,text,text,text,text,text,jsonb)": (
        "asks whether the transaction names the workspace"
    ),
    "seal_audit_log(integer)": "seals what the audit log says, and answers how many rows",
    "audited_workspaces()": "answers keys alone, and only to a transaction that names every workspace",
    "forget_budget_traces(integer)": "deletes holds and evaluations that are long over, and answers how many",
}
# The app's roles can make no temporary object (checked below), so nothing can stand before these schemas.
_PINNED = ("search_path=pg_catalog", "search_path=pg_catalog, public", "search_path=pg_catalog, public, pg_temp")

# An extension's own objects are not ours to guard.
_OF_NO_EXTENSION = "NOT EXISTS (SELECT FROM pg_depend AS x WHERE x.objid = {}.oid AND x.deptype = 'e')"

# Every right on a table, view, sequence or column of ours that someone else than the owner holds; '' is PUBLIC.
_GRANTS = f"""
    SELECT c.relname, c.relispartition, g.may, COALESCE(r.rolname, '') AS grantee
    FROM pg_class AS c
    CROSS JOIN LATERAL (
        SELECT a.grantee, a.privilege_type AS may FROM aclexplode(c.relacl) AS a
        UNION ALL
        SELECT a.grantee, a.privilege_type
        FROM pg_attribute AS k
        CROSS JOIN LATERAL aclexplode(k.attacl) AS a
        WHERE k.attrelid = c.oid AND NOT k.attisdropped
    ) AS g
    LEFT JOIN pg_roles AS r ON r.oid = g.grantee
    WHERE c.relnamespace = CAST('public' AS regnamespace)
        AND c.relkind IN ('r', 'p', 'v', 'm', 'f', 'S')
        AND g.grantee <> c.relowner
        AND {_OF_NO_EXTENSION.format("c")}"""

# Every function of ours, once for each role that may call it besides its owner.
_FUNCTIONS = f"""
    SELECT CAST(CAST(p.oid AS regprocedure) AS text) AS signature, p.prosecdef, p.proconfig,
        CASE e.grantee WHEN 0 THEN 'PUBLIC' ELSE r.rolname END AS grantee
    FROM pg_proc AS p
    LEFT JOIN LATERAL aclexplode(COALESCE(p.proacl, acldefault('f', p.proowner))) AS e ON e.grantee <> p.proowner
    LEFT JOIN pg_roles AS r ON r.oid = e.grantee
    WHERE p.pronamespace = CAST('public' AS regnamespace) AND {_OF_NO_EXTENSION.format("p")}"""

# Since Postgres 16 a role that made another is its member, yet can neither use it nor become it: that is left out.
_MEMBERSHIPS = f"""
    WITH RECURSIVE direct AS (
        SELECT m.member, m.roleid
        FROM pg_auth_members AS m
        WHERE COALESCE(CAST(to_jsonb(m) ->> 'inherit_option' AS boolean), true)
            OR COALESCE(CAST(to_jsonb(m) ->> 'set_option' AS boolean), true)
    ),
    belongs AS (
        SELECT d.member, d.roleid FROM direct AS d
        UNION
        SELECT b.member, d.roleid FROM belongs AS b JOIN direct AS d ON d.member = b.roleid
    ),
    app_roles AS (
        SELECT r.oid, r.rolname, r.rolsuper, r.rolbypassrls, r.rolcreaterole, r.rolcreatedb, r.rolreplication
        FROM pg_roles AS r
        WHERE r.rolname IN ({listed(LOGIN_GROUPS)}) OR EXISTS (
            SELECT FROM belongs AS b JOIN pg_roles AS g ON g.oid = b.roleid
            WHERE b.member = r.oid AND g.rolname IN ({listed(LOGIN_GROUPS)})
        )
    )"""


def _granted(name: str, fix: str, condition: str) -> Check:
    """Rights that nobody may hold, by relation and holder."""
    return Check(
        name,
        fix,
        f"""
        SELECT g.relname AS place,
            CASE g.grantee WHEN '' THEN 'PUBLIC' ELSE g.grantee END || ' holds ' || string_agg(DISTINCT g.may, ', ')
                AS what
        FROM ({_GRANTS}) AS g
        WHERE {condition}
        GROUP BY g.relname, g.grantee""",
    )


_ROW_XID_IS_WRITABLE = Check(
    "row_xid can be written",
    "REVOKE INSERT, UPDATE on the table and grant them on its other columns, as guard_fact_table does.",
    f"""
    SELECT c.relname AS place, r.rolname || ' may write it' AS what
    FROM pg_class AS c
    JOIN pg_attribute AS a ON a.attrelid = c.oid AND a.attname = 'row_xid' AND NOT a.attisdropped
    JOIN pg_roles AS r ON r.rolname IN ({listed(LOGIN_GROUPS)})
    WHERE c.relnamespace = CAST('public' AS regnamespace)
        AND c.relkind IN ('r', 'p')
        AND (has_column_privilege(r.oid, c.oid, a.attnum, 'INSERT')
            OR has_column_privilege(r.oid, c.oid, a.attnum, 'UPDATE'))""",
)

_SECRET_IS_READ = Check(
    "a secret column is readable",
    "REVOKE SELECT on the table and grant it on the other columns: guard_tenant_table('…', hidden => ARRAY['…']).",
    f"""
    SELECT c.relname || '.' || a.attname AS place, r.rolname || ' may read it' AS what
    FROM unnest(CAST(:secret_tables AS text[]), CAST(:secret_columns AS text[])) AS s (relname, attname)
    JOIN pg_class AS c ON c.relname = s.relname AND c.relnamespace = CAST('public' AS regnamespace)
    JOIN pg_attribute AS a ON a.attrelid = c.oid AND a.attname = s.attname AND NOT a.attisdropped
    JOIN pg_roles AS r ON r.rolname IN ({listed((RO, PIPE, INGEST))})
    WHERE has_column_privilege(r.oid, c.oid, a.attnum, 'SELECT')""",
)

_VIEW_OF_ITS_OWNER = Check(
    "a view reads with its owner's rights",
    "CREATE VIEW … WITH (security_invoker = true).",
    f"""
    SELECT c.relname AS place, 'security_invoker is not set' AS what
    FROM pg_class AS c
    WHERE c.relnamespace = CAST('public' AS regnamespace) AND c.relkind = 'v'
        AND {_OF_NO_EXTENSION.format("c")}
        AND NOT EXISTS (
            SELECT FROM pg_options_to_table(c.reloptions) AS o
            WHERE o.option_name = 'security_invoker' AND lower(o.option_value) IN ('true', 'on', 'yes', '1')
        )""",
)

_OUT_OF_POLICIES = Check(
    "rows lie where no policy reaches",
    "Use a view with security_invoker, or a table that triggers keep.",
    """
    SELECT c.relname AS place,
        CASE c.relkind WHEN 'm' THEN 'a materialized view' ELSE 'a foreign table' END AS what
    FROM pg_class AS c
    WHERE c.relnamespace = CAST('public' AS regnamespace) AND c.relkind IN ('m', 'f')""",
)

_NOT_PINNED = Check(
    "a function that runs as its owner can be led astray",
    "Add SET search_path = pg_catalog, public to SECURITY DEFINER.",
    f"""
    SELECT DISTINCT f.signature AS place, 'SECURITY DEFINER without a pinned search_path' AS what
    FROM ({_FUNCTIONS}) AS f
    WHERE f.prosecdef AND NOT COALESCE(f.proconfig && ARRAY[{listed(_PINNED)}], false)""",
)

_CALLED_AS_OWNER = Check(
    "a function runs as its owner on anyone's call",
    "REVOKE EXECUTE, or review it and add it with its reason to REVIEWED_AS_OWNER in db/catalog_rights.py.",
    f"""
    SELECT f.signature AS place, f.grantee || ' may call it, and it is SECURITY DEFINER' AS what
    FROM ({_FUNCTIONS}) AS f
    WHERE f.prosecdef AND f.grantee IS NOT NULL
        AND replace(f.signature, 'public.', '') NOT IN ({listed(REVIEWED_AS_OWNER)})""",
)

_CALLED_BY_ALL = Check(
    "everyone may call a function",
    "REVOKE EXECUTE ON FUNCTION … FROM PUBLIC.",
    f"""
    SELECT f.signature AS place, 'PUBLIC may call it' AS what
    FROM ({_FUNCTIONS}) AS f
    WHERE f.grantee = 'PUBLIC'""",
)

_TOO_POWERFUL = Check(
    "a role of the app is above the policies",
    "ALTER ROLE … NOSUPERUSER NOBYPASSRLS NOCREATEROLE NOCREATEDB NOREPLICATION.",
    f"""
    {_MEMBERSHIPS}
    SELECT a.rolname AS place, concat_ws(', ',
            CASE WHEN a.rolsuper THEN 'superuser' END,
            CASE WHEN a.rolbypassrls THEN 'passes by row level security' END,
            CASE WHEN a.rolcreaterole THEN 'creates roles' END,
            CASE WHEN a.rolcreatedb THEN 'creates databases' END,
            CASE WHEN a.rolreplication THEN 'replicates' END) AS what
    FROM app_roles AS a
    WHERE a.rolsuper OR a.rolbypassrls OR a.rolcreaterole OR a.rolcreatedb OR a.rolreplication""",
)

_IN_TWO_GROUPS = Check(
    "a role of the app has the rights of two",
    "REVOKE the other membership: a login is in exactly one group, a group in none.",
    f"""
    {_MEMBERSHIPS}
    SELECT a.rolname AS place, 'it is a member of ' || string_agg(g.rolname, ', ' ORDER BY g.rolname) AS what
    FROM app_roles AS a
    JOIN belongs AS b ON b.member = a.oid
    JOIN pg_roles AS g ON g.oid = b.roleid
    GROUP BY a.rolname
    HAVING count(*) > CASE WHEN a.rolname IN ({listed(LOGIN_GROUPS)}) THEN 0 ELSE 1 END""",
)

_OWNS = Check(
    "a role of the app owns something",
    f"ALTER … OWNER TO {OWNER}: an owner grants what it likes.",
    f"""
    {_MEMBERSHIPS}
    SELECT c.relname AS place, 'it belongs to ' || a.rolname AS what
    FROM app_roles AS a
    JOIN pg_class AS c ON c.relowner = a.oid AND c.relkind IN ('r', 'p', 'v', 'm', 'f', 'S')
    UNION ALL
    SELECT CAST(CAST(p.oid AS regprocedure) AS text), 'it belongs to ' || a.rolname
    FROM app_roles AS a
    JOIN pg_proc AS p ON p.proowner = a.oid""",
)

_GROUP_SIGNS_IN = Check(
    "a group can sign in",
    "ALTER ROLE … NOLOGIN, and for the owner NOSUPERUSER NOBYPASSRLS.",
    f"""
    SELECT r.rolname AS place, 'a group that signs in, or an owner above the policies' AS what
    FROM pg_roles AS r
    WHERE r.rolname IN ({listed((OWNER, *LOGIN_GROUPS))}) AND r.rolcanlogin
        OR r.rolname = '{OWNER}' AND (r.rolsuper OR r.rolbypassrls)""",
)

# A temporary table would stand before ours in the search path of a function that runs as its owner.
_DATABASE_IS_OPEN = Check(
    "the database is open",
    "REVOKE ALL ON DATABASE … FROM PUBLIC; app roles may connect, and nobody but the owner creates.",
    f"""
    {_MEMBERSHIPS}
    SELECT d.datname AS place, COALESCE(a.rolname, 'PUBLIC') || ' holds ' || e.privilege_type AS what
    FROM pg_database AS d
    CROSS JOIN LATERAL aclexplode(COALESCE(d.datacl, acldefault('d', d.datdba))) AS e
    LEFT JOIN app_roles AS a ON a.oid = e.grantee
    WHERE d.datname = current_database()
        AND (e.grantee = 0 OR a.oid IS NOT NULL AND e.privilege_type <> 'CONNECT')
    UNION ALL
    SELECT n.nspname, COALESCE(a.rolname, 'PUBLIC') || ' may create in it'
    FROM pg_namespace AS n
    CROSS JOIN LATERAL aclexplode(COALESCE(n.nspacl, acldefault('n', n.nspowner))) AS e
    LEFT JOIN app_roles AS a ON a.oid = e.grantee
    WHERE n.nspname = 'public' AND e.privilege_type = 'CREATE' AND (e.grantee = 0 OR a.oid IS NOT NULL)""",
)

RIGHT_CHECKS = (
    _granted(
        "a partition is granted",
        "REVOKE it: a partition read directly passes by its parent's policies.",
        "g.relispartition",
    ),
    _granted("everyone holds a right", "REVOKE … FROM PUBLIC.", "g.grantee = '' AND NOT g.relispartition"),
    _granted(
        "a right that policies don't bind is granted",
        "REVOKE it: TRUNCATE, REFERENCES, TRIGGER and MAINTAIN are for the owner.",
        "g.may IN ('TRUNCATE', 'REFERENCES', 'TRIGGER', 'MAINTAIN')",
    ),
    _granted(
        "a reader can write",
        f"REVOKE it: {RO} and {PIPE} read.",
        f"g.grantee IN ('{RO}', '{PIPE}') AND g.may IN ('INSERT', 'UPDATE', 'DELETE')",
    ),
    _granted(
        "rows that are only added can be changed",
        "REVOKE UPDATE, DELETE: SELECT make_append_only('…').",
        f"g.relname IN ({listed(APPEND_ONLY)}) AND g.may IN ('UPDATE', 'DELETE')"
        " OR g.may IN ('UPDATE', 'DELETE') AND EXISTS ("
        "SELECT FROM pg_trigger AS t JOIN pg_proc AS p ON p.oid = t.tgfoid AND p.proname = 'refuse_change'"
        " JOIN pg_class AS o ON o.oid = t.tgrelid AND o.relnamespace = CAST('public' AS regnamespace)"
        " WHERE o.relname = g.relname)",
    ),
    _granted(
        "what triggers keep can be written",
        "REVOKE INSERT, UPDATE, DELETE: its triggers write it as the owner.",
        f"g.relname IN ({listed(KEPT_BY_TRIGGERS)}) AND g.may IN ('INSERT', 'UPDATE', 'DELETE')",
    ),
    _ROW_XID_IS_WRITABLE,
    _SECRET_IS_READ,
    _VIEW_OF_ITS_OWNER,
    _OUT_OF_POLICIES,
    _NOT_PINNED,
    _CALLED_AS_OWNER,
    _CALLED_BY_ALL,
    _TOO_POWERFUL,
    _IN_TWO_GROUPS,
    _OWNS,
    _GROUP_SIGNS_IN,
    _DATABASE_IS_OPEN,
)
