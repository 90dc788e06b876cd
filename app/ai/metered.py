"""The client of language models: quota and budget first, then the call, then the ledger and what it really used."""

import random
import time
from collections.abc import Callable, Iterator
from contextlib import AbstractContextManager
from datetime import UTC, datetime, timedelta
from decimal import Decimal
from functools import cached_property

from openai import OpenAI
from sqlalchemy import Connection, Engine

from app.ai import ledger
from app.ai.access import Access
from app.ai.asked import AiCallError, AiOffError, Asked, Done, Outcome
from app.ai.prices import ceiling, priced
from app.ai.provider import Streamed, complete
from app.quotas import engine as quotas
from app.quotas.answers import Admitted, Instead, Refused
from db.engine import seeing

ATTEMPTS = 3
# Longer than this nobody waits before a screen; the request ends, and what it held is free.
LONGEST_WAIT_SECONDS = 30.0
_chance = random.SystemRandom()


class MeteredClient:
    """Asks models for one workspace's customer at a time; the engine is the one of commands."""

    def __init__(self, engine: Engine, access: Access, *, sleep: Callable[[float], None] = time.sleep) -> None:
        self._engine = engine
        self._access = access
        self._sleep = sleep

    def ask(self, asked: Asked) -> Done | Refused:
        """The whole answer, or what to show in its place where a limit, a budget or a stop is in the way."""
        client = self._client
        permission = self._permission(asked)
        if isinstance(permission, Done | Refused):
            return permission
        for number in range(1, ATTEMPTS + 1):
            row = self._begin(asked)
            outcome = complete(client, asked, self._model(asked))
            done = self._finish(asked, row, outcome, is_last=number == ATTEMPTS)
            if done is not None:
                return done
            self._wait(number, outcome)
        raise AssertionError("The last attempt either answers or raises.")

    def stream(self, asked: Asked) -> "Refused | Pieces":
        """The answer piece by piece. A request that was answered before gives its answer as one piece."""
        client = self._client
        permission = self._permission(asked)
        if isinstance(permission, Refused):
            return permission
        return Pieces(permission if isinstance(permission, Done) else self._streamed(client, asked))

    def _streamed(self, client: OpenAI, asked: Asked) -> Iterator[str | Done]:
        """Pieces, and at last what came of them. After the first piece nothing is tried again."""
        for number in range(1, ATTEMPTS + 1):
            row = self._begin(asked)
            streamed = Streamed(client, asked, self._model(asked))
            try:
                yield from streamed
            finally:
                if streamed.outcome is not None and streamed.outcome.status == "cancelled":
                    self._finish(asked, row, streamed.outcome, is_last=True)
            outcome = streamed.outcome
            if outcome is None:
                raise AssertionError("A stream that ended says how.")
            done = self._finish(asked, row, outcome, is_last=number == ATTEMPTS)
            if done is not None:
                yield done
                return
            self._wait(number, outcome)

    @cached_property
    def _client(self) -> OpenAI:
        """One for all calls: it keeps connections. Attempts are ours, each with its row: the package makes none."""
        access = self._access
        if access.off_because:
            raise AiOffError(
                "Nothing can be asked of a model.",
                why=access.off_because,
                fix="Set OPENAI_API_KEY, and OPENAI_BASE_URL where the models are not OpenAI's.",
            )
        return OpenAI(api_key=access.key, base_url=access.base_url, timeout=access.timeout_seconds, max_retries=0)

    def _model(self, asked: Asked) -> str:
        return asked.model or self._access.model

    def _permission(self, asked: Asked) -> Admitted | Done | Refused:
        """Quota and budget for the most that the call may use; committed before anything is sent."""
        with self._writing(asked) as connection:
            most = ceiling(
                connection, self._access.provider, self._model(asked), asked.at_most, datetime.now(UTC),
                unpriced=self._access.unpriced_ceiling,
            )  # fmt: skip
            if most is None:
                return _unpriceable(self._model(asked))
            answer = quotas.reserve(
                connection,
                quotas.Wanted(
                    asked.workspace_id, asked.product, asked.meters, asked.key, asked.customer_id, asked.credits,
                    quotas.AiCall(self._access.provider, asked.generation_type, most),
                    timedelta(seconds=ATTEMPTS * (self._access.timeout_seconds + LONGEST_WAIT_SECONDS) + 60),
                ),
            )  # fmt: skip
            if isinstance(answer, Refused) or answer.state == "held":
                return answer
            before = ledger.earlier(connection, asked)
        if before is None:
            raise AiCallError(
                "This request was given up before.",
                why=f"What it held is {answer.state}.",
                fix="Ask again: a new request has a new key.",
            )
        return before

    def _begin(self, asked: Asked) -> ledger.Row:
        with self._writing(asked) as connection:
            return ledger.begin(connection, asked, self._access.provider, self._model(asked))

    def _finish(self, asked: Asked, row: ledger.Row, outcome: Outcome, *, is_last: bool) -> Done | None:
        """Write down how an attempt ended and, if it was the last, settle; None: it makes sense to try again."""
        goes_on = outcome.may_try_again and not is_last and (outcome.wait_seconds or 0) <= LONGEST_WAIT_SECONDS
        with self._writing(asked) as connection:
            cost = priced(connection, self._access.provider, self._model(asked), outcome.usage, row.began_at)
            if not goes_on:
                # Before the row, in the order in which everybody locks: balances, then budgets, then what counts costs.
                self._settle(connection, asked, outcome, ledger.cost_with(connection, asked, row, cost.cost))
            ledger.end(connection, asked, row, outcome, cost)
        if goes_on:
            return None
        if outcome.status == "failed":
            raise AiCallError(
                "The model gave no answer.",
                why=f"{_why(outcome)} {row.attempt} attempts were made." if row.attempt > 1 else _why(outcome),
                fix="Try again later. Nothing of the quota was used.",
            )
        return Done(outcome.text, cost.cost, cost.unpriced_because, row.attempt)

    def _settle(self, connection: Connection, asked: Asked, outcome: Outcome, cost: Decimal | None) -> None:
        """Without an answer nothing of the quota was used, whatever the attempts cost us."""
        if outcome.status == "failed":
            nothing = dict.fromkeys(asked.meters, 0)
            quotas.settle(connection, asked.workspace_id, asked.key, actual=nothing, cost=cost, credits_used=0)
        else:
            quotas.settle(connection, asked.workspace_id, asked.key, cost=cost)

    def _wait(self, number: int, outcome: Outcome) -> None:
        """As long as the server asks for; otherwise up to a limit that doubles: calls must not come back together."""
        self._sleep(outcome.wait_seconds if outcome.wait_seconds is not None else _chance.uniform(0.2, 0.5 * 2**number))

    def _writing(self, asked: Asked) -> AbstractContextManager[Connection]:
        return seeing(self._engine, [asked.workspace_id], actor="the AI client")


class Pieces:
    """The pieces of an answer; after the last one, `done` says what they were together and what they cost."""

    def __init__(self, parts: Done | Iterator[str | Done]) -> None:
        self._parts = parts
        self.done: Done | None = None

    def __iter__(self) -> Iterator[str]:
        if isinstance(self._parts, Done):
            self.done = self._parts
            yield self._parts.text
            return
        for part in self._parts:
            if isinstance(part, Done):
                self.done = part
            else:
                yield part


def _why(outcome: Outcome) -> str:
    kinds: dict[str | None, str] = {
        "timeout": "It took too long.",
        "connection": "The connection was lost.",
        "malformed": "What came back could not be read.",
    }
    return kinds.get(outcome.error_code, f"The server said {outcome.error_code}: {outcome.error_message}.")


def _unpriceable(model: str) -> Refused:
    """A call that nobody can price would pass by every budget."""
    title = f"Nobody has said yet what {model} costs."
    text = "A preview from templates is shown in place of a new one."
    told = {"verdict": "refused", "because": "no price", "degrade": {"action": "preview", "title": title, "text": text}}
    return Refused("no price", Instead("preview", title, text, None, None, None), None, told)
