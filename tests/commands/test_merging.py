"""Two edits of one text, or of one list of sections, stand together where they don't touch."""

import pytest
from hypothesis import given
from hypothesis import strategies as st

from app.commands.merging import merged_lines, merged_order
from app.commands.stale import merge
from app.commands.templates_sections import Section, merged_sections

POEM = "one\ntwo\nthree\nfour\nfive\n"


@pytest.mark.parametrize(
    ("theirs", "ours", "both"),
    [
        (POEM.replace("one", "1"), POEM.replace("four", "4"), "1\ntwo\nthree\n4\nfive\n"),
        (POEM.replace("one", "1"), POEM.replace("one", "1"), "1\ntwo\nthree\nfour\nfive\n"),
        ("zero\n" + POEM, POEM + "six\n", "zero\none\ntwo\nthree\nfour\nfive\nsix\n"),
        (POEM.replace("two\n", ""), POEM.replace("five", "5"), "one\nthree\nfour\n5\n"),
        (POEM, "all new\n", "all new\n"),
        (POEM.replace("two", "2"), POEM.replace("two", "zwei"), None),
        (POEM.replace("two", "2"), POEM.replace("three", "3"), None),
        (POEM + "six\n", POEM + "sechs\n", None),
        ("", POEM.replace("two", "2"), None),
    ],
)
def test_lines_that_lie_apart_stand_together_and_others_collide(theirs, ours, both):
    assert merged_lines(POEM, theirs, ours) == both
    assert merged_lines(POEM, ours, theirs) == both


LINES = st.lists(st.sampled_from(["a\n", "b\n", "c\n", ""]), max_size=6).map("".join)


@given(LINES, LINES)
def test_an_edit_beside_none_is_that_edit(made_on, wanted):
    assert merged_lines(made_on, made_on, wanted) == wanted
    assert merged_lines(made_on, wanted, made_on) == wanted
    assert merged_lines(made_on, wanted, wanted) == wanted


@given(LINES, LINES, LINES)
def test_it_does_not_matter_who_was_first(made_on, one, other):
    assert merged_lines(made_on, one, other) == merged_lines(made_on, other, one)


HERO, BODY, FOOT = Section("hero", "<h1>Hi</h1>"), Section("text", "a\nb\nc\nd\n"), Section("footer", "Bye")


def test_sections_that_different_people_changed_stand_together():
    new = Section("image", "<img>")
    theirs = (HERO, Section("text", "A\nb\nc\nd\n"), FOOT)
    ours = (Section("hero", "<h1>Ho</h1>"), Section("text", "a\nb\nc\nD\n"), new, FOOT)
    assert merged_sections((HERO, BODY, FOOT), theirs, ours) == (
        Section("hero", "<h1>Ho</h1>"), Section("text", "A\nb\nc\nD\n"), new, FOOT
    )  # fmt: skip


def test_a_section_that_one_took_away_and_another_rewrote_collides():
    assert merged_sections((HERO, BODY), (HERO,), (HERO, Section("text", "new"))) is None
    assert merged_sections((HERO, BODY), (HERO, Section("text", "new")), (HERO,)) is None
    assert merged_sections((HERO, BODY), (BODY,), (HERO, BODY)) == (BODY,)


def test_settings_of_one_section_that_both_changed_collide():
    def hero(**content):
        return (Section("hero", "Hi", content),)

    assert merged_sections(hero(align="left"), hero(align="right"), hero(align="center")) is None
    assert merged_sections((Section("hero", "Hi", {"a": 1}),), (Section("hero", "Hi", {"a": 2}),), (
        Section("hero", "Ho", {"a": 1}),)) == (Section("hero", "Ho", {"a": 2}),)  # fmt: skip


def test_names_that_both_moved_elsewhere_collide():
    assert merged_order(["a", "b", "c"], ["b", "a", "c"], ["a", "b", "c", "d"]) in (["b", "a", "c", "d"], None)
    assert merged_order(["a", "b", "c"], ["c", "a", "b"], ["b", "c", "a"]) is None


def test_of_a_field_with_a_way_of_its_own_only_what_collides_in_it_is_told():
    was, now, mine = (
        {"name": "A", "html": html} for html in (POEM, POEM.replace("one", "1"), POEM.replace("five", "5"))
    )
    ways = {"html": merged_lines}
    assert merge(was, now, mine, ways).together == {"name": "A", "html": "1\ntwo\nthree\nfour\n5\n"}
    assert merge(was, now, mine).colliding == ("html",)
