"""Every migration goes up and down on the oldest and the newest Postgres, with data, and tables match migrations."""

from decimal import Decimal

from alembic import command
from alembic.config import Config
from alembic.script import ScriptDirectory
from sqlalchemy import inspect, text

from db.engine import run_script
from db.tables import Base
from tests.db.handful import fill
from tests.db.rows import NOON, add, user, workspace
from tests.db.shape import EVERYTHING, TABLES, shape
from tests.servers import PROJECT, migrate, new_database


def test_tables_and_migrations_do_not_drift_apart(each_database, recwarn):
    config = Config(PROJECT / "alembic.ini")
    with each_database.setup.connect() as connection:
        config.attributes["connection"] = connection
        command.check(config)
    assert [str(warning.message) for warning in recwarn] == []


def test_keys_are_version_7_and_grow_with_time(each_database):
    with each_database.setup.connect() as connection:
        keys = [connection.scalar(text("SELECT uuid_v7() FROM pg_sleep(0.002)")) for _ in range(3)]
    assert [key.version for key in keys] == [7, 7, 7]
    assert sorted(keys) == keys


def test_down_to_nothing_and_up_again_leaves_the_same_database(each_database):
    migrate(each_database.setup, "-base")
    with each_database.setup.connect() as connection:
        left = connection.scalars(
            text("SELECT relname FROM pg_class WHERE relnamespace = 'public'::regnamespace ORDER BY 1")
        ).all()
        assert left == ["alembic_version", "alembic_version_pkc"]
        assert connection.scalar(text("SELECT count(*) FROM pg_proc WHERE pronamespace = 'public'::regnamespace")) == 0
    migrate(each_database.setup)


def shape_of(engine, parts=EVERYTHING):
    with engine.connect() as connection:
        return shape(connection, parts)


def test_down_to_nothing_and_up_again_makes_the_same_database(each_database):
    before = shape_of(each_database.setup)
    migrate(each_database.setup, "-base")
    migrate(each_database.setup)
    after = shape_of(each_database.setup)
    assert {part: before[part] ^ after[part] for part in before if before[part] != after[part]} == {}


def test_tables_alone_make_what_migrations_make(each_server):
    """Only functions, triggers, rights and policies are the migrations' own."""
    with new_database(each_server) as migrated, new_database(each_server, template="template0") as bare:
        with bare.setup.begin() as connection:
            body = migrated.setup.connect().scalar(text("SELECT pg_get_functiondef('uuid_v7'::regproc)"))
            run_script(connection, body)
            Base.metadata.create_all(connection)
        told, made = shape_of(bare.setup, TABLES), shape_of(migrated.setup, TABLES)
    assert {part: told[part] ^ made[part] for part in told if told[part] != made[part]} == {}


# Written by a migration, and taken away by undoing it, which the audit log tells of.
DEFAULT_ROWS = {
    "0015": {"settings", "retention_policies", "export_formats", "audit_log"},
    "0034": {"settings", "audit_log"},
}
# Making search vectors is an update, which these columns tell of.
SEARCHED = {"campaigns", "templates", "component_library"}
STAMPS = ["updated_at", "revision"]
# Of the writing transaction; the lake copies anew what a migration has written.
TRANSACTION = ["row_xid", "row_changed", "written_in"]
# A wish of the moment, which goes with its column.
WISHES = ["cancel_requested_at"]
# What the engine of quotas adds to balances and reservations.
QUOTAS = ["opening_used", "over_since", "key_place"]
# Kinds of usage and states of prices that an earlier revision has no place for.
KINDS_AND_STATES = ["cache_write_1h_tokens", "more_units", "unpriced_because", "rejected_by", "rejected_at",
    "warns_of_forecast", "about", "stop_id", "snoozed_until", "snoozed_by"]  # fmt: skip
# What a bill of one month has besides, and what it had when each file was one.
BILLS = {
    "provider_bills": ["zone", "invoiced", "invoice_number", "note", "approved_at", "approved_by", "revision", "source",
        "source_digest"],
    "provider_bill_lines": ["kind", "variant", "context_from", "step", "file_id", "replaced_by"],
}  # fmt: skip
# What says that somebody edited sections and shelves.
EDITS = {"templates": ["sections_changed_in"], "categories": ["revision"]}
# What admins decided about connections.
CONNECTIONS = {
    table: ["disabled_at", "reauthorization_asked_at", "revision"]
    for table in ("platform_integrations", "meta_accounts")
}
# When a plan goes live, and what it replaces.
PUBLICATIONS = ["publishes_on", "replaces_id"]
# What calls saved, found anew from the price book.
SAVINGS = ["cache_saving", "batch_saving"]


def digests(connection):
    """One digest per table that there is; search vectors and stamps apart."""
    tables = set(inspect(connection).get_table_names()) & set(Base.metadata.tables)
    return {
        table: connection.scalar(
            text(
                "SELECT md5(COALESCE(string_agg(row_text, '' ORDER BY row_text), '')) FROM"
                f" (SELECT CAST(to_jsonb(t) - CAST(:stamps AS text[]) AS text) AS row_text FROM {table} AS t) AS rows"
            ),
            {
                "stamps": TRANSACTION
                + WISHES
                + QUOTAS
                + KINDS_AND_STATES
                + SAVINGS
                + PUBLICATIONS
                + (STAMPS if table in SEARCHED else [])
                + BILLS.get(table, [])
                + CONNECTIONS.get(table, [])
                + EDITS.get(table, [])
            },
        )
        for table in tables
    }


def digests_of(engine):
    with engine.connect() as connection:
        return digests(connection)


def changed(before, after):
    return {table for table in set(before) & set(after) if before[table] != after[table]}


def assert_triggers_work(engine):
    """What a handful of rows leaves when every trigger is there."""
    with engine.begin() as connection:
        few = fill(connection)
        connection.execute(text("UPDATE templates SET html_content = '<p>2</p>'"))
    asked = {
        "SELECT emails_opened FROM email_campaigns": 1,
        "SELECT repeats FROM email_event_repeats": 1,
        "SELECT MAX(contact_count) FROM lists": 1,
        "SELECT views + conversions FROM web_campaigns": 2,
        "SELECT total_revenue FROM ad_campaigns": 20,
        "SELECT cost FROM ai_cost_tracking": Decimal("0.04"),
        "SELECT api_calls_made FROM user_usage": 1,
        "SELECT MAX(balance_after * position) FROM credit_transactions": 10,
        "SELECT COUNT(*) FROM template_versions": 2,
        "SELECT COUNT(*) FROM templates WHERE search_vector IS NOT NULL": 1,
        "SELECT COUNT(*) FROM fact_tombstones WHERE fact = 'email_events'": 1,
        "SELECT COUNT(*) FROM audit_log WHERE table_name = 'budgets'": 1,
    }
    with engine.connect() as connection:
        for question, answer in asked.items():
            joint = "AND" if "WHERE" in question else "WHERE"
            found = connection.scalar(text(f"{question} {joint} workspace_id = :own"), {"own": few.workspace})
            assert (question, found) == (question, answer)


def test_a_handful_of_rows_reaches_every_table(database):
    with database.setup.begin() as connection:
        fill(connection)
        empty = [
            table
            for table in Base.metadata.tables
            if not connection.scalar(text(f"SELECT EXISTS (SELECT FROM {table})"))
        ]
    assert empty == []


def test_each_migration_goes_down_and_up_and_keeps_what_the_earlier_one_can_hold(each_database):
    engine = each_database.setup
    assert_triggers_work(engine)
    for revision in [revision.revision for revision in ScriptDirectory(str(PROJECT / "migrations")).walk_revisions()]:
        before = digests_of(engine)
        migrate(engine, "--1")
        below = digests_of(engine)
        gone = DEFAULT_ROWS.get(revision, set())
        assert (revision, changed(before, below)) == (revision, gone)
        migrate(engine, revision)
        again = digests_of(engine)
        assert (revision, changed(below, again), set(again)) == (revision, gone, set(before))
        migrate(engine, "--1")
    migrate(engine)
    assert_triggers_work(engine)


def test_undoing_the_default_rows_keeps_own_and_edited_ones(database):
    with database.setup.begin() as connection:
        connection.execute(text("INSERT INTO retention_policies (subject, description) VALUES ('mine', 'A rule.')"))
        connection.execute(text("""UPDATE settings SET value = '{"imagen": 7}' WHERE key = 'ai_service_limits'"""))
        connection.execute(text("UPDATE retention_policies SET keep_days = 99 WHERE subject = 'usage_logs'"))
    migrate(database.setup, "-0014")
    migrate(database.setup)
    with database.setup.connect() as connection:
        kept = connection.execute(
            text("SELECT subject, keep_days FROM retention_policies WHERE subject IN ('mine', 'usage_logs') ORDER BY 1")
        ).all()
        assert kept == [("mine", None), ("usage_logs", 99)]
        limits = connection.scalar(text("SELECT value FROM settings WHERE key = 'ai_service_limits'"))
        assert limits == {"imagen": 7}
        assert connection.scalar(text("SELECT COUNT(*) FROM settings")) == 4


def test_cancelled_calls_that_had_no_price_before_are_counted_by_the_migration(database):
    migrate(database.setup, "-0037")
    with database.setup.begin() as connection:
        customer = user(connection).id
        home = workspace(connection, owner_id=customer).id
        for status, cost in (("cancelled", None), ("cancelled", 1), ("failed", None), ("processing", None)):
            add(
                connection, "ai_generations", workspace_id=home, user_id=customer, product="mailer", provider="openai",
                model="gpt-4o", generation_type="email", status=status, cost=cost, price_version=cost, created_at=NOON,
            )  # fmt: skip
    counted = text("SELECT generations_count, unpriced_count FROM ai_cost_tracking")
    for revision, unpriced in (("0038", 2), ("-0037", 1), ("0038", 2)):
        migrate(database.setup, revision)
        with database.setup.connect() as connection:
            assert connection.execute(counted).all() == [(4, unpriced)]
