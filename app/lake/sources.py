"""What the lake copies: for each table of Postgres the columns that numbers need, in the lake's shape.

Codes stand for workspaces, campaigns, contacts and users: they take less room than keys and are counted faster.
What only a single row's page shows (prompts, addresses, free fields) stays in Postgres alone.
"""

import hashlib
from dataclasses import dataclass
from functools import cached_property

BLOB, TEXT, BIG, INT, DAY, INSTANT, FLAG = "BLOB", "VARCHAR", "BIGINT", "INTEGER", "DATE", "TIMESTAMPTZ", "BOOLEAN"
MONEY, COST, SECONDS, RATE = "DECIMAL(18,4)", "DECIMAL(20,12)", "DECIMAL(12,3)", "DECIMAL(20,10)"


@dataclass(frozen=True)
class Column:
    """A column of the lake: its type there, and the expression that Postgres answers for it."""

    name: str
    type: str
    expression: str


@dataclass(frozen=True)
class Source:
    """A table that the lake copies. Its key tells rows apart; rows lie in the order that questions filter by."""

    name: str
    columns: tuple[Column, ...]
    key: tuple[str, ...]
    # As Postgres knows a row.
    primary_key: tuple[str, ...]
    joins: str = ""
    order: tuple[str, ...] = ()
    month: str | None = None
    # Without a stamp of the writing transaction a table is compared whole; only small ones are.
    is_stamped: bool = True

    @cached_property
    def names(self) -> tuple[str, ...]:
        return tuple(column.name for column in self.columns)

    @cached_property
    def month_column(self) -> str | None:
        """The column of the lake by whose month the rows are parted."""
        parted = (column.name for column in self.columns if column.expression == f"t.{self.month}")
        return next(parted, None) if self.month else None

    @cached_property
    def digest(self) -> str:
        """Other columns make another table of the lake."""
        shape = repr((self.columns, self.key, self.month))
        return hashlib.sha256(shape.encode()).hexdigest()[:8]

    def select(self, relation: str | None = None, *, extra: str = "") -> str:
        """The question to Postgres, of the whole table or of one partition."""
        listed = ", ".join(f"{column.expression} AS {column.name}" for column in self.columns)
        return f"SELECT {listed}{extra} FROM {relation or self.name} AS t {self.joins}".rstrip()  # noqa: S608 - our own names


def _columns(listed: str) -> tuple[Column, ...]:
    """Columns as lines of `name TYPE`, or `name TYPE = expression` where Postgres has it elsewhere."""
    made = []
    for line in filter(None, (line.strip() for line in listed.splitlines())):
        declared, _, expression = line.partition(" = ")
        name, kind = declared.split()
        made.append(Column(name, kind, expression or f"t.{name}"))
    return tuple(made)


_WORKSPACE = "JOIN workspaces AS w ON w.id = t.workspace_id"
_CAMPAIGN = "JOIN campaigns AS c ON c.workspace_id = t.workspace_id AND c.id = t.campaign_id"
_MAYBE_CAMPAIGN = f"LEFT {_CAMPAIGN}"
_CONTACT = "JOIN contacts AS p ON p.workspace_id = t.workspace_id AND p.id = t.contact_id"
_USER = "JOIN users AS u ON u.id = t.user_id"
_MAYBE_USER = f"LEFT {_USER}"
_ID = f"id {BLOB} = uuid_send(t.id)"
_WORKSPACE_CODE = f"workspace_code {BIG} = w.code"
_CAMPAIGN_CODE = f"campaign_code {BIG} = c.code"
_USER_CODE = f"user_code {BIG} = u.code"


def _fact(name: str, month: str, columns: str, joins: tuple[str, ...], order: tuple[str, ...]) -> Source:
    return Source(
        name,
        _columns(f"{_ID}\n{_WORKSPACE_CODE}\n{columns}"),
        key=("id",),
        primary_key=("workspace_id", "id", month),
        joins=" ".join((_WORKSPACE, *joins)),
        order=order,
        month=month,
    )


def _table(name: str, columns: str, joins: tuple[str, ...] = (), *, is_stamped: bool = True) -> Source:
    return Source(
        name,
        _columns(f"id {TEXT} = t.id::text\n{columns}"),
        key=("id",),
        primary_key=("workspace_id", "id") if joins else ("id",),
        joins=" ".join(joins),
        order=("id",),
        is_stamped=is_stamped,
    )


_FACTS = (
    _fact(
        "email_events",
        "occurred_at",
        f"""
        {_CAMPAIGN_CODE}
        contact_code {BIG} = p.code
        occurred_at {INSTANT}
        event_type {TEXT}
        provider {TEXT}
        device_type {TEXT}
        email_domain {TEXT} = p.email_domain
        link_url {TEXT}
        bounce_type {TEXT}
        bounce_reason {TEXT}
        is_machine_open {FLAG}
        machine_rules_version {INT}
        """,
        (_CAMPAIGN, _CONTACT),
        ("workspace_code", "campaign_code", "occurred_at"),
    ),
    Source(
        "email_sends",
        _columns(f"""
        {_WORKSPACE_CODE}
        {_CAMPAIGN_CODE}
        contact_code {BIG} = p.code
        sends_month {DAY}
        email_domain {TEXT} = p.email_domain
        first_sent_at {INSTANT}
        first_delivered_at {INSTANT}
        last_delivered_at {INSTANT}
        first_opened_at {INSTANT}
        first_human_opened_at {INSTANT}
        first_clicked_at {INSTANT}
        last_engaged_at {INSTANT}
        first_bounced_at {INSTANT}
        bounce_type {TEXT}
        first_unsubscribed_at {INSTANT}
        first_complained_at {INSTANT}
        opens {INT}
        machine_opens {INT}
        clicks {INT}
        """),
        key=("campaign_code", "contact_code"),
        primary_key=("workspace_id", "campaign_id", "contact_id", "sends_month"),
        joins=f"{_WORKSPACE} {_CAMPAIGN} {_CONTACT}",
        order=("workspace_code", "campaign_code", "contact_code"),
        month="sends_month",
    ),
    _fact(
        "campaign_events",
        "occurred_at",
        f"""
        {_CAMPAIGN_CODE}
        component_id {TEXT} = t.component_id::text
        occurred_at {INSTANT}
        event_type {TEXT}
        session_id {TEXT}
        source {TEXT}
        medium {TEXT}
        country {TEXT}
        """,
        (_CAMPAIGN,),
        ("workspace_code", "campaign_code", "occurred_at"),
    ),
    _fact(
        "conversions",
        "occurred_at",
        f"""
        {_CAMPAIGN_CODE}
        component_id {TEXT} = t.component_id::text
        occurred_at {INSTANT}
        conversion_type {TEXT}
        value {MONEY}
        currency {TEXT} = t.currency::text
        session_id {TEXT}
        source {TEXT}
        medium {TEXT}
        """,
        (_CAMPAIGN,),
        ("workspace_code", "campaign_code", "occurred_at"),
    ),
    _fact(
        "performance_analytics",
        "date",
        f"""
        {_CAMPAIGN_CODE}
        day {DAY} = t.date
        breakdown {TEXT}
        hour {INT}
        platform {TEXT}
        placement {TEXT}
        age_range {TEXT}
        gender {TEXT}
        location {TEXT}
        impressions {BIG}
        reach {BIG}
        clicks {BIG}
        spend {MONEY}
        conversions {BIG}
        revenue {MONEY}
        currency {TEXT} = t.currency::text
        restatements {INT}
        """,
        (_CAMPAIGN,),
        ("workspace_code", "campaign_code", "day"),
    ),
    _fact(
        "ai_generations",
        "created_at",
        f"""
        {_USER_CODE}
        {_CAMPAIGN_CODE}
        component_id {TEXT} = t.component_id::text
        template_id {TEXT} = t.template_id::text
        created_at {INSTANT}
        product {TEXT}
        provider {TEXT}
        model {TEXT}
        generation_type {TEXT}
        service_tier {TEXT}
        attempt {INT}
        status {TEXT}
        error_code {TEXT}
        input_tokens {BIG}
        cached_input_tokens {BIG}
        cache_write_tokens {BIG}
        output_tokens {BIG}
        reasoning_tokens {BIG}
        images {INT}
        audio_seconds {SECONDS}
        video_seconds {SECONDS}
        tool_calls {INT}
        cost {COST}
        reported_cost {COST}
        price_version {INT}
        credits_used {INT}
        generation_time_ms {BIG}
        iterations {INT}
        user_rating {INT}
        accepted {FLAG}
        """,
        (_USER, _MAYBE_CAMPAIGN),
        ("workspace_code", "user_code", "created_at"),
    ),
    _fact(
        "ai_cost_tracking",
        "date",
        f"""
        {_USER_CODE}
        day {DAY} = t.date
        provider {TEXT}
        model {TEXT}
        cost {COST}
        generations_count {BIG}
        failed_count {BIG}
        unpriced_count {BIG}
        tokens_used {BIG}
        """,
        (_USER,),
        ("workspace_code", "user_code", "day"),
    ),
    _fact(
        "ai_optimization_logs",
        "optimized_at",
        f"""
        {_CAMPAIGN_CODE}
        optimized_at {INSTANT}
        optimization_type {TEXT}
        success {FLAG}
        """,
        (_CAMPAIGN,),
        ("workspace_code", "campaign_code", "optimized_at"),
    ),
    _fact(
        "usage_logs",
        "logged_at",
        f"""
        {_USER_CODE}
        logged_at {INSTANT}
        product {TEXT}
        feature {TEXT}
        credits_consumed {INT}
        quantity {BIG}
        """,
        (_USER,),
        ("workspace_code", "user_code", "logged_at"),
    ),
    _fact(
        "user_usage",
        "month",
        f"""
        {_USER_CODE}
        month {DAY}
        campaigns_generated {BIG}
        ai_credits_used {BIG}
        storage_bytes_used {BIG}
        api_calls_made {BIG}
        """,
        (_USER,),
        ("workspace_code", "user_code"),
    ),
)

_DIMENSIONS = (
    _table(
        "workspaces",
        f"""
        code {BIG}
        name {TEXT}
        slug {TEXT}
        kind {TEXT}
        timezone {TEXT}
        currency {TEXT} = t.currency::text
        country {TEXT}
        created_at {INSTANT}
        deleted_at {INSTANT}
        """,
    ),
    _table(
        "users",
        f"""
        code {BIG}
        email {TEXT}
        name {TEXT}
        created_at {INSTANT}
        deleted_at {INSTANT}
        """,
    ),
    _table(
        "campaigns",
        f"""
        code {BIG}
        {_WORKSPACE_CODE}
        {_USER_CODE}
        product {TEXT}
        channel {TEXT}
        name {TEXT}
        status {TEXT}
        start_date {DAY}
        end_date {DAY}
        launched_at {INSTANT}
        daily_budget {MONEY}
        total_budget {MONEY}
        currency {TEXT} = t.currency::text
        created_at {INSTANT}
        deleted_at {INSTANT}
        """,
        (_WORKSPACE, _MAYBE_USER),
    ),
    _table(
        "contacts",
        f"""
        code {BIG}
        {_WORKSPACE_CODE}
        email_domain {TEXT}
        status {TEXT}
        created_at {INSTANT}
        subscribed_at {INSTANT}
        unsubscribed_at {INSTANT}
        deleted_at {INSTANT}
        """,
        (_WORKSPACE,),
    ),
    _table(
        "campaign_components",
        f"""
        {_WORKSPACE_CODE}
        {_CAMPAIGN_CODE}
        name {TEXT}
        component_type {TEXT}
        deleted_at {INSTANT}
        """,
        (_WORKSPACE, _CAMPAIGN),
    ),
    _table(
        "plans",
        f"""
        product {TEXT}
        tier {TEXT}
        version {INT}
        status {TEXT}
        name {TEXT}
        price {MONEY}
        currency {TEXT} = t.currency::text
        billing_period {TEXT}
        """,
        is_stamped=False,
    ),
    _table(
        "subscriptions",
        f"""
        {_WORKSPACE_CODE}
        {_USER_CODE}
        plan_id {TEXT} = t.plan_id::text
        product {TEXT}
        tier {TEXT}
        status {TEXT}
        billing_cycle {TEXT}
        price {MONEY}
        currency {TEXT} = t.currency::text
        started_at {INSTANT}
        ends_at {INSTANT}
        trial_ends_at {INSTANT}
        cancelled_at {INSTANT}
        """,
        (_WORKSPACE, _USER),
    ),
    _table(
        "invoices",
        f"""
        {_WORKSPACE_CODE}
        subscription_id {TEXT} = t.subscription_id::text
        kind {TEXT}
        corrects_invoice_id {TEXT} = t.corrects_invoice_id::text
        status {TEXT}
        currency {TEXT} = t.currency::text
        subtotal_minor {BIG}
        discount_minor {BIG}
        tax_minor {BIG}
        total_minor {BIG}
        amount_paid_minor {BIG}
        period_start {INSTANT}
        period_end {INSTANT}
        issued_at {INSTANT}
        paid_at {INSTANT}
        voided_at {INSTANT}
        """,
        (_WORKSPACE,),
    ),
    _table(
        "invoice_lines",
        f"""
        {_WORKSPACE_CODE}
        invoice_id {TEXT} = t.invoice_id::text
        subscription_id {TEXT} = t.subscription_id::text
        plan_id {TEXT} = t.plan_id::text
        product {TEXT}
        kind {TEXT}
        quantity {BIG}
        amount_minor {BIG}
        discount_minor {BIG}
        tax_minor {BIG}
        currency {TEXT} = t.currency::text
        period_start {INSTANT}
        period_end {INSTANT}
        """,
        (_WORKSPACE,),
    ),
    _table(
        "credit_transactions",
        f"""
        {_WORKSPACE_CODE}
        {_USER_CODE}
        position {BIG}
        amount {INT}
        type {TEXT}
        balance_after {INT}
        created_at {INSTANT}
        """,
        (_WORKSPACE, _USER),
    ),
    _table(
        "quota_balances",
        f"""
        {_WORKSPACE_CODE}
        {_USER_CODE}
        product {TEXT}
        meter {TEXT}
        period {TEXT}
        period_start {INSTANT}
        period_end {INSTANT}
        limit_amount {BIG}
        is_soft {FLAG}
        rolled_over {BIG}
        used {BIG}
        held {BIG}
        """,
        (_WORKSPACE, _MAYBE_USER),
        is_stamped=False,
    ),
    Source(
        "fx_rates",
        _columns(f"""
        day {DAY}
        currency {TEXT} = t.currency::text
        reporting_currency {TEXT} = t.reporting_currency::text
        rate {RATE}
        source {TEXT}
        """),
        key=("day", "currency", "reporting_currency"),
        primary_key=("day", "currency", "reporting_currency"),
        order=("day", "currency"),
        is_stamped=False,
    ),
)

SOURCES = {source.name: source for source in (*_FACTS, *_DIMENSIONS)}
FACTS = {source.name: source for source in _FACTS}
