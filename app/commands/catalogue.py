"""Every command by its name, and what is looked at before one is given: what it means, who may, and what it takes.

The API and its tests go by it.
"""

import inspect
from collections.abc import Callable, Collection, Iterable, Mapping, Sequence
from collections.abc import Set as AbstractSet
from dataclasses import dataclass
from functools import cached_property
from types import UnionType
from typing import Any, NotRequired, Required, Union, get_args, get_origin, get_type_hints

from pydantic import ConfigDict, TypeAdapter, ValidationError
from sqlalchemy import Engine
from typing_extensions import TypedDict

from app.access import Permission, Viewer
from app.commands import (
    alerts,
    annotations,
    bill_prices,
    bills,
    budgets,
    closes,
    company_settings,
    customers,
    integrations,
    jobs,
    pins,
    plan_moves,
    plan_publishing,
    plans,
    prices,
    quota_rules,
    quotas,
    retention,
    simulations,
    stops,
    subscriptions,
    team,
    team_rights,
    templates,
    templates_components,
    templates_drafted,
    templates_shelves,
    templates_states,
    tokens,
    views,
    workspaces,
)
from app.records import plans as plan_records
from db.errors import SightlineError

# Of what is given as JSON; what takes a file takes more.
_LARGEST = 1_000_000
_LARGEST_FILE = 32_000_000
_LARGEST_TEMPLATE = 8_000_000
_MOST_TOLD = 5
# To type checkers a class is written down, not made.
_typed_dict: Any = TypedDict
_SEVERAL = (Collection, Iterable, Sequence, AbstractSet)


class MalformedArgumentsError(SightlineError):
    """What was given is not what the command takes."""


@dataclass(frozen=True)
class Command:
    """One change that people make. What it takes is what its function takes, behind the engine and the person."""

    name: str
    does: Callable[..., Any]
    permission: Permission
    largest: int = _LARGEST
    # What whoever gives it puts beside the arguments: no program sends it.
    beside: tuple[str, ...] = ()
    # Why programs can't give it, where they can't.
    not_by_api: str = ""
    # Why no row of the audit log tells of it, where none does.
    not_audited: str = ""

    @property
    def meaning(self) -> str:
        """In a sentence."""
        return inspect.cleandoc(self.does.__doc__ or "").split("\n\n", maxsplit=1)[0]

    @cached_property
    def takes(self) -> TypeAdapter[dict[str, Any]]:
        """Strict: a number that is a text is no number, and a name that it does not know is a slip of the pen."""
        hints = get_type_hints(self.does)
        fields = {
            one.name: Required[plain] if one.default is one.empty else NotRequired[plain]
            for one in list(inspect.signature(self.does).parameters.values())[2:]
            if one.name not in self.beside
            for plain in [_plain(hints[one.name])]
        }
        made: Any = _typed_dict("Arguments", fields)
        made.__pydantic_config__ = ConfigDict(extra="forbid", val_json_bytes="base64", ser_json_bytes="base64")
        adapter: TypeAdapter[dict[str, Any]] = TypeAdapter(made)
        return adapter

    @property
    def schema(self) -> dict[str, Any]:
        """What it takes, for programs."""
        return self.takes.json_schema()

    def give(self, engine: Engine, by: Viewer, arguments: bytes | str, **beside: object) -> Any:  # noqa: ANN401 - what it answers
        """Do it, with arguments as JSON. Who may not is not told what is wrong with them."""
        by.require(self.permission)
        try:
            given = self.takes.validate_json(arguments, strict=True)
        except ValidationError as error:
            raise malformed(error, f"The arguments of {self.name}") from None
        return self.does(engine, by, **given, **beside)


def malformed(error: ValidationError, what: str) -> MalformedArgumentsError:
    """Where they are wrong and how; what was given is not repeated, for it may be a secret."""
    found = error.errors(include_url=False, include_context=False, include_input=False)
    told = [f"{'.'.join(map(str, one['loc'])) or 'All of it'}: {one['msg']}." for one in found[:_MOST_TOLD]]
    more = [f"And {len(found) - _MOST_TOLD} more."] if len(found) > _MOST_TOLD else []
    return MalformedArgumentsError(
        f"{what} can't be used.",
        why=" ".join([*told, *more]),
        fix="The list of commands has the schema of what each takes.",
    )


def _plain(hint: Any) -> Any:  # noqa: ANN401 - a type
    """The type as JSON has it: several of something, however they are taken, are a list."""
    origin, inner = get_origin(hint), get_args(hint)
    if origin in _SEVERAL:
        return tuple[_plain(inner[0]), ...]  # type: ignore[misc]  # a type that is made here
    if origin in {Union, UnionType}:
        return Union[tuple(_plain(one) for one in inner)]  # noqa: UP007 - of as many as there are
    return hint


def _named(*listed: Command) -> Mapping[str, Command]:
    return {one.name: one for one in sorted(listed, key=lambda one: one.name)}


COMMANDS = _named(
    Command("alerts.acknowledge", alerts.acknowledge_alert, Permission.BUDGETS_MANAGE),
    Command("alerts.snooze", alerts.snooze_alert, Permission.BUDGETS_MANAGE),
    Command("bills.approve", bills.approve_bill, Permission.MONTHS_CLOSE),
    Command("bills.open", bills.open_bill, Permission.MONTHS_CLOSE),
    Command("bills.read", bills.read_file, Permission.MONTHS_CLOSE, largest=_LARGEST_FILE),
    Command("bills.state_invoice", bills.state_invoice, Permission.MONTHS_CLOSE),
    Command("budgets.change", budgets.change_budget, Permission.BUDGETS_MANAGE),
    Command("budgets.create", budgets.create_budget, Permission.BUDGETS_MANAGE),
    Command("budgets.delete", budgets.delete_budget, Permission.BUDGETS_MANAGE),
    Command("budgets.pause", budgets.pause_budget, Permission.BUDGETS_MANAGE),
    Command("budgets.resume", budgets.resume_budget, Permission.BUDGETS_MANAGE),
    Command("components.edit", templates_components.edit_component, Permission.TEMPLATES_MANAGE),
    Command("components.offer_as_before", templates_components.offer_as_before, Permission.TEMPLATES_MANAGE),
    Command("components.publish", templates_components.publish_component, Permission.TEMPLATES_MANAGE),
    Command("components.retire", templates_components.retire_component, Permission.TEMPLATES_MANAGE),
    Command("components.roll_back", templates_components.roll_back_component, Permission.TEMPLATES_MANAGE),
    Command("credits.grant", quotas.grant_credits, Permission.QUOTAS_MANAGE),
    Command("credits.take_back", quotas.take_back_credits, Permission.QUOTAS_MANAGE),
    Command("customers.change_role", customers.change_role, Permission.CUSTOMERS_MANAGE),
    Command("customers.deactivate", customers.deactivate, Permission.CUSTOMERS_MANAGE),
    Command("customers.end_sessions", customers.end_sessions, Permission.CUSTOMERS_MANAGE),
    Command("customers.hand_over", customers.hand_over, Permission.CUSTOMERS_MANAGE),
    Command("customers.invite", customers.invite, Permission.CUSTOMERS_MANAGE),
    Command("customers.reactivate", customers.reactivate, Permission.CUSTOMERS_MANAGE),
    Command("customers.remove", customers.remove, Permission.CUSTOMERS_MANAGE),
    Command("integrations.ask_reauthorization", integrations.ask_reauthorization, Permission.INTEGRATIONS_MANAGE),
    Command("integrations.disable", integrations.disable_integration, Permission.INTEGRATIONS_MANAGE),
    Command("integrations.disconnect", integrations.disconnect_integration, Permission.INTEGRATIONS_MANAGE),
    Command("integrations.enable", integrations.enable_integration, Permission.INTEGRATIONS_MANAGE),
    Command(
        "integrations.withdraw_reauthorization",
        integrations.withdraw_reauthorization,
        Permission.INTEGRATIONS_MANAGE,
    ),
    Command("jobs.add", jobs.add_job, Permission.JOBS_MANAGE, beside=("kinds",)),
    Command("jobs.cancel", jobs.cancel_job, Permission.JOBS_MANAGE),
    Command("jobs.keep", jobs.keep_job, Permission.JOBS_MANAGE),
    Command("jobs.run_again", jobs.run_job_again, Permission.JOBS_MANAGE, beside=("kinds",)),
    Command("jobs.run_now", jobs.run_job_now, Permission.JOBS_MANAGE),
    Command("months.close", closes.close_month, Permission.MONTHS_CLOSE),
    Command("months.correct", closes.correct_month, Permission.MONTHS_CLOSE),
    Command("months.reopen", closes.reopen_month, Permission.MONTHS_CLOSE),
    Command("plans.approve", plan_publishing.approve, Permission.PLANS_MANAGE),
    Command("plans.change", plans.change_draft, Permission.PLANS_MANAGE),
    Command("plans.create", plans.new_draft, Permission.PLANS_MANAGE),
    Command("plans.decline", plan_publishing.decline, Permission.PLANS_MANAGE),
    Command("plans.discard", plans.discard_draft, Permission.PLANS_MANAGE),
    Command("plans.draft", plans.draft_from, Permission.PLANS_MANAGE),
    Command("plans.move_subscriptions", plan_moves.move_subscriptions, Permission.PLANS_MANAGE),
    Command("plans.publish", plan_publishing.publish, Permission.PLANS_MANAGE),
    Command("plans.reinstate", plan_publishing.reinstate, Permission.PLANS_MANAGE),
    Command("plans.restore", plans.restore_draft, Permission.PLANS_MANAGE),
    Command("plans.retire", plan_publishing.retire, Permission.PLANS_MANAGE),
    Command("plans.review", simulations.review_publication, Permission.PLANS_MANAGE),
    Command("plans.simulate", simulations.simulate_plan, Permission.PLANS_MANAGE, beside=("progress",)),
    Command("plans.undo_move", plan_moves.undo_move, Permission.PLANS_MANAGE),
    Command("plans.unpublish", plan_publishing.unpublish, Permission.PLANS_MANAGE),
    Command("prices.add", prices.propose_by_hand, Permission.PRICES_APPROVE),
    Command("prices.approve", prices.approve, Permission.PRICES_APPROVE),
    Command("prices.propose", prices.propose, Permission.PRICES_APPROVE),
    Command(
        "prices.propose_charged",
        prices.propose_charged,
        Permission.PRICES_APPROVE,
        not_by_api="What a bill charged is read from the bill: prices.propose_from_bills does it.",
    ),
    Command("prices.propose_from_bills", bill_prices.propose_from_bills, Permission.PRICES_APPROVE),
    Command(
        "prices.rate_new_calls",
        prices.price_new_calls,
        Permission.PRICES_APPROVE,
        not_audited="Each call keeps the version of the book by which it was priced, and the worker does this all day.",
    ),
    Command("prices.reject", prices.reject, Permission.PRICES_APPROVE),
    Command("quotas.change_override", quotas.change_override, Permission.QUOTAS_MANAGE),
    Command("quotas.end_override", quotas.end_override, Permission.QUOTAS_MANAGE),
    Command("quotas.give_up", quota_rules.give_up, Permission.QUOTAS_MANAGE),
    Command("quotas.override", quotas.override_quota, Permission.QUOTAS_MANAGE),
    Command("quotas.set_service_limits", quota_rules.set_service_limits, Permission.QUOTAS_MANAGE),
    Command("remarks.change", annotations.change_remark, Permission.OVERVIEW_READ),
    Command("remarks.delete", annotations.delete_remark, Permission.OVERVIEW_READ),
    Command("remarks.write", annotations.write_remark, Permission.OVERVIEW_READ),
    Command("retention.change", retention.change_retention, Permission.RETENTION_MANAGE),
    Command("settings.change", company_settings.change_setting, Permission.SETTINGS_MANAGE),
    Command("shelves.create", templates_shelves.create_shelf, Permission.TEMPLATES_MANAGE),
    Command("shelves.order", templates_shelves.order_shelves, Permission.TEMPLATES_MANAGE),
    Command("shelves.reinstate", templates_shelves.reinstate_shelf, Permission.TEMPLATES_MANAGE),
    Command("shelves.rename", templates_shelves.rename_shelf, Permission.TEMPLATES_MANAGE),
    Command("shelves.retire", templates_shelves.retire_shelf, Permission.TEMPLATES_MANAGE),
    Command("stops.end", stops.end_stop, Permission.AI_STOP),
    Command("stops.start", stops.start_stop, Permission.AI_STOP),
    Command("subscriptions.cancel", subscriptions.cancel_at_period_end, Permission.CUSTOMERS_MANAGE),
    Command("subscriptions.change_plan", subscriptions.change_plan, Permission.CUSTOMERS_MANAGE),
    Command("subscriptions.resume", subscriptions.resume, Permission.CUSTOMERS_MANAGE),
    Command("team.add", team.add_member, Permission.TEAM_MANAGE),
    Command("team.change", team_rights.change_member, Permission.TEAM_MANAGE),
    Command("team.deactivate", team_rights.deactivate_member, Permission.TEAM_MANAGE),
    Command("team.end_sessions", team_rights.end_sessions, Permission.TEAM_MANAGE),
    Command("team.reactivate", team_rights.reactivate_member, Permission.TEAM_MANAGE),
    Command(
        "team.reset_password",
        team_rights.reset_password,
        Permission.TEAM_MANAGE,
        not_by_api="A new password is told to a person, and not to a program that would sign in as them.",
    ),
    Command("templates.categorise", templates_states.categorise_templates, Permission.TEMPLATES_MANAGE),
    Command("templates.create", templates.create_template, Permission.TEMPLATES_MANAGE, largest=_LARGEST_TEMPLATE),
    Command("templates.delete", templates_states.delete_templates, Permission.TEMPLATES_MANAGE),
    Command(
        "templates.draft",
        templates_drafted.draft_template,
        Permission.TEMPLATES_MANAGE,
        beside=("client",),
        not_audited="Nothing is changed by it; the ledger of AI calls has it, with what it cost.",
    ),
    Command("templates.edit", templates.edit_template, Permission.TEMPLATES_MANAGE, largest=_LARGEST_TEMPLATE),
    Command("templates.feature", templates_states.feature_templates, Permission.TEMPLATES_MANAGE),
    Command("templates.publish", templates_states.publish_templates, Permission.TEMPLATES_MANAGE),
    Command("templates.put_on_shelves", templates_shelves.put_on_shelves, Permission.TEMPLATES_MANAGE),
    Command("templates.reinstate", templates_states.reinstate_templates, Permission.TEMPLATES_MANAGE),
    Command("templates.restore", templates_states.restore_templates, Permission.TEMPLATES_MANAGE),
    Command("templates.retire", templates_states.retire_templates, Permission.TEMPLATES_MANAGE),
    Command("templates.roll_back", templates.roll_back_template, Permission.TEMPLATES_MANAGE),
    Command("templates.take_back", templates_states.take_back, Permission.TEMPLATES_MANAGE),
    Command("templates.unfeature", templates_states.unfeature_templates, Permission.TEMPLATES_MANAGE),
    Command("templates.unpublish", templates_states.unpublish_templates, Permission.TEMPLATES_MANAGE),
    Command(
        "tokens.make",
        tokens.make_token,
        Permission.OVERVIEW_READ,
        not_by_api="A token makes no tokens: one that was stolen would live for ever. The page Account makes them.",
    ),
    Command("tokens.revoke", tokens.revoke_token, Permission.OVERVIEW_READ),
    Command("versions.pin", pins.pin_version, Permission.OVERVIEW_READ),
    Command("views.delete", views.delete_view, Permission.OVERVIEW_READ),
    Command("views.save", views.save_view, Permission.OVERVIEW_READ),
    Command("workspaces.delete", workspaces.delete_workspace, Permission.CUSTOMERS_MANAGE),
    Command("workspaces.restore", workspaces.restore_workspace, Permission.CUSTOMERS_MANAGE),
)
# Nothing is changed by these; what lists tell is not here.
LOOKS = _named(
    Command("plans.show", plan_records.plan, Permission.PLANS_READ),
    Command("plans.whom_it_touches", plan_moves.whom_it_touches, Permission.PLANS_MANAGE),
)
