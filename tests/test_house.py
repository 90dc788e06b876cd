"""The house keeps its own rules: what is documented is there, and what is there is documented."""

import re
import sys
from pathlib import Path

import click
import pytest
import typer.main

from app.cli import app as command_line
from app.settings import Settings, variable_of

PROJECT = Path(__file__).resolve().parent.parent
README = (PROJECT / "README.md").read_text(encoding="utf-8")
SOURCES = sorted(path for folder in ("app", "db", "migrations", "pages") for path in (PROJECT / folder).rglob("*.py"))


def commands(group: click.Group, before: str = "sightline") -> list[tuple[str, click.Command]]:
    found = []
    for name, command in group.commands.items():
        if hasattr(command, "commands"):
            found += commands(command, f"{before} {name}")
        else:
            found.append((f"{before} {name}", command))
    return found


COMMANDS = commands(typer.main.get_group(command_line))


@pytest.mark.parametrize("name", Settings.model_fields)
def test_every_setting_is_described_in_the_readme_by_its_own_words(name):
    described = Settings.model_fields[name].description
    assert described
    row = next(line for line in README.splitlines() if line.startswith(f"| `{variable_of(name)}` |"))
    assert row.endswith(f"| {described} |")


def test_the_readme_describes_no_setting_that_does_not_exist():
    table = README.split("## Settings")[1].split("Two copies")[0]
    assert set(re.findall(r"^\| `([A-Z_]+)` \|", table, re.M)) == {variable_of(name) for name in Settings.model_fields}


@pytest.mark.parametrize(("name", "command"), COMMANDS, ids=[name for name, _ in COMMANDS])
def test_every_command_says_what_it_does_with_an_example_and_is_in_the_readme(name, command):
    assert "Example: `" in command.help
    assert name in command.help.split("Example: ")[1]
    assert f"`{name}" in README


@pytest.mark.parametrize("path", re.findall(r"`((?:app|db|docs|migrations|pages|tests)/[\w/.]*)`", README))
def test_every_path_in_the_readme_exists(path):
    assert (PROJECT / path).exists()


@pytest.mark.parametrize("path", SOURCES, ids=lambda path: str(path.relative_to(PROJECT)))
def test_a_module_opens_with_one_sentence_and_stays_small(path):
    text = path.read_text(encoding="utf-8")
    if text:
        assert text.startswith('"""')
    # The tables and triggers of a migration are one text, which is not split for its length.
    assert text.count("\n") <= 450 or path.parent.name == "versions"


def test_only_settings_reads_the_environment():
    readers = [
        path
        for path in SOURCES
        if re.search(r"os\.environ|os\.getenv|getenv\(", path.read_text(encoding="utf-8"))
        and path.name != "settings.py"
    ]
    assert readers == []


def test_no_module_hides_one_of_python_or_of_a_dependency():
    """Streamlit puts `app/` and `pages/` on the path, where a module named like another would win over it."""
    found = {path.stem for folder in ("app", "pages") for path in (PROJECT / folder).iterdir()}
    ours = found - {"__init__", "__pycache__"}
    assert ours & sys.stdlib_module_names == set()
    assert ours & {"streamlit", "pandas", "plotly", "duckdb", "openai", "alembic", "psycopg", "sqlalchemy"} == set()


def test_lock_files_pin_every_package_by_hash_and_name_no_index():
    for name in ("requirements.lock", "requirements-dev.lock"):
        lines = (PROJECT / name).read_text(encoding="utf-8").splitlines()
        assert not [line for line in lines if "://" in line or line.startswith("-")]
        pinned = [number for number, line in enumerate(lines) if re.match(r"[\w.-]+(\[[\w,]+\])?==", line)]
        assert pinned
        assert all("--hash=sha256:" in lines[number + 1] for number in pinned)
