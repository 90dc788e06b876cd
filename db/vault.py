"""Seals a secret so that it opens only in the table, column and row it was sealed for.

Secrets go in and come out as plain `str`: the lowest package needs no wrapper's library, and `str()` of a wrapper is
the place where it gives way. Whoever keeps an opened secret on an object wraps it there in `pydantic.SecretStr`.
"""

import binascii
import os
import re
from base64 import urlsafe_b64decode, urlsafe_b64encode
from collections.abc import Mapping
from dataclasses import dataclass
from itertools import pairwise
from uuid import UUID

from cryptography.exceptions import InvalidTag
from cryptography.hazmat.primitives.ciphers.aead import AESGCM

from db.errors import SightlineError

FORMAT = "v1"
KEY_BYTES = 32
_NONCE_BYTES = 12
_TAG_BYTES = 16
_KEY_ID = re.compile(r"[a-z0-9]{1,32}")
# Distinct values in 32 random bytes: about 30. Sixteen or fewer happen once in billions of keys, and in every
# repeated pattern and every text of hexadecimal digits.
_TOO_FEW_DISTINCT_BYTES = 16


@dataclass(frozen=True, slots=True)
class Place:
    """Where a sealed secret lives; it opens nowhere else."""

    table: str
    column: str
    row_id: UUID

    def __str__(self) -> str:
        return f"{self.table}|{self.column}|{self.row_id}"


class UnknownKeyError(SightlineError):
    """The secret was sealed with a key that is not here."""


class CannotOpenError(SightlineError):
    """The stored text is damaged, was moved here from elsewhere, or was never sealed."""


def why_unfit(key: bytes) -> str | None:
    """The reason why these bytes must not be a key, or None if they may."""
    if len(key) != KEY_BYTES:
        return f"It has {len(key)} bytes in place of {KEY_BYTES}."
    steps = {(later - earlier) % 256 for earlier, later in pairwise(key)}
    if len(set(key)) <= _TOO_FEW_DISTINCT_BYTES or len(steps) == 1:
        return "It is a pattern that anybody can guess, not random bytes."
    return None


def prefix_of(key_id: str) -> str:
    """What every text starts with that was sealed with this key."""
    return f"{FORMAT}.{key_id}."


class Vault:
    """Seals with the current key, opens with any of its keys."""

    def __init__(self, keys: Mapping[str, bytes], current: str) -> None:
        for key_id, key in keys.items():
            _refuse_unfit(key_id, key)
        if current not in keys:
            raise UnknownKeyError(
                "The current key of the vault is missing.",
                why=f"The key {current!r} is named as current, and is not among the keys.",
                fix="Restore the keys file from its backup.",
            )
        self.current = current
        self._ciphers = {key_id: AESGCM(key) for key_id, key in keys.items()}

    def __repr__(self) -> str:
        return f"<Vault of {len(self._ciphers)} keys, current {self.current}>"

    def seal(self, secret: str, place: Place) -> str:
        """The text to store at this place; another one on every call."""
        nonce = os.urandom(_NONCE_BYTES)
        sealed = self._ciphers[self.current].encrypt(nonce, secret.encode(), str(place).encode())
        return prefix_of(self.current) + urlsafe_b64encode(nonce + sealed).decode().rstrip("=")

    def open(self, sealed: str, place: Place) -> str:
        """The secret that was sealed for this place."""
        key_id, body = _parts(sealed, place)
        if key_id not in self._ciphers:
            raise _unknown(key_id, place)
        try:
            opened = self._ciphers[key_id].decrypt(body[:_NONCE_BYTES], body[_NONCE_BYTES:], str(place).encode())
        except InvalidTag:
            raise CannotOpenError(
                f"The secret at {place} can't be opened.",
                why="It was changed, or was moved here from another row, column or table.",
                fix="Enter the secret again; the audit log shows who wrote this row.",
            ) from None
        return opened.decode()

    def has(self, key_id: str) -> bool:
        """Whether what this key sealed can be opened."""
        return key_id in self._ciphers

    def key_of(self, sealed: str) -> str:
        """The id of the key that a text was sealed with, known here or not."""
        return _parts(sealed, None)[0]


def _refuse_unfit(key_id: str, key: bytes) -> None:
    if not _KEY_ID.fullmatch(key_id):
        raise SightlineError(
            "A key of the vault has an id that can't be used.",
            why="An id is 1 to 32 lower-case letters and digits.",
            fix="Restore the keys file from its backup.",
        )
    if reason := why_unfit(key):
        raise SightlineError(
            f"The key {key_id} can't protect secrets.", why=reason, fix="Restore the keys file from its backup."
        )


def _parts(sealed: str, place: Place | None) -> tuple[str, bytes]:
    """The key's id and the nonce with the ciphertext; the messages never repeat what was stored."""
    match sealed.split("."):
        case [version, key_id, text] if version == FORMAT and _KEY_ID.fullmatch(key_id):
            body = _decoded(text)
            if len(body) >= _NONCE_BYTES + _TAG_BYTES:
                return key_id, body
    raise CannotOpenError(
        f"The value at {place} is not a sealed secret." if place else "The value is not a sealed secret.",
        why="It is damaged, or was written without being sealed.",
        fix="Enter the secret again; if it was stored in the open, replace it where it was issued.",
    )


def _decoded(text: str) -> bytes:
    """The bytes of exactly one spelling: base64 has several for the same bytes, and an altered text must not open."""
    try:
        body = urlsafe_b64decode(text + "=" * (-len(text) % 4))
    except (binascii.Error, ValueError):
        return b""
    return body if urlsafe_b64encode(body).decode().rstrip("=") == text else b""


def _unknown(key_id: str, place: Place) -> UnknownKeyError:
    return UnknownKeyError(
        f"The secret at {place} was sealed with the key {key_id}, which is not here.",
        why="The keys file was replaced, or the database comes from another copy or an old backup.",
        fix=f"Restore the keys file that holds {key_id}, or enter the secret again.",
    )
