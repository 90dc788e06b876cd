"""The command line: `sightline COMMAND --help` says what each one does, with an example."""

import sys
import traceback
import uuid
from datetime import UTC, datetime

import typer

from app import up
from app.cli.listed import MARKUP, Line, Listed
from app.cli.words import err, plain
from app.redaction import without_secrets
from app.settings import settings
from db.errors import SightlineError

FAILED = 1
INTERRUPTED = 130


class Commands(Listed):
    """All of them, in the order in which they are shown."""

    lines = (
        Line(
            "up",
            "start:up_",
            "Start everything: the database, its tables, demo data on the first start, the lake, the app and its "
            "worker.",
        ),
        Line(
            "migrate",
            "upkeep:migrate",
            "Bring the database's tables to this version, renew the app's logins, and make the months ahead.",
        ),
        Line(
            "demo",
            "start:demo",
            "Fill an empty database with 13 months of invented business, five products and a few disasters.",
        ),
        Line("refresh", "lake:refresh", "Bring the lake and its rollups up to the database."),
        Line(
            "worker",
            "work:worker",
            "Keep the lake fresh and run jobs, scheduled and queued, until it is stopped; several may run at the "
            "same time.",
        ),
        Line(
            "doctor",
            "upkeep:doctor",
            "Look at the database, the isolation between workspaces, partitions, keys, disk, clock and locks.",
        ),
        Line("check", "upkeep:check", "Run what a change must pass: formatting, lint, types, imports, and all tests."),
        Line("query", "questions:query", "Answer a question about the figures."),
        Line(
            "explain",
            "questions:explain",
            "Show the receipt of an answer: what it means, from what it was made, and how.",
        ),
        Line(
            "metrics",
            "questions:metrics",
            "Show the glossary: every metric with its meaning, formula, unit and good direction.",
        ),
        Line(
            "reconcile",
            "bills:reconcile",
            "Show what each provider charged for a month beside the ledger, and the names of the difference.",
        ),
        Line("team", "team:team_app", "The people who use Sightline."),
        Line("keys", "upkeep:keys_app", "The keys that encrypt secrets in the database."),
        Line("jobs", "work:jobs_app", "The jobs of the background."),
        Line("integrations", "integrations:integrations_app", "Connections of customers to platforms and to Meta."),
        Line("prices", "prices:prices_app", "What models cost, from when to when."),
        Line("budgets", "budgets:budgets_app", "What AI may cost, alerts about it, and emergency stops."),
        Line("import", "bills:import_app", "Read in what other companies say."),
        Line("export", "exports:export_app", "Figures as files for other programs."),
        Line("months", "months:months_app", "Months of AI cost, open and closed."),
        Line("quotas", "quotas:quotas_app", "Limits of what customers use, exceptions from them, and credits."),
        Line("audit", "audit:audit_app", "Who changed what, when and why."),
        Line(
            "templates",
            "templates:templates_app",
            "Templates: what they say, said before, and whether they are offered.",
        ),
        Line("settings", "company_settings:settings_app", "Settings of the company."),
        Line("retention", "company_settings:retention_app", "How long rows are kept."),
        Line("tokens", "tokens:tokens_app", "Tokens by which programs call the API."),
        Line("customers", "customers:customers_app", "Customers: workspaces, their people and subscriptions."),
        Line("plans", "plans:plans_app", "What products sell: drafts, publications, and who has which version."),
    )


app = typer.Typer(
    cls=Commands,
    no_args_is_help=True,
    add_completion=False,
    pretty_exceptions_enable=False,
    rich_markup_mode=MARKUP,
)


@app.callback()
def sightline() -> None:
    """Analytics for five AI-marketing products."""


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
