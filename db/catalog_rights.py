"""Checks of rights: what is granted on tables, views and functions, and what the roles themselves may do."""

from db.catalog_checks import Check, listed
from db.roles import INGEST, LOGIN_GROUPS, OWNER, PIPE, RO, RW

# Rows of these are only added; their triggers refuse the rest, and the right is not given either.
APPEND_ONLY = {
    "audit_log": "history is not rewritten",
    "credit_transactions": "a balance is proven by the movements before it",
    "template_versions": "a version is what was saved then",
}
# Triggers write these, as the owner.
KEPT_BY_TRIGGERS = {
    "audit_log": "nobody writes a line of their own",
    "fact_tombstones": "the lake trusts them",
    "email_event_keys": "a foreign key in it would hide an event",
    "email_event_repeats": "counted from what arrives",
    "email_sends": "made from e-mail events",
    "ai_cost_tracking": "summed from AI generations",
    "user_usage": "summed from usage logs",
}
# Run as the owner on the app's call, and take nothing that reaches a tenant's row.
REVIEWED_AS_OWNER = {
    "make_partitions(integer)": "makes empty partitions, two years ahead at most",
    "make_partitions_between(date, date)": "makes empty partitions, two years ahead at most",
}
# The app's roles can make no temporary object (checked below), so nothing can stand before these schemas.
_PINNED = ("search_path=pg_catalog", "search_path=pg_catalog, public", "search_path=pg_catalog, public, pg_temp")

_OF_NO_EXTENSION = "NOT EXISTS (SELECT FROM pg_depend AS x WHERE x.objid = {}.oid AND x.deptype = 'e')"

# Every right on a table, view, sequence or column of ours that someone else than the owner holds; '' is PUBLIC.
_GRANTS = f"""
    SELECT c.oid, c.relname, c.relkind, c.relispartition, g.columns, g.right, COALESCE(r.rolname, '') AS grantee
    FROM pg_class AS c
    CROSS JOIN LATERAL (
        SELECT a.grantee, a.privilege_type AS right, NULL AS columns FROM aclexplode(c.relacl) AS a
        UNION ALL
        SELECT a.grantee, a.privilege_type, CAST(k.attname AS text)
        FROM pg_attribute AS k
        CROSS JOIN LATERAL aclexplode(k.attacl) AS a
        WHERE k.attrelid = c.oid AND NOT k.attisdropped
    ) AS g
    LEFT JOIN pg_roles AS r ON r.oid = g.grantee
    WHERE c.relnamespace = CAST('public' AS regnamespace)
        AND c.relkind IN ('r', 'p', 'v', 'm', 'f', 'S')
        AND g.grantee <> c.relowner
        AND {_OF_NO_EXTENSION.format("c")}"""
_GRANTED_WHERE = """
    SELECT relname AS place,
        CASE grantee WHEN '' THEN 'PUBLIC' ELSE grantee END || ' holds ' || string_agg(DISTINCT right, ', ') AS what
    FROM ({grants}) AS g
    WHERE {condition}
    GROUP BY relname, grantee"""
_FUNCTIONS = f"""
    SELECT p.oid, p.oid::regprocedure AS signature, p.prosecdef, p.proconfig,
        COALESCE(r.rolname, CASE e.grantee WHEN 0 THEN 'PUBLIC' END) AS grantee
    FROM pg_proc AS p
    LEFT JOIN LATERAL aclexplode(COALESCE(p.proacl, acldefault('f', p.proowner))) AS e ON e.grantee <> p.proowner
    LEFT JOIN pg_roles AS r ON r.oid = e.grantee
    WHERE p.pronamespace = CAST('public' AS regnamespace) AND {_OF_NO_EXTENSION.format("p")}"""
