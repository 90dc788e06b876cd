"""How fast people see their pages: loads and clicks in Chromium beside bare pages, and twenty people at once.

`python -m tests.bench.pages` makes demo data in a temporary home, or takes those of SIGHTLINE_HOME where it has a
lake; `--short` goes round less often, to try it. Rounds are interleaved, so that what else the machine does weighs on
all; medians are the figures, and minima beside them tell what noise made of the rest. Of twenty people at once, the
rounds in which each period is chosen for the first time are told apart.
"""

import os
import shutil
import statistics
import sys
import tempfile
from argparse import ArgumentParser
from collections.abc import Callable, Mapping, Sequence
from contextlib import ExitStack
from dataclasses import dataclass
from pathlib import Path

from playwright.sync_api import Browser, BrowserContext, Playwright, sync_playwright

from tests.bench.crowd import clicks, visits
from tests.bench.drawn import click, load, opened, work
from tests.bench.sites import KINDS, Served, bare, database, filled, ours, six
from tests.browser.conftest import QUIETLY

BARE, OVERVIEW, SVG = "bare", "overview", "SVG"
PAGES = {
    OVERVIEW: "/", "campaigns": "/campaigns", "campaign": "/campaign?campaign={campaign}", "e-mail": "/email",
    "audience": "/audience", "web": "/web", "ads": "/ads", "AI usage": "/ai_usage", "templates": "/templates",
}  # fmt: skip
WARM_LIMIT, COLD_LIMIT, ANY_LIMIT = 1.5, 1.8, 2.2
_PERIODS = ("Last 90 days", "Last 28 days")
_WINDOW = {"viewport": {"width": 1280, "height": 900}, "locale": "en-US"}

Figures = Mapping[str, list[float]]


@dataclass(frozen=True)
class Rounds:
    """How often each thing is done."""

    warm: int
    cold: int
    clicks: int
    crowd: int
    visits: int


LONG, SHORT = Rounds(9, 5, 10, 8, 500), Rounds(4, 2, 4, 4, 96)


def interleaved(rounds: int, measures: Mapping[str, Callable[[], float]], *, first: int = 0) -> Figures:
    """Each in turn, round after round; the first rounds warm up and are not kept."""
    found: dict[str, list[float]] = {name: [] for name in measures}
    for number in range(first + rounds):
        for name, measure in measures.items():
            taken = measure()
            if number >= first:
                found[name].append(taken)
    return found


def loads(addresses: Mapping[str, str], rounds: Rounds, window: Callable[[], BrowserContext], kept: BrowserContext):
    """Every page with a browser that knows them all, and with one that has never seen any."""
    warm = interleaved(rounds.warm, {name: lambda at=at: load(kept, at) for name, at in addresses.items()}, first=1)

    def fresh(address: str) -> float:
        context = window()
        taken = load(context, address)
        context.close()
        return taken

    return warm, interleaved(rounds.cold, {name: lambda at=at: fresh(at) for name, at in addresses.items()})


def redrawn(addresses: Mapping[str, str], rounds: int, kept: BrowserContext) -> Figures:
    """Another period is chosen on each page, there and back."""
    with ExitStack() as tabs:
        pages = {name: tabs.enter_context(opened(kept, address))[0] for name, address in addresses.items()}
        turns = dict.fromkeys(pages, 0)

        def turn(name: str) -> float:
            turns[name] += 1
            # A tab in the background draws nothing.
            pages[name].bring_to_front()
            return click(pages[name], _PERIODS[(turns[name] - 1) % len(_PERIODS)])

        return interleaved(rounds, {name: lambda name=name: turn(name) for name in pages}, first=len(_PERIODS))


def table(heading: Sequence[str], figures: Sequence[Figures], base: str) -> str:
    """Medians, and ratios of medians and of minima to the base."""
    columns = [part for title in heading[1:] for part in (f"{title}, ms", "of medians", "of minima")]
    lines = [f"| {' | '.join((heading[0], *columns))} |", f"| --- |{' ---: |' * len(columns)}"]
    for name in figures[0]:
        cells = []
        for found in figures:
            median, least = statistics.median(found[name]), min(found[name])
            of_medians, of_minima = median / statistics.median(found[base]), least / min(found[base])
            cells += [f"{median:,.0f}", f"{of_medians:.2f}", f"{of_minima:.2f}"]
        lines.append(f"| {name} | {' | '.join(cells)} |")
    return "\n".join(lines)


def limits(warm: Figures, cold: Figures, clicked: Figures) -> str:
    """What was asked for, and what came of it."""

    def ratio(found: Figures, name: str, base: str) -> float:
        return statistics.median(found[name]) / statistics.median(found[base])

    slowest = [max((ratio(found, name, BARE), name) for name in PAGES) for found in (warm, cold)]
    asked = (
        ("overview, warm, of a bare page", ratio(warm, OVERVIEW, BARE), WARM_LIMIT),
        ("overview, cold, of a bare page", ratio(cold, OVERVIEW, BARE), COLD_LIMIT),
        *(
            (f"slowest page {how} ({name}), of a bare page", found, ANY_LIMIT)
            for how, (found, name) in zip(("warm", "cold"), slowest, strict=True)
        ),
        ("click on the overview, of a page with six Plotly charts", ratio(clicked, OVERVIEW, "Plotly"), 0.5),
    )
    lines = [f"| {name} | {found:.2f} | {most} | {'yes' if found <= most else 'no'} |" for name, found, most in asked]
    return "\n".join(("| asked | measured | at most | held |", "| --- | ---: | ---: | --- |", *lines))


def crowded(sites: Sequence[Served], tokens: Sequence[str], rounds: Rounds) -> str:
    """Twenty people at once on two processes, and their memory over many visits."""

    def told(seconds: Sequence[float]) -> str:
        return f"{statistics.median(seconds):.2f} s, {statistics.quantiles(seconds, n=20)[-1]:.2f} s"

    first, taken, troubles = clicks(sites, tokens, rounds.crowd)
    held, more = visits(sites, tokens[0], rounds.visits)
    part = max(1, rounds.visits // 5)
    memory = [(statistics.fmean(one[:part]), statistics.fmean(one[-part:]), one[len(one) // 2]) for one in held]
    lines = [
        f"| {len(first)} clicks of {len(tokens)} people at once, on new periods: median, p95 | {told(first)} |",
        f"| {len(taken)} clicks after these: median, p95 (asked: under 2 s) | {told(taken)} |",
        f"| errors | {len(troubles) + len(more)} |",
        *(
            f"| process {number}: first {part} of {rounds.visits} visits, half of them, last {part} |"
            f" {first:.0f} MB, {middle:.0f} MB, {last:.0f} MB ({last / first:.2f}) |"
            for number, (first, last, middle) in enumerate(memory, 1)
        ),
    ]
    return "\n".join(("| what | measured |", "| --- | --- |", *lines, *troubles[:3], *more[:3]))


def say(text: str) -> None:
    sys.stdout.write(f"{text}\n\n")
    sys.stdout.flush()


def in_chromium(
    playwright: Playwright, folder: Path, served: Mapping[str, Served], known: tuple[str, str], rounds: Rounds
) -> None:
    """Everything for which a browser is needed; what is known are a session's token and a campaign's key."""
    token, campaign = known
    app, program = served[OVERVIEW], shutil.which("chromium")
    cookie = {"name": f"sightline_{app.port}", "value": token, "url": app.url, "httpOnly": True, "sameSite": "Lax"}
    browser: Browser = playwright.chromium.launch(executable_path=program, args=QUIETLY)
    kept = playwright.chromium.launch_persistent_context(
        str(folder / "profile"), executable_path=program, args=QUIETLY, **_WINDOW
    )
    kept.add_cookies([cookie])

    def window() -> BrowserContext:
        context = browser.new_context(**_WINDOW)
        context.add_cookies([cookie])
        return context

    addresses = {BARE: served[BARE].url} | {
        name: app.url + path.format(campaign=campaign) for name, path in PAGES.items()
    }
    sixes = {kind: served[kind].url for kind in KINDS}
    warm, cold = loads(addresses | sixes, rounds, window, kept)
    worked = interleaved(3, {name: lambda at=at: work(kept, at) for name, at in (addresses | sixes).items()})
    say(table(("page", "warm", "cold"), (warm, cold), BARE))
    say(table(("page", "main thread"), (worked,), BARE))
    clicked = redrawn({OVERVIEW: addresses[OVERVIEW], **sixes}, rounds.clicks, kept)
    say(table(("page", "click"), (clicked,), "Plotly"))
    say(limits(warm, cold, clicked))
    kept.close()
    browser.close()


def main(rounds: Rounds) -> None:
    with ExitStack() as stack, sync_playwright() as playwright:
        folder = Path(stack.enter_context(tempfile.TemporaryDirectory(prefix="sl-bench-")))
        home = Path(os.environ.get("SIGHTLINE_HOME") or folder / "home")
        filled(home, "small")
        tokens, campaign = stack.enter_context(database(home))
        app, second = (stack.enter_context(ours(home, folder)) for _ in range(2))
        say(f"Load of the machine before: {os.getloadavg()[0]:.1f}, {os.cpu_count()} cores.")
        with ExitStack() as apps:
            served = {OVERVIEW: app, BARE: apps.enter_context(bare(home, folder))}
            served |= {kind: apps.enter_context(six(kind, home, folder)) for kind in KINDS}
            in_chromium(playwright, folder, served, (tokens[0], campaign), rounds)
        say(crowded((app, second), tokens, rounds))
        say(f"Load of the machine after: {os.getloadavg()[0]:.1f}.")


if __name__ == "__main__":
    parser = ArgumentParser(description=__doc__)
    parser.add_argument("--short", action="store_true", help="a few rounds, to try it")
    main(SHORT if parser.parse_args().short else LONG)
