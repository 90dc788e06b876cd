"""Templates at the command line: written, shown with what to mend, edited, published, rolled back, and restored."""

import re

import pytest
from typer.testing import CliRunner

from app.cli import app as command_line
from app.settings import settings
from db.errors import SightlineError


@pytest.fixture
def run(database, tmp_path, monkeypatch):
    """Runs a command against the test's database and answers what it printed."""
    monkeypatch.setenv("SIGHTLINE_HOME", str(tmp_path))
    monkeypatch.setenv("DATABASE_URL", database.server.url(database.name))
    monkeypatch.setenv("COLUMNS", "240")
    settings.cache_clear()

    def run_command(*arguments):
        ended = CliRunner().invoke(command_line, ["templates", *arguments])
        if ended.exception is not None and not isinstance(ended.exception, SystemExit):
            raise ended.exception
        return re.sub(r"\s+", " ", ended.output.replace("│", " "))

    yield run_command
    settings.cache_clear()


def test_a_template_of_the_library_goes_through_its_life(run, tmp_path):
    html = tmp_path / "mail.html"
    html.write_text("<p>Hello {{first name}}</p>", encoding="utf-8")
    key = re.search(
        r"template ([0-9a-f-]{36}) is there", run("create", "Spring", "--subject", "Hi", "--html", str(html))
    )[1]
    shown = run("show", key)
    assert "Spring: email of Sightline library, draft, version 1" in shown
    assert "Merge fields mend this “{{first name}}” is no field" in shown
    with pytest.raises(SightlineError, match="Nothing to change was given"):
        run("edit", key)
    assert "Spring was changed." in run("edit", key, "--subject", "Hello again", "--reason", "Warmer")
    assert "1 template is published." in run("publish", key)
    assert "1 template is featured." in run("feature", key)
    assert "published, featured" in run("list", "spring", "--library", "--featured")
    assert "Spring says what version 1 said." in run("roll-back", key, "1", "--reason", "The subject")
    assert "Subject: Hi" in run("show", key)
    assert "1 template is retired." in run("retire", key, "--reason", "Over")
    assert "1 template is in use again." in run("reinstate", key)
    assert "1 template is deleted." in run("delete", key, "--reason", "Made twice")
    assert "No template is like this." in run("list", "spring")
    assert "Spring" in run("list", "--deleted")
    assert "1 template is back." in run("restore", key)
    assert "of the category May" in run("categorise", key, "--category", "May")
    for wrong in (("publish", "0199f1c2-7b1e-7a60-9d2f-2f7f5d3f1a10"), ("restore", key), ("show", key[:-4] + "0000")):
        with pytest.raises(SightlineError, match="There is no template"):
            run(*wrong)
