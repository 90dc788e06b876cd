"""A sealed secret opens in its own place and nowhere else, and a rotation loses none."""

import hashlib
import os
import string
import threading
import time
import traceback
from uuid import UUID

import pytest
import sqlalchemy as sa

from app.redaction import without_secrets
from db.errors import SightlineError
from db.rotation import SecretColumn, keys_in_use, rotate, secret_columns
from db.vault import CannotOpenError, Place, UnknownKeyError, Vault

CANARY = "canary-7f3a-yellow"
OLD, NEW = os.urandom(32), os.urandom(32)
ROW, OTHER_ROW = UUID(int=1), UUID(int=2)
HERE = Place("meta_accounts", "access_token", ROW)
TOKENS = SecretColumn("meta_accounts", "access_token")
LOGINS = SecretColumn("platform_integrations", "credentials")

metadata = sa.MetaData()
accounts = sa.Table(
    "meta_accounts",
    metadata,
    sa.Column("id", sa.Uuid(), primary_key=True),
    sa.Column("name", sa.Text()),
    sa.Column("access_token", sa.Text(), info={"secret": True}),
)
integrations = sa.Table(
    "platform_integrations",
    metadata,
    sa.Column("id", sa.Uuid(), primary_key=True),
    sa.Column("credentials", sa.Text(), info={"secret": True}),
)


@pytest.fixture
def vault():
    return Vault({"old": OLD}, "old")


@pytest.fixture
def rotated():
    return Vault({"old": OLD, "new": NEW}, "new")


@pytest.fixture
def tables(empty_database, vault):
    """Seven accounts and one integration, sealed with the old key; one account has no token."""
    with empty_database.begin() as connection:
        metadata.create_all(connection)
        connection.execute(sa.insert(accounts), [account(vault, number) for number in range(1, 8)])
        connection.execute(sa.insert(accounts).values(id=UUID(int=8), name="no token"))
        place = LOGINS.place(ROW)
        connection.execute(sa.insert(integrations).values(id=ROW, credentials=vault.seal("login", place)))
    yield empty_database
    with empty_database.begin() as connection:
        metadata.drop_all(connection)


def account(vault, number):
    row_id = UUID(int=number)
    return {
        "id": row_id,
        "name": f"account {number}",
        "access_token": vault.seal(f"token {number}", TOKENS.place(row_id)),
    }


def opened_tokens(engine, vault):
    with engine.connect() as connection:
        rows = connection.execute(sa.select(accounts.c.id, accounts.c.access_token).order_by(accounts.c.id)).all()
    return [vault.open(sealed, TOKENS.place(row_id)) for row_id, sealed in rows if sealed is not None]


ALL_TOKENS = [f"token {number}" for number in range(1, 8)]


@pytest.mark.parametrize("secret", ["", "a", "पासवर्ड 🔑", "line\nline", "x" * 100_000])
def test_a_sealed_secret_opens_in_its_place(vault, secret):
    assert vault.open(vault.seal(secret, HERE), HERE) == secret


def test_the_same_secret_is_never_sealed_twice_alike(vault):
    sealed = {vault.seal("same", HERE) for _ in range(100)}
    assert len(sealed) == 100
    assert all(text.startswith("v1.old.") and vault.key_of(text) == "old" for text in sealed)


@pytest.mark.parametrize(
    "elsewhere",
    [
        Place("meta_accounts", "access_token", OTHER_ROW),
        Place("meta_accounts", "refresh_token", ROW),
        Place("platform_integrations", "access_token", ROW),
    ],
)
def test_a_secret_moved_to_another_row_column_or_table_does_not_open(vault, elsewhere):
    with pytest.raises(CannotOpenError, match="moved here"):
        vault.open(vault.seal(CANARY, HERE), elsewhere)


def test_every_altered_character_is_noticed(vault):
    """The last one too, of which base64 takes four spellings for the same bytes."""
    sealed = vault.seal("a", HERE)
    letters = string.ascii_letters + string.digits + "-_"
    for at in range(len("v1.old."), len(sealed)):
        for letter in letters.replace(sealed[at], ""):
            with pytest.raises(CannotOpenError):
                vault.open(sealed[:at] + letter + sealed[at + 1 :], HERE)


@pytest.mark.parametrize(
    "stored", ["", CANARY, "v1.old", "v1.old.", "v1.old.AAAA", f"v2.old.{'A' * 60}", f"v1.OLD.{CANARY}"]
)
def test_what_was_never_sealed_is_refused_and_not_repeated(vault, stored):
    with pytest.raises(CannotOpenError, match="not a sealed secret") as refusal:
        vault.open(stored, HERE)
    assert CANARY not in str(refusal.value)
    with pytest.raises(CannotOpenError):
        vault.key_of(stored)


def test_an_unknown_key_is_named_with_what_to_do(vault):
    sealed = Vault({"elsewhere": NEW}, "elsewhere").seal(CANARY, HERE)
    with pytest.raises(UnknownKeyError, match=r"elsewhere.*Restore the keys file"):
        vault.open(sealed, HERE)


def test_no_error_of_the_vault_shows_the_secret_the_sealed_text_or_a_key(vault, rotated):
    sealed = rotated.seal(CANARY, HERE)
    shown = [repr(vault), repr(rotated), str(vars(vault))]
    for text, place, chosen in [
        (sealed, HERE, vault),
        (sealed, Place("x", "y", ROW), rotated),
        (sealed[:-2] + "AA", HERE, rotated),
        (CANARY, HERE, vault),
    ]:
        try:
            chosen.open(text, place)
        except SightlineError:
            shown.append(traceback.format_exc())
    assert len(shown) == 7
    for forbidden in (CANARY, sealed.split(".")[2][:20], OLD.hex(), repr(OLD), repr(NEW)):
        assert forbidden not in "".join(shown)


@pytest.mark.parametrize(
    ("key", "reason"),
    [
        (hashlib.sha256(b"a key").digest()[:16], "16 bytes in place of 32"),
        (b"", "0 bytes"),
        (bytes(32), "anybody can guess"),
        (b"ab" * 16, "anybody can guess"),
        (bytes(range(32)), "anybody can guess"),
        (b"0123456789abcdef0123456789abcdef", "anybody can guess"),
    ],
)
def test_a_short_or_guessable_key_is_refused(key, reason):
    with pytest.raises(SightlineError, match=reason):
        Vault({"k": key}, "k")


def test_a_vault_without_its_current_key_is_refused():
    with pytest.raises(UnknownKeyError, match="'new' is named as current"):
        Vault({"old": OLD}, "new")


def test_secret_columns_are_found_by_their_mark():
    assert set(secret_columns(metadata)) == {TOKENS, LOGINS}


def test_a_secret_column_needs_a_table_with_an_id():
    odd = sa.MetaData()
    sa.Table("odd", odd, sa.Column("token", sa.Text(), info={"secret": True}))
    with pytest.raises(SightlineError, match="no column `id`"):
        secret_columns(odd)


def test_a_rotation_moves_every_secret_and_frees_the_old_key(tables, rotated):
    said = []
    with tables.connect() as connection:
        assert keys_in_use(connection, secret_columns(metadata)) == {"old"}
        assert rotate(connection, rotated, secret_columns(metadata), batch=3, say=said.append) == 8
        assert keys_in_use(connection, secret_columns(metadata)) == {"new"}
        assert rotate(connection, rotated, secret_columns(metadata)) == 0
    assert opened_tokens(tables, Vault({"new": NEW}, "new")) == ALL_TOKENS
    assert len(said) == 4


def test_a_rotation_killed_after_a_batch_is_finished_by_the_next(tables, rotated):
    def killed(_):
        raise KeyboardInterrupt

    with tables.connect() as connection, pytest.raises(KeyboardInterrupt):
        rotate(connection, rotated, [TOKENS], batch=3, say=killed)
    assert opened_tokens(tables, rotated) == ALL_TOKENS
    with tables.connect() as connection:
        assert keys_in_use(connection, [TOKENS]) == {"old", "new"}
        assert rotate(connection, rotated, [TOKENS], batch=3) == 4
        assert keys_in_use(connection, [TOKENS]) == {"new"}
    assert opened_tokens(tables, Vault({"new": NEW}, "new")) == ALL_TOKENS


def test_an_edit_made_during_a_rotation_is_kept(tables, vault, rotated):
    """The rotation has read the old token and waits for the row; the edit commits first and stays."""
    edited = vault.seal("edited", TOKENS.place(ROW))
    editor = tables.connect()
    editor.execute(sa.update(accounts).where(accounts.c.id == ROW).values(access_token=edited))
    moved = []
    rotation = threading.Thread(target=lambda: moved.append(rotate_all(tables, rotated)))
    rotation.start()
    wait_until_something_waits_for_a_lock(tables)
    editor.commit()
    editor.close()
    rotation.join(timeout=10)
    assert moved == [6]
    assert opened_tokens(tables, rotated) == ["edited", *ALL_TOKENS[1:]]


def rotate_all(engine, vault):
    with engine.connect() as connection:
        return rotate(connection, vault, [TOKENS])


def wait_until_something_waits_for_a_lock(engine):
    waiting = sa.text("SELECT COUNT(*) FROM pg_stat_activity WHERE wait_event_type = 'Lock'")
    deadline = time.monotonic() + 10
    while time.monotonic() < deadline:
        with engine.connect() as connection:
            if connection.scalar(waiting):
                return
        time.sleep(0.02)
    raise AssertionError("The rotation never waited for the edited row.")


def test_two_tenants_swapped_secrets_are_refused(tables, vault):
    with tables.begin() as connection:
        sealed = dict(connection.execute(sa.select(accounts.c.id, accounts.c.access_token)).all())
        for row_id, other in [(ROW, OTHER_ROW), (OTHER_ROW, ROW)]:
            connection.execute(sa.update(accounts).where(accounts.c.id == row_id).values(access_token=sealed[other]))
    with pytest.raises(CannotOpenError):
        opened_tokens(tables, vault)


def test_a_rotation_goes_past_what_it_cannot_open_and_names_it_at_the_end(tables, vault, rotated):
    stray = vault.seal("of another row", TOKENS.place(OTHER_ROW))
    with tables.begin() as connection:
        for row_id, stored in [(ROW, stray), (OTHER_ROW, CANARY)]:
            connection.execute(sa.update(accounts).where(accounts.c.id == row_id).values(access_token=stored))
    with tables.connect() as connection:
        with pytest.raises(CannotOpenError, match=r"2 secrets .*00000001, meta_accounts.*00000002") as refusal:
            rotate(connection, rotated, [TOKENS], batch=2)
        assert keys_in_use(connection, [TOKENS]) == {"old", "new"}
        kept = connection.scalar(sa.select(accounts.c.access_token).where(accounts.c.id == ROW))
    assert kept == stray
    assert CANARY not in str(refusal.value)


def test_a_refused_statement_does_not_show_the_secret_among_its_parameters(tables):
    with pytest.raises(sa.exc.IntegrityError) as refusal, tables.begin() as connection:
        connection.execute(sa.insert(accounts).values(id=ROW, access_token=CANARY))
    assert "hide_parameters" in spelled_out(refusal.value)
    assert CANARY not in spelled_out(refusal.value)


def test_what_postgres_repeats_of_a_refused_row_is_hidden_in_the_log(tables):
    """Its DETAIL shows the whole row, which hidden parameters do not prevent."""
    with pytest.raises(sa.exc.IntegrityError) as refusal, tables.begin() as connection:
        connection.execute(sa.insert(accounts).values(id=sa.null(), access_token=CANARY))
    assert CANARY in spelled_out(refusal.value)
    assert CANARY not in without_secrets(spelled_out(refusal.value))


def spelled_out(error):
    return "".join(traceback.format_exception(error))
