"""Own accounts: who knows the password gets in, nobody learns who has an account, and guessing is limited."""

import statistics
import threading
import time
from concurrent.futures import ThreadPoolExecutor, wait
from contextlib import suppress
from datetime import UTC, datetime, timedelta

import pytest
from sqlalchemy import text

from app.access import Role
from app.identity import attempts, passwords
from app.identity.accounts import SignInRefusedError, admins, change_password, has_password, sign_in
from app.identity.attempts import PER_ACCOUNT, PER_ADDRESS, PER_ADDRESS_AT_PROVIDER, TooManyAttemptsError
from app.identity.passwords import LONGEST_PASSWORD, hashed, matches
from app.identity.sessions import Device, person_of, sessions_of
from db.errors import SightlineError
from tests.identity.conftest import FIREFOX, PASSWORD

WEAK = "$argon2id$v=19$m=1024,t=1,p=1$"


def hash_of(team, email):
    with team.setup.connect() as connection:
        return connection.scalar(text("SELECT password_hash FROM team_members WHERE email = :e"), {"e": email})


def test_who_knows_the_password_is_signed_in_however_the_address_is_written(team, person):
    email = person(Role.FINANCE, name="Fay")
    token = sign_in(team.rw, f"  {email.upper()} ", PASSWORD, FIREFOX)
    found = person_of(team.rw, token)
    assert (found.email, found.name, found.roles, found.workspace_ids) == (email, "Fay", {Role.FINANCE}, None)


@pytest.mark.parametrize(
    "password", ["", "wrong", PASSWORD + " ", PASSWORD.upper(), "x" * (LONGEST_PASSWORD + 1), "\x00"]
)
def test_a_wrong_password_is_refused(team, person, password):
    with pytest.raises(SignInRefusedError):
        sign_in(team.rw, person(), password, FIREFOX)


def test_every_refusal_says_the_same(team, person, change):
    """A stranger can't learn who has an account, who left, and who signs in elsewhere."""
    gone, elsewhere, deleted = person(), person(password=None), person()
    change(gone, "is_active = false")
    change(deleted, "deleted_at = now()")
    told = set()
    for email in (person(), gone, elsewhere, deleted, "nobody@team.example", "no address", "\x00", "x" * 5000):
        with pytest.raises(SignInRefusedError) as refusal:
            sign_in(team.rw, email, PASSWORD if email in {gone, deleted} else "wrong", Device())
        told.add(str(refusal.value))
    assert len(told) == 1


def test_a_stranger_waits_as_long_as_somebody_with_an_account(team, person):
    known = person()

    def seconds(email):
        began = time.perf_counter()
        with pytest.raises(SignInRefusedError):
            sign_in(team.rw, email, "wrong", Device())
        return time.perf_counter() - began

    seconds("warm-up@team.example")
    there, not_there = zip(*((seconds(known), seconds("not-there@team.example")) for _ in range(5)), strict=True)
    assert 0.5 < statistics.median(there) / statistics.median(not_there) < 2


def test_an_account_is_closed_for_a_while_after_ten_attempts_and_says_until_when(team, person):
    email = person()
    for _ in range(PER_ACCOUNT):
        with pytest.raises(SignInRefusedError):
            sign_in(team.rw, email, "wrong", Device())
    with pytest.raises(TooManyAttemptsError) as refusal:
        sign_in(team.rw, email, PASSWORD, Device())
    assert refusal.value.fix.startswith("Try again at ")
    assert "in about 15 minutes" in refusal.value.fix
    with team.setup.begin() as connection:
        connection.execute(text("UPDATE sign_in_limits SET began_at = began_at - interval '15 minutes'"))
    assert sign_in(team.rw, email, PASSWORD, Device())


def guess(team, email, addresses, times):
    for number in range(addresses):
        for _ in range(times):
            with suppress(TooManyAttemptsError):
                attempts.count(team.rw, account=email, address=f"198.51.100.{number}")


def test_nobody_locks_somebody_else_out(team, person):
    """Who guesses from one address closes the account to that address; from many, to all but the owner's own."""
    email, stranger = person(), Device(None, "203.0.113.1")
    assert sign_in(team.rw, email, PASSWORD, FIREFOX)
    guess(team, email, addresses=1, times=PER_ACCOUNT + 5)
    with pytest.raises(TooManyAttemptsError):
        sign_in(team.rw, email, PASSWORD, Device(None, "198.51.100.0"))
    assert sign_in(team.rw, email, PASSWORD, stranger)

    guess(team, email, addresses=25, times=6)
    with pytest.raises(TooManyAttemptsError):
        sign_in(team.rw, email, PASSWORD, Device(None, "203.0.113.2"))
    assert sign_in(team.rw, email, PASSWORD, FIREFOX)


def test_ways_to_the_provider_are_counted_by_address(team):
    for _ in range(PER_ADDRESS_AT_PROVIDER):
        attempts.count_at_provider(team.rw, "192.0.2.123")
    with pytest.raises(TooManyAttemptsError):
        attempts.count_at_provider(team.rw, "192.0.2.123")
    attempts.count_at_provider(team.rw, "192.0.2.124")


def test_signing_in_forgives_the_attempts_before(team, person):
    email = person()
    for _ in range(3):
        for _ in range(PER_ACCOUNT - 1):
            with pytest.raises(SignInRefusedError):
                sign_in(team.rw, email, "wrong", Device())
        assert sign_in(team.rw, email, PASSWORD, Device())


def test_an_address_that_guesses_many_accounts_is_closed_for_all_of_them(team, person):
    email, guesser = person(), "192.0.2.99"
    for number in range(PER_ADDRESS):
        attempts.count(team.rw, account=f"guess-{number}@team.example", address=guesser)
    with pytest.raises(TooManyAttemptsError):
        sign_in(team.rw, email, PASSWORD, Device(None, guesser))
    assert sign_in(team.rw, email, PASSWORD, FIREFOX)


def test_an_office_behind_one_address_can_sign_in_at_nine(team, person):
    """A hundred attempts are for those who fail: who gets in is not counted."""
    office = Device(None, "192.0.2.50")
    email = person()
    for number in range(PER_ADDRESS - 1):
        attempts.count(team.rw, account=f"colleague-{number}@team.example", address=office.ip_address)
    for _ in range(3):
        assert sign_in(team.rw, email, PASSWORD, office)


def test_attempts_at_once_are_all_counted(team):
    """Sixty from six sides: ten pass, however they overlap."""
    passed = []

    def guess():
        for _ in range(10):
            try:
                attempts.count(team.rw, account="crowd@team.example", address=None)
            except TooManyAttemptsError:
                continue
            passed.append(1)

    crowd = [threading.Thread(target=guess) for _ in range(6)]
    for one in crowd:
        one.start()
    for one in crowd:
        one.join()
    assert len(passed) == PER_ACCOUNT


def test_what_was_typed_as_a_name_is_not_kept(team):
    """People type their password into the wrong field."""
    with pytest.raises(SignInRefusedError):
        sign_in(team.rw, "canary-password-as-name", "wrong", Device())
    with team.setup.connect() as connection:
        kept = connection.execute(text("SELECT CAST(l AS text) FROM sign_in_limits AS l")).scalars().all()
    assert kept
    assert not [row for row in kept if "canary" in row]


def test_old_counts_are_forgotten(team):
    with team.setup.begin() as connection:
        connection.execute(text("TRUNCATE sign_in_limits"))
    attempts.count(team.rw, account="old@team.example", address=None)
    with team.setup.begin() as connection:
        connection.execute(text("UPDATE sign_in_limits SET began_at = now() - interval '2 days'"))
    attempts.count(team.rw, account="new@team.example", address=None)
    with team.setup.connect() as connection:
        # Of one attempt: that of its address on the account, and that of all addresses on it.
        assert connection.scalar(text("SELECT count(*) FROM sign_in_limits")) == 2


def test_old_counts_that_somebody_holds_are_not_waited_for(team):
    attempts.count(team.rw, account="held@team.example", address=None)
    with team.setup.begin() as connection:
        connection.execute(text("UPDATE sign_in_limits SET began_at = now() - interval '2 days'"))
    with team.setup.begin() as holder, ThreadPoolExecutor() as pool:
        holder.execute(text("SELECT 1 FROM sign_in_limits FOR UPDATE"))
        counted = pool.submit(attempts.count, team.rw, account="next@team.example", address=None)
        done, _ = wait([counted], timeout=10)
        holder.rollback()
        assert done == {counted}


def test_a_hash_of_weaker_figures_is_made_anew_at_the_next_sign_in(team, person, change):
    from pwdlib.hashers.argon2 import Argon2Hasher  # noqa: PLC0415

    email = person()
    weak = Argon2Hasher(time_cost=1, memory_cost=1024, parallelism=1).hash(PASSWORD)
    change(email, f"password_hash = '{weak}'")
    assert hash_of(team, email).startswith(WEAK)
    assert sign_in(team.rw, email, PASSWORD, FIREFOX)
    assert hash_of(team, email).startswith("$argon2id$v=19$m=19456,t=2,p=1$")
    assert sign_in(team.rw, email, PASSWORD, FIREFOX)


@pytest.mark.parametrize(
    "kept", [None, "", "plain text", "$2b$12$" + "x" * 53, "$argon2id$v=19$m=19456,t=2,p=1$broken"]
)
def test_what_is_no_hash_that_is_known_here_lets_nobody_in(kept):
    assert matches("plain text", kept) == (False, None)


def test_few_passwords_are_hashed_at_once_and_the_rest_are_asked_to_wait(monkeypatch):
    """Each takes 19 MB and a core: forty at once would stop the pages."""
    monkeypatch.setattr(passwords, "_PATIENCE_SECONDS", 0.05)
    with passwords._Turn(), passwords._Turn():
        with pytest.raises(SightlineError, match="Too many people are signing in"):
            hashed(PASSWORD)
        with pytest.raises(SightlineError, match="Too many people are signing in"):
            matches(PASSWORD, None)
    assert matches(PASSWORD, hashed(PASSWORD)) == (True, None)


def test_a_new_password_needs_the_old_one_and_ends_every_other_session(team, person):
    email = person()
    here, there = (sign_in(team.rw, email, PASSWORD, FIREFOX) for _ in range(2))
    me = person_of(team.rw, here)
    with pytest.raises(SightlineError, match="The current password is not right"):
        change_password(team.rw, me, current="wrong", new="another four random words")
    with pytest.raises(SightlineError, match="too short"):
        change_password(team.rw, me, current=PASSWORD, new="short")
    assert person_of(team.rw, there)
    change_password(team.rw, me, current=PASSWORD, new="another four random words")
    assert person_of(team.rw, here) == me
    assert person_of(team.rw, there) is None
    assert [session.id for session in sessions_of(team.rw, me)] == [me.session_id]
    assert sign_in(team.rw, email, "another four random words", FIREFOX)
    with pytest.raises(SignInRefusedError):
        sign_in(team.rw, email, PASSWORD, FIREFOX)


def test_guessing_the_current_password_from_inside_is_limited_too(team, person):
    email = person()
    me = person_of(team.rw, sign_in(team.rw, email, PASSWORD, FIREFOX))
    for _ in range(PER_ACCOUNT):
        with pytest.raises(SightlineError, match="not right"):
            change_password(team.rw, me, current="wrong", new="another four random words")
    with pytest.raises(TooManyAttemptsError):
        change_password(team.rw, me, current=PASSWORD, new="another four random words")


def test_a_change_of_password_is_audited_without_it(team, person):
    email = person()
    me = person_of(team.rw, sign_in(team.rw, email, PASSWORD, FIREFOX))
    change_password(team.rw, me, current=PASSWORD, new="another four random words")
    with team.setup.connect() as connection:
        lines = (
            connection.execute(text("SELECT CAST(l AS text) FROM audit_log AS l WHERE actor = :e"), {"e": email})
            .scalars()
            .all()
        )
    assert len(lines) == 1
    assert "hidden" in lines[0]
    assert "argon2" not in lines[0]


def test_whom_to_ask_are_the_admins_who_are_still_there(team, person, change):
    there, gone = person(Role.ADMIN, email="a-admin@team.example"), person(Role.ADMIN, email="b-admin@team.example")
    change(gone, "is_active = false")
    assert there in admins(team.rw)
    assert gone not in admins(team.rw)


def test_whether_somebody_has_a_password_is_known(team, person):
    with_one = person_of(team.rw, sign_in(team.rw, person(), PASSWORD, FIREFOX))
    assert has_password(team.rw, with_one)


def test_the_wait_is_told_in_whole_minutes():
    assert attempts._when(datetime.now(UTC) + timedelta(seconds=30)).endswith("in about 1 minute.")
