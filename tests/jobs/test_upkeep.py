"""The first jobs: months are made, what is old is forgotten, and a counter that is wrong is told."""

import pytest
from sqlalchemy import text
from sqlalchemy.exc import DBAPIError

from app.jobs import upkeep
from app.jobs.catalogue import Catalogue
from app.jobs.counters import counters_of_sample
from app.jobs.schedules import Every
from db.engine import seeing
from tests.db.handful import fill
from tests.db.rows import NOON, add, campaign, contact, minute, workspace

KINDS = Catalogue(upkeep.upkeep("Europe/Berlin"))


@pytest.fixture
def yard(shared_yard):
    with shared_yard.database.setup.begin() as connection:
        connection.execute(text("TRUNCATE jobs, job_schedules, email_event_keys, fact_tombstones"))
    return shared_yard


def tenant(yard):
    with yard.database.setup.begin() as connection:
        return workspace(connection).id


def results(yard):
    return [row.result for row in yard.ask("SELECT result FROM jobs ORDER BY created_at")]


def test_every_kind_says_what_it_does_and_runs_at_night_in_the_zone():
    assert [one.name for one in KINDS] == [
        "check_counters",
        "forget_budget_traces",
        "forget_done_jobs",
        "forget_event_keys",
        "forget_tombstones",
        "make_months",
    ]
    for one in KINDS:
        assert one.meaning.endswith(".")
        assert one.schedule.zone == "Europe/Berlin"


def test_months_that_are_missing_are_made(each_yard):
    newest = each_yard.ask("SELECT partition FROM fact_partitions() ORDER BY month DESC, partition LIMIT 1")[0][0]
    each_yard.change(f"DROP TABLE {newest}")
    each_yard.add("make_months")
    each_yard.run(kinds=KINDS)
    assert results(each_yard) == [{"partitions_made": 1}]
    assert each_yard.ask("SELECT to_regclass(:name) IS NOT NULL", name=newest) == [(True,)]


def add_keys(yard, *ages):
    yard.change(
        "INSERT INTO email_event_keys (workspace_id, fingerprint, event_id, seen_at)"
        " SELECT :workspace, uuid_v7(), uuid_v7(), now() - make_interval(days => age) FROM unnest(:ages) AS age",
        workspace=tenant(yard),
        ages=list(ages),
    )


def test_fingerprints_older_than_the_policy_says_are_forgotten_batch_by_batch(each_yard):
    """Five of seven are older than ninety days: two, two, one."""
    add_keys(each_yard, 91, 92, 93, 94, 200, 89, 1)
    each_yard.add("forget_event_keys", payload={"at_once": 2}, unique_key="forget_event_keys")
    each_yard.run(kinds=KINDS)
    assert results(each_yard) == [{"forgotten": 2}, {"forgotten": 2}, {"forgotten": 1}]
    ages = each_yard.ask("SELECT CAST(EXTRACT(DAY FROM now() - seen_at) AS int) FROM email_event_keys ORDER BY 1")
    assert ages == [(1,), (89,)]


@pytest.mark.parametrize("rule", ["keep_days = NULL", "is_active = false"])
def test_without_a_policy_fingerprints_are_kept_for_ever(yard, rule):
    before = yard.ask("SELECT keep_days, is_active FROM retention_policies WHERE subject = 'email_event_keys'")[0]
    yard.change(f"UPDATE retention_policies SET {rule} WHERE subject = 'email_event_keys'")
    add_keys(yard, 91, 3000)
    yard.add("forget_event_keys")
    yard.run(kinds=KINDS)
    yard.change(
        "UPDATE retention_policies SET keep_days = :days, is_active = :active WHERE subject = 'email_event_keys'",
        days=before.keep_days,
        active=before.is_active,
    )
    assert results(yard) == [{"forgotten": 0}]


def test_traces_of_deletions_are_forgotten_after_thirty_days(each_yard):
    each_yard.change(
        "INSERT INTO fact_tombstones (workspace_id, fact, row_key, removed_at)"
        " SELECT :workspace, 'email_events', '{}', now() - make_interval(days => age)"
        " FROM unnest(ARRAY[40, 31, 35, 29, 1]) AS age",
        workspace=tenant(each_yard),
    )
    each_yard.add("forget_tombstones", payload={"at_once": 2})
    each_yard.run(kinds=KINDS)
    assert results(each_yard) == [{"forgotten": 2}, {"forgotten": 1}]
    assert each_yard.ask("SELECT count(*) FROM fact_tombstones") == [(2,)]


@pytest.mark.parametrize("table", ["email_event_keys", "fact_tombstones"])
def test_the_app_itself_still_deletes_neither(yard, table):
    with seeing(yard.database.rw, ()) as connection, pytest.raises(DBAPIError, match="permission denied"):
        connection.execute(text(f"DELETE FROM {table}"))


def test_jobs_that_were_done_long_ago_are_forgotten_in_every_workspace_and_failed_ones_are_kept(yard, monkeypatch):
    monkeypatch.setattr(upkeep, "JOBS_AT_ONCE", 3)
    for number in range(4):
        yard.change(
            "INSERT INTO jobs (job_type, workspace_id, status, completed_at)"
            " SELECT 'old', :workspace, status, now() - make_interval(days => age)"
            " FROM unnest(ARRAY['completed', 'cancelled', 'failed']) AS status, unnest(ARRAY[31, 29]) AS age",
            workspace=tenant(yard) if number else None,
        )
    key = yard.add("forget_done_jobs")
    yard.run(kinds=KINDS)
    assert yard.job(key).result == {"forgotten": 8}
    left = yard.ask(
        "SELECT status, CAST(EXTRACT(DAY FROM now() - completed_at) AS int) AS age, count(*) FROM jobs"
        " WHERE job_type = 'old' GROUP BY 1, 2 ORDER BY 1, 2"
    )
    assert left == [("cancelled", 29, 4), ("completed", 29, 4), ("failed", 29, 4), ("failed", 31, 4)]


def events(connection, tenant_id, mailing):
    """What makes counting hard: repeats, a bounce before a delivery and one after it, and a machine's open."""
    readers = [contact(connection, tenant_id).id for _ in range(4)]
    told = [
        (0, "sent", 0, None), (0, "delivered", 2, None), (0, "opened", 3, None), (0, "opened", 4, None),
        (1, "sent", 0, None), (1, "bounced", 1, "soft"), (1, "delivered", 2, None), (1, "clicked", 5, None),
        (2, "sent", 0, None), (2, "delivered", 1, None), (2, "bounced", 2, "soft"), (2, "unsubscribed", 9, None),
        (3, "sent", 0, None), (3, "delivered", 5, None), (3, "bounced", 1, "hard"), (3, "complained", 9, None),
    ]  # fmt: skip
    for _ in range(2):
        for reader, kind, at, bounce in told:
            add(connection, "email_events", workspace_id=tenant_id, campaign_id=mailing, contact_id=readers[reader],
                event_type=kind, occurred_at=minute(at), provider="ses", bounce_type=bounce)  # fmt: skip


def sold(connection, tenant_id):
    """Sales in the campaign's currency and in another one, and money that is told twice."""
    page = campaign(connection, tenant_id, "web", currency="EUR").id
    part = add(
        connection, "campaign_components", workspace_id=tenant_id, campaign_id=page, name="F", component_type="form"
    )
    for kind in ("view", "view", "click"):
        add(
            connection,
            "campaign_events",
            workspace_id=tenant_id,
            campaign_id=page,
            component_id=part.id,
            event_type=kind,
        )
    for currency in ("EUR", "USD"):
        add(connection, "conversions", workspace_id=tenant_id, campaign_id=page, conversion_type="sale", value=9,
            currency=currency)  # fmt: skip
    advertised = campaign(connection, tenant_id, "ads", currency="EUR").id
    told = {"date": NOON.date(), "spend": 5, "revenue": 20, "impressions": 100, "clicks": 7, "conversions": 2}
    for split, more in {"none": {}, "platform": {"platform": "facebook"}}.items():
        add(connection, "performance_analytics", workspace_id=tenant_id, campaign_id=advertised, breakdown=split,
            currency="EUR", **told, **more)  # fmt: skip


@pytest.fixture
def counted(each_yard):
    """A yard with campaigns of all channels; an empty one among them."""
    with each_yard.database.setup.begin() as connection:
        fill(connection)
        tenant_id = workspace(connection).id
        mailing = campaign(connection, tenant_id, "email").id
        campaign(connection, tenant_id, "email")
        events(connection, tenant_id, mailing)
        sold(connection, tenant_id)
    each_yard.change("TRUNCATE jobs")
    return each_yard, mailing


def test_counters_that_triggers_kept_are_right(counted):
    yard, mailing = counted
    key = yard.add("check_counters")
    yard.run(kinds=KINDS)
    assert yard.job(key).result == {"campaigns_compared": 7}, yard.job(key).error_message
    kept = yard.ask("SELECT emails_sent, emails_bounced FROM email_campaigns WHERE campaign_id = :it", it=mailing)
    assert kept == [(4, 2)]


COUNTERS = {
    "email_campaigns": (
        "emails_sent emails_delivered emails_opened emails_clicked emails_bounced emails_unsubscribed emails_complained"
    ),
    "web_campaigns": "views clicks conversions revenue_generated",
    "ad_campaigns": "total_spend total_impressions total_clicks total_conversions total_revenue",
}


def test_every_counter_that_is_wrong_is_found_and_left_as_it_is(counted):
    yard, _ = counted
    for table, counters in COUNTERS.items():
        for counter in counters.split():
            yard.change(f"UPDATE {table} SET {counter} = {counter} + 1")
            with yard.database.pipe.connect() as connection:
                _, wrong = counters_of_sample(connection, 20)
            rows = yard.ask(f"SELECT count(*) FROM {table}")[0][0]
            assert len(wrong) == rows, counter
            assert all(f": {counter} is " in one for one in wrong)
            yard.change(f"UPDATE {table} SET {counter} = {counter} - 1")


def test_a_wrong_counter_makes_the_job_fail_with_what_it_found(counted):
    yard, mailing = counted
    yard.change("UPDATE email_campaigns SET emails_sent = 5 WHERE campaign_id = :it", it=mailing)
    key = yard.add("check_counters", max_attempts=1)
    yard.run(kinds=KINDS)
    failed = yard.job(key)
    assert failed.status == "failed"
    assert failed.error_message == (
        "Counters differ from a recount: 1 among those of 7 campaigns."
        f" email_campaigns {mailing}: emails_sent is 5, a recount says 4."
        " Nothing was changed. Look for writes that passed by the triggers before the counters are set right."
    )


def test_the_refresh_is_a_job_like_any_other(yard):
    def refresh(handle):
        handle.go_on()
        return {"rows": 3}

    kinds = Catalogue([*KINDS, upkeep.refresh_lake(refresh, Every(60))])
    key = yard.add("refresh_lake")
    yard.run(kinds=kinds)
    assert yard.job(key).result == {"rows": 3}
