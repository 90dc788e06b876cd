"""Where this installation's lake is, what fills it, and which engine makes its rollups."""

from app.database import Address
from app.lake.duck import DuckEngine
from app.lake.engine import Engine
from app.lake.lake import Lake, the_lake
from app.lake.refresh import Place
from app.settings import settings
from db.roles import PIPE


def the_place(address: Address) -> Place:
    """The lake of the settings, filled from the database or from its replica."""
    lock_url, replica = address.url(PIPE), settings().read_url
    read_url = Address(replica.get_secret_value(), is_embedded=False).url(PIPE) if replica else lock_url
    return Place(the_lake(), read_url, lock_url, settings().zone)


def the_engine(lake: Lake) -> Engine:
    """DuckDB in this process, or Spark on a cluster."""
    if settings().engine == "duckdb":
        return DuckEngine(lake.scratch)
    # Only a cluster needs it: it is an extra.
    from app.lake.spark import SparkEngine  # noqa: PLC0415

    return SparkEngine(settings().spark_remote.get_secret_value())
