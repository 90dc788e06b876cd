"""The app as it is started by hand, and a browser that looks at it and remembers what went wrong."""

import os
import shutil
import signal
import socket
import subprocess
import time
from collections.abc import Iterator
from contextlib import ExitStack, contextmanager
from dataclasses import dataclass, field
from functools import cached_property
from pathlib import Path
from urllib.parse import urlsplit

import pytest
from playwright.sync_api import Browser, BrowserContext, Page, expect, sync_playwright
from sqlalchemy import text
from sqlalchemy.exc import OperationalError

from app.identity.sessions import Device, open_session
from db.embedded import SUPERUSER, running_server
from db.embedded.files import ServerFiles
from db.embedded.probe import live_server
from db.engine import engine_for
from tests.homes import SIGHTLINE, environment, new_home

# Others may be busy on this machine.
expect.set_options(timeout=30_000)
QUIETLY = [
    "--no-sandbox",
    "--disable-gpu",
    "--disable-background-networking",
    "--disable-component-update",
    "--disable-sync",
    "--no-first-run",
]

# One person per role, added when first needed; limited ones see the two workspaces with the most campaigns.
_MEMBER = """
INSERT INTO team_members (email, name, roles, workspace_ids)
VALUES (
    :email,
    initcap(:role),
    ARRAY[CASE :role WHEN 'limited' THEN 'viewer' WHEN 'limited-finance' THEN 'finance'
        WHEN 'limited-admin' THEN 'admin' ELSE :role END],
    CASE WHEN :role LIKE 'limited%' THEN ARRAY(
        SELECT workspace_id FROM campaigns GROUP BY workspace_id ORDER BY count(*) DESC, workspace_id LIMIT 2
    ) END
)
ON CONFLICT (lower(email)) WHERE deleted_at IS NULL DO UPDATE SET is_active = true
RETURNING id
"""


# Expanders open over half a second and carry away what is below them: a click in between would land beside its button.
_AT_ONCE = """
    const animate = Element.prototype.animate
    Element.prototype.animate = function (frames, options) {
        return animate.call(this, frames, { ...options, duration: 0 })
    }
"""

_READY = "Sightline is at "


@dataclass
class Site:
    """An installation, and what serves it."""

    home: Path
    port: int
    process: subprocess.Popen | None = None

    @property
    def url(self):
        return f"http://127.0.0.1:{self.port}"

    @cached_property
    def _superuser(self):
        """Connections that are kept: a walk asks thousands of questions."""
        with running_server(self.home / "postgres") as server:
            return engine_for(server.dsn("sightline", SUPERUSER))

    def close(self):
        # Where nobody looked into the database there is nothing to close, and perhaps no server.
        if "_superuser" in vars(self):
            self._superuser.dispose()

    @contextmanager
    def changing(self):
        """A transaction in which the database's superuser changes something past the app, as a product would."""
        with ExitStack() as stack:
            try:
                connection = stack.enter_context(self._superuser.begin())
            except OperationalError:
                # Nobody serves it at the moment.
                stack.enter_context(running_server(self.home / "postgres"))
                connection = stack.enter_context(self._superuser.begin())
            yield connection

    def rows(self, question):
        """What the same superuser is told, who sees every row: nothing of the app takes part."""
        with self.changing() as connection:
            return connection.exec_driver_sql(question).all()

    def change(self, statement):
        with self.changing() as connection:
            connection.exec_driver_sql(statement)

    def sign_in(self, role="admin", *, who=None):
        """A new cookie of `admin`, `finance`, `viewer`; of two workspaces, `limited`, `limited-…` of the others.

        Of each there is one person, unless another one is named.
        """
        with self.changing() as connection:
            named = {"email": f"{who or role}@test.example", "role": role}
            member = connection.execute(text(_MEMBER), named).scalar_one()
            token = open_session(connection, member, "password", Device(), replaces=None)
        return {"name": f"sightline_{self.port}", "value": token, "url": self.url, "httpOnly": True, "sameSite": "Lax"}

    @property
    def log(self) -> Path:
        return self.home.with_name("up.log")

    def command(self, *arguments, output):
        """The shell's words in this home, and where they tell what they do."""
        told = environment(self.home, PORT=str(self.port))
        return {"args": [SIGHTLINE, *arguments], "env": told, "stdout": output, "stderr": output}

    def run(self, *arguments):
        with self.log.open("a") as output:
            subprocess.run(**self.command(*arguments, output=output), check=True, timeout=240)

    def start(self):
        """Serve it, and wait until it says where."""
        before = self.log.read_text().count(_READY) if self.log.exists() else 0
        with self.log.open("a") as output:
            self.process = subprocess.Popen(**self.command("up", "--no-demo", output=output))
        deadline = time.monotonic() + 180
        while self.log.read_text().count(_READY) == before:
            assert self.process.poll() is None, self.log.read_text()
            assert time.monotonic() < deadline, self.log.read_text()
            time.sleep(0.1)

    def stop(self):
        """As somebody does who presses Ctrl-C."""
        self.process.send_signal(signal.SIGINT)
        self.process.wait(timeout=60)

    def refresh(self):
        """Bring the figures up to the rows, as the worker does by itself sooner or later."""
        self.run("refresh")

    def kill_postgres(self):
        running = live_server(ServerFiles(self.home / "postgres"))
        if running:
            os.kill(running.pid, signal.SIGKILL)


@dataclass
class Seen:
    """A page, and everything that a person with the browser's console open would frown at."""

    page: Page
    troubles: list[str] = field(default_factory=list)
    hosts: set[str] = field(default_factory=set)

    def __post_init__(self):
        self.page.on("console", self._console)
        self.page.on("pageerror", lambda error: self.troubles.append(f"error: {error}"))
        self.page.on("requestfailed", self._failed)
        self.page.on("request", lambda request: self.hosts.add(urlsplit(request.url).hostname))
        self.page.on("response", self._response)

    def _console(self, message):
        if message.type == "error":
            self.troubles.append(f"console: {message.text}")

    def _failed(self, request):
        # What a page was still loading when the person left it is no trouble.
        if request.failure != "net::ERR_ABORTED":
            self.troubles.append(f"failed: {request.url}")

    def _response(self, response):
        if response.status >= 400:
            self.troubles.append(f"{response.status}: {response.url}")


def free_port():
    with socket.socket() as probe:
        probe.bind(("127.0.0.1", 0))
        return probe.getsockname()[1]


@contextmanager
def served(pattern=None) -> Iterator[Site]:
    """A new home, empty or a copy of the pattern, served until the block ends."""
    with new_home(pattern) as home:
        site = Site(home, free_port())
        try:
            site.start()
            yield site
        finally:
            site.close()
            if site.process:
                site.stop()
        assert site.process.returncode == 0, site.log.read_text()


@pytest.fixture(scope="session")
def browser() -> Iterator[Browser]:
    # Without windows of its own it draws the same for about half of the work.
    program = shutil.which("chromium-headless-shell") or shutil.which("chromium")
    if program is None:
        missing = "Chromium is not installed; `make test` installs it where Debian's packages can be had."
        if os.environ.get("CI"):
            pytest.fail(missing)
        pytest.skip(missing)
    with sync_playwright() as playwright:
        opened = playwright.chromium.launch(executable_path=program, args=QUIETLY)
        yield opened
        opened.close()


@pytest.fixture(scope="session")
def site(browser, demo_home) -> Iterator[Site]:
    """The app with the smallest demo; nobody changes its data. No browser, no start."""
    with served(demo_home) as running:
        yield running


def window_of(browser: Browser, **given) -> BrowserContext:
    """A window as the tests look through it: a desk's unless told otherwise, in which nothing moves by itself."""
    window = browser.new_context(**{"viewport": {"width": 1280, "height": 900}, "locale": "en-US", **given})
    window.add_init_script(_AT_ONCE)
    window.set_default_timeout(30_000)
    return window


@pytest.fixture
def look(browser):
    """Open a page in a window of its own: `look(site, "/email", role="viewer", color_scheme="dark")`.

    Whoever looks is signed in as admin unless another role is named; `role=None` is a stranger.
    """
    contexts = []

    def open_page(site, path="/", *, role="admin", **window) -> Seen:
        context = window_of(browser, **window)
        contexts.append(context)
        if role:
            context.add_cookies([site.sign_in(role)])
        seen = Seen(context.new_page())
        seen.page.goto(site.url + path)
        return seen

    yield open_page
    for context in contexts:
        context.close()


@pytest.fixture(scope="module")
def signed_in(site, browser):
    """A window in which somebody of this role is signed in to the shared site: `signed_in("viewer").new_page()`."""
    windows: list[BrowserContext] = []

    def open_window(role="admin", **window) -> BrowserContext:
        context = window_of(browser, **window)
        windows.append(context)
        context.add_cookies([site.sign_in(role)])
        return context

    yield open_window
    for context in windows:
        context.close()


@pytest.fixture(scope="module")
def glance(site, signed_in):
    """A page as somebody of a role sees it, in a window that the module's tests share: `glance("/email", "viewer")`."""
    windows: dict[str, BrowserContext] = {}

    def open_page(path, role) -> Seen:
        if role not in windows:
            windows[role] = signed_in(role, color_scheme="light")
        seen = Seen(windows[role].new_page())
        seen.page.goto(site.url + path)
        return seen

    return open_page


@pytest.fixture(autouse=True)
def nothing_left_open(browser):
    """Pages that a test opened end with it: each holds a socket and a process."""

    def pages():
        return {page for context in browser.contexts for page in context.pages}

    before = pages()
    yield
    for page in pages() - before:
        page.close()
