"""Bills are read in the providers' own formats; what is wrong with a file is told by row, and nothing is taken."""

import json
from datetime import date
from decimal import Decimal

import pytest

from app.ingest.formats import read_bill
from app.ingest.google_skus import sku_of
from app.ingest.openai import item_of
from app.ingest.reading import UnreadableBillError
from tests.ingest.samples import (
    anthropic_bucket,
    anthropic_cost,
    anthropic_usage,
    as_bytes,
    google_file,
    google_row,
    openai_bucket,
    openai_cost,
    openai_usage,
    page,
)

DAY = date(2026, 9, 5)


def lines(content, **more):
    return [line.billed for line in read_bill(content, "bill", **more).lines]


def refused(content):
    with pytest.raises(UnreadableBillError) as refusal:
        read_bill(content, "bill.json")
    return [(one.place, one.what) for one in refusal.value.problems]


def test_openais_amounts_are_numbers_or_texts_and_never_floats():
    found = read_bill(
        as_bytes(
            page(
                openai_bucket(
                    "2026-09-05",
                    openai_cost("gpt-4o-2024-08-06, input", 0.1, 40_000),
                    openai_cost("gpt-4o-2024-08-06, cached input", "0.0000125", 10),
                    openai_cost("gpt-4o-2024-08-06, output", 0.060000000000000005, 6_000),
                )
            )
        ),
        "bill",
    )
    told = [(one.billed.unit, one.billed.amount, one.billed.quantity) for one in found.lines]
    assert told == [
        ("input", Decimal("0.1"), 40_000),
        ("cached_input", Decimal("0.0000125"), 10),
        ("output", Decimal("0.06"), 6_000),
    ]
    assert {one.billed.step for one in found.lines} == {Decimal("0.0000001")}
    assert (found.provider, found.kind, found.zone, found.days) == ("openai", "cost", "UTC", {DAY})


@pytest.mark.parametrize(
    ("item", "told"),
    [
        ("gpt-4o, input", ("gpt-4o", "input", "", None)),
        ("gpt-6-astra, input_tokens", ("gpt-6-astra", "input", "", None)),
        ("gpt-4o-mini, batch output", ("gpt-4o-mini", "output", "", "batch")),
        ("dall-e-3, 1024x1024 hd", ("dall-e-3", "image", "1024x1024/hd", None)),
        ("gpt-4o", ("gpt-4o", None, None, None)),
        ("Web search tool calls", (None, None, None, None)),
        ("assistants api | file search", (None, None, None, None)),
    ],
)
def test_a_line_item_tells_model_and_unit_where_it_does(item, told):
    assert item_of(item) == told


def test_openais_usage_is_told_in_parts_of_which_none_is_in_another():
    usage = openai_usage("gpt-4o", input_tokens=1000, input_cached_tokens=300, output_tokens=50)
    batch = openai_usage("gpt-4o", input_tokens=10, batch=True)
    found = lines(as_bytes(page(openai_bucket("2026-09-05", usage, batch))))
    assert [(one.unit, one.quantity, one.tier, one.amount) for one in found] == [
        ("input", 700, "standard", None), ("cached_input", 300, "standard", None), ("output", 50, "standard", None),
        ("input", 10, "batch", None),
    ]  # fmt: skip


def test_anthropics_amounts_are_cents_in_texts():
    found = lines(
        as_bytes(
            page(
                anthropic_bucket(
                    "2026-09-05",
                    anthropic_cost("uncached_input_tokens", "123.78912"),
                    anthropic_cost("cache_creation.ephemeral_1h_input_tokens", "0.5", context_window="200k-1M"),
                    {"amount": "40", "currency": "USD", "cost_type": "web_search", "model": None},
                )
            )
        )
    )
    assert [(one.unit, one.amount, one.context_from) for one in found] == [
        ("input", Decimal("1.2378912"), 0),
        ("cache_write_1h", Decimal("0.005"), 200_001),
        ("tool_call", Decimal("0.4"), None),
    ]


def test_anthropics_usage_has_lifetimes_of_the_cache():
    told = anthropic_usage(
        uncached_input_tokens=5, cache_creation={"ephemeral_1h_input_tokens": 7, "ephemeral_5m_input_tokens": 9}
    )
    told["server_tool_use"] = {"web_search_requests": 3}
    found = lines(as_bytes(page(anthropic_bucket("2026-09-05", told))))
    assert {one.unit: one.quantity for one in found} == {
        "input": 5, "cache_write_5m": 9, "cache_write_1h": 7, "tool_call": 3,
    }  # fmt: skip


def test_googles_rows_are_of_californias_days_and_name_models_in_words():
    found = read_bill(
        google_file(
            google_row("Gemini 2.5 Flash Text Input - Predictions", "2026-09-05", "1,000,000", "count", "0.30"),
            google_row(
                "Gemini 2.5 Flash Text Output (Thinking On) - Batch Predictions", "2026-09-05", "10", "count", "0.1"
            ),
            google_row("N2 Instance Core", "2026-09-05", "1", "hour", "5.00", service="Compute Engine"),
            google_row("State sales tax", "2026-09-05", "", "", "0.07", cost_type="Tax"),
            total="5.47",
        ),
        "bill.csv",
    )
    assert [(one.billed.model, one.billed.unit, one.billed.tier, one.billed.quantity) for one in found.lines] == [
        ("gemini-2.5-flash", "input", "standard", 1_000_000),
        ("gemini-2.5-flash", "reasoning", "batch", 10),
    ]
    assert (found.zone, found.tax, found.left_out) == (
        "America/Los_Angeles", {date(2026, 9, 1): Decimal("0.07")}, ("1 rows of other services were left out.",),
    )  # fmt: skip


def test_googles_moments_lie_on_the_days_of_california():
    rows = [
        "service.description,sku.description,usage_start_time,usage_end_time,usage.amount,usage.unit,cost,currency,cost_type",
        "Vertex AI,Imagen 4 Generation,2026-09-06 06:00:00 UTC,2026-09-06 07:00:00 UTC,2,count,0.08,USD,regular",
        "Vertex AI,Veo 3 Video Generation,2026-09-06 07:00:00 UTC,2026-09-06 08:00:00 UTC,8,seconds,3.2,USD,regular",
    ]
    found = lines("\n".join(rows).encode())
    assert [(one.model, one.unit, one.day.day, one.quantity) for one in found] == [
        ("imagen-4", "image", 5, 2),
        ("veo-3", "video_second", 6, 8),
    ]


@pytest.mark.parametrize(
    ("sku", "told"),
    [
        ("Gemini 2.5 Pro Input Text Caching (Long)", ("gemini-2.5-pro", "cached_input", "", "standard", 200_001)),
        (
            "Gemini 2.5 Flash GA Audio Input Priority - Predictions",
            ("gemini-2.5-flash", "audio_input", "", "priority", 0),
        ),
        ("Gemini 2.5 Flash Input Text Caching Storage", ("gemini-2.5-flash", None, "", "standard", 0)),
        ("Gemini 3.5 Flash Global Text Input - Predictions", ("gemini-3.5-flash", "input", "", "standard", 0)),
        ("Gemini 2.5 Pro Thinking Text Output - Predictions", ("gemini-2.5-pro", "reasoning", "", "standard", 0)),
        ("Gemini 2.5 Flash Text Output (Thinking Off)", ("gemini-2.5-flash", "output", "", "standard", 0)),
        (
            "Gemini 3.1 Flash Image Image Output - Predictions",
            ("gemini-3.1-flash-image", "image_output", "", "standard", 0),
        ),
        ("Gemini 3.1 Flash Image Text Input", ("gemini-3.1-flash-image", "input", "", "standard", 0)),
        (
            "Generate content input token count gemini 2.5 flash short input text",
            ("gemini-2.5-flash", "input", "", "standard", 0),
        ),
        (
            "Generate content output token count gemini 2.5 flash short input text",
            ("gemini-2.5-flash", "output", "", "standard", 0),
        ),
        (
            "Generate content output token count gemini 2.5 flash lite short output text non-thinking",
            ("gemini-2.5-flash-lite", "output", "", "standard", 0),
        ),
        (
            "Generate content input token count Gemini 2.5 Pro long input text",
            ("gemini-2.5-pro", "input", "", "standard", 200_001),
        ),
        (
            "Generate content cached input token count gemini 2.5 flash input audio",
            ("gemini-2.5-flash", "cached_audio_input", "", "standard", 0),
        ),
        (
            "Generate content input token count gemini 3.7 flash image flex caching",
            ("gemini-3.7-flash", "cached_image_input", "", "flex", 0),
        ),
        (
            "Generate content input token count gemini 3.1 flash lite preview text",
            ("gemini-3.1-flash-lite-preview", "input", "", "standard", 0),
        ),
        (
            "Generate_content text output token count for gemini 3 flash batch",
            ("gemini-3-flash", "output", "", "batch", 0),
        ),
        (
            "Generate_content text output token count for gemini 3 pro short",
            ("gemini-3-pro", "output", "", "standard", 0),
        ),
        (
            "Generate_content_cached_input_token_count_gemini_3_pro_short_image",
            ("gemini-3-pro", "cached_image_input", "", "standard", 0),
        ),
        (
            "Generate_content image output token count for Gemini 3 Pro Image",
            ("gemini-3-pro-image", "image_output", "", "standard", 0),
        ),
        (
            "GenerateContent text input token count for Gemini 2.0 Flash",
            ("gemini-2.0-flash", "input", "", "standard", 0),
        ),
        (
            "BidiGenerateContent text output token count for Gemini 2.5 Flash Native Audio",
            ("gemini-2.5-flash-native-audio", "output", "", "standard", 0),
        ),
        (
            "EmbedContent input token count for gemini-embedding-001",
            ("gemini-embedding-001", "input", "", "standard", 0),
        ),
        ("Veo Generation 720p with Audio", ("veo", "video_second", "720p/audio", "standard", 0)),
        ("Veo 3 Fast Video 720p Generation", ("veo-3-fast", "video_second", "720p", "standard", 0)),
        ("Veo 3 Video Generation", ("veo-3", "video_second", "", "standard", 0)),
        ("Imagen 4 Fast Generation", ("imagen-4-fast", "image", "", "standard", 0)),
        ("Grounding with Google Search", (None, "tool_call", "web_search", "standard", 0)),
        ("N2 Instance Core", (None, None, "", "standard", 0)),
    ],
)
def test_a_sku_tells_model_unit_kind_tier_and_context(sku, told):
    assert sku_of(sku) == told


def test_rows_of_models_that_can_not_be_read_are_named_and_those_of_the_gemini_api_taken_all_the_same():
    found = read_bill(
        google_file(
            google_row("GenerateContent text input token count for Gemini 2.0 Flash", "2026-09-05", "10", "count", "1"),
            google_row("Dreams per night", "2026-09-05", "3", "night", "2.50", service="Gemini API"),
            google_row("Claude Opus 5 Input Tokens", "2026-09-05", "10", "count", "4.00"),
            google_row("N2 Instance Core", "2026-09-05", "1", "hour", "5.00", service="Compute Engine"),
        ),
        "bill.csv",
    )
    assert [(one.billed.model, one.billed.unit, one.billed.amount) for one in found.lines] == [
        ("gemini-2.0-flash", "input", 1),
        (None, None, Decimal("2.5")),
    ]
    assert found.left_out == (
        "1 rows of other services were left out.",
        "Rows of models were taken without a unit, 2.50 USD: Dreams per night (1).",
        "Rows of models that are not known were left out, 4.00 USD: Claude Opus 5 Input Tokens (1).",
    )


def test_a_tax_is_of_the_month_of_its_row():
    def tax(day, amount):
        return google_row("State sales tax", day, "", "", amount, cost_type="Tax")

    usage = [google_row("Imagen 4 Generation", day, "2", "count", "0.08") for day in ("2026-09-30", "2026-10-01")]
    found = read_bill(google_file(*usage, tax("2026-09-01", "1.00"), tax("2026-10-01", "3.00")), "bill.csv")
    assert found.tax == {date(2026, 9, 1): 1, date(2026, 10, 1): 3}
    assert read_bill(google_file(usage[0], tax("", "1.00")), "bill.csv").tax == {date(2026, 9, 1): 1}
    assert "a tax without a day" in refused(google_file(*usage, tax("", "1.00")))[0][1]


def test_tiers_of_anthropic_that_have_no_price_are_named_and_the_rest_is_read():
    told = [
        anthropic_cost("output_tokens", "1", service_tier=tier)
        for tier in ("standard", "priority_on_demand", "flex_discount")
    ]
    found = read_bill(as_bytes(page(anthropic_bucket("2026-09-05", *told))), "bill.json")
    assert [line.billed.tier for line in found.lines] == ["standard", "priority_on_demand", "flex_discount"]
    assert found.left_out == (
        "1 lines are of the tier priority_on_demand, which the price book does not have.",
        "1 lines are of the tier flex_discount, which the price book does not have.",
    )


# --- What is refused --------------------------------------------------------------------------------------------------


def test_a_file_that_ends_in_the_middle_is_told_with_its_line():
    whole = json.dumps(page(openai_bucket("2026-09-05", openai_cost("gpt-4o, input", 1, 1))), indent=1)
    [(place, what)] = refused(whole[: len(whole) // 2].encode())
    assert place.startswith("Line ")
    assert "no JSON" in what


def test_pages_come_in_any_order_and_the_last_must_be_there():
    first = page(openai_bucket("2026-09-05", openai_cost("gpt-4o, input", 1, 1)), has_more=True)
    last = page(openai_bucket("2026-09-06", openai_cost("gpt-4o, input", 2, 2)))
    assert {one.day.day for one in lines(as_bytes([last, first]))} == {5, 6}
    assert "there are more" in refused(as_bytes(first))[0][1]


def test_every_wrong_row_is_named():
    found = refused(
        as_bytes(
            page(
                openai_bucket(
                    "2026-09-05",
                    openai_cost("gpt-4o, input", "a lot", 1),
                    openai_cost("gpt-4o, output", 1, -1),
                    openai_cost("gpt-4o, cached input", True),
                    {"object": "organization.costs.result", "line_item": "gpt-4o, input"},
                    openai_cost("o3, input", 1, amount={"value": 1, "currency": "eur"}),
                    openai_cost("o3, output", "NaN"),
                    openai_cost("o4, output", 10**9),
                ),
                {"object": "bucket", "start_time": 1, "end_time": 2, "results": [openai_cost("o5, input", 1)]},
            )
        )
    )
    assert [place for place, _ in found] == [
        *(f"Bucket 1, result {number}" for number in range(1, 8)), "Bucket 2", "Bucket 2, result 1",
    ]  # fmt: skip
    assert [what for _, what in found][4] == "it is in 'eur'; the ledger is in dollars."


def test_what_a_file_tells_twice_is_refused_with_the_first_place():
    one = openai_cost("gpt-4o, input", 1, 1)
    assert refused(as_bytes(page(openai_bucket("2026-09-05", one, openai_cost("gpt-4o, input", 2, 2))))) == [
        ("Bucket 1, result 2", "it tells again what Bucket 1, result 1 tells.")
    ]
    row = google_row("Imagen 4 Generation", "2026-09-05", "2", "count", "0.08")
    assert refused(google_file(row, row))[0][1].startswith("it tells again what Row 6")


@pytest.mark.parametrize(
    ("result", "part"),
    [
        ({"amount": 12.5}, "not a text"),
        ({"token_type": "dream_tokens"}, "token_type"),
        ({"service_tier": "gold"}, "service_tier"),
        ({"context_window": "1M-2M"}, "context_window"),
        ({"cost_type": "coffee"}, "cost_type"),
        ({"currency": "EUR"}, "dollars"),
    ],
)
def test_what_anthropic_never_says_is_not_guessed(result, part):
    told = anthropic_cost("output_tokens", "1") | result
    [(_, what)] = refused(as_bytes(page(anthropic_bucket("2026-09-05", told))))
    assert part in what


def test_googles_rows_that_are_cut_off_or_missing_are_told():
    rows = [google_row("Imagen 4 Generation", f"2026-09-0{day}", "2", "count", "0.08") for day in (5, 6)]
    assert refused(google_file(*rows)[:-40])[0][1].startswith("it has ")
    assert "some are missing" in refused(google_file(rows[0], total="0.16"))[0][1]
    assert "covers 30 days" in refused(
        google_file(google_row("Imagen 4 Generation", "2026-09-01", "2", "count", "0.08", end="2026-09-30"))
    )[0][1]  # fmt: skip
    assert (
        "usage unit" in refused(google_file(google_row("Imagen 4 Generation", "2026-09-01", "2", "barrel", "1")))[0][1]
    )


def test_what_is_no_bill_is_said_to_be_none():
    assert refused(b"\xff\xfe\x00") == [("Byte 0", "it is no text in UTF-8.")]
    assert "it is none of" in refused(b"hello")[0][1]
    assert refused(as_bytes({"start_time": 1}))[0][1].startswith("it has no `data`")
    assert refused(as_bytes(page(openai_bucket("2026-09-05"), openai_bucket("2026-09-06"))) + b"{")[0][0] == "Line 1"


def test_a_refusal_names_at_most_some_rows_and_counts_the_others():
    many = [openai_cost(f"gpt-{number}, input", "x", 1) for number in range(40)]
    with pytest.raises(UnreadableBillError) as refusal:
        read_bill(as_bytes(page(openai_bucket("2026-09-05", *many))), "bill.json")
    assert "40 of its rows are wrong" in refusal.value.what
    assert refusal.value.why.count("\n") == 12
    assert refusal.value.why.endswith("and 28 more.")
