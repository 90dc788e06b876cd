"""The audience page shows how people stand now, and one contact's page all that happened to that one person."""

from datetime import UTC, datetime
from urllib.parse import urlencode

import pytest

from tests.pages.oracles import ROLES, choices

_LARGEST = "SELECT contact_id FROM email_events WHERE {} GROUP BY contact_id ORDER BY COUNT(*) DESC, contact_id LIMIT 1"
_STATUSES = ("pending", "subscribed", "unsubscribed", "bounced", "complained")
_NOBODY = "You see no contact by this address."


def seen_by(role):
    """Contacts that a role sees."""
    return choices("mailer")["first"].holds("t.created_at", role).split(" AND ", 2)[2]


@pytest.mark.parametrize("role", ROLES)
def test_the_status_table_counts_every_contact_once(pages, role):
    rows = pages.open("audience.py", "", role).cards["Status and last activity"].table()
    statuses = dict(pages.rows(f"SELECT t.status, COUNT(*) FROM contacts AS t WHERE {seen_by(role)} GROUP BY 1"))
    together = rows.pop("Together")
    for status, number in statuses.items():
        assert together[status.capitalize()] == f"{number:,}"
    never = f"SELECT COUNT(*) FROM contacts AS t WHERE t.last_engaged_at IS NULL AND {seen_by(role)}"
    ((silent,),) = pages.rows(never)
    assert rows["never"]["Contacts"] == f"{silent:,}"
    assert sum(int(row["Contacts"].replace(",", "")) for row in rows.values()) == sum(statuses.values())


_SINCE = "CURRENT_DATE - CAST(t.last_engaged_at AT TIME ZONE 'UTC' AS DATE)"
_RECENT = {
    "never": "t.last_engaged_at IS NULL",
    "in the last 30 days": f"{_SINCE} <= 30",
    "31 to 60 days ago": f"{_SINCE} BETWEEN 31 AND 60",
    "61 to 90 days ago": f"{_SINCE} BETWEEN 61 AND 90",
    "91 to 180 days ago": f"{_SINCE} BETWEEN 91 AND 180",
    "181 to 365 days ago": f"{_SINCE} BETWEEN 181 AND 365",
    "longer ago": f"{_SINCE} > 365",
}


@pytest.mark.parametrize("role", ROLES)
def test_each_cell_of_the_status_table_counts_those_last_active_then(pages, role):
    rows = pages.open("audience.py", "", role).cards["Status and last activity"].table()
    for told, when in _RECENT.items():
        counted = dict(
            pages.rows(f"SELECT t.status, COUNT(*) FROM contacts AS t WHERE {when} AND {seen_by(role)} GROUP BY 1")
        )
        shown = {status: int(rows[told].get(status.capitalize(), "0").replace(",", "")) for status in _STATUSES}
        assert shown == {status: counted.get(status, 0) for status in _STATUSES}, told


@pytest.mark.parametrize("role", ROLES)
def test_cohorts_show_how_each_months_contacts_stand(pages, role):
    rows = pages.open("audience.py", "show=Cohorts", role).cards["By the month in which they came"].table()
    expected = pages.rows(
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


def test_a_search_finds_parts_of_addresses_and_keeps_its_words(pages):
    query = urlencode({"show": "Contacts", "words": "a o", "status": "Subscribed"})
    found = "LOWER(CONCAT_WS(' ', email, first_name, last_name))"
    where = f"STRPOS({found}, 'a') > 0 AND STRPOS({found}, 'o') > 0 AND status = 'subscribed'"
    expected = [email for (email,) in pages.rows(f"SELECT email FROM contacts WHERE {where} ORDER BY id DESC LIMIT 50")]
    seen = pages.open("audience.py", query)
    assert [row[0] for row in seen.cards["People"].rows] == expected[:25]
    older = seen.query_of("Older")
    assert "words=a+o" in older
    assert [row[0] for row in pages.open("audience.py", older).cards["People"].rows] == expected[25:]


def test_a_contacts_page_tells_everything_that_happened_to_them(pages):
    ((key,),) = pages.rows(_LARGEST.format("TRUE"))
    ((email, events),) = pages.rows(
        f"""
        SELECT p.email, (SELECT COUNT(*) FROM email_events WHERE contact_id = p.id) FROM contacts AS p
        WHERE p.id = '{key}'
        """
    )
    ((campaigns,),) = pages.rows(f"SELECT COUNT(*) FROM email_sends WHERE contact_id = '{key}'")
    query, told = f"contact={key}", 0
    while query is not None:
        seen = pages.open("contact.py", query, "viewer")
        told += len(seen.cards["Everything that happened"].rows)
        query = seen.query_of("Older")
    assert told == events
    assert email in seen.texts
    assert seen.cards["What was sent to them"].counted.startswith(f"{campaigns} row")


@pytest.mark.parametrize("key", ["", "nobody", "00000000-0000-0000-0000-000000000000"])
def test_an_address_of_nobody_says_so(pages, key):
    assert _NOBODY in pages.open("contact.py", f"contact={key}", "viewer").texts


def test_who_is_limited_finds_nobody_of_others(pages):
    pages.open("audience.py", "", "limited")
    others = "workspace_id NOT IN (SELECT UNNEST(workspace_ids) FROM team_members WHERE email = 'limited@test.example')"
    ((key,),) = pages.rows(_LARGEST.format(others))
    ((email,),) = pages.rows(f"SELECT email FROM contacts WHERE id = '{key}'")
    listed = pages.open("audience.py", urlencode({"show": "Contacts", "words": email}), "limited")
    assert "Nobody is found." in listed.texts
    assert _NOBODY in pages.open("contact.py", f"contact={key}", "limited").texts


def test_what_can_not_be_used_falls_back_and_is_said(pages):
    query = urlencode({"show": "Nowhere", "domain": "<b>", "compare": "Nobody"})
    told = " ".join(pages.open("audience.py", query, "viewer").notices)
    assert all(part in told for part in ("show=Nowhere", "domain=<b>", "compare=Nobody"))
    listed = pages.open("audience.py", "show=Contacts&status=Sleepy&after=somewhere", "viewer")
    told = " ".join(listed.notices)
    assert "status=Sleepy" in told
    assert "no place in the list" in told
    assert len(listed.cards["People"].rows) == 25
