"""Stripe's invoices: GET /v1/invoices, or what the console exports as JSON. Amounts are in minor units.

Stripe counts ISK and UGX in hundredths, which these currencies do not have: such amounts are divided here.
"""

import json
from collections.abc import Mapping
from dataclasses import dataclass
from datetime import UTC, datetime
from typing import Any

from app.ingest.reading import Collector, RowError, UnreadableBillError, count, objects_in, word

_IN_HUNDREDTHS = ("ISK", "UGX")
_STATES = ("draft", "open", "paid", "uncollectible", "void")


@dataclass(frozen=True)
class StripeInvoice:
    """An invoice as Stripe has it, in minor units of its currency."""

    key: str
    number: str | None
    status: str
    currency: str
    tax: int
    total: int
    paid: int
    created_at: datetime


def read_invoices(content: bytes, name: str, *, may_be_none: bool = False) -> list[StripeInvoice]:
    """All of a file's invoices, or an error that names every row that is wrong."""
    collector = Collector(name)
    found: list[StripeInvoice] = []
    try:
        text = content.decode("utf-8-sig")
    except UnicodeDecodeError as error:
        collector.wrong(f"Byte {error.start:,}", "it is no text in UTF-8.")
        raise UnreadableBillError(name, collector.problems) from None
    number = 0
    for page in objects_in(_as_page(text), collector):
        for row in page["data"]:
            number += 1
            place = f"Invoice {number}"
            try:
                one = _invoice(row)
                collector.once(place, one.key)
                found.append(one)
            except RowError as error:
                collector.wrong(place, str(error))
    if not found and not may_be_none and not collector.problems:
        collector.wrong("The file", "it has no invoices.")
    if collector.problems:
        raise UnreadableBillError(name, collector.problems)
    return found


def _as_page(text: str) -> str:
    """A single invoice is a page of one."""
    try:
        told = json.loads(text)
    except json.JSONDecodeError:
        return text
    return json.dumps({"data": [told]}) if isinstance(told, dict) and told.get("object") == "invoice" else text


def _invoice(row: object) -> StripeInvoice:
    if not isinstance(row, dict) or row.get("object") != "invoice":
        raise RowError("it is no invoice of Stripe's.")
    key, status = word(row, "id"), word(row, "status")
    currency = (word(row, "currency") or "").upper()
    if not key or len(currency) != 3:  # noqa: PLR2004 - letters of a currency
        raise RowError("it has no `id`, or no `currency`.")
    if status not in _STATES:
        raise RowError(f"`status` is {status!r}, which Sightline does not know.")
    return StripeInvoice(
        key=key,
        number=word(row, "number"),
        status=status,
        currency=currency,
        tax=_tax(row, currency),
        total=_minor(row, "total", currency),
        paid=_minor(row, "amount_paid", currency),
        created_at=datetime.fromtimestamp(count(row.get("created"), "created"), UTC),
    )


def _tax(row: Mapping[str, Any], currency: str) -> int:
    """One amount in older versions of the interface, a list of them in newer ones."""
    listed = row.get("total_taxes") or row.get("total_tax_amounts")
    if isinstance(listed, list):
        return sum(_minor(one, "amount", currency) for one in listed if isinstance(one, dict))
    return 0 if row.get("tax") is None else _minor(row, "tax", currency)


def _minor(row: Mapping[str, Any], name: str, currency: str) -> int:
    value = row.get(name)
    if isinstance(value, bool) or not isinstance(value, int):
        raise RowError(f"`{name}` is {value!r}: Stripe tells whole minor units.")
    if currency not in _IN_HUNDREDTHS:
        return value
    if value % 100:
        raise RowError(f"`{name}` is {value}: {currency} has no hundredths.")
    return value // 100
