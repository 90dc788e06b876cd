"""The lists of plans: versions, and who has one, where they move, what was changed and what waits for approval."""

from collections.abc import Callable, Sequence
from typing import Any
from uuid import UUID

from sqlalchemy import Engine

from app.access import Viewer
from app.exports.given import key_named, key_of
from app.exports.wanted import LiveList, Wanted, whole
from app.records import plans
from app.records.reading import Page


def _plans(wanted: Wanted) -> Page[plans.PlanNow]:
    return whole(plans.plans(wanted.engine, wanted.viewer, products=wanted.given.get("product", ())))


def _approvals(wanted: Wanted) -> Page[plans.PlanApprovalNow]:
    key, products = key_of(wanted.given, "plan"), wanted.given.get("product", ())
    return whole(plans.approvals(wanted.engine, wanted.viewer, key, products=products, decided=True))


def _of_plan(read: Callable[[Engine, Viewer, UUID], Sequence[Any]]) -> Callable[[Wanted], Page[Any]]:
    return lambda wanted: whole(read(wanted.engine, wanted.viewer, key_named(wanted.given, "plan")))


_ONE = frozenset({"plan"})
PLAN_LISTS: dict[str, LiveList] = {
    "plans": LiveList(_plans, plans.PlanNow, frozenset({"product"})),
    "plan_subscribers": LiveList(_of_plan(plans.subscribers), plans.Subscriber, _ONE),
    "plan_moves": LiveList(_of_plan(plans.moves), plans.PlanMove, _ONE),
    "plan_changes": LiveList(_of_plan(plans.changes), plans.PlanChange, _ONE),
    "plan_approvals": LiveList(_approvals, plans.PlanApprovalNow, frozenset({"plan", "product"})),
}
