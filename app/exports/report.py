"""A month on paper: its totals, splits, margin, budgets, forecasts, bills and closes, every figure with its receipt."""

import json
from collections.abc import Iterator
from datetime import UTC, date, datetime
from pathlib import Path

import typst
from sqlalchemy import Engine

from app.access import Permission, Viewer
from app.commands.company import sees_whole_company
from app.exports.report_bills import reconciliations
from app.exports.report_parts import Month, Section, plain
from app.exports.report_sections import budgets, closes, course, forecasts, splits, totals
from app.metrics import words
from app.metrics.desk import Desk
from app.settings import settings
from db.errors import SightlineError

_TEMPLATE = Path(__file__).with_name("report.typ")


def month_report(desk: Desk, engine: Engine, commands: Engine, viewer: Viewer, first: date) -> bytes:
    """The report of one month as a PDF, of what the viewer sees; two engines, to read and of commands."""
    return _set(report_text(desk, engine, commands, viewer, first))


def report_text(desk: Desk, engine: Engine, commands: Engine, viewer: Viewer, first: date) -> str:
    """What the report says, as JSON: the template sets it, and reads nothing of it as markup."""
    viewer.require(Permission.AI_COST_READ)
    viewer.require(Permission.MONEY_READ)
    version = desk.version()
    _require_begun(first, version.data_through.date())
    month = Month(
        desk=desk,
        engine=engine,
        commands=commands,
        viewer=viewer,
        first=first,
        zone=version.zone,
        currency=settings().currency,
        version=version.number,
        through=version.data_through,
        sees_all=sees_whole_company(engine, viewer),
    )
    sections = [plain(one) for one in _sections(month)]
    now = datetime.now(UTC)
    return json.dumps(
        {
            "title": f"AI cost and margin, {first:%B %Y}",
            "subtitle": "All workspaces" if month.sees_all else f"{len(viewer.workspaces)} workspaces",
            "facts": [
                ("Days", f"{words.day(first)} to {words.day(month.last)} in {month.zone}; amounts in {month.currency}"),
                (
                    "Data through",
                    f"{version.data_through.astimezone(UTC):%Y-%m-%d %H:%M} UTC, version {version.number}",
                ),
                ("Made", f"{now:%Y-%m-%d %H:%M} UTC for {viewer.name}"),
            ],
            "footer": f"Sightline · {first:%B %Y} · version {version.number}",
            "sections": sections,
            "receipts": [vars(one) for one in month.proofs.values()],
        }
    )


def month_named(told: str) -> date:
    """The first day of a month as addresses and people name it."""
    try:
        return datetime.strptime(told, "%Y-%m").replace(tzinfo=UTC).date()
    except ValueError:
        raise SightlineError(f"'{told[:20]}' is no month.", fix="Give it as 2026-10.") from None


def _sections(month: Month) -> Iterator[Section]:
    yield totals(month)
    yield course(month)
    yield from splits(month)
    yield from (one for one in (forecasts(month), budgets(month)) if one is not None)
    yield from reconciliations(month)
    yield closes(month)


def _set(told: str) -> bytes:
    made: bytes = typst.compile(
        _TEMPLATE.read_bytes(), format="pdf", sys_inputs={"report": told}, ignore_system_fonts=True
    )
    return made


def _require_begun(first: date, last: date) -> None:
    if first > last:
        raise SightlineError(
            f"There are no figures of {first:%B %Y} yet.",
            why=f"They reach until {last}.",
            fix="Choose an earlier month.",
        )
