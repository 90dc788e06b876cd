"""The audit log is read in words, narrowed, page by page, and by each person as far as they see."""

from datetime import UTC, datetime, timedelta
from decimal import Decimal

import pytest
from sqlalchemy import text

from app.access import NotPermittedError, Role, Viewer
from app.records.audit import Wanted, audit_rows, change, choices, history_of
from app.records.audit_words import noun, said, told_value
from db.engine import seeing
from db.tables import HOUSE_WORKSPACE
from tests.db.rows import add, template, workspace


@pytest.fixture
def office(ledger):
    """Two workspaces with a budget each, one of the company, and a template of the library; all changed by Ada."""
    with ledger.database.setup.begin() as connection:
        connection.execute(
            text("SELECT set_config('app.actor', 'Ada', true), set_config('app.reason', 'A plan.', true)")
        )
        homes = [workspace(connection, name=name).id for name in ("North", "South")]
        budgets = [add(connection, "budgets", name=f"AI of {name}", scope="workspace", workspace_id=home, amount=5).id
            for name, home in zip(("North", "South"), homes, strict=True)]  # fmt: skip
        company = add(connection, "budgets", name="All AI", scope="company", amount=9).id
        template(connection, HOUSE_WORKSPACE, name="Of the library")
    with ledger.database.setup.begin() as connection:
        connection.execute(text("SELECT set_config('app.actor', 'Bob', true)"))
        connection.execute(text("UPDATE budgets SET amount = 7, name = 'AI up north' WHERE id = :b"), {"b": budgets[0]})
    return ledger, homes, budgets, company


def told(ledger, viewer=None, wanted=None, **how):
    found = audit_rows(ledger.database.ro, viewer or ledger.admin, wanted or Wanted(), limit=1000, **how).rows
    return [one.says for one in found if one.table_name in {"budgets", "templates"}]


def test_changes_are_told_in_words_by_the_name_that_the_thing_has_now(office):
    ledger, *_ = office
    assert told(ledger) == [
        "Changed the budget AI up north: name from AI of North to AI up north, amount from 5 to 7.",
        "Made the template Of the library.",
        "Made the budget All AI.",
        "Made the budget AI of South.",
        "Made the budget AI up north.",
    ]


def test_it_is_narrowed_by_who_what_how_when_where_and_words(office):
    ledger, homes, budgets, _ = office
    today = datetime.now(UTC).date()
    counted = {
        Wanted(actors=("Bob",)): 1,
        Wanted(tables=("templates",)): 1,
        Wanted(tables=("budgets",), actions=("insert",)): 3,
        Wanted(tables=("budgets",), row_key=str(budgets[0])): 2,
        Wanted(workspaces=frozenset({homes[1]})): 1,
        Wanted(tables=("budgets",), words="south a PLAN"): 1,
        Wanted(words="100 %_"): 0,
        Wanted(tables=("budgets",), since=today - timedelta(days=1), until=today + timedelta(days=2)): 4,
        Wanted(until=today - timedelta(days=1)): 0,
    }
    assert {wanted: len(told(ledger, wanted=wanted)) for wanted in counted} == counted


def test_pages_follow_each_other_without_a_gap(office):
    ledger, *_ = office
    listed, after = [], None
    for _ in range(50):
        page = audit_rows(ledger.database.ro, ledger.admin, Wanted(), after=after, limit=3)
        listed += [one.position for one in page.rows]
        after = page.next
        if after is None:
            break
    assert listed == [row[0] for row in ledger.ask("SELECT position FROM audit_log ORDER BY 1 DESC")]


def test_the_history_of_one_thing_is_its_own_and_one_change_is_found_by_its_position(office):
    ledger, _, budgets, _ = office
    page = history_of(ledger.database.ro, ledger.admin, "budgets", budgets[0])
    assert [(one.action, one.actor) for one in page.rows] == [("update", "Bob"), ("insert", "Ada")]
    newest = page.rows[0]
    assert change(ledger.database.ro, ledger.admin, str(newest.position)) == newest
    assert (newest.before, newest.after) == (
        {"name": "AI of North", "amount": 5.0}, {"name": "AI up north", "amount": 7.0},
    )  # fmt: skip
    for address in ("0", "-1", "x", "9" * 30, str(newest.position + 1000)):
        assert change(ledger.database.ro, ledger.admin, address) is None


def test_a_limited_admin_sees_changes_in_their_workspaces_alone(office):
    """Not the company's either, and no change by its position; nor who and what occurs elsewhere."""
    ledger, homes, _, _ = office
    limited = ledger.person(Role.ADMIN, homes[1], name="Lim")
    assert told(ledger, limited) == ["Made the budget AI of South."]
    assert told(ledger, limited, Wanted(workspaces=frozenset(homes))) == ["Made the budget AI of South."]
    assert choices(ledger.database.ro, limited).actors == ("Ada",)
    for position in (row[0] for row in ledger.ask("SELECT position FROM audit_log WHERE workspace_id IS DISTINCT FROM"
            " :own", own=homes[1])):  # fmt: skip
        assert change(ledger.database.ro, limited, str(position)) is None
    # Somebody who is limited to all that there is by now is limited none the less.
    both = ledger.person(Role.ADMIN, *homes, name="Both")
    assert "Made the budget All AI." not in told(ledger, both)


def test_what_was_done_in_a_workspace_that_is_gone_is_still_read_by_who_sees_all(office):
    ledger, homes, _, _ = office
    ledger.tamper("UPDATE workspaces SET deleted_at = now() WHERE id = :home", home=homes[1])
    assert "Made the budget AI of South." in told(ledger)
    assert told(ledger, ledger.person(Role.ADMIN, homes[0], name="Lim"))[-1] == "Made the budget AI up north."


@pytest.mark.parametrize("role", [Role.VIEWER, Role.FINANCE])
def test_only_admins_read_it(ledger, role):
    viewer = Viewer("Vera", frozenset({role}), frozenset())
    for read in (
        lambda: audit_rows(ledger.database.ro, viewer, Wanted()),
        lambda: history_of(ledger.database.ro, viewer, "plans", "x"),
        lambda: change(ledger.database.ro, viewer, "1"),
        lambda: choices(ledger.database.ro, viewer),
    ):
        with pytest.raises(NotPermittedError, match=r"audit\.read"):
            read()


def row(action, before=None, after=None, table="budgets"):
    return {"action": action, "before": before, "after": after, "table_name": table, "row_key": "k"}


def test_words_for_what_is_deleted_brought_back_and_long():
    marked, bare = {"deleted_at": "2026-11-01"}, {"deleted_at": None}
    assert said(row("update", bare, marked), "AI") == "Deleted the budget AI."
    assert said(row("update", marked, bare), "AI") == "Brought back the budget AI."
    assert said(row("delete", {"name": "Gone"}), None) == "Deleted the budget Gone."
    many = said(row("update", {}, dict.fromkeys("abcdef", 1)), "AI")
    assert many == (
        "Changed the budget AI: a from nothing to 1, b from nothing to 1, c from nothing to 1, d from nothing to 1,"
        " and 2 more."
    )
    assert said(row("update", {"text": "a" * 99}, {"text": "b"}), "AI").count("a") < 70
    assert (noun("retention_policies"), noun("industries"), noun("plans")) == ("retention rule", "industry", "plan")
    assert [told_value(one) for one in (None, True, [], ["a", 1], {"a": 1}, Decimal("0.00000250"))] == [
        "nothing", "yes", "nothing", "a, 1", '{"a": 1}', "0.0000025",
    ]  # fmt: skip


def test_a_key_that_no_row_can_have_is_told_as_it_is(ledger):
    ledger.tamper(
        "INSERT INTO audit_log (action, table_name, row_key) VALUES ('insert', 'budgets', 'no uuid'),"
        " ('insert', 'no_such_table', 'x')"
    )
    newest = audit_rows(ledger.database.ro, ledger.admin, Wanted(), limit=2).rows
    assert [one.says for one in newest] == ["Made the no such table x.", "Made the budget no uuid."]


def test_a_change_by_a_command_is_told_with_its_reason(ledger):
    with seeing(ledger.database.rw, (), actor="Ada", reason="A launch.") as connection:
        connection.execute(text("UPDATE settings SET value = '{\"veo\": 7}' WHERE key = 'ai_service_limits'"))
    [newest] = audit_rows(ledger.database.ro, ledger.admin, Wanted(), limit=1).rows
    assert (newest.actor, newest.reason, newest.row_key) == ("Ada", "A launch.", "ai_service_limits")
    assert newest.says == "Changed the setting ai_service_limits: imagen from 100 to nothing, veo from 50 to 7."
