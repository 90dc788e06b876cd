"""Spark as the engine of a cluster: asked through Spark Connect, answered in Arrow, never through pandas."""

import re
import warnings
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from dataclasses import dataclass
from functools import cache
from importlib import import_module
from typing import TYPE_CHECKING

import pyarrow as pa

from app.lake.engine import Work
from db.errors import SightlineError

if TYPE_CHECKING:
    from pyspark.errors import PySparkException
    from pyspark.sql.connect.client.retries import DefaultPolicy
    from pyspark.sql.connect.session import SparkSession

# What a cluster may have set otherwise and figures depend on: overflows are errors, and so are files that are gone.
_SETTINGS = {
    "spark.sql.ansi.enabled": "true",
    "spark.sql.files.ignoreCorruptFiles": "false",
    "spark.sql.files.ignoreMissingFiles": "false",
    "spark.sql.timestampType": "TIMESTAMP_LTZ",
}
# Five waits, 17 seconds together: a line that broke is taken up again, a server that is gone is not awaited for long.
_RETRIES = 5
# What pyspark warns of: frames of pandas 3, of which none are made here, and an error that is raised anyway.
_WARNINGS = ("PySpark does not yet fully support pandas", r"\[RETRIES_EXCEEDED\]")


class SparkError(SightlineError):
    """The cluster did not give an answer."""


class SparkEngine:
    """Runs rollup texts on the cluster behind a Spark Connect address."""

    def __init__(self, remote: str) -> None:
        self._remote = remote

    def answer(self, work: Work) -> pa.RecordBatchReader:
        """The answer, held whole: a rollup's result is small beside what it was made from."""
        with _session(self._remote, work.zone) as session:
            _show(session, work)
            return _answered(session, work.sql).to_reader()


@dataclass(frozen=True)
class _Client:
    """What is used of pyspark, an extra that takes a second to import."""

    session: "type[SparkSession]"
    retries: "type[DefaultPolicy]"
    failure: "type[PySparkException]"


@cache
def _client() -> _Client:
    try:
        with _unwarned():
            # Its errors come with the whole stack of the server; they are told in our own words.
            import_module("pyspark.logger").PySparkLogger.getLogger("SQLQueryContextLogger").disabled = True
            return _Client(
                import_module("pyspark.sql.connect.session").SparkSession,
                import_module("pyspark.sql.connect.client.retries").DefaultPolicy,
                import_module("pyspark.errors").PySparkException,
            )
    except ImportError as error:
        raise SparkError(
            "Spark can't be asked from here.",
            why=f"Its client is not installed: {_reason(error)}.",
            fix="Run `pip install 'pyspark[connect]>=4.3'` (our extra `spark`), or unset SIGHTLINE_ENGINE.",
        ) from error


@contextmanager
def _unwarned() -> Iterator[None]:
    with warnings.catch_warnings():
        for message in _WARNINGS:
            warnings.filterwarnings("ignore", message)
        yield


@contextmanager
def _session(remote: str, zone: str) -> Iterator["SparkSession"]:
    """A session of one answer alone: no other answer sees its zone and its views, and they end with it."""
    with _explained(lambda error: _no_answer(remote, error)):
        session = _client().session.builder.remote(remote).create()
    with _unwarned():
        try:
            _prepare(session, remote, zone)
            yield session
        finally:
            session.stop()


def _prepare(session: "SparkSession", remote: str, zone: str) -> None:
    """The first calls that need the server: they are tried once, so that a wrong address is told at once."""
    session.client.set_retry_policies([])
    with _explained(lambda error: _no_answer(remote, error)):
        for name, value in {**_SETTINGS, "spark.sql.session.timeZone": zone}.items():
            session.conf.set(name, value)
    session.client.set_retry_policies([_client().retries(max_retries=_RETRIES)])


def _show(session: "SparkSession", work: Work) -> None:
    """Give files and views the names that the text reads."""
    for name, files in work.files.items():
        with _explained(_unreadable):
            # Said in full: a cluster may look for bare paths elsewhere, in a Hadoop file system.
            session.read.parquet(*(f"file://{file}" for file in files)).createOrReplaceTempView(name)
    for name, sql in work.views:
        with _explained(_refused):
            session.sql(sql).createOrReplaceTempView(name)


def _answered(session: "SparkSession", sql: str) -> pa.Table:
    """Timestamps come in microseconds of UTC; every column may be NULL, as in all other answers."""
    with _explained(_refused):
        table = session.sql(sql).toArrow()
    return table.cast(pa.schema([pa.field(column.name, column.type) for column in table.schema]))


@contextmanager
def _explained(explain: "Callable[[PySparkException], SparkError]") -> Iterator[None]:
    try:
        yield
    except _client().failure as error:
        raise explain(error) from error


def _no_answer(remote: str, error: Exception) -> SparkError:
    # What follows the address may be a token.
    address = remote.split("/;", maxsplit=1)[0]
    return SparkError(
        f"No Spark answers at {address}.",
        why=_reason(error),
        fix="Start the Spark Connect server there, correct SIGHTLINE_SPARK_REMOTE (sc://host:15002), "
        "or unset SIGHTLINE_ENGINE to make the rollups on this machine.",
    )


def _unreadable(error: Exception) -> SparkError:
    return SparkError(
        "The Spark cluster can't read the files of the lake.",
        why=_reason(error),
        fix="Put the lake into a folder that the driver and all workers have at the same place (SIGHTLINE_LAKE). "
        "If a file is damaged, `sightline refresh --rebuild` makes the lake anew.",
    )


def _refused(error: "PySparkException") -> SparkError:
    # Workers open files only when the text runs: what the driver saw may be hidden from them.
    if (error.getCondition() or "").startswith("FAILED_READ_FILE"):
        return _unreadable(error)
    return SparkError(
        "Spark gave no answer to a rollup's text.",
        why=_reason(error),
        fix="The log of the Spark Connect server tells more; SIGHTLINE_ENGINE=duckdb makes the same rollups here.",
    )


def _reason(error: Exception) -> str:
    """What happened, without the stack of the server."""
    message = str(error).strip()
    if details := re.search(r'details = "(.*)"', message):
        return details[1]
    return message.split("\n", maxsplit=1)[0] or type(error).__name__
