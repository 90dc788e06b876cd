"""The commands of templates: listing, showing and checking, editing, publishing, going back, deleting and restoring."""

from collections.abc import Callable, Sequence
from dataclasses import replace
from pathlib import Path
from typing import Annotated, Any
from uuid import UUID

import typer
from rich.table import Table

from app.analysis.template_checks import Checked, check
from app.cli import shared, template_ai, template_components, template_parts, template_shelves
from app.cli.shared import read_text
from app.cli.template_parts import Key, one_template, read_sections
from app.cli.words import out, plain, say
from app.commands import templates as writing
from app.commands import templates_states as states
from app.commands.templates import Draft
from app.commands.templates_compared import NAMES, draft_of
from app.records import template_texts as texts
from app.records import templates as listing
from app.records.reading import workspaces_named
from app.records.templates import Template
from db.errors import SightlineError

templates_app = typer.Typer(no_args_is_help=True)

Keys = Annotated[list[UUID], typer.Argument(help="One or more keys, as the list shows them: all are changed or none.")]
Reason = Annotated[str, typer.Option(help="Why; it is kept in the audit log.")]
Why = Annotated[str, typer.Option(help="Why; the audit log keeps it where it is said.")]
File = Annotated[Path | None, typer.Option(exists=True, dir_okay=False, help="A file to read it from, in UTF-8.")]
Line = Annotated[str | None, typer.Option(help="What it says from now on; empty: nothing.")]
Sections = Annotated[
    Path | None,
    typer.Option(exists=True, dir_okay=False, help="A file of JSON, as `sightline templates sections` prints it."),
]
Side = Annotated[int | None, typer.Option(min=1, help="Of an ad, in pixels.")]


@templates_app.command(name="list")
def templates_list(
    words: Annotated[str, typer.Argument(help="Words of names, subjects and descriptions.")] = "",
    *,
    kind: Annotated[str | None, typer.Option(help="email or ad.")] = None,
    status: Annotated[str | None, typer.Option(help="draft, published or retired.")] = None,
    product: Annotated[str | None, typer.Option(help="Such as email_studio.")] = None,
    workspace: Annotated[str | None, typer.Option(help="The slug of the workspace whose they are.")] = None,
    shelf: Annotated[UUID | None, typer.Option(help="The key of a shelf on which they stand.")] = None,
    category: Annotated[str | None, typer.Option(help="Of this category.")] = None,
    industry: Annotated[str | None, typer.Option(help="Of this industry.")] = None,
    library: Annotated[bool, typer.Option("--library", help="Those of the library alone.")] = False,
    featured: Annotated[bool, typer.Option("--featured", help="Featured ones alone.")] = False,
    deleted: Annotated[
        bool, typer.Option("--deleted", help="Those that can be restored, in place of the others.")
    ] = False,
    most: Annotated[int, typer.Option(min=1, max=1000, help="So many at the most, the newest first.")] = 50,
) -> None:
    """Show templates with what is done with them.

    Example: `sightline templates list welcome --status published`
    """
    with shared.operating_all() as (engines, by):
        if deleted:
            # What is deleted is hidden from the role of pages.
            _print_deleted(texts.deleted_templates(engines.rw, by, limit=most))
            return
        found = listing.search_templates(
            engines.ro, by, words, kind=kind, status=status, products=(product,) if product else (), shelf=shelf,
            category=category, industry=industry, is_library=library or None, only_featured=featured,
            workspaces=workspaces_named(engines.ro, by, [workspace]) if workspace else None, limit=most,
        )  # fmt: skip
    if not found.rows:
        say("No template is like this.")
        return
    _print(found.rows)
    if found.next:
        say("There are more: narrow the list, or ask for more with --most.")


@templates_app.command(name="show")
def templates_show(key: Key) -> None:
    """Show what a template says, what to mend in it, and its versions.

    Example: `sightline templates show 0199f1c2-7b1e-7a60-9d2f-2f7f5d3f1a10`
    """
    with shared.reading() as (engine, by):
        one = one_template(engine, by, key)
        versions = texts.version_texts(engine, by, key)
    say(f"{one.name}: {one.kind} of {one.workspace}, {one.status}, version {one.current_version}")
    for name in ("subject", "preheader", "category", "industry"):
        say(f"{NAMES[name]}: {getattr(one, name) or 'none'}")
    for section in one.sections:
        say(f"Section: {section['kind']}")
    say(one.html or "No HTML.")
    say(one.text_content or "No plain text.")
    checks = Table("Check", "Is", "Because")
    for finding in check(Checked(one.kind, one.subject, one.html, one.text_content, one.width, one.height, one.format)):
        checks.add_row(finding.about, finding.weight, plain(finding.told))
    out.print(checks)
    kept = Table("Version", "Kept", "At", "By", "Subject")
    for version in versions:
        kept.add_row(
            str(version.version), version.reason, f"{version.created_at:%Y-%m-%d %H:%M}",
            plain(version.created_by or ""), plain(version.subject or ""),
        )  # fmt: skip
    out.print(kept)


@templates_app.command(name="create")
def templates_create(
    name: Annotated[str, typer.Argument(help="As people will read it.")],
    *,
    product: Annotated[str, typer.Option(help="Such as email_studio.")] = "email_studio",
    kind: Annotated[str, typer.Option(help="email or ad.")] = "email",
    workspace: Annotated[str | None, typer.Option(help="The slug of the workspace; without it, the library.")] = None,
    subject: Line = None,
    html: File = None,
    text: File = None,
    sections: Sections = None,
) -> None:
    """Write a new template, as a draft.

    Example: `sightline templates create "Welcome of spring" --workspace bright-bakery --subject "Hello"`
    """
    parts = read_sections(sections) if sections else ()
    draft = Draft(name, subject, html_content=read_text(html), text_content=read_text(text), sections=parts)
    with shared.operating() as (engine, by):
        key = writing.create_template(engine, by, draft, product=product, kind=kind, workspace_slug=workspace)
    say(f"The template {key} is there, as a draft.")


@templates_app.command(name="edit")
def templates_edit(
    key: Key,
    *,
    reason: Why = "",
    name: Line = None,
    subject: Line = None,
    preheader: Line = None,
    html: File = None,
    text: File = None,
    sections: Sections = None,
    description: Line = None,
    category: Line = None,
    industry: Line = None,
    style: Line = None,
    campaign_type: Line = None,
    width: Side = None,
    height: Side = None,
    form: Annotated[str | None, typer.Option("--format", help="Of an ad, such as png.")] = None,
) -> None:
    """Change what a template says; what is published already is published anew.

    Example: `sightline templates edit 0199f1c2-7b1e-7a60-9d2f-2f7f5d3f1a10 --subject "Hello again" --reason "Shorter"`
    """
    given = {
        "name": name, "subject": subject, "preheader": preheader, "html_content": read_text(html),
        "text_content": read_text(text), "sections": read_sections(sections) if sections else None,
        "description": description, "category": category, "industry": industry, "style": style,
        "campaign_type": campaign_type, "width": width, "height": height, "format": form,
    }  # fmt: skip
    changed: dict[str, Any] = {field: value for field, value in given.items() if value is not None}
    if not changed:
        raise SightlineError("Nothing to change was given.", fix="Give what it says from now on, such as --subject.")
    with shared.operating() as (engine, by):
        one = one_template(engine, by, key)
        before = draft_of(one)
        writing.edit_template(
            engine, by, key, replace(before, **changed), revision=one.revision, reason=reason, made_on=before
        )
    say(f"{changed.get('name') or one.name} was changed.")


@templates_app.command(name="roll-back")
def templates_roll_back(
    key: Key, version: Annotated[int, typer.Argument(help="As `sightline templates show` lists it.")], *, reason: Reason
) -> None:
    """Let a template say again what a version of it said; what it says now is kept as a version.

    Example: `sightline templates roll-back 0199f1c2-7b1e-7a60-9d2f-2f7f5d3f1a10 3 --reason "The link was right then"`
    """
    with shared.operating() as (engine, by):
        one = one_template(engine, by, key)
        writing.roll_back_template(engine, by, key, version, revision=one.revision, reason=reason)
    say(f"{one.name} says what version {version} said.")


@templates_app.command(name="publish")
def templates_publish(keys: Keys, reason: Why = "") -> None:
    """Let products offer templates; each publication is kept as a version for ever.

    Example: `sightline templates publish 0199f1c2-7b1e-7a60-9d2f-2f7f5d3f1a10`
    """
    _change(keys, "published", states.publish_templates, reason=reason)


@templates_app.command(name="unpublish")
def templates_unpublish(keys: Keys, *, reason: Reason) -> None:
    """Make drafts of templates again, which nobody is offered.

    Example: `sightline templates unpublish 0199f1c2-7b1e-7a60-9d2f-2f7f5d3f1a10 --reason "Too early"`
    """
    _change(keys, "drafts again", states.unpublish_templates, reason=reason)


@templates_app.command(name="feature")
def templates_feature(keys: Keys) -> None:
    """Show published templates before the others.

    Example: `sightline templates feature 0199f1c2-7b1e-7a60-9d2f-2f7f5d3f1a10`
    """
    _change(keys, "featured", states.feature_templates)


@templates_app.command(name="unfeature")
def templates_unfeature(keys: Keys) -> None:
    """Show templates among the others again.

    Example: `sightline templates unfeature 0199f1c2-7b1e-7a60-9d2f-2f7f5d3f1a10`
    """
    _change(keys, "featured no more", states.unfeature_templates)


@templates_app.command(name="categorise")
def templates_categorise(keys: Keys, *, category: Annotated[str, typer.Option(help="Empty: of none.")]) -> None:
    """Say of what category templates are.

    Example: `sightline templates categorise 0199f1c2-7b1e-7a60-9d2f-2f7f5d3f1a10 --category Spring`
    """
    _change(keys, f"of the category {category or 'none'}", states.categorise_templates, category=category)


@templates_app.command(name="retire")
def templates_retire(keys: Keys, *, reason: Reason) -> None:
    """Offer templates to nobody any more; copies and campaigns that use them go on.

    Example: `sightline templates retire 0199f1c2-7b1e-7a60-9d2f-2f7f5d3f1a10 --reason "The season is over"`
    """
    _change(keys, "retired", states.retire_templates, reason=reason)


@templates_app.command(name="reinstate")
def templates_reinstate(keys: Keys, reason: Why = "") -> None:
    """Take templates out of retirement.

    Example: `sightline templates reinstate 0199f1c2-7b1e-7a60-9d2f-2f7f5d3f1a10`
    """
    _change(keys, "in use again", states.reinstate_templates, reason=reason)


@templates_app.command(name="delete")
def templates_delete(keys: Keys, *, reason: Reason) -> None:
    """Take templates out of sight; their versions stay, and they can be restored.

    Example: `sightline templates delete 0199f1c2-7b1e-7a60-9d2f-2f7f5d3f1a10 --reason "Made twice"`
    """
    _change(keys, "deleted", states.delete_templates, reason=reason)


@templates_app.command(name="restore")
def templates_restore(keys: Keys, reason: Why = "") -> None:
    """Bring deleted templates back as they were.

    Example: `sightline templates restore 0199f1c2-7b1e-7a60-9d2f-2f7f5d3f1a10`
    """
    with shared.operating() as (engine, by):
        there = {one.id: one.revision for one in texts.deleted_templates(engine, by, limit=1000)}
        _require_all(keys, there)
        states.restore_templates(engine, by, {key: there[key] for key in keys}, reason=reason)
    _say_done(keys, "back")


@templates_app.command(name="take-back")
def templates_take_back(keys: Keys) -> None:
    """Undo the last change of what became of templates: published, featured, retired, deleted, or of a category.

    Example: `sightline templates take-back 0199f1c2-7b1e-7a60-9d2f-2f7f5d3f1a10`
    """
    with shared.operating() as (engine, by):
        found = [listing.template(engine, by, key) for key in keys]
        there = {one.id: one.revision for one in (*texts.deleted_templates(engine, by, limit=1000), *found) if one}
        _require_all(keys, there)
        states.take_back(engine, by, {key: there[key] for key in keys})
    _say_done(keys, "as before its last change")


templates_app.command(name="diff")(template_parts.templates_diff)
templates_app.command(name="sections")(template_parts.templates_sections)
templates_app.command(name="draft")(template_ai.templates_draft)
templates_app.command(name="rewrite")(template_ai.templates_rewrite)
templates_app.add_typer(template_shelves.shelves_app, name="shelves")
templates_app.add_typer(template_components.components_app, name="components")


def _change(keys: Sequence[UUID], done: str, change: Callable[..., Any], **more: str) -> None:
    with shared.operating() as (engine, by):
        found = [listing.template(engine, by, key) for key in keys]
        there = {one.id: one.revision for one in found if one is not None}
        _require_all(keys, there)
        change(engine, by, there, **more)
    _say_done(keys, done)


def _require_all(keys: Sequence[UUID], there: dict[UUID, int]) -> None:
    missing = [str(key) for key in keys if key not in there]
    if missing:
        raise SightlineError(f"There is no template {missing[0]}.", fix="`sightline templates list` shows their keys.")


def _say_done(keys: Sequence[UUID], done: str) -> None:
    number = len(set(keys))
    say(f"1 template is {done}." if number == 1 else f"{number:,} templates are {done}.")


def _print(rows: Sequence[Template]) -> None:
    table = Table("Key", "Name", "Of", "Kind", "Status", "Version", "Campaigns", "Copies")
    for one in rows:
        status = one.status + (", featured" if one.is_featured else "")
        table.add_row(
            str(one.id), plain(one.name), plain(one.workspace), one.kind, status, str(one.current_version),
            f"{one.campaigns:,}", f"{one.copies:,}",
        )  # fmt: skip
    out.print(table)


def _print_deleted(rows: Sequence[texts.Deleted]) -> None:
    if not rows:
        say("Nothing is deleted.")
        return
    table = Table("Key", "Name", "Of", "Kind", "Deleted")
    for one in rows:
        table.add_row(str(one.id), plain(one.name), plain(one.workspace), one.kind, f"{one.deleted_at:%Y-%m-%d %H:%M}")
    out.print(table)
