"""What stands around a table's rows: the totals row, the downloads, and the values that filters offer."""

from dataclasses import replace
from datetime import date

import pytest

from app.metrics.question import question
from app.ui import asking as pages
from app.ui import choices
from app.ui.asking import answered
from app.ui.behind import downloads
from app.ui.choices import values_in
from app.ui.grid import grid
from app.ui.scope import Scope
from app.ui.tables import _together, _total
from tests.metrics.conftest import asking, desks, lake  # noqa: F401 - fixtures
from tests.metrics.small_lake import campaign_id, sent, viewer

DAY, NEXT = date(2026, 1, 1), date(2026, 1, 2)
SCOPE = Scope(viewer(1, 2), DAY, NEXT, None, {}, "day", None, "UTC", "USD")


@pytest.fixture
def ask(asking, lake, monkeypatch):  # noqa: F811 - fixtures
    """As pages ask: of two campaigns, to which five e-mails were delivered."""
    lake.add("email_days", sent(DAY, 1, delivered=2), sent(DAY, 2, delivered=3))
    desk = asking().desk
    monkeypatch.setattr(pages, "the_desk", lambda: desk)
    return lambda **more: answered(question("emails_delivered", DAY, NEXT, by="campaign", **more), SCOPE)


def test_the_totals_row_says_so_when_it_is_of_more_than_the_rows(ask):
    shown = ask(order="-emails_delivered", limit=1)
    assert (_together(1, shown.keys_found), _together(2, 2)) == ("All 2 together", "Together")
    drawn = grid(shown, shown.rows(), total=_total(shown), together=_together(1, shown.keys_found))
    assert ">All 2 together</th>" in drawn
    assert _total(shown)["emails_delivered"] == 5


def test_the_total_is_of_the_version_of_the_rows(ask, lake):  # noqa: F811 - fixtures
    shown = ask()
    lake.add("email_days", sent(DAY, 1, delivered=100))
    lake.publish()
    assert _total(shown)["emails_delivered"] == 5


def test_a_download_that_no_address_holds_is_not_offered(ask):
    assert "export/csv?" in downloads(ask(), "campaigns")
    chosen = tuple(campaign_id(number) for number in range(1, 300))
    told = downloads(ask(where={"campaign": chosen}), "campaigns")
    assert "export/" not in told
    assert "No download" in told


def test_values_that_an_address_names_are_offered_however_rare_or_old_they_are(asking, lake, monkeypatch):  # noqa: F811 - fixtures
    """Two are offered. Of the others, an address may name those that ever occurred to whom the viewer may see."""
    monkeypatch.setattr(choices, "_MOST_VALUES", 2)
    for day, campaign, domain, delivered in (
        (DAY, 1, "most.example", 9),
        (DAY, 1, "many.example", 5),
        (DAY, 1, "rare.example", 1),
        (date(2024, 1, 1), 1, "old.example", 1),
        (DAY, 3, "foreign.example", 1),
    ):
        lake.add("email_domain_days", sent(day, campaign, delivered=delivered) | {"email_domain": domain})
    desk = asking().desk
    monkeypatch.setattr(pages, "the_desk", lambda: desk)
    mine = replace(SCOPE, viewer=viewer(1))

    def offered(*named):
        return values_in(mine, "domain", named)

    assert offered() == offered("many.example") == offered("unknown.example") == ["most.example", "many.example"]
    assert offered("foreign.example") == offered("\x00", "x" * 5000, "'; --") == offered()
    assert sorted(offered("rare.example", "old.example")[2:]) == ["old.example", "rare.example"]
