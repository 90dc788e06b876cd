"""Nothing of one workspace is read or written from another, by whatever way."""

from collections.abc import Iterator
from contextlib import contextmanager
from dataclasses import dataclass

import pytest
from sqlalchemy import Connection, Table, insert, text
from sqlalchemy.exc import DataError, DBAPIError

from db.engine import engine_for, seeing
from db.roles import INGEST, LOGIN_GROUPS, PIPE, RO, RW
from db.tables import Base
from tests.db.tenants import TABLES, TENANT_TABLES, Tenant, make_tenant, new_row
from tests.servers import Database, new_database

REFUSED = "42501"
KEY_REFUSED = ("23503", "23514")  # by the foreign key, or by the check beside a key to the library
PEOPLE_TABLES = ["user_sessions", "users", "workspaces"]
GUARDED_TABLES = sorted([*TENANT_TABLES, *PEOPLE_TABLES])
FACTS = sorted(name for name, table in TABLES.items() if "row_xid" in table.c)
SOFT_DELETED = sorted(name for name in TENANT_TABLES if "deleted_at" in TABLES[name].c)
OPEN_TO_INGEST = [
    "ai_generations",
    "ai_optimization_logs",
    "campaign_events",
    "conversions",
    "email_events",
    "performance_analytics",
    "usage_logs",
]
# How each function that the app's roles may call is called here.
CALLS = {
    "app_workspaces()": "app_workspaces()",
    "audited_workspaces()": "audited_workspaces()",
    "seal_audit_log(integer)": "seal_audit_log(1)",
    "customer_is_elsewhere(uuid)": "customer_is_elsewhere((SELECT id FROM users LIMIT 1))",
    "invited_customer(text)": "invited_customer('somebody@new.example')",
    "sections_of(uuid,uuid)": "sections_of((app_workspaces())[1], (SELECT id FROM templates LIMIT 1))",
    "template_versions_kept(uuid)": "template_versions_kept((app_workspaces())[1])",
    "fact_partitions()": "fact_partitions()",
    "forget_event_keys(integer)": "forget_event_keys(1)",
    "forget_tombstones(integer)": "forget_tombstones(1)",
    "house_workspace()": "house_workspace()",
    "make_partitions(integer)": "make_partitions(3)",
    "make_partitions_between(date,date)": "make_partitions_between(current_date, current_date)",
    "monthly_facts()": "monthly_facts()",
    "uuid_v7()": "uuid_v7()",
    "price_new_ai_calls(timestamp with time zone)": "price_new_ai_calls(now())",
    "approve_ai_prices(uuid[],uuid)": "approve_ai_prices((SELECT array_agg(id) FROM ai_prices), NULL)",
    "effect_of_ai_prices(uuid[])": "effect_of_ai_prices((SELECT array_agg(id) FROM ai_prices))",
    "close_ai_month(date,uuid)": "close_ai_month('2002-02-01', NULL)",
    "reopen_ai_month(date,uuid,text)": "reopen_ai_month('2001-01-01', NULL, 'A test.')",
    "budget_covers(budgets,uuid,uuid,text,text,text)": (
        "budget_covers((SELECT b FROM budgets AS b LIMIT 1), (app_workspaces())[1], NULL, 'mailer', 'openai', 'email')"
    ),
    "budget_period(text,text,timestamp with time zone)": "budget_period('month', 'Asia/Kolkata', now())",
    "budget_standings(timestamp with time zone)": "budget_standings(now())",
    "why_ai_is_blocked(uuid,uuid,text,text,text,numeric)": (
        "why_ai_is_blocked((app_workspaces())[1], NULL, 'mailer', 'openai', 'email', 1)"
    ),
    "hold_ai_budget(uuid,uuid,text,text,text,numeric,text,integer)": (
        "hold_ai_budget((app_workspaces())[1], NULL, 'mailer', 'openai', 'email', 1, 'a call')"
    ),
    "settle_ai_hold(uuid,text,numeric)": "settle_ai_hold((app_workspaces())[1], 'a call', 1)",
    "release_ai_hold(uuid,text)": "release_ai_hold((app_workspaces())[1], 'a call')",
    "forget_budget_traces(integer)": "forget_budget_traces(1)",
    "ai_usage_of(text,timestamp with time zone,timestamp with time zone,text,timestamp with time zone[],bigint[])": (
        "ai_usage_of('openai', now() - INTERVAL '1 month', now(), 'UTC', '{}', '{}')"
    ),
    "first_moment_of(date,text)": "first_moment_of(current_date, 'Asia/Kolkata')",
    "quota_period(text,timestamp with time zone,text,timestamp with time zone)": (
        "quota_period('month', now(), 'Asia/Kolkata', now())"
    ),
    "quota_limits(uuid,uuid,text,text,timestamp with time zone,uuid)": (
        "quota_limits((app_workspaces())[1], NULL, 'mailer', 'emails', now(), (SELECT id FROM plans LIMIT 1))"
    ),
    "quota_room(boolean,bigint,bigint,bigint,integer,timestamp with time zone,timestamp with time zone)": (
        "quota_room(false, 1, 1, 1, 1, now(), now())"
    ),
    "quota_over_since(bigint,bigint,bigint,timestamp with time zone,timestamp with time zone)": (
        "quota_over_since(1, 1, 3, NULL, now())"
    ),
    "quota_left_over(bigint,bigint,bigint)": "quota_left_over(1, 1, 1)",
    "metered_calls(uuid,text,timestamp with time zone,timestamp with time zone,text)": (
        "metered_calls((app_workspaces())[1], 'craft_ads', '2000-01-01', now())"
    ),
    "metered_use(uuid,uuid,text,text,timestamp with time zone,timestamp with time zone)": (
        "metered_use((app_workspaces())[1], NULL, 'craft_ads', 'generations', '2000-01-01', now())"
    ),
    "may_pass_a_limit(uuid,text,uuid,timestamp with time zone,timestamp with time zone)": (
        "may_pass_a_limit((app_workspaces())[1], 'craft_ads', (SELECT id FROM plans LIMIT 1), '2000-01-01', now())"
    ),
    "replay_quotas(uuid,text,uuid,timestamp with time zone,timestamp with time zone)": (
        "replay_quotas((app_workspaces())[1], 'craft_ads', (SELECT id FROM plans LIMIT 1), '2000-01-01', now())"
    ),
    "give_up_quota_reservation(uuid,uuid,timestamp with time zone)": (
        "give_up_quota_reservation((app_workspaces())[1], uuid_v7())"
    ),
    "record_late_ai_call(uuid,uuid,timestamp with time zone,text,text,text,text,text,jsonb)": (
        "record_late_ai_call((app_workspaces())[1], uuid_v7(), '2001-01-01', 'mailer', 'openai', 'o3', 'email',"
        " 'standard', '{}')"
    ),
    "quota_grace(bigint,integer,timestamp with time zone,timestamp with time zone)": "quota_grace(1, 1, now(), now())",
    "quota_words(text)": "quota_words('emails')",
    "open_quotas(uuid,uuid,text,jsonb,timestamp with time zone)": (
        "open_quotas((app_workspaces())[1], NULL, 'mailer', '{\"emails\": 1}', now())"
    ),
    "renew_quota_limits(uuid,uuid,text,text)": "renew_quota_limits((app_workspaces())[1], NULL, 'mailer', 'emails')",
    "quota_told(quota_level,bigint,bigint)": "quota_told(NULL, 1, 1)",
    "quota_instead(text)": "quota_instead('emails')",
    "quota_upgrade(uuid,text,text,text,bigint,uuid)": (
        "quota_upgrade((app_workspaces())[1], 'mailer', 'emails', 'month', 1)"
    ),
    "quota_refused(uuid,text,quota_level,uuid)": "quota_refused((app_workspaces())[1], 'mailer', NULL)",
    "quota_refused_by_money(text,text,text)": "quota_refused_by_money('budget', 'A test.', 'emails')",
    "quota_paid(uuid,uuid,text,jsonb,text,jsonb,integer,interval,uuid)": (
        "quota_paid((app_workspaces())[1], NULL, 'mailer', '{\"emails\": 1}', 'a call', '{}', 0, INTERVAL '1 minute',"
        " uuid_v7())"
    ),
    "budget_verdict(uuid,uuid,text,jsonb,text,interval)": (
        "budget_verdict((app_workspaces())[1], NULL, 'mailer',"
        ' \'{"provider": "openai", "type": "email", "cost": 1}\', \'a call\', INTERVAL \'1 minute\')'
    ),
    "move_quota(uuid,uuid,bigint,bigint,timestamp with time zone)": (
        "move_quota((app_workspaces())[1], (SELECT id FROM quota_balances LIMIT 1), 0, 1, now())"
    ),
    "return_credits(uuid,uuid,integer)": "return_credits((app_workspaces())[1], uuid_v7(), 1)",
    "settle_credits(uuid,uuid,jsonb,boolean,integer)": (
        "settle_credits((app_workspaces())[1], uuid_v7(), '{\"credits\": 1}', true, 1)"
    ),
    "require_quota_call(uuid,uuid,jsonb,text)": (
        "require_quota_call((app_workspaces())[1], NULL, '{\"emails\": 1}', 'a call')"
    ),
    "quota_replay(uuid,text,jsonb)": "quota_replay((app_workspaces())[1], 'a call', '{}')",
    "quota_reserve(uuid,uuid,text,jsonb,text,jsonb,integer,interval,timestamp with time zone)": (
        "quota_reserve((app_workspaces())[1], NULL, 'mailer', '{\"emails\": 1}', 'a call')"
    ),
    "quota_settle(uuid,text,jsonb,numeric,integer,timestamp with time zone)": (
        "quota_settle((app_workspaces())[1], 'a call')"
    ),
    "quota_release(uuid,text,timestamp with time zone)": "quota_release((app_workspaces())[1], 'a call')",
    "expire_quota_reservations(integer)": "expire_quota_reservations(1)",
    "expire_granted_credits(integer)": "expire_granted_credits(1)",
    "end_lost_ai_calls(integer,interval)": "end_lost_ai_calls(1)",
    "plan_is_taken(uuid)": "plan_is_taken((SELECT id FROM plans LIMIT 1))",
    "publish_due_plans(integer)": "publish_due_plans(1)",
    "renew_limits_of_plans(uuid,text,uuid[])": "renew_limits_of_plans((app_workspaces())[1], 'mailer', '{}')",
    "move_subscription(uuid,uuid)": (
        "move_subscription((app_workspaces())[1], (SELECT id FROM plan_migrations LIMIT 1))"
    ),
    "move_subscription_back(uuid,uuid,text)": (
        "move_subscription_back((app_workspaces())[1], (SELECT id FROM plan_migrations LIMIT 1), 'A test.')"
    ),
    "move_due_subscriptions(integer)": "move_due_subscriptions(1)",
}


@dataclass(frozen=True)
class World:
    """A database with two tenants who have a row in every table."""

    database: Database
    a: Tenant
    b: Tenant

    def engine(self, group):
        return {RW: self.database.rw, RO: self.database.ro, PIPE: self.database.pipe, INGEST: self.database.ingest}[
            group
        ]

    @contextmanager
    def as_superuser(self) -> Iterator[Connection]:
        """A transaction that is undone."""
        with self.database.setup.connect() as connection:
            yield connection
            connection.rollback()

    @contextmanager
    def as_role(self, group: str, *tenants: Tenant) -> Iterator[Connection]:
        """A transaction of one role, undone at its end, that sees these tenants."""
        with seeing(self.engine(group), [tenant.workspace for tenant in tenants]) as connection:
            yield connection
            connection.rollback()


@pytest.fixture(scope="module", params=["15", "18"])
def world(request):
    with new_database(request.getfixturevalue(f"server{request.param}")) as database:
        with database.setup.begin() as connection:
            a, b = make_tenant(connection, "canary-of-a"), make_tenant(connection, "canary-of-b")
        with database.setup.connect().execution_options(isolation_level="AUTOCOMMIT") as connection:
            connection.execute(text("ANALYZE"))
        yield World(database, a, b)


def state_of(connection: Connection, statement: str, **values: object) -> str | int:
    """The SQLSTATE that a statement is refused with, or how many rows it touched; either way it is undone."""
    savepoint = connection.begin_nested()
    try:
        return connection.execute(text(statement), values).rowcount
    except DBAPIError as error:
        return error.orig.sqlstate
    finally:
        savepoint.rollback()


def answers_of(connection: Connection, call: str) -> list[str]:
    """What a function tells, or the words with which it refuses; what it did is undone."""
    savepoint = connection.begin_nested()
    try:
        told = connection.scalars(text("SELECT CAST(answer AS text) FROM " + call.replace(":", "\\:") + " AS answer"))
        return [answer or "" for answer in told]
    except DBAPIError as error:
        return [str(error.orig)]
    finally:
        savepoint.rollback()


def rows_of(connection: Connection, relation: str) -> list[str]:
    """Every row that this role sees of a relation, with the columns that it may read, as text."""
    columns = connection.scalar(
        text(
            "SELECT string_agg(quote_ident(attname), ', ') FROM pg_attribute"
            " WHERE attrelid = CAST(:relation AS regclass)"
            " AND attnum > 0 AND NOT attisdropped"
            " AND has_column_privilege(attrelid, attnum, 'SELECT')"
        ),
        {"relation": relation},
    )
    if columns is None:
        return []
    return list(connection.scalars(text(f"SELECT CAST(ROW({columns}) AS text) FROM {relation}")))


def tells_of(tenant: Tenant, rows: list[str]) -> list[str]:
    marks = (str(tenant.workspace), str(tenant.customer), tenant.canary)
    return [row for row in rows if any(mark in row for mark in marks)]


def test_both_workspaces_have_a_row_in_every_table_of_tenants(world):
    """Else the tests below would look for nothing; a new table that can't be filled fails here."""
    with world.as_superuser() as connection:
        for table in GUARDED_TABLES:
            rows = rows_of(connection, table)
            assert tells_of(world.a, rows), table
            assert tells_of(world.b, rows), table


@pytest.mark.parametrize("group", [RO, RW, INGEST])
def test_a_role_in_one_workspace_reads_nothing_of_another_from_any_table(world, group):
    with world.as_role(group, world.a) as connection:
        seen = {table: rows_of(connection, table) for table in Base.metadata.tables}
    assert {table: tells_of(world.b, rows) for table, rows in seen.items() if tells_of(world.b, rows)} == {}
    unseen = {table for table in GUARDED_TABLES if not tells_of(world.a, seen[table])}
    assert (
        unseen
        == {
            RO: {"user_sessions"},
            RW: set(),
            INGEST: set(GUARDED_TABLES) - set(OPEN_TO_INGEST),
        }[group]
    )


@pytest.mark.parametrize("group", [RO, RW])
def test_a_role_in_one_workspace_reads_nothing_of_another_from_any_view(world, group):
    with world.as_role(group, world.a) as connection:
        views = list(connection.scalars(text("SELECT viewname FROM pg_views WHERE schemaname = 'public'")))
        assert views
        for view in views:
            rows = rows_of(connection, view)
            assert tells_of(world.a, rows), view
            assert tells_of(world.b, rows) == [], view


@pytest.mark.parametrize("group", LOGIN_GROUPS)
def test_a_role_in_one_workspace_reads_nothing_of_another_from_any_function(world, group):
    with world.as_role(group, world.a) as connection:
        callable_here = set(
            connection.scalars(
                text(
                    "SELECT CAST(CAST(oid AS regprocedure) AS text) FROM pg_proc"
                    " WHERE pronamespace = CAST('public' AS regnamespace) AND has_function_privilege(oid, 'EXECUTE')"
                )
            )
        )
        assert sorted(callable_here - set(CALLS)) == []
        if group in {RO, PIPE}:
            assert not {name for name in callable_here if name.startswith("make_")}
        for name in callable_here:
            assert tells_of(world.b, answers_of(connection, CALLS[name])) == [], name


def test_what_the_planner_knows_tells_nothing_of_another_workspace(world):
    with world.as_role(RO, world.a) as connection:
        assert tells_of(world.b, rows_of(connection, "pg_stats")) == []


@pytest.mark.parametrize("group", [RO, RW, INGEST])
def test_a_connection_that_sets_nothing_sees_no_tenants_row(world, group):
    with world.engine(group).connect() as connection:
        for relation in (*GUARDED_TABLES, "campaign_totals"):
            if connection.scalar(text("SELECT has_table_privilege(:it, 'SELECT')"), {"it": relation}):
                rows = rows_of(connection, relation)
                assert [*tells_of(world.a, rows), *tells_of(world.b, rows)] == [], relation


@pytest.mark.parametrize("group", LOGIN_GROUPS)
def test_no_partition_is_read_directly(world, group):
    with world.as_role(group, world.a) as connection:
        partitions = list(
            connection.scalars(text("SELECT relname FROM pg_class WHERE relispartition AND relkind = 'r'"))
        )
        assert len(partitions) >= len(FACTS)
        assert {state_of(connection, f"SELECT 1 FROM {partition}") for partition in partitions} == {REFUSED}


@pytest.mark.parametrize("table", TENANT_TABLES)
def test_no_row_of_another_workspace_is_written(world, table):
    with world.as_superuser() as connection:
        row_of_b = new_row(connection, TABLES[table], world.b)
    with world.as_role(RW, world.a) as connection:
        for change in (
            f"UPDATE {table} SET workspace_id = workspace_id WHERE workspace_id = :b",
            f"UPDATE {table} SET workspace_id = :a WHERE workspace_id = :b",
            f"DELETE FROM {table} WHERE workspace_id = :b",
        ):
            assert state_of(connection, change, a=world.a.workspace, b=world.b.workspace) in {0, REFUSED}, change
        # Without a condition nothing is read, so that only the policies for writing stand in the way.
        assert state_of(connection, f"UPDATE {table} SET workspace_id = :b", b=world.b.workspace) == REFUSED
        count_own = text(f"SELECT count(*) FROM {table} WHERE workspace_id = :a")
        own = connection.scalar(count_own, {"a": world.a.workspace})
        assert state_of(connection, f"UPDATE {table} SET workspace_id = :a", a=world.a.workspace) in {own, REFUSED}
        assert state_of(connection, f"DELETE FROM {table}") in {own, REFUSED, "23503"}
        assert refusal_of_insert(connection, TABLES[table], row_of_b) == REFUSED


def refusal_of_insert(connection: Connection, table: Table, row: dict[str, object]) -> str:
    savepoint = connection.begin_nested()
    with pytest.raises(DBAPIError) as refused:
        connection.execute(insert(table).inline(), row)
    savepoint.rollback()
    return refused.value.orig.sqlstate


def test_no_person_of_another_workspace_is_written(world):
    with world.as_role(RW, world.a) as connection:
        for table, key, value in (
            ("users", "id", world.b.customer),
            ("workspaces", "id", world.b.workspace),
            ("user_sessions", "user_id", world.b.customer),
        ):
            assert state_of(connection, f"UPDATE {table} SET {key} = {key} WHERE {key} = :it", it=value) == 0
            assert state_of(connection, f"DELETE FROM {table} WHERE {key} = :it", it=value) in {0, REFUSED}
        for change in ("users SET name = ''", "workspaces SET country = ''", "user_sessions SET user_agent = ''"):
            assert state_of(connection, f"UPDATE {change}") == 1, change
        session = {"user_id": world.b.customer, "token_hash": b"0" * 32, "expires_at": "2100-01-01"}
        assert refusal_of_insert(connection, TABLES["user_sessions"], session) == REFUSED
        assert state_of(connection, "UPDATE workspaces SET id = :b", b=world.b.workspace) == REFUSED


def test_the_credits_of_another_workspaces_customer_are_not_moved(world):
    """The trigger that keeps the balance runs as the owner, who sees everyone."""
    with world.as_role(RW, world.a) as connection:
        movement = {"workspace_id": world.a.workspace, "user_id": world.b.customer, "type": "usage", "amount": -1}
        assert refusal_of_insert(connection, TABLES["credit_transactions"], movement) in KEY_REFUSED


KEYS_BETWEEN_TENANTS = sorted(
    (
        (
            table.name,
            key.name,
            [(element.parent.name, element.column.name) for element in key.elements],
            key.referred_table.name,
        )
        for table in TABLES.values()
        for key in table.foreign_key_constraints
        if table.name in TENANT_TABLES and key.referred_table.name in TENANT_TABLES and len(key.elements) > 1
    ),
    key=str,
)


@pytest.mark.parametrize(
    ("table", "columns", "target"),
    [(table, columns, target) for table, _, columns, target in KEYS_BETWEEN_TENANTS],
    ids=[f"{table}-{name}" for table, name, *_ in KEYS_BETWEEN_TENANTS],
)
def test_no_row_points_into_another_workspace(world, table, columns, target):
    """Not even the superuser's row, whom no policy binds."""
    with world.as_superuser() as connection:
        wanted = ", ".join(there for _, there in columns)
        # A campaign of the same channel, so that the key refuses it and not the check of the channel.
        alike = f"channel IN (SELECT channel FROM {table})" if ("channel", "channel") in columns else "true"
        theirs = connection.execute(
            text(f"SELECT {wanted} FROM {target} WHERE workspace_id = :b AND {alike} LIMIT 1"), {"b": world.b.workspace}
        ).one()
        given = {here: value for (here, _), value in zip(columns, theirs, strict=True) if here != "workspace_id"}
        leave_only_own_keys(connection, table)
        assignments = ", ".join(f"{here} = :{here}" for here in given)
        change = f"UPDATE {table} SET {assignments} WHERE workspace_id = :a"
        # Where the other's key is the row's own, there is such a row already.
        refused = (*KEY_REFUSED, *(("23505",) if set(given) <= set(TABLES[table].primary_key.columns.keys()) else ()))
        assert state_of(connection, change, a=world.a.workspace, **given) in refused


def leave_only_own_keys(connection: Connection, table: str) -> None:
    """Switch off our triggers and the keys of other tables that point here: they would refuse the change first."""
    names = connection.scalars(
        text(
            "SELECT quote_ident(tgname) FROM pg_trigger WHERE tgrelid = CAST(:it AS regclass) AND tgparentid = 0"
            " AND tgname NOT LIKE 'RI_ConstraintTrigger_c%'"
        ),
        {"it": table},
    )
    for name in names.all():
        connection.execute(text(f"ALTER TABLE {table} DISABLE TRIGGER {name}"))


@pytest.mark.parametrize("group", LOGIN_GROUPS)
def test_nobody_truncates(world, group):
    with world.engine(group).connect() as connection:
        connection.execute(text("SET TRANSACTION READ WRITE"))
        assert {state_of(connection, f"TRUNCATE {table}") for table in TABLES} == {REFUSED}


@pytest.mark.parametrize("group", [RO, PIPE])
def test_readers_write_nothing_anywhere(world, group):
    """Not even after leaving the read-only mode that their logins start in."""
    with world.as_role(group, world.a) as connection:
        assert state_of(connection, "DELETE FROM contacts") == "25006"
    with world.engine(group).connect() as connection:
        connection.execute(text("SET TRANSACTION READ WRITE"))
        for name, table in TABLES.items():
            column = next(column.name for column in table.columns if column.identity is None)
            for change in (
                f"INSERT INTO {name} DEFAULT VALUES",
                f"UPDATE {name} SET {column} = NULL",
                f"DELETE FROM {name}",
            ):
                assert state_of(connection, change) == REFUSED, change


def test_importers_write_facts_and_nothing_else(world):
    with world.as_role(INGEST, world.a) as connection:
        rights = text(
            "SELECT relname FROM pg_class WHERE relnamespace = CAST('public' AS regnamespace)"
            " AND relkind IN ('r', 'p', 'v') AND (has_any_column_privilege(oid, :may))"
            " AND relname <> 'alembic_version' ORDER BY relname"
        )
        assert list(connection.scalars(rights, {"may": "SELECT"})) == OPEN_TO_INGEST
        assert list(connection.scalars(rights, {"may": "INSERT"})) == OPEN_TO_INGEST
        assert set(connection.scalars(rights, {"may": "UPDATE"})) < set(OPEN_TO_INGEST)
        assert {state_of(connection, f"DELETE FROM {table}") for table in TABLES} == {REFUSED}


@pytest.mark.parametrize("table", OPEN_TO_INGEST)
def test_importers_write_in_their_own_workspace_alone(world, table):
    with world.as_superuser() as connection:
        hers, theirs = (new_row(connection, TABLES[table], tenant) for tenant in (world.a, world.b))
    # Another month of the same numbers, so that the row is new to its unique keys.
    hers |= {"date": "2026-01-01"} if table == "performance_analytics" else {}
    with world.database.setup.begin() as connection:
        connection.execute(text("SELECT make_partitions_between('2026-01-01', '2026-01-01')"))
    with world.as_role(INGEST, world.a) as connection:
        connection.execute(insert(TABLES[table]).inline(), hers)
        assert refusal_of_insert(connection, TABLES[table], theirs) == REFUSED


def test_the_pull_reads_the_facts_of_all_workspaces(world):
    with world.engine(PIPE).connect() as connection:
        for table in FACTS:
            rows = rows_of(connection, table)
            assert tells_of(world.a, rows), table
            assert tells_of(world.b, rows), table


def test_a_thousand_alternations_on_one_connection_never_show_the_other_workspace(world):
    """With one transaction in four broken off by an error, and one in four rolled back."""
    engine = engine_for(world.database.server.url(world.database.name, f"test_{RO}"), pool_size=1)
    connections = set()
    for turn in range(1000):
        me, other = (world.a, world.b) if turn % 2 else (world.b, world.a)
        try:
            with seeing(engine, [me.workspace]) as connection:
                connections.add(connection.scalar(text("SELECT pg_backend_pid()")))
                emails = list(connection.scalars(text("SELECT email FROM contacts")))
                assert emails == [f"{me.canary}@example.com"]
                if turn % 4 == 1:
                    connection.execute(text("SELECT 1 / 0"))
                if turn % 4 == 2:
                    connection.rollback()
        except DataError:
            assert turn % 4 == 1
        if turn % 10 == 0:
            with engine.connect() as connection:
                assert connection.scalar(text("SELECT count(*) FROM contacts")) == 0
        assert other.canary not in str(emails)
    assert len(connections) == 1
    engine.dispose()


@pytest.mark.parametrize("bogus", ["bogus", "{", "{bogus}", "*", "true", "{{}}x"])
def test_a_setting_that_names_no_workspaces_shows_nothing(world, bogus):
    with world.database.ro.connect() as connection:
        connection.execute(text("SELECT set_config('app.workspaces', :bogus, true)"), {"bogus": bogus})
        with pytest.raises(DataError):
            connection.execute(text("SELECT email FROM contacts"))


def test_a_viewer_of_no_workspace_sees_nothing(world):
    with world.as_role(RO) as connection:
        assert {table: rows_of(connection, table) for table in ("contacts", "users", "campaigns")} == {
            "contacts": [],
            "users": [],
            "campaigns": [],
        }


def test_a_viewer_of_both_workspaces_sees_both(world):
    with world.as_role(RO, world.a, world.b) as connection:
        assert len(rows_of(connection, "contacts")) == 2


@pytest.mark.parametrize("group", [RW, INGEST])
@pytest.mark.parametrize("fact", FACTS)
def test_nobody_writes_row_xid(world, group, fact):
    with world.as_role(group, world.a) as connection:
        assert state_of(connection, f"INSERT INTO {fact} (row_xid) VALUES ('1')") == REFUSED
        assert state_of(connection, f"UPDATE {fact} SET row_xid = '1'") == REFUSED


@pytest.mark.parametrize("table", SOFT_DELETED)
def test_deleted_rows_are_hidden_from_pages_and_shown_to_commands(world, table):
    counted = text(f"SELECT count(*) FROM {table} WHERE workspace_id = :a")
    with world.as_superuser() as connection:
        connection.execute(text(f"ALTER TABLE {table} DISABLE TRIGGER USER"))
        connection.execute(text(f"UPDATE {table} SET deleted_at = now()"))
        connection.execute(text("SELECT set_config('app.workspaces', :a, true)"), {"a": f"{{{world.a.workspace}}}"})
        connection.execute(text(f"SET LOCAL ROLE {RO}"))
        assert connection.scalar(counted, {"a": world.a.workspace}) == 0
        connection.execute(text(f"SET LOCAL ROLE {RW}"))
        assert connection.scalar(counted, {"a": world.a.workspace}) >= 1


def test_the_planner_asks_for_the_workspaces_once_and_uses_the_index(world):
    """Three hundred workspaces of twenty contacts: an index by workspace is worth using, were it let."""
    with world.as_superuser() as connection:
        connection.execute(
            text(
                "WITH made AS (INSERT INTO workspaces (name, slug) SELECT 'many', 'many-' || n"
                " FROM generate_series(1, 300) AS n RETURNING id)"
                " INSERT INTO contacts (workspace_id, user_id, email)"
                " SELECT made.id, :user, n || '@example.com' FROM made, generate_series(1, 20) AS n"
            ),
            {"user": world.a.customer},
        )
        connection.execute(text("ANALYZE contacts"))
        connection.execute(text("SELECT set_config('app.workspaces', :a, true)"), {"a": f"{{{world.a.workspace}}}"})
        connection.execute(text(f"SET LOCAL ROLE {RO}"))
        plan = "\n".join(
            connection.scalars(text("EXPLAIN (ANALYZE, COSTS OFF, TIMING OFF, SUMMARY OFF) SELECT email FROM contacts"))
        )
    assert plan.count("InitPlan") >= 1
    assert "SubPlan" not in plan
    assert "Index Cond: (workspace_id = ANY" in plan


@pytest.mark.parametrize("group", LOGIN_GROUPS)
def test_what_guards_tables_is_not_for_the_app(world, group):
    with world.as_role(group, world.a) as connection:
        for call in (
            "guard_tenant_table('contacts')",
            "guard_company_table('contacts')",
            "guard_fact_table('email_events', ARRAY['id'])",
            "guard_columns('contacts', '{}')",
            "guard_rows('contacts', 'true', 'true')",
            "open_to_ingest('contacts')",
            "make_append_only('contacts')",
        ):
            assert state_of(connection, f"SELECT {call}") == REFUSED, call
