"""Costs that were computed by hand, per provider and edge; and what has no price, which costs an unknown amount."""

from datetime import UTC, datetime, timedelta
from decimal import Decimal

import pytest

from app.money import anthropic, google, openai
from app.money.pricing import Book, Call, Price, Priced, total
from app.money.units import Unit, Usage, counted

BEGAN = datetime(2026, 1, 1, tzinfo=UTC)
MIDNIGHT = datetime(2026, 6, 1, tzinfo=UTC)
NOON = datetime(2026, 3, 1, 12, tzinfo=UTC)
TOKENS = ("input", "cached_input", "cache_write_5m", "cache_write_1h", "output", "reasoning")


def of_model(provider, model, dollars, **more):
    """Prices of a million of each kind of token, in the order above."""
    return [
        Price(provider, model, Unit(unit), Decimal(price), 1_000_000, **{"valid_from": BEGAN, **more})
        for unit, price in zip(TOKENS, dollars, strict=True)
        if price is not None
    ]


def of_unit(provider, model, unit, dollars, **more):
    return Price(provider, model, Unit(*unit), Decimal(dollars), 1, **{"valid_from": BEGAN, **more})


PRICES = [
    *of_model("openai", "gpt-4o", ("5", "2.5", None, None, "15", "15"), valid_to=MIDNIGHT),
    *of_model("openai", "gpt-4o", ("2.5", "1.25", None, None, "10", "10"), valid_from=MIDNIGHT, version=2),
    *of_model("openai", "gpt-4o", ("1.25", "0.625", None, None, "5", "5"), service_tier="batch"),
    *of_model("openai", "gpt-4o", ("4.25", "2.125", None, None, "17", "17"), service_tier="priority"),
    *of_model("anthropic", "claude-sonnet", ("3", "0.3", "3.75", "6", "15", "15")),
    of_unit("anthropic", "claude-sonnet", ("tool_call", "web_search"), "0.01"),
    *of_model("google", "gemini-pro", ("1.25", "0.125", None, None, "10", "10")),
    *of_model("google", "gemini-pro", ("2.5", "0.25", None, None, "15", "15"), context_from=200_001),
    of_unit("openai", "dall-e-3", ("image", "1024x1024/standard"), "0.04"),
    of_unit("openai", "dall-e-3", ("image", "1024x1024/hd"), "0.08"),
    of_unit("google", "imagen", ("image",), "0.04"),
    of_unit("google", "imagen", ("image", "4k"), "0.06"),
    of_unit("google", "veo", ("video_second", "1080p"), "0.4"),
    of_unit("openai", "whisper", ("audio_second",), "0.0001"),
]
BOOK = Book(PRICES)


def cost(provider, model, usage, at=NOON, **more):
    priced = BOOK.price(Call(provider, model, at, usage, **more))
    assert priced.unpriced_because is None
    return priced.cost


def openai_tokens(read, cached, written, thought=0, tier=None):
    return openai.chat(
        {
            "prompt_tokens": read,
            "prompt_tokens_details": {"cached_tokens": cached},
            "completion_tokens": written,
            "completion_tokens_details": {"reasoning_tokens": thought},
        },
        service_tier=tier,
    )


def gemini(read, cached=0, written=0):
    return google.generate(
        {"promptTokenCount": read, "cachedContentTokenCount": cached, "candidatesTokenCount": written}
    )


def sonnet(**counts):
    [usage] = anthropic.messages({"input_tokens": 0, "output_tokens": 0, **counts})
    return usage


def compacted():
    """A request of two samplings: the counts above are those of the message alone."""
    return anthropic.messages(
        {
            "input_tokens": 23_000,
            "output_tokens": 1_000,
            "iterations": [
                {"type": "compaction", "input_tokens": 180_000, "output_tokens": 3_500},
                {"type": "message", "input_tokens": 23_000, "output_tokens": 1_000},
            ],
        }
    )


# Dollars for a million are millionths of a dollar for one: 1,000 tokens at $5 are $0.005.
COMPUTED = {
    "OpenAI: 400 read, 600 of the cache, 300 written, of them 200 thought": (
        "openai", "gpt-4o", openai_tokens(1000, 600, 300, 200), "0.008"),  # 0.002 + 0.0015 + 0.0045
    "OpenAI: a batch costs what its own rows say": (
        "openai", "gpt-4o", openai_tokens(1000, 600, 300, tier="batch"), "0.002375"),  # 0.0005 + 0.000375 + 0.0015
    "OpenAI: priority costs more than standard": (
        "openai", "gpt-4o", openai_tokens(1000, 0, 100, tier="priority"), "0.00595"),  # 0.00425 + 0.0017
    "OpenAI: two pictures in high definition": (
        "openai", "dall-e-3", openai.images(2, size="1024x1024", quality="hd"), "0.16"),
    "OpenAI: two seconds and a half that were heard": (
        "openai", "whisper", openai.transcription({"type": "duration", "seconds": 2.5}), "0.00025"),
    "Anthropic: read beside the cache": (
        "anthropic", "claude-sonnet", sonnet(input_tokens=400, cache_read_input_tokens=600), "0.00138"),
    "Anthropic: written to the cache for minutes": (
        "anthropic", "claude-sonnet", sonnet(cache_creation_input_tokens=1000), "0.00375"),
    "Anthropic: half of it for an hour": (
        "anthropic", "claude-sonnet",
        sonnet(cache_creation_input_tokens=1000,
               cache_creation={"ephemeral_5m_input_tokens": 500, "ephemeral_1h_input_tokens": 500}),
        "0.004875"),  # 0.001875 + 0.003
    "Anthropic: thinking is output": (
        "anthropic", "claude-sonnet",
        sonnet(output_tokens=300, output_tokens_details={"thinking_tokens": 100}), "0.0045"),
    "Anthropic: two searches at ten dollars a thousand": (
        "anthropic", "claude-sonnet", sonnet(server_tool_use={"web_search_requests": 2}), "0.02"),
    "Google: the last call below the tier": ("google", "gemini-pro", gemini(200_000, written=1000), "0.26"),
    "Google: one token more reprices all of it": ("google", "gemini-pro", gemini(200_001, written=1000), "0.5150025"),
    "Google: cached tokens count towards the tier": (
        "google", "gemini-pro", gemini(200_001, cached=200_000), "0.0500025"),  # 200,000 at 0.25, one at 2.5
    "Google: four pictures of no size": ("google", "imagen", google.images(4), "0.16"),
    "Google: a size with a price of its own": ("google", "imagen", google.images(1, size="4k"), "0.06"),
    "Google: a size without one costs what all do": ("google", "imagen", google.images(1, size="2k"), "0.04"),
    "Google: seven seconds of video": ("google", "veo", google.video(7, kind="1080p"), "2.8"),
    "Anthropic: a compaction reads and writes like a call": (
        "anthropic", "claude-sonnet", compacted()[0], "0.5925"),  # 180,000 at 3 and 3,500 at 15
    "Anthropic: what came of it is charged by its own prompt": (
        "anthropic", "claude-sonnet", compacted()[1], "0.084"),  # 23,000 at 3 and 1,000 at 15
    "Google: half a second of video": ("google", "veo", google.video(Decimal("0.5"), kind="1080p"), "0.2"),
    "nothing used costs nothing": ("openai", "gpt-4o", Usage({}), "0"),
    "one cheap token": ("openai", "gpt-4o", openai_tokens(1, 1, 0), "0.0000025"),
}  # fmt: skip


@pytest.mark.parametrize("name", COMPUTED)
def test_a_call_costs_what_was_computed_by_hand(name):
    provider, model, usage, dollars = COMPUTED[name]
    assert cost(provider, model, usage) == Decimal(dollars)


@pytest.mark.parametrize(
    ("at", "dollars", "version"),
    [
        (MIDNIGHT - timedelta(microseconds=1), "5", 1),
        (MIDNIGHT, "2.5", 2),
        (MIDNIGHT.astimezone(tz=None), "2.5", 2),
        (datetime.fromisoformat("2026-06-01T05:29:59.999999+05:30"), "5", 1),
        (datetime.fromisoformat("2026-06-01T05:30:00+05:30"), "2.5", 2),
    ],
)
def test_a_price_changes_at_midnight_utc_wherever_the_call_was_made(at, dollars, version):
    priced = BOOK.price(Call("openai", "gpt-4o", at, openai_tokens(1_000_000, 0, 0)))
    assert (priced.cost, priced.version) == (Decimal(dollars), version)


def test_a_call_that_runs_while_prices_change_is_priced_by_when_it_began():
    began = MIDNIGHT - timedelta(seconds=20)
    assert cost("openai", "gpt-4o", openai_tokens(1_000_000, 0, 1_000_000), began) == 20


UNPRICED = {
    "a model that is not in the book": (
        "openai", "gpt-9", openai_tokens(1, 0, 0), NOON, "no prices of the model, standard"),
    "nothing used of it": ("openai", "gpt-9", Usage({}), NOON, "no prices of the model, standard"),
    "before its first price": (
        "openai", "gpt-4o", openai_tokens(1, 0, 0), BEGAN - timedelta(days=1), "no prices of the model, standard"),
    "a tier without prices is not a standard one": (
        "openai", "gpt-4o", openai_tokens(1, 0, 0, tier="flex"), NOON, "no prices of the model, flex"),
    "a size without a price": (
        "openai", "dall-e-3", openai.images(1, size="1792x1024", quality="hd"), NOON, "no price of image 1792x1024/hd"),
    "one unit of several": (
        "google", "gemini-pro",
        google.generate({"promptTokenCount": 9, "promptTokensDetails": [{"modality": "AUDIO", "tokenCount": 9}]},
                        searches=1),
        NOON, "no price of audio_input, tool_call web_search"),
}  # fmt: skip


@pytest.mark.parametrize("name", UNPRICED)
def test_what_has_no_price_says_why_and_costs_an_unknown_amount_not_zero(name):
    provider, model, usage, at, reason = UNPRICED[name]
    priced = BOOK.price(Call(provider, model, at, usage))
    assert (priced.cost, priced.version, priced.unpriced_because) == (None, None, reason)


def test_what_the_source_said_stands_beside_what_we_computed():
    usage = openai_tokens(1_000_000, 0, 0)
    priced = BOOK.price(Call("openai", "gpt-4o", NOON, usage, reported_cost=Decimal("4.5")))
    assert (priced.reported_cost, priced.cost, priced.difference) == (Decimal("4.5"), 5, Decimal("0.5"))
    unknown = BOOK.price(Call("openai", "gpt-9", NOON, usage, reported_cost=Decimal("4.5")))
    assert (unknown.reported_cost, unknown.cost, unknown.difference) == (Decimal("4.5"), None, None)


def test_the_lines_of_a_call_add_up_to_its_cost():
    priced = BOOK.price(Call("openai", "gpt-4o", NOON, openai_tokens(1000, 600, 300, 200)))
    assert {str(line.unit): line.amount for line in priced.lines} == {
        "input": Decimal("0.002"),
        "cached_input": Decimal("0.0015"),
        "output": Decimal("0.0015"),
        "reasoning": Decimal("0.003"),
    }
    assert sum(line.amount for line in priced.lines) == priced.cost


def test_the_price_that_began_last_holds_where_two_are_valid():
    """Also when what it was before is approved later: a price list is read by its dates."""
    first = of_model("openai", "gpt-5", ("1", None, None, None, "1", None), version=7)
    later = of_model("openai", "gpt-5", ("2", None, None, None, None, None), valid_from=NOON, version=2)
    ends = NOON + timedelta(days=1)
    a_day = of_model("openai", "gpt-5", (None, None, None, None, "5", None), valid_from=NOON, valid_to=ends)
    usage = Usage(counted(input=1_000_000, output=1_000_000))
    book = Book([*later, *a_day, *first])
    moments = (NOON - timedelta(seconds=1), NOON, ends - timedelta(seconds=1), ends)
    assert [book.price(Call("openai", "gpt-5", at, usage)).cost for at in moments] == [2, 7, 7, 3]


def test_failed_and_repeated_attempts_cost_what_they_used_and_unpriced_ones_are_counted_beside_the_sum():
    attempts = [
        Call("openai", "gpt-4o", NOON, openai_tokens(1000, 0, 0)),
        Call("openai", "gpt-4o", NOON, openai_tokens(1000, 0, 100)),
        Call("openai", "gpt-9", NOON, openai_tokens(1000, 0, 100)),
    ]
    assert total(map(BOOK.price, attempts)) == (Decimal("0.0115"), {"no prices of the model, standard": 1})


def test_a_million_calls_are_added_up_without_losing_a_digit():
    one = Priced(Decimal("0.00002055"), 1, None, (), None)
    assert total([one] * 1_000_000) == (Decimal("20.55"), {})
