"""The demo data: the same for a seed, right in every sum, free of anybody's real data, and never mixed with it."""

import hashlib
import subprocess
import sys
import time
from collections.abc import Iterator
from datetime import date
from typing import Any

import numpy as np
import pytest
from sqlalchemy import Engine, text

from db.demo import Size, load_demo
from db.demo.keys import keys_at
from db.demo.seasons import Season
from db.errors import SightlineError
from db.vault import Place
from tests.db.loaded import TODAY, VAULT, demo_database, load
from tests.servers import Database, Server, new_database

# What the database gives by itself, what is sealed with a new nonce each time, and what the clock of the load shows.
NOT_SEEDED = {
    "row_xid",
    "sections_changed_in",
    "code",
    "updated_at",
    "seen_at",
    "access_token",
    "refresh_token",
    "encrypted_credentials",
    "payment_id",
    "payment_method_id",
    "provider_payment_id",
    "format_id",
}
NOT_COMPARED = {
    "alembic_version",
    "audit_log",
    "audit_seals",
    "audit_verifications",
    "export_formats",
    "retention_policies",
    "settings",
    "email_event_repeats",
    "ai_months",
}
# Rows that triggers make get their keys from the database.
KEPT_BY_TRIGGERS = {"ai_cost_tracking", "user_usage"}


@pytest.fixture(scope="module")
def demo(server18: Server) -> Iterator[Database]:
    """A database with the demo, shared by the tests that only read."""
    with demo_database(server18) as copied:
        yield copied


def ask(setup: Engine, question: str) -> list[Any]:
    with setup.connect() as connection:
        return list(connection.execute(text(question)))


def one(setup: Engine, question: str) -> Any:
    ((answer,),) = ask(setup, question)
    return answer


def columns_of_tables(setup: Engine) -> dict[str, list[str]]:
    rows = ask(
        setup,
        """
        SELECT c.relname, array_agg(a.attname ORDER BY a.attname)
        FROM pg_class AS c
        JOIN pg_attribute AS a ON a.attrelid = c.oid AND a.attnum > 0 AND NOT a.attisdropped
        WHERE c.relnamespace = 'public'::regnamespace AND c.relkind IN ('r', 'p') AND NOT c.relispartition
        GROUP BY c.relname
        """,
    )
    return {table: list(columns) for table, columns in rows}


def fingerprints(setup: Engine) -> dict[str, str]:
    found = {}
    for table, columns in columns_of_tables(setup).items():
        if table in NOT_COMPARED:
            continue
        left_out = NOT_SEEDED | ({"id", "created_at"} if table in KEPT_BY_TRIGGERS else set())
        row = ", ".join(column for column in columns if column not in left_out)
        found[table] = one(
            setup,
            f"SELECT COUNT(*) || ' ' || md5(COALESCE(string_agg(md5(CAST(ROW({row}) AS text)), '' "
            f"ORDER BY md5(CAST(ROW({row}) AS text))), '')) FROM {table}"
            + (" WHERE kind = 'customer'" if table == "workspaces" else ""),
        )
    return found


def test_the_same_seed_gives_the_same_rows_on_both_servers(demo: Database, server15: Server) -> None:
    with new_database(server15) as other:
        load(other.setup)
        first, second = fingerprints(demo.setup), fingerprints(other.setup)
    assert {table for table in first if first[table] != second[table]} == set()


def test_another_seed_gives_another_business(demo: Database, database: Database) -> None:
    load(database.setup, seed=8)
    question = "SELECT string_agg(name, ',' ORDER BY name) FROM users"
    assert one(demo.setup, question) != one(database.setup, question)


def test_every_tenant_table_that_pages_show_has_rows(demo: Database) -> None:
    empty = {table for table in columns_of_tables(demo.setup) if one(demo.setup, f"SELECT COUNT(*) FROM {table}") == 0}
    of_the_team = {"team_members", "team_sessions", "api_tokens", "sign_in_limits", "saved_views", "annotations"}
    running = {"ai_holds", "quota_reservations"}
    planned = {"plan_simulations", "plan_simulation_workspaces", "plan_approvals", "plan_migrations"}
    audited = {"audit_seals", "audit_verifications"}
    working = {"job_schedules", "job_workers"}
    assert empty == {*of_the_team, *running, *planned, *audited, *working, "fact_tombstones"}


def test_fifty_workspaces_in_three_currencies_use_five_products(demo: Database) -> None:
    assert one(demo.setup, "SELECT COUNT(*) FROM workspaces WHERE kind = 'customer'") == 50
    assert one(demo.setup, "SELECT COUNT(DISTINCT currency) FROM workspaces WHERE kind = 'customer'") == 3
    assert one(demo.setup, "SELECT COUNT(*) FROM workspaces WHERE timezone = 'Asia/Kolkata'") > 0
    assert one(demo.setup, "SELECT COUNT(DISTINCT product) FROM subscriptions") == 5


def test_nothing_lies_in_the_future_and_nothing_is_older_than_thirteen_months(demo: Database) -> None:
    for table, column in (
        ("email_events", "occurred_at"),
        ("campaign_events", "occurred_at"),
        ("conversions", "occurred_at"),
        ("ai_generations", "created_at"),
        ("usage_logs", "logged_at"),
    ):
        ((first, last),) = ask(demo.setup, f"SELECT MIN({column}), MAX({column}) FROM {table}")
        assert last.date() < TODAY
        assert (TODAY - first.date()).days <= 405


def test_what_a_template_says_now_is_kept_once_where_it_was_published_and_not_at_all_of_a_draft(demo: Database) -> None:
    amiss = """
        SELECT COUNT(*)
        FROM templates AS t
        LEFT JOIN template_versions AS v
            ON v.workspace_id = t.workspace_id AND v.template_id = t.id AND v.version >= t.current_version
        WHERE CASE
            WHEN t.status = 'draft' THEN v.id IS NOT NULL
            ELSE (v.reason, v.subject, v.preheader, v.html_content, v.text_content, v.sections) IS DISTINCT FROM
                ('publish', t.subject, t.preheader, t.html_content, t.text_content, sections_of(t.workspace_id, t.id))
        END
    """
    assert one(demo.setup, amiss) == 0
    assert one(demo.setup, "SELECT COUNT(*) FROM template_versions WHERE reason <> 'publish'") > 0


def test_funnels_hold_in_every_campaign(demo: Database) -> None:
    question = """
        SELECT COUNT(*) FROM email_campaigns
        WHERE emails_delivered > emails_sent OR emails_opened > emails_delivered OR emails_clicked > emails_delivered
            OR emails_unsubscribed > emails_delivered OR emails_complained > emails_delivered
            OR emails_bounced > emails_sent
    """
    assert one(demo.setup, question) == 0
    assert one(demo.setup, "SELECT COUNT(*) FROM email_campaigns WHERE emails_opened > 0") > 50


def test_opens_are_repeated_and_machines_open_too(demo: Database) -> None:
    assert one(demo.setup, "SELECT COUNT(*) FROM email_sends WHERE opens > 1") > 0
    ((machine, human, unmarked),) = ask(
        demo.setup,
        """
        SELECT COUNT(*) FILTER (WHERE is_machine_open), COUNT(*) FILTER (WHERE NOT is_machine_open),
            COUNT(*) FILTER (WHERE is_machine_open IS NULL OR machine_rules_version <> 1)
        FROM email_events WHERE event_type = 'opened'
        """,
    )
    assert machine > 0
    assert human > 0
    assert unmarked == 0


def test_soft_bounces_that_were_delivered_later_are_no_bounces(demo: Database) -> None:
    recovered = "SELECT COUNT(*) FROM email_sends WHERE soft_bounced_at < last_delivered_at"
    assert one(demo.setup, recovered) > 0
    assert one(demo.setup, f"{recovered} AND first_bounced_at IS NOT NULL") == 0


def test_some_events_arrive_hours_late_and_out_of_order(demo: Database) -> None:
    assert one(demo.setup, "SELECT COUNT(*) FROM email_events WHERE created_at > occurred_at + interval '1 hour'") > 0


@pytest.mark.parametrize(
    ("counters", "recount"),
    [
        (
            """SELECT workspace_id, campaign_id, emails_sent, emails_delivered, emails_opened, emails_clicked,
                emails_unsubscribed, emails_complained FROM email_campaigns WHERE emails_sent > 0""",
            """SELECT workspace_id, campaign_id,
                COUNT(DISTINCT contact_id) FILTER (WHERE event_type = 'sent'),
                COUNT(DISTINCT contact_id) FILTER (WHERE event_type = 'delivered'),
                COUNT(DISTINCT contact_id) FILTER (WHERE event_type = 'opened'),
                COUNT(DISTINCT contact_id) FILTER (WHERE event_type = 'clicked'),
                COUNT(DISTINCT contact_id) FILTER (WHERE event_type = 'unsubscribed'),
                COUNT(DISTINCT contact_id) FILTER (WHERE event_type = 'complained')
            FROM email_events GROUP BY 1, 2""",
        ),
        (
            """SELECT workspace_id, campaign_id, emails_bounced FROM email_campaigns WHERE emails_bounced > 0""",
            """SELECT workspace_id, campaign_id, COUNT(*) FROM (
                SELECT workspace_id, campaign_id, contact_id FROM email_events
                GROUP BY 1, 2, 3
                HAVING bool_or(bounce_type = 'hard')
                    OR MAX(occurred_at) FILTER (WHERE bounce_type IN ('soft', 'undetermined'))
                        > COALESCE(MAX(occurred_at) FILTER (WHERE event_type = 'delivered'), '-infinity')
            ) AS bounced GROUP BY 1, 2""",
        ),
        (
            """SELECT workspace_id, campaign_id, contact_id, first_sent_at, first_delivered_at, last_delivered_at,
                first_opened_at, first_human_opened_at, first_clicked_at, last_engaged_at, hard_bounced_at,
                soft_bounced_at, undetermined_bounced_at, last_transient_bounced_at, first_unsubscribed_at,
                first_complained_at, opens, machine_opens, clicks FROM email_sends""",
            """SELECT workspace_id, campaign_id, contact_id,
                MIN(occurred_at) FILTER (WHERE event_type = 'sent'),
                MIN(occurred_at) FILTER (WHERE event_type = 'delivered'),
                MAX(occurred_at) FILTER (WHERE event_type = 'delivered'),
                MIN(occurred_at) FILTER (WHERE event_type = 'opened'),
                MIN(occurred_at) FILTER (WHERE event_type = 'opened' AND NOT is_machine_open),
                MIN(occurred_at) FILTER (WHERE event_type = 'clicked'),
                MAX(occurred_at) FILTER (WHERE event_type = 'clicked' OR event_type = 'opened' AND NOT is_machine_open),
                MIN(occurred_at) FILTER (WHERE bounce_type = 'hard'),
                MIN(occurred_at) FILTER (WHERE bounce_type = 'soft'),
                MIN(occurred_at) FILTER (WHERE bounce_type = 'undetermined'),
                MAX(occurred_at) FILTER (WHERE bounce_type IN ('soft', 'undetermined')),
                MIN(occurred_at) FILTER (WHERE event_type = 'unsubscribed'),
                MIN(occurred_at) FILTER (WHERE event_type = 'complained'),
                COUNT(*) FILTER (WHERE event_type = 'opened'),
                COUNT(*) FILTER (WHERE event_type = 'opened' AND is_machine_open),
                COUNT(*) FILTER (WHERE event_type = 'clicked')
            FROM email_events GROUP BY 1, 2, 3""",
        ),
        (
            "SELECT workspace_id, id, last_engaged_at FROM contacts WHERE last_engaged_at IS NOT NULL",
            """SELECT workspace_id, contact_id, MAX(occurred_at) FROM email_events
            WHERE event_type = 'clicked' OR event_type = 'opened' AND NOT is_machine_open GROUP BY 1, 2""",
        ),
        (
            "SELECT workspace_id, id, contact_count FROM lists WHERE contact_count > 0",
            "SELECT workspace_id, list_id, COUNT(*) FROM list_contacts GROUP BY 1, 2",
        ),
        (
            "SELECT workspace_id, campaign_id, views, clicks FROM web_campaigns WHERE views > 0",
            """SELECT workspace_id, campaign_id, COUNT(*) FILTER (WHERE event_type = 'view'),
                COUNT(*) FILTER (WHERE event_type = 'click') FROM campaign_events GROUP BY 1, 2""",
        ),
        (
            "SELECT workspace_id, id, views, clicks FROM campaign_components WHERE views + clicks > 0",
            """SELECT workspace_id, component_id, COUNT(*) FILTER (WHERE event_type = 'view') AS views,
                COUNT(*) FILTER (WHERE event_type = 'click') FROM campaign_events
            WHERE component_id IS NOT NULL AND event_type IN ('view', 'click') GROUP BY 1, 2""",
        ),
        (
            "SELECT workspace_id, campaign_id, conversions, revenue_generated FROM web_campaigns WHERE conversions > 0",
            """SELECT c.workspace_id, c.campaign_id, COUNT(*),
                COALESCE(SUM(c.value) FILTER (WHERE c.currency = k.currency), 0)
            FROM conversions AS c JOIN campaigns AS k ON k.id = c.campaign_id GROUP BY 1, 2""",
        ),
        (
            "SELECT workspace_id, id, conversions FROM campaign_components WHERE conversions > 0",
            "SELECT workspace_id, component_id, COUNT(*) FROM conversions WHERE component_id IS NOT NULL GROUP BY 1, 2",
        ),
        (
            """SELECT workspace_id, campaign_id, total_spend, total_impressions, total_clicks, total_conversions,
                total_revenue FROM ad_campaigns""",
            """SELECT workspace_id, campaign_id, SUM(spend), SUM(impressions), SUM(clicks), SUM(conversions),
                SUM(revenue) FROM performance_analytics WHERE breakdown = 'none' GROUP BY 1, 2""",
        ),
        (
            """SELECT workspace_id, user_id, date, provider, model, cost, generations_count, failed_count,
                unpriced_count, tokens_used FROM ai_cost_tracking""",
            """SELECT workspace_id, user_id, CAST(created_at AT TIME ZONE 'UTC' AS date), provider, model,
                COALESCE(SUM(cost), 0), COUNT(*), COUNT(*) FILTER (WHERE status = 'failed'),
                COUNT(*) FILTER (WHERE status IN ('completed', 'failed', 'cancelled') AND cost IS NULL),
                SUM(input_tokens + cached_input_tokens + cache_write_tokens + output_tokens + reasoning_tokens)
            FROM ai_generations GROUP BY 1, 2, 3, 4, 5""",
        ),
        (
            """SELECT workspace_id, user_id, month, ai_credits_used, campaigns_generated, storage_bytes_used,
                api_calls_made FROM user_usage""",
            """SELECT workspace_id, user_id, CAST(date_trunc('month', logged_at AT TIME ZONE 'UTC') AS date),
                SUM(credits_consumed), COALESCE(SUM(quantity) FILTER (WHERE feature = 'campaign_creation'), 0),
                COALESCE(SUM(quantity) FILTER (WHERE feature = 'storage'), 0),
                COALESCE(SUM(quantity) FILTER (WHERE feature = 'api_call'), 0)
            FROM usage_logs GROUP BY 1, 2, 3""",
        ),
    ],
    ids=[
        "e-mail campaigns",
        "bounces",
        "sends",
        "engagement of contacts",
        "lists",
        "web campaigns",
        "components",
        "revenue",
        "conversions of components",
        "ad campaigns",
        "AI cost of days",
        "usage of months",
    ],
)
def test_counters_equal_a_recount(demo: Database, counters: str, recount: str) -> None:
    kept, counted = set(map(tuple, ask(demo.setup, counters))), set(map(tuple, ask(demo.setup, recount)))
    assert len(kept) > 0
    assert kept == counted


def test_repeats_of_the_last_days_were_dropped_and_counted(demo: Database) -> None:
    assert one(demo.setup, "SELECT SUM(repeats) FROM email_event_repeats") > 0
    assert one(demo.setup, "SELECT COUNT(*) - COUNT(DISTINCT (provider, provider_event_key)) FROM email_events"
               " WHERE provider_event_key IS NOT NULL") == 0  # fmt: skip
    # What the triggers let in is remembered, and so is the history of a week.
    forgotten = """
        SELECT COUNT(*) FROM email_events AS e
        WHERE e.occurred_at >= TIMESTAMPTZ '2026-11-18 00:00+00' - interval '7 days'
            AND NOT EXISTS (SELECT FROM email_event_keys AS k WHERE k.event_id = e.id)
    """
    assert one(demo.setup, forgotten) == 0


def test_credits_run_up_to_the_balance_of_each_customer(demo: Database) -> None:
    wrong = """
        SELECT COUNT(*) FROM (
            SELECT balance_after, position,
                SUM(amount) OVER ledger AS running, ROW_NUMBER() OVER ledger AS place
            FROM credit_transactions WINDOW ledger AS (PARTITION BY workspace_id, user_id ORDER BY position)
        ) AS rows WHERE balance_after <> running OR position <> place
    """
    assert one(demo.setup, wrong) == 0
    unequal = """
        SELECT COUNT(*) FROM users AS u
        WHERE u.credits_balance <> COALESCE((SELECT SUM(amount) FROM credit_transactions WHERE user_id = u.id), 0)
    """
    assert one(demo.setup, unequal) == 0
    kinds = one(demo.setup, "SELECT array_agg(DISTINCT type ORDER BY type) FROM credit_transactions")
    assert {"expiry", "grant", "purchase", "refund", "usage"} <= set(kinds)


def test_every_side_of_an_ad_day_adds_up_to_its_total(demo: Database) -> None:
    unequal = """
        SELECT COUNT(*) FROM (
            SELECT campaign_id, date, breakdown, SUM(impressions) AS i, SUM(clicks) AS c, SUM(spend) AS s,
                SUM(conversions) AS v, SUM(revenue) AS r
            FROM performance_analytics WHERE breakdown <> 'none' GROUP BY 1, 2, 3
        ) AS side
        JOIN performance_analytics AS total USING (campaign_id, date)
        WHERE total.breakdown = 'none' AND (side.i, side.c, side.s, side.v, side.r)
            <> (total.impressions, total.clicks, total.spend, total.conversions, total.revenue)
    """
    assert one(demo.setup, unequal) == 0
    assert one(demo.setup, "SELECT COUNT(DISTINCT breakdown) FROM performance_analytics") == 5
    assert one(demo.setup, "SELECT COUNT(*) FROM performance_analytics WHERE restatements > 0") > 0
    assert one(demo.setup, "SELECT COUNT(*) FROM performance_analytics WHERE spend = 0 AND revenue > 0") > 0


def test_costs_follow_from_the_price_book_exactly(demo: Database) -> None:
    priced = """
        SELECT g.id, g.cost, SUM(p.price / p.per * CASE p.unit
            WHEN 'input' THEN g.input_tokens
            WHEN 'cached_input' THEN g.cached_input_tokens
            WHEN 'cache_write_5m' THEN g.cache_write_tokens
            WHEN 'output' THEN g.output_tokens
            WHEN 'reasoning' THEN g.reasoning_tokens
            WHEN 'image' THEN g.images
            WHEN 'video_second' THEN g.video_seconds
        END) AS recomputed
        FROM ai_generations AS g
        LEFT JOIN ai_prices AS p ON p.provider = g.provider AND p.model = g.model AND p.service_tier = g.service_tier
            AND p.valid_from <= g.created_at AND (p.valid_to IS NULL OR g.created_at < p.valid_to)
            AND p.variant IN ('', g.image_size || '/' || g.image_quality) AND p.version = g.price_version
        GROUP BY g.id, g.cost
    """
    assert one(demo.setup, f"SELECT COUNT(*) FROM ({priced}) AS p WHERE cost IS DISTINCT FROM recomputed") == 0
    assert one(demo.setup, "SELECT COUNT(*) FROM ai_generations WHERE cost IS NULL AND status = 'completed'") > 0
    assert one(demo.setup, "SELECT COUNT(DISTINCT price_version) FROM ai_generations WHERE model = 'gpt-4o'") == 2


def test_retries_share_their_request_and_the_outage_shows(demo: Database) -> None:
    assert one(demo.setup, "SELECT COUNT(*) FROM ai_generations WHERE attempt = 2") > 0
    alone = """
        SELECT COUNT(*) FROM ai_generations AS again
        WHERE again.attempt = 2 AND NOT EXISTS (
            SELECT FROM ai_generations AS first WHERE first.request_key = again.request_key AND first.attempt = 1
                AND first.status = 'failed')
    """
    assert one(demo.setup, alone) == 0
    day = Season(TODAY).outage // 1_000_000
    failures = f"SELECT COUNT(*) FROM ai_generations WHERE error_code = 'provider_unavailable' AND created_at >= to_timestamp({day}) AND created_at < to_timestamp({day} + 86400)"  # noqa: E501
    assert one(demo.setup, failures) > 0


def test_invoices_add_up_and_payments_pay_them(demo: Database) -> None:
    unequal = """
        SELECT COUNT(*) FROM invoices AS i
        JOIN LATERAL (
            SELECT SUM(amount_minor) AS amount, SUM(discount_minor) AS discount, SUM(tax_minor) AS tax
            FROM invoice_lines AS l WHERE l.workspace_id = i.workspace_id AND l.invoice_id = i.id
        ) AS lines ON true
        WHERE (i.subtotal_minor, i.discount_minor, i.tax_minor)
            IS DISTINCT FROM (lines.amount, lines.discount, lines.tax)
    """
    assert one(demo.setup, unequal) == 0
    unpaid = """
        SELECT COUNT(*) FROM invoices AS i
        WHERE i.status = 'paid' AND i.amount_paid_minor IS DISTINCT FROM (
            SELECT CAST(SUM(p.amount) * 100 AS bigint) FROM payments AS p
            WHERE p.invoice_id = i.id AND p.status IN ('completed', 'refunded'))
    """
    assert one(demo.setup, unpaid) == 0
    states = one(demo.setup, "SELECT array_agg(DISTINCT status) FROM invoices")
    assert {"draft", "paid", "void"} <= set(states)
    assert one(demo.setup, "SELECT COUNT(*) FROM invoices WHERE kind = 'credit_note'") > 0
    assert one(demo.setup, "SELECT COUNT(*) FROM payments WHERE status = 'failed'") > 0


def test_subscriptions_rise_fall_end_and_come_back(demo: Database) -> None:
    histories = ask(
        demo.setup,
        "SELECT array_agg(tier ORDER BY started_at), array_agg(status ORDER BY started_at) FROM subscriptions"
        " GROUP BY workspace_id, product HAVING COUNT(*) > 1",
    )
    assert any(states[0] == "expired" for _, states in histories)
    assert any(states[0] == "cancelled" for _, states in histories)
    assert one(demo.setup, "SELECT COUNT(*) FROM subscriptions WHERE trial_ends_at IS NOT NULL") > 0
    wave = Season(TODAY).churn_wave // 1_000_000
    question = f"SELECT COUNT(*) FROM subscriptions WHERE ends_at >= to_timestamp({wave}) AND ends_at < to_timestamp({wave + 7 * 86400})"  # noqa: E501
    assert one(demo.setup, question) >= 3


def test_whoever_pays_goes_on_paying_when_the_plan_changes(demo: Database) -> None:
    """A trial of the next plan would read as churn, and its end as a customer who came back."""
    changed = """
        SELECT COUNT(*) FROM subscriptions AS s
        JOIN subscriptions AS b
            ON b.workspace_id = s.workspace_id AND b.product = s.product AND b.ends_at = s.started_at AND b.price > 0
    """
    assert one(demo.setup, changed) > 0
    assert one(demo.setup, f"{changed} WHERE s.trial_ends_at IS NOT NULL") == 0


def test_secrets_are_sealed_for_their_row(demo: Database) -> None:
    for table, column in (
        ("meta_accounts", "access_token"),
        ("platform_integrations", "encrypted_credentials"),
        ("subscriptions", "payment_id"),
        ("payments", "provider_payment_id"),
    ):
        row_id, sealed = ask(demo.setup, f"SELECT id, {column} FROM {table} WHERE {column} IS NOT NULL LIMIT 1")[0]
        assert VAULT.open(sealed, Place(table, column, row_id))


RESERVED = r"(^|\.)(example|test|invalid|localhost)$|(^|\.)example\.(com|org|net)$"


def test_no_domain_or_address_of_anybody_real_is_anywhere(demo: Database) -> None:
    """Every text of every table: hosts of links, domains of e-mail addresses, IP addresses."""
    with demo.setup.connect() as connection:
        for table, columns in columns_of_tables(demo.setup).items():
            row = ", ".join(columns)
            strangers = connection.execute(
                text(
                    f"""
                    SELECT DISTINCT lower(found[1]) FROM (
                        SELECT regexp_matches(CAST(ROW({row}) AS text), :pattern, 'g') AS found FROM {table}
                    ) AS domains WHERE lower(found[1]) !~ :reserved
                    """
                ),
                {"pattern": r"(?:https?://|@)([A-Za-z0-9][A-Za-z0-9.-]*[A-Za-z0-9])", "reserved": RESERVED},
            ).scalars()
            assert list(strangers) == [], table
            addresses = connection.execute(
                text(
                    f"""
                    SELECT DISTINCT found[1] FROM (
                        SELECT regexp_matches(CAST(ROW({row}) AS text), :pattern, 'g') AS found FROM {table}
                    ) AS addresses WHERE found[1] !~ '^(192\\.0\\.2|198\\.51\\.100|203\\.0\\.113)\\.'
                    """
                ),
                {"pattern": r"\m(\d{1,3}\.\d{1,3}\.\d{1,3}\.\d{1,3})\M"},
            ).scalars()
            assert list(addresses) == [], table
    six = "SELECT COUNT(*) FROM email_events WHERE family(ip_address) = 6 AND NOT ip_address << '2001:db8::/32'"
    assert one(demo.setup, six) == 0


def test_loading_again_changes_nothing_and_says_so(demo: Database) -> None:
    before = one(demo.setup, "SELECT COUNT(*) FROM email_events")
    again = load(demo.setup, today=date(2026, 11, 25))
    assert again.already_loaded
    assert again.today == TODAY
    assert one(demo.setup, "SELECT COUNT(*) FROM email_events") == before


def test_another_size_on_top_is_refused_with_the_way_out(demo: Database) -> None:
    with pytest.raises(SightlineError, match="holds the tiny demo of seed 7 already") as refused:
        load(demo.setup, size=Size.SMALL)
    assert "start over" in refused.value.fix


def test_a_database_with_a_customer_is_refused(database: Database) -> None:
    with database.setup.begin() as connection:
        connection.execute(text("INSERT INTO workspaces (name, slug) VALUES ('Real', 'real')"))
    with pytest.raises(SightlineError, match="holds customers' workspaces"):
        load(database.setup)
    assert one(database.setup, "SELECT COUNT(*) FROM users") == 0


def test_rows_of_the_house_survive_the_exchange_of_partitions(database: Database) -> None:
    with database.setup.begin() as connection:
        connection.execute(
            text(
                """
                WITH page AS (
                    INSERT INTO campaigns (workspace_id, product, channel, name)
                    VALUES (house_workspace(), 'web_builder', 'web', 'Our page') RETURNING id
                ), its_channel AS (
                    INSERT INTO web_campaigns (workspace_id, campaign_id, type)
                    SELECT house_workspace(), id, 'landing_page' FROM page
                )
                INSERT INTO campaign_events (workspace_id, campaign_id, event_type, occurred_at)
                SELECT house_workspace(), id, 'view', now() FROM page
                """
            )
        )
        today = connection.scalar(text("SELECT current_date"))
    load(database.setup, today=today)
    assert one(database.setup, "SELECT COUNT(*) FROM campaign_events WHERE workspace_id = house_workspace()") == 1


KILLED = """
import hashlib, os, sys
from datetime import date
from db.demo import Size, load_demo
from db.engine import engine_for
from db.vault import Vault
vault = Vault({"0a1b2c3d": hashlib.sha256(b"a key for tests").digest()}, "0a1b2c3d")
def die(step, done, total):
    if step == sys.argv[2]:
        os.kill(os.getpid(), 9)
load_demo(engine_for(sys.argv[1]), size=Size.TINY, seed=7, today=date(2026, 11, 21),
    seal=lambda place, secret: vault.seal(secret, place),
    digest=lambda secret: hashlib.sha256(secret.encode()).digest(), progress=die)
"""


@pytest.mark.parametrize("step", ["AI generations", "Months checked"])
def test_a_killed_load_leaves_nothing_and_can_be_repeated(database: Database, demo: Database, step: str) -> None:
    url = database.server.url(database.name)
    killed = subprocess.run([sys.executable, "-c", KILLED, url, step], check=False)
    assert killed.returncode == -9
    assert one(database.setup, "SELECT COUNT(*) FROM users") == 0
    wait_until_nobody_else_is_there(database.setup)
    assert not load(database.setup).already_loaded
    assert fingerprints(database.setup) == fingerprints(demo.setup)
    assert one(database.setup, "SELECT COUNT(*) FROM pg_namespace WHERE nspname = 'demo_staging'") == 0


def wait_until_nobody_else_is_there(setup: Engine) -> None:
    """The server notices a killed client when it next writes to it."""
    question = "SELECT COUNT(*) FROM pg_stat_activity WHERE datname = current_database() AND pid <> pg_backend_pid()"
    for _ in range(100):
        if one(setup, question) == 0:
            return
        time.sleep(0.05)
    raise AssertionError("A session of the killed process is still there.")


def test_a_reader_by_transaction_numbers_passes_over_no_row(database: Database) -> None:
    """A pull that ran during the load read up to its oldest transaction: no row of the demo lies below that."""
    bounds: list[int] = []

    def pull(step: str, done: int, total: int) -> None:
        if step == "Months checked":
            bounds.append(
                int(one(database.setup, "SELECT CAST(CAST(pg_snapshot_xmin(pg_current_snapshot()) AS text) AS bigint)"))
            )

    load_demo(
        database.setup,
        size=Size.TINY,
        seed=7,
        today=TODAY,
        seal=lambda place, secret: VAULT.seal(secret, place),
        digest=lambda secret: hashlib.sha256(secret.encode()).digest(),
        progress=pull,
    )
    oldest = int(one(database.setup, "SELECT MIN(CAST(CAST(row_xid AS text) AS bigint)) FROM email_events"))
    assert max(bounds) <= oldest


def test_keys_are_uuid_v7_of_the_time_of_their_row() -> None:
    (key,) = keys_at(np.random.default_rng(1), np.array([1_700_000_000_000_000]))
    assert int.from_bytes(key[:6].tobytes(), "big") == 1_700_000_000_000
    assert key[6] >> 4 == 7
    assert key[8] >> 6 == 0b10
