"""Looks through the database's catalog for holes between tenants, in whatever objects are there."""

from dataclasses import dataclass

from sqlalchemy import Connection, text

from db.catalog_checks import ROW_CHECKS
from db.catalog_rights import RIGHT_CHECKS
from db.tables import Base


@dataclass(frozen=True)
class Hole:
    """One place where a row could reach whom it does not belong to, or could be lost to the lake."""

    where: str
    what: str
    fix: str


def holes(connection: Connection) -> list[Hole]:
    """Everything that a check found. Any role may ask: the catalog is readable by all."""
    secrets = secret_columns()
    given = {
        "secret_tables": [table for table, _ in secrets],
        "secret_columns": [column for _, column in secrets],
    }
    found: list[Hole] = []
    for check in (*ROW_CHECKS, *RIGHT_CHECKS):
        query = text(check.sql)
        rows = connection.execute(query, {name: given[name] for name in query.compile().params})
        found += [Hole(str(row.place), f"{check.name}: {row.what}", check.fix) for row in rows]
    return found


def secret_columns() -> list[tuple[str, str]]:
    """The columns that neither pages nor the lake may read, as (table, column)."""
    return [
        (table.name, column.name)
        for table in Base.metadata.sorted_tables
        for column in table.columns
        if column.info.get("secret") or column.info.get("hidden")
    ]
