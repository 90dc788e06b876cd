"""The audience page shows how lists stand and grow, and one contact's page all that happened to that one person."""

from datetime import UTC, datetime
from urllib.parse import urlencode

import pytest
from playwright.sync_api import expect

from tests.pages.looking import SCREENS, in_reach, settled, table, tiles, whole
from tests.pages.oracles import ROLES, choices, same

_ALL_CHOICES = choices("mailer")
# Contacts are of no product: the third set of filters is a domain.
DOMAINS = {"first": None, "picked": None, "domain": "mail.example"}
VIEWS = ("Status", "Cohorts", "Domains", "Workspaces", "Contacts")
_DOMAIN = "LOWER(SPLIT_PART(t.email, '@', 2))"
_LARGEST = "SELECT contact_id FROM email_events WHERE {} GROUP BY contact_id ORDER BY COUNT(*) DESC, contact_id LIMIT 1"


def seen_by(role):
    """Contacts that a role sees."""
    condition = _ALL_CHOICES["first"].holds("t.created_at", role)
    return condition.split(" AND ", 2)[2]


def counted(site, name, role, key="NULL"):
    """How many contacts of each key came, went, agreed and took it back in the days, and were there at their end."""
    choice = _ALL_CHOICES["first" if name == "domain" else name]

    def moved(at):
        return f"COUNT(*) FILTER (WHERE t.{at} >= DATE '{choice.since}' AND t.{at} < DATE '{choice.until}')"

    only = f" AND {_DOMAIN} = '{DOMAINS[name]}'" if DOMAINS[name] else ""
    rows = site.rows(
        f"""
        SELECT {key}, COUNT(*) FILTER (WHERE t.created_at < DATE '{choice.until}'
                AND (t.deleted_at IS NULL OR t.deleted_at >= DATE '{choice.until}')),
            {moved("created_at")}, {moved("deleted_at")}, {moved("subscribed_at")}, {moved("unsubscribed_at")}
        FROM contacts AS t WHERE {seen_by(role)}{only} GROUP BY 1
        """
    )
    return {row[0]: tuple(row)[1:] for row in rows}


def address(name):
    choice = _ALL_CHOICES["first" if name == "domain" else name]
    return choice.address + (f"&{urlencode({'domain': DOMAINS[name]})}" if DOMAINS[name] else "")


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


@pytest.mark.parametrize("name", DOMAINS)
@pytest.mark.parametrize("role", ROLES)
def test_tiles_show_what_counting_the_contacts_gives(site, shown, role, name):
    found = tiles(shown(role, f"audience?{address(name)}"))
    ((there, came, went, agreed, took_back),) = counted(site, name, role).values()
    assert there > came > 0
    expected = {
        "contacts": there,
        "list_growth": came - went,
        "contacts_added": came,
        "contacts_subscribed": agreed,
        "contacts_unsubscribed": took_back,
    }
    assert found.keys() == expected.keys()
    assert {metric: value for metric, value in found.items() if not same(value, expected[metric])} == {}


@pytest.mark.parametrize("role", ROLES)
def test_domains_and_workspaces_add_up_to_all_contacts(site, shown, role):
    rows = table(shown(role, "audience?show=Domains"), "domains-of-their-addresses")
    together = rows.pop("Together")
    expected = counted(site, "first", role, _DOMAIN)
    assert {name: row["Contacts"] for name, row in rows.items()} == {
        name: f"{numbers[0]:,}" for name, numbers in expected.items()
    }
    assert together["Contacts"] == f"{sum(numbers[0] for numbers in expected.values()):,}"
    lists = table(shown(role, "audience?show=Workspaces"), "lists-of-the-workspaces")
    assert lists["Together"]["Contacts"] == together["Contacts"]


@pytest.mark.parametrize("role", ROLES)
def test_the_status_table_counts_every_contact_once(site, shown, role):
    rows = table(shown(role, "audience"), "status-and-last-activity")
    statuses = dict(site.rows(f"SELECT t.status, COUNT(*) FROM contacts AS t WHERE {seen_by(role)} GROUP BY 1"))
    together = rows.pop("Together")
    for status, number in statuses.items():
        assert together[status.capitalize()] == f"{number:,}"
    never = f"SELECT COUNT(*) FROM contacts AS t WHERE t.last_engaged_at IS NULL AND {seen_by(role)}"
    ((silent,),) = site.rows(never)
    assert rows["never"]["Contacts"] == f"{silent:,}"
    assert sum(int(row["Contacts"].replace(",", "")) for row in rows.values()) == sum(statuses.values())


@pytest.mark.parametrize("role", ROLES)
def test_cohorts_show_how_each_months_contacts_stand(site, shown, role):
    rows = table(shown(role, "audience?show=Cohorts"), "by-the-month-in-which-they-came")
    expected = site.rows(
        f"""
        SELECT TO_CHAR(t.created_at AT TIME ZONE 'UTC', 'Mon YYYY'), COUNT(*),
            COUNT(*) FILTER (WHERE t.status = 'subscribed'), COUNT(*) FILTER (WHERE t.last_engaged_at IS NULL),
            COUNT(*) FILTER (WHERE t.last_engaged_at >= DATE '{datetime.now(UTC).date()}' - 30)
        FROM contacts AS t WHERE {seen_by(role)} GROUP BY 1
        """
    )
    assert rows.keys() == {month for month, *_ in expected}
    for month, number, subscribed, never, active in expected:
        row = rows[month]
        assert row["Contacts"] == f"{number:,}"
        shares = (row["Subscribed"], row["Never active"], row["Active, 30 days"])
        assert shares == tuple(f"{part / number * 100:,.2f} %" for part in (subscribed, never, active))


def test_a_search_finds_parts_of_addresses_and_keeps_its_words(site, shown):
    page = shown("admin", f"audience?{urlencode({'show': 'Contacts', 'words': 'a o', 'status': 'Subscribed'})}")
    found = "LOWER(CONCAT_WS(' ', email, first_name, last_name))"
    where = f"STRPOS({found}, 'a') > 0 AND STRPOS({found}, 'o') > 0 AND status = 'subscribed'"
    expected = [email for (email,) in site.rows(f"SELECT email FROM contacts WHERE {where} ORDER BY id DESC LIMIT 50")]
    emails = page.locator(".st-key-card-people tbody tr td:first-child")
    assert emails.all_inner_texts() == expected[:25]
    page.get_by_role("link", name="Older").click()
    page.wait_for_url("**after=**")
    page.wait_for_timeout(300)
    settled(page)
    assert emails.all_inner_texts() == expected[25:]
    assert "words=a+o" in page.url


def test_a_contacts_page_tells_everything_that_happened_to_them(site, shown):
    ((key,),) = site.rows(_LARGEST.format("TRUE"))
    page = shown("viewer", f"contact?contact={key}")
    ((email, events),) = site.rows(
        f"""
        SELECT p.email, (SELECT COUNT(*) FROM email_events WHERE contact_id = p.id) FROM contacts AS p
        WHERE p.id = '{key}'
        """
    )
    ((campaigns,),) = site.rows(f"SELECT COUNT(*) FROM email_sends WHERE contact_id = '{key}'")
    expect(page.get_by_role("heading", name=email, level=1)).to_be_visible()
    expect(page.locator(".st-key-card-what-was-sent-to-them")).to_contain_text(f"{campaigns} row")
    told = 0
    while True:
        told += page.locator(".st-key-card-everything-that-happened tbody tr").count()
        older = page.get_by_role("link", name="Older")
        if not older.count():
            break
        before = page.url
        older.click()
        page.wait_for_url(lambda url, before=before: url != before)
        page.wait_for_timeout(300)
        settled(page)
    assert told == events


@pytest.mark.parametrize("key", ["", "nobody", "00000000-0000-0000-0000-000000000000"])
def test_an_address_of_nobody_says_so(shown, key):
    page = shown("viewer", f"contact?contact={key}")
    expect(page.get_by_text("You see no contact by this address.")).to_be_visible()


def test_who_is_limited_finds_nobody_of_others(site, shown):
    others = "workspace_id NOT IN (SELECT UNNEST(workspace_ids) FROM team_members WHERE email = 'limited@test.example')"
    page = shown("limited", "audience?show=Contacts")
    ((key,),) = site.rows(_LARGEST.format(others))
    ((email,),) = site.rows(f"SELECT email FROM contacts WHERE id = '{key}'")
    page.get_by_role("searchbox").or_(page.get_by_label("Search")).first.fill(email)
    page.keyboard.press("Enter")
    expect(page.get_by_text("Nobody is found.")).to_be_visible(timeout=30_000)
    expect(
        shown("limited", f"contact?contact={key}").get_by_text("You see no contact by this address.")
    ).to_be_visible()


@pytest.mark.parametrize("view", VIEWS)
@pytest.mark.parametrize("screen", SCREENS)
def test_every_view_is_whole_on_every_screen(site, look, screen, view):
    whole(look(site, f"/audience?{urlencode({'show': view})}", role="viewer", **SCREENS[screen]))


@pytest.mark.parametrize("screen", SCREENS)
def test_a_contacts_page_is_whole_on_every_screen(site, look, screen):
    ((key,),) = site.rows(_LARGEST.format("TRUE"))
    seen = look(site, f"/contact?contact={key}", role="viewer", **SCREENS[screen])
    whole(seen)
    in_reach(seen.page)


@pytest.mark.parametrize("view", VIEWS)
def test_nothing_of_ours_is_out_of_reach(shown, view):
    in_reach(shown("finance", f"audience?show={view}"))


@pytest.mark.parametrize("path", ["/audience", "/contact"])
def test_whoever_has_not_signed_in_is_sent_to_do_so(site, look, path):
    seen = look(site, path, role=None)
    expect(seen.page.get_by_role("heading", name="Sign in")).to_be_visible(timeout=30_000)


def test_what_can_not_be_used_falls_back_and_is_said(shown):
    page = shown("viewer", f"audience?{urlencode({'show': 'Nowhere', 'domain': '<b>', 'compare': 'Nobody'})}")
    told = " ".join(page.get_by_role("alert").all_inner_texts())
    assert all(part in told for part in ("show=Nowhere", "domain=<b>", "compare=Nobody"))
    listed = shown("viewer", "audience?show=Contacts&status=Sleepy&after=somewhere")
    told = " ".join(listed.get_by_role("alert").all_inner_texts())
    assert "status=Sleepy" in told
    assert "no place in the list" in told
    assert listed.locator(".st-key-card-people tbody tr").count() == 25
