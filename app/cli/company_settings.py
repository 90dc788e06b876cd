"""The commands of settings and retention: what holds, and changing it."""

from typing import Annotated

import typer
from rich.table import Table

from app.cli import shared
from app.cli.words import out, plain, say
from app.commands import company_settings as changing
from app.commands import retention
from app.commands.company_settings import KNOWN, flat
from app.commands.retention import ENFORCED, Terms
from app.records.company_settings import company_settings, retention_rules
from db.errors import SightlineError

settings_app = typer.Typer(no_args_is_help=True)
retention_app = typer.Typer(no_args_is_help=True)

Reason = Annotated[str, typer.Option(help="Why; it is kept in the audit log.")]


@settings_app.command(name="list")
def settings_list() -> None:
    """Show every setting of the company, with what it says and who reads it.

    Example: `sightline settings list`
    """
    with shared.reading() as (engine, by):
        found = company_settings(engine, by)
    table = Table("Setting", "Says", "Read by")
    for one in found:
        known = KNOWN.get(one.key)
        says = changing.written(flat(one.value)) if known else str(one.value)
        table.add_row(one.key, plain(says), (known.read_by or "nobody") if known else "the app itself")
    out.print(table)


@settings_app.command(name="set")
def settings_set(
    key: Annotated[str, typer.Argument(help="The setting, such as ai_service_limits.")],
    fields: Annotated[list[str], typer.Argument(help="What it says of a name, such as veo=60; veo= takes it away.")],
    *,
    reason: Reason,
) -> None:
    """Change some of what a setting says; the rest stays.

    Example: `sightline settings set ai_service_limits veo=60 --reason "A launch"`
    """
    with shared.operating() as (engine, by):
        now = next((one for one in company_settings(engine, by) if one.key == key), None)
        if now is None:
            raise SightlineError(f"No setting is called {key}.", fix="`sightline settings list` shows them.")
        before = flat(now.value)
        gone = {one.removesuffix("=").strip() for one in fields if one.endswith("=")}
        told = changing.read("\n".join(one for one in fields if not one.endswith("=")))
        wanted = {name: number for name, number in (before | told).items() if name not in gone}
        changing.change_setting(engine, by, key, wanted, revision=now.revision, reason=reason, made_on=before)
    say(f"{key} says: {', '.join(changing.written(wanted).splitlines()) or 'nothing'}.")


@retention_app.command(name="list")
def retention_list() -> None:
    """Show every rule, whether a job holds it, and how many rows the next run takes.

    Example: `sightline retention list`
    """
    table = Table("Rule", "Of", "Days", "Job", "Next run takes")
    with shared.operating_all() as (engines, by):
        for one in retention_rules(engines.ro, by):
            enforced = ENFORCED.get(one.subject)
            taken = retention.would_take(engines.pipe, by, one.subject, Terms(one.keep_days, one.is_active))
            table.add_row(
                one.subject, one.audience, f"{one.keep_days:,}" if one.keep_days and one.is_active else "for ever",
                enforced.job if enforced else "none", f"{taken.rows:,}" if taken else "",
            )  # fmt: skip
    out.print(table)


@retention_app.command(name="set")
def retention_set(
    subject: Annotated[str, typer.Argument(help="The rule, such as completed_jobs.")],
    *,
    reason: Reason,
    days: Annotated[int | None, typer.Option(help="How long; without it, for ever.")] = None,
    of: Annotated[str, typer.Option(help="all, free or paid: whose rows.")] = "all",
) -> None:
    """Keep rows of a kind for so many days from the next run on, or for ever.

    Example: `sightline retention set completed_jobs --days 60 --reason "An audit"`
    """
    with shared.operating_all() as (engines, by):
        rules = retention_rules(engines.ro, by)
        now = next((one for one in rules if (one.subject, one.audience) == (subject, of)), None)
        if now is None:
            raise SightlineError(f"No rule is called {subject} of {of}.", fix="`sightline retention list` shows them.")
        wanted, before = Terms(days), Terms(now.keep_days, now.is_active)
        retention.change_retention(engines.rw, by, now.id, wanted, revision=now.revision, reason=reason, made_on=before)
        taken = retention.would_take(engines.pipe, by, subject, wanted)
    kept = f"for {days:,} days" if days is not None else "for ever"
    say(f"{subject} is kept {kept}. The next run takes {taken.rows if taken else 0:,} rows.")
