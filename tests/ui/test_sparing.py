"""Garbage is collected for many runs at once; what Streamlit calls is what we took the place of."""

import gc
import inspect
import weakref

from streamlit.runtime.scriptrunner import script_runner

from app.ui.sparing import Sparing


class Ring:
    """Something that only a collection finds."""

    def __init__(self):
        self.itself = self


def forgotten():
    return weakref.ref(Ring())


def test_streamlit_collects_by_the_name_that_is_taken():
    assert "gc.collect(2)" in inspect.getsource(script_runner)


def test_what_was_collected_a_moment_ago_is_not_collected_again():
    gc.disable()
    try:
        sparing, first = Sparing(), forgotten()
        assert sparing.collect() > 0
        assert first() is None
        second = forgotten()
        assert sparing.collect() == 0
        assert second() is not None
    finally:
        gc.enable()
