"""Drawings that were made before: the same answer for the same eyes is drawn once."""

import threading
from collections import OrderedDict
from collections.abc import Callable, Hashable

from app.ui.asking import Asked
from app.ui.markup import Markup

_MOST = 400
_kept: OrderedDict[Hashable, Markup] = OrderedDict()
_lock = threading.Lock()


def drawn_once(asked: Asked, how: Hashable, draw: Callable[[], Markup]) -> Markup:
    """What is drawn of an answer in one way. Nobody gets what was drawn for other workspaces or roles, or remarks."""
    viewer = asked.scope.viewer
    version = asked.receipt.lake_version
    key = (asked.question, viewer.workspaces, viewer.roles, version, asked.scope.notes, how)
    with _lock:
        found = _kept.get(key)
        if found is not None:
            _kept.move_to_end(key)
            return found
    made = draw()
    with _lock:
        _kept[key] = made
        while len(_kept) > _MOST:
            _kept.popitem(last=False)
    return made
