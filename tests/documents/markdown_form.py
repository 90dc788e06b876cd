"""Reads documents whose tables are a heading, a markdown table of columns, and bullets of indexes and constraints."""

import re
from collections.abc import Iterator

from tests.documents.facts import (
    DocumentColumn,
    DocumentIndex,
    DocumentNotUnderstoodError,
    DocumentTable,
    DocumentUnique,
    DocumentValue,
    Fact,
    demand,
)

HEADING = re.compile(r"^#### (?:`(?P<quoted>\w+)`|[\d.]+ (?P<numbered>\w+))$")
COLUMN = re.compile(r"^\| `?(?P<column>\w+)`? \| (?P<type>[^|]+) \| (?P<description>[^|]+) \|$")
COLUMN_HEAD = "| Column | Type | Description |"
NAMED_INDEX = re.compile(r"^- `(?P<name>idx_\w+)` - (?P<purpose>.+)$")
UNIQUE_CONSTRAINT = re.compile(r"^- Unique constraint on \((?P<columns>[\w, ]+)\)$")
INDEX_BULLET = re.compile(
    r"^- (?P<kind>Primary Key|Foreign Keys?|Index|Unique(?: Composite)?): \(?(?P<columns>[\w, ]+?)\)?$"
)
BARE_LIST = re.compile(r"^\w+(?:, \w+)+(?:, etc\.)?$")
LIST_IN_BRACKETS = re.compile(r"\((?P<list>e\.g\., '?\w+'?(?:, '?\w+'?)*|'?\w+'?(?:, '?\w+'?)+(?:, etc\.)?)\)")


def markdown_facts(document: str, text: str) -> Iterator[Fact]:
    """Every fact of the tables under `####` headings."""
    tables = 0
    for section in re.split(r"^(?=#{1,4} )", text, flags=re.MULTILINE):
        heading = HEADING.match(section.partition("\n")[0])
        if heading:
            tables += 1
            yield from _section_facts(document, heading["quoted"] or heading["numbered"], section)
    demand(text.count(COLUMN_HEAD), tables, f"{document}, tables of columns")


def _section_facts(document: str, table: str, section: str) -> Iterator[Fact]:
    yield DocumentTable(document, table)
    columns = list(_columns(section))
    demand(section.count("\n| ") - 1, len(columns), f"{document}.{table}, rows")
    for column, type_text, description in columns:
        yield DocumentColumn(document, table, column, type_text)
        for value in _values(type_text, description):
            yield DocumentValue(document, table, column, value)
        if re.match(r"(?i)unique ", description) or re.search(r"(?i), unique$|\(primary key\)$", description):
            yield DocumentUnique(document, table, (column,))
    for line in section.splitlines():
        if line.startswith("- "):
            yield from _bullet(document, table, line, [column for column, _, _ in columns])


def _columns(section: str) -> Iterator[tuple[str, str, str]]:
    for line in section.splitlines():
        row = COLUMN.match(line)
        if row and line != COLUMN_HEAD:
            yield row["column"], row["type"], row["description"]


def _values(type_text: str, description: str) -> list[str]:
    """The value list in a description; numbers and keys have none, whatever stands in their brackets."""
    if not type_text.startswith("VARCHAR"):
        return []
    bracketed = LIST_IN_BRACKETS.search(description)
    listed = description if BARE_LIST.match(description) else bracketed["list"] if bracketed else ""
    return re.findall(r"\w+", listed.replace("e.g., ", "").replace(", etc.", ""))


def _bullet(document: str, table: str, line: str, columns: list[str]) -> Iterator[Fact]:
    """One bullet under a table. A bullet of no known form is an error, not nothing."""
    if named := NAMED_INDEX.match(line):
        yield from _named_index(document, table, named["name"], named["purpose"], columns)
    elif unique := UNIQUE_CONSTRAINT.match(line):
        yield DocumentUnique(document, table, _names(unique["columns"]))
    elif bullet := INDEX_BULLET.match(line):
        yield from _kind_of_index(document, table, bullet["kind"], _names(bullet["columns"]))
    else:
        raise DocumentNotUnderstoodError(f"{document}.{table}: no form is known for the bullet {line!r}.")


def _named_index(document: str, table: str, name: str, purpose: str, columns: list[str]) -> Iterator[Fact]:
    if purpose == "Full-text search":
        yield DocumentIndex(document, table, name, ("search_vector",), "full text")
        return
    # A time in an index's name is a column, also where the table of columns leaves it out.
    time = re.search(r"created_at$", name)
    if time:
        yield DocumentColumn(document, table, time[0], "TIMESTAMPTZ, told by an index")
        columns = [*columns, time[0]]
    ending = sorted((column for column in columns if name.endswith(f"_{column}")), key=len)
    yield DocumentIndex(document, table, name, tuple(ending[-1:]), "btree")


def _kind_of_index(document: str, table: str, kind: str, columns: tuple[str, ...]) -> Iterator[Fact]:
    if kind.startswith("Unique"):
        yield DocumentUnique(document, table, columns)
    elif kind == "Index":
        for column in columns:
            yield DocumentIndex(document, table, f"index on {column}", (column,), "btree")


def _names(listed: str) -> tuple[str, ...]:
    return tuple(listed.split(", "))
