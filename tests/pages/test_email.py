"""The e-mail page tells of every send and every event, by people alone or by everybody."""

from urllib.parse import urlencode

import pytest

from tests.pages.facts import Facts
from tests.pages.oracles import ROLES, choices

CHOICES = choices("mailer")
_STEPS = {
    "Sent": ("emails_sent", "total_sent"),
    "Delivered": ("emails_delivered", "total_delivered"),
    "Opened": ("emails_opened", "total_opens"),
    "Opened by people": ("emails_human_opened", "total_human_opens"),
    "Clicked": ("emails_clicked", "total_clicks"),
    "Bounced": ("emails_bounced", "total_bounces"),
    "Unsubscribed": ("emails_unsubscribed", "total_unsubscribes"),
    "Complained": ("emails_complained", "total_complaints"),
}


@pytest.mark.parametrize("opens", ["Everybody", "People only"])
@pytest.mark.parametrize("chosen", CHOICES)
@pytest.mark.parametrize("role", ROLES)
def test_the_funnel_counts_sends_once_and_events_each(pages, role, chosen, opens):
    choice = CHOICES[chosen]
    rows = pages.open("emails.py", f"{choice.address}&{urlencode({'opens': opens})}", role)
    left_out = "Opened" if opens == "People only" else "Opened by people"
    (counted,) = Facts(pages.rows, choice, role).of([name for pair in _STEPS.values() for name in pair]).values()
    assert counted["emails_delivered"] > 0
    assert {
        name: (row["Sends"], row["Events"]) for name, row in rows.cards["From sent to clicked"].table().items()
    } == {step: tuple(f"{counted[name] or 0:,}" for name in pair) for step, pair in _STEPS.items() if step != left_out}
    for step, row in rows.cards["From sent to clicked"].table().items():
        whole = counted["emails_sent" if step in {"Delivered", "Bounced"} else "emails_delivered"]
        assert row["Share"] == ("" if step == "Sent" else f"{(counted[_STEPS[step][0]] or 0) / whole * 100:,.2f} %")


@pytest.mark.parametrize("chosen", CHOICES)
@pytest.mark.parametrize("role", ROLES)
def test_a_send_time_is_told_by_what_was_sent_then(pages, role, chosen):
    """Of the e-mails sent in an hour of the week, whenever they were opened."""
    choice = CHOICES[chosen]
    seen = pages.open("emails.py", f"{choice.address}&{urlencode({'show': 'Send time'})}", role)
    rows = pages.rows(
        f"""
        SELECT EXTRACT(ISODOW FROM s.sent), EXTRACT(HOUR FROM s.sent), COUNT(s.delivered), COUNT(s.opened)
        FROM (
            SELECT t.workspace_id, c.product, {
            ", ".join(
                f"MIN(t.occurred_at) FILTER (WHERE t.event_type = '{kind}') AS {kind}"
                for kind in ("sent", "delivered", "opened")
            )
        }
            FROM email_events AS t JOIN campaigns AS c ON c.workspace_id = t.workspace_id AND c.id = t.campaign_id
            GROUP BY t.workspace_id, t.campaign_id, t.contact_id, c.product
        ) AS s
        WHERE {choice.holds("s.sent", role, product="s.product", workspace="s.workspace_id")} GROUP BY 1, 2
        """
    )
    days = ("Mon", "Tue", "Wed", "Thu", "Fri", "Sat", "Sun")
    told = dict(cell.split(";")[0].rsplit(": ", 1) for cell in seen.cards["When sending is worth it"].heat)
    assert told == {
        f"{days[int(day) - 1]}, {int(hour):02}:00": f"{opened / delivered * 100:,.2f} %"
        for day, hour, delivered, opened in rows
        if delivered
    }


def test_older_events_follow_the_newest_without_gap_or_repetition(pages):
    query, seen = urlencode({"show": "Single events", "event": "Delivered", "period": "Last 90 days"}), []
    for _ in range(2):
        assert "event=Delivered" in query
        page = pages.open("emails.py", query, "limited")
        seen += [row[3] for row in page.cards["Single events"].rows]
        query = page.query_of("Older")
    expected = pages.rows(
        f"""
        SELECT p.email FROM email_events AS t
        JOIN campaigns AS c ON c.workspace_id = t.workspace_id AND c.id = t.campaign_id
        JOIN contacts AS p ON p.workspace_id = t.workspace_id AND p.id = t.contact_id
        WHERE t.event_type = 'delivered' AND {CHOICES["product"].holds("t.occurred_at", "limited")}
        ORDER BY t.occurred_at DESC, t.id DESC LIMIT 50
        """
    )
    assert seen == [email for (email,) in expected]


def test_single_events_are_those_that_the_filters_choose(pages):
    """Of one domain and one product: as many pages as there are events, and the download is of the same."""
    choice = CHOICES["product"]
    query = f"{choice.address}&{urlencode({'show': 'Single events', 'domain': 'inbox.example', 'event': 'Bounced'})}"
    seen, links = [], []
    while query:
        page = pages.open("emails.py", query, "limited")
        seen += [row[3] for row in page.cards["Single events"].rows]
        links += [to for told, to in page.links if told == "CSV" and "email_events" in to]
        query = page.query_of("Older")
    expected = pages.rows(
        f"""
        SELECT p.email FROM email_events AS t
        JOIN campaigns AS c ON c.workspace_id = t.workspace_id AND c.id = t.campaign_id
        JOIN contacts AS p ON p.workspace_id = t.workspace_id AND p.id = t.contact_id
        WHERE t.event_type = 'bounced' AND p.email_domain = 'inbox.example'
            AND {choice.holds("t.occurred_at", "limited")}
        ORDER BY t.occurred_at DESC, t.id DESC
        """
    )
    assert seen == [email for (email,) in expected]
    assert seen
    assert all("product=mailer" in link and "domain=inbox.example" in link for link in links)
    assert links


def test_what_can_not_be_used_falls_back_and_is_said(pages):
    query = urlencode({"show": "Nowhere", "opens": "Robots", "domain": "<b>", "grain": "Blink"})
    seen = pages.open("emails.py", query, "viewer")
    told = " ".join(seen.notices)
    assert all(part in told for part in ("show=Nowhere", "opens=Robots", "domain=<b>", "grain=Blink"))
    assert len(seen.cards["Campaigns"].rows) > 1
