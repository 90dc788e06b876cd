"""Subscriptions: another version of a plan, cancelling at the end of the period, and resuming."""

from collections.abc import Mapping
from typing import Any
from uuid import UUID

from sqlalchemy import Connection, Engine, RowMapping, case, select, text, update

from app.access import Permission, Viewer
from app.commands.quotas import reason_given
from app.commands.stale import changed_by_others
from app.commands.workspaces import LIVE, require_seen
from app.records.customers import TAKEN
from db.engine import seeing
from db.errors import SightlineError
from db.tables.billing import Plan, Subscription


def change_plan(
    engine: Engine, by: Viewer, workspace: UUID, key: UUID, plan: UUID, *, revision: int, reason: str
) -> UUID:
    """Another published plan of the product, from now on: its limits rule at once, its price from the next invoice on.

    The plan that it had before.
    """
    by.require(Permission.CUSTOMERS_MANAGE)
    require_seen(by, workspace)
    with seeing(engine, by.workspaces, actor=by.name, reason=reason_given(reason)) as connection:
        found = _live(connection, workspace, key, revision)
        wanted = connection.execute(
            select(
                Plan.product, Plan.tier, Plan.price, Plan.currency, Plan.billing_period, Plan.status,
                Plan.generation_credits,
            ).where(Plan.id == plan)
        ).one_or_none()  # fmt: skip
        if wanted is None or wanted.product != found["product"]:
            raise SightlineError("There is no such plan of this product.", fix="Choose one of the list.")
        if wanted.status not in TAKEN:
            raise SightlineError(
                f"This plan is {'a draft' if wanted.status == 'draft' else wanted.status}.",
                why="Only what was published is sold.",
                fix="Publish it first.",
            )
        if wanted.currency != found["currency"]:
            raise SightlineError(
                f"The plan is in {wanted.currency}, and the subscription in {found['currency']}.",
                fix=f"Choose a plan in {found['currency']}.",
            )
        if plan == found["plan_id"]:
            raise SightlineError("The subscription has this plan already.", fix="Choose another one.")
        before: UUID = found["plan_id"]
        credits_of_plan = select(Plan.generation_credits).where(Plan.id == before).scalar_subquery()
        values = {
            "plan_id": plan, "tier": wanted.tier, "price": wanted.price, "billing_cycle": wanted.billing_period,
            # What was agreed with this customer alone stays.
            "monthly_ai_credits_limit": case(
                (Subscription.monthly_ai_credits_limit == credits_of_plan, wanted.generation_credits),
                else_=Subscription.monthly_ai_credits_limit,
            ),
        }  # fmt: skip
        _write(connection, workspace, key, values)
        # Balances that are open say what limits them now, and not only after the next call.
        connection.execute(
            text("SELECT renew_limits_of_plans(:workspace, :product, :plans)"),
            {"workspace": workspace, "product": found["product"], "plans": [before, plan]},
        )
    return before


def cancel_at_period_end(engine: Engine, by: Viewer, workspace: UUID, key: UUID, *, revision: int, reason: str) -> None:
    """It holds until the day that is paid for, and is not renewed."""
    _set(engine, by, workspace, key, revision=revision, reason=reason, is_ending=True)


def resume(engine: Engine, by: Viewer, workspace: UUID, key: UUID, *, revision: int, reason: str) -> None:
    """It is renewed at the end of the period, as if it had not been cancelled."""
    _set(engine, by, workspace, key, revision=revision, reason=reason, is_ending=False)


def _set(
    engine: Engine, by: Viewer, workspace: UUID, key: UUID, *, revision: int, reason: str, is_ending: bool
) -> None:
    by.require(Permission.CUSTOMERS_MANAGE)
    require_seen(by, workspace)
    with seeing(engine, by.workspaces, actor=by.name, reason=reason_given(reason)) as connection:
        found = _live(connection, workspace, key, revision)
        if found["cancel_at_period_end"] is is_ending:
            raise changed_by_others("cancelled at the end of its period" if is_ending else "renewed")
        _write(connection, workspace, key, {"cancel_at_period_end": is_ending})


def _live(connection: Connection, workspace: UUID, key: UUID, revision: int) -> RowMapping:
    """The subscription, locked; refused when it is over, or somebody else was faster."""
    found = connection.execute(
        select(
            Subscription.revision, Subscription.plan_id, Subscription.product, Subscription.tier,
            Subscription.currency, Subscription.price, Subscription.status, Subscription.cancel_at_period_end,
        )
        .where(Subscription.workspace_id == workspace, Subscription.id == key)
        .with_for_update()
    ).mappings().one_or_none()  # fmt: skip
    if found is None or found["status"] not in LIVE:
        raise SightlineError("This subscription is over, or was never there.", fix="Look at the list again.")
    if found["revision"] != revision:
        ends = ", cancelled at the end of its period" if found["cancel_at_period_end"] else ""
        raise changed_by_others(f"{found['product']} {found['tier']} for {found['price']:f} {found['currency']}{ends}")
    return found


def _write(connection: Connection, workspace: UUID, key: UUID, values: Mapping[str, Any]) -> None:
    connection.execute(
        update(Subscription).where(Subscription.workspace_id == workspace, Subscription.id == key).values(**values)
    )
