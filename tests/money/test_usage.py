"""What providers say was used becomes units of which none is part of another, or an error; nothing is passed over."""

from decimal import Decimal

import pytest

from app.money import anthropic, google, openai
from app.money.ledger import columns_of, usage_in
from app.money.reported import UsageError
from app.money.units import Unit, Usage


def told(usage):
    """Units by name, as a test writes them."""
    return {str(unit): int(quantity) for unit, quantity in usage.units.items()}


OPENAI_CHAT = {
    "prompt_tokens": 1000,
    "completion_tokens": 300,
    "total_tokens": 1300,
    "prompt_tokens_details": {"cached_tokens": 600, "audio_tokens": 0},
    "completion_tokens_details": {
        "reasoning_tokens": 200,
        "audio_tokens": 0,
        "accepted_prediction_tokens": 5,
        "rejected_prediction_tokens": 7,
    },
}
ANTHROPIC = {
    "input_tokens": 400,
    "cache_read_input_tokens": 600,
    "cache_creation_input_tokens": 70,
    "cache_creation": {"ephemeral_5m_input_tokens": 50, "ephemeral_1h_input_tokens": 20},
    "output_tokens": 300,
    "output_tokens_details": {"thinking_tokens": 100},
    "service_tier": "standard",
    "server_tool_use": {"web_search_requests": 2, "web_fetch_requests": 9},
}
GOOGLE = {
    "promptTokenCount": 1000,
    "cachedContentTokenCount": 600,
    "candidatesTokenCount": 300,
    "thoughtsTokenCount": 200,
    "toolUsePromptTokenCount": 10,
    "totalTokenCount": 1510,
    "trafficType": "ON_DEMAND",
}


def test_openais_input_includes_what_was_cached_and_its_output_what_was_thought():
    assert told(openai.chat(OPENAI_CHAT)) == {"input": 400, "cached_input": 600, "output": 100, "reasoning": 200}


def test_a_response_counts_the_same_under_other_names_and_its_searches_apart():
    usage = {
        "input_tokens": 1000,
        "input_tokens_details": {"cached_tokens": 600},
        "output_tokens": 300,
        "output_tokens_details": {"reasoning_tokens": 200},
        "total_tokens": 1300,
    }
    found = openai.response(usage, service_tier="priority", tool_calls={"web_search": 3})
    assert told(found) == {
        "input": 400, "cached_input": 600, "output": 100, "reasoning": 200, "tool_call web_search": 3
    }  # fmt: skip
    assert found.service_tier == "priority"


def test_what_was_heard_and_spoken_is_charged_apart_from_text():
    usage = {
        "prompt_tokens": 100,
        "prompt_tokens_details": {"audio_tokens": 80},
        "completion_tokens": 50,
        "completion_tokens_details": {"audio_tokens": 40},
    }
    assert told(openai.chat(usage)) == {"input": 20, "audio_input": 80, "output": 10, "audio_output": 40}


def test_anthropics_input_leaves_out_the_cache_and_each_lifetime_is_a_unit():
    [found] = anthropic.messages(ANTHROPIC)
    assert told(found) == {
        "input": 400, "cached_input": 600, "cache_write_5m": 50, "cache_write_1h": 20, "output": 200,
        "reasoning": 100, "tool_call web_search": 2,
    }  # fmt: skip
    assert found.tokens_read == 1070


def test_without_lifetimes_a_cache_write_is_one_of_five_minutes():
    [found] = anthropic.messages({"input_tokens": 1, "output_tokens": 1, "cache_creation_input_tokens": 70})
    assert told(found)["cache_write_5m"] == 70


def test_a_compaction_is_a_sampling_of_its_own_that_the_counts_above_leave_out():
    usage = {
        "input_tokens": 23_000,
        "output_tokens": 1_000,
        "iterations": [
            {"type": "compaction", "input_tokens": 180_000, "output_tokens": 3_500},
            {"type": "message", "input_tokens": 23_000, "output_tokens": 1_000},
        ],
    }
    assert [told(one) for one in anthropic.messages(usage)] == [
        {"input": 180_000, "output": 3_500},
        {"input": 23_000, "output": 1_000},
    ]


def test_googles_prompt_includes_what_was_cached_and_thoughts_stand_beside_the_output():
    assert told(google.generate(GOOGLE)) == {"input": 410, "cached_input": 600, "output": 300, "reasoning": 200}


def test_googles_modalities_are_units_and_what_no_list_names_is_text():
    usage = {
        "promptTokenCount": 1000,
        "promptTokensDetails": [{"modality": "AUDIO", "tokenCount": 300}, {"modality": "TEXT", "tokenCount": 100}],
        "cachedContentTokenCount": 50,
        "cacheTokensDetails": [{"modality": "AUDIO", "tokenCount": 20}],
        "candidatesTokenCount": 40,
        "candidatesTokensDetails": [{"modality": "IMAGE", "tokenCount": 30}],
    }
    assert told(google.generate(usage)) == {
        "input": 670, "cached_input": 30, "audio_input": 280, "cached_audio_input": 20, "output": 10,
        "image_output": 30,
    }  # fmt: skip


def test_images_and_seconds_are_units_of_their_size_and_quality():
    assert told(openai.images(2, size="1024x1024", quality="hd")) == {"image 1024x1024/hd": 2}
    assert told(openai.video(8, size="720p")) == {"video_second 720p": 8}
    assert told(google.images(4)) == {"image": 4}
    assert told(google.video(6, kind="1080p/sound")) == {"video_second 1080p/sound": 6}
    assert openai.transcription({"type": "duration", "seconds": 2.5}).units == {Unit("audio_second"): Decimal("2.5")}
    by_token = {
        "input_tokens": 50,
        "input_tokens_details": {"text_tokens": 10, "image_tokens": 40},
        "output_tokens": 1056,
        "total_tokens": 1106,
    }
    assert told(openai.image_tokens(by_token)) == {"input": 10, "image_input": 40, "image_output": 1056}


REFUSED = {
    "OpenAI: more cached than read": (
        lambda: openai.chat(OPENAI_CHAT | {"prompt_tokens_details": {"cached_tokens": 1001}}),
        "more than prompt_tokens (1,000)",
    ),
    "OpenAI: more thought than written": (
        lambda: openai.chat(OPENAI_CHAT | {"completion_tokens_details": {"reasoning_tokens": 301}}),
        "more than completion_tokens",
    ),
    "OpenAI: a misspelt key": (
        lambda: openai.chat(OPENAI_CHAT | {"prompt_tokens_details": {"cached_token": 600}}),
        (
            "`cached_token`, which Sightline does not know. What is not known has no price, and is not counted as free."
            " Is it `cached_tokens`?"
        ),
    ),
    "OpenAI: a new kind of tokens": (
        lambda: openai.chat(OPENAI_CHAT | {"dream_tokens": 5}),
        "`usage` has `dream_tokens`",
    ),
    "OpenAI: a total of more than the parts": (
        lambda: openai.chat(OPENAI_CHAT | {"total_tokens": 1301}),
        "1,301, and its parts add up to 1,300",
    ),
    "OpenAI: a misspelt tier": (lambda: openai.chat(OPENAI_CHAT, service_tier="prority"), "Is it 'priority'?"),
    "OpenAI: a tier without prices": (lambda: openai.chat(OPENAI_CHAT, service_tier="scale"), "'scale' is not known"),
    "OpenAI: Anthropic's usage": (lambda: openai.chat(ANTHROPIC), "`usage.prompt_tokens` is missing"),
    "OpenAI: a tool that nobody knows": (
        lambda: openai.response({"input_tokens": 1, "output_tokens": 1}, tool_calls={"web": 1}),
        "no charged tool 'web'",
    ),
    "a count below zero": (lambda: openai.chat(OPENAI_CHAT | {"completion_tokens": -1}), "is -1"),
    "half a token": (lambda: openai.chat(OPENAI_CHAT | {"completion_tokens": 1.5}), "is 1.5"),
    "Anthropic: lifetimes that don't add up": (
        lambda: anthropic.messages(ANTHROPIC | {"cache_creation_input_tokens": 80}),
        "adds up to 70, and `cache_creation_input_tokens` is 80",
    ),
    "Anthropic: a place that costs more": (
        lambda: anthropic.messages(ANTHROPIC | {"inference_geo": "us"}),
        "kept to the place 'us'",
    ),
    "Anthropic: a speed that costs more": (
        lambda: anthropic.messages(ANTHROPIC | {"speed": "fast"}),
        "at the speed 'fast'",
    ),
    "Anthropic: another model's iteration": (
        lambda: anthropic.messages({"input_tokens": 1, "output_tokens": 1, "iterations": [{"type": "advisor"}]}),
        "iteration 'advisor' is not known",
    ),
    "Anthropic: iterations of something else": (
        lambda: anthropic.messages(
            {"input_tokens": 9, "output_tokens": 1, "iterations": [{"input_tokens": 8, "output_tokens": 1}]}
        ),
        "do not add up",
    ),
    "Google: more cached than read": (
        lambda: google.generate(GOOGLE | {"cachedContentTokenCount": 1001}),
        "more than promptTokenCount",
    ),
    "Google: a modality that nobody knows": (
        lambda: google.generate(GOOGLE | {"promptTokensDetails": [{"modality": "SMELL", "tokenCount": 1}]}),
        "modality 'SMELL' is not known",
    ),
    "Google: a total of more than the parts": (
        lambda: google.generate(GOOGLE | {"totalTokenCount": 1511}),
        "1,511, and its parts add up to 1,510",
    ),
}


@pytest.mark.parametrize("name", REFUSED)
def test_what_can_not_be_priced_as_it_stands_is_an_error_with_a_sentence(name):
    normalise, sentence = REFUSED[name]
    with pytest.raises(UsageError) as refused:
        normalise()
    assert sentence in str(refused.value)


@pytest.mark.parametrize(
    "usage",
    [
        openai.chat(OPENAI_CHAT, service_tier="flex"),
        anthropic.messages(ANTHROPIC)[0],
        google.generate(GOOGLE | {"promptTokensDetails": [{"modality": "AUDIO", "tokenCount": 300}]}, searches=1),
        openai.images(3, size="1024x1024", quality="hd"),
        google.video(Decimal("7.5"), kind="1080p"),
        Usage({Unit("video_second"): Decimal(2), Unit("video_second", "4k"): Decimal(3)}),
        Usage({}),
    ],
    ids=lambda usage: ", ".join(map(str, usage.units)) or "nothing",
)
def test_what_the_ledger_keeps_of_a_usage_is_all_of_it(usage):
    row = columns_of(usage) | {"image_size": None, "image_quality": None}
    assert usage_in(row) == usage


def test_a_unit_that_is_misspelt_in_the_ledger_is_an_error_with_what_may_be_meant():
    with pytest.raises(UsageError, match=r"`audio_inputs`, which Sightline does not know.*Is it `audio_input`"):
        usage_in(columns_of(Usage({})) | {"image_size": None, "image_quality": None, "more_units": {"audio_inputs": 5}})


def test_images_are_of_their_columns_size_and_quality_where_no_kinds_are_told():
    row = columns_of(Usage({})) | {"images": 2, "image_size": "1024x1024", "image_quality": "hd"}
    assert usage_in(row).units == {Unit("image", "1024x1024/hd"): 2}
    with pytest.raises(UsageError, match="more images by kind than in all"):
        usage_in(row | {"more_units": {"image/4k": 3}})
