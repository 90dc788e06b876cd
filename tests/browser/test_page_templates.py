"""The page of templates shows which of them are read, rated and taken, and one template's versions."""

from urllib.parse import urlencode

import pytest
from playwright.sync_api import expect

from tests.pages.looking import SCREENS, in_reach, settled, table, tiles, whole
from tests.pages.oracles import ROLES, choices, same

CHOICES = choices("mailer")
VIEWS = ("In use", "Components", "Ratings and downloads", "All templates", "Saved components")
_OF_CAMPAIGN = "JOIN campaigns AS c ON c.workspace_id = t.workspace_id AND c.id = t.campaign_id"
_FIRSTS = f"""
    SELECT t.workspace_id, t.campaign_id, c.product,
        MIN(t.occurred_at) FILTER (WHERE t.event_type = 'sent') AS sent,
        MIN(t.occurred_at) FILTER (WHERE t.event_type = 'delivered') AS delivered,
        MIN(t.occurred_at) FILTER (WHERE t.event_type = 'opened') AS opened,
        MIN(t.occurred_at) FILTER (WHERE t.event_type = 'clicked') AS clicked
    FROM email_events AS t {_OF_CAMPAIGN} GROUP BY t.workspace_id, t.campaign_id, t.contact_id, c.product
"""
_SOME = (
    "SELECT template_id FROM email_campaigns WHERE template_id IS NOT NULL GROUP BY 1 ORDER BY COUNT(*) DESC, 1 LIMIT 1"
)


def mail(choice, role, key="NULL", more=""):
    """Sent, delivered, opened and clicked of each key."""

    def happened(at):
        holds = choice.holds(f"s.{at}", role, product="s.product", workspace="s.workspace_id")
        return f"COUNT(*) FILTER (WHERE {holds})"

    figures = ", ".join(happened(at) for at in ("sent", "delivered", "opened", "clicked"))
    return f"WITH s AS ({_FIRSTS}) SELECT {key}, {figures} FROM s {more} GROUP BY 1"


@pytest.fixture(scope="module")
def shown(site, signed_in):
    """A page as a role sees it."""
    windows = {role: signed_in(role) for role in (*ROLES, "viewer", "finance")}

    def opened(role, path):
        page = windows[role].new_page()
        page.goto(f"{site.url}/{path}")
        settled(page)
        return page

    return opened


@pytest.mark.parametrize("chosen", CHOICES)
@pytest.mark.parametrize("role", ROLES)
def test_tiles_show_what_counting_the_rows_gives(site, shown, role, chosen):
    choice = CHOICES[chosen]
    found = tiles(shown(role, f"templates?{choice.address}"))
    ((_, _, delivered, opened, clicked),) = site.rows(mail(choice, role))
    ((views, clicks, forms),) = site.rows(
        f"""
        SELECT COUNT(*) FILTER (WHERE t.event_type = 'view'), COUNT(*) FILTER (WHERE t.event_type = 'click'),
            COUNT(*) FILTER (WHERE t.event_type = 'form_submit')
        FROM campaign_events AS t {_OF_CAMPAIGN} WHERE {choice.holds("t.occurred_at", role)}
        """
    )
    holds = choice.holds("t.created_at", role, product="t.product")
    ((rating,),) = site.rows(f"SELECT AVG(t.user_rating) FROM ai_generations AS t WHERE {holds}")
    expected = {
        "emails_delivered": delivered,
        "open_rate": opened / delivered,
        "click_rate": clicked / delivered,
        "clicks_per_open": clicked / opened,
        "views": views,
        "clicks_per_view": clicks / views if views else None,
        "form_rate": forms / views if views else None,
        "average_rating": rating,
    }
    assert found.keys() == expected.keys()
    assert {metric: value for metric, value in found.items() if not same(value, expected[metric])} == {}


@pytest.mark.parametrize("chosen", CHOICES)
@pytest.mark.parametrize("role", ROLES)
def test_templates_in_use_show_what_counting_their_campaigns_gives(site, shown, role, chosen):
    """Of each template all campaigns together, copies of it among them: summed first, divided last."""
    page = shown(role, f"templates?{CHOICES[chosen].address}")
    of_template = """
        JOIN email_campaigns AS e ON e.workspace_id = s.workspace_id AND e.campaign_id = s.campaign_id
        JOIN LATERAL (
            SELECT t.id, t.name FROM templates AS t WHERE t.workspace_id = e.workspace_id AND t.id = e.template_id
            UNION
            SELECT t.id, t.name FROM workspace_templates AS k
            JOIN templates AS t ON t.workspace_id = k.library_template_workspace_id AND t.id = k.library_template_id
            WHERE k.workspace_id = e.workspace_id AND k.template_id = e.template_id
        ) AS m ON TRUE
    """
    rows = site.rows(mail(CHOICES[chosen], role, "(m.id, m.name)", of_template))
    expected = {
        (f"{sent:,}", f"{delivered:,}", f"{opened / delivered * 100:,.2f} %", f"{clicked / delivered * 100:,.2f} %")
        for _, sent, delivered, opened, clicked in rows
        if delivered
    }
    cells = page.locator(".st-key-card-templates-in-use tbody tr").evaluate_all(
        "rows => rows.map(row => [...row.cells].map(cell => cell.textContent))"
    )
    assert len(cells) == min(25, sum(1 for row in rows if row[1] or row[2]))
    with_mail = [row for row in cells if row[4] != "0"]
    assert with_mail
    assert {(row[3], row[4], row[5], row[6]) for row in with_mail} <= expected


@pytest.mark.parametrize("role", ROLES)
def test_components_show_what_counting_their_events_gives(site, shown, role):
    choice = CHOICES["first"]
    rows = table(shown(role, f"templates?{choice.address}&show=Components"), "components-of-web-campaigns")
    ((views, clicks),) = site.rows(
        f"""
        SELECT COUNT(*) FILTER (WHERE t.event_type = 'view'), COUNT(*) FILTER (WHERE t.event_type = 'click')
        FROM campaign_events AS t {_OF_CAMPAIGN} WHERE {choice.holds("t.occurred_at", role)}
        """
    )
    # The name of the totals row spans the two columns that split the rows.
    assert list(rows["Together"].values())[1:3] == [f"{views:,}", f"{clicks:,}"]


@pytest.mark.parametrize("role", ROLES)
def test_downloads_and_ratings_are_those_of_the_rows(site, shown, role):
    page = shown(role, f"templates?{urlencode({'show': 'Ratings and downloads'})}")
    seen = CHOICES["first"].holds("t.created_at", role).split(" AND ", 2)[2]
    most = site.rows(
        f"SELECT t.downloads FROM component_library AS t WHERE t.downloads > 0 AND {seen} ORDER BY 1 DESC LIMIT 10"
    )
    told = page.locator(".st-key-card-most-downloaded-components .figure").all_inner_texts()
    assert told == [f"{number:,}" for (number,) in most]
    rated = site.rows(
        f"""
        SELECT AVG(t.user_rating) AS rating, COUNT(t.user_rating) AS ratings FROM ai_generations AS t
        WHERE t.template_id IS NOT NULL AND {seen} GROUP BY t.template_workspace_id, t.template_id
        HAVING COUNT(t.user_rating) >= 3 ORDER BY 1 DESC, 2 DESC LIMIT 10
        """
    )
    told = page.locator(".st-key-card-best-rated-templates .figure").all_inner_texts()
    assert told == [f"{rating:.2f} by {number:,}" for rating, number in rated]


def test_a_search_finds_words_of_names(site, shown):
    page = shown("admin", f"templates?{urlencode({'show': 'All templates', 'words': 'welc', 'kind': 'E-mail'})}")
    names = page.locator(".st-key-card-all-templates tbody tr td:first-child").all_inner_texts()
    ((counted,),) = site.rows("SELECT COUNT(*) FROM templates WHERE STRPOS(LOWER(name), 'welc') > 0 AND kind = 'email'")
    assert len(names) == min(25, counted) > 0
    assert all("welc" in name.lower() for name in names)


def test_a_template_leads_to_its_versions_and_campaigns(site, shown):
    ((key,),) = site.rows(_SOME)
    page = shown("viewer", f"template?template={key}")
    ((name, versions),) = site.rows(
        f"""
        SELECT t.name, (SELECT COUNT(*) FROM template_versions AS v WHERE v.template_id = t.id)
        FROM templates AS t WHERE t.id = '{key}'
        """
    )
    expect(page.get_by_role("heading", name=name, level=1)).to_be_visible()
    expect(page.locator(".st-key-card-versions")).to_contain_text(f"{versions} row")


def test_who_is_limited_finds_no_template_of_others(site, shown):
    own = "SELECT UNNEST(workspace_ids) FROM team_members WHERE email = 'limited@test.example'"
    page = shown("limited", f"templates?{urlencode({'show': 'Saved components'})}")
    names = set(page.locator(".st-key-card-saved-components tbody tr td:nth-child(3)").all_inner_texts())
    assert names <= {name for (name,) in site.rows(f"SELECT name FROM workspaces WHERE id IN ({own})")}
    ((key,),) = site.rows(
        f"SELECT id FROM templates WHERE NOT is_library AND workspace_id NOT IN ({own}) ORDER BY id LIMIT 1"
    )
    expect(
        shown("limited", f"template?template={key}").get_by_text("You see no template by this address.")
    ).to_be_visible()


@pytest.mark.parametrize("view", VIEWS)
@pytest.mark.parametrize("screen", SCREENS)
def test_every_view_is_whole_on_every_screen(site, look, screen, view):
    whole(look(site, f"/templates?{urlencode({'show': view})}", role="viewer", **SCREENS[screen]))


@pytest.mark.parametrize("screen", SCREENS)
def test_a_templates_page_is_whole_on_every_screen(site, look, screen):
    ((key,),) = site.rows(_SOME)
    seen = look(site, f"/template?template={key}", role="viewer", **SCREENS[screen])
    whole(seen)
    in_reach(seen.page)


@pytest.mark.parametrize("view", VIEWS)
def test_nothing_of_ours_is_out_of_reach(shown, view):
    in_reach(shown("finance", f"templates?{urlencode({'show': view})}"))


@pytest.mark.parametrize("path", ["/templates", "/template"])
def test_whoever_has_not_signed_in_is_sent_to_do_so(site, look, path):
    seen = look(site, path, role=None)
    expect(seen.page.get_by_role("heading", name="Sign in")).to_be_visible(timeout=30_000)


def test_what_can_not_be_used_falls_back_and_is_said(shown):
    page = shown("viewer", f"templates?{urlencode({'show': 'Nowhere', 'product': '<b>'})}")
    told = " ".join(page.get_by_role("alert").all_inner_texts())
    assert all(part in told for part in ("show=Nowhere", "product=<b>"))
    listed = shown("viewer", f"templates?{urlencode({'show': 'All templates', 'kind': 'Poem', 'after': 'x'})}")
    assert "kind=Poem" in " ".join(listed.get_by_role("alert").all_inner_texts())
    expect(shown("viewer", "template?template=x").get_by_text("You see no template by this address.")).to_be_visible()
