"""A session is a random token: kept as a digest, ended from anywhere, and asked of the database each time."""

import pytest
from sqlalchemy import text

from app.access import Role
from app.identity.accounts import sign_in
from app.identity.devices import device_name
from app.identity.sessions import Device, end_by_token, end_other_sessions, end_session, person_of, sessions_of
from tests.db.rows import workspace
from tests.identity.conftest import FIREFOX, PASSWORD


@pytest.fixture
def token(team, person):
    return sign_in(team.rw, person(), PASSWORD, FIREFOX)


def stored(team, question):
    with team.setup.connect() as connection:
        return connection.execute(text(question)).all()


def test_the_token_itself_is_nowhere_in_the_database(team, token):
    rows = stored(team, "SELECT CAST(s AS text), length(token_hash) FROM team_sessions AS s")
    assert {length for _, length in rows} == {32}
    assert not [row for row, _ in rows if token in row]


@pytest.mark.parametrize("shown", [None, "", "x", "\x00", "ünïcode", "x" * 100_000, "' OR true --"])
def test_what_is_no_token_is_nobody(team, token, shown):
    assert person_of(team.rw, shown) is None


def test_a_session_ends_after_twelve_hours(team, token):
    [(lasts,)] = stored(team, "SELECT DISTINCT expires_at - created_at FROM team_sessions")
    assert lasts.total_seconds() == 12 * 3600
    me = person_of(team.rw, token)
    with team.setup.begin() as connection:
        connection.execute(text("UPDATE team_sessions SET expires_at = now() WHERE id = :id"), {"id": me.session_id})
    assert person_of(team.rw, token) is None
    assert me.session_id not in {session.id for session in sessions_of(team.rw, me)}


@pytest.mark.parametrize("blow", ["is_active = false", "deleted_at = now()", "session_version = session_version + 1"])
def test_a_person_who_is_shut_out_is_so_at_the_next_click(team, token, change, blow):
    me = person_of(team.rw, token)
    change(me.email, blow)
    assert person_of(team.rw, token) is None


def test_a_role_that_is_given_or_taken_counts_at_the_next_click(team, token, change):
    me = person_of(team.rw, token)
    change(me.email, "roles = '{finance,admin}'")
    assert person_of(team.rw, token).roles == {Role.FINANCE, Role.ADMIN}
    change(me.email, "roles = '{viewer}'")
    assert person_of(team.rw, token).roles == {Role.VIEWER}


def test_the_workspaces_are_those_of_this_moment(team, token, change):
    with team.setup.begin() as connection:
        first, second = workspace(connection).id, workspace(connection).id
    me = person_of(team.rw, token)
    assert me.viewer(team.pipe).workspaces >= {first, second}
    change(me.email, f"workspace_ids = '{{{first}}}'")
    assert person_of(team.rw, token).viewer(team.pipe).workspaces == {first}
    with team.setup.begin() as connection:
        connection.execute(text("UPDATE workspaces SET deleted_at = now() WHERE id = :id"), {"id": first})
    assert person_of(team.rw, token).viewer(team.pipe).workspaces == set()
    change(me.email, "workspace_ids = '{}'")
    assert person_of(team.rw, token).viewer(team.pipe).workspaces == set()


def test_the_viewer_is_known_by_address_and_key(team, token):
    me = person_of(team.rw, token)
    viewer = me.viewer(team.pipe)
    assert (viewer.name, viewer.member_id) == (me.email, me.member_id)


def test_signing_in_again_gives_another_token_and_ends_the_one_before(team, person):
    """Session fixation: whoever planted a token in the browser before has nothing after the sign-in."""
    email = person()
    planted = sign_in(team.rw, person(), PASSWORD, FIREFOX)
    mine = sign_in(team.rw, email, PASSWORD, FIREFOX, replaces=planted)
    assert mine != planted
    assert person_of(team.rw, planted) is None
    assert person_of(team.rw, mine).email == email
    invented = "a-token-that-the-attacker-made-up"
    assert sign_in(team.rw, email, PASSWORD, FIREFOX, replaces=invented) != invented
    assert person_of(team.rw, invented) is None


def test_being_seen_is_written_once_a_minute_and_not_with_every_click(team, token):
    me = person_of(team.rw, token)
    before = stored(team, f"SELECT xmin, last_seen_at FROM team_sessions WHERE id = '{me.session_id}'")
    person_of(team.rw, token)
    assert stored(team, f"SELECT xmin, last_seen_at FROM team_sessions WHERE id = '{me.session_id}'") == before
    with team.setup.begin() as connection:
        connection.execute(text("UPDATE team_sessions SET last_seen_at = now() - interval '2 minutes'"))
    person_of(team.rw, token)
    [session] = sessions_of(team.rw, me)
    assert (session.last_seen_at - session.created_at).total_seconds() > -1


def test_a_person_sees_and_ends_own_sessions_alone(team, person):
    mine, stranger = person(), person()
    phone, desk = (sign_in(team.rw, mine, PASSWORD, FIREFOX) for _ in range(2))
    other = sign_in(team.rw, stranger, PASSWORD, FIREFOX)
    me, they = person_of(team.rw, desk), person_of(team.rw, other)
    assert {one.id for one in sessions_of(team.rw, me)} == {me.session_id, person_of(team.rw, phone).session_id}
    end_session(team.rw, me, they.session_id)
    assert person_of(team.rw, other)
    end_session(team.rw, me, person_of(team.rw, phone).session_id)
    assert person_of(team.rw, phone) is None
    assert person_of(team.rw, desk)


def test_all_others_end_at_once(team, person):
    email = person()
    tokens = [sign_in(team.rw, email, PASSWORD, FIREFOX) for _ in range(3)]
    end_other_sessions(team.rw, person_of(team.rw, tokens[1]))
    assert [person_of(team.rw, token) is not None for token in tokens] == [False, True, False]


def test_signing_out_ends_the_session_for_good(team, token):
    end_by_token(team.rw, token)
    assert person_of(team.rw, token) is None


def test_a_list_of_sessions_says_from_where(team, token):
    [session] = sessions_of(team.rw, person_of(team.rw, token))
    assert (device_name(session.user_agent), session.ip_address) == ("Firefox on Linux", "192.0.2.7")
    assert session.signed_in_with == "password"


def test_sessions_that_are_long_over_are_forgotten(team, person, token):
    with team.setup.begin() as connection:
        connection.execute(text("UPDATE team_sessions SET expires_at = now() - interval '31 days'"))
    sign_in(team.rw, person(), PASSWORD, FIREFOX)
    assert stored(team, "SELECT count(*) FROM team_sessions") == [(1,)]


def test_pages_and_the_pull_can_read_nothing_of_sessions(team, token):
    for engine in (team.ro, team.pipe, team.ingest):
        for table in ("team_sessions", "sign_in_limits"):
            with engine.connect() as connection, pytest.raises(Exception, match="permission denied"):
                connection.execute(text(f"SELECT count(*) FROM {table}"))


@pytest.mark.parametrize(
    ("said", "address", "kept"),
    [
        ("x" * 5000, "192.0.2.1", ("x" * 400, "192.0.2.1")),
        ("with\x00nul", "testclient", ("withnul", None)),
        (None, None, (None, None)),
        ("", "::1", (None, "::1")),
    ],
)
def test_what_a_browser_says_of_itself_is_cut_to_what_fits(said, address, kept):
    device = Device.of(said, address)
    assert (device.user_agent, device.ip_address) == kept


@pytest.mark.parametrize(
    ("said", "name"),
    [
        (
            "Mozilla/5.0 (iPhone; CPU iPhone OS 19_0 like Mac OS X) AppleWebKit Version/19 Safari/605",
            "Safari on iPhone",
        ),
        ("Mozilla/5.0 (Windows NT 10.0) AppleWebKit/537.36 Chrome/150 Safari/537.36 Edg/150", "Edge on Windows"),
        ("curl/8.5", "curl"),
        (None, "An unknown program"),
    ],
)
def test_a_device_is_named_as_its_owner_would(said, name):
    assert device_name(said) == name
