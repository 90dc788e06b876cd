"""Budgets are looked at: each threshold is told once a period, however often, and a look that fails is told too."""

from concurrent.futures import ThreadPoolExecutor
from datetime import UTC, datetime, timedelta
from decimal import Decimal
from threading import Barrier

import pytest

from app.jobs.budgets import Watched, evaluate
from app.money.budgets import AlertKind, Figures, findings
from app.money.forecast import forecast
from tests.budgets.conftest import Place
from tests.db.rows import workspace

CALLS_OF_A_DOLLAR = """
    INSERT INTO ai_generations (workspace_id, user_id, product, provider, model, generation_type, status, created_at,
        cost, price_version, output_tokens)
    SELECT :workspace, :customer, 'mailer', 'openai', 'gpt-4o', 'email', 'completed', :at, 1, 1, 1000
    FROM generate_series(1, :calls)
    """
ALERTS = "SELECT kind, threshold FROM budget_alerts WHERE budget_id = :budget ORDER BY kind, threshold"


def alerts(place: Place, budget):
    return [tuple(row) for row in place.ask(ALERTS, budget=budget)]


def look(place: Place, budget, at=None):
    """As the job does, at a moment of our choice."""
    [row] = place.ask("SELECT workspace_id, updated_at, now() AS now FROM budgets WHERE id = :budget", budget=budget)
    one = Watched(budget, row.workspace_id, row.updated_at, at or row.now)
    return evaluate(place.database.pipe, place.database.rw, one)


def test_thresholds_are_told_once_each_across_restarts(each_place):
    place = each_place
    budget = place.budget(amount=100)
    place.work("watch_budgets")
    assert alerts(place, budget) == []
    place.spend("49.999999999999")
    place.work("watch_budgets")
    assert alerts(place, budget) == []
    place.spend("0.000000000001")
    for _ in range(3):
        place.work("watch_budgets")
    assert alerts(place, budget) == [("threshold", 50)]
    place.spend("50")
    for _ in range(2):
        place.work("watch_budgets")
    assert alerts(place, budget) == [("threshold", 50), ("threshold", 80), ("threshold", 100)]


def test_what_falls_and_rises_again_is_not_told_twice(place):
    budget = place.budget(amount=100, thresholds=[50])
    key = place.spend("60")
    look(place, budget)
    place.change("UPDATE ai_generations SET cost = 1 WHERE id = :key", key=key)
    look(place, budget)
    place.change("UPDATE ai_generations SET cost = 70 WHERE id = :key", key=key)
    look(place, budget)
    assert alerts(place, budget) == [("threshold", 50)]


def test_two_workers_at_once_tell_each_threshold_once(place):
    """Eight rounds of two who begin together: three alerts in all, and every look is stored."""
    budget = place.budget(amount=100)
    place.spend("100")
    start = Barrier(2)

    def worker(_number):
        raised = 0
        for _ in range(8):
            start.wait()
            raised += look(place, budget)
        return raised

    with ThreadPoolExecutor(2) as threads:
        raised = list(threads.map(worker, range(2)))
    assert sum(raised) == 3
    assert alerts(place, budget) == [("threshold", 50), ("threshold", 80), ("threshold", 100)]
    assert place.ask("SELECT COUNT(*), SUM(raised) FROM budget_evaluations") == [(16, 3)]


def test_the_next_period_tells_anew_and_a_late_cost_reaches_the_one_before(place):
    """A day's budget in Kathmandu: the day begins at 18:15 UTC of the day before."""
    budget = place.budget(amount=10, period="day", timezone="Asia/Kathmandu", thresholds=[100])
    long_ago = datetime.now(UTC) - timedelta(days=60)
    place.change("ALTER TABLE budgets DISABLE TRIGGER touch_updated_at")
    place.change("UPDATE budgets SET updated_at = :at", at=long_ago)
    midnight = datetime.now(UTC).replace(hour=18, minute=15, second=0, microsecond=0) - timedelta(days=2)
    place.spend("10", midnight + timedelta(minutes=1))
    look(place, budget, midnight + timedelta(minutes=2))
    assert alerts(place, budget) == [("threshold", 100)]
    look(place, budget, midnight + timedelta(hours=23))
    assert alerts(place, budget) == [("threshold", 100)]
    # Found the day after: it was spent in the last minute before midnight.
    place.spend("10", midnight - timedelta(minutes=1))
    look(place, budget, midnight + timedelta(hours=23, minutes=30))
    starts = [row.period_start for row in place.ask("SELECT period_start FROM budget_alerts ORDER BY 1")]
    assert starts == [midnight - timedelta(days=1), midnight]


def test_a_change_of_the_amount_does_not_reach_back_into_periods_that_are_over(place):
    budget = place.budget(amount=100, period="day", thresholds=[100])
    place.spend("50", datetime.now(UTC) - timedelta(days=1))
    place.change("UPDATE budgets SET amount = 10")
    look(place, budget)
    assert alerts(place, budget) == []


def test_a_budget_that_is_paused_is_not_looked_at(place):
    budget = place.budget(amount=1)
    place.change("UPDATE budgets SET is_active = false")
    place.spend("5")
    place.work("watch_budgets")
    assert alerts(place, budget) == []


def test_what_is_stored_of_a_look_is_what_was_there(place):
    budget = place.budget(amount=100)
    place.spend("12.345678901234")
    for status in ("completed", "cancelled", "processing"):
        place.spend(None, status=status)
    look(place, budget)
    [row] = place.ask("SELECT amount, spent, held, unpriced, forecast, error FROM budget_evaluations")
    assert tuple(row) == (100, Decimal("12.345678901234"), 0, 2, None, None)


def steady(first, days, amount):
    return {first + timedelta(days=number): Decimal(amount) for number in range(days)}


def figures(spent, expected=None, **other):
    usual = {"amount": Decimal(100), "thresholds": (50, 100), "blocks": False, "refused": 0, "warns_of_forecast": True}
    return Figures(**{**usual, "spent": Decimal(spent), "expected": expected, **other})


def kinds(now):
    return [(one.kind, one.threshold) for one in findings(now)]


def test_a_forecast_above_the_amount_is_a_threshold_of_its_own():
    """Five a day, ten days into a month of thirty: 45 are spent, and 150 will be."""
    first = datetime(2026, 9, 1, tzinfo=UTC).date()
    since = first.replace(month=11)
    daily = steady(first, 70, 5)
    coming = forecast(daily, since, since.replace(month=12), since + timedelta(days=9))
    assert round(coming.expected) == 150
    assert kinds(figures(45, coming)) == [(AlertKind.FORECAST, 100)]
    assert kinds(figures(45, coming, warns_of_forecast=False)) == []
    assert kinds(figures(45, coming, amount=Decimal(151))) == []
    # What is exceeded is no forecast any more.
    assert kinds(figures(100, coming)) == [(AlertKind.THRESHOLD, 50), (AlertKind.THRESHOLD, 100)]


def test_a_budget_that_blocks_tells_when_it_does():
    assert kinds(figures(100, blocks=True))[-1] == (AlertKind.BLOCKED, 100)
    assert kinds(figures(99, blocks=True, refused=3))[-1] == (AlertKind.BLOCKED, 100)
    assert AlertKind.BLOCKED not in {kind for kind, _ in kinds(figures(99, blocks=True))}


def test_a_look_that_fails_is_stored_and_told_once_a_day_and_the_others_are_looked_at(place):
    broken, well = place.budget(name="Broken", amount=1), place.budget(name="Well", amount=1)
    place.spend("1")
    # A period that nobody knows: only a superuser can write it.
    place.change("ALTER TABLE budgets DROP CONSTRAINT period_is_known")
    place.change("UPDATE budgets SET period = 'fortnight' WHERE id = :broken", broken=broken)
    for _ in range(2):
        place.work("watch_budgets")
    assert alerts(place, broken) == [("evaluation_failed", None)]
    assert ("threshold", 100) in alerts(place, well)
    errors = place.ask("SELECT error FROM budget_evaluations WHERE budget_id = :broken", broken=broken)
    assert len(errors) == 2
    assert "fortnight" in errors[0].error
    [job] = place.ask(
        "SELECT DISTINCT status, result ->> 'failed' AS failed FROM jobs WHERE job_type = 'watch_budgets'"
    )
    assert tuple(job) == ("completed", "1")


def test_calls_without_a_price_alert_once_a_model_until_they_have_one(place):
    old = datetime.now(UTC) - timedelta(hours=1)
    place.spend(None, old, model="veo-9", provider="google", unpriced_because="no prices of the model")
    place.spend(None, old, model="veo-9", provider="google", status="cancelled")
    place.spend("1", old)
    place.spend(None, model="just-now")
    for _ in range(2):
        place.work("watch_unpriced_calls")
    asked = "SELECT kind, about, reason, ended_at IS NOT NULL AS ended FROM budget_alerts"
    [row] = place.ask(asked)
    assert tuple(row) == (
        "unpriced",
        "google/veo-9",
        "2 calls of google/veo-9 have no price: no prices of the model. What they cost is in no figure and no budget.",
        False,
    )
    place.change("UPDATE ai_generations SET unpriced_because = NULL, cost = 1, price_version = 1 WHERE cost IS NULL")
    place.work("watch_unpriced_calls")
    assert [row.ended for row in place.ask(asked)] == [True]


def test_an_unusual_day_is_told_with_who_made_it_so(place):
    """Forty days of ten calls at a dollar, and yesterday a hundred."""
    today = datetime.now(UTC).replace(hour=12, minute=0, second=0, microsecond=0)
    place.change("SELECT make_partitions_between(current_date - 70, current_date)")
    for back in range(45, 0, -1):
        calls = 100 if back == 1 else 10
        place.change(
            CALLS_OF_A_DOLLAR,
            workspace=place.workspace, customer=place.customer, at=today - timedelta(days=back), calls=calls,
        )  # fmt: skip
    for _ in range(2):
        place.work("watch_unusual_costs")
    [row] = place.ask("SELECT kind, spent, reason FROM budget_alerts")
    assert (row.kind, row.spent) == ("anomaly", 100)
    assert "Acme, gpt-4o, 90.00 more by the number of calls." in row.reason


def test_a_day_on_which_calls_failed_is_told_with_what_they_would_have_cost(place):
    """Forty-five days of ten calls at a dollar; of yesterday's, six were refused at the door and cost nothing."""
    today = datetime.now(UTC).replace(hour=12, minute=0, second=0, microsecond=0)
    place.change("SELECT make_partitions_between(current_date - 70, current_date)")
    for back in range(45, 0, -1):
        place.change(
            CALLS_OF_A_DOLLAR,
            workspace=place.workspace, customer=place.customer, at=today - timedelta(days=back), calls=10,
        )  # fmt: skip
    place.change(
        "UPDATE ai_generations SET status = 'failed', output_tokens = 0, cost = 0 WHERE id IN"
        " (SELECT id FROM ai_generations WHERE created_at > :yesterday ORDER BY id LIMIT 6)",
        yesterday=today - timedelta(days=1, hours=1),
    )
    place.work("watch_unusual_costs")
    [row] = place.ask("SELECT spent, reason FROM budget_alerts")
    assert row.spent == 4
    assert row.reason.endswith("where 10.00 were usual: all workspaces, gpt-4o, 6.00 less by calls that failed.")


def test_two_workspaces_of_one_name_are_judged_each_by_itself(place):
    """One made ten calls a day and the other ninety; yesterday both made fifty."""
    today = datetime.now(UTC).replace(hour=12, minute=0, second=0, microsecond=0)
    place.change("SELECT make_partitions_between(current_date - 70, current_date)")
    with place.database.setup.begin() as connection:
        other = workspace(connection, owner_id=place.customer, slug="acme-2", name="Acme").id
    for back in range(45, 0, -1):
        for home, calls in ((place.workspace, 50 if back == 1 else 10), (other, 50 if back == 1 else 90)):
            place.change(CALLS_OF_A_DOLLAR, workspace=home, customer=place.customer, at=today - timedelta(days=back),
                         calls=calls)  # fmt: skip
    place.work("watch_unusual_costs")
    [row] = place.ask("SELECT kind, reason FROM budget_alerts")
    assert row.kind == "anomaly"
    assert "Acme, gpt-4o, " in row.reason


@pytest.mark.parametrize(
    ("job", "breaks", "says"),
    [
        ("watch_unpriced_calls", "ALTER TABLE ai_generations RENAME COLUMN unpriced_because TO why", "could not be"),
        ("watch_unusual_costs", "ALTER TABLE ai_generations RENAME COLUMN images TO pictures", "could not be"),
        ("price_new_calls", "DROP FUNCTION price_new_ai_calls(timestamptz)", "New calls could not be priced."),
    ],
)
def test_a_look_at_costs_that_fails_is_told_once_a_day_and_the_job_fails(place, job, breaks, says):
    place.change(breaks)
    for _ in range(2):
        place.work(job)
    [row] = place.ask("SELECT kind, about, reason FROM budget_alerts")
    assert (row.kind, row.about) == ("evaluation_failed", job)
    assert says in row.reason
    assert place.ask("SELECT COUNT(*) FROM jobs WHERE job_type = :job AND error_message IS NOT NULL", job=job) == [(2,)]


def test_what_is_old_is_forgotten_and_what_is_not_stays(place):
    budget = place.budget()
    place.change(
        "INSERT INTO budget_evaluations (budget_id, spent, created_at) SELECT :budget, 1, now() - age"
        " FROM unnest(ARRAY[interval '401 days', '399 days']) AS age",
        budget=budget,
    )
    with place.database.rw.begin() as connection:
        assert connection.exec_driver_sql("SELECT forget_budget_traces(10)").scalar() == 1
    assert place.ask("SELECT COUNT(*) FROM budget_evaluations") == [(1,)]
