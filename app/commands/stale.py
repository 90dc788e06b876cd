"""Edits that were made on an older state than there is now, and what both edits together would be."""

from collections.abc import Callable, Mapping
from dataclasses import dataclass
from typing import Any

from app.commands.texts import plain, shortened
from db.errors import SightlineError

Fields = Mapping[str, Any]
# Of a field that both changed: what it was, is now, and was wanted to be; together, or None where they collide.
Way = Callable[[Any, Any, Any], Any]


class StaleEditError(SightlineError):
    """Somebody else was faster."""


class NotThereError(SightlineError):
    """What is to be changed is gone, was never there, or is not for this person to see."""


@dataclass(frozen=True)
class Merge:
    """Two edits of one thing: what they give together, and the fields that both changed to different things."""

    together: Fields
    colliding: tuple[str, ...]


def merge(made_on: Fields, now: Fields, wanted: Fields, ways: Mapping[str, Way] | None = None) -> Merge:
    """Field by field, and within those for which there is a way. Of one that collides, `together` holds what is now."""
    together, colliding = dict(now), []
    for name, old in made_on.items():
        if wanted[name] in (old, now[name]):
            continue
        if now[name] == old:
            together[name] = wanted[name]
            continue
        both = ways[name](old, now[name], wanted[name]) if ways and name in ways else None
        if both is None:
            colliding.append(name)
        else:
            together[name] = both
    return Merge(together, tuple(colliding))


class EditedMeanwhileError(StaleEditError):
    """A thing of several fields was changed by somebody else: what is there now, and what was wanted.

    Where the edit says what it was made on, `merged` holds both edits together.
    """

    def __init__(
        self,
        what: str,
        *,
        now: Fields,
        wanted: Fields,
        revision: int,
        made_on: Fields | None = None,
        ways: Mapping[str, Way] | None = None,
    ) -> None:
        self.now, self.wanted, self.made_on, self.revision = now, wanted, made_on, revision
        self.merged = merge(made_on, now, wanted, ways) if made_on is not None else None
        super().__init__(
            f"Somebody changed {what} while you were writing. Nothing of yours was saved.",
            why=f"It now says: {_told(now, self.differing)}. You wrote: {_told(wanted, self.differing)}."
            if self.differing
            else "It now says what you wrote.",
            fix="The two don't collide: both can be saved together."
            if self.fits and self.differing
            else "Look at both, and change it again.",
        )

    @property
    def fits(self) -> bool:
        """Both edits can stand together."""
        return self.merged is not None and not self.merged.colliding

    @property
    def differing(self) -> tuple[str, ...]:
        """The fields in which what is there now is not what was wanted."""
        return tuple(name for name, value in self.now.items() if value != self.wanted[name])


def changed_by_others(now: str) -> StaleEditError:
    """What is there now, so that nobody has to look for it."""
    return StaleEditError(
        "Somebody changed this while you were writing.",
        why=f"It now says: “{now}”.",
        fix="Look at it, and change it again.",
    )


def _told(fields: Fields, names: tuple[str, ...]) -> str:
    return ", ".join(f"{name.replace('_', ' ')} {shortened(plain(fields[name]))}" for name in names)
