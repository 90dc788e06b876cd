"""The database roles: groups that hold the privileges, and logins of one installation that belong to one group each."""

from collections.abc import Mapping

import psycopg
from psycopg import sql
from sqlalchemy import Connection, text

from db.engine import driver, run_script
from db.errors import SightlineError

OWNER = "app_owner"  # owns every table and function; nobody signs in as it
RW = "app_rw"  # commands
RO = "app_ro"  # pages: SELECT only
PIPE = "app_pipe"  # the pull into the lake: SELECT on all workspaces
INGEST = "app_ingest"  # webhooks and importers: facts only
LOGIN_GROUPS = (RW, RO, PIPE, INGEST)

# Creating a role is not atomic with looking for it; two installations may start at once on one server.
_ROLES_LOCK = 7_316_205_119

_CREATE_GROUPS = f"""
DO $$
DECLARE
    role_name text;
BEGIN
    PERFORM pg_advisory_xact_lock({_ROLES_LOCK});
    FOREACH role_name IN ARRAY ARRAY['{OWNER}', '{RW}', '{RO}', '{PIPE}', '{INGEST}'] LOOP
        BEGIN
            IF NOT EXISTS (SELECT FROM pg_roles WHERE rolname = role_name) THEN
                EXECUTE format('CREATE ROLE %I NOLOGIN', role_name);
            END IF;
        EXCEPTION WHEN duplicate_object OR unique_violation THEN
            NULL;  -- Made this moment for another database of this server: the lock above is of one database.
        END;
    END LOOP;
    -- From 16 on, who creates a role is its member without the right to act as it.
    IF NOT pg_has_role(current_user, '{OWNER}',
        CASE WHEN current_setting('server_version_num')::int >= 160000 THEN 'SET' ELSE 'MEMBER' END)
    THEN
        EXECUTE format('GRANT {OWNER} TO %I', current_user);
    END IF;
    -- The owner makes and alters everything in the schema; everyone else may only look names up in it.
    EXECUTE format('GRANT CREATE ON DATABASE %I TO {OWNER}', current_database());
    GRANT CREATE, USAGE ON SCHEMA public TO {OWNER};
    GRANT USAGE ON SCHEMA public TO {RW}, {RO}, {PIPE}, {INGEST};
    -- A login of another installation on this server is a stranger here.
    EXECUTE format('REVOKE ALL ON DATABASE %I FROM PUBLIC', current_database());
END
$$
"""  # noqa: S608 - the names are ours


def ensure_roles(connection: Connection) -> None:
    """Create the group roles where they are missing, and let this database's set-up role act as the owner."""
    try:
        run_script(connection, _CREATE_GROUPS)
        connection.commit()
    except psycopg.Error as error:
        connection.rollback()
        raise SightlineError(
            "The database roles could not be created.",
            why=f"{str(error).splitlines()[0]}.",
            fix="Give DATABASE_URL a role that may create roles and owns the database.",
        ) from error


def ensure_login(connection: Connection, login: str, group: str, password: str) -> None:
    """Create or renew one login: in exactly one group, with a time limit on idle transactions."""
    name = sql.Identifier(login)
    # Only what the server would keep of it travels: statements like this may be written to the server's log.
    verifier = driver(connection).pgconn.encrypt_password(password.encode(), login.encode(), b"scram-sha-256").decode()
    database = sql.Identifier(str(connection.scalar(text("SELECT current_database()"))))
    exists = connection.scalar(text("SELECT 1 FROM pg_roles WHERE rolname = :login"), {"login": login})
    statements = [
        sql.SQL("{} ROLE {} LOGIN PASSWORD {}").format(
            sql.SQL("ALTER" if exists else "CREATE"), name, sql.Literal(verifier)
        ),
        sql.SQL("GRANT {} TO {}").format(sql.Identifier(group), name),
        sql.SQL("GRANT CONNECT ON DATABASE {} TO {}").format(database, name),
        # An open transaction holds back the horizon below which the lake may read.
        sql.SQL("ALTER ROLE {} SET idle_in_transaction_session_timeout = '60s'").format(name),
        sql.SQL("ALTER ROLE {} SET timezone = 'UTC'").format(name),
        sql.SQL("ALTER ROLE {} SET default_transaction_read_only = {}").format(
            name, sql.SQL("on" if group in {RO, PIPE} else "off")
        ),
    ]
    for statement in statements:
        driver(connection).execute(statement)


def ensure_logins(connection: Connection, logins: Mapping[str, tuple[str, str]]) -> None:
    """Create or renew the logins of this installation, given as group: (login, password)."""
    # Two starts at once would alter the same role at once, which Postgres answers with an error.
    connection.execute(text("SELECT pg_advisory_xact_lock(:key)"), {"key": _ROLES_LOCK})
    for group, (login, password) in logins.items():
        ensure_login(connection, login, group, password)
