"""Whatever shows a figure says where it comes from, and Postgres asked the same gives the same."""

from collections.abc import Iterator
from dataclasses import dataclass, field

import pytest
import streamlit as st
from streamlit.testing.v1 import AppTest

from app.answering import recomputed
from app.ui import behind, live
from tests.pages.every_view import ADMIN_PAGES, FINANCE_PAGES, TEAM_PAGES, every_view
from tests.pages.oracles import FINANCE_ROLES, ROLES
from tests.pages.parsed import classed, parsed, told, tree

# A file of what is shown tells no more than that.
_NO_RECEIPT = "behind-file-"


# A table of files tells no figures.
_FILES = "FOCUS 1.4"
# Budgets are bars between sentences, and Stripe's invoices are shown once they were read.
_OTHERWISE = {("budgets", "Budgets"), ("reconciliation", "Revenue")}
# Of admins' pages; how fresh the lake is it says itself.
_NOTHING_COUNTED = {
    "plan": {("Terms", "What it says")},
    "team": {("all of it", "The team")},
    "jobs": {("Schedules", "Schedules")},
    "integrations": {("Sightline's own keys", "Sightline's own keys")},
    "settings": {("Of this installation", "Settings of this installation")},
    "retention": {("all of it", "Fixed")},
    "data health": {("Now", "tiles")},
}


@dataclass
class Part:
    """What stands under one heading, or a group of tiles, with the buttons that come before the next one."""

    title: str
    bodies: list[str] = field(default_factory=list)
    receipts: list[str] = field(default_factory=list)

    @property
    def has_figures(self) -> bool:
        page = parsed(self.bodies)
        is_counted = any("data-figure=" in body for body in self.bodies)
        return is_counted or bool(page.tiles) or any(card.has_figures for card in page.cards.values())

    @property
    def refused(self) -> list[str]:
        """Tiles that have a sentence in place of a figure."""
        root = tree("".join(self.bodies))
        return [one.get("data-metric", "") for one in classed(root, "is-refused")]

    @property
    def tiles(self) -> list[str]:
        return list(parsed(self.bodies).tiles)


def parts(page: AppTest) -> Iterator[Part]:
    part = Part("")
    for one in page.main:
        if one.type == "html":
            root = tree(one.proto.body)
            headings = [told(heading) for heading in root.iter("h2")]
            if headings or next(iter(classed(root, "sl-tiles")), None) is not None:
                yield part
                part = Part(headings[0] if headings else "tiles")
            part.bodies.append(one.proto.body)
        elif one.type == "button" and str(one.key).startswith("behind-") and _NO_RECEIPT not in str(one.key):
            part.receipts.append(one.key)
    yield part


@pytest.fixture
def opened(monkeypatch):
    """Every receipt's button is pressed as soon as it is drawn; what it would open is kept."""
    answers = []
    press = st.button
    monkeypatch.setattr(
        st, "button", lambda *label, **how: press(*label, **how) or str(how.get("key")).startswith("behind-")
    )
    monkeypatch.setattr(behind, "_open", lambda answer, title: answers.append((title, answer)))
    monkeypatch.setattr(live, "_open", lambda *_: None)
    monkeypatch.setattr("app.ui.worked_out._open", lambda *_: None)
    return answers


WHO = [(name, role) for name in TEAM_PAGES for role in ROLES] + [(name, FINANCE_ROLES[0]) for name in FINANCE_PAGES]


@pytest.mark.parametrize(("name", "role"), WHO)
def test_all_that_shows_figures_has_a_receipt_and_postgres_gives_the_same(pages, opened, name, role):
    asked = set()
    for view, page in every_view(pages, name, role):
        shown = [part for part in parts(page) if part.has_figures and part.title != _FILES]
        assert (
            shown
            or (name, view) in _OTHERWISE
            or "sl-empty" in "".join(body for part in parts(page) for body in part.bodies)
        ), (name, view)
        assert [part.title for part in shown if not part.receipts] == [], (name, view)
        for title, answer in opened:
            if answer.receipt.id not in asked:
                asked.add(answer.receipt.id)
                assert recomputed(answer, answer.scope.viewer).differences == [], (name, view, title)
        opened.clear()


@pytest.mark.parametrize("name", ADMIN_PAGES)
def test_all_that_shows_figures_to_admins_has_a_receipt(pages, opened, name):
    """Terms of a plan, people, schedules and settings are what they are: none of them was counted."""
    bare = {
        (view, part.title)
        for view, page in every_view(pages, name)
        for part in parts(page)
        if part.has_figures and not part.receipts
    }
    assert bare == _NOTHING_COUNTED.get(name, set())


@pytest.mark.parametrize("role", ROLES)
def test_tiles_that_no_one_question_answers_have_a_receipt_each(pages, opened, role):
    """Conversions tell no country: these tiles say so, and each of the others says where it comes from."""
    page = pages.run("web.py", "country=DE", role)
    (tiles,) = (part for part in parts(page) if part.tiles)
    assert "conversions" in tiles.refused
    answered = [name for name in tiles.tiles if name not in tiles.refused]
    assert answered
    assert len(tiles.receipts) == len(answered)
    alone = [answer for title, answer in opened if title.startswith("Headline figures: ")]
    assert [one.name for answer in alone for one in answer.metrics] == answered
    assert [recomputed(answer, answer.scope.viewer).differences for answer in alone] == [[]] * len(answered)
