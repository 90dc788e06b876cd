"""A lake over a test's database: what one refresh after another makes of it."""

from collections.abc import Callable
from contextlib import contextmanager
from datetime import UTC, datetime, timedelta
from pathlib import Path

import duckdb
import psycopg

from app.lake.duck import parquet
from app.lake.lake import Lake
from app.lake.refresh import Outcome, Place, Refresher, quietly
from app.lake.sources import SOURCES
from app.lake.state import held
from tests.faults.writers import fill
from tests.lake.truth import differences
from tests.servers import Database

NOON = datetime.now(UTC).replace(hour=12, minute=0, second=0, microsecond=0) - timedelta(days=1)
LONG_AGO = NOON - timedelta(days=95)


class LakeOf:
    """The lake of one database; `refresh` uses a process's memory of it, `refresh_anew` that of a new process."""

    def __init__(self, database: Database, folder: Path, zone: str = "UTC") -> None:
        self.database = database
        self.lake = Lake(folder)
        self.zone = zone
        self.url = database.server.url(database.name, "test_app_pipe")
        self.refresher = self._refresher()

    def refresh(self, told: Callable[[str, int, int], None] = quietly) -> Outcome:
        return self.refresher.refresh(told)

    def refresh_anew(self) -> Outcome:
        return self._refresher().refresh()

    def differences(self) -> dict[str, int]:
        return differences(self.url, self.lake)

    def rows(self, source: str, columns: str = "COUNT(*)", *, version: int | None = None) -> list[tuple]:
        """What the lake holds of a source."""
        opened = self.lake.at(version) if version else self.lake.latest()
        copied = held(SOURCES[source], opened.sources[source].parts, "copied")
        with duckdb.connect() as duck:
            duck.execute("SET TimeZone = 'UTC'")
            for view, files in copied.files.items():
                duck.execute(f"CREATE VIEW {view} AS FROM {parquet(files)}")
            return duck.execute(f"SELECT {columns} FROM ({copied.live()}) ORDER BY ALL").fetchall()

    def total(self, rollup: str, measure: str, where: str = "TRUE", *, version: int | None = None):
        """A measure of a rollup, summed."""
        files = (self.lake.at(version) if version else self.lake.latest()).rollups[rollup].files()
        if not files:
            return 0
        ((total,),) = duckdb.sql(f"SELECT COALESCE(SUM({measure}), 0) FROM {parquet(files)} WHERE {where}").fetchall()
        return total

    def _refresher(self) -> Refresher:
        return Refresher(Place(self.lake, self.url, self.url, self.zone))


def lake_with_company(database: Database, folder: Path, zone: str = "UTC") -> LakeOf:
    """Three workspaces with campaigns and contacts, and nothing that happened yet."""
    with database.setup.begin() as connection:
        fill(connection)
    return LakeOf(database, folder, zone)


@contextmanager
def session(database: Database):
    """A psycopg session of the owner; what it does is committed by itself where it opens no transaction."""
    with psycopg.connect(database.server.url(database.name), autocommit=True) as connection:
        yield connection


def use(connection: psycopg.Connection, feature: str = "api_call", at: datetime = NOON, quantity: int = 1) -> None:
    """One use of a feature: the smallest fact there is."""
    connection.execute(
        """INSERT INTO usage_logs (workspace_id, user_id, product, feature, logged_at, quantity)
        SELECT w.id, u.id, 'craft_ads', %s, %s, %s FROM workspaces AS w, users AS u
        WHERE w.slug = 'w1' AND u.email LIKE 'u1@%%'""",
        (feature, at, quantity),
    )


def mail(connection: psycopg.Connection, kind: str, at: datetime = NOON, contact: int = 1, **values: object) -> None:
    """One e-mail event of the first workspace's first campaign."""
    columns = {"provider": "ses", "event_type": kind, "occurred_at": at, **values}
    if kind == "bounced":
        columns.setdefault("bounce_type", "hard")
    names, marks = ", ".join(columns), ", ".join(["%s"] * len(columns))
    connection.execute(
        f"""INSERT INTO email_events (workspace_id, campaign_id, contact_id, {names})
        SELECT w.id, c.id, p.id, {marks} FROM workspaces AS w
        JOIN campaigns AS c ON c.workspace_id = w.id AND c.name = 'email1'
        JOIN contacts AS p ON p.workspace_id = w.id AND p.email LIKE 'c{contact}@%%'
        WHERE w.slug = 'w1'""",
        tuple(columns.values()),
    )
