"""The price book at the command line: proposed, looked at, approved after a look at the effect."""

import re
from decimal import Decimal

import pytest
from typer.testing import CliRunner

from app.cli import app as command_line
from app.settings import settings
from db.errors import SightlineError
from tests.db.rows import NOON, user, workspace
from tests.money.test_approvals import asked, call, costs


@pytest.fixture
def run(database, tmp_path, monkeypatch):
    """Runs a command against the test's database and answers what it printed."""
    monkeypatch.setenv("SIGHTLINE_HOME", str(tmp_path))
    monkeypatch.setenv("DATABASE_URL", database.server.url(database.name))
    monkeypatch.setenv("COLUMNS", "240")
    settings.cache_clear()

    def run_command(*arguments, given=None, of="prices"):
        ended = CliRunner().invoke(command_line, [of, *arguments], input=given)
        if ended.exception is not None and not isinstance(ended.exception, SystemExit):
            raise ended.exception
        return re.sub(r"\s+", " ", ended.output)

    yield run_command
    settings.cache_clear()


def test_prices_are_proposed_shown_and_approved_after_a_look_at_the_effect(database, run):
    with database.setup.begin() as connection:
        customer = user(connection).id
        home = workspace(connection, owner_id=customer).id, customer
    call(database, home)
    assert "No prices are there." in run("list")
    assert "prices are proposed." in run("propose")
    assert re.search(r"openai/gpt-4o [^ ]* ?input [^ ]* ?standard", run("list", "--proposed").replace("│", ""))
    chosen = ("approve", "--model", "openai/gpt-4o")
    shown = run(*chosen, given="n\n")
    assert "2.5000" in shown
    assert "Nothing was changed." in shown
    assert costs(database) == [(None, None, None)]
    done = run(*chosen, "--yes")
    assert "The book is at version 1: 1 calls were priced anew" in done
    assert "+2.50 USD in all" in done
    assert [version for _, version, _ in costs(database)] == [1]
    assert "genai-prices 0.2.3" in run("list", "--model", "openai/gpt-4o")


def test_an_approval_without_a_choice_is_refused(run):
    with pytest.raises(SightlineError, match="No proposal was chosen"):
        run("approve")
    with pytest.raises(SightlineError, match="names no model"):
        run("list", "--model", "gpt-4o")


def test_a_price_is_added_by_hand_and_rejected_for_a_reason(database, run):
    said = run(
        "add", "openai/dall-e-3", "image", "0.04", "--per", "1", "--kind", "1024x1024/hd", "--since", "2026-11-01",
        "--from", "https://prices.example",
    )  # fmt: skip
    key = re.search(r"proposed as ([0-9a-f-]{36})", said)[1]
    assert "1024x1024/hd" in run("list", "--proposed")
    assert "1 proposals are off the list." in run("reject", key, "--reason", "An old page")
    assert "No prices are there." in run("list", "--proposed")
    assert asked(database, "SELECT reason FROM audit_log WHERE after ? 'rejected_at' AND action = 'update'") == [
        ("An old page",)
    ]


REFUSED = {
    "no number": (("openai/m", "input", "cheap"), "cheap is no price"),
    "no model": (("m", "input", "1"), "names no model"),
    "a misspelt unit": (("openai/m", "inputs", "1"), "Is it 'input'"),
    "a misspelt tier": (("openai/m", "input", "1", "--tier", "Batch"), "Is it 'batch'"),
    "not exact": (("openai/m", "audio_second", "1", "--per", "3600"), "no exact price of one"),
    "a kind of tokens": (("openai/m", "input", "1", "--kind", "hd"), "has no kinds"),
    "a time that ends before it begins": (("openai/m", "input", "1", "--until", "2026-10-01"), "ends before it starts"),
}


@pytest.mark.parametrize("name", REFUSED)
def test_what_can_be_no_price_is_refused_in_a_sentence(database, run, name):
    arguments, said = REFUSED[name]
    with pytest.raises(SightlineError) as refusal:
        run("add", *arguments, "--since", "2026-11-01", "--from", "me")
    assert said in str(refusal.value)
    assert asked(database, "SELECT count(*) FROM ai_prices") == [(0,)]


def test_a_month_is_closed_listed_and_opened_again_for_a_reason(database, run):
    with database.setup.begin() as connection:
        customer = user(connection).id
        home = workspace(connection, owner_id=customer).id, customer
    call(database, home)
    month = f"{NOON:%Y-%m}"
    assert "No month is closed." in run("list", of="months")
    with pytest.raises(SightlineError, match=r"1 calls of .* have no price"):
        run("close", month, of="months")
    call(database, home, status="processing")
    said = run("close", month, "--despite-unpriced", of="months")
    assert f"{NOON:%B %Y} is closed." in said
    assert "1 calls are still running" in said
    assert re.search(rf"{month} .* 2 .* 1 .* 0\.00", run("list", of="months").replace("│", ""))
    with pytest.raises(SightlineError, match="is closed already"):
        run("close", month, "--despite-unpriced", of="months")
    with pytest.raises(SightlineError, match="for a reason"):
        run("reopen", month, "--reason", " ", of="months")
    assert f"{NOON:%B %Y} is open." in run("reopen", month, "--reason", "A bill came late", of="months")
    assert "No month is closed." in run("list", of="months")
    assert "Invalid value" in run("close", "October", of="months")


def test_a_closed_month_is_corrected_beside_its_calls(database, run):
    with database.setup.begin() as connection:
        workspace(connection, owner_id=user(connection).id, slug="acme")
    month = f"{NOON:%Y-%m}"
    wanted = ("--workspace", "acme", "--product", "mailer", "--type", "email", "--reason", "Told twice")
    run("close", month, of="months")
    with pytest.raises(SightlineError, match="names no model"):
        run("correct", month, "1.50", "--model", "o3", *wanted, of="months")
    with pytest.raises(SightlineError, match="much is no amount"):
        run("correct", month, "much", "--model", "openai/o3", *wanted, of="months")
    said = run("correct", "--model", "openai/o3", *wanted, "--kind", "other", month, "--", "-1.50", of="months")
    assert f"{NOON:%B %Y} is corrected by -1.50 USD." in said
    assert asked(database, "SELECT kind, provider, model, amount, reason FROM ai_cost_corrections") == [
        ("other", "openai", "o3", Decimal("-1.5"), "Told twice")
    ]


def test_a_report_is_of_a_month_and_goes_to_a_pdf(run):
    with pytest.raises(SightlineError, match="'october' is no month"):
        run("month", "--month", "october", "--to", "report.pdf", of="export")
    with pytest.raises(SightlineError, match="is no PDF"):
        run("month", "--month", "2026-10", "--to", "report.txt", of="export")
