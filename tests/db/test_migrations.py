"""Every migration goes up and down on the oldest and the newest Postgres, with data, and tables match migrations."""

from alembic import command
from alembic.config import Config
from sqlalchemy import text

from tests.servers import PROJECT, migrate


def test_tables_and_migrations_do_not_drift_apart(each_database, recwarn):
    config = Config(PROJECT / "alembic.ini")
    with each_database.setup.connect() as connection:
        config.attributes["connection"] = connection
        command.check(config)
    assert [str(warning.message) for warning in recwarn] == []


def test_keys_are_version_7_and_grow_with_time(each_database):
    with each_database.setup.connect() as connection:
        keys = [connection.scalar(text("SELECT uuid_v7() FROM pg_sleep(0.002)")) for _ in range(3)]
    assert [key.version for key in keys] == [7, 7, 7]
    assert sorted(keys) == keys


def test_down_to_nothing_and_up_again_leaves_the_same_database(each_database):
    migrate(each_database.setup, "-base")
    with each_database.setup.connect() as connection:
        left = connection.scalars(
            text("SELECT relname FROM pg_class WHERE relnamespace = 'public'::regnamespace ORDER BY 1")
        ).all()
        assert left == ["alembic_version", "alembic_version_pkc"]
        assert connection.scalar(text("SELECT count(*) FROM pg_proc WHERE pronamespace = 'public'::regnamespace")) == 0
    migrate(each_database.setup)
