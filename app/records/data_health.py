"""What is known of the data's health: what jobs found when they last looked, and the partitions that there are."""

from collections.abc import Mapping
from dataclasses import dataclass
from datetime import date, datetime
from typing import Any

from sqlalchemy import Engine

from app.access import Permission, Viewer
from app.records.alerts import OF_THE_COMPANY
from app.records.reading import rows
from app.redaction import without_secrets
from db.engine import seeing


@dataclass(frozen=True)
class Check:
    """The last time that a job looked: how it ended, what it found, and whether one is under way."""

    kind: str
    status: str
    ended_at: datetime
    seconds: float | None
    payload: Mapping[str, Any]
    result: Mapping[str, Any]
    error: str | None

    @property
    def is_well(self) -> bool:
        return self.status == "completed"


@dataclass(frozen=True)
class FactPartitions:
    """The months of a fact, and what they take on the disk."""

    fact: str
    oldest: date
    newest: date
    months: int
    ahead: int
    rows: int
    size_bytes: int


_CHECKS = f"""
    SELECT j.job_type AS kind, j.status, j.completed_at AS ended_at, j.payload, COALESCE(j.result, '{{}}') AS result,
        j.error_message AS error,
        CAST(EXTRACT(EPOCH FROM j.completed_at - j.started_at) AS DOUBLE PRECISION) AS seconds
    FROM jobs AS j
    WHERE j.job_type = :kind AND j.workspace_id IS NULL AND j.status IN ('completed', 'failed')
        AND j.completed_at IS NOT NULL AND {OF_THE_COMPANY}
    ORDER BY j.completed_at DESC
    LIMIT :most
    """  # noqa: S608 - our own text
_UNDER_WAY = f"""
    SELECT DISTINCT j.job_type AS kind
    FROM jobs AS j
    WHERE j.status IN ('pending', 'running', 'retrying') AND j.workspace_id IS NULL AND {OF_THE_COMPANY}
    """  # noqa: S608
# Estimates of the planner: counting would walk all of it.
_PARTITIONS = f"""
    SELECT CAST(p.fact AS TEXT) AS fact, MIN(p.month) AS oldest, MAX(p.month) AS newest,
        COUNT(*) FILTER (WHERE p.month IS NOT NULL) AS months,
        COUNT(*) FILTER (WHERE p.month > date_trunc('month', now(), 'UTC')) AS ahead,
        CAST(SUM(GREATEST(c.reltuples, 0)) AS BIGINT) AS rows,
        CAST(SUM(pg_total_relation_size(p.partition)) AS BIGINT) AS size_bytes
    FROM fact_partitions() AS p
    JOIN pg_class AS c ON c.oid = p.partition
    WHERE {OF_THE_COMPANY}
    GROUP BY p.fact
    ORDER BY size_bytes DESC, fact
    """  # noqa: S608


def checks(engine: Engine, viewer: Viewer, kind: str, *, most: int = 1) -> tuple[Check, ...]:
    """The last times that jobs of a kind looked, the newest first; for who sees every workspace."""
    viewer.require(Permission.DATA_HEALTH_READ)
    with seeing(engine, viewer.workspaces) as connection:
        found = rows(connection, _CHECKS, kind=kind, member=viewer.member_id, most=most)
    return tuple(Check(**{**row, "error": without_secrets(row["error"]) if row["error"] else None}) for row in found)


def under_way(engine: Engine, viewer: Viewer) -> frozenset[str]:
    """The kinds of which a job of the company waits or runs."""
    viewer.require(Permission.DATA_HEALTH_READ)
    with seeing(engine, viewer.workspaces) as connection:
        return frozenset(row["kind"] for row in rows(connection, _UNDER_WAY, member=viewer.member_id))


def partitions(engine: Engine, viewer: Viewer) -> tuple[FactPartitions, ...]:
    """Of every fact, the largest first; for who sees every workspace."""
    viewer.require(Permission.DATA_HEALTH_READ)
    with seeing(engine, viewer.workspaces) as connection:
        found = rows(connection, _PARTITIONS, member=viewer.member_id)
    return tuple(FactPartitions(**row) for row in found)
