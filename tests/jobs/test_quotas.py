"""What killed calls held is freed by the worker, batch by batch, in whatever workspace it is."""

from datetime import UTC, datetime, timedelta

from app.jobs.catalogue import Catalogue
from app.jobs.quotas import quota_jobs
from tests.quotas.shop import make_shop

KINDS = Catalogue(quota_jobs())


def test_what_was_held_too_long_is_freed_in_every_workspace(each_yard):
    """Three reservations of half an hour ago, two at a time; the one of now stays."""
    shops = [make_shop(each_yard.database, tier=tier) for tier in ("creator", "agency")]
    long_ago = datetime.now(UTC) - timedelta(minutes=30)
    for number, shop in enumerate((*shops, shops[0])):
        shop.limit(10) if number < 2 else None
        shop.reserve(f"old {number}", at=long_ago)
    shops[0].reserve("new")
    each_yard.add("expire_quota_reservations", payload={"at_once": 2})
    each_yard.run(kinds=KINDS)
    each_yard.run(kinds=KINDS)
    assert each_yard.ask("SELECT idempotency_key, state FROM quota_reservations ORDER BY idempotency_key") == [
        ("new", "held"), ("old 0", "expired"), ("old 1", "expired"), ("old 2", "expired"),
    ]  # fmt: skip
    assert [shop.wrong_sums() for shop in shops] == [[], []]
    assert each_yard.ask("SELECT SUM(held) FROM quota_balances") == [(1,)]
