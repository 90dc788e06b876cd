"""Drafts of plans: making, changing, discarding them and bringing them back. A published version is never edited."""

from collections.abc import Iterator, Sequence
from contextlib import contextmanager
from dataclasses import dataclass
from typing import Any
from uuid import UUID

import psycopg.errors
from sqlalchemy import Connection, Engine, delete, func, insert, select, text, update
from sqlalchemy.exc import DBAPIError

from app.access import NotPermittedError, Permission, Viewer
from app.commands.company import is_limited
from app.commands.plan_checks import checked_terms, require_tier, short_reason
from app.commands.stale import EditedMeanwhileError, StaleEditError
from app.records.plan_terms import PlanFeature, PlanLimit, PlanTerms, side_by_side
from app.records.plans import terms_of
from db.engine import seeing
from db.errors import SightlineError
from db.tables.billing import Plan
from db.tables.billing import PlanFeature as FeatureRow
from db.tables.billing import PlanLimit as LimitRow

# Plans change rarely, and each change looks at its neighbours: whoever comes second waits.
_ONE_AT_A_TIME = 7_316_205_132
_LEFT_OUT = {"limits", "features"}


@dataclass(frozen=True)
class PlanRow:
    """A version as a command finds it, locked until its end."""

    id: UUID
    revision: int
    product: str
    tier: str
    version: int
    status: str
    name: str
    currency: str
    billing_period: str

    @property
    def titled(self) -> str:
        return f"{self.name} version {self.version}"

    @property
    def sold_as(self) -> tuple[str, str, str, str]:
        """Of these only one version is sold."""
        return self.product, self.tier, self.billing_period, self.currency


def new_draft(engine: Engine, by: Viewer, product: str, tier: str, terms: PlanTerms, *, reason: str = "") -> UUID:
    """A draft of a tier that may not be there yet; its version is the next of its tier, period and currency."""
    require_tier(product, tier)
    wanted = checked_terms(terms)
    with changing_plans(by, engine, short_reason(reason)) as connection:
        return _made(connection, product, tier, wanted)


def draft_from(engine: Engine, by: Viewer, source: UUID, *, reason: str = "") -> UUID:
    """A draft that says what another version says: of what is live, or was, or of another draft."""
    with changing_plans(by, engine, short_reason(reason)) as connection:
        found = plan_row(connection, source)
        return _made(connection, found.product, found.tier, terms_of(connection, source))


def change_draft(
    engine: Engine,
    by: Viewer,
    key: UUID,
    terms: PlanTerms,
    *,
    revision: int,
    reason: str = "",
    made_on: PlanTerms | None = None,
) -> int:
    """Let a draft say this, if nobody has changed anything of it since it was read; answers its revision then."""
    wanted = checked_terms(terms)
    with changing_plans(by, engine, short_reason(reason)) as connection:
        found = require_status(plan_row(connection, key), "draft")
        now = terms_of(connection, key)
        if found.revision != revision:
            raise _edited_meanwhile(found, now, wanted, made_on)
        _write(connection, found, now, wanted)
        changed: int = connection.execute(select(Plan.revision).where(Plan.id == key)).scalar_one()
    return changed


def discard_draft(engine: Engine, by: Viewer, key: UUID, *, revision: int, reason: str = "") -> int:
    """Take a draft off the list; it can be brought back."""
    return _turn(engine, by, key, "draft", "discarded", revision=revision, reason=reason)


def restore_draft(engine: Engine, by: Viewer, key: UUID, *, revision: int, reason: str = "") -> int:
    """Bring a discarded draft back as it was."""
    return _turn(engine, by, key, "discarded", "draft", revision=revision, reason=reason)


@contextmanager
def looking_at_plans(engine: Engine, by: Viewer) -> Iterator[Connection]:
    """What somebody who may change plans is shown before."""
    by.require(Permission.PLANS_MANAGE)
    with seeing(engine, by.workspaces) as connection:
        _require_everything(connection, by)
        yield connection


@contextmanager
def changing_plans(by: Viewer, engine: Engine, reason: str) -> Iterator[Connection]:
    """A transaction of somebody who may change plans, in which no other plan changes; the database refuses in words."""
    by.require(Permission.PLANS_MANAGE)
    try:
        with seeing(engine, by.workspaces, actor=by.name, reason=reason) as connection:
            _require_everything(connection, by)
            connection.execute(text("SELECT pg_advisory_xact_lock(:key)"), {"key": _ONE_AT_A_TIME})
            yield connection
    except DBAPIError as error:
        if isinstance(error.orig, psycopg.errors.CheckViolation | psycopg.errors.RaiseException):
            raise SightlineError(str(error.orig).splitlines()[0], fix="Load the page again.") from None
        raise


def plan_row(connection: Connection, key: UUID) -> PlanRow:
    """The version of this key, locked."""
    found = connection.execute(
        select(
            Plan.id, Plan.revision, Plan.product, Plan.tier, Plan.version, Plan.status, Plan.name, Plan.currency,
            Plan.billing_period,
        )
        .where(Plan.id == key)
        .with_for_update()
    ).mappings().one_or_none()  # fmt: skip
    if found is None:
        raise SightlineError("No plan has this key.", fix="Choose one of the list.")
    return PlanRow(**found)


def require_status(found: PlanRow, *allowed: str) -> PlanRow:
    """Refuse what can't be done with a version as it stands."""
    if found.status not in allowed:
        raise SightlineError(
            f"{found.titled} is {found.status}, and not {' or '.join(allowed)}.",
            why="A version that was published stays as customers bought it."
            if allowed == ("draft",)
            else "Somebody may have changed that in between.",
            fix="Make a draft of it, and edit that." if allowed == ("draft",) else "Look at the plan again.",
        )
    return found


def require_revision(found: PlanRow, revision: int) -> None:
    """Refuse what was decided on an older state."""
    if found.revision != revision:
        raise StaleEditError(
            f"Somebody changed {found.titled} while you were looking at it. Nothing was done.",
            why=f"You saw revision {revision}; it is {found.revision} now.",
            fix="Look at it again, and decide anew.",
        )


def _require_everything(connection: Connection, by: Viewer) -> None:
    if is_limited(connection, by):
        raise NotPermittedError(
            "Plans are for every workspace.",
            why=f"{by.name} is limited to some workspaces.",
            fix="Ask an admin who sees all of them.",
        )


def _turn(engine: Engine, by: Viewer, key: UUID, was: str, becomes: str, *, revision: int, reason: str) -> int:
    with changing_plans(by, engine, short_reason(reason)) as connection:
        found = require_status(plan_row(connection, key), was)
        require_revision(found, revision)
        turned: int = connection.execute(
            update(Plan).where(Plan.id == key).values(status=becomes).returning(Plan.revision)
        ).scalar_one()
    return turned


def _made(connection: Connection, product: str, tier: str, terms: PlanTerms) -> UUID:
    version = _next_version(connection, (product, tier, terms.billing_period, terms.currency))
    values = {**_plain(terms), "product": product, "tier": tier, "version": version}
    key: UUID = connection.execute(insert(Plan).values(values).returning(Plan.id)).scalar_one()
    _add_limits(connection, key, list(terms.limits.items()))
    _add_features(connection, key, list(terms.features.items()))
    return key


def _next_version(connection: Connection, sold_as: tuple[str, str, str, str]) -> int:
    product, tier, period, currency = sold_as
    last = connection.scalar(
        select(func.max(Plan.version)).where(
            Plan.product == product, Plan.tier == tier, Plan.billing_period == period, Plan.currency == currency
        )
    )
    return (last or 0) + 1


def _write(connection: Connection, found: PlanRow, now: PlanTerms, wanted: PlanTerms) -> None:
    """What differs, and nothing else: the audit log tells what was changed."""
    values = {name: value for name, value in _plain(wanted).items() if value != getattr(now, name)}
    if {"billing_period", "currency"} & set(values):
        sold_as = (found.product, found.tier, wanted.billing_period, wanted.currency)
        values["version"] = _next_version(connection, sold_as)
    if values:
        connection.execute(update(Plan).where(Plan.id == found.id).values(values))
    _write_limits(connection, found.id, now, wanted)
    _write_features(connection, found.id, now, wanted)


def _write_limits(connection: Connection, key: UUID, now: PlanTerms, wanted: PlanTerms) -> None:
    for name in now.limits.keys() | wanted.limits.keys():
        before, after = now.limits.get(name), wanted.limits.get(name)
        if before == after:
            continue
        meter, period = name.split()
        here = (LimitRow.plan_id == key) & (LimitRow.meter == meter) & (LimitRow.period == period)
        if after is None:
            connection.execute(delete(LimitRow).where(here))
        elif before is None:
            _add_limits(connection, key, [(name, after)])
        else:
            connection.execute(update(LimitRow).where(here).values(**vars(after)))


def _write_features(connection: Connection, key: UUID, now: PlanTerms, wanted: PlanTerms) -> None:
    for name in now.features.keys() | wanted.features.keys():
        before, after = now.features.get(name), wanted.features.get(name)
        if before == after:
            continue
        here = (FeatureRow.plan_id == key) & (FeatureRow.feature == name)
        if after is None:
            connection.execute(delete(FeatureRow).where(here))
        elif before is None:
            _add_features(connection, key, [(name, after)])
        else:
            connection.execute(update(FeatureRow).where(here).values(**vars(after)))


def _add_limits(connection: Connection, key: UUID, limits: Sequence[tuple[str, PlanLimit]]) -> None:
    if limits:
        connection.execute(
            insert(LimitRow),
            [
                {"plan_id": key, "meter": meter, "period": period, **vars(one)}
                for name, one in limits
                for meter, period in [name.split()]
            ],
        )


def _add_features(connection: Connection, key: UUID, features: Sequence[tuple[str, PlanFeature]]) -> None:
    if features:
        connection.execute(
            insert(FeatureRow), [{"plan_id": key, "feature": name, **vars(one)} for name, one in features]
        )


def _plain(terms: PlanTerms) -> dict[str, Any]:
    return {name: value for name, value in vars(terms).items() if name not in _LEFT_OUT}


def _edited_meanwhile(
    found: PlanRow, now: PlanTerms, wanted: PlanTerms, made_on: PlanTerms | None
) -> EditedMeanwhileError:
    there, written, base = side_by_side(now, wanted, made_on or wanted)
    return EditedMeanwhileError(
        f"the draft {found.titled}",
        now=there,
        wanted=written,
        revision=found.revision,
        made_on=base if made_on is not None else None,
    )
