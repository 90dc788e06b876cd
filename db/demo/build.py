"""Makes all demo data of one seed and puts it in: facts in two threads aside, then everything in one transaction."""

from collections.abc import Callable, Iterator
from concurrent.futures import ThreadPoolExecutor, as_completed
from dataclasses import dataclass, field
from threading import Event, Lock
from uuid import UUID

import numpy as np
import pyarrow as pa

from db.demo import (
    ads,
    ai_facts,
    ai_money,
    audience,
    belongings,
    bills,
    budgets,
    credit_ledger,
    email_facts,
    invoices,
    mailings,
    templates,
    web,
)
from db.demo.generations import Generations, make_generations
from db.demo.load import (
    Session,
    Staging,
    analyze,
    attach_months,
    insert_live,
    insert_rows,
    insert_table,
    remember_events,
    search_indexes_last,
    session,
)
from db.demo.plans import make_catalogue
from db.demo.price_proposals import price_rows
from db.demo.prices import PriceBook
from db.demo.rows import Row
from db.demo.seasons import Season
from db.demo.shape import Progress, Scale
from db.demo.subscriptions import Seal, make_subscriptions, subscription_rows
from db.demo.system import job_rows
from db.demo.world import World, make_world, member_rows

ACTOR = "demo data"
_CONTACTS_AT_ONCE = 200_000
_EVENTS_AT_ONCE = 5_000
_LIVE_FACTS = (
    "email_events",
    "campaign_events",
    "conversions",
    "performance_analytics",
    "ai_generations",
    "usage_logs",
)


class _StoppedError(Exception):
    """Another thread failed, or a person pressed Ctrl-C: there is no use in going on."""


@dataclass(slots=True)
class Reporter:
    """Passes progress on from several threads, and stops them all when one fails."""

    progress: Progress
    stopped: Event = field(default_factory=Event)
    lock: Lock = field(default_factory=Lock)

    def __call__(self, step: str, done: int, total: int) -> None:
        if self.stopped.is_set():
            raise _StoppedError
        with self.lock:
            self.progress(step, done, total)


class Build:
    """The demo of one seed. Each area draws from numbers of its own, so that areas do not disturb each other."""

    def __init__(self, seed: int, season: Season, scale: Scale, seal: Seal, digest: Callable[[str], bytes]) -> None:
        self.export_formats: list[UUID] = []
        self.bills = bills.Bills()
        self.seed, self.season, self.scale, self.seal, self.digest = seed, season, scale, seal, digest
        self.world: World = make_world(self.numbers("world"), season)
        self.catalogue = make_catalogue(self.numbers("plans"), season)
        # Subscriptions first: who came back used the product again.
        self.subscriptions = make_subscriptions(self.numbers("subscriptions"), self.world, self.catalogue)
        self.book = PriceBook(season)
        self.templates = templates.make_templates(self.numbers("templates"), self.world, scale.templates)
        self.web_campaigns = web.make_web_campaigns(self.numbers("web pages"), self.world, scale.web_campaigns)
        self.ads = ads.Ads(self.numbers("ads"), self.world, scale.ad_campaigns, scale.ad_rows, seal)
        self.audience = audience.make_audience(self.numbers("audience"), self.world, scale.contacts)
        self.mailings = mailings.make_mailings(
            self.numbers("mailings"), self.world, self.audience, scale.email_campaigns, scale.email_events
        )

    def numbers(self, area: str) -> np.random.Generator:
        """The random numbers of one area."""
        return np.random.default_rng([self.seed, self.season.today.toordinal(), *area.encode()])

    def write_history(self, staging: Staging, progress: Progress) -> Generations:
        """Write all facts aside; returns the generations, which bills, budgets and credits follow."""
        reporter = Reporter(progress)
        with ThreadPoolExecutor(max_workers=2, thread_name_prefix="demo") as threads:
            email = threads.submit(self._write_email, staging, reporter)
            others = threads.submit(self._write_others, staging, reporter)
            try:
                for finished in as_completed((email, others)):
                    finished.result()
            except BaseException:
                reporter.stopped.set()
                raise
        staging.wait()
        return others.result()

    def _write_email(self, staging: Staging, progress: Progress) -> None:
        with session(staging.engine) as connection:
            email_facts.EmailFacts(
                self.numbers("e-mail"), self.world, self.audience, self.mailings, staging=staging, connection=connection
            ).write(progress)

    def _write_others(self, staging: Staging, progress: Progress) -> Generations:
        with session(staging.engine) as connection:
            made = make_generations(self.numbers("ai"), self.world, self.book, self.scale.generations)
            ai_facts.AiFacts(
                self.numbers("ai rows"),
                self.world,
                made,
                self.web_campaigns.owned,
                self.templates.owned(self.world),
                staging,
                connection,
            ).write(progress)
            numbers = self.numbers("visits")
            events, conversions = web.make_visits(numbers, self.world, self.web_campaigns, self.scale.web_sessions)
            facts = web.WebFacts(numbers, self.world, self.web_campaigns, staging, connection)
            facts.write(events, conversions, progress)
            self.ads.write(staging, connection, progress)
            self.ads.write_optimizations(staging, connection)
        return made

    def small_tables(self, made: Generations) -> Iterator[tuple[str, list[Row]]]:
        """Every table but the facts and the contacts, each after those it refers to."""
        numbers, world = self.numbers("rows"), self.world
        clerk = invoices.Clerk(numbers, self.season, invoices.Books(), self.seal, self.digest)
        invoices.write_invoices(clerk, self.subscriptions)
        packages = credit_ledger.package_rows(clerk)
        used = ai_facts.credits_by_day(made)
        movements = credit_ledger.write_credits(clerk, world, packages, self.subscriptions, used)
        yield "users", [one.row for one in world.people]
        yield "workspaces", [one.row for one in world.workspaces]
        yield "workspace_members", member_rows(numbers, world)
        yield "plans", [one.row for one in self.catalogue.plans]
        yield "plan_limits", self.catalogue.limits
        yield "plan_features", self.catalogue.features
        yield "credit_packages", packages
        yield "fx_rates", credit_ledger.fx_rows(clerk)
        yield "subscriptions", subscription_rows(numbers, self.season, self.subscriptions, self.seal)
        yield "invoices", clerk.books.invoices
        yield "invoice_lines", clerk.books.lines
        yield "payments", clerk.books.payments
        yield "credit_transactions", movements
        yield from self._content(numbers)
        yield from self._campaigns(numbers)
        yield from self._ai_money(numbers, made)
        yield "jobs", job_rows(numbers, world)

    def _content(self, numbers: np.random.Generator) -> Iterator[tuple[str, list[Row]]]:
        shelves, world = self.templates, self.world
        yield "categories", shelves.categories
        yield "templates", shelves.templates
        yield "template_versions", shelves.versions
        yield "template_sections", shelves.sections
        yield "template_categories", shelves.placed
        yield "template_metrics", shelves.metrics
        yield "workspace_templates", shelves.copies
        yield "component_library", belongings.library_rows(numbers, world, self.scale.templates)
        brands, businesses = belongings.profile_rows(numbers, world)
        yield "brand_profiles", brands
        yield "business_profiles", businesses
        yield "user_preferences", belongings.preference_rows(numbers, world)
        yield "user_sessions", belongings.session_rows(numbers, world)
        connections, analyses = belongings.integration_rows(numbers, world, self.seal)
        yield "platform_integrations", connections
        yield "platform_analyses", analyses

        yield "exports", belongings.export_rows(numbers, shelves.templates, self.export_formats)

    def _campaigns(self, numbers: np.random.Generator) -> Iterator[tuple[str, list[Row]]]:
        shared, own = mailings.campaign_rows(numbers, self.world, self.mailings)
        self._use_templates(numbers, own)
        lists = audience.make_lists(self.numbers("lists"), self.world)
        assets, uses = belongings.asset_rows(numbers, self.ads.shared, self.scale.templates * 4)
        yield "meta_accounts", list(self.ads.accounts.values())
        yield "campaigns", shared + self.web_campaigns.shared + self.ads.shared
        yield "email_campaigns", own
        yield "web_campaigns", self.web_campaigns.own
        yield "ad_campaigns", self.ads.own
        yield "campaign_components", self.web_campaigns.components
        yield "creative_assets", assets
        yield "campaign_assets", uses
        yield "lists", lists.rows
        yield "campaign_lists", mailings.campaign_list_rows(numbers, self.world, self.mailings, lists)

    def _use_templates(self, numbers: np.random.Generator, own: list[Row]) -> None:
        owned = self.templates.owned(self.world)
        index = {one.id: one.index for one in self.world.workspaces}
        chosen = owned.some(numbers, np.array([index[row["workspace_id"]] for row in own]), 0.8)
        for row, template in zip(own, chosen.tolist(), strict=True):
            row["template_id"] = UUID(bytes=owned.keys[template].tobytes()) if template >= 0 else None

    def _ai_money(self, numbers: np.random.Generator, made: Generations) -> Iterator[tuple[str, list[Row]]]:
        yield "ai_prices", price_rows(self.book, numbers, self.numbers("proposed prices"))
        kept = budgets.make_budgets(self.numbers("budgets"), self.world, made)
        yield "budgets", kept.budgets
        yield "ai_stops", kept.stops
        yield "budget_alerts", kept.alerts
        yield "budget_evaluations", kept.evaluations
        yield "alert_deliveries", kept.deliveries
        prices = self.book.rows(self.numbers("prices of bills"))
        self.bills = bills.make_bills(self.numbers("bills"), self.season, made, prices, self.world.workspaces[0].id)
        yield "provider_bills", self.bills.bills
        yield "provider_bill_files", self.bills.files
        yield "provider_bill_lines", self.bills.lines
        balances, overrides = ai_money.quota_rows(numbers, self.world, self.catalogue, self.subscriptions)
        yield "quota_balances", balances
        yield "quota_overrides", overrides

    def audience_tables(self) -> Iterator[tuple[str, pa.Table]]:
        """Contacts, and who is on which list."""
        total = len(self.audience.keys)
        for start in range(0, total, _CONTACTS_AT_ONCE):
            rows = slice(start, min(start + _CONTACTS_AT_ONCE, total))
            yield "contacts", audience.contact_table(self.audience, self.world, rows)
        lists = audience.make_lists(self.numbers("lists"), self.world)
        yield "list_contacts", audience.list_contact_table(self.numbers("on lists"), self.audience, self.world, lists)


def export_formats(connection: Session) -> list[UUID]:
    """The formats that a new database has."""
    rows = connection.execute("SELECT id FROM export_formats ORDER BY key").fetchall()
    return [key for (key,) in rows if isinstance(key, UUID)]


def put_in(connection: Session, build: Build, staging: Staging, made: Generations, progress: Progress) -> None:
    """The one transaction: small tables, contacts, the months, and the last days through the triggers."""
    build.export_formats = export_formats(connection)
    small = list(build.small_tables(made))
    for done, (table, rows) in enumerate(small, 1):
        staging.rows[table] += insert_rows(connection, table, rows)
        if table == "templates":
            # Triggers kept a publication of each, dated now: the demo brings its own, dated as they were.
            connection.execute("DELETE FROM template_versions WHERE created_by = %s", (ACTOR,))
        progress("Customers and campaigns", done, len(small))
    with search_indexes_last(connection, "contacts"):
        for table, arrow in build.audience_tables():
            staging.rows[table] += insert_table(connection, table, arrow)
            progress("Contacts", staging.rows["contacts"], len(build.audience.keys))
    for done, _ in enumerate(attach_months(connection, staging.months), 1):
        progress("Months checked", done, len(staging.months))
    connection.execute(
        "SELECT make_partitions_between(to_timestamp(%s)::date, to_timestamp(%s)::date)",
        (build.season.start // 1_000_000, build.season.end // 1_000_000),
    )
    remember_events(connection)
    # Attached months pass by the triggers that keep what budgets have spent.
    connection.execute("SELECT recount_budgets(NULL)")
    for done, total in analyze(connection):
        progress("Statistics", done, total)
    for done, fact in enumerate(_LIVE_FACTS, 1):
        staging.rows[fact] += sum(insert_live(connection, fact, _EVENTS_AT_ONCE))
        progress("Last days through the triggers", done, len(_LIVE_FACTS))
    bills.close_months(connection, build.season, build.bills.corrections)
