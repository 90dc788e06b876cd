"""Templates at the command line, their shelves and components: what the page can do, the shell can."""

import json
import re

import pytest
from typer.testing import CliRunner

from app.cli import app as command_line
from app.settings import settings
from db.errors import SightlineError
from tests.budgets.conftest import settle_in
from tests.db.rows import add


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
    assert "1 template is as before its last change." in run("take-back", key)
    assert "published" in run("list", "spring")
    assert "1 template is retired." in run("retire", key, "--reason", "Over")
    assert "1 template is in use again." in run("reinstate", key)
    assert "1 template is deleted." in run("delete", key, "--reason", "Made twice")
    assert "1 template is as before its last change." in run("take-back", key)
    assert "Spring" in run("list", "spring")
    assert "1 template is deleted." in run("delete", key, "--reason", "Made twice")
    assert "No template is like this." in run("list", "spring")
    assert "Spring" in run("list", "--deleted")
    assert "1 template is back." in run("restore", key)
    assert "of the category May" in run("categorise", key, "--category", "May")
    for wrong in (("publish", "0199f1c2-7b1e-7a60-9d2f-2f7f5d3f1a10"), ("restore", key), ("show", key[:-4] + "0000")):
        with pytest.raises(SightlineError, match="There is no template"):
            run(*wrong)


def key_in(output):
    return re.search(r"[0-9a-f]{8}-[0-9a-f-]{27}", output)[0]


def test_sections_are_printed_as_they_are_read_and_two_versions_are_compared(run, tmp_path):
    file = tmp_path / "sections.json"
    file.write_text('[{"kind": "hero", "html_content": "<p>one</p>"}, {"kind": "footer"}]', encoding="utf-8")
    key = key_in(run("create", "Spring", "--subject", "Hi", "--sections", str(file)))
    printed = json.loads(run("sections", key))
    assert printed == [
        {"kind": "hero", "html_content": "<p>one</p>", "content": {}},
        {"kind": "footer", "html_content": None, "content": {}},
    ]
    printed[0]["html_content"] = "<p>two</p>"
    file.write_text(json.dumps(printed), encoding="utf-8")
    run(
        "edit",
        key,
        "--subject",
        "Hello",
        "--sections",
        str(file),
        "--industry",
        "Bakery",
        "--width",
        "5",
        "--height",
        "6",
    )
    told = run("diff", key, "1")
    assert "--- Subject of version 1 +++ Subject now @@ -1 +1 @@ -Hi +Hello" in told
    assert "--- Section hero 1 of version 1 +++ Section hero 1 now @@ -1 +1 @@ -<p>one</p> +<p>two</p>" in told
    assert "footer" not in told
    assert "They say the same." in run("diff", key, "1", "1")
    assert "Industry: Bakery Section: hero Section: footer" in run("show", key)
    assert "Spring" in run("list", "--industry", "Bakery")
    for other in (("--category", "Bakery"), ("--workspace", "nowhere"), ("--product", "mailer")):
        assert "No template is like this." in run("list", *other)
    with pytest.raises(SightlineError, match="no version 7 of this template"):
        run("diff", key, "7")
    for wrong in ("x", "{}", '[{"html_content": "x"}]', '[{"kind": "a", "content": []}]'):
        file.write_text(wrong, encoding="utf-8")
        with pytest.raises(SightlineError, match="holds no sections"):
            run("edit", key, "--sections", str(file))


def test_shelves_are_made_named_ordered_and_retired_and_templates_put_on_them(run):
    first, second = (key_in(run("shelves", "create", name)) for name in ("Spring", "Sale"))
    assert "Spring is called May." in run("shelves", "rename", first, "May", "--description", "In bloom")
    assert "Sale is called Sales." in run("shelves", "rename", second, "Sales")
    assert "stand in this order" in run("shelves", "order", second, first)
    listed = run("shelves", "list")
    assert listed.index("Sales") < listed.index("May Sightline library email In bloom 0 in use")
    with pytest.raises(SightlineError, match="not all of the shelves"):
        run("shelves", "order", first)
    template = key_in(run("create", "Tulip", "--subject", "Hi"))
    assert "Tulip stands on 2 shelves." in run("shelves", "put", template, first, second)
    assert "Tulip stands on 1 shelf." in run("shelves", "put", template, first)
    assert "Tulip" in run("list", "--shelf", first)
    assert "No template is like this." in run("list", "--shelf", second)
    assert "May is retired." in run("shelves", "retire", first, "--reason", "Over")
    assert "In bloom 1 retired" in run("shelves", "list")
    assert "May is in use again." in run("shelves", "reinstate", first)
    with pytest.raises(SightlineError, match="There is no shelf"):
        run("shelves", "rename", template, "x")


def test_a_component_is_edited_compared_rolled_back_offered_sold_and_withdrawn(run, database, tmp_path):
    place = settle_in(database)
    with database.setup.begin() as owner:
        key = str(add(owner, "component_library", workspace_id=place.workspace, name="Table", component_type="form",
            code="<b>1</b>").id)  # fmt: skip
    code = tmp_path / "code.html"
    code.write_text("<b>2</b>", encoding="utf-8")
    with pytest.raises(SightlineError, match="Nothing to change was given"):
        run("components", "edit", key)
    assert "Table was changed." in run(
        "components", "edit", key, "--code", str(code), "--tags", "a, b", "--reason", "New"
    )
    told = run("components", "diff", key, "1")
    assert "--- Code of version 1 +++ Code now @@ -1 +1 @@ -<b>1</b> +<b>2</b>" in told
    assert "+++ Tags now @@ -0,0 +1 @@ +a, b" in told
    shown = run("components", "show", key)
    assert "Table: form of Acme, to nobody, 0.00 USD" in shown
    assert shown.rstrip(" ┘└─┴").endswith("New")
    assert "Table says what version 1 said." in run("components", "roll-back", key, "1", "--reason", "Better")
    assert "They say the same." in run("components", "diff", key, "1")
    assert "Table is offered in the library." in run("components", "offer", key)
    assert "for 9.50 USD." in run("components", "sell", key, "9.50")
    assert "in the marketplace 9.50 USD" in run(
        "components", "list", "table", "--offered", "marketplace", "--workspace", "acme"
    )
    assert "Table is withdrawn." in run("components", "withdraw", key, "--reason", "It broke")
    assert "Table is offered as before." in run("components", "take-back", key)
    assert "in the marketplace, 9.50 USD" in run("components", "show", key)
    assert "Table is withdrawn." in run("components", "withdraw", key, "--reason", "It broke")
    assert "No component is like this." in run("components", "list", "--offered", "marketplace")
    for wrong, why in ((("show", str(place.workspace)), "There is no component"), (("sell", key, "much"), "no price"),
            (("diff", key, "9"), "no version 9 of this component")):  # fmt: skip
        with pytest.raises(SightlineError, match=why):
            run("components", *wrong)
