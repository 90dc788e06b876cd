"""HTML that is made from texts and numbers: everything is escaped unless it was made here."""

import html
import re
from collections.abc import Iterable
from unicodedata import category

_ATTRIBUTES = {"class_": "class", "for_": "for"}
_CODE = re.compile(r"`([^`\n]+)`")


class Markup(str):
    """Text that is HTML already."""

    __slots__ = ()


def escaped(value: object) -> Markup:
    """A text as it reads, whatever it holds; control characters, which nobody can read, are left out.

    Spaces of every width stay, those that keep two words in one line among them.
    """
    if isinstance(value, Markup):
        return value
    text = str(value)
    if not text.isprintable():
        text = "".join(sign for sign in text if sign.isprintable() or sign in "\n\t" or category(sign) == "Zs")
    return Markup(html.escape(text))


def with_code(text: str) -> Markup:
    """A sentence in which what stands in backticks, as commands and settings do, is drawn as code."""
    return Markup(_CODE.sub(r"<code>\1</code>", escaped(text)))


def without_code(text: str) -> str:
    """The same sentence where no code can be drawn, as in what is shown when something is pointed at."""
    return _CODE.sub(r"\1", text)


def joined(parts: Iterable[object]) -> Markup:
    return Markup("".join(escaped(part) for part in parts))


def tag(name: str, *inner: object, **attributes: object) -> Markup:
    """An element; an attribute that is None is left out. `class_` is class, and other underscores are hyphens."""
    told = "".join(
        f' {_ATTRIBUTES.get(key, key.replace("_", "-"))}="{escaped(value)}"'
        for key, value in attributes.items()
        if value is not None
    )
    return Markup(f"<{name}{told}>{joined(inner)}</{name}>")


def lone(name: str, **attributes: object) -> Markup:
    """An element that holds nothing."""
    return Markup(tag(name, **attributes).replace(f"></{name}>", "/>"))
