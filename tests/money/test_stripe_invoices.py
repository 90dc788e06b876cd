"""Stripe's invoices are compared with ours in minor units of their currencies, and change nothing."""

import json
from datetime import date, timedelta
from decimal import Decimal
from http.server import BaseHTTPRequestHandler
from urllib.parse import parse_qs, urlsplit

import pytest

from app.access import operator
from app.commands.stripe_invoices import compare_invoices, compare_month
from app.ingest.reading import UnreadableBillError
from app.ingest.stripe import read_invoices
from app.settings import settings
from db.errors import SightlineError
from tests.db.rows import NOON, add, user, workspace
from tests.ingest.samples import as_bytes
from tests.money.test_asked_bills import answering


@pytest.fixture
def home(database):
    with database.setup.begin() as connection:
        customer = user(connection).id
        return workspace(connection, owner_id=customer, slug="acme").id


def ours(database, home, key, total, currency="USD", **more):
    with database.setup.begin() as connection:
        told = {"status": "paid", "paid_at": NOON, "amount_paid_minor": total, "tax_minor": 0, **more}
        add(
            connection, "invoices", workspace_id=home, number=key, currency=currency, total_minor=total,
            subtotal_minor=total - told["tax_minor"], period_start=NOON, period_end=NOON + timedelta(days=30),
            issued_at=NOON, provider="stripe", provider_invoice_id=key, **told,
        )  # fmt: skip


def theirs(key, total, currency="usd", **more):
    return {
        "object": "invoice", "id": key, "number": key, "status": "paid", "currency": currency, "total": total,
        "subtotal": total, "tax": None, "amount_paid": total, "created": int(NOON.timestamp()), **more,
    }  # fmt: skip


def listed(*invoices, has_more=False):
    return as_bytes({"object": "list", "data": list(invoices), "has_more": has_more})


def test_what_one_of_the_two_lacks_or_says_otherwise_is_told(database, home):
    ours(database, home, "in_same", 1250)
    ours(database, home, "in_more", 1000)
    ours(database, home, "in_void", 500)
    ours(database, home, "in_gone", 700)
    ours(database, home, "in_yen", 500, "JPY")
    file = listed(
        theirs("in_same", 1250),
        theirs("in_more", 1190, total_taxes=[{"amount": 190}]),
        theirs("in_void", 500, status="void", amount_paid=0),
        theirs("in_new", 990),
        theirs("in_yen", 500, "jpy"),
    )
    report = compare_invoices(database.ro, operator(database.pipe, "Fin"), file, "stripe.json")
    assert (report.invoices, report.same) == (5, 2)
    assert {one.key: (one.what, one.ours, one.theirs, one.difference) for one in report.differences} == {
        "in_more": ("total, tax, paid", "10.00, 0.00, 10.00", "11.90, 1.90, 11.90", Decimal("1.90")),
        "in_void": ("status, paid", "paid, 5.00", "void, 0.00", 0),
        "in_new": ("not in our books", "–", "9.90", Decimal("9.90")),
        "in_gone": ("not in the file", "7.00", "–", Decimal("-7.00")),
    }


def test_currencies_without_hundredths_are_read_as_stripe_tells_them():
    """500 yen are 500; Stripe tells Iceland's krona in hundredths that it does not have; dinars have thousandths."""
    found = read_invoices(
        listed(theirs("in_1", 500, "jpy"), theirs("in_2", 50_000, "isk"), theirs("in_3", 5_000, "kwd")), "stripe.json"
    )
    assert [(one.currency, one.total) for one in found] == [("JPY", 500), ("ISK", 500), ("KWD", 5_000)]


@pytest.mark.parametrize(
    ("content", "part"),
    [
        (listed(theirs("in_1", 5), theirs("in_1", 6)), "tells again"),
        (listed(theirs("in_1", "5")), "minor units"),
        (listed(theirs("in_1", 5.5)), "minor units"),
        (listed(theirs("in_1", 550, "isk")), "no hundredths"),
        (listed(theirs("in_1", 5, status="lost")), "status"),
        (listed({"object": "charge"}), "no invoice"),
        (listed(theirs("in_1", 5), has_more=True), "there are more"),
        (listed(theirs("in_1", 5))[:-30], "no JSON"),
        (listed(), "no invoices"),
    ],
)
def test_what_stripe_never_says_is_refused_by_row(content, part):
    with pytest.raises(UnreadableBillError) as refusal:
        read_invoices(content, "stripe.json")
    assert any(part in one.what for one in refusal.value.problems)


class Stripe(BaseHTTPRequestHandler):
    """Invoices, one on each page, for whoever shows the key."""

    asked = ()
    kept = ()

    def do_GET(self):
        url = urlsplit(self.path)
        asked = {name: value for name, (value,) in parse_qs(url.query).items()}
        type(self).asked = (*self.asked, (url.path, asked))
        is_known = self.headers["Authorization"] == "Bearer sk-admin-test"
        keys = [one["id"] for one in self.kept]
        place = keys.index(asked["starting_after"]) + 1 if "starting_after" in asked else 0
        found = listed(*self.kept[place : place + 1], has_more=place + 1 < len(keys))
        body = found if is_known else json.dumps({"error": {"message": "No such key: sk-…"}}).encode()
        self.send_response(200 if is_known else 401)
        self.send_header("Content-Length", str(len(body)))
        self.end_headers()
        self.wfile.write(body)

    def log_message(self, *_):
        pass


MONTH = NOON.date().replace(day=1)
NEXT = (MONTH + timedelta(days=31)).replace(day=1)


def seconds(day):
    return str((day - date(1970, 1, 1)).days * 86_400)


def test_stripe_is_asked_for_a_month_page_by_page_and_should_name_all_that_are_ours(database, home, monkeypatch):
    ours(database, home, "in_same", 1250)
    ours(database, home, "in_gone", 700)
    monkeypatch.setattr(Stripe, "kept", (theirs("in_new", 990), theirs("in_same", 1250)))
    with answering(monkeypatch, Stripe, "STRIPE", "KEY"):
        report = compare_month(database.ro, operator(database.pipe, "Fin"), NOON.date())
    span = {"created[gte]": seconds(MONTH), "created[lt]": seconds(NEXT), "limit": "100"}
    assert Stripe.asked == (("/v1/invoices", span), ("/v1/invoices", {**span, "starting_after": "in_new"}))
    assert (report.invoices, report.same) == (2, 1)
    assert {one.key: one.what for one in report.differences} == {
        "in_gone": "not in Stripe's list",
        "in_new": "not in our books",
    }


def test_a_month_of_which_stripe_has_nothing_lacks_all_of_ours(database, home, monkeypatch):
    ours(database, home, "in_gone", 700)
    with answering(monkeypatch, Stripe, "STRIPE", "KEY"):
        report = compare_month(database.ro, operator(database.pipe, "Fin"), MONTH)
        before = compare_month(database.ro, operator(database.pipe, "Fin"), MONTH - timedelta(days=1))
    assert [one.what for one in report.differences] == ["not in Stripe's list"]
    assert before.differences == ()


def test_a_key_that_stripe_refuses_is_said_with_what_to_do(database, monkeypatch):
    with answering(monkeypatch, Stripe, "STRIPE", "KEY"):
        monkeypatch.setenv("SIGHTLINE_STRIPE_KEY", "rk_wrong")
        settings.cache_clear()
        with pytest.raises(SightlineError, match=r"127\.0\.0\.1 answered 401") as refusal:
            compare_month(database.ro, operator(database.pipe, "Fin"), MONTH)
    assert refusal.value.fix == "Check that the key may read invoices."
    assert "rk_wrong" not in str(refusal.value)


def test_without_a_key_nobody_is_asked(database):
    with pytest.raises(SightlineError) as refusal:
        compare_month(database.ro, operator(database.pipe, "Fin"), MONTH)
    assert "SIGHTLINE_STRIPE_KEY" in refusal.value.fix
