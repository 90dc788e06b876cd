"""Student's t with whole degrees of freedom: what few observations allow to say."""

import math

_FURTHEST = 1e9


def within(t: float, freedom: int) -> float:
    """How often chance stays between −t and t: the finite series in the angle whose tangent is t / √freedom."""
    if freedom < 1:
        raise ValueError("there is at least one degree of freedom")
    angle = math.atan(abs(t) / math.sqrt(freedom))
    cosine = math.cos(angle)
    is_odd = freedom % 2
    term = cosine if is_odd else 1.0
    total, at = 0.0, 1 + is_odd
    while at < freedom:
        total += term
        term *= at / (at + 1) * cosine * cosine
        at += 2
    inside = 2 / math.pi * (angle + math.sin(angle) * total) if is_odd else math.sin(angle) * total
    return min(1.0, inside)


def quantile(confidence: float, freedom: int) -> float:
    """The t between whose two signs chance stays with this confidence."""
    if not 0 < confidence < 1:
        raise ValueError(f"a confidence of {confidence} is not between 0 and 1")
    low, high = 0.0, 1.0
    while within(high, freedom) < confidence and high < _FURTHEST:
        high *= 2
    for _ in range(100):
        middle = (low + high) / 2
        if within(middle, freedom) < confidence:
            low = middle
        else:
            high = middle
    return high
