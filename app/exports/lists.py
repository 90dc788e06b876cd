"""Lists that are read live from Postgres, each under a name: pages show some rows of one, a download holds them all."""

from collections.abc import Mapping
from dataclasses import replace
from datetime import UTC, date, datetime
from typing import Any
from zoneinfo import ZoneInfo

from app.exports import upkeep_lists
from app.exports.bill_lists import BILL_LISTS
from app.exports.given import Values, day_of, key_named, key_of, text_of
from app.exports.money_lists import MONEY_LISTS
from app.exports.plan_lists import PLAN_LISTS
from app.exports.wanted import LiveList, Wanted, whole
from app.metrics.errors import MalformedQuestionError
from app.records import (
    alerts,
    audit,
    belongings,
    budgets,
    campaigns,
    company_settings,
    contacts,
    customers,
    events,
    integrations,
    jobs,
    prices,
    quotas,
    simulations,
    stops,
    templates,
)
from app.records.events import Narrowed
from app.records.reading import MOST_ROWS, Page
from app.settings import settings


def the_list(name: str, given: Values) -> LiveList:
    """The list of this name; what would not narrow it is refused: its rows would not be what was asked for."""
    if name not in LISTS:
        raise MalformedQuestionError(f"No list is named '{name}'.", fix=f"There are {', '.join(sorted(LISTS))}.")
    found = LISTS[name]
    unknown = sorted(set(given) - found.narrowed_by)
    if unknown:
        raise MalformedQuestionError(
            f"The list '{name}' is not narrowed by {', '.join(unknown)}.",
            fix="Open the download from a page again.",
        )
    return found


def _narrowed(wanted: Wanted) -> Narrowed:
    values = wanted.given
    columns = ("product", "provider", "model", "error_code")
    return Narrowed(
        campaign=key_of(values, "campaign"),
        contact=key_of(values, "contact"),
        kinds=values.get("kind", ()),
        statuses=values.get("status", ()),
        slugs=values.get("workspace", ()),
        channels=values.get("channel", ()),
        having={name: values[name] for name in columns if name in values},
        since=day_of(values, "since"),
        until=day_of(values, "until"),
    )


def _email_events(wanted: Wanted) -> Page[events.EmailEvent]:
    """An event has no product of its own: it is the campaign's."""
    products, domains = wanted.given.get("product", ()), wanted.given.get("domain", ())
    only = replace(_narrowed(wanted), having={}, products=products, domains=domains)
    return events.email_events(wanted.engine, wanted.viewer, only, **wanted.paged)


def _web_events(wanted: Wanted) -> Page[events.WebEvent]:
    return events.web_events(wanted.engine, wanted.viewer, _narrowed(wanted), **wanted.paged)


def _generations(wanted: Wanted) -> Page[events.Generation]:
    return events.generations(wanted.engine, wanted.viewer, _narrowed(wanted), **wanted.paged)


def _optimizations(wanted: Wanted) -> Page[belongings.Optimization]:
    since, until = day_of(wanted.given, "since"), day_of(wanted.given, "until")
    key = key_named(wanted.given, "campaign")
    return belongings.optimizations(
        wanted.engine, wanted.viewer, campaign=key, since=since, until=until, **wanted.paged
    )


def _contacts(wanted: Wanted) -> Page[contacts.Contact]:
    words, status = text_of(wanted.given, "words"), text_of(wanted.given, "status") or None
    return contacts.search_contacts(
        wanted.engine, wanted.viewer, words, status=status, workspaces=wanted.workspaces, **wanted.paged
    )


def _sends(wanted: Wanted) -> Page[contacts.Send]:
    key = key_named(wanted.given, "contact")
    return whole(contacts.sends(wanted.engine, wanted.viewer, key, limit=MOST_ROWS))


def _campaigns(wanted: Wanted) -> Page[campaigns.Campaign]:
    values = wanted.given
    asked = campaigns.Wanted(
        words=text_of(values, "words"),
        channels=values.get("channel", ()),
        products=values.get("product", ()),
        statuses=values.get("status", ()),
        slugs=values.get("workspace", ()),
    )
    return campaigns.search_campaigns(wanted.engine, wanted.viewer, asked, **wanted.paged)


def _components(wanted: Wanted) -> Page[belongings.Component]:
    key = key_named(wanted.given, "campaign")
    return whole(belongings.components(wanted.engine, wanted.viewer, key))


def _assets(wanted: Wanted) -> Page[belongings.Asset]:
    return whole(belongings.assets(wanted.engine, wanted.viewer, key_named(wanted.given, "campaign")))


def _templates(wanted: Wanted) -> Page[templates.Template]:
    values = wanted.given
    own = ("kind", "status", "category", "industry")
    one_of: dict[str, Any] = {name: text_of(values, name) or None for name in own}
    of = text_of(values, "of")
    return templates.search_templates(
        wanted.engine, wanted.viewer, text_of(values, "words"), **one_of, products=values.get("product", ()),
        workspaces=wanted.workspaces,
        shelf=key_of(values, "shelf"), is_library=of == "library" if of in {"library", "workspaces"} else None,
        only_featured=of == "featured", **wanted.paged,
    )  # fmt: skip


def _saved_components(wanted: Wanted) -> Page[templates.SavedComponent]:
    own: dict[str, Any] = {name: text_of(wanted.given, name) or None for name in ("kind", "offered")}
    words = text_of(wanted.given, "words")
    return templates.search_components(
        wanted.engine, wanted.viewer, words, **own, workspaces=wanted.workspaces, **wanted.paged
    )


def _versions(wanted: Wanted) -> Page[templates.Version]:
    key = key_named(wanted.given, "template")
    return whole(templates.versions(wanted.engine, wanted.viewer, key, limit=MOST_ROWS))


def _recency(wanted: Wanted) -> Page[contacts.Recency]:
    found = contacts.recency(wanted.engine, wanted.viewer, _today(), workspaces=wanted.workspaces)
    return whole([contacts.Recency(*row) for row in found.itertuples(index=False)])


def _cohorts(wanted: Wanted) -> Page[contacts.Cohort]:
    found = contacts.cohorts(wanted.engine, wanted.viewer, _today(), workspaces=wanted.workspaces)
    return whole([contacts.Cohort(*row) for row in found.itertuples(index=False)])


def _best_rated(wanted: Wanted) -> Page[templates.Rated]:
    return whole(templates.best_rated(wanted.engine, wanted.viewer, workspaces=wanted.workspaces, limit=_RANKED))


def _most_downloaded(wanted: Wanted) -> Page[templates.Downloaded]:
    return whole(templates.most_downloaded(wanted.engine, wanted.viewer, workspaces=wanted.workspaces, limit=_RANKED))


def _variants(wanted: Wanted) -> Page[belongings.VariantCampaign]:
    return whole(belongings.variants(wanted.engine, wanted.viewer, key_named(wanted.given, "campaign")))


def _today() -> date:
    return datetime.now(ZoneInfo(settings().zone)).date()


def _alerts(wanted: Wanted) -> Page[alerts.Alert]:
    return alerts.open_alerts(wanted.engine, wanted.viewer, **wanted.paged)


def _alert_history(wanted: Wanted) -> Page[alerts.AlertHistory]:
    state = text_of(wanted.given, "state") or alerts.AlertState.OPEN
    if state not in set(alerts.AlertState):
        raise MalformedQuestionError(f"No alert is '{state}'.", fix="Open the download from a page again.")
    return alerts.alerts(wanted.engine, wanted.viewer, alerts.AlertState(state), **wanted.paged)


def _budgets(wanted: Wanted) -> Page[budgets.BudgetNow]:
    return whole(budgets.budgets(wanted.engine, wanted.viewer))


def _budget_evaluations(wanted: Wanted) -> Page[budgets.Evaluation]:
    return budgets.evaluations(wanted.engine, wanted.viewer, key_of(wanted.given, "budget"), **wanted.paged)


def _stops(wanted: Wanted) -> Page[stops.StopRecord]:
    return whole(stops.stops(wanted.engine, wanted.viewer))


def _audit(wanted: Wanted) -> Page[audit.AuditRow]:
    values = wanted.given
    asked = audit.Wanted(
        actors=values.get("actor", ()),
        tables=values.get("table", ()),
        actions=values.get("action", ()),
        row_key=text_of(values, "row") or None,
        workspaces=wanted.workspaces,
        words=text_of(values, "words"),
        since=day_of(values, "since"),
        until=day_of(values, "until"),
    )
    return audit.audit_rows(wanted.engine, wanted.viewer, asked, **wanted.paged)


def _settings(wanted: Wanted) -> Page[company_settings.CompanySetting]:
    return whole(company_settings.company_settings(wanted.engine, wanted.viewer))


def _retention_rules(wanted: Wanted) -> Page[company_settings.RetentionRule]:
    return whole(company_settings.retention_rules(wanted.engine, wanted.viewer))


def _book_prices(wanted: Wanted) -> Page[prices.BookPrice]:
    return whole(prices.book_prices(wanted.engine, wanted.viewer, _calls(wanted), datetime.now(UTC)))


def _past_prices(wanted: Wanted) -> Page[prices.PastPrice]:
    return whole(prices.past_prices(wanted.engine, wanted.viewer, key_named(wanted.given, "price")))


def _waiting_prices(wanted: Wanted) -> Page[prices.WaitingPrice]:
    found = prices.waiting_prices(wanted.engine, wanted.viewer)
    chosen = {name: wanted.given[name] for name in ("provider", "model") if name in wanted.given}
    return whole([one for one in found if all(getattr(one, name) in values for name, values in chosen.items())])


def _reported_models(wanted: Wanted) -> Page[prices.ReportedModel]:
    return whole(prices.reported_models(wanted.engine, wanted.viewer, _calls(wanted)))


def _reported_calls(wanted: Wanted) -> Page[prices.ReportedCall]:
    return whole(prices.reported_calls(wanted.engine, wanted.viewer, _calls(wanted), limit=wanted.limit))


def _unpriced_models(wanted: Wanted) -> Page[prices.UnpricedModel]:
    return whole(prices.unpriced_models(wanted.engine, wanted.viewer, _calls(wanted)))


def _calls(wanted: Wanted) -> prices.Calls:
    values = wanted.given
    return prices.Calls(
        slugs=values.get("workspace", ()),
        providers=values.get("provider", ()),
        models=values.get("model", ()),
        products=values.get("product", ()),
        since=day_of(values, "since"),
        until=day_of(values, "until"),
    )


def _customers(wanted: Wanted) -> Page[customers.Home]:
    values = wanted.given
    asked = customers.Wanted(
        words=text_of(values, "words"),
        products=values.get("product", ()),
        tiers=values.get("tier", ()),
        standing=text_of(values, "standing") or None,
        slugs=values.get("workspace", ()),
    )
    return customers.customers(wanted.engine, wanted.viewer, asked, **wanted.paged)


def _customer_subscriptions(wanted: Wanted) -> Page[customers.Subscribed]:
    return whole(customers.subscriptions(wanted.engine, wanted.viewer, key_named(wanted.given, "customer")))


def _customer_people(wanted: Wanted) -> Page[customers.Person]:
    return whole(customers.people(wanted.engine, wanted.viewer, key_named(wanted.given, "customer")))


def _quota_limits(wanted: Wanted) -> Page[quotas.Standing]:
    slug, customer = text_of(wanted.given, "workspace"), key_of(wanted.given, "user")
    products = wanted.given.get("product", ())
    return whole(quotas.standings(wanted.engine, wanted.viewer, slug=slug, customer=customer, products=products))


def _within(wanted: Wanted) -> quotas.Within:
    return quotas.Within(wanted.given.get("workspace", ()), wanted.given.get("product", ()))


def _close_quotas(wanted: Wanted) -> Page[quotas.Balance]:
    return whole(quotas.close_to_limits(wanted.engine, wanted.viewer, _within(wanted), limit=MOST_ROWS))


def _quota_periods(wanted: Wanted) -> Page[quotas.Balance]:
    slug, meter = text_of(wanted.given, "workspace"), text_of(wanted.given, "meter") or None
    products = wanted.given.get("product", ())
    return quotas.history(wanted.engine, wanted.viewer, slug=slug, meter=meter, products=products, **wanted.paged)


def _quota_overrides(wanted: Wanted) -> Page[quotas.Override]:
    return whole(quotas.overrides(wanted.engine, wanted.viewer, _within(wanted), limit=MOST_ROWS))


def _quota_holds(wanted: Wanted) -> Page[quotas.Holding]:
    return whole(quotas.held(wanted.engine, wanted.viewer, _within(wanted), limit=MOST_ROWS))


def _credit_holders(wanted: Wanted) -> Page[quotas.CreditHolder]:
    slug = text_of(wanted.given, "workspace")
    return whole(quotas.credit_holders(wanted.engine, wanted.viewer, slug=slug, limit=MOST_ROWS))


def _service_limits(wanted: Wanted) -> Page[quotas.ServiceLimit]:
    return whole(quotas.service_limits(wanted.engine, wanted.viewer))


def _simulated_workspaces(wanted: Wanted) -> Page[simulations.SimulatedWorkspace]:
    key = key_named(wanted.given, "simulation")
    return simulations.simulated_workspaces(wanted.engine, wanted.viewer, key, **wanted.paged)


_RANKED = 10
_LONG = {"email_events", "generations"}
_DAYS = ("since", "until")
_CALLS = (*_DAYS, "workspace", "provider", "model", "product")
LISTS: Mapping[str, LiveList] = {
    name: LiveList(read, row, frozenset(narrowed_by), frozenset(kept_back), name in _LONG)
    for name, read, row, narrowed_by, kept_back in (
        ("email_events", _email_events, events.EmailEvent, (*_DAYS, "workspace", "kind", "campaign", "contact",
            "product", "channel", "domain"), ()),
        ("web_events", _web_events, events.WebEvent, (*_DAYS, "campaign"), ()),
        # What people asked a model for is read in its product, not carried away from here.
        ("generations", _generations, events.Generation, (*_DAYS, "workspace", "channel", "kind", "status", "product",
            "provider", "model", "error_code"), ("prompt_text",)),
        ("optimizations", _optimizations, belongings.Optimization, (*_DAYS, "campaign"), ()),
        ("contacts", _contacts, contacts.Contact, ("words", "status", "workspace"), ()),
        ("sends", _sends, contacts.Send, ("contact",), ()),
        ("campaigns", _campaigns, campaigns.Campaign, ("words", "channel", "product", "status", "workspace"), ()),
        ("components", _components, belongings.Component, ("campaign",), ()),
        ("assets", _assets, belongings.Asset, ("campaign",), ()),
        ("templates", _templates, templates.Template, ("words", "kind", "status", "product", "category",
            "industry", "shelf", "of", "workspace"), ()),
        ("saved_components", _saved_components, templates.SavedComponent, ("words", "kind", "offered",
            "workspace"), ()),
        ("versions", _versions, templates.Version, ("template",), ()),
        ("recency", _recency, contacts.Recency, ("workspace",), ()),
        ("cohorts", _cohorts, contacts.Cohort, ("workspace",), ()),
        ("best_rated", _best_rated, templates.Rated, ("workspace",), ()),
        ("most_downloaded", _most_downloaded, templates.Downloaded, ("workspace",), ()),
        ("variants", _variants, belongings.VariantCampaign, ("campaign",), ()),
        ("alerts", _alerts, alerts.Alert, (), ()),
        ("alert_history", _alert_history, alerts.AlertHistory, ("state",), ()),
        ("budgets", _budgets, budgets.BudgetNow, (), ()),
        ("budget_evaluations", _budget_evaluations, budgets.Evaluation, ("budget",), ()),
        ("stops", _stops, stops.StopRecord, (), ()),
        ("book_prices", _book_prices, prices.BookPrice, (*_DAYS, "provider", "model"), ()),
        ("past_prices", _past_prices, prices.PastPrice, ("price",), ()),
        ("waiting_prices", _waiting_prices, prices.WaitingPrice, ("provider", "model"), ()),
        ("reported_models", _reported_models, prices.ReportedModel, _CALLS, ()),
        ("reported_calls", _reported_calls, prices.ReportedCall, _CALLS, ()),
        ("unpriced_models", _unpriced_models, prices.UnpricedModel, _CALLS, ()),
        ("audit", _audit, audit.AuditRow, (*_DAYS, "workspace", "actor", "table", "action", "row", "words"), ()),
        ("customers", _customers, customers.Home, ("words", "product", "tier", "standing", "workspace"), ()),
        ("customer_subscriptions", _customer_subscriptions, customers.Subscribed, ("customer",), ()),
        ("customer_people", _customer_people, customers.Person, ("customer",), ()),
        ("quota_limits", _quota_limits, quotas.Standing, ("workspace", "user", "product"), ()),
        ("close_quotas", _close_quotas, quotas.Balance, ("workspace", "product"), ()),
        ("quota_periods", _quota_periods, quotas.Balance, ("workspace", "meter", "product"), ()),
        ("quota_overrides", _quota_overrides, quotas.Override, ("workspace", "product"), ()),
        ("quota_holds", _quota_holds, quotas.Holding, ("workspace", "product"), ()),
        ("credit_holders", _credit_holders, quotas.CreditHolder, ("workspace",), ()),
        ("service_limits", _service_limits, quotas.ServiceLimit, (), ()),
        ("simulated_workspaces", _simulated_workspaces, simulations.SimulatedWorkspace, ("simulation",), ("place",)),
        ("settings", _settings, company_settings.CompanySetting, (), ()),
        ("retention_rules", _retention_rules, company_settings.RetentionRule, (), ()),
        ("integrations", upkeep_lists.connections, integrations.Integration, ("platform", "workspace", "needing"), ()),
        ("platform_analyses", upkeep_lists.analyses, integrations.Analysis, (), ()),
        ("jobs", upkeep_lists.every_job, jobs.JobRecord, ("status", "kind", "workspace"), ()),
        ("job_hours", upkeep_lists.job_hours, jobs.JobHour, ("kind",), ()),
        ("job_counts", upkeep_lists.job_counts, jobs.JobCount, (), ()),
        ("job_workers", upkeep_lists.job_workers, jobs.WorkerRecord, (), ()),
    )
} | BILL_LISTS | MONEY_LISTS | PLAN_LISTS  # fmt: skip
