"""The audit log at the command line: listed, written to files, and verified with an exit code."""

import re

import pyarrow.parquet as pq
import pytest
from typer.testing import CliRunner

from app.cli import app as command_line
from db.errors import SightlineError


@pytest.fixture
def run(ledger):
    """Runs a command against the test's database; its exit code, and what it printed."""

    def run_command(*arguments):
        ended = CliRunner().invoke(command_line, list(arguments))
        if ended.exception is not None and not isinstance(ended.exception, SystemExit):
            raise ended.exception
        return ended.exit_code, re.sub(r"\s+", " ", ended.output.replace("│", " "))

    return run_command


def test_changes_are_listed_written_and_verified(ledger, run, tmp_path):
    ledger.change("a", reason="=cmd()", actor="Ada")
    ledger.change("b", actor="Bob")
    code, shown = run("audit", "list", "--by", "Bob", "--of", "settings")
    assert code == 0
    assert "Bob Made the setting b. A test." in shown
    assert "Ada" not in shown
    assert run("audit", "list", "--words", "no such word") == (0, "Nobody has changed such a thing. ")

    assert "2 changes" in run("audit", "export", str(tmp_path / "all.csv"), "--of", "settings", "--by", "Ada",
        "--by", "Bob")[1]  # fmt: skip
    assert "'=cmd()" in (tmp_path / "all.csv").read_text()
    run("audit", "export", str(tmp_path / "all.parquet"), "--by", "Bob")
    assert pq.read_table(tmp_path / "all.parquet")["after"].to_pylist()[0].startswith('{"key": "b"')
    assert run("audit", "export", str(tmp_path / "all.doc"))[0] == 2

    code, told = run("audit", "verify")
    assert (code, "rows are as they were sealed." in told) == (0, True)
    head = re.search(r"Head: (\d+:[0-9a-f]{64})", told)[1]
    assert run("audit", "verify", "--since-last", "--head", head)[0] == 0
    with pytest.raises(SightlineError, match="no head"):
        run("audit", "verify", "--head", "nonsense")

    ledger.tamper("UPDATE audit_log SET actor = 'Eve' WHERE row_key = 'a' AND table_name = 'settings'")
    [[position]] = ledger.ask("SELECT position FROM audit_log WHERE actor = 'Eve'")
    code, told = run("audit", "verify")
    assert code == 1
    assert f"The row at position {position} was changed: its actor is not as sealed." in told


def test_settings_and_rules_are_shown_and_changed(ledger, run):
    shown = run("settings", "list")[1]
    assert "ai_service_limits imagen = 100 the quotas, at every call veo = 50" in shown
    assert "meta_api_rate_limits calls_per_hour = 200 nobody" in shown
    assert "says: veo = 60." in run("settings", "set", "ai_service_limits", "veo=60", "imagen=", "--reason", "B")[1]
    assert ledger.ask("SELECT value FROM settings WHERE key = 'ai_service_limits'") == [({"veo": 60},)]
    assert (
        "plan_margin_floor says: per_cent = 25."
        in run("settings", "set", "plan_margin_floor", "per_cent=25", "--reason", "B")[1]
    )
    assert ledger.ask("SELECT value FROM settings WHERE key = 'plan_margin_floor'") == [(25,)]
    with pytest.raises(SightlineError, match="'sora' is no meter"):
        run("settings", "set", "ai_service_limits", "sora=60", "--reason", "B")
    with pytest.raises(SightlineError, match="No setting is called x"):
        run("settings", "set", "x", "veo=60", "--reason", "B")

    assert "completed_jobs all 30 forget_done_jobs 0" in run("retention", "list")[1]
    said = run("retention", "set", "completed_jobs", "--days", "60", "--reason", "An audit")[1]
    assert said == "completed_jobs is kept for 60 days. The next run takes 0 rows. "
    with pytest.raises(SightlineError, match=r"No job holds the rule for usage logs.*would have no effect"):
        run("retention", "set", "usage_logs", "--reason", "An audit")
    with pytest.raises(SightlineError, match="No rule is called x"):
        run("retention", "set", "x", "--reason", "B")
    assert ledger.ask("SELECT DISTINCT reason FROM audit_log WHERE table_name = 'retention_policies'"
        " AND action = 'update'") == [("An audit",)]  # fmt: skip
