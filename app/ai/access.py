"""How models are reached, and what is off without a key; nothing of the openai package is loaded to say so."""

from dataclasses import dataclass, field
from decimal import Decimal

from app.redaction import never_log
from app.settings import Settings


@dataclass(frozen=True)
class Access:
    """How models are reached: any server that speaks OpenAI's format."""

    key: str = field(repr=False)
    base_url: str
    provider: str
    model: str
    timeout_seconds: float
    unpriced_ceiling: Decimal | None

    @classmethod
    def of(cls, settings: Settings) -> "Access":
        never_log(settings.openai_api_key.get_secret_value())
        return cls(
            settings.openai_api_key.get_secret_value(), settings.openai_base_url, settings.ai_provider,
            settings.ai_model, settings.ai_timeout_seconds, settings.ai_unpriced_ceiling,
        )  # fmt: skip

    @property
    def off_because(self) -> str | None:
        """What is off without a key, in a sentence; None: nothing is."""
        if self.key:
            return None
        return "Drafting and rewriting with AI is off: OPENAI_API_KEY is not set. Everything else works."
