"""The price book of the demo, and the exact cost of calls by it: whole numbers of a millionth of a millionth dollar."""

from dataclasses import dataclass
from decimal import Decimal

import numpy as np

from db.demo.keys import key_at
from db.demo.rows import Row
from db.demo.seasons import DAY, Ints, Season, moment

# One dollar in the unit of costs.
DOLLAR = 10**12
TOKEN_UNITS = ("input", "cached_input", "cache_write_5m", "output", "reasoning")
TIERS = ("standard", "batch")
GPT, GPT_MINI, SONNET, HAIKU, FLASH, DALLE, IMAGEN, VEO, PREVIEW = range(9)
MODELS = (
    ("openai", "gpt-4o"),
    ("openai", "gpt-4o-mini"),
    ("anthropic", "claude-sonnet"),
    ("anthropic", "claude-haiku"),
    ("google", "gemini-flash"),
    ("openai", "dall-e-3"),
    ("google", "imagen-4.0"),
    ("google", "veo-3.0"),
    ("google", "gemini-flash-preview"),
)
IMAGE_VARIANTS = ("1024x1024/standard", "1024x1024/hd", "1792x1024/hd")
# Cents for a million tokens, in the order of TOKEN_UNITS.
_TOKEN_CENTS: dict[int, tuple[int | str, ...]] = {
    GPT: (250, 125, 0, 1000, 1000),
    GPT_MINI: (15, "7.5", 0, 60, 60),
    SONNET: (300, 30, 375, 1500, 1500),
    HAIKU: (80, 8, 100, 400, 400),
    FLASH: (30, "7.5", 0, 250, 250),
}
_GPT_BEFORE = (500, 250, 0, 1500, 1500)
_WITH_BATCH = (GPT_MINI, HAIKU)
_DALLE_CENTS = (4, 8, 12)
_IMAGEN_CENTS = 4
_VEO_CENTS_PER_SECOND = 40
_MILLION = 1_000_000


def _per_token(cents: int | str) -> int:
    """The cost of one token."""
    return int(Decimal(cents) * DOLLAR / 100 / _MILLION)


@dataclass(frozen=True, slots=True)
class PriceBook:
    """What every unit cost when."""

    season: Season

    def versions(self, model: Ints, at: Ints) -> Ints:
        """The version of the prices that a call is charged by; -1 for a model without any."""
        later = (model == GPT) & (at >= self.season.model_price_change)
        result: Ints = np.where(model == PREVIEW, -1, 1 + later.astype(np.int64))
        return result

    def costs(
        self, model: Ints, at: Ints, tier: Ints, *, tokens: Ints, images: Ints, variant: Ints, video_seconds: Ints
    ) -> Ints:
        """The cost of each call; `tokens` has a row per call and a column per unit."""
        cost = (self._rates(model, at) * tokens).sum(axis=1)
        cost = np.where(tier == 1, cost // 2, cost)
        per_image = np.array(_DALLE_CENTS)[np.maximum(variant, 0)]
        per_image = np.where(model == DALLE, per_image, np.where(model == IMAGEN, _IMAGEN_CENTS, 0)) * (DOLLAR // 100)
        result: Ints = cost + images * per_image + video_seconds * (_VEO_CENTS_PER_SECOND * DOLLAR // 100)
        return result

    def cache_savings(self, model: Ints, at: Ints, tokens: Ints) -> Ints:
        """What each call would have cost more as a standard one without a cache."""
        rates = self._rates(model, at)
        plain, units = rates[:, :1], [TOKEN_UNITS.index("cached_input"), TOKEN_UNITS.index("cache_write_5m")]
        result: Ints = ((plain - rates[:, units]) * tokens[:, units]).sum(axis=1)
        return result

    def _rates(self, model: Ints, at: Ints) -> Ints:
        """The standard cost of one token of each unit; a row per call."""
        rates = np.zeros((2, len(MODELS), len(TOKEN_UNITS)), np.int64)
        for code, cents in _TOKEN_CENTS.items():
            rates[1, code] = [_per_token(one) for one in cents]
        rates[0] = rates[1]
        rates[0, GPT] = [_per_token(one) for one in _GPT_BEFORE]
        era = (at >= self.season.model_price_change).astype(np.int64)
        result: Ints = rates[era, model]
        return result

    def rows(self, rng: np.random.Generator) -> list[Row]:
        """The rows of `ai_prices`."""
        began, change = self.season.start - 100 * DAY, self.season.model_price_change
        rows: list[Row] = []
        for model, cents in _TOKEN_CENTS.items():
            span = (change, None, 2) if model == GPT else (began, None, 1)
            rows += _token_rows(rng, model, cents, 0, span)
            if model in _WITH_BATCH:
                rows += _token_rows(rng, model, cents, 1, span)
        rows += _token_rows(rng, GPT, _GPT_BEFORE, 0, (began, change, 1))
        whole = (began, None, 1)
        for variant, price in zip(IMAGE_VARIANTS, _DALLE_CENTS, strict=True):
            rows.append(_row(rng, DALLE, ("image", "standard", variant), (Decimal(price) / 100, 1), whole))
        rows.append(_row(rng, IMAGEN, ("image", "standard", ""), (Decimal(_IMAGEN_CENTS) / 100, 1), whole))
        video = (Decimal(_VEO_CENTS_PER_SECOND) / 100, 1)
        rows.append(_row(rng, VEO, ("video_second", "standard", ""), video, whole))
        return rows


def _token_rows(
    rng: np.random.Generator,
    model: int,
    cents: tuple[int | str, ...],
    tier: int,
    span: tuple[int, int | None, int],
) -> list[Row]:
    # A batch costs half.
    return [
        _row(rng, model, (unit, TIERS[tier], ""), (Decimal(price) / 100 / (1 + tier), _MILLION), span)
        for unit, price in zip(TOKEN_UNITS, cents, strict=True)
        if price
    ]


def _row(
    rng: np.random.Generator,
    model: int,
    kind: tuple[str, str, str],
    amount: tuple[Decimal, int],
    span: tuple[int, int | None, int],
) -> Row:
    (provider, name), (unit, tier, variant), (price, per), (begins, ends, version) = MODELS[model], kind, amount, span
    return {
        "id": key_at(rng, begins),
        "provider": provider,
        "model": name,
        "unit": unit,
        "service_tier": tier,
        "variant": variant,
        "price": price,
        "per": per,
        "valid_from": moment(begins),
        "valid_to": moment(ends) if ends else None,
        "known_from": moment(begins),
        "version": version,
        "source": "demo price list",
        "source_reference": f"https://prices.example/{provider}",
        "approved_at": moment(begins),
        "created_at": moment(begins),
    }
