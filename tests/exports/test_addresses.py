"""A download's address holds the whole question, and nothing else decides what is answered."""

from datetime import date
from urllib.parse import parse_qsl, urlsplit

import pytest

from app.exports.address import Kind, address, question_of
from app.metrics.errors import MalformedQuestionError, UnknownValueError
from app.metrics.question import check, question


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


JANUARY = [("since", "2026-01-01"), ("until", "2026-02-01")]


@pytest.mark.parametrize("name", ["limit", "as_of"])
@pytest.mark.parametrize("number", ["x", "0", "-1", str(10**30), "1" * 300, "1" * 5000])
def test_an_address_with_an_odd_number_is_refused_in_words(name, number):
    with pytest.raises(MalformedQuestionError, match=f"names no number from 1 to 1,000,000,000 as '{name}'"):
        question_of([*JANUARY, (name, number)])


def test_a_value_that_is_too_large_a_number_is_refused_in_words():
    with pytest.raises(UnknownValueError, match="is no hour"):
        check(question_of([*JANUARY, ("metric", "views"), ("where.hour", str(10**40))]))


@pytest.mark.parametrize(
    "pairs",
    [
        [],
        [("since", "x"), ("until", "2026-01-01")],
        [("since", "2026-01-01")],
        [("since", "0001-01-01"), ("until", "2026-01-01"), ("compare", "previous")],
        [("since", "2026-01-01"), ("until", "9999-12-31")],
    ],
)
def test_an_address_without_a_period_is_refused_in_words(pairs):
    with pytest.raises(MalformedQuestionError, match="names no day"):
        question_of(pairs)
