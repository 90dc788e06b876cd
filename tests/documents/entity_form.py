"""Reads a document of entities: bullets by group, the columns that all of them have, and a few values."""

import re
from collections.abc import Iterator

from tests.documents.facts import DocumentColumn, DocumentTable, DocumentValue, Fact, demand

GROUP = re.compile(r"^### \d+\. [^\n]+\n[^\n]+\n(?P<bullets>(?:- [^\n]+\n)+)", re.MULTILINE)
ENTITY = re.compile(r"^- (?P<name>[A-Z][\w -]*?) \((?P<meaning>[^)]+)\)$", re.MULTILINE)
ALWAYS = re.compile(r"^- `(?P<column>\w+)` \((?P<type>[^)]+)\)$", re.MULTILINE)
SOFT_DELETE = re.compile(r"^- `(?P<column>\w+)` timestamp instead of hard deletes$", re.MULTILINE)
PAIR = re.compile(r"^- (?P<one>[\w ]+) ↔ (?P<other>[\w ]+?) \(", re.MULTILINE)
TIERS = re.compile(r"\(\d+ for (?P<small>\w+), unlimited for (?P<large>\w+)\)")
FORMATS = re.compile(r"^- Export formats \((?P<format>\w+), platform-specific\)$", re.MULTILINE)


def entity_facts(document: str, text: str) -> Iterator[Fact]:
    """Every entity, the columns it always has, its pairings and the values that are named."""
    entities = list(_entities(document, text))
    for entity in entities:
        yield DocumentTable(document, entity)
        for column, type_text in _common_columns(document, text):
            yield DocumentColumn(document, entity, column, type_text)
    yield from _pairings(document, text)
    yield from _values(document, text)


def _entities(document: str, text: str) -> Iterator[str]:
    area = text.partition("## Primary Entity Groups")[2].partition("\n## ")[0]
    groups = list(GROUP.finditer(area))
    demand(area.count("\n### "), len(groups), f"{document}, groups of entities")
    found = [entity["name"] for group in groups for entity in ENTITY.finditer(group["bullets"])]
    demand(area.count("\n- "), len(found), f"{document}, entities")
    yield from found


def _common_columns(document: str, text: str) -> list[tuple[str, str]]:
    area = text.partition("### Always Include")[2].partition("\n### ")[0]
    columns = [(found["column"], found["type"]) for found in ALWAYS.finditer(area)]
    demand(area.count("\n- "), len(columns), f"{document}, columns that all entities have")
    soft = [(found["column"], "timestamp") for found in SOFT_DELETE.finditer(text)]
    demand(1, len(soft), f"{document}, columns of soft deletes")
    return columns + soft


def _pairings(document: str, text: str) -> Iterator[Fact]:
    area = text.partition("### Many-to-Many Relationships")[2].partition("\n### ")[0]
    pairs = [f"{pair['one']} ↔ {pair['other']}" for pair in PAIR.finditer(area)]
    demand(area.count("\n- "), len(pairs), f"{document}, many-to-many relationships")
    for pair in pairs:
        yield DocumentTable(document, pair)


def _values(document: str, text: str) -> Iterator[Fact]:
    tiers = list(TIERS.finditer(text))
    demand(1, len(tiers), f"{document}, tiers")
    for tier in (tiers[0]["small"], tiers[0]["large"]):
        yield DocumentValue(document, "Plans", "tier", tier)
    for named in FORMATS.finditer(text):
        yield DocumentValue(document, "Export formats", "name", named["format"])
