"""What waits for the demo's price book, and what it once said: a new model, a cut, a bill, a slip of the pen."""

from dataclasses import dataclass
from datetime import date
from decimal import Decimal

import numpy as np

from db.demo.keys import key_at
from db.demo.prices import MODELS, TIERS, PriceBook
from db.demo.rows import Row
from db.demo.seasons import DAY, first_of_month, micros, moment, month_of

_MILLION = 1_000_000
_MODELS = {model: provider for provider, model in MODELS}
# Dollars for a million tokens; a batch costs half.
_PREVIEW = {"input": "0.3", "cached_input": "0.075", "output": "2.5", "reasoning": "2.5"}
_CHEAPER = {"input": "0.1", "cached_input": "0.05", "output": "0.4", "reasoning": "0.4"}


@dataclass(frozen=True, slots=True)
class Proposals:
    """Rows of `ai_prices` that are not in the book."""

    book: PriceBook
    rng: np.random.Generator

    def rows(self, live: list[Row]) -> list[Row]:
        """`live` is the book itself: one of its rows superseded another."""
        season = self.book.season
        preview = [
            self._row("gemini-flash-preview", unit, price, season.end - 20 * DAY) for unit, price in _PREVIEW.items()
        ]
        this_month = _first(season.end, 0)
        cheaper = [
            self._row("gpt-4o-mini", unit, Decimal(price) / (1 + tier), this_month, tier=TIERS[tier])
            for tier in (0, 1)
            for unit, price in _CHEAPER.items()
        ]
        billed = self._row("dall-e-3", "image", "0.07", _first(season.end, 1)) | {
            "variant": "1024x1024/hd", "per": 1, "source": "bill of openai",
            "source_reference": f"the bill of {moment(_first(season.end, 1)):%B %Y}",
        }  # fmt: skip
        refused = self._row("claude-sonnet", "output", "18", this_month) | {
            "rejected_at": moment(season.end - DAY), "source": "by hand", "source_reference": "Heard at a conference",
        }  # fmt: skip
        return [*preview, *cheaper, billed, refused, self._slip(live)]

    def _row(self, model: str, unit: str, price: str | Decimal, begins: int, *, tier: str = "standard") -> Row:
        known = moment(self.book.season.end - 2 * DAY)
        return {
            "id": key_at(self.rng, micros(known)),
            "provider": _MODELS[model],
            "model": model,
            "unit": unit,
            "service_tier": tier,
            "variant": "",
            "price": Decimal(price),
            "per": _MILLION,
            "valid_from": moment(begins),
            "known_from": known,
            "version": 0,
            "source": "demo price list",
            "source_reference": f"https://prices.example/{_MODELS[model]}, {known:%B %Y}",
            "created_at": known,
        }

    def _slip(self, live: list[Row]) -> Row:
        """The new price of a model was written down wrong at first, and mended on the next day."""
        right = next(row for row in live if (row["model"], row["unit"], row["version"]) == ("gpt-4o", "output", 2))
        return {
            **right,
            "id": key_at(self.rng, micros(right["known_from"]) - DAY),
            "price": Decimal(11),
            "version": 1,
            "known_from": moment(micros(right["known_from"]) - DAY),
            "approved_at": moment(micros(right["known_from"]) - DAY),
            "created_at": moment(micros(right["known_from"]) - DAY),
            "superseded_by": right["id"],
        }


def price_rows(book: PriceBook, numbers: np.random.Generator, more: np.random.Generator) -> list[Row]:
    """The book and what is not in it; the latter has random numbers of its own."""
    live = book.rows(numbers)
    return [*live, *Proposals(book, more).rows(live)]


def _first(at: int, months_before: int) -> int:
    """The midnight (UTC) that begins a month."""
    month = int(month_of(np.array([at - 1]))[0]) - months_before
    return (first_of_month(month) - date(1970, 1, 1)).days * DAY
