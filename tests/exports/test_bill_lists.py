"""Lists of the reconciliation: what the page shows and what can be taken away, for those who see the whole company."""

import csv
import io
from datetime import timedelta
from decimal import Decimal

import pytest
from sqlalchemy import text

from app.access import NotPermittedError, Role, Viewer, operator
from app.commands import closes, prices
from app.commands.team import add_member
from app.exports.address import Kind as FileKind
from app.exports.bill_lists import BILL_LISTS
from app.exports.files import WRITERS
from app.exports.given import given
from app.exports.live import Whole, engine_of, read_list
from app.exports.sheets import sheet_of_list
from app.metrics.errors import MalformedQuestionError
from app.money.bills import Kind
from db.engine import seeing
from tests.db.rows import NOON, workspace
from tests.money.test_approvals import BEGAN, MONTH, call, proposal
from tests.money.test_bills import DAY, approved, costs, finance, home
from tests.money.test_bills import read as read_file

__all__ = ("finance", "home")

OF = {"provider": "openai", "month": MONTH}
HERE = {**OF, "day": DAY, "model": "gpt-4o"}
CALLS = {"provider": "openai", "model": "gpt-4o", "day": DAY, "zone": "UTC", "kind": Kind.MISSING}


@pytest.fixture
def month(database, finance, home):
    """A million tokens are in both sides, and 400,000 of the bill are in no call: a dollar."""
    prices.approve(database.rw, finance, [proposal(database, "2.5")])
    call(database, home)
    with seeing(database.rw, finance.workspaces) as connection:
        connection.execute(text("SELECT price_new_ai_calls(:since)"), {"since": BEGAN})
    read_file(database, finance, costs(DAY, dollars="3.5", tokens=1_400_000))
    return database


def read(database, viewer, name, **narrowed):
    after = narrowed.pop("after", None)
    more = {"limit": narrowed.pop("limit")} if "limit" in narrowed else {}
    return read_list(engine_of(name, database), viewer, name, given(**narrowed), after=after, **more)


def test_both_sides_and_every_difference_are_lists_with_the_questions_behind_them(month, finance):
    steps = read(month, finance, "reconciled_steps", **OF)
    told = {one.name: one.amount for one in steps.rows if one.amount}
    assert told == {"Our ledger": Decimal("2.5"), "Missing calls": 1, "Provider": Decimal("3.5")}
    assert {one.kind for one in steps.rows} == {None, *Kind}
    for table in ("provider_bills", "ai_prices", "ai_usage_of", "provider_bill_lines", "ai_cost_corrections"):
        assert table in steps.receipt.sql
    [bill] = read(month, finance, "reconciled_bill", **OF).rows
    assert (bill.status, bill.total, bill.lines, bill.unexplained) == ("open", Decimal("3.5"), 1, 0)
    [day] = read(month, finance, "reconciled_days", **OF).rows
    assert (day.day, day.model, day.calls, day.difference) == (DAY, "gpt-4o", 1, 1)
    assert day.because == "Missing calls 1.00"
    [part] = read(month, finance, "reconciled_parts", **HERE).rows
    assert (part.kind, part.amount) == (Kind.MISSING, 1)
    assert [one.amount for one in read(month, finance, "reconciled_steps", **HERE).rows] == [
        Decimal("2.5"), 1, Decimal("3.5"),
    ]  # fmt: skip
    [line] = read(month, finance, "bill_lines", **HERE).rows
    assert (line.model, line.amount) == ("gpt-4o-2024-08-06", Decimal("3.5"))


def test_what_is_chosen_on_the_page_narrows_the_lists(month, finance):
    assert read(month, finance, "reconciled_days", **OF, kind=Kind.PRICE).rows == ()
    assert len(read(month, finance, "reconciled_days", **OF, kind=Kind.MISSING).rows) == 1
    assert read(month, finance, "reconciled_parts", **OF, kind=Kind.PRICE).rows == ()
    assert len(read(month, finance, "reconciled_parts", **OF).rows) == 1
    for other in ({"model": "o3"}, {"model": "no model"}, {"day": DAY + timedelta(days=1)}):
        for name in ("reconciled_parts", "reconciled_steps", "bill_lines"):
            assert read(month, finance, name, **{**HERE, **other}).rows == ()
    of_no_bill = {**OF, "month": MONTH - timedelta(days=40)}
    for name in ("reconciled_bill", "reconciled_steps", "reconciled_days", "reconciled_parts"):
        assert read(month, finance, name, **of_no_bill).rows == ()


def test_calls_behind_a_difference_are_paged_by_key_and_each_comes_once(month, home, finance):
    """Seven calls, of which three begin at one moment: in pages of two, also where a new one comes in between."""
    for number in (0, 0, 1, 2, 3, 4):
        call(month, home, created_at=NOON + timedelta(minutes=number))
    keys, after = [], None
    while True:
        page = read(month, finance, "calls_behind", **CALLS, meter="input~standard", after=after, limit=2)
        keys += [one.id for one in page.rows]
        after = page.next
        if after is None:
            break
        call(month, home, created_at=NOON + timedelta(minutes=10))
    every = read(month, finance, "calls_behind", **CALLS).rows
    assert keys == [one.id for one in every if one.created_at < NOON + timedelta(minutes=10)]
    assert (len(keys), len(set(keys)), len(every)) == (7, 7, 10)
    assert read(month, finance, "calls_behind", **CALLS, meter="images~standard").rows == ()


def test_a_download_holds_all_calls_however_many_pages_they_fill(month, home, finance, monkeypatch):
    monkeypatch.setattr("app.exports.live._AT_ONCE", 2)
    for number in range(4):
        call(month, home, created_at=NOON + timedelta(minutes=number))
    whole = Whole("calls_behind", given(**CALLS), month.ro, lambda: finance)
    file = b"".join(WRITERS[FileKind.CSV](sheet_of_list(whole)))
    rows = list(csv.DictReader(io.StringIO(file.decode())))
    assert (len(rows), len({row["id"] for row in rows})) == (5, 5)


def test_files_and_corrections_are_lists_that_can_be_downloaded_of_one_month(database, finance, home):
    read_file(database, finance, costs(DAY))
    approved(database, finance)
    closes.close_month(database.rw, finance, MONTH)
    closes.correct_month(
        database.rw, finance, MONTH, workspace_slug="acme", kind="late_usage", product="mailer", provider="openai",
        model="gpt-4o", generation_type="email", amount=Decimal(1), reason="A worker was cut off.",
    )  # fmt: skip

    def listed(name, **narrowed):
        return read(database, finance, name, **narrowed).rows

    assert [one.name for one in listed("bill_files", provider="openai", month=MONTH)] == ["costs.json"]
    assert listed("bill_files", provider="openai", month=MONTH - timedelta(days=40)) == ()
    before = MONTH - timedelta(days=40)
    assert [(one.provider, one.status) for one in listed("provider_bills", month=MONTH)] == [("openai", "closed")]
    assert [(one.calls, one.cost) for one in listed("month_close", month=MONTH)] == [(0, 0)]
    assert listed("provider_bills", month=before) == listed("month_close", month=before) == ()
    assert [one.amount for one in listed("corrections_of_month", month=MONTH)] == [1]
    assert [one.amount for one in listed("late_corrections", month=MONTH, provider="openai", model="gpt-4o")] == [1]
    assert listed("late_corrections", month=MONTH, provider="openai", model="o3") == ()


def test_lists_are_for_those_who_may_read_cost_and_sums_for_those_who_see_the_whole_company(month, finance, home):
    with month.setup.begin() as connection:
        other = workspace(connection, owner_id=home[1], slug="other").id
    others = call(month, (other, home[1]))
    add_member(
        month.rw, finance, email="lim@team.example", password=None, roles=[Role.FINANCE], workspace_slugs=["acme"]
    )
    with month.setup.connect() as connection:
        key = connection.scalar(text("SELECT id FROM team_members WHERE email = 'lim@team.example'"))
    limited = Viewer("Lim", frozenset({Role.FINANCE}), frozenset({home[0]}), key)
    nobody = Viewer("Vi", frozenset({Role.VIEWER}), frozenset({home[0], other}))
    for name, one in BILL_LISTS.items():
        told = {key: value for key, value in {**HERE, **CALLS}.items() if key in one.narrowed_by}
        with pytest.raises(NotPermittedError):
            read(month, nobody, name, **told)
        if one.is_of_company or name in {"bill_files", "provider_bills", "month_close"}:
            with pytest.raises(NotPermittedError, match="of the whole company"):
                read(month, limited, name, **told)
    assert len(read(month, operator(month.pipe, "All"), "calls_behind", **CALLS).rows) == 2
    [one] = read(month, limited, "calls_behind", **CALLS).rows
    assert one.id != others


@pytest.mark.parametrize(
    ("name", "given_there", "told"),
    [
        *((name, {}, "of one (month|day)") for name, one in BILL_LISTS.items() if "month" in one.narrowed_by),
        ("reconciled_days", {**OF, "kind": "magic"}, "No difference is named 'magic'"),
        ("calls_behind", {**CALLS, "zone": "Mars/Crater"}, "no time zone 'Mars/Crater'"),
        ("calls_behind", {**CALLS, "kind": None}, "of one name"),
        ("calls_behind", {**CALLS, "day": None}, "of one day"),
        ("bill_lines", OF, "of one day"),
        ("reconciled_days", {**OF, "workspace": "acme"}, "not narrowed by workspace"),
    ],
)
def test_an_address_that_names_no_such_list_is_refused_in_words(database, finance, name, given_there, told):
    with pytest.raises(MalformedQuestionError, match=told):
        read(database, finance, name, **given_there)
