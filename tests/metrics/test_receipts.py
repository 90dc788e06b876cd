"""A receipt says enough to judge a figure and to make it again."""

import json
from datetime import UTC, date, datetime

import duckdb

from app.cli.answers import json_text, receipt_text
from app.metrics.question import question
from tests.metrics.small_lake import LATER, sent, viewer

DAY = date(2026, 1, 10)


def test_a_receipt_names_definition_rollup_versions_and_rows_read(lake, asking):
    lake.add("email_days", sent(DAY, delivered=4, opened=1), sent(date(2025, 1, 1), delivered=9))
    receipt = asking().answer("open_rate").receipt
    (defined,) = receipt.definitions
    assert (defined.name, defined.unit, defined.good) == ("open_rate", "percent", "up")
    assert defined.formula.startswith("emails_opened / emails_delivered")
    assert [(one.name, one.version) for one in receipt.rollups] == [("email_days", 1)]
    assert (receipt.lake_version, receipt.data_through, receipt.loaded_at) == (1, LATER, LATER)
    assert (receipt.zone, receipt.rows_read, receipt.currency) == ("UTC", 1, None)
    scope = {"workspace_from": 1, "workspace_to": 2}
    assert receipt.parameters == {"since": date(2026, 1, 1), "until": date(2026, 2, 1), **scope}


def test_the_sql_of_a_receipt_gives_the_figure_again(lake, asking):
    """Anyone may run it over the rollup's file."""
    lake.add("email_days", sent(DAY, delivered=4, opened=1))
    receipt = asking().answer(["open_rate", "sent"], by="day").receipt
    with duckdb.connect() as duck:
        duck.execute(f"CREATE VIEW email_days AS SELECT * FROM read_parquet('{lake.tables['email_days'][0].path}')")
        assert duck.execute(receipt.sql, receipt.parameters).fetchall()[0][:3] == (DAY, 0.25, 4)


def test_the_id_is_that_of_question_scope_and_version(lake, asking):
    lake.add("email_days", sent(DAY, delivered=4))
    ask = asking()
    first = ask.answer("sent").receipt.id
    assert ask.answer("sent", by="day").receipt.id != first
    assert ask.answer("sent", until=date(2026, 1, 31)).receipt.id != first
    lake.publish()
    assert ask.answer("sent", as_of=2).receipt.id != first
    assert ask.answer("sent", as_of=1).receipt.id == first


def test_a_running_day_and_a_period_beyond_the_data_are_told(lake, asking):
    lake.add("email_days", sent(DAY, delivered=4))
    ask = asking(data_through=datetime(2026, 1, 10, 6, tzinfo=UTC))
    assert "2026-01-10 is still running" in ask.answer("sent").receipt.caveats[0]
    assert "begins after the data's end" in ask.answer("sent", date(2026, 3, 1), date(2026, 4, 1)).receipt.caveats[0]


def test_a_receipt_names_the_rules_for_opens_of_machines_where_there_are_opens(lake, asking):
    lake.add("email_days", sent(DAY, delivered=4))
    lake.add("ad_days", {"workspace_code": 1, "campaign_code": 1, "day": DAY, "breakdown": "none", "impressions": 1})
    ask = asking()
    receipt = ask.answer("open_rate").receipt
    assert receipt.machine_rules_version == 7
    assert "Rules for machines' opens: version 7" in " ".join(receipt_text(receipt).split())
    assert ask.answer("impressions").receipt.machine_rules_version is None


def test_notes_of_metrics_are_among_the_caveats(lake, asking):
    lake.add("ad_days", {"workspace_code": 1, "campaign_code": 1, "day": DAY, "breakdown": "none", "impressions": 1})
    assert "The day is the ad account's own day." in asking().answer("impressions").receipt.caveats


def test_a_receipt_can_be_read_by_people_and_by_programs(lake, asking):
    lake.add("email_days", sent(DAY, delivered=4))
    receipt = asking().answer("sent", compare="previous").receipt
    text = receipt_text(receipt)
    assert f"Receipt {receipt.id}" in text
    assert "email_days at version 1" in text
    assert "FROM email_days AS r" in text
    assert "$workspace_from = 1" in text
    told = json.loads(json_text(receipt.as_dict()))
    assert told["id"] == receipt.id
    assert told["before"] == ["2025-12-01", "2026-01-01"]
    assert told["rollups"] == [{"name": "email_days", "version": 1}]


def test_a_receipt_says_nothing_of_how_much_other_workspaces_have(lake, asking):
    """Two rows are the other one's: neither their number nor that of all three stands in what one may see."""
    lake.add(
        "email_days", sent(DAY, 1, delivered=4), sent(DAY, 3, delivered=5), sent(date(2026, 1, 11), 3, delivered=6)
    )
    ask = asking()
    mine = ask.desk.ask(question("emails_delivered", DAY, LATER.date()), viewer(1)).receipt
    assert mine.rows_read == 1
    assert all(one.keys() == {"name", "version"} for one in mine.as_dict()["rollups"])
    assert "rows)" not in receipt_text(mine)


def test_the_same_question_can_be_put_to_postgres(lake, asking):
    """Parameters are named as psycopg names them."""
    lake.add("email_days", sent(DAY, delivered=4))
    text = asking().answer("open_rate", by="campaign", limit=3).receipt.compiled.postgres
    assert "%(workspace_from)s" in text
    assert "$" not in text
    assert "NULLS LAST" in text
