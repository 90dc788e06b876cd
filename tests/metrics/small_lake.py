"""A lake of a few rows, written by hand: rollups and lookups as Parquet, published as versions."""

import uuid
from dataclasses import dataclass, field
from datetime import UTC, date, datetime
from decimal import Decimal
from pathlib import Path
from typing import Any

import pyarrow as pa
import pyarrow.parquet as pq

from app.access import Role, Viewer
from app.lake.lake import NoLakeError, UnknownVersionError
from app.lake.sources import SOURCES
from app.lake.versions import LakeVersion, Part, TableVersion
from app.metrics.desk import Desk
from app.metrics.question import question
from app.metrics.shapes import shapes

JANUARY = (date(2026, 1, 1), date(2026, 2, 1))
# Long after January: no day of it is still running.
LATER = datetime(2026, 6, 1, 12, tzinfo=UTC)

_MONEY = {
    "conversion_value": 4,
    "attributed_conversions": 6,
    "attributed_value": 6,
    "spend": 4,
    "ad_revenue": 4,
    "audio_seconds": 3,
    "video_seconds": 3,
    "ai_cost": 12,
    "ai_cost_corrections": 12,
    "retry_cost": 12,
    "cache_savings": 12,
    "batch_savings": 12,
    "reported_cost": 12,
    "recognised_revenue": 6,
}
_TYPES = {
    "BIGINT": pa.int64(),
    "INTEGER": pa.int32(),
    "VARCHAR": pa.string(),
    "DATE": pa.date32(),
    "TIMESTAMPTZ": pa.timestamp("us", tz="UTC"),
    "BLOB": pa.binary(),
    "BOOLEAN": pa.bool_(),
}


def workspace_id(number: int) -> uuid.UUID:
    return uuid.UUID(int=1000 + number)


def campaign_id(number: int) -> str:
    return str(uuid.UUID(int=2000 + number))


def viewer(*workspaces: int, role: Role = Role.ADMIN) -> Viewer:
    """Somebody who sees the workspaces with these numbers."""
    return Viewer("Ada", frozenset({role}), frozenset(workspace_id(number) for number in workspaces))


@dataclass
class SmallLake:
    """Rows are added to what is there; a version is what was there when it was published.

    A rollup to which nothing was ever added is not in it: an empty one would be the smallest that can answer.
    """

    folder: Path
    zone: str = "UTC"
    tables: dict[str, list[Part]] = field(default_factory=dict)
    versions: list[LakeVersion] = field(default_factory=list)

    def add(self, table: str, *rows: dict[str, Any]) -> None:
        schema = _schema(table)
        filled = [{name: row.get(name, _nothing(table, name)) for name in schema.names} for row in rows]
        unknown = {name for row in rows for name in row} - set(schema.names)
        assert not unknown, f"{table} has no {unknown}"
        path = self.folder / f"{table}-{uuid.uuid4().hex}.parquet"
        pq.write_table(pa.Table.from_pylist(filled, schema=schema), path)
        months = {date(row["day"].year, row["day"].month, 1) for row in rows if table in shapes()}
        month = months.pop() if len(months) == 1 else None
        self.tables.setdefault(table, []).append(Part(str(path), len(rows), path.stat().st_size, month))

    def publish(self, data_through: datetime = LATER) -> LakeVersion:
        number = len(self.versions) + 1

        def tables(names: Any) -> dict[str, TableVersion]:
            return {name: TableVersion(name, number, tuple(self.tables.get(name, ()))) for name in names}

        made = LakeVersion(
            number,
            self.zone,
            data_through,
            data_through,
            1,
            7,
            tables(set(shapes()) & set(self.tables)),
            tables(SOURCES),
        )
        self.versions.append(made)
        return made

    @property
    def latest_number(self) -> int:
        return len(self.versions)

    def latest(self) -> LakeVersion:
        if not self.versions:
            raise NoLakeError("There are no figures yet.", fix="Run `sightline refresh`.")
        return self.versions[-1]

    def at(self, number: int) -> LakeVersion:
        if not 1 <= number <= len(self.versions):
            raise UnknownVersionError(f"The lake has no version {number}.")
        return self.versions[number - 1]


def _nothing(table: str, name: str) -> Any:
    if table in shapes():
        return 0 if name in shapes()[table].measures else None
    return 1 if name == "pull" else None


def _schema(table: str) -> pa.Schema:
    if table in shapes():
        shape = shapes()[table]
        return pa.schema(
            [(name, _rollup_type(name)) for name in sorted(shape.grain)]
            + [(name, _measure_type(name)) for name in sorted(shape.measures)]
        )
    columns = [(column.name, _source_type(column.type)) for column in SOURCES[table].columns]
    return pa.schema([*columns, ("pull", pa.int64())])


def _rollup_type(name: str) -> pa.DataType:
    if name.endswith("_code"):
        return pa.int64()
    return {"day": pa.date32(), "hour": pa.int32(), "latency_bucket": pa.int32()}.get(name, pa.string())


def _measure_type(name: str) -> pa.DataType:
    if name.startswith("mrr_"):
        return pa.decimal128(38, 6)
    if name.startswith("invoiced_"):
        return pa.decimal128(38, 4)
    return pa.decimal128(38, _MONEY[name]) if name in _MONEY else pa.int64()


def _source_type(kind: str) -> pa.DataType:
    if kind.startswith("DECIMAL"):
        width, scale = kind[8:-1].split(",")
        return pa.decimal128(int(width), int(scale))
    return _TYPES[kind]


def two_workspaces(folder: Path, zone: str = "UTC") -> SmallLake:
    """Two customers: 1 has the campaigns 1 and 2 (mailer, web), 2 has the campaign 3 (mailer)."""
    lake = SmallLake(folder, zone)
    lake.add(
        "workspaces",
        {"code": 1, "id": str(workspace_id(1)), "name": "Acme", "slug": "acme", "country": "DE"},
        {"code": 2, "id": str(workspace_id(2)), "name": "Birch", "slug": "birch", "country": "IN"},
    )
    campaigns = (
        (1, 1, "Spring", "mailer", "email"),
        (2, 1, "Landing", "web_builder", "web"),
        (3, 2, "Secret", "mailer", "email"),
    )
    lake.add(
        "campaigns",
        *(
            {
                "code": code,
                "id": campaign_id(code),
                "workspace_code": owner,
                "name": name,
                "product": product,
                "channel": channel,
            }
            for code, owner, name, product, channel in campaigns
        ),
    )
    lake.add("users", {"code": 7, "id": str(uuid.UUID(int=7)), "name": "Grace", "email": "grace@example.com"})
    return lake


def sent(day: date, campaign: int = 1, *, delivered: int = 0, opened: int = 0, **more: int) -> dict[str, Any]:
    """A row of email_days. Campaign 3 is of workspace 2."""
    measures = {"emails_sent": delivered, "emails_delivered": delivered, "emails_opened": opened} | more
    return {"workspace_code": 2 if campaign == 3 else 1, "campaign_code": campaign, "day": day} | measures


@dataclass
class Asking:
    """A desk in front of a small lake, and somebody who asks."""

    lake: SmallLake
    desk: Desk
    who: Viewer

    def rows(
        self, metrics: Any, since: date = JANUARY[0], until: date = JANUARY[1], **more: Any
    ) -> list[dict[str, Any]]:
        return self.answer(metrics, since, until, **more).rows()

    def answer(self, metrics: Any, since: date = JANUARY[0], until: date = JANUARY[1], **more: Any) -> Any:
        who = more.pop("who", self.who)
        return self.desk.ask(question(metrics, since, until, **more), who)

    def one(self, metric: str, *args: Any, **more: Any) -> Any:
        return self.answer(metric, *args, **more).value(metric)


def money(amount: str) -> Decimal:
    return Decimal(amount)
