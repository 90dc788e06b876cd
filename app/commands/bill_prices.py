"""Prices that providers' bills show: amounts over quantities, proposed where the book says otherwise."""

from datetime import UTC, datetime, timedelta

from sqlalchemy import Engine

from app.access import Permission, Viewer
from app.commands.prices import Proposed, propose_charged
from app.commands.reconciling import bills, reconciliation

_DAYS_BACK = 100


def propose_from_bills(engine: Engine, by: Viewer) -> Proposed:
    """Look through the bills of the last months; what a bill shows is proposed from the first day that shows it."""
    by.require(Permission.PRICES_APPROVE)
    oldest = (datetime.now(UTC) - timedelta(days=_DAYS_BACK)).date()
    count = 0
    left_out: list[str] = []
    for bill in bills(engine, by):
        if bill.month >= oldest:
            found = reconciliation(engine, by, bill)
            reference = f"the bill of {bill.month:%B %Y}" + (f", {bill.invoice_number}" if bill.invoice_number else "")
            proposed = propose_charged(engine, by, bill.provider, found.prices, reference=reference)
            count += proposed.count
            left_out += proposed.left_out
    return Proposed(count, tuple(dict.fromkeys(left_out)))
