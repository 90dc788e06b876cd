"""Amounts as people type them."""

from decimal import Decimal, InvalidOperation

from db.errors import SightlineError


def dollars_typed(told: str) -> Decimal:
    """An amount with or without thousands and its sign."""
    try:
        amount = Decimal(told.replace(",", "").replace("$", "").strip())
    except InvalidOperation:
        amount = None
    if amount is None or not amount.is_finite():
        raise SightlineError(f"“{told}” is no amount.", fix="Give dollars, such as 1,234.56.")
    return amount
