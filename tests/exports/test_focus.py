"""AI cost as FOCUS 1.4: a linter finds nothing to say, the costs add up to the ledger, and corrections are told."""

import csv
import io
import json
from collections import Counter
from datetime import UTC, date, datetime, timedelta
from decimal import Decimal

import pytest
from focus_data_toolkit.model import dataset_columns, lint_focus_1_4_structure
from focus_data_toolkit.model.capabilities import KNOWN_CONDITIONS
from focus_data_toolkit.validate.bundle import validate_dataset_bundle
from sqlalchemy import text
from typer.testing import CliRunner

from app.access import NotPermittedError, Role, Viewer, operator
from app.cli import app as command_line
from app.exports.address import Kind
from app.exports.files import WRITERS
from app.exports.focus import Month, dataset_named, month_named, sheet
from app.metrics.errors import MalformedQuestionError
from app.money.focus import COLUMNS, Dataset, next_month
from app.money.units import UNREPORTED
from app.settings import settings
from tests.db.loaded import TODAY, demo_database
from tests.db.rows import add

NAMES = {
    Dataset.COST_AND_USAGE: "Cost and Usage",
    Dataset.BILLING_PERIOD: "Billing Period",
    Dataset.INVOICE_DETAIL: "Invoice Detail",
}
NOW = datetime(TODAY.year, TODAY.month, TODAY.day, 12, tzinfo=UTC)
THIS = TODAY.replace(day=1)
REASON = "Came late, as the test says."
BEFORE = (THIS - timedelta(days=1)).replace(day=1)
# The linter knows national currencies alone; the specification's Currency Format allows others, such as credits.
ALLOWED = {("bad_currency", "PricingCurrency", "invalid value 'Credits'")}


@pytest.fixture(scope="module")
def demo(server18):
    """The demo, in which the month before last is closed, and corrected twice more today."""
    with demo_database(server18) as fresh:
        with fresh.setup.begin() as connection:
            homes = connection.scalars(text("SELECT id FROM workspaces WHERE kind = 'customer' ORDER BY slug LIMIT 2"))
            customer = connection.scalar(text("SELECT id FROM users LIMIT 1"))
            for home, amount in zip(list(homes), (Decimal("1.234567890123"), Decimal("-0.5")), strict=True):
                add(
                    connection, "ai_cost_corrections", workspace_id=home, month=earlier(BEFORE), kind="late_usage",
                    product="mailer", provider="openai", model="gpt-4o", generation_type="email", amount=amount,
                    reason=REASON, created_at=NOW,
                )  # fmt: skip
            # Nobody could price these.
            for told in ({"more_units": {"dream_tokens": 5}}, {"status": "cancelled", "more_units": {UNREPORTED: 1}}):
                row = {"product": "mailer", "provider": "openai", "model": "gpt-4o", "generation_type": "email",
                       "status": "completed", "created_at": NOW, **told}  # fmt: skip
                add(connection, "ai_generations", workspace_id=home, user_id=customer, **row)
        yield fresh


def earlier(month):
    return (month - timedelta(days=1)).replace(day=1)


@pytest.fixture(scope="module")
def finance(demo):
    return operator(demo.pipe, "Fin")


def rows(demo, viewer, month, dataset=Dataset.COST_AND_USAGE):
    """As a program reads the file."""
    told = Month(demo.ro, lambda: viewer, month, NOW)
    file = b"".join(WRITERS[Kind.CSV](sheet(told, dataset))).decode()
    return list(csv.DictReader(io.StringIO(file)))


def one(demo, question, **values):
    with demo.setup.connect() as connection:
        return connection.execute(text(question), values).scalar_one()


def cost(listed):
    return sum((Decimal(row["EffectiveCost"]) for row in listed), Decimal(0))


LEDGER = "SELECT COALESCE(SUM(cost), 0) FROM ai_generations WHERE created_at >= :since AND created_at < :until"


@pytest.mark.parametrize("month", [THIS, BEFORE, earlier(BEFORE)])
@pytest.mark.parametrize("dataset", Dataset)
def test_the_linter_finds_nothing(demo, finance, month, dataset):
    listed = rows(demo, finance, month, dataset)
    if dataset is Dataset.INVOICE_DETAIL and month == THIS:
        assert listed == []  # nobody has billed a month that goes on
        return
    report = lint_focus_1_4_structure(NAMES[dataset], listed, supported_conditions=KNOWN_CONDITIONS)
    found = {(told.rule, told.column, told.message) for told in report.violations}
    assert found - ALLOWED == set()


def test_the_linter_would_find_something(demo, finance):
    broken = [row | {"BilledCost": "1,5", "ChargeCategory": "Use"} for row in rows(demo, finance, BEFORE)[:2]]
    report = lint_focus_1_4_structure("Cost and Usage", broken)
    assert {told.rule for told in report.violations} >= {"bad_numeric_format", "not_in_allowed_values"}


def test_datasets_fit_each_other(demo, finance):
    for month in (BEFORE, earlier(BEFORE)):
        bundle = {name: rows(demo, finance, month, dataset) for dataset, name in NAMES.items()}
        report = validate_dataset_bundle(bundle)
        assert report.errors == []
        assert "cost_and_usage_invoice_detail_fk" in report.checks_run


@pytest.mark.parametrize("dataset", Dataset)
def test_columns_are_those_of_the_specification_or_our_own(dataset):
    known = set(dataset_columns(NAMES[dataset]))
    assert {name for name in COLUMNS[dataset] if name not in known and not name.startswith("x_")} == set()


@pytest.mark.parametrize("month", [THIS, BEFORE, earlier(BEFORE)])
def test_costs_of_a_month_add_up_to_the_ledger_to_the_last_digit(demo, finance, month):
    listed = [row for row in rows(demo, finance, month) if row["ChargeClass"] != "Correction"]
    assert cost(listed) == one(demo, LEDGER, since=month, until=next_month(month))
    assert cost(listed) > 0
    for column in ("BilledCost", "ListCost", "ContractedCost"):
        assert sum(Decimal(row[column]) for row in listed) == cost(listed)


def test_all_months_add_up_to_what_ai_cost_with_its_corrections(demo, finance):
    first = one(demo, "SELECT date_trunc('month', MIN(created_at))::date FROM ai_generations")
    total, month = Decimal(0), first
    while month <= THIS:
        total += cost(rows(demo, finance, month))
        month = next_month(month)
    corrected = one(demo, "SELECT SUM(amount) FROM ai_cost_corrections")
    assert corrected
    assert total == one(demo, "SELECT SUM(cost) FROM ai_generations") + corrected


def test_a_row_is_of_a_day_a_workspace_a_model_a_kind_of_token_and_a_price(demo, finance):
    used = [row for row in rows(demo, finance, BEFORE) if row["x_TokenKind"]]
    keys = Counter(
        (row["ChargePeriodStart"], row["SubAccountId"], row["SkuPriceId"], row["ListUnitPrice"]) for row in used
    )
    assert set(keys.values()) == {1}
    assert {row["x_TokenKind"] for row in used} >= {"input", "output"}
    counted = one(
        demo,
        "SELECT SUM(input_tokens) FROM ai_generations"
        " WHERE cost IS NOT NULL AND created_at >= :since AND created_at < :until",
        since=BEFORE,
        until=THIS,
    )
    assert sum(Decimal(row["ConsumedQuantity"]) for row in used if row["x_TokenKind"] == "input") == counted


def test_nothing_of_the_demo_stays_unsplit(demo, finance):
    """Every call of it is priced by the book that there is."""
    assert [row for row in rows(demo, finance, BEFORE) if row["PricingUnit"] == "USD"] == []


def test_a_correction_stands_in_the_period_in_which_it_was_made_over_the_month_that_it_corrects(demo, finance):
    found = [row for row in rows(demo, finance, THIS) if row["x_CorrectionReason"] == REASON]
    corrected = f"{earlier(BEFORE)}T00:00:00Z"
    assert {(row["ChargePeriodStart"], row["BillingPeriodStart"]) for row in found} == {
        (corrected, f"{THIS}T00:00:00Z")
    }
    assert sorted(Decimal(row["BilledCost"]) for row in found) == [Decimal("-0.5"), Decimal("1.234567890123")]
    assert {row["ChargeClass"] for row in found} == {"Correction"}
    earliest = rows(demo, finance, earlier(BEFORE))
    assert [row for row in earliest if row["ChargeClass"] and row["ChargePeriodStart"] == corrected] == []


def test_unpriced_calls_are_told_and_cost_nothing(demo, finance):
    found = [row for row in rows(demo, finance, THIS) if row["x_UnpricedCalls"]]
    counted = one(
        demo,
        "SELECT COUNT(*) FROM ai_generations WHERE cost IS NULL AND status IN ('completed', 'failed', 'cancelled')"
        " AND created_at >= :since AND created_at < :until",
        since=THIS,
        until=next_month(THIS),
    )
    assert sum(int(row["x_UnpricedCalls"]) for row in found) == counted > 0
    assert {row["ChargeCategory"] for row in found} == {"Adjustment"}


def test_credits_are_a_currency_of_their_own_and_no_dollars(demo, finance):
    found = [row for row in rows(demo, finance, BEFORE) if row["PricingCurrency"] == "Credits"]
    moved = one(
        demo,
        "SELECT SUM(amount) FROM credit_transactions WHERE created_at >= :since AND created_at < :until",
        since=BEFORE,
        until=THIS,
    )
    assert sum(int(row["x_CreditsMoved"]) for row in found) == moved
    assert cost(found) == 0
    used = one(
        demo,
        "SELECT -SUM(amount) FROM credit_transactions"
        " WHERE type = 'usage' AND created_at >= :since AND created_at < :until",
        since=BEFORE,
        until=THIS,
    )
    consumed = [row for row in found if row["ChargeCategory"] == "Usage"]
    assert sum(Decimal(row["PricingCurrencyEffectiveCost"]) for row in consumed) == used > 0


def test_bills_are_told_line_by_line_and_charges_name_the_line_that_covers_them(demo, finance):
    lines = rows(demo, finance, earlier(BEFORE), Dataset.INVOICE_DETAIL)
    billed = one(demo, "SELECT SUM(total + tax) FROM provider_bills WHERE month = :month", month=earlier(BEFORE))
    assert sum(Decimal(row["BilledCost"]) for row in lines) == billed
    issued = {row["InvoiceDetailId"] for row in lines if row["InvoiceIssueStatus"] == "Issued"}
    named = {row["InvoiceDetailId"] for row in rows(demo, finance, earlier(BEFORE)) if row["InvoiceDetailId"]}
    assert named <= issued


def test_a_closed_month_is_a_closed_period(demo, finance):
    def statuses(month):
        return {row["BillingPeriodStatus"] for row in rows(demo, finance, month, Dataset.BILLING_PERIOD)}

    assert (statuses(earlier(BEFORE)), statuses(THIS)) == ({"Closed"}, {"Open"})


def test_a_limited_person_gets_their_own_workspaces_alone(demo, finance):
    mine = sorted(finance.workspaces)[:3]
    limited = Viewer("Lim", frozenset({Role.FINANCE}), frozenset(mine))
    listed = rows(demo, limited, BEFORE)
    assert {row["SubAccountId"] for row in listed} <= {str(one) for one in mine}
    known = one(
        demo,
        "SELECT SUM(cost) FROM ai_generations"
        " WHERE workspace_id = ANY (:mine) AND created_at >= :since AND created_at < :until",
        mine=mine,
        since=BEFORE,
        until=THIS,
    )
    assert cost(listed) == known


@pytest.mark.parametrize("dataset", Dataset)
def test_whoever_may_not_read_cost_gets_nothing(demo, finance, dataset):
    viewer = Viewer("Vi", frozenset({Role.VIEWER}), finance.workspaces)
    with pytest.raises(NotPermittedError):
        rows(demo, viewer, BEFORE, dataset)


@pytest.mark.parametrize("kind", Kind)
def test_every_kind_of_file_can_be_written(demo, finance, kind):
    told = Month(demo.ro, lambda: finance, BEFORE, NOW)
    assert sum(len(piece) for piece in WRITERS[kind](sheet(told, Dataset.COST_AND_USAGE))) > 1000


def test_the_command_line_writes_every_dataset_beside_what_its_columns_are(demo, tmp_path, monkeypatch):
    monkeypatch.setenv("SIGHTLINE_HOME", str(tmp_path / "home"))
    monkeypatch.setenv("DATABASE_URL", demo.server.url(demo.name))
    settings.cache_clear()
    told = CliRunner().invoke(command_line, ["export", "focus", "--month", f"{BEFORE:%Y-%m}", "--to", str(tmp_path)])
    settings.cache_clear()
    assert (told.exception, told.exit_code) == (None, 0)
    for dataset in Dataset:
        name = f"focus-{BEFORE:%Y-%m}-{dataset}"
        head = (tmp_path / f"{name}.csv").read_text().splitlines()[0].split(",")
        schema = json.loads((tmp_path / f"{name}.schema.json").read_text())
        assert schema["FocusVersion"] == "1.4"
        assert [column["ColumnName"] for column in schema["ColumnDefinition"]] == head


@pytest.mark.parametrize("given", ["2026", "2026-13", "October", ""])
def test_what_is_no_month_is_said(given):
    with pytest.raises(MalformedQuestionError, match="is no month"):
        month_named(given)
    assert month_named("2026-10") == date(2026, 10, 1)


def test_what_is_no_dataset_is_said():
    with pytest.raises(MalformedQuestionError, match="is no dataset"):
        dataset_named("contract-commitment")
