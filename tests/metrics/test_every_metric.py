"""Every metric equals plain arithmetic over the rows: for any period, scope, product and zone, whatever was written."""

from collections.abc import Mapping
from dataclasses import dataclass
from datetime import date, timedelta
from decimal import Decimal
from uuid import UUID

import pytest
from hypothesis import HealthCheck, Phase, given, settings
from hypothesis import strategies as st
from sqlalchemy import text

from app.access import Role, Viewer
from app.metrics.desk import Desk
from app.metrics.errors import UnknownValueError
from app.metrics.glossary import metrics
from app.metrics.question import question
from tests.db.loaded import TODAY, demo_database
from tests.lake import random_facts as facts
from tests.lake.lakes import LakeOf
from tests.metrics.reckoned import (
    METER,
    METRICS,
    OF_A_DAY,
    OF_A_FEATURE,
    OF_A_METER,
    PERCENTILES,
    SUBJECTS,
    Books,
    Look,
)  # fmt: skip
from tests.servers import new_database

INDIA = "Asia/Kolkata"
STORIES = (
    facts.EMAIL, facts.AUDIENCE, facts.WEB, facts.ADS, facts.AI, facts.USAGE, facts.INVOICES, facts.SUBSCRIPTIONS,
)  # fmt: skip
QUIETLY = settings(
    derandomize=True,
    deadline=None,
    phases=(Phase.generate,),
    suppress_health_check=[HealthCheck.too_slow, HealthCheck.data_too_large, HealthCheck.function_scoped_fixture],
)


def test_every_metric_is_reckoned_once_more():
    assert {*METRICS, *OF_A_DAY} == set(metrics())


def workspaces(setup):
    """Of customers: by code, their keys."""
    with setup.connect() as connection:
        asked = text("SELECT code, id FROM workspaces WHERE kind = 'customer' ORDER BY code")
        return dict(connection.execute(asked).all())


def same(name, told, reckoned):
    if told is None or reckoned is None:
        return told is None and reckoned is None
    # Percentiles come from a histogram, quotients from floats; converted amounts keep so many places.
    near = 0.0101 if name in PERCENTILES else 1e-9
    return float(told) == pytest.approx(float(reckoned), rel=near, abs=1e-9)


def wrong(told, reckoned, look):
    """The metrics that an answer's row tells differently, with both figures."""
    figures = {name: (told[name], make(look)) for name, make in reckoned.items()}
    return {name: both for name, both in figures.items() if not same(name, *both)}


@dataclass(frozen=True)
class Case:
    """A period, a scope and a product, at a desk and in the books; `keys` are those of the scope's workspaces."""

    desk: Desk
    books: Books
    keys: Mapping[int, UUID]
    since: date
    until: date
    product: str | None

    def differences(self):
        """What the desk and plain arithmetic tell differently."""
        found = {}
        for reckoned, has_product in SUBJECTS.values():
            product = self.product if has_product else None
            found |= self._together(reckoned, {"product": product} if product else {}, product)
            found |= self._one_by_one(reckoned, {"product": product} if product else {}, product)
        found |= self._special(OF_A_FEATURE, {"feature": "api_call"})
        return found | self._special(OF_A_METER, {"meter": METER[0], "quota_period": METER[1]})

    def _special(self, reckoned, where):
        """Of a value that never occurs in the scope nothing is told: it is refused by name."""
        try:
            return self._together(reckoned, where)
        except UnknownValueError:
            look = Look(self.books, frozenset(self.keys), date.min, date.max)
            return {name: make(look) for name, make in reckoned.items() if make(look)}

    def _together(self, reckoned, where, product=None):
        (told,) = self._asked(reckoned, where)
        return wrong(told, reckoned, self._look(self.keys, product))

    def _one_by_one(self, reckoned, where, product):
        """Each workspace by itself; one of which nothing is told has nothing to tell."""
        told = {row["workspace"]: row for row in self._asked(reckoned, where, by="workspace")}
        found = {}
        for code, key in self.keys.items():
            look = self._look([code], product)
            row = told.get(str(key)) or {name: make(look) and None for name, make in reckoned.items()}
            found |= {(name, code): both for name, both in wrong(row, reckoned, look).items() if any(both)}
        return found

    def _asked(self, reckoned, where, **more):
        viewer = Viewer("Ada", frozenset({Role.ADMIN}), frozenset(self.keys.values()))
        return self.desk.ask(question(list(reckoned), self.since, self.until, where=where, **more), viewer).rows()

    def _look(self, codes, product):
        return Look(self.books, frozenset(codes), self.since, self.until, product)


# ---- The demo's business, in a zone that is half an hour off


@pytest.fixture(scope="module")
def demo(server18, tmp_path_factory):
    with demo_database(server18) as database:
        lake = LakeOf(database, tmp_path_factory.mktemp("lake"), INDIA)
        lake.refresh()
        desk = Desk(lake.lake, currency="USD")
        with database.setup.connect() as connection:
            # A function, since what Hypothesis is given it would spell out.
            held = desk, Books(connection, INDIA), workspaces(database.setup)
            yield lambda: held
        desk.close()


@settings(QUIETLY, max_examples=8)
@given(
    st.integers(1, 400).map(lambda days: TODAY - timedelta(days=days)),
    st.sampled_from([1, 7, 30, 90, 365]).map(timedelta),
    st.sampled_from([1, 2, 3, 100]),
    st.none() | st.sampled_from(["mailer", "web_builder", "craft_ads", "ads_autopilot"]),
)
def test_every_metric_of_the_demo_is_what_its_rows_add_up_to(demo, since, days, every, product):
    """Of all workspaces, and of every second, third or hundredth."""
    desk, books, keys = demo()
    seen = {code: key for place, (code, key) in enumerate(sorted(keys.items())) if place % every == 0}
    assert Case(desk, books, seen, since, since + days, product).differences() == {}


def test_reach_is_of_one_campaign_on_one_day(demo):
    desk, books, keys = demo()
    viewer = Viewer("Ada", frozenset({Role.ADMIN}), frozenset(keys.values()))
    rows = [row for row in books.rows("ad_days") if row["breakdown"] == "none" and row["reach"]]
    day = max(row["day"] for row in rows)
    asked = question(["reach", "frequency"], day, day + timedelta(days=1), by="campaign")
    told = sorted((row["reach"], row["frequency"]) for row in desk.ask(asked, viewer).rows() if row["reach"])
    counted = sorted((row["reach"], row["impressions"] / row["reach"]) for row in rows if row["day"] == day)
    assert [reach for reach, _ in told] == [reach for reach, _ in counted]
    assert [times for _, times in told] == pytest.approx([times for _, times in counted])


# ---- Whatever is written, in whatever order, seen in zones whose days differ


@pytest.fixture(scope="module")
def grounds(server18, tmp_path_factory):
    """A database and a lake for each zone: what is written comes into the lake by a refresh."""
    made = {}
    with new_database(server18) as database:
        with database.setup.begin() as connection:
            facts.make_room(connection)
            connection.execute(
                text(
                    "INSERT INTO fx_rates (day, currency, reporting_currency, rate, source) VALUES "
                    "('2020-01-01', 'INR', 'USD', 0.0125, 'bank'), ('2025-03-10', 'INR', 'USD', 0.0120, 'bank'), "
                    "('2020-01-01', 'JPY', 'USD', 0.0070, 'bank'), ('2025-04-01', 'JPY', 'USD', 0.0080, 'bank')"
                )
            )
        for zone in facts.ZONES:
            lake = LakeOf(database, tmp_path_factory.mktemp("lake"), zone)
            made[zone] = (lake, Desk(lake.lake, currency="USD"))
        yield lambda: (database, made)
        for _, desk in made.values():
            desk.close()


# What is told of a case that fails is long.
@pytest.mark.filterwarnings("ignore:Generating overly large repr")
@settings(QUIETLY, max_examples=12)
@given(
    st.tuples(*STORIES),
    st.sampled_from(facts.ZONES),
    st.sampled_from([date(2025, 1, 1), date(2025, 3, 9), date(2025, 3, 31), date(2025, 4, 5)]),
    st.sampled_from([1, 2, 28, 400]).map(timedelta),
    st.sampled_from([1, 2]),
    st.none() | st.sampled_from(["mailer", "craft_ads"]),
)
def test_every_metric_of_random_facts_is_what_its_rows_add_up_to(grounds, stories, zone, since, days, seen, product):  # noqa: PLR0917 - all of it is drawn
    """Each story comes in two refreshes, so that late rows, changes and deletions change what was counted already."""
    database, made = grounds()
    lake, desk = made[zone]
    with database.setup.begin() as connection:
        company = facts.company(connection)
    first = [step for story in stories for step in story[: len(story) // 2]]
    then = [step for story in stories for step in story[len(story) // 2 :]]
    for steps in (first, then):
        with database.setup.begin() as connection:
            for step in steps:
                company.take(connection, step)
        lake.refresh()
    keys = {tenant.code: tenant.id for tenant in company.tenants[:seen]}
    with database.setup.connect() as connection:
        assert Case(desk, Books(connection, zone), keys, since, since + days, product).differences() == {}


def test_a_wrong_figure_would_be_seen(demo):
    """The comparison itself: of a figure that is one off, both sides are told."""
    _, books, keys = demo()
    look = Look(books, frozenset(keys), date(2020, 1, 1), TODAY + timedelta(days=1))
    sent = METRICS["emails_sent"](look)
    assert wrong({"emails_sent": sent + 1}, {"emails_sent": METRICS["emails_sent"]}, look) == {
        "emails_sent": (sent + 1, sent)
    }
    assert sent > Decimal(0)
