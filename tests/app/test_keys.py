"""The keys lie in one private file that is never lost, never half written and never made twice."""

import base64
import json
import os
import subprocess
import sys
import traceback
from datetime import timedelta
from uuid import UUID

import pytest

from app import keys
from app.settings import PROJECT, settings
from db.errors import SightlineError
from db.vault import Place

HERE = Place("meta_accounts", "access_token", UUID(int=1))
AT_ONCE = timedelta(0)


@pytest.fixture(autouse=True)
def file(tmp_path, monkeypatch):
    """The keys file of a copy that has never been started."""
    monkeypatch.setenv("SIGHTLINE_HOME", str(tmp_path / "home"))
    settings.cache_clear()
    yield keys.keys_file()
    settings.cache_clear()


def mode_of(path):
    return path.stat().st_mode & 0o777


def written(text):
    """A private keys file with this text."""
    keys.vault()
    keys.keys_file().write_text(text)
    return text


def with_key(key):
    made = {"key": base64.urlsafe_b64encode(key).decode(), "made_at": "2026-01-01T00:00:00Z"}
    return json.dumps({"current": "abc", "keys": {"abc": made}})


def test_the_first_start_makes_a_key_and_the_next_finds_it(file):
    sealed = keys.vault().seal("secret", HERE)
    assert keys.vault().open(sealed, HERE) == "secret"
    assert len(json.loads(file.read_text())["keys"]) == 1


def test_the_file_is_private_whatever_the_umask(file):
    before = os.umask(0)
    try:
        keys.vault()
    finally:
        os.umask(before)
    assert (mode_of(file), mode_of(file.parent)) == (0o600, 0o700)


def test_processes_that_start_at_once_make_one_key(file):
    """Eight of them seal something, and the file that is left opens all of it."""
    program = (
        "import sys; from uuid import UUID; from app.keys import vault; from db.vault import Place; sys.stdin.read();"
        "print(vault().seal('x', Place('meta_accounts', 'access_token', UUID(int=1))))"
    )
    started = [
        subprocess.Popen(
            [sys.executable, "-c", program], cwd=PROJECT, stdin=subprocess.PIPE, stdout=subprocess.PIPE, text=True
        )
        for _ in range(8)
    ]
    for process in started:
        process.stdin.close()
    sealed = []
    for process in started:
        sealed.append(process.stdout.read().strip())
        process.stdout.close()
        assert process.wait(timeout=60) == 0
    assert [keys.vault().open(text, HERE) for text in sealed] == ["x"] * 8
    assert len(json.loads(file.read_text())["keys"]) == 1


def test_a_new_key_seals_and_the_old_one_still_opens():
    sealed = keys.vault().seal("secret", HERE)
    key_id = keys.add_key()
    assert keys.vault().current == key_id
    assert keys.vault().key_of(sealed) != key_id
    assert keys.vault().open(sealed, HERE) == "secret"


def test_only_keys_that_nothing_uses_are_dropped():
    first, second, third = keys.vault().current, keys.add_key(), keys.add_key()
    assert keys.drop_unused(in_use={second}, settling_time=AT_ONCE) == [first]
    assert keys.drop_unused(in_use=(), settling_time=AT_ONCE) == [second]
    assert keys.drop_unused(in_use=(), settling_time=AT_ONCE) == []
    assert keys.vault().current == third


def test_no_key_is_dropped_while_others_may_still_seal_with_it(file):
    keys.vault()
    keys.add_key()
    before = file.read_bytes()
    assert keys.drop_unused(in_use=()) == []
    assert file.read_bytes() == before


def test_a_file_that_others_may_read_is_refused(file):
    keys.vault()
    file.chmod(0o640)
    with pytest.raises(
        SightlineError, match=rf"{file} with the keys of secrets is open to other users.*chmod 600 {file}"
    ):
        keys.vault()


def test_a_folder_that_others_may_enter_is_refused(file):
    keys.vault()
    file.parent.chmod(0o755)
    with pytest.raises(SightlineError, match=f"chmod 700 {file.parent}"):
        keys.vault()


@pytest.mark.parametrize(
    ("text", "why"),
    [
        ("", "not a list of keys"),
        ("{}", "not a list of keys"),
        ("[1, 2]", "not a list of keys"),
        (with_key(os.urandom(32))[:-20], "not a list of keys"),
        (with_key(os.urandom(32)).replace('"current": "abc"', '"current": "abd"'), "names as current is not in it"),
        (with_key(os.urandom(16)), "16 bytes in place of 32"),
        (with_key(bytes(32)), "anybody can guess"),
        (with_key(b"\x07" * 32), "anybody can guess"),
    ],
)
@pytest.mark.parametrize("use", [keys.vault, keys.add_key, lambda: keys.drop_unused((), AT_ONCE)])
def test_an_unusable_file_is_named_and_left_as_it_is(file, text, why, use):
    written(text)
    with pytest.raises(SightlineError, match=rf"{file} can't be used.*{why}"):
        use()
    assert file.read_text() == text


def test_what_stands_in_the_files_place_is_never_replaced(file):
    """A link whose target is gone, such as a volume that is not there yet, must not become a new key."""
    file.parent.mkdir(parents=True, mode=0o700)
    file.symlink_to(file.parent / "not there yet")
    with pytest.raises(SightlineError, match="No such file"):
        keys.vault()
    assert file.is_symlink()


def test_a_folder_that_cannot_be_made_is_named(tmp_path, monkeypatch):
    (tmp_path / "home").write_text("a file where the folder should be")
    with pytest.raises(SightlineError, match=r"keys/vault\.json with the keys of secrets can't be used"):
        keys.vault()


def test_a_crash_while_writing_leaves_the_old_keys(file, monkeypatch):
    """The disk is full: the file in place is the old one, and the next try works."""
    keys.vault()
    before = file.read_bytes()
    with monkeypatch.context() as full_disk:
        full_disk.setattr(os, "fsync", no_room)
        with pytest.raises(SightlineError, match="No space left"):
            keys.add_key()
    assert file.read_bytes() == before
    assert keys.add_key() == keys.vault().current


def no_room(_):
    raise OSError(28, "No space left on device")


@pytest.mark.parametrize("damaged", [lambda text: text, lambda text: text.replace("=", ""), lambda text: text[:-1]])
def test_no_error_shows_a_key(damaged):
    """Too short, not base64, not JSON: the reader's own message would repeat what it was given."""
    key = os.urandom(31)
    written(damaged(with_key(key)))
    with pytest.raises(SightlineError) as refusal:
        keys.vault()
    assert base64.urlsafe_b64encode(key).decode()[:12] not in "".join(traceback.format_exception(refusal.value))
