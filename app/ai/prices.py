"""The price book as calls are priced by it: before them by the most that they may use, after them by what they used."""

from datetime import datetime
from decimal import Decimal

from sqlalchemy import Connection, select

from app.money.pricing import Book, Call, Price, Priced
from app.money.units import Unit, Usage
from db.tables.money import AiPrice


def priced(connection: Connection, provider: str, model: str, usage: Usage, began_at: datetime) -> Priced:
    """What a call costs by the approved prices of its model."""
    return _book(connection, provider, model).price(Call(provider, model, began_at, usage))


def ceiling(
    connection: Connection, provider: str, model: str, at_most: Usage, now: datetime, *, unpriced: Decimal | None
) -> Decimal | None:
    """The most that a call may cost; where no price is known, what somebody set for that case, else nothing."""
    found = priced(connection, provider, model, at_most, now).cost
    return unpriced if found is None else found


def _book(connection: Connection, provider: str, model: str) -> Book:
    rows = connection.execute(
        select(
            AiPrice.unit, AiPrice.variant, AiPrice.price, AiPrice.per, AiPrice.valid_from, AiPrice.valid_to,
            AiPrice.service_tier, AiPrice.context_from, AiPrice.version,
        ).where(
            AiPrice.provider == provider,
            AiPrice.model == model,
            AiPrice.approved_at.is_not(None),
            AiPrice.superseded_by.is_(None),
        )
    )  # fmt: skip
    return Book(
        Price(
            provider, model, Unit(row.unit, row.variant), row.price, row.per, row.valid_from, row.valid_to,
            row.service_tier, row.context_from, row.version,
        )
        for row in rows
    )  # fmt: skip
