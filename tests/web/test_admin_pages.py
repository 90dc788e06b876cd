"""Pages of admins, run in this process on a database of defaults."""

from urllib.parse import urlencode

import pytest
from sqlalchemy import text

from app import database, serving
from app.ui.filters import EVERY
from db.tables.base import HOUSE_WORKSPACE
from tests.db.rows import NOON, add, plan, template, user, workspace
from tests.web.conftest import told


def owned(*names: str) -> None:
    """Workspaces of customers, by whoever owns the tables."""
    with database.database_address(print) as address, database.setup_engine(address) as setup, setup.begin() as owner:
        for name in names or ("A customer's",):
            workspace(owner, name=name)


def test_a_setting_of_which_nobody_knows_the_meaning_is_shown_as_it_is(opened):
    with serving.engines().rw.begin() as connection:
        connection.execute(text("INSERT INTO settings (key, value) VALUES ('a_bare_one', '30'), ('many', '[1, 2]')"))
    page = told(opened("company_settings"))
    assert ">30</pre>" in page
    assert "[\n 1,\n 2\n]" in page


# What changes something on a page; nothing else is drawn at its top.
OFFERED = {
    "audit_log": {"period", "workspace"},
    "customer": {"period", "product", "channel"},
    "customers": {"period", "product", "workspace", "channel"},
    "data_health": set(),
    "edit_component": set(),
    "edit_template": {"period", "compare"},
    "integrations": {"workspace"},
    "jobs": {"workspace"},
    "plan": set(),
    "plans": {"product"},
    "quotas": {"product", "workspace"},
    "team": set(),
    "template_desk": {"period", "product", "workspace", "channel"},
}


@pytest.mark.parametrize("name", OFFERED)
def test_a_page_offers_the_filters_that_change_something_on_it(opened, name):
    page = opened(name)
    drawn = {one.key for one in (*page.selectbox, *page.multiselect)} & set(EVERY)
    assert drawn == OFFERED[name]


def test_a_page_of_figures_offers_all_of_them(opened):
    page = opened("overview")
    assert {one.key for one in (*page.selectbox, *page.multiselect)} >= set(EVERY)


def test_what_a_page_does_not_offer_its_links_carry_on(opened):
    """Whoever comes back to the figures finds them as they were left."""
    owned()
    page = told(opened("customers", "compare=Off&grain=Week&show=Workspaces"))
    assert "ai_cost?period=Last+28+days&amp;compare=Off&amp;grain=Week&amp;workspace=" in page
    page = told(opened("company_settings", "period=Custom&days=2026-01-01&days=2026-01-31&product=Mailer&x=y"))
    carried = "period=Custom&amp;days=2026-01-01&amp;days=2026-01-31&amp;product=Mailer"
    assert f"audit_log?{carried}&amp;of=" in page


def test_quotas_are_narrowed_by_what_is_chosen_at_their_top(opened):
    owned("Narrow one", "Narrow two")
    page = opened("quotas", "show=Limits&workspace=Narrow+two")
    [chosen] = [one for one in page.selectbox if one.key == "of"]
    assert (chosen.value, chosen.options) == ("Narrow two", ["Narrow two"])


def stocked():
    """Three templates of the library: two on shelves of one name and two of one industry."""
    with database.database_address(print) as address, database.setup_engine(address) as setup, setup.begin() as owner:
        mail, ad = (add(owner, "categories", workspace_id=HOUSE_WORKSPACE, name="Spring", kind=kind).id
            for kind in ("email", "ad"))  # fmt: skip
        for name, shelf, industry in (("Tulip", mail, "Gardens"), ("Crocus", ad, "Gardens"), ("Daisy", mail, "Banks")):
            key = template(owner, HOUSE_WORKSPACE, name=name, industry=industry, is_library=True).id
            add(owner, "template_categories", workspace_id=HOUSE_WORKSPACE, template_id=key, category_id=shelf,
                category_workspace_id=HOUSE_WORKSPACE)  # fmt: skip


def listed_at(opened, **query):
    """The templates that the desk lists at an address, and the page."""
    page = opened("template_desk", urlencode(query))
    return [name for name in ("Tulip", "Crocus", "Daisy") if f">{name}</a>" in told(page)], page


def test_the_desk_of_templates_is_narrowed_by_shelf_and_industry_and_says_what_it_does_not_know(opened):
    stocked()
    assert listed_at(opened)[0] == ["Tulip", "Crocus", "Daisy"]
    assert listed_at(opened, industry="Gardens")[0] == ["Tulip", "Crocus"]
    # Two shelves of one name are told apart.
    found, page = listed_at(opened, shelf="Spring · E-mail · sightline-library", industry="Gardens")
    assert found == ["Tulip"]
    assert "could not be used" not in told(page)
    found, page = listed_at(opened, shelf="Autumn", industry="<b>")
    assert found == ["Tulip", "Crocus", "Daisy"]
    assert "Not known here: shelf=Autumn" in told(page)
    assert "Not known here: industry=&lt;b&gt;" in told(page)


@pytest.fixture
def connected(installation):
    """Connects a workspace of this name to WordPress, or takes its connection away."""
    with database.database_address(print) as address, database.setup_engine(address) as setup:

        def connect(name):
            with setup.begin() as owner:
                home = workspace(owner, name=name)
                return add(owner, "platform_integrations", workspace_id=home.id, user_id=user(owner).id,
                    platform_type="wordpress", connection_status="connected").id  # fmt: skip

        def gone(key):
            with setup.begin() as owner:
                owner.execute(text("DELETE FROM platform_integrations WHERE id = :key"), {"key": key})

        yield connect, gone


def test_the_connection_that_was_chosen_stays_chosen_while_others_come_and_go(opened, connected):
    connect, gone = connected
    kept = connect("A steady one")
    page = opened("integrations")
    page.selectbox("integration").set_value("WordPress of A steady one").run()
    other = connect("A new one")
    page.run()
    assert "WordPress of A new one" in page.selectbox("integration").options
    assert page.selectbox("integration").value == kept
    assert "Disable …" in [one.label for one in page.button]
    gone(other)
    gone(kept)
    page.run()
    assert not page.exception
    assert "Disable …" not in [one.label for one in page.button]


def test_what_a_job_answered_is_told_in_words_and_not_as_programs_write_it(opened):
    with serving.engines().rw.begin() as connection:
        connection.execute(
            text(
                "INSERT INTO jobs (job_type, status, completed_at, result) VALUES"
                """ ('refresh', 'completed', now(), '{"rows_read": 5, "is_new": false}'),"""
                " ('refresh', 'completed', now(), NULL),"
                """ ('of_a_product', 'completed', now(), '["one", "two"]')"""
            )
        )
    page = told(opened("jobs", "show=All+jobs"))
    assert "Is new: no; Rows read: 5" in page
    assert "two" in page


def test_of_a_plan_without_a_forecast_no_page_promises_that_the_worker_will_look(opened):
    with database.database_address(print) as address, database.setup_engine(address) as setup, setup.begin() as owner:
        made = {"product": "mailer", "tier": "pro", "published_at": NOON}
        live = plan(owner, **made, status="published").id
        dropped = plan(owner, product="mailer", tier="scale", status="discarded").id
    page = told(opened("plan", f"plan={live}&show=Simulate"))
    assert "the worker does not look by itself" in page
    page = told(opened("plan", f"plan={dropped}&show=Simulate"))
    assert "This plan was never simulated." in page
    assert "what happened" not in page
