"""Reads what a provider says was used, strictly: every count is looked at, and what is not known is an error."""

from collections.abc import Iterator, Mapping
from difflib import get_close_matches
from typing import Any

from db.errors import SightlineError


class UsageError(SightlineError):
    """What a provider said was used can't be priced as it stands."""


class Reported:
    """The counts of one object of a response. Each key is taken once; `finish` refuses what was not taken."""

    def __init__(self, given: Mapping[str, Any], place: str = "usage") -> None:
        if not isinstance(given, Mapping):
            raise UsageError(f"`{place}` is not an object.", fix="Give the usage object of the provider's response.")
        self._given = dict(given)
        self._place = place
        self._taken: set[str] = set()

    def count(self, key: str) -> int:
        """A whole number that is not negative; 0 where it is missing or null."""
        value = self._take(key)
        if value is None:
            return 0
        if isinstance(value, bool) or not isinstance(value, int) or value < 0:
            raise UsageError(
                f"`{self._place}.{key}` is {value!r}.", why="A count is a whole number that is not negative."
            )
        return value

    def required(self, key: str) -> int:
        """A count without which nothing can be priced."""
        if self._given.get(key) is None:
            raise UsageError(
                f"`{self._place}.{key}` is missing.", why="Without it the call can't be priced.", fix=self._closest(key)
            )
        return self.count(key)

    def word(self, key: str) -> str | None:
        """A text, or nothing."""
        value = self._take(key)
        if value is not None and not isinstance(value, str):
            raise UsageError(f"`{self._place}.{key}` is {value!r}.", why="A text is expected there.")
        return value

    def inside(self, key: str) -> "Reported":
        """An object within; empty where it is missing or null."""
        return Reported(self._take(key) or {}, f"{self._place}.{key}")

    def each(self, key: str) -> Iterator["Reported"]:
        """The objects of a list within."""
        for number, one in enumerate(self._take(key) or []):
            yield Reported(one, f"{self._place}.{key}[{number}]")

    def passed(self, *keys: str) -> None:
        """Counts that say again what others say, or that nobody charges for."""
        for key in keys:
            self.count(key)

    def finish(self) -> None:
        """Refuse what nobody asked for: a count that is passed over would be priced at nothing."""
        unknown = sorted(key for key in self._given.keys() - self._taken if self._given[key] is not None)
        if unknown:
            raise UsageError(
                f"`{self._place}` has {', '.join(f'`{key}`' for key in unknown)}, which Sightline does not know.",
                why="What is not known has no price, and is not counted as free.",
                fix=self._closest(unknown[0]) or "If the provider charges for it, add it to app/money.",
            )

    def _take(self, key: str) -> Any:  # noqa: ANN401 - whatever JSON holds there
        self._taken.add(key)
        return self._given.get(key)

    def _closest(self, key: str) -> str:
        known = (self._taken if key in self._given else self._given.keys()) - {key}
        near = get_close_matches(key, known, n=1)
        return f"Is it `{near[0]}`?" if near else ""


def less(whole: int, part: int, *, of: str, part_of: str) -> int:
    """What is left of a count when a part of it is charged apart."""
    if part > whole:
        raise UsageError(
            f"{part_of} ({part:,}) is more than {of} ({whole:,}).",
            why="A part can't be larger than the whole: one of the two counts is wrong, or not what it is taken for.",
            fix="Check which provider and which of its interfaces the usage is from.",
        )
    return whole - part


def tier_of(provider: str, known: Mapping[str, str], told: str | None) -> str:
    """Our name of the tier that a call was served in, as the response tells it."""
    if told is None:
        return "standard"
    if told not in known:
        near = get_close_matches(told, known, n=1)
        raise UsageError(
            f"{provider}'s service tier '{told}' is not known.",
            why="A tier has prices of its own: the call is not priced as if it were a standard one.",
            fix=f"Is it '{near[0]}'?" if near else f"Give what the response says: {', '.join(known)}.",
        )
    return known[told]
