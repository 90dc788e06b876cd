"""How each command of plans is given once: what is given, what is wrong another time, and what is said then."""

from datetime import timedelta
from typing import Any

from app.access import Role
from app.commands import plan_moves
from app.commands.plan_publishing import today
from tests.commands.company import Company
from tests.db.rows import NOON

NOBODY = "00000000-0000-7000-8000-000000000000"
TERMS = {"name": "Mailer Pro", "price": "20", "limits": {"emails month": {"amount": 100}}}


def live(company: Company) -> str:
    [(key,)] = company.ask("SELECT plan_id FROM subscriptions")
    return str(key)


def one(company: Company, status: str = "draft", **more: Any) -> dict[str, Any]:
    """A version of Mailer Pro that nobody has."""
    stamps = {"published": ("published_at",), "retired": ("published_at", "retired_at")}.get(status, ())
    key = company.add("plans", product="mailer", tier="pro", version=1, name="Mailer Pro", price=20, currency="USD",
        status=status, **dict.fromkeys(stamps, NOON))  # fmt: skip
    return {"key": str(key), "revision": 1, **more}


def simulated(company: Company) -> dict[str, Any]:
    draft = one(company, publishes_on=str(today()), reason="New prices")
    company.add("plan_simulations", plan_id=draft["key"], plan_revision=1, since=NOON, until=NOON + timedelta(days=1),
        currency="USD", revenue_before=9, revenue_after=9, ai_cost_before=1, ai_cost_after=1, margin_before=8,
        margin_after=8, workspaces=1, workspaces_hit_before=0, workspaces_hit=0, workspaces_eased=0, calls=1,
        refused_before=0, refused_after=0, unpriced=0)  # fmt: skip
    return draft


def asked(company: Company) -> dict[str, Any]:
    """By somebody who is not the one who decides."""
    key = company.add("plan_approvals", plan_id=simulated(company)["key"], plan_revision=1, publishes_on=today(),
        margin_after=10, margin_floor=30, asked_by=company.team[Role.FINANCE], asked_name="Ada",
        reason="A launch")  # fmt: skip
    return {"approval": str(key), "reason": "Looked at"}


def move(company: Company) -> dict[str, Any]:
    """From the plan that Acme has to a larger one of the same product."""
    larger = company.add("plans", product="web_builder", tier="agency", version=1, name="Agency", price=49,
        currency="USD", status="published", published_at=NOON)  # fmt: skip
    [(held,)] = company.ask("SELECT plan_id FROM subscriptions")
    offer = plan_moves.whom_it_touches(company.database.rw, company.viewer(Role.ADMIN), held, larger)
    return {"from_plan": str(held), "to_plan": str(larger), "seen": offer.seen, "when": "at once", "reason": "Larger"}


def moved(company: Company) -> dict[str, Any]:
    given = move(company)
    pair = [
        company.ask("SELECT id FROM plans WHERE id = :key", key=given[name])[0][0] for name in ("from_plan", "to_plan")
    ]
    done = plan_moves.move_subscriptions(
        company.database.rw, company.viewer(Role.ADMIN), *pair, seen=given["seen"], when="at once", reason="Larger"
    )
    return {"batch": str(done.batch), "reason": "Too dear"}


PLANS = {
    "plans.approve": (asked, {"reason": " "}, "This is done for a reason."),
    "plans.change": (lambda company: one(company, terms={**TERMS, "price": "25"}, reason="Costs rose"),
        {"terms": {"price": "-1"}}, "-1 is no price of a plan."),
    "plans.create": (lambda _: {"product": "mailer", "tier": "pro", "terms": TERMS}, {"tier": "golden"},
        "'golden' is no tier."),
    "plans.decline": (asked, {"approval": NOBODY}, "This was decided in between, or was never asked."),
    "plans.discard": (one, {"revision": 9}, "Nothing was done."),
    "plans.draft": (lambda company: {"source": live(company)}, {"source": NOBODY}, "No plan has this key."),
    "plans.move_subscriptions": (move, {"when": "soon"}, "'soon' is no time to move."),
    "plans.publish": (simulated, {"publishes_on": "2020-01-01"}, "A plan can't go live on 01 January 2020."),
    "plans.reinstate": (lambda company: one(company, "retired"), {"key": NOBODY}, "No plan has this key."),
    "plans.restore": (lambda company: one(company, "discarded"), {"revision": 9}, "Nothing was done."),
    "plans.retire": (lambda company: one(company, "published", reason="Nobody takes it"), {"reason": ""},
        "This is done for a reason."),
    "plans.undo_move": (moved, {"batch": NOBODY}, "Nothing was moved under this key."),
    "plans.unpublish": (lambda company: one(company, "published"), {"key": NOBODY}, "No plan has this key."),
}  # fmt: skip
