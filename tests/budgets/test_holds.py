"""A budget that blocks holds: sixteen who spend at once stop within one call's amount, and stops stop at once."""

import threading
from concurrent.futures import ThreadPoolExecutor
from decimal import Decimal
from uuid import UUID, uuid4

import pytest
from sqlalchemy import text
from sqlalchemy.exc import DBAPIError

from db.engine import engine_for, seeing
from tests.budgets.conftest import CALL, Place
from tests.db.rows import add, workspace

HOLD = text("""
    SELECT is_allowed, because, budget_id, stop_id
    FROM hold_ai_budget(:workspace, :customer, 'mailer', :provider, 'email', :cost, :key)
""")
SETTLE = text("SELECT settle_ai_hold(:workspace, :key, :cost)")
STANDING = "SELECT spent, held, refused FROM budget_standings(now()) WHERE budget_id = :budget"


def hold(place: Place, cost, *, key=None, provider="openai", workspace_id=None, seen=None):
    where = workspace_id or place.workspace
    with seeing(place.database.rw, [seen or where]) as connection:
        return connection.execute(
            HOLD,
            {"workspace": where, "customer": place.customer, "cost": cost, "key": key or str(uuid4()),
             "provider": provider},
        ).one()  # fmt: skip


def settle(place: Place, key, cost=None):
    with seeing(place.database.rw, [place.workspace]) as connection:
        connection.execute(SETTLE, {"workspace": place.workspace, "key": str(key), "cost": cost})


def standing(place: Place, budget):
    [row] = place.ask(STANDING, budget=budget)
    return tuple(row)


AMOUNT, CALL_COSTS, SPENDERS, ATTEMPTS = 10, Decimal("0.07"), 16, 25


@pytest.mark.parametrize("scope", ["company", "workspace"])
def test_sixteen_spenders_at_once_stop_within_one_calls_amount(place, scope):
    """142 calls at 0.07 are 9.94; the next one would be 10.01. 400 are asked for."""
    own = {"workspace_id": place.workspace} if scope == "workspace" else {}
    budget = place.budget(scope=scope, amount=AMOUNT, at_limit="block", **own)
    start = threading.Barrier(SPENDERS)
    engine = engine_for(place.database.server.url(place.database.name, "test_app_rw"), pool_size=SPENDERS)

    def spender(_number: int) -> int:
        start.wait()
        return sum(one_call() for _ in range(ATTEMPTS))

    def one_call() -> bool:
        key = uuid4()
        with seeing(engine, [place.workspace]) as connection:
            found = connection.execute(
                HOLD,
                {"workspace": place.workspace, "customer": place.customer, "cost": CALL_COSTS, "key": str(key),
                 "provider": "openai"},
            ).one()  # fmt: skip
        if found.is_allowed:
            with seeing(engine, [place.workspace]) as connection:
                row = {**CALL, "user_id": place.customer, "request_key": key, "cost": CALL_COSTS, "price_version": 1}
                add(connection, "ai_generations", workspace_id=place.workspace, **row)
            settle(place, key)
        return found.is_allowed

    with ThreadPoolExecutor(SPENDERS) as threads:
        allowed = sum(threads.map(spender, range(SPENDERS)))
    engine.dispose()
    spent, held, refused = standing(place, budget)
    assert (allowed, spent, held) == (142, Decimal("9.94"), 0)
    assert refused == SPENDERS * ATTEMPTS - allowed
    assert AMOUNT - CALL_COSTS < spent <= AMOUNT


@pytest.mark.parametrize("scope", ["company", "workspace"])
def test_of_sixteen_who_ask_before_any_of_them_has_committed_one_gets_what_is_left(place, scope):
    """A dollar is left, and a call may cost sixty cents: who asks waits until the one before is done."""
    own = {"workspace_id": place.workspace} if scope == "workspace" else {}
    budget = place.budget(scope=scope, amount=1, at_limit="block", **own)
    start = threading.Barrier(SPENDERS)
    engine = engine_for(place.database.server.url(place.database.name, "test_app_rw"), pool_size=SPENDERS)

    def spender(number: int) -> bool:
        start.wait()
        with seeing(engine, [place.workspace]) as connection:
            found = connection.execute(
                HOLD,
                {"workspace": place.workspace, "customer": place.customer, "cost": "0.6", "key": str(number),
                 "provider": "openai"},
            ).one()  # fmt: skip
            connection.execute(text("SELECT pg_sleep(0.05)"))
        return found.is_allowed

    with ThreadPoolExecutor(SPENDERS) as threads:
        assert sum(threads.map(spender, range(SPENDERS))) == 1
    engine.dispose()
    assert standing(place, budget) == (0, Decimal("0.6"), SPENDERS - 1)


def test_a_call_is_held_until_its_cost_arrives_and_is_at_no_moment_neither(place):
    budget = place.budget(amount=1, at_limit="block")
    request = uuid4()
    assert hold(place, "0.5", key=str(request)).is_allowed
    assert standing(place, budget) == (0, Decimal("0.5"), 0)
    key = place.spend(None, request_key=request)
    settle(place, request)
    assert standing(place, budget) == (0, Decimal("0.5"), 0)
    place.change("UPDATE ai_generations SET cost = 0.2, price_version = 1 WHERE id = :key", key=key)
    assert standing(place, budget) == (Decimal("0.2"), 0, 0)


def test_a_known_cost_takes_the_place_of_the_estimate(place):
    budget = place.budget(amount=1, at_limit="block")
    request = uuid4()
    hold(place, "0.5", key=str(request))
    settle(place, request, Decimal("0.3"))
    assert standing(place, budget) == (0, Decimal("0.3"), 0)
    place.spend("0.3", request_key=request)
    assert standing(place, budget) == (Decimal("0.3"), 0, 0)


def test_attempts_of_a_request_use_up_one_hold(place):
    budget = place.budget(amount=1, at_limit="block")
    request = uuid4()
    hold(place, "0.5", key=str(request))
    place.spend("0.2", request_key=request, status="failed")
    assert standing(place, budget) == (Decimal("0.2"), Decimal("0.3"), 0)
    place.spend("0.2", request_key=request, attempt=2)
    assert standing(place, budget) == (Decimal("0.4"), Decimal("0.1"), 0)
    settle(place, request)
    assert standing(place, budget) == (Decimal("0.4"), 0, 0)


def test_the_same_key_is_held_once_and_a_released_one_is_free_again(place):
    budget = place.budget(amount=1, at_limit="block")
    for _ in range(3):
        assert hold(place, "0.6", key="again").is_allowed
    assert standing(place, budget)[1] == Decimal("0.6")
    assert not hold(place, "0.6", key="another").is_allowed
    with seeing(place.database.rw, [place.workspace]) as connection:
        connection.execute(text("SELECT release_ai_hold(:own, 'again')"), {"own": place.workspace})
    assert hold(place, "0.6", key="another").is_allowed


def test_a_hold_that_nobody_settled_expires(place):
    budget = place.budget(amount=1, at_limit="block")
    hold(place, "1")
    place.change("UPDATE ai_holds SET expires_at = now() - interval '1 second'")
    assert standing(place, budget)[1] == 0
    assert hold(place, "1").is_allowed


def test_who_asks_again_under_a_key_that_has_expired_is_asked_for_room_like_anybody(place):
    """Of a dollar, sixty cents expired and ninety are held by somebody else; with those gone, sixty are held again."""
    budget = place.budget(amount=1, at_limit="block")
    assert hold(place, "0.6", key="again").is_allowed
    place.change("UPDATE ai_holds SET expires_at = now() - interval '1 second'")
    assert hold(place, "0.9", key="other").is_allowed
    assert not hold(place, "0.6", key="again").is_allowed
    assert standing(place, budget) == (0, Decimal("0.9"), 1)
    place.change("UPDATE ai_holds SET expires_at = now() - interval '1 second' WHERE call_key = 'other'")
    assert hold(place, "0.6", key="again").is_allowed
    assert standing(place, budget) == (0, Decimal("0.6"), 1)


def test_a_call_of_unknown_cost_is_refused_once_the_amount_is_reached(place):
    place.budget(amount=1, at_limit="block")
    assert hold(place, None).is_allowed
    place.spend("1")
    assert not hold(place, None).is_allowed


def test_budgets_that_notify_are_paused_or_deleted_refuse_nothing(place):
    place.budget(amount=1)
    paused = place.budget(amount=1, at_limit="block")
    place.budget(amount=1, at_limit="block", deleted_at="2026-01-01")
    place.change("UPDATE budgets SET is_active = false WHERE id = :paused", paused=paused)
    place.spend("2")
    assert hold(place, "1").is_allowed


def test_a_refusal_tells_amounts_of_the_customers_own_budget_alone(place):
    own = place.budget(name="Acme's", scope="workspace", workspace_id=place.workspace, amount=1, at_limit="block")
    found = hold(place, "2")
    assert (found.is_allowed, found.budget_id) == (False, own)
    assert found.because == (
        "The budget Acme's allows 1 USD a month, of which 0.0000 are spent and 0.0000 held for calls that run;"
        " this call may cost 2."
    )
    place.change("UPDATE budgets SET deleted_at = now()")
    company = place.budget(name="Secret plans", amount=1, at_limit="block")
    found = hold(place, "2")
    assert (found.budget_id, found.because) == (company, "A budget for AI is used up for now.")


def stop(place: Place, scope, value=None):
    with place.database.setup.begin() as connection:
        return add(connection, "ai_stops", scope=scope, scope_value=value, reason="A leak.").id


@pytest.mark.parametrize(("scope", "value", "stopped"), [
    ("all", None, {"openai", "google"}),
    ("provider", "openai", {"openai"}),
    ("product", "mailer", {"openai", "google"}),
    ("product", "craft_ads", set()),
])  # fmt: skip
def test_a_stop_refuses_what_it_names_until_it_ends_and_counts_it(place, scope, value, stopped):
    key = stop(place, scope, value)
    found = {provider: hold(place, "0.01", provider=provider) for provider in ("openai", "google")}
    assert {provider for provider, one in found.items() if not one.is_allowed} == stopped
    assert {one.stop_id for one in found.values() if not one.is_allowed} <= {key}
    assert not any("leak" in (one.because or "") for one in found.values())
    assert place.ask("SELECT refused FROM ai_stops") == [(len(stopped),)]
    place.change("UPDATE ai_stops SET ended_at = now(), end_reason = 'Mended.'")
    assert hold(place, "0.01").is_allowed


def test_nobody_asks_for_a_workspace_that_the_transaction_does_not_name(place):
    with place.database.setup.begin() as connection:
        other = workspace(connection).id
    for call in (
        lambda: hold(place, "1", workspace_id=other, seen=place.workspace),
        lambda: hold(place, "1", workspace_id=UUID(int=0), seen=place.workspace),
    ):
        with pytest.raises(DBAPIError, match="not one of this transaction's"):
            call()


def test_a_transaction_that_could_not_see_the_others_is_refused(place):
    engine = place.database.rw.execution_options(isolation_level="REPEATABLE READ")
    with pytest.raises(DBAPIError, match="READ COMMITTED"), seeing(engine, [place.workspace]) as connection:
        connection.execute(
            HOLD, {"workspace": place.workspace, "customer": None, "cost": 1, "key": "1", "provider": "openai"}
        )


def test_asking_holds_nothing(place):
    budget = place.budget(amount=1, at_limit="block")
    asked = text("SELECT because, budget_id FROM why_ai_is_blocked(:own, NULL, 'mailer', 'openai', 'email', :cost)")
    with seeing(place.database.ingest, [place.workspace]) as connection:
        assert connection.execute(asked, {"own": place.workspace, "cost": 1}).all() == []
        assert connection.execute(asked, {"own": place.workspace, "cost": 2}).one().budget_id == budget
    assert standing(place, budget) == (0, 0, 0)
