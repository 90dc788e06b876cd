"""Plans at the command line: drafted, changed, published by two, retired, and subscribers moved and brought back."""

import re

import pytest
from typer.testing import CliRunner

from app.cli import app as command_line
from app.commands import plan_publishing as publishing
from app.commands.plan_publishing import today
from app.settings import settings
from db.errors import SightlineError


@pytest.fixture
def run(shelf, tmp_path, monkeypatch):
    """Runs a command against the test's database and answers what it printed."""
    monkeypatch.setenv("SIGHTLINE_HOME", str(tmp_path))
    monkeypatch.setenv("DATABASE_URL", shelf.database.server.url(shelf.database.name))
    monkeypatch.setenv("COLUMNS", "300")
    settings.cache_clear()

    def run_command(*arguments):
        ended = CliRunner().invoke(command_line, ["plans", *map(str, arguments)])
        if ended.exception is not None and not isinstance(ended.exception, SystemExit):
            raise ended.exception
        return re.sub(r"\s+", " ", ended.output.replace("│", " "))

    yield run_command
    settings.cache_clear()


def key_in(said):
    return re.search(r"[0-9a-f]{8}-[0-9a-f-]{27}", said)[0]


def test_a_draft_is_made_changed_compared_and_discarded(shelf, run):
    assert "mailer pro 1 published Mailer Pro 20 USD monthly 1" in run("list", "--product", "mailer")
    key = key_in(run("draft", "--of", shelf.live))
    run("change", key, "--price", "25.50", "--watermark", "--reason", "Costs rose")
    run("limit", key, "emails", "--amount", 200, "--soft")
    run("limit", key, "contacts", "--period", "lifetime", "--unlimited")
    run("feature", key, "api", "--on")
    run("feature", key, "team_seats", "--value", 10)
    run("feature", key, "sending", "--metered-by", "emails")
    told = run("compare", key)
    for line in ("price 20 25.5", "limit emails month 100 200, soft", "feature api none yes",
        "feature team seats 5 10", "has watermark no yes", "limit contacts lifetime none without limit"):  # fmt: skip
        assert line in told, told
    run("feature", key, "sending", "--drop")
    run("limit", key, "contacts", "--period", "lifetime", "--drop")
    assert "0 subscribe to it." in run("show", key)
    assert "off the list" in run("discard", key)
    assert key not in run("list", "--retired")
    assert re.search(rf"{key} mailer pro 2 discarded", run("list", "--discarded"))
    assert "is back" in run("restore", key)
    made = key_in(run("draft", "--product", "craft_ads", "--tier", "scale", "--name", "Ads Scale", "--price", "500"))
    assert "no live version" in run("compare", made)
    for arguments, sentence in (
        (("draft",), "It was not said what to draft"),
        (("change", key, "--price", "a lot"), "'a lot' is no amount"),
        (("limit", key, "veo"), "has no limit of veo by the month"),
        (("limit", key, "veo", "--amount", 1, "--unlimited"), "Several things were said"),
        (("feature", key, "api"), "Say one thing of the feature"),
        (("show", shelf.workspace), "No plan has this key"),
    ):
        with pytest.raises(SightlineError, match=sentence):
            run(*arguments)


def test_a_publication_below_the_floor_waits_and_who_asked_at_the_command_line_does_not_approve_there(shelf, run):
    key = shelf.draft(price=25)
    shelf.simulate(key, cost=90)
    approval = key_in(run("publish", key, "--reason", "A launch"))
    assert "Mailer Pro version 2" in run("approvals")
    with pytest.raises(SightlineError, match="Who asks does not approve"):
        run("approve", approval, "--reason", "Mine")
    publishing.approve(shelf.database.rw, shelf.bob, approval, reason="Fine")
    assert shelf.status(key) == "published"
    assert "is a draft again" in run("unpublish", key)
    shelf.simulate(key, cost=90)
    assert "stays a draft" in run("decline", key_in(run("publish", key, "--reason", "Again")), "--reason", "No")
    assert "No publication waits" in run("approvals")


def test_subscribers_are_moved_and_brought_back(shelf, run):
    key = shelf.draft(price=25)
    shelf.simulate(key)
    assert "It is live." in run("publish", key, "--reason", "New prices")
    said = run("migrate", shelf.live, "--to", key, "--reason", "One price", "--at-once", "--yes")
    assert "Acme 20 USD 25 USD" in said
    assert "1 were moved and 0 wait." in said
    assert "Mailer Pro version 1 Mailer Pro version 2" in run("migrations", key)
    [(batch,)] = shelf.ask("SELECT batch_id FROM plan_migrations")
    assert "1 have the plan that they had." in run("undo-migration", batch, "--reason", "Too soon")
    assert shelf.ask("SELECT plan_id, price FROM subscriptions") == [(shelf.live, 20)]


def test_a_day_is_given_in_utc_and_a_plan_is_retired_and_sold_again(shelf, run):
    key = shelf.draft(price=25)
    shelf.simulate(key)
    day = today().replace(year=today().year + 1, month=1, day=1)
    assert f"goes live on {day:%d %B %Y}, at midnight UTC" in run("publish", key, "--on", day, "--reason", "Next year")
    assert "sold no more" in run("retire", shelf.live, "--reason", "Nobody takes it")
    assert "sold again" in run("reinstate", shelf.live)


def test_the_forecast_of_a_publication_is_shown_beside_what_happened(shelf, run):
    """14 days at 20 USD a month are, in 30 days, what twelve months of 20 are in 365 days: 19.73."""
    key = shelf.draft(price=20)
    shelf.simulate(key)
    with pytest.raises(SightlineError, match="was not published"):
        run("review", key)
    run("publish", key, "--reason", "New limits")
    with pytest.raises(SightlineError, match="is live since"):
        run("review", key)
    shelf.do("UPDATE subscriptions SET plan_id = :key, started_at = now() - interval '60 days'", key=key)
    shelf.do("UPDATE plans SET published_at = now() - interval '15 days' WHERE id = :key", key=key)
    told = run("review", key)
    assert "As in 30 days, USD" in told
    assert "Revenue 0.00 19.73 19.73" in told
    run("review", key)
    assert shelf.ask("SELECT COUNT(*) FROM plan_simulations WHERE kind = 'outcome'") == [(1,)]
    run("review", key, "--again")
    assert shelf.ask("SELECT COUNT(*) FROM plan_simulations WHERE kind = 'outcome'") == [(2,)]
