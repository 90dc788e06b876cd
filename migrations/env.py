"""Runs migrations as the owner role, one runner at a time, and never waits long for a lock.

Use it through `sightline migrate`, or through Alembic itself with a connection or `-x url=…`.
"""

import sys
from logging.config import fileConfig

from alembic import context
from sqlalchemy import Connection, text

from db.engine import engine_for
from db.roles import OWNER, ensure_roles
from db.tables import Base

# Two deployments that start at once must not migrate at once; the number is arbitrary and ours.
MIGRATION_LOCK = 7_316_205_118
LOCK_TIMEOUT = "5s"


def is_ours(_: object, name: str | None, type_: str, reflected: bool, compare_to: object) -> bool:
    """Monthly partitions are made by a function, so the tables do not know them."""
    partition = type_ == "table" and reflected and compare_to is None and (name or "")[-7:].replace("_", "").isdigit()
    return not partition


def migrate(connection: Connection) -> None:
    ensure_roles(connection)
    connection.execute(text("SELECT pg_advisory_lock(:key)"), {"key": MIGRATION_LOCK})
    try:
        connection.execute(text(f"SET ROLE {OWNER}"))
        connection.execute(text(f"SET lock_timeout = '{LOCK_TIMEOUT}'"))
        connection.commit()
        context.configure(
            connection=connection,
            target_metadata=Base.metadata,
            include_object=is_ours,
            compare_server_default=True,
            transaction_per_migration=True,
        )
        with context.begin_transaction():
            context.run_migrations()
    finally:
        connection.rollback()
        connection.execute(text("RESET ROLE"))
        connection.execute(text("SELECT pg_advisory_unlock(:key)"), {"key": MIGRATION_LOCK})
        connection.commit()


given: Connection | None = context.config.attributes.get("connection")
if given is not None:
    migrate(given)
elif "url" in context.get_x_argument(as_dictionary=True):
    if context.config.config_file_name is not None:
        fileConfig(context.config.config_file_name)
    with engine_for(context.get_x_argument(as_dictionary=True)["url"]).connect() as opened:
        migrate(opened)
else:
    sys.exit("Migrations need a database. Run `sightline migrate`, or give Alembic `-x url=postgresql://…`.")
