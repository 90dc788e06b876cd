"""The catalog check finds nothing in a migrated database, and every hole that someone could open in it."""

import pytest
from sqlalchemy import text

from db.catalog import holes
from db.catalog_checks import ROW_CHECKS
from db.catalog_rights import RIGHT_CHECKS
from db.engine import run_script
from tests.servers import new_database

GUARDED = """
    CREATE TABLE notes (workspace_id uuid NOT NULL, id uuid NOT NULL, template_id uuid, template_workspace_id uuid,
        PRIMARY KEY (workspace_id, id));
    ALTER TABLE notes OWNER TO app_owner;
    SELECT guard_tenant_table('notes');
"""
FACT = """
    CREATE TABLE notes (workspace_id uuid NOT NULL, id uuid NOT NULL, day date NOT NULL,
        row_xid xid8 NOT NULL DEFAULT pg_current_xact_id(), PRIMARY KEY (workspace_id, id, day)
    ) PARTITION BY RANGE (day);
    ALTER TABLE notes OWNER TO app_owner;
"""

# What opens a hole, and where it is then found, by the name of the check and a word on the way in.
OPENINGS = {
    ("row level security is not forced", "a new table without a guard"): (
        "CREATE TABLE notes (workspace_id uuid PRIMARY KEY)",
        "notes",
    ),
    ("row level security is not forced", "not forced on the owner"): (
        "ALTER TABLE contacts NO FORCE ROW LEVEL SECURITY",
        "contacts",
    ),
    ("row level security is not forced", "on people"): ("ALTER TABLE users DISABLE ROW LEVEL SECURITY", "users"),
    ("a role has no policy", "a new table without policies"): (
        (
            "CREATE TABLE notes (workspace_id uuid PRIMARY KEY);"
            "ALTER TABLE notes ENABLE ROW LEVEL SECURITY; ALTER TABLE notes FORCE ROW LEVEL SECURITY"
        ),
        "notes",
    ),
    ("a policy lets in roles that nobody reviewed", "PUBLIC"): (
        "CREATE POLICY everyone ON contacts USING (true)",
        "contacts.everyone",
    ),
    ("a policy lets in roles that nobody reviewed", "the pull may write"): (
        "CREATE POLICY pull ON contacts TO app_pipe USING (true)",
        "contacts.pull",
    ),
    ("a policy does not keep to the workspaces of the transaction", "true"): (
        "CREATE POLICY wide ON contacts FOR SELECT TO app_ro USING (true)",
        "contacts.wide",
    ),
    ("a policy does not keep to the workspaces of the transaction", "or true"): (
        (
            f"{GUARDED}; ALTER POLICY scope_reads ON notes"
            " USING (workspace_id = ANY ((SELECT app_workspaces())::uuid[]) OR true)"
        ),
        "notes.scope_reads",
    ),
    ("a policy does not keep to the workspaces of the transaction", "once per row"): (
        f"{GUARDED}; ALTER POLICY scope_reads ON notes USING (workspace_id = ANY (app_workspaces()))",
        "notes.scope_reads",
    ),
    ("a policy does not keep to the workspaces of the transaction", "the library is written"): (
        (
            "ALTER POLICY scope_inserts ON templates WITH CHECK (workspace_id = ANY ((SELECT app_workspaces())::uuid[])"
            " OR workspace_id = house_workspace() AND (SELECT app_workspaces()) IS NOT NULL)"
        ),
        "templates.scope_inserts",
    ),
    ("pages see deleted rows", "no restrictive policy"): (
        "DROP POLICY pages_see_no_deleted_rows ON contacts",
        "contacts",
    ),
    ("a foreign key accepts another workspace's row", "a plain key"): (
        (
            "CREATE UNIQUE INDEX plain ON templates (id);"
            f"{GUARDED}; ALTER TABLE notes ADD CONSTRAINT hole FOREIGN KEY (template_id) REFERENCES templates (id)"
        ),
        "notes.hole",
    ),
    ("a foreign key accepts another workspace's row", "the library's key without its check"): (
        (
            f"{GUARDED}; ALTER TABLE notes ADD CONSTRAINT hole"
            " FOREIGN KEY (template_workspace_id, template_id) REFERENCES templates (workspace_id, id)"
        ),
        "notes.hole",
    ),
    ("a foreign key accepts another workspace's row", "the library's check is gone"): (
        "ALTER TABLE ai_generations DROP CONSTRAINT template_is_own_or_from_the_library",
        "ai_generations.template_exists",
    ),
    ("a foreign key accepts another workspace's row", "the key beside it is gone"): (
        "ALTER TABLE budget_alerts DROP CONSTRAINT budget_alerts_workspace_id_budget_id_exists",
        "budget_alerts.budget_alerts_budget_id_exists",
    ),
    ("a unique index tells what other workspaces have", "an e-mail address"): (
        "CREATE UNIQUE INDEX hole ON contacts (email)",
        "contacts.hole",
    ),
    ("the pull would read a fact whole", "no index"): ("DROP INDEX email_events_by_row_xid", "email_events"),
    ("a trigger tells what its owner sees before the policies are asked", "none before it"): (
        "DROP TRIGGER keep_to_own_workspaces ON credit_transactions",
        "credit_transactions.prove_credit_balance",
    ),
    ("the lake would never see a change", "a fact without a guard"): (f"{FACT}", "notes"),
    ("the lake would never see a change", "switched off"): (
        "ALTER TABLE usage_logs DISABLE TRIGGER stamp_row_xid",
        "usage_logs",
    ),
    ("the lake would never see a deletion", "a fact without a guard"): (f"{FACT}", "notes"),
    ("updated_at stands still", "no trigger"): ("DROP TRIGGER touch_updated_at ON lists", "lists"),
    ("a stale edit is not refused", "no trigger"): ("DROP TRIGGER raise_revision ON budgets", "budgets"),
    ("a partition is granted", "to readers"): (
        (
            "CREATE TABLE contents PARTITION OF usage_logs FOR VALUES FROM ('2010-01-01') TO ('2010-02-01');"
            "ALTER TABLE contents OWNER TO app_owner; GRANT SELECT ON contents TO app_ro"
        ),
        "contents",
    ),
    ("everyone holds a right", "on one column"): ("GRANT SELECT (name) ON plans TO PUBLIC", "plans"),
    ("a right that policies don't bind is granted", "TRUNCATE"): ("GRANT TRUNCATE ON lists TO app_rw", "lists"),
    ("a reader can write", "INSERT"): ("GRANT INSERT ON lists TO app_ro", "lists"),
    ("rows that are only added can be changed", "the credit ledger"): (
        "GRANT UPDATE (amount) ON credit_transactions TO app_rw",
        "credit_transactions",
    ),
    ("rows that are only added can be changed", "a new ledger"): (
        f"{GUARDED}; SELECT make_append_only('notes'); GRANT DELETE ON notes TO app_rw",
        "notes",
    ),
    ("what triggers keep can be written", "the audit log"): ("GRANT INSERT ON audit_log TO app_rw", "audit_log"),
    ("row_xid can be written", "by importers"): (
        "GRANT INSERT (row_xid) ON email_events TO app_ingest",
        "email_events",
    ),
    ("a secret column is readable", "with the whole table"): (
        "GRANT SELECT ON meta_accounts TO app_ro",
        "meta_accounts.access_token",
    ),
    ("a view reads with its owner's rights", "a new view"): ("CREATE VIEW hole AS SELECT id FROM contacts", "hole"),
    ("a view reads with its owner's rights", "switched off"): (
        "ALTER VIEW campaign_totals SET (security_invoker = false)",
        "campaign_totals",
    ),
    ("rows lie where no policy reaches", "a materialized view"): (
        "CREATE MATERIALIZED VIEW hole AS SELECT id FROM contacts",
        "hole",
    ),
    ("a function that runs as its owner can be led astray", "no search_path"): (
        "ALTER FUNCTION audit_changes() RESET search_path",
        "audit_changes()",
    ),
    ("a function runs as its owner on anyone's call", "to readers"): (
        (
            "CREATE FUNCTION hole() RETURNS bigint LANGUAGE sql SECURITY DEFINER SET search_path = pg_catalog, public"
            " AS 'SELECT count(*) FROM contacts'; REVOKE ALL ON FUNCTION hole() FROM PUBLIC;"
            "GRANT EXECUTE ON FUNCTION hole() TO app_ro"
        ),
        "hole()",
    ),
    ("everyone may call a function", "a new function"): (
        "CREATE FUNCTION hole() RETURNS int LANGUAGE sql AS 'SELECT 1'",
        "hole()",
    ),
    ("a role of the app is above the policies", "a login"): ("ALTER ROLE test_app_ro BYPASSRLS", "test_app_ro"),
    ("a role of the app is above the policies", "a group"): ("ALTER ROLE app_rw CREATEROLE", "app_rw"),
    ("a role of the app has the rights of two", "two groups"): ("GRANT app_rw TO test_app_ro", "test_app_ro"),
    ("a role of the app has the rights of two", "the owner's"): ("GRANT app_owner TO test_app_rw", "test_app_rw"),
    ("a role of the app has the rights of two", "the server's"): ("GRANT pg_read_all_data TO app_ro", "app_ro"),
    ("a role of the app owns something", "a table"): ("ALTER TABLE lists OWNER TO test_app_rw", "lists"),
    ("a group can sign in", "the owner"): ("ALTER ROLE app_owner LOGIN", "app_owner"),
    ("the database is open", "to everyone"): (
        "DO $$ BEGIN EXECUTE format('GRANT CONNECT ON DATABASE %I TO PUBLIC', current_database()); END $$",
        "current_database",
    ),
    ("the database is open", "to temporary tables"): (
        "DO $$ BEGIN EXECUTE format('GRANT TEMPORARY ON DATABASE %I TO app_rw', current_database()); END $$",
        "current_database",
    ),
    ("the database is open", "to new tables"): ("GRANT CREATE ON SCHEMA public TO app_rw", "public"),
}


def test_a_migrated_database_has_no_holes(each_database):
    with each_database.setup.connect() as connection:
        assert holes(connection) == []


def test_pages_own_role_sees_the_same(database):
    with database.setup.begin() as connection:
        run_script(connection, "CREATE TABLE notes (workspace_id uuid PRIMARY KEY)")
        seen_by_owner = holes(connection)
    with database.ro.connect() as connection:
        assert holes(connection) == seen_by_owner != []


def test_logins_beyond_the_app_may_be_what_they_like(database):
    """A database administrator, and a role that created the groups, are no logins of the app."""
    with database.setup.connect() as connection:
        run_script(
            connection,
            "CREATE ROLE administrator SUPERUSER LOGIN; GRANT app_owner TO administrator;"
            "CREATE ROLE creator CREATEROLE LOGIN; GRANT app_owner TO creator;"
            "GRANT app_rw, app_ro TO creator WITH ADMIN TRUE, INHERIT FALSE, SET FALSE",
        )
        assert holes(connection) == []
        connection.rollback()


def test_a_guarded_table_has_no_holes(guarded):
    run_script(guarded, GUARDED)
    assert holes(guarded) == []


def test_every_check_has_an_opening_below():
    assert {check for check, _ in OPENINGS} == {check.name for check in (*ROW_CHECKS, *RIGHT_CHECKS)}


@pytest.fixture(scope="module")
def shared(server18):
    with new_database(server18) as fresh:
        yield fresh


@pytest.fixture
def guarded(shared):
    """A transaction that is undone, so that the next test finds no hole of this one's."""
    with shared.setup.connect() as connection:
        yield connection
        connection.rollback()


@pytest.mark.parametrize(("check", "way"), OPENINGS, ids=lambda name: name.replace(" ", "-"))
def test_a_hole_is_found_and_named(guarded, check, way):
    script, where = OPENINGS[check, way]
    if where == "current_database":
        where = guarded.scalar(text("SELECT current_database()"))
    run_script(guarded, script)
    found = [hole for hole in holes(guarded) if hole.where == where and hole.what.startswith(f"{check}: ")]
    assert len(found) >= 1
    assert all(hole.fix for hole in found)
