"""Invoices of subscriptions, their payments, failures, discounts, credit notes, drafts and voids."""

from collections import Counter
from collections.abc import Callable
from dataclasses import dataclass, field
from datetime import UTC, date, datetime, timedelta
from decimal import Decimal
from uuid import UUID

import numpy as np

from db.demo.keys import key_at
from db.demo.rows import Row
from db.demo.seasons import DAY, HOUR, Season, micros, moment
from db.demo.subscriptions import Seal, Subscription
from db.vault import Place

Digest = Callable[[str], bytes]
_TAX_PER_CENT = {"USD": 0, "EUR": 19, "INR": 18}


@dataclass(slots=True)
class Books:
    """The rows of billing, and the numbers given so far per workspace."""

    invoices: list[Row] = field(default_factory=list)
    lines: list[Row] = field(default_factory=list)
    payments: list[Row] = field(default_factory=list)
    numbers: Counter[UUID] = field(default_factory=Counter)

    def number(self, workspace: UUID, prefix: str) -> str:
        """The next number; one sequence for invoices and credit notes."""
        self.numbers[workspace] += 1
        return f"{prefix}-{self.numbers[workspace]:05d}"


@dataclass(frozen=True, slots=True)
class Clerk:
    """What writing an invoice takes besides the subscription."""

    rng: np.random.Generator
    season: Season
    books: Books
    seal: Seal
    digest: Digest


def midnight(day: date) -> int:
    """The moment at which a day begins (UTC)."""
    return micros(datetime(day.year, day.month, day.day, tzinfo=UTC))


def write_invoices(clerk: Clerk, subscriptions: list[Subscription]) -> None:
    """Every period of every paid subscription; after an upgrade the rest of the old period is given back."""
    before: dict[tuple[UUID, str], tuple[Subscription, tuple[date, date]]] = {}
    for one in subscriptions:
        product = (one.workspace.id, one.plan.product)
        for position, period in enumerate(one.periods(clerk.season.end)):
            if one.plan.price:
                _write(clerk, one, period, before.get(product) if one.is_upgrade and position == 0 else None)
                before[product] = (one, period)
    for one in subscriptions[::9]:
        if one.plan.price and one.status == "active":
            last = one.periods(clerk.season.end)[-1:]
            for _, end in last:
                _draft(clerk, one, end)


def _write(
    clerk: Clerk, one: Subscription, period: tuple[date, date], old: tuple[Subscription, tuple[date, date]] | None
) -> None:
    issued_at = midnight(period[0]) + 6 * HOUR
    invoice_id = key_at(clerk.rng, issued_at)
    discount = int(clerk.rng.choice((0, 0, 0, 0, 0, 0, 0, 10, 20)))
    tax_per_cent = _TAX_PER_CENT[one.plan.currency]
    lines = [
        _line(clerk, one, invoice_id, "subscription", one.plan.price * 100, period=period, discount_per_cent=discount)
    ]
    if old and (given_back := _unused(old, period[0])) and given_back < one.plan.price * 100:
        lines.append(_line(clerk, one, invoice_id, "proration", -given_back, period=(period[0], old[1][1])))
    for line in lines:
        line["tax_minor"] = (line["amount_minor"] - line["discount_minor"]) * tax_per_cent // 100
    invoice = _invoice(clerk, one, invoice_id, "invoice", lines, period=period, issued_at=issued_at)
    _settle(clerk, one, invoice, issued_at, is_last=period[1] >= clerk.season.today)
    clerk.books.invoices.append(invoice)
    clerk.books.lines.extend(lines)
    if invoice["status"] == "paid" and clerk.rng.random() < 0.03:  # noqa: PLR2004
        _credit_note(clerk, one, invoice, issued_at + int(clerk.rng.integers(3, 12)) * DAY)


def _unused(old: tuple[Subscription, tuple[date, date]], changed: date) -> int:
    """What is left of the old period, in minor units."""
    subscription, (start, end) = old
    left = max((end - changed).days, 0)
    return subscription.plan.price * 100 * left // (end - start).days


def _line(
    clerk: Clerk,
    one: Subscription,
    invoice_id: UUID,
    kind: str,
    amount: int,
    *,
    period: tuple[date, date],
    discount_per_cent: int = 0,
) -> Row:
    at = midnight(period[0]) + 6 * HOUR
    what = "Unused time of the earlier plan" if kind == "proration" else one.plan.row["name"]
    return {
        "workspace_id": one.workspace.id,
        "id": key_at(clerk.rng, at),
        "invoice_id": invoice_id,
        "subscription_id": one.id,
        "plan_id": one.plan.id,
        "product": one.plan.product,
        "kind": kind,
        "description": f"{what}, {period[0]} to {period[1]}",
        "quantity": 1,
        "unit_amount_minor": amount,
        "amount_minor": amount,
        "discount_minor": amount * discount_per_cent // 100,
        "tax_minor": 0,
        "currency": one.plan.currency,
        "period_start": moment(midnight(period[0])),
        "period_end": moment(midnight(period[1])),
        "created_at": moment(at),
    }


def _invoice(
    clerk: Clerk,
    one: Subscription,
    invoice_id: UUID,
    kind: str,
    lines: list[Row],
    *,
    period: tuple[date, date],
    issued_at: int,
) -> Row:
    subtotal, discount, tax = (
        sum(line[part] for line in lines) for part in ("amount_minor", "discount_minor", "tax_minor")
    )
    return {
        "workspace_id": one.workspace.id,
        "id": invoice_id,
        "subscription_id": one.id,
        "number": clerk.books.number(one.workspace.id, "INV" if kind == "invoice" else "CN"),
        "kind": kind,
        "corrects_invoice_id": None,
        "status": "open",
        "currency": one.plan.currency,
        "subtotal_minor": subtotal,
        "discount_minor": discount,
        "tax_minor": tax,
        "total_minor": subtotal - discount + tax,
        "amount_paid_minor": 0,
        "period_start": moment(midnight(period[0])),
        "period_end": moment(midnight(period[1])),
        "issued_at": moment(issued_at),
        "due_at": moment(issued_at + 14 * DAY),
        "paid_at": None,
        "voided_at": None,
        "provider": "razorpay" if one.plan.currency == "INR" else "stripe",
        "provider_invoice_id": f"in_{invoice_id.hex[-16:]}",
        "created_at": moment(issued_at),
        "updated_at": moment(issued_at),
    }


def _settle(clerk: Clerk, one: Subscription, invoice: Row, issued_at: int, *, is_last: bool) -> None:
    """Most invoices are paid at once, some after a failure, a few never."""
    luck = clerk.rng.random()
    if one.status == "past_due" and is_last:
        pay(clerk, one, invoice, issued_at + HOUR, "failed")
        return
    if luck < 0.01:  # noqa: PLR2004
        invoice.update(status="void", voided_at=moment(issued_at + 2 * HOUR))
        return
    if luck < 0.02:  # noqa: PLR2004
        invoice.update(status="uncollectible")
        pay(clerk, one, invoice, issued_at + HOUR, "failed")
        return
    delay = HOUR
    if luck < 0.08:  # noqa: PLR2004
        pay(clerk, one, invoice, issued_at + HOUR, "failed")
        delay = 3 * DAY
    paid_at = issued_at + delay
    if paid_at < clerk.season.end:
        pay(clerk, one, invoice, paid_at, "completed")
        invoice.update(status="paid", paid_at=moment(paid_at), amount_paid_minor=invoice["total_minor"])


def pay(clerk: Clerk, one: Subscription, invoice: Row, at: int, status: str) -> None:
    """A payment, or the attempt of one."""
    if at >= clerk.season.end:
        return
    key = key_at(clerk.rng, at)
    secret = f"pay_{key.hex[-16:]}"
    clerk.books.payments.append(
        {
            "workspace_id": one.workspace.id,
            "id": key,
            "user_id": one.workspace.owner.id,
            "invoice_id": invoice["id"],
            "provider": invoice["provider"],
            "provider_payment_id": clerk.seal(Place("payments", "provider_payment_id", key), secret),
            "provider_payment_digest": clerk.digest(secret),
            "amount": Decimal(invoice["total_minor"]) / 100,
            "currency": invoice["currency"],
            "status": status,
            "failure_reason": "The card was declined." if status == "failed" else None,
            "credits_purchased": 0,
            "created_at": moment(at),
            "updated_at": moment(at),
        }
    )


def _credit_note(clerk: Clerk, one: Subscription, invoice: Row, at: int) -> None:
    """Half of an invoice given back."""
    if at >= clerk.season.end:
        return
    key = key_at(clerk.rng, at)
    amount = (invoice["subtotal_minor"] - invoice["discount_minor"]) // 2
    period = (invoice["period_start"].date(), invoice["period_end"].date())
    line = _line(clerk, one, key, "subscription", amount, period=period)
    line["tax_minor"] = amount * _TAX_PER_CENT[one.plan.currency] // 100
    line["created_at"] = moment(at)
    note = _invoice(clerk, one, key, "credit_note", [line], period=period, issued_at=at)
    note.update(corrects_invoice_id=invoice["id"], status="paid", paid_at=moment(at), due_at=None)
    note.update(amount_paid_minor=note["total_minor"])
    pay(clerk, one, note, at, "refunded")
    clerk.books.invoices.append(note)
    clerk.books.lines.append(line)


def _draft(clerk: Clerk, one: Subscription, starts: date) -> None:
    """The next invoice, which nobody has seen yet."""
    period = (starts, starts + timedelta(days=30))
    at = clerk.season.end - 2 * HOUR
    key = key_at(clerk.rng, at)
    line = _line(clerk, one, key, "subscription", one.plan.price * 100, period=period)
    line["created_at"] = moment(at)
    draft = _invoice(clerk, one, key, "invoice", [line], period=period, issued_at=at)
    draft.update(status="draft", issued_at=None, due_at=None, provider_invoice_id=None)
    clerk.books.invoices.append(draft)
    clerk.books.lines.append(line)
