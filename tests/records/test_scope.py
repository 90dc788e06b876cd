"""Whoever is limited to one workspace finds nothing of another through any function, whatever key they hold."""

import importlib
import inspect
import pkgutil
from datetime import UTC, datetime, timedelta

import pytest
from sqlalchemy import text

import app.records
from app.access import NotPermittedError, Viewer
from app.records.alerts import AlertState
from app.records.campaigns import Wanted
from app.records.events import Narrowed
from app.records.prices import Calls
from tests.db.tenants import CLOSED
from tests.records.conftest import seer

TODAY = datetime.now(UTC).date()
# Of the company: who sees it, sees the same, and nothing of anybody's in it.
OF_NO_WORKSPACE = {
    "months.month_close",
    "prices.book_prices",
    "prices.past_prices",
    "prices.waiting_prices",
    "stops.stops",
}
THIS_MONTH = TODAY.replace(day=1)
NEXT_MONTH = (THIS_MONTH + timedelta(days=31)).replace(day=1)
# What each function is asked for, given what is known of a tenant: always with the keys and words of that tenant.
CALLS = {
    "alerts.alerts": lambda _: [{"state": AlertState.OPEN}, {"state": AlertState.DONE}],
    "alerts.open_alerts": lambda _: [{}],
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
    "month_budget.month_budget": lambda keys: [{"scope": "workspace", "covers": keys["slug"]}],
    "months.month_budgets": lambda _: [{"month": THIS_MONTH, "until": NEXT_MONTH, "sees_all": False}],
    "months.month_close": lambda _: [{"month": CLOSED}],
    "months.month_corrections": lambda _: [{"month": CLOSED}],
    "prices.book_prices": lambda _: [{"only": Calls(), "now": datetime.now(UTC)}],
    "prices.past_prices": lambda keys: [{"key": one} for one in keys["budgets"]],
    "prices.reported_calls": lambda keys: [{"only": Calls()}, {"only": Calls(slugs=(keys["slug"],))}],
    "prices.reported_models": lambda keys: [{"only": Calls()}, {"only": Calls(slugs=(keys["slug"],))}],
    "prices.unpriced_models": lambda keys: [{"only": Calls()}, {"only": Calls(slugs=(keys["slug"],))}],
    "prices.waiting_prices": lambda _: [{}],
    "stops.stops": lambda _: [{}],
    "templates.best_rated": lambda _: [{}],
    "templates.most_downloaded": lambda _: [{}],
    "templates.search_components": lambda keys: [{}, {"words": keys["word"]}],
    "templates.search_templates": lambda keys: [{}, {"words": keys["word"]}],
    "templates.template": lambda keys: [{"key": one} for one in keys["templates"]],
    "templates.templates_of_campaigns": lambda _: [{}],
    "templates.versions": lambda keys: [{"template": one} for one in keys["templates"]],
}


def readers():
    """Every function that is given a viewer."""
    for found in pkgutil.iter_modules(app.records.__path__):
        module = importlib.import_module(f"app.records.{found.name}")
        for name, function in inspect.getmembers(module, inspect.isfunction):
            is_own = function.__module__ == module.__name__ and not name.startswith("_")
            if is_own and "viewer" in inspect.signature(function).parameters:
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
        connection.execute(text("UPDATE component_library SET downloads = 5"))
        connection.execute(text("UPDATE budgets SET period = 'month'"))
        connection.execute(text("UPDATE ai_generations SET reported_cost = 2"))
        connection.execute(
            text(
                "INSERT INTO ai_generations (workspace_id, user_id, product, provider, model, generation_type, status)"
                " SELECT workspace_id, user_id, 'mailer', 'openai', model, 'email', 'failed' FROM ai_generations"
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

        def keys(tenant):
            def of(table):
                question = text(f"SELECT id FROM {table} WHERE workspace_id = :tenant")
                return list(connection.scalars(question, {"tenant": tenant.workspace}))

            found = {table: of(table) for table in ("budgets", "campaigns", "contacts", "templates")}
            slug = connection.scalar(
                text("SELECT slug FROM workspaces WHERE id = :tenant"), {"tenant": tenant.workspace}
            )
            return found | {"workspace": tenant.workspace, "word": tenant.canary, "slug": slug}

        return {"a": keys(world.a), "b": keys(world.b)}


def told(function, world, viewer, asked):
    """All that the function says, as text."""
    answers = [function(world.database.ro, viewer, **arguments) for arguments in asked]
    return "\n".join(one.to_csv() if hasattr(one, "to_csv") else str(one) for one in answers)


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
    elif name.startswith("contacts.") and name.endswith(("recency", "cohorts")):
        assert mine != theirs
    else:
        assert any(mark in theirs for mark in marks), theirs


@pytest.mark.parametrize("name", CALLS)
def test_who_sees_no_workspace_finds_nothing(name, world, known):
    nobody = told(READERS[name], world, seer(), [*CALLS[name](known["a"]), *CALLS[name](known["b"])])
    assert world.a.canary not in nobody
    assert world.b.canary not in nobody


@pytest.mark.parametrize("name", CALLS)
def test_who_has_no_role_is_refused(name, world, known):
    stranger = Viewer("Eve", frozenset(), frozenset({world.a.workspace}))
    with pytest.raises(NotPermittedError):
        told(READERS[name], world, stranger, CALLS[name](known["a"]))
