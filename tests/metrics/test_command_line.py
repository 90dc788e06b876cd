"""`query`, `explain` and `metrics`: what they write, and how they end."""

import csv
import io
import json
from datetime import date

import pytest
import typer
from typer.testing import CliRunner

from app.cli import questions
from app.cli.questions import Format, asked_for, write
from app.metrics.errors import MalformedQuestionError, UnknownMetricError
from app.metrics.question import Filter
from tests.metrics.small_lake import JANUARY, money, sent

DAY = date(2026, 1, 10)
commands = typer.Typer()
for command in (questions.query, questions.explain, questions.metrics):
    commands.command()(command)


def run(*arguments):
    return CliRunner().invoke(commands, arguments)


@pytest.fixture
def answer(lake, asking):
    lake.add("email_days", sent(DAY, delivered=1600, opened=400))
    lake.add(
        "ad_days",
        {
            "workspace_code": 1,
            "campaign_code": 1,
            "day": DAY,
            "breakdown": "none",
            "currency": "USD",
            "spend": money("1234.5"),
        },
    )
    return asking().answer(["open_rate", "delivered", "spend", "cpc"], by="day")


def test_a_table_is_for_people(answer, capsys):
    write(answer, Format.TABLE)
    printed = capsys.readouterr()
    assert "25.00 %" in printed.out
    assert "1,600" in printed.out
    assert "1,234.50 USD" in printed.out
    assert f"Receipt {answer.receipt.id}: lake version 1" in printed.err


def test_csv_is_for_spreadsheets_with_figures_as_they_are(answer, capsys):
    write(answer, Format.CSV)
    printed = capsys.readouterr()
    assert list(csv.DictReader(io.StringIO(printed.out))) == [
        {"day": "2026-01-10", "open_rate": "0.25", "emails_delivered": "1600", "spend": "1234.5", "cpc": ""}
    ]
    assert answer.receipt.id in printed.err


def test_json_is_for_programs_with_the_receipt(answer, capsys):
    write(answer, Format.JSON)
    told = json.loads(capsys.readouterr().out)
    assert told["rows"] == [
        {"day": "2026-01-10", "open_rate": 0.25, "emails_delivered": 1600, "spend": "1234.5", "cpc": None}
    ]
    assert told["receipt"]["id"] == answer.receipt.id
    assert told["receipt"]["rollups"][0]["name"]


def test_options_make_the_question():
    asked = asked_for(
        metrics=["open_rate,delivered"],
        by=["campaign, country"],
        where=["product=mailer", "product=web_builder", "source="],
        exclude=["country=DE"],
        period=JANUARY,
        grain="week",
        compare=None,
        order="-open_rate",
        limit=5,
        as_of=3,
    )
    assert asked.metrics == ("open_rate", "delivered")
    assert asked.by == ("campaign", "country")
    assert asked.where == (
        Filter("product", ("mailer", "web_builder")),
        Filter("source", (None,)),
        Filter("country", ("DE",), is_excluded=True),
    )
    assert (asked.since, asked.until, asked.grain, asked.order, asked.limit, asked.as_of) == (
        *JANUARY,
        "week",
        "-open_rate",
        5,
        3,
    )


def test_a_wrong_question_ends_with_what_was_meant_before_anything_is_started():
    result = run("query", "--metrics", "opnes")
    assert isinstance(result.exception, UnknownMetricError)
    assert "Did you mean 'opens'" in str(result.exception)
    assert isinstance(run("explain", "--metrics", "sent", "--where", "mailer").exception, MalformedQuestionError)


@pytest.mark.parametrize(
    "arguments",
    [
        ("query", "--metrics", "sent", "--format", "xml"),
        ("query",),
        ("query", "--metrics", "sent", "--since", "soon"),
        ("query", "--metrics", "sent", "--compare", "tomorrow"),
    ],
)
def test_options_that_do_not_exist_end_with_two(arguments):
    assert run(*arguments).exit_code == 2


def test_the_glossary_can_be_read_looked_up_and_taken_along():
    everything = run("metrics")
    assert everything.exit_code == 0
    assert "margin_rate" in everything.stdout
    one = run("metrics", "delivered").stdout
    assert one.startswith("emails_delivered\n")
    assert "good: up" in one
    assert isinstance(run("metrics", "opnes").exception, UnknownMetricError)
    told = json.loads(run("metrics", "open_rate", "--format", "json").stdout)
    assert told[0]["formula"] == "emails_opened / emails_delivered; empty where emails_delivered is 0"
    assert "workspace_country" in run("metrics", "--dimensions").stdout
    assert len(list(csv.DictReader(io.StringIO(run("metrics", "--format", "csv").stdout)))) > 100
