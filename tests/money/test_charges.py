"""Costs of calls told apart by unit: what each was charged for, by the book as it was, and never a digit lost."""

from datetime import UTC, datetime
from decimal import Decimal
from uuid import UUID

from app.money.charges import Books, Charges, Costed, Held
from app.money.pricing import Call, Price
from app.money.units import Unit, Usage, counted

HOME = UUID(int=1)
BEGAN = datetime(2026, 3, 1, tzinfo=UTC)


def price(unit, dollars, version=1, superseded_by=None, **more):
    named = Unit(*unit.split("/")) if "/" in unit else Unit(unit)
    return Held(Price("openai", "m", named, Decimal(dollars), 1_000_000, BEGAN, version=version, **more), superseded_by)


def call(cost, version=1, tier="standard", **units):
    usage = Usage(counted(**units), tier)
    known = None if cost is None else Decimal(cost)
    return Costed(HOME, Call("openai", "m", BEGAN, usage), known, None if cost is None else version)


def charged(prices, *calls):
    charges = Charges(Books(prices))
    for one in calls:
        charges.add(one)
    return charges


def told(charges):
    return {
        (str(kind.unit) if kind.unit else None, kind.unit_price): (charge.quantity, charge.amount)
        for kind, charge in charges.by_kind.items()
    }


def test_a_cost_is_split_by_what_each_unit_costs():
    """1,000 tokens at 2 dollars a million and 500 at 8: 0.002 and 0.004."""
    found = charged([price("input", 2), price("output", 8)], call("0.006", input=1000, output=500))
    assert told(found) == {
        ("input", Decimal("0.000002")): (1000, Decimal("0.002")),
        ("output", Decimal("0.000008")): (500, Decimal("0.004")),
    }


def test_calls_of_one_price_are_added_up_and_those_of_two_stay_apart():
    prices = [price("input", 2), price("input", 4, context_from=2000)]
    found = charged(prices, call("0.002", input=1000), call("0.002", input=1000), call("0.008", input=2000))
    assert told(found) == {
        ("input", Decimal("0.000002")): (2000, Decimal("0.004")),
        ("input", Decimal("0.000004")): (2000, Decimal("0.008")),
    }


def test_a_call_is_split_by_the_book_that_priced_it():
    """The second version doubled the price; what was priced by the first keeps its parts."""
    prices = [price("input", 2, superseded_by=2), price("input", 4, version=2)]
    found = charged(prices, call("0.002", input=1000), call("0.004", version=2, input=1000))
    assert sorted(kind.unit_price for kind in found.by_kind) == [Decimal("0.000002"), Decimal("0.000004")]
    assert found.total == Decimal("0.006")


def test_a_cost_that_the_book_does_not_give_stays_whole():
    found = charged([price("input", 2)], call("0.005", input=1000))
    assert told(found) == {(None, Decimal(1)): (Decimal("0.005"), Decimal("0.005"))}


def test_parts_of_seconds_lose_nothing():
    """0.125 seconds at 0.000000000007 dollars are cut after twelve places: the parts still add up to the cost."""
    cheap = Held(Price("openai", "m", Unit("audio_second"), Decimal("0.000000000007"), 1, BEGAN))
    cut = call("0.002000000001", input=1000, audio_second=Decimal("0.125"))
    found = charged([price("input", 2), cheap], cut, cut)
    assert found.total == Decimal("0.004000000002")
    assert len(found.by_kind) == 2


def test_a_thousand_calls_add_up_to_the_last_digit():
    one = call("0.00002055", input=10, output=11)
    prices = [price("input", "0.955"), price("output", 1)]
    found = charged(prices, *[one] * 1000)
    assert found.total == Decimal("0.02055")


def test_unpriced_calls_are_counted_and_cost_nothing_that_anybody_knows():
    found = charged([], call(None, input=5), call(None, input=6))
    assert found.unpriced == {(HOME, "openai", "m"): 2}
    assert (found.by_kind, found.total) == ({}, 0)
