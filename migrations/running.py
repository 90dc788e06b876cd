"""Runs a migration's SQL as it is written."""

from alembic import op

from db.engine import run_script


def run(sql: str) -> None:
    """Run one or more statements in the migration's transaction."""
    run_script(op.get_bind(), sql)
