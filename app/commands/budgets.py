"""Budgets of AI: making, changing, pausing, resuming and deleting them."""

from collections.abc import Iterable, Mapping
from dataclasses import asdict, dataclass
from decimal import Decimal
from typing import Any
from uuid import UUID
from zoneinfo import available_timezones

from sqlalchemy import Connection, Engine, func, insert, select, update

from app.access import Permission, Viewer
from app.commands.company import require_whole_company
from app.commands.stale import EditedMeanwhileError, NotThereError
from app.commands.texts import one_line
from db.engine import seeing
from db.errors import SightlineError
from db.tables.ai import GENERATION_TYPES
from db.tables.budgets import BUDGET_SCOPES, Budget
from db.tables.identity import User
from db.tables.products import AI_PROVIDERS, PERIODS, PRODUCTS
from db.tables.workspaces import Workspace, WorkspaceMember

LONGEST_NAME = 80
MOST_THRESHOLDS = 10
HIGHEST_THRESHOLD = 1000
HIGHEST_AMOUNT = Decimal("99999999999")
_PLACES = 4
NAMED_VALUES: Mapping[str, tuple[str, ...]] = {
    "product": PRODUCTS,
    "provider": AI_PROVIDERS,
    "generation_type": GENERATION_TYPES,
}
AT_LIMIT = ("notify", "block")


@dataclass(frozen=True)
class Terms:
    """What can be changed of a budget. Of what it is a budget stays: another one is made for something else."""

    name: str
    amount: Decimal
    period: str = "month"
    timezone: str = "UTC"
    thresholds: tuple[int, ...] = (50, 80, 100)
    at_limit: str = "notify"
    warns_of_forecast: bool = True


def create_budget(
    engine: Engine,
    by: Viewer,
    terms: Terms,
    *,
    scope: str,
    scope_value: str | None = None,
    workspace_slug: str | None = None,
    user_email: str | None = None,
) -> UUID:
    """Make a budget. Those of one workspace or customer may be made by who sees the workspace."""
    by.require(Permission.BUDGETS_MANAGE)
    wanted = _checked(terms)
    value = _scope_value(scope, scope_value)
    with seeing(engine, by.workspaces, actor=by.name) as connection:
        workspace = customer = None
        if scope in {"workspace", "user"}:
            workspace = _workspace(connection, by, workspace_slug)
            customer = _customer(connection, workspace, user_email) if scope == "user" else None
        else:
            require_whole_company(connection, by)
        made: UUID = connection.execute(
            insert(Budget)
            .values(**_columns(wanted), scope=scope, scope_value=value, workspace_id=workspace, user_id=customer)
            .returning(Budget.id)
        ).scalar_one()
    return made


def change_budget(
    engine: Engine,
    by: Viewer,
    key: UUID,
    terms: Terms,
    *,
    revision: int,
    reason: str = "",
    made_on: Terms | None = None,
) -> None:
    """Change what was asked for, if nobody has changed the budget since it was read, when it was as `made_on`."""
    wanted = _checked(terms)
    _write(
        engine, by, key, _columns(wanted), revision=revision, reason=one_line(reason), wanted=wanted, made_on=made_on
    )


def pause_budget(engine: Engine, by: Viewer, key: UUID, *, revision: int, reason: str) -> None:
    """From now on it neither alerts nor blocks; what is spent is still counted."""
    _write(engine, by, key, {"is_active": False}, revision=revision, reason=_reason(reason, "paused"))


def resume_budget(engine: Engine, by: Viewer, key: UUID, *, revision: int) -> None:
    """Let a paused budget alert and block again."""
    _write(engine, by, key, {"is_active": True}, revision=revision)


def delete_budget(engine: Engine, by: Viewer, key: UUID, *, revision: int, reason: str) -> None:
    """Take it away; its alerts and evaluations stay, and the audit log keeps what it was."""
    _write(engine, by, key, {"deleted_at": func.now()}, revision=revision, reason=_reason(reason, "deleted"))


def _write(
    engine: Engine,
    by: Viewer,
    key: UUID,
    values: Mapping[str, Any],
    *,
    revision: int,
    reason: str = "",
    wanted: Terms | None = None,
    made_on: Terms | None = None,
) -> None:
    by.require(Permission.BUDGETS_MANAGE)
    with seeing(engine, by.workspaces, actor=by.name, reason=reason) as connection:
        found = connection.execute(
            select(
                Budget.workspace_id, Budget.revision, Budget.name, Budget.amount, Budget.period, Budget.timezone,
                Budget.thresholds, Budget.at_limit, Budget.warns_of_forecast,
            )
            .where(Budget.id == key, Budget.deleted_at.is_(None))
            .with_for_update()
        ).one_or_none()  # fmt: skip
        if found is None:
            raise NotThereError("This budget is not there any more.", fix="Load the page again.")
        if found.workspace_id is None:
            require_whole_company(connection, by)
        if found.revision != revision:
            now = Terms(
                found.name, found.amount, found.period, found.timezone, tuple(found.thresholds), found.at_limit,
                found.warns_of_forecast,
            )  # fmt: skip
            raise EditedMeanwhileError(
                f"the budget {found.name}",
                now=asdict(now),
                wanted=asdict(wanted or now),
                revision=found.revision,
                made_on=asdict(made_on) if made_on else None,
            )
        connection.execute(update(Budget).where(Budget.id == key).values(**values))


def _columns(terms: Terms) -> dict[str, Any]:
    return {**asdict(terms), "thresholds": list(terms.thresholds)}


def _checked(terms: Terms) -> Terms:
    """The same terms, fit to be kept; or a sentence that says which of them is not."""
    name = one_line(terms.name)
    if not name:
        raise SightlineError("The budget has no name.", fix="Give it one, such as AI of marketing.")
    if len(name) > LONGEST_NAME:
        raise SightlineError(f"The name has {len(name)} characters.", why=f"At most {LONGEST_NAME} fit.")
    amount = terms.amount
    if not amount.is_finite() or not 0 < amount <= HIGHEST_AMOUNT or amount != round(amount, _PLACES):
        raise SightlineError(
            f"{amount} is no amount of a budget.",
            why="It is in dollars, more than zero, and has at most four decimal places.",
            fix="Pause the budget to let nothing be alerted, or start an emergency stop to let nothing through.",
        )
    if terms.timezone not in available_timezones():
        raise SightlineError(
            f"{terms.timezone} is no time zone.", fix="Give one such as Europe/Berlin, Asia/Kolkata or UTC."
        )
    _require_known("period", terms.period, PERIODS)
    _require_known("way to act at 100 %", terms.at_limit, AT_LIMIT)
    return Terms(
        name, amount, terms.period, terms.timezone, _thresholds(terms.thresholds), terms.at_limit,
        terms.warns_of_forecast,
    )  # fmt: skip


def _thresholds(given: Iterable[int]) -> tuple[int, ...]:
    kept = tuple(sorted(set(given)))
    if len(kept) > MOST_THRESHOLDS or any(not 1 <= one <= HIGHEST_THRESHOLD for one in kept):
        raise SightlineError(
            "These thresholds can't be used.",
            why=f"They are per cent from 1 to {HIGHEST_THRESHOLD:,}, at most {MOST_THRESHOLDS} of them.",
            fix="Give some such as 50, 80, 100.",
        )
    return kept


def _scope_value(scope: str, value: str | None) -> str | None:
    _require_known("scope of a budget", scope, BUDGET_SCOPES)
    if scope not in NAMED_VALUES:
        return None
    _require_known(scope.replace("_", " "), value or "nothing", NAMED_VALUES[scope])
    return value


def _require_known(what: str, given: str, known: Iterable[str]) -> None:
    listed = tuple(known)
    if given not in listed:
        raise SightlineError(f"'{given}' is no {what}.", fix=f"Choose one of {', '.join(listed)}.")


def _workspace(connection: Connection, by: Viewer, slug: str | None) -> UUID:
    if not slug:
        raise SightlineError("The budget names no workspace.", fix="Choose the workspace that it is for.")
    found: UUID | None = connection.scalar(
        select(Workspace.id).where(Workspace.slug == slug, Workspace.id.in_(by.workspaces))
    )
    if found is None:
        raise SightlineError(f"No workspace that you see is called {slug}.", fix="Choose one of the list.")
    return found


def _customer(connection: Connection, workspace: UUID, email: str | None) -> UUID:
    """Somebody of the workspace, by their address."""
    of_it = select(WorkspaceMember.user_id).where(
        WorkspaceMember.workspace_id == workspace, WorkspaceMember.deleted_at.is_(None)
    )
    owns = select(Workspace.owner_id).where(Workspace.id == workspace)
    found: UUID | None = connection.scalar(
        select(User.id).where(
            func.lower(User.email) == (email or "").strip().lower(), User.id.in_(of_it) | User.id.in_(owns)
        )
    )
    if found is None:
        raise SightlineError(
            f"Nobody of this workspace has the address '{one_line(email or '')}'.",
            fix="Give the e-mail address of a customer who is in the workspace.",
        )
    return found


def _reason(given: str, done: str) -> str:
    said = one_line(given)
    if not said:
        raise SightlineError(f"A budget is {done} for a reason.", fix="Say why in a few words.")
    return said
