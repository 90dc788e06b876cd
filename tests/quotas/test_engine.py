"""What the engine admits, refuses, counts and gives back; every number can be checked in the head."""

import json
import threading
from concurrent.futures import ThreadPoolExecutor
from datetime import UTC, datetime, timedelta
from decimal import Decimal

import pytest
from sqlalchemy import text
from sqlalchemy.exc import DBAPIError

from db.engine import seeing
from tests.db.rows import NOON, add, plan, user, workspace
from tests.quotas.shop import BEGAN, colleague, make_shop

DAY = timedelta(days=1)
# In the second period of a plan that began on 15 January.
NOW = datetime(2026, 2, 20, 12, tzinfo=UTC)


def verdicts(shop, keys, **asked):
    return [shop.reserve(key, **asked)["verdict"] for key in keys]


def test_a_hard_limit_admits_so_many_and_no_more(each_shop):
    each_shop.limit(3)
    assert verdicts(each_shop, "abcd", at=NOW) == ["admitted", "admitted", "admitted", "refused"]
    assert each_shop.used_and_held() == (0, 3)
    assert each_shop.wrong_sums() == []


def test_what_was_really_used_is_settled_and_what_was_not_made_is_free_again(each_shop):
    each_shop.limit(10)
    for key in "abc":
        each_shop.reserve(key, at=NOW, meters={"generations": 3})
    assert each_shop.settle("a", at=NOW, actual={"generations": 1}) == {
        "state": "settled", "changed": True, "late": False, "over": {},
    }  # fmt: skip
    assert each_shop.release("b", at=NOW) == {"state": "released", "changed": True}
    assert each_shop.used_and_held() == (1, 3)
    assert each_shop.wrong_sums() == []


def test_asked_again_a_call_gets_its_first_answer_and_changes_nothing(each_shop):
    each_shop.limit(5)
    first = each_shop.reserve("a", at=NOW)
    again = each_shop.reserve("a", at=NOW + DAY)
    assert (first["replayed"], again["replayed"]) == (False, True)
    assert first | {"replayed": True} == again
    assert each_shop.used_and_held() == (0, 1)
    for _ in range(2):
        each_shop.settle("a", at=NOW)
    assert each_shop.used_and_held() == (1, 0)
    assert each_shop.release("a") == {"state": "settled", "changed": False}
    assert each_shop.reserve("a", at=NOW)["state"] == "settled"
    with pytest.raises(DBAPIError, match="used before, to ask for something else"):
        each_shop.reserve("a", at=NOW, meters={"generations": 2})


def test_a_refusal_holds_nothing_and_is_decided_anew(shop):
    shop.limit(1)
    shop.reserve("a", at=NOW)
    assert shop.reserve("b", at=NOW)["verdict"] == "refused"
    shop.release("a", at=NOW)
    assert shop.reserve("b", at=NOW)["verdict"] == "admitted"


def test_several_limits_take_a_call_all_or_none(shop):
    """A month's generations, the customer's Veo videos of the day by the service, and the plan's: veo is full first."""
    shop.limit(10)
    shop.limit(2, meter="veo", period="day")
    asked = {"generations": 1, "veo": 1}
    assert verdicts(shop, "abc", at=NOW, meters=asked) == ["admitted", "admitted", "refused"]
    assert shop.used_and_held() == (0, 2)
    assert shop.used_and_held("veo") == (0, 2)
    assert shop.used_and_held("veo", shop.owner) == (0, 2)
    assert shop.wrong_sums() == []


def test_a_service_limit_is_of_each_customer_and_day(shop):
    shop.do("UPDATE settings SET value = '{\"veo\": 1}' WHERE key = 'ai_service_limits'")
    other = colleague(shop)
    veo = {"veo": 1}
    assert verdicts(shop, "ab", at=NOW, meters=veo) == ["admitted", "refused"]
    assert shop.reserve("c", at=NOW, meters=veo, customer=other)["verdict"] == "admitted"
    assert shop.reserve("d", at=NOW + DAY, meters=veo)["verdict"] == "admitted"
    refused = shop.reserve("e", at=NOW, meters=veo)
    assert (refused["limit"]["for"], refused["limit"]["source"]) == ("customer", "service")
    assert refused["degrade"]["upgrade"] is None
    assert refused["degrade"]["again_at"] == "2026-02-21T00:00:00+00:00"


def test_a_customers_own_limit_of_emails_holds_beside_the_plans(database, shop):
    with database.setup.begin() as connection:
        mail = plan(connection, product="mailer", tier="pro", status="published", published_at=NOON)
        add(connection, "plan_limits", plan_id=mail.id, meter="emails", amount=100)
        add(connection, "subscriptions", workspace_id=shop.workspace, user_id=shop.owner, plan_id=mail.id,
            product="mailer", tier="pro", price=10, currency="USD", started_at=BEGAN,
            current_period_start=BEGAN.date(), current_period_end=BEGAN.date() + 30 * DAY)  # fmt: skip
    shop.do("UPDATE users SET monthly_email_limit = 40 WHERE id = :key", key=shop.owner)
    asked = {"meters": {"emails": 30}, "product": "mailer", "at": NOW}
    assert verdicts(shop, "ab", **asked) == ["admitted", "refused"]
    assert verdicts(shop, "cde", **asked, customer=colleague(shop)) == ["admitted", "admitted", "refused"]


def test_a_soft_limit_admits_and_says_so(shop):
    shop.limit(1, enforcement="soft")
    assert shop.reserve("a", at=NOW)["flags"] == []
    over = shop.reserve("b", at=NOW)
    assert (over["verdict"], over["flags"], over["limits"][0]["left"]) == ("admitted", ["over_soft_limit"], 0)


def test_grace_is_an_amount_until_a_date(shop):
    """Two and two in grace; passed on the 20th, it ends with the 22nd."""
    shop.limit(2, grace_amount=2, grace_days=3)
    assert verdicts(shop, "ab", at=NOW) == ["admitted", "admitted"]
    assert shop.reserve("c", at=NOW)["flags"] == ["in_grace"]
    late = NOW + 3 * DAY
    assert shop.reserve("d", at=late)["verdict"] == "refused"
    assert shop.reserve("d", at=late - timedelta(seconds=1))["verdict"] == "admitted"
    assert shop.reserve("e", at=NOW)["verdict"] == "refused"


def test_what_was_used_beyond_what_was_held_is_recorded_as_it_was(shop):
    shop.limit(5)
    shop.reserve("a", at=NOW, meters={"generations": 2})
    assert shop.settle("a", at=NOW, actual={"generations": 9})["over"] == {"generations": 7}
    assert shop.used_and_held() == (9, 0)
    assert shop.reserve("b", at=NOW)["verdict"] == "refused"


def test_what_was_held_and_never_used_expires_and_a_late_settlement_still_counts(shop):
    shop.limit(2)
    shop.reserve("a", at=NOW)
    shop.reserve("b", at=NOW)
    assert shop.expire(NOW + timedelta(minutes=14)) == 0
    assert shop.expire(NOW + timedelta(minutes=15)) == 2
    assert shop.used_and_held() == (0, 0)
    assert shop.settle("a", at=NOW + DAY)["late"]
    assert not shop.settle("a", at=NOW + DAY)["changed"]
    assert shop.release("b") == {"state": "expired", "changed": False}
    assert shop.used_and_held() == (1, 0)
    assert shop.wrong_sums() == []


def test_a_call_is_settled_into_the_period_in_which_it_was_reserved(shop):
    shop.limit(1)
    before = datetime(2026, 3, 14, 23, 59, tzinfo=UTC)
    shop.reserve("a", at=before)
    assert shop.reserve("b", at=before)["verdict"] == "refused"
    after = before + timedelta(minutes=2)
    shop.settle("a", at=after)
    assert shop.reserve("b", at=after)["verdict"] == "admitted"
    assert shop.ask("SELECT used, held FROM quota_balances ORDER BY period_start") == [(1, 0), (0, 1)]


def test_what_is_left_rolls_over_once(shop):
    """Ten a month. January to February uses 4 of 10: 6 come along. Of these 16 one is used: at most 10 come along."""
    shop.limit(10, rolls_over=True)
    first, second, third = BEGAN + DAY, BEGAN + 40 * DAY, BEGAN + 70 * DAY
    shop.reserve("a", at=first, meters={"generations": 4})
    shop.settle("a", at=first)
    told = shop.reserve("b", at=second)["limits"][0]
    assert (told["rolled_over"], told["left"]) == (6, 15)
    assert shop.reserve("c", at=second, meters={"generations": 16})["verdict"] == "refused"
    assert shop.reserve("d", at=third)["limits"][0]["rolled_over"] == 10


def test_a_period_without_use_rolls_over_whole_and_the_first_has_nothing_to_bring(shop):
    shop.limit(10, rolls_over=True)
    assert shop.reserve("a", at=BEGAN)["limits"][0]["rolled_over"] == 0
    assert shop.reserve("b", at=BEGAN + 70 * DAY)["limits"][0]["rolled_over"] == 10


def test_an_override_rules_until_its_end(shop):
    shop.limit(1)
    shop.override(3, starts_at=NOW - DAY, ends_at=NOW + DAY)
    told = [shop.reserve(key, at=NOW) for key in "abcd"]
    assert [one["verdict"] for one in told] == ["admitted", "admitted", "admitted", "refused"]
    assert told[0]["limits"][0]["source"] == "override"
    shop.release("c", at=NOW)
    assert shop.reserve("e", at=NOW + DAY)["verdict"] == "refused"


def test_an_override_of_a_customer_stands_beside_the_plans_limit(shop):
    shop.limit(10)
    shop.override(1, starts_at=NOW - DAY, ends_at=NOW + DAY, customer=shop.owner)
    assert verdicts(shop, "ab", at=NOW) == ["admitted", "refused"]
    assert shop.reserve("c", at=NOW, customer=colleague(shop))["verdict"] == "admitted"


def test_a_new_plan_rules_the_next_call_and_what_was_used_stays_used(database, shop):
    shop.limit(2)
    verdicts(shop, "ab", at=NOW)
    with database.setup.begin() as connection:
        larger = plan(connection, product="web_builder", tier="business", status="published", published_at=NOON).id
        add(connection, "plan_limits", plan_id=larger, meter="generations", amount=3)
    shop.do("UPDATE subscriptions SET plan_id = :plan, started_at = :at, tier = 'business'", plan=larger, at=NOW - DAY)
    assert verdicts(shop, "cd", at=NOW) == ["admitted", "refused"]
    assert shop.used_and_held() == (0, 3)


def test_without_a_plan_nothing_is_allowed_and_what_a_plan_does_not_mention_is_counted(shop):
    assert shop.reserve("a", at=NOW, meters={"api_calls": 7})["limits"][0]["source"] == "none"
    assert shop.used_and_held("api_calls") == (0, 7)
    refused = shop.reserve("b", at=NOW, product="craft_ads")
    assert (refused["verdict"], refused["because"]) == ("refused", "no plan")
    shop.do("UPDATE subscriptions SET status = 'cancelled'")
    assert shop.reserve("c", at=NOW)["because"] == "no plan"


def test_a_refusal_can_be_shown_as_it_is(database, shop):
    shop.limit(500)
    with database.setup.begin() as connection:
        for tier, price, amount in (("business", 49, 1000), ("agency", 149, None), ("starter", 29, 300)):
            one = plan(connection, product="web_builder", tier=tier, name=tier.title(), price=price, status="published",
                published_at=NOON)  # fmt: skip
            add(connection, "plan_limits", plan_id=one.id, meter="generations", amount=amount)
    refused = shop.reserve("a", at=NOW, meters={"generations": 501})
    shown = refused["degrade"]
    assert shown["action"] == "preview"
    assert shown["title"] == "All 500 generations of this month are used."
    assert shown["prompt"] == "Business has 1,000 generations."
    assert (shown["upgrade"]["tier"], shown["upgrade"]["price"], shown["again_at"]) == (
        "business", 49, "2026-03-15T00:00:00+00:00",
    )  # fmt: skip
    assert shop.reserve("b", at=NOW, meters={"generations": 500})["verdict"] == "admitted"


def movements(shop):
    return shop.ask("SELECT type, amount, balance_after FROM credit_transactions ORDER BY position")


def test_credits_are_taken_when_held_and_given_back_where_not_used(shop):
    shop.limit(10)
    shop.add("credit_transactions", workspace_id=shop.workspace, user_id=shop.owner, amount=10, type="grant",
        position=1, balance_after=10)  # fmt: skip
    assert shop.reserve("a", at=NOW, paid=6)["verdict"] == "admitted"
    refused = shop.reserve("b", at=NOW, paid=5)
    assert (refused["because"], refused["degrade"]["title"]) == ("credits", "This takes 5 credits, and 4 are left.")
    assert shop.used_and_held() == (0, 1)
    shop.settle("a", at=NOW, paid=2)
    shop.reserve("c", at=NOW, paid=8)
    shop.expire(NOW + DAY)
    shop.settle("c", at=NOW + DAY, paid=7)
    moves = [
        ("grant", 10, 10),
        ("usage", -6, 4),
        ("refund", 4, 8),
        ("usage", -8, 0),
        ("refund", 8, 8),
        ("usage", -7, 1),
    ]
    assert movements(shop) == moves
    assert shop.wrong_sums() == []


def test_what_can_not_be_asked_is_refused_in_a_sentence(shop, database):
    with database.setup.begin() as connection:
        stranger = user(connection).id
        elsewhere = workspace(connection, owner_id=stranger).id
    for wanted in ({"generations": 0}, {"generations": -1}, {"generations": 1.5}, {"generations": "1"}, {"x" * 9: 1}):
        with pytest.raises(DBAPIError, match=r"whole number above zero|meter_is_known"):
            shop.reserve("a", meters=wanted)
    with pytest.raises(DBAPIError, match="under a key"):
        shop.reserve("")
    with pytest.raises(DBAPIError, match="not in this workspace"):
        shop.reserve("a", customer=stranger)
    with pytest.raises(DBAPIError, match="Nothing was reserved"):
        shop.settle("never")
    shop.workspace, mine = elsewhere, shop.workspace
    with pytest.raises(DBAPIError, match="not one of this transaction"):
        shop.call("SELECT quota_reserve(:mine, NULL, 'web_builder', '{\"generations\": 1}', 'k')", mine=mine)


def budget(shop, amount):
    return shop.add("budgets", name="All", scope="workspace", workspace_id=shop.workspace, amount=amount,
        at_limit="block")  # fmt: skip


def test_a_budget_that_is_full_blocks_the_call_and_nothing_is_held(shop):
    """Of one dollar, sixty cents are held: the next sixty are too much, forty are not."""
    shop.limit(10)
    budget(shop, 1)
    call = {"provider": "openai", "generation_type": "component", "estimated_cost": "0.60"}
    assert shop.reserve("a", call=call)["verdict"] == "admitted"
    refused = shop.reserve("b", call=call)
    assert (refused["verdict"], refused["because"], refused["degrade"]["action"]) == ("refused", "budget", "preview")
    assert shop.used_and_held() == (0, 1)
    assert shop.reserve("c", call=call | {"estimated_cost": "0.40"})["verdict"] == "admitted"
    shop.settle("a", cost=Decimal("0.10"))
    assert shop.reserve("d", call=call | {"estimated_cost": "0.50"})["verdict"] == "admitted"
    assert shop.reserve("e", call=call | {"estimated_cost": "0.01"})["verdict"] == "refused"
    shop.release("c")
    assert shop.reserve("e", call=call | {"estimated_cost": "0.01"})["verdict"] == "admitted"
    assert shop.wrong_sums() == []


def test_two_workspaces_that_reserve_before_either_has_committed_share_the_companys_budget(shop):
    """They have no balance in common: the budget alone puts one after the other."""
    elsewhere = make_shop(shop.database, tier="agency")
    for one in (shop, elsewhere):
        one.limit(10)
    shop.add("budgets", name="All", scope="company", amount=1, at_limit="block")
    start = threading.Barrier(2)

    def reserve(one):
        start.wait()
        with seeing(one.database.rw, [one.workspace]) as connection:
            answer = connection.scalar(
                text(
                    "SELECT quota_reserve(:workspace, :customer, 'web_builder', '{\"generations\": 1}', 'a', :call)"
                ),
                {"workspace": one.workspace, "customer": one.owner,
                 "call": json.dumps({"provider": "openai", "generation_type": "component", "estimated_cost": "0.60"})},
            )  # fmt: skip
            connection.execute(text("SELECT pg_sleep(0.2)"))
        return answer["verdict"]

    with ThreadPoolExecutor(2) as threads:
        assert sorted(threads.map(reserve, (shop, elsewhere))) == ["admitted", "refused"]
    assert shop.wrong_sums() == []


def test_an_emergency_stop_stops_calls_of_models_and_no_others(shop):
    shop.limit(10)
    shop.add("ai_stops", scope="all", reason="A runaway.")
    refused = shop.reserve("a")
    assert (refused["verdict"], refused["because"]) == ("refused", "stop")
    assert shop.reserve("b", meters={"campaigns": 1})["verdict"] == "admitted"
    assert shop.used_and_held() == (0, 0)
