"""What a schema document can state: a table, a column, a value, an index, a unique key, a default row."""

from dataclasses import dataclass
from pathlib import Path

FOLDER = Path(__file__).parent
DOCUMENTS = ("email_studio", "web_builder", "craft_ads", "ads_autopilot", "mailer")


class DocumentNotUnderstoodError(Exception):
    """The text of a document no longer has the form that its reader knows."""


@dataclass(frozen=True, order=True)
class DocumentTable:
    """A table or an entity."""

    document: str
    table: str


@dataclass(frozen=True, order=True)
class DocumentColumn:
    """A column, with its type in the document's words."""

    document: str
    table: str
    column: str
    type_text: str


@dataclass(frozen=True, order=True)
class DocumentValue:
    """A value that a column may hold, from a CHECK, a description, a comment or a default."""

    document: str
    table: str
    column: str
    value: str


@dataclass(frozen=True, order=True)
class DocumentIndex:
    """An index; `method` is btree, gin or full text, and `columns` is empty where the document names none."""

    document: str
    table: str
    name: str
    columns: tuple[str, ...]
    method: str


@dataclass(frozen=True, order=True)
class DocumentUnique:
    """Columns that together occur once."""

    document: str
    table: str
    columns: tuple[str, ...]


@dataclass(frozen=True, order=True)
class DocumentRow:
    """A row that the document inserts by default."""

    document: str
    table: str
    key: str
    value: str
    description: str


@dataclass(frozen=True, order=True)
class DocumentField:
    """A field inside a JSON column, shown as an example."""

    document: str
    table: str
    column: str
    field: str


@dataclass(frozen=True, order=True)
class DocumentTrigger:
    """A trigger's function on a table."""

    document: str
    table: str
    function: str


Fact = (
    DocumentTable
    | DocumentColumn
    | DocumentValue
    | DocumentIndex
    | DocumentUnique
    | DocumentRow
    | DocumentField
    | DocumentTrigger
)


def text_of(document: str) -> str:
    """A document as it was handed over."""
    return (FOLDER / f"{document}.md").read_text(encoding="utf-8")


def demand(told: object, found: object, what: str) -> None:
    """Two independent readings of one document agree, or the reader is wrong."""
    if told != found:
        raise DocumentNotUnderstoodError(f"{what}: the document tells {told}, the reader found {found}.")
