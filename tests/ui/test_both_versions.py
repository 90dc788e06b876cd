"""What two people wrote at once stands side by side, whatever it was: texts, figures, sections."""

from dataclasses import asdict, replace

import pytest

from app.commands.stale import EditedMeanwhileError
from app.commands.templates import Draft
from app.commands.templates_sections import Section
from app.ui.template_form import differing
from tests.pages.parsed import told, tree

BEGUN = Draft(
    "Spring", "Hi", html_content="<p>1</p>\n<p>2</p>", sections=(Section("hero", "Ho"), Section("footer", "By"))
)
LONG = "a" * 200


def fields(draft):
    return {name: getattr(draft, name) for name in asdict(draft)}


def rows(now, wanted):
    """By the label of each field that differs: as it was opened, as it is now, and as it was written."""
    stale = EditedMeanwhileError(
        "the template Spring", now=fields(now), wanted=fields(wanted), made_on=fields(BEGUN), revision=2
    )
    _, *found = tree(differing(stale)).iter("tr")
    return {cells[0]: cells[1:] for row in found for cells in [[told(cell) for cell in row]]}


@pytest.mark.parametrize(
    ("now", "wanted", "label", "cells"),
    [
        ({"subject": "Ho"}, {"subject": None}, "Subject", ["Hi", "Ho", "none"]),
        ({"width": 5}, {"width": 6}, "Width", ["none", "5", "6"]),
        (
            {"html_content": "<p>1</p>\n<p>zwei</p>"},
            {"html_content": "<p>1</p>\n<p>deux</p>"},
            "HTML",
            ["the same lines", "<p>zwei</p>", "<p>deux</p>"],
        ),
        (
            {"sections": (Section("hero", f"{LONG}b"), Section("footer", "By"))},
            {"sections": (Section("hero", f"{LONG}c", {"align": "left"}),)},
            "Sections",
            ["hero 1 footer 1", f"hero 1: {LONG}b footer 1", f"hero 1: {LONG}c align: left"],
        ),
        ({"sections": ()}, {"sections": (Section("hero"),)}, "Sections", ["hero 1 footer 1", "none", "hero 1:"]),
    ],
)
def test_a_field_that_two_changed_is_told_three_times(now, wanted, label, cells):
    found = rows(replace(BEGUN, **now), replace(BEGUN, **wanted))
    assert [" ".join(one.split()) for one in found[label]] == cells
