"""Calls of AI models: who asked which model for what, how it went, and what it cost; as arrays."""

from dataclasses import dataclass, fields
from typing import Any, NamedTuple

import numpy as np
from numpy.typing import NDArray

from db.demo.keys import Bytes, keys_at
from db.demo.prices import (
    DALLE,
    FLASH,
    GPT,
    GPT_MINI,
    HAIKU,
    IMAGE_VARIANTS,
    IMAGEN,
    MODELS,
    PREVIEW,
    SONNET,
    VEO,
    PriceBook,
)
from db.demo.seasons import DAY, HOUR, SECOND, Floats, Ints, Season
from db.demo.world import World, workspace_weights
from db.tables.ai import GENERATION_STATUSES, GENERATION_TYPES
from db.tables.products import PRODUCTS

COMPLETED, FAILED, CANCELLED = (GENERATION_STATUSES.index(one) for one in ("completed", "failed", "cancelled"))
ERRORS = (
    ("provider_unavailable", "The provider answered 503."),
    ("rate_limited", "The provider answered 429."),
    ("timeout", "No answer within the time allowed."),
    ("content_policy", "The provider refused the request."),
    ("invalid_response", "The answer was not what the product can read."),
)
_OUTAGE_ERROR, _TIMEOUT, _INVALID = 0, 2, 4
_OPENAI = np.array([provider == "openai" for provider, _ in MODELS])
_MEDIAN_MS = np.array([4500, 1800, 5500, 1500, 1200, 12000, 8000, 70000, 1300])
_RUNAWAY_WORKSPACE = 2


class Line(NamedTuple):
    """A kind of call that a product makes."""

    product: str
    kind: str
    model: int
    weight: int
    credits: int


LINES = (
    Line("email_studio", "email", GPT, 9, 2),
    Line("email_studio", "email", GPT_MINI, 7, 1),
    Line("email_studio", "email", SONNET, 5, 2),
    Line("email_studio", "image", DALLE, 3, 4),
    Line("web_builder", "campaign", SONNET, 6, 5),
    Line("web_builder", "component", SONNET, 8, 2),
    Line("web_builder", "component", GPT, 6, 2),
    Line("web_builder", "enhancement", HAIKU, 5, 1),
    Line("web_builder", "analysis", GPT, 2, 3),
    Line("web_builder", "migration_plan", SONNET, 1, 6),
    Line("craft_ads", "image", DALLE, 9, 4),
    Line("craft_ads", "image", IMAGEN, 8, 3),
    Line("ads_autopilot", "image", IMAGEN, 6, 3),
    Line("ads_autopilot", "video", VEO, 1, 20),
    Line("ads_autopilot", "analysis", FLASH, 6, 1),
    Line("mailer", "assistant", GPT_MINI, 7, 1),
    Line("mailer", "email", HAIKU, 5, 1),
    Line("mailer", "assistant", FLASH, 5, 1),
)
_RUNAWAY_LINE = 4
KINDS = tuple(GENERATION_TYPES.index(line.kind) for line in LINES)


@dataclass(slots=True)
class Generations:
    """Attempts of calls by time, one array per column."""

    at: Ints
    workspace: Ints
    person: Ints
    line: Ints
    model: Ints
    tier: Ints
    attempt: Ints
    status: Ints
    error: Ints
    tokens: Ints
    images: Ints
    variant: Ints
    video_seconds: Ints
    cost: Ints
    cache_saving: Ints
    version: Ints
    credits: Ints
    took_ms: Ints
    iterations: Ints
    rating: Ints
    accepted: Ints
    request: Bytes
    keys: Bytes

    def __len__(self) -> int:
        return len(self.at)

    def where(self, chosen: NDArray[Any] | slice) -> "Generations":
        """Some of the attempts."""
        return Generations(*(getattr(self, column.name)[chosen] for column in fields(self)))


def make_generations(rng: np.random.Generator, world: World, book: PriceBook, count: int) -> Generations:
    """All attempts of thirteen months."""
    at, workspace, line = _requests(rng, world, count)
    model = np.array([one.model for one in LINES])[line]
    # A new model was tried before anyone knew its price.
    tried = (model == FLASH) & (at > world.season.end - 20 * DAY) & (rng.random(len(at)) < 0.3)  # noqa: PLR2004
    model = np.where(tried, PREVIEW, model)
    request = keys_at(rng, at)
    person = world.someone(rng, workspace)
    failed = rng.random(len(at)) < _failure_chance(world.season, at, model)
    again = np.flatnonzero(failed & (rng.random(len(at)) < 0.8))  # noqa: PLR2004
    source = np.concatenate((np.arange(len(at)), again))
    attempt = np.concatenate((np.ones(len(at), np.int64), np.full(len(again), 2)))
    retried_at = at[again] + rng.integers(5 * SECOND, 90 * SECOND, len(again))
    at = np.concatenate((at, retried_at))
    failed = np.concatenate((failed, rng.random(len(again)) < 0.15))  # noqa: PLR2004
    made = _outcomes(rng, world.season, at, model[source], line[source], failed=failed)
    made.workspace, made.person, made.attempt, made.request = (
        workspace[source],
        person[source],
        attempt,
        request[source],
    )
    _price(book, made)
    made.keys = keys_at(rng, made.at)
    made = made.where(np.argsort(made.at, kind="stable"))
    return made.where(made.at < world.season.end)


def _requests(rng: np.random.Generator, world: World, count: int) -> tuple[Ints, Ints, Ints]:
    """When, for which workspace, and what: each within the time in which the workspace used the product."""
    weights = np.array([one.weight for one in LINES], float)
    moments, workspaces, lines = [], [], []
    for product in PRODUCTS:
        mine = np.array([one.product == product for one in LINES])
        share = weights[mine].sum() / weights.sum()
        wanted = int(count * share * 1.2)
        at = world.season.moments(rng, wanted)
        workspace = rng.choice(len(world.workspaces), wanted, p=workspace_weights(world, product))
        spans = np.array([one.used.get(product, (0, 0)) for one in world.workspaces])[workspace]
        used = (at >= spans[:, 0]) & (at < spans[:, 1])
        moments.append(at[used])
        workspaces.append(workspace[used])
        chances = weights[mine] / weights[mine].sum()
        lines.append(rng.choice(np.flatnonzero(mine), int(used.sum()), p=chances))
    runaway = max(20, count // 60)
    moments.append(world.season.runaway + rng.integers(0, 7 * DAY, runaway))
    workspaces.append(np.full(runaway, _RUNAWAY_WORKSPACE))
    lines.append(np.full(runaway, _RUNAWAY_LINE))
    return np.concatenate(moments), np.concatenate(workspaces), np.concatenate(lines)


def _failure_chance(season: Season, at: Ints, model: Ints) -> Floats:
    """Few calls fail; on the day of the outage most of one provider's do."""
    broken = _OPENAI[model] & (at >= season.outage + 8 * HOUR) & (at < season.outage + 18 * HOUR)
    result: Floats = np.where(broken, 0.85, np.where(model == VEO, 0.07, 0.025))
    return result


def _outcomes(
    rng: np.random.Generator, season: Season, at: Ints, model: Ints, line: Ints, *, failed: NDArray[np.bool_]
) -> Generations:
    count = len(at)
    status = np.where(failed, FAILED, np.where(rng.random(count) < 0.008, CANCELLED, COMPLETED))  # noqa: PLR2004
    error = np.where(failed, rng.integers(1, len(ERRORS), count), -1)
    in_outage = failed & _OPENAI[model] & (at // DAY == season.outage // DAY)
    error[in_outage] = _OUTAGE_ERROR
    done = status == COMPLETED
    # Who is refused at the door pays nothing; what broke on the way was worked on.
    charged = done | (status == CANCELLED) | (error == _TIMEOUT) | (error == _INVALID)
    tokens = _tokens(rng, model, line, at, season) * charged[:, None]
    tokens[~done, 3:] //= 4
    is_picture = (model == DALLE) | (model == IMAGEN)
    rated = done & (rng.random(count) < 0.12)  # noqa: PLR2004
    judged = done & (rng.random(count) < 0.6)  # noqa: PLR2004
    nothing = np.zeros(count, np.int64)
    took = np.array(_MEDIAN_MS)[model] * rng.lognormal(0, 0.5, count)
    return Generations(
        at=at,
        workspace=nothing,
        person=nothing,
        line=line,
        model=model,
        tier=(((model == GPT_MINI) | (model == HAIKU)) & (rng.random(count) < 0.15)).astype(np.int64),  # noqa: PLR2004
        attempt=nothing,
        status=status,
        error=error,
        tokens=tokens,
        images=np.where(is_picture & done, rng.choice((1, 1, 1, 2, 4), count), 0),
        variant=np.where(model == DALLE, rng.choice(len(IMAGE_VARIANTS), count, p=(0.6, 0.3, 0.1)), -1),
        video_seconds=np.where((model == VEO) & done, rng.integers(4, 9, count), 0),
        cost=nothing,
        cache_saving=nothing,
        version=nothing,
        credits=np.where(done, np.array([one.credits for one in LINES])[line], 0),
        took_ms=np.where(error == _TIMEOUT, 120_000, took).astype(np.int64),
        iterations=rng.geometric(0.7, count),
        rating=np.where(rated, rng.choice((1, 2, 3, 4, 5), count, p=(0.05, 0.08, 0.17, 0.4, 0.3)), -1),
        accepted=np.where(judged, (rng.random(count) < 0.72).astype(np.int64), -1),  # noqa: PLR2004
        request=np.empty((0, 16), np.uint8),
        keys=np.empty((0, 16), np.uint8),
    )


def _tokens(rng: np.random.Generator, model: Ints, line: Ints, at: Ints, season: Season) -> Ints:
    """Disjoint counts per unit: what was read from a cache is not input, what was thought is not output."""
    count = len(model)
    asked = rng.lognormal(7.3, 0.7, count)
    written = rng.lognormal(6.7, 0.6, count)
    in_week = (at >= season.runaway) & (at < season.runaway + 7 * DAY)
    asked[(line == _RUNAWAY_LINE) & in_week] *= 25
    cached = np.where(rng.random(count) < 0.4, asked * rng.uniform(0.3, 0.8, count), 0)  # noqa: PLR2004
    is_anthropic = (model == SONNET) | (model == HAIKU)
    to_cache = np.where(is_anthropic & (rng.random(count) < 0.2), (asked - cached) * 0.5, 0)  # noqa: PLR2004
    thought = np.where((model == FLASH) & (rng.random(count) < 0.3), written * 0.8, 0)  # noqa: PLR2004
    tokens = np.stack((asked - cached - to_cache, cached, to_cache, written, thought), axis=1).astype(np.int64)
    has_tokens = (model != DALLE) & (model != IMAGEN) & (model != VEO)
    result: Ints = tokens * has_tokens[:, None]
    return result


def _price(book: PriceBook, made: Generations) -> None:
    made.version = book.versions(made.model, made.at)
    made.cache_saving = book.cache_savings(made.model, made.at, made.tokens)
    made.cost = book.costs(
        made.model,
        made.at,
        made.tier,
        tokens=made.tokens,
        images=made.images,
        variant=made.variant,
        video_seconds=made.video_seconds,
    )
