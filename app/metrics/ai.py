"""AI usage and its cost: every attempt of every call, as priced when it was made."""

from app.access import Permission
from app.metrics.metric import Difference, Direction, Metric, Percentile, Ratio, Sum, Total, Unit, When
from app.metrics.web import CONVERSIONS

UP, DOWN, NEITHER = Direction.UP, Direction.DOWN, Direction.NEITHER
_USAGE, _COST = Permission.AI_USAGE_READ, Permission.AI_COST_READ


def _sum(name: str, meaning: str, good: Direction, *aliases: str, unit: Unit = Unit.COUNT, measure: str = "") -> Sum:
    return Sum(
        name=name,
        meaning=meaning,
        unit=unit,
        good=good,
        permission=_COST if unit is Unit.MONEY else _USAGE,
        aliases=aliases,
        measure=measure or name,
        is_whole=unit not in (Unit.MONEY, Unit.SECONDS),
    )


def _share(name: str, meaning: str, good: Direction, numerator: Metric, denominator: Metric, *aliases: str) -> Ratio:
    return Ratio(
        name=name,
        meaning=meaning,
        unit=Unit.PERCENT,
        good=good,
        permission=_USAGE,
        aliases=aliases,
        numerator=numerator,
        denominator=denominator,
    )


def _cost_share(name: str, meaning: str, good: Direction, numerator: Metric, denominator: Metric) -> Ratio:
    return Ratio(
        name=name,
        meaning=meaning,
        unit=Unit.PERCENT,
        good=good,
        permission=_COST,
        numerator=numerator,
        denominator=denominator,
    )


def _cost_per(name: str, meaning: str, denominator: Metric) -> Ratio:
    return Ratio(
        name=name,
        meaning=f"{meaning} Failed and repeated attempts cost what they cost.",
        unit=Unit.MONEY,
        good=DOWN,
        permission=_COST,
        numerator=COST,
        denominator=denominator,
    )


def _time(name: str, per_cent: int, share: str) -> Percentile:
    return Percentile(
        name=name,
        meaning=f"The time within which {share} of generations were made.",
        unit=Unit.SECONDS,
        good=DOWN,
        permission=_USAGE,
        instead=("generations",),
        note="From a histogram whose buckets grow by 2 %: at most 1 % off.",
        measure="timed_generations",
        bucket="latency_bucket",
        per_cent=per_cent,
    )


GENERATIONS = _sum("generations", "Attempts to have something made by a model, failed ones included.", NEITHER)
REQUESTS = _sum("ai_requests", "Calls, each counted once however often it was attempted.", NEITHER, measure="requests")
RETRIES = _sum("ai_retries", "Attempts after the first.", DOWN, "retries", measure="retries")
COMPLETED = _sum("generations_completed", "Attempts that gave a result.", UP, "completed", measure="completed")
FAILED = _sum("generations_failed", "Attempts that gave none.", DOWN, "failed", "failures", measure="failed")
ACCEPTED = _sum("generations_accepted", "Results that their user kept.", UP, "accepted", measure="accepted")
RATED = _sum("generations_rated", "Results that their user rated.", NEITHER, "rated", measure="rated")
RATING_TOTAL = _sum("rating_total", "All ratings added up.", UP, unit=Unit.NUMBER)
UNPRICED = _sum(
    "unpriced_generations",
    "Attempts that ended and for which no price was known: their cost is unknown, not zero.",
    DOWN,
    "unpriced",
    measure="unpriced",
)
FINISHED = Total(
    name="generations_finished",
    meaning="Attempts that ended, with a result or without.",
    unit=Unit.COUNT,
    good=NEITHER,
    permission=_USAGE,
    of=(COMPLETED, FAILED),
)
PRICED = Difference(
    name="generations_priced",
    meaning="Attempts that are not unpriced: their cost is known, or they have not ended.",
    unit=Unit.COUNT,
    good=UP,
    permission=_USAGE,
    minuend=GENERATIONS,
    subtrahend=UNPRICED,
)
COST = _sum(
    "ai_cost",
    "What attempts cost by the price book that was valid when they were made, with what closed months were corrected"
    " by; unpriced ones are not in it.",
    DOWN,
    unit=Unit.MONEY,
)
CORRECTIONS = _sum(
    "ai_cost_corrections",
    "What closed months cost more or, below zero, less than their calls say, as it was found out later; it stands on"
    " the month's first day.",
    DOWN,
    unit=Unit.MONEY,
)
RETRY_COST = _sum("ai_retry_cost", "What attempts after the first cost.", DOWN, unit=Unit.MONEY, measure="retry_cost")
FAILED_COST = Sum(
    name="ai_failed_cost",
    meaning="What attempts cost that gave no result.",
    unit=Unit.MONEY,
    good=DOWN,
    permission=_COST,
    measure="ai_cost",
    when=(When("status", ("failed",)),),
    is_whole=False,
)
CACHE_SAVINGS = _sum(
    "cache_savings",
    "What caches saved: tokens read from them and written into them at the standard price of plain input, less what"
    " they cost as standard calls.",
    UP,
    unit=Unit.MONEY,
)
BATCH_SAVINGS = _sum(
    "batch_savings",
    "What batches and flexible calls saved: their cost as standard calls, less what they cost.",
    UP,
    unit=Unit.MONEY,
)
SAVINGS = Total(
    name="ai_savings",
    meaning="What caches and batches saved together, against the standard prices of the moment.",
    unit=Unit.MONEY,
    good=UP,
    permission=_COST,
    of=(CACHE_SAVINGS, BATCH_SAVINGS),
)
UNDISCOUNTED = Total(
    name="ai_cost_undiscounted",
    meaning="What the same use would have cost without caches and batches.",
    unit=Unit.MONEY,
    good=NEITHER,
    permission=_COST,
    of=(COST, SAVINGS),
)
INPUT = _sum("input_tokens", "Tokens read that were in no cache.", NEITHER, unit=Unit.TOKENS)
CACHED = _sum("cached_input_tokens", "Tokens read from a cache.", UP, "cached_tokens", unit=Unit.TOKENS)
WRITTEN = _sum("cache_write_tokens", "Tokens written into a cache.", NEITHER, unit=Unit.TOKENS)
OUTPUT = _sum("output_tokens", "Tokens written, reasoning not included.", NEITHER, unit=Unit.TOKENS)
REASONING = _sum("reasoning_tokens", "Tokens spent on reasoning.", NEITHER, unit=Unit.TOKENS)
TOKENS_READ = Total(
    name="tokens_read",
    meaning="All tokens of prompts: read plainly, from a cache, or written into one.",
    unit=Unit.TOKENS,
    good=NEITHER,
    permission=_USAGE,
    of=(INPUT, CACHED, WRITTEN),
)

METRICS: tuple[Metric, ...] = (
    GENERATIONS,
    REQUESTS,
    RETRIES,
    COMPLETED,
    FAILED,
    FINISHED,
    ACCEPTED,
    RATED,
    RATING_TOTAL,
    UNPRICED,
    PRICED,
    COST,
    CORRECTIONS,
    Difference(
        name="ai_cost_of_calls",
        meaning="What attempts cost as they were priced, without corrections of closed months.",
        unit=Unit.MONEY,
        good=DOWN,
        permission=_COST,
        minuend=COST,
        subtrahend=CORRECTIONS,
    ),
    RETRY_COST,
    FAILED_COST,
    CACHE_SAVINGS,
    BATCH_SAVINGS,
    SAVINGS,
    UNDISCOUNTED,
    _sum(
        "reported_cost",
        "What providers themselves reported for attempts; never mixed with our own reckoning.",
        DOWN,
        unit=Unit.MONEY,
    ),
    INPUT,
    CACHED,
    WRITTEN,
    OUTPUT,
    REASONING,
    TOKENS_READ,
    Total(
        name="tokens",
        meaning="All tokens of the five kinds, none counted twice.",
        unit=Unit.TOKENS,
        good=NEITHER,
        permission=_USAGE,
        of=(INPUT, CACHED, WRITTEN, OUTPUT, REASONING),
    ),
    _sum("images", "Pictures made by models.", NEITHER),
    _sum("audio_seconds", "Sound made or read.", NEITHER, unit=Unit.SECONDS),
    _sum("video_seconds", "Film made by models.", NEITHER, unit=Unit.SECONDS),
    _sum("tool_calls", "Tools that models called.", NEITHER),
    _sum("credits_used", "Credits that attempts took from users.", NEITHER, unit=Unit.CREDITS),
    _share("failure_rate", "Failed attempts per finished one.", DOWN, FAILED, FINISHED),
    _share("success_rate", "Attempts with a result per finished one.", UP, COMPLETED, FINISHED),
    _share("acceptance_rate", "Kept results per result.", UP, ACCEPTED, COMPLETED),
    _share("retry_rate", "Attempts after the first, of all attempts.", DOWN, RETRIES, GENERATIONS),
    _share("unpriced_rate", "Ended attempts without a known price, of all attempts.", DOWN, UNPRICED, GENERATIONS),
    _share("cache_rate", "Tokens of prompts that came from a cache.", UP, CACHED, TOKENS_READ, "cache_hit_rate"),
    Ratio(
        name="average_rating",
        meaning="Ratings added up, per rated result.",
        unit=Unit.NUMBER,
        good=UP,
        permission=_USAGE,
        numerator=RATING_TOTAL,
        denominator=RATED,
    ),
    _cost_share(
        "ai_savings_rate", "What caches and batches saved, of what the use would have cost.", UP, SAVINGS, UNDISCOUNTED
    ),
    _cost_share(
        "ai_failed_cost_share", "Cost of attempts that gave no result, of all AI cost.", DOWN, FAILED_COST, COST
    ),
    _cost_share("ai_retry_cost_share", "Cost of attempts after the first, of all AI cost.", DOWN, RETRY_COST, COST),
    _cost_per("cost_per_generation", "What an attempt cost, of those whose cost is known.", PRICED),
    _cost_per("cost_per_accepted", "What a result that was kept cost, by the cost of all attempts.", ACCEPTED),
    _cost_per("cost_per_conversion", "AI cost per conversion.", CONVERSIONS),
    _time("generation_time_p50", 50, "half"),
    _time("generation_time_p90", 90, "90 %"),
    _time("generation_time_p95", 95, "95 %"),
    _time("generation_time_p99", 99, "99 %"),
)
