"""Threads for one kind of work: whatever waits or takes long keeps no thread from those who sign in."""

from collections.abc import Callable
from typing import TypeVar

import anyio.to_thread
from anyio import CapacityLimiter
from anyio.lowlevel import RunVar

Made = TypeVar("Made")


class Places:
    """So many threads of their own; whoever finds none waits."""

    def __init__(self, name: str, at_once: int) -> None:
        self._limiter: RunVar[CapacityLimiter] = RunVar(name)
        self._at_once = at_once

    async def run(self, work: Callable[[], Made]) -> Made:
        """Do it in one of them."""
        try:
            limiter = self._limiter.get()
        except LookupError:
            # A limiter belongs to the loop that it is first used in.
            limiter = CapacityLimiter(self._at_once)
            self._limiter.set(limiter)
        return await anyio.to_thread.run_sync(work, limiter=limiter)
