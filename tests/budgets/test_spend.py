"""What a budget has spent is known in the moment in which a call is priced, by days of the budget's own zone."""

from datetime import UTC, datetime, timedelta
from decimal import Decimal
from itertools import pairwise
from zoneinfo import ZoneInfo

import pytest
from sqlalchemy import text
from sqlalchemy.exc import DBAPIError

from tests.budgets.conftest import CALL, Place
from tests.db.rows import NOON, add, user, workspace

DAYS = "SELECT day, spent FROM budget_days WHERE spent <> 0 AND budget_id = :budget ORDER BY day"
# Written apart from the triggers.
RECOUNT = """
    SELECT CAST(g.created_at AT TIME ZONE b.timezone AS DATE), SUM(g.cost)
    FROM budgets AS b, ai_generations AS g
    WHERE b.id = :budget AND g.cost > 0
    GROUP BY 1 ORDER BY 1
"""


def spent(place: Place, budget):
    return sum((row.spent for row in place.ask(DAYS, budget=budget)), Decimal(0))


def test_each_scope_counts_its_own_calls(each_place):
    place = each_place
    with place.database.setup.begin() as connection:
        other = workspace(connection, owner_id=place.customer, slug="other").id
        colleague = user(connection).id
    budgets = {
        "company": place.budget(),
        "product": place.budget(scope="product", scope_value="mailer"),
        "provider": place.budget(scope="provider", scope_value="google"),
        "workspace": place.budget(scope="workspace", workspace_id=place.workspace),
        "user": place.budget(scope="user", workspace_id=place.workspace, user_id=colleague),
        "type": place.budget(scope="generation_type", scope_value="image"),
    }
    place.spend("1")
    place.spend("2", product="craft_ads", provider="google", generation_type="image")
    place.spend("4", user_id=colleague)
    with place.database.setup.begin() as connection:
        row = {**CALL, "user_id": place.customer, "cost": 8, "price_version": 1}
        add(connection, "ai_generations", workspace_id=other, **row)
    assert {name: spent(place, key) for name, key in budgets.items()} == {
        "company": 15, "product": 13, "provider": 2, "workspace": 7, "user": 4, "type": 2,
    }  # fmt: skip


def test_a_budget_knows_what_was_spent_before_it_was_made(place):
    place.spend("3", NOON)
    assert [tuple(row) for row in place.ask(DAYS, budget=place.budget())] == [(NOON.date(), 3)]


def test_a_price_that_comes_later_a_correction_and_a_deletion_are_followed(place):
    budget = place.budget()
    key = place.spend(None)
    assert spent(place, budget) == 0
    place.change("UPDATE ai_generations SET cost = 5, price_version = 1 WHERE id = :key", key=key)
    assert spent(place, budget) == 5
    place.change("UPDATE ai_generations SET cost = 2, price_version = 2 WHERE id = :key", key=key)
    assert spent(place, budget) == 2
    place.change("UPDATE ai_generations SET user_rating = 5 WHERE id = :key", key=key)
    assert spent(place, budget) == 2
    place.change("DELETE FROM ai_generations WHERE id = :key", key=key)
    assert spent(place, budget) == 0


# Around midnight there, and where clocks change.
ZONES = {
    "Asia/Kolkata": [(18, 29), (18, 31)],
    "Asia/Kathmandu": [(18, 14), (18, 16)],
    "America/St_Johns": [(3, 29), (3, 31)],
    "Pacific/Kiritimati": [(9, 59), (10, 1)],
    "UTC": [(23, 59), (0, 0)],
}


@pytest.mark.parametrize("zone", ZONES)
def test_days_are_days_of_the_budgets_zone(place, zone):
    budget = place.budget(timezone=zone)
    for number, (hour, minute) in enumerate(ZONES[zone], 1):
        place.spend(str(number), NOON.replace(hour=hour, minute=minute))
    found = [tuple(row) for row in place.ask(DAYS, budget=budget)]
    assert found == [tuple(row) for row in place.ask(RECOUNT, budget=budget)]
    days = {NOON.replace(hour=hour, minute=minute).astimezone(ZoneInfo(zone)).date() for hour, minute in ZONES[zone]}
    assert {day for day, _ in found} == days


PERIODS = [
    # Half an hour off: the month begins at 18:30 of the day before.
    ("month", "Asia/Kolkata", "2026-03-01 00:00+05:30", "2026-02-28 18:30Z", "2026-03-31 18:30Z"),
    ("month", "Asia/Kolkata", "2026-02-28 23:59+05:30", "2026-01-31 18:30Z", "2026-02-28 18:30Z"),
    # Clocks go forward in March: the month is an hour shorter.
    ("month", "Europe/Berlin", "2026-03-15 12:00Z", "2026-02-28 23:00Z", "2026-03-31 22:00Z"),
    # A day of 23 hours, and one of 25.
    ("day", "Europe/Berlin", "2026-03-29 12:00Z", "2026-03-28 23:00Z", "2026-03-29 22:00Z"),
    ("day", "Europe/Berlin", "2026-10-25 12:00Z", "2026-10-24 22:00Z", "2026-10-25 23:00Z"),
    # Midnight was left out there: the day begins at one.
    ("day", "America/Sao_Paulo", "2018-11-04 15:00Z", "2018-11-04 03:00Z", "2018-11-05 02:00Z"),
    # Clocks of Lord Howe move by half an hour.
    ("day", "Australia/Lord_Howe", "2026-04-05 02:00Z", "2026-04-04 13:00Z", "2026-04-05 13:30Z"),
    ("year", "UTC", "2028-02-29 12:00Z", "2028-01-01 00:00Z", "2029-01-01 00:00Z"),
]


@pytest.mark.parametrize("expected", PERIODS, ids=lambda one: f"{one[0]} in {one[1]} at {one[2]}")
def test_periods_are_those_of_the_calendar_there(place, expected):
    period, zone, at, starts_at, ends_at = expected
    [row] = place.ask(
        "SELECT starts_at, ends_at FROM budget_period(:period, :zone, CAST(:at AS TIMESTAMPTZ))",
        period=period, zone=zone, at=at,
    )  # fmt: skip
    assert tuple(row) == (datetime.fromisoformat(starts_at), datetime.fromisoformat(ends_at))


@pytest.mark.parametrize("zone", ["Asia/Kolkata", "Europe/Berlin", "America/St_Johns", "Pacific/Apia"])
def test_periods_leave_no_moment_out_and_have_none_twice(place, zone):
    rows = place.ask(
        """
        SELECT DISTINCT p.starts_at, p.ends_at
        FROM generate_series(TIMESTAMPTZ '2026-01-01Z', '2027-01-01Z', '3 hours') AS at
        CROSS JOIN LATERAL budget_period('day', :zone, at) AS p
        ORDER BY 1
        """,
        zone=zone,
    )
    assert all(one.ends_at == following.starts_at for one, following in pairwise(rows))
    assert len(rows) in {366, 367}


def test_a_change_of_the_zone_counts_the_days_anew(place):
    budget = place.budget()
    place.spend("1", NOON.replace(hour=20))
    place.change("UPDATE budgets SET timezone = 'Asia/Kolkata' WHERE id = :budget", budget=budget)
    assert [tuple(row) for row in place.ask(DAYS, budget=budget)] == [(NOON.date() + timedelta(days=1), 1)]


def test_what_is_no_zone_is_kept_in_no_budget(place):
    with pytest.raises(DBAPIError, match="time zone"):
        place.budget(timezone="Mars/Olympus")


def test_a_lifetime_has_no_end(place):
    budget = place.budget(period="lifetime")
    place.spend("1", NOON)
    place.spend("2")
    [row] = place.ask("SELECT spent, ends_at FROM budget_standings(now()) WHERE budget_id = :budget", budget=budget)
    assert tuple(row) == (3, None)
    assert datetime.now(UTC) > NOON


def test_the_apps_roles_write_neither_sums_nor_holds(place):
    for statement in ("UPDATE budget_days SET spent = 0", "DELETE FROM ai_holds", "DELETE FROM ai_stops",
        "UPDATE ai_stops SET reason = 'x'", "UPDATE budget_evaluations SET spent = 0"):  # fmt: skip
        with pytest.raises(DBAPIError, match="permission denied"), place.database.rw.begin() as connection:
            connection.execute(text(statement))
