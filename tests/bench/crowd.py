"""Many people at once, without a browser each: they speak Streamlit's own protocol, as its client does."""

import threading
import time
from collections.abc import Sequence
from concurrent.futures import ThreadPoolExecutor
from dataclasses import dataclass, field
from typing import Self
from urllib.parse import quote, urlencode

from streamlit.proto.BackMsg_pb2 import BackMsg
from streamlit.proto.ForwardMsg_pb2 import ForwardMsg
from websockets.sync.client import connect

from tests.bench.sites import Served

_ADDRESSES = ("/", "/campaigns", "/email", "/web", "/ads", "/ai_usage", "/audience", "/templates")
_PERIODS = ("Last 7 days", "Last 90 days", "This year", "Last 28 days", "Last month", "Last 365 days")
_LONGEST_SECONDS = 60
_TROUBLE = "the log says more"


@dataclass
class Person:
    """Somebody on a page: what the page's widgets are called is learned from what it sends."""

    site: Served
    token: str
    page: str
    socket: object = field(init=False)
    widgets: dict[str, str] = field(default_factory=dict)
    troubles: list[str] = field(default_factory=list)

    def __post_init__(self) -> None:
        self.socket = connect(
            f"ws://127.0.0.1:{self.site.port}/_stcore/stream",
            origin=self.site.url,
            subprotocols=["streamlit"],
            additional_headers={"Cookie": f"sightline_{self.site.port}={self.token}"},
            max_size=None,
            proxy=None,
        )

    def __enter__(self) -> Self:
        return self

    def __exit__(self, *_) -> None:
        self.socket.close()

    def run(self, **chosen: str) -> float:
        """Ask for the page with these choices: seconds until everything has come."""
        message = BackMsg()
        state = message.rerun_script
        state.page_name = self.page.strip("/")
        state.query_string = urlencode(chosen, quote_via=quote)
        state.context_info.timezone, state.context_info.locale = "UTC", "en-US"
        state.context_info.url = f"{self.site.url}{self.page}?{state.query_string}"
        for name, value in chosen.items():
            if name in self.widgets:
                widget = state.widget_states.widgets.add()
                widget.id, widget.string_value = self.widgets[name], value
        started = time.perf_counter()
        self.socket.send(message.SerializeToString())
        while not self._heard():
            pass
        return time.perf_counter() - started

    def _heard(self) -> bool:
        """Take a message in; the last one of a run says so."""
        message = ForwardMsg()
        message.ParseFromString(self.socket.recv(timeout=_LONGEST_SECONDS))
        kind = message.WhichOneof("type")
        if kind == "delta":
            element = message.delta.new_element
            drawn = element.WhichOneof("type")
            if drawn == "selectbox":
                self.widgets[element.selectbox.query_param_key] = element.selectbox.id
            if drawn == "exception" or _TROUBLE in element.alert.body:
                self.troubles.append(f"{self.page}: {element}")
        if kind in {"auth_redirect", "page_not_found"}:
            self.troubles.append(f"{self.page}: {kind}")
            return True
        # A run that another one follows at once is not the end of what was asked for.
        return kind == "script_finished" and message.script_finished != ForwardMsg.FINISHED_EARLY_FOR_RERUN


def clicks(sites: Sequence[Served], tokens: Sequence[str], rounds: int) -> tuple[list[float], list[float], list[str]]:
    """Everybody chooses another period at the same moment, each on a page of their own kind, again and again.

    Told apart are the first rounds, in which each period is chosen for the first time, and those that follow.
    """
    first = len(_PERIODS)
    barrier = threading.Barrier(len(tokens))

    def sit(place: int, token: str) -> tuple[list[float], list[str]]:
        page = _ADDRESSES[place % len(_ADDRESSES)]
        with Person(sites[place % len(sites)], token, page) as person:
            person.run()
            taken = []
            for number in range(first + rounds):
                barrier.wait(_LONGEST_SECONDS * 2)
                taken.append(person.run(period=_PERIODS[(place + number) % len(_PERIODS)]))
            return taken, person.troubles

    with ThreadPoolExecutor(len(tokens)) as pool:
        found = list(pool.map(sit, range(len(tokens)), tokens))
    return (
        [one for taken, _ in found for one in taken[:first]],
        [one for taken, _ in found for one in taken[first:]],
        [one for _, troubles in found for one in troubles],
    )


def visits(sites: Sequence[Served], token: str, number: int) -> tuple[list[list[float]], list[str]]:
    """One visit after another, to every page and process in turn: the memory of each process after each visit."""
    held: list[list[float]] = [[] for _ in sites]
    troubles: list[str] = []
    for place in range(number):
        with Person(sites[place % len(sites)], token, _ADDRESSES[place // len(sites) % len(_ADDRESSES)]) as person:
            person.run()
            person.run(period=_PERIODS[place % len(_PERIODS)])
        troubles += person.troubles
        for site, megabytes in zip(sites, held, strict=True):
            megabytes.append(site.megabytes)
    return held, troubles
