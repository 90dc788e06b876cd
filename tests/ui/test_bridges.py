"""From one figure to another: the bars hang where the one before ended."""

import re
from datetime import date

from app.metrics.glossary import metric
from app.ui.asking import Asked
from app.ui.bridges import Expected, banded, bridge
from app.ui.scope import Scope
from tests.metrics.conftest import asking, desks, lake  # noqa: F401 - fixtures
from tests.metrics.small_lake import sent, viewer


def asked(found, scope_compare=None):
    scope = Scope(viewer(1), date(2026, 1, 1), date(2026, 1, 4), scope_compare, {}, "day", None, "UTC", "USD")
    return Asked(found.table, found.metrics, found.by, found.keys_found, found.receipt, None, scope)


def test_movements_lead_from_the_start_to_the_end(asking, lake):  # noqa: F811 - fixtures
    """10 sent, of which 4 were opened and 6 delivered: from 4 by 6 to 10."""
    lake.add("email_days", sent(date(2026, 1, 1), delivered=6, opened=4, emails_sent=10))
    found = asked(asking().answer(("emails_opened", "emails_delivered", "emails_sent")))
    drawn = bridge(found, "emails_opened", ["emails_delivered"], "emails_sent")
    assert re.findall(r"left:([\d.]+)%;width:([\d.]+)%", drawn) == [
        ("0.00", "40.00"),
        ("40.00", "60.00"),
        ("0.00", "100.00"),
    ]
    assert "+6" in drawn


def test_a_movement_that_begins_with_a_minus_is_taken_off(asking, lake):  # noqa: F811 - fixtures
    """10 sent, less 4 opened, are 6."""
    lake.add("email_days", sent(date(2026, 1, 1), delivered=6, opened=4, emails_sent=10))
    found = asked(asking().answer(("emails_opened", "emails_delivered", "emails_sent")))
    drawn = bridge(found, "emails_sent", ["-emails_opened"], "emails_delivered")
    assert re.findall(r"left:([\d.]+)%;width:([\d.]+)%", drawn) == [
        ("0.00", "100.00"),
        ("60.00", "40.00"),
        ("0.00", "60.00"),
    ]
    assert "-4" in drawn


def test_what_is_expected_follows_what_is_known(asking, lake):  # noqa: F811 - fixtures
    for day in (1, 2, 3):
        lake.add("email_days", sent(date(2026, 1, day), delivered=day))
    found = asked(asking().answer("emails_delivered", date(2026, 1, 1), date(2026, 1, 4), grain="day"))
    drawn = banded(found, [Expected(date(2026, 1, 4), 4, 3, 5), Expected(date(2026, 1, 5), 5, 3, 8)], "Delivered")
    assert "expected" in drawn
    assert drawn.count('class="sl-hit') == 5
    assert metric("emails_delivered") is found.metrics[0]
