"""The page of templates shows which of them are read, rated and taken, and one template's versions."""

from urllib.parse import urlencode

import pytest

from app.ui import words
from tests.pages.counted import told_as
from tests.pages.oracles import ROLES, choices

CHOICES = choices("mailer")
_COUNTED = ("sent", "delivered", "opened", "clicked")
_FIRSTS = f"""
    SELECT t.workspace_id, t.campaign_id, c.product, {
    ", ".join(f"MIN(t.occurred_at) FILTER (WHERE t.event_type = '{kind}') AS {kind}" for kind in _COUNTED)
}
    FROM email_events AS t JOIN campaigns AS c ON c.workspace_id = t.workspace_id AND c.id = t.campaign_id
    GROUP BY t.workspace_id, t.campaign_id, t.contact_id, c.product
"""
_OF_TEMPLATE = """
    JOIN email_campaigns AS e ON e.workspace_id = s.workspace_id AND e.campaign_id = s.campaign_id
    JOIN LATERAL (
        SELECT t.id, t.name FROM templates AS t WHERE t.workspace_id = e.workspace_id AND t.id = e.template_id
        UNION
        SELECT t.id, t.name FROM workspace_templates AS k
        JOIN templates AS t ON t.workspace_id = k.library_template_workspace_id AND t.id = k.library_template_id
        WHERE k.workspace_id = e.workspace_id AND k.template_id = e.template_id
    ) AS m ON TRUE
"""
_NONE = "You see no template by this address."


@pytest.mark.parametrize("chosen", CHOICES)
@pytest.mark.parametrize("role", ROLES)
def test_templates_in_use_show_what_counting_their_campaigns_gives(pages, role, chosen):
    """Of each template all campaigns together, copies of it among them: summed first, divided last."""
    choice = CHOICES[chosen]

    def happened(at):
        holds = choice.holds(f"s.{at}", role, product="s.product", workspace="s.workspace_id")
        return f"COUNT(*) FILTER (WHERE {holds})"

    counts = ", ".join(happened(at) for at in _COUNTED)
    rows = pages.rows(f"WITH s AS ({_FIRSTS}) SELECT m.name, {counts} FROM s {_OF_TEMPLATE} GROUP BY m.id, m.name")
    expected = {
        (name, *(f"{n:,}" for n in (sent, delivered)), *(f"{n / delivered * 100:,.2f} %" for n in (opened, clicked)))
        for name, sent, delivered, opened, clicked in rows
        if delivered
    }
    card = pages.open("templates.py", choice.address, role).cards["Templates in use"]
    assert len(card.rows) == min(25, sum(1 for row in rows if row[1] or row[2]))
    with_mail = [row for row in card.rows if row[4] != "0"]
    # On some days nobody of two workspaces has sent from a template for a while.
    assert with_mail or (role == "limited" and not expected)
    assert {(row[0], *row[3:7]) for row in with_mail} <= expected


@pytest.mark.parametrize("role", ROLES)
def test_the_templates_clicked_most_are_those_of_the_rows(pages, role):
    """Among those of at least 200 delivered e-mails, each with how many these were."""
    choice = CHOICES["product"]
    holds = {at: choice.holds(f"s.{at}", role, product="s.product", workspace="s.workspace_id") for at in _COUNTED[1:]}
    counts = ", ".join(f"COUNT(*) FILTER (WHERE {holds[at]})" for at in ("delivered", "clicked"))
    rows = pages.rows(
        f"WITH s AS ({_FIRSTS}) SELECT m.name, {counts} FROM s {_OF_TEMPLATE} GROUP BY m.id, m.name"
        f" HAVING COUNT(*) FILTER (WHERE {holds['delivered']}) >= 200"
    )
    told = pages.open("templates.py", choice.address, role).cards["Clicked most"].ranked
    expected = {(name, f"{clicked / of * 100:,.2f} % of {of:,}") for name, of, clicked in rows}
    assert set(told) <= expected
    assert len(told) == min(10, len(rows))
    rates = [float(figure.split(" ")[0]) for _, figure in told]
    assert rates == sorted(rates, reverse=True)
    assert rates[:1] == sorted((round(clicked / of * 100, 2) for _, of, clicked in rows), reverse=True)[:1]


@pytest.mark.parametrize("role", ROLES)
def test_the_list_of_templates_tells_how_each_is_used_in_workspaces_that_are_seen(pages, role):
    seen = CHOICES["first"].holds("t.created_at", role).split(" AND ", 2)[2]
    own = seen.replace("t.workspace_id", "{}.workspace_id")
    expected = pages.rows(
        f"""
        WITH used AS (
            SELECT DISTINCT m.id AS template, s.campaign_id FROM email_campaigns AS s {_OF_TEMPLATE}
            WHERE {own.format("s")}
        )
        SELECT t.name, t.current_version, (SELECT COUNT(*) FROM used WHERE used.template = t.id),
            (SELECT COUNT(*) FROM workspace_templates AS k WHERE k.library_template_id = t.id AND {own.format("k")}),
            COUNT(g.id), COUNT(g.user_rating), AVG(g.user_rating)
        FROM templates AS t LEFT JOIN ai_generations AS g ON g.template_id = t.id AND {own.format("g")}
        WHERE t.deleted_at IS NULL AND (t.is_library OR {seen})
        GROUP BY t.id, t.name, t.current_version, t.created_at ORDER BY t.created_at DESC, t.id DESC LIMIT 25
        """
    )
    card = pages.open("templates.py", "show=All+templates", role).cards["All templates"]
    assert len(card.rows) == len(expected) > 0
    for row, (name, *figures) in zip(card.rows, expected, strict=True):
        assert row[0] == name
        for told, figure in zip(row[4:10], figures, strict=True):
            assert told_as("figure", told, figure), (row, figures)


@pytest.mark.parametrize("role", ROLES)
def test_saved_components_bear_their_downloads_likes_and_price(pages, role):
    seen = CHOICES["first"].holds("t.created_at", role).split(" AND ", 2)[2]
    expected = pages.rows(
        f"""
        SELECT t.name, w.name, t.is_marketplace_item, t.downloads, t.likes, t.price, t.currency
        FROM component_library AS t JOIN workspaces AS w ON w.id = t.workspace_id
        WHERE t.deleted_at IS NULL AND {seen} ORDER BY t.created_at DESC, t.id DESC LIMIT 25
        """
    )
    card = pages.open("templates.py", "show=Saved+components", role).cards["Saved components"]
    told = [(row[0], row[2], row[3], *row[4:8]) for row in card.rows]
    assert told == [
        (name, workspace, "yes" if sold else "no", f"{downloads:,}", f"{likes:,}", words.money(price, ""), currency)
        for name, workspace, sold, downloads, likes, price, currency in expected
    ]
    assert told


@pytest.mark.parametrize("role", ROLES)
def test_downloads_and_ratings_are_those_of_the_rows(pages, role):
    cards = pages.open("templates.py", urlencode({"show": "Ratings and downloads"}), role).cards
    seen = CHOICES["first"].holds("t.created_at", role).split(" AND ", 2)[2]
    most = pages.rows(
        f"SELECT t.downloads FROM component_library AS t WHERE t.downloads > 0 AND {seen} ORDER BY 1 DESC LIMIT 10"
    )
    assert [figure for _, figure in cards["Most downloaded components"].ranked] == [f"{number:,}" for (number,) in most]
    rated = pages.rows(
        f"""
        SELECT AVG(t.user_rating) AS rating, COUNT(t.user_rating) AS ratings FROM ai_generations AS t
        WHERE t.template_id IS NOT NULL AND {seen} GROUP BY t.template_workspace_id, t.template_id
        HAVING COUNT(t.user_rating) >= 3 ORDER BY 1 DESC, 2 DESC LIMIT 10
        """
    )
    told = [figure for _, figure in cards["Best rated templates"].ranked]
    assert told == [f"{rating:.2f} by {number:,}" for rating, number in rated]


def test_a_search_finds_words_of_names(pages):
    query = urlencode({"show": "All templates", "words": "welc", "kind": "E-mail"})
    names = [row[0] for row in pages.open("templates.py", query).cards["All templates"].rows]
    ((counted,),) = pages.rows(
        "SELECT COUNT(*) FROM templates WHERE STRPOS(LOWER(name), 'welc') > 0 AND kind = 'email'"
    )
    assert len(names) == min(25, counted) > 0
    assert all("welc" in name.lower() for name in names)


def test_a_template_leads_to_its_versions_and_campaigns(pages):
    ((key,),) = pages.rows(
        "SELECT template_id FROM email_campaigns WHERE template_id IS NOT NULL"
        " GROUP BY 1 ORDER BY COUNT(*) DESC, 1 LIMIT 1"
    )
    ((name, versions),) = pages.rows(
        f"""
        SELECT t.name, (SELECT COUNT(*) FROM template_versions AS v WHERE v.template_id = t.id)
        FROM templates AS t WHERE t.id = '{key}'
        """
    )
    seen = pages.open("template.py", f"template={key}", "viewer")
    assert name in seen.texts
    assert seen.cards["Versions"].counted.startswith(f"{versions} row")


def test_who_is_limited_finds_no_template_of_others(pages):
    listed = pages.open("templates.py", urlencode({"show": "Saved components"}), "limited")
    own = "SELECT UNNEST(workspace_ids) FROM team_members WHERE email = 'limited@test.example'"
    names = {row[2] for row in listed.cards["Saved components"].rows}
    assert names <= {name for (name,) in pages.rows(f"SELECT name FROM workspaces WHERE id IN ({own})")}
    ((key,),) = pages.rows(
        f"SELECT id FROM templates WHERE NOT is_library AND workspace_id NOT IN ({own}) ORDER BY id LIMIT 1"
    )
    assert _NONE in pages.open("template.py", f"template={key}", "limited").texts


def test_what_can_not_be_used_falls_back_and_is_said(pages):
    told = " ".join(pages.open("templates.py", urlencode({"show": "Nowhere", "product": "<b>"}), "viewer").notices)
    assert all(part in told for part in ("show=Nowhere", "product=<b>"))
    query = urlencode({"show": "All templates", "kind": "Poem", "after": "x"})
    assert "kind=Poem" in " ".join(pages.open("templates.py", query, "viewer").notices)
    assert _NONE in pages.open("template.py", "template=x", "viewer").texts
