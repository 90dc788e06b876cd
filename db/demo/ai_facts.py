"""Writes AI generations, their daily cost, and the usage that they and other features leave behind."""

from collections.abc import Iterator
from dataclasses import dataclass

import numpy as np
import pyarrow as pa

from db.demo import columns, words
from db.demo.generations import COMPLETED, ERRORS, FAILED, KINDS, LINES, Generations
from db.demo.keys import Bytes, keys_at, texts_of
from db.demo.load import CHUNK, Session, Staging
from db.demo.prices import GPT, IMAGE_VARIANTS, MODELS, TIERS
from db.demo.seasons import DAY, HOUR, Ints, first_of_month, month_of
from db.demo.shape import Progress
from db.demo.world import World
from db.tables.ai import GENERATION_STATUSES, GENERATION_TYPES
from db.tables.products import PRODUCTS

_PROMPTS = tuple(
    f"{task} for a {industry} business"
    for task in (
        "Write a welcome e-mail",
        "Design a landing page",
        "Draw an ad",
        "Find what performs best",
        "Shorten this",
    )
    for industry in words.INDUSTRIES
)
_FEEDBACK = ("Just what I needed", "Too long", "Wrong colours", "Nice tone", "Had to edit a lot")
# As pricing says of what it can't price.
_NO_PRICES = tuple(f"no prices of the model, {tier}" for tier in TIERS)
_FEATURES = {"image": "image_generation", "video": "video_generation", "campaign": "campaign_creation"}
_RESULTS = ('{"sections": 4}', '{"sections": 6, "variant": "B"}', '{"url": "https://images.example/result.png"}')
_PRODUCT_OF_LINE = np.array([PRODUCTS.index(line.product) for line in LINES])


@dataclass(frozen=True, slots=True)
class Owned:
    """Things of workspaces to refer to: their keys, those of a workspace lying together."""

    keys: Bytes
    starts: Ints

    def some(self, rng: np.random.Generator, workspace: Ints, share: float) -> Ints:
        """The number of one of the workspace's own things for a share of the rows, -1 for the others."""
        count = self.starts[workspace + 1] - self.starts[workspace]
        chosen = self.starts[workspace] + (rng.random(len(workspace)) * count).astype(np.int64)
        result: Ints = np.where((count > 0) & (rng.random(len(workspace)) < share), chosen, -1)
        return result


@dataclass(slots=True)
class AiFacts:
    """Writes the history month by month, and the last days aside for the triggers."""

    rng: np.random.Generator
    world: World
    made: Generations
    web_campaigns: Owned
    templates: Owned
    staging: Staging
    connection: Session

    def write(self, progress: Progress) -> None:
        """Everything."""
        live_from = self.world.season.live_from
        history, live = self.made.where(self.made.at < live_from), self.made.where(self.made.at >= live_from)
        months = list(_months(history.at))
        for done, (month, rows) in enumerate(months):
            self._write_month(month, history.where(rows))
            progress("AI generations", done + 1, len(months))
        live_table = _with_arrival(self._table(live))
        self.staging.write_aside(self.connection, "ai_generations", live_table)
        self._write_usage()

    def _write_month(self, month: int, made: Generations) -> None:
        for start in range(0, len(made), CHUNK):
            table = self._table(made.where(slice(start, start + CHUNK)))
            self.staging.write(self.connection, "ai_generations", month, table)
        self.staging.finish("ai_generations", month)
        self.staging.write(self.connection, "ai_cost_tracking", month, self._cost_days(made))
        self.staging.finish("ai_cost_tracking", month)

    def _table(self, made: Generations) -> pa.Table:
        workspace = made.workspace
        product = _PRODUCT_OF_LINE[made.line]
        kind = np.array(KINDS)[made.line]
        is_web, is_template = product == PRODUCTS.index("web_builder"), product == PRODUCTS.index("email_studio")
        campaign = np.where(is_web, self.web_campaigns.some(self.rng, workspace, 0.5), -1)
        template = np.where(is_template, self.templates.some(self.rng, workspace, 0.5), -1)
        workspace_key = columns.key_texts(self.world.workspace_keys, workspace)
        completed_at = np.where(made.status == COMPLETED, made.at + made.took_ms * 1000, columns.NEVER)
        is_priced = made.version > 0
        is_batch, uses_cache = made.tier == 1, made.tokens[:, 1:3].sum(axis=1) > 0
        # A gateway in front of one model tells what calls cost; now and then it forgets what the cache held.
        is_told = is_priced & (made.model == GPT) & (product == PRODUCTS.index("web_builder"))
        reported = made.cost + np.where(made.took_ms % 2 == 0, made.cache_saving, 0)
        is_rated = made.rating > 0
        picture = (made.images > 0) | (made.video_seconds > 0)
        result = np.where(made.status == COMPLETED, np.where(picture, 2, made.line % 2), -1)
        return pa.table(
            {
                "workspace_id": workspace_key,
                "id": texts_of(made.keys),
                "created_at": columns.stamps(made.at),
                "user_id": columns.key_texts(self.world.people_keys, made.person),
                "campaign_id": columns.key_texts(self.web_campaigns.keys, campaign),
                "template_id": columns.key_texts(self.templates.keys, template),
                "template_workspace_id": columns.only(template >= 0, workspace_key),
                "product": columns.picked(PRODUCTS, product),
                "provider": columns.picked([provider for provider, _ in MODELS], made.model),
                "model": columns.picked([model for _, model in MODELS], made.model),
                "generation_type": columns.picked(GENERATION_TYPES, kind),
                "service_tier": columns.picked(TIERS, made.tier),
                "request_key": texts_of(made.request),
                "attempt": pa.array(made.attempt),
                "status": columns.picked(GENERATION_STATUSES, made.status),
                "error_code": columns.picked([code for code, _ in ERRORS], made.error),
                "error_message": columns.picked([message for _, message in ERRORS], made.error),
                "prompt_text": columns.picked(_PROMPTS, (made.took_ms + made.line) % len(_PROMPTS)),
                "result_data": columns.picked(_RESULTS, result),
                "result_image_url": columns.picked(_IMAGE_URLS, np.where(picture, made.took_ms % len(_IMAGE_URLS), -1)),
                **{name: pa.array(made.tokens[:, unit]) for unit, name in enumerate(_TOKEN_COLUMNS)},
                "images": pa.array(made.images),
                "image_size": columns.picked([one.split("/")[0] for one in IMAGE_VARIANTS], made.variant),
                "image_quality": columns.picked([one.split("/")[1] for one in IMAGE_VARIANTS], made.variant),
                "video_seconds": pa.array(made.video_seconds),
                "cost": columns.decimals(made.cost, 12, is_priced),
                "cache_saving": columns.decimals(made.cache_saving, 12, is_priced & uses_cache),
                # A batch costs half.
                "batch_saving": columns.decimals(made.cost, 12, is_batch & (made.cost > 0) & is_priced),
                "reported_cost": columns.decimals(reported, 12, is_told),
                "price_version": columns.only(is_priced, pa.array(made.version)),
                "unpriced_because": columns.picked(_NO_PRICES, np.where(made.version < 0, made.tier, -1)),
                "credits_used": pa.array(made.credits),
                "completed_at": columns.stamps(completed_at),
                "generation_time_ms": pa.array(made.took_ms),
                "iterations": pa.array(made.iterations),
                "user_rating": columns.only(is_rated, pa.array(made.rating)),
                "user_feedback": columns.picked(_FEEDBACK, np.where(is_rated, made.took_ms % len(_FEEDBACK), -1)),
                "accepted": columns.picked(("false", "true"), made.accepted),
                "updated_at": columns.stamps(made.at),
            }
        )  # fmt: skip

    def _cost_days(self, made: Generations) -> pa.Table:
        """The rows that triggers would have kept: per day, person and model."""
        group = ((made.at // DAY) * len(self.world.people) + made.person) * len(MODELS) + made.model
        order = np.argsort(group, kind="stable")
        _, first = np.unique(group[order], return_index=True)

        def total(values: Ints) -> Ints:
            result: Ints = np.add.reduceat(values[order].astype(np.int64), first)
            return result

        one = order[first]
        is_failed = made.status == FAILED
        is_unpriced = (made.version < 0).astype(np.int64)
        at = made.at[one] // DAY * DAY
        return pa.table(
            {
                "workspace_id": columns.key_texts(self.world.workspace_keys, made.workspace[one]),
                "id": texts_of(keys_at(self.rng, at)),
                "date": columns.days(at),
                "user_id": columns.key_texts(self.world.people_keys, made.person[one]),
                "provider": columns.picked([provider for provider, _ in MODELS], made.model[one]),
                "model": columns.picked([model for _, model in MODELS], made.model[one]),
                "cost": columns.decimals(total(np.where(made.version > 0, made.cost, 0)), 12),
                "generations_count": pa.array(total(np.ones(len(made), np.int64))),
                "failed_count": pa.array(total(is_failed)),
                "unpriced_count": pa.array(total(is_unpriced)),
                "tokens_used": pa.array(total(made.tokens.sum(axis=1))),
                "created_at": columns.stamps(at),
                "updated_at": columns.stamps(at),
            }
        )

    def _write_usage(self) -> None:
        """A log per completed generation, and those of storage and of calls of the API."""
        logs = _usage(self.rng, self.world, self.made)
        is_live = logs["at"] >= self.world.season.live_from
        history = {name: values[~is_live] for name, values in logs.items()}
        for month, rows in _months(history["at"]):
            chosen = {name: values[rows] for name, values in history.items()}
            self.staging.write(self.connection, "usage_logs", month, self._usage_table(chosen))
            self.staging.finish("usage_logs", month)
            self.staging.write(self.connection, "user_usage", month, self._usage_months(month, chosen))
            self.staging.finish("user_usage", month)
        live = {name: values[is_live] for name, values in logs.items()}
        self.staging.write_aside(self.connection, "usage_logs", _with_arrival(self._usage_table(live)))

    def _usage_table(self, logs: dict[str, Ints]) -> pa.Table:
        return pa.table(
            {
                "workspace_id": columns.key_texts(self.world.workspace_keys, logs["workspace"]),
                "id": texts_of(keys_at(self.rng, logs["at"])),
                "logged_at": columns.stamps(logs["at"]),
                "user_id": columns.key_texts(self.world.people_keys, logs["person"]),
                "product": columns.picked(PRODUCTS, logs["product"]),
                "feature": columns.picked(_ALL_FEATURES, logs["feature"]),
                "credits_consumed": pa.array(logs["credits"]),
                "quantity": pa.array(logs["quantity"]),
                "resource_id": columns.key_texts(self.made.keys, logs["resource"]),
            }
        )

    def _usage_months(self, month: int, logs: dict[str, Ints]) -> pa.Table:
        people, position = np.unique(logs["person"], return_inverse=True)

        def total(values: Ints) -> pa.Array:
            summed = np.zeros(len(people), np.int64)
            np.add.at(summed, position, values)
            return pa.array(summed)

        def of_feature(name: str) -> pa.Array:
            return total(np.where(logs["feature"] == _ALL_FEATURES.index(name), logs["quantity"], 0))

        workspace = np.array([one.workspace for one in self.world.people])[people]
        at = np.full(len(people), logs["at"].min())
        return pa.table(
            {
                "workspace_id": columns.key_texts(self.world.workspace_keys, workspace),
                "id": texts_of(keys_at(self.rng, at)),
                "month": columns.same(first_of_month(month).isoformat(), len(people)),
                "user_id": columns.key_texts(self.world.people_keys, people),
                "campaigns_generated": of_feature("campaign_creation"),
                "ai_credits_used": total(logs["credits"]),
                "storage_bytes_used": of_feature("storage"),
                "api_calls_made": of_feature("api_call"),
            }
        )


_TOKEN_COLUMNS = ("input_tokens", "cached_input_tokens", "cache_write_tokens", "output_tokens", "reasoning_tokens")
_IMAGE_URLS = tuple(f"https://images.example/generated/{number}.png" for number in range(200))
_ALL_FEATURES = (*(_FEATURES.get(kind, f"{kind}_generation") for kind in GENERATION_TYPES), "storage", "api_call")


def _months(at: Ints) -> Iterator[tuple[int, slice]]:
    """The months of moments that are in order, and where each lies."""
    months = month_of(at)
    found, first = np.unique(months, return_index=True)
    ends = [*first[1:].tolist(), len(at)]
    for month, start, end in zip(found.tolist(), first.tolist(), ends, strict=True):
        yield month, slice(start, end)


def _with_arrival(table: pa.Table) -> pa.Table:
    return table.append_column("arrival", pa.array(np.arange(table.num_rows)))


def _usage(rng: np.random.Generator, world: World, made: Generations) -> dict[str, Ints]:
    """All usage by time."""
    done = np.flatnonzero(made.status == COMPLETED)
    extra = max(len(done) // 12, 200)
    workspace = rng.choice(len(world.workspaces), extra)
    person = world.someone(rng, workspace)
    at = world.season.moments(rng, extra)
    created_at = np.array([one.created_at for one in world.workspaces])[workspace]
    at = np.maximum(at, created_at + HOUR)
    is_storage = rng.random(extra) < 0.4  # noqa: PLR2004
    features = np.where(is_storage, _ALL_FEATURES.index("storage"), _ALL_FEATURES.index("api_call"))
    quantity = np.where(is_storage, rng.integers(10_000, 9_000_000, extra), rng.integers(1, 60, extra))
    logs = {
        "at": np.concatenate((made.at[done] + made.took_ms[done] * 1000, at)),
        "workspace": np.concatenate((made.workspace[done], workspace)),
        "person": np.concatenate((made.person[done], person)),
        "product": np.concatenate((_PRODUCT_OF_LINE[made.line[done]], rng.integers(0, len(PRODUCTS), extra))),
        "feature": np.concatenate((np.array(KINDS)[made.line[done]], features)),
        "credits": np.concatenate((made.credits[done], np.zeros(extra, np.int64))),
        "quantity": np.concatenate((np.ones(len(done), np.int64), quantity)),
        "resource": np.concatenate((done, np.full(extra, -1))),
    }
    order = np.argsort(logs["at"], kind="stable")
    order = order[logs["at"][order] < world.season.end]
    return {name: values[order] for name, values in logs.items()}


def credits_by_day(made: Generations) -> list[tuple[int, int, int]]:
    """What the ad generator's customers used: (person, day, credits)."""
    mine = made.where((_PRODUCT_OF_LINE[made.line] == PRODUCTS.index("craft_ads")) & (made.credits > 0))
    group = mine.person * 100_000 + mine.at // DAY
    found, position = np.unique(group, return_inverse=True)
    totals = np.zeros(len(found), np.int64)
    np.add.at(totals, position, mine.credits)
    return [(int(one // 100_000), int(one % 100_000), int(total)) for one, total in zip(found, totals, strict=True)]
