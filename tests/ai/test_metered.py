"""Every call of a model reserves first, leaves a row per attempt, and settles with what was really used.

The response's usage: 100 tokens read, 40 of them from the cache, 20 written, 5 of them thought. By the prices of the
fixture that is 60 × 1 + 40 × 0.1 + 15 × 10 + 5 × 10 = 264 millionths of a dollar.
"""

import json
from dataclasses import replace
from decimal import Decimal

import pytest

from app.ai.asked import AiCallError, AiOffError
from app.money.ledger import usage_in
from app.quotas.answers import Refused
from tests.ai.server import USAGE, chunk, raw, refusal, silence, stream, whole

COST = Decimal("0.000264")
NO_USAGE = "no price of unreported_usage"


def ask(studio, *steps, **values):
    studio.server.steps = list(steps)
    return studio.client.ask(studio.asked(**values))


def fails(studio, *steps, match):
    with pytest.raises(AiCallError, match=match):
        ask(studio, *steps)


def nothing_is_used_or_held(studio):
    assert studio.shop.used_and_held() == (0, 0)
    assert studio.shop.wrong_sums() == []


def nobody_knows_what_it_cost(studio):
    """The most that it may have cost stays held for a while, so that no budget takes it for nothing at once."""
    assert (studio.spent(), studio.held_dollars()) == (0, Decimal("0.000522"))


def what_is_known_is_spent(studio):
    """What a lost attempt cost stands in the ledger as not known, and nothing is held for it any more."""
    assert (studio.spent(), studio.held_dollars()) == (COST, 0)


def one_is_used(studio):
    assert studio.shop.used_and_held() == (1, 0)
    assert studio.shop.wrong_sums() == []


def test_an_answer_is_settled_with_its_own_usage_and_priced_at_once(studio):
    done = ask(studio, whole())
    assert (done.text, done.cost, done.attempts) == ("Hello there.", COST, 1)
    assert studio.rows() == [(1, "completed", None, COST, None)]
    kept = "input_tokens, cached_input_tokens, output_tokens, reasoning_tokens, price_version, more_units"
    assert studio.rows(kept) == [(60, 40, 15, 5, 1, {})]
    one_is_used(studio)
    assert (studio.spent(), studio.held_dollars()) == (COST, 0)
    [(path, key, body)] = studio.server.asked
    assert (path, body["model"], body["max_completion_tokens"]) == ("/v1/chat/completions", "m", 50)
    assert studio.shop.ask("SELECT CAST(request_key AS TEXT) FROM ai_generations") == [(key,)]


def test_while_a_call_runs_quota_and_the_most_that_it_may_cost_are_held(studio):
    """Six bytes and sixteen for the frame are read at most, and fifty tokens written: 22 × 1 + 50 × 10 millionths."""
    seen = []

    def look(handler):
        seen.append((studio.shop.used_and_held(), studio.held_dollars(), studio.rows()))
        whole()(handler)

    ask(studio, look)
    assert seen == [((0, 1), Decimal("0.000522"), [(1, "processing", None, None, None)])]


def test_a_stream_comes_in_pieces_and_is_settled_with_the_usage_at_its_end(studio):
    studio.server.steps = [stream(chunk("Hel"), chunk("lo."), chunk(finish="stop"), chunk(usage=USAGE))]
    pieces = studio.client.stream(studio.asked())
    assert list(pieces) == ["Hel", "lo."]
    assert (pieces.done.text, pieces.done.cost) == ("Hello.", COST)
    assert studio.server.asked[0][2]["stream_options"] == {"include_usage": True}
    assert studio.rows() == [(1, "completed", None, COST, None)]
    one_is_used(studio)
    assert studio.held_dollars() == 0


def test_too_many_requests_is_tried_again_after_as_long_as_the_server_asks_for(studio):
    done = ask(studio, refusal(429, ("Retry-After", "7")), refusal(503), whole())
    assert (done.cost, done.attempts) == (COST, 3)
    assert studio.waits[0] == 7
    assert 0 < studio.waits[1] <= 2
    assert studio.rows() == [(1, "failed", "429", 0, None), (2, "failed", "503", 0, None),
        (3, "completed", None, COST, None)]  # fmt: skip
    assert len({key for _, key, _ in studio.server.asked}) == 1
    one_is_used(studio)
    assert (studio.spent(), studio.held_dollars()) == (COST, 0)


def test_nobody_waits_for_minutes_before_a_screen(studio):
    fails(studio, refusal(429, ("Retry-After", "3600")), match="429")
    assert (studio.waits, len(studio.rows())) == ([], 1)
    nothing_is_used_or_held(studio)


def test_errors_of_the_server_end_after_three_attempts_and_cost_nothing(studio):
    fails(studio, refusal(500), refusal(500), refusal(500), match="3 attempts")
    assert studio.rows() == [(number, "failed", "500", 0, None) for number in (1, 2, 3)]
    nothing_is_used_or_held(studio)
    assert (studio.spent(), studio.held_dollars()) == (0, 0)


def test_a_request_that_is_wrong_is_not_tried_again(studio):
    fails(studio, refusal(400), match="400: .*This is 400")
    assert studio.rows() == [(1, "failed", "400", 0, None)]
    nothing_is_used_or_held(studio)


def test_a_timeout_is_tried_again_and_what_it_used_is_not_taken_for_nothing(studio):
    studio.access = {"timeout_seconds": 0.3}
    done = ask(studio, silence(0.9), whole())
    assert done.cost == COST
    assert studio.rows() == [(1, "failed", "timeout", None, NO_USAGE), (2, "completed", None, COST, None)]
    one_is_used(studio)
    what_is_known_is_spent(studio)
    studio.shop.do("SELECT price_new_ai_calls(now() - interval '1 day')")
    assert studio.rows("cost, unpriced_because")[0] == (None, NO_USAGE)


def test_a_server_that_is_not_there_used_nothing(studio):
    studio.access = {"base_url": "http://127.0.0.1:9/v1"}
    fails(studio, match="connection was lost")
    assert studio.rows() == [(number, "failed", "connection", 0, None) for number in (1, 2, 3)]
    nothing_is_used_or_held(studio)
    assert studio.held_dollars() == 0


def test_a_connection_that_is_cut_before_the_answer_is_tried_again(studio):
    done = ask(studio, lambda handler: setattr(handler, "close_connection", True), whole())
    assert studio.rows() == [(1, "failed", "connection", None, NO_USAGE), (2, "completed", None, COST, None)]
    assert done.attempts == 2
    one_is_used(studio)
    what_is_known_is_spent(studio)


@pytest.mark.parametrize("ends", [True, False])
def test_a_stream_that_is_cut_takes_nothing_of_the_quota_and_stays_unpriced(studio, ends):
    """In the middle of an event, or between two, where it looks like an end."""
    studio.server.steps = [stream(chunk("Hel"), ends=ends)]
    pieces = studio.client.stream(studio.asked())
    with pytest.raises(AiCallError, match="connection was lost"):
        list(pieces)
    assert studio.rows() == [(1, "failed", "connection", None, NO_USAGE)]
    assert studio.rows("result_data") == [({"text": "Hel"},)]
    nothing_is_used_or_held(studio)
    nobody_knows_what_it_cost(studio)


def test_a_stream_is_tried_again_only_before_its_first_piece(studio):
    studio.server.steps = [stream(ends=False), stream(chunk("Hi"), chunk(finish="stop"), chunk(usage=USAGE))]
    pieces = studio.client.stream(studio.asked())
    assert list(pieces) == ["Hi"]
    assert [row[1] for row in studio.rows()] == ["failed", "completed"]
    one_is_used(studio)


def test_a_stream_that_nobody_reads_to_its_end_counts_as_used(studio):
    studio.server.steps = [stream(chunk("Hel"), chunk("lo."), chunk(finish="stop"), chunk(usage=USAGE))]
    reading = iter(studio.client.stream(studio.asked()))
    assert next(reading) == "Hel"
    reading.close()
    assert studio.rows() == [(1, "cancelled", "left", None, NO_USAGE)]
    assert studio.shop.ask("SELECT unpriced_count FROM ai_cost_tracking") == [(1,)]
    one_is_used(studio)
    nobody_knows_what_it_cost(studio)


@pytest.mark.parametrize(
    "body", [b"{", b"<html>Bad gateway</html>", b"[]", b'"text"', json.dumps({"object": "chat.completion"}).encode()]
)
def test_a_body_that_can_not_be_read_is_tried_again(studio, body):
    done = ask(studio, raw(body), whole())
    assert studio.rows() == [(1, "failed", "malformed", None, NO_USAGE), (2, "completed", None, COST, None)]
    assert done.attempts == 2
    one_is_used(studio)
    what_is_known_is_spent(studio)


@pytest.mark.parametrize(
    "usage",
    [
        None,
        {},
        USAGE | {"total_tokens": 999},
        USAGE | {"prompt_tokens": -1, "total_tokens": 19},
        USAGE | {"prompt_tokens_details": {"cached_tokens": 500}},
        USAGE | {"new_kind_tokens": 7},
        USAGE | {"prompt_tokens": "many"},
    ],
)
def test_an_answer_with_wrong_usage_is_an_answer_and_stays_unpriced(studio, usage):
    done = ask(studio, whole(usage=usage))
    assert (done.text, done.cost, done.unpriced_because) == ("Hello there.", None, NO_USAGE)
    assert studio.rows() == [(1, "completed", "usage", None, NO_USAGE)]
    one_is_used(studio)
    nobody_knows_what_it_cost(studio)


def test_limits_answer_before_any_call_is_made(studio):
    for _ in range(3):
        ask(studio, whole())
    refused = ask(studio)
    assert isinstance(refused, Refused)
    assert (refused.because, refused.instead.action) == ("limit", "preview")
    assert refused.instead.title == "All 3 generations of this month are used."
    assert isinstance(studio.client.stream(studio.asked()), Refused)
    assert (len(studio.server.asked), len(studio.rows())) == (3, 3)


def test_a_budget_that_the_call_could_pass_refuses_it_before_it_is_made(studio):
    """The smallest budget is more than a call of 522 millionths; one of a thousand tokens may cost a cent."""
    studio.shop.add("budgets", name="All", scope="workspace", workspace_id=studio.shop.workspace,
        amount=Decimal("0.0100"), at_limit="block")  # fmt: skip
    refused = ask(studio, most_tokens=1_000)
    assert (refused.because, refused.instead.action) == ("budget", "preview")
    assert ask(studio, whole()).cost == COST
    assert len(studio.server.asked) == 1


def test_a_model_without_a_price_is_refused_unless_somebody_set_a_ceiling(studio):
    refused = ask(studio, model="unheard-of")
    assert (refused.because, refused.instead.title) == ("no price", "Nobody has said yet what unheard-of costs.")
    assert studio.server.asked == []
    studio.access = {"unpriced_ceiling": Decimal(1)}
    done = ask(studio, whole(), model="unheard-of")
    assert (done.cost, done.unpriced_because) == (None, "no prices of the model, standard")
    assert studio.held_dollars() == 1


def test_asked_again_under_its_key_a_request_gets_its_answer_and_is_not_made_again(studio):
    asked = studio.asked()
    studio.server.steps = [whole()]
    first, again = studio.client.ask(asked), studio.client.ask(asked)
    assert again == replace(first, is_replay=True)
    assert list(studio.client.stream(asked)) == ["Hello there."]
    assert (len(studio.server.asked), len(studio.rows())) == (1, 1)
    one_is_used(studio)


def test_a_request_whose_process_was_killed_is_made_again_under_the_same_key(studio):
    """The killed attempt's row stays as one of which nobody knows what it used."""

    class KilledError(BaseException):
        """What a test can do instead of a kill."""

    def kill(_seconds):
        raise KilledError

    asked = studio.asked()
    studio.server.steps = [refusal(500)]
    killed = studio.client
    killed._sleep = kill
    with pytest.raises(KilledError):
        killed.ask(asked)
    assert studio.shop.used_and_held() == (0, 1)
    studio.server.steps = [whole()]
    assert studio.client.ask(asked).attempts == 2
    assert len({key for _, key, _ in studio.server.asked}) == 1
    one_is_used(studio)


def test_a_call_of_a_killed_process_ends_as_one_whose_use_is_not_known(studio):
    """Until then it seems to run, and nobody would look at what it cost."""

    class KilledError(BaseException):
        """What a test can do instead of a kill."""

    def killed(*_arguments, **_named):
        raise KilledError

    client = studio.client
    client._finish = killed
    studio.server.steps = [whole()]
    with pytest.raises(KilledError):
        client.ask(studio.asked())
    assert studio.rows() == [(1, "processing", None, None, None)]
    studio.shop.call("SELECT end_lost_ai_calls()")
    assert studio.rows() == [(1, "processing", None, None, None)]
    studio.shop.call("SELECT end_lost_ai_calls(10, '0 seconds')")
    assert studio.rows() == [(1, "failed", "lost", None, NO_USAGE)]


def test_credits_are_taken_for_an_answer_and_given_back_without_one(studio):
    shop = studio.shop
    shop.add("credit_transactions", workspace_id=shop.workspace, user_id=shop.owner, amount=5, type="grant",
        position=1, balance_after=5)  # fmt: skip
    ask(studio, whole(), credits=3)
    assert shop.ask("SELECT credits_balance FROM users WHERE id = :key", key=shop.owner) == [(2,)]
    with pytest.raises(AiCallError):
        ask(studio, refusal(400), credits=2)
    assert shop.ask("SELECT credits_balance FROM users WHERE id = :key", key=shop.owner) == [(2,)]
    assert studio.rows("credits_used") == [(3,), (0,)]
    assert ask(studio, credits=3).because == "credits"


def test_without_a_key_the_client_says_what_is_off(studio):
    studio.access = {"key": ""}
    with pytest.raises(AiOffError, match="OPENAI_API_KEY is not set"):
        ask(studio)
    assert studio.rows() == []


def test_what_the_ledger_keeps_of_an_unknown_use_is_read_back_as_unknown(studio):
    ask(studio, whole(usage=None))
    columns = ("input_tokens, cached_input_tokens, cache_write_tokens, cache_write_1h_tokens, output_tokens,"
        " reasoning_tokens, images, image_size, image_quality, audio_seconds, video_seconds, tool_calls, more_units,"
        " service_tier")  # fmt: skip
    names = [name.strip() for name in columns.split(",")]
    [row] = studio.rows(columns)
    assert [str(unit) for unit in usage_in(dict(zip(names, row, strict=True))).units] == ["unreported_usage"]
