"""What a campaign's page says: sentences and bars from figures that can be checked in the head."""

from datetime import UTC, date, datetime
from decimal import Decimal
from types import SimpleNamespace
from uuid import UUID

from app.analysis.changes import Course, Outcome, Rebound, before_and_after
from app.analysis.pacing import Plan, pacing
from app.analysis.proportions import UNKNOWN, Interval
from app.analysis.variants import compare_variants
from app.metrics.glossary import metric
from app.records.belongings import Optimization, VariantCampaign
from app.ui import aligned, changed, paced, tested
from app.ui.intervals import Estimate, estimates
from app.ui.steps import steps

HOSTILE = "<img src=x onerror=alert(1)>"
NOON = datetime(2026, 3, 10, 12, tzinfo=UTC)
CHANGE = Optimization(
    UUID(int=1), NOON, UUID(int=2), UUID(int=3), "Sale", "budget_increase", None, {"daily_budget": 50},
    {"daily_budget": 65}, True, HOSTILE,
)  # fmt: skip


def variant(letter, delivered, opened):
    return VariantCampaign(UUID(int=1), "Spring", letter, delivered, opened, 0, 0)


def outcome(**more):
    usual = {"own": 0.5, "others": 0.1, "effect": Interval(0.3, 0.1, 0.6), "rebound": None}
    return Outcome(**usual | more, changed=1, unchanged=5, left_out=0)


def test_a_funnel_tells_each_steps_part_of_the_one_before():
    drawn = steps([("Sent", 200), ("Opened", 50), ("Clicked", 10)])
    assert "width:25.00%" in drawn
    assert '50<span class="sl-muted"> · 25.00 %' in drawn
    assert '10<span class="sl-muted"> · 20.00 %' in drawn


def test_a_funnel_of_nothing_divides_by_nothing():
    assert "width:0.00%" in steps([("Sent", 0), ("Opened", 0)])


def test_texts_of_customers_are_escaped_in_bars():
    drawn = estimates([Estimate(HOSTILE, Interval(0.5, 0.4, 0.6), "50 %")])
    assert HOSTILE not in drawn
    assert "&lt;img src=x" in drawn


def test_a_band_reaches_from_low_to_high_and_the_reference_lies_between():
    """From −1 to 1 with 6 % of room on each side: no effect lies in the middle."""
    drawn = estimates([Estimate("a", Interval(0.0, -1.0, 1.0), "0")], reference=0.0)
    assert "left:50.00%;border-left-style:dotted" in drawn
    assert "left:5.36%;width:89.29%" in drawn


def test_an_effect_is_told_beside_what_would_have_happened_anyway():
    told = changed._measured(changed.Changed(CHANGE, 7, outcome()))
    assert "In 7 days on each side its rate went +50.0 %; that of 5 unchanged campaigns +10.0 %" in told
    assert "an effect of +30.0 % (from +10.0 % to +60.0 %)." in told
    assert "Chance" not in told


def test_what_chance_may_have_done_is_said():
    told = changed._measured(changed.Changed(CHANGE, 7, outcome(effect=Interval(0.1, -0.1, 0.3))))
    assert "Chance alone may have done this." in told


def test_a_campaign_that_was_changed_at_its_worst_is_warned_of():
    low = Rebound(off=-2.0, is_extreme=True, expected=0.2)
    told = changed._measured(changed.Changed(CHANGE, 7, outcome(rebound=low)))
    assert "unusually low for itself" in told
    assert "At least +20.0 % of it would have come by itself." in told
    usual = Rebound(off=0.3, is_extreme=False, expected=0.2)
    assert "unusually" not in changed._measured(changed.Changed(CHANGE, 7, outcome(rebound=usual)))


def test_two_changes_in_the_same_days_are_not_told_apart():
    assert "It includes 1 other change within these days." in changed._measured(
        changed.Changed(CHANGE, 7, outcome(), mixed=1)
    )


def test_what_can_not_be_measured_is_said_with_the_reason():
    assert "fewer than three whole days" in changed._measured(changed.Changed(CHANGE, None, None))
    alone = before_and_after([Course((1, 10), (2, 10))], [])
    assert "None that was left alone ran on these days" in changed._measured(changed.Changed(CHANGE, 7, alone))
    nothing = outcome(own=None, effect=UNKNOWN)
    assert "It had no such rate" in changed._measured(changed.Changed(CHANGE, 7, nothing))


def test_a_change_says_what_was_changed_and_escapes_what_was_said_of_it():
    (told,) = changed._told(changed.Changed(CHANGE, None, None), "UTC")
    assert "10 Mar 2026 · Budget increase" in told
    assert "daily budget 50 → daily budget 65" in told
    assert HOSTILE not in told


def test_names_within_a_sentence_begin_small_unless_they_are_short_for_something():
    assert changed._inside("frequency_above_3") == "frequency above 3"
    assert changed._inside("ctr_decline_15_percent") == "CTR decline 15 percent"


def test_an_ab_test_says_who_is_better_and_how_sure_that_is():
    """80 and 120 of 1,000 are 4 points apart."""
    test = compare_variants(tested._rates([variant("A", 1000, 80), variant("B", 1000, 120)], "emails_opened"))
    assert tested._sentence(test).startswith("B is better: +4.00 points apart, from +1.3")
    assert tested._split(test) == ""


def test_an_ab_test_that_is_not_decided_says_what_would_show():
    test = compare_variants(tested._rates([variant("A", 1000, 80), variant("B", 1000, 90)], "emails_opened"))
    assert tested._sentence(test).startswith("Nothing is decided. B: +1.00 points apart")
    assert tested._sentence(test).endswith("With so many, differences of about 3.4 points would show.")


def test_variants_that_did_not_reach_equally_many_are_warned_of():
    test = compare_variants(tested._rates([variant("A", 5200, 80), variant("B", 4800, 90)], "emails_opened"))
    assert "A 5,200, B 4,800 were delivered" in tested._split(test)


def test_campaigns_of_one_letter_are_one_variant():
    rates = tested._rates([variant("A", 10, 1), variant("B", 7, 2), variant("A", 20, 3)], "emails_opened")
    assert {name: (rate.hits, rate.of) for name, rate in rates.items()} == {"A": (4, 30), "B": (2, 7)}


def test_pacing_says_where_it_ends_in_the_campaigns_currency():
    plan = Plan(date(2026, 4, 1), date(2026, 4, 30), Decimal(3000), None)
    spent = {date(2026, 4, day): Decimal(150) for day in range(1, 11)}
    drawn = paced._drawn(plan, pacing(plan, spent, date(2026, 4, 10)), "EUR")
    assert "Faster than the time goes by" in drawn
    for told in ("1,500.00 EUR", "4,500.00 EUR", "20 Apr 2026", "33.33 %", "50.00 %"):
        assert told in drawn


def test_lines_are_laid_over_each_other_and_end_with_the_last_thing_that_happened():
    rows = [
        {"campaign": "a", "campaign_name": "Anna", "day": date(2026, 1, 10), "views": 5},
        {"campaign": "a", "campaign_name": "Anna", "day": date(2026, 1, 12), "views": 2},
        {"campaign": "b", "campaign_name": "Bert", "day": date(2026, 2, 20), "views": 7},
    ]
    launches = {"a": date(2026, 1, 10), "b": date(2026, 2, 20)}
    answer = SimpleNamespace(rows=lambda: rows)
    shown = aligned._shown(answer, metric("views"), launches, date(2026, 2, 21), is_summed=True)
    assert shown.points == (0, 1, 2, 3)
    assert {one.name: one.values for one in shown.series} == {"Anna": (5, 5, 7, 7), "Bert": (7, 7, None, None)}
