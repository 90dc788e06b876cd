"""What admins do with connections: who may, what is refused in which words, what the log keeps, and no secret."""

import io
import json
import logging
import sys
import threading
from datetime import UTC, datetime, timedelta

import psycopg.errors
import pytest
import structlog
import typer
from sqlalchemy import text
from sqlalchemy.exc import DBAPIError
from typer.testing import CliRunner

from app.access import NotPermittedError, Role, Viewer
from app.cli.integrations import integrations_app
from app.commands.integrations import (
    ask_reauthorization,
    disable_integration,
    disconnect_integration,
    enable_integration,
    withdraw_reauthorization,
)
from app.commands.stale import EditedMeanwhileError
from app.exports.given import given
from app.exports.live import Whole
from app.records.integrations import Expiry, analyses, integration, integrations
from app.settings import settings
from db.engine import seeing
from db.errors import SightlineError
from tests.db.rows import add, user, workspace

WHY = "A test."
CANARY = "v1.0a1b2c3d.canary4711canary4711canary4711canary4711"
DEEDS = (
    disable_integration,
    enable_integration,
    ask_reauthorization,
    withdraw_reauthorization,
    disconnect_integration,
)


class Shop:
    """A workspace with a connection to WordPress and one to Meta, both with a secret that must be seen nowhere."""

    def __init__(self, database):
        self.database = database
        with database.setup.begin() as connection:
            owner = user(connection, name="Olga").id
            self.workspace = workspace(connection, owner_id=owner, name="Shop").id
            self.blog = add(connection, "platform_integrations", workspace_id=self.workspace, user_id=owner,
                platform_type="wordpress", connection_status="connected", encrypted_credentials=CANARY,
                account_name="Blog").id  # fmt: skip
            self.meta = add(connection, "meta_accounts", workspace_id=self.workspace, user_id=owner,
                meta_user_id="1", access_token=CANARY, refresh_token=CANARY,
                token_expires_at=datetime.now(UTC) + timedelta(days=60)).id  # fmt: skip
        self.ada = self.person(Role.ADMIN)

    def person(self, role, workspaces=None):
        return Viewer("Ada", frozenset({role}), frozenset(workspaces or {self.workspace}))

    def ask(self, question, **values):
        with self.database.setup.connect() as connection:
            return connection.execute(text(question), values).all()

    def change(self, statement, **values):
        with self.database.setup.begin() as connection:
            connection.execute(text(statement), values)

    def now(self, key):
        return integration(self.database.ro, self.ada, key)

    def audit(self, key):
        return self.ask(
            "SELECT actor, action, before, after, reason FROM audit_log"
            " WHERE row_key = CAST(:key AS TEXT) AND action = 'update' ORDER BY position",
            key=key,
        )


@pytest.fixture
def shop(database):
    return Shop(database)


@pytest.mark.parametrize("of", ["blog", "meta"])
def test_a_connection_is_disabled_enabled_marked_and_unmarked_with_an_audit_row_each(shop, of):
    rw, key = shop.database.rw, getattr(shop, of)
    assert disable_integration(rw, shop.ada, key, revision=1, reason="It floods.") == 2
    assert shop.now(key).disabled_at is not None
    assert enable_integration(rw, shop.ada, key, revision=2, reason="Mended.") == 3
    assert ask_reauthorization(rw, shop.ada, key, revision=3, reason="A scope is missing.") == 4
    assert shop.now(key).reauthorization_asked_at is not None
    assert withdraw_reauthorization(rw, shop.ada, key, revision=4, reason="Found it.") == 5
    assert (shop.now(key).disabled_at, shop.now(key).reauthorization_asked_at) == (None, None)
    rows = shop.audit(key)
    assert [(row.actor, row.reason) for row in rows] == [
        ("Ada", "It floods."), ("Ada", "Mended."), ("Ada", "A scope is missing."), ("Ada", "Found it."),
    ]  # fmt: skip
    assert [list(row.after) for row in rows] == [["disabled_at"]] * 2 + [["reauthorization_asked_at"]] * 2


@pytest.mark.parametrize(("of", "state"), [("blog", "disconnected"), ("meta", "revoked")])
def test_disconnecting_destroys_the_secret_and_keeps_the_row_and_what_hangs_on_it(shop, of, state):
    key = getattr(shop, of)
    with shop.database.setup.begin() as connection:
        add(connection, "platform_analyses", workspace_id=shop.workspace, integration_id=shop.blog,
            analysis_type="full_audit")  # fmt: skip
    disconnect_integration(shop.database.rw, shop.ada, key, revision=1, reason="The customer asked.")
    one = shop.now(key)
    assert (one.state, one.is_disconnected, one.expiry) == (state, True, Expiry.NONE)
    secrets = shop.ask(
        "SELECT encrypted_credentials FROM platform_integrations WHERE id = :key"
        " UNION ALL SELECT COALESCE(access_token, refresh_token) FROM meta_accounts WHERE id = :key",
        key=key,
    )
    assert secrets == [(None,)]
    assert len(analyses(shop.database.ro, shop.ada).rows) == 1
    [row] = shop.audit(key)
    assert (row.reason, row.after["connection_status"]) == ("The customer asked.", state)
    with pytest.raises(SightlineError, match="is disconnected already"):
        disconnect_integration(shop.database.rw, shop.ada, key, revision=2, reason=WHY)


def test_a_token_that_meta_revoked_is_destroyed_all_the_same(shop):
    shop.change("UPDATE meta_accounts SET connection_status = 'revoked'")
    disconnect_integration(shop.database.rw, shop.ada, shop.meta, revision=2, reason=WHY)
    assert shop.ask("SELECT access_token FROM meta_accounts") == [(None,)]


def test_only_admins_who_see_the_workspace_may_and_the_others_are_told(shop):
    for deed in DEEDS:
        for role in (Role.VIEWER, Role.FINANCE):
            with pytest.raises(NotPermittedError, match=r"integrations\.manage"):
                deed(shop.database.rw, shop.person(role), shop.blog, revision=1, reason=WHY)
        with shop.database.setup.begin() as connection:
            elsewhere = workspace(connection).id
        with pytest.raises(SightlineError, match="This connection is not there"):
            deed(shop.database.rw, shop.person(Role.ADMIN, {elsewhere}), shop.blog, revision=1, reason=WHY)
    for read in (integrations, analyses):
        with pytest.raises(NotPermittedError, match=r"integrations\.read"):
            read(shop.database.ro, shop.person(Role.FINANCE))


def test_a_reason_is_asked_for_and_what_is_so_already_is_refused(shop):
    rw = shop.database.rw
    for deed in DEEDS:
        with pytest.raises(SightlineError, match="for a reason"):
            deed(rw, shop.ada, shop.blog, revision=1, reason="\t")
        with pytest.raises(SightlineError, match="The reason has 301 characters"):
            deed(rw, shop.ada, shop.blog, revision=1, reason="x" * 301)
    with pytest.raises(SightlineError, match="is enabled already"):
        enable_integration(rw, shop.ada, shop.blog, revision=1, reason=WHY)
    with pytest.raises(SightlineError, match="is unmarked already"):
        withdraw_reauthorization(rw, shop.ada, shop.blog, revision=1, reason=WHY)
    assert shop.now(shop.blog).revision == 1


def test_whoever_decided_on_an_older_state_is_told_what_it_is_now(shop):
    disable_integration(shop.database.rw, shop.ada, shop.blog, revision=1, reason=WHY)
    with pytest.raises(EditedMeanwhileError, match="Somebody changed the connection") as refused:
        disconnect_integration(shop.database.rw, shop.ada, shop.blog, revision=1, reason=WHY)
    assert refused.value.now["disabled since"] is not None
    assert shop.ask("SELECT encrypted_credentials FROM platform_integrations") == [(CANARY,)]


@pytest.mark.parametrize(
    ("of", "sync"),
    [
        ("blog", "UPDATE platform_integrations SET sync_status = 'syncing'"),
        ("blog", "UPDATE platform_integrations SET last_sync_at = now()"),
        ("meta", "UPDATE meta_accounts SET last_sync_at = now()"),
    ],
)
def test_a_product_can_not_sync_what_is_disabled_and_its_syncs_are_no_changes_of_the_connection(shop, of, sync):
    def synced():
        with seeing(shop.database.rw, [shop.workspace]) as connection:
            connection.execute(text(sync))

    key = getattr(shop, of)
    synced()
    assert (shop.now(key).revision, shop.audit(key)) == (1, [])
    disable_integration(shop.database.rw, shop.ada, key, revision=1, reason=WHY)
    with pytest.raises(DBAPIError, match="The connection is disabled") as refused:
        synced()
    assert isinstance(refused.value.orig, psycopg.errors.ObjectNotInPrerequisiteState)
    enable_integration(shop.database.rw, shop.ada, key, revision=2, reason=WHY)
    synced()


@pytest.mark.parametrize(
    ("days", "expiry"), [(None, Expiry.NONE), (-1, Expiry.OVER), (3, Expiry.SOON), (8, Expiry.LONG)]
)
def test_a_token_says_how_long_it_opens_and_those_that_soon_do_not_need_care(shop, days, expiry):
    ends = None if days is None else datetime.now(UTC) + timedelta(days=days)
    shop.change("UPDATE meta_accounts SET token_expires_at = :ends", ends=ends)
    assert shop.now(shop.meta).expiry is expiry
    needing = [one.id for one in integrations(shop.database.ro, shop.ada, needing=True).rows]
    assert needing == ([shop.meta] if expiry in {Expiry.OVER, Expiry.SOON} else [])


def test_pages_turn_by_key_and_are_narrowed_by_platform_and_workspace(shop):
    ro = shop.database.ro
    [first] = (page := integrations(ro, shop.ada, limit=1)).rows
    [second] = integrations(ro, shop.ada, limit=1, after=page.next).rows
    assert {first.id, second.id} == {shop.blog, shop.meta}
    assert [one.id for one in integrations(ro, shop.ada, platform="meta").rows] == [shop.meta]
    assert integrations(ro, shop.ada, slugs=("nobody",)).rows == ()


@pytest.fixture
def command_line(shop, tmp_path, monkeypatch):
    """The commands of an installation on this database."""
    monkeypatch.setenv("SIGHTLINE_HOME", str(tmp_path))
    monkeypatch.setenv("DATABASE_URL", shop.database.server.url(shop.database.name))
    root = logging.getLogger()
    before = (list(root.handlers), root.level, logging.getLogRecordFactory(), sys.excepthook, threading.excepthook)
    settings.cache_clear()
    program = typer.Typer()
    program.add_typer(integrations_app, name="integrations")

    def run(*arguments):
        done = CliRunner().invoke(program, ["integrations", *arguments], catch_exceptions=False, env={"COLUMNS": "250"})
        assert done.exit_code == 0, done.output
        return " ".join(done.output.split())

    yield run
    root.handlers[:], level, factory, sys.excepthook, threading.excepthook = before
    root.setLevel(level)
    logging.setLogRecordFactory(factory)
    logging.captureWarnings(False)
    structlog.reset_defaults()
    settings.cache_clear()


def test_the_command_line_does_the_same(shop, command_line):
    key, why = str(shop.blog), ("--reason", WHY)
    assert "Shop wordpress connected" in command_line("list").replace("│", "").replace("  ", " ")
    assert "is disabled" in command_line("disable", key, *why)
    assert "is enabled" in command_line("enable", key, *why)
    assert "authorised anew" in command_line("reauthorize", key, *why)
    assert "taken back" in command_line("reauthorize", key, "--withdraw", *why)
    assert "its secret is gone" in command_line("disconnect", key, *why)
    assert len(shop.audit(shop.blog)) == 5
    assert "There is no such connection." in command_line("list", "--needing-care")
    with pytest.raises(SightlineError, match="No connection has the key"):
        command_line("enable", str(shop.workspace), *why)


def test_a_secret_of_a_connection_is_in_no_list_no_download_no_log_and_no_audit_row(shop, command_line):
    """Also where the platform repeats it in what it says, and where the connection is cut."""
    shop.change(
        "UPDATE platform_integrations SET sync_status = 'error', sync_error_message = :said", said=f"Refused {CANARY}."
    )
    said = io.StringIO()
    handler = logging.StreamHandler(said)
    logging.getLogger().addHandler(handler)
    told = [command_line("list")]
    for name in ("integrations", "platform_analyses"):
        whole = Whole(name, given(), shop.database.ro, lambda: shop.ada)
        told.append(json.dumps(list(whole.pages()), default=str))
        told.append(str(whole.receipt))
    told += [command_line("disconnect", str(key), "--reason", WHY) for key in (shop.blog, shop.meta)]
    told.append(str(shop.ask("SELECT * FROM audit_log")))
    told.append(said.getvalue())
    logging.getLogger().removeHandler(handler)
    assert "Refused" in told[1]
    assert [text for text in told if "canary4711" in text] == []
