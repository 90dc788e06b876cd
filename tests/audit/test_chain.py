"""The audit log is only added to, sealed without making anybody wait, and whatever is tampered with is named."""

import threading
from concurrent.futures import ThreadPoolExecutor

import pytest
from sqlalchemy import text
from sqlalchemy.exc import DBAPIError

from app.access import NotPermittedError, Role
from app.commands.audit import kept_head, seal, verify_audit
from app.commands.audit_chain import Head
from db.engine import seeing
from db.errors import SightlineError
from tests.db.rows import workspace

ROLES = ("rw", "ro", "pipe", "ingest")
FORBIDDEN = (
    "INSERT INTO audit_log (actor, action, table_name, row_key) VALUES ('Bob', 'insert', 'plans', 'x')",
    "UPDATE audit_log SET actor = 'Bob'",
    "DELETE FROM audit_log",
    "TRUNCATE audit_log",
    "INSERT INTO audit_seals VALUES (1, 1, '', '1', 1, now(), '')",
    "UPDATE audit_seals SET position = 1",
    "DELETE FROM audit_seals",
    "TRUNCATE audit_seals",
    "UPDATE audit_verifications SET found = NULL",
    "DELETE FROM audit_verifications",
    "ALTER TABLE audit_log DISABLE TRIGGER ALL",
    "DROP TRIGGER refuse_change ON audit_log",
    "SET session_replication_role = replica",
    "SELECT setval(pg_get_serial_sequence('audit_log', 'position'), 1)",
)


@pytest.mark.parametrize("role", ROLES)
def test_no_role_of_the_app_writes_changes_or_empties_the_log_and_its_seals(ledger, role):
    ledger.sealed(1)
    for statement in FORBIDDEN:
        with getattr(ledger.database, role).connect() as connection:
            connection.execute(text("SET TRANSACTION READ WRITE"))
            with pytest.raises(DBAPIError) as refused:
                connection.execute(text(statement))
        assert "permission denied" in str(refused.value) or "must be owner" in str(refused.value), statement
    assert ledger.says() == []


@pytest.mark.parametrize("table", ["audit_seals", "audit_verifications"])
def test_what_is_only_added_is_refused_every_change_even_to_the_owner(ledger, table):
    ledger.sealed(1)
    verify_audit(ledger.database, ledger.admin)
    for statement in (f"UPDATE {table} SET number = 9", f"DELETE FROM {table}", f"TRUNCATE {table}"):
        with ledger.database.setup.connect() as connection:
            connection.execute(text("SET LOCAL ROLE app_owner"))
            with pytest.raises(DBAPIError, match="only added"):
                connection.execute(text(statement))


def test_rows_from_before_and_new_ones_are_one_chain_that_proves_itself(each_ledger):
    """A new database has rows already, of its default settings."""
    before = each_ledger.ask("SELECT COUNT(*) FROM audit_log")[0][0]
    each_ledger.sealed(3)
    found = each_ledger.verify(at_once=2)
    assert before > 0
    assert (found.rows, found.findings) == (before + 3, [])
    assert seal(each_ledger.database.rw) == 0


def test_what_was_changed_is_named_with_its_position_and_the_columns(each_ledger):
    made = each_ledger.sealed()
    each_ledger.tamper("UPDATE audit_log SET actor = 'Bob', reason = NULL WHERE position = :p", p=made[2])
    assert each_ledger.says() == [f"The row at position {made[2]} was changed: its actor and reason are not as sealed."]


CHANGES = {
    "at": "at = at + interval '1 microsecond'",
    "action": "action = 'delete'",
    "table name": "table_name = 'plans'",
    "row key": "row_key = 'other'",
    "workspace id": "workspace_id = uuid_v7()",
    "database role": "database_role = 'app_rw'",
    "before": "before = '{}'",
    "after": """after = after || '{"value": 2}'""",
    "reason": "reason = ''",
}


def test_a_change_of_any_column_is_seen_and_gone_when_it_is_taken_back(ledger):
    made = ledger.sealed(2)
    keep = "CREATE TABLE kept AS SELECT * FROM audit_log WHERE position = :p"
    back = "INSERT INTO audit_log OVERRIDING SYSTEM VALUE SELECT * FROM kept"
    ledger.tamper(keep, p=made[0])
    for column, change in CHANGES.items():
        ledger.tamper(f"UPDATE audit_log SET {change} WHERE position = :p", p=made[0])
        assert ledger.says() == [f"The row at position {made[0]} was changed: its {column} is not as sealed."]
        ledger.tamper("DELETE FROM audit_log WHERE position = :p", back, p=made[0])
        assert ledger.says() == []


def test_the_first_of_several_changes_comes_first(ledger):
    made = ledger.sealed()
    ledger.tamper("UPDATE audit_log SET actor = 'Bob' WHERE position IN (:a, :b)", a=made[3], b=made[1])
    assert [one.position for one in ledger.verify().findings] == [made[1], made[3]]


def test_a_deleted_row_is_named(ledger):
    made = ledger.sealed()
    ledger.tamper("DELETE FROM audit_log WHERE position = :p", p=made[1])
    assert ledger.says() == [f"The row at position {made[1]} was deleted."]


def test_a_row_that_is_deleted_with_its_seal_leaves_a_gap(ledger):
    made = ledger.sealed()
    [[number]] = ledger.ask("SELECT number FROM audit_seals WHERE position = :p", p=made[1])
    ledger.tamper("DELETE FROM audit_log WHERE position = :p", "DELETE FROM audit_seals WHERE position = :p", p=made[1])
    assert ledger.says() == [f"Seals were deleted from the chain: number {number}. Their rows are proven by nothing."]


def test_closing_the_gap_breaks_the_chain_where_it_was(ledger):
    made = ledger.sealed()
    ledger.tamper(
        "DELETE FROM audit_log WHERE position = :p",
        "DELETE FROM audit_seals WHERE position = :p",
        "UPDATE audit_seals SET number = -number WHERE position > :p",
        "UPDATE audit_seals SET number = -number - 1 WHERE number < 0",
        p=made[1],
    )
    assert ledger.says()[0].endswith("does not follow from the one before it: the chain was changed there.")
    assert ledger.verify().findings[0].position == made[2]


def test_a_row_that_is_put_between_is_never_sealed_and_named(ledger):
    made = ledger.sealed(2)
    ledger.tamper("DELETE FROM audit_log WHERE position = :p", "DELETE FROM audit_seals WHERE position = :p", p=made[1])
    # What is put in its place says another transaction, or none, or the one that was there.
    for written_in in ("0", str(ledger.ask("SELECT written_in FROM audit_log ORDER BY position DESC LIMIT 1")[0][0])):
        ledger.tamper(
            "INSERT INTO audit_log (position, action, table_name, row_key, written_in) OVERRIDING SYSTEM VALUE"
            f" VALUES (-1, 'insert', 'plans', 'forged', '{written_in}')"
        )
        ledger.change(f"later-{written_in}")
        seal(ledger.database.rw)
        assert "The row at position -1, of plans, was inserted after the rows around it were sealed." in ledger.says()
        ledger.tamper("DELETE FROM audit_log WHERE position = -1")


def test_two_rows_that_changed_places_are_both_named(ledger):
    made = ledger.sealed()
    first, second = made[0], made[3]
    ledger.tamper(
        "CREATE TEMPORARY TABLE both_of_them ON COMMIT DROP AS SELECT * FROM audit_log WHERE position IN (:a, :b)",
        "UPDATE both_of_them SET position = CAST(:a AS bigint) + :b - position",
        "DELETE FROM audit_log WHERE position IN (:a, :b)",
        "INSERT INTO audit_log OVERRIDING SYSTEM VALUE SELECT * FROM both_of_them",
        a=first,
        b=second,
    )
    assert ledger.says() == [
        f"The row at position {first} is not the one that was sealed there: it is that of position {second}.",
        f"The row at position {second} is not the one that was sealed there: it is that of position {first}.",
    ]


def test_swapping_their_seals_as_well_breaks_the_chain(ledger):
    made = ledger.sealed()
    ledger.tamper(
        "UPDATE audit_seals SET number = -number WHERE position IN (:a, :b)",
        "UPDATE audit_seals SET number = (SELECT SUM(-n.number) FROM audit_seals AS n WHERE n.number < 0) + number"
        " WHERE position = :a",
        "UPDATE audit_seals SET number = (SELECT MIN(s.number) FROM audit_seals AS s WHERE s.number > 0 AND NOT EXISTS"
        " (SELECT FROM audit_seals AS t WHERE t.number = s.number + 1)) + 1 WHERE position = :b",
        a=made[1],
        b=made[2],
    )
    assert ledger.says()[0].endswith("does not follow from the one before it: the chain was changed there.")


def cut(ledger, position):
    ledger.tamper(
        "DELETE FROM audit_log WHERE position >= :p", "DELETE FROM audit_seals WHERE position >= :p", p=position
    )


def test_a_cut_tail_is_seen_by_a_head_that_was_kept_and_by_nothing_else(ledger):
    made = ledger.sealed()
    head = ledger.head()
    cut(ledger, made[3])
    assert ledger.says() == []
    assert ledger.says(known=[head]) == [
        f"The chain ends at number {head.number - 2}, but number {head.number} was there: its tail was cut off."
    ]


def test_a_chain_that_is_written_anew_is_seen_by_a_head_that_was_kept_and_by_nothing_else(ledger):
    made = ledger.sealed()
    head = ledger.head()
    ledger.tamper("UPDATE audit_log SET actor = 'Bob' WHERE position = :p", "DELETE FROM audit_seals", p=made[0])
    seal(ledger.database.rw)
    assert ledger.says() == []
    assert ledger.says(known=[head]) == [
        f"The chain was written anew: number {head.number} has another hash than the one that was kept."
    ]


def test_verifying_keeps_the_head_beside_the_database_and_compares_with_it(ledger):
    made = ledger.sealed()
    first = verify_audit(ledger.database, ledger.admin)
    assert first.is_whole
    assert kept_head(ledger.database.pipe) == first.head
    ledger.change("later")
    assert verify_audit(ledger.database, ledger.admin, since_last=True).rows == 1
    ledger.tamper("DELETE FROM audit_verifications")
    cut(ledger, made[4])
    ledger.change("on top")
    found = verify_audit(ledger.database, ledger.admin)
    assert "written anew" in found.found or "tail was cut off" in found.found
    # Somebody who answers for it, as after a restore, keeps what is there now.
    assert verify_audit(ledger.database, ledger.admin, anew=True).is_whole
    assert verify_audit(ledger.database, ledger.admin).is_whole


def test_what_was_verified_is_written_down_with_who_did_and_what_was_found(ledger):
    made = ledger.sealed(2)
    verify_audit(ledger.database, ledger.admin)
    ledger.tamper("DELETE FROM audit_log WHERE position = :p", p=made[0])
    verify_audit(ledger.database, ledger.admin)
    rows = ledger.ask("SELECT verified_by, found FROM audit_verifications ORDER BY created_at")
    assert rows == [("Ada", None), ("Ada", f"The row at position {made[0]} was deleted.")]


def test_a_row_that_commits_late_is_sealed_late_and_accuses_nobody(each_ledger):
    """It takes its position first and commits last: what came between waits for it, and nobody waits for the seal."""
    each_ledger.sealed(1)
    with each_ledger.database.rw.connect() as slow:
        slow.execute(text("INSERT INTO settings (key, value) VALUES ('slow', '1')"))
        each_ledger.change("quick")
        assert seal(each_ledger.database.rw) == 0
        assert each_ledger.says() == []
        slow.commit()
    assert seal(each_ledger.database.rw) == 2
    keys = each_ledger.ask(
        "SELECT l.row_key FROM audit_seals AS s JOIN audit_log AS l USING (position) ORDER BY s.number DESC LIMIT 2"
    )
    assert keys == [("quick",), ("slow",)]
    assert each_ledger.says() == []


def test_a_row_of_an_early_transaction_that_is_written_last_is_in_order(each_ledger):
    """The later transaction takes the earlier position: the order is that of transactions, or the chain would lie."""
    each_ledger.sealed(1)
    with each_ledger.database.rw.connect() as early, each_ledger.database.rw.connect() as late:
        early.execute(text("SELECT pg_current_xact_id()"))
        late.execute(text("INSERT INTO settings (key, value) VALUES ('late', '1')"))
        early.execute(text("INSERT INTO settings (key, value) VALUES ('early', '1')"))
        early.commit()
        assert seal(each_ledger.database.rw) == 1
        late.commit()
    assert seal(each_ledger.database.rw) == 1
    assert each_ledger.says() == []


def test_many_writers_and_sealers_at_once_make_one_chain(each_ledger):
    """Eight writers with 25 changes each, a third of them rolled back, beside two who seal all the while."""
    stop = threading.Event()

    def write(writer):
        for turn in range(25):
            with each_ledger.database.rw.connect() as connection:
                connection.execute(
                    text("INSERT INTO settings (key, value) VALUES (:key, '1')"), {"key": f"{writer}-{turn}"}
                )
                if turn % 3:
                    connection.commit()

    def keep_sealing(_):
        while not stop.is_set():
            seal(each_ledger.database.rw)

    with ThreadPoolExecutor(10) as crowd:
        sealers = [crowd.submit(keep_sealing, one) for one in range(2)]
        for writer in [crowd.submit(write, one) for one in range(8)]:
            writer.result()
        stop.set()
        for sealer in sealers:
            sealer.result()
    seal(each_ledger.database.rw)
    assert each_ledger.says() == []
    assert each_ledger.ask("SELECT (SELECT COUNT(*) FROM audit_log) = (SELECT COUNT(*) FROM audit_seals)") == [(True,)]


def test_a_batch_that_is_cut_within_a_transaction_goes_on_where_it_ended(each_ledger):
    seal(each_ledger.database.rw)
    with seeing(each_ledger.database.rw, ()) as connection:
        for place in range(5):
            connection.execute(text("INSERT INTO settings (key, value) VALUES (:k, '1')"), {"k": f"k-{place}"})
    sealed = []
    for _ in range(4):
        with each_ledger.database.rw.begin() as connection:
            sealed.append(connection.scalar(text("SELECT seal_audit_log(2)")))
    assert sealed == [2, 2, 1, 0]
    assert each_ledger.says() == []


def test_what_a_dump_brings_of_another_server_is_sealed_before_its_number_has_come(each_ledger):
    """There transactions are counted anew: a row that is not sealed says one that is yet to come, and is over."""
    each_ledger.sealed(2)
    each_ledger.change("from elsewhere")
    each_ledger.tamper("UPDATE audit_log SET written_in = '4000000000' WHERE row_key = 'from elsewhere'")
    assert seal(each_ledger.database.rw) == 1
    each_ledger.change("here")
    assert seal(each_ledger.database.rw) == 1
    assert each_ledger.says() == []


def test_on_another_server_the_chain_goes_on_with_all_that_is_not_sealed(each_ledger):
    """Its last seal says a horizon that this server's transactions will not reach for long."""
    each_ledger.sealed(2)
    digests = "(SELECT digests FROM audit_seals ORDER BY number DESC LIMIT 1)"
    each_ledger.tamper(
        "INSERT INTO audit_log (position, action, table_name, row_key, written_in) OVERRIDING SYSTEM VALUE"
        " VALUES (-1, 'insert', 'plans', 'sealed elsewhere', '4000000000')",
        "INSERT INTO audit_seals (number, position, digests, horizon, cluster, sealed_at, hash)"
        f" SELECT MAX(number) + 1, -1, {digests}, '4000000000', 1, now(), sha256('') FROM audit_seals",
    )
    each_ledger.change("here")
    assert seal(each_ledger.database.rw) == 1
    each_ledger.change("and on")
    assert seal(each_ledger.database.rw) == 1


@pytest.mark.parametrize("role", [Role.VIEWER, Role.FINANCE])
def test_only_admins_have_the_chain_verified(ledger, role):
    with pytest.raises(NotPermittedError, match=r"audit\.read"):
        verify_audit(ledger.database, ledger.person(role))


def test_an_admin_who_is_limited_to_some_workspaces_does_not(ledger):
    with ledger.database.setup.begin() as connection:
        home = workspace(connection).id
    with pytest.raises(NotPermittedError, match="whole company"):
        verify_audit(ledger.database, ledger.person(Role.ADMIN, home))


@pytest.mark.parametrize("given", ["", "7", "7:abc", f"x:{'0' * 64}", f"{'9' * 30}:{'0' * 64}"])
def test_what_is_no_head_is_refused_in_a_sentence(given):
    with pytest.raises(SightlineError, match="no head of the audit log's chain"):
        Head.read(given)
