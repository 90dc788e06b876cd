"""What is asked of a model, and what comes of it."""

from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field
from decimal import Decimal
from typing import Literal, TypedDict
from uuid import UUID, uuid4

from app.money.units import UNREPORTED, Unit, Usage
from db.errors import SightlineError

# A message is framed by a few tokens, and a token is at least one byte of text: no call reads more than this says.
_FRAME_TOKENS = 16


class AiOffError(SightlineError):
    """No key is set, so nothing is asked of any model."""


class AiCallError(SightlineError):
    """A model gave no answer, after all the attempts that made sense."""


class Message(TypedDict):
    """One message of a conversation."""

    role: Literal["system", "user", "assistant"]
    content: str


@dataclass(frozen=True)
class Asked:
    """One request. Its key is the same however often it is tried: nothing is held, made or counted twice for it."""

    workspace_id: UUID
    customer_id: UUID
    product: str
    generation_type: str
    messages: Sequence[Message]
    meters: Mapping[str, int] = field(default_factory=lambda: {"generations": 1})
    most_tokens: int = 2_000
    model: str = ""
    credits: int = 0
    request_key: UUID = field(default_factory=uuid4)

    @property
    def key(self) -> str:
        return str(self.request_key)

    @property
    def at_most(self) -> Usage:
        """More than this it can't use."""
        read = sum(len(one["content"].encode()) + _FRAME_TOKENS for one in self.messages)
        return Usage({Unit("input"): Decimal(read), Unit("output"): Decimal(self.most_tokens)})


@dataclass(frozen=True)
class Done:
    """The model's answer, and what it cost; no cost: no price is known, or the response did not say what was used."""

    text: str
    cost: Decimal | None
    unpriced_because: str | None
    attempts: int
    is_replay: bool = False


# What is not known is kept as a unit of its own, so that no rating by the book takes it for nothing.
UNKNOWN_USAGE = Usage({Unit(UNREPORTED): Decimal(1)})


@dataclass(frozen=True)
class Outcome:
    """How one attempt ended."""

    status: Literal["completed", "failed", "cancelled"]
    usage: Usage
    text: str = ""
    error_code: str | None = None
    error_message: str | None = None
    may_try_again: bool = False
    wait_seconds: float | None = None
