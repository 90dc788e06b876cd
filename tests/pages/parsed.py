"""A page as it was drawn, without a browser: its tiles, and the figures of the tables and charts under each heading."""

from collections.abc import Iterable
from dataclasses import dataclass, field
from html import unescape
from html.parser import HTMLParser
from xml.etree.ElementTree import Element, SubElement

from app.ui.field import BESIDE

_LONE = {"br", "hr", "img", "input", "line", "path", "rect", "circle"}


class _Tree(HTMLParser):
    def __init__(self) -> None:
        super().__init__()
        self.root = Element("root")
        self._open = [self.root]

    def handle_starttag(self, tag, attrs):
        made = SubElement(self._open[-1], tag, {name: value or "" for name, value in attrs})
        if tag not in _LONE:
            self._open.append(made)

    def handle_startendtag(self, tag, attrs):
        SubElement(self._open[-1], tag, {name: value or "" for name, value in attrs})

    def handle_endtag(self, tag):
        while len(self._open) > 1 and self._open.pop().tag != tag:
            pass

    def handle_data(self, data):
        here = self._open[-1]
        if len(here):
            here[-1].tail = (here[-1].tail or "") + data
        else:
            here.text = (here.text or "") + data


def tree(html: str) -> Element:
    parser = _Tree()
    parser.feed(html)
    return parser.root


def told(element: Element) -> str:
    return "".join(element.itertext()).strip()


def classed(element: Element, name: str) -> Iterable[Element]:
    return (one for one in element.iter() if name in one.get("class", "").split())


@dataclass
class Card:
    """What stands under one heading. `over_time` has, of each panel, the point and the values by their names."""

    title: str
    head: list[str] = field(default_factory=list)
    rows: list[list[str]] = field(default_factory=list)
    total: list[str] = field(default_factory=list)
    over_time: list[tuple[str, dict[str, str]]] = field(default_factory=list)
    ranked: list[tuple[str, str]] = field(default_factory=list)
    # Of each bar what it says of the period that it is compared with.
    before: list[str] = field(default_factory=list)
    heat: list[str] = field(default_factory=list)
    facts: dict[str, str] = field(default_factory=dict)
    items: list[str] = field(default_factory=list)
    counted: str = ""

    def table(self) -> dict[str, dict[str, str]]:
        """Its rows by their first cells, the totals row among them."""
        listed = [*self.rows, self.total] if self.total else self.rows
        return {row[0]: dict(zip(self.head, row, strict=True)) for row in listed}

    @property
    def has_figures(self) -> bool:
        return bool(self.rows or self.over_time or self.ranked or self.heat)


@dataclass
class Parsed:
    """A whole page."""

    tiles: dict[str, str] = field(default_factory=dict)
    # Of each tile what it says of its change, and against what that is.
    changes: dict[str, tuple[str, str]] = field(default_factory=dict)
    cards: dict[str, Card] = field(default_factory=dict)
    notices: list[str] = field(default_factory=list)
    links: list[tuple[str, str]] = field(default_factory=list)
    texts: str = ""

    def query_of(self, text: str) -> str | None:
        """What stands in the address to which the link of this text leads, if there is one."""
        return next((unescape(to).partition("?")[2] for told, to in self.links if told == text), None)


def parsed(bodies: Iterable[str]) -> Parsed:
    """From the pieces of HTML in their order: what has no heading of its own belongs to the one before."""
    page, card = Parsed(), Card("")
    for body in bodies:
        root = tree(body)
        for heading in root.iter("h2"):
            card = page.cards.setdefault(told(heading), Card(told(heading)))
        page.tiles |= {
            one.get("data-metric"): one.get("data-value", "") for one in root.iter() if one.get("data-metric")
        }
        page.changes |= {
            tile.get("data-metric", ""): (told(one), next((part.get("title", "") for part in one), ""))
            for tile in classed(root, "sl-tile")
            for one in classed(tile, "delta")
            if tile.get("data-metric")
        }
        page.links += [(told(one), one.get("href", "")) for one in root.iter("a")]
        page.texts += told(root) + "\n"
        page.notices += [told(one) for one in root.iter() if one.get("role") == "alert"]
        _read(card, root)
    return page


def _read(card: Card, root: Element) -> None:
    for table in root.iter("table"):
        if "sl-heat" in table.get("class", ""):
            card.heat += [one.get("aria-label", "") for one in table.iter("td") if one.get("aria-label")]
            continue
        card.head = _wide(next(iter(table.iter("thead")), None))
        card.rows += [_cells(row) for body in table.iter("tbody") for row in body.iter("tr")]
        for foot in table.iter("tfoot"):
            card.total = _wide(foot)
    for strip in classed(root, "sl-hit"):
        lines = [line.partition(BESIDE) for line in strip.get("data-tip", "").split("\n")]
        card.over_time.append((strip.get("data-at", ""), {name: figure for figure, _, name in lines if name}))
    for rows in classed(root, "sl-rows"):
        names, figures = ([told(one) for one in classed(rows, kind)] for kind in ("name", "figure"))
        card.ranked += list(zip(names, figures, strict=True))
        card.before += [one.get("title", "").partition("; before: ")[2] for one in classed(rows, "bar")]
    for facts in classed(root, "facts"):
        names, figures = ([told(one) for one in facts.iter(kind)] for kind in ("dt", "dd"))
        card.facts |= dict(zip(names, figures, strict=True))
    card.items += [told(one) for one in root.iter("li")]
    for one in classed(root, "sl-small"):
        if one.tag == "p" and " row" in told(one):
            card.counted = told(one)


def _cells(row: Element) -> list[str]:
    return [told(one) for one in row if one.tag in {"th", "td"}]


def _wide(part: Element | None) -> list[str]:
    """Cells by place: one that spans two columns stands in the first of them."""
    cells: list[str] = []
    for one in part.iter() if part is not None else ():
        if one.tag in {"th", "td"}:
            cells += [told(one), *[""] * (int(one.get("colspan", 1)) - 1)]
    return cells
