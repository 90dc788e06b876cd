"""Campaigns and what belongs to them; templates, components and alerts."""

from datetime import timedelta
from decimal import Decimal

import pytest
from sqlalchemy import text

from app.access import Role, Viewer
from app.records.alerts import open_alerts
from app.records.belongings import assets, components, optimizations, unchanged_campaigns, variants
from app.records.campaigns import Wanted, campaign, search_campaigns
from app.records.contacts import search_contacts
from app.records.creatives import creatives_of
from app.records.reading import typed_words
from app.records.templates import (
    most_downloaded,
    search_components,
    search_templates,
    templates_of_campaigns,
    versions,
)
from db.tables import HOUSE_WORKSPACE
from tests.db.rows import NOON, add
from tests.db.rows import campaign as new_campaign
from tests.db.rows import template as new_template
from tests.db.rows import workspace as new_workspace

DAY = NOON.date()


def names(page):
    return [one.name for one in page.rows]


@pytest.fixture
def three(shop):
    for minutes, (name, channel, more) in enumerate(
        (
            ("Spring newsletter", "email", {"description": "News for runners"}),
            ("Straße & Söhne", "web", {"status": "launched"}),
            ("Running shoes", "ads", {"total_budget": 100, "start_date": DAY, "end_date": DAY}),
        )
    ):
        at = NOON + timedelta(minutes=minutes)
        new_campaign(shop.connection, shop.workspace, channel, name=name, created_at=at, **more)
    return shop


@pytest.mark.parametrize(
    ("words", "found"),
    [
        ("", ["Running shoes", "Straße & Söhne", "Spring newsletter"]),
        ("news", ["Spring newsletter"]),
        ("shoe run", ["Running shoes"]),
        ("söh STRAßE", ["Straße & Söhne"]),
        ("runner", ["Spring newsletter"]),
        ("& | ! :* '", []),
        ("spring | running", []),
        ("nothing", []),
    ],
)
def test_campaigns_of_all_channels_are_found_by_the_beginnings_of_words(three, words, found):
    assert names(search_campaigns(*three.made(), Wanted(words=words))) == found


def test_campaigns_are_narrowed_and_come_in_pages(three):
    ro, viewer = three.made()
    assert names(search_campaigns(ro, viewer, Wanted(channels=("web", "ads")))) == ["Running shoes", "Straße & Söhne"]
    assert names(search_campaigns(ro, viewer, Wanted(statuses=("launched",)))) == ["Straße & Söhne"]
    assert names(search_campaigns(ro, viewer, Wanted(products=("mailer",)))) == ["Spring newsletter"]
    assert names(search_campaigns(ro, viewer, Wanted(keys=()))) == []
    assert names(search_campaigns(ro, viewer, Wanted(slugs=("nowhere",)))) == []
    first = search_campaigns(ro, viewer, limit=2)
    assert names(search_campaigns(ro, viewer, after=first.next, limit=2)) == ["Spring newsletter"]


def test_one_campaign_shows_what_its_channel_has(shop):
    body = new_template(shop.connection, shop.workspace, name="Plain")
    made = new_campaign(
        shop.connection,
        shop.workspace,
        "email",
        user_id=shop.owner,
        launched_at=NOON,
        of_channel={"subject": "Hello", "template_id": body.id},
    )
    ro, viewer = shop.made()
    found = campaign(ro, viewer, made.id)
    assert (found.subject, found.template, found.owner, found.workspace) == ("Hello", "Plain", "Olga", "Shop")
    assert (found.purpose, found.web_type, found.reached, found.launched_on) == (None, None, 0, NOON)


def test_a_deleted_campaign_is_not_found(shop):
    made = new_campaign(shop.connection, shop.workspace, "ads")
    shop.connection.execute(text("UPDATE campaigns SET deleted_at = now()"))
    ro, viewer = shop.made()
    assert campaign(ro, viewer, made.id) is None
    assert search_campaigns(ro, viewer).rows == ()


def test_variants_are_the_campaigns_of_one_test(shop):
    def tested(key, variant):
        details = {"ab_test_key": key, "ab_test_variant": variant}
        return new_campaign(shop.connection, shop.workspace, "email", name=f"{key}{variant}", metadata=details)

    a, _, c = tested("t1", "A"), tested("t1", "B"), tested("t2", "A")
    alone = new_campaign(shop.connection, shop.workspace, "email")
    shop.connection.execute(text("UPDATE email_campaigns SET emails_delivered = 7, emails_opened = 3"))
    ro, viewer = shop.made()
    assert [
        (one.campaign, one.variant, one.emails_delivered, one.emails_opened) for one in variants(ro, viewer, a.id)
    ] == [
        ("t1A", "A", 7, 3),
        ("t1B", "B", 7, 3),
    ]
    assert len(variants(ro, viewer, c.id)) == 1
    assert variants(ro, viewer, alone.id) == ()


def test_components_stand_in_their_order_and_assets_by_their_score(shop):
    page = new_campaign(shop.connection, shop.workspace, "web")
    both = {"workspace_id": shop.workspace}
    for name, order in (("Second", 2), ("First", 1)):
        add(
            shop.connection,
            "campaign_components",
            **both,
            campaign_id=page.id,
            name=name,
            component_type="form",
            sort_order=order,
        )
    for name, score in (("low", 1), ("high", 4), ("none", None)):
        file = add(
            shop.connection,
            "creative_assets",
            **both,
            user_id=shop.owner,
            product="craft_ads",
            asset_type="image",
            file_url="https://x.example",
            filename=name,
        )
        add(
            shop.connection,
            "campaign_assets",
            **both,
            campaign_id=page.id,
            asset_id=file.id,
            performance_score=score,
        )
    ro, viewer = shop.made()
    assert [one.name for one in components(ro, viewer, page.id)] == ["First", "Second"]
    assert [(one.filename, one.performance_score) for one in assets(ro, viewer, page.id)] == [
        ("high", 4),
        ("low", 1),
        ("none", None),
    ]
    assert [one.filename for one in creatives_of(ro, viewer, [page.id], limit=2)] == ["high", "low"]
    assert creatives_of(ro, viewer, []) == []


def test_unchanged_campaigns_ran_on_both_sides_and_were_left_alone(shop):
    """Three days on each side of the tenth day; a change just before or after them does not count."""

    def ads(name, first, last, *changed_on):
        made = new_campaign(shop.connection, shop.workspace, "ads", name=name, start_date=first, end_date=last)
        for day in changed_on:
            add(
                shop.connection,
                "ai_optimization_logs",
                workspace_id=shop.workspace,
                campaign_id=made.id,
                optimization_type="budget_increase",
                optimized_at=NOON + timedelta(days=(day - DAY).days),
            )
        return made.id

    def near(days):
        return DAY + timedelta(days=days)

    changed = ads("changed", near(-9), near(9), DAY)
    quiet = ads("quiet", near(-3), near(3))
    endless = ads("endless", near(-9), None, near(-4), near(4))
    ads("late", near(-2), near(9))
    ads("short", near(-9), near(2))
    ads("restless", near(-9), near(9), near(3))
    ro, viewer = shop.made()
    assert set(unchanged_campaigns(ro, viewer, DAY, 3)) == {quiet, endless}
    listed = optimizations(ro, viewer, campaign=changed)
    assert [(one.optimization_type, one.campaign) for one in listed.rows] == [("budget_increase", "changed")]
    assert len(optimizations(ro, viewer, since=near(3), until=near(5)).rows) == 2
    first = optimizations(ro, viewer, limit=3)
    assert len(optimizations(ro, viewer, after=first.next, limit=3).rows) == 1


def test_uses_of_templates_are_counted_in_the_viewers_workspaces_also_through_copies(shop):
    with shop.database.setup.begin() as house:
        shelf = new_template(house, HOUSE_WORKSPACE, name="Amber library", is_library=True)
    copy = new_template(shop.connection, shop.workspace, name="Copy")
    add(
        shop.connection,
        "workspace_templates",
        workspace_id=shop.workspace,
        library_template_id=shelf.id,
        library_template_workspace_id=HOUSE_WORKSPACE,
        template_id=copy.id,
    )
    sent = [
        new_campaign(shop.connection, shop.workspace, "email", of_channel={"template_id": copy.id}) for _ in range(2)
    ]
    for rating in (5, 2, None):
        add(
            shop.connection,
            "ai_generations",
            workspace_id=shop.workspace,
            user_id=shop.owner,
            product="mailer",
            provider="openai",
            model="gpt",
            generation_type="email",
            template_id=copy.id,
            template_workspace_id=shop.workspace,
            user_rating=rating,
            created_at=NOON,
        )
    ro, viewer = shop.made()
    found = {one.name: one for one in search_templates(ro, viewer).rows}
    assert {name: (one.campaigns, one.copies) for name, one in found.items()} == {
        "Copy": (2, 0),
        "Amber library": (2, 1),
    }
    assert (found["Copy"].generations, found["Copy"].ratings, found["Copy"].rating) == (3, 2, Decimal("3.5"))
    assert names(search_templates(ro, viewer, "amb")) == ["Amber library"]
    frame = templates_of_campaigns(ro, viewer)
    assert sorted(zip(frame["template_name"], frame["campaign"], strict=True)) == sorted(
        (name, str(one.id)) for name in ("Copy", "Amber library") for one in sent
    )


@pytest.mark.parametrize("typed", ["amber\x00", "amber" + " " * 3000, "\x00"])
def test_no_words_of_an_address_break_a_search(shop, typed):
    new_template(shop.connection, shop.workspace, name="Amber")
    ro, viewer = shop.made()
    assert names(search_templates(ro, viewer, typed)) == ["Amber"]
    assert search_campaigns(ro, viewer, Wanted(words=typed)).rows == ()
    assert search_contacts(ro, viewer, typed).rows == ()


def test_words_are_cut_to_what_people_type():
    assert typed_words(" a\x00b\n" + "c" * 300) == "a b " + "c" * 195


def test_versions_of_a_template_come_newest_first(shop):
    made = new_template(shop.connection, shop.workspace)
    shop.connection.execute(text("UPDATE templates SET html_content = '<p>2</p>' WHERE id = :id"), {"id": made.id})
    ro, viewer = shop.made()
    found = [one.version for one in versions(ro, viewer, made.id)]
    assert found == sorted(found, reverse=True)
    assert found


def test_components_for_sale_are_told_from_private_ones(shop):
    for name, is_sold in (("Hero banner", True), ("Footer", False)):
        add(
            shop.connection,
            "component_library",
            workspace_id=shop.workspace,
            name=name,
            component_type="footer",
            is_marketplace_item=is_sold,
            downloads=3,
        )
    ro, viewer = shop.made()
    assert sorted(names(search_components(ro, viewer))) == ["Footer", "Hero banner"]
    (sold,) = search_components(ro, viewer, offered="marketplace").rows
    assert (sold.name, sold.downloads) == ("Hero banner", 3)
    assert names(search_components(ro, viewer, "bann")) == ["Hero banner"]
    assert names(search_components(ro, viewer, kind="footer", offered="nobody")) == ["Footer"]
    assert names(search_components(ro, viewer, kind="header")) == []


def test_templates_and_components_are_narrowed_to_the_chosen_workspaces(shop):
    other = new_workspace(shop.connection, owner_id=shop.owner).id
    for place, name, downloads in ((shop.workspace, "Mine", 1), (other, "Other", 2)):
        new_template(shop.connection, place, name=name)
        add(shop.connection, "component_library", workspace_id=place, name=name, component_type="footer",
            downloads=downloads)  # fmt: skip
    ro, _ = shop.made()
    both = Viewer("Ada", frozenset({Role.ADMIN}), frozenset({shop.workspace, other}))
    chosen = {"workspaces": frozenset({other})}
    assert set(names(search_templates(ro, both))) >= {"Mine", "Other"}
    assert names(search_templates(ro, both, **chosen)) == ["Other"]
    assert names(search_components(ro, both, **chosen)) == ["Other"]
    assert [one.name for one in most_downloaded(ro, both)] == ["Other", "Mine"]
    assert [one.name for one in most_downloaded(ro, both, **chosen)] == ["Other"]
    assert names(search_components(ro, shop.viewer, **chosen)) == []


def test_alerts_are_open_until_somebody_acknowledged_them_or_they_ended(shop):
    with shop.database.setup.begin() as owner:
        company = add(owner, "budgets", name="All", scope="company", amount=50)
    own = add(shop.connection, "budgets", name="Own", scope="workspace", workspace_id=shop.workspace, amount=10)
    alerts = [
        {"budget_id": own.id, "workspace_id": shop.workspace, "threshold": 80, "spent": 8},
        {"budget_id": own.id, "workspace_id": shop.workspace, "threshold": 90, "acknowledged_at": NOON},
        {"budget_id": own.id, "workspace_id": shop.workspace, "threshold": 95, "ended_at": NOON},
        {"budget_id": company.id, "threshold": 50, "spent": 25},
    ]
    for minutes, one in enumerate(alerts):
        at = NOON + timedelta(minutes=minutes)
        add(shop.connection, "budget_alerts", period_start=NOON, created_at=at, **one)
    ro, admin = shop.made()
    assert [(one.budget, one.threshold, one.spent) for one in open_alerts(ro, admin).rows] == [
        ("All", 50, 25),
        ("Own", 80, 8),
    ]
    # Who may not read cost sees that a threshold was reached, and nothing of the company's money.
    viewer = Viewer("Vic", frozenset({Role.VIEWER}), admin.workspaces)
    assert [(one.budget, one.spent, one.amount) for one in open_alerts(ro, viewer).rows] == [("Own", None, None)]


def test_alerts_of_the_company_are_for_those_who_see_every_workspace(shop):
    with shop.database.setup.begin() as owner:
        company = add(owner, "budgets", name="All", scope="company", amount=50)
        people = [
            add(owner, "team_members", email=f"{number}@team.example", roles=["finance"], workspace_ids=seen)
            for number, seen in enumerate((None, [shop.workspace]))
        ]
    add(shop.connection, "budget_alerts", period_start=NOON, budget_id=company.id, threshold=50, spent=25)
    ro, admin = shop.made()
    whole, limited = (Viewer("Fay", frozenset({Role.FINANCE}), admin.workspaces, one.id) for one in people)
    assert [one.budget for one in open_alerts(ro, whole).rows] == ["All"]
    assert open_alerts(ro, limited).rows == ()
