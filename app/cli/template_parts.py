"""Parts of templates at the command line: two versions of one compared, and its sections as a file."""

import difflib
import json
from collections.abc import Iterable
from pathlib import Path
from typing import Annotated, Any
from uuid import UUID

import typer
from sqlalchemy import Engine

from app.access import Viewer
from app.cli import shared
from app.cli.words import say
from app.commands.templates_compared import Part, draft_of, parts_of
from app.commands.templates_sections import Section
from app.records import template_texts as texts
from app.records.template_texts import Text, VersionText
from db.errors import SightlineError

Key = Annotated[UUID, typer.Argument(help="The key, as the list shows it.")]
From = Annotated[int, typer.Argument(help="The version that is compared.")]
To = Annotated[int | None, typer.Argument(help="The version it is compared with; without it, what is there now.")]


def templates_diff(key: Key, old: From, new: To = None) -> None:
    """Show what differs between two versions of a template, or between one and what it says now.

    Example: `sightline templates diff 0199f1c2-7b1e-7a60-9d2f-2f7f5d3f1a10 3`
    """
    with shared.reading() as (engine, by):
        now = one_template(engine, by, key)
        before = _version(engine, by, key, old)
        after = now if new is None else _version(engine, by, key, new)
    print_differences(parts_of(draft_of(before), draft_of(after)), *numbered(old, new))


def templates_sections(key: Key) -> None:
    """Print the sections of a template as JSON, as `sightline templates edit --sections` takes them.

    Example: `sightline templates sections 0199f1c2-7b1e-7a60-9d2f-2f7f5d3f1a10 > sections.json`
    """
    with shared.reading() as (engine, by):
        one = one_template(engine, by, key)
    say(json.dumps(list(one.sections), ensure_ascii=False, indent=2))


def one_template(engine: Engine, by: Viewer, key: UUID) -> Text:
    """The template of this key."""
    one = texts.text_of(engine, by, key)
    if one is None:
        raise SightlineError(f"There is no template {key}.", fix="`sightline templates list` shows their keys.")
    return one


def numbered(old: int, new: int | None) -> tuple[str, str]:
    """What two versions are called where they are compared."""
    return f"of version {old}", "now" if new is None else f"of version {new}"


def print_differences(parts: Iterable[Part], before: str, after: str) -> None:
    """Of each part that differs the lines that went and came, as other tools read them."""
    differing = [part for part in parts if part[1] != part[2]]
    if not differing:
        say("They say the same.")
    for title, was, became in differing:
        heads = (f"{title} {before}", f"{title} {after}")
        for line in difflib.unified_diff(was.splitlines(), became.splitlines(), *heads, lineterm=""):
            say(line)


def read_sections(file: Path) -> tuple[Section, ...]:
    """Sections from a file as they are printed."""
    try:
        told = json.loads(file.read_text(encoding="utf-8"))
    except ValueError:
        told = None
    if not isinstance(told, list) or not all(_is_section(one) for one in told):
        raise SightlineError(
            f"{file} holds no sections.",
            why="They are a list in JSON; each has a kind, and html_content and content where it has such.",
            fix="`sightline templates sections` prints those that a template has.",
        )
    return tuple(Section.read(one) for one in told)


def _is_section(told: Any) -> bool:  # noqa: ANN401 - what JSON holds
    return (
        isinstance(told, dict)
        and isinstance(told.get("kind"), str)
        and isinstance(told.get("html_content"), str | None)
        and isinstance(told.get("content", {}), dict)
    )


def _version(engine: Engine, by: Viewer, key: UUID, version: int) -> VersionText:
    found = texts.version_text(engine, by, key, version)
    if found is None:
        raise SightlineError(
            f"There is no version {version} of this template.",
            fix="`sightline templates show` lists those that are kept.",
        )
    return found
