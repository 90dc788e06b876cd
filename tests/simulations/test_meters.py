"""Every meter that usage feeds: the replay, an independent walk and the engine refuse the same calls, told by hand.

Of ten, three are used before the window. Within it four are asked for, then five, then two: of single things three of
the five fit, and two and two are refused; a call of five at once is refused whole, and the two after it fit. By the day
what was before does not count: nine are taken, and of the two one fits, or the call of two does not.
"""

from collections.abc import Callable
from dataclasses import dataclass
from datetime import timedelta
from pathlib import Path

import pytest
from sqlalchemy import text

from db.tables.products import METERS
from tests import oracles
from tests.db.rows import campaign, contact, user, workspace
from tests.simulations.past import Past, at

WALK = (Path(oracles.__file__).parent / "plan_replay.sql").read_text(encoding="utf-8")
BEFORE, FIRST, SECOND, THIRD = at(1), at(5, 9), at(5, 10), at(5, 11)
SINCE = at(3)
USES = ((BEFORE, 3), (FIRST, 4), (SECOND, 5), (THIRD, 2))
# Calls, how much they asked for, and the first of them.
OF_EACH = {"lifetime": (4, 4, SECOND), "month": (4, 4, SECOND), "day": (1, 1, THIRD)}
OF_WHOLE = {"lifetime": (1, 5, SECOND), "month": (1, 5, SECOND), "day": (1, 2, THIRD)}
# A limit of versions that are kept of a template, which nothing uses up.
NOT_USED = {"template_versions"}


@dataclass(frozen=True)
class Feed:
    """How usage tells of a meter: in which product, whether a call takes several, and rows that must not count."""

    product: str
    lay: Callable[[Past, object, int], None]
    at_once: bool = False
    beside: Callable[[Past], None] = lambda _past: None


def generated(**values):
    return lambda past, moment, amount: past.generated(*[moment] * amount, **values)


def made(past, moment, amount, *, channel="web", home=None, **values):
    with past.shop.database.setup.begin() as connection:
        for _ in range(amount):
            campaign(connection, home or past.shop.workspace, channel, user_id=past.shop.owner, created_at=moment,
                **values)  # fmt: skip


def known(past, moment, amount, **values):
    with past.shop.database.setup.begin() as connection:
        return [contact(connection, past.shop.workspace, created_at=moment, **values).id for _ in range(amount)]


def sent(past, moment, amount):
    """Each e-mail twice told: of sending it again, and of an opening, nothing is used."""
    home = past.shop.workspace
    with past.shop.database.setup.begin() as connection:
        mailing = campaign(connection, home, "email", user_id=past.shop.owner, created_at=BEFORE).id
        readers = [contact(connection, home, created_at=BEFORE).id for _ in range(amount)]
    for reader in readers:
        for later, kind in ((0, "sent"), (3600, "sent"), (60, "opened")):
            past.shop.add("email_events", workspace_id=home, campaign_id=mailing, contact_id=reader, provider="ses",
                event_type=kind, occurred_at=moment + timedelta(seconds=later))  # fmt: skip


def paid_in_attempts(past, moment, amount):
    """The first attempt fails and takes no credits; both are one call."""
    with past.shop.database.setup.begin() as connection:
        key = connection.execute(text("SELECT uuid_v7()")).scalar_one()
    past.generated(moment, status="failed", request_key=key, credits_used=0)
    past.generated(moment + timedelta(seconds=5), request_key=key, attempt=2, credits_used=amount)


def elsewhere(past):
    """Another workspace does as much in the product."""
    with past.shop.database.setup.begin() as connection:
        other = workspace(connection, owner_id=user(connection).id, created_at=BEFORE).id
    past.generated(FIRST, home=other)
    made(past, FIRST, 1, home=other)


FEEDS = {
    "generations": Feed("web_builder", generated(), beside=elsewhere),
    "image_generations": Feed(
        "craft_ads", generated(generation_type="image"), beside=lambda past: past.generated(FIRST, SECOND)
    ),
    "video_generations": Feed(
        "ads_autopilot",
        generated(generation_type="video"),
        beside=lambda past: past.generated(FIRST, generation_type="image"),
    ),
    "ai_credits": Feed("ads_autopilot", paid_in_attempts, at_once=True, beside=lambda past: past.generated(FIRST)),
    "imagen": Feed(
        "ads_autopilot",
        lambda past, moment, amount: past.generated(moment, model="imagen-4", provider="google", images=amount),
        at_once=True,
        beside=lambda past: past.generated(FIRST, model="gpt-image-1", images=9),
    ),
    "veo": Feed(
        "ads_autopilot",
        generated(model="veo-3", provider="google", generation_type="video"),
        beside=lambda past: past.generated(FIRST, generation_type="video"),
    ),
    "api_calls": Feed(
        "mailer",
        lambda past, moment, amount: past.logged("api_call", (moment, amount)),
        at_once=True,
        beside=lambda past: past.logged("storage", (FIRST, 9)),
    ),
    "storage_bytes": Feed(
        "web_builder",
        lambda past, moment, amount: past.logged("storage", (moment, amount)),
        at_once=True,
        beside=lambda past: past.logged("api_call", (FIRST, 9)),
    ),
    "campaigns": Feed("web_builder", made, beside=elsewhere),
    "contacts": Feed("mailer", known, beside=lambda past: known(past, FIRST, 3, deleted_at=THIRD)),
    "emails": Feed("mailer", sent, beside=lambda past: made(past, FIRST, 2, channel="email")),
}


def test_no_meter_is_forgotten():
    assert FEEDS.keys() | NOT_USED == set(METERS)


@pytest.mark.parametrize("meter", FEEDS)
def test_a_limit_of_it_refuses_what_the_hand_the_walk_and_the_engine_refuse(database, meter):
    feed = FEEDS[meter]
    past = Past(database, product=feed.product)
    for moment, amount in USES:
        feed.lay(past, moment, amount)
    feed.beside(past)
    for period, told in (OF_WHOLE if feed.at_once else OF_EACH).items():
        past.shop.do("DELETE FROM plan_limits WHERE plan_id = :plan", plan=past.draft)
        past.limit(10, meter=meter, period=period)
        refused = past.refused(SINCE)
        assert (sum(calls for _, calls, _ in refused), sum(much for *_, much in refused), refused[0][0]) == told, period
        assert walked(past, meter, period) == told, period
        assert enforced(past, meter, at_once=feed.at_once) == told, period


@pytest.mark.parametrize("meter", ["contacts", "emails"])
def test_a_window_that_begins_within_a_minute_knows_what_was_used_before_it(database, meter):
    """Ten, seven before; ten seconds after the window begins four come: one is refused."""
    past, feed = Past(database, product="mailer"), FEEDS[meter]
    since = SINCE + timedelta(seconds=30)
    feed.lay(past, BEFORE, 7)
    feed.lay(past, since + timedelta(seconds=10), 4)
    past.limit(10, meter=meter, period="lifetime")
    assert past.refused(since) == [(since, 1, 1)]


def walked(past, meter, period):
    """By the text that knows nothing of the replay: who has the plan now would be moved to the draft."""
    named = {"product": past.product, "tier": "creator", "meter": meter, "period": period, "limit": 10, "grace": 0,
        "grace_days": 0, "since": SINCE, "until": past.until}  # fmt: skip
    with past.shop.database.setup.connect() as connection:
        [row] = connection.execute(text(WALK), named).all()
    return row.refused, row.amount, row.first_at


def enforced(past, meter, *, at_once):
    """The draft is the shop's for a while, and a product asks for the same, a thing or a call at a time."""
    past.shop.do("DELETE FROM quota_reservations")
    past.shop.do("DELETE FROM quota_balances")
    past.shop.do("UPDATE subscriptions SET plan_id = :plan", plan=past.draft)
    refused = []
    for moment, amount in USES:
        for number, one in enumerate([amount] if at_once else [1] * amount):
            key = f"{meter} {moment} {number}"
            told = past.shop.reserve(key, at=moment, meters={meter: one}, product=past.product)
            if told["verdict"] == "refused":
                refused.append((moment, one))
            else:
                past.shop.settle(key, at=moment)
    past.shop.do("UPDATE subscriptions SET plan_id = :plan", plan=past.shop.plan)
    return len(refused), sum(one for _, one in refused), refused[0][0]
