"""Reads diagrams drawn with boxes: a title, a rule, and one column or several on each line."""

import re
from collections.abc import Iterator
from dataclasses import dataclass

from tests.documents.facts import (
    DocumentColumn,
    DocumentNotUnderstoodError,
    DocumentTable,
    DocumentUnique,
    DocumentValue,
    Fact,
    demand,
)

TOP = re.compile(r"┌─+┐")
CONTINUED_VALUES = re.compile(r"^- (?P<list>\w+(?:/\w+)+)$")
COLUMNS = re.compile(
    r"^(?:PK  |FK  )?(?P<columns>\w+(?:, \w+)*)(?P<array>\[\])?(?: \((?P<type>[^)]+)\))?(?: - (?P<list>\w+(?:/\w+)+))?$"
)
PRIORITIES = re.compile(r"^### (?:Critical|Recoverable) Tables.*\n(?P<tables>(?:- \w+\n?)+)", re.MULTILINE)


@dataclass(frozen=True)
class Box:
    """A drawn table: its name and the lines below its rule."""

    title: str
    lines: tuple[str, ...]


def box_facts(document: str, text: str) -> Iterator[Fact]:
    """Every fact in the boxes of the diagram."""
    boxes = [box for box in _boxes(text) if not box.title.endswith("(REF)")]
    names = {box.title.removesuffix(" TABLE").lower() for box in boxes}
    listed = {name for group in PRIORITIES.finditer(text) for name in re.findall(r"- (\w+)", group["tables"])}
    demand(sorted(listed), sorted(names), f"{document}, boxes and the tables to back up")
    for box in boxes:
        yield DocumentTable(document, box.title.removesuffix(" TABLE").lower())
        yield from _box_facts(document, box)


def _boxes(text: str) -> Iterator[Box]:
    rows = text.splitlines()
    for top, row in enumerate(rows):
        for edge in TOP.finditer(row):
            yield _box(rows, top, edge.start(), edge.end() - 1)


def _box(rows: list[str], top: int, left: int, right: int) -> Box:
    lines = []
    for row in rows[top + 1 :]:
        # The drawing is one character off in two places: a title too wide, a bottom edge too far right.
        if "└" in row[left : left + 2]:
            break
        border = re.compile("[│┤┼├]").search(row, right, right + 2)
        if row[left] not in "│├┤" or not border:
            raise DocumentNotUnderstoodError(f"A box of the diagram is open at {row!r}.")
        lines.append(row[left + 1 : border.start()].strip(" ─"))
    title, rule, *columns = (*lines, "") if len(lines) == 1 else lines
    demand("", rule, f"The rule below {title}")
    return Box(title.upper(), tuple(columns))


def _box_facts(document: str, box: Box) -> Iterator[Fact]:
    table = box.title.removesuffix(" TABLE").lower()
    column = ""
    for line in box.lines:
        if more := CONTINUED_VALUES.match(line):
            yield from _values(document, table, column, more["list"])
            continue
        found = COLUMNS.match(line)
        if not found:
            raise DocumentNotUnderstoodError(f"{document}.{table}: no form is known for the line {line!r}.")
        type_text = found["type"] or found["array"] or ""
        for column in found["columns"].split(", "):
            yield DocumentColumn(document, table, column, type_text)
            if "UNIQUE" in type_text:
                yield DocumentUnique(document, table, (column,))
        yield from _values(document, table, column, found["list"] or "")


def _values(document: str, table: str, column: str, listed: str) -> Iterator[Fact]:
    for value in filter(None, listed.split("/")):
        yield DocumentValue(document, table, column, value)
