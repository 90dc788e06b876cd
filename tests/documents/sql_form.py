"""Reads documents written as SQL: CREATE TABLE, CREATE INDEX and the rows inserted by default."""

import re
from collections.abc import Iterator

from tests.documents.facts import (
    DocumentColumn,
    DocumentIndex,
    DocumentNotUnderstoodError,
    DocumentRow,
    DocumentTable,
    DocumentUnique,
    DocumentValue,
    Fact,
    demand,
)

TABLE = re.compile(r"^CREATE TABLE (?P<name>\w+) \(\n(?P<body>.*?)^\);", re.DOTALL | re.MULTILINE)
TABLE_HEADING = re.compile(r"^## \d+\. [^\n]*(?:SCHEMA|TABLES)\n(?P<body>.*?)(?=^## )", re.DOTALL | re.MULTILINE)
COLUMN = re.compile(r"^    (?P<column>[a-z_]+) (?P<type>[A-Z]+(?:\([\d,]+\))?(?:\[\])?)(?P<rest>.*)$")
TABLE_UNIQUE = re.compile(r"^    UNIQUE\((?P<columns>[\w, ]+)\)$")
CHECK = re.compile(r"^\s+CHECK \((?P<column>\w+) IN \((?P<list>[^)]+)\)\),?$|CHECK \(\w+ IN \((?P<inline>[^)]+)\)\)")
COMMENT_LIST = re.compile(r"-- \[?(?P<list>'[^']+'(?:, '[^']+')*)(?:, etc\.)?\]?$")
TEXT_DEFAULT = re.compile(r"DEFAULT '(?P<value>[^']+)'")
INDEX = re.compile(
    r"^CREATE INDEX (?P<name>\w+) ON (?P<table>\w+)(?: USING (?P<method>\w+))?\((?P<columns>[^)]+)\);$", re.MULTILINE
)
INSERT = re.compile(r"^INSERT INTO (?P<table>\w+) VALUES \n(?P<rows>.*?);$", re.DOTALL | re.MULTILINE)
ROW = re.compile(r"^\('(?P<key>[^']+)', '(?P<value>[^']+)', '(?P<description>[^']+)'\),?$", re.MULTILINE)


def sql_facts(document: str, text: str) -> Iterator[Fact]:
    """Every fact of the document's SQL."""
    tables = list(TABLE.finditer(text))
    headings = sum(area["body"].count("\n### ") for area in TABLE_HEADING.finditer(text))
    demand(headings, len(tables), f"{document}, tables under a heading of their own")
    for table in tables:
        yield DocumentTable(document, table["name"])
        yield from _table_facts(document, table["name"], table["body"])
    yield from _indexes(document, text)
    yield from _default_rows(document, text)


def _table_facts(document: str, table: str, body: str) -> Iterator[Fact]:
    column = ""
    for line in body.splitlines():
        if unique := TABLE_UNIQUE.match(line):
            yield DocumentUnique(document, table, tuple(unique["columns"].split(", ")))
        elif found := COLUMN.match(line):
            column = found["column"]
            yield DocumentColumn(document, table, column, found["type"])
            # An id is unique by being made: only keys that mean something are facts.
            if re.search(" UNIQUE| PRIMARY KEY", found["rest"]) and column != "id":
                yield DocumentUnique(document, table, (column,))
        elif line.strip() and not line.strip().startswith(("--", "CHECK (")):
            raise DocumentNotUnderstoodError(f"{document}.{table}: no form is known for the line {line!r}.")
        for value in _values(line):
            yield DocumentValue(document, table, column, value)


def _values(line: str) -> list[str]:
    """The values that a line allows its column, by CHECK, by comment or by default."""
    check, comment, default = CHECK.search(line), COMMENT_LIST.search(line), TEXT_DEFAULT.search(line)
    listed = [(check["list"] or check["inline"]) if check else "", comment["list"] if comment else ""]
    found = re.findall(r"'([^']+)'", " ".join(listed))
    return found + ([default["value"]] if default else [])


def _indexes(document: str, text: str) -> Iterator[Fact]:
    indexes = list(INDEX.finditer(text))
    demand(text.count("CREATE INDEX "), len(indexes), f"{document}, indexes")
    for index in indexes:
        columns = tuple(column.removesuffix(" DESC") for column in index["columns"].split(", "))
        method = (index["method"] or "btree").lower()
        yield DocumentIndex(document, index["table"], index["name"], columns, method)


def _default_rows(document: str, text: str) -> Iterator[Fact]:
    inserts = list(INSERT.finditer(text))
    demand(text.count("INSERT INTO "), len(inserts), f"{document}, inserts")
    for insert in inserts:
        rows = list(ROW.finditer(insert["rows"]))
        demand(insert["rows"].count("\n") + 1, len(rows), f"{document}, default rows")
        for row in rows:
            yield DocumentRow(document, insert["table"], row["key"], row["value"], row["description"])
