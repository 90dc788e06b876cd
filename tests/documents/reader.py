"""Reads the five schema documents and gives every fact that they state, once."""

from collections import defaultdict
from functools import cache
from itertools import chain
from typing import TypeVar

from tests.documents.box_form import box_facts
from tests.documents.entity_form import entity_facts
from tests.documents.facts import DOCUMENTS, DocumentColumn, DocumentTable, Fact, demand, text_of
from tests.documents.markdown_form import markdown_facts
from tests.documents.mermaid_form import mermaid_facts
from tests.documents.sql_form import sql_facts
from tests.documents.story_form import story_facts

Kind = TypeVar("Kind", bound=Fact)


def _diagram_agreeing_with_tables(document: str, text: str) -> list[Fact]:
    """A document that is drawn and written must tell the same twice; its diagram then adds nothing."""
    drawn, written = list(mermaid_facts(document, text)), list(markdown_facts(document, text))
    demand(columns_by_table(written), columns_by_table(drawn), f"{document}, tables and diagram")
    return [fact for fact in drawn if isinstance(fact, DocumentTable)]


# Each document mixes forms of its own.
FORMS = {
    "email_studio": (entity_facts,),
    "web_builder": (markdown_facts,),
    "craft_ads": (markdown_facts, _diagram_agreeing_with_tables),
    "ads_autopilot": (sql_facts,),
    "mailer": (box_facts, story_facts),
}
# Counted by eye, once, in the documents themselves.
TABLES = {"email_studio": 23, "web_builder": 13, "craft_ads": 13, "ads_autopilot": 13, "mailer": 8}


def facts_of(document: str, text: str) -> list[Fact]:
    """Every fact of one document, in its order."""
    facts = list(dict.fromkeys(chain.from_iterable(read(document, text) for read in FORMS[document])))
    tables = sum(isinstance(fact, DocumentTable) for fact in facts)
    demand(TABLES[document], tables, f"{document}, tables")
    return facts


@cache
def all_facts() -> tuple[Fact, ...]:
    """Every fact of every document."""
    return tuple(chain.from_iterable(facts_of(document, text_of(document)) for document in DOCUMENTS))


def of_kind(kind: type[Kind]) -> list[Kind]:
    """All facts of one kind."""
    return [fact for fact in all_facts() if isinstance(fact, kind)]


def columns_by_table(facts: list[Fact]) -> dict[str, set[str]]:
    """Which columns each table has."""
    columns: dict[str, set[str]] = defaultdict(set)
    for fact in facts:
        if isinstance(fact, DocumentColumn):
            columns[fact.table].add(fact.column)
    return dict(columns)
