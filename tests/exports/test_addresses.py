"""A download's address holds the whole question, and nothing else decides what is answered."""

from datetime import date
from urllib.parse import parse_qsl, urlsplit

import pytest

from app.exports.address import Kind, address, question_of
from app.metrics.errors import MalformedQuestionError
from app.metrics.question import question


def test_a_question_comes_back_from_its_address():
    asked = question(
        ("spend", "roas"),
        date(2026, 1, 1),
        date(2026, 2, 1),
        by=("campaign", "week"),
        where={"product": ("mailer", "craft_ads"), "medium": None},
        exclude={"country": "DE & FR"},
        grain=None,
        compare="year",
        order="-spend",
        limit=20,
        as_of=7,
    )
    found = urlsplit(address(asked, Kind.CSV, "ads"))
    assert found.path == "export/csv"
    assert question_of(parse_qsl(found.query, keep_blank_values=True)) == asked


@pytest.mark.parametrize("pairs", [[], [("since", "x"), ("until", "2026-01-01")], [("since", "2026-01-01")]])
def test_an_address_without_a_period_is_refused_in_words(pairs):
    with pytest.raises(MalformedQuestionError, match="names no day"):
        question_of(pairs)
