"""Reconciliation, run without a browser: every list of it is taken away as it is seen, and a view of it opens again."""

import csv
import io
import json
from datetime import UTC, date, datetime, timedelta
from urllib.parse import parse_qs, urlencode, urlsplit

import pytest

from app import serving
from app.access import operator
from app.commands.bills import read_file
from app.exports.address import Kind
from app.exports.files import WRITERS
from app.settings import settings
from app.web.export import _sheet
from tests.money.test_asked_bills import Anthropic, Provider, answering
from tests.money.test_bills import costs
from tests.money.test_stripe_invoices import Stripe, theirs
from tests.pages.parsed import classed, parsed, told, tree

LAST = (datetime.now(UTC).date().replace(day=1) - timedelta(days=1)).replace(day=1)
# Long before the demo begins: nobody else looks there.
LONG_AGO = (date(2020, 1, 5), date(2020, 1, 6))
_FORGET = """
    SET LOCAL session_replication_role = replica;
    DELETE FROM provider_bill_lines WHERE day < '2020-02-01';
    DELETE FROM provider_bill_files WHERE first_day < '2020-02-01';
    DELETE FROM provider_bills WHERE month < '2020-02-01';
"""
HERE = {"provider": "Anthropic", "month": f"{LAST:%B %Y}", "kind": "Cache mix"}


def linked(page):
    """The addresses of the page's CSV files by the names of their lists, and a link to each day."""
    found, days = {}, []
    for one in page.get("html"):
        for link in tree(one.proto.body).iter("a"):
            href = link.get("href", "")
            query = parse_qs(urlsplit(href).query)
            if href.startswith("export/csv"):
                found[query["list"][-1]] = href
            days += query.get("reconciliation", [])
    return found, days


def downloaded(href, viewer):
    pairs = [(name, value) for name, values in parse_qs(urlsplit(href).query).items() for value in values]
    file = b"".join(WRITERS[Kind.CSV](_sheet(pairs, lambda: viewer)))
    return list(csv.DictReader(io.StringIO(file.decode())))


def test_every_list_has_a_receipt_and_a_download_of_what_is_seen(pages):
    page = pages.run("reconciliation.py", urlencode(HERE), "finance")
    found, days = linked(page)
    seen = pages.open("reconciliation.py", urlencode(HERE), "finance").cards["By day and model"]
    viewer = operator(serving.engines().pipe, "Fin")
    rows = downloaded(found["reconciled_days"], viewer)
    assert len(rows) == len(seen.rows) > 0
    assert all("Cache mix" in row["because"] for row in rows)
    opened = pages.run("reconciliation.py", urlencode({**HERE, "reconciliation": days[0]}), "finance")
    found, _ = linked(opened)
    assert set(found) == {"reconciled_days", "reconciled_parts", "calls_behind", "bill_lines"}
    day, _, model = days[0].partition("~")
    ((calls,),) = pages.rows(f"""
        SELECT COUNT(*) FROM ai_generations WHERE provider = 'anthropic' AND model = '{model}'
            AND CAST(created_at AT TIME ZONE 'UTC' AS date) = '{day}' AND cached_input_tokens + cache_write_tokens > 0
        """)
    assert len(downloaded(found["calls_behind"], viewer)) == calls > 0
    assert all(downloaded(found[name], viewer) for name in ("reconciled_parts", "bill_lines"))
    receipts = {button.key.removeprefix("behind-") for button in opened.button if button.label == "Receipt"}
    lists = {"why-the-day-differs", "calls-behind-it", "lines-of-the-bill", "by-day-and-model"}
    assert receipts > lists | {"both-sides-and-what-lies-between", "from-our-ledger-to-the-invoice"}
    opened.button(key="behind-both-sides-and-what-lies-between").click().run()
    assert any("ai_usage_of(" in code.value for code in opened.code)


def behind(page, title):
    """The files that a card's receipt offers, and the questions that it tells."""
    page.button(key=f"behind-{title.lower().replace(' ', '-')}").click().run()
    return linked(page)[0], "\n".join(code.value for code in page.code)


def test_where_a_bill_and_its_month_stand_has_a_receipt_and_a_download_of_the_same(pages):
    viewer = operator(serving.engines().pipe, "Fin")
    page = pages.run("reconciliation.py", urlencode({**HERE, "show": "The bill"}), "finance")
    files, asked = behind(page, f"The bill of Anthropic {LAST:%B %Y}")
    assert "FROM provider_bills" in asked
    assert "ai_usage_of(" in asked
    (bill,) = downloaded(files["reconciled_bill"], viewer)
    ((total,),) = pages.rows(f"SELECT total FROM provider_bills WHERE provider = 'anthropic' AND month = '{LAST}'")
    assert (bill["total"], bill["month"]) == (f"{total:f}", str(LAST))
    closed = (LAST - timedelta(days=1)).replace(day=1)
    query = {"show": "The month", "provider": "Anthropic", "month": f"{closed:%B %Y}"}
    page = pages.run("reconciliation.py", urlencode(query), "finance")
    rows = parsed(one.proto.body for one in page.get("html")).cards["Bills of the month"].rows
    assert len(downloaded(linked(page)[0]["provider_bills"], viewer)) == len(rows) > 0
    files, asked = behind(page, f"{closed:%B %Y}")
    assert "FROM ai_months" in asked
    (close,) = downloaded(files["month_close"], viewer)
    ((calls,),) = pages.rows(f"SELECT calls FROM ai_months WHERE month = '{closed}'")
    assert close["calls"] == str(calls)


def test_a_view_that_was_kept_opens_with_its_provider_and_its_month(pages):
    # As this address names the page, where a served one has its menu's name.
    kept = "saved_views WHERE page = 'reconciliation.py'"
    pages.site.change(f"""
        INSERT INTO saved_views (team_member_id, page, name, query, is_default)
        SELECT id, 'reconciliation.py', 'Cached', CAST('{json.dumps(list(HERE.items()))}' AS jsonb), TRUE
        FROM team_members WHERE email = 'finance@test.example'
    """)
    try:
        page = pages.run("reconciliation.py", "", "finance")
        assert page.button_group(key="provider").value == HERE["provider"]
        assert (page.selectbox(key="month").value, page.selectbox(key="kind").value) == (HERE["month"], HERE["kind"])
        page.button(key="top-views").click().run()
        assert any("Cached</a>" in one.proto.body for one in page.get("html"))
    finally:
        pages.site.change(f"DELETE FROM {kept}")


@pytest.fixture
def long_ago(pages):
    """A month that can be chosen, as a day of it was read from a file."""
    fin = operator(serving.engines().pipe, "Fin")
    read_file(serving.engines().rw, fin, costs(date(2020, 1, 20)), "costs.json", provider="openai")
    yield
    pages.site.change(_FORGET)


def asking(pages, provider):
    """The page after somebody of finance pressed the button: what it says, and what was read into the month."""
    page = pages.run(
        "reconciliation.py", urlencode({"show": "The bill", "provider": provider, "month": "January 2020"}), "finance"
    )
    next(one for one in page.button if one.label == f"Ask {provider} for January 2020").click().run()
    assert not page.exception, page.exception
    drawn = [tree(one.proto.body) for one in page.get("html")]
    alerts = [told(one) for root in drawn for one in root.iter() if one.get("role") == "alert"]
    # What else has this role says how fresh the page is.
    came = [told(one) for root in drawn for one in classed(root, "sl-empty") if one.get("role") == "status"]
    files = [[told(cell) for cell in row.iter("td")] for root in drawn for row in root.iter("tr")]
    return alerts, came, [row for row in files if row and "the interface" in row]


PROVIDERS = {
    "OpenAI": (Provider, ("costs", "usage")),
    "Anthropic": (Anthropic, ("cost report", "usage report")),
}


@pytest.mark.usefixtures("long_ago")
@pytest.mark.parametrize("provider", PROVIDERS)
def test_a_provider_is_asked_at_the_press_of_a_button_and_the_page_says_what_came(pages, monkeypatch, provider):
    handler, reports = PROVIDERS[provider]
    monkeypatch.setattr(handler, "days", LONG_AGO)
    with answering(monkeypatch, handler, provider.upper()):
        alerts, came, files = asking(pages, provider)
        assert alerts == []
        assert all(
            one.startswith(f"{provider.lower()} {name} 2020-01") for one, name in zip(came, reports, strict=True)
        )
        assert "2 days are new." in came[0]
        assert len(files) == 2
        _, again, _ = asking(pages, provider)
        assert all("read before; nothing was changed" in one for one in again)


@pytest.mark.usefixtures("long_ago")
def test_stripe_is_asked_at_the_press_of_a_button_and_what_differs_is_listed(pages, monkeypatch):
    monkeypatch.setattr(Stripe, "kept", (theirs("in_new", 990),))
    query = urlencode({"show": "Revenue", "provider": "OpenAI", "month": "January 2020"})
    with answering(monkeypatch, Stripe, "STRIPE", "KEY"):
        page = pages.run("reconciliation.py", query, "finance")
        next(one for one in page.button if one.label == "Ask Stripe for January 2020").click().run()
    assert not page.exception, page.exception
    # It stays while something else of the page is chosen.
    for seen in (page, page.run()):
        card = parsed(one.proto.body for one in seen.get("html")).cards["Invoices that differ"]
        assert [row[:5] for row in card.rows] == [["in_new", "in_new", "not in our books", "–", "9.90"]]
    # What Stripe told was not kept: there is a receipt of what was asked of us, and nothing to read again.
    files, asked = behind(page, "Invoices that differ")
    assert "FROM invoices AS i" in asked
    assert files == {}


@pytest.mark.usefixtures("long_ago")
@pytest.mark.parametrize("provider", PROVIDERS)
def test_a_provider_that_refuses_the_key_is_said_with_what_to_do_and_nothing_is_read(pages, monkeypatch, provider):
    with answering(monkeypatch, PROVIDERS[provider][0], provider.upper()):
        monkeypatch.setenv(f"SIGHTLINE_{provider.upper()}_ADMIN_KEY", "sk-admin-wrong")
        settings.cache_clear()
        (alert,), came, files = asking(pages, provider)
    assert "127.0.0.1 answered 401" in alert
    assert "Check that the key is an admin key of the organisation." in alert
    assert "sk-admin" not in alert
    assert (came, files) == ([], [])
