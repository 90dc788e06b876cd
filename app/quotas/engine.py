"""Reserving quota for a call, and settling or releasing it, in the caller's transaction.

Reserve and commit before the call, settle and commit after it: what a killed process held is freed by the worker. One
reservation or settlement a transaction, since two of them may lock in another order than somebody else's two.
"""

import json
from collections.abc import Iterator, Mapping
from contextlib import contextmanager
from dataclasses import dataclass, field
from datetime import timedelta
from decimal import Decimal
from uuid import UUID

import psycopg.errors
from sqlalchemy import Connection, text
from sqlalchemy.exc import DBAPIError

from app.quotas.answers import Admitted, Refused, Settled, answer_of
from db.errors import SightlineError


class QuotaCallError(SightlineError):
    """The engine was asked for something that can't be asked."""


@dataclass(frozen=True)
class AiCall:
    """What budgets and stops need to know of a call of a model; without a cost they only say whether they are full."""

    provider: str
    generation_type: str
    estimated_cost: Decimal | None = None


@dataclass(frozen=True)
class Wanted:
    """What a call needs, under a key that is the same whenever it is asked again."""

    workspace_id: UUID
    product: str
    meters: Mapping[str, int]
    key: str
    customer_id: UUID | None = None
    credits: int = 0
    call: AiCall | None = None
    holds_for: timedelta = field(default=timedelta(minutes=15))


_RESERVE = text(
    """
    SELECT quota_reserve(:workspace, :customer, :product, CAST(:meters AS JSONB), :key, CAST(:call AS JSONB), :credits,
        :holds_for)
    """
)
_SETTLE = text("SELECT quota_settle(:workspace, :key, CAST(:actual AS JSONB), :cost, :credits)")
_RELEASE = text("SELECT quota_release(:workspace, :key)")


def reserve(connection: Connection, wanted: Wanted) -> Admitted | Refused:
    """All that a call needs, or nothing. Asked again under its key, an admitted call is admitted once."""
    call = wanted.call
    about = {} if call is None else {
        "provider": call.provider,
        "generation_type": call.generation_type,
        "estimated_cost": None if call.estimated_cost is None else str(call.estimated_cost),
    }  # fmt: skip
    with _in_sentences():
        told = connection.scalar(
            _RESERVE,
            {
                "workspace": wanted.workspace_id,
                "customer": wanted.customer_id,
                "product": wanted.product,
                "meters": json.dumps(dict(wanted.meters)),
                "key": wanted.key,
                "call": json.dumps(about),
                "credits": wanted.credits,
                "holds_for": wanted.holds_for,
            },
        )
    return answer_of(told)


def settle(
    connection: Connection,
    workspace_id: UUID,
    key: str,
    *,
    actual: Mapping[str, int] | None = None,
    cost: Decimal | None = None,
    credits_used: int | None = None,
) -> Settled:
    """Count what the call really used, in the period in which it was reserved; meters not named used what was held."""
    with _in_sentences():
        told = connection.scalar(
            _SETTLE,
            {
                "workspace": workspace_id,
                "key": key,
                "actual": json.dumps(dict(actual or {})),
                "cost": cost,
                "credits": credits_used,
            },
        )
    return Settled(told["state"], told["changed"], told["late"], told["over"])


def release(connection: Connection, workspace_id: UUID, key: str) -> Settled:
    """Free everything that was held for a call that was not made."""
    with _in_sentences():
        told = connection.scalar(_RELEASE, {"workspace": workspace_id, "key": key})
    return Settled(told["state"], told["changed"], is_late=False, over={})


@contextmanager
def _in_sentences() -> Iterator[None]:
    """The database's own refusals are sentences already."""
    try:
        yield
    except DBAPIError as error:
        if isinstance(
            error.orig,
            psycopg.errors.InvalidParameterValue
            | psycopg.errors.NoDataFound
            | psycopg.errors.InsufficientPrivilege
            | psycopg.errors.ForeignKeyViolation
            | psycopg.errors.CheckViolation,
        ):
            raise QuotaCallError(str(error.orig).splitlines()[0]) from None
        raise
