"""Figures as fractions, so that what must add up adds up to the last digit."""

from decimal import Decimal
from fractions import Fraction

import numpy as np

Figure = int | float | Decimal


def exact(figure: Figure | None) -> Fraction | None:
    """The figure itself, without rounding; None where it is not known."""
    if figure is None or figure != figure:  # noqa: PLR0124 - what is no number differs from itself
        return None
    # A fraction of NumPy's whole numbers overflows; one of Python's doesn't.
    return Fraction(figure.item() if isinstance(figure, np.generic) else figure)
