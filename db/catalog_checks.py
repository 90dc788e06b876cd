"""Checks of tables: row level security, policies, keys between tenants, and the triggers that every table needs."""

# ruff: noqa: S608 - the SQL is made of our own names

from collections.abc import Iterable
from dataclasses import dataclass

from db.roles import INGEST, OWNER, PIPE, RO, RW


@dataclass(frozen=True)
class Check:
    """One question to the catalog. Its SQL answers a row per hole: `place`, and `what` is wrong there."""

    name: str
    fix: str
    sql: str


# Tables whose rows are people's or tenants' without a column `workspace_id`.
PEOPLE = {
    "workspaces": "a tenant itself",
    "users": "a customer is seen by the workspaces that the customer is in or owns",
    "user_sessions": "seen with its customer",
}

_SCOPE = "( SELECT app_workspaces() AS app_workspaces)"
_OWN = f"(workspace_id = ANY ({_SCOPE}::uuid[]))"
_OWN_ID = f"(id = ANY ({_SCOPE}::uuid[]))"
_MEMBERS = (
    "((id IN ( SELECT workspace_members.user_id FROM workspace_members))"
    " OR (id IN ( SELECT workspaces.owner_id FROM workspaces)))"
)
_OF_A_CUSTOMER = "(user_id IN ( SELECT users.id FROM users))"

# A policy is one of these to the letter: one that only contains the scope could still end in `OR true`.
# As (table, or * for any with a workspace_id; 'r' for reading alone or 'w' for writing too; the expression).
REVIEWED_POLICIES = (
    ("*", "w", _OWN),  # the workspaces that the transaction named
    ("*", "w", f"({_OWN} OR (workspace_id IS NULL))"),  # and rows of the company, which are no tenant's
    ("*", "r", f"({_OWN} OR ((workspace_id = house_workspace()) AND ({_SCOPE} IS NOT NULL)))"),  # and the library
    ("workspaces", "w", _OWN_ID),
    ("workspaces", "r", f"({_OWN_ID} OR ((id = house_workspace()) AND ({_SCOPE} IS NOT NULL)))"),
    ("users", "w", _MEMBERS),  # both tables in it have policies of their own
    ("user_sessions", "w", _OF_A_CUSTOMER),  # likewise
)
# A new customer is in no workspace yet, so nothing about the row can be asked.
REVIEWED_INSERTS = (("users", "true"),)

# Unique over all workspaces: as index and reason.
GLOBALLY_UNIQUE = {
    "fact_tombstones_key": "the database counts it up; nobody chooses it",
    "audit_log_key": "the database counts it up; nobody chooses it",
    "budgets_key": "rows of the company have no workspace, and a primary key holds no NULL; the key is random",
    "budget_alerts_key": "rows of the company have no workspace, and a primary key holds no NULL; the key is random",
    "annotations_key": "rows of the company have no workspace, and a primary key holds no NULL; the key is random",
    "jobs_key": "rows of the company have no workspace, and a primary key holds no NULL; the key is random",
    "budget_days_key": "it starts with a budget of the same workspace",
    "budget_evaluations_key": "rows of the company have no workspace, as for budgets; the key is random",
    "alert_deliveries_key": "rows of the company have no workspace, as for budgets; the key is random",
}

_HOUSE = "'00000000-0000-7000-8000-000000000000'::uuid"

# Roles that are bound to the workspaces of the transaction, and the two that see all rows.
SCOPED = (RW, RO, INGEST)
KNOWN = (*SCOPED, PIPE, OWNER)


def listed(names: Iterable[str]) -> str:
    """Our own names as a list of SQL literals."""
    return ", ".join("'" + name.replace("'", "''") + "'" for name in names)


def rows_of(rows: Iterable[Iterable[str]]) -> str:
    """Our own rows as SQL's VALUES."""
    return ", ".join(f"({listed(row)})" for row in rows)


TENANT_TABLES = f"""
    SELECT c.oid, c.relname, c.relrowsecurity, c.relforcerowsecurity, c.relkind
    FROM pg_class AS c
    WHERE c.relnamespace = CAST('public' AS regnamespace)
        AND c.relkind IN ('r', 'p')
        AND NOT c.relispartition
        AND (c.relname IN ({listed(PEOPLE)}) OR EXISTS (
            SELECT FROM pg_attribute AS w WHERE w.attrelid = c.oid AND w.attname = 'workspace_id' AND NOT w.attisdropped
        ))"""

# Every table of ours with a column of this name; and the facts, known by their partitions or by row_xid.
_TABLES_WITH = """
    SELECT c.oid, c.relname
    FROM pg_class AS c
    JOIN pg_attribute AS a ON a.attrelid = c.oid AND a.attname = '{column}' AND NOT a.attisdropped
    WHERE c.relnamespace = CAST('public' AS regnamespace) AND c.relkind IN ('r', 'p') AND NOT c.relispartition"""
_FACTS = """
    SELECT c.oid, c.relname
    FROM pg_class AS c
    WHERE c.relnamespace = CAST('public' AS regnamespace) AND NOT c.relispartition AND (
        c.relkind = 'p' OR c.relkind = 'r' AND EXISTS (
            SELECT FROM pg_attribute AS x WHERE x.attrelid = c.oid AND x.attname = 'row_xid' AND NOT x.attisdropped
        )
    )"""
# The lake reads these as it reads facts, but their rows are only added.
ONLY_ADDED = {"fact_tombstones": "the trace of a deletion is not itself changed or deleted"}
_CHANGING_FACTS = f"{_FACTS} AND c.relname NOT IN ({listed(ONLY_ADDED)})"


def _lacks_trigger(tables: str, function: str, moment: int) -> str:
    """Tables without an enabled trigger of this function; `moment` is the bits of pg_trigger.tgtype."""
    return f"""
        SELECT t.relname AS place, 'no trigger calls {function}' AS what
        FROM ({tables}) AS t
        WHERE NOT EXISTS (
            SELECT FROM pg_trigger AS g
            JOIN pg_proc AS p ON p.oid = g.tgfoid
            WHERE g.tgrelid = t.oid AND p.proname = '{function}' AND g.tgtype = {moment} AND g.tgenabled IN ('O', 'A')
        )"""


_BEFORE_UPDATE_OF_ROW = 1 + 2 + 16
_AFTER_DELETE = 8

_FORCED = Check(
    "row level security is not forced",
    "Guard the table in its migration: SELECT guard_tenant_table('…').",
    f"""
    SELECT t.relname AS place, 'a table of tenants that the owner or anyone else reads whole' AS what
    FROM ({TENANT_TABLES}) AS t
    WHERE NOT (t.relrowsecurity AND t.relforcerowsecurity)""",
)

_HAS_POLICIES = Check(
    "a role has no policy",
    "Guard the table in its migration: SELECT guard_tenant_table('…').",
    f"""
    SELECT t.relname AS place, r.rolname || ' is named by no policy that lets rows through' AS what
    FROM ({TENANT_TABLES}) AS t
    JOIN pg_roles AS r ON r.rolname IN ({listed(KNOWN)})
    WHERE NOT EXISTS (
        SELECT FROM pg_policy AS p WHERE p.polrelid = t.oid AND p.polpermissive AND r.oid = ANY (p.polroles)
    )""",
)

_POLICY_OF_STRANGERS = Check(
    "a policy lets in roles that nobody reviewed",
    "Name the roles in CREATE POLICY … TO; app_pipe only reads.",
    f"""
    SELECT t.relname || '.' || p.polname AS place,
        CASE WHEN named.oid = 0 THEN 'it is for PUBLIC' ELSE 'it is for ' || COALESCE(r.rolname, '?') END AS what
    FROM ({TENANT_TABLES}) AS t
    JOIN pg_policy AS p ON p.polrelid = t.oid AND p.polpermissive
    CROSS JOIN unnest(p.polroles) AS named (oid)
    LEFT JOIN pg_roles AS r ON r.oid = named.oid
    WHERE named.oid = 0 OR r.rolname IS NULL OR r.rolname NOT IN ({listed(KNOWN)})
        OR r.rolname = '{PIPE}' AND p.polcmd <> 'r'""",
)

# What may be written is asked of WITH CHECK, and of USING where a policy is for more than reading.
_POLICY_OUT_OF_SCOPE = Check(
    "a policy does not keep to the workspaces of the transaction",
    "Write it as guard_tenant_table does: workspace_id = ANY ((SELECT app_workspaces())::uuid[]).",
    f"""
    WITH expressions AS (
        SELECT t.relname, p.polname, e.side, p.polcmd,
            replace(regexp_replace(pg_get_expr(e.tree, p.polrelid), '[[:space:]]+', ' ', 'g'), 'public.', '') AS said
        FROM ({TENANT_TABLES}) AS t
        JOIN pg_policy AS p ON p.polrelid = t.oid AND p.polpermissive
        CROSS JOIN LATERAL (VALUES ('USING', p.polqual), ('WITH CHECK', p.polwithcheck)) AS e (side, tree)
        WHERE e.tree IS NOT NULL AND EXISTS (
            SELECT FROM pg_roles AS r WHERE r.oid = ANY (p.polroles) AND r.rolname IN ({listed(SCOPED)})
        )
    )
    SELECT e.relname || '.' || e.polname AS place, e.side || ' says ' || e.said AS what
    FROM expressions AS e
    WHERE NOT EXISTS (
            SELECT FROM (VALUES {rows_of(REVIEWED_POLICIES)}) AS ok (relname, use, said)
            WHERE ok.said = e.said
                AND ok.relname IN (e.relname, CASE WHEN e.relname IN ({listed(PEOPLE)}) THEN NULL ELSE '*' END)
                AND (ok.use = 'w' OR e.side = 'USING' AND e.polcmd = 'r')
        )
        AND NOT (e.polcmd = 'a' AND (e.relname, e.said) IN ({rows_of(REVIEWED_INSERTS)}))""",
)

_SHOWS_DELETED_ROWS = Check(
    "pages see deleted rows",
    "CREATE POLICY pages_see_no_deleted_rows ON … AS RESTRICTIVE FOR SELECT TO app_ro USING (deleted_at IS NULL).",
    f"""
    SELECT t.relname AS place, 'no restrictive policy hides rows with deleted_at from {RO}' AS what
    FROM ({TENANT_TABLES}) AS t
    JOIN pg_attribute AS a ON a.attrelid = t.oid AND a.attname = 'deleted_at' AND NOT a.attisdropped
    WHERE NOT EXISTS (
        SELECT FROM pg_policy AS p
        JOIN pg_roles AS r ON r.oid = ANY (p.polroles) AND r.rolname = '{RO}'
        WHERE p.polrelid = t.oid AND NOT p.polpermissive AND p.polcmd IN ('r', '*')
            AND pg_get_expr(p.polqual, p.polrelid) = '(deleted_at IS NULL)'
    )""",
)

# Three ways are right: the workspace in the same place on both sides; `<x>_workspace_id` with its two CHECKs, for rows
# of the library; and a plain key for rows of the company beside a key of the first kind.
_KEY_ACROSS = Check(
    "a foreign key accepts another workspace's row",
    "Make it FOREIGN KEY (workspace_id, …) REFERENCES … (workspace_id, …), or use own_or_house().",
    f"""
    WITH keys AS (
        SELECT f.oid, f.conname, f.conrelid, f.confrelid, o.relname, l.columns, l.names, l.in_workspace, l.owner_column
        FROM pg_constraint AS f
        JOIN ({TENANT_TABLES}) AS o ON o.oid = f.conrelid
        CROSS JOIN LATERAL (
            SELECT array_agg(a.attname) AS names,
                array_agg(a.attname || '>' || b.attname) FILTER (WHERE b.attname <> 'workspace_id') AS columns,
                COALESCE(bool_or(a.attname = 'workspace_id' AND b.attname = 'workspace_id'), false) AS in_workspace,
                max(CAST(a.attname AS text)) FILTER (
                    WHERE b.attname = 'workspace_id' AND a.attname LIKE '%\\_workspace\\_id') AS owner_column
            FROM unnest(f.conkey, f.confkey) AS k (here, there)
            JOIN pg_attribute AS a ON a.attrelid = f.conrelid AND a.attnum = k.here
            JOIN pg_attribute AS b ON b.attrelid = f.confrelid AND b.attnum = k.there
        ) AS l
        WHERE f.contype = 'f' AND f.conparentid = 0
            AND f.conrelid IN (SELECT attrelid FROM pg_attribute WHERE attname = 'workspace_id' AND NOT attisdropped)
            AND f.confrelid IN (SELECT attrelid FROM pg_attribute WHERE attname = 'workspace_id' AND NOT attisdropped)
    )
    SELECT k.relname || '.' || k.conname AS place, pg_get_constraintdef(k.oid) AS what
    FROM keys AS k
    WHERE NOT k.in_workspace
        AND NOT EXISTS (
            SELECT FROM keys AS beside
            WHERE beside.in_workspace AND beside.conrelid = k.conrelid AND beside.confrelid = k.confrelid
                AND beside.columns @> k.columns AND k.columns @> beside.columns
        )
        AND NOT (
            EXISTS (
                SELECT FROM pg_constraint AS c
                WHERE c.conrelid = k.conrelid AND c.contype = 'c' AND c.convalidated
                    AND pg_get_expr(c.conbin, c.conrelid) = format(
                        '((%1$s = workspace_id) OR (%1$s = %2$s))', k.owner_column, $house${_HOUSE}$house$)
            )
            AND NOT EXISTS (
                SELECT FROM unnest(k.names) AS one (name)
                WHERE one.name <> k.owner_column AND NOT EXISTS (
                    SELECT FROM pg_constraint AS c
                    WHERE c.conrelid = k.conrelid AND c.contype = 'c' AND c.convalidated
                        AND pg_get_expr(c.conbin, c.conrelid) = format(
                            '((%s IS NULL) = (%s IS NULL))', one.name, k.owner_column)
                )
            )
        )""",
)

_UNIQUE_ACROSS = Check(
    "a unique index tells what other workspaces have",
    "Begin it with workspace_id, or add it with its reason to GLOBALLY_UNIQUE in db/catalog_checks.py.",
    f"""
    SELECT t.relname || '.' || n.relname AS place, pg_get_indexdef(i.indexrelid) AS what
    FROM ({TENANT_TABLES}) AS t
    JOIN pg_attribute AS w ON w.attrelid = t.oid AND w.attname = 'workspace_id' AND NOT w.attisdropped
    JOIN pg_index AS i ON i.indrelid = t.oid AND i.indisunique
    JOIN pg_class AS n ON n.oid = i.indexrelid
    WHERE NOT (w.attnum = ANY (i.indkey))
        AND n.relname NOT IN ({listed(GLOBALLY_UNIQUE)})""",
)

_NO_ROW_XID_INDEX = Check(
    "the pull would read a fact whole",
    "Give the fact row_xid xid8 NOT NULL DEFAULT pg_current_xact_id() and an index that begins with it.",
    f"""
    SELECT t.relname AS place, 'no index begins with row_xid' AS what
    FROM ({_FACTS}) AS t
    WHERE NOT EXISTS (
        SELECT FROM pg_index AS i
        JOIN pg_attribute AS a ON a.attrelid = t.oid AND a.attnum = i.indkey[0] AND a.attname = 'row_xid'
        WHERE i.indrelid = t.oid AND i.indisvalid AND i.indpred IS NULL
    )""",
)

# Bits of pg_trigger.tgtype: 1 for each row, 2 before.
_ANSWERS_BEFORE_POLICIES = Check(
    "a trigger tells what its owner sees before the policies are asked",
    "Put a trigger before it in the order of names that calls keep_to_own_workspaces().",
    f"""
    SELECT t.relname || '.' || g.tgname AS place, 'it runs before the row is checked, as ' || p.proname || '()' AS what
    FROM ({TENANT_TABLES}) AS t
    JOIN pg_trigger AS g ON g.tgrelid = t.oid AND g.tgtype & 3 = 3
    JOIN pg_proc AS p ON p.oid = g.tgfoid AND p.prosecdef
    WHERE NOT EXISTS (
        SELECT FROM pg_trigger AS k
        JOIN pg_proc AS q ON q.oid = k.tgfoid AND q.proname = 'keep_to_own_workspaces'
        WHERE k.tgrelid = t.oid AND k.tgtype & g.tgtype = g.tgtype AND k.tgname < g.tgname AND k.tgenabled IN ('O', 'A')
    )""",
)

ROW_CHECKS = (
    _FORCED,
    _HAS_POLICIES,
    _POLICY_OF_STRANGERS,
    _POLICY_OUT_OF_SCOPE,
    _SHOWS_DELETED_ROWS,
    _KEY_ACROSS,
    _UNIQUE_ACROSS,
    _NO_ROW_XID_INDEX,
    _ANSWERS_BEFORE_POLICIES,
    Check(
        "the lake would never see a change",
        "Guard the fact in its migration: SELECT guard_fact_table('…', ARRAY['…']).",
        _lacks_trigger(_CHANGING_FACTS, "stamp_row_xid", _BEFORE_UPDATE_OF_ROW),
    ),
    Check(
        "the lake would never see a deletion",
        "Guard the fact in its migration: SELECT guard_fact_table('…', ARRAY['…']).",
        _lacks_trigger(_CHANGING_FACTS, "leave_tombstones", _AFTER_DELETE),
    ),
    Check(
        "updated_at stands still",
        "Guard the table in its migration: SELECT guard_tenant_table('…') or guard_company_table('…').",
        _lacks_trigger(_TABLES_WITH.format(column="updated_at"), "touch_updated_at", _BEFORE_UPDATE_OF_ROW),
    ),
    Check(
        "a stale edit is not refused",
        "Guard the table in its migration: SELECT guard_tenant_table('…') or guard_company_table('…').",
        _lacks_trigger(_TABLES_WITH.format(column="revision"), "raise_revision", _BEFORE_UPDATE_OF_ROW),
    ),
)
