"""Drawings that were made before: the same answer for the same eyes is drawn once."""

import threading
from collections import OrderedDict
from collections.abc import Callable, Hashable

from app.ui.asking import Asked
from app.ui.markup import Markup


class Kept:
    """Drawings up to so many letters; those not asked for longest go first."""

    def __init__(self, most: int) -> None:
        self._most = most
        self._letters = 0
        self._drawings: OrderedDict[Hashable, Markup] = OrderedDict()
        self._lock = threading.Lock()

    def get(self, key: Hashable) -> Markup | None:
        with self._lock:
            found = self._drawings.get(key)
            if found is not None:
                self._drawings.move_to_end(key)
            return found

    def put(self, key: Hashable, made: Markup) -> None:
        with self._lock:
            self._letters += len(made) - len(self._drawings.pop(key, ""))
            self._drawings[key] = made
            while self._letters > self._most:
                _, oldest = self._drawings.popitem(last=False)
                self._letters -= len(oldest)


# Twenty people on eight pages and in six periods look at more than six hundred drawings, 3 MB of them.
_kept = Kept(20_000_000)


def drawn_once(asked: Asked, how: Hashable, draw: Callable[[], Markup]) -> Markup:
    """What is drawn of an answer in one way. Nobody gets what was drawn for other workspaces or roles, or remarks."""
    viewer = asked.scope.viewer
    version = asked.receipt.lake_version
    key = (asked.question, viewer.workspaces, viewer.roles, version, asked.scope.notes, how)
    found = _kept.get(key)
    if found is None:
        found = draw()
        _kept.put(key, found)
    return found
