"""What makes this installation itself: its name, its passwords to the database, and the key of its digests."""

import hashlib
import hmac
import secrets

from pydantic import Base64UrlBytes, BaseModel, ConfigDict, Field, ValidationError

from app.private_files import PrivateFile
from app.redaction import never_log
from app.settings import settings
from db.errors import SightlineError
from db.roles import LOGIN_GROUPS


class Installation(BaseModel):
    """Made once per SIGHTLINE_HOME. Two installations may share a database: each has logins of its own."""

    model_config = ConfigDict(extra="forbid", frozen=True)

    name: str
    passwords: dict[str, str] = Field(repr=False)
    digest_key: Base64UrlBytes = Field(repr=False)

    def logins(self) -> dict[str, tuple[str, str]]:
        """Group: (login, password)."""
        return {
            group: (f"sightline_{self.name}_{group.removeprefix('app_')}", self.passwords[group])
            for group in LOGIN_GROUPS
        }

    def digest(self, secret: str) -> bytes:
        """By which an encrypted value can be found again without being opened."""
        return hmac.digest(self.digest_key, secret.encode(), hashlib.sha256)


def installation() -> Installation:
    """Read this installation's file; the first call makes it."""
    file = PrivateFile(settings().keys_folder / "installation.json", holds="the passwords to the database")
    with file.explained():
        if not file.exists():
            with file.locked():
                if not file.exists():
                    file.replace(_new().model_dump_json(indent=2).encode())
        try:
            known = Installation.model_validate_json(file.read())
        except ValidationError:
            raise SightlineError(
                f"The file {file.path} can't be used.",
                why="It is not what the app writes there.",
                fix="Restore it from its backup: without it, payments can't be recognised by their numbers any more.",
            ) from None
    never_log(*known.passwords.values())
    return known


def _new() -> Installation:
    return Installation.model_construct(
        name=secrets.token_hex(4),
        passwords={group: secrets.token_urlsafe(32) for group in LOGIN_GROUPS},
        digest_key=secrets.token_bytes(32),
    )
