"""Invoices and payments: found by words and status, newest first, in the viewer's workspaces alone."""

from datetime import timedelta
from decimal import Decimal

import pytest

from app.access import NotPermittedError, Role
from app.records import invoices as books
from app.records import payments as paid
from tests.db.rows import NOON, add, plan
from tests.records.conftest import seer


def amounts(total, tax=0, discount=0):
    return {
        "subtotal_minor": total - tax + discount,
        "discount_minor": discount,
        "tax_minor": tax,
        "total_minor": total,
        "period_start": NOON,
        "period_end": NOON + timedelta(days=30),
    }


def invoice(shop, number, total, status="open", at=NOON, **more):
    values = {"issued_at": at, "due_at": at + timedelta(days=14), "currency": "USD", "created_at": at}
    return add(
        shop.connection, "invoices", workspace_id=shop.workspace, number=number, status=status,
        **{**amounts(total), **values, **more},
    )  # fmt: skip


def payment(shop, of, status, minutes=0, **more):
    return add(
        shop.connection, "payments", workspace_id=shop.workspace, user_id=shop.owner, provider="stripe",
        invoice_id=of and of.id, amount=Decimal(10), currency="USD", status=status,
        created_at=NOON + timedelta(minutes=minutes), **more,
    )  # fmt: skip


def numbers(page):
    return [one.number for one in page.rows]


@pytest.fixture
def year(shop):
    """Four invoices: one is paid in yen, one is a draft, one is owed since long, and one corrects the first."""
    first = invoice(shop, "INV-1", 1999, "paid", currency="JPY", paid_at=NOON, amount_paid_minor=1999)
    invoice(shop, "INV-2", 1999, at=NOON - timedelta(days=100), amount_paid_minor=999)
    invoice(shop, "INV-3", 500, "draft", issued_at=None, due_at=None)
    invoice(shop, "CN-4", 300, "paid", kind="credit_note", corrects_invoice_id=first.id, paid_at=NOON,
        amount_paid_minor=300, due_at=None)  # fmt: skip
    return shop


def test_invoices_come_newest_first_in_whole_units_of_their_currency(year):
    found = books.invoices(*year.made(), books.Wanted())
    assert numbers(found) == ["CN-4", "INV-3", "INV-2", "INV-1"]
    assert [str(one.total) for one in found.rows] == ["3.00", "5.00", "19.99", "1999"]
    assert [one.unpaid for one in found.rows] == [0, 0, 10, 0]


def test_what_is_owed_for_too_long_says_for_how_long(year):
    found = {one.number: one for one in books.invoices(*year.made(), books.Wanted()).rows}
    late = found["INV-2"]
    assert late.days_overdue >= 86
    assert [one.days_overdue for number, one in found.items() if number != "INV-2"] == [None, None, None]


@pytest.mark.parametrize(
    ("wanted", "listed"),
    [
        ({"statuses": ("paid",)}, ["CN-4", "INV-1"]),
        ({"statuses": ("open", "uncollectible")}, ["INV-2"]),
        ({"kind": "credit_note"}, ["CN-4"]),
        ({"words": "inv-2"}, ["INV-2"]),
        ({"words": "shop -3"}, ["INV-3"]),
        ({"words": "%"}, []),
        ({"since": NOON.date(), "until": NOON.date() + timedelta(days=1)}, ["CN-4", "INV-3", "INV-1"]),
        ({"workspaces": frozenset()}, []),
    ],
)
def test_invoices_are_narrowed(year, wanted, listed):
    assert numbers(books.invoices(*year.made(), books.Wanted(**wanted))) == listed


def test_invoices_come_in_pages(year):
    ro, viewer = year.made()
    first = books.invoices(ro, viewer, books.Wanted(), limit=3)
    second = books.invoices(ro, viewer, books.Wanted(), after=first.next, limit=3)
    assert (numbers(first), numbers(second), second.next) == (["CN-4", "INV-3", "INV-2"], ["INV-1"], None)


def test_one_invoice_has_its_lines_payments_and_notes(year):
    pro = plan(year.connection, name="Pro")
    one = invoice(year, "INV-5", 1180, tax_minor=180, subtotal_minor=1100, discount_minor=100)
    for amount, description in ((1500, "Pro, a month"), (-400, "Unused time")):
        add(
            year.connection, "invoice_lines", workspace_id=year.workspace, invoice_id=one.id, plan_id=pro.id,
            product="mailer", kind="subscription", description=description, unit_amount_minor=amount,
            amount_minor=amount, discount_minor=100 if amount > 0 else 0, currency="USD", period_start=NOON,
            period_end=NOON + timedelta(days=30),
        )  # fmt: skip
    payment(year, one, "failed", failure_reason="The card was declined.")
    payment(year, one, "completed", minutes=5)
    note = invoice(year, "CN-6", 100, "paid", kind="credit_note", corrects_invoice_id=one.id, paid_at=NOON)
    ro, viewer = year.made()
    found = books.invoice(ro, viewer, one.id)
    assert (found.subtotal, found.discount, found.tax, found.total) == (11, 1, Decimal("1.8"), Decimal("11.8"))
    lines = books.lines_of(ro, viewer, one.id)
    assert [(line.description, line.plan, line.net) for line in lines] == [
        ("Pro, a month", "Pro", 14),
        ("Unused time", "Pro", -4),
    ]
    assert sum(line.net for line in lines) == found.subtotal - found.discount
    tried = paid.payments(ro, viewer, paid.Wanted(invoice=one.id)).rows
    assert [(one.status, one.failure_reason, one.invoice) for one in tried] == [
        ("completed", None, "INV-5"),
        ("failed", "The card was declined.", "INV-5"),
    ]
    assert [(one.id, one.corrects) for one in books.notes_of(ro, viewer, one.id)] == [(note.id, "INV-5")]


def test_what_is_unpaid_is_told_by_its_age_and_currency(year):
    invoice(year, "INV-7", 700, "uncollectible", at=NOON - timedelta(days=100))
    invoice(year, "INV-8", 800, due_at=NOON + timedelta(days=400))
    told = {
        (one.overdue_from, one.currency): (one.invoices, one.unpaid, one.written_off)
        for one in books.unpaid(*year.made())
    }
    assert told[0, "USD"] == (1, 8, 0)
    old = told[61, "USD"] if (61, "USD") in told else told[91, "USD"]
    assert old == (2, 10, 7)
    assert len(told) == 2


def test_failures_are_told_by_reason_with_those_that_were_made_good(year):
    ro, viewer = year.made()
    listed = {one.number: one for one in books.invoices(ro, viewer, books.Wanted()).rows}
    good, bad = listed["INV-1"], listed["INV-2"]
    for of, reason in ((good, "Declined."), (bad, "Declined."), (bad, None)):
        payment(year, of, "failed", failure_reason=reason)
    payment(year, good, "completed")
    found = paid.failures(*year.made(), paid.Wanted())
    assert [(one.failure_reason, one.payments, one.customers, one.recovered) for one in found] == [
        ("Declined.", 2, 1, 1),
        ("No reason was given.", 1, 1, 0),
    ]


def test_nobody_sees_invoices_or_payments_of_others(world):
    viewer = seer(world.a.workspace)
    ro = world.database.ro
    theirs = books.invoices(ro, seer(world.b.workspace), books.Wanted()).rows
    assert theirs
    assert {one.workspace_id for one in books.invoices(ro, viewer, books.Wanted()).rows} == {world.a.workspace}
    assert {one.workspace_id for one in paid.payments(ro, viewer, paid.Wanted()).rows} == {world.a.workspace}
    assert books.invoice(ro, viewer, theirs[0].id) is None
    assert books.lines_of(ro, viewer, theirs[0].id) == ()
    beyond = books.Wanted(workspaces=frozenset({world.b.workspace}))
    assert books.invoices(ro, viewer, beyond).rows == ()
    assert books.unpaid(ro, viewer, frozenset({world.b.workspace})) == ()


def test_viewers_see_no_invoices(shop):
    ro, _ = shop.made()
    viewer = seer(shop.workspace, role=Role.VIEWER)
    for read in (
        lambda: books.invoices(ro, viewer, books.Wanted()),
        lambda: books.unpaid(ro, viewer),
        lambda: paid.payments(ro, viewer, paid.Wanted()),
        lambda: paid.failures(ro, viewer, paid.Wanted()),
        lambda: books.invoice(ro, viewer, shop.workspace),
    ):
        with pytest.raises(NotPermittedError):
            read()
