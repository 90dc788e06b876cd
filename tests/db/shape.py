"""What a database looks like, as its catalog tells it: sets of lines, so that two can be compared."""

from sqlalchemy import text

_OURS = "c.relnamespace = 'public'::regnamespace AND NOT c.relispartition AND c.relname !~ '^alembic_version'"

TABLES = {
    "columns": f"""
        SELECT format('%s.%s %s %s default %s generated %s identity %s', c.relname, a.attname,
            format_type(a.atttypid, a.atttypmod), CASE WHEN a.attnotnull THEN 'not null' ELSE '' END,
            pg_get_expr(d.adbin, d.adrelid), a.attgenerated, a.attidentity)
        FROM pg_class AS c
        JOIN pg_attribute AS a ON a.attrelid = c.oid AND a.attnum > 0 AND NOT a.attisdropped
        LEFT JOIN pg_attrdef AS d ON d.adrelid = c.oid AND d.adnum = a.attnum
        WHERE {_OURS} AND c.relkind IN ('r', 'p')""",
    "constraints": f"""
        SELECT format('%s %s %s', c.relname, k.conname, pg_get_constraintdef(k.oid))
        FROM pg_constraint AS k JOIN pg_class AS c ON c.oid = k.conrelid
        WHERE {_OURS} AND k.contype IN ('c', 'f', 'p', 'u', 'x') AND k.conparentid = 0""",
    "indexes": f"""
        SELECT format('%s %s', pg_get_indexdef(c.oid), c.reloptions)
        FROM pg_class AS c WHERE {_OURS} AND c.relkind IN ('i', 'I')""",
    "options": f"""
        SELECT format('%s %s %s', c.relname, pg_get_partkeydef(c.oid), c.reloptions)
        FROM pg_class AS c WHERE {_OURS} AND c.relkind IN ('r', 'p')""",
}
EVERYTHING = {
    **TABLES,
    "row security and rights": f"""
        SELECT format('%s %s %s %s', c.relname, c.relrowsecurity, c.relforcerowsecurity,
            (SELECT string_agg(a::text, ' ' ORDER BY a::text) FROM unnest(c.relacl) AS a))
        FROM pg_class AS c WHERE {_OURS} AND c.relkind IN ('r', 'p', 'v', 'S')""",
    "rights on columns": f"""
        SELECT format('%s.%s %s', c.relname, a.attname, right_given)
        FROM pg_class AS c JOIN pg_attribute AS a ON a.attrelid = c.oid CROSS JOIN unnest(a.attacl) AS right_given
        WHERE {_OURS}""",
    "triggers": f"""
        SELECT pg_get_triggerdef(t.oid) FROM pg_trigger AS t JOIN pg_class AS c ON c.oid = t.tgrelid
        WHERE {_OURS} AND NOT t.tgisinternal""",
    "policies": """
        SELECT format('%s %s %s %s %s %s %s', tablename, policyname, permissive, roles, cmd, qual, with_check)
        FROM pg_policies""",
    "views": "SELECT format('%s %s', viewname, definition) FROM pg_views WHERE schemaname = 'public'",
    "functions": """
        SELECT format('%s %s %s', pg_get_functiondef(oid), proacl, proowner::regrole)
        FROM pg_proc WHERE pronamespace = 'public'::regnamespace""",
    "partitions": """
        SELECT format('%s %s %s', c.relname, pg_get_expr(c.relpartbound, c.oid), c.relacl)
        FROM pg_class AS c WHERE c.relispartition AND c.relkind = 'r'""",
}


def shape(connection, parts=EVERYTHING):
    """Everything that the catalog says of each part."""
    return {part: set(connection.scalars(text(query.replace(":", r"\:")))) for part, query in parts.items()}
