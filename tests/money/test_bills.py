"""Bills are read in once, whatever comes again or out of order, compared with the calls, approved, and locked."""

import threading
import time
from datetime import UTC, datetime, timedelta
from decimal import Decimal

import pytest
from sqlalchemy import text
from sqlalchemy.exc import DBAPIError

from app.access import NotPermittedError, Role, Viewer, operator
from app.commands import bills, closes, prices
from app.commands.reconciling import bills as kept_bills
from app.commands.reconciling import files_of, lines_behind, reconciliation
from app.commands.stale import StaleEditError
from app.commands.team import add_member
from app.ingest.reading import UnreadableBillError
from app.money.bills import Kind, Meter
from app.records.reconciled import calls_behind, corrections_behind
from db.engine import seeing
from db.errors import SightlineError
from tests.db.rows import NOON, add, user, workspace
from tests.ingest.samples import (
    as_bytes,
    google_file,
    google_row,
    openai_bucket,
    openai_cost,
    openai_usage,
    page,
)
from tests.money.test_approvals import BEGAN, MONTH, asked, call, proposal

DAY = NOON.date()
OTHER = DAY + timedelta(days=1)


@pytest.fixture
def home(database):
    with database.setup.begin() as connection:
        customer = user(connection).id
        return workspace(connection, owner_id=customer, slug="acme").id, customer


@pytest.fixture
def finance(database, home):
    return operator(database.pipe, "Fin of finance")


def costs(*days, dollars="2.5", tokens=1_000_000):
    """A file of costs: on each of the days so many tokens of input."""
    buckets = [openai_bucket(str(day), openai_cost("gpt-4o-2024-08-06, input", dollars, tokens)) for day in days]
    return as_bytes(page(*buckets))


def read(database, finance, content, name="costs.json", **more):
    return bills.read_file(database.rw, finance, content, name, **more)


def the_bill(database, finance):
    [bill] = kept_bills(database.ro, finance)
    return bill


def lines(database):
    return asked(
        database,
        "SELECT day, amount, quantity FROM provider_bill_lines WHERE replaced_by IS NULL AND kind = 'cost' ORDER BY 1",
    )


def test_a_file_that_comes_again_changes_nothing(database, finance):
    first = read(database, finance, costs(DAY, OTHER))
    assert (first.new_days, first.same_days, first.was_known, first.amount) == (2, 0, False, 5)
    again = read(database, finance, costs(DAY, OTHER), name="the same under another name.json")
    assert (again.new_days, again.was_known) == (0, True)
    assert len(lines(database)) == 2
    assert the_bill(database, finance).total == 5
    assert [one.name for one in files_of(database.ro, finance, "openai", MONTH)] == ["costs.json"]


def test_files_that_overlap_take_each_day_once_in_any_order(database, finance):
    days = [DAY - timedelta(days=number) for number in range(4)]
    for some in (days[1:3], days[2:4], days[0:2], days):
        read(database, finance, costs(*some))
    assert [day for day, _, _ in lines(database)] == sorted(days)
    assert the_bill(database, finance).total == 10


def test_a_day_that_is_told_otherwise_is_refused_with_both_amounts_and_nothing_is_taken(database, finance):
    read(database, finance, costs(DAY))
    other = as_bytes(
        page(
            openai_bucket(str(OTHER), openai_cost("gpt-4o, input", 9, 1)),
            openai_bucket(str(DAY), openai_cost("gpt-4o-2024-08-06, input", "2.75", 1_100_000)),
        )
    )
    with pytest.raises(UnreadableBillError) as refusal:
        read(database, finance, other)
    [problem] = refusal.value.problems
    assert (problem.place, "2.5000 USD there, 2.7500 USD here" in problem.what) == (str(DAY), True)
    assert lines(database) == [(DAY, Decimal("2.5"), 1_000_000)]
    report = read(database, finance, other, replace=True)
    assert (report.new_days, report.replaced_days) == (1, 1)
    assert [amount for _, amount, _ in lines(database)] == [Decimal("2.75"), 9]
    assert asked(database, "SELECT COUNT(*) FROM provider_bill_lines") == [(3,)]


def test_a_file_of_two_months_goes_into_two_bills(database, finance):
    after = (MONTH + timedelta(days=32)).replace(day=1)
    last = after - timedelta(days=1)
    assert read(database, finance, costs(last, after)).months == (MONTH, after)
    assert [(one.month, one.total) for one in kept_bills(database.ro, finance)] == [
        (after, Decimal("2.5")), (MONTH, Decimal("2.5")),
    ]  # fmt: skip


@pytest.mark.parametrize("locked", [0, 1])
def test_a_file_of_two_months_of_which_one_is_approved_is_not_taken_at_all(database, finance, locked):
    """Also where the other month's days were taken before the refusal."""
    after = (MONTH + timedelta(days=32)).replace(day=1)
    both = (after - timedelta(days=1), after)
    read(database, finance, costs(both[locked]))
    bill = the_bill(database, finance)
    bills.approve_bill(database.rw, finance, bill.id, revision=bill.revision, note="")
    days = (both[0] - timedelta(days=1), after + timedelta(days=1))
    with pytest.raises(SightlineError, match="its lines stay as they are"):
        read(database, finance, costs(*days), name="both.json")
    assert [day for day, _, _ in lines(database)] == [both[locked]]
    assert [(one.month, one.status) for one in kept_bills(database.ro, finance)] == [
        (both[locked].replace(day=1), "approved")
    ]
    assert asked(database, "SELECT name FROM provider_bill_files") == [("costs.json",)]


def taxed(*days, tax="1.00"):
    """Google's cost table: a row of usage a day, and a tax for each month of them."""
    usage = [google_row("Imagen 4 Generation", str(day), "2", "count", "0.08") for day in days]
    months = sorted({day.replace(day=1) for day in days})
    return google_file(*usage, *(google_row("Sales tax", str(month), "", "", tax, cost_type="Tax") for month in months))


def test_each_month_of_a_file_has_its_own_tax_and_a_later_file_brings_one(database, finance):
    after = (MONTH + timedelta(days=32)).replace(day=1)
    last = after - timedelta(days=1)
    read(
        database, finance, google_file(google_row("Imagen 4 Generation", str(DAY), "2", "count", "0.08")), name="a.csv"
    )
    assert [one.tax for one in kept_bills(database.ro, finance)] == [0]
    read(database, finance, taxed(last, after), name="b.csv")
    assert [(one.month, one.tax) for one in kept_bills(database.ro, finance)] == [(after, 1), (MONTH, 1)]
    read(database, finance, taxed(last, after, DAY), name="again.csv", replace=True)
    assert [one.tax for one in kept_bills(database.ro, finance)] == [1, 1]


def test_a_tax_that_is_told_otherwise_is_refused_unless_it_may_replace(database, finance):
    read(database, finance, taxed(DAY), name="a.csv")
    with pytest.raises(UnreadableBillError, match="not read") as refusal:
        read(database, finance, taxed(DAY, tax="3.00"), name="b.csv")
    assert "1.00 USD there, 3.00 here" in refusal.value.problems[0].what
    read(database, finance, taxed(DAY, tax="3.00"), name="b.csv", replace=True)
    assert the_bill(database, finance).tax == 3


def test_usage_stands_beside_costs_and_adds_nothing_to_the_total(database, finance):
    usage = openai_usage("gpt-4o-2024-08-06", input_tokens=1_000_000)
    read(database, finance, as_bytes(page(openai_bucket(str(DAY), usage))), name="usage.json")
    read(database, finance, costs(DAY))
    assert the_bill(database, finance).total == Decimal("2.5")


def test_the_ledger_and_a_bill_are_compared_from_the_rows(database, finance, home):
    """One call is in both, one is unpriced, and 400,000 tokens of the bill are in no call."""
    prices.approve(database.rw, finance, [proposal(database, "2.5")])
    call(database, home)
    call(database, home, cost=None, input_tokens=100_000)
    with seeing(database.rw, finance.workspaces) as connection:
        connection.execute(text("SELECT price_new_ai_calls(:since)"), {"since": BEGAN})
    call(database, home, input_tokens=200_000, created_at=NOON + timedelta(minutes=1))
    read(database, finance, costs(DAY, dollars="4.25", tokens=1_700_000))
    bills.state_invoice(
        database.rw, finance, the_bill(database, finance).id, revision=the_bill(database, finance).revision,
        invoiced=Decimal("5.25"), tax=Decimal(1), number="OAI-7",
    )  # fmt: skip
    found = reconciliation(database.rw, finance, the_bill(database, finance))
    assert {kind: amount for kind, amount in found.by_kind.items() if amount} == {
        Kind.UNPRICED: Decimal("0.5"),
        Kind.MISSING: 1,
    }
    assert (found.ledger, found.charged, found.invoiced, found.unexplained) == (
        Decimal("2.75"), Decimal("4.25"), Decimal("5.25"), 1,
    )  # fmt: skip
    behind = calls_behind(
        database.ro, finance, provider="openai", model="gpt-4o", day=DAY, zone="UTC", kind=Kind.UNPRICED
    )
    assert [(one.tokens_in, one.cost) for one in behind.rows] == [(200_000, None)]


def test_price_zone_lateness_and_rounding_are_told_from_the_rows_to_the_last_place(database, finance, home):
    """At 2.50 a million: a call of California's evening, one that ended after its midnight, and a day at 3.00."""
    of = {"provider": "google", "model": "gemini-2.5-flash"}
    with database.setup.begin() as connection:
        add(connection, "ai_prices", **of, unit="input", price=Decimal("2.5"), per=1_000_000, version=1, source="test",
            valid_from=BEGAN, approved_at=NOON)  # fmt: skip
    day = {number: DAY + timedelta(days=number) for number in range(5)}
    at = {number: NOON + timedelta(days=number) for number in range(5)}
    midnight = at[3].replace(hour=7, minute=30)
    call(database, home, **of, input_tokens=1_000_003)
    call(database, home, **of, input_tokens=200_000, created_at=at[1].replace(hour=3))
    call(database, home, **of, input_tokens=400_000, created_at=midnight - timedelta(hours=1, minutes=15),
         completed_at=midnight + timedelta(hours=1))  # fmt: skip
    call(database, home, **of, input_tokens=1_000_000, created_at=at[4])
    with seeing(database.rw, finance.workspaces) as connection:
        connection.execute(text("SELECT price_new_ai_calls(:since)"), {"since": BEGAN})
    sku = "GenerateContent text input token count for Gemini 2.5 Flash"
    told = ((0, "1,200,003", "3.000008"), (3, "400,000", "1.000000"), (4, "1,000,000", "3.000000"))
    content = google_file(*(google_row(sku, str(day[number]), *rest, "count", cost) for number, *rest, cost in told))
    read(database, finance, content, name="bill.csv")
    found = reconciliation(database.rw, finance, the_bill(database, finance))
    assert {(part.day, part.kind): part.amount for part in found.parts} == {
        (day[1], Kind.ZONE): Decimal("-0.5"),
        (day[0], Kind.ZONE): Decimal("0.5"),
        (day[0], Kind.ROUNDING): Decimal("0.0000005"),
        (day[3], Kind.ZONE): -1,
        (day[2], Kind.ZONE): 1,
        (day[2], Kind.LATE): -1,
        (day[3], Kind.LATE): 1,
        (day[4], Kind.PRICE): Decimal("0.5"),
    }
    assert (found.ledger, found.charged) == (Decimal("6.5000075"), Decimal("7.000008"))


def test_a_part_opens_the_calls_that_used_what_it_is_about_and_the_lines_of_its_day(database, finance, home):
    """Batches are billed as standard calls; the call that only wrote, and the one that is no batch, are others."""
    for tier, tokens in (("standard", 500_000), ("batch", 300_000), ("batch", 0)):
        call(database, home, service_tier=tier, input_tokens=tokens, output_tokens=1000)
    read(database, finance, costs(DAY))
    of = {"provider": "openai", "model": "gpt-4o", "day": DAY, "zone": "UTC"}

    def behind(kind, *meters):
        found = calls_behind(database.ro, finance, **of, kind=kind, meters=meters)
        return sorted((one.service_tier, one.tokens_in) for one in found.rows)

    assert behind(Kind.TIER, Meter("input", tier="batch")) == [("batch", 300_000)]
    assert behind(Kind.MISSING, Meter("input", tier="")) == [("batch", 300_000), ("standard", 500_000)]
    assert behind(Kind.PRICE, Meter("audio_input")) == []
    assert len(behind(Kind.ROUNDING)) == 3
    [told] = lines_behind(
        database.ro, finance, bill=the_bill(database, finance).id, day=DAY, model="gpt-4o", known={"gpt-4o", "o3"}
    )
    assert (told.model, told.unit, told.amount) == ("gpt-4o-2024-08-06", "input", Decimal("2.5"))


def test_what_came_after_the_close_opens_its_corrections(database, finance, home):
    prices.approve(database.rw, finance, [proposal(database, "2.5")])
    closes.close_month(database.rw, finance, MONTH)
    closes.correct_month(
        database.rw, finance, MONTH, workspace_slug="acme", kind="late_usage", product="mailer", provider="openai",
        model="gpt-4o", generation_type="email", amount=Decimal("2.5"), reason="A worker was cut off.",
    )  # fmt: skip
    read(database, finance, costs(DAY))
    found = reconciliation(database.rw, finance, the_bill(database, finance))
    assert {kind: amount for kind, amount in found.by_kind.items() if amount} == {Kind.LATE: Decimal("2.5")}
    [one] = corrections_behind(database.ro, finance, provider="openai", model="gpt-4o", month=MONTH)
    assert (one.amount, one.reason) == (Decimal("2.5"), "A worker was cut off.")


def test_calls_of_a_workspace_that_was_deleted_are_in_the_ledger_that_bills_are_compared_with(database, finance, home):
    prices.approve(database.rw, finance, [proposal(database, "2.5")])
    call(database, home)
    with seeing(database.rw, finance.workspaces) as connection:
        connection.execute(text("SELECT price_new_ai_calls(:since)"), {"since": BEGAN})
    read(database, finance, costs(DAY))
    with database.setup.begin() as connection:
        connection.execute(text("UPDATE workspaces SET deleted_at = now() WHERE id = :id"), {"id": home[0]})
    after = operator(database.pipe, "Fin of finance")
    assert after.workspaces == frozenset()
    assert reconciliation(database.rw, after, the_bill(database, after)).parts == ()


def test_days_of_a_clock_that_is_put_back_hold_every_call_once(database, finance, home):
    """A call an hour for three days: the second of November 2025 had 25 hours in California."""
    began = datetime(2025, 11, 1, 0, 30, tzinfo=UTC)
    with database.setup.begin() as connection:
        connection.execute(text("SELECT make_partitions_between('2025-11-01', '2025-11-30')"))
    for hour in range(72):
        call(database, home, created_at=began + timedelta(hours=hour))
    counted = """
        SELECT CAST(began_on AS text), SUM(quantity)
        FROM ai_usage_of('openai', '2025-10-30', '2025-11-10', 'America/Los_Angeles', '{}', '{}')
        WHERE unit = '' GROUP BY 1 ORDER BY 1
        """
    assert asked(database, counted) == [("2025-10-31", 7), ("2025-11-01", 24), ("2025-11-02", 25), ("2025-11-03", 16)]


def test_an_approved_bill_is_locked_and_an_approval_is_of_what_was_looked_at(database, finance):
    read(database, finance, costs(DAY))
    seen = the_bill(database, finance)
    read(database, finance, costs(OTHER))
    with pytest.raises(StaleEditError):
        bills.approve_bill(database.rw, finance, seen.id, revision=seen.revision, note="")
    bill = the_bill(database, finance)
    bills.approve_bill(database.rw, finance, bill.id, revision=bill.revision, note="Looked at, day by day.")
    with pytest.raises(SightlineError, match="its lines stay as they are"):
        read(database, finance, costs(OTHER + timedelta(days=1)))
    approved = the_bill(database, finance)
    assert (approved.status, approved.total, approved.note) == ("approved", 5, "Looked at, day by day.")
    with pytest.raises(SightlineError, match="for a reason"):
        bills.open_bill(database.rw, finance, bill.id, revision=approved.revision, reason=" ")
    bills.open_bill(database.rw, finance, bill.id, revision=approved.revision, reason="A credit came.")
    assert the_bill(database, finance).status == "open"
    said = asked(database, "SELECT actor, reason FROM audit_log WHERE table_name = 'provider_bills' ORDER BY position")
    assert ("Fin of finance", "Looked at, day by day.") in said
    assert said[-1] == ("Fin of finance", "A credit came.")


def approved(database, finance):
    read(database, finance, costs(DAY))
    bill = the_bill(database, finance)
    bills.approve_bill(database.rw, finance, bill.id, revision=bill.revision, note="")
    return bill.id


def test_a_bill_closes_and_opens_with_its_month(database, finance):
    approved(database, finance)
    closes.close_month(database.rw, finance, MONTH)
    bill = the_bill(database, finance)
    assert bill.status == "closed"
    with pytest.raises(SightlineError, match="closed and opened with its month"):
        bills.open_bill(database.rw, finance, bill.id, revision=bill.revision, reason="No.")
    closes.reopen_month(database.rw, finance, MONTH, reason="A bill came late.")
    assert the_bill(database, finance).status == "approved"


DIRECT = {
    "another amount": "UPDATE provider_bill_lines SET amount = 0",
    "no line": "DELETE FROM provider_bill_lines",
    "a replaced line": "UPDATE provider_bill_lines SET replaced_by = file_id",
    "one more line": """INSERT INTO provider_bill_lines (bill_id, day, amount, currency)
        SELECT id, month, 1, 'USD' FROM provider_bills""",
    "another total": "UPDATE provider_bills SET total = 0",
    "another invoice": "UPDATE provider_bills SET invoiced = 0",
    "another note": "UPDATE provider_bills SET note = 'fine'",
    "another month": "UPDATE provider_bills SET status = 'open', approved_at = NULL, month = '2001-01-01'",
    "no bill": "DELETE FROM provider_bills",
    "closed by hand": "UPDATE provider_bills SET status = 'closed'",
    "a bill that is approved at once": """INSERT INTO provider_bills (provider, month, currency, status, approved_at)
        VALUES ('google', '2001-01-01', 'USD', 'approved', now())""",
    "another file": "UPDATE provider_bill_files SET digest = ''",
    "all lines": "TRUNCATE provider_bill_lines",
    "the trigger": "ALTER TABLE provider_bills DISABLE TRIGGER keep_bills",
}


@pytest.mark.parametrize("is_closed", [False, True])
def test_no_sql_of_the_apps_role_changes_what_was_approved(database, finance, is_closed):
    approved(database, finance)
    if is_closed:
        closes.close_month(database.rw, finance, MONTH)
    before = asked(database, "SELECT status, total, note FROM provider_bills"), lines(database)
    for name, statement in DIRECT.items():
        with pytest.raises(DBAPIError), seeing(database.rw, finance.workspaces) as connection:
            connection.exec_driver_sql(statement)
        assert (asked(database, "SELECT status, total, note FROM provider_bills"), lines(database)) == before, name


def test_whoever_reads_a_file_waits_for_who_approves_and_is_refused(database, finance):
    """The approval is committed while the reader waits for the bill."""
    read(database, finance, costs(DAY))
    bill = the_bill(database, finance)
    failed = []

    def reading():
        try:
            read(database, finance, costs(OTHER))
        except SightlineError as refusal:
            failed.append(str(refusal))

    with database.rw.begin() as connection:
        connection.execute(
            text("UPDATE provider_bills SET status = 'approved', approved_at = now() WHERE id = :id"), {"id": bill.id}
        )
        reader = threading.Thread(target=reading)
        reader.start()
        time.sleep(0.5)
        assert reader.is_alive()
    reader.join(timeout=20)
    assert "its lines stay as they are" in failed[0]
    assert len(lines(database)) == 1


def test_two_who_read_the_same_file_at_once_take_it_once(database, finance):
    reports = []
    threads = [
        threading.Thread(target=lambda: reports.append(read(database, finance, costs(DAY, OTHER)))) for _ in range(6)
    ]
    for thread in threads:
        thread.start()
    for thread in threads:
        thread.join(timeout=30)
    assert sorted(one.was_known for one in reports) == [False, True, True, True, True, True]
    assert len(lines(database)) == 2


def test_bills_are_for_finance_that_sees_the_whole_company(database, finance, home):
    viewer = Viewer("Vi", frozenset({Role.VIEWER}), frozenset({home[0]}))
    with pytest.raises(NotPermittedError):
        kept_bills(database.ro, viewer)
    member = add_member(
        database.rw, finance, email="lim@team.example", password=None, roles=[Role.FINANCE], workspace_slugs=["acme"]
    )
    with database.setup.connect() as connection:
        key = connection.scalar(text("SELECT id FROM team_members WHERE email = 'lim@team.example'"))
    limited = Viewer("Lim", frozenset({Role.FINANCE}), frozenset({home[0]}), key or member)
    for asks in (
        lambda: kept_bills(database.ro, limited),
        lambda: bills.read_file(database.rw, limited, costs(DAY), "costs.json"),
    ):
        with pytest.raises(NotPermittedError, match=r"whole|every"):
            asks()
