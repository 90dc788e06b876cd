"""The list of campaigns tells their whole lives, and lines from the launch on add up what each day brought."""

from collections import defaultdict
from datetime import UTC, date, datetime, timedelta
from urllib.parse import urlencode

import pytest

from app.metrics.glossary import metric
from app.ui import words
from tests.pages.counted import told_as
from tests.pages.facts import Facts, name_of
from tests.pages.oracles import ROLES, Choice, choices

TODAY = datetime.now(UTC).date()
EVER = Choice("", date(2020, 1, 1), TODAY + timedelta(days=1))
_PEOPLE = "COUNT(DISTINCT t.contact_id) FROM email_events AS t WHERE t.campaign_id = c.id AND t.event_type"
_VISITS = "COUNT(*) FROM campaign_events AS t WHERE t.campaign_id = c.id AND t.event_type"
_ADS = "FROM performance_analytics AS t WHERE t.campaign_id = c.id AND t.breakdown = 'none'"
# Whom each reached, who clicked, and who did what it is for: e-mail tells nothing of the last.
LIVES = {
    "email": (f"SELECT {_PEOPLE} = 'delivered'", f"SELECT {_PEOPLE} = 'clicked'", "NULL"),
    "web": (
        f"SELECT {_VISITS} = 'view'",
        f"SELECT {_VISITS} = 'click'",
        "SELECT COUNT(*) FROM conversions AS t WHERE t.campaign_id = c.id",
    ),
    "ads": tuple(f"SELECT COALESCE(SUM(t.{one}), 0) {_ADS}" for one in ("impressions", "clicks", "conversions")),
}
# Of each channel two figures, and whether their days are added up.
FIGURES = {
    "email": {"emails_opened": True, "emails_unsubscribed": False},
    "web": {"views": False, "conversions": True},
    "ads": {"impressions": False, "spend": True},
}


def _seen(role):
    return choices("mailer")["first"].holds("CURRENT_DATE", role, workspace="c.workspace_id").split(" AND ", 2)[2]


@pytest.mark.parametrize("channel", LIVES)
@pytest.mark.parametrize("role", ROLES)
def test_the_list_tells_what_campaigns_did_in_their_lives(pages, role, channel):
    query = urlencode({"channel": words.spelled(channel)})
    card = pages.open("campaigns.py", query, role).cards["All campaigns, the newest first"]
    counts = ", ".join(f"({one})" for one in LIVES[channel])
    expected = pages.rows(
        f"""
        SELECT c.name, w.name, c.status, c.start_date, c.end_date, c.total_budget, c.currency, {counts}
        FROM campaigns AS c JOIN workspaces AS w ON w.id = c.workspace_id
        WHERE c.channel = '{channel}' AND c.deleted_at IS NULL AND {_seen(role)}
        ORDER BY c.created_at DESC, c.id DESC LIMIT 25
        """
    )
    assert len(card.rows) == len(expected) > 0
    for row, (name, workspace, status, since, until, budget, currency, *figures) in zip(
        card.rows, expected, strict=True
    ):
        days = [words.day(day) if day else words.NOTHING for day in (since, until)]
        assert row[:6] == [name, workspace, words.spelled(channel), words.spelled(status), *days]
        assert told_as("budget", row[6], budget)
        assert row[7] == currency
        for told, figure in zip(row[8:], figures, strict=True):
            assert told_as("figure", told, figure), (name, told, figure)


@pytest.mark.parametrize("channel", FIGURES)
@pytest.mark.parametrize("role", ROLES)
def test_lines_from_the_launch_on_add_up_what_each_day_brought(pages, role, channel):
    launches = dict(
        pages.rows(
            "SELECT id || '~' || name, COALESCE(CAST(launched_at AS DATE), start_date) FROM campaigns"
            " WHERE launched_at IS NOT NULL OR start_date IS NOT NULL"
        )
    )
    for name, is_added in FIGURES[channel].items():
        title = words.title(metric(name))
        daily = defaultdict(dict)
        for (campaign, day), values in Facts(pages.rows, EVER, role).of([name], ("campaign",), daily=True).items():
            daily[campaign][day] = values[name]
        query = {"channel": words.spelled(channel), "figure": title, "added": str(is_added).lower()}
        seen = pages.open("campaigns.py", urlencode(query), role)
        assert seen.notices == []
        card = seen.cards[f"{title} since launch"]
        assert [at for at, _ in card.over_time] == [f"day since launch {one}" for one in range(len(card.over_time))]
        lines = list(card.over_time[0][1])
        assert lines
        for line in lines:
            told = [values[line] for _, values in card.over_time]
            alike = [one for one in launches if name_of(one) == line.partition(" (…")[0]]
            assert any(_is_told(told, daily[one], launches[one], is_added=is_added) for one in alike), (line, told)


def _is_told(told, by_day, launch, *, is_added):
    so_far = 0
    for place, text in enumerate(told):
        day = launch + timedelta(days=place)
        here = by_day.get(day) or 0
        so_far += here
        if day > TODAY:
            here = so_far = None
        if not told_as("figure", text, so_far if is_added else here):
            return False
        if day > TODAY:
            return all(rest == words.NOTHING for rest in told[place:])
    return True
