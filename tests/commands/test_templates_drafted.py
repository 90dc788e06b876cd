"""Drafting with a language model: quota first, then the call, then a draft that nobody has saved yet."""

import json
from uuid import uuid4

import pytest

from app.access import NotPermittedError, Role, Viewer
from app.ai.asked import AiCallError, AiOffError
from app.commands.templates import Draft
from app.commands.templates_drafted import LONGEST_TEXT, draft_template
from app.quotas.answers import Refused
from db.errors import SightlineError
from tests.ai.conftest import studio  # noqa: F401 - a fixture
from tests.ai.server import whole

WRITTEN = {"subject": "Warm bread", "html_content": "<p>Come in, {{first_name}}.</p>", "text_content": "Come in."}
NOW = Draft("Spring", "Old", "Before", "<p>old</p>", category="Season")


@pytest.fixture
def ask(studio):  # noqa: F811 - a fixture
    """Ask for a text, as an admin who sees the workspace."""

    def asking(text="A welcome", now=NOW, *, role=Role.ADMIN, slug=None, key=None, product="web_builder"):
        [(own,)] = studio.shop.ask("SELECT slug FROM workspaces WHERE id = :w", w=studio.shop.workspace)
        viewer = Viewer("Ada", frozenset({role}), frozenset({studio.shop.workspace}))
        return draft_template(
            studio.shop.database.rw, viewer, text, workspace_slug=slug or own, product=product, now=now,
            request_key=key, client=studio.client,
        )  # fmt: skip

    return asking


def test_what_the_model_writes_takes_the_place_of_what_it_was_told_and_nothing_else(studio, ask):  # noqa: F811
    studio.server.steps = [whole(json.dumps(WRITTEN))]
    made = ask()
    assert made.draft == Draft("Spring", "Warm bread", "Before", WRITTEN["html_content"], "Come in.", category="Season")
    assert "USD" in made.cost
    [(_, _, body)] = studio.server.asked
    assert "<template>" in body["messages"][1]["content"]
    assert studio.shop.used_and_held() == (1, 0)
    assert studio.rows("status, generation_type") == [("completed", "email")]


@pytest.mark.parametrize("around", ["```json\n{}\n```", "{}", "\n{} \n"])
def test_fences_around_it_are_no_part_of_it(studio, ask, around):  # noqa: F811
    studio.server.steps = [whole(around.replace("{}", json.dumps(WRITTEN)))]
    assert ask().draft.subject == "Warm bread"


@pytest.mark.parametrize("answer", ["I can't.", "[]", '{"subject": "x"}', '{"html_content": 5}', ""])
def test_what_is_no_template_is_told_and_was_counted(studio, ask, answer):  # noqa: F811
    studio.server.steps = [whole(answer)]
    with pytest.raises(AiCallError, match="is no template"):
        ask()
    assert studio.shop.used_and_held() == (1, 0)


def test_beyond_the_limit_nothing_is_asked_and_it_is_said_what_to_show(studio, ask):  # noqa: F811
    studio.server.steps = [whole(json.dumps(WRITTEN))] * 3
    for _ in range(3):
        ask()
    refused = ask()
    assert isinstance(refused, Refused)
    assert refused.instead.title
    assert len(studio.server.asked) == 3


def test_the_same_request_is_asked_and_counted_once(studio, ask):  # noqa: F811
    studio.server.steps = [whole(json.dumps(WRITTEN))]
    key = uuid4()
    assert ask(key=key).draft == ask(key=key).draft
    assert studio.shop.used_and_held() == (1, 0)


def test_without_a_key_it_is_off_in_a_sentence(studio, ask):  # noqa: F811
    studio.access = {"key": ""}
    with pytest.raises(AiOffError, match="OPENAI_API_KEY is not set"):
        ask()


def test_nobody_but_admins_and_of_their_own_workspaces_alone(studio, ask):  # noqa: F811
    for role in (Role.VIEWER, Role.FINANCE):
        with pytest.raises(NotPermittedError, match=r"templates\.manage"):
            ask(role=role)
    with pytest.raises(SightlineError, match="No workspace that you see is called elsewhere"):
        ask(slug="elsewhere")
    assert studio.server.asked == []


def test_what_can_not_be_asked_is_refused_before_it_is(studio, ask):  # noqa: F811
    for text, now, told in (
        (" \n", NOW, "not said what to write"),
        ("x" * 2001, NOW, "The wish has 2,001 characters"),
        ("Shorter", Draft("Long", html_content="x" * LONGEST_TEXT), "are sent to be rewritten"),
    ):
        with pytest.raises(SightlineError, match=told):
            ask(text, now)
    with pytest.raises(SightlineError, match="'typewriter' is no product"):
        ask(product="typewriter")
    assert studio.server.asked == []
