"""Texts held as entries of a dictionary are still texts: compared, ordered, put together, and any number of them."""

import duckdb
import pytest

from app.metrics.dictionaries import Dictionaries

ROWS = "SELECT * FROM (VALUES ('gpt', 3), ('Ärger', 4), (NULL, 5), ('gpt', 6), ('it''s', 7)) AS given(model, calls)"


@pytest.fixture
def duck():
    with duckdb.connect() as found:
        yield found


def kept(duck, dictionaries, name, query):
    duck.execute(f"CREATE TABLE {name} AS {dictionaries.told(duck.cursor(), query)}").fetchall()


def kinds(duck, name):
    return {column: str(kind) for column, kind, *_ in duck.execute(f"DESCRIBE {name}").fetchall()}


def test_entries_are_grouped_compared_and_ordered_as_the_texts_that_they_are(duck):
    kept(duck, Dictionaries(), "kept", ROWS)
    assert kinds(duck, "kept")["model"].startswith("ENUM")
    assert duck.execute("SELECT model, SUM(calls) FROM kept GROUP BY 1 ORDER BY 1 NULLS LAST").fetchall() == [
        ("gpt", 9), ("it's", 7), ("Ärger", 4), (None, 5),
    ]  # fmt: skip
    assert duck.execute("SELECT SUM(calls) FROM kept WHERE model IN ('it''s', 'unheard of')").fetchall() == [(7,)]
    asked = "SELECT SUM(calls) FROM kept WHERE model IN (SELECT UNNEST(CAST(? AS VARCHAR[])))"
    assert duck.execute(asked, [["gpt", "unheard of"]]).fetchall() == [(9,)]


def test_what_comes_later_with_known_texts_has_the_same_type_and_with_new_ones_is_right_all_the_same(duck):
    dictionaries = Dictionaries()
    kept(duck, dictionaries, "first", ROWS)
    kept(duck, dictionaries, "second", "SELECT 'gpt' AS model, 10 AS calls")
    assert kinds(duck, "second") == kinds(duck, "first")
    kept(duck, dictionaries, "third", "SELECT 'claude' AS model, 20 AS calls")
    everything = "SELECT * FROM first UNION ALL SELECT * FROM second UNION ALL SELECT * FROM third"
    assert duck.execute(f"SELECT model, SUM(calls) FROM ({everything}) GROUP BY 1 ORDER BY 1").fetchall() == [
        ("claude", 20), ("gpt", 19), ("it's", 7), ("Ärger", 4), (None, 5),
    ]  # fmt: skip
    # Put together, they are of one dictionary again.
    kept(duck, dictionaries, "joined", everything)
    assert kinds(duck, "joined")["model"] == kinds(duck, "third")["model"]


@pytest.mark.parametrize(("texts", "kind"), [(1000, "ENUM"), (1001, "VARCHAR")])
def test_many_texts_stay_as_they_are(duck, texts, kind):
    kept(duck, Dictionaries(), "kept", f"SELECT 'link ' || n AS link, n FROM range({texts}) AS numbers(n)")
    assert kinds(duck, "kept")["link"].startswith(kind)
    assert duck.execute("SELECT COUNT(DISTINCT link) FROM kept").fetchall() == [(texts,)]


@pytest.mark.parametrize("query", ["SELECT 1 AS n", "SELECT CAST(NULL AS VARCHAR) AS model", f"{ROWS} WHERE FALSE"])
def test_without_texts_nothing_is_told(duck, query):
    assert Dictionaries().told(duck.cursor(), query) == query
