"""Whatever customers write stays a text."""

from app.ui.markup import Markup, tag, with_code, without_code
from app.ui.pictures import picture

HOSTILE = '"><img src=x onerror=alert(1)><script>alert(2)</script>\0'


def test_texts_are_escaped_inside_and_in_attributes():
    drawn = tag("p", HOSTILE, title=HOSTILE)
    assert "<img" not in drawn
    assert "<script" not in drawn
    assert "\0" not in drawn
    assert drawn.count('"') == 2


def test_spaces_that_keep_words_together_stay_and_what_nobody_sees_does_not():
    assert tag("p", "5\N{NO-BREAK SPACE}000\N{NARROW NO-BREAK SPACE}$\N{EM SPACE}!\N{RIGHT-TO-LEFT OVERRIDE}\x07") == (
        "<p>5\N{NO-BREAK SPACE}000\N{NARROW NO-BREAK SPACE}$\N{EM SPACE}!</p>"
    )


def test_what_was_made_here_is_not_escaped_again():
    assert tag("p", tag("b", "1 < 2")) == "<p><b>1 &lt; 2</b></p>"


def test_what_stands_in_backticks_is_code_and_still_a_text():
    assert with_code("Run `sightline refresh`.") == "Run <code>sightline refresh</code>."
    assert with_code("`<b>`, `") == "<code>&lt;b&gt;</code>, `"
    drawn = with_code(f"`{HOSTILE}` {HOSTILE}")
    assert "<img" not in drawn
    assert "<script" not in drawn


def test_where_no_code_can_be_drawn_a_sentence_has_no_backticks():
    assert without_code("Run `sightline refresh`, or `make up`.") == "Run sightline refresh, or make up."
    assert without_code("A lone ` stays.") == "A lone ` stays."


def test_an_attribute_without_value_is_left_out():
    assert tag("i", class_="x", title=None, aria_label="y") == '<i class="x" aria-label="y"></i>'


def test_a_picture_is_an_image_with_a_text_and_no_element():
    drawn = picture(Markup("<path d='M0 0'/>"), width=10, height=10, alt=HOSTILE)
    assert drawn.startswith('<img src="data:image/svg+xml,')
    assert drawn.count("<") == 1
    assert "alert(2)" in drawn
