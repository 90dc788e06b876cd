"""Writers that a database meets at once: open transactions, commits in any order, deletions, dropped months."""

from datetime import UTC, datetime, timedelta
from random import Random

import psycopg
from psycopg import errors

from db.engine import run_script

# What may go wrong between writers: they wait for each other, or the month was dropped under them.
RIVALRY = (
    errors.DeadlockDetected,
    errors.LockNotAvailable,
    errors.SerializationFailure,
    errors.CheckViolation,
    errors.UniqueViolation,
    errors.ForeignKeyViolation,
    errors.UndefinedTable,
)
MONTHS = 4
EMAIL_TYPES = ("sent", "delivered", "opened", "clicked", "bounced", "unsubscribed", "complained")
WEB_TYPES = ("view", "click", "form_submit")

COMPANY = """
    SELECT make_partitions_between(current_date - 125, current_date + 30);
    INSERT INTO users (email, name) SELECT 'u' || n || '@people.example', 'U' || n FROM generate_series(1, 4) AS n;
    INSERT INTO workspaces (name, slug) SELECT 'W' || n, 'w' || n FROM generate_series(1, 3) AS n;
    INSERT INTO contacts (workspace_id, email)
        SELECT w.id, 'c' || n || '@d' || n % 3 || '.example' FROM workspaces AS w, generate_series(1, 12) AS n
        WHERE w.kind = 'customer';
    INSERT INTO campaigns (workspace_id, product, channel, name)
        SELECT w.id, k.product, k.channel, k.channel || n
        FROM workspaces AS w, generate_series(1, 3) AS n,
            (VALUES ('mailer', 'email'), ('web_builder', 'web'), ('ads_autopilot', 'ads')) AS k (product, channel)
        WHERE w.kind = 'customer';
    INSERT INTO email_campaigns (workspace_id, campaign_id)
        SELECT workspace_id, id FROM campaigns WHERE channel = 'email';
    INSERT INTO web_campaigns (workspace_id, campaign_id, type)
        SELECT workspace_id, id, 'funnel' FROM campaigns WHERE channel = 'web';
    INSERT INTO ad_campaigns (workspace_id, campaign_id, purpose)
        SELECT workspace_id, id, 'sales' FROM campaigns WHERE channel = 'ads';
"""
ADDING = (
    """INSERT INTO email_events (workspace_id, campaign_id, contact_id, event_type, provider, provider_event_key,
        occurred_at, bounce_type, is_machine_open, link_url)
    SELECT c.workspace_id, c.id, p.id, %(email_type)s, 'ses', md5(random()::text),
        %(at)s + random() * interval '1 day',
        CASE WHEN %(email_type)s = 'bounced' THEN 'soft' END, %(email_type)s = 'opened' AND random() < 0.3,
        CASE WHEN %(email_type)s = 'clicked' THEN 'https://shop.example/' END
    FROM (SELECT * FROM campaigns WHERE channel = 'email' ORDER BY random() LIMIT 3) AS c
    CROSS JOIN LATERAL (SELECT id FROM contacts WHERE workspace_id = c.workspace_id ORDER BY random() LIMIT 4) AS p""",
    """INSERT INTO campaign_events (workspace_id, campaign_id, event_type, occurred_at, session_id, source, medium)
    SELECT workspace_id, id, %(web_type)s, %(at)s, 's' || floor(random() * 6), 'search', 'cpc'
    FROM campaigns WHERE channel = 'web' ORDER BY random() LIMIT 4""",
    """INSERT INTO conversions (workspace_id, campaign_id, conversion_type, value, currency, occurred_at, session_id)
    SELECT workspace_id, id, 'purchase', round((random() * 90)::numeric, 2), 'USD', %(at)s, 's' || floor(random() * 6)
    FROM campaigns WHERE channel = 'web' ORDER BY random() LIMIT 2""",
    """INSERT INTO performance_analytics (workspace_id, campaign_id, date, impressions, clicks, spend, currency)
    SELECT workspace_id, id, CAST(%(at)s AS date), 100, 7, 3.25, 'USD' FROM campaigns WHERE channel = 'ads'
    ORDER BY random() LIMIT 3
    ON CONFLICT (workspace_id, campaign_id, date, breakdown, hour, platform, placement, age_range, gender, location)
        DO UPDATE SET impressions = performance_analytics.impressions + 1""",
    """INSERT INTO ai_generations (workspace_id, user_id, product, provider, model, generation_type, status,
        input_tokens, cost, price_version, created_at, generation_time_ms)
    SELECT w.id, (SELECT id FROM users ORDER BY random() LIMIT 1), 'craft_ads', 'openai', 'gpt-5', 'image',
        'completed', 10, 0.000123456789, 1, %(at)s, floor(random() * 9000)
    FROM workspaces AS w WHERE w.kind = 'customer' ORDER BY random() LIMIT 2""",
    """INSERT INTO usage_logs (workspace_id, user_id, product, feature, logged_at)
    SELECT w.id, (SELECT id FROM users ORDER BY random() LIMIT 1), 'craft_ads', 'api_call', %(at)s
    FROM workspaces AS w WHERE w.kind = 'customer' ORDER BY random() LIMIT 2""",
    """INSERT INTO contacts (workspace_id, email)
    SELECT id, md5(random()::text) || '@d9.example' FROM workspaces WHERE kind = 'customer'
    ORDER BY random() LIMIT 1""",
)
_SOME = "id IN (SELECT id FROM {table} WHERE abs(hashtext(id::text)) %% 7 = %(number)s ORDER BY id LIMIT 3)"
CHANGING = {
    "email_events": "UPDATE email_events SET is_machine_open = true WHERE event_type = 'opened' AND {some}",
    "conversions": "UPDATE conversions SET value = value + 1 WHERE {some}",
    "ai_generations": "UPDATE ai_generations SET accepted = true WHERE {some}",
    "campaigns": "UPDATE campaigns SET name = name || '+' WHERE {some}",
    "contacts": "UPDATE contacts SET email = md5(random()::text) || '@d' || %(number)s || '.example' WHERE {some}",
}
REMOVED = ("email_events", "campaign_events", "conversions", "performance_analytics", "usage_logs")
_CHANGING = tuple(sql.format(some=_SOME.format(table=table)) for table, sql in CHANGING.items())
_REMOVING = tuple(f"DELETE FROM {table} WHERE {_SOME.format(table=table)}" for table in REMOVED)
PARTED = ("email_events", "campaign_events", "conversions", "ai_generations", "usage_logs")


class Writers:
    """Several sessions, each perhaps in a transaction, and what one after another they do."""

    def __init__(self, url: str, dice: Random, sessions: int = 3) -> None:
        self._dice = dice
        self._today = datetime.now(UTC).replace(hour=12, minute=0, second=0, microsecond=0)
        self._sessions = [psycopg.connect(url) for _ in range(sessions)]
        for session in self._sessions:
            session.execute("SET lock_timeout = '300ms'")
            session.commit()

    def step(self) -> None:
        """One thing that one of the sessions does."""
        session = self._dice.choice(self._sessions)
        what = self._dice.choices((self._write, session.commit, session.rollback, self._part), weights=(70, 20, 6, 4))[
            0
        ]
        try:
            what() if what in (session.commit, session.rollback) else what(session)
        except RIVALRY:
            session.rollback()

    def settle(self) -> None:
        """Everybody commits."""
        for session in self._sessions:
            session.commit()

    def close(self) -> None:
        for session in self._sessions:
            session.close()

    def _write(self, session: psycopg.Connection) -> None:
        statements = self._dice.choices((ADDING, _CHANGING, _REMOVING), weights=(60, 25, 15))[0]
        session.execute(
            self._dice.choice(statements),
            {
                "at": self._today - timedelta(days=self._dice.randrange(MONTHS * 28)),
                "email_type": self._dice.choice(EMAIL_TYPES),
                "web_type": self._dice.choice(WEB_TYPES),
                "number": self._dice.randrange(7),
            },
        )

    def _part(self, session: psycopg.Connection) -> None:
        """An old month is dropped, emptied or made anew; a transaction of its own, as upkeep does it."""
        session.commit()
        fact = self._dice.choice(PARTED)
        month = (self._today - timedelta(days=28 * self._dice.randrange(2, MONTHS + 1))).strftime("%Y_%m")
        child = f"{fact}_{month}"
        there = session.execute("SELECT to_regclass(%s)", (child,)).fetchone() != (None,)
        if there:
            session.execute(f"{self._dice.choice(('DROP', 'TRUNCATE'))} TABLE {child}")
        else:
            session.execute("SELECT make_partitions_between(current_date - 125, current_date + 30)")
        session.commit()


def fill(connection) -> None:
    """Three workspaces with campaigns and contacts, and the months that facts fall into."""
    run_script(connection, COMPANY)
