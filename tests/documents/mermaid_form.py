"""Reads mermaid entity diagrams: entities with typed columns."""

import re
from collections.abc import Iterator

from tests.documents.facts import DocumentColumn, DocumentTable, Fact, demand

DIAGRAM = re.compile(r"```mermaid\nerDiagram\n(?P<body>.*?)```", re.DOTALL)
ENTITY = re.compile(r"^    (?P<name>\w+) \{\n(?P<columns>.*?)^    \}", re.DOTALL | re.MULTILINE)
COLUMN = re.compile(r"^        (?P<type>\w+) (?P<column>\w+)(?: (?:PK|FK))?$", re.MULTILINE)


def mermaid_facts(document: str, text: str) -> Iterator[Fact]:
    """Every entity of the diagram and its columns."""
    diagram = DIAGRAM.search(text)
    entities = list(ENTITY.finditer(diagram["body"])) if diagram else []
    demand(diagram["body"].count(" {\n") if diagram else 1, len(entities), f"{document}, entities of the diagram")
    for entity in entities:
        columns = list(COLUMN.finditer(entity["columns"]))
        demand(entity["columns"].count("\n"), len(columns), f"{document}.{entity['name']}, columns of the diagram")
        yield DocumentTable(document, entity["name"])
        for column in columns:
            yield DocumentColumn(document, entity["name"], column["column"], column["type"])
