"""A table as the lake copies it: its columns, what tells its rows apart, and the question that Postgres answers."""

import hashlib
from dataclasses import dataclass
from functools import cached_property

BLOB, TEXT, BIG, INT, DAY, INSTANT, FLAG = "BLOB", "VARCHAR", "BIGINT", "INTEGER", "DATE", "TIMESTAMPTZ", "BOOLEAN"
MONEY, COST, SECONDS, RATE = "DECIMAL(18,4)", "DECIMAL(20,12)", "DECIMAL(12,3)", "DECIMAL(20,10)"


@dataclass(frozen=True)
class Column:
    """A column of the lake: its type there, and the expression that Postgres answers for it."""

    name: str
    type: str
    expression: str


@dataclass(frozen=True)
class Source:
    """A table that the lake copies. Its key tells rows apart; rows lie in the order that questions filter by."""

    name: str
    columns: tuple[Column, ...]
    key: tuple[str, ...]
    # As Postgres knows a row.
    primary_key: tuple[str, ...]
    joins: str = ""
    order: tuple[str, ...] = ()
    month: str | None = None
    # Without a stamp of the writing transaction a table is compared whole; only small ones are.
    is_stamped: bool = True

    @cached_property
    def names(self) -> tuple[str, ...]:
        return tuple(column.name for column in self.columns)

    @cached_property
    def month_column(self) -> str | None:
        """The column of the lake by whose month the rows are parted."""
        parted = (column.name for column in self.columns if column.expression == f"t.{self.month}")
        return next(parted, None) if self.month else None

    @cached_property
    def digest(self) -> str:
        """Other columns make another table of the lake."""
        shape = repr((self.columns, self.key, self.month))
        return hashlib.sha256(shape.encode()).hexdigest()[:8]

    def select(self, relation: str | None = None, *, extra: str = "") -> str:
        """The question to Postgres, of the whole table or of one partition."""
        listed = ", ".join(f"{column.expression} AS {column.name}" for column in self.columns)
        return f"SELECT {listed}{extra} FROM {relation or self.name} AS t {self.joins}".rstrip()  # noqa: S608 - our own names


def listed_columns(listed: str) -> tuple[Column, ...]:
    """Columns as lines of `name TYPE`, or `name TYPE = expression` where Postgres has it elsewhere."""
    made = []
    for line in filter(None, (line.strip() for line in listed.splitlines())):
        declared, _, expression = line.partition(" = ")
        name, kind = declared.split()
        made.append(Column(name, kind, expression or f"t.{name}"))
    return tuple(made)


WORKSPACE = "JOIN workspaces AS w ON w.id = t.workspace_id"
CAMPAIGN = "JOIN campaigns AS c ON c.workspace_id = t.workspace_id AND c.id = t.campaign_id"
MAYBE_CAMPAIGN = f"LEFT {CAMPAIGN}"
CONTACT = "JOIN contacts AS p ON p.workspace_id = t.workspace_id AND p.id = t.contact_id"
USER = "JOIN users AS u ON u.id = t.user_id"
MAYBE_USER = f"LEFT {USER}"
ROW_ID = f"id {BLOB} = uuid_send(t.id)"
WORKSPACE_CODE = f"workspace_code {BIG} = w.code"
CAMPAIGN_CODE = f"campaign_code {BIG} = c.code"
USER_CODE = f"user_code {BIG} = u.code"
