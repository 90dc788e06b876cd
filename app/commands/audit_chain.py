"""Walks the chain of the audit log: computes every hash itself, and names what was changed, deleted or put between."""

import hashlib
from collections.abc import Callable, Iterator, Sequence
from dataclasses import dataclass, field
from datetime import datetime
from typing import Any

from sqlalchemy import Connection, Engine, text

from app.access import Permission, Viewer
from db.errors import SightlineError

AT_ONCE = 2_000
MOST_FINDINGS = 20
_DIGEST = 32
_BETWEEN = ":"
# In the order in which they are sealed, each as the text that is sealed.
_SEALED = {
    "position": "CAST(l.position AS TEXT)",
    "at": "CAST(CAST(EXTRACT(EPOCH FROM l.at) * 1000000 AS BIGINT) AS TEXT)",
    "actor": "l.actor",
    "database_role": "l.database_role",
    "action": "l.action",
    "table_name": "l.table_name",
    "row_key": "l.row_key",
    "workspace_id": "CAST(l.workspace_id AS TEXT)",
    "before": "CAST(l.before AS TEXT)",
    "after": "CAST(l.after AS TEXT)",
    "reason": "l.reason",
}
_COLUMNS = ", ".join(f"{expression} AS {name}" for name, expression in _SEALED.items())
_LINKS = text(f"""
    SELECT s.number, s.position AS sealed_position, s.digests, s.hash, s.cluster,
        CAST(CAST(s.horizon AS TEXT) AS BIGINT) AS horizon,
        CAST(EXTRACT(EPOCH FROM s.sealed_at) * 1000000 AS BIGINT) AS sealed_micros, {_COLUMNS}
    FROM audit_seals AS s
    LEFT JOIN audit_log AS l ON l.position = s.position
    WHERE s.number > :after
    ORDER BY s.number
    LIMIT :most
""")  # noqa: S608 - our own columns
_HEAD = "SELECT number, hash, position, horizon, cluster, sealed_at FROM audit_seals ORDER BY number DESC LIMIT 1"
# One statement sees the last seal and the rows of one moment.
_STRANGERS = text(f"""
    SELECT l.position, l.table_name
    FROM audit_log AS l
    CROSS JOIN ({_HEAD}) AS h
    WHERE h.cluster = (SELECT system_identifier FROM pg_control_system())
        AND (l.written_in, l.position) <= (h.horizon, h.position)
        AND NOT EXISTS (SELECT FROM audit_seals AS s WHERE s.position = l.position)
    ORDER BY l.written_in, l.position
    LIMIT :most
""")  # noqa: S608 - our own columns
_WAITING = text(f"""
    SELECT COUNT(*) AS waiting, MIN(l.at) AS waiting_since
    FROM audit_log AS l
    LEFT JOIN ({_HEAD}) AS h ON true
    WHERE (h.number IS NULL OR h.cluster <> (SELECT system_identifier FROM pg_control_system())
            OR (l.written_in, l.position) > (h.horizon, h.position))
        AND NOT EXISTS (SELECT FROM audit_seals AS s WHERE s.position = l.position)
""")  # noqa: S608 - our own columns
_ALIKE = text(
    "SELECT position FROM audit_seals WHERE SUBSTRING(digests FROM 33) = :rest AND position <> :position LIMIT 1"
)
_LAST = text(
    "SELECT verified_by, since, number, found, created_at FROM audit_verifications ORDER BY created_at DESC, id DESC"
    " LIMIT 1"
)


@dataclass(frozen=True)
class Head:
    """The end of a chain, as it can be kept elsewhere: everything before it follows from its hash."""

    number: int
    hash: str

    def __str__(self) -> str:
        return f"{self.number}{_BETWEEN}{self.hash}"

    @classmethod
    def read(cls, given: str) -> "Head":
        number, _, digest = given.strip().partition(_BETWEEN)
        if not number.isdecimal() or len(number) > 18 or len(digest) != 2 * _DIGEST:  # noqa: PLR2004 - of a bigint
            raise SightlineError(
                "This is no head of the audit log's chain.",
                why="A head is a number and a hash with a colon between them.",
                fix="Give one as `sightline audit verify` prints it.",
            )
        return cls(int(number), digest.lower())


START = Head(0, "")


@dataclass(frozen=True)
class Finding:
    """Something that is not as it was sealed: the row's position, where it stands in the chain, and what is wrong."""

    position: int | None
    number: int | None
    says: str


@dataclass
class Verified:
    """What a walk has seen so far, and in the end all of it."""

    since: Head
    head: Head
    findings: list[Finding] = field(default_factory=list)
    total: int = 0

    @property
    def rows(self) -> int:
        return self.head.number - self.since.number

    @property
    def is_whole(self) -> bool:
        return not self.findings

    @property
    def found(self) -> str | None:
        return self.findings[0].says if self.findings else None


@dataclass(frozen=True)
class ChainNow:
    """How far the log is sealed, what waits for it, and when somebody last verified it."""

    head: Head | None
    position: int | None
    sealed_at: datetime | None
    waiting: int
    waiting_since: datetime | None
    verified_by: str | None
    verified_at: datetime | None
    verified_through: int | None
    found: str | None


def chain_now(pipe: Engine, viewer: Viewer) -> ChainNow:
    """The state of the chain; of the whole company, whoever asks: it names no row."""
    viewer.require(Permission.AUDIT_READ)
    with pipe.connect() as connection:
        head = connection.execute(text(_HEAD)).mappings().one_or_none()
        waiting = connection.execute(_WAITING).mappings().one()
        last = connection.execute(_LAST).mappings().one_or_none()
    return ChainNow(
        Head(head["number"], bytes(head["hash"]).hex()) if head else None,
        head["position"] if head else None,
        head["sealed_at"] if head else None,
        waiting["waiting"],
        waiting["waiting_since"],
        last["verified_by"] if last else None,
        last["created_at"] if last else None,
        last["number"] if last else None,
        last["found"] if last else None,
    )


def walk(
    pipe: Engine,
    viewer: Viewer,
    *,
    since: Head = START,
    known: Sequence[Head] = (),
    at_once: int = AT_ONCE,
) -> Iterator[Verified]:
    """Verify the chain after `since`, some rows at a time; each time what was seen so far, and last all of it.

    `known` are heads that were kept elsewhere: without one, a chain whose tail was cut, or which was written anew, is
    as good as any.
    """
    viewer.require(Permission.AUDIT_READ)
    seen = Verified(since, since)
    anchors = {head.number: head for head in (*known, since) if head.number}
    with pipe.connect() as connection:
        seen.total = connection.scalar(text("SELECT COALESCE(MAX(number), 0) FROM audit_seals")) or 0
        if since.number and not _is_there(connection, since):
            seen.findings.append(_cut(since, seen.total) if since.number > seen.total else _rewritten(since))
    while links := _links(pipe, seen.head.number, at_once):
        for link in links:
            _follow(pipe, seen, link, anchors)
            if len(seen.findings) >= MOST_FINDINGS:
                yield seen
                return
        yield seen
    _look_at_the_end(pipe, seen, anchors)
    yield seen


def verified(
    pipe: Engine,
    viewer: Viewer,
    *,
    since: Head = START,
    known: Sequence[Head] = (),
    at_once: int = AT_ONCE,
    told: Callable[[Verified], None] = lambda _: None,
) -> Verified:
    """The whole walk at once; `told` hears how far it is."""
    seen = Verified(START, START)
    for seen in walk(pipe, viewer, since=since, known=known, at_once=at_once):
        told(seen)
    return seen


def _links(pipe: Engine, after: int, most: int) -> Sequence[Any]:
    """Each part in a statement of its own: a long one would hold back what others may seal and forget."""
    with pipe.connect() as connection:
        return connection.execute(_LINKS, {"after": after, "most": most}).mappings().all()


def _follow(pipe: Engine, seen: Verified, link: Any, anchors: dict[int, Head]) -> None:  # noqa: ANN401 - a row
    number, position = link["number"], link["sealed_position"]
    if number != seen.head.number + 1:
        seen.findings.append(_gap(seen.head.number + 1, number - 1))
    computed = _hash(seen.head, link)
    kept = bytes(link["hash"]).hex()
    if computed != kept and number == seen.head.number + 1:
        what = f"The seal number {number}, of the row at position {position}, does not follow from the one before it"
        seen.findings.append(Finding(position, number, f"{what}: the chain was changed there."))
    difference = _difference(pipe, link)
    if difference:
        seen.findings.append(Finding(position, number, difference))
    anchor = anchors.get(number)
    if anchor and anchor.hash != kept:
        seen.findings.append(_rewritten(anchor))
    seen.head = Head(number, kept)


def _hash(before: Head, link: Any) -> str:  # noqa: ANN401 - a row
    framed = b"".join(
        value.to_bytes(8, "big", signed=True)
        for value in (before.number + 1, link["sealed_micros"], link["cluster"], link["horizon"])
    )
    return hashlib.sha256(bytes.fromhex(before.hash) + framed + bytes(link["digests"])).hexdigest()


def _difference(pipe: Engine, link: Any) -> str | None:  # noqa: ANN401 - a row
    """What of the row is not as it was sealed."""
    position, digests = link["sealed_position"], bytes(link["digests"])
    if link["position"] is None:
        return f"The row at position {position} was deleted."
    now = [_digest(link[name]) for name in _SEALED]
    sealed = [digests[place : place + _DIGEST] for place in range(0, len(digests), _DIGEST)]
    changed = [name for name, was, is_now in zip(_SEALED, sealed, now, strict=True) if was != is_now]
    if not changed:
        return None
    with pipe.connect() as connection:
        rest = b"".join(now[1:])
        other = connection.scalar(_ALIKE, {"rest": rest, "position": position})
    if other is not None:
        return f"The row at position {position} is not the one that was sealed there: it is that of position {other}."
    return f"The row at position {position} was changed: its {_listed(changed)} {_is(changed)} not as sealed."


def _digest(value: str | None) -> bytes:
    return hashlib.sha256(b"\x00" if value is None else b"\x01" + value.encode()).digest()


def _look_at_the_end(pipe: Engine, seen: Verified, anchors: dict[int, Head]) -> None:
    """What is missing at the end only a head tells that was kept elsewhere; what was put between has no seal."""
    for anchor in sorted(anchors.values(), key=lambda head: head.number):
        if anchor.number > seen.head.number:
            seen.findings.append(_cut(anchor, seen.head.number))
    with pipe.connect() as connection:
        strangers = connection.execute(_STRANGERS, {"most": MOST_FINDINGS}).all()
    for position, table in strangers:
        what = f"The row at position {position}, of {table}, was inserted after the rows around it were sealed."
        seen.findings.append(Finding(position, None, what))


def _is_there(connection: Connection, head: Head) -> bool:
    kept = connection.scalar(text("SELECT hash FROM audit_seals WHERE number = :number"), {"number": head.number})
    return kept is not None and bytes(kept).hex() == head.hash


def _gap(first: int, last: int) -> Finding:
    numbers = f"number {first}" if first == last else f"numbers {first} to {last}"
    return Finding(None, first, f"Seals were deleted from the chain: {numbers}. Their rows are proven by nothing.")


def _cut(anchor: Head, end: int) -> Finding:
    what = f"The chain ends at number {end}, but number {anchor.number} was there: its tail was cut off."
    return Finding(None, end + 1, what)


def _rewritten(anchor: Head) -> Finding:
    what = f"The chain was written anew: number {anchor.number} has another hash than the one that was kept."
    return Finding(None, anchor.number, what)


def _listed(names: Sequence[str]) -> str:
    spelled = [name.replace("_", " ") for name in names]
    return spelled[0] if len(spelled) == 1 else f"{', '.join(spelled[:-1])} and {spelled[-1]}"


def _is(names: Sequence[str]) -> str:
    return "is" if len(names) == 1 else "are"
