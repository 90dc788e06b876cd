"""The program as a person runs it: what it prints, how it ends, and what it keeps when something is killed."""

import json
import os
import pty
import shutil
import signal
import socket
import subprocess
import sys
import tempfile
import threading
import time
import urllib.error
import urllib.request
from contextlib import contextmanager, suppress
from dataclasses import dataclass
from pathlib import Path

import pytest
import typer.main
from sqlalchemy import text
from sqlalchemy.exc import OperationalError
from typer.testing import CliRunner

from app.cli import Commands
from app.cli import app as command_line
from db.embedded import SUPERUSER, EmbeddedServer, running_server
from db.embedded.files import ServerFiles
from db.embedded.probe import live_server, postgres_runs_on
from db.engine import engine_for, seeing
from tests.db.rows import workspace

SIGHTLINE = Path(sys.executable).parent / "sightline"
CANARY = "canary sesame 4711"
READY = "Sightline is at "


def free_port():
    with socket.socket() as probe:
        probe.bind(("127.0.0.1", 0))
        return probe.getsockname()[1]


@dataclass(frozen=True)
class Copy:
    """One installation: its folder, and the port that it is served on."""

    home: Path
    port: int

    @property
    def environment(self):
        inherited = {name: value for name, value in os.environ.items() if name != "DATABASE_URL"}
        return {**inherited, "SIGHTLINE_HOME": str(self.home), "PORT": str(self.port), "COLUMNS": "200"}

    @property
    def server_files(self):
        return ServerFiles(self.home / "postgres")

    def run(self, *arguments, given=None, **environment):
        """Run a command to its end."""
        return subprocess.run(
            [SIGHTLINE, *arguments],
            env={**self.environment, **environment},
            input=given,
            capture_output=True,
            text=True,
            timeout=60,
            check=False,
        )

    def postmaster(self):
        found = live_server(self.server_files)
        return found and found.pid


@pytest.fixture(scope="module")
def prepared():
    """A migrated home whose server rests: others are copied from it."""
    home = Path(tempfile.mkdtemp(prefix="sl-")) / "home"
    done = Copy(home, free_port()).run("migrate")
    assert done.returncode == 0, done.stderr
    yield home
    shutil.rmtree(home.parent)


@contextmanager
def copied(prepared):
    folder = Path(tempfile.mkdtemp(prefix="sl-"))
    subprocess.run(["cp", "-a", prepared, folder / "home"], check=True)
    made = Copy(folder / "home", free_port())
    yield made
    assert not postgres_runs_on(made.server_files.data), "the embedded server was left behind"
    shutil.rmtree(folder)


@pytest.fixture
def copy(prepared):
    """A copy of one test alone."""
    with copied(prepared) as made:
        yield made


@pytest.fixture(scope="module")
def shared(prepared):
    """One copy whose server stays up for all the tests that leave it well, so that no command waits for a start."""
    with copied(prepared) as made, running_server(made.server_files.folder):
        yield made


@contextmanager
def setup(server: EmbeddedServer):
    engine = engine_for(server.dsn("sightline", SUPERUSER))
    try:
        yield engine
    finally:
        engine.dispose()


@contextmanager
def setup_of(copy):
    with running_server(copy.server_files.folder) as server, setup(server) as engine:
        yield engine


def everything_said(done):
    assert "Traceback" not in done.stdout + done.stderr
    return done.stdout + done.stderr


def refused(done, *parts):
    """It ended with 1 and said on stderr what, why and what to do."""
    assert done.returncode == 1, done.stdout + done.stderr
    assert "Traceback" not in done.stdout + done.stderr
    assert len(done.stderr.strip().splitlines()) >= len(parts)
    assert [part for part in parts if part not in done.stderr] == []


class Up:
    """`sightline up` as in a terminal of its own: Ctrl-C reaches every process of its group."""

    def __init__(self, copy, log):
        self.copy = copy
        self.log = log
        with log.open("w") as output:
            self.process = subprocess.Popen(
                [SIGHTLINE, "up", "--no-demo"],
                env=copy.environment,
                stdout=output,
                stderr=subprocess.STDOUT,
                start_new_session=True,
            )
        deadline = time.monotonic() + 180
        while READY not in self.said() and self.process.poll() is None and time.monotonic() < deadline:
            time.sleep(0.05)
        assert READY in self.said(), self.said()

    def said(self):
        return self.log.read_text()

    def get(self, path):
        with urllib.request.urlopen(f"http://127.0.0.1:{self.copy.port}{path}", timeout=10) as answer:
            return answer.status, answer.read().decode()

    def is_well_again(self, within_seconds):
        deadline = time.monotonic() + within_seconds
        while time.monotonic() < deadline:
            with suppress(urllib.error.HTTPError):
                return self.get("/health")[0] == 200
            time.sleep(0.2)
        return False

    def press_ctrl_c(self):
        os.killpg(self.process.pid, signal.SIGINT)
        return self.process.wait(timeout=30)


@contextmanager
def up(copy, log):
    running = Up(copy, log)
    try:
        yield running
    finally:
        if running.process.poll() is None:
            running.press_ctrl_c()


def commands(group, before=()):
    for name, command in group.commands.items():
        yield [*before, name]
        if hasattr(command, "commands"):
            yield from commands(command, [*before, name])


def test_every_command_explains_itself(shared):
    done = shared.run("--help")
    assert done.returncode == 0
    for words in commands(typer.main.get_group(command_line)):
        assert words[0] in done.stdout
        # In this process: a program of its own per command would take seconds each.
        explained = CliRunner().invoke(command_line, [*words, "--help"], prog_name="sightline")
        assert explained.exit_code == 0
        assert f"Usage: sightline {' '.join(words)} " in explained.output


def test_the_list_says_of_every_command_what_it_says_itself():
    group = typer.main.get_group(command_line)
    assert [line.name for line in Commands.lines if not group.commands[line.name].help.startswith(line.says)] == []


@pytest.mark.parametrize("arguments", ["--help", "team --help"])
def test_nobody_waits_for_what_other_commands_load(arguments):
    """What reads and draws figures takes seconds to load: who adds a person to the team needs none of it."""
    starting = (
        f"import sys; from app.cli import app; app({arguments.split()}, standalone_mode=False); print(sys.modules)"
    )
    done = subprocess.run([sys.executable, "-c", starting], capture_output=True, text=True, check=True)
    assert "Usage: " in done.stdout
    assert [name for name in ("pandas", "numpy", "pyarrow", "duckdb", "sqlglot") if f"'{name}'" in done.stdout] == []


def test_a_command_that_does_not_exist_ends_with_2(shared):
    done = shared.run("nonsense")
    assert done.returncode == 2
    assert "No such command 'nonsense'" in everything_said(done)


def test_a_role_that_does_not_exist_ends_with_2(shared):
    done = shared.run("team", "add", "ada@team.example", "--role", "king", given=CANARY)
    assert done.returncode == 2
    assert "king" in everything_said(done)


@pytest.mark.parametrize(
    ("variable", "value"), [("PORT", "seven"), ("SIGHTLINE_LOG_FORMAT", "prose"), ("DATABASE_URL", "oracle://x:y@z")]
)
def test_a_wrong_setting_is_named_by_its_variable(shared, variable, value):
    done = shared.run("doctor", **{variable: value})
    refused(done, f"The setting {variable} can't be used.", "", "Correct it or unset it")
    assert value not in done.stderr


def test_a_database_that_does_not_answer_is_one_sentence_each_for_what_why_and_fix(shared):
    done = shared.run("migrate", DATABASE_URL="postgresql://owner:canary4711@127.0.0.1:1/sightline")
    refused(done, "can't be reached", "Connection refused", "Check that the server runs")
    assert done.stdout == ""
    assert "canary4711" not in done.stderr


def test_what_nobody_expected_is_told_with_a_reference_to_its_details(prepared):
    """A table that was taken away by hand."""
    with copied(prepared) as copy:
        with setup_of(copy) as engine, engine.begin() as connection:
            connection.execute(text("ALTER TABLE workspaces RENAME COLUMN kind TO other"))
        done = copy.run("up")
        refused(done, "Something happened that Sightline did not expect.", "UndefinedColumn", "under the reference")
        reference = done.stderr.split("under the reference ")[1].split(".")[0]
        kept = (copy.home / "errors.log").read_text()
        assert reference in kept
        assert "Traceback" in kept
        assert (copy.home / "errors.log").stat().st_mode & 0o077 == 0


def test_doctor_is_green_on_a_fresh_copy_for_people_and_for_programs(shared):
    people, programs = shared.run("doctor"), shared.run("doctor", "--json")
    assert (people.returncode, programs.returncode) == (0, 0), people.stdout
    found = json.loads(programs.stdout)
    assert {one["subject"]: one["is_well"] for one in found} == dict.fromkeys(
        (
            "server",
            "migrations",
            "disk",
            "clock",
            "locks",
            "horizon",
            "partitions",
            "tenants",
            "secrets",
            "models",
        ),
        True,
    )
    assert [line.split()[:2] for line in people.stdout.splitlines()] == [["well", one["subject"]] for one in found]


def test_doctor_is_red_with_what_to_do_when_a_hole_is_open_and_a_month_is_missing(copy):
    with setup_of(copy) as engine:
        with engine.begin() as connection:
            connection.execute(text("GRANT SELECT ON contacts TO PUBLIC"))
            newest = connection.scalar(
                text("SELECT max(partition::text) FROM fact_partitions() WHERE month <= now() + interval '1 month'")
            )
            connection.execute(text(f"DROP TABLE {newest}"))
        people, programs = copy.run("doctor"), copy.run("doctor", "--json")
    assert (people.returncode, programs.returncode) == (1, 1)
    red = {one["subject"]: one for one in json.loads(programs.stdout) if not one["is_well"]}
    assert set(red) == {"tenants", "partitions"}
    assert all(one["fix"] in people.stdout for one in red.values())
    assert "contacts" in red["tenants"]["says"]


def test_migrate_makes_the_missing_month_again(copy):
    with setup_of(copy) as engine:
        with engine.begin() as connection:
            newest = connection.scalar(text("SELECT max(partition::text) FROM fact_partitions()"))
            connection.execute(text(f"DROP TABLE {newest}"))
        assert copy.run("migrate").returncode == 0
        with engine.connect() as connection:
            assert connection.scalar(text("SELECT to_regclass(:name) IS NOT NULL"), {"name": newest})


def test_a_person_is_added_by_a_pipe_once_and_listed(shared):
    added = shared.run("team", "add", "ada@team.example", "--role", "finance", "--name", "Ada", given=f"{CANARY}\n")
    assert added.returncode == 0, added.stderr
    assert "ada@team.example is in the team as finance." in added.stdout
    again = shared.run("team", "add", "Ada@Team.example", "--role", "viewer", given=f"{CANARY}\n")
    refused(again, "Ada@Team.example is in the team already.", "`sightline team list`")
    listed = shared.run("team", "list")
    assert listed.stdout.count("ada@team.example") == 1
    assert "finance" in listed.stdout
    assert CANARY not in everything_said(added) + everything_said(again) + everything_said(listed)
    assert [path for path in files_of(shared.home) if CANARY.encode() in path.read_bytes()] == []


@pytest.mark.parametrize(
    ("arguments", "password", "said"),
    [
        (["short@team.example", "--role", "viewer"], "canary4711", "The password is too short."),
        (["none@team.example", "--role", "viewer"], "", "The password is too short."),
        (["not-an-address", "--role", "viewer"], CANARY, "'not-an-address' is not an e-mail address."),
        (["w@team.example", "--role", "viewer", "--workspace", "nowhere"], CANARY, "No workspace is called nowhere."),
    ],
    ids=["short", "empty", "address", "workspace"],
)
def test_a_person_that_cannot_be_added_is_refused_with_a_reason(shared, arguments, password, said):
    done = shared.run("team", "add", *arguments, given=f"{password}\n")
    refused(done, said)
    assert not password or password not in everything_said(done)
    assert arguments[0] not in shared.run("team", "list").stdout


def test_ctrl_c_ends_a_command_with_130_and_without_a_traceback(shared):
    """At the question for the password, in a terminal."""
    terminal, end = pty.openpty()
    asking = subprocess.Popen(
        [SIGHTLINE, "team", "add", "never@team.example", "--role", "viewer"],
        env=shared.environment,
        stdin=end,
        stdout=end,
        stderr=end,
        start_new_session=True,
    )
    os.close(end)
    said = read_until(terminal, b"Password")
    asking.send_signal(signal.SIGINT)
    assert asking.wait(timeout=30) == 130
    said += read_until(terminal, None)
    os.close(terminal)
    assert b"Traceback" not in said


def test_keys_are_rotated_and_doctor_still_opens_every_secret(shared):
    # A home that has sealed nothing has no key yet.
    assert shared.run("keys", "rotate").returncode == 0
    before = json.loads((shared.home / "keys" / "vault.json").read_text())["current"]
    done = shared.run("keys", "rotate")
    assert done.returncode == 0, done.stderr
    after = json.loads((shared.home / "keys" / "vault.json").read_text())
    assert after["current"] != before
    assert after["keys"][after["current"]]["key"] not in everything_said(done)
    assert shared.run("doctor").returncode == 0


def test_up_serves_until_ctrl_c_and_starts_again_with_everything_kept(copy, tmp_path):
    with up(copy, tmp_path / "up.log") as running:
        assert running.get("/health")[0] == 200
        assert "<title>" in running.get("/sign-in")[1]
        # The port is taken: nothing of the second one starts.
        refused(copy.run("up"), f"Port {copy.port} can't be used.", "Address already in use", "PORT=")
        with setup_of(copy) as engine, engine.begin() as connection:
            workspace(connection, slug="kept")
        assert running.press_ctrl_c() == 0
        assert "Stopped. Everything is kept in" in running.said()
        assert "Traceback" not in running.said()
    assert not postgres_runs_on(copy.server_files.data)
    with up(copy, tmp_path / "again.log") as running, setup_of(copy) as engine, engine.connect() as connection:
        assert connection.scalar(text("SELECT count(*) FROM workspaces WHERE slug = 'kept'")) == 1
        assert running.get("/health")[0] == 200


def test_a_second_up_of_one_home_joins_its_server_and_survives_the_end_of_the_first(copy, tmp_path):
    second = Copy(copy.home, free_port())
    with up(copy, tmp_path / "one.log") as one, up(second, tmp_path / "two.log") as two:
        postmaster = copy.postmaster()
        assert one.press_ctrl_c() == 0
        assert copy.postmaster() == postmaster
        assert two.get("/health")[0] == 200


def test_two_copies_with_homes_and_ports_of_their_own_run_side_by_side(prepared, tmp_path):
    with (
        copied(prepared) as first,
        copied(prepared) as second,
        up(first, tmp_path / "one.log") as one,
        up(second, tmp_path / "two.log") as two,
    ):
        assert first.postmaster() != second.postmaster()
        assert (one.get("/health")[0], two.get("/health")[0]) == (200, 200)


def test_a_kill_of_postgres_under_load_loses_nothing_that_was_acknowledged(copy, tmp_path):
    with up(copy, tmp_path / "up.log") as running:
        load = Load(copy)
        load.until(50)
        os.kill(copy.postmaster(), signal.SIGKILL)
        load.stop()
        assert running.is_well_again(within_seconds=60)
        # The worker comes back a moment after the app; a command that is interrupted as it connects says where it was.
        time.sleep(8)
        assert running.press_ctrl_c() == 0
        assert "Traceback" not in running.said()
    with up(copy, tmp_path / "again.log") as running, setup_of(copy) as engine, engine.connect() as connection:
        present = set(connection.scalars(text("SELECT email FROM contacts")))
        assert len(load.acknowledged) >= 50
        assert set(load.acknowledged) - present == set()
        assert copy.run("doctor").returncode == 0
        assert running.get("/health")[0] == 200


class Load:
    """Contacts that are added one by one as the app does it, until the server is gone."""

    def __init__(self, copy):
        self.acknowledged = []
        self.copy = copy
        with setup_of(copy) as engine, engine.begin() as connection:
            self.workspace = workspace(connection).id
        self.thread = threading.Thread(target=self.work)
        self.thread.start()

    def work(self):
        with self.engine() as engine, suppress(OperationalError):
            while True:
                email = f"c{len(self.acknowledged)}@contacts.example"
                with seeing(engine, [self.workspace], actor="load") as connection:
                    connection.execute(
                        text("INSERT INTO contacts (workspace_id, email) VALUES (:workspace, :email)"),
                        {"workspace": self.workspace, "email": email},
                    )
                self.acknowledged.append(email)

    @contextmanager
    def engine(self):
        kept = json.loads((self.copy.home / "keys" / "installation.json").read_text())
        server = live_server(self.copy.server_files)
        engine = engine_for(server.dsn("sightline", f"sightline_{kept['name']}_rw", kept["passwords"]["app_rw"]))
        try:
            yield engine
        finally:
            engine.dispose()

    def until(self, number):
        deadline = time.monotonic() + 30
        while len(self.acknowledged) < number and time.monotonic() < deadline:
            time.sleep(0.01)

    def stop(self):
        self.thread.join(timeout=30)


def files_of(home):
    """Everything that is kept outside the database's own pages: logs, keys and settings."""
    return [path for path in home.rglob("*") if path.is_file() and "data" not in path.relative_to(home).parts]


def read_until(terminal, word):
    """What a terminal shows until a word; without one, until its program is gone."""
    said = b""
    with suppress(OSError):  # how a terminal tells that nobody is there any more
        while word is None or word not in said:
            piece = os.read(terminal, 4096)
            if not piece:
                break
            said += piece
    return said
