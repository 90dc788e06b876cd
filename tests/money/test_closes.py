"""A closed month stays as it is, whoever asks, however, and whenever; what is found out later stands beside it."""

import threading
import time
from datetime import UTC, date, datetime, timedelta
from decimal import Decimal
from uuid import UUID

import pytest
from sqlalchemy import text
from sqlalchemy.exc import DBAPIError

from app.access import operator
from app.commands import closes, prices
from app.lake import refresh
from db.engine import seeing
from db.errors import SightlineError
from tests.db.rows import NOON, add, user, workspace
from tests.money.test_approvals import BEGAN, MONTH, asked, call, costs, proposal

AFTER = (MONTH + timedelta(days=32)).replace(day=1)
ENDED = datetime(AFTER.year, AFTER.month, 1, tzinfo=UTC)


@pytest.fixture
def home(database):
    with database.setup.begin() as connection:
        customer = user(connection).id
        return workspace(connection, owner_id=customer, slug="acme").id, customer


@pytest.fixture
def finance(database, home):
    return operator(database.pipe, "Fin of finance")


@pytest.fixture
def closed(database, finance, home):
    """A month that closed with one call at two dollars; its key."""
    key = call(database, home)
    prices.approve(database.rw, finance, [proposal(database, 2)])
    closes.close_month(database.rw, finance, MONTH)
    return key


def corrections(database):
    return asked(database, "SELECT month, kind, amount, reason FROM ai_cost_corrections ORDER BY id")


def test_a_close_keeps_its_sums(database, finance, closed):
    [month] = closes.closed_months(database.rw, finance)
    assert (month.month, month.cost, month.calls, month.unpriced, month.price_version) == (MONTH, 2, 1, 0, 1)


DIRECT = {
    "another cost": "UPDATE ai_generations SET cost = 1",
    "no cost": "UPDATE ai_generations SET cost = NULL, price_version = NULL",
    "another count": "UPDATE ai_generations SET output_tokens = 5",
    "a kind of unit": """UPDATE ai_generations SET more_units = '{"audio_input": 5}'""",
    "another model": "UPDATE ai_generations SET model = 'gpt-5'",
    "another product": "UPDATE ai_generations SET product = 'craft_ads'",
    "another attempt": "UPDATE ai_generations SET attempt = 2",
    "another request": "UPDATE ai_generations SET request_key = uuid_v7()",
    "another moment": "UPDATE ai_generations SET created_at = created_at + INTERVAL '40 days'",
    "another key": "UPDATE ai_generations SET id = uuid_v7()",
    "one more call": """INSERT INTO ai_generations SELECT * FROM jsonb_populate_recordset(NULL::ai_generations, (
        SELECT jsonb_agg(to_jsonb(g) - 'row_xid' || jsonb_build_object('id', uuid_v7())) FROM ai_generations AS g))""",
    "another word of the source": "UPDATE ai_generations SET reported_cost = 9",
    "another state": "UPDATE ai_generations SET status = 'failed'",
    "a deletion": "DELETE FROM ai_generations",
    "the close itself": "UPDATE ai_months SET closed_at = NULL, cost = NULL, calls = NULL, unpriced = NULL",
    "the row of the close": "DELETE FROM ai_months",
    "its table": "TRUNCATE ai_months",
    "the trigger": "ALTER TABLE ai_generations DISABLE TRIGGER keep_closed_months_on_update",
    "all triggers": "SET LOCAL session_replication_role = replica",
    "the partition": f"UPDATE ai_generations_{MONTH:%Y_%m} SET cost = 1",
    "the sums of days": "UPDATE ai_cost_tracking SET cost = 0",
    "a correction": "DELETE FROM ai_cost_corrections",
    "another clock": "SET LOCAL timezone = 'Pacific/Kiritimati'; UPDATE ai_generations SET cost = 1",
}


def refusal(database, role, workspaces, statement):
    """What the database says to a statement of a role."""
    with pytest.raises(DBAPIError) as refused, seeing(getattr(database, role), workspaces) as connection:
        connection.exec_driver_sql(statement)
    return str(refused.value)


def test_no_sql_of_the_apps_roles_changes_a_closed_month(database, home, closed):
    said = {
        (name, role): refusal(database, role, [home[0]], statement)
        for name, statement in DIRECT.items()
        for role in ("rw", "ingest")
    }
    reasons = ("is closed", "never changes", "permission denied", "must be owner")
    assert {who: why for who, why in said.items() if not any(reason in why for reason in reasons)} == {}
    assert "is closed" in said["another cost", "rw"]
    assert "is closed" in said["another cost", "ingest"]
    assert costs(database) == [(2, 1, None)]


def test_no_call_leaves_a_closed_month_by_moving_to_another_workspace(database, home, closed):
    with database.setup.begin() as connection:
        other = workspace(connection, owner_id=home[1], slug="other").id
    statement = f"UPDATE ai_generations SET workspace_id = '{other}', cost = 0"
    for role in ("rw", "ingest"):
        assert "never changes" in refusal(database, role, [home[0], other], statement)
    assert asked(database, "SELECT workspace_id, cost FROM ai_generations") == [(home[0], 2)]


def test_no_call_of_a_closed_month_becomes_another_customers(database, home, closed):
    with database.setup.begin() as connection:
        colleague = user(connection).id
    for role in ("rw", "ingest"):
        assert "is closed" in refusal(database, role, [home[0]], f"UPDATE ai_generations SET user_id = '{colleague}'")
    assert asked(database, "SELECT user_id FROM ai_generations") == [(home[1],)]


def test_no_fact_moves_to_another_workspace(database):
    """Its row in the lake, under the old key, would stay behind without a trace."""
    unguarded = """
        SELECT fact FROM monthly_facts()
        WHERE fact NOT IN (SELECT tgrelid FROM pg_trigger WHERE tgname = 'keep_workspace')
        """
    assert asked(database, unguarded) == []


def test_a_call_that_comes_late_is_refused_with_what_to_do(database, home, closed):
    with pytest.raises(DBAPIError, match="What was found out later is a correction"):
        call(database, home, created_at=ENDED - timedelta(microseconds=1))
    call(database, home, created_at=ENDED)
    assert len(costs(database)) == 2


CALL, OTHER_CALL = UUID(int=7), UUID(int=8)
LATE_CALL = """
    SELECT record_late_ai_call(:workspace, :key, :began, 'mailer', 'openai', :model, 'email', 'standard',
        CAST(:units AS jsonb))
    """


def late_call(database, home, role="ingest", **told):
    """Tell a call of a closed month as who ingests; what it cost."""
    told = {"key": CALL, "began": NOON, "model": "gpt-4o", "units": '{"input": 500000}', **told}
    with seeing(getattr(database, role), [home[0]]) as connection:
        return connection.scalar(text(LATE_CALL), {"workspace": home[0], **told})


def test_a_call_that_comes_late_is_kept_as_a_correction_once(database, home, closed):
    """Half a million tokens at two dollars a million."""
    with pytest.raises(DBAPIError, match="record_late_ai_call"):
        call(database, home, input_tokens=500_000)
    assert late_call(database, home) == 1
    assert late_call(database, home, role="rw", units='{"input": 9}') == 1
    assert late_call(database, home, key=OTHER_CALL, units="{}") == 0
    said = f"A call of {NOON:%Y-%m-%d %H:%M} (UTC) came after the close: {CALL}."
    assert corrections(database) == [(MONTH, "late_usage", 1, said)]
    assert costs(database) == [(2, 1, None)]


def test_a_late_call_is_of_a_closed_month_has_a_price_and_is_not_in_the_ledger(database, finance, home):
    call(database, home, request_key=CALL)
    prices.approve(database.rw, finance, [proposal(database, 2)])
    with pytest.raises(DBAPIError, match="is not closed: write the call itself"):
        late_call(database, home)
    closes.close_month(database.rw, finance, MONTH)
    with pytest.raises(DBAPIError, match="was counted before the close"):
        late_call(database, home)
    for unpriced in ({"model": "o3"}, {"units": '{"input": 1, "image/1024x1024": 1}'}, {"units": '{"input": -1}'}):
        with pytest.raises(DBAPIError, match="no price of"):
            late_call(database, home, key=OTHER_CALL, **unpriced)
    with database.setup.begin() as connection:
        other = workspace(connection, owner_id=home[1], slug="other").id
    with (
        pytest.raises(DBAPIError, match="not one of this transaction's"),
        seeing(database.ingest, [other]) as connection,
    ):
        connection.execute(
            text(LATE_CALL),
            {"workspace": home[0], "key": OTHER_CALL, "began": NOON, "model": "gpt-4o", "units": '{"input": 1}'},
        )
    assert corrections(database) == []


def test_two_who_tell_a_late_call_at_once_tell_it_once(database, home, closed):
    running = [in_background(lambda: late_call(database, home)) for _ in range(6)]
    for thread, _ in running:
        thread.join()
    assert [ended for _, ended in running] == [[1]] * 6
    assert [amount for _, _, amount, _ in corrections(database)] == [1]


def test_what_people_think_of_an_answer_may_still_come_in(database, home, closed):
    with seeing(database.rw, [home[0]]) as connection:
        connection.execute(text("UPDATE ai_generations SET user_rating = 5, accepted = true"))
    assert asked(database, "SELECT user_rating FROM ai_generations") == [(5,)]


def test_a_new_price_corrects_a_closed_month_and_rates_an_open_one(database, finance, home, closed):
    call(database, home, created_at=ENDED, input_tokens=2_000_000)
    key = proposal(database, 3, since=ENDED)
    shown = prices.effect(database.rw, finance, [key])
    assert [(one.is_closed, one.newly_priced, one.cost_before, one.cost_after) for one in shown] == [(False, 1, 0, 6)]
    prices.approve(database.rw, finance, [key])
    again = proposal(database, 5)
    [shown] = prices.effect(database.rw, finance, [again])
    assert (shown.is_closed, shown.calls, shown.cost_before, shown.cost_after) == (True, 1, 2, 5)
    approval = prices.approve(database.rw, finance, [again])
    assert (approval.calls_rated, approval.corrections) == (0, 1)
    assert [cost for cost, _, _ in costs(database)] == [2, 6]
    assert corrections(database) == [(MONTH, "price", 3, "Prices of version 3 of the book.")]


def test_nothing_is_corrected_twice_and_a_price_that_is_taken_back_takes_its_correction_back(database, finance, closed):
    prices.approve(database.rw, finance, [proposal(database, 5)])
    prices.approve(database.rw, finance, [proposal(database, 9, unit="output")])
    assert [amount for _, _, amount, _ in corrections(database)] == [3]
    prices.approve(database.rw, finance, [proposal(database, 2)])
    assert [amount for _, _, amount, _ in corrections(database)] == [3, -3]


def test_calls_without_a_price_stand_in_the_way_of_a_close_unless_somebody_says_otherwise(database, finance, home):
    call(database, home)
    with pytest.raises(SightlineError, match=r"1 calls of .* have no price"):
        closes.close_month(database.rw, finance, MONTH)
    assert closes.closed_months(database.rw, finance) == []
    closes.close_month(database.rw, finance, MONTH, despite_unpriced=True)
    [month] = closes.closed_months(database.rw, finance)
    assert (month.cost, month.unpriced) == (0, 1)
    prices.approve(database.rw, finance, [proposal(database, 2)])
    assert [amount for _, _, amount, _ in corrections(database)] == [2]
    assert costs(database) == [(None, None, None)]


def test_who_closes_is_told_of_calls_that_run_and_what_was_cancelled_without_a_price_stands_in_the_way(
    database, finance, home
):
    for status in ("processing", "processing", "cancelled", "completed"):
        call(database, home, status=status)
    call(database, home, status="cancelled", cost=1, price_version=1)
    call(database, home, status="processing", created_at=ENDED)
    found = closes.open_calls(database.ro, finance, MONTH)
    assert (found.running, found.unpriced) == (2, 2)
    (running,) = found.warnings
    assert running.startswith("2 calls are still running")
    with pytest.raises(SightlineError, match=r"2 calls of .* have no price"):
        closes.close_month(database.rw, finance, MONTH)
    closes.close_month(database.rw, finance, MONTH, despite_unpriced=True)
    assert closes.open_calls(database.ro, finance, AFTER).warnings == (running.replace("2", "1", 1),)


def test_a_month_that_runs_or_is_closed_already_is_not_closed(database, finance, closed):
    with pytest.raises(SightlineError, match="is not over"):
        closes.close_month(database.rw, finance, AFTER)
    with pytest.raises(SightlineError, match="is closed already"):
        closes.close_month(database.rw, finance, MONTH)
    with pytest.raises(SightlineError, match="not the first of a month"):
        closes.close_month(database.rw, finance, MONTH + timedelta(days=1))


def test_a_month_is_opened_for_a_reason_and_then_rated_by_todays_book(database, finance, closed):
    prices.approve(database.rw, finance, [proposal(database, 5)])
    with pytest.raises(SightlineError, match="done for a reason"):
        closes.reopen_month(database.rw, finance, MONTH, reason="")
    closes.reopen_month(database.rw, finance, MONTH, reason="The bill was wrong.")
    assert costs(database) == [(5, 2, None)]
    assert [amount for _, _, amount, _ in corrections(database)] == [3, -3]
    said = asked(database, "SELECT actor, reason, before ->> 'cost' FROM audit_log"
                           " WHERE table_name = 'ai_months' AND before ->> 'closed_at' IS NOT NULL")  # fmt: skip
    assert said == [("Fin of finance", "The bill was wrong.", "2.000000000000")]
    closes.close_month(database.rw, finance, MONTH)
    assert [month.cost for month in closes.closed_months(database.rw, finance)] == [5]
    with pytest.raises(SightlineError, match="is not closed"):
        closes.reopen_month(database.rw, finance, date(2021, 2, 1), reason="Why not.")


LATE = {"workspace_slug": "acme", "product": "mailer", "provider": "openai", "model": "gpt-4o",
        "generation_type": "email", "kind": "late_usage", "amount": Decimal("-0.000000000001"),
        "reason": "Told twice."}  # fmt: skip


def test_a_closed_month_is_corrected_by_hand_and_an_open_one_is_not(database, finance, closed):
    closes.correct_month(database.rw, finance, MONTH, **LATE)
    assert corrections(database) == [(MONTH, "late_usage", Decimal("-0.000000000001"), "Told twice.")]
    with database.setup.begin() as connection:
        add(connection, "ai_months", month=date(2021, 3, 1))
    with pytest.raises(SightlineError, match="is open: its calls are changed"):
        closes.correct_month(database.rw, finance, date(2021, 3, 1), **LATE)
    for wrong, sentence in (
        ({"kind": "price"}, "by price by hand"),
        ({"amount": Decimal(0)}, "no amount"),
        ({"amount": Decimal("0.0000000000001")}, "no amount"),
        ({"reason": " "}, "for a reason"),
        ({"kind": "mood"}, "could not be made"),
        ({"workspace_slug": "nobody"}, "No workspace"),
    ):
        with pytest.raises(SightlineError, match=sentence):
            closes.correct_month(database.rw, finance, MONTH, **{**LATE, **wrong})


def test_nobody_but_an_approval_corrects_by_price(database, home, closed):
    statement = f"""
        INSERT INTO ai_cost_corrections (workspace_id, month, kind, product, provider, model, generation_type, amount,
            reason)
        VALUES ('{home[0]}', '{MONTH}', 'price', 'mailer', 'openai', 'gpt-4o', 'email', 1, 'By hand.')
        """
    assert "made by approvals alone" in refusal(database, "rw", [home[0]], statement)
    assert corrections(database) == []


def test_opening_a_month_again_tells_of_the_corrections_that_stay(database, finance, closed):
    closes.correct_month(database.rw, finance, MONTH, **{**LATE, "amount": Decimal("1.50")})
    closes.correct_month(database.rw, finance, MONTH, **{**LATE, "amount": Decimal(-1), "kind": "other"})
    prices.approve(database.rw, finance, [proposal(database, 5)])
    opened = closes.reopen_month(database.rw, finance, MONTH, reason="The bill was wrong.")
    assert (opened.corrections_left, opened.amount_left) == (2, Decimal("0.5"))
    assert "made by hand stay: 2, 0.5 USD in all" in opened.warning
    closes.close_month(database.rw, finance, MONTH)
    closes.correct_month(database.rw, finance, MONTH, **{**LATE, "amount": Decimal("-0.50")})
    assert "stay: 3, 0 USD" in closes.reopen_month(database.rw, finance, MONTH, reason="Again.").warning


def test_a_month_without_corrections_by_hand_is_opened_without_a_warning(database, finance, closed):
    prices.approve(database.rw, finance, [proposal(database, 5)])
    assert closes.reopen_month(database.rw, finance, MONTH, reason="The bill was wrong.").warning is None


# --- At the same time -------------------------------------------------------------------------------------------------


def in_background(work):
    """Work in a thread; what comes of it, or the error, stands in the list when it has ended."""
    ended = []

    def run():
        try:
            ended.append(work())
        except Exception as error:  # noqa: BLE001 - it is looked at
            ended.append(error)

    thread = threading.Thread(target=run)
    thread.start()
    return thread, ended


def waits(database):
    """Until somebody waits for a lock."""
    for _ in range(200):
        if asked(database, "SELECT 1 FROM pg_locks WHERE NOT granted"):
            return
        time.sleep(0.05)
    raise AssertionError("Nobody waited.")


def test_a_close_waits_for_who_prices_and_counts_what_was_priced(database, finance, home):
    call(database, home)
    prices.approve(database.rw, finance, [proposal(database, 2)])
    with seeing(database.rw, [home[0]]) as pricing:
        pricing.execute(text("UPDATE ai_generations SET cost = 7"))
        thread, ended = in_background(lambda: closes.close_month(database.rw, finance, MONTH))
        waits(database)
    thread.join()
    assert ended == [None]
    assert [month.cost for month in closes.closed_months(database.rw, finance)] == [7]


def test_opening_a_month_against_somebody_who_changes_its_calls_says_to_try_again(database, finance, closed):
    """The writer has the call and waits for the month; the opening has the month and waits for the call."""
    prices.approve(database.rw, finance, [proposal(database, 5)])
    with database.setup.begin() as writer:
        writer.execute(text("SET LOCAL deadlock_timeout = '1min'"))
        writer.execute(text("SELECT cost FROM ai_generations FOR UPDATE"))
        thread, ended = in_background(
            lambda: closes.reopen_month(database.rw, finance, MONTH, reason="The bill was wrong.")
        )
        waits(database)
        with pytest.raises(DBAPIError, match="is closed"):
            writer.execute(text("UPDATE ai_generations SET cost = 7"))
    thread.join()
    [refused] = ended
    assert isinstance(refused, SightlineError)
    assert refused.fix == "Try again."
    closes.reopen_month(database.rw, finance, MONTH, reason="The bill was wrong.")
    assert costs(database) == [(5, 2, None)]


def test_prices_are_approved_while_the_lake_is_refreshed(database, finance, home):
    """Each has an advisory lock of its own."""
    call(database, home)
    key = proposal(database, 2)
    with database.setup.connect() as refreshing:
        refreshing.execute(text("SELECT pg_advisory_xact_lock(:number)"), {"number": refresh._LOCK})
        thread, ended = in_background(lambda: prices.approve(database.rw, finance, [key]))
        thread.join(10)
        assert ended
    assert costs(database) == [(2, 1, None)]


@pytest.mark.parametrize("isolation", ["READ COMMITTED", "REPEATABLE READ", "SERIALIZABLE"])
def test_who_prices_while_the_month_closes_is_refused_also_when_reading_as_of_before(
    database, finance, home, isolation
):
    call(database, home)
    prices.approve(database.rw, finance, [proposal(database, 2)])
    with database.rw.connect().execution_options(isolation_level=isolation) as connection:
        connection.execute(text("SELECT set_config('app.workspaces', :own, false)"), {"own": f"{{{home[0]}}}"})
        connection.execute(text("SELECT COUNT(*) FROM ai_generations"))
        closes.close_month(database.rw, finance, MONTH)
        with pytest.raises(DBAPIError) as refused:
            connection.execute(text("UPDATE ai_generations SET cost = 7"))
        assert any(words in str(refused.value) for words in ("is closed", "could not serialize"))
    assert costs(database) == [(2, 1, None)]


def test_approvals_at_once_follow_each_other_and_the_last_one_holds(database, finance, home):
    for _ in range(20):
        call(database, home)
    keys = [proposal(database, dollars) for dollars in (2, 3, 4)]
    running = [in_background(lambda key=key: prices.approve(database.rw, finance, [key])) for key in keys]
    for thread, _ in running:
        thread.join()
    versions = sorted(ended[0].version for _, ended in running)
    assert versions == [1, 2, 3]
    [(last,)] = asked(database, "SELECT price FROM ai_prices WHERE superseded_by IS NULL")
    assert costs(database) == [(last, 3, None)] * 20
    assert asked(database, "SELECT SUM(cost) FROM ai_cost_tracking") == [(20 * last,)]


def test_no_call_slips_into_a_month_while_it_closes(database, finance, home):
    """Eight writers and one close: what the close counted is what there is."""
    stop = threading.Event()

    def write():
        made = 0
        while not stop.is_set():
            try:
                call(database, home, cost=1, price_version=1)
            except DBAPIError:
                return made
            made += 1
        return made

    running = [in_background(write) for _ in range(8)]
    time.sleep(1)
    closes.close_month(database.rw, finance, MONTH)
    time.sleep(0.3)
    stop.set()
    for thread, _ in running:
        thread.join()
    made = sum(ended[0] for _, ended in running)
    [month] = closes.closed_months(database.rw, finance)
    assert month.calls == month.cost == made == len(costs(database)) > 8


def test_noon_is_in_the_month_that_these_tests_close():
    assert BEGAN <= NOON < BEGAN + timedelta(days=28 + 3)
