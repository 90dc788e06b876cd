"""A row or two in every table, as a small business would have them."""

from dataclasses import dataclass
from datetime import date, timedelta
from typing import Any

from tests.db.rows import (
    NOON,
    add,
    campaign,
    component,
    contact,
    member,
    plan,
    seal,
    subscription,
    template,
    user,
    workspace,
)

MONTH = NOON.date().replace(day=1)
TOMORROW = NOON + timedelta(days=1)
SALES = {"spend": 5, "revenue": 20, "currency": "USD"}


@dataclass(frozen=True)
class Handful:
    """What later rows refer to."""

    connection: Any
    workspace: Any
    user: Any
    person: Any

    def add(self, table, **values):
        """A row of the workspace."""
        return add(self.connection, table, workspace_id=self.workspace, **values)


def fill(connection):
    """Every table that the app can write gets a row; what triggers keep follows from them."""
    customer = user(connection).id
    tenant = workspace(connection, owner_id=customer).id
    person = add(connection, "team_members", email=f"{tenant}@team.example", roles=["admin"]).id
    few = Handful(connection, tenant, customer, person)
    for fill_area in (_people, _billing, _templates, _audience, _email, _web, _ads, _ai, _ai_money, _system):
        fill_area(few)
    return few


def _people(few):
    member(few.connection, few.workspace, few.user, "owner")
    add(few.connection, "user_sessions", user_id=few.user, token_hash=few.workspace.bytes * 2, expires_at=TOMORROW)
    add(few.connection, "team_sessions", team_member_id=few.person, token_hash=few.workspace.bytes * 2,
        session_version=1, signed_in_with="password", expires_at=TOMORROW)  # fmt: skip
    add(few.connection, "api_tokens", team_member_id=few.person, name="Export", begins_with="sightline_abcd",
        token_hash=few.workspace.bytes * 2, created_at=NOON, expires_at=TOMORROW)  # fmt: skip
    add(few.connection, "sign_in_limits", subject_hash=few.workspace.bytes * 2, attempts=1)
    few.add("user_preferences", user_id=few.user)
    few.add("business_profiles", user_id=few.user)
    few.add("brand_profiles", name="Brand")


def _billing(few):
    pro = plan(few.connection)
    add(few.connection, "plan_limits", plan_id=pro.id, meter="template_versions")
    add(few.connection, "plan_features", plan_id=pro.id, feature="api", value=True)
    tried = add(few.connection, "plan_simulations", plan_id=pro.id, plan_revision=1, since=NOON, until=TOMORROW,
        currency="USD", revenue_before=9, revenue_after=9, ai_cost_before=2, ai_cost_after=1, margin_before=7,
        margin_after=8, workspaces=1, workspaces_hit_before=0, workspaces_hit=1, workspaces_eased=0, calls=2,
        refused_before=0, refused_after=1, unpriced=0).id  # fmt: skip
    few.add("plan_simulation_workspaces", simulation_id=tried, revenue_before=9, revenue_after=9, ai_cost_before=2,
        ai_cost_after=1, calls=2, refused_before=0, refused_after=1, first_hit_at=NOON)  # fmt: skip
    package = add(few.connection, "credit_packages", name="Small", credit_amount=10, price=5, currency="USD").id
    bought = subscription(few.connection, few.workspace, few.user, plan=pro).id
    add(few.connection, "plan_approvals", plan_id=pro.id, plan_revision=1, publishes_on=TOMORROW.date(),
        margin_floor=30, asked_by=few.person, asked_name="Ada", reason="A launch")  # fmt: skip
    few.add("plan_migrations", batch_id=few.workspace, subscription_id=bought, from_plan_id=pro.id,
        to_plan_id=plan(few.connection).id, price_before=10, price_after=12, due_on=TOMORROW.date(), asked_name="Ada",
        reason="A launch")  # fmt: skip
    add(few.connection, "fx_rates", day=NOON.date() - timedelta(days=few.workspace.int % 9000), currency="INR",
        reporting_currency="USD", rate="0.012", source="test")  # fmt: skip
    invoice = few.add("invoices", number="1", subscription_id=bought, currency="USD", subtotal_minor=1000,
        total_minor=1000, period_start=NOON, period_end=TOMORROW).id  # fmt: skip
    few.add("invoice_lines", invoice_id=invoice, product="email_studio", kind="subscription", description="Pro",
        unit_amount_minor=1000, amount_minor=1000, currency="USD", period_start=NOON, period_end=TOMORROW)  # fmt: skip
    few.add("payments", user_id=few.user, package_id=package, provider="stripe", amount=5, currency="USD")
    few.add("credit_transactions", user_id=few.user, amount=10, type="purchase", position=0, balance_after=10)


def _templates(few):
    made = template(few.connection, few.workspace, status="published").id
    shelf = few.add("categories", name="News").id
    few.add("template_sections", template_id=made, kind="hero", position=0)
    few.add("template_categories", template_id=made, category_id=shelf, category_workspace_id=few.workspace)
    few.add("template_metrics", template_id=made, impressions=10)
    few.add("workspace_templates", library_template_id=made, library_template_workspace_id=few.workspace)
    few.add("component_library", name="Form", component_type="form", tags=["form"])


def _audience(few):
    reader = contact(few.connection, few.workspace).id
    few.add("list_contacts", list_id=few.add("lists", name="Everyone").id, contact_id=reader)


def _email(few):
    mailing = campaign(few.connection, few.workspace, "email").id
    reader = contact(few.connection, few.workspace).id
    few.add("campaign_lists", campaign_id=mailing, list_id=few.add("lists", name="Nobody").id)
    for _ in range(2):
        few.add("email_events", occurred_at=NOON, campaign_id=mailing, contact_id=reader, event_type="opened",
            provider="ses", provider_event_key="1")  # fmt: skip
    gone = few.add("email_events", occurred_at=NOON, campaign_id=mailing, contact_id=reader, event_type="sent",
        provider="ses")  # fmt: skip
    few.connection.exec_driver_sql("DELETE FROM email_events WHERE id = %s", (gone.id,))


def _web(few):
    page = campaign(few.connection, few.workspace, "web").id
    part = component(few.connection, few.workspace, page).id
    few.add("campaign_events", campaign_id=page, component_id=part, event_type="view")
    few.add("conversions", campaign_id=page, component_id=part, conversion_type="sale", value=9, currency="USD")
    connected = few.add("platform_integrations", user_id=few.user, platform_type="wordpress").id
    few.add("platform_analyses", integration_id=connected, analysis_type="full_audit")


def _ads(few):
    account = few.add("meta_accounts", user_id=few.user, meta_user_id="1", access_token="v1.00000000.sealed").id
    advertised = campaign(few.connection, few.workspace, "ads", of_channel={"meta_account_id": account}).id
    few.add("performance_analytics", campaign_id=advertised, date=NOON.date(), **SALES)
    few.add("ai_optimization_logs", campaign_id=advertised, optimization_type="budget")
    picture = few.add("creative_assets", user_id=few.user, product="craft_ads", asset_type="image", file_url="/1.png")
    few.add("campaign_assets", campaign_id=advertised, asset_id=picture.id)


def _ai(few):
    few.add("ai_generations", user_id=few.user, product="craft_ads", provider="google", model="imagen",
        generation_type="image", status="completed", cost="0.04", price_version=1)  # fmt: skip
    few.add("usage_logs", user_id=few.user, product="craft_ads", feature="api_call")


def _ai_money(few):
    add(few.connection, "ai_prices", provider="google", model="imagen", unit="image", price="0.04", per=1,
        valid_from=NOON, version=1, source="price list")  # fmt: skip
    budget = few.add("budgets", name="AI", scope="workspace", amount=100).id
    alert = few.add("budget_alerts", budget_id=budget, period_start=NOON, threshold=50).id
    few.add("alert_deliveries", alert_id=alert, channel="email")
    few.add("budget_evaluations", budget_id=budget, period_start=NOON, amount=100, spent=50, held=0)
    few.add("ai_holds", call_key="1", amount="0.04", expires_at=TOMORROW)
    add(few.connection, "ai_stops", scope="product", scope_value=str(few.workspace), reason="A test.")
    # One bill a month: every handful brings a month of its own.
    month = date(1970 + few.workspace.int % 50, 1, 1)
    read = add(few.connection, "provider_bill_files", provider="google", kind="cost", name="csv", rows=1,
        digest=str(few.workspace), first_day=month, last_day=month).id  # fmt: skip
    bill = add(few.connection, "provider_bills", provider="google", month=month, currency="USD", total=4).id
    few.connection.exec_driver_sql(
        "INSERT INTO ai_months (month, closed_at, cost, calls, unpriced) VALUES ('2001-01-01', now(), 0, 0, 0)"
        " ON CONFLICT DO NOTHING"
    )
    few.add("ai_cost_corrections", month=date(2001, 1, 1), kind="other", product="craft_ads", provider="google",
        model="imagen", generation_type="image", amount="-0.04", reason="An image too many.")  # fmt: skip
    add(few.connection, "provider_bill_lines", bill_id=bill, day=month, amount=4, currency="USD", file_id=read)
    quota = {"product": "craft_ads", "meter": "imagen", "period": "day"}
    balance = few.add("quota_balances", period_start=NOON, **quota).id
    few.add("quota_reservations", balance_id=balance, idempotency_key="1", amount=1, expires_at=TOMORROW)
    few.add("quota_overrides", reason="A launch.", ends_at=TOMORROW, starts_at=NOON, **quota)


def _system(few):
    form = add(few.connection, "export_formats", key=f"form-{few.workspace}", name="Form", mime_type="text/html").id
    few.add("exports", user_id=few.user, format_id=form)
    few.add("jobs", job_type="export")
    add(few.connection, "job_schedules", job_type=f"job-{few.workspace}", occurred_at=NOON)
    add(few.connection, "job_workers", name=f"worker-{few.workspace}")
    add(few.connection, "settings", key=f"key-{few.workspace}", value={"on": True})
    add(few.connection, "retention_policies", subject=str(few.workspace), description="A rule.")
    add(few.connection, "saved_views", team_member_id=few.person, page="email", name="Mine")
    add(few.connection, "audit_verifications", verified_by="Ada", since=0, number=0, hash="")
    seal(few.connection)
    few.add("annotations", team_member_id=few.person, starts_on=NOON.date(), text="A launch.")
