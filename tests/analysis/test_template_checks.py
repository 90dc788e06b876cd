"""What is wrong with a template is found, and told in words that say what to do."""

import pytest

from app.analysis.template_checks import CLIPPED_BYTES, Checked, Weight, check

GOOD = Checked(
    "email",
    "Your order is on its way",
    '<p>Hello {{first_name | there}}, it left today.</p><img src="x" alt="Box"><a href="{{unsubscribe_url}}">Leave</a>',
    "It left today.",
)


def found(**changed):
    return {one.about: one for one in check(Checked(**{**vars(GOOD), **changed}))}


def test_of_a_good_mail_everything_is_fine():
    assert {one.weight for one in found().values()} == {Weight.GOOD}


@pytest.mark.parametrize(
    ("about", "changed", "weight", "told"),
    [
        ("Subject", {"subject": None}, Weight.BAD, "There is none"),
        ("Subject", {"subject": "x" * 61}, Weight.WARNING, "61 characters"),
        ("Subject", {"subject": "Hi"}, Weight.WARNING, "say little"),
        ("Subject", {"subject": "BUY THIS NOW"}, Weight.WARNING, "shouts"),
        ("Size", {"html": "x" * (CLIPPED_BYTES + 1)}, Weight.BAD, "Gmail clips"),
        ("Size", {"html": "ä" * (CLIPPED_BYTES // 2)}, Weight.WARNING, "near the 102 KB"),
        ("Spam words", {"text": "Act NOW"}, Weight.WARNING, "act now"),
        ("Spam words", {"text": "Act now, winner: no risk"}, Weight.BAD, "these are many"),
        ("Spam words", {"html": "<style>.winner{}</style>" + GOOD.html}, Weight.GOOD, "None"),
        ("Unsubscribe link", {"html": "<p>Unsubscribe</p>"}, Weight.BAD, "None is found"),
        ("Unsubscribe link", {"html": "<a href='https://x.example/u'>Unsubscribe</a>"}, Weight.GOOD, "There is one"),
        ("Pictures", {"html": "<img src=a><img src=b alt=''>"}, Weight.WARNING, "1 of 2"),
        (
            "Text in HTML",
            {"html": "<table><tr><td><b></b></td></tr></table>" * 9 + "Hi"},
            Weight.WARNING,
            "of the HTML",
        ),
        ("Plain text", {"text": " "}, Weight.WARNING, "There is none"),
        ("Merge fields", {"html": "{{first name}}"}, Weight.BAD, "“{{first name}}” is no field"),
        ("Merge fields", {"text": "Hello {{name"}, Weight.BAD, "1 is not closed"),
    ],
)
def test_what_is_to_be_mended_is_told(about, changed, weight, told):
    one = found(**changed)[about]
    assert (one.weight, told in one.told) == (weight, True), one


@pytest.mark.parametrize(
    ("shape", "size", "format_"),
    [
        ((1080, 1080, "png"), Weight.GOOD, Weight.GOOD),
        ((1081, 1080, "PNG"), Weight.WARNING, Weight.GOOD),
        ((None, None, "tiff"), Weight.BAD, Weight.BAD),
        ((300, 250, None), Weight.GOOD, Weight.BAD),
    ],
)
def test_of_an_ad_its_size_and_format_are_looked_at(shape, size, format_):
    width, height, kind = shape
    one = found(kind="ad", width=width, height=height, format=kind)
    assert (one["Size"].weight, one["Format"].weight) == (size, format_)


def test_what_is_worst_comes_first():
    weights = [one.weight for one in check(Checked("email", None, "<img>", None))]
    assert weights == sorted(weights, key=list(Weight).index)
    assert weights[0] is Weight.BAD
