"""The embedded Postgres starts with no set-up, is closed to others, survives kills and explains each failure."""

import os
import pwd
import shutil
import signal
import stat
import subprocess
import sys
import tempfile
import threading
import time
from collections.abc import Callable, Iterator
from contextlib import suppress
from pathlib import Path

import psycopg
import pytest

from db.embedded import SUPERUSER, EmbeddedServer, running_server
from db.embedded import probe as embedded_probe
from db.embedded import starting as embedded_start
from db.embedded import user as embedded_user
from db.embedded.files import ServerFiles, binaries_folder
from db.embedded.probe import postgres_runs_on
from db.errors import SightlineError

PROJECT = Path(__file__).resolve().parents[2]
A_USER_PROCESS = """
import sys
from pathlib import Path
from db.embedded import running_server
with running_server(Path(sys.argv[1])) as server:
    print(server.pid, flush=True)
    sys.stdin.read()
"""
AS_NOBODY = {"user": "nobody", "group": pwd.getpwnam("nobody").pw_gid, "extra_groups": []}
only_as_root = pytest.mark.skipif(os.geteuid() != 0, reason="needs root, to act as another user or to mount a disk")


@pytest.fixture
def folder() -> Iterator[Path]:
    """A short path, so that the socket fits into it."""
    home = Path(tempfile.mkdtemp(prefix="pg-"))
    yield home / "postgres"
    assert not postgres_runs_on(home / "postgres" / "data"), "a test left its server behind"
    shutil.rmtree(home)


@pytest.fixture
def small_disk(folder: Path) -> Iterator[Callable[[str], None]]:
    """Mounts a disk of a few megabytes at the server's folder, or mounts it anew with other options."""
    folder.mkdir(mode=0o700)

    def mount(options: str) -> None:
        done = subprocess.run(["mount", "-t", "tmpfs", "-o", options, "none", folder], capture_output=True, check=False)
        if done.returncode:
            pytest.skip(f"mounts are not permitted here: {done.stderr.decode().strip()}")

    yield mount
    while os.path.ismount(folder):
        subprocess.run(["umount", folder], check=True)


def setup_connection(server: EmbeddedServer) -> psycopg.Connection:
    return psycopg.connect(server.dsn("postgres", SUPERUSER), autocommit=True)


def write_number(server: EmbeddedServer, number: int) -> None:
    with setup_connection(server) as connection:
        connection.execute("CREATE TABLE IF NOT EXISTS kept (number int)")
        connection.execute("INSERT INTO kept VALUES (%s)", [number])


def numbers(server: EmbeddedServer) -> list[int]:
    with setup_connection(server) as connection:
        return [row[0] for row in connection.execute("SELECT number FROM kept ORDER BY number")]


def a_process_using(folder: Path) -> subprocess.Popen[str]:
    command = [sys.executable, "-c", A_USER_PROCESS, str(folder)]
    return subprocess.Popen(command, cwd=PROJECT, stdin=subprocess.PIPE, stdout=subprocess.PIPE, text=True)


def leave(process: subprocess.Popen[str]) -> None:
    process.communicate(timeout=30)
    assert process.returncode == 0


def everything_in(folder: Path) -> dict[str, bytes]:
    return {str(path): path.read_bytes() for path in folder.rglob("*") if path.is_file() and path.parent.name != "log"}


def refusal(folder: Path) -> SightlineError:
    """Why the server of this folder is not started."""
    with pytest.raises(SightlineError) as caught, running_server(folder):
        pass
    assert caught.value.why
    assert caught.value.fix
    return caught.value


def test_it_stops_and_starts_again_in_seconds_with_its_data(folder: Path) -> None:
    with running_server(folder) as server:
        write_number(server, 1)
    assert not postgres_runs_on(server.data_folder)
    begun_at = time.monotonic()
    with running_server(folder) as server:
        assert numbers(server) == [1]
    assert time.monotonic() - begun_at < 5


def test_two_processes_that_start_at_once_get_one_server(folder: Path) -> None:
    both = [a_process_using(folder), a_process_using(folder)]
    first, second = (process.stdout.readline() for process in both)
    assert int(first) == int(second)
    for process in both:
        leave(process)


def test_the_last_to_leave_stops_it(folder: Path) -> None:
    other = a_process_using(folder)
    other.stdout.readline()
    with running_server(folder) as server:
        leave(other)
        write_number(server, 1)
    assert not postgres_runs_on(server.data_folder)


def test_a_killed_user_stops_nobody_and_leaves_no_lock(folder: Path) -> None:
    other = a_process_using(folder)
    pid = int(other.stdout.readline())
    with running_server(folder) as server:
        other.kill()
        other.communicate()
        write_number(server, 1)
        assert server.pid == pid
    assert not postgres_runs_on(server.data_folder)


def test_every_acknowledged_commit_survives_a_kill_during_a_load(folder: Path) -> None:
    acknowledged: list[int] = []

    def load(server: EmbeddedServer) -> None:
        with suppress(psycopg.OperationalError), setup_connection(server) as connection:
            for number in range(10_000_000):
                connection.execute("INSERT INTO kept VALUES (%s)", [number])
                acknowledged.append(number)

    with running_server(folder) as server:
        write_number(server, -1)
        loader = threading.Thread(target=load, args=[server])
        loader.start()
        while len(acknowledged) < 500:
            time.sleep(0.01)
        os.kill(server.pid, signal.SIGKILL)
        loader.join()
    with running_server(folder) as recovered:
        assert recovered.pid != server.pid
        assert set(acknowledged) <= set(numbers(recovered))


def test_an_acknowledged_commit_is_on_the_disk(folder: Path) -> None:
    with running_server(folder) as server, setup_connection(server) as connection:
        for setting in ("fsync", "full_page_writes", "synchronous_commit", "data_checksums"):
            assert connection.execute(f"SHOW {setting}").fetchone() == ("on",)


def test_one_more_start_is_enough_while_the_killed_server_still_has_users(folder: Path) -> None:
    with running_server(folder) as killed:
        write_number(killed, 1)
        os.kill(killed.pid, signal.SIGKILL)
        with running_server(folder) as recovered:
            assert numbers(recovered) == [1]


@pytest.mark.parametrize("content", ["of a dead process", "of an unrelated process", "cut off", "empty", "nonsense"])
def test_a_stale_lock_file_stops_nobody(folder: Path, content: str) -> None:
    with running_server(folder) as server:
        write_number(server, 1)
    dead = subprocess.Popen(["true"])
    dead.wait()
    texts = {
        "of a dead process": f"{dead.pid}\n{server.data_folder}\n1\n5432\n{server.socket_folder}\n\n",
        "of an unrelated process": f"{os.getppid()}\n{server.data_folder}\n1\n5432\n{server.socket_folder}\n\n",
        "cut off": "1",
        "empty": "",
        "nonsense": "\x00\x00\x00",
    }
    owner = server.data_folder.stat()
    for lock_file in ServerFiles(folder).lock_files_of_server:
        lock_file.write_text(texts[content])
        os.chown(lock_file, owner.st_uid, owner.st_gid)
    with running_server(folder) as again:
        assert numbers(again) == [1]


def test_a_server_that_does_not_answer_is_waited_for_and_never_doubled(
    folder: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(embedded_start, "START_SECONDS", 1)
    monkeypatch.setattr(embedded_start, "_QUIET_SECONDS", 0)
    monkeypatch.setattr(embedded_probe, "_ANSWER_SECONDS", 2)
    said: list[str] = []
    with running_server(folder) as server:
        os.kill(server.pid, signal.SIGSTOP)
        try:
            with pytest.raises(SightlineError, match="did not answer"), running_server(folder, said.append):
                pass
        finally:
            os.kill(server.pid, signal.SIGCONT)
        write_number(server, 1)
    assert any(line.startswith("Postgres is not ready yet.") for line in said)


def test_a_role_gets_in_by_its_password_only(folder: Path) -> None:
    with running_server(folder) as server:
        with setup_connection(server) as connection:
            connection.execute("CREATE ROLE person LOGIN PASSWORD 'right @/?'")
        for password in (None, "wrong"):
            with pytest.raises(psycopg.OperationalError, match="password"):
                psycopg.connect(server.dsn("postgres", "person", password))
        with psycopg.connect(server.dsn("postgres", "person", "right @/?")) as connection:
            assert connection.execute("SELECT current_user").fetchone() == ("person",)


@only_as_root
def test_another_user_of_the_machine_is_not_the_superuser(folder: Path) -> None:
    """Neither as things are, nor if someone opened every folder on the way to the socket."""
    psql = binaries_folder() / "psql"

    def tried_by_nobody(server: EmbeddedServer) -> str:
        command = [psql, "--dbname", server.dsn("postgres", SUPERUSER), "--command", "SELECT 1"]
        done = subprocess.run(command, **AS_NOBODY, cwd="/", capture_output=True, check=False)
        assert done.returncode != 0
        return done.stderr.decode()

    with running_server(folder) as server:
        assert "Permission denied" in tried_by_nobody(server)
        for path in (folder.parent, folder, server.socket_folder, server.socket_folder / ".s.PGSQL.5432"):
            path.chmod(0o777)
        assert "Peer authentication failed" in tried_by_nobody(server)


def test_nothing_listens_on_a_network(folder: Path) -> None:
    with running_server(folder) as server:
        own = {str(handle.readlink()) for handle in Path(f"/proc/{server.pid}/fd").iterdir()}
        listed = Path("/proc/net/tcp").read_text() + Path("/proc/net/tcp6").read_text()
        on_networks = {f"socket:[{line.split()[9]}]" for line in listed.splitlines() if ":" in line.split()[0]}
        assert not own & on_networks
        with setup_connection(server) as connection:
            assert connection.execute("SHOW listen_addresses").fetchone() == ("",)


def test_the_socket_is_in_a_private_folder_of_the_state_folder(folder: Path) -> None:
    with running_server(folder) as server:
        assert server.socket_folder == folder / "socket"
        assert stat.S_IMODE(server.socket_folder.stat().st_mode) == 0o700
        assert stat.S_IMODE(server.data_folder.stat().st_mode) == 0o700


@pytest.mark.parametrize("name", ["long" * 30, "a b, 'c' \"d\" $e %f"])
def test_a_path_that_no_socket_can_have_gets_a_private_folder_elsewhere(folder: Path, name: str) -> None:
    with running_server(folder / name) as server:
        write_number(server, 1)
        assert server.socket_folder.parent == Path("/tmp")
        assert stat.S_IMODE(server.socket_folder.stat().st_mode) == 0o700
        assert server.socket_folder.owner() == server.data_folder.owner()
    assert not server.socket_folder.exists()


@pytest.mark.parametrize("trap", ["a link", "an open folder"])
def test_a_socket_folder_that_someone_else_prepared_is_refused(folder: Path, tmp_path: Path, trap: str) -> None:
    long_folder = folder / ("long" * 30)
    prepared = ServerFiles(long_folder).socket_folder
    if trap == "a link":
        prepared.symlink_to(tmp_path)
    else:
        prepared.mkdir()
        prepared.chmod(0o777)
    try:
        assert str(prepared) in refusal(long_folder).what
        assert not (long_folder / "data").exists()
    finally:
        prepared.unlink() if prepared.is_symlink() else prepared.rmdir()


@only_as_root
def test_a_full_disk_leaves_no_half_made_data_folder(folder: Path, small_disk: Callable[[str], None]) -> None:
    small_disk("size=8m")
    error = refusal(folder)
    assert "is full" in error.why
    assert not list(folder.glob("data*"))


@only_as_root
def test_a_disk_that_fills_up_loses_nothing(folder: Path, small_disk: Callable[[str], None]) -> None:
    small_disk("size=90m")
    with running_server(folder) as server:
        write_number(server, 1)
    filler = folder / "filler"
    with suppress(OSError), filler.open("wb", buffering=0) as file:
        while file.write(bytes(4096)):
            pass
    before = everything_in(server.data_folder)
    assert "is full" in refusal(folder).why
    assert everything_in(server.data_folder) == before
    filler.unlink()
    with running_server(folder) as server:
        assert numbers(server) == [1]


@only_as_root
def test_a_read_only_disk_is_named_and_left_alone(folder: Path, small_disk: Callable[[str], None]) -> None:
    small_disk("size=90m")
    with running_server(folder) as server:
        write_number(server, 1)
    small_disk("remount,ro")
    assert str(folder) in refusal(folder).what
    small_disk("remount,rw")
    with running_server(folder) as server:
        assert numbers(server) == [1]


@pytest.mark.skipif(os.geteuid() == 0, reason="modes don't bind root; the read-only disk stands for it")
def test_a_folder_that_may_not_be_written_is_named(folder: Path) -> None:
    folder.mkdir(mode=0o500)
    assert str(folder) in refusal(folder).what
    assert not list(folder.iterdir())


def test_a_file_in_the_place_of_the_folder_is_named(folder: Path) -> None:
    folder.touch()
    assert str(folder) in refusal(folder).what


def test_data_of_another_major_version_is_refused_untouched(folder: Path) -> None:
    with running_server(folder) as server:
        pass
    (server.data_folder / "PG_VERSION").write_text("16\n")
    before = everything_in(folder)
    error = refusal(folder)
    assert "Postgres 16" in error.why
    assert everything_in(folder) == before


@pytest.mark.parametrize("part", ["PG_VERSION", "global/pg_control", "pg_wal"])
def test_data_that_lost_a_part_is_refused_untouched(folder: Path, part: str) -> None:
    with running_server(folder) as server:
        pass
    (server.data_folder / part).rename(folder / "lost")
    before = everything_in(folder)
    assert part in refusal(folder).why
    assert everything_in(folder) == before


def test_damaged_data_is_refused_with_the_reason_of_postgres(folder: Path) -> None:
    with running_server(folder) as server:
        pass
    (server.data_folder / "global" / "pg_control").write_bytes(b"x" * 8192)
    error = refusal(folder)
    assert error.what == "The embedded Postgres did not start."
    assert error.why == "database files are incompatible with server."


def test_a_first_start_that_was_cut_off_is_made_good_by_the_next(folder: Path) -> None:
    first = a_process_using(folder)
    while first.poll() is None and not list(folder.glob("data.unfinished.*/*")):
        time.sleep(0.005)
    first.kill()
    first.communicate()
    assert not (folder / "data").exists()
    with running_server(folder) as server:
        write_number(server, 1)
    assert not list(folder.glob("data.unfinished.*/global"))


def test_missing_programs_are_named(folder: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(sys, "path", [])
    assert refusal(folder).what == "The embedded Postgres 18 is not installed."


@only_as_root
def test_closed_folders_on_the_way_are_opened_to_one_user_alone(folder: Path) -> None:
    said: list[str] = []
    folder.parent.chmod(0o700)
    with running_server(folder, said.append) as server:
        assert server.data_folder.owner() != "root"
    assert any(str(folder.parent) in line for line in said)
    assert subprocess.run(["test", "-x", folder.parent], **AS_NOBODY, check=False).returncode == 1


def test_one_more_entry_gives_no_other_user_more_rights() -> None:
    """Entry 7 holds rwx, of which the mask (r) lets r through: beside the new user, who may enter, it keeps just r."""
    before = [(1, 7, 0), (2, 7, 7), (4, 5, 0), (16, 4, 0), (32, 0, 0)]
    after = embedded_user._with_entry(before, 9)
    assert after == [(1, 7, 0), (2, 4, 7), (2, 1, 9), (4, 4, 0), (16, 5, embedded_user._NO_ID), (32, 0, 0)]
