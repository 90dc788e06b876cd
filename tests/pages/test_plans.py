"""Plans on their pages: lists of one product, a draft that is simulated, and a forecast beside what happened."""

from dataclasses import replace
from decimal import Decimal
from urllib.parse import urlencode

import pytest
from sqlalchemy import text

from app import serving
from app.access import operator
from app.commands import plans
from app.records import plans as reading
from app.records.plan_terms import PlanLimit
from app.ui.words import count
from tests.pages.parsed import parsed

LIVE = """
    SELECT id FROM plans WHERE product = '{}' AND status = 'published' AND currency = 'USD'
    AND billing_period = 'monthly' ORDER BY published_at, id LIMIT 1
"""
# Who has it since its first two weeks is looked at.
FOLLOWED = """
    SELECT p.id FROM plans AS p JOIN subscriptions AS s ON s.plan_id = p.id
    WHERE s.status IN ('trialing', 'active', 'past_due') AND s.started_at < p.published_at + interval '14 days'
        AND p.published_at < now() - interval '15 days'
    GROUP BY p.id ORDER BY COUNT(*) DESC, p.id LIMIT 1
"""
HIT = """
    SELECT w.name, s.refused_after, s.calls FROM plan_simulation_workspaces AS s
    JOIN plan_simulations AS p ON p.id = s.simulation_id JOIN workspaces AS w ON w.id = s.workspace_id
    WHERE p.plan_id = '{}' ORDER BY s.first_hit_at NULLS LAST, s.id
"""


@pytest.fixture
def draft(pages):
    """Make drafts of what is sold of a product; they are off the list when the test is over."""
    engine, by = serving.engines().rw, operator(serving.engines().pipe, "a test")
    made = []

    def of(product):
        ((live,),) = pages.rows(LIVE.format(product))
        made.append(plans.draft_from(engine, by, live))
        return made[-1]

    yield of
    with pages.site.changing() as connection:
        connection.execute(text("DELETE FROM plan_approvals WHERE plan_id = ANY (:made)"), {"made": made})
    for key in made:
        now = reading.plan(engine, by, key).now
        plans.discard_draft(engine, by, key, revision=now.revision)


def shown(page):
    return parsed(one.proto.body for one in page.get("html"))


def test_a_product_at_the_top_narrows_every_view(pages, draft):
    """Two drafts wait for approval; of one product one is listed, and none of another's versions."""
    for product in ("mailer", "craft_ads"):
        key = draft(product)
        with pages.site.changing() as connection:
            connection.execute(
                text(
                    "INSERT INTO plan_approvals (plan_id, plan_revision, publishes_on, margin_after, margin_floor,"
                    " asked_name, reason) SELECT id, revision, CURRENT_DATE, 10, 30, 'Ada', product FROM plans"
                    " WHERE id = :key"
                ),
                {"key": key},
            )
    ((versions, of_mailer),) = pages.rows(
        "SELECT COUNT(*), COUNT(*) FILTER (WHERE product = 'mailer') FROM plans WHERE status <> 'discarded'"
    )

    def listed(view, **chosen):
        return pages.open("plans.py", urlencode({"show": view, **chosen})).cards[view]

    assert {row[3] for row in listed("All versions", product="Mailer").rows} == {"Mailer"}
    assert (len(listed("All versions").rows), len(listed("All versions", product="Mailer").rows)) == (
        min(versions, 25), min(of_mailer, 25),
    )  # fmt: skip
    assert {row[5] for row in listed("Approvals").rows} == {"mailer", "craft_ads"}
    assert {row[5] for row in listed("Approvals", product="Mailer").rows} == {"mailer"}


def test_a_draft_is_simulated_and_tells_who_is_refused_what(pages, draft):
    """One generation a month: whoever made two or more is refused the others, as the kept rows have it."""
    key = draft("web_builder")
    engine, by = serving.engines().rw, operator(serving.engines().pipe, "a test")
    now = reading.plan(engine, by, key)
    limited = replace(now.terms, limits={"generations month": PlanLimit(1)})
    plans.change_draft(engine, by, key, limited, revision=now.now.revision)
    page = pages.run("plan.py", f"plan={key}&show=Simulate")
    assert "This plan was never simulated." in "".join(one.proto.body for one in page.get("html"))
    page.button_group(key="simulate-days").set_value(60).run()
    page.button(key="simulate").click().run()
    assert not page.exception
    ((days,),) = pages.rows(f"SELECT extract(day FROM until - since) FROM plan_simulations WHERE plan_id = '{key}'")
    kept = pages.rows(HIT.format(key))
    hit = [(name, refused) for name, refused, _ in kept if refused]
    assert days == 60
    assert hit
    assert {one.key for one in page.button if str(one.key).startswith("behind-")} == {
        "behind-limits-that-are-passed", "behind-what-the-simulation-found", "behind-when-limits-are-hit-first",
        "behind-workspaces",
    }  # fmt: skip
    seen = shown(page)
    listed = [(row[0], row[1], row[4]) for row in seen.cards["Workspaces"].rows][: len(hit)]
    assert listed == [(name, "is refused calls", count(refused)) for name, refused in hit]
    [limit] = [row for row in seen.cards["Limits that are passed"].rows if row[1] == "refuses"]
    assert limit[0] == "Generations, month"
    assert (limit[2], limit[3]) == (count(len(hit)), count(sum(refused for _, refused in hit)))


def test_a_forecast_stands_beside_what_happened(pages):
    """Looked at by the button: revenue of the two weeks as in 30 days, and as much above a forecast of nothing."""
    ((key,),) = pages.rows(FOLLOWED)
    with pages.site.changing() as connection:
        connection.execute(
            text(
                "INSERT INTO plan_simulations (plan_id, plan_revision, since, until, currency, revenue_before,"
                " revenue_after, ai_cost_before, ai_cost_after, margin_before, margin_after, workspaces,"
                " workspaces_hit_before, workspaces_hit, workspaces_eased, calls, refused_before, refused_after,"
                " unpriced) SELECT id, revision, now() - interval '30 days', now(), 'USD', 0, 0, 0, 0, 0, 0, 0, 0, 0,"
                " 0, 0, 0, 0, 0 FROM plans WHERE id = :plan"
            ),
            {"plan": key},
        )
    card = "Forecast, and what happened"
    page = pages.run("plan.py", f"plan={key}&show=Simulate")
    assert "Nobody has looked yet." in "".join(one.proto.body for one in page.get("html"))
    with pages.site.changing() as connection:
        connection.execute(
            text(
                "INSERT INTO jobs (job_type, payload, status, completed_at, result) VALUES ('review_publication',"
                " jsonb_build_object('plan', CAST(:plan AS text)), 'completed', now(),"
                " jsonb_build_object('waits_for', 'Nobody has said what one EUR is worth.'))"
            ),
            {"plan": key},
        )
    page.run()
    told = "".join(one.proto.body for one in page.get("html"))
    assert "Nobody has said what one EUR is worth. The worker looks again when rates have come in." in told
    [look] = [one for one in page.button if one.label == "Look at what happened"]
    look.click().run()
    assert not page.exception
    ((homes, revenue),) = pages.rows(
        f"SELECT workspaces, revenue_after FROM plan_simulations WHERE plan_id = '{key}' AND kind = 'outcome'"
    )
    table = {row[0]: row[1:] for row in shown(page).cards[card].rows}
    assert homes > 0
    assert "behind-forecast-and-what-happened" in {one.key for one in page.button}
    assert table["Workspaces"] == ["0", count(homes), f"+{homes}"]
    in_a_month = round(Decimal(revenue) / 14 * 30, 2)
    assert [Decimal(cell.replace(",", "")) for cell in table["Revenue"]] == [0, in_a_month, in_a_month]
    for role in ("finance", "viewer"):
        assert card not in pages.open("plan.py", f"plan={key}&show=Simulate", role).cards
