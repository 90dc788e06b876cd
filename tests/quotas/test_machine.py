"""Any order of reservations, settlements, releases, sweeps, overrides, plan changes and clock steps keeps the sums.

The model knows periods, limits and reservations as plain Python; the engine must agree with it after every step.
"""

from dataclasses import dataclass
from datetime import UTC, datetime, timedelta

import pytest
from hypothesis import HealthCheck, settings
from hypothesis import strategies as st
from hypothesis.stateful import Bundle, RuleBasedStateMachine, invariant, multiple, rule, run_state_machine_as_test
from sqlalchemy import text

from tests.db.rows import NOON, add, plan
from tests.quotas.shop import make_shop

STARTED = datetime(2026, 1, 31, 10, tzinfo=UTC)
HOLDS = timedelta(minutes=15)
GRACE_DAYS = 2
LIMITS = (0, 1, 3, 8)
PLANS = [(limit, grace) for limit in LIMITS for grace in (0, 2, 4)]
# Of a tier one version is sold at a time.
RETIRED = "UPDATE plans SET status = 'retired', retired_at = now() WHERE status = 'published'"
KEYS = [f"key {number}" for number in range(100)]


def month_of(moment):
    """The start and end of the period that began on the 31st, in UTC."""
    days = [datetime(2025, 12, 31, tzinfo=UTC), datetime(2026, 1, 31, tzinfo=UTC), datetime(2026, 2, 28, tzinfo=UTC)]
    days += [datetime(2026, month, 31 if month in {3, 5, 7, 8, 10, 12} else 30, tzinfo=UTC) for month in range(3, 13)]
    start = max(day for day in days if day <= moment)
    return start, days[days.index(start) + 1]


@dataclass
class Held:
    """A reservation of the model."""

    amount: int
    period: datetime
    expires: datetime
    state: str = "held"
    used: int = 0


class Quota(RuleBasedStateMachine):
    """One meter of one workspace."""

    database = None
    keys = Bundle("keys")

    def __init__(self):
        super().__init__()
        with self.database.setup.begin() as connection:
            for table in ("quota_reservations", "quota_balances", "quota_overrides", "subscriptions"):
                connection.execute(text(f"DELETE FROM {table}"))
            connection.execute(text(RETIRED))
        self.shop = make_shop(self.database, began=STARTED)
        self.shop.limit(3, grace_amount=4, grace_days=GRACE_DAYS)
        self.limit, self.grace = 3, 4
        self.now = STARTED
        self.overrides = []
        self.calls = {}
        self.over_since = {}

    def taken(self, period):
        return sum(
            one.used if one.state == "settled" else one.amount if one.state == "held" else 0
            for one in self.calls.values()
            if one.period == period
        )

    def allowed(self):
        live = [amount for amount, start, end in self.overrides if start <= self.now < end]
        return live[-1] if live else self.limit

    def room(self, period):
        """What may be used and held at most, now."""
        since = self.over_since.get(period)
        in_grace = since is None or self.now < since + timedelta(days=GRACE_DAYS)
        return self.allowed() + (self.grace if in_grace else 0)

    def moved(self, period, allowed):
        """Grace counts from when the limit that was last known was passed."""
        self.known_limit = getattr(self, "known_limit", {})
        if allowed is not None:
            self.known_limit[period] = allowed
        if self.taken(period) <= self.known_limit[period]:
            self.over_since.pop(period, None)
        else:
            self.over_since.setdefault(period, self.now)

    @rule(target=keys, key=st.sampled_from(KEYS[:60]), amount=st.integers(1, 4))
    def reserve(self, key, amount):
        if key in self.calls:
            return multiple()
        return key if self._ask(key, amount) else multiple()

    def _ask(self, key, amount):
        """Whether the engine admits what the model says there is room for."""
        period, _ = month_of(self.now)
        fits = self.taken(period) + amount <= self.room(period)
        told = self.shop.reserve(key, at=self.now, meters={"generations": amount})
        assert told["verdict"] == ("admitted" if fits else "refused"), told
        if fits:
            self.calls[key] = Held(amount, period, self.now + HOLDS)
            self.moved(period, self.allowed())
            assert self.taken(period) <= self.allowed() + self.grace
        return fits

    @rule(key=keys)
    def reserve_again(self, key):
        one = self.calls[key]
        told = self.shop.reserve(key, at=self.now, meters={"generations": one.amount})
        assert (told["verdict"], told["replayed"], told["state"]) == ("admitted", True, one.state)

    @rule(key=keys, actual=st.integers(0, 6))
    def settle(self, key, actual):
        one = self.calls[key]
        can = one.state in {"held", "expired"}
        told = self.shop.settle(key, at=self.now, actual={"generations": actual})
        assert (told["changed"], told["late"]) == (can, one.state == "expired")
        if can:
            one.state, one.used = "settled", actual
            self.moved(one.period, None)

    @rule(key=keys)
    def release(self, key):
        one = self.calls[key]
        assert self.shop.release(key, at=self.now)["changed"] == (one.state == "held")
        if one.state == "held":
            one.state = "released"
            self.moved(one.period, None)

    @rule()
    def sweep(self):
        due = [one for one in self.calls.values() if one.state == "held" and one.expires <= self.now]
        assert self.shop.expire(self.now) == len(due)
        for one in due:
            one.state = "expired"
        for period in {one.period for one in due}:
            self.moved(period, None)

    @rule(amount=st.sampled_from(LIMITS), hours=st.integers(1, 24 * 20))
    def override(self, amount, hours):
        if self.overrides and self.overrides[-1][1] >= self.now:
            return
        self.overrides.append((amount, self.now, self.now + timedelta(hours=hours)))
        self.shop.override(amount, starts_at=self.now, ends_at=self.now + timedelta(hours=hours))

    @rule(which=st.sampled_from(PLANS))
    def change_plan(self, which):
        self.limit, self.grace = which
        with self.database.setup.begin() as connection:
            connection.execute(text(RETIRED))
            bought = plan(connection, product="web_builder", status="published", published_at=NOON).id
            add(connection, "plan_limits", plan_id=bought, meter="generations", amount=self.limit,
                grace_amount=self.grace, grace_days=GRACE_DAYS)  # fmt: skip
            connection.execute(text("UPDATE subscriptions SET plan_id = :plan"), {"plan": bought})

    @rule(minutes=st.sampled_from((1, 14, 15, 60, 24 * 60, 3 * 24 * 60, 20 * 24 * 60)))
    def clock_steps_on(self, minutes):
        if self.now < datetime(2026, 10, 1, tzinfo=UTC):
            self.now += timedelta(minutes=minutes)

    @rule(seconds=st.sampled_from((-1, 0, 30 * 60)), amount=st.integers(1, 3))
    def clock_steps_to_where_something_ends(self, seconds, amount):
        """Overrides and grace end at a moment: just before it, at it, and a while after it."""
        ends = [end for _, _, end in self.overrides]
        ends += [since + timedelta(days=GRACE_DAYS) for since in self.over_since.values()]
        later = [end + timedelta(seconds=seconds) for end in ends if end + timedelta(seconds=seconds) > self.now]
        if later and min(later) < datetime(2026, 10, 1, tzinfo=UTC):
            self.now = min(later)
            self._ask(next(key for key in reversed(KEYS) if key not in self.calls), amount)

    @rule(minutes=st.sampled_from((1, 90)))
    def clock_steps_back(self, minutes):
        """A server's clock that is set right never goes back beyond the beginning."""
        self.now = max(STARTED, self.now - timedelta(minutes=minutes))

    @rule()
    def period_ends(self):
        _, end = month_of(self.now)
        if end < datetime(2026, 10, 1, tzinfo=UTC):
            self.now = end

    @invariant()
    def used_and_held_are_the_sum_of_reservations(self):
        assert self.shop.wrong_sums() == []
        balances = dict(self.shop.ask("SELECT period_start, used + held FROM quota_balances"))
        expected = {one.period: self.taken(one.period) for one in self.calls.values()}
        assert {start: balances[start] for start in expected} == expected


@pytest.mark.parametrize("examples", [40])
def test_the_engine_agrees_with_a_plain_model(database, examples):
    Quota.database = database
    run_state_machine_as_test(
        Quota,
        settings=settings(
            max_examples=examples, stateful_step_count=30, deadline=None, suppress_health_check=list(HealthCheck),
            database=None,
        ),
    )  # fmt: skip
