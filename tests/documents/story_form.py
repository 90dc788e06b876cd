"""Reads what the e-mail sender's document tells outside its boxes: relations, flows, indexes, triggers, JSON fields."""

import json
import re
from collections.abc import Iterator

from tests.documents.facts import (
    DocumentColumn,
    DocumentField,
    DocumentIndex,
    DocumentTrigger,
    DocumentValue,
    Fact,
    demand,
)

RELATION = re.compile(r"^\| (?P<parent>\w+) \| 1:N \| (?P<child>\w+) \|", re.MULTILINE)
INDEXED_TABLE = re.compile(r"^\*\*(?P<table>\w+)\*\* - .*\n(?P<bullets>(?:- .*\n)+)", re.MULTILINE)
INDEX = re.compile(r"^- `(?P<name>idx_\w+)` - (?P<purpose>.+)$", re.MULTILINE)
# An index on several columns has a name of its own; its columns are those that the name abbreviates.
COMPOSITE = {"campaign_contact": ("campaign_id", "contact_id")}
FIELDS = re.compile(r"^### (?P<table>\w+)\.(?P<column>\w+)\n```json\n(?P<example>.*?)```", re.DOTALL | re.MULTILINE)
TRIGGER = re.compile(r"^(?:BEFORE|AFTER) [A-Z/]+(?: on (?P<table>\w+))? → (?P<function>\w+)\(\)$", re.MULTILINE)
APPLIED_TO = re.compile(r"^Applied to: (?P<tables>[\w, ]+)$", re.MULTILINE)
# A counter goes up when an event of its kind arrives: `delivered → emails_delivered++`.
COUNTED = re.compile(r"^   - (?P<event>\w+) → (?P<counter>\w+)\+\+", re.MULTILINE)
RATE = re.compile(r"^   - (?P<rate>\w+_rate) = ", re.MULTILINE)
TOLD_COLUMN = re.compile(r"\b(?P<entity>Contact|List|campaign)\.(?P<column>\w+)")
STATUS = re.compile(r"\(status = '(?P<status>\w+)'\)")
CONTACT_STATUS = re.compile(r"Contact\.status = '(?P<status>\w+)'")
EVENT = re.compile(r"email_event \(type = '(?P<event>\w+)'\)")


def story_facts(document: str, text: str) -> Iterator[Fact]:
    """Every fact told in prose, flows and lists."""
    for relation in RELATION.finditer(text):
        yield DocumentColumn(document, relation["child"], f"{relation['parent'].removesuffix('s')}_id", "reference")
    yield from _flow_facts(document, text)
    yield from _index_facts(document, text)
    yield from _trigger_facts(document, text)
    yield from _field_facts(document, text)


def _flow_facts(document: str, text: str) -> Iterator[Fact]:
    for counted in COUNTED.finditer(text):
        yield DocumentValue(document, "email_events", "event_type", counted["event"])
        yield DocumentColumn(document, "campaigns", counted["counter"], "counter")
    for rate in RATE.finditer(text):
        yield DocumentColumn(document, "campaigns", rate["rate"], "per cent")
    for told in TOLD_COLUMN.finditer(text):
        yield DocumentColumn(document, f"{told['entity'].lower()}s", told["column"], "told by a flow")
    for status in STATUS.finditer(text):
        yield DocumentValue(document, "campaigns", "status", status["status"])
    for status in CONTACT_STATUS.finditer(text):
        yield DocumentValue(document, "contacts", "status", status["status"])
    for event in EVENT.finditer(text):
        yield DocumentValue(document, "email_events", "event_type", event["event"])


def _index_facts(document: str, text: str) -> Iterator[Fact]:
    told = 0
    for group in INDEXED_TABLE.finditer(text):
        for index in INDEX.finditer(group["bullets"]):
            told += 1
            named = index["name"].removeprefix(f"idx_{group['table']}_")
            columns = COMPOSITE.get(named, (named,))
            method = "gin" if index["purpose"].startswith("GIN") else "btree"
            yield DocumentIndex(document, group["table"], index["name"], columns, method)
            for column in columns:
                yield DocumentColumn(document, group["table"], column, "told by an index")
    demand(text.count("- `idx_"), told, f"{document}, indexes")


def _trigger_facts(document: str, text: str) -> Iterator[Fact]:
    triggers, applied = list(TRIGGER.finditer(text)), APPLIED_TO.search(text)
    section = text.partition("## Trigger Automation")[2].partition("\n## ")[0]
    demand(section.count("\n### "), len(triggers), f"{document}, triggers")
    for trigger in triggers:
        named = trigger["table"] or (applied["tables"] if applied else "")
        for table in named.split(", "):
            yield DocumentTrigger(document, table, trigger["function"])
            if trigger["function"] == "update_updated_at_column":
                yield DocumentColumn(document, table, "updated_at", "told by a trigger")


def _field_facts(document: str, text: str) -> Iterator[Fact]:
    fields = list(FIELDS.finditer(text))
    demand(text.count("```json"), len(fields), f"{document}, JSON examples")
    for example in fields:
        yield DocumentColumn(document, example["table"], example["column"], "JSONB")
        for field in json.loads(example["example"]):
            yield DocumentField(document, example["table"], example["column"], field)
