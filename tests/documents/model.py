"""What the one model offers to the documents' facts: columns, allowed values, unique keys and search indexes."""

import re
from collections.abc import Iterator, Mapping

from sqlalchemy import CheckConstraint, Index, MetaData, Table, UniqueConstraint

from tests.documents.facts import DocumentColumn, DocumentValue
from tests.documents.homes import COLUMN_HOMES, TABLE_HOMES

VALUE_LIST = re.compile(r"^(?P<column>\w+) IN \((?P<list>[^)]*)\)$")
Columns = Mapping[str, frozenset[str]]


def columns_of(metadata: MetaData) -> dict[str, frozenset[str]]:
    """The columns of each table."""
    return {name: frozenset(table.columns.keys()) for name, table in metadata.tables.items()}


def default_home(document: str, table: str, column: str, columns: Columns) -> tuple[str, str] | None:
    """The column of the same name in the first home of the table that has it."""
    for home in TABLE_HOMES.get((document, table), ()):
        if column in columns.get(home, ()):
            return home, column
    return None


def home_of(document: str, table: str, column: str, columns: Columns) -> tuple[str, str] | None:
    """Where a column lives, or None if it lives nowhere."""
    named = COLUMN_HOMES.get((document, table, column))
    if named is None:
        return default_home(document, table, column, columns)
    return named if named[1] in columns.get(named[0], ()) else None


def homeless(facts: list[DocumentColumn] | list[DocumentValue], columns: Columns) -> list[str]:
    """The documents' columns that live nowhere."""
    return sorted(
        {
            f"{fact.document}.{fact.table}.{fact.column}"
            for fact in facts
            if home_of(fact.document, fact.table, fact.column, columns) is None
        }
    )


def allowed_values(metadata: MetaData) -> dict[tuple[str, str], frozenset[str]]:
    """The value list of every column that has one."""
    return {
        (table.name, listed["column"]): frozenset(re.findall(r"'([^']*)'", listed["list"]))
        for table in metadata.tables.values()
        for listed in _value_lists(table)
    }


def _value_lists(table: Table) -> Iterator[re.Match[str]]:
    for constraint in table.constraints:
        if isinstance(constraint, CheckConstraint) and constraint.name:
            listed = VALUE_LIST.match(str(constraint.sqltext))
            if listed:
                yield listed


def unique_keys(table: Table) -> list[frozenset[str]]:
    """The sets of columns that occur once in a table, whether by key, by constraint or by index."""
    constraints = [constraint for constraint in table.constraints if isinstance(constraint, UniqueConstraint)]
    by_name = [frozenset(constraint.columns.keys()) for constraint in constraints]
    by_index = [indexed_columns(index) for index in table.indexes if index.unique]
    return [frozenset(table.primary_key.columns.keys()), *by_name, *by_index]


def gin_columns(table: Table) -> frozenset[str]:
    """The columns of a table that a GIN index searches."""
    found = [index for index in table.indexes if index.dialect_options["postgresql"]["using"] == "gin"]
    return frozenset(column for index in found for column in indexed_columns(index))


def indexed_columns(index: Index) -> frozenset[str]:
    """The columns of an index, bare or in an expression such as `lower(email)`."""
    words = {word for part in index.expressions for word in re.findall(r"\w+", str(part))}
    table = index.table
    return frozenset(words & set(table.columns.keys())) if table is not None else frozenset()
