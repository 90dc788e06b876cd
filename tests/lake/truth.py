"""What the lake and its rollups must hold: everything that Postgres holds, row for row, and nothing else."""

import adbc_driver_postgresql.dbapi as adbc
import duckdb

from app.lake.calendar import calendar_file
from app.lake.duck import parquet
from app.lake.lake import Lake
from app.lake.origin import as_pulled, typed
from app.lake.sources import SOURCES
from app.lake.state import held
from app.rollups import rollups


def differences(url: str, lake: Lake) -> dict[str, int]:
    """Per source and rollup the number of rows that the lake lacks or has too many; empty when all is well."""
    version = lake.latest()
    found = {}
    with duckdb.connect() as duck, adbc.connect(url) as connection, connection.cursor() as cursor:
        duck.execute(f"SET TimeZone = '{version.zone}'")
        duck.execute(f"CREATE VIEW calendar AS FROM {parquet([str(calendar_file(lake.folder, version.zone))])}")
        for name, source in SOURCES.items():
            cursor.execute(as_pulled(source, where="TRUE"))
            arrived = cursor.fetch_arrow_table()
            duck.register("arrived", arrived)
            duck.execute(f"CREATE TABLE {name} AS SELECT {typed(source)} FROM arrived")
            copied = held(source, version.sources[name].parts, "copied")
            for view, files in copied.files.items():
                duck.execute(f"CREATE OR REPLACE VIEW {view} AS FROM {parquet(files)}")
            listed = ", ".join(source.names)
            found[name] = _apart(duck, f"SELECT {listed} FROM {name}", f"SELECT {listed} FROM ({copied.live()})")
        for name, rollup in rollups().items():
            sums = ", ".join(f"SUM({measure}) AS {measure}" for measure in rollup.measures)
            some = " OR ".join(f"SUM({measure}) <> 0" for measure in rollup.measures)
            grain = ", ".join(rollup.grain)
            by = f"SELECT {grain}, {sums} FROM {{}} GROUP BY {grain} HAVING {some}"
            files = version.rollups[name].files()
            held_rows = (
                by.format(parquet(files)) if files else f"SELECT * FROM ({by.format(f'({rollup.sql})')}) LIMIT 0"
            )
            found[name] = _apart(duck, by.format(f"({rollup.sql})"), held_rows)
    return {name: apart for name, apart in found.items() if apart}


def _apart(duck: duckdb.DuckDBPyConnection, wanted: str, there: str) -> int:
    lacking = f"SELECT COUNT(*) FROM (FROM ({wanted}) EXCEPT ALL FROM ({there}))"
    beyond = f"SELECT COUNT(*) FROM (FROM ({there}) EXCEPT ALL FROM ({wanted}))"
    (apart,) = duck.execute(f"SELECT ({lacking}) + ({beyond})").fetchall()[0]
    return apart
