"""The accounts of the demo: their passwords are made here, kept in a private file, and shown to whoever signs in."""

import json
import secrets
from dataclasses import dataclass

from sqlalchemy import Engine, select

from app.access import Role
from app.private_files import PrivateFile
from app.settings import settings
from db.tables.system import Setting

LIMITED_TO = 2


@dataclass(frozen=True)
class DemoAccount:
    """One invented person of the team."""

    email: str
    name: str
    role: Role
    is_limited: bool = False


ACCOUNTS = (
    DemoAccount("viewer@demo.example", "Vera Viewer", Role.VIEWER),
    DemoAccount("finance@demo.example", "Finn Finance", Role.FINANCE),
    DemoAccount("admin@demo.example", "Ada Admin", Role.ADMIN),
    DemoAccount("limited@demo.example", "Lim Limited", Role.VIEWER, is_limited=True),
)


def is_demo(engine: Engine) -> bool:
    """Whether this is the embedded database, filled with invented data: only then does anybody get a password."""
    if settings().database_url is not None:
        return False
    with engine.connect() as connection:
        return connection.scalar(select(Setting.key).where(Setting.key == "demo")) is not None


def demo_passwords() -> dict[str, str]:
    """By e-mail address; empty where no demo was set up."""
    file = _file()
    with file.explained():
        return _read(file) if file.exists() else {}


def make_demo_passwords() -> dict[str, str]:
    """Of this installation alone: a known password would open every copy."""
    file = _file()
    with file.explained(), file.locked():
        if not file.exists():
            made = {account.email: secrets.token_urlsafe(9) for account in ACCOUNTS}
            file.replace(json.dumps(made, indent=2).encode())
        return _read(file)


def _read(file: PrivateFile) -> dict[str, str]:
    known: dict[str, str] = json.loads(file.read())
    return known


def _file() -> PrivateFile:
    return PrivateFile(settings().keys_folder / "demo-accounts.json", holds="the passwords of the demo")
