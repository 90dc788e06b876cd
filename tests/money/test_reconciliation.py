"""Differences planted between a ledger and a bill are found under their names, with their amounts, and no others."""

from collections import defaultdict
from dataclasses import dataclass, field, replace
from datetime import date, timedelta
from decimal import ROUND_HALF_EVEN, Decimal
from fractions import Fraction

from hypothesis import given, settings
from hypothesis import strategies as st

from app.money.bills import Bill, Billed, Counted, Kind, Meter, Used
from app.money.charged import simplest
from app.money.known_models import known_as
from app.money.reconciliation import reconcile

MONTH = date(2026, 9, 1)
AFTER = date(2026, 10, 1)
DAYS = [MONTH + timedelta(days=number) for number in range(30)]
IN, CACHED, OUT = Meter("input"), Meter("cached_input"), Meter("output")
BATCH_IN, BATCH_OUT = Meter("input", tier="batch"), Meter("output", tier="batch")
PICTURE = Meter("image", "1024x1024/hd")
# Dollars for a million; of a picture for one.
BOOK = {
    IN: Decimal("2.5") / 10**6,
    CACHED: Decimal("1.25") / 10**6,
    OUT: Decimal(10) / 10**6,
    BATCH_IN: Decimal("1.25") / 10**6,
    BATCH_OUT: Decimal(5) / 10**6,
    PICTURE: Decimal("0.08"),
}
NONE = Decimal(0)


def price_of(model, meter, day):
    return None if model.startswith("unpriced") else BOOK.get(meter)


def used(day, model="gpt", *, began=None, ended=None, calls=1, priced=True, **quantities):
    meters = {
        {"input": IN, "cached": CACHED, "output": OUT, "batch_input": BATCH_IN, "batch_output": BATCH_OUT}[
            name
        ]: Counted(Decimal(quantity), price_of(model, METERS[name], day))
        for name, quantity in quantities.items()
    }
    cost = sum((one.quantity * (one.price or 0) for one in meters.values()), NONE) if priced else None
    return Used(model, day, began or day, ended or began or day, calls, cost, meters)


METERS = {"input": IN, "cached": CACHED, "output": OUT, "batch_input": BATCH_IN, "batch_output": BATCH_OUT}


@dataclass
class Sender:
    """A provider: what it counted, at which prices, told in which places."""

    quantities: dict = field(default_factory=lambda: defaultdict(Decimal))
    prices: dict = field(default_factory=dict)
    step: Decimal = Decimal("0.000000000001")
    extra: list = field(default_factory=list)
    tells_usage_apart: bool = False

    def count(self, day, model, meter, quantity):
        self.quantities[day, model, meter] += Decimal(quantity)

    def count_all(self, calls, day_of=lambda one: one.began_on):
        for one in calls:
            for meter, counted in one.meters.items():
                self.count(day_of(one), one.model, meter, counted.quantity)

    def price(self, day, model, meter):
        since, price = self.prices.get((model, meter), (date.max, NONE))
        return price if day >= since else BOOK[meter]

    def bill(self, zone="UTC", invoiced=None):
        return Bill(
            "openai", MONTH, zone, (*(self.coarse() if self.tells_usage_apart else self.fine()), *self.extra), invoiced
        )

    @property
    def told(self):
        """Quantities within the month."""
        return {key: quantity for key, quantity in self.quantities.items() if quantity and MONTH <= key[0] < AFTER}

    def amount(self, day, model, meter):
        return self.told[day, model, meter] * self.price(day, model, meter)

    def coarse(self):
        """As OpenAI tells: amounts without a tier or a quantity, and both in a report of usage."""
        amounts = defaultdict(Decimal)
        for day, model, meter in self.told:
            amounts[day, model, meter.unit, meter.variant] += self.amount(day, model, meter)
        for (day, model, unit, variant), amount in amounts.items():
            yield Billed(day, self.rounded(amount), None, model, unit, variant, step=self.step)
        for (day, model, meter), quantity in self.told.items():
            yield Billed(day, None, quantity, model, *meter, step=self.step)

    def rounded(self, amount):
        return amount.quantize(self.step, ROUND_HALF_EVEN)

    def rounding(self):
        """What each line with an amount lost or won when it was rounded, by day and model."""
        exact, lost = defaultdict(Decimal), defaultdict(Decimal)
        for day, model, meter in self.told:
            line = (day, model, meter.unit, meter.variant) if self.tells_usage_apart else (day, model, meter)
            exact[line] += self.amount(day, model, meter)
        for (day, model, *_), amount in exact.items():
            lost[day, model] += self.rounded(amount) - amount
        return lost

    def fine(self):
        return [
            Billed(
                day=day,
                amount=self.rounded(self.amount(day, model, meter)),
                quantity=quantity,
                model=model,
                unit=meter.unit,
                variant=meter.variant,
                tier=meter.tier,
                context_from=meter.context_from,
                step=self.step,
            )
            for (day, model, meter), quantity in self.told.items()
        ]


def told(found):
    return {kind: amount for kind, amount in found.by_kind.items() if amount}


def compare(calls, sender, **more):
    found = reconcile(sender.bill(**more), calls, price_of)
    for day in found.days:
        assert sum((part.amount for part in day.parts), NONE) == day.difference
    return found


def test_nothing_is_explained_where_nothing_differs():
    calls = [used(day, input=1000, cached=500, output=200) for day in DAYS]
    sender = Sender()
    sender.count_all(calls)
    found = compare(calls, sender)
    assert (found.ledger, found.charged, found.parts) == (found.ledger, found.ledger, ())


def test_a_call_without_a_price_is_worth_what_the_provider_charged():
    """A million tokens at 2.50, of a call that the ledger could not price."""
    calls = [used(DAYS[3], input=1_000_000), used(DAYS[3], priced=False, input=1_000_000)]
    sender = Sender()
    sender.count_all(calls)
    assert told(compare(calls, sender)) == {Kind.UNPRICED: Decimal("2.5")}


def test_a_model_without_any_price_is_unpriced_at_the_providers_price():
    calls = [used(DAYS[3], "unpriced-1", priced=False, input=1_000_000)]
    sender = Sender(prices={("unpriced-1", IN): (MONTH, Decimal("0.0000007"))})
    sender.count_all(calls)
    assert told(compare(calls, sender)) == {Kind.UNPRICED: Decimal("0.7")}


def test_calls_that_one_side_lacks_are_missing_with_their_sign():
    """The provider has 100,000 tokens of output more (1.00), and lacks a day's 1,000,000 of input (2.50)."""
    calls = [used(DAYS[1], output=100_000), used(DAYS[2], input=1_000_000)]
    sender = Sender()
    sender.count(DAYS[1], "gpt", OUT, 200_000)
    found = compare(calls, sender)
    assert {part.day: part.amount for part in found.parts} == {DAYS[1]: 1, DAYS[2]: Decimal("-2.5")}
    assert told(found) == {Kind.MISSING: Decimal("-1.5")}


def test_a_price_that_changed_in_the_month_is_found_to_the_day_and_proposed():
    """Output at 12 instead of 10 from the 11th on: twenty days of 100,000 tokens, 0.20 more each."""
    calls = [used(day, input=7_000, output=100_000) for day in DAYS]
    sender = Sender(prices={("gpt", OUT): (DAYS[10], Decimal(12) / 10**6)}, step=Decimal("0.0001"))
    sender.count_all(calls)
    found = compare(calls, sender)
    assert found.by_kind[Kind.PRICE] == 4
    assert {part.day for part in found.parts if part.kind is Kind.PRICE} == set(DAYS[10:])
    [price] = found.prices
    assert (price.meter, price.price * 10**6, price.known * 10**6, price.since) == (OUT, 12, 10, DAYS[10])


def test_a_price_is_found_though_the_amounts_tell_no_tier():
    """Batch and standard share a line; the standard price is 3 instead of 2.50: half a dollar for a million."""
    calls = [used(day, input=1_000_000, batch_input=400_000 + 1000 * day.day) for day in DAYS]
    lines = []
    for day in DAYS:
        batch = 400_000 + 1000 * day.day
        amount = Decimal(3) + batch * BOOK[BATCH_IN]
        lines += [
            Billed(day, amount, None, "gpt", "input", "", None, None),
            Billed(day, None, Decimal(1_000_000), "gpt", "input", "", "standard", None),
            Billed(day, None, Decimal(batch), "gpt", "input", "", "batch", None),
        ]
    found = reconcile(Bill("openai", MONTH, "UTC", tuple(lines)), calls, price_of)
    assert told(found) == {Kind.PRICE: 15}
    assert {(one.meter.tier, one.price * 10**6) for one in found.prices} == {("standard", 3)}


def test_tokens_that_were_not_found_in_the_cache_are_a_mix_and_not_missing():
    """100,000 tokens counted as input (2.50) and not as cached (1.25): 0.125 more."""
    calls = [used(DAYS[5], input=500_000, cached=400_000, output=10_000)]
    sender = Sender()
    sender.count_all(calls)
    sender.count(DAYS[5], "gpt", IN, 100_000)
    sender.count(DAYS[5], "gpt", CACHED, -100_000)
    assert told(compare(calls, sender)) == {Kind.CACHE: Decimal("0.125")}


def test_a_batch_that_was_charged_as_standard_is_a_difference_of_tier():
    calls = [used(DAYS[5], batch_input=1_000_000, batch_output=100_000, input=50_000)]
    sender = Sender()
    sender.count(DAYS[5], "gpt", IN, 1_050_000)
    sender.count(DAYS[5], "gpt", OUT, 100_000)
    assert told(compare(calls, sender)) == {Kind.TIER: Decimal("1.25") + Decimal("0.5")}


def test_calls_on_another_day_by_the_clock_of_the_bill_are_told_with_both_days():
    """Early in September here is still August in California; early in October it is still September."""
    calls = [
        used(DAYS[0], began=date(2026, 8, 31), input=1_000_000),
        used(DAYS[9], began=DAYS[8], input=400_000),
        used(date(2026, 10, 1), began=DAYS[29], input=2_000_000),
    ]
    sender = Sender()
    sender.count_all(calls)
    found = compare(calls, sender, zone="America/Los_Angeles")
    assert {part.day: part.amount for part in found.parts} == {
        DAYS[0]: Decimal("-2.5"), DAYS[8]: 1, DAYS[9]: -1, DAYS[29]: 5,
    }  # fmt: skip
    assert {part.kind for part in found.parts} == {Kind.ZONE}


def test_calls_that_the_provider_counts_when_they_ended_are_late():
    calls = [used(DAYS[4], ended=DAYS[5], input=800_000), used(DAYS[4], input=10_000)]
    sender = Sender()
    sender.count_all(calls, day_of=lambda one: one.ended_on)
    found = compare(calls, sender)
    assert {(part.day, part.kind): part.amount for part in found.parts} == {
        (DAYS[4], Kind.LATE): -2,
        (DAYS[5], Kind.LATE): 2,
    }


def test_calls_that_ended_the_day_after_are_not_late_where_the_provider_counts_as_we_do():
    calls = [used(DAYS[4], ended=DAYS[5], input=800_000)]
    sender = Sender()
    sender.count_all(calls)
    assert compare(calls, sender).parts == ()


def test_missing_calls_are_late_as_far_as_corrections_after_the_close_reach():
    """2.50 are missing on a day and 1.00 on another; corrections of 3.00 came after the close."""
    sender = Sender()
    sender.count(DAYS[1], "gpt", IN, 1_000_000)
    sender.count(DAYS[2], "gpt", IN, 400_000)
    found = reconcile(sender.bill(), [], price_of, came_late={"gpt": Decimal(3)})
    assert told(found) == {Kind.LATE: 3, Kind.MISSING: Decimal("0.5")}


def test_what_lies_below_the_last_place_of_the_bill_is_rounding_and_no_price():
    """12,345 tokens at 2.50 for a million are 0.0308625, told as 0.0309."""
    calls = [used(DAYS[0], input=12_345)]
    sender = Sender(step=Decimal("0.0001"))
    sender.count_all(calls)
    assert told(compare(calls, sender)) == {Kind.ROUNDING: Decimal("0.0000375")}


def test_an_invoice_in_cents_is_rounding_and_more_than_that_is_not():
    calls = [used(DAYS[0], input=12_345)]
    sender = Sender()
    sender.count_all(calls)
    assert compare(calls, sender, invoiced=Decimal("0.03")).on_the_invoice == {Kind.ROUNDING: Decimal("-0.0008625")}
    more = compare(calls, sender, invoiced=Decimal("1.03"))
    assert more.on_the_invoice == {Kind.UNEXPLAINED: Decimal("0.9991375")}
    assert more.unexplained == Decimal("0.9991375")


def test_fees_and_lines_that_fit_no_price_stay_unexplained():
    """A fee without a model, and 0.3333 on one line of a day between others that are as expected."""
    calls = [used(day, input=1_000_000) for day in DAYS]
    sender = Sender(extra=[Billed(DAYS[13], Decimal("12.5"), description="Support plan")])
    sender.count_all(calls)
    sender.extra.append(Billed(DAYS[7], Decimal("0.3333"), None, "gpt", "input", "", "standard", 0))
    found = compare(calls, sender)
    assert told(found) == {Kind.UNEXPLAINED: Decimal("12.8333")}
    assert {part.model for part in found.parts} == {None, "gpt"}


def test_amounts_without_quantities_are_compared_and_never_guessed():
    calls = [used(DAYS[0], input=1_000_000), used(DAYS[1], input=1_000_000)]
    lines = (
        Billed(DAYS[0], Decimal("2.50"), model="gpt", step=Decimal("0.01")),
        Billed(DAYS[1], Decimal("2.80"), model="gpt", step=Decimal("0.01")),
    )
    found = reconcile(Bill("openai", MONTH, "UTC", lines), calls, price_of)
    assert told(found) == {Kind.UNEXPLAINED: Decimal("0.3")}


def test_what_was_thought_is_output_to_a_provider_who_does_not_tell_it_apart():
    """A call without a price wrote 100,000 tokens and thought 100,000: 2.00 of output to the provider."""
    meters = {Meter("reasoning"): Counted(Decimal(100_000), None), OUT: Counted(Decimal(100_000), BOOK[OUT])}
    calls = [Used("gpt", DAYS[0], DAYS[0], DAYS[0], 1, None, meters)]
    sender = Sender()
    sender.count(DAYS[0], "gpt", OUT, 200_000)
    assert told(compare(calls, sender)) == {Kind.UNPRICED: 2}


def test_the_books_price_is_taken_before_one_with_fewer_places():
    """A cent allows 2 as well as 2.50 for 10,000 tokens: it is the price of the other days that is another one."""
    calls = [used(DAYS[0], input=10_000), used(DAYS[1], input=1_000_000), used(DAYS[2], input=1_000_000)]
    sender = Sender(prices={("gpt", IN): (DAYS[1], Decimal(10) / 10**6)}, step=Decimal("0.01"))
    sender.count_all(calls)
    assert told(compare(calls, sender)) == {Kind.PRICE: 15, Kind.ROUNDING: Decimal("-0.005")}


def test_a_closed_month_that_keeps_an_older_price_differs_by_price():
    """The call was rated at 2.00 when the month closed; the book now says 2.50, and so does the provider."""
    calls = [Used("gpt", DAYS[0], DAYS[0], DAYS[0], 1, Decimal(2), {IN: Counted(Decimal(1_000_000), BOOK[IN])})]
    sender = Sender()
    sender.count(DAYS[0], "gpt", IN, 1_000_000)
    assert told(compare(calls, sender)) == {Kind.PRICE: Decimal("0.5")}


def test_charges_of_no_model_are_those_of_the_models_that_used_it():
    """Ten searches at 0.01: three of one model, seven of another; the book has the same price."""
    search = Meter("tool_call", "web_search")
    cent = Decimal("0.01")
    calls = [
        Used(model, DAYS[0], DAYS[0], DAYS[0], 1, number * cent, {search: Counted(Decimal(number), cent)})
        for model, number in (("a-1", 3), ("b-2", 7))
    ]
    lines = [Billed(DAYS[0], Decimal("0.1"), None, None, "tool_call", "web_search", description="web search")]
    lines += [
        Billed(DAYS[0], None, one.meters[search].quantity, one.model, "tool_call", "web_search", "standard", 0)
        for one in calls
    ]
    assert reconcile(Bill("anthropic", MONTH, "UTC", tuple(lines)), calls, price_of).parts == ()
    alone = reconcile(Bill("anthropic", MONTH, "UTC", tuple(lines[:1])), [], price_of)
    assert told(alone) == {Kind.UNEXPLAINED: Decimal("0.1")}


def test_costs_that_tell_kinds_hold_beside_a_report_of_usage_that_tells_none():
    """Three pictures in high quality at 0.08; the report of usage counts pictures of any."""
    price = BOOK[PICTURE]
    calls = [Used("dall-e-3", DAYS[0], DAYS[0], DAYS[0], 3, 3 * price, {PICTURE: Counted(Decimal(3), price)})]
    lines = (
        Billed(DAYS[0], Decimal("0.24"), Decimal(3), "dall-e-3", "image", "1024x1024/hd"),
        Billed(DAYS[0], None, Decimal(3), "dall-e-3", "image"),
    )
    assert reconcile(Bill("openai", MONTH, "UTC", lines), calls, price_of).parts == ()
    charged = (replace(lines[0], amount=Decimal("0.30")), lines[1])
    found = reconcile(Bill("openai", MONTH, "UTC", charged), calls, price_of)
    assert [one.meter.variant for one in found.prices] == ["1024x1024/hd"]


def test_the_simplest_price_is_the_one_with_the_fewest_places():
    assert simplest(Fraction("0.00000249"), Fraction("0.00000253")) == Fraction("0.0000025")
    assert simplest(Fraction("0.0000024999"), Fraction("0.0000025001")) == Fraction("0.0000025")
    assert simplest(Fraction(1, 300_001), Fraction(1, 300_001)) is None


def test_a_bills_name_of_a_model_is_ours_where_exactly_one_fits():
    known = {"gpt-4o", "gpt-4o-mini", "imagen-4.0-generate-001", "claude-sonnet-4-20250514"}
    assert known_as("gpt-4o-2024-08-06", known) == "gpt-4o"
    assert known_as("gpt-4o-mini-2024-07-18", known) == "gpt-4o-mini"
    assert known_as("imagen-4.0", known) == "imagen-4.0-generate-001"
    assert known_as("claude-sonnet-4", known) == "claude-sonnet-4-20250514"
    assert known_as("o3", known) == "o3"


# --- Mixtures ---------------------------------------------------------------------------------------------------------

CELLS = st.lists(
    st.tuples(
        st.integers(2, 27),
        st.sampled_from(["a-1", "b-2", "c-3"]),
        # Of a sum nobody can tell two of these apart on one day of a model: one a cell.
        st.sampled_from([None, Kind.MISSING, Kind.CACHE, Kind.TIER]),
        # Less than half of a late call: else the bill would look as if it counted when calls began.
        st.integers(1, 300),
        st.booleans(),
    ),
    min_size=1,
    max_size=25,
    unique_by=lambda cell: cell[:2],
)


@dataclass
class Mixture:
    """Calls and a bill of them, and the differences that were planted between the two by day, model and name."""

    sender: Sender
    calls: list = field(default_factory=list)
    planted: dict = field(default_factory=lambda: defaultdict(Decimal))

    def moved(self, kind, model, cost, since, until):
        self.planted[since, model, kind] -= cost
        self.planted[until, model, kind] += cost

    def call(self, late, shifted, unpriced):
        """On each day what every model has, and calls that end late, begin early, or have no price."""
        self.calls += [
            used(day, model, input=900_000, cached=500_000, output=300_000, batch_input=200_000)
            for day in DAYS
            for model in ("a-1", "b-2", "c-3")
        ]
        for number in sorted(late):
            self.calls.append(used(DAYS[number], "c-3", ended=DAYS[number + 1], input=70_000))
            self.moved(Kind.LATE, "c-3", 70_000 * BOOK[IN], DAYS[number], DAYS[number + 1])
        for number in sorted(shifted):
            self.calls.append(used(DAYS[number], "b-2", began=DAYS[number - 1], output=40_000))
            self.moved(Kind.ZONE, "b-2", 40_000 * BOOK[OUT], DAYS[number], DAYS[number - 1])
        for number in sorted(unpriced):
            self.calls.append(used(DAYS[number], "a-1", priced=False, cached=80_000))
            self.planted[DAYS[number], "a-1", Kind.UNPRICED] += 80_000 * BOOK[CACHED]
        self.sender.count_all(self.calls, day_of=lambda one: one.ended_on if one.model == "c-3" else one.began_on)

    def differ(self, cells):
        """The provider counts more of one thing, and of its counterpart as much less."""
        pairs = {Kind.MISSING: (OUT, None), Kind.CACHE: (IN, CACHED), Kind.TIER: (IN, BATCH_IN)}
        for number, model, kind, hundreds, is_more in cells:
            if kind is not None:
                day, quantity = DAYS[number], hundreds * 100 * (1 if is_more else -1)
                more, less = pairs[kind]
                self.sender.count(day, model, more, quantity)
                if less is not None:
                    self.sender.count(day, model, less, -quantity)
                self.planted[day, model, kind] += quantity * (BOOK[more] - BOOK.get(less, 0))

    def charge(self, fees, priced_otherwise):
        """Fees that name no model, and another price from some day on; rounding is what is lost at the end."""
        for number, cents in fees:
            self.sender.extra.append(Billed(DAYS[number], Decimal(cents) / 100, description="A fee"))
            self.planted[DAYS[number], None, Kind.UNEXPLAINED] += Decimal(cents) / 100
        if priced_otherwise:
            since, price = DAYS[priced_otherwise[0]], Decimal(priced_otherwise[1]) / 10**6
            self.sender.prices["a-1", OUT] = (since, price)
            for (day, model, meter), quantity in self.sender.quantities.items():
                if (model, meter) == ("a-1", OUT) and day >= since:
                    self.planted[day, model, Kind.PRICE] += quantity * (price - BOOK[OUT])
        for (day, model), amount in self.sender.rounding().items():
            self.planted[day, model, Kind.ROUNDING] += amount


@settings(max_examples=40, deadline=None)
@given(
    cells=CELLS,
    priced_otherwise=st.one_of(
        st.none(), st.tuples(st.integers(3, 25), st.sampled_from(["8.5", "10.25", "12", "0.4"]))
    ),
    late=st.sets(st.integers(2, 26), max_size=3),
    shifted=st.sets(st.integers(2, 26), max_size=3),
    unpriced_and_fees=st.tuples(
        st.sets(st.integers(2, 27), max_size=3),
        st.lists(st.tuples(st.integers(0, 29), st.integers(1, 5000)), max_size=2),
    ),
    # In cents nobody could tell a price from its neighbours.
    told_as=st.tuples(st.sampled_from(["0.000000000001", "0.000001", "0.0001"]), st.booleans()),
)
def test_mixtures_are_taken_apart(*, cells, priced_otherwise, late, shifted, unpriced_and_fees, told_as):
    """Each part of each day and model with the amount that was planted there under its name, and no other part."""
    unpriced, fees = unpriced_and_fees
    mixture = Mixture(Sender(step=Decimal(told_as[0]), tells_usage_apart=told_as[1]))
    mixture.call(late, shifted, unpriced)
    mixture.differ(cells)
    mixture.charge(fees, priced_otherwise)
    found = compare(mixture.calls, mixture.sender)
    parts = defaultdict(Decimal)
    for part in found.parts:
        parts[part.day, part.model, part.kind] += part.amount
    expected = {key: amount for key, amount in mixture.planted.items() if amount}
    assert dict(parts) == expected
    assert found.charged - found.ledger == sum(expected.values(), NONE)
