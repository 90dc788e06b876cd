"""Keeps the vault's keys in one private file: makes the first, adds new ones, drops those that nothing uses."""

import secrets
from collections.abc import Collection
from datetime import UTC, datetime, timedelta
from pathlib import Path

from pydantic import AwareDatetime, Base64UrlBytes, BaseModel, ConfigDict, Field, ValidationError

from app.private_files import PrivateFile
from app.settings import settings
from db.errors import SightlineError
from db.vault import KEY_BYTES, Vault, why_unfit

# Another process may hold the vault as it was before the newest key for as long as one transaction takes. An old key
# that was dropped in that time would leave what it seals then unreadable for ever.
SETTLING_TIME = timedelta(hours=1)


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


def _file() -> PrivateFile:
    return PrivateFile(keys_file(), holds="the keys of secrets")


def vault() -> Vault:
    """The vault with the keys as they are now; the first call on a new copy makes its first key.

    Ask anew in each transaction: a vault that is kept does not learn of keys that others add.
    """
    file = _file()
    with file.explained():
        if not file.exists():
            _make_first_key(file)
        return _vault_of(_understood(file.read()))


def add_key() -> str:
    """Make a new current key and return its id; the older ones still open what they sealed."""
    file = _file()
    with file.explained():
        vault()
        with file.locked():
            keys = _with_new_key(_understood(file.read()).keys)
            _write(file, keys)
        return keys.current


def drop_unused(in_use: Collection[str], settling_time: timedelta = SETTLING_TIME) -> list[str]:
    """Drop the keys that nothing uses, never the current one, and return their ids.

    Nothing is dropped before the current key has been there for the settling time.
    """
    file = _file()
    with file.explained(), file.locked():
        before = _understood(file.read())
        if datetime.now(UTC) - before.keys[before.current].made_at < settling_time:
            return []
        kept = {name: key for name, key in before.keys.items() if name in in_use or name == before.current}
        if len(kept) < len(before.keys):
            _write(file, _Keys(current=before.current, keys=kept))
        return sorted(before.keys.keys() - kept.keys())


def _make_first_key(file: PrivateFile) -> None:
    with file.locked():
        # Of two processes that start at once, the second finds the first one's key here.
        if not file.exists():
            _write(file, _with_new_key({}))


def _write(file: PrivateFile, keys: _Keys) -> None:
    file.replace(keys.model_dump_json(indent=2).encode())


def _with_new_key(older: dict[str, _Key]) -> _Keys:
    key_id = secrets.token_hex(4)
    # Built without validation, which would take the random bytes for base64.
    made = _Key.model_construct(key=secrets.token_bytes(KEY_BYTES), made_at=datetime.now(UTC))
    return _Keys.model_construct(current=key_id, keys={**older, key_id: made})


def _vault_of(keys: _Keys) -> Vault:
    return Vault({key_id: key.key for key_id, key in keys.keys.items()}, keys.current)


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
