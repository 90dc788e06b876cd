"""Two weeks after a publication the worker looks at what happened, and whoever asks sees it beside the forecast."""

from decimal import Decimal

import pytest
from sqlalchemy import text

from app.commands.simulations import review_publication
from app.jobs.catalogue import Catalogue
from app.jobs.plans import REVIEW_PUBLICATIONS, plan_jobs
from app.records.outcomes import side_by_side
from app.records.simulations import review_waits_for, simulations
from tests.jobs.kinds import Yard
from tests.simulations.company import PUBLISHED, Company, publish

KINDS = Catalogue(plan_jobs())
OUTCOMES = "SELECT plan_id FROM plan_simulations WHERE kind = 'outcome'"


@pytest.fixture
def company(database):
    """Whose draft was simulated, and went live twenty days ago."""
    company = Company(database)
    company.limit(2, period="lifetime")
    company.generated(19 * 24, 10 * 24, 2 * 24)
    company.simulated()
    publish(company)
    return company


def work(company):
    yard = Yard(company.database)
    yard.add(REVIEW_PUBLICATIONS)
    yard.run(kinds=KINDS)
    return yard


def test_the_worker_looks_once_at_each_publication(company):
    work(company)
    assert company.shop.ask(OUTCOMES) == [(company.draft,)]
    [(actor, reason)] = company.shop.ask(
        "SELECT actor, after ->> 'kind' FROM audit_log WHERE table_name = 'plan_simulations' ORDER BY position DESC"
        " LIMIT 1"
    )
    assert (actor, reason) == ("the job review_publication", "outcome")
    work(company)
    assert company.shop.ask(OUTCOMES) == [(company.draft,)]


def test_it_does_not_look_where_somebody_did(company):
    review_publication(company.database.rw, company.admin(), company.draft)
    work(company)
    assert len(company.shop.ask(OUTCOMES)) == 1


def test_it_waits_for_the_end_of_the_two_weeks(company):
    company.shop.do("UPDATE plans SET published_at = now() - interval '13 days' WHERE id = :id", id=company.draft)
    work(company)
    assert company.shop.ask(OUTCOMES) == []


def test_what_was_never_forecast_is_not_judged(company):
    with company.database.setup.begin() as connection:
        connection.execute(text("TRUNCATE plan_simulations CASCADE"))
    work(company)
    assert company.shop.ask(OUTCOMES) == []


def test_without_an_exchange_rate_it_says_so_once_and_looks_when_rates_have_come_in(company):
    """Euros were paid, and nobody has said what one is worth: no attempt would help, so none is made in vain."""
    company.shop.do("UPDATE subscriptions SET currency = 'EUR'")
    told = []
    for _ in range(2):
        yard = work(company)
        assert set(yard.statuses()) == {"completed"}
        told.append(yard.ask("SELECT result ->> 'waits_for' FROM jobs WHERE job_type = 'review_publication'"))
    assert told[0] == told[1] == [(review_waits_for(company.database.ro, company.admin(), company.draft),)]
    assert "Nobody has said what one EUR is worth in USD." in told[0][0][0]
    assert company.shop.ask(OUTCOMES) == []
    company.shop.add("fx_rates", day=PUBLISHED.date(), currency="EUR", reporting_currency="USD", rate=2, source="test")
    work(company)
    assert company.shop.ask(OUTCOMES) == [(company.draft,)]
    assert review_waits_for(company.database.ro, company.admin(), company.draft) is None


def test_both_stand_side_by_side_as_in_thirty_days(company):
    """The forecast: 72 a month, three calls for 1.50 of which one would be refused. In two weeks two calls were made
    for 1.00, and 33.60 were paid: in 30 days 4.29, 2.14 and 72; nobody has used the limit up."""
    work(company)
    told = {one.name: one for one in side_by_side(simulations(company.database.ro, company.admin(), company.draft))}
    assert {name: (one.forecast, one.happened) for name, one in told.items()} == {
        "Workspaces": (1, 1),
        "Workspaces at a limit": (1, 0),
        "Calls": (3, Decimal("4.29")),
        "Revenue": (72, 72),
        "AI cost": (1, Decimal("2.14")),
        "Margin": (71, Decimal("69.86")),
    }
    assert told["Margin"].difference == Decimal("-1.14")


def test_before_anybody_looked_there_is_nothing_beside_the_forecast(company):
    assert side_by_side(simulations(company.database.ro, company.admin(), company.draft)) == ()
