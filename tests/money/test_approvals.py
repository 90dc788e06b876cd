"""Prices are proposed by lists and approved by people who saw the effect; the calls of open months follow."""

import socket
from datetime import UTC, date, datetime, timedelta
from decimal import Decimal

import pytest
from genai_prices.data_snapshot import get_snapshot
from sqlalchemy import text

from app.access import NotPermittedError, Role, Viewer, operator
from app.commands import closes, prices
from app.commands.stale import StaleEditError
from app.commands.team import add_member
from app.money.listed import listed, package
from app.money.pricing import Price
from app.money.proposals import Listed, proposed
from app.money.units import Unit
from db.errors import SightlineError
from tests.db.rows import NOON, add, user, workspace
from tests.servers import PROJECT

MONTH = NOON.date().replace(day=1)
BEGAN = datetime(MONTH.year, MONTH.month, 1, tzinfo=UTC)


@pytest.fixture
def home(database):
    """A workspace and its customer."""
    with database.setup.begin() as connection:
        customer = user(connection).id
        return workspace(connection, owner_id=customer, slug="acme").id, customer


@pytest.fixture
def finance(database, home):
    return operator(database.pipe, "Fin of finance")


def call(database, home, **values):
    with database.setup.begin() as connection:
        return add(
            connection, "ai_generations", workspace_id=home[0], user_id=home[1],
            **{"product": "mailer", "provider": "openai", "model": "gpt-4o", "generation_type": "email",
               "status": "completed", "created_at": NOON, "input_tokens": 1_000_000, **values},
        ).id  # fmt: skip


def proposal(database, dollars, **values):
    with database.rw.begin() as connection:
        return connection.scalar(
            text(
                "INSERT INTO ai_prices (provider, model, unit, price, valid_from, source, context_from, variant, per)"
                " VALUES ('openai', :model, :unit, :price, :since, 'test', :context, '', 1000000) RETURNING id"
            ),
            {"model": "gpt-4o", "unit": "input", "price": dollars, "since": BEGAN, "context": 0, **values},
        )


def asked(database, question):
    with database.setup.connect() as connection:
        return connection.execute(text(question)).all()


def costs(database):
    return asked(database, "SELECT cost, price_version, unpriced_because FROM ai_generations ORDER BY created_at, id")


# --- Lists ------------------------------------------------------------------------------------------------------------


def of(found, **wanted):
    """Dollars and quantities of the listed prices that have these."""
    return [
        (one.price, one.per, one.valid_from and one.valid_from.date(), one.valid_to and one.valid_to.date())
        for one in found.prices
        if all(getattr(one, name) == value for name, value in wanted.items())
    ]


def test_the_package_gives_eras_tiers_and_what_is_charged_as_something_else():
    found = listed("openai", "o3")
    cut = date(2025, 6, 10)
    assert of(found, unit=Unit("input"), service_tier="standard") == [
        (10, 1_000_000, None, cut),
        (2, 1_000_000, cut, None),
    ]
    assert of(found, unit=Unit("reasoning"), service_tier="flex") == [(4, 1_000_000, date(2026, 10, 12), None)]
    assert of(found, unit=Unit("tool_call", "web_search"), service_tier="standard")[-1] == (10, 1000, cut, None)
    assert found.left_out == ("o3: prices for {'service_tier': 'fast'} have no tier here.",)


def test_the_packages_context_tiers_begin_above_their_number_and_ours_at_it():
    found = listed("google", "gemini-2.5-pro")
    inputs = [one for one in found.prices if one.unit == Unit("input") and one.service_tier == "standard"]
    assert [(one.context_from, one.price) for one in inputs] == [(0, Decimal("1.25")), (200_001, Decimal("2.5"))]


def test_models_that_the_package_lacks_are_in_the_reviewed_list_with_their_source():
    found = listed("openai", "dall-e-3")
    assert of(found, unit=Unit("image", "1024x1024/hd")) == [(Decimal("0.08"), 1, date(2023, 11, 6), None)]
    assert all(one.reference.startswith("https://") for one in found.prices)
    for model in ("sora-2", "sora-2-pro"):
        assert listed("openai", model).prices
    for model in ("imagen-4.0-generate-001", "veo-3.0-generate-001"):
        assert listed("google", model).prices
    assert listed("openai", "gpt-none").left_out == ("No list has openai/gpt-none.",)


def test_a_proposal_names_the_packages_version_and_the_digest_of_its_data():
    name, digest = package()
    [first, *_] = listed("openai", "gpt-4o").prices
    assert name == "genai-prices 0.2.3"
    assert (first.source, first.reference) == (name, f"gpt-4o, data {digest}")
    assert len(digest) == 64


def test_lists_are_read_as_they_were_installed_and_nobody_is_asked_for_newer_ones(monkeypatch):
    def refuse(*_):
        raise AssertionError("Somebody was asked.")

    monkeypatch.setattr(socket.socket, "connect", refuse)
    assert listed("anthropic", "claude-haiku-4-5").prices
    told = [path.name for path in (PROJECT / "app").rglob("*.py") if "UpdatePrices" in path.read_text(encoding="utf-8")]
    assert told == []
    assert not get_snapshot().from_auto_update


def test_every_listed_price_of_our_providers_is_exact_for_one_unit():
    """Else it would be left out of every proposal, and say so."""
    for provider in ("openai", "anthropic", "google"):
        for model in ("gpt-4o", "gpt-5", "whisper-1", "claude-haiku-4-5", "claude-haiku-5-5", "gemini-3.1-flash-lite"):
            assert all(one.is_exact for one in listed(provider, model).prices)
    third = Listed("openai", "m", Unit("audio_second"), Decimal(1), 3600, "test", "")
    assert not third.is_exact


def a_listed(dollars, **values):
    return Listed("openai", "m", Unit("input"), Decimal(dollars), 1_000_000, "test", "", **values)


def in_book(dollars, **values):
    return Price("openai", "m", Unit("input"), Decimal(dollars), **{"per": 1_000_000, "valid_from": BEGAN, **values})


NOW = NOON + timedelta(days=3)
TODAY = NOW.replace(hour=0)
CASES = {
    "the book lacks it: from the first use": ([a_listed(2)], [], [(2, NOON.replace(hour=0))]),
    "the book has it": ([a_listed(2)], [in_book(2)], []),
    "the book has it for another quantity": ([a_listed(2)], [in_book("0.002", per=1000)], []),
    "the book differs: from today": ([a_listed(2)], [in_book(3)], [(2, TODAY)]),
    "the list knows when": ([a_listed(2, valid_from=BEGAN)], [in_book(3)], [(2, BEGAN)]),
    "what was over before the first use": ([a_listed(2, valid_to=BEGAN)], [], []),
    "what was over before today is not put over the book": (
        [a_listed(2, valid_to=NOON + timedelta(days=1))],
        [in_book(3)],
        [],
    ),
    "another tier is another price": ([a_listed(2, context_from=9)], [in_book(3)], [(2, NOON.replace(hour=0))]),
    "a context tier that the list has no more costs what it costs below": (
        [a_listed(2)],
        [in_book(2), in_book(5, context_from=9)],
        [(2, TODAY)],
    ),
    "the price that began last is the book's": (
        [a_listed(2)],
        [in_book(2, valid_from=NOON), in_book(3, version=2)],
        [],
    ),
}


@pytest.mark.parametrize("name", CASES)
def test_what_is_proposed_is_what_the_book_does_not_say(name):
    lists, book, expected = CASES[name]
    found = proposed(lists, book, first_used_at=NOON, now=NOW)
    assert [(one.price, one.valid_from) for one in found] == expected


# --- Commands ---------------------------------------------------------------------------------------------------------


def test_models_in_use_are_proposed_once_and_change_nothing_before_somebody_approves(database, finance, home):
    call(database, home)
    call(database, home, model="gpt-unheard-of")
    first = prices.propose(database.rw, finance)
    assert first.count > 10
    assert "No list has openai/gpt-unheard-of." in first.left_out
    assert prices.propose(database.rw, finance).count == 0
    assert prices.book(database.rw, finance) == []
    assert {row.price.version for row in prices.proposals(database.rw, finance)} == {0}
    assert costs(database) == [(None, None, None), (None, None, None)]
    approval = prices.approve(database.rw, finance, [row.id for row in prices.proposals(database.rw, finance)])
    assert (approval.version, approval.corrections) == (1, 0)
    assert set(costs(database)) == {(None, None, None), (Decimal("2.5"), 1, None)}
    assert prices.propose(database.rw, finance).count == 0


def test_an_approval_does_what_was_shown_and_says_so_in_the_audit_log(database, finance, home):
    call(database, home)
    call(database, home, status="failed", attempt=2, input_tokens=500_000)
    prices.approve(database.rw, finance, [proposal(database, 2)])
    key = proposal(database, 3)
    shown = prices.effect(database.rw, finance, [key])
    assert [(one.month, one.calls, one.cost_before, one.cost_after, one.difference) for one in shown] == [
        (MONTH, 2, 3, Decimal("4.5"), Decimal("1.5"))
    ]
    assert [cost for cost, _, _ in costs(database)] == [2, 1]
    approval = prices.approve(database.rw, finance, [key])
    assert (approval.version, approval.calls_rated, approval.effect) == (2, 2, tuple(shown))
    assert sorted(costs(database)) == [(Decimal("1.5"), 2, None), (3, 2, None)]
    [(day, failed)] = asked(database, "SELECT cost, failed_count FROM ai_cost_tracking")
    assert (day, failed) == (Decimal("4.5"), 1)
    approved = "table_name = 'ai_prices' AND action = 'update' AND after ? 'approved_at'"
    said = asked(
        database, f"SELECT actor, reason, after ->> 'version' FROM audit_log WHERE {approved} ORDER BY position"
    )
    assert said == [("Fin of finance", "Prices were approved.", version) for version in "12"]


def test_what_superseded_a_price_is_named_beside_it(database, finance, home):
    first, second = proposal(database, 2), proposal(database, 3)
    prices.approve(database.rw, finance, [first])
    prices.approve(database.rw, finance, [second])
    rows = asked(database, "SELECT id, superseded_by, version FROM ai_prices ORDER BY version")
    assert rows == [(first, second, 1), (second, None, 2)]
    assert [row.id for row in prices.book(database.rw, finance)] == [second]


def test_a_later_price_leaves_earlier_calls_as_they_were(database, finance, home):
    call(database, home)
    call(database, home, created_at=NOON + timedelta(days=1))
    prices.approve(database.rw, finance, [proposal(database, 2)])
    approval = prices.approve(database.rw, finance, [proposal(database, 5, since=NOON + timedelta(hours=12))])
    assert costs(database) == [(2, 1, None), (5, 2, None)]
    assert approval.calls_rated == 1


def test_an_approval_touches_no_call_that_it_does_not_price(database, finance, home):
    """One used nothing, the other nothing of what is new."""
    call(database, home, input_tokens=0, status="failed")
    call(database, home)
    prices.approve(database.rw, finance, [proposal(database, 2)])
    assert prices.approve(database.rw, finance, [proposal(database, 9, unit="output")]).calls_rated == 0
    assert sorted(costs(database)) == [(0, 1, None), (2, 1, None)]


def test_two_approvals_of_one_proposal_are_one(database, finance, home):
    key = proposal(database, 2)
    prices.approve(database.rw, finance, [key])
    with pytest.raises(SightlineError, match="Not all of these are proposals any more"):
        prices.approve(database.rw, finance, [key])
    with pytest.raises(SightlineError, match="Two of the proposals"):
        prices.approve(database.rw, finance, [proposal(database, 2), proposal(database, 3)])


def test_an_approval_is_of_the_amount_that_was_looked_at(database, finance, home):
    """A call of two dollars comes in between; what is less than a cent was not shown either."""
    key = proposal(database, 2)
    call(database, home)
    seen = prices.difference_of(prices.effect(database.rw, finance, [key]))
    call(database, home)
    with pytest.raises(StaleEditError, match="not what was looked at") as refusal:
        prices.approve(database.rw, finance, [key], seen=seen)
    assert "+2.00 USD were shown, and by now it is +4.00" in refusal.value.why
    assert costs(database) == [(None, None, None)] * 2
    done = prices.approve(database.rw, finance, [key], seen=Decimal("4.001"))
    assert (done.version, done.difference) == (1, 4)


def test_a_rejected_proposal_is_gone_for_good_and_the_log_says_why(database, finance, home):
    key = proposal(database, 2)
    with pytest.raises(SightlineError, match="for a reason"):
        prices.reject(database.rw, finance, [key], reason=" ")
    prices.reject(database.rw, finance, [key], reason="An old page.")
    assert prices.proposals(database.rw, finance) == []
    with pytest.raises(SightlineError, match="Not all of these"):
        prices.approve(database.rw, finance, [key])
    said = asked(database, "SELECT reason FROM audit_log WHERE after ? 'rejected_at' AND action = 'update'")
    assert said == [("An old page.",)]


@pytest.mark.parametrize("role", [Role.VIEWER])
def test_who_is_not_of_finance_neither_proposes_nor_approves_nor_closes(database, home, role):
    by = Viewer("Vic", frozenset({role}), frozenset({home[0]}))
    for command in (
        lambda: prices.propose(database.rw, by),
        lambda: prices.effect(database.rw, by, []),
        lambda: prices.approve(database.rw, by, []),
        lambda: prices.reject(database.rw, by, [], reason="No."),
        lambda: closes.close_month(database.rw, by, MONTH),
        lambda: closes.reopen_month(database.rw, by, MONTH, reason="Why not."),
        lambda: prices.book(database.rw, by),
    ):
        with pytest.raises(NotPermittedError):
            command()


def test_somebody_who_is_limited_to_some_workspaces_does_not_price_the_others(database, finance, home):
    member = add_member(
        database.rw, finance, email="lim@team.example", password=None, roles=[Role.FINANCE], workspace_slugs=["acme"]
    )
    limited = Viewer("Lim", frozenset({Role.FINANCE}), frozenset({home[0]}), member)
    key = proposal(database, 2)
    for command in (
        lambda: prices.approve(database.rw, limited, [key]),
        lambda: prices.effect(database.rw, limited, [key]),
        lambda: closes.close_month(database.rw, limited, MONTH),
    ):
        with pytest.raises(NotPermittedError, match="limited to some workspaces"):
            command()
    assert len(prices.proposals(database.rw, limited)) == 1


def test_who_approved_and_who_closed_stands_in_the_row(database, finance, home):
    member = add_member(database.rw, finance, email="fin@team.example", password=None, roles=[Role.FINANCE])
    by = Viewer("Fin", frozenset({Role.FINANCE}), frozenset({home[0]}), member)
    call(database, home)
    prices.approve(database.rw, by, [proposal(database, 2)])
    closes.close_month(database.rw, by, MONTH)
    assert asked(database, "SELECT approved_by FROM ai_prices") == [(member,)]
    assert asked(database, "SELECT closed_by FROM ai_months WHERE closed_at IS NOT NULL") == [(member,)]


def test_the_app_can_neither_approve_past_the_command_nor_edit_what_was_approved(database, finance, home):
    prices.approve(database.rw, finance, [proposal(database, 2)])
    for statement in (
        "UPDATE ai_prices SET price = 1",
        "UPDATE ai_prices SET approved_at = NULL",
        "UPDATE ai_prices SET approved_at = now()",
        "UPDATE ai_prices SET version = 9",
        "UPDATE ai_prices SET valid_to = now()",
        "UPDATE ai_prices SET superseded_by = id",
        "DELETE FROM ai_prices",
        (
            "INSERT INTO ai_prices (provider, model, unit, price, valid_from, source, approved_at)"
            " VALUES ('openai', 'm', 'input', 1, now(), 'me', now())"
        ),
        "SELECT rate_ai_calls('-infinity', 'infinity', NULL, false)",
    ):
        with pytest.raises(Exception, match="permission denied"), database.rw.begin() as connection:
            connection.execute(text(statement))
    with pytest.raises(Exception, match="never edited"), database.setup.begin() as connection:
        connection.execute(text("UPDATE ai_prices SET approved_at = NULL, version = 0"))


def test_a_price_of_one_unit_that_would_be_rounded_is_refused(database):
    with pytest.raises(Exception, match="a_price_of_one_unit_is_exact"), database.rw.begin() as connection:
        connection.execute(
            text(
                "INSERT INTO ai_prices (provider, model, unit, price, per, valid_from, source)"
                " VALUES ('openai', 'm', 'audio_second', 1, 3600, now(), 'test')"
            )
        )
