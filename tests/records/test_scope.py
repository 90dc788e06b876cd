"""Whoever is limited to one workspace finds nothing of another through any function, whatever key they hold."""

import importlib
import inspect
import pkgutil
from collections.abc import Iterator
from dataclasses import replace
from datetime import UTC, datetime, timedelta

import pytest
from sqlalchemy import text

import app.records
from app.access import NotPermittedError, Viewer
from app.money.bills import Kind
from app.records import audit, customers, focus, invoices, payments
from app.records.alerts import AlertState
from app.records.campaigns import Wanted
from app.records.events import Narrowed
from app.records.prices import Calls
from app.records.quotas import Within
from tests.db.rows import add
from tests.db.tenants import CLOSED
from tests.records.conftest import seer

TODAY = datetime.now(UTC).date()
# Of the company: who sees it, sees the same, and nothing of anybody's in it.
OF_NO_WORKSPACE = {
    "audit.choices",
    "customers.offers",
    "company_settings.company_settings",
    "company_settings.retention_rules",
    "data_health.checks",
    "data_health.partitions",
    "data_health.under_way",
    "focus.bill_lines",
    "focus.book",
    "focus.month_of_cost",
    "jobs.schedule_notes",
    "jobs.workers",
    "months.month_close",
    "plans.approvals",
    "plans.changes",
    "plans.plan",
    "plans.plans",
    "plans.plans_with_terms",
    "prices.book_prices",
    "prices.past_prices",
    "prices.waiting_prices",
    "quotas.service_limits",
    "simulations.review_waits_for",
    "stops.stops",
}
# Sums without a name in them: of another's workspace they say what they say of none.
OF_SUMS = {
    "contacts.cohorts",
    "contacts.recency",
    "invoices.unpaid",
    "jobs.job_hours",
    "simulations.hits_by_day",
    "simulations.simulations",
    "template_texts.figures_of",
    "template_texts.kept_of",
    "template_texts.shelves_of",
}
# Names of the viewer's own workspaces, by which lists are narrowed; the lists themselves check who may read them.
OF_ANY_ROLE = {"reading.short_names", "reading.workspaces_named"}
THIS_MONTH = TODAY.replace(day=1)
NEXT_MONTH = (THIS_MONTH + timedelta(days=31)).replace(day=1)
# What each function is asked for, given what is known of a tenant: always with the keys and words of that tenant.
CALLS = {
    "alerts.alerts": lambda _: [{"state": AlertState.OPEN}, {"state": AlertState.DONE}],
    "alerts.open_alerts": lambda _: [{}],
    "audit.audit_rows": lambda keys: [
        {"wanted": wanted}
        for wanted in (
            audit.Wanted(),
            audit.Wanted(words=keys["word"]),
            audit.Wanted(workspaces=frozenset({keys["workspace"]})),
        )
    ],
    "audit.change": lambda keys: [{"position": str(one)} for one in keys["positions"]],
    "audit.choices": lambda _: [{}],
    "audit.history_of": lambda keys: [{"table": "budgets", "key": one} for one in keys["budgets"]],
    "belongings.assets": lambda keys: [{"campaign": one} for one in keys["campaigns"]],
    "belongings.components": lambda keys: [{"campaign": one} for one in keys["campaigns"]],
    "belongings.optimizations": lambda keys: [{}, *({"campaign": one} for one in keys["campaigns"])],
    "belongings.unchanged_campaigns": lambda _: [{"changed_on": TODAY - timedelta(days=40), "days": 3}],
    "belongings.variants": lambda keys: [{"campaign": one} for one in keys["campaigns"]],
    "budgets.budget": lambda keys: [{"key": one} for one in keys["budgets"]],
    "budgets.budgets": lambda _: [{}],
    "budgets.evaluations": lambda keys: [{}, *({"key": one} for one in keys["budgets"])],
    "campaigns.campaign": lambda keys: [{"key": one} for one in keys["campaigns"]],
    "campaigns.search_campaigns": lambda keys: [
        {"wanted": wanted}
        for wanted in (
            Wanted(),
            Wanted(words=keys["word"]),
            Wanted(workspaces=frozenset({keys["workspace"]})),
            Wanted(keys=tuple(keys["campaigns"])),
        )
    ],
    "company_settings.company_settings": lambda _: [{}],
    "company_settings.retention_rules": lambda _: [{}],
    "contacts.cohorts": lambda keys: [{"today": TODAY, "workspaces": frozenset({keys["workspace"]})}],
    "contacts.contact": lambda keys: [{"key": one} for one in keys["contacts"]],
    "contacts.recency": lambda keys: [{"today": TODAY, "workspaces": frozenset({keys["workspace"]})}],
    "contacts.search_contacts": lambda keys: [
        {},
        {"words": keys["word"]},
        {"workspaces": frozenset({keys["workspace"]})},
    ],
    "contacts.sends": lambda keys: [{"contact": one} for one in keys["contacts"]],
    "creatives.creatives_of": lambda keys: [{"campaigns": keys["campaigns"]}],
    "customers.customer": lambda keys: [{"key": keys["workspace"]}],
    "customers.customers": lambda keys: [{}, {"wanted": customers.Wanted(slugs=(keys["slug"],))}],
    "customers.offers": lambda _: [{"product": "mailer", "currency": "USD"}],
    "customers.people": lambda keys: [{"key": keys["workspace"]}],
    "customers.subscriptions": lambda keys: [{"key": keys["workspace"]}],
    **{
        f"events.{name}": lambda keys: [
            {"only": only}
            for only in (
                Narrowed(),
                Narrowed(workspaces=frozenset({keys["workspace"]})),
                *(Narrowed(campaign=one) for one in keys["campaigns"]),
            )
        ]
        for name in ("conversions", "email_events", "generations", "web_events")
    },
    "data_health.checks": lambda _: [{"kind": "check_counters"}],
    "data_health.partitions": lambda _: [{}],
    "data_health.under_way": lambda _: [{}],
    "focus.bill_lines": lambda _: [{"month": THIS_MONTH}],
    "focus.book": lambda _: [{}],
    "focus.calls": lambda _: [{"day": TODAY}],
    "focus.corrections": lambda _: [{"day": TODAY}],
    "focus.credit_moves": lambda _: [{"day": TODAY}],
    "focus.month_of_cost": lambda _: [{"month": CLOSED}],
    "focus.names": lambda _: [{}],
    "integrations.analyses": lambda _: [{}],
    "integrations.integration": lambda keys: [{"key": one} for one in keys["integrations"]],
    "integrations.integrations": lambda keys: [{}, {"slugs": (keys["slug"],)}, {"needing": True}],
    "invoices.invoice": lambda keys: [{"key": one} for one in keys["invoices"]],
    "invoices.invoices": lambda keys: [
        {"wanted": wanted}
        for wanted in (
            invoices.Wanted(),
            invoices.Wanted(words=keys["word"]),
            invoices.Wanted(workspaces=frozenset({keys["workspace"]})),
        )
    ],
    "invoices.lines_of": lambda keys: [{"key": one} for one in keys["invoices"]],
    "invoices.notes_of": lambda keys: [{"key": one} for one in keys["invoices"]],
    "invoices.unpaid": lambda keys: [{"workspaces": frozenset({keys["workspace"]})}],
    "jobs.job": lambda keys: [{"key": one} for one in keys["jobs"]],
    "jobs.job_counts": lambda _: [{}],
    "jobs.job_hours": lambda keys: [{"kind": keys["word"]}],
    "jobs.jobs": lambda keys: [{}, {"slugs": (keys["slug"],)}, {"statuses": ("failed",)}],
    "jobs.schedule_notes": lambda _: [{}],
    "jobs.workers": lambda _: [{}],
    "ledgers.accounts": lambda keys: [{"user": keys["customer"]}],
    "ledgers.ledger": lambda keys: [{"user": keys["customer"]}],
    "month_budget.month_budget": lambda keys: [{"scope": "workspace", "covers": keys["slug"]}],
    "months.month_budgets": lambda _: [{"month": THIS_MONTH, "until": NEXT_MONTH, "sees_all": False}],
    "months.month_close": lambda _: [{"month": CLOSED}],
    "months.month_corrections": lambda _: [{"month": CLOSED}],
    "payments.failures": lambda keys: [
        {"wanted": payments.Wanted()},
        {"wanted": payments.Wanted(workspaces=frozenset({keys["workspace"]}))},
    ],
    "payments.payments": lambda keys: [
        {"wanted": wanted}
        for wanted in (
            payments.Wanted(),
            payments.Wanted(words=keys["word"]),
            payments.Wanted(workspaces=frozenset({keys["workspace"]})),
            *(payments.Wanted(invoice=one) for one in keys["invoices"]),
        )
    ],
    "plans.approvals": lambda keys: [{"decided": True}, *({"key": one} for one in keys["plans"])],
    "plans.changes": lambda keys: [{"key": one} for one in keys["plans"]],
    "plans.moves": lambda keys: [{"key": one} for one in keys["plans"]],
    "plans.plan": lambda keys: [{"key": one} for one in keys["plans"]],
    "plans.plans": lambda _: [{}, {"discarded": True}],
    "plans.plans_with_terms": lambda _: [{}],
    "plans.subscribers": lambda keys: [{"key": one} for one in keys["plans"]],
    "prices.book_prices": lambda _: [{"only": Calls(), "now": datetime.now(UTC)}],
    "prices.past_prices": lambda keys: [{"key": one} for one in keys["budgets"]],
    "prices.reported_calls": lambda keys: [{"only": Calls()}, {"only": Calls(slugs=(keys["slug"],))}],
    "prices.reported_models": lambda keys: [{"only": Calls()}, {"only": Calls(slugs=(keys["slug"],))}],
    "prices.unpriced_models": lambda keys: [{"only": Calls()}, {"only": Calls(slugs=(keys["slug"],))}],
    "prices.waiting_prices": lambda _: [{}],
    "quotas.credit_holders": lambda keys: [{"slug": keys["slug"]}],
    "quotas.service_limits": lambda _: [{}],
    "quotas.close_to_limits": lambda keys: [{}, {"within": Within((keys["slug"],))}],
    "quotas.held": lambda keys: [{}, {"within": Within((keys["slug"],))}],
    "quotas.history": lambda keys: [{"slug": keys["slug"]}],
    "quotas.overrides": lambda keys: [{}, {"within": Within((keys["slug"],))}],
    "quotas.standings": lambda keys: [{"slug": keys["slug"]}, {"slug": keys["slug"], "customer": keys["customer"]}],
    "reading.short_names": lambda _: [{}],
    "reading.workspaces_named": lambda keys: [{"slugs": [keys["slug"]]}],
    "reconciled.calls_behind": lambda keys: [
        {"provider": "openai", "model": model, "day": TODAY, "zone": "UTC", "kind": kind}
        for model in (keys["word"], "gpt")
        for kind in Kind
    ],
    "reconciled.corrections_behind": lambda keys: [
        {"provider": "openai", "model": model, "month": CLOSED} for model in (keys["word"], "gpt")
    ],
    "simulations.hits_by_day": lambda keys: [{"simulation": one, "zone": "UTC"} for one in keys["simulations"]],
    "simulations.limits_passed": lambda keys: [{"simulation": one} for one in keys["simulations"]],
    "simulations.review_waits_for": lambda keys: [{"plan": one} for one in keys["plans"]],
    "simulations.simulated_workspaces": lambda keys: [{"simulation": one} for one in keys["simulations"]],
    "simulations.simulations": lambda keys: [{"plan": one} for one in keys["simulated_plans"]],
    "stops.stops": lambda _: [{}],
    **{
        f"template_texts.{name}": lambda keys: [{"key": one} for one in keys["templates"]]
        for name in ("figures_of", "kept_of", "shelves_of", "text_of", "version_texts")
    },
    "component_texts.component_text": lambda keys: [{"key": one} for one in keys["components"]],
    "component_texts.component_version": lambda keys: [{"key": one, "version": 1} for one in keys["components"]],
    "component_texts.component_versions": lambda keys: [{"key": one} for one in keys["components"]],
    "template_texts.found_by": lambda _: [{"column": "category"}, {"column": "industry"}],
    "template_texts.deleted_templates": lambda _: [{}],
    "template_texts.shelves": lambda _: [{}],
    "template_texts.version_text": lambda keys: [
        {"key": one, "version": version} for one in keys["templates"] for version in (0, 1, 2)
    ],
    "templates.best_rated": lambda _: [{}],
    "templates.most_downloaded": lambda _: [{}],
    "templates.search_components": lambda keys: [{}, {"words": keys["word"]}],
    "templates.search_templates": lambda keys: [{}, {"words": keys["word"]}],
    "templates.template": lambda keys: [{"key": one} for one in keys["templates"]],
    "templates.templates_of_campaigns": lambda _: [{}],
    "templates.versions": lambda keys: [{"template": one} for one in keys["templates"]],
}


SIMULATED = """
    WITH plan AS (
        INSERT INTO plans (product, tier, version, name, price, currency)
        SELECT 'mailer', 'pro', 1000 + row_number() OVER (), w.id::text, 1, 'USD'
        FROM plan_simulation_workspaces AS w
        RETURNING id, name
    ),
    made AS (
        INSERT INTO plan_simulations (plan_id, plan_revision, since, until, currency, revenue_before, revenue_after,
            ai_cost_before, ai_cost_after, margin_before, margin_after, workspaces, workspaces_hit_before,
            workspaces_hit, workspaces_eased, calls, refused_before, refused_after, unpriced)
        SELECT id, 1, now() - interval '30 days', now(), 'USD', 1, 1, 1, 1, 0, 0, 1, 1, 1, 1, 1, 1, 1, 0 FROM plan
        RETURNING id, plan_id
    )
    UPDATE plan_simulation_workspaces AS w
    SET simulation_id = m.id, details = w.details || jsonb_build_object('after', jsonb_build_array(jsonb_build_object(
        'verdict', 'refused', 'meter', 'emails', 'period', 'month', 'source', 'plan', 'calls', 1, 'amount', 1,
        'first_at', now(), 'action', 'queue', 'says', w.details ->> 'note')))
    FROM made AS m JOIN plan AS p ON p.id = m.plan_id
    WHERE p.name = w.id::text
    """


def readers():
    """Every function that is given a viewer; one that is given nothing else has nothing to read from."""
    for found in pkgutil.iter_modules(app.records.__path__):
        module = importlib.import_module(f"app.records.{found.name}")
        for name, function in inspect.getmembers(module, inspect.isfunction):
            is_own = function.__module__ == module.__name__ and not name.startswith("_")
            if is_own and {"viewer"} < set(inspect.signature(function).parameters):
                yield f"{found.name}.{name}", function


READERS = dict(readers())


@pytest.fixture(scope="module")
def known(world):
    """Keys of both tenants, who each have ads that run, a test and an open alert."""
    with world.database.setup.begin() as connection:
        connection.execute(text("UPDATE budget_alerts SET acknowledged_at = NULL, ended_at = NULL"))
        connection.execute(
            text(
                "UPDATE campaigns SET start_date = CURRENT_DATE - 90,"
                ' metadata = metadata || \'{"ab_test_key": "t", "ab_test_variant": "A"}\''
            )
        )
        connection.execute(text("UPDATE component_library SET downloads = 5, category = 'changed'"))
        connection.execute(text("UPDATE budgets SET period = 'month'"))
        connection.execute(text("UPDATE ai_generations SET reported_cost = 2"))
        connection.execute(
            text(
                "INSERT INTO ai_generations (workspace_id, user_id, product, provider, model, generation_type, status)"
                " SELECT workspace_id, user_id, 'mailer', 'openai', m.model, 'email', 'failed' FROM ai_generations AS g"
                " CROSS JOIN LATERAL (VALUES (g.model), ('gpt')) AS m (model)"
            )
        )
        connection.execute(
            text(
                "INSERT INTO ai_generations (workspace_id, user_id, product, provider, model, generation_type,"
                " template_id, template_workspace_id, user_rating)"
                " SELECT t.workspace_id, g.user_id, 'mailer', 'openai', 'gpt', 'email', t.id, t.workspace_id, 5"
                " FROM templates AS t JOIN ai_generations AS g ON g.workspace_id = t.workspace_id"
                " CROSS JOIN generate_series(1, 3)"
            )
        )

        connection.execute(
            text(
                "INSERT INTO templates (workspace_id, product, name, deleted_at)"
                " SELECT workspace_id, product, name, now() FROM templates"
            )
        )
        connection.execute(text("UPDATE template_metrics SET impressions = 10"))
        connection.execute(text("UPDATE quota_balances SET limit_amount = 10, used = 9"))
        connection.execute(text("UPDATE invoices SET status = 'open', issued_at = now(), due_at = now()"))
        connection.execute(
            text(
                "INSERT INTO invoices (workspace_id, corrects_invoice_id, number, kind, currency, subtotal_minor,"
                " total_minor, period_start, period_end)"
                " SELECT workspace_id, id, number || '-note', 'credit_note', currency, subtotal_minor, total_minor,"
                " period_start, period_end FROM invoices"
            )
        )
        connection.execute(
            text("UPDATE jobs SET status = 'completed', started_at = now(), completed_at = now(), worker = NULL")
        )
        connection.execute(text("UPDATE payments SET status = 'failed'"))
        connection.execute(text("UPDATE provider_bill_lines SET replaced_by = NULL"))
        # A simulation of a plan of its own for each.
        connection.execute(text(SIMULATED))

        def keys(tenant):
            def of(table, column="id"):
                question = text(f"SELECT {column} FROM {table} WHERE workspace_id = :tenant")
                return list(connection.scalars(question, {"tenant": tenant.workspace}))

            found = {
                table: of(table) for table in ("budgets", "campaigns", "contacts", "invoices", "jobs", "templates")
            }
            found["components"] = of("component_library")
            found["integrations"] = of("platform_integrations")
            slug = connection.scalar(
                text("SELECT slug FROM workspaces WHERE id = :tenant"), {"tenant": tenant.workspace}
            )
            written = text("SELECT position FROM audit_log WHERE workspace_id = :tenant ORDER BY 1 LIMIT 5")
            return found | {
                "positions": list(connection.scalars(written, {"tenant": tenant.workspace})),
                "workspace": tenant.workspace,
                "customer": tenant.customer,
                "word": tenant.canary,
                "slug": slug,
                "simulations": of("plan_simulation_workspaces", "simulation_id"),
                "simulated_plans": of(
                    "plan_simulation_workspaces AS w JOIN plan_simulations AS s ON s.id = w.simulation_id", "s.plan_id"
                ),
                "plans": list(connection.scalars(text("SELECT id FROM plans ORDER BY id"))),
            }

        return {"a": keys(world.a), "b": keys(world.b)}


def told(function, world, viewer, asked):
    """All that the function says, as text."""
    # Of what was deleted only the engine of commands knows.
    engine = world.database.rw if function.__name__.startswith("deleted") else world.database.ro
    answers = [function(engine, viewer, **arguments) for arguments in asked]
    read = [list(one) if isinstance(one, Iterator) else one for one in answers]
    return "\n".join(one.to_csv() if hasattr(one, "to_csv") else str(one) for one in read)


def test_every_function_that_is_given_a_viewer_is_tried_below():
    assert set(READERS) == set(CALLS)


@pytest.mark.parametrize("name", CALLS)
def test_nothing_of_another_workspace_is_found(name, world, known):
    """With the other's keys and words; the other finds it all with the same, so that the question is a real one."""
    asked = CALLS[name](known["b"])
    marks = [world.b.canary, str(world.b.workspace), *(str(one) for one in known["b"]["campaigns"])]
    mine = told(READERS[name], world, seer(world.a.workspace), asked)
    assert [mark for mark in marks if mark in mine] == []
    theirs = told(READERS[name], world, seer(world.b.workspace), asked)
    if name in OF_NO_WORKSPACE:
        assert mine == theirs
    elif name in OF_SUMS:
        assert mine == told(READERS[name], world, seer(), asked)
        assert mine != theirs
    else:
        assert any(mark in theirs for mark in marks), theirs


@pytest.mark.parametrize("name", CALLS)
def test_who_sees_no_workspace_finds_nothing(name, world, known):
    nobody = told(READERS[name], world, seer(), [*CALLS[name](known["a"]), *CALLS[name](known["b"])])
    assert world.a.canary not in nobody
    assert world.b.canary not in nobody
    assert str(world.b.workspace) not in nobody


@pytest.mark.parametrize("name", sorted(set(CALLS) - OF_ANY_ROLE))
def test_who_has_no_role_is_refused(name, world, known):
    stranger = Viewer("Eve", frozenset(), frozenset({world.a.workspace}))
    with pytest.raises(NotPermittedError):
        told(READERS[name], world, stranger, CALLS[name](known["a"]))


def test_bills_of_the_company_are_not_told_to_who_is_limited_to_some_workspaces(world, known):
    everybody = seer(world.a.workspace)
    with world.database.setup.begin() as connection:
        limited = add(
            connection, "team_members", email="lin@example.com", name="Lin", roles=["admin"],
            workspace_ids=[world.a.workspace],
        )  # fmt: skip
    assert len(focus.bill_lines(world.database.ro, everybody, THIS_MONTH)) == 1
    assert focus.bill_lines(world.database.ro, replace(everybody, member_id=limited.id), THIS_MONTH) == []
