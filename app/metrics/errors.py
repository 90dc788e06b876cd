"""What can go wrong with a question, each by its name."""

from collections.abc import Iterable
from difflib import get_close_matches

from db.errors import SightlineError


class UnknownMetricError(SightlineError):
    """No metric has this name."""


class UnknownDimensionError(SightlineError):
    """No dimension has this name."""


class UnknownValueError(SightlineError):
    """A filter names a value that the viewer's rows do not have."""


class CannotAnswerError(SightlineError):
    """The question is understood, but no rollup holds an exact answer."""


class EmptyPeriodError(SightlineError):
    """A period without a day in it."""


class MalformedQuestionError(SightlineError):
    """A question whose parts contradict each other."""


def did_you_mean(given: str, known: Iterable[str], otherwise: str) -> str:
    """The nearest names as a question, or else where all of them can be seen."""
    near = get_close_matches(given.lower(), sorted(set(known)), n=3, cutoff=0.6)
    return f"Did you mean {' or '.join(repr(name) for name in near)}?" if near else otherwise
