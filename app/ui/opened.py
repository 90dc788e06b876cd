"""Where the things that an answer is split by lead: to their page, with the filters of this one."""

from collections.abc import Hashable

from app.ui import words
from app.ui.asking import Asked
from app.ui.grid import Opened, Row
from app.ui.links import address, anchor
from app.ui.markup import Markup


def opener(answer: Asked, opens: str | None) -> Opened | None:
    """Links by the first of what the answer is split by, if a page is named that they lead to."""
    if opens is None:
        return None
    key = answer.by[0]

    def link(row: Row, name: str) -> Markup:
        # Filters of listed values, and of workspaces, are named in addresses as people read them.
        chosen = words.name_of(key, row) if key.values or key.name == "workspace" else row[key.name]
        return anchor(name, address(opens, answer.scope, **{key.name: chosen}))

    return link


def leading(answer: Asked, opens: str | None) -> Hashable:
    """What decides the links besides the answer: the same days may stand in an address in two ways."""
    return (opens, answer.scope.query) if opens else None
