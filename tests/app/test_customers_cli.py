"""Customers at the command line: found, shown, let in and out, given another plan, deleted and brought back."""

import re
from datetime import UTC, datetime, timedelta

import pytest
from typer.testing import CliRunner

from app.cli import app as command_line
from app.settings import settings
from db.errors import SightlineError
from tests.db.rows import NOON, add, member, plan, subscription, user, workspace

WHY = ("--reason", "A test")


@pytest.fixture
def run(database, tmp_path, monkeypatch):
    """Runs a command against the test's database and answers what it printed."""
    monkeypatch.setenv("SIGHTLINE_HOME", str(tmp_path))
    monkeypatch.setenv("DATABASE_URL", database.server.url(database.name))
    monkeypatch.setenv("COLUMNS", "240")
    settings.cache_clear()

    def run_command(*arguments, answer=None):
        ended = CliRunner().invoke(command_line, ["customers", *arguments], input=answer)
        if ended.exception is not None and not isinstance(ended.exception, SystemExit):
            raise ended.exception
        return re.sub(r"\s+", " ", ended.output.replace("│", " "))

    yield run_command
    settings.cache_clear()


@pytest.fixture
def large(database):
    """The larger plan of the mailer; Acme has the small one, of whose 10 e-mails a month 3 are used."""
    now = datetime.now(UTC)
    with database.setup.begin() as connection:
        owner = user(connection, email="owner@acme.example").id
        acme = workspace(connection, name="Acme", slug="acme", owner_id=owner).id
        member(connection, acme, user(connection, email="ed@acme.example").id, "editor")
        one = {"product": "mailer", "version": 1, "status": "published", "published_at": NOON}
        small = plan(connection, tier="starter", price=10, name="Small", **one)
        larger = plan(connection, tier="growth", price=30, name="Large", **one)
        for sold, amount in ((small, 10), (larger, 40)):
            add(connection, "plan_limits", plan_id=sold.id, meter="emails", amount=amount)
        subscription(connection, acme, owner, plan=small)
        add(connection, "quota_balances", workspace_id=acme, product="mailer", meter="emails", period="month",
            period_start=now - timedelta(days=5), period_end=now + timedelta(days=25), limit_amount=10, used=3,
            opening_used=3)  # fmt: skip
    return larger.id


def test_people_of_a_workspace_are_looked_after(large, run):
    assert "Acme acme owner@acme.example mailer starter 2" in run("list", "--words", "ACM", "--product", "mailer")
    assert "Acme" not in run("list", "--standing", "none")
    shown = run("show", "acme")
    assert "Acme (acme), owned by owner@acme.example" in shown
    assert "ed@acme.example editor yes" in shown
    assert "ann@acme.example is in Acme as viewer." in run(
        "invite", "acme", "ann@acme.example", "--role", "viewer", *WHY
    )
    assert "is in Acme as admin." in run("role", "acme", "ANN@acme.example", "admin", *WHY)
    assert "is not let in any more; 0 sessions ended." in run("deactivate", "acme", "ann@acme.example", *WHY)
    assert "ann@acme.example admin no" in run("show", "acme")
    assert "is let in again" in run("reactivate", "acme", "ann@acme.example", *WHY)
    assert "is signed out everywhere" in run("end-sessions", "acme", "ann@acme.example", *WHY)
    assert "ed@acme.example owns Acme." in run("hand-over", "acme", "ed@acme.example", *WHY)
    assert "ann@acme.example is in Acme no more." in run("remove", "acme", "ann@acme.example", *WHY)
    shown = run("show", "acme")
    assert "ed@acme.example owner yes" in shown
    assert "owner@acme.example admin yes" in shown
    assert "ann@acme.example" not in shown


def test_who_or_what_is_not_there_is_said(large, run):
    for arguments, sentence in (
        (("list", "--standing", "rich"), "'rich' is no standing"),
        (("show", "acne"), "No workspace is called acne"),
        (("remove", "acme", "eve@acme.example", *WHY), "Nobody in Acme has the address eve@acme.example"),
        (("remove", "acme", "owner@acme.example", *WHY), "owner@acme.example owns Acme"),
        (("cancel", "acme", "craft_ads", *WHY), "Acme does not subscribe to craft_ads"),
        (("restore", "acme", *WHY), "No deleted workspace is called acme"),
        (("change-plan", "acme", "mailer", "--to", str(large), "--yes"), "This is done for a reason"),
        (("change-plan", "acme", "mailer", "--to", "0199f1c2-7b1e-7a60-9d2f-2f7f5d3f1a10"), "No plan of mailer in USD"),
    ):
        with pytest.raises(SightlineError, match=sentence):
            run(*arguments)


def test_another_plan_is_given_after_it_was_shown_what_that_changes(large, run, database):
    assert f"{large} Large 1 30.0000 USD monthly published" in run("change-plan", "acme", "mailer")
    give = ("change-plan", "acme", "mailer", "--to", str(large), *WHY)
    shown = run(*give, answer="n\n")
    assert "Now: Small ┃ Then: Large ┃ Used" in shown
    assert "price 10.0000 USD 30.0000 USD" in shown
    assert "emails month 10 40 3" in shown
    assert "Nothing was changed." in shown
    assert "Acme has Large, version 1, for 30.0000 USD." in run(*give, answer="y\n")
    with database.setup.connect() as connection:
        limits = connection.exec_driver_sql("SELECT limit_amount, used FROM quota_balances").all()
        reasons = connection.exec_driver_sql("SELECT reason FROM audit_log WHERE table_name = 'subscriptions'").all()
    assert ([tuple(row) for row in limits], [row.reason for row in reasons][-1]) == ([(40, 3)], "A test")
    assert "Large of Acme ends on" in run("cancel", "acme", "mailer", *WHY)
    assert "ending" in run("show", "acme")
    assert "Large of Acme is renewed on" in run("resume", "acme", "mailer", *WHY)


def test_a_workspace_is_deleted_after_it_was_shown_what_goes_and_brought_back(large, run):
    shown = run("delete", "acme", *WHY, answer="n\n")
    assert "With Acme go: 1 members. 1 subscriptions are live" in shown
    assert "Nothing was deleted." in shown
    assert "Acme is deleted." in run("delete", "acme", "--yes", *WHY)
    with pytest.raises(SightlineError, match="No workspace is called acme"):
        run("show", "acme")
    assert "Acme is back." in run("restore", "acme", *WHY)
    assert "ed@acme.example editor yes" in run("show", "acme")
