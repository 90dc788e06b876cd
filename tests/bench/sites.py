"""What the pages are measured on: our app without its worker, and small Streamlit apps beside it, each a process."""

import os
import shutil
import subprocess
import sys
import time
import urllib.error
import urllib.request
from collections.abc import Iterator
from contextlib import contextmanager
from dataclasses import dataclass
from pathlib import Path

from sqlalchemy import text

from app.identity.sessions import Device, open_session
from app.settings import PROJECT
from db.embedded import SUPERUSER, running_server
from db.engine import engine_for
from tests.browser.conftest import SIGHTLINE, free_port

_BARE = """
import streamlit as st

st.title("A page")
st.write("A sentence that stands for everything a page could say.")
"""

# The same six answers, asked of the same desk, drawn in another way; PERIODS are two of the overview's.
_SIX = """
from datetime import timedelta
from zoneinfo import ZoneInfo

import streamlit as st

from app import serving
from app.access import operator
from app.answering import the_desk
from app.metrics.glossary import metric
from app.metrics.question import question
from app.ui.look import sheet
from app.ui.markup import tag
from app.ui.series import over_time
from app.ui import plots, words
from app.ui.explore import _option

KIND = "{kind}"
NAMES = ("emails_delivered", "total_opens", "views", "conversions", "generations", "spend")
PERIODS = {{"Last 28 days": 28, "Last 90 days": 90}}

st.set_page_config(layout="wide")
st.title("Six charts")
days = PERIODS[st.selectbox("Period", list(PERIODS), key="period", width=150)]
version = the_desk().version()
last = version.data_through.astimezone(ZoneInfo(version.zone)).date()
viewer = operator(serving.engines().pipe, "bench")
if KIND == "SVG":
    st.html(f"<style>{{sheet()}}</style>")
columns = [column for _ in range(3) for column in st.columns(2)]
for place, (name, column) in enumerate(zip(NAMES, columns, strict=True)):
    since, until = last - timedelta(days=days - 1), last + timedelta(days=1)
    answer = the_desk().ask(question(name, since, until, grain="day", compare="previous"), viewer)
    title, shown = words.title(metric(name)), over_time(answer, [metric(name)])
    with column, st.container(border=True, key=f"card-{{place}}"):
        if KIND == "Plotly":
            from plotly import graph_objects as go

            points = [words.bucket(shown.grain, point) for point in shown.points]
            figure = go.Figure([go.Scatter(x=points, y=one.values, name=one.name) for one in shown.series])
            st.plotly_chart(figure.update_layout(title=title), height=280, key=f"chart-{{place}}")
        elif KIND == "ECharts":
            st.html(tag("h2", title))
            st.echarts_chart(_option(shown), height=280, alt=title, key=f"chart-{{place}}")
        else:
            drawn = plots.lines(shown, label=plots.described(shown, title), filled=True)
            st.html(tag("section", tag("h2", title), plots.legend(shown), drawn, class_="sl sl-card"))
"""
KINDS = ("Plotly", "ECharts", "SVG")
_START_SECONDS = 90


@dataclass(frozen=True)
class Served:
    """A process that serves an app on a port of its own."""

    port: int
    pid: int

    @property
    def url(self) -> str:
        return f"http://127.0.0.1:{self.port}"

    @property
    def megabytes(self) -> float:
        """What the process holds in memory now."""
        told = Path(f"/proc/{self.pid}/status").read_text(encoding="ascii")
        line = next(line for line in told.splitlines() if line.startswith("VmRSS"))
        return int(line.split()[1]) / 1024


@contextmanager
def served(script: Path, home: Path, folder: Path) -> Iterator[Served]:
    """An app on a home, as `sightline up` would start it."""
    port = free_port()
    # Others are served with our settings: colours, no files watched, no errors shown.
    shutil.copytree(PROJECT / ".streamlit", folder / ".streamlit", dirs_exist_ok=True)
    inherited = {name: value for name, value in os.environ.items() if name != "DATABASE_URL"}
    environment = {**inherited, "SIGHTLINE_HOME": str(home), "PORT": str(port)}
    command = (sys.executable, "-m", "streamlit", "run", str(script), "--server.address", "127.0.0.1")
    with (folder / f"{port}.log").open("w") as log:
        process = subprocess.Popen(
            (*command, "--server.port", str(port)),
            env=environment,
            stdout=log,
            stderr=log,
            cwd=PROJECT if script.is_relative_to(PROJECT) else folder,
        )
    try:
        _wait_for(f"http://127.0.0.1:{port}/_stcore/health", process)
        yield Served(port, process.pid)
    finally:
        process.terminate()
        process.wait(timeout=60)


def _wait_for(address: str, process: subprocess.Popen) -> None:
    deadline = time.monotonic() + _START_SECONDS
    directly = urllib.request.build_opener(urllib.request.ProxyHandler({}))
    while time.monotonic() < deadline:
        assert process.poll() is None, "A server ended by itself."
        try:
            directly.open(address, timeout=5).read()
        except (urllib.error.URLError, OSError):
            time.sleep(0.1)
        else:
            return
    raise TimeoutError(address)


def ours(home: Path, folder: Path):
    """The app itself; several of them share the home's database and lake."""
    return served(PROJECT / "app" / "asgi.py", home, folder)


def bare(home: Path, folder: Path):
    """A title and a sentence."""
    script = folder / "bare.py"
    script.write_text(_BARE, encoding="utf-8")
    return served(script, home, folder)


def six(kind: str, home: Path, folder: Path):
    """Six charts of one kind, over the period that is chosen."""
    script = folder / f"six_{kind.lower()}.py"
    script.write_text(_SIX.format(kind=kind), encoding="utf-8")
    return served(script, home, folder)


def filled(home: Path, size: str) -> None:
    """Demo data and their figures; a home that has them is left as it is."""
    if (home / "lake").exists():
        return
    environment = {**os.environ, "SIGHTLINE_HOME": str(home)}
    environment.pop("DATABASE_URL", None)
    for command in (("demo", "--size", size), ("refresh",)):
        subprocess.run([SIGHTLINE, *command], env=environment, check=True, timeout=300, stdout=subprocess.DEVNULL)


@contextmanager
def database(home: Path) -> Iterator[tuple[list[str], str]]:
    """The home's database for as long as the block lasts: tokens of twenty sessions, and the largest campaign's key."""
    with running_server(home / "postgres") as server:
        engine = engine_for(server.dsn("sightline", SUPERUSER))
        with engine.begin() as connection:
            member = connection.execute(
                text(
                    "INSERT INTO team_members (email, name, roles) VALUES ('bench@test.example', 'Bench', '{admin}')"
                    " ON CONFLICT (lower(email)) WHERE deleted_at IS NULL DO UPDATE SET is_active = true RETURNING id"
                )
            ).scalar_one()
            tokens = [open_session(connection, member, "password", Device(), replaces=None) for _ in range(20)]
            campaign = connection.execute(
                text(
                    "SELECT campaign_id FROM email_sends GROUP BY campaign_id"
                    " ORDER BY count(*) DESC, campaign_id LIMIT 1"
                )
            ).scalar_one()
        engine.dispose()
        yield tokens, str(campaign)
