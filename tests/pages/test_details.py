"""The pages of one template and of one contact show what counting their own rows gives."""

from decimal import Decimal

import pytest

from tests.pages.counted import of_tiles, same, told_as
from tests.pages.facts import Facts, name_of
from tests.pages.oracles import ROLES, choices

# A template of the library is also sent by those who took a copy of it.
_SENT_WITH = """t.campaign_id IN (
    SELECT e.campaign_id FROM email_campaigns AS e WHERE e.template_id = '{key}' OR e.template_id IN (
        SELECT w.template_id FROM workspace_templates AS w WHERE w.library_template_id = '{key}'
    )
)"""
_FIGURES = ("emails_delivered", "open_rate", "click_rate", "unsubscribe_rate")


@pytest.mark.parametrize("role", ROLES)
def test_a_templates_figures_are_those_of_the_campaigns_that_used_it(pages, role):
    ((key,),) = pages.rows(
        """
        SELECT w.library_template_id FROM workspace_templates AS w JOIN email_campaigns AS e USING (template_id)
        WHERE e.workspace_id IN (SELECT UNNEST(workspace_ids) FROM team_members WHERE email = 'limited@test.example')
        GROUP BY 1 ORDER BY COUNT(*) DESC, 1 LIMIT 1
        """
    )
    for name in ("product", "picked"):
        choice = choices("mailer")[name]
        seen = pages.open("template.py", f"template={key}&{choice.address}", role)
        facts = Facts(pages.rows, choice, role, only=_SENT_WITH.format(key=key))
        counted = of_tiles(seen, facts)
        assert set(seen.tiles) == set(_FIGURES)
        for metric, value in seen.tiles.items():
            assert same(metric, Decimal(value) if value else None, counted.get(metric), Decimal("1e-9")), metric
        card = seen.cards["Campaigns that used it"]
        by_campaign = {name_of(campaign): values for (campaign,), values in facts.of(_FIGURES, ("campaign",)).items()}
        assert {row[0] for row in card.rows} == {one for one, values in by_campaign.items() if any(values.values())}
        for campaign, *figures in card.rows:
            for metric, text in zip(_FIGURES, figures, strict=True):
                assert told_as(metric, text, by_campaign[campaign][metric]), (campaign, metric, text)


def test_what_was_sent_to_a_contact_is_what_their_events_say(pages):
    ((key,),) = pages.rows("SELECT contact_id FROM email_events GROUP BY 1 ORDER BY COUNT(*) DESC, 1 LIMIT 1")
    events = pages.rows(
        f"""
        SELECT c.name, COUNT(*) FILTER (WHERE e.event_type = 'opened'),
            COUNT(*) FILTER (WHERE e.event_type = 'opened' AND e.is_machine_open),
            COUNT(*) FILTER (WHERE e.event_type = 'clicked'), BOOL_OR(e.event_type = 'bounced'), COUNT(*)
        FROM email_events AS e JOIN campaigns AS c ON c.workspace_id = e.workspace_id AND c.id = e.campaign_id
        WHERE e.contact_id = '{key}' GROUP BY c.id, c.name
        """
    )
    seen = pages.open("contact.py", f"contact={key}")
    card = seen.cards["What was sent to them"]
    shown = [dict(zip(card.head, row, strict=True)) for row in card.rows]
    told = [
        (row["Campaign"], *(int(row[name]) for name in ("Opens", "By machines", "Clicks")), row["Bounced"] != "–")
        for row in shown
    ]
    assert sorted(told) == sorted(tuple(row[:-1]) for row in events)
    assert len(seen.cards["Everything that happened"].rows) == min(25, sum(row[-1] for row in events))
