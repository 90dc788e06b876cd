"""What `sightline doctor` looks at: the database, this installation's keys, and the room on the disk."""

from collections.abc import Iterator
from pathlib import Path

from sqlalchemy import Connection, Engine

from app.ai.access import Access
from app.database import OLDEST_SERVER, migration_state
from app.keys import vault
from app.settings import settings
from db import health
from db.catalog import holes
from db.health import Finding
from db.rotation import keys_in_use, secret_columns
from db.tables import Base


def findings(setup: Engine) -> Iterator[Finding]:
    """Look at everything; what needs the tables is passed over while they are not there."""
    revision, newest = migration_state(setup)
    with setup.connect() as connection:
        yield health.server_version(connection, OLDEST_SERVER)
        yield health.migrations(revision, newest)
        yield health.disk(_folder_that_exists(settings().home))
        yield health.clock(connection)
        yield health.lock_holders(connection)
        yield health.horizon(connection)
        if revision == newest:
            yield health.partitions_ahead(connection)
            yield _tenants(connection)
            yield _secrets(connection)
    yield _models()


def _folder_that_exists(home: Path) -> Path:
    """With DATABASE_URL, the first doctor may come before anything was kept in the home."""
    return next(folder for folder in (home, *home.parents) if folder.exists())


def _models() -> Finding:
    """Without a key Sightline is well: what is off is said, and nothing is asked."""
    access = Access.of(settings())
    return Finding("models", True, access.off_because or f"{access.model} is asked at {access.base_url}.")


def _tenants(connection: Connection) -> Finding:
    found = holes(connection)
    if not found:
        return Finding("tenants", True, "Roles, row level security, grants and keys keep workspaces apart.")
    first = found[0]
    return Finding(
        "tenants", False, f"{len(found)} holes between workspaces; the first: {first.where}: {first.what}", first.fix
    )


def _secrets(connection: Connection) -> Finding:
    known = vault()
    missing = [key for key in keys_in_use(connection, secret_columns(Base.metadata)) if not known.has(key)]
    return Finding(
        "secrets",
        not missing,
        "Every secret can be opened with the keys that are here."
        if not missing
        else f"Secrets are sealed with keys that are not here: {', '.join(sorted(missing))}.",
        "Restore vault.json of the keys folder from its backup.",
    )
