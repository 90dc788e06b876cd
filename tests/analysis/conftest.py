"""Answers to explain come from the small lake that metrics are tested on."""

from tests.metrics.conftest import asking, desks, lake

__all__ = ["asking", "desks", "lake"]
