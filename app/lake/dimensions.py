"""The other tables that the lake copies: what facts belong to, what people bought, and what they may use."""

from app.lake.source import (
    BIG,
    CAMPAIGN,
    CAMPAIGN_CODE,
    COST,
    DAY,
    FLAG,
    INSTANT,
    INT,
    MAYBE_USER,
    MONEY,
    RATE,
    TEXT,
    USER,
    USER_CODE,
    WORKSPACE,
    WORKSPACE_CODE,
    Source,
    listed_columns,
)


def _table(name: str, columns: str, joins: tuple[str, ...] = (), *, is_stamped: bool = True) -> Source:
    return Source(
        name,
        listed_columns(f"id {TEXT} = t.id::text\n{columns}"),
        key=("id",),
        primary_key=("workspace_id", "id") if joins else ("id",),
        joins=" ".join(joins),
        order=("id",),
        is_stamped=is_stamped,
    )


DIMENSIONS = (
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
        {WORKSPACE_CODE}
        {USER_CODE}
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
        (WORKSPACE, MAYBE_USER),
    ),
    _table(
        "contacts",
        f"""
        code {BIG}
        {WORKSPACE_CODE}
        email_domain {TEXT}
        status {TEXT}
        created_at {INSTANT}
        subscribed_at {INSTANT}
        unsubscribed_at {INSTANT}
        deleted_at {INSTANT}
        """,
        (WORKSPACE,),
    ),
    _table(
        "campaign_components",
        f"""
        {WORKSPACE_CODE}
        {CAMPAIGN_CODE}
        name {TEXT}
        component_type {TEXT}
        deleted_at {INSTANT}
        """,
        (WORKSPACE, CAMPAIGN),
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
        {WORKSPACE_CODE}
        {USER_CODE}
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
        (WORKSPACE, USER),
    ),
    _table(
        "invoices",
        f"""
        {WORKSPACE_CODE}
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
        (WORKSPACE,),
    ),
    _table(
        "invoice_lines",
        f"""
        {WORKSPACE_CODE}
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
        (WORKSPACE,),
    ),
    _table(
        "credit_transactions",
        f"""
        {WORKSPACE_CODE}
        {USER_CODE}
        position {BIG}
        amount {INT}
        type {TEXT}
        balance_after {INT}
        created_at {INSTANT}
        """,
        (WORKSPACE, USER),
    ),
    _table(
        "ai_cost_corrections",
        f"""
        {WORKSPACE_CODE}
        month {DAY}
        kind {TEXT}
        product {TEXT}
        provider {TEXT}
        model {TEXT}
        generation_type {TEXT}
        amount {COST}
        """,
        (WORKSPACE,),
    ),
    _table(
        "quota_balances",
        f"""
        {WORKSPACE_CODE}
        {USER_CODE}
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
        (WORKSPACE, MAYBE_USER),
        is_stamped=False,
    ),
    Source(
        "fx_rates",
        listed_columns(f"""
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
