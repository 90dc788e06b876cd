"""Exceptions from limits with a reason and an end, and credits that the team grants and takes back."""

from collections.abc import Iterator, Sequence
from contextlib import contextmanager
from dataclasses import asdict, dataclass
from datetime import UTC, datetime, timedelta
from uuid import UUID

import psycopg.errors
from sqlalchemy import Connection, Engine, RowMapping, delete, func, insert, or_, select, text, update
from sqlalchemy.exc import DBAPIError

from app.access import Permission, Viewer
from app.commands.stale import EditedMeanwhileError, NotThereError, changed_by_others
from app.commands.texts import one_line
from db.engine import seeing
from db.errors import SightlineError
from db.tables.billing import CreditTransaction
from db.tables.identity import User
from db.tables.money import QuotaOverride
from db.tables.products import METERS, PERIODS, PRODUCTS
from db.tables.workspaces import Workspace, WorkspaceMember

LONGEST_REASON = 300
LONGEST_EXCEPTION = timedelta(days=366)
MOST = 10**15
MOST_CREDITS = 1_000_000


@dataclass(frozen=True)
class Allowance:
    """What can be changed of an override: how much it allows, where None is without limit, and until when."""

    amount: int | None
    ends_at: datetime

    def __str__(self) -> str:
        allowed = "without limit" if self.amount is None else f"{self.amount:,}"
        return f"{allowed} until {self.ends_at.astimezone(UTC):%d %B %Y %H:%M} UTC"


def override_quota(
    engine: Engine,
    by: Viewer,
    wanted: Allowance,
    *,
    workspace_slug: str,
    product: str,
    meter: str,
    period: str,
    reason: str,
    user_email: str | None = None,
) -> UUID:
    """Allow a workspace, or one customer in it, another amount than its plan does; from now to its end."""
    by.require(Permission.QUOTAS_MANAGE)
    for what, given, known in (("product", product, PRODUCTS), ("meter", meter, METERS), ("period", period, PERIODS)):
        _require_known(what, given, known)
    _require_possible(wanted)
    with _changing(engine, by, reason) as connection:
        workspace = _workspace(connection, by, workspace_slug)
        customer = None if user_email is None else _customer(connection, workspace, user_email)
        there = connection.scalar(
            select(QuotaOverride.id).where(
                QuotaOverride.workspace_id == workspace,
                QuotaOverride.user_id.is_not_distinct_from(customer),
                QuotaOverride.product == product,
                QuotaOverride.meter == meter,
                QuotaOverride.period == period,
                QuotaOverride.ends_at > func.now(),
            )
        )
        if there is not None:
            raise SightlineError(
                "There is an override of this limit already.", why=f"Its key is {there}.", fix="Change it, or end it."
            )
        made: UUID = connection.execute(
            insert(QuotaOverride)
            .values(
                workspace_id=workspace,
                user_id=customer,
                product=product,
                meter=meter,
                period=period,
                limit_amount=wanted.amount,
                ends_at=wanted.ends_at,
                reason=reason_given(reason),
                granted_by=by.member_id,
            )
            .returning(QuotaOverride.id)
        ).scalar_one()
        _renew(connection, workspace, customer, product, meter)
    return made


def change_override(
    engine: Engine,
    by: Viewer,
    key: UUID,
    wanted: Allowance,
    *,
    revision: int,
    reason: str,
    made_on: Allowance | None = None,
) -> None:
    """Allow more or less, or until another day; only what nobody changed since what the edit was made on."""
    by.require(Permission.QUOTAS_MANAGE)
    _require_possible(wanted)
    with _changing(engine, by, reason) as connection:
        found = _override(connection, key)
        now = Allowance(found["limit_amount"], found["ends_at"])
        if found["revision"] != revision:
            raise EditedMeanwhileError(
                "this exception", now=asdict(now), wanted=asdict(wanted), revision=found["revision"],
                made_on=asdict(made_on) if made_on else None,
            )  # fmt: skip
        connection.execute(
            update(QuotaOverride)
            .where(QuotaOverride.id == key)
            .values(limit_amount=wanted.amount, ends_at=wanted.ends_at, reason=reason_given(reason))
        )
        _renew(connection, found["workspace_id"], found["user_id"], found["product"], found["meter"])


def end_override(engine: Engine, by: Viewer, key: UUID, *, revision: int, reason: str) -> None:
    """From now on the plan's limit rules again; what was used stays used."""
    by.require(Permission.QUOTAS_MANAGE)
    with _changing(engine, by, reason) as connection:
        found = _override(connection, key)
        if found["revision"] != revision:
            raise changed_by_others(str(Allowance(found["limit_amount"], found["ends_at"])))
        has_begun = QuotaOverride.starts_at < func.now()
        ended = connection.execute(
            update(QuotaOverride).where(QuotaOverride.id == key, has_begun).values(ends_at=func.now())
        ).rowcount
        if not ended:
            connection.execute(delete(QuotaOverride).where(QuotaOverride.id == key))
        _renew(connection, found["workspace_id"], found["user_id"], found["product"], found["meter"])


def grant_credits(
    engine: Engine,
    by: Viewer,
    *,
    workspace_slug: str,
    user_email: str,
    amount: int,
    reason: str,
    ends_at: datetime,
) -> int:
    """Give a customer credits until a day, after which what is left of them goes; the balance then."""
    by.require(Permission.QUOTAS_MANAGE)
    _require_end(ends_at)
    return _move_credits(engine, by, workspace_slug, user_email, "grant", amount, reason, ends_at)


def take_back_credits(
    engine: Engine, by: Viewer, *, workspace_slug: str, user_email: str, amount: int, reason: str
) -> int:
    """Take credits back that a customer has; the balance then."""
    by.require(Permission.QUOTAS_MANAGE)
    return _move_credits(engine, by, workspace_slug, user_email, "take_back", amount, reason, None)


def _move_credits(  # noqa: PLR0917 - the fields of one movement
    engine: Engine,
    by: Viewer,
    workspace_slug: str,
    user_email: str,
    kind: str,
    amount: int,
    reason: str,
    ends_at: datetime | None,
) -> int:
    if not 0 < amount <= MOST_CREDITS:
        raise SightlineError(f"{amount:,} credits can't be moved.", fix=f"Give a number from 1 to {MOST_CREDITS:,}.")
    with _changing(engine, by, reason) as connection:
        workspace = _workspace(connection, by, workspace_slug)
        balance: int = connection.execute(
            insert(CreditTransaction)
            .values(
                workspace_id=workspace,
                user_id=_customer(connection, workspace, user_email),
                amount=amount if kind == "grant" else -amount,
                type=kind,
                reference_type="team",
                reference_id=by.member_id,
                description=reason_given(reason),
                expires_at=ends_at,
            )
            .returning(CreditTransaction.balance_after)
        ).scalar_one()
    return balance


@contextmanager
def _changing(engine: Engine, by: Viewer, reason: str) -> Iterator[Connection]:
    """A transaction with its reason, in which the ledger's refusals, which are sentences, are told as they are."""
    try:
        with seeing(engine, by.workspaces, actor=by.name, reason=reason_given(reason)) as connection:
            yield connection
    except DBAPIError as error:
        if isinstance(error.orig, psycopg.errors.CheckViolation):
            raise SightlineError(str(error.orig).splitlines()[0], fix="Move fewer.") from None
        raise


def _override(connection: Connection, key: UUID) -> RowMapping:
    """The override that is changed, locked."""
    found = connection.execute(
        select(
            QuotaOverride.workspace_id, QuotaOverride.user_id, QuotaOverride.product, QuotaOverride.meter,
            QuotaOverride.revision, QuotaOverride.limit_amount, QuotaOverride.ends_at,
            (QuotaOverride.ends_at <= func.now()).label("is_over"),
        )
        .where(QuotaOverride.id == key)
        .with_for_update()
    ).mappings().one_or_none()  # fmt: skip
    if found is None or found["is_over"]:
        raise NotThereError(
            "This override is over, or was never there.", fix="Look at the list again, or make another one."
        )
    return found


def _renew(connection: Connection, workspace: UUID, customer: UUID | None, product: str, meter: str) -> None:
    """Balances say what limits them now, and not only after the next call."""
    connection.execute(
        text("SELECT renew_quota_limits(:workspace, :customer, :product, :meter)"),
        {"workspace": workspace, "customer": customer, "product": product, "meter": meter},
    )


def _workspace(connection: Connection, by: Viewer, slug: str) -> UUID:
    found: UUID | None = connection.scalar(
        select(Workspace.id).where(
            Workspace.slug == slug, Workspace.id.in_(by.workspaces), Workspace.deleted_at.is_(None)
        )
    )
    if found is None:
        raise SightlineError(f"No workspace that you see is called {slug}.", fix="Choose one of the list.")
    return found


def _customer(connection: Connection, workspace: UUID, email: str) -> UUID:
    found: UUID | None = connection.scalar(
        select(User.id)
        .outerjoin(
            WorkspaceMember,
            (WorkspaceMember.user_id == User.id)
            & (WorkspaceMember.workspace_id == workspace)
            & WorkspaceMember.deleted_at.is_(None),
        )
        .join(Workspace, Workspace.id == workspace)
        .where(
            func.lower(User.email) == email.strip().lower(),
            User.deleted_at.is_(None),
            or_(WorkspaceMember.id.is_not(None), Workspace.owner_id == User.id),
        )
    )
    if found is None:
        raise SightlineError(
            f"No customer in this workspace has the address {email}.", fix="Choose one of its members."
        )
    return found


def _require_possible(wanted: Allowance) -> None:
    if wanted.amount is not None and not 0 <= wanted.amount <= MOST:
        raise SightlineError(
            f"{wanted.amount:,} is no limit.", fix="Give a number from zero up, or none for unlimited."
        )
    _require_end(wanted.ends_at)


def _require_end(ends_at: datetime) -> None:
    if ends_at.tzinfo is None:
        raise SightlineError("The end has no time zone.", fix="Give a moment with its zone.")
    if not datetime.now(UTC) < ends_at <= datetime.now(UTC) + LONGEST_EXCEPTION:
        raise SightlineError(
            f"{ends_at:%d %B %Y} can't be its end.",
            why="An exception ends, and within a year; what is for longer belongs into the plan.",
            fix="Give a day from tomorrow on.",
        )


def _require_known(what: str, given: str, known: Sequence[str]) -> None:
    if given not in known:
        raise SightlineError(f"'{given}' is no {what}.", fix=f"Choose one of {', '.join(known)}.")


def reason_given(given: str) -> str:
    said = one_line(given)
    if not said:
        raise SightlineError("This is done for a reason.", fix="Say why in a few words.")
    if len(said) > LONGEST_REASON:
        raise SightlineError(f"The reason has {len(said)} characters; at most {LONGEST_REASON} fit.", fix="Shorten it.")
    return said
