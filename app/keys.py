"""Keeps the vault's keys in one private file: makes the first, adds new ones, drops those that nothing uses."""

import fcntl
import os
import secrets
import stat
from collections.abc import Collection, Iterator
from contextlib import contextmanager
from datetime import UTC, datetime, timedelta
from pathlib import Path

from pydantic import AwareDatetime, Base64UrlBytes, BaseModel, ConfigDict, Field, ValidationError

from app.settings import settings
from db.errors import SightlineError
from db.vault import KEY_BYTES, Vault, why_unfit

# Another process may hold the vault as it was before the newest key for as long as one transaction takes. An old key
# that was dropped in that time would leave what it seals then unreadable for ever.
SETTLING_TIME = timedelta(hours=1)
_OTHERS = stat.S_IRWXG | stat.S_IRWXO


class _Key(BaseModel):
    model_config = ConfigDict(extra="forbid", frozen=True)

    key: Base64UrlBytes = Field(repr=False)
    made_at: AwareDatetime


class _Keys(BaseModel):
    """What the file says."""

    model_config = ConfigDict(extra="forbid", frozen=True)

    current: str
    keys: dict[str, _Key]


def keys_file() -> Path:
    """The file of all keys; a backup of the database is worth nothing for its secrets without it."""
    return settings().keys_folder / "vault.json"


def vault() -> Vault:
    """The vault with the keys as they are now; the first call on a new copy makes its first key.

    Ask anew in each transaction: a vault that is kept does not learn of keys that others add.
    """
    with _explained():
        if not os.path.lexists(keys_file()):
            _make_first_key()
        return _vault_of(_read())


def add_key() -> str:
    """Make a new current key and return its id; the older ones still open what they sealed."""
    with _explained():
        vault()
        with _locked():
            keys = _with_new_key(_read().keys)
            _write(keys)
        return keys.current


def drop_unused(in_use: Collection[str], settling_time: timedelta = SETTLING_TIME) -> list[str]:
    """Drop the keys that nothing uses, never the current one, and return their ids.

    Nothing is dropped before the current key has been there for the settling time.
    """
    with _explained(), _locked():
        before = _read()
        if datetime.now(UTC) - before.keys[before.current].made_at < settling_time:
            return []
        kept = {name: key for name, key in before.keys.items() if name in in_use or name == before.current}
        if len(kept) < len(before.keys):
            _write(_Keys(current=before.current, keys=kept))
        return sorted(before.keys.keys() - kept.keys())


def _make_first_key() -> None:
    with _locked():
        # Of two processes that start at once, the second finds the first one's key here.
        if not os.path.lexists(keys_file()):
            _write(_with_new_key({}))


def _with_new_key(older: dict[str, _Key]) -> _Keys:
    key_id = secrets.token_hex(4)
    # Built without validation, which would take the random bytes for base64.
    made = _Key.model_construct(key=secrets.token_bytes(KEY_BYTES), made_at=datetime.now(UTC))
    return _Keys.model_construct(current=key_id, keys={**older, key_id: made})


def _vault_of(keys: _Keys) -> Vault:
    return Vault({key_id: key.key for key_id, key in keys.keys.items()}, keys.current)


@contextmanager
def _explained() -> Iterator[None]:
    try:
        yield
    except OSError as error:
        raise SightlineError(
            f"The keys file {keys_file()} can't be used.",
            why=f"The system says: {error.strerror}.",
            fix="Give the user of the app this folder, with room on its disk.",
        ) from error


@contextmanager
def _locked() -> Iterator[None]:
    """One process at a time changes the keys."""
    folder = _private_folder()
    lock = os.open(folder / "vault.lock", os.O_CREAT | os.O_RDWR, 0o600)
    try:
        fcntl.flock(lock, fcntl.LOCK_EX)
        yield
    finally:
        os.close(lock)


def _private_folder() -> Path:
    folder = keys_file().parent
    folder.parent.mkdir(parents=True, exist_ok=True)
    folder.mkdir(mode=0o700, exist_ok=True)
    if folder.stat().st_mode & _OTHERS:
        raise SightlineError(
            f"The keys folder {folder} is open to other users.",
            why="Whoever may write there can replace the keys.",
            fix=f"chmod 700 {folder}",
        )
    return folder


def _read() -> _Keys:
    _private_folder()
    with keys_file().open("rb") as file:
        if os.fstat(file.fileno()).st_mode & _OTHERS:
            raise SightlineError(
                f"The keys file {keys_file()} is open to other users.",
                why="Whoever reads it can open every secret.",
                fix=f"chmod 600 {keys_file()}; if others may have read it, rotate the keys.",
            )
        return _understood(file.read())


def _understood(text: bytes) -> _Keys:
    try:
        keys = _Keys.model_validate_json(text)
    except ValidationError:
        # The validator's own message repeats what it was given: keys.
        raise _unusable("It is not a list of keys as the app writes it.") from None
    if keys.current not in keys.keys:
        raise _unusable("The key that it names as current is not in it.")
    for key_id, key in keys.keys.items():
        if reason := why_unfit(key.key):
            raise _unusable(f"The key {key_id}: {reason}")
    return keys


def _unusable(why: str) -> SightlineError:
    return SightlineError(
        f"The keys file {keys_file()} can't be used.",
        why=why,
        fix="Restore it from its backup. Without a backup, move it away: a new key is made, and every secret must be "
        "entered again.",
    )


def _write(keys: _Keys) -> None:
    """Replace the file as a whole, so that a crash leaves the old or the new one."""
    file = keys_file()
    new = file.with_suffix(".new")
    new.unlink(missing_ok=True)  # what a crash left behind
    descriptor = os.open(new, os.O_WRONLY | os.O_CREAT | os.O_EXCL, 0o600)
    with os.fdopen(descriptor, "wb") as out:
        out.write(keys.model_dump_json(indent=2).encode())
        out.flush()
        os.fsync(out.fileno())
    new.replace(file)
    _sync_folder(file.parent)


def _sync_folder(folder: Path) -> None:
    descriptor = os.open(folder, os.O_RDONLY)
    try:
        os.fsync(descriptor)
    finally:
        os.close(descriptor)
