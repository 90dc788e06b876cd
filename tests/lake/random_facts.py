"""Random business: what importers, products and people write, in any order, as steps that a database is taken through.

Rows name what they belong to by `Of(kind, number)`; a `Company` of two workspaces says which row that is.
"""

from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass
from datetime import UTC, date, datetime, timedelta
from decimal import Decimal
from typing import Any
from uuid import UUID

from hypothesis import strategies as st
from sqlalchemy import Connection, delete, insert, select, text, update
from sqlalchemy.dialects import postgresql

from db.tables import Base
from db.tables.ai import GENERATION_STATUSES
from db.tables.facts import BOUNCE_TYPES, EMAIL_EVENT_TYPES, WEB_EVENT_TYPES
from tests.db import rows

Strategy = st.SearchStrategy[Any]

# The two months of all random facts; their partitions are made by `make_room`.
FROM, UNTIL = date(2025, 3, 1), date(2025, 4, 30)
# A month before them that is closed.
CLOSED = date(2025, 2, 1)
ZONES = (
    "UTC",
    "Asia/Kolkata",  # half an hour beside the others
    "America/New_York",  # 23 hours on 9 March
    "Australia/Lord_Howe",  # half an hour longer on 6 April
    "America/Santiago",  # 25 hours on 5 April, twice from 23:00 to midnight
    "Africa/Cairo",  # no midnight on 25 April
)
# Moments at which days, months and hours turn in these zones.
_TURNS = (
    datetime(2025, 3, 9, 6, tzinfo=UTC),
    datetime(2025, 3, 31, 18, 30, tzinfo=UTC),
    datetime(2025, 4, 1, tzinfo=UTC),
    datetime(2025, 4, 5, 15, tzinfo=UTC),
    datetime(2025, 4, 6, 3, tzinfo=UTC),
    datetime(2025, 4, 24, 22, tzinfo=UTC),
)
_MINUTES = (-1440, -600, -60, -30, -1, 0, 1, 29, 30, 59, 60, 600, 1440)


@dataclass(frozen=True)
class Of:
    """The row of a kind that another one belongs to."""

    kind: str
    number: int


@dataclass(frozen=True)
class Add:
    """Rows of one statement, each of the workspace that it names by number."""

    table: str
    rows: Sequence[Mapping[str, Any]]


@dataclass(frozen=True)
class Change:
    """One row of those that are there gets other values."""

    table: str
    number: int
    values: Mapping[str, Any]


@dataclass(frozen=True)
class Remove:
    """One row of those that are there is deleted."""

    table: str
    number: int


Step = Add | Change | Remove


@dataclass(frozen=True)
class Tenant:
    """A workspace and what its facts can belong to."""

    id: UUID
    code: int
    kinds: Mapping[str, Sequence[UUID]]

    def resolved(self, values: Mapping[str, Any]) -> dict[str, Any]:
        """The values with keys in the place of names."""
        return {name: self._key(value) for name, value in values.items()}

    def _key(self, value: Any) -> Any:
        if isinstance(value, UUID):
            # The same story is told to several companies, each with keys of its own.
            return UUID(int=value.int ^ self.id.int)
        return self.kinds[value.kind][value.number] if isinstance(value, Of) else value


@dataclass(frozen=True)
class Company:
    """Two workspaces with the same people: what is alike in both must not be mixed up."""

    tenants: tuple[Tenant, Tenant]

    @property
    def codes(self) -> set[int]:
        return {tenant.code for tenant in self.tenants}

    def take(self, connection: Connection, step: Step) -> None:
        """One step in the transaction of the connection."""
        target = Base.metadata.tables[step.table]
        if isinstance(step, Add):
            connection.execute(_inserting(target, [self._whole(row) for row in step.rows]))
            return
        found = connection.execute(
            select(*target.primary_key)
            .where(target.c.workspace_id.in_([tenant.id for tenant in self.tenants]))
            .order_by(target.c.id)
        ).all()
        if not found:
            return
        chosen = found[step.number % len(found)]
        same = [column == value for column, value in zip(target.primary_key, chosen, strict=True)]
        workspace = next(tenant for tenant in self.tenants if tenant.id == chosen.workspace_id)
        if isinstance(step, Remove):
            connection.execute(delete(target).where(*same))
        else:
            connection.execute(update(target).where(*same).values(**workspace.resolved(step.values)))

    def _whole(self, row: Mapping[str, Any]) -> dict[str, Any]:
        tenant = self.tenants[row["workspace"]]
        return {"workspace_id": tenant.id} | tenant.resolved(
            {name: value for name, value in row.items() if name != "workspace"}
        )


def _inserting(target: Any, values: list[dict[str, Any]]) -> Any:
    if target.name == "performance_analytics":
        # A source that tells of a day again replaces what it told.
        statement = postgresql.insert(target).values(_last_of_each(values))
        return statement.on_conflict_do_update(
            index_elements=["workspace_id", "campaign_id", "date", *_SPLITS],
            set_={name: statement.excluded[name] for name in ("impressions", "clicks", "spend", "revenue", "reach")}
            | {"restatements": target.c.restatements + 1},
        )
    if target.name == "quota_balances":
        return postgresql.insert(target).values(values).on_conflict_do_nothing()
    return insert(target).values(values)


def _last_of_each(values: list[dict[str, Any]]) -> list[dict[str, Any]]:
    # One statement can't meet the same row twice.
    split = ("workspace_id", "campaign_id", "date", *_SPLITS)
    return list({tuple(row.get(name) for name in split): row for row in values}.values())


def make_room(connection: Connection) -> None:
    """The partitions of the random months."""
    connection.execute(text("SELECT make_partitions_between(:since, :until)"), {"since": FROM, "until": UNTIL})
    # Only closed months are corrected.
    connection.execute(text("INSERT INTO ai_months VALUES (:month, now(), NULL, 0, 0, 0)"), {"month": CLOSED})


def company(connection: Connection) -> Company:
    """Two workspaces with two customers, and campaigns, contacts and components of their own."""
    people = [rows.user(connection).id for _ in range(2)]
    return Company((_tenant(connection, people), _tenant(connection, people)))


def _tenant(connection: Connection, people: Sequence[UUID]) -> Tenant:
    made = rows.workspace(connection, owner_id=people[0])
    rows.member(connection, made.id, people[1], "viewer")
    pages = [rows.campaign(connection, made.id, "web").id for _ in range(2)]
    for person in people:
        rows.add(connection, "credit_transactions", workspace_id=made.id, user_id=person, amount=100, type="grant",
            position=0, balance_after=None)  # fmt: skip
    return Tenant(
        made.id,
        made.code,
        {
            "people": people,
            "mailings": [rows.campaign(connection, made.id, "email").id for _ in range(2)],
            "pages": pages,
            "ads": [rows.campaign(connection, made.id, "ads").id for _ in range(2)],
            "components": [rows.component(connection, made.id, page).id for page in pages],
            "contacts": [
                rows.contact(connection, made.id, email=f"{number}@{domain}").id
                for number, domain in enumerate(("one.example", "one.example", "two.example"))
            ],
            "plans": [rows.plan(connection).id for _ in range(2)],
        },
    )


def _minutes(number: int) -> timedelta:
    return timedelta(minutes=number)


moments = st.builds(
    lambda turn, minutes: turn + timedelta(minutes=minutes), st.sampled_from(_TURNS), st.sampled_from(_MINUTES)
)
# What lies a week apart, to the minute, is at the edge of the window of attribution.
_visit_times = moments | st.sampled_from([0, 1, 10079, 10080, 10081]).map(lambda minutes: _TURNS[0] + _minutes(minutes))
days = st.sampled_from([date(2025, 3, 9), date(2025, 3, 31), date(2025, 4, 1)])
small = st.integers(0, 5)
amounts = st.sampled_from(["0", "0.01", "1", "2.5", "9.99", "0.0001"]).map(Decimal)
currencies = st.sampled_from(["USD", "INR", "JPY"])
sources = st.sampled_from([None, "google", "email"])


def _row(*made: Strategy, **values: Strategy) -> Strategy:
    """A row of either workspace. What depends on each other comes from one strategy of several columns."""
    plain = st.fixed_dictionaries({"workspace": st.integers(0, 1), **values})
    return st.tuples(plain, *made).map(lambda parts: {name: value for part in parts for name, value in part.items()})


def _of(kind: str, count: int) -> Strategy:
    return st.integers(0, count - 1).map(lambda number: Of(kind, number))


_mail_kinds = st.one_of(
    st.fixed_dictionaries(
        {
            "event_type": st.sampled_from([kind for kind in EMAIL_EVENT_TYPES if kind not in {"bounced", "opened"}]),
            "bounce_type": st.none(),
            "bounce_reason": st.none(),
            "is_machine_open": st.none(),
        }
    ),
    st.fixed_dictionaries(
        {
            "event_type": st.just("bounced"),
            "bounce_type": st.sampled_from(BOUNCE_TYPES),
            "bounce_reason": st.sampled_from([None, "full", "unknown"]),
            "is_machine_open": st.none(),
        }
    ),
    st.fixed_dictionaries(
        {
            "event_type": st.just("opened"),
            "bounce_type": st.none(),
            "bounce_reason": st.none(),
            "is_machine_open": st.sampled_from([None, True, False]),
        }
    ),
)
_mail = _row(
    _mail_kinds,
    occurred_at=moments,
    campaign_id=_of("mailings", 2),
    contact_id=_of("contacts", 3),
    provider=st.sampled_from(["ses", "smtp"]),
    # A provider tells the same thing several times, under its key or by the same message.
    provider_event_key=st.sampled_from([None, None, "1", "2", "3"]),
    provider_message_id=st.sampled_from([None, "m"]),
    device_type=st.sampled_from([None, "mobile"]),
    location=st.sampled_from([None, "Riverton"]),
    link_url=st.sampled_from([None, "https://shop.example/a"]),
)
_address = st.builds(
    lambda key, domain: f"{key}@{domain}", st.uuids(), st.sampled_from(["One.example", "three.example"])
)
_contact = _row(
    email=_address,
    created_at=moments,
    subscribed_at=st.none() | moments,
    unsubscribed_at=st.none() | moments,
    deleted_at=st.none() | moments,
)
_visit = _row(
    occurred_at=_visit_times,
    campaign_id=_of("pages", 2),
    component_id=st.none() | _of("components", 2),
    event_type=st.sampled_from(WEB_EVENT_TYPES),
    session_id=st.sampled_from([None, "a", "b"]),
    source=sources,
    medium=st.sampled_from([None, "cpc"]),
    country=st.sampled_from([None, "IN"]),
)
_conversion = _row(
    occurred_at=_visit_times,
    campaign_id=_of("pages", 2),
    conversion_type=st.sampled_from(["purchase", "signup"]),
    value=amounts,
    currency=currencies,
    session_id=st.sampled_from([None, "a", "b"]),
    source=sources,
    medium=st.sampled_from([None, "cpc"]),
)

_SPLITS = ("breakdown", "hour", "platform", "placement", "age_range", "gender", "location")
_PARTS: Mapping[str, tuple[str, Strategy]] = {
    "hour": ("hour", st.sampled_from([0, 23])),
    "platform": ("platform", st.sampled_from(["facebook", "instagram"])),
    "placement": ("placement", st.sampled_from(["feed", "story"])),
    "age": ("age_range", st.sampled_from(["18-24", "65+"])),
    "gender": ("gender", st.sampled_from(["female", "unknown"])),
    "location": ("location", st.sampled_from(["IN", "US"])),
}


def _split_by(breakdown: str) -> Strategy:
    """The columns that a breakdown names are filled, and no others."""
    named = dict(_PARTS[word] for word in breakdown.split("+") if word in _PARTS)
    empty = {name: st.none() for name in _SPLITS}
    return st.fixed_dictionaries(empty | named | {"breakdown": st.just(breakdown)})


_ad_day = _row(
    st.sampled_from(["none", "hour", "platform", "platform+placement", "age+gender", "location"]).flatmap(_split_by),
    date=days,
    campaign_id=_of("ads", 2),
    impressions=small,
    reach=st.none() | small,
    clicks=small,
    spend=amounts,
    conversions=small,
    revenue=amounts,
    currency=st.sampled_from(["USD", "JPY"]),
)
_optimization = _row(
    optimized_at=moments,
    campaign_id=_of("ads", 2),
    optimization_type=st.sampled_from(["budget", "bid"]),
    success=st.sampled_from([None, True, False]),
)
_costs = st.sampled_from([None, "0", "0.000000000001", "0.04", "1.5"]).map(
    lambda cost: {"cost": cost and Decimal(cost), "price_version": 1 if cost else None}
)
_generation = _row(
    _costs,
    created_at=moments,
    user_id=_of("people", 2),
    campaign_id=st.none() | _of("mailings", 2) | _of("ads", 2),
    product=st.sampled_from(["craft_ads", "email_studio"]),
    provider=st.sampled_from(["openai", "google"]),
    model=st.sampled_from(["small", "large"]),
    generation_type=st.sampled_from(["image", "email"]),
    service_tier=st.sampled_from(["standard", "batch"]),
    attempt=st.integers(1, 3),
    status=st.sampled_from(GENERATION_STATUSES),
    error_code=st.sampled_from([None, "rate_limited"]),
    input_tokens=small,
    cached_input_tokens=small,
    cache_write_tokens=small,
    cache_saving=st.none() | amounts | st.just(Decimal("-0.000000000001")),
    batch_saving=st.none() | amounts,
    output_tokens=small,
    reasoning_tokens=small,
    images=small,
    audio_seconds=st.sampled_from(["0", "0.001", "2.5"]).map(Decimal),
    video_seconds=st.sampled_from(["0", "8"]).map(Decimal),
    tool_calls=small,
    reported_cost=st.none() | amounts | st.just(Decimal("0.000000000001")),
    credits_used=small,
    generation_time_ms=st.none() | st.sampled_from([0, 1, 2, 50, 51, 999, 1000, 86_400_000]),
    user_rating=st.none() | st.integers(1, 5),
    accepted=st.sampled_from([None, True, False]),
)
_correction = _row(
    month=st.just(CLOSED),
    kind=st.sampled_from(["price", "late_usage", "other"]),
    product=st.sampled_from(["craft_ads", "email_studio"]),
    provider=st.sampled_from(["openai", "google"]),
    model=st.sampled_from(["small", "large"]),
    generation_type=st.sampled_from(["image", "email"]),
    amount=st.sampled_from(["-2.5", "0.000000000001", "7"]).map(Decimal),
    reason=st.just("It came late."),
)
_use = _row(
    logged_at=moments,
    user_id=_of("people", 2),
    product=st.sampled_from(["craft_ads", "mailer"]),
    feature=st.sampled_from(["api_call", "ai_generation"]),
    credits_consumed=small,
    quantity=st.integers(-3, 9),
)
_quota = _row(
    user_id=st.none() | _of("people", 2),
    product=st.sampled_from(["craft_ads", "mailer"]),
    meter=st.sampled_from(["emails", "imagen"]),
    period=st.sampled_from(["day", "month"]),
    period_start=moments,
    limit_amount=st.none() | small,
    rolled_over=small,
    used=small,
    held=small,
)
_movements = st.one_of(
    st.fixed_dictionaries({"type": st.sampled_from(["purchase", "refund"]), "amount": st.integers(1, 5)}),
    st.fixed_dictionaries({"type": st.sampled_from(["usage", "expiry"]), "amount": st.integers(-5, -1)}),
)
_credit = _row(
    _movements,
    created_at=moments,
    user_id=_of("people", 2),
    position=st.just(0),
    balance_after=st.none(),
)


@st.composite
def bills(draw: Callable[[Strategy], Any]) -> list[Step]:
    """An invoice or a credit note with its lines."""
    workspace, key = draw(st.integers(0, 1)), draw(st.uuids())
    currency = draw(st.sampled_from(["USD", "JPY", "KWD", "CLF"]))
    status = draw(st.sampled_from(["draft", "open", "paid", "void", "uncollectible"]))
    is_note = draw(st.booleans())
    parts = [
        {
            "workspace": workspace,
            "invoice_id": key,
            "plan_id": draw(st.none() | _of("plans", 2)),
            "product": draw(st.sampled_from(["mailer", "craft_ads"])),
            "kind": "subscription",
            "description": "A line.",
            "unit_amount_minor": 1,
            # What is given back within an invoice is negative.
            "amount_minor": draw(st.sampled_from([0, 1, 100, 1099, -7, 36500])),
            "discount_minor": draw(st.sampled_from([0, 1, 10])),
            "tax_minor": draw(st.sampled_from([0, 19])),
            "currency": currency,
            "period_start": (start := draw(moments)),
            "period_end": start + draw(st.sampled_from([1, 30, 720, 1440, 1470, 44640, 46080, 525600]).map(_minutes)),
        }
        for _ in range(draw(st.integers(1, 2)))
    ]
    subtotal, discount, tax = draw(st.tuples(small, small, small))
    invoice = {
        "workspace": workspace,
        "id": key,
        "number": str(key),
        "kind": "credit_note" if is_note else "invoice",
        "corrects_invoice_id": key if is_note else None,
        "status": status,
        "currency": currency,
        "subtotal_minor": subtotal + 5,
        "discount_minor": discount,
        "tax_minor": tax,
        "total_minor": subtotal + 5 - discount + tax,
        "amount_paid_minor": draw(small),
        "period_start": parts[0]["period_start"],
        "period_end": parts[0]["period_end"],
        "issued_at": draw(st.none() | moments),
        "paid_at": draw(moments),
    }
    return [Add("invoices", [invoice]), Add("invoice_lines", parts)]


@st.composite
def subscriptions(draw: Callable[[Strategy], Any]) -> list[Step]:
    """What a workspace had of a product, one after the other; the last may still run."""
    found = []
    at = draw(moments)
    count = draw(st.integers(2, 7))
    for number in range(count):
        started_at = at + draw(st.sampled_from([0, 0, 30, 600, 1440, 4320]).map(_minutes))
        at = started_at + draw(st.sampled_from([30, 600, 1440, 10080]).map(_minutes))
        endings = [
            {"status": "expired", "ends_at": at, "cancelled_at": None},
            {"status": "cancelled", "ends_at": at, "cancelled_at": started_at},
            {"status": "cancelled", "ends_at": None, "cancelled_at": at},
            {"status": "cancelled", "ends_at": None, "cancelled_at": None},
            {"status": "expired", "ends_at": None, "cancelled_at": at},
        ]
        if number == count - 1:
            endings = [
                {"status": status, "ends_at": end, "cancelled_at": None}
                for status in ("active", "trialing", "past_due")
                for end in (None, at)
            ]
        found.append(
            {
                "workspace": 0,
                "user_id": Of("people", 0),
                "plan_id": Of("plans", 0),
                "product": "mailer",
                "tier": draw(st.sampled_from(["free", "starter", "pro"])),
                "billing_cycle": draw(st.sampled_from(["monthly", "annual"])),
                "price": draw(st.sampled_from(["0", "10", "10", "25", "100"]).map(Decimal)),
                "currency": draw(st.sampled_from(["USD", "USD", "USD", "INR"])),
                "started_at": started_at,
                "trial_ends_at": draw(st.none() | st.sampled_from([20, 1000]).map(_minutes).map(started_at.__add__)),
                "current_period_start": started_at.date(),
                "current_period_end": started_at.date() + timedelta(days=30),
                **draw(st.sampled_from(endings)),
            }
        )
    return [Add("subscriptions", found)]


def _facts(table: str, row: Strategy) -> Strategy:
    return st.lists(row, min_size=2, max_size=8).map(lambda made: [Add(table, made)])


def _changes(table: str, **values: Strategy) -> Strategy:
    return st.builds(Change, st.just(table), small, st.fixed_dictionaries(values)).map(lambda change: [change])


def _removals(*tables: str) -> Strategy:
    return st.builds(Remove, st.sampled_from(tables), small).map(lambda removal: [removal])


def _story(*chapters: Strategy) -> Strategy:
    """Some chapters in any order; each is a few steps."""
    return st.lists(st.one_of(*chapters), min_size=4, max_size=12).map(
        lambda told: [step for part in told for step in part]
    )


EMAIL = _story(
    _facts("email_events", _mail),
    _facts("email_events", _mail),
    _facts("email_events", _mail),
    _changes("email_events", is_machine_open=st.booleans()),
    _changes("contacts", email=_address),
    _removals("email_events"),
)
AUDIENCE = _story(
    _facts("contacts", _contact),
    _changes("contacts", email=_address, unsubscribed_at=moments),
    _changes("contacts", deleted_at=st.none() | moments),
)
WEB = _story(
    _facts("campaign_events", _visit),
    _facts("campaign_events", _visit),
    _facts("conversions", _conversion),
    _facts("conversions", _conversion),
    _changes("conversions", value=amounts),
    _changes("campaign_events", source=sources),
    _removals("campaign_events", "conversions"),
)
ADS = _story(
    _facts("performance_analytics", _ad_day),
    _facts("ai_optimization_logs", _optimization),
    _changes("performance_analytics", spend=amounts),
    _changes("ai_optimization_logs", success=st.booleans()),
    _removals("performance_analytics", "ai_optimization_logs"),
)
AI = _story(
    _facts("ai_generations", _generation),
    _facts("ai_cost_corrections", _correction),
    _facts("ai_generations", _generation),
    _changes("ai_generations", status=st.just("completed"), accepted=st.booleans(), user_rating=st.integers(1, 5)),
    _changes("ai_generations", cost=amounts, price_version=st.just(2)),
    _removals("ai_generations"),
)
USAGE = _story(
    _facts("usage_logs", _use),
    _facts("quota_balances", _quota),
    _facts("credit_transactions", _credit),
    _changes("usage_logs", credits_consumed=small),
    _changes("quota_balances", limit_amount=st.none() | small, used=small),
    _removals("usage_logs", "quota_balances"),
)
INVOICES = _story(
    bills(),
    bills(),
    _changes("invoices", status=st.sampled_from(["open", "void", "uncollectible"])),
    _changes("invoice_lines", amount_minor=st.sampled_from([0, 31, 6400])),
    _removals("invoice_lines"),
)
SUBSCRIPTIONS = st.builds(
    lambda told, changed: told + changed, subscriptions(), st.just([]) | _changes("subscriptions", price=amounts)
)
