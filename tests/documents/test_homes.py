"""Every table, column, value, unique key and search index of the five documents has a home in the one model."""

import pytest
from sqlalchemy import Boolean, Date, Float, MetaData, Numeric, Uuid, inspect
from sqlalchemy.dialects.postgresql import ARRAY, INET, JSONB, TSVECTOR

from db.spellings import SPELLINGS, canonical
from db.tables import Base
from tests.documents.facts import DocumentColumn, DocumentIndex, DocumentTable, DocumentUnique, DocumentValue
from tests.documents.homes import COLUMN_HOMES, OPEN_LISTS, OTHER_KINDS, TABLE_HOMES, UNIQUE_HOMES
from tests.documents.model import (
    allowed_values,
    columns_of,
    default_home,
    gin_columns,
    home_of,
    homeless,
    unique_keys,
)
from tests.documents.reader import of_kind
from tests.servers import TEMPLATE

TABLES = columns_of(Base.metadata)
# The documents' types that say what a value is; how long a text may be is no fact of ours.
KINDS = {
    "[]": ARRAY,
    "BOOLEAN": Boolean,
    "DATE": Date,
    "DECIMAL": Numeric,
    "INET": INET,
    "JSONB": JSONB,
    "TEXT[]": ARRAY,
    "TSVECTOR": TSVECTOR,
    "UUID": Uuid,
}
VALUE_LISTS = allowed_values(Base.metadata)


@pytest.fixture(scope="module")
def offered(server18):
    """The columns of every table, and of every view that a migrated database has."""
    engine = server18.engine(TEMPLATE)
    database = inspect(engine)
    views = {
        view: frozenset(column["name"] for column in database.get_columns(view)) for view in database.get_view_names()
    }
    engine.dispose()
    return {**TABLES, **views}


def value_home(fact, offered):
    """The column in which a documented value would be stored."""
    return home_of(fact.document, fact.table, fact.column, offered)


def unique_home(fact, offered):
    """Our table and the columns that a documented unique key has there."""
    homes = [home_of(fact.document, fact.table, column, offered) for column in fact.columns]
    return homes[0][0], frozenset(column for _, column in homes)


def has_unique_key(table, columns):
    """Whether these columns occur once, in the whole table or in each workspace."""
    keys = unique_keys(Base.metadata.tables[table])
    return columns in keys or columns | {"workspace_id"} in keys


def test_every_table_of_the_documents_has_a_home():
    told = {(fact.document, fact.table) for fact in of_kind(DocumentTable)}
    assert told == set(TABLE_HOMES)
    assert {home for homes in TABLE_HOMES.values() for home in homes} <= set(TABLES)


def test_every_column_of_the_documents_has_a_home(offered):
    assert homeless(of_kind(DocumentColumn), offered) == []


@pytest.mark.parametrize(
    ("table", "column", "left_homeless"),
    [
        ("campaign_components", "css_styles", "web_builder.campaign_components.css_styles"),
        ("email_events", "bounce_reason", "mailer.email_events.bounce_reason"),
        ("ad_campaigns", "purpose", "ads_autopilot.campaigns.purpose"),
        ("users", "last_login_at", "craft_ads.User.last_login"),
        ("ad_performance_rates", "roas", "ads_autopilot.performance_analytics.roas"),
    ],
)
def test_a_model_without_one_of_the_columns_is_found_out(table, column, left_homeless, offered):
    poorer = {**offered, table: offered[table] - {column}}
    assert left_homeless in homeless(of_kind(DocumentColumn), poorer)


def test_every_value_of_the_documents_is_allowed_where_it_lives(offered):
    refused = []
    for fact in of_kind(DocumentValue):
        home = value_home(fact, offered)
        allowed = VALUE_LISTS.get(home)
        stored = canonical(*home, fact.value)
        if allowed is not None and stored is not None and stored not in allowed:
            refused.append(f"{fact.document}.{fact.table}.{fact.column} = {fact.value}")
    assert refused == []


def test_every_value_list_is_closed_unless_its_document_leaves_it_open(offered):
    told = {value_home(fact, offered) for fact in of_kind(DocumentValue)}
    assert told - set(VALUE_LISTS) == OPEN_LISTS


def test_a_value_list_is_read_from_its_named_check():
    copy = MetaData()
    Base.metadata.tables["meta_accounts"].to_metadata(copy)
    assert allowed_values(copy)["meta_accounts", "connection_status"] == {"active", "expired", "revoked", "error"}


def test_every_column_holds_the_kind_of_value_that_its_document_says(offered):
    changed = set()
    for fact in of_kind(DocumentColumn):
        table, column = home_of(fact.document, fact.table, fact.column, offered)
        kind = KINDS.get(fact.type_text.partition("(")[0])
        if kind and table in TABLES and not isinstance(Base.metadata.tables[table].columns[column].type, kind):
            changed.add((fact.document, fact.table, fact.column))
    assert changed == OTHER_KINDS


def test_nothing_is_a_float():
    columns = [column for table in Base.metadata.tables.values() for column in table.columns]
    assert [str(column) for column in columns if isinstance(column.type, Float)] == []


def test_every_unique_key_of_the_documents_is_unique_here(offered):
    missing = []
    for fact in of_kind(DocumentUnique):
        table, columns = unique_home(fact, offered)
        wider = UNIQUE_HOMES.get((fact.document, fact.table, fact.columns))
        if not has_unique_key(table, frozenset(wider) if wider else columns):
            missing.append(f"{fact.document}.{fact.table}{fact.columns}")
    assert missing == []


def test_every_search_index_of_the_documents_is_here(offered):
    missing = []
    for fact in of_kind(DocumentIndex):
        if fact.method not in {"gin", "full text"}:
            continue
        table, column = home_of(fact.document, fact.table, fact.columns[0], offered)
        if column not in gin_columns(Base.metadata.tables[table]):
            missing.append(f"{fact.document}: {fact.name}")
    assert missing == []


def test_no_table_has_a_second_home_that_none_of_its_columns_needs(offered):
    used = {
        (fact.document, fact.table, home_of(fact.document, fact.table, fact.column, offered)[0])
        for fact in of_kind(DocumentColumn)
    }
    second = {(*table, home) for table, homes in TABLE_HOMES.items() if len(homes) > 1 for home in homes}
    assert second - used == set()


def test_no_column_has_a_named_home_without_need():
    told = {(fact.document, fact.table, fact.column) for fact in of_kind(DocumentColumn)}
    assert set(COLUMN_HOMES) - told == set()
    assert [fact for fact in COLUMN_HOMES if default_home(*fact, TABLES)] == []


def test_no_unique_key_is_wider_without_need(offered):
    told = {(fact.document, fact.table, fact.columns): fact for fact in of_kind(DocumentUnique)}
    assert set(UNIQUE_HOMES) - set(told) == set()
    assert [key for key in UNIQUE_HOMES if has_unique_key(*unique_home(told[key], offered))] == []


def test_no_spelling_is_mapped_without_need(offered):
    told = {(*value_home(fact, offered), fact.value) for fact in of_kind(DocumentValue)}
    for spelling in SPELLINGS:
        assert (spelling.table, spelling.column, spelling.written) in told
        assert spelling.written not in VALUE_LISTS[spelling.table, spelling.column]
