"""Commands that ask: `query` for figures, `explain` for their receipt, `metrics` for what there is to ask."""

import getpass
import sys
from collections.abc import Iterable, Iterator
from contextlib import contextmanager
from datetime import date, datetime, timedelta
from enum import StrEnum
from typing import Annotated
from zoneinfo import ZoneInfo

import typer

from app import database, logs
from app.access import Viewer, operator
from app.cli.answers import csv_text, figure_table, glossary_text, json_text, receipt_text
from app.cli.words import err, out
from app.lake.lake import the_lake
from app.metrics.answer import Answer
from app.metrics.desk import Desk
from app.metrics.dimensions import dimensions
from app.metrics.errors import MalformedQuestionError
from app.metrics.glossary import SUBJECTS, metric
from app.metrics.metric import Metric
from app.metrics.question import Compare, Filter, Question, check
from app.settings import settings

_DAYS = 28


class Format(StrEnum):
    """How an answer is written."""

    TABLE = "table"
    CSV = "csv"
    JSON = "json"


_DATE = ["%Y-%m-%d"]
Metrics = Annotated[list[str], typer.Option("--metrics", "-m", help="Names, with commas between them.")]
By = Annotated[list[str] | None, typer.Option(help="Dimensions to split by, with commas between them.")]
Where = Annotated[list[str] | None, typer.Option(help="`dimension=value`; again for another value or dimension.")]
Exclude = Annotated[list[str] | None, typer.Option(help="`dimension=value` to leave out; may be given again.")]
Since = Annotated[datetime | None, typer.Option(formats=_DATE, help="The first day; else 28 days before the end.")]
Until = Annotated[datetime | None, typer.Option(formats=_DATE, help="The day after the last; else tomorrow.")]
Grain = Annotated[str | None, typer.Option(help="day, week, month, quarter or year.")]
Comparison = Annotated[Compare | None, typer.Option("--compare", help="With the period before, or a year ago.")]
Order = Annotated[str | None, typer.Option(help="A column; with a minus before it, the largest first.")]
Limit = Annotated[int | None, typer.Option(help="At most so many rows.")]
AsOf = Annotated[int | None, typer.Option(help="A version of the lake: the figures of that time.")]
As = Annotated[Format, typer.Option("--format", help="For people, for spreadsheets, or for programs.")]


def query(
    *,
    metrics: Metrics,
    by: By = None,
    where: Where = None,
    exclude: Exclude = None,
    since: Since = None,
    until: Until = None,
    grain: Grain = None,
    compare: Comparison = None,
    order: Order = None,
    limit: Limit = None,
    as_of: AsOf = None,
    written: As = Format.TABLE,
) -> None:
    """Answer a question about the figures. The receipt's id goes to the error stream.

    Example: `sightline query --metrics open_rate,delivered --by campaign --since 2026-01-01 --until 2026-02-01`
    """
    asked = asked_for(
        metrics=metrics,
        by=by,
        where=where,
        exclude=exclude,
        period=_period(since, until),
        grain=grain,
        compare=compare,
        order=order,
        limit=limit,
        as_of=as_of,
    )
    with asking(asked) as (desk, viewer):
        write(desk.ask(asked, viewer), written)


def explain(
    *,
    metrics: Metrics,
    by: By = None,
    where: Where = None,
    exclude: Exclude = None,
    since: Since = None,
    until: Until = None,
    grain: Grain = None,
    compare: Comparison = None,
    order: Order = None,
    limit: Limit = None,
    as_of: AsOf = None,
    written: As = Format.TABLE,
) -> None:
    """Show the receipt of an answer: what it means, from what it was made, and how.

    Example: `sightline explain --metrics margin --by workspace --since 2026-01-01 --until 2026-02-01`
    """
    asked = asked_for(
        metrics=metrics,
        by=by,
        where=where,
        exclude=exclude,
        period=_period(since, until),
        grain=grain,
        compare=compare,
        order=order,
        limit=limit,
        as_of=as_of,
    )
    with asking(asked) as (desk, viewer):
        receipt = desk.ask(asked, viewer).receipt
    sys.stdout.write(json_text(receipt.as_dict()) if written is Format.JSON else receipt_text(receipt))


def metrics(
    name: Annotated[str | None, typer.Argument(help="One metric, by its name or an alias.")] = None,
    list_dimensions: Annotated[bool, typer.Option("--dimensions", help="By what figures can be split.")] = False,
    written: As = Format.TABLE,
) -> None:
    """Show the glossary: every metric with its meaning, formula, unit and good direction.

    Example: `sightline metrics open_rate`
    """
    if list_dimensions:
        rows = [{"name": one.name, "meaning": one.meaning} for one in dimensions().values()]
    else:
        listed = [metric(name)] if name else [one for subject in SUBJECTS.values() for one in subject]
        rows = [_entry(one) for one in listed]
    if written is Format.TABLE:
        sys.stdout.write(glossary_text(rows))
    else:
        sys.stdout.write(json_text(rows) if written is Format.JSON else csv_text(list(rows[0]), rows))


def _entry(one: Metric) -> dict[str, str]:
    return {
        "name": one.name,
        "also": ", ".join(one.aliases),
        "meaning": f"{one.meaning} {one.note}".strip(),
        "formula": one.formula,
        "unit": one.unit.value,
        "adds up": one.additivity.value,
        "good": one.good.value,
        "permission": one.permission.value,
    }


def asked_for(
    *,
    metrics: Iterable[str],
    by: Iterable[str] | None,
    where: Iterable[str] | None,
    exclude: Iterable[str] | None,
    period: tuple[date, date],
    grain: str | None,
    compare: Compare | None,
    order: str | None,
    limit: int | None,
    as_of: int | None,
) -> Question:
    """The question that the options make."""
    return Question(
        metrics=_listed(metrics),
        since=period[0],
        until=period[1],
        by=_listed(by or ()),
        where=(*_filters(where or (), is_excluded=False), *_filters(exclude or (), is_excluded=True)),
        grain=grain,
        compare=compare,
        order=order,
        limit=limit,
        as_of=as_of,
    )


@contextmanager
def asking(asked: Question) -> Iterator[tuple[Desk, Viewer]]:
    """A desk, and the person at this command line. What is wrong with the question is said before anything starts."""
    check(asked)
    logs.set_up()
    desk = Desk(the_lake(), currency=settings().currency)
    try:
        # Whatever is told of the server goes beside the answer, which may be read by a program.
        with database.database_address(_murmur) as found, database.app_engines(found) as engines:
            yield desk, operator(engines.pipe, f"{getpass.getuser()} at the command line")
    finally:
        desk.close()


def write(answer: Answer, written: Format) -> None:
    """The answer, and beside it where it came from."""
    receipt = answer.receipt
    if written is Format.JSON:
        told = {"rows": answer.rows(), "keys_found": answer.keys_found, "receipt": receipt.as_dict()}
        sys.stdout.write(json_text(told))
        return
    if written is Format.CSV:
        sys.stdout.write(csv_text(answer.table.column_names, answer.rows()))
    else:
        out.print(figure_table(answer))
    through = f"{receipt.data_through.astimezone(ZoneInfo(receipt.zone)):%Y-%m-%d %H:%M}"
    _murmur(f"Receipt {receipt.id}: lake version {receipt.lake_version}, data through {through} ({receipt.zone}).")
    for caveat in receipt.caveats:
        _murmur(caveat)


def _murmur(sentence: str) -> None:
    err.print(sentence, markup=False, soft_wrap=True)


def _listed(names: Iterable[str]) -> tuple[str, ...]:
    return tuple(name.strip() for given in names for name in given.split(",") if name.strip())


def _filters(given: Iterable[str], *, is_excluded: bool) -> list[Filter]:
    """Values of one dimension belong together; an empty one stands for what has none."""
    values: dict[str, list[str | None]] = {}
    for one in given:
        name, sign, value = one.partition("=")
        if not sign:
            raise MalformedQuestionError(
                f"'{one}' is no filter.", why="A filter is a dimension, a sign and a value.", fix="Try product=mailer."
            )
        values.setdefault(name.strip(), []).append(value or None)
    return [Filter(name, tuple(listed), is_excluded) for name, listed in values.items()]


def _period(since: datetime | None, until: datetime | None) -> tuple[date, date]:
    tomorrow = datetime.now(ZoneInfo(settings().zone)).date() + timedelta(days=1)
    end = until.date() if until else tomorrow
    return (since.date() if since else end - timedelta(days=_DAYS)), end
