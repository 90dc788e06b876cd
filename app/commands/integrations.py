"""What admins do with a connection: disable and enable it, have it authorised anew, and disconnect it for good."""

from collections.abc import Mapping
from typing import Any
from uuid import UUID

from sqlalchemy import Connection, Engine, RowMapping, func, null, select, update
from sqlalchemy.orm import InstrumentedAttribute

from app.access import Permission, Viewer
from app.commands.stale import EditedMeanwhileError
from app.commands.texts import one_line
from db.engine import seeing
from db.errors import SightlineError
from db.tables.integrations import MetaAccount, PlatformIntegration

LONGEST_REASON = 300
_Kind = type[PlatformIntegration] | type[MetaAccount]
# How each kind says that it is disconnected, and what of it is destroyed.
_ENDS: Mapping[_Kind, Mapping[str, Any]] = {
    PlatformIntegration: {"connection_status": "disconnected", "encrypted_credentials": null(), "sync_status": "idle"},
    MetaAccount: {
        "connection_status": "revoked", "access_token": null(), "refresh_token": null(), "token_expires_at": null(),
    },
}  # fmt: skip


def disable_integration(engine: Engine, by: Viewer, key: UUID, *, revision: int, reason: str) -> int:
    """From now on nothing is synced: the database refuses it. What is connected stays so; the revision then."""
    return _change(engine, by, key, {"disabled_at": func.now()}, revision, reason, "disabled")


def enable_integration(engine: Engine, by: Viewer, key: UUID, *, revision: int, reason: str) -> int:
    """Let a disabled connection be synced again."""
    return _change(engine, by, key, {"disabled_at": None}, revision, reason, "enabled")


def ask_reauthorization(engine: Engine, by: Viewer, key: UUID, *, revision: int, reason: str) -> int:
    """Mark the connection: its product asks the customer to authorise it anew."""
    return _change(engine, by, key, {"reauthorization_asked_at": func.now()}, revision, reason, "marked")


def withdraw_reauthorization(engine: Engine, by: Viewer, key: UUID, *, revision: int, reason: str) -> int:
    """Take the mark back."""
    return _change(engine, by, key, {"reauthorization_asked_at": None}, revision, reason, "unmarked")


def disconnect_integration(engine: Engine, by: Viewer, key: UUID, *, revision: int, reason: str) -> int:
    """Destroy its secret. The row, its analyses and its history stay; only the customer can connect it again."""
    return _change(engine, by, key, None, revision, reason, "disconnected")


def _change(  # noqa: PLR0917 - one change and what it is made on
    engine: Engine, by: Viewer, key: UUID, values: Mapping[str, Any] | None, revision: int, reason: str, word: str
) -> int:
    """`values` is what the connection becomes; None: disconnected."""
    by.require(Permission.INTEGRATIONS_MANAGE)
    with seeing(engine, by.workspaces, actor=by.name, reason=_reason(reason, word)) as connection:
        kind, found = _found(connection, by, key)
        _require_sense(found, values, word)
        if found["revision"] != revision:
            raise _stale(found, word)
        changed: int = connection.execute(
            update(kind)
            .where(kind.workspace_id == found["workspace_id"], kind.id == key)
            .values(**(_ENDS[kind] if values is None else values))
            .returning(kind.revision)
        ).scalar_one()
    return changed


def _found(connection: Connection, by: Viewer, key: UUID) -> tuple[_Kind, RowMapping]:
    """The connection, locked; of its secret is read whether it is there."""
    for kind in _ENDS:
        shown = (kind.workspace_id, kind.revision, kind.connection_status, kind.disabled_at,
            kind.reauthorization_asked_at, _secret(kind).is_(None).label("is_empty"))  # fmt: skip
        found = connection.execute(
            select(*shown)
            .where(kind.id == key, kind.workspace_id.in_(by.workspaces), kind.deleted_at.is_(None))
            .with_for_update()
        )
        row = found.mappings().one_or_none()
        if row is not None:
            return kind, row
    raise SightlineError("This connection is not there.", fix="Load the list again; its customer may have removed it.")


def _secret(kind: _Kind) -> InstrumentedAttribute[str | None]:
    return kind.encrypted_credentials if kind is PlatformIntegration else MetaAccount.access_token


def _require_sense(found: RowMapping, values: Mapping[str, Any] | None, word: str) -> None:
    """What is so already is not done again. A token that Meta revoked is destroyed all the same."""
    if values is None:
        is_so = found["is_empty"] and found["connection_status"] in {"disconnected", "revoked"}
    else:
        [(column, value)] = values.items()
        is_so = (found[column] is None) is (value is None)
    if is_so:
        raise SightlineError(f"The connection is {word} already.", fix="Load the list again.")


def _stale(found: RowMapping, word: str) -> EditedMeanwhileError:
    now = {
        "state": found["connection_status"], "disabled since": found["disabled_at"],
        "authorisation asked for": found["reauthorization_asked_at"],
    }  # fmt: skip
    wanted = {**now, "state": word}
    return EditedMeanwhileError("the connection", now=now, wanted=wanted, revision=found["revision"])


def _reason(given: str, word: str) -> str:
    said = one_line(given)
    if not said:
        raise SightlineError(f"A connection is {word} for a reason.", fix="Say why in a few words.")
    if len(said) > LONGEST_REASON:
        raise SightlineError(f"The reason has {len(said)} characters.", why=f"At most {LONGEST_REASON} fit.")
    return said
