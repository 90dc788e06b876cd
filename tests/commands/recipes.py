"""How each command is given once: what it needs to be there, what is given as JSON, and what is wrong another time.

A new command needs an entry here: the tests of all commands go through them.
"""

import base64
from collections.abc import Callable, Mapping
from dataclasses import dataclass, field
from datetime import UTC, datetime, timedelta
from typing import Any
from uuid import UUID

from sqlalchemy import text

from app.access import Role
from app.commands import (
    bills,
    closes,
    customers,
    prices,
    quotas,
    stops,
    subscriptions,
    team_rights,
    templates,
    templates_components,
    templates_shelves,
    templates_states,
    tokens,
    views,
    workspaces,
)
from app.commands.annotations import write_remark
from app.commands.quota_rules import SERVICE_LIMITS
from app.commands.quotas import Allowance
from app.commands.templates import Draft
from app.commands.templates_components import Terms
from app.commands.templates_shelves import Label
from db.engine import seeing
from tests.commands.company import MONTH, SOON, Company
from tests.commands.plan_recipes import PLANS
from tests.db.rows import NOON, member, template, user
from tests.ingest.samples import as_bytes, openai_bucket, openai_cost, page

Arguments = dict[str, Any]
NOBODY = "00000000-0000-7000-8000-000000000000"
BUDGET = {"name": "AI", "amount": "100"}
DAY = str(NOON.date())
BILL = as_bytes(page(openai_bucket(DAY, openai_cost("gpt-4o-2024-08-06, input", "2.5", 1_000_000))))


@dataclass(frozen=True)
class Recipe:
    """What is given; `wrong` is put in place of parts of it, and then the command `says` so."""

    given: Callable[[Company], Arguments]
    wrong: Mapping[str, Any] = field(default_factory=dict)
    says: str = ""


def once(**arguments: Any) -> Callable[[Company], Arguments]:
    """Arguments that need nothing to be there."""
    return lambda _: dict(arguments)


def budget(company: Company, **more: Any) -> Arguments:
    return {"key": str(company.add("budgets", name="AI", scope="company", amount=100)), "revision": 1, **more}


def paused_budget(company: Company) -> Arguments:
    key = company.add("budgets", name="AI", scope="company", amount=100, is_active=False)
    return {"key": str(key), "revision": 1}


def alert(company: Company, **more: Any) -> Arguments:
    of = company.add("budgets", name="AI", scope="company", amount=100)
    key = company.add(
        "budget_alerts", budget_id=of, period_start=NOON, threshold=50, reason="50 % of the budget are spent."
    )
    return {"key": str(key), **more}


def bill(company: Company, **more: Any) -> Arguments:
    bills.read_file(company.database.rw, company.viewer(Role.ADMIN), BILL, "costs.json")
    [(key, revision)] = company.ask("SELECT id, revision FROM provider_bills")
    return {"key": str(key), "revision": revision, **more}


def approved_bill(company: Company) -> Arguments:
    there = bill(company)
    bills.approve_bill(company.database.rw, company.viewer(Role.ADMIN), **there, note="")
    return {"key": there["key"], "revision": there["revision"] + 1, "reason": "A line is wrong"}


def proposal(company: Company, tier: str = "standard") -> str:
    return str(
        company.add(
            "ai_prices", provider="openai", model="gpt-4o", unit="input", price=2, per=1_000_000, valid_from=MONTH,
            service_tier=tier, source="a test",
        )
    )  # fmt: skip


def charged_otherwise(company: Company) -> Arguments:
    """A flexible call of a million tokens for two dollars, for which the provider charged two and a half."""
    company.add(
        "ai_generations", workspace_id=company.workspace, user_id=company.customer, product="mailer",
        provider="openai", model="gpt-4o", generation_type="email", status="completed", created_at=NOON,
        input_tokens=1_000_000, service_tier="flex",
    )  # fmt: skip
    prices.approve(company.database.rw, company.viewer(Role.ADMIN), [UUID(proposal(company, "flex"))])
    charged = openai_cost("gpt-4o-2024-08-06, input flex", "2.5", 1_000_000)
    bills.read_file(
        company.database.rw, company.viewer(Role.ADMIN), as_bytes(page(openai_bucket(DAY, charged))), "costs.json"
    )
    return {}


def closed_month(company: Company, **more: Any) -> Arguments:
    closes.close_month(company.database.rw, company.viewer(Role.ADMIN), MONTH)
    return {"month": str(MONTH), **more}


def override(company: Company, **more: Any) -> Arguments:
    key = quotas.override_quota(
        company.database.rw, company.viewer(Role.ADMIN), Allowance(50, datetime.fromisoformat(SOON)),
        workspace_slug="acme", product="web_builder", meter="generations",
        period="month", reason="A launch",
    )  # fmt: skip
    return {"key": str(key), "revision": 1, **more}


def credits_of_carl(company: Company, **more: Any) -> Arguments:
    quotas.grant_credits(
        company.database.rw, company.viewer(Role.ADMIN), workspace_slug="acme", user_email="carl@people.example",
        amount=10, reason="Welcome", ends_at=datetime.fromisoformat(SOON),
    )  # fmt: skip
    return {**CREDITS, **more}


def remark(company: Company, **more: Any) -> Arguments:
    key = write_remark(company.database.rw, company.viewer(Role.VIEWER), text="A launch", starts_on=NOON.date())
    return {"key": str(key), "revision": 1, **more}


def stop(company: Company) -> Arguments:
    key = stops.start_stop(company.database.rw, company.viewer(Role.ADMIN), scope="all", reason="A key leaked")
    return {"key": str(key), "reason": "It was replaced"}


def view(company: Company) -> Arguments:
    saved = views.save_view(company.database.rw, company.viewer(Role.VIEWER), page="ads", name="Mine", query=[])
    return {"key": str(saved)}


def token(company: Company) -> Arguments:
    made = tokens.make_token(company.database.rw, company.viewer(Role.VIEWER), name="Nightly export", days=30)
    return {"key": str(made.id)}


def colleague(company: Company, **more: Any) -> Arguments:
    """Dora, an editor of acme beside Carl."""
    with company.database.setup.begin() as connection:
        dora = user(connection, email="dora@people.example").id
        joined = member(connection, company.workspace, dora, "editor").id
    return {"workspace": str(company.workspace), "member": str(joined), **more}


def account(company: Company, **more: Any) -> Arguments:
    return {"customer": str(company.customer), "reason": "It was asked for", **more}


def inactive_account(company: Company) -> Arguments:
    customers.deactivate(company.database.rw, company.viewer(Role.ADMIN), company.customer, reason="Abuse")
    return account(company)


def signed_in_account(company: Company) -> Arguments:
    company.add(
        "user_sessions",
        user_id=company.customer,
        token_hash=company.workspace.bytes * 2,
        expires_at=datetime.fromisoformat(SOON),
    )
    return account(company)


def home(company: Company, **more: Any) -> Arguments:
    [(revision,)] = company.ask("SELECT revision FROM workspaces WHERE id = :key", key=company.workspace)
    return {"key": str(company.workspace), "revision": revision, "reason": "It closed", **more}


def deleted_home(company: Company) -> Arguments:
    given = home(company)
    workspaces.delete_workspace(
        company.database.rw,
        company.viewer(Role.ADMIN),
        company.workspace,
        revision=given["revision"],
        reason="It closed",
    )
    return {"key": given["key"], "reason": "It opened again"}


def bought(company: Company, **more: Any) -> Arguments:
    [(key, revision)] = company.ask("SELECT id, revision FROM subscriptions")
    return {"workspace": str(company.workspace), "key": str(key), "revision": revision, "reason": "Asked for", **more}


def ending(company: Company) -> Arguments:
    given = bought(company)
    subscriptions.cancel_at_period_end(
        company.database.rw, company.viewer(Role.ADMIN), company.workspace, UUID(given["key"]),
        revision=given["revision"], reason="Asked for",
    )  # fmt: skip
    return bought(company)


def larger_plan(company: Company) -> Arguments:
    larger = company.add(
        "plans", product="web_builder", tier="agency", version=1, name="Agency", price=49, currency="USD",
        status="published", published_at=NOON,
    )  # fmt: skip
    return bought(company, plan=str(larger))


def service_limits(company: Company) -> Arguments:
    [(revision,)] = company.ask("SELECT revision FROM settings WHERE key = :key", key=SERVICE_LIMITS)
    return {"wanted": {"generations": 100}, "revision": revision, "reason": "A crowd"}


def lost_call(company: Company) -> Arguments:
    """One generation of ten is held."""
    [(plan,)] = company.ask("SELECT plan_id FROM subscriptions")
    company.add("plan_limits", plan_id=plan, meter="generations", amount=10)
    with seeing(company.database.rw, [company.workspace], actor="a product") as connection:
        connection.execute(
            text("SELECT quota_reserve(:home, :customer, 'web_builder', '{\"generations\": 1}', 'a call')"),
            {"home": company.workspace, "customer": company.customer},
        )
    [(key,)] = company.ask("SELECT id FROM quota_reservations")
    return {"workspace": str(company.workspace), "reservation": str(key), "reason": "Its process was killed"}


def teammate(company: Company, **more: Any) -> Arguments:
    return {"key": str(company.team[Role.VIEWER]), "revision": 1, "reason": "Another job", **more}


def former_teammate(company: Company) -> Arguments:
    team_rights.deactivate_member(
        company.database.rw, company.viewer(Role.ADMIN), company.team[Role.VIEWER], revision=1, reason="Left"
    )
    return teammate(company, revision=2)


def written(company: Company, **values: Any) -> Arguments:
    """A template of acme, and the revision that it has."""
    with company.database.setup.begin() as connection:
        made = template(connection, company.workspace, **{"subject": "Welcome", **values})
    return {"key": str(made.id), "revision": made.revision}


def picked(company: Company, reason: str | None = None, **values: Any) -> Arguments:
    one = written(company, **values)
    return {"picked": {one["key"]: one["revision"]}, **({} if reason is None else {"reason": reason})}


def retired_template(company: Company) -> Arguments:
    one = picked(company)["picked"]
    admin, keys = company.viewer(Role.ADMIN), {UUID(key): revision for key, revision in one.items()}
    done = templates_states.retire_templates(company.database.rw, admin, keys, reason="Old")
    return {"picked": {str(key): revision for key, revision in done.items()}}


def rewritten(company: Company) -> Arguments:
    """A template that said something else before."""
    one = written(company)
    admin = company.viewer(Role.ADMIN)
    revision = templates.edit_template(
        company.database.rw, admin, UUID(one["key"]), Draft("Welcome", html_content="<p>2</p>"),
        revision=one["revision"],
    )  # fmt: skip
    return {"key": one["key"], "version": 1, "revision": revision, "reason": "The first was better"}


def shelf(company: Company, name: str = "Welcome") -> str:
    made = templates_shelves.create_shelf(
        company.database.rw, company.viewer(Role.ADMIN), Label(name), workspace_slug="acme"
    )
    return str(made)


def two_shelves(company: Company) -> Arguments:
    there = [shelf(company, "B"), shelf(company, "A")]
    return {"keys": there[::-1], "was": there}


def retired_shelf(company: Company) -> Arguments:
    key = shelf(company)
    revision = templates_shelves.retire_shelf(
        company.database.rw, company.viewer(Role.ADMIN), UUID(key), revision=1, reason="Empty"
    )
    return {"key": key, "revision": revision}


def component(company: Company, **more: Any) -> Arguments:
    key = company.add(
        "component_library", workspace_id=company.workspace, name="Prices", component_type="form", code="<b>1</b>"
    )
    return {"key": str(key), "revision": 1, **more}


def offered_component(company: Company) -> Arguments:
    given = component(company)
    templates_components.publish_component(
        company.database.rw, company.viewer(Role.ADMIN), UUID(given["key"]), is_for_sale=False, revision=1
    )
    return given | {"revision": 2, "reason": "It broke"}


def without_reason(company: Company) -> Arguments:
    return {name: value for name, value in offered_component(company).items() if name != "reason"}


def changed_component(company: Company) -> Arguments:
    given = component(company)
    revision = templates_components.edit_component(
        company.database.rw, company.viewer(Role.ADMIN), UUID(given["key"]), Terms("Prices", code="<b>2</b>"),
        revision=1,
    )  # fmt: skip
    return given | {"version": 1, "revision": revision, "reason": "The first was better"}


def draft_plan(company: Company, **values: Any) -> str:
    return str(
        company.add(
            "plans",
            **{"product": "web_builder", "tier": "creator", "version": 900, "name": "Creator", "price": 25,
               "currency": "USD", "status": "draft", **values},
        )
    )  # fmt: skip


def plan_of_three_weeks(company: Company) -> Arguments:
    began = datetime.now(UTC) - timedelta(days=21)
    return {"plan_id": draft_plan(company, tier="pro", status="published", published_at=began)}


def setting(company: Company) -> Arguments:
    [(revision,)] = company.ask("SELECT revision FROM settings WHERE key = 'meta_api_rate_limits'")
    return {"key": "meta_api_rate_limits", "fields": {"calls_per_hour": 70}, "revision": revision, "reason": "A launch"}


def rule(company: Company) -> Arguments:
    [(key, revision)] = company.ask("SELECT id, revision FROM retention_policies WHERE subject = 'completed_jobs'")
    terms = {"keep_days": 60, "is_active": True}
    return {"key": str(key), "terms": terms, "revision": revision, "reason": "For the auditors"}


def connected(company: Company, **values: Any) -> Arguments:
    key = company.add(
        "platform_integrations", workspace_id=company.workspace, user_id=company.customer, platform_type="wordpress",
        connection_status="connected", encrypted_credentials="v1.00000000.sealed", **values,
    )  # fmt: skip
    [(revision,)] = company.ask("SELECT revision FROM platform_integrations WHERE id = :key", key=key)
    return {"key": str(key), "revision": revision, "reason": "The customer asked"}


def job(company: Company, **values: Any) -> Arguments:
    return {"key": str(company.add("jobs", **{"job_type": "export", **values})), "reason": "It is late"}


CREDITS = {"workspace_slug": "acme", "user_email": "carl@people.example", "amount": 5, "reason": "An apology"}
OVERRIDE = {
    "wanted": {"amount": 50, "ends_at": SOON}, "workspace_slug": "acme", "product": "web_builder",
    "meter": "generations", "period": "month", "reason": "A launch",
}  # fmt: skip
CORRECTION = {
    "workspace_slug": "acme", "kind": "late_usage", "product": "mailer", "provider": "openai", "model": "gpt-4o",
    "generation_type": "email", "amount": "0.5", "reason": "It came late",
}  # fmt: skip
PRICE = {
    "provider": "openai", "model": "gpt-4o", "unit": "input", "price": "2", "per": 1_000_000, "reference": "a letter",
    "valid_from": str(MONTH),
}  # fmt: skip
CHARGED = {
    "model": "gpt-4o", "meter": {"unit": "input"}, "price": "0.000002", "known": None, "since": DAY,
}  # fmt: skip

RECIPES: dict[str, Recipe] = {
    "alerts.acknowledge": Recipe(alert, {"key": NOBODY}, "This alert is not there."),
    "alerts.snooze": Recipe(lambda company: alert(company, until=SOON), {"until": "2020-01-01T00:00:00Z"},
        "An alert can't be put off until then."),
    "bills.approve": Recipe(lambda company: bill(company, note="Looked at"), {"revision": 9},
        "Somebody changed this while you were writing."),
    "bills.open": Recipe(approved_bill, {"reason": " "}, "This is done for a reason."),
    "bills.read": Recipe(once(content=base64.b64encode(BILL).decode(), name="costs.json"),
        {"content": base64.b64encode(b"{}").decode()}, "costs.json"),
    "bills.state_invoice": Recipe(lambda company: bill(company, invoiced="2.5", tax="0", number="R-1"),
        {"tax": "10000000"}, "No invoice is of so much."),
    "budgets.change": Recipe(
        lambda company: budget(company, terms={**BUDGET, "amount": "200"}, reason="A launch"),
        {"terms": {"amount": "0"}}, "0 is no amount of a budget."),
    "budgets.create": Recipe(once(terms=BUDGET, scope="company"), {"scope": "planet"}, "'planet' is no scope"),
    "budgets.delete": Recipe(lambda company: budget(company, reason="Replaced"), {"reason": ""},
        "A budget is deleted for a reason."),
    "budgets.pause": Recipe(lambda company: budget(company, reason="Discussed"), {"reason": "\n"},
        "A budget is paused for a reason."),
    "budgets.resume": Recipe(paused_budget, {"key": NOBODY}, "This budget is not there any more."),
    "credits.grant": Recipe(once(**CREDITS, ends_at=SOON), {"amount": 0}, "0 credits can't be moved."),
    "credits.take_back": Recipe(credits_of_carl, {"amount": 11}, "11 can't be taken."),
    "months.close": Recipe(once(month=str(MONTH)), {"month": str(MONTH.replace(day=2))}, "is not the first of a month"),
    "months.correct": Recipe(lambda company: closed_month(company, **CORRECTION), {"kind": "price"},
        "Nobody corrects a month by price by hand."),
    "months.reopen": Recipe(lambda company: closed_month(company, reason="A mistake"), {"reason": ""},
        "This is done for a reason."),
    "prices.add": Recipe(once(given=PRICE), {"given": {"provider": "opnai"}}, "'opnai' is no provider."),
    "prices.approve": Recipe(lambda company: {"keys": [proposal(company)]}, {"keys": [NOBODY]},
        "Not all of these are proposals any more."),
    "prices.propose": Recipe(once(models=[["openai", "gpt-4o"]]), {"models": [["openai"]]},
        "models.0.1: Field required"),
    "prices.propose_charged": Recipe(once(provider="openai", prices=[CHARGED], reference="a bill"),
        {"prices": [{}]}, "prices.0.model: Field required"),
    "prices.propose_from_bills": Recipe(charged_otherwise, {"month": "2026"}, "month: Extra inputs"),
    "prices.rate_new_calls": Recipe(once(since="2020-01-01T00:00:00Z"), {"since": "yesterday"}, "since: Input should"),
    "prices.reject": Recipe(lambda company: {"keys": [proposal(company)], "reason": "Not ours"}, {"reason": ""},
        "A proposal is rejected for a reason."),
    "quotas.change_override": Recipe(
        lambda company: override(company, wanted={"amount": 70, "ends_at": SOON}, reason="More"),
        {"wanted": {"amount": -1}}, "-1 is no limit."),
    "quotas.end_override": Recipe(lambda company: override(company, reason="It is over"), {"revision": 7},
        "Somebody changed this while you were writing."),
    "quotas.give_up": Recipe(lost_call, {"reservation": NOBODY}, "This call holds nothing any more."),
    "quotas.set_service_limits": Recipe(service_limits, {"wanted": {"laughs": 1}}, "'laughs' is no meter."),
    "quotas.override": Recipe(once(**OVERRIDE), {"meter": "laughs"}, "'laughs' is no meter."),
    "remarks.change": Recipe(lambda company: remark(company, text="Two launches", starts_on=DAY), {"text": ""},
        "The remark says nothing."),
    "remarks.delete": Recipe(remark, {"revision": 2}, "Somebody changed this while you were writing."),
    "remarks.write": Recipe(once(text="A launch", starts_on=DAY), {"product": "typewriter"},
        "'typewriter' is no product"),
    "stops.end": Recipe(stop, {"reason": ""}, "A stop is ended for a reason."),
    "stops.start": Recipe(once(scope="all", reason="A key leaked"), {"scope": "provider"}, "'nothing' is no provider."),
    "team.add": Recipe(once(email="eve@team.example", password=None, roles=["viewer"]), {"email": "eve"},
        "'eve' is not an e-mail address."),
    "tokens.make": Recipe(once(name="Nightly export", days=30), {"days": 400}, "A token can't live for 400 days."),
    "tokens.revoke": Recipe(token, {"key": NOBODY}, "No token that could be revoked has this key."),
    "versions.pin": Recipe(once(page="ads", version=1, query=[["period", "7d"]]), {"query": [["a", "b"]] * 61},
        "The view has too many filters."),
    "views.delete": Recipe(view, {"key": NOBODY}, "This view is not there any more."),
    "views.save": Recipe(once(page="ads", name="Mine", query=[["period", "7d"]]), {"name": ""}, "A view needs a name."),
    "customers.change_role": Recipe(lambda company: colleague(company, role="viewer", was="editor", reason="Asked for"),
        {"role": "king"}, "'king' is no role to give."),
    "customers.deactivate": Recipe(account, {"customer": NOBODY}, "No customer that you see is known by this."),
    "customers.end_sessions": Recipe(signed_in_account, {"reason": ""}, "This is done for a reason."),
    "customers.hand_over": Recipe(lambda company: colleague(company, revision=home(company)["revision"], reason="Sold"),
        {"member": NOBODY}, "This person is not in the workspace any more."),
    "customers.invite": Recipe(
        lambda company: {"workspace": str(company.workspace), "email": "eve@people.example", "role": "editor",
            "reason": "Asked for"},
        {"email": "carl@people.example"}, "is in this workspace already."),
    "customers.reactivate": Recipe(inactive_account, {"reason": " "}, "This is done for a reason."),
    "customers.remove": Recipe(lambda company: colleague(company, reason="Left"), {"member": NOBODY},
        "This person is not in the workspace any more."),
    "subscriptions.cancel": Recipe(bought, {"revision": 9}, "Somebody changed this while you were writing."),
    "subscriptions.change_plan": Recipe(larger_plan, {"plan": NOBODY}, "There is no such plan of this product."),
    "subscriptions.resume": Recipe(ending, {"key": NOBODY}, "This subscription is over, or was never there."),
    "team.change": Recipe(
        lambda company: teammate(company, wanted={"name": "Vic", "roles": ["finance"], "workspaces": None}),
        {"wanted": {"roles": ["king"]}}, "king"),
    "team.deactivate": Recipe(teammate, {"revision": 7}, "Somebody changed this while you were writing."),
    "team.end_sessions": Recipe(lambda company: {"key": teammate(company)["key"], "reason": "A lost telephone"},
        {"key": NOBODY}, "Nobody of the team is known by this."),
    "team.reactivate": Recipe(former_teammate, {"reason": ""}, "This is done for a reason."),
    "team.reset_password": Recipe(teammate, {"key": NOBODY}, "Nobody of the team is known by this."),
    **{name: Recipe(*parts) for name, parts in PLANS.items()},
    "workspaces.delete": Recipe(home, {"revision": 9}, "Somebody changed this while you were writing."),
    "workspaces.restore": Recipe(deleted_home, {"key": NOBODY}, "No deleted workspace is known by this."),
    "components.edit": Recipe(lambda company: component(company, wanted={"name": "Price table"}),
        {"wanted": {"name": " "}}, "The component has no name."),
    "components.offer_as_before": Recipe(without_reason, {"revision": 9}, "Somebody changed the component Prices"),
    "components.publish": Recipe(lambda company: component(company, is_for_sale=True, price="5"), {"price": "-1"},
        "-1 is no price of a component."),
    "components.retire": Recipe(offered_component, {"reason": ""},
        "This is done for a reason."),
    "components.roll_back": Recipe(changed_component, {"version": 9}, "There is no version 9 of this component."),
    "plans.review": Recipe(plan_of_three_weeks, {"days": 30}, "days: Extra inputs"),
    "plans.simulate": Recipe(lambda company: {"plan_id": draft_plan(company), "days": 30}, {"days": 5},
        "5 days can't be replayed."),
    "retention.change": Recipe(rule, {"reason": " "}, "A rule of retention is changed for a reason."),
    "settings.change": Recipe(setting, {"fields": {"calls_per_hour": -1}}, "calls_per_hour can't be -1."),
    "shelves.create": Recipe(once(label={"name": "Welcome"}, workspace_slug="acme"), {"label": {"name": ""}},
        "The shelf has no name."),
    "shelves.order": Recipe(two_shelves, {"keys": []}, "These shelves don't stand together."),
    "shelves.reinstate": Recipe(retired_shelf, {"revision": 9}, "Somebody changed this while you were writing."),
    "shelves.rename": Recipe(lambda company: {"key": shelf(company), "label": {"name": "Hello"}, "revision": 1},
        {"label": {"name": ""}}, "The shelf has no name."),
    "shelves.retire": Recipe(lambda company: {"key": shelf(company), "revision": 1, "reason": "Empty"}, {"reason": ""},
        "This is done for a reason."),
    "templates.categorise": Recipe(lambda company: picked(company) | {"category": "News"}, {"picked": {NOBODY: 1}},
        "not there any more"),
    "templates.create": Recipe(once(wanted={"name": "Welcome"}, product="email_studio", workspace_slug="acme"),
        {"product": "typewriter"}, "'typewriter' is no product."),
    "templates.delete": Recipe(lambda company: picked(company, "A mistake"), {"reason": ""},
        "This is done for a reason."),
    "templates.draft": Recipe(once(wish="A welcome", workspace_slug="acme", product="web_builder"),
        {"product": "typewriter"}, "'typewriter' is no product."),
    "templates.edit": Recipe(lambda company: written(company) | {"wanted": {"name": "Hello"}, "reason": "A new name"},
        {"key": NOBODY}, "This template is not there any more."),
    "templates.feature": Recipe(lambda company: picked(company, status="published"), {"picked": {NOBODY: 1}},
        "not there any more"),
    "templates.publish": Recipe(lambda company: picked(company, "It is ready"), {"picked": {NOBODY: 1}},
        "not there any more"),
    "templates.put_on_shelves": Recipe(
        lambda company: {"template": written(company)["key"], "shelves": [shelf(company)], "was": []},
        {"shelves": [NOBODY]},
        "A shelf is not there any more."),
    "templates.reinstate": Recipe(lambda company: picked(company, "Asked for", status="retired", is_active=False),
        {"picked": {NOBODY: 1}}, "not there any more"),
    "templates.restore": Recipe(lambda company: picked(company, "Asked for", deleted_at=NOON), {"picked": {NOBODY: 1}},
        "not there any more"),
    "templates.retire": Recipe(lambda company: picked(company, "It is old"), {"reason": ""},
        "This is done for a reason."),
    "templates.roll_back": Recipe(rewritten, {"reason": ""}, "This is done for a reason."),
    "templates.take_back": Recipe(retired_template, {"picked": {NOBODY: 1}}, "not there any more"),
    "templates.unfeature": Recipe(lambda company: picked(company, status="published", is_featured=True),
        {"picked": {NOBODY: 1}}, "not there any more"),
    "templates.unpublish": Recipe(lambda company: picked(company, "A mistake", status="published"), {"reason": ""},
        "This is done for a reason."),
    "integrations.ask_reauthorization": Recipe(connected, {"revision": 9}, "Somebody changed the connection"),
    "integrations.disable": Recipe(connected, {"reason": ""}, "for a reason"),
    "integrations.disconnect": Recipe(connected, {"key": NOBODY}, "This connection is not there."),
    "integrations.enable": Recipe(lambda company: connected(company, disabled_at=NOON), {"revision": 9},
        "Somebody changed the connection"),
    "integrations.withdraw_reauthorization": Recipe(lambda company: connected(company, reauthorization_asked_at=NOON),
        {"key": NOBODY}, "This connection is not there."),
    "jobs.add": Recipe(once(kind="refresh_lake", reason="A figure is late"), {"kind": "dance"}, "dance"),
    "jobs.cancel": Recipe(job, {"key": NOBODY}, "No job has the key"),
    "jobs.keep": Recipe(lambda company: job(company, status="cancelled", cancel_requested_at=NOON, completed_at=NOON),
        {"reason": ""}, "Jobs are changed for a reason."),
    "jobs.run_again": Recipe(lambda company: job(company, status="failed", completed_at=NOON), {"key": NOBODY},
        "No job has the key"),
    "jobs.run_now": Recipe(lambda company: job(company, scheduled_at=datetime.fromisoformat(SOON)), {"reason": " "},
        "Jobs are changed for a reason."),
}  # fmt: skip
