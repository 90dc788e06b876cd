"""Sealing the audit log, and having its chain verified: what is found is written down, and the head kept outside."""

import json
from collections.abc import Callable
from contextlib import suppress

from sqlalchemy import Engine, func, insert, select, text

from app.access import NotPermittedError, Permission, Viewer
from app.commands.audit_chain import START, Head, Verified, verified
from app.commands.company import sees_whole_company
from app.database import Engines
from app.private_files import PrivateFile
from app.settings import settings
from db.engine import seeing
from db.tables.system import AuditVerification

SEALED_AT_ONCE = 10_000
_SEAL = text("SELECT seal_audit_log(:at_most)")
_WHICH = text("SELECT system_identifier || '/' || current_database() FROM pg_control_system()")


def seal(engine: Engine) -> int:
    """Seal what is complete, a batch in each transaction. Whoever calls it chooses nothing: all is sealed in order."""
    sealed = 0
    while True:
        with engine.begin() as connection:
            batch: int = connection.execute(_SEAL, {"at_most": SEALED_AT_ONCE}).scalar_one()
        sealed += batch
        if batch < SEALED_AT_ONCE:
            return sealed


def verify_audit(
    engines: Engines,
    by: Viewer,
    *,
    known: Head | None = None,
    since_last: bool = False,
    anew: bool = False,
    told: Callable[[Verified], None] = lambda _: None,
) -> Verified:
    """Seal, walk the chain, and write down how that went.

    It is compared with the head that was kept on this machine, with the one that the database says was verified, and
    with one that is given. `since_last` begins at the former; `anew` compares with neither and keeps what is there
    now, as after a restore that somebody answers for.
    """
    by.require(Permission.AUDIT_READ)
    if not sees_whole_company(engines.ro, by):
        raise NotPermittedError(
            "The chain of the audit log is of the whole company.",
            why=f"{by.name} is limited to some workspaces.",
            fix="Ask an admin who sees all of them.",
        )
    seal(engines.rw)
    kept = None if anew else kept_head(engines.pipe)
    heads = [head for head in (known, kept, None if anew else _last_verified(engines.pipe)) if head]
    found = verified(engines.pipe, by, since=kept if since_last and kept else START, known=heads, told=told)
    _write_down(engines.rw, by, found)
    if found.is_whole and found.head.number:
        keep_head(engines.pipe, found.head)
    return found


def kept_head(pipe: Engine) -> Head | None:
    """The head of this database's chain that this machine kept when it was last verified."""
    return _heads().get(_which(pipe))


def keep_head(pipe: Engine, head: Head) -> None:
    """Beside the database, where whoever writes its tables anew does not reach."""
    file = _file()
    with file.explained(), file.locked():
        heads = {name: str(one) for name, one in _heads().items()} | {_which(pipe): str(head)}
        file.replace(json.dumps(heads, indent=2).encode())


def _heads() -> dict[str, Head]:
    file = _file()
    if not file.exists():
        return {}
    with file.explained(), suppress(json.JSONDecodeError):
        return {name: Head.read(one) for name, one in json.loads(file.read()).items()}
    return {}


def _file() -> PrivateFile:
    return PrivateFile(settings().keys_folder / "audit-heads.json", holds="the heads of the audit log's chain")


def _which(pipe: Engine) -> str:
    with pipe.connect() as connection:
        return str(connection.scalar(_WHICH))


def _last_verified(pipe: Engine) -> Head | None:
    """As the database says; whoever changed the chain may have changed this as well."""
    row = AuditVerification
    last = select(row.number, row.hash).where(row.found.is_(None), row.number > 0)
    with pipe.connect() as connection:
        found = connection.execute(last.order_by(row.created_at.desc(), row.id.desc()).limit(1)).one_or_none()
    return Head(found.number, found.hash) if found else None


def _write_down(engine: Engine, by: Viewer, found: Verified) -> None:
    with seeing(engine, (), actor=by.name) as connection:
        connection.execute(
            insert(AuditVerification).values(
                verified_by=by.name,
                since=found.since.number,
                number=found.head.number,
                hash=found.head.hash,
                found=found.found,
                created_at=func.clock_timestamp(),
            )
        )
