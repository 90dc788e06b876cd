"""The e-mail page shows what became of every send, by people alone or by everybody, and names who was told apart."""

from urllib.parse import urlencode

import pytest
from playwright.sync_api import expect

from tests.pages.looking import SCREENS, in_reach, settled, table, tiles, whole
from tests.pages.oracles import ROLES, choices, same

CHOICES = choices("mailer")
VIEWS = ("Campaigns", "Domains", "Bounces", "Links", "Send time", "Device and place", "Single events")
KINDS = ("sent", "delivered", "opened", "clicked", "unsubscribed", "complained")
_OF_CAMPAIGN = "JOIN campaigns AS c ON c.workspace_id = t.workspace_id AND c.id = t.campaign_id"
# Each send with the first time of everything, from the events: a soft bounce that was delivered later is none.
SENDS = f"""
    SELECT t.workspace_id, c.product, c.name AS campaign, LOWER(SPLIT_PART(p.email, '@', 2)) AS domain,
        {", ".join(f"MIN(t.occurred_at) FILTER (WHERE t.event_type = '{kind}') AS {kind}" for kind in KINDS)},
        MIN(t.occurred_at) FILTER (WHERE t.event_type = 'opened' AND t.is_machine_open IS NOT TRUE) AS human_opened,
        MAX(t.occurred_at) FILTER (WHERE t.event_type = 'delivered') AS last_delivered,
        MIN(t.occurred_at) FILTER (WHERE t.event_type = 'bounced') AS first_bounce,
        MAX(t.occurred_at) FILTER (WHERE t.event_type = 'bounced' AND t.bounce_type <> 'hard') AS last_soft,
        BOOL_OR(t.bounce_type = 'hard') AS is_hard
    FROM email_events AS t {_OF_CAMPAIGN} JOIN contacts AS p ON p.workspace_id = t.workspace_id AND p.id = t.contact_id
    GROUP BY t.workspace_id, t.campaign_id, t.contact_id, c.product, c.name, p.email
"""
_IS_BOUNCE = "(s.is_hard OR s.last_soft IS NOT NULL AND (s.last_delivered IS NULL OR s.last_delivered < s.last_soft))"


def counted(site, choice, role, key="NULL"):
    """How many sends of each key had which first event in the choice's days."""

    def holds(at):
        return choice.holds(f"s.{at}", role, product="s.product", workspace="s.workspace_id")

    kinds = (*KINDS, "human_opened")
    columns = [f"COUNT(*) FILTER (WHERE {holds(kind)}) AS {kind}" for kind in kinds]
    columns.append(f"COUNT(*) FILTER (WHERE {holds('first_bounce')} AND {_IS_BOUNCE}) AS bounced")
    rows = site.rows(f"WITH s AS ({SENDS}) SELECT {key} AS key, {', '.join(columns)} FROM s GROUP BY 1")
    return {row.key: row._asdict() for row in rows if any(list(row)[1:])}


@pytest.fixture(scope="module")
def shown(site, signed_in):
    """The page as a role sees it with a query."""
    windows = {role: signed_in(role) for role in (*ROLES, "viewer", "finance")}

    def opened(role, query):
        page = windows[role].new_page()
        page.goto(f"{site.url}/email?{query}")
        settled(page)
        return page

    return opened


@pytest.mark.parametrize("opens", ["Everybody", "People only"])
@pytest.mark.parametrize("chosen", CHOICES)
@pytest.mark.parametrize("role", ROLES)
def test_tiles_and_funnel_show_what_counting_the_events_gives(site, shown, role, chosen, opens):
    choice = CHOICES[chosen]
    page = shown(role, f"{choice.address}&{urlencode({'opens': opens})}")
    (n,) = counted(site, choice, role).values()
    assert n["delivered"] > 0
    opened, rate = ("human_opened", "human_open_rate") if opens == "People only" else ("opened", "open_rate")
    expected = {
        "emails_sent": n["sent"],
        "emails_delivered": n["delivered"],
        "delivery_rate": n["delivered"] / n["sent"],
        rate: n[opened] / n["delivered"],
        "click_rate": n["clicked"] / n["delivered"],
        "bounce_rate": n["bounced"] / n["sent"],
        "unsubscribe_rate": n["unsubscribed"] / n["delivered"],
        "complaint_rate": n["complained"] / n["delivered"],
    }
    found = tiles(page)
    assert found.keys() == expected.keys()
    assert {name: value for name, value in found.items() if not same(value, expected[name])} == {}
    steps = {name: row["Sends"] for name, row in table(page, "from-sent-to-clicked").items()}
    name = "Opened by people" if opens == "People only" else "Opened"
    told = {"Sent": "sent", "Delivered": "delivered", name: opened, "Clicked": "clicked", "Bounced": "bounced"}
    told |= {"Unsubscribed": "unsubscribed", "Complained": "complained"}
    assert steps == {step: f"{n[kind]:,}" for step, kind in told.items()}


@pytest.mark.parametrize("role", ROLES)
def test_events_count_what_sends_count_once(site, shown, role):
    choice = CHOICES["first"]
    steps = table(shown(role, choice.address), "from-sent-to-clicked")
    rows = dict(
        site.rows(
            f"""
            SELECT INITCAP(t.event_type), COUNT(*) FROM email_events AS t {_OF_CAMPAIGN}
            WHERE {choice.holds("t.occurred_at", role)} GROUP BY 1
            """
        )
    )
    assert rows["Opened"] > 0
    assert {name: row["Events"] for name, row in steps.items()} == {name: f"{rows.get(name, 0):,}" for name in steps}


@pytest.mark.parametrize("chosen", CHOICES)
@pytest.mark.parametrize("role", ROLES)
def test_domains_show_what_counting_the_events_gives(site, shown, role, chosen):
    choice = CHOICES[chosen]
    rows = table(shown(role, f"{choice.address}&show=Domains"), "receiving-domains")
    together = rows.pop("Together")
    expected = counted(site, choice, role, "s.domain")
    assert {name: row["E-mails sent"] for name, row in rows.items()} == {
        name: f"{n['sent']:,}" for name, n in expected.items()
    }
    for name, row in rows.items():
        n = expected[name]
        assert row["Open rate"] == (f"{n['opened'] / n['delivered'] * 100:,.2f} %" if n["delivered"] else "–")
    assert together["E-mails sent"] == f"{sum(n['sent'] for n in expected.values()):,}"


@pytest.mark.parametrize("role", ROLES)
def test_links_show_every_click(site, shown, role):
    choice = CHOICES["product"]
    rows = table(shown(role, f"{choice.address}&show=Links"), "links")
    found = dict(
        site.rows(
            f"""
            SELECT t.link_url, COUNT(*) FROM email_events AS t {_OF_CAMPAIGN}
            WHERE t.event_type = 'clicked' AND {choice.holds("t.occurred_at", role)} GROUP BY 1
            """
        )
    )
    assert rows.pop("Together")["Total clicks"] == f"{sum(found.values()):,}"
    assert {name: row["Total clicks"] for name, row in rows.items()} == {name: f"{n:,}" for name, n in found.items()}


@pytest.mark.parametrize("role", ROLES)
def test_bounces_add_up_to_all_of_them(site, shown, role):
    choice = CHOICES["product"]
    together = table(shown(role, f"{choice.address}&show=Bounces"), "who-turned-mail-away-and-why")["Together"]
    ((number,),) = site.rows(
        f"""
        SELECT COUNT(*) FROM email_events AS t {_OF_CAMPAIGN}
        WHERE t.event_type = 'bounced' AND {choice.holds("t.occurred_at", role)}
        """
    )
    assert number > 0
    # The name of the totals row spans the columns that split the rows.
    assert list(together.values())[1] == f"{number:,}"


@pytest.mark.parametrize("opens", ["Everybody", "People only"])
@pytest.mark.parametrize("role", ROLES)
def test_devices_and_places_count_opens_of_everybody_or_of_people_alone(site, shown, role, opens):
    choice = CHOICES["picked"]
    page = shown(role, f"{choice.address}&{urlencode({'show': 'Device and place', 'opens': opens})}")
    human = "AND t.is_machine_open IS NOT TRUE" if opens == "People only" else ""
    for card, key in (("opens-by-device", "device_type"), ("opens-by-place", "location")):
        cells = page.locator(f".st-key-card-{card} .sl-rows")
        names, figures = (cells.locator(f".{kind}").all_inner_texts() for kind in ("name", "figure"))
        found = site.rows(
            f"""
            SELECT COALESCE(t.{key}, '(none)'), COUNT(*) FROM email_events AS t {_OF_CAMPAIGN}
            WHERE t.event_type = 'opened' {human} AND {choice.holds("t.occurred_at", role)} GROUP BY 1
            """
        )
        assert dict(zip(names, figures, strict=True)) == {name: f"{n:,}" for name, n in found}


def test_a_send_time_is_told_by_what_was_sent_then(site, shown):
    """Of the e-mails sent in an hour of the week, whenever they were opened."""
    choice = CHOICES["product"]
    page = shown("admin", f"{choice.address}&{urlencode({'show': 'Send time'})}")
    holds = choice.holds("s.sent", "admin", product="s.product", workspace="s.workspace_id")
    rows = site.rows(
        f"""
        WITH s AS ({SENDS})
        SELECT EXTRACT(ISODOW FROM s.sent), EXTRACT(HOUR FROM s.sent), COUNT(s.delivered),
            COUNT(s.opened) FILTER (WHERE s.delivered IS NOT NULL), COUNT(s.opened)
        FROM s WHERE {holds} GROUP BY 1, 2
        """
    )
    days = ("Mon", "Tue", "Wed", "Thu", "Fri", "Sat", "Sun")
    cells = page.locator(".sl-heat td[aria-label]").evaluate_all("all => all.map(one => one.ariaLabel)")
    told = dict(cell.split(";")[0].rsplit(": ", 1) for cell in cells)
    expected = {
        f"{days[int(day) - 1]}, {int(hour):02}:00": f"{opened / delivered * 100:,.2f} %"
        for day, hour, delivered, _, opened in rows
        if delivered
    }
    assert told == expected


def test_older_events_follow_the_newest_without_gap_or_repetition(site, shown):
    page = shown("limited", urlencode({"show": "Single events", "event": "Delivered", "period": "Last 90 days"}))
    card = ".st-key-card-single-events tbody tr"
    seen = []
    for _ in range(2):
        seen += page.locator(card).all_inner_texts()
        page.get_by_role("link", name="Older").click()
        page.wait_for_url("**after=**")
        page.wait_for_timeout(300)
        settled(page)
        assert "event=Delivered" in page.url
    assert len(seen) == 50
    own = CHOICES["product"].holds("t.occurred_at", "limited")
    expected = site.rows(
        f"""
        SELECT p.email FROM email_events AS t {_OF_CAMPAIGN}
        JOIN contacts AS p ON p.workspace_id = t.workspace_id AND p.id = t.contact_id
        WHERE t.event_type = 'delivered' AND {own} ORDER BY t.occurred_at DESC, t.id DESC LIMIT 50
        """
    )
    assert [row.split("\t")[3] for row in seen] == [email for (email,) in expected]


def test_the_complaint_lines_are_drawn_where_providers_draw_them(shown):
    page = shown("viewer", "")
    assert page.locator(".st-key-card-complaint-rate .sl-limit").all_inner_texts() == ["0.10 %", "0.30 %"]


def test_a_domain_narrows_the_page_and_the_filters_are_kept(site, shown):
    choice = CHOICES["product"]
    page = shown("admin", f"{choice.address}&show=Domains&{urlencode({'opens': 'People only'})}")
    page.locator(".st-key-card-receiving-domains").get_by_role("link", name="inbox.example").click()
    page.wait_for_url("**domain=inbox.example**")
    page.wait_for_timeout(300)
    settled(page)
    assert "product=Mailer" in page.url
    assert "opens=People" in page.url
    assert tiles(page)["emails_sent"] == counted(site, choice, "admin", "s.domain")["inbox.example"]["sent"]


@pytest.mark.parametrize("view", VIEWS)
@pytest.mark.parametrize("screen", SCREENS)
def test_every_view_is_whole_on_every_screen(site, look, screen, view):
    whole(look(site, f"/email?{urlencode({'show': view})}", role="viewer", **SCREENS[screen]))


@pytest.mark.parametrize("view", VIEWS)
def test_nothing_of_ours_is_out_of_reach(shown, view):
    in_reach(shown("finance", urlencode({"show": view})))


def test_whoever_has_not_signed_in_is_sent_to_do_so(site, look):
    seen = look(site, "/email", role=None)
    expect(seen.page.get_by_role("heading", name="Sign in")).to_be_visible(timeout=30_000)


def test_what_can_not_be_used_falls_back_and_is_said(shown):
    page = shown("viewer", "show=Nowhere&opens=Robots&domain=%3Cb%3E&grain=Blink")
    told = " ".join(page.get_by_role("alert").all_inner_texts())
    assert all(part in told for part in ("show=Nowhere", "opens=Robots", "domain=<b>", "grain=Blink"))
    assert len(table(page, "campaigns")) > 1
