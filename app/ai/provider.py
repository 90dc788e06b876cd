"""One attempt at one call through the openai package, and what became of it; trying again is somebody else's."""

from collections.abc import Iterator
from datetime import UTC, datetime
from email.utils import parsedate_to_datetime
from typing import Any

from openai import APIConnectionError, APIError, APIStatusError, APITimeoutError, OpenAI, Stream
from openai.types.chat import ChatCompletion, ChatCompletionChunk

from app.ai.asked import UNKNOWN_USAGE, Asked, Outcome
from app.money.openai import chat
from app.money.reported import UsageError
from app.money.units import Usage

NOTHING_USED = Usage({})
# Answers that come to nothing at the provider and may come right a moment later: it charges nothing for them.
_WORTH_ANOTHER_TRY = (408, 409, 429)
_SERVER_ERRORS = 500
# What httpx says when no connection came about: nothing was sent, so nothing was used.
_NOT_SENT = ("ConnectError", "ConnectTimeout", "PoolTimeout")


def complete(client: OpenAI, asked: Asked, model: str) -> Outcome:
    """Ask for a whole answer."""
    try:
        answer: Any = client.chat.completions.create(**_call(asked, model))
    except (APIError, ValueError) as error:
        return failed(error)
    if not isinstance(answer, ChatCompletion) or not answer.choices:
        return Outcome("failed", UNKNOWN_USAGE, error_code="malformed", error_message="The answer is no completion.",
            may_try_again=True)  # fmt: skip
    said = answer.to_dict(warnings=False)
    text = answer.choices[0].message.content or ""
    return _completed(text, said.get("usage"), said.get("service_tier"))


class Streamed:
    """An answer as it comes, piece by piece; when the pieces have ended, `outcome` says how."""

    def __init__(self, client: OpenAI, asked: Asked, model: str) -> None:
        self._client = client
        self._asked = asked
        self._model = model
        self.text = ""
        self.outcome: Outcome | None = None

    def __iter__(self) -> Iterator[str]:
        try:
            yield from self._pieces()
        except (APIError, ValueError) as error:
            self.outcome = failed(error, self.text)
        except GeneratorExit:
            # Whoever reads has gone. The model may have gone on: how far, nobody says.
            self.outcome = Outcome("cancelled", UNKNOWN_USAGE, self.text, "left", "Nobody read the answer to its end.")
            raise

    def _pieces(self) -> Iterator[str]:
        usage: Any = None
        tier: Any = None
        has_ended = False
        stream: Stream[ChatCompletionChunk] = self._client.chat.completions.create(
            **_call(self._asked, self._model), stream=True, stream_options={"include_usage": True}
        )
        with stream:
            for chunk in stream:
                said: dict[str, Any] = chunk.to_dict(warnings=False)
                usage, tier = said.get("usage") or usage, said.get("service_tier") or tier
                for choice in chunk.choices or []:
                    has_ended = has_ended or choice.finish_reason is not None
                    if choice.delta.content:
                        self.text += choice.delta.content
                        yield choice.delta.content
        # A server that goes away between two pieces ends the stream as if it were over.
        self.outcome = _completed(self.text, usage, tier) if has_ended else _cut(self.text)


def failed(error: Exception, text: str = "") -> Outcome:
    """What an error means: whether something was used, and whether it makes sense to try again."""
    if isinstance(error, APIStatusError):
        status = error.status_code
        return Outcome(
            "failed",
            NOTHING_USED,
            error_code=str(status),
            error_message=error.message,
            may_try_again=status in _WORTH_ANOTHER_TRY or status >= _SERVER_ERRORS,
            wait_seconds=_asked_to_wait(error.response.headers.get("retry-after")),
        )
    if isinstance(error, APIConnectionError):
        was_sent = type(error.__cause__).__name__ not in _NOT_SENT
        code = "timeout" if isinstance(error, APITimeoutError) else "connection"
        return Outcome("failed", UNKNOWN_USAGE if was_sent else NOTHING_USED, text, code, str(error),
            may_try_again=not text)  # fmt: skip
    return Outcome("failed", UNKNOWN_USAGE, text, "malformed", str(error), may_try_again=not text)


def _cut(text: str) -> Outcome:
    return Outcome("failed", UNKNOWN_USAGE, text, "connection", "The answer broke off.", may_try_again=not text)


def _completed(text: str, usage: Any, tier: Any) -> Outcome:  # noqa: ANN401 - whatever a server writes there
    """An answer whose usage can't be read is an answer, and its cost is not known."""
    try:
        return Outcome("completed", chat(usage, service_tier=tier), text)
    except UsageError as error:
        return Outcome("completed", UNKNOWN_USAGE, text, "usage", str(error))


def _call(asked: Asked, model: str) -> dict[str, Any]:
    return {
        "model": model,
        "messages": list(asked.messages),
        "max_completion_tokens": asked.most_tokens,
        "extra_headers": {"Idempotency-Key": asked.key},
    }


def _asked_to_wait(told: str | None) -> float | None:
    """Retry-After in seconds, which is a number or a date."""
    if told is None:
        return None
    try:
        return max(0.0, float(told))
    except ValueError:
        pass
    try:
        return max(0.0, (parsedate_to_datetime(told) - datetime.now(UTC)).total_seconds())
    except (ValueError, TypeError):
        return None
