"""Drafting and rewriting with AI at the command line: metered, shown first, and kept only if somebody says so."""

import json
import re

import pytest
from typer.testing import CliRunner

from app.ai.asked import AiOffError
from app.cli import app as command_line
from app.settings import settings
from db.errors import SightlineError
from tests.ai.conftest import studio  # noqa: F401 - a fixture
from tests.ai.server import whole

WRITTEN = {"subject": "Warm bread", "html_content": "<p>Come in, {{first_name}}.</p>", "text_content": "Come in."}


@pytest.fixture
def home(studio, tmp_path, monkeypatch):  # noqa: F811 - a fixture
    """The slug of the workspace with a quota; the model is the one of the studio."""
    for name, value in {"SIGHTLINE_HOME": tmp_path, "DATABASE_URL": studio.shop.database.server.url(
            studio.shop.database.name), "OPENAI_API_KEY": "test key", "OPENAI_BASE_URL": studio.server.url,
            "SIGHTLINE_AI_MODEL": "m", "COLUMNS": 240}.items():  # fmt: skip
        monkeypatch.setenv(name, str(value))
    settings.cache_clear()
    [(slug,)] = studio.shop.ask("SELECT slug FROM workspaces WHERE id = :w", w=studio.shop.workspace)
    yield slug
    settings.cache_clear()


def run(*arguments, says=""):
    ended = CliRunner().invoke(command_line, ["templates", *arguments], input=says)
    if ended.exception is not None and not isinstance(ended.exception, SystemExit):
        raise ended.exception
    return re.sub(r"\s+", " ", ended.output)


def draft(home, *more, says=""):
    return run("draft", "A welcome to bakers", "--name", "Welcome", "--counted-for", home, "--product", "web_builder",
        *more, says=says)  # fmt: skip


def templates(studio):  # noqa: F811 - a fixture
    return studio.shop.ask("SELECT name, status, subject, html_content FROM templates ORDER BY created_at")


def test_a_draft_is_shown_with_its_cost_and_kept_when_somebody_says_so(studio, home):  # noqa: F811
    studio.server.steps = [whole(json.dumps(WRITTEN))] * 2
    declined = draft(home, says="n\n")
    assert "+++ Subject then @@ -0,0 +1 @@ +Warm bread" in declined
    assert re.search(r"Written for 0\.\d{4} USD\. Nothing is saved yet\.", declined)
    assert "Nothing was saved." in declined
    assert templates(studio) == []
    assert "is there, as a draft." in draft(home, "--workspace", home, says="y\n")
    assert templates(studio) == [("Welcome", "draft", "Warm bread", WRITTEN["html_content"])]
    assert studio.shop.used_and_held() == (2, 0)


def test_what_a_rewriting_would_change_is_shown_first_and_saved_like_an_edit(studio, home, tmp_path):  # noqa: F811
    html = tmp_path / "mail.html"
    html.write_text("<p>old</p>", encoding="utf-8")
    made = run("create", "Spring", "--subject", "Old", "--product", "web_builder", "--workspace", home,
        "--html", str(html))  # fmt: skip
    key = re.search(r"[0-9a-f]{8}-[0-9a-f-]{27}", made)[0]
    studio.server.steps = [whole(json.dumps(WRITTEN))]
    told = run("rewrite", key, "Warmer", "--yes")
    assert "-Old +Warm bread" in told
    assert "Spring was changed." in told
    assert templates(studio) == [("Spring", "draft", "Warm bread", WRITTEN["html_content"])]
    [(_, _, body)] = studio.server.asked
    assert '"subject": "Old"' in body["messages"][1]["content"]
    assert studio.shop.ask(
        "SELECT reason FROM audit_log WHERE table_name = 'templates' ORDER BY position DESC LIMIT 1"
    )[0] == ("Rewritten with AI.",)


def test_of_a_template_of_the_library_it_is_asked_whose_quota_is_used(studio, home):  # noqa: F811
    made = run("create", "Spring", "--subject", "Old", "--product", "web_builder")
    key = re.search(r"[0-9a-f]{8}-[0-9a-f-]{27}", made)[0]
    with pytest.raises(SightlineError, match="not said whose quota this is counted in"):
        run("rewrite", key, "Warmer")
    studio.server.steps = [whole(json.dumps(WRITTEN))]
    assert "Nothing was saved." in run("rewrite", key, "Warmer", "--counted-for", home, says="n\n")
    assert studio.shop.used_and_held() == (1, 0)


def test_refusals_are_those_of_the_page_and_nothing_is_asked_of_the_model(studio, home, monkeypatch):  # noqa: F811
    with pytest.raises(SightlineError, match="No workspace that you see is called elsewhere"):
        draft("elsewhere")
    with pytest.raises(SightlineError, match="not said what to write"):
        run("draft", " ", "--name", "Welcome", "--counted-for", home)
    studio.shop.do("UPDATE plan_limits SET amount = 0")
    with pytest.raises(SightlineError, match="generations"):
        draft(home)
    monkeypatch.setenv("OPENAI_API_KEY", "")
    settings.cache_clear()
    with pytest.raises(AiOffError, match="OPENAI_API_KEY is not set"):
        draft(home)
    assert studio.server.asked == []
    assert templates(studio) == []
