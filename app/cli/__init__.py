"""The command line: `sightline COMMAND --help` says what each one does, with an example."""

import json
import subprocess
import sys
import traceback
import uuid
from dataclasses import asdict
from datetime import UTC, datetime
from typing import Annotated

import typer
from rich.progress import BarColumn, MofNCompleteColumn, Progress, SpinnerColumn, TaskID, TextColumn, TimeElapsedColumn
from sqlalchemy import Engine

from app import database, keys, up
from app.cli import (
    audit,
    bills,
    budgets,
    company_settings,
    customers,
    exports,
    integrations,
    lake,
    month_report,
    months,
    plan_moves,
    plans,
    prices,
    questions,
    quota_rules,
    quotas,
    shared,
    simulations,
    team,
    template_ai,
    template_components,
    template_parts,
    template_shelves,
    templates,
    tokens,
    work,
)
from app.cli.shared import err, out, plain, say
from app.commands.demo_team import ensure_demo_team
from app.health import findings
from app.installation import installation
from app.lake.place import the_engine, the_place
from app.lake.refresh import Refresher
from app.redaction import without_secrets
from app.settings import PROJECT, settings
from db.demo import Size, load_demo
from db.errors import SightlineError
from db.rotation import keys_in_use, rotate, secret_columns
from db.tables import Base

FAILED = 1
INTERRUPTED = 130

app = typer.Typer(
    help="Analytics for five AI-marketing products.",
    no_args_is_help=True,
    add_completion=False,
    pretty_exceptions_enable=False,
    rich_markup_mode="markdown",
)
keys_app = typer.Typer(help="The keys that encrypt secrets in the database.", no_args_is_help=True)
app.add_typer(team.team_app, name="team")
app.add_typer(keys_app, name="keys")
app.command()(lake.refresh)
app.command()(questions.query)
app.command()(questions.explain)
app.command()(questions.metrics)
app.command()(work.worker)
app.add_typer(work.jobs_app, name="jobs")
app.add_typer(integrations.integrations_app, name="integrations")
app.add_typer(prices.prices_app, name="prices")
app.add_typer(budgets.budgets_app, name="budgets")
app.add_typer(bills.import_app, name="import")
app.command()(bills.reconcile)
app.add_typer(exports.export_app, name="export")
exports.export_app.command(name="month")(month_report.export_month)
app.add_typer(months.months_app, name="months")
app.add_typer(quotas.quotas_app, name="quotas")
quotas.quotas_app.command(name="close")(quota_rules.quotas_close)
quotas.quotas_app.command(name="overrides")(quota_rules.quotas_overrides)
quotas.quotas_app.command(name="credits")(quota_rules.quotas_credits)
quotas.quotas_app.command(name="holds")(quota_rules.quotas_holds)
quotas.quotas_app.command(name="give-up")(quota_rules.quotas_give_up)
quotas.quotas_app.command(name="service-limits")(quota_rules.quotas_service_limits)
quotas.quotas_app.command(name="limit-service")(quota_rules.quotas_limit_service)
app.add_typer(audit.audit_app, name="audit")
app.add_typer(templates.templates_app, name="templates")
templates.templates_app.command(name="diff")(template_parts.templates_diff)
templates.templates_app.command(name="sections")(template_parts.templates_sections)
templates.templates_app.command(name="draft")(template_ai.templates_draft)
templates.templates_app.command(name="rewrite")(template_ai.templates_rewrite)
templates.templates_app.add_typer(template_shelves.shelves_app, name="shelves")
templates.templates_app.add_typer(template_components.components_app, name="components")
app.add_typer(company_settings.settings_app, name="settings")
app.add_typer(company_settings.retention_app, name="retention")
app.add_typer(tokens.tokens_app, name="tokens")
app.add_typer(customers.customers_app, name="customers")
app.add_typer(plans.plans_app, name="plans")
plans.plans_app.command(name="simulate")(simulations.simulate)
plans.plans_app.command(name="review")(simulations.review)
plans.plans_app.command(name="migrate")(plan_moves.plans_migrate)
plans.plans_app.command(name="migrations")(plan_moves.plans_migrations)
plans.plans_app.command(name="undo-migration")(plan_moves.plans_undo_migration)


def main() -> None:
    """Run a command; whatever goes wrong is told in sentences, and the exit code says that it did."""
    up.end_in_order()
    try:
        app()
    except SightlineError as error:
        _tell(error)
        sys.exit(FAILED)
    except KeyboardInterrupt:
        err.print("Interrupted.")
        sys.exit(INTERRUPTED)
    except Exception as error:  # noqa: BLE001 - the outermost entry: a person gets a sentence, the file the details
        _tell(_unexpected(error))
        sys.exit(FAILED)


@app.command(name="up")
def up_(
    demo: Annotated[bool, typer.Option(help="Fill an empty embedded database with invented data first.")] = True,
) -> None:
    """Start everything: the database, its tables, demo data on the first start, the lake, the app and its worker.

    Example: `PORT=8600 sightline up`
    """
    up.require_free_port()
    with shared.address() as address:
        with database.setup_engine(address) as setup:
            database.migrate(setup, say)
            # A server that somebody gave us is never filled with invented data unasked.
            if demo and address.is_embedded and not database.holds_customers(setup):
                _load(setup, Size.SMALL, seed=1, today=datetime.now(UTC))
        with database.app_engines(address) as engines:
            ensure_demo_team(engines)
        place = the_place(address)
        if not place.lake.latest_number:
            lake.bring_up(Refresher(place, the_engine(place.lake)))
        up.serve_until_stopped(say)
    say(f"Stopped. Everything is kept in {settings().home}.")


@app.command()
def migrate() -> None:
    """Bring the database's tables to this version, renew the app's logins, and make the months ahead.

    Example: `DATABASE_URL=postgresql://owner@db.example/sightline sightline migrate`
    """
    with shared.setup() as (_, setup):
        database.migrate(setup, say)
        revision, _newest = database.migration_state(setup)
        say(f"The database is at revision {revision}.")


@app.command()
def demo(
    size: Annotated[
        Size, typer.Option(help="About 200 k, 5 M or 20 M e-mail events, the rest in proportion.")
    ] = Size.SMALL,
    seed: Annotated[int, typer.Option(help="The same seed and day give the same data.")] = 1,
    today: Annotated[datetime | None, typer.Option(formats=["%Y-%m-%d"], help="The last day of the data.")] = None,
) -> None:
    """Fill an empty database with 13 months of invented business, five products and a few disasters.

    Example: `sightline demo --size medium`
    """
    with shared.setup() as (_, setup):
        database.migrate(setup, say)
        _load(setup, size, seed, today or datetime.now(UTC))


@app.command()
def doctor(as_json: Annotated[bool, typer.Option("--json", help="For programs.")] = False) -> None:
    """Look at the database, the isolation between workspaces, partitions, keys, disk, clock and locks.

    Exits with 1 when something needs care. Example: `sightline doctor --json`
    """
    with shared.setup() as (_, setup):
        found = list(findings(setup))
    if as_json:
        sys.stdout.write(json.dumps([asdict(one) for one in found], indent=2) + "\n")
    else:
        for one in found:
            mark = "[green]well[/]" if one.is_well else "[red]CARE[/]"
            out.print(f"{mark}  {one.subject:<11} {plain(one.says)}", soft_wrap=True)
            if not one.is_well:
                out.print(f"      {'':<11} {plain(one.fix)}", soft_wrap=True)
    if not all(one.is_well for one in found):
        raise typer.Exit(FAILED)


@app.command()
def check() -> None:
    """Run what a change must pass: formatting, lint, types, imports, and all tests.

    Needs the development packages (`make test` installs them). Example: `sightline check`
    """
    for tool in (
        ["ruff", "format", "--check", "."],
        ["ruff", "check", "."],
        ["mypy"],
        ["import_linter"],
        ["pytest", "-q"],
    ):
        name = " ".join(tool)
        say(f"{name} …")
        command = ["lint-imports"] if tool == ["import_linter"] else [sys.executable, "-m", *tool]
        if subprocess.run(command, cwd=PROJECT, check=False).returncode:  # noqa: S603 - the list above
            raise SightlineError(f"`{name}` found something.", why="Its lines are above.", fix="Mend it and run again.")


@keys_app.command(name="rotate")
def keys_rotate() -> None:
    """Make a new key, encrypt every secret anew with it, and drop keys that nothing uses any more.

    May be interrupted and run again at any time. Example: `sightline keys rotate`
    """
    with shared.setup() as (_, setup):
        columns = secret_columns(Base.metadata)
        current = keys.add_key()
        with setup.connect() as connection:
            moved = rotate(connection, keys.vault(), columns, say=say)
            dropped = keys.drop_unused(keys_in_use(connection, columns))
    say(f"The key is now {current}; {moved} secrets were encrypted anew, and {len(dropped)} old keys dropped.")


def _tell(error: SightlineError) -> None:
    err.print(f"[bold red]{plain(error.what)}[/]", soft_wrap=True)
    for line in (error.why, error.fix):
        if line:
            err.print(line, markup=False, soft_wrap=True)


def _unexpected(error: Exception) -> SightlineError:
    return SightlineError(
        "Something happened that Sightline did not expect.",
        why=without_secrets(f"{type(error).__name__}: {str(error).splitlines()[0] if str(error) else 'no message'}"),
        fix=_kept(without_secrets("".join(traceback.format_exception(error)))),
    )


def _kept(details: str) -> str:
    """Keep an error's details in a file, and say where; on a full disk there is nowhere."""
    reference = uuid.uuid4().hex[:8]
    file = settings().home / "errors.log"
    try:
        file.parent.mkdir(parents=True, exist_ok=True)
        file.touch(mode=0o600)
        with file.open("a", encoding="utf-8") as log:
            log.write(f"{datetime.now(UTC).isoformat()} {reference}\n{details}\n")
    except OSError as error:
        return f"The details could not be kept in {file}: {error.strerror}."
    return f"The details are in {file} under the reference {reference}."


def _load(setup: Engine, size: Size, seed: int, today: datetime) -> None:
    columns = (
        SpinnerColumn(),
        TextColumn("{task.description}"),
        BarColumn(),
        MofNCompleteColumn(),
        TimeElapsedColumn(),
    )
    with Progress(*columns, console=out) as bars:
        tasks: dict[str, TaskID] = {}

        def progress(step: str, done: int, total: int) -> None:
            if step not in tasks:
                tasks[step] = bars.add_task(step, total=total)
            bars.update(tasks[step], completed=done, total=total)

        summary = load_demo(
            setup,
            size=size,
            seed=seed,
            today=today.date(),
            seal=lambda place, secret: keys.vault().seal(secret, place),
            digest=installation().digest,
            progress=progress,
        )
    if summary.already_loaded:
        say(f"The {summary.size} demo of seed {summary.seed} and {summary.today:%d %B %Y} is in already.")
    else:
        rows, events = sum(summary.rows.values()), summary.rows["email_events"]
        say(f"{rows:,} rows of demo data are in, {events:,} of them e-mail events.")
