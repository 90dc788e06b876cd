"""What must not be lost is kept: soft deletes, versions, credits, prices, the audit log; and the documents' traps."""

import json
from collections.abc import Iterator
from concurrent.futures import ThreadPoolExecutor
from datetime import timedelta
from decimal import Decimal

import pytest
from sqlalchemy import DateTime, insert, select, text, update
from sqlalchemy.exc import DBAPIError

from db.engine import seeing
from db.tables import Base
from db.tables.base import HOUSE_WORKSPACE
from tests.db import rows
from tests.db.handful import fill
from tests.documents.facts import DocumentRow
from tests.documents.reader import of_kind
from tests.servers import Database, Server, new_database

TABLES = Base.metadata.tables


@pytest.fixture(scope="module")
def shared(server18: Server) -> Iterator[Database]:
    """One database for all tests here: each works with rows of its own, and gives up what it did."""
    with new_database(server18) as fresh:
        yield fresh


@pytest.fixture
def connection(shared):
    """A transaction as the set-up role, which sees everything; it is given up at the end."""
    with shared.setup.connect() as opened:
        yield opened
        opened.rollback()


@pytest.fixture
def home(connection):
    """A workspace."""
    return rows.workspace(connection).id


def asked(connection, sql, **parameters):
    """The only column of the rows that a question finds."""
    return connection.scalars(text(sql), parameters).all()


def change(connection, table, key, **values):
    target = TABLES[table]
    connection.execute(update(target).where(target.c.id == key).values(**values))


def refused(connection, sql, message, **parameters):
    """The statement is refused in these words; what was done before it stays."""
    with pytest.raises(DBAPIError, match=message), connection.begin_nested():
        connection.execute(text(sql), parameters)


# --- Soft deletes -----------------------------------------------------------------------------------------------------


def tenant_tables_with_deletes():
    return [
        name for name, table in TABLES.items() if {"workspace_id", "deleted_at"} <= set(table.c.keys())
        and name != "fact_tombstones"
    ]  # fmt: skip


def deleted_counts(connection, workspace):
    """Per table: how many rows of the workspace are live and how many are deleted."""
    return {
        table: tuple(
            connection.execute(
                text(
                    f"SELECT COUNT(*) FILTER (WHERE deleted_at IS NULL), COUNT(deleted_at) FROM {table}"
                    " WHERE workspace_id = :workspace"
                ),
                {"workspace": workspace},
            ).one()
        )
        for table in tenant_tables_with_deletes()
    }


def test_deleting_a_workspace_deletes_all_its_data_and_restoring_brings_it_back(connection):
    few, other = fill(connection), fill(connection)
    before, of_other = deleted_counts(connection, few.workspace), deleted_counts(connection, other.workspace)
    assert all(live > 0 for live, _ in before.values())
    change(connection, "workspaces", few.workspace, deleted_at=rows.NOON)
    assert deleted_counts(connection, few.workspace) == {table: (0, live) for table, (live, _) in before.items()}
    assert deleted_counts(connection, other.workspace) == of_other
    change(connection, "workspaces", few.workspace, deleted_at=None)
    assert deleted_counts(connection, few.workspace) == before


def test_what_was_deleted_before_its_workspace_stays_deleted_when_that_is_restored(connection, home):
    early, late = rows.contact(connection, home), rows.contact(connection, home)
    change(connection, "contacts", early.id, deleted_at=rows.minute(1))
    change(connection, "workspaces", home, deleted_at=rows.minute(2))
    change(connection, "workspaces", home, deleted_at=None)
    assert asked(connection, "SELECT id FROM contacts WHERE workspace_id = :w AND deleted_at IS NULL", w=home) == [
        late.id
    ]


def test_the_house_is_never_deleted(connection):
    refused(connection, f"UPDATE workspaces SET deleted_at = now() WHERE id = '{HOUSE_WORKSPACE}'", "house_is_never")


def owner_of(connection, workspace):
    return connection.scalar(select(TABLES["workspaces"].c.owner_id).where(TABLES["workspaces"].c.id == workspace))


def workspace_of(connection, roles):
    """A workspace of an owner, and others who joined it: role and day of joining."""
    owner = rows.user(connection).id
    made = rows.workspace(connection, owner_id=owner).id
    rows.member(connection, made, owner, "owner")
    others = [rows.user(connection).id for _ in roles]
    for other, (role, day) in zip(others, roles, strict=True):
        rows.member(connection, made, other, role, rows.NOON + timedelta(days=day))
    return made, owner, others


@pytest.mark.parametrize(
    ("roles", "heir"),
    [
        ([("admin", 1), ("owner", 5)], 1),
        ([("admin", 5), ("admin", 1)], 1),
        ([("editor", 1), ("admin", 9)], 1),
        ([("owner", 4), ("owner", 3)], 1),
        ([("editor", 1), ("viewer", 2)], None),
        ([], None),
    ],
)
def test_the_longest_owner_else_admin_takes_over_and_else_nobody(connection, roles, heir):
    made, owner, others = workspace_of(connection, roles)
    change(connection, "users", owner, deleted_at=rows.NOON)
    assert owner_of(connection, made) == (None if heir is None else others[heir])
    if heir is not None:
        role = asked(
            connection,
            "SELECT role FROM workspace_members WHERE workspace_id = :w AND user_id = :u",
            w=made,
            u=others[heir],
        )
        assert role == ["owner"]


def test_who_was_deleted_before_or_left_takes_nothing_over(connection):
    made, owner, others = workspace_of(connection, [("owner", 1), ("admin", 2), ("admin", 3)])
    change(connection, "users", others[0], deleted_at=rows.NOON)
    connection.execute(
        text("UPDATE workspace_members SET deleted_at = now() WHERE workspace_id = :w AND user_id = :u"),
        {"w": made, "u": others[1]},
    )
    change(connection, "users", owner, deleted_at=rows.NOON)
    assert owner_of(connection, made) == others[2]


def test_deleting_a_customer_ends_the_sessions_and_keeps_the_workspace(connection):
    few = fill(connection)
    change(connection, "users", few.user, deleted_at=rows.NOON)
    assert asked(connection, "SELECT revoked_at FROM user_sessions WHERE user_id = :u", u=few.user) == [rows.NOON]
    assert asked(connection, "SELECT deleted_at FROM workspaces WHERE id = :w", w=few.workspace) == [None]
    assert asked(connection, "SELECT deleted_at FROM user_preferences WHERE user_id = :u", u=few.user) == [rows.NOON]


def test_cancelling_a_subscription_keeps_the_data(connection):
    few = fill(connection)
    before = deleted_counts(connection, few.workspace)
    connection.execute(
        text("UPDATE subscriptions SET status = 'cancelled', cancelled_at = now() WHERE workspace_id = :w"),
        {"w": few.workspace},
    )
    assert deleted_counts(connection, few.workspace) == before


# --- Template versions ------------------------------------------------------------------------------------------------


def edit(connection, template, times):
    for number in range(2, times + 2):
        change(connection, "templates", template, html_content=f"<p>{number}</p>")


def versions(connection, template):
    return connection.execute(
        text("SELECT version, reason, html_content FROM template_versions WHERE template_id = :t ORDER BY version"),
        {"t": template},
    ).all()


def on_plan(connection, home, tier):
    person = rows.user(connection).id
    bought = rows.plan(connection, tier=tier)
    rows.add(
        connection,
        "plan_limits",
        plan_id=bought.id,
        meter="template_versions",
        period="lifetime",
        amount=5 if tier == "free" else None,
    )
    rows.subscription(connection, home, person, plan=bought)


def test_every_change_of_the_content_keeps_the_old_one_and_numbers_have_no_gap(connection, home):
    on_plan(connection, home, "pro")
    made = rows.template(connection, home)
    change(connection, "templates", made.id, subject="Hello")
    change(connection, "templates", made.id, text_content="1")
    change(connection, "templates", made.id, preheader="Look")
    change(connection, "templates", made.id, html_content="<p>2</p>")
    assert [version for version, _, _ in versions(connection, made.id)] == [1, 2, 3, 4]
    assert asked(connection, "SELECT current_version FROM templates WHERE id = :t", t=made.id) == [5]


def test_a_change_that_is_not_of_the_content_makes_no_version(connection, home):
    made = rows.template(connection, home)
    change(connection, "templates", made.id, name="Renamed", usage_count=3)
    assert versions(connection, made.id) == []


def test_every_publication_makes_a_version(connection, home):
    made = rows.template(connection, home)
    change(connection, "templates", made.id, status="published")
    change(connection, "templates", made.id, html_content="<p>2</p>")
    assert versions(connection, made.id) == [(1, "publish", "<p>1</p>"), (2, "publish", "<p>2</p>")]
    born = rows.template(connection, home, status="published")
    assert versions(connection, born.id) == [(1, "publish", "<p>1</p>")]


@pytest.mark.parametrize(("tier", "kept"), [(None, 5), ("free", 5), ("pro", 8)])
def test_so_many_versions_are_kept_as_the_plan_says(connection, home, tier, kept):
    if tier:
        on_plan(connection, home, tier)
    made = rows.template(connection, home)
    edit(connection, made.id, 8)
    assert [version for version, _, _ in versions(connection, made.id)] == list(range(9 - kept, 9))


def test_a_published_version_is_never_thrown_away(connection, home):
    made = rows.template(connection, home, status="published")
    change(connection, "templates", made.id, status="draft")
    edit(connection, made.id, 9)
    assert [(version, reason) for version, reason, _ in versions(connection, made.id)] == [
        (1, "publish"),
        *((version, "snapshot") for version in range(5, 10)),
    ]


def test_the_house_keeps_every_version(connection):
    made = rows.template(connection, HOUSE_WORKSPACE)
    edit(connection, made.id, 8)
    assert len(versions(connection, made.id)) == 8


def test_a_deleted_template_keeps_its_versions(connection, home):
    made = rows.template(connection, home)
    edit(connection, made.id, 2)
    change(connection, "templates", made.id, deleted_at=rows.NOON)
    assert len(versions(connection, made.id)) == 2
    refused(connection, "DELETE FROM templates WHERE id = :t", "foreign key", t=made.id)


def section(connection, template, kind, position=0, **values):
    return rows.add(connection, "template_sections", workspace_id=template.workspace_id, template_id=template.id,
        kind=kind, position=position, **values)  # fmt: skip


def kinds_kept(connection, template):
    """Of each version: its number, why it is kept, and the kinds of its sections."""
    return connection.execute(
        text(
            "SELECT version, reason, jsonb_path_query_array(sections, '$[*].kind') #>> '{}' FROM template_versions"
            " WHERE template_id = :t ORDER BY version"
        ),
        {"t": template},
    ).all()


def test_sections_that_come_with_a_new_template_are_no_change_of_it(connection, home):
    made = rows.template(connection, home)
    section(connection, made, "hero")
    section(connection, made, "footer", 1)
    assert versions(connection, made.id) == []


@pytest.fixture
def committed(shared):
    """A template with a hero, made in a transaction before."""

    def make(**values):
        with shared.setup.begin() as connection:
            made = rows.template(connection, rows.workspace(connection).id, **values)
            section(connection, made, "hero", html_content="1")
        return made

    return make


def test_a_change_of_sections_alone_keeps_the_old_ones_once_a_transaction(shared, committed):
    made = committed()
    with shared.setup.begin() as connection:
        section(connection, made, "text", 1)
        section(connection, made, "footer", 2)
        connection.execute(text("UPDATE template_sections SET kind = 'top' WHERE position = 0 AND template_id = :t"),
            {"t": made.id})  # fmt: skip
    with shared.setup.begin() as connection:
        assert kinds_kept(connection, made.id) == [(1, "snapshot", '["hero"]')]
        connection.execute(text("DELETE FROM template_sections WHERE template_id = :t"), {"t": made.id})
    with shared.setup.begin() as connection:
        connection.execute(text("UPDATE template_sections SET kind = kind WHERE template_id = :t"), {"t": made.id})
        assert kinds_kept(connection, made.id) == [
            (1, "snapshot", '["hero"]'), (2, "snapshot", '["top", "text", "footer"]')
        ]  # fmt: skip


def test_a_publication_keeps_the_sections_that_were_written_with_it(shared, committed):
    made = committed(status="published")
    with shared.setup.begin() as connection:
        section(connection, made, "footer", 1)
    with shared.setup.begin() as connection:
        assert kinds_kept(connection, made.id) == [(1, "publish", '["hero"]'), (2, "publish", '["hero", "footer"]')]


@pytest.mark.parametrize(("tier", "kept"), [("free", 5), ("pro", 7)])
def test_so_many_versions_are_kept_of_sections_too_and_published_ones_always(shared, committed, tier, kept):
    made = committed(status="published")
    with shared.setup.begin() as connection:
        on_plan(connection, made.workspace_id, tier)
        change(connection, "templates", made.id, status="draft")
    for number in range(2, 10):
        with shared.setup.begin() as connection:
            connection.execute(
                text("UPDATE template_sections SET html_content = :html WHERE template_id = :t"),
                {"html": str(number), "t": made.id},
            )
    with shared.setup.begin() as connection:
        found = connection.execute(
            text("SELECT version, reason, sections -> 0 ->> 'html_content' FROM template_versions"
                " WHERE template_id = :t ORDER BY version"),
            {"t": made.id},
        ).all()  # fmt: skip
    assert found == [(1, "publish", "1"), *((n, "snapshot", str(n)) for n in range(9 - kept, 9))]


# --- Credits and prices -----------------------------------------------------------------------------------------------


def customer(connection):
    person = rows.user(connection).id
    return person, rows.workspace(connection, owner_id=person).id


MOVE = """
    INSERT INTO credit_transactions (workspace_id, user_id, amount, type, balance_after)
    VALUES (:workspace, :person, :amount, :type, :after) RETURNING position, balance_after
"""


def move(connection, person, workspace, amount, after=None):
    return connection.execute(
        text(MOVE),
        {
            "workspace": workspace,
            "person": person,
            "amount": amount,
            "type": "purchase" if amount > 0 else "usage",
            "after": after,
        },
    ).one()


def test_each_movement_of_credits_proves_the_running_balance(connection):
    person, workspace = customer(connection)
    assert [move(connection, person, workspace, amount) for amount in (10, -3, 5)] == [(1, 10), (2, 7), (3, 12)]
    assert asked(connection, "SELECT credits_balance FROM users WHERE id = :u", u=person) == [12]


def test_a_wrong_balance_and_a_negative_one_are_refused(connection):
    person, workspace = customer(connection)
    move(connection, person, workspace, 10, after=10)
    given = {"workspace": workspace, "person": person}
    refused(connection, MOVE, "after this movement is 15, not 16", amount=5, type="grant", after=16, **given)
    refused(connection, MOVE, "has 10 credits: 11 can't be taken", amount=-11, type="usage", after=None, **given)
    refused(connection, MOVE, "sign_of_an_amount", amount=1, type="usage", after=None, **given)
    assert asked(connection, "SELECT credits_balance FROM users WHERE id = :u", u=person) == [10]


def test_two_movements_at_once_never_start_from_the_same_balance(shared):
    with shared.setup.begin() as connection:
        person, workspace = customer(connection)
        move(connection, person, workspace, 100)

    def spend(_):
        with seeing(shared.rw, [workspace]) as connection:
            return move(connection, person, workspace, -1).balance_after

    with ThreadPoolExecutor(4) as four:
        balances = list(four.map(spend, range(40)))
    assert sorted(balances) == list(range(60, 100))


@pytest.mark.parametrize("table", ["audit_log", "credit_transactions"])
@pytest.mark.parametrize("change", ["UPDATE {} SET reference = NULL", "DELETE FROM {}", "TRUNCATE {}"])
def test_what_is_only_added_is_refused_every_change_even_to_the_owner(connection, table, change):
    fill(connection)
    column = {"audit_log": "reason", "credit_transactions": "description"}[table]
    connection.execute(text("SET LOCAL ROLE app_owner"))
    refused(connection, change.format(table).replace("reference", column), "only added")


def test_a_price_is_never_edited_but_ended_and_superseded(connection):
    fill(connection)
    refused(connection, "UPDATE ai_prices SET price = 1", "never edited")
    refused(connection, "UPDATE ai_prices SET valid_from = now()", "never edited")
    connection.execute(text("UPDATE ai_prices SET valid_to = now(), approved_at = now()"))


def test_an_edit_on_a_stale_revision_is_refused(connection, home):
    made = rows.campaign(connection, home, "email")
    change(connection, "campaigns", made.id, name="New", revision=1)
    assert asked(connection, "SELECT revision FROM campaigns WHERE id = :c", c=made.id) == [2]
    refused(
        connection, "UPDATE campaigns SET name = 'x', revision = 1 WHERE id = :c", "changed by someone else", c=made.id
    )


# --- The audit log ----------------------------------------------------------------------------------------------------

# A change of each audited table.
AUDITED = {
    "plans": "name = 'New'",
    "plan_limits": "amount = 7",
    "plan_features": "feature = 'new'",
    "plan_approvals": "reason = 'New'",
    "plan_migrations": "reason = 'New'",
    "credit_packages": "name = 'New'",
    "templates": "name = 'New'",
    "template_sections": "kind = 'new'",
    "categories": "name = 'New'",
    "template_categories": "created_at = '2026-01-01'",
    "component_library": "name = 'New'",
    "quota_overrides": "reason = 'New'",
    "settings": """value = '"New"'""",
    "budgets": "name = 'New'",
    "ai_prices": "source_reference = 'New'",
    "retention_policies": "keep_days = 7",
    "team_members": "roles = '{viewer}'",
    "annotations": "text = 'New'",
    "saved_views": "name = 'New'",
    "platform_integrations": "connection_status = 'error'",
    "meta_accounts": "connection_status = 'error'",
}


def audit(connection, table, action):
    """The lines of the log that this transaction wrote, newest last."""
    return connection.execute(
        text("SELECT * FROM audit_log WHERE table_name = :t AND action = :a ORDER BY position"),
        {"t": table, "a": action},
    ).all()


def as_someone(connection):
    connection.execute(
        text("SELECT set_config('app.actor', 'ada@team.example', true), set_config('app.reason', 'A test.', true)")
    )


@pytest.mark.parametrize("table", AUDITED)
def test_what_is_audited_says_who_changed_what_from_what_to_what_and_why(connection, table):
    as_someone(connection)
    few = fill(connection)
    made = audit(connection, table, "insert")[-1]
    assert (made.actor, made.reason, made.before) == ("ada@team.example", "A test.", None)
    key = "key" if table == "settings" else "id"
    assert made.after[key] == made.row_key
    connection.execute(text(f"UPDATE {table} SET {AUDITED[table]} WHERE CAST({key} AS TEXT) = :k"), {"k": made.row_key})
    changed = audit(connection, table, "update")[-1]
    column = AUDITED[table].split(" = ")[0]
    assert (list(changed.before), list(changed.after)) == ([column], [column])
    assert changed.before != changed.after
    assert changed.workspace_id == (few.workspace if "workspace_id" in TABLES[table].c else None)


@pytest.mark.parametrize("table", AUDITED)
def test_an_update_that_changes_nothing_leaves_no_line(connection, table):
    fill(connection)
    before = len(audit(connection, table, "update"))
    column = AUDITED[table].split(" = ")[0]
    connection.execute(text(f"UPDATE {table} SET {column} = {column}"))
    assert len(audit(connection, table, "update")) == before


def test_a_deletion_leaves_what_was_there(connection):
    fill(connection)
    connection.execute(text("DELETE FROM plan_limits"))
    assert audit(connection, "plan_limits", "delete")[-1].before["meter"] == "template_versions"


def test_the_log_holds_no_password_and_no_noise(connection):
    person = rows.add(connection, "team_members", email="ada@team.example", roles=["admin"], password_hash="secret-1")
    change(connection, "team_members", person.id, last_login_at=rows.NOON)
    made = rows.template(connection, rows.workspace(connection).id)
    change(connection, "templates", made.id, usage_count=9)
    said = asked(connection, "SELECT CAST(l AS TEXT) FROM audit_log AS l")
    assert [line for line in said if "secret" in line or "search_vector" in line or "usage_count" in line] == []
    assert [line for line in audit(connection, "team_members", "update") if line.row_key == str(person.id)] == []


def test_a_new_password_is_told_without_the_password(connection):
    person = rows.add(connection, "team_members", email="ada@team.example", roles=["admin"], password_hash="secret-1")
    change(connection, "team_members", person.id, password_hash="secret-2")
    [line] = [line for line in audit(connection, "team_members", "update") if line.row_key == str(person.id)]
    assert (line.before, line.after) == ({"password_hash": "hidden"}, {"password_hash": "hidden"})


def test_a_row_that_is_audited_keeps_its_key(connection):
    """Under another key an update would find no row to compare with, and leave no trace."""
    person = rows.add(connection, "team_members", email="ada@team.example", roles=["viewer"])
    another = text("UPDATE team_members SET id = uuid_v7(), roles = '{admin}' WHERE id = :id")
    with pytest.raises(DBAPIError, match="The key of a row of team_members never changes"):
        connection.execute(another, {"id": person.id})


# --- Search, stamps and views -----------------------------------------------------------------------------------------


def found(connection, table, words):
    """Words are looked for as they are written and by their stems: vectors hold both kinds."""
    return asked(
        connection,
        f"SELECT id FROM {table} WHERE search_vector"
        " @@ (websearch_to_tsquery('simple', :w) || websearch_to_tsquery('english', :w))",
        w=words,
    )


@pytest.mark.parametrize("table", ["campaigns", "templates", "component_library"])
def test_search_finds_names_and_stems_and_follows_changes(connection, home, table):
    made = {
        "campaigns": lambda: rows.campaign(connection, home, "web", name="Zebra", description="Running shoes"),
        "templates": lambda: rows.template(connection, home, name="Zebra", description="Running shoes"),
        "component_library": lambda: rows.add(
            connection,
            table,
            workspace_id=home,
            name="Zebra",
            description="Running shoes",
            component_type="form",
            tags=["giraffe"],
        ),
    }[table]()
    assert found(connection, table, "zebra") == [made.id]
    assert found(connection, table, "run shoe") == [made.id]
    change(connection, table, made.id, name="Okapi")
    assert (found(connection, table, "zebra"), found(connection, table, "okapi")) == ([], [made.id])
    change(connection, table, made.id, search_vector=None)
    assert found(connection, table, "okapi") == [made.id]


def test_components_are_found_by_their_tags(connection, home):
    made = rows.add(
        connection, "component_library", workspace_id=home, name="Form", component_type="form", tags=["giraffe"]
    )
    assert found(connection, "component_library", "giraffe") == [made.id]


STAMPED = [name for name, table in TABLES.items() if "updated_at" in table.c]


def unaudited_column(table):
    """A column that an update may name without changing anything."""
    return next(column.name for column in table.c if not column.primary_key and column.name != "updated_at"
        and column.computed is None and column.identity is None)  # fmt: skip


@pytest.mark.parametrize("table", STAMPED)
def test_updated_at_follows_every_change(connection, table):
    fill(connection)
    # A table of which a trigger waits for the transaction's end can't be altered before.
    connection.execute(text("SET CONSTRAINTS ALL IMMEDIATE"))
    connection.execute(text(f"ALTER TABLE {table} DISABLE TRIGGER touch_updated_at"))
    connection.execute(text(f"UPDATE {table} SET updated_at = '2020-01-01'"))
    connection.execute(text(f"ALTER TABLE {table} ENABLE TRIGGER touch_updated_at"))
    column = unaudited_column(TABLES[table])
    connection.execute(text(f"UPDATE {table} SET {column} = {column}"))
    assert asked(connection, f"SELECT DISTINCT updated_at = now() FROM {table}") == [True]
    assert isinstance(TABLES[table].c.updated_at.type, DateTime)


def test_a_rate_is_per_cent_and_empty_when_there_is_nothing_to_divide_by(connection, home):
    full = {"emails_sent": 500, "emails_delivered": 400, "emails_opened": 100, "emails_bounced": 10}
    rows.campaign(connection, home, "email", of_channel=full)
    rows.campaign(connection, home, "email")
    rates = connection.execute(
        text(
            "SELECT open_rate, click_rate, bounce_rate FROM email_campaign_rates WHERE workspace_id = :w"
            " ORDER BY emails_sent DESC"
        ),
        {"w": home},
    ).all()
    assert rates == [(25, 0, 2), (None, None, None)]


def test_the_ratios_of_ads_are_sum_over_sum_and_empty_over_zero(connection, home):
    day(connection, home, impressions=1000, clicks=50, spend=25, conversions=5, revenue=100)
    day(connection, home)
    ratios = connection.execute(
        text(
            "SELECT ctr, cpc, cpm, cpa, roas FROM ad_performance_rates WHERE workspace_id = :w ORDER BY ctr NULLS LAST"
        ),
        {"w": home},
    ).all()
    assert ratios == [(Decimal("0.05"), Decimal("0.5"), 25, 5, 4), (None,) * 5]


# --- The traps of the documents ---------------------------------------------------------------------------------------


def day(connection, home, **values):
    """One row of ad performance."""
    given = {"campaign_id": values.pop("campaign", None) or rows.campaign(connection, home, "ads").id, **values}
    return rows.add(
        connection, "performance_analytics", workspace_id=home, date=rows.NOON.date(), currency="USD", **given
    )


def test_trap_1_a_return_over_a_thousand_keeps_its_money(connection, home):
    made = day(connection, home, spend=Decimal("0.01"), revenue=Decimal("123456.78"))
    assert made.revenue == Decimal("123456.7800")
    assert asked(connection, "SELECT roas FROM ad_performance_rates WHERE workspace_id = :w", w=home) == [12345678]


def test_trap_2_a_row_without_an_hour_comes_in_once(connection, home):
    campaign = day(connection, home).campaign_id
    with pytest.raises(DBAPIError, match="duplicate key"):
        day(connection, home, campaign=campaign)


def test_trap_2_totals_and_breakdowns_lie_side_by_side_and_are_not_added(connection, home):
    campaign = day(connection, home, spend=10).campaign_id
    for gender, spend in (("female", 6), ("male", 4)):
        day(connection, home, campaign=campaign, breakdown="gender", gender=gender, spend=spend)
    assert asked(connection, "SELECT total_spend FROM ad_campaigns WHERE campaign_id = :c", c=campaign) == [10]
    with pytest.raises(DBAPIError, match="split_by_what_its_breakdown_names"):
        day(connection, home, breakdown="age", gender="male")


def test_trap_2_there_is_no_platform_called_both(connection, home):
    with pytest.raises(DBAPIError, match="platform_is_known"):
        day(connection, home, breakdown="platform", platform="both")


def test_trap_3_ctr_is_a_fraction(connection, home):
    day(connection, home, impressions=200, clicks=3)
    assert asked(connection, "SELECT ctr FROM ad_performance_rates WHERE workspace_id = :w", w=home) == [
        Decimal("0.015")
    ]


def test_trap_4_what_a_provider_delivers_again_counts_once(connection, home):
    campaign, reader = rows.campaign(connection, home, "email").id, rows.contact(connection, home).id
    told = {"campaign_id": campaign, "contact_id": reader, "event_type": "sent", "provider": "ses"}
    for _ in range(3):
        connection.execute(
            insert(TABLES["email_events"]).values(
                workspace_id=home, occurred_at=rows.NOON, provider_event_key="1", **told
            )
        )
    assert asked(connection, "SELECT emails_sent FROM email_campaigns WHERE campaign_id = :c", c=campaign) == [1]


def test_trap_5_imagen_and_veo_cost_money_without_tokens(connection):
    few = fill(connection)
    costs = connection.execute(
        text("SELECT google_cost, openai_cost, total_cost, tokens_used FROM ai_cost_by_provider WHERE workspace_id=:w"),
        {"w": few.workspace},
    ).all()
    assert costs == [(Decimal("0.04"), 0, Decimal("0.04"), 0)]


def test_trap_6_a_connection_whose_setting_has_ended_sees_nothing_and_raises_nothing(shared):
    with shared.setup.begin() as connection:
        few = fill(connection)
    with shared.ro.connect() as pooled:
        pooled.execute(text("SELECT set_config('app.workspaces', :w, true)"), {"w": f"{{{few.workspace}}}"})
        assert len(asked(pooled, "SELECT id FROM contacts")) == 2
        pooled.rollback()
        assert asked(pooled, "SELECT current_setting('app.workspaces', true)") == [""]
        assert asked(pooled, "SELECT id FROM contacts") == []


def test_trap_7_row_level_security_binds_the_owner_of_the_tables_too(connection):
    unforced = asked(
        connection,
        """SELECT c.relname FROM pg_class AS c JOIN pg_attribute AS a ON a.attrelid = c.oid
        WHERE a.attname = 'workspace_id' AND c.relkind IN ('r', 'p') AND NOT c.relispartition
            AND c.relnamespace = 'public'::regnamespace AND NOT (c.relrowsecurity AND c.relforcerowsecurity)""".replace(
            ":", r"\:"
        ),
    )
    assert unforced == []


def test_the_default_settings_are_the_documents(connection):
    told = {row.key: (json.loads(row.value), row.description) for row in of_kind(DocumentRow)}
    kept = connection.execute(
        text("SELECT key, value, description FROM settings WHERE key = ANY (:keys)"), {"keys": list(told)}
    ).all()
    assert len(told) == 3
    assert {row.key: (row.value, row.description) for row in kept} == told
