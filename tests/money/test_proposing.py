"""Prices by hand and from bills wait for approval like those of lists; what is misspelt or inexact is refused."""

from dataclasses import replace
from datetime import UTC, date, datetime, timedelta
from decimal import Decimal

import psycopg.errors
import pytest
from sqlalchemy.exc import OperationalError

from app.access import NotPermittedError, Role, Viewer
from app.commands import prices
from app.commands.team import add_member
from app.commands.together import one_after_the_other
from app.money.bills import ChargedPrice, Meter
from app.money.by_hand import Given, PriceError, checked
from app.money.units import Unit
from db.errors import SightlineError
from tests.money.test_approvals import BEGAN, asked, call, costs, finance, home, proposal  # noqa: F401 - fixtures

GIVEN = Given(
    provider="openai", model="gpt-4o", unit="input", price=Decimal("2.5"), per=1_000_000,
    reference="https://prices.example/openai", valid_from=BEGAN.date(),
)  # fmt: skip
IMAGE = replace(GIVEN, model="dall-e-3", unit="image", per=1, variant="1024x1024/hd")
MODELS, KINDS = {"gpt-4o", "dall-e-3"}, {"1024x1024/hd"}


def test_what_is_given_by_hand_is_a_proposal_of_its_own_source():
    one = checked(replace(GIVEN, valid_to=date(2027, 1, 1), service_tier="batch", context_from=200_001), MODELS, KINDS)
    assert (one.unit, one.price, one.per, one.service_tier, one.context_from) == (
        Unit("input"), Decimal("2.5"), 1_000_000, "batch", 200_001
    )  # fmt: skip
    assert (one.source, one.reference) == ("by hand", "https://prices.example/openai")
    assert (one.valid_from, one.valid_to) == (BEGAN, datetime(2027, 1, 1, tzinfo=UTC))
    assert checked(IMAGE, MODELS, KINDS).unit == Unit("image", "1024x1024/hd")


REFUSED = {
    "a provider that there is not": (replace(GIVEN, provider="openia"), "Is it 'openai'"),
    "a misspelt unit": (replace(GIVEN, unit="cached_inputs"), "Is it 'cached_input'"),
    "a unit that there is not": (replace(GIVEN, unit="zebra"), "Choose one of"),
    "a misspelt tier is not the standard one": (replace(GIVEN, service_tier="Batch"), "Is it 'batch'"),
    "a misspelt model": (replace(GIVEN, model="GPT-4o"), "Is it 'gpt-4o'"),
    "a model without a name": (replace(GIVEN, model=""), "no model"),
    "a model with a space": (replace(GIVEN, model="gpt 5"), "no model"),
    "tokens have no kinds": (replace(GIVEN, variant="hd"), "has no kinds"),
    "a misspelt kind": (replace(IMAGE, variant="1024X1024-HD"), "Is it '1024x1024/hd'"),
    "a kind in no form of kinds": (replace(IMAGE, variant="large//hd"), "1024x1024/hd"),
    "a price below zero": (replace(GIVEN, price=Decimal(-1)), "no price"),
    "no number": (replace(GIVEN, price=Decimal("NaN")), "no price"),
    "endless": (replace(GIVEN, price=Decimal("Infinity")), "no price"),
    "too many places": (replace(GIVEN, price=Decimal("0.1234567890123")), "decimal places"),
    "more than the book holds": (replace(GIVEN, price=Decimal(10**8)), "no price"),
    "a dollar an hour has no exact price of a second": (
        replace(IMAGE, unit="audio_second", variant="", price=Decimal(1), per=3600), "no exact price of one"),
    "for no units": (replace(GIVEN, per=0), "No price is for 0"),
    "a context below zero": (replace(GIVEN, context_from=-1), "context tier"),
    "an end before the start": (replace(GIVEN, valid_to=BEGAN.date()), "ends before it starts"),
    "nothing that says so": (replace(GIVEN, reference=""), "has a source"),
}  # fmt: skip


@pytest.mark.parametrize("name", REFUSED)
def test_a_slip_of_the_pen_is_refused_with_what_may_be_meant(name):
    given, said = REFUSED[name]
    with pytest.raises(PriceError) as refusal:
        checked(given, MODELS, KINDS)
    assert said in str(refusal.value)


def test_a_price_by_hand_waits_and_is_approved_like_any_other(database, finance, home):  # noqa: F811
    call(database, home)
    key = prices.propose_by_hand(database.rw, finance, GIVEN)
    assert costs(database) == [(None, None, None)]
    [waiting] = prices.proposals(database.rw, finance)
    assert (waiting.id, waiting.source, waiting.reference) == (key, "by hand", "https://prices.example/openai")
    with pytest.raises(PriceError, match="waits for approval already"):
        prices.propose_by_hand(database.rw, finance, replace(GIVEN, price=Decimal("0.0025"), per=1000))
    prices.approve(database.rw, finance, [key])
    assert costs(database) == [(Decimal("2.5"), 1, None)]
    with pytest.raises(PriceError, match="in the book"):
        prices.propose_by_hand(database.rw, finance, GIVEN)


def test_models_are_spelled_as_calls_spell_them(database, finance, home):  # noqa: F811
    call(database, home, model="claude-x", provider="anthropic")
    with pytest.raises(PriceError, match="Is it 'claude-x'"):
        prices.propose_by_hand(database.rw, finance, replace(GIVEN, provider="anthropic", model="Claude_X"))


def test_what_a_bill_shows_is_proposed_once_from_its_first_day(database, finance, home):  # noqa: F811
    day = BEGAN.date() + timedelta(days=9)
    shown = [
        ChargedPrice("gpt-4o", Meter("input"), Decimal("0.000002"), Decimal("0.0000025"), day),
        ChargedPrice("dall-e-3", Meter("image", "1024x1024/hd"), Decimal("0.07"), Decimal("0.08"), day),
        ChargedPrice("gpt-4o", Meter("tokens"), Decimal("0.000002"), None, day),
    ]
    found = prices.propose_charged(database.rw, finance, "openai", shown, reference="bill 7 of October")
    assert (found.count, found.left_out) == (
        2, ("openai/gpt-4o: what the bill charges for tokens standard is no price of the book.",)
    )  # fmt: skip
    again = prices.propose_charged(database.rw, finance, "openai", shown, reference="bill 7 of October")
    assert again.count == 0
    rows = prices.proposals(database.rw, finance)
    assert [(str(row.price.unit), row.price.price, row.price.per, row.source, row.reference) for row in rows] == [
        ("image 1024x1024/hd", Decimal("0.07"), 1, "bill of openai", "bill 7 of October"),
        ("input", Decimal(2), 1_000_000, "bill of openai", "bill 7 of October"),
    ]
    assert {row.price.valid_from.date() for row in rows} == {day}


def test_what_was_rejected_is_not_proposed_again_by_the_same_source(database, finance, home):  # noqa: F811
    shown = [ChargedPrice("gpt-4o", Meter("input"), Decimal("0.000002"), None, BEGAN.date())]
    prices.propose_charged(database.rw, finance, "openai", shown, reference="bill 7")
    prices.reject(
        database.rw, finance, [row.id for row in prices.proposals(database.rw, finance)], reason="A discount."
    )
    assert prices.propose_charged(database.rw, finance, "openai", shown, reference="bill 7").count == 0
    assert prices.propose_charged(database.rw, finance, "openai", shown, reference="bill 8").count == 1


def test_neither_a_viewer_nor_somebody_limited_proposes_a_price(database, finance, home):  # noqa: F811
    member = add_member(
        database.rw, finance, email="lim@team.example", password=None, roles=[Role.FINANCE], workspace_slugs=["acme"]
    )
    viewer = Viewer("Vic", frozenset({Role.VIEWER}), frozenset({home[0]}))
    limited = Viewer("Lim", frozenset({Role.FINANCE}), frozenset({home[0]}), member)
    key = proposal(database, 2)
    for by in (viewer, limited):
        for command in (
            lambda by=by: prices.propose(database.rw, by),
            lambda by=by: prices.propose_by_hand(database.rw, by, GIVEN),
            lambda by=by: prices.propose_charged(database.rw, by, "openai", [], reference=""),
            lambda by=by: prices.reject(database.rw, by, [key], reason="No."),
        ):
            with pytest.raises(NotPermittedError):
                command()
    assert asked(database, "SELECT count(*) FROM ai_prices") == [(1,)]


@pytest.mark.parametrize("reason", [psycopg.errors.DeadlockDetected, psycopg.errors.SerializationFailure])
def test_whoever_waited_for_another_is_told_to_try_again(reason):
    with pytest.raises(SightlineError) as refusal, one_after_the_other("prices"):
        raise OperationalError("", {}, reason())
    assert "somebody else changed prices at the same moment" in str(refusal.value)
    assert "Try again." in str(refusal.value)


def test_other_failures_stay_what_they_are():
    with pytest.raises(OperationalError), one_after_the_other("prices"):
        raise OperationalError("", {}, psycopg.errors.DiskFull())
