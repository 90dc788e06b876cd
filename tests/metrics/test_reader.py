"""A text that comes again is not planned again, and means the same."""

from datetime import date

import duckdb
import pytest

from app.metrics.reader import Reader

BETWEEN = """
SELECT SUM(n) FROM days
WHERE day >= CAST($since AS DATE) AND code BETWEEN CAST($a AS BIGINT) AND CAST($b AS BIGINT)
"""
LISTED = "SELECT COUNT(*) FROM days WHERE code IN (SELECT UNNEST(CAST($codes AS BIGINT[])))"
NAMED = "SELECT COUNT(*) FROM days WHERE name IN (SELECT UNNEST(CAST($names AS VARCHAR[])))"


@pytest.fixture
def duck():
    """Two versions: in the second, every number is ten times as large."""
    with duckdb.connect() as connection:
        for schema, factor in (("v1", 1), ("v2", 10)):
            connection.execute(f"CREATE SCHEMA {schema}")
            connection.execute(
                f"CREATE TABLE {schema}.days AS SELECT * FROM (VALUES (DATE '2026-01-01', 1, {factor}, 'a'),"
                f" (DATE '2026-01-02', 2, {2 * factor}, 'it''s'), (DATE '2026-01-03', 3, {4 * factor}, 'c'))"
                " AS t(day, code, n, name)"
            )
        yield connection


@pytest.fixture
def reader(duck):
    made = Reader(duck.cursor())
    made.turn_to("v1")
    return made


def one(reader, text, **parameters):
    return reader.execute(text, parameters).fetchone()[0]


def prepared(reader) -> int:
    return reader._cursor.execute("SELECT COUNT(*) FROM duckdb_prepared_statements()").fetchone()[0]


def test_a_text_that_comes_again_answers_for_its_own_days_and_codes(reader):
    asked = [(1, 1, 3), (2, 1, 3), (3, 1, 3), (1, 2, 2), (1, 3, 9)]
    found = [one(reader, BETWEEN, since=date(2026, 1, day), a=a, b=b) for day, a, b in asked]
    assert found == [7, 6, 4, 2, 4]
    assert prepared(reader) == 1


def test_what_is_asked_once_is_not_prepared(reader):
    one(reader, LISTED, codes=[1, 3])
    assert prepared(reader) == 0
    assert [one(reader, LISTED, codes=codes) for codes in ([1, 3], [2], [1, 2, 3])] == [2, 1, 3]
    assert prepared(reader) == 1


def test_another_version_is_read_with_the_same_text(reader):
    days = {"since": date(2026, 1, 1), "a": 1, "b": 3}
    assert [one(reader, BETWEEN, **days) for _ in range(3)] == [7, 7, 7]
    reader.turn_to("v2")
    assert prepared(reader) == 0
    assert [one(reader, BETWEEN, **days) for _ in range(3)] == [70, 70, 70]


def test_text_is_given_as_a_value_and_never_becomes_part_of_a_statement(reader):
    hostile = "x']); DROP TABLE days; --"
    assert [one(reader, NAMED, names=["it's", hostile]) for _ in range(3)] == [1, 1, 1]
    assert one(reader, "SELECT COUNT(*) FROM days") == 3


def test_a_limit_may_be_named_as_it_is(reader):
    text = "SELECT code FROM days ORDER BY code LIMIT CAST($limit AS BIGINT)"
    assert [len(reader.execute(text, {"limit": most}).fetchall()) for most in (1, 2, 3)] == [1, 2, 3]


def test_plans_that_were_not_asked_for_long_are_forgotten(reader, monkeypatch):
    monkeypatch.setattr("app.metrics.reader._REMEMBERED", 2)
    texts = [f"SELECT SUM(n) + {number} FROM days" for number in range(5)]
    for text in texts:
        assert one(reader, text) == one(reader, text)
    assert prepared(reader) <= 2
