"""What is done on a page can be taken back; a stale edit that collides with nothing is saved with the other one."""

import pytest
from streamlit.testing.v1 import AppTest


def editing():
    """A page of one thing with a colour and a size, which somebody else made large in between."""
    import streamlit as st  # noqa: PLC0415 - the script of a page of its own

    from app.commands.stale import EditedMeanwhileError  # noqa: PLC0415
    from app.ui.done import Undo, attempt, said, save_together  # noqa: PLC0415

    before = {"colour": "red", "size": "small"}
    there = st.session_state.setdefault("there", {**before, "revision": 1})

    def save(fields, revision):
        now = {name: there[name] for name in before}
        if revision != there["revision"]:
            raise EditedMeanwhileError("it", made_on=before, now=now, wanted=fields, revision=there["revision"])
        there.update(fields, revision=revision + 1)
        return now

    said()
    save_together()
    st.text(f"{there['colour']} {there['size']}")
    if st.button("Somebody else", key="else"):
        there.update(size="large", revision=2)
    for colour, size in (("blue", "small"), ("red", "tiny")):
        if st.button(f"{colour} {size}", key=f"{colour}-{size}"):
            attempt(
                lambda colour=colour, size=size: save({"colour": colour, "size": size}, 1),
                "It was changed.",
                undo=Undo(lambda was: save(was, there["revision"])),
                together=lambda stale, merged: save(merged, stale.revision),
            )


@pytest.fixture
def page():
    opened = AppTest.from_function(editing, default_timeout=30).run()
    assert not opened.exception
    return opened


def bodies(page):
    return " ".join(one.proto.body for one in page.get("html"))


def test_what_was_done_is_said_and_can_be_taken_back(page):
    page.button("blue-small").click().run()
    assert page.text[0].value == "blue small"
    assert "It was changed." in bodies(page)
    page.button("done-undo").click().run()
    assert page.text[0].value == "red small"
    assert "It is as it was before." in bodies(page)
    assert "done-undo" not in [button.key for button in page.button]


def test_edits_that_do_not_collide_are_saved_together_when_that_is_wanted(page):
    page.button("else").click().run()
    page.button("blue-small").click().run()
    assert "Nothing of yours was saved." in bodies(page)
    assert page.text[0].value == "red large"
    page.button("done-together").click().run()
    assert page.text[0].value == "blue large"
    page.button("done-undo").click().run()
    assert page.text[0].value == "red large"


def test_edits_that_collide_are_shown_and_not_saved(page):
    page.button("else").click().run()
    page.button("red-tiny").click().run()
    assert "<td>small</td><td>large</td><td>tiny</td>" in bodies(page)
    assert "done-together" not in [button.key for button in page.button]
    assert page.text[0].value == "red large"
