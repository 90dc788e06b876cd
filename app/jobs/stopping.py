"""Runs the parts of a process side by side, and ends them in order when one fails or a signal comes."""

import signal
import threading
from collections.abc import Callable, Iterator, Mapping
from contextlib import contextmanager
from types import FrameType

_SIGNALS = (signal.SIGTERM, signal.SIGINT, signal.SIGHUP)
_LOOK_SECONDS = 0.5


class Stop:
    """Asks every part of a process to end."""

    def __init__(self) -> None:
        self._event = threading.Event()
        self._told: list[Callable[[], None]] = []

    @property
    def is_requested(self) -> bool:
        return self._event.is_set()

    def request(self) -> None:
        self._event.set()
        for tell in self._told:
            tell()

    def wait(self, seconds: float) -> bool:
        """Wait for so long, or until it is requested; whether it is. Not for the thread that signals interrupt."""
        return self._event.wait(seconds)

    def also_tell(self, tell: Callable[[], None]) -> None:
        """Call this as well when the end is requested: for parts that wait for something else."""
        self._told.append(tell)


Part = Callable[[Stop], None]


def run_side_by_side(parts: Mapping[str, Part], stop: Stop) -> None:
    """Run each part in a thread until all have ended. One that ends by itself or fails takes the others with it."""
    failures: list[Exception] = []

    def run(part: Part) -> None:
        try:
            part(stop)
        except Exception as error:  # noqa: BLE001 - raised again below, in the thread that waits
            failures.append(error)
        finally:
            stop.request()

    # As daemons, they end with the process when a second signal interrupts the waiting.
    threads = [threading.Thread(target=run, args=(part,), name=name, daemon=True) for name, part in parts.items()]
    for thread in threads:
        thread.start()
    while any(thread.is_alive() for thread in threads):
        for thread in threads:
            thread.join(_LOOK_SECONDS)
    if failures:
        raise failures[0]


@contextmanager
def at_signals(stop: Stop) -> Iterator[None]:
    """The first signal to end asks for an orderly end; a second one does what it did before."""
    before = {which: signal.getsignal(which) for which in _SIGNALS}

    def give_back() -> None:
        for which, handler in before.items():
            signal.signal(which, handler)

    def ask(_signal: int, _frame: FrameType | None) -> None:
        give_back()
        stop.request()

    for which, handler in before.items():
        if handler is not signal.SIG_IGN:  # as `nohup` asks
            signal.signal(which, ask)
    try:
        yield
    finally:
        give_back()
