"""Programs read by the API what their person reads on pages: lists, versions of plans, and whom a move would touch."""

from uuid import uuid4

import pytest
from sqlalchemy import text

from app.commands.catalogue import LOOKS
from app.exports.lists import LISTS
from tests.db.rows import NOON, add, plan, subscription, user, workspace

HERE = "/api/v1/lists/"


@pytest.fixture
def sold(owner):
    """A version that two workspaces have, the next one, a limit that is nearly used up, and who sees one of the two."""
    email = f"lin{uuid4().hex[:6]}@team.example"
    with owner.begin() as connection:
        terms = {"product": "craft_ads", "tier": "scale", "currency": "CHF"}
        old = plan(connection, **terms, status="published", published_at=NOON, price=20)
        add(connection, "plan_limits", plan_id=old.id, meter="generations", amount=10)
        new = plan(connection, **terms, price=25)
        homes = []
        for name in ("Acme", "Bolt"):
            buyer = user(connection).id
            homes.append(workspace(connection, owner_id=buyer, name=name))
            subscription(connection, homes[-1].id, buyer, plan=old, currency="CHF", price=20)
        add(connection, "quota_balances", workspace_id=homes[0].id, product="craft_ads", meter="generations",
            period="month", period_start=NOON, limit_amount=10, used=9, opening_used=9)  # fmt: skip
        add(connection, "team_members", email=email, name="Lin", roles=["admin"], workspace_ids=[homes[0].id])
    yield {"old": str(old.id), "new": str(new.id), "homes": homes, "limited": email}
    with owner.begin() as connection:
        connection.execute(
            text(
                "UPDATE plans SET status = 'retired', retired_at = now()"
                " WHERE status = 'published' AND id IN (:old, :new)"
            ),
            {"old": old.id, "new": new.id},
        )


def rows(caller, name, **asked):
    answer = caller.post(HERE + name, json=asked)
    assert answer.status_code == 200, answer.text
    return answer.json()["rows"]


def test_the_addresses_tell_which_lists_and_looks_there_are(program):
    lists = program().get("/api/v1/lists").json()["lists"]
    assert {one["name"]: one["narrowed_by"] for one in lists} == {
        name: sorted(one.narrowed_by) for name, one in LISTS.items()
    }
    looks = {one["name"]: one for one in program().get("/api/v1/looks").json()["looks"]}
    assert looks.keys() == LOOKS.keys()
    assert looks["plans.whom_it_touches"]["arguments"]["required"] == ["from_plan", "to_plan"]
    assert program("vic@team.example").get("/api/v1/looks").json() == {"looks": []}


def test_versions_and_their_limits_are_read_with_a_token_that_only_reads(program, sold):
    caller = program(only_reads=True)
    [old] = [one for one in rows(caller, "plans") if one["id"] == sold["old"]]
    assert (old["price"], old["currency"], old["subscribers"]) == ("20.0000", "CHF", 2)
    assert [one["workspace"] for one in rows(caller, "plan_subscribers", narrowed={"plan": [sold["old"]]})] == [
        "Acme", "Bolt",
    ]  # fmt: skip
    told = caller.post("/api/v1/looks/plans.show", json={"key": sold["old"]}).json()["answer"]
    assert told["terms"]["limits"]["generations month"]["amount"] == 10


def test_quotas_are_read_with_what_is_left_of_them(program, sold):
    acme = sold["homes"][0]
    limits = rows(program(), "quota_limits", narrowed={"workspace": [acme.slug]})
    [one] = [limit for limit in limits if limit["meter"] == "generations"]
    assert (one["amount"], one["used"]) == (10, 9)
    close = rows(program(), "close_quotas", narrowed={"workspace": [acme.slug]})
    assert [(one["workspace"], one["meter"]) for one in close] == [("Acme", "generations")]


def test_a_program_sees_whom_a_move_would_touch_and_moves_exactly_those(program, owner, sold):
    caller = program()
    with owner.begin() as connection:
        connection.execute(
            text("UPDATE plans SET status = 'retired', retired_at = now() WHERE id = :id"), {"id": sold["old"]}
        )
        connection.execute(
            text("UPDATE plans SET status = 'published', published_at = now() WHERE id = :id"), {"id": sold["new"]}
        )
    between = {"from_plan": sold["old"], "to_plan": sold["new"]}
    offer = caller.post("/api/v1/looks/plans.whom_it_touches", json=between).json()["answer"]
    assert [(one["workspace"], one["price_after"]) for one in offer["touched"]] == [
        ("Acme", "25.0000"), ("Bolt", "25.0000"),
    ]  # fmt: skip
    asked = between | {"when": "at once", "reason": "One price"}
    assert caller.post("/api/v1/commands/plans.move_subscriptions", json=asked | {"seen": "x"}).status_code == 409
    moved = caller.post("/api/v1/commands/plans.move_subscriptions", json=asked | {"seen": offer["seen"]})
    assert moved.json()["answer"]["moved"] == 2


def test_who_sees_one_workspace_reads_of_it_alone_and_is_shown_no_move(program, sold):
    caller = program(sold["limited"])
    named = {"plan": [sold["old"]]}
    assert [one["workspace"] for one in rows(caller, "plan_subscribers", narrowed=named)] == ["Acme"]
    [old] = [one for one in rows(caller, "plans") if one["id"] == sold["old"]]
    assert old["subscribers"] == 1
    assert rows(caller, "quota_limits", narrowed={"workspace": [sold["homes"][1].slug]}) == []
    between = {"from_plan": sold["old"], "to_plan": sold["new"]}
    refused = caller.post("/api/v1/looks/plans.whom_it_touches", json=between)
    assert (refused.status_code, "limited to some workspaces" in refused.json()["why"]) == (403, True)


@pytest.mark.parametrize("name", ["plans", "plan_approvals", "quota_overrides", "quota_holds", "service_limits"])
def test_who_may_not_read_a_list_on_its_page_does_not_read_it_here(program, name):
    refused = program("vic@team.example").post(HERE + name, json={})
    assert (refused.status_code, "may not do this" in refused.json()["what"]) == (403, True)


def test_a_viewer_is_shown_no_plan(program, sold):
    refused = program("vic@team.example").post("/api/v1/looks/plans.show", json={"key": sold["old"]})
    assert refused.status_code == 403


def test_a_long_list_is_read_page_by_page(program):
    """The newest first, each row once, and no further than its end."""
    caller, seen, after = program(), [], None
    for _ in range(4):
        told = caller.post(HERE + "audit", json={"limit": 2, "after": after}).json()
        seen += [one["position"] for one in told["rows"]]
        after = told["next"]
    assert seen == sorted(set(seen), reverse=True)
    assert len(seen) == 8
    assert told["receipt"]["sql"].startswith(("SELECT", "WITH", "--"))


@pytest.mark.parametrize(
    ("name", "asked", "says"),
    [
        ("plans", {"limit": 0}, "limit"),
        ("plans", {"limit": 1001}, "limit"),
        ("plans", {"narrowed": {"plan": ["x"]}}, "is not narrowed by plan"),
        ("plan_subscribers", {}, "a key"),
        ("plan_subscribers", {"narrowed": {"plan": ["x"]}}, "a key"),
        ("audit", {"after": "yesterday"}, "place"),
        ("plans", {"workspaces": []}, "workspaces"),
    ],
)
def test_what_is_asked_wrongly_is_refused_in_words(program, name, asked, says):
    refused = program().post(HERE + name, json=asked)
    assert refused.status_code == 400
    assert says in refused.json()["what"] + refused.json()["why"]


def test_a_list_is_asked_with_post_and_an_unknown_one_is_not_there(program):
    assert program().get(HERE + "plans").status_code == 405
    assert program().post("/api/v1/lists", json={}).status_code == 405
    assert program().post(HERE + "secrets", json={}).status_code == 404
    assert program().post("/api/v1/looks/plans.retire", json={}).status_code == 404
