"""What all tables share: keys made in the database, times, tenancy, value lists and names that state facts."""

import uuid
from collections.abc import Iterable
from datetime import date, datetime
from decimal import Decimal
from typing import Annotated, Any

from sqlalchemy import (
    CHAR,
    CheckConstraint,
    Date,
    DateTime,
    ForeignKey,
    ForeignKeyConstraint,
    Index,
    MetaData,
    Numeric,
    Text,
    Uuid,
    text,
)
from sqlalchemy.dialects import postgresql
from sqlalchemy.dialects.postgresql import ARRAY, JSONB
from sqlalchemy.orm import DeclarativeBase, Mapped, declared_attr, mapped_column
from sqlalchemy.types import UserDefinedType

# The workspace that owns what Sightline itself provides to everyone: the template library and the categories.
HOUSE_WORKSPACE = uuid.UUID("00000000-0000-7000-8000-000000000000")


class TransactionId(UserDefinedType[str]):
    """Postgres' xid8: the 64-bit number of a transaction."""

    cache_ok = True

    def get_col_spec(self, **_: object) -> str:
        return "xid8"


# Reflection must know the type, or a comparison of tables with the database would warn about it.
postgresql.base.ischema_names["xid8"] = TransactionId

Key = Annotated[uuid.UUID, mapped_column(Uuid)]
Instant = Annotated[datetime, mapped_column(DateTime(timezone=True))]
Day = Annotated[date, mapped_column(Date)]
Name = Annotated[str, mapped_column(Text)]
Money = Annotated[Decimal, mapped_column(Numeric(18, 4))]
AiCost = Annotated[Decimal, mapped_column(Numeric(20, 12))]
CurrencyCode = Annotated[str, mapped_column(CHAR(3))]
Json = Annotated[dict[str, Any], mapped_column(JSONB)]
Texts = Annotated[list[str], mapped_column(ARRAY(Text))]
Keys = Annotated[list[uuid.UUID], mapped_column(ARRAY(Uuid))]

NOW = text("now()")
NO = text("false")
YES = text("true")
ZERO = text("0")
ONE = text("1")
NO_TEXTS = text("'{}'")
NO_FIELDS = text("'{}'::jsonb")
NEW_KEY = text("uuid_v7()")
THIS_TRANSACTION = text("pg_current_xact_id()")


class Base(DeclarativeBase):
    """All tables of the one model."""

    metadata = MetaData(
        naming_convention={
            "pk": "%(table_name)s_key",
            "fk": "%(table_name)s_%(column_0_N_name)s_exists",
            "uq": "%(table_name)s_%(column_0_N_name)s_is_unique",
            "ix": "%(table_name)s_by_%(column_0_N_name)s",
            "ck": "%(constraint_name)s",
        }
    )


class Keyed:
    """A row known by a time-ordered key of its own."""

    id: Mapped[Key] = mapped_column(primary_key=True, server_default=NEW_KEY, sort_order=-9)


class Tenant:
    """A row of one workspace. Its key starts with the workspace, so that no reference can cross tenants."""

    @declared_attr
    def workspace_id(cls) -> Mapped[Key]:  # noqa: N805 - a declared attribute is given the class
        return mapped_column(ForeignKey("workspaces.id"), primary_key=True, sort_order=-10)

    id: Mapped[Key] = mapped_column(primary_key=True, server_default=NEW_KEY, sort_order=-9)


class TenantOfParent:
    """A row of one workspace whose required parent has the workspace in its key: that reference proves it."""

    workspace_id: Mapped[Key] = mapped_column(primary_key=True, sort_order=-10)
    id: Mapped[Key] = mapped_column(primary_key=True, server_default=NEW_KEY, sort_order=-9)


class Created:
    """When the row was made."""

    created_at: Mapped[Instant] = mapped_column(server_default=NOW, sort_order=100)


class Timestamps(Created):
    """When the row was made and last changed; a trigger keeps the latter."""

    updated_at: Mapped[Instant] = mapped_column(server_default=NOW, sort_order=101)


class SoftDeleted:
    """A row that is marked as deleted and can be brought back."""

    deleted_at: Mapped[Instant | None] = mapped_column(sort_order=102)


class Revised:
    """A row that people edit: an edit says which revision it was made on, and a stale one is refused."""

    revision: Mapped[int] = mapped_column(server_default=ONE, sort_order=99)


class Copied:
    """A row that the lake copies: it carries the transaction that last wrote it, and whether that was a change."""

    row_xid: Mapped[str] = mapped_column(TransactionId, server_default=THIS_TRANSACTION, sort_order=110)
    row_changed: Mapped[bool] = mapped_column(server_default=NO, sort_order=111)


class Fact(Copied):
    """A row that tells what happened; there are many, partitioned by month."""


def values(column: str, allowed: Iterable[str]) -> CheckConstraint:
    """The list of values that a column may hold."""
    listed = ", ".join(f"'{value}'" for value in allowed)
    return CheckConstraint(f"{column} IN ({listed})", name=f"{column}_is_known")


def never_negative(*columns: str) -> list[CheckConstraint]:
    """Counts and amounts that start at zero and go up."""
    return [CheckConstraint(f"{column} >= 0", name=f"{column}_is_not_negative") for column in columns]


def currencies(*columns: str) -> list[CheckConstraint]:
    """Currencies are ISO 4217 codes in capitals."""
    return [CheckConstraint(f"{column} ~ '^[A-Z]{{3}}$'", name=f"{column}_is_a_currency_code") for column in columns]


def sealed(*columns: str) -> list[CheckConstraint]:
    """Secrets are encrypted by the app before they come here: a text that is not is refused."""
    return [CheckConstraint(rf"{column} ~ '^v1\.[0-9a-f]{{8}}\.'", name=f"{column}_is_encrypted") for column in columns]


def same_workspace(column: str, target: str, *, target_column: str = "id") -> ForeignKeyConstraint:
    """A reference that can't leave its workspace: the workspace is part of the key."""
    return ForeignKeyConstraint(
        ["workspace_id", column],
        [f"{target}.workspace_id", f"{target}.{target_column}"],
    )


def own_or_house(column: str, target: str) -> list[ForeignKeyConstraint | CheckConstraint]:
    """A reference to a row of the same workspace or of the house library, and to no other tenant's."""
    owner = column.removesuffix("_id") + "_workspace_id"
    return [
        ForeignKeyConstraint(
            [owner, column],
            [f"{target}.workspace_id", f"{target}.id"],
            name=f"{column.removesuffix('_id')}_exists",
        ),
        CheckConstraint(
            f"{owner} = workspace_id OR {owner} = '{HOUSE_WORKSPACE}'::uuid",
            name=f"{column.removesuffix('_id')}_is_own_or_from_the_library",
        ),
        CheckConstraint(
            f"({column} IS NULL) = ({owner} IS NULL)",
            name=f"{column.removesuffix('_id')}_and_its_workspace_come_together",
        ),
    ]


def searched(table: str, *columns: str) -> list[Index]:
    """GIN indexes for JSONB, array and full-text columns that people search."""
    return [Index(f"{table}_search_{column}", column, postgresql_using="gin") for column in columns]


def monthly(column: str) -> dict[str, str]:
    """The table option that partitions a fact by month; the partitions are made by `make_partitions`."""
    return {"postgresql_partition_by": f"RANGE ({column})"}
