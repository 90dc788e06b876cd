"""Plans, subscriptions, invoices, payments, credits and exchange rates."""

from decimal import Decimal

from sqlalchemy import BigInteger, CheckConstraint, ForeignKey, Index, LargeBinary, Numeric, UniqueConstraint, text
from sqlalchemy.orm import Mapped, mapped_column

from db.tables.base import (
    NO,
    NO_FIELDS,
    YES,
    ZERO,
    Base,
    Copied,
    Created,
    CurrencyCode,
    Day,
    Instant,
    Json,
    Key,
    Keyed,
    Money,
    Name,
    Revised,
    Tenant,
    Timestamps,
    currencies,
    never_negative,
    same_workspace,
    sealed,
    values,
)
from db.tables.products import BILLING_PERIODS, METERS, PERIODS, PRODUCTS, TIERS

PLAN_STATUSES = ("draft", "scheduled", "published", "retired", "discarded")
SUBSCRIPTION_STATUSES = ("trialing", "active", "past_due", "cancelled", "expired")
INVOICE_STATUSES = ("draft", "open", "paid", "void", "uncollectible")
PAYMENT_STATUSES = ("pending", "completed", "failed", "refunded")
CREDIT_TRANSACTION_TYPES = ("purchase", "grant", "usage", "refund", "promotion", "expiry", "take_back")
_SOLD_AS = ("product", "tier", "billing_period", "currency")


class Plan(Keyed, Timestamps, Revised, Base):
    """One version of a product's tier: its price and, in `plan_limits` and `plan_features`, what it allows.

    Only drafts are edited. A version that was scheduled, is live or was is kept by the database as it is.
    """

    __tablename__ = "plans"

    product: Mapped[Name]
    tier: Mapped[Name]
    version: Mapped[int] = mapped_column(server_default=text("1"))
    status: Mapped[Name] = mapped_column(server_default="draft")
    name: Mapped[Name]
    description: Mapped[Name | None]
    price: Mapped[Money]
    currency: Mapped[CurrencyCode]
    billing_period: Mapped[Name] = mapped_column(server_default="monthly")
    generation_credits: Mapped[int] = mapped_column(server_default=ZERO)
    has_watermark: Mapped[bool] = mapped_column(server_default=NO)
    published_at: Mapped[Instant | None]
    retired_at: Mapped[Instant | None]
    publishes_on: Mapped[Day | None] = mapped_column(comment="The day, in UTC, on which it goes live.")
    replaces_id: Mapped[Key | None] = mapped_column(
        ForeignKey("plans.id"), comment="What was retired when this went live."
    )

    __table_args__ = (
        values("product", PRODUCTS),
        values("tier", TIERS),
        values("status", PLAN_STATUSES),
        values("billing_period", BILLING_PERIODS),
        *currencies("currency"),
        *never_negative("price", "generation_credits"),
        UniqueConstraint("product", "tier", "billing_period", "currency", "version"),
        CheckConstraint(
            "status NOT IN ('published', 'retired') OR published_at IS NOT NULL",
            name="what_is_or_was_live_was_published",
        ),
        CheckConstraint("status <> 'scheduled' OR publishes_on IS NOT NULL", name="what_is_scheduled_has_a_day"),
        CheckConstraint("status <> 'retired' OR retired_at IS NOT NULL", name="what_is_retired_has_a_date"),
        Index("plans_by_status_billing_period", "status", "billing_period"),
        *(
            Index(name, *_SOLD_AS, unique=True, postgresql_where=text(f"status = '{status}'"))
            for name, status in (("plans_one_version_is_live", "published"), ("plans_one_version_is_next", "scheduled"))
        ),
    )


class PlanLimit(Keyed, Timestamps, Revised, Base):
    """How much of a meter a plan allows per period; no amount means no limit."""

    __tablename__ = "plan_limits"

    plan_id: Mapped[Key] = mapped_column(ForeignKey("plans.id"))
    meter: Mapped[Name]
    period: Mapped[Name] = mapped_column(server_default="month")
    amount: Mapped[int | None] = mapped_column(BigInteger, comment="NULL: unlimited.")
    enforcement: Mapped[Name] = mapped_column(server_default="hard")
    grace_amount: Mapped[int] = mapped_column(BigInteger, server_default=ZERO)
    grace_days: Mapped[int] = mapped_column(server_default=ZERO)
    rolls_over: Mapped[bool] = mapped_column(server_default=NO)

    __table_args__ = (
        values("meter", METERS),
        values("period", PERIODS),
        values("enforcement", ("hard", "soft")),
        *never_negative("amount", "grace_amount", "grace_days"),
        UniqueConstraint("plan_id", "meter", "period"),
    )


class PlanFeature(Keyed, Timestamps, Revised, Base):
    """A feature of a plan: on or off, a fixed value, or metered by a limit."""

    __tablename__ = "plan_features"

    plan_id: Mapped[Key] = mapped_column(ForeignKey("plans.id"))
    feature: Mapped[Name]
    kind: Mapped[Name] = mapped_column(server_default="boolean")
    value: Mapped[Json] = mapped_column(server_default=text("'true'::jsonb"))

    __table_args__ = (
        values("kind", ("boolean", "static", "metered")),
        CheckConstraint("kind <> 'boolean' OR jsonb_typeof(value) = 'boolean'", name="a_boolean_feature_is_on_or_off"),
        UniqueConstraint("plan_id", "feature"),
    )


class PlanApproval(Keyed, Created, Base):
    """Somebody asked to publish a plan whose margin would be below the floor; another person decides."""

    __tablename__ = "plan_approvals"

    plan_id: Mapped[Key] = mapped_column(ForeignKey("plans.id"))
    plan_revision: Mapped[int]
    publishes_on: Mapped[Day]
    margin_after: Mapped[Decimal | None] = mapped_column(Numeric(20, 6))
    margin_floor: Mapped[Decimal] = mapped_column(Numeric(20, 6))
    asked_by: Mapped[Key | None] = mapped_column(ForeignKey("team_members.id"))
    asked_name: Mapped[Name]
    reason: Mapped[Name]
    decision: Mapped[Name | None]
    decided_by: Mapped[Key | None] = mapped_column(ForeignKey("team_members.id"))
    decided_name: Mapped[Name | None]
    decided_at: Mapped[Instant | None]
    decision_reason: Mapped[Name | None]

    __table_args__ = (
        values("decision", ("approved", "declined", "withdrawn")),
        CheckConstraint(
            "(decision IS NULL) = (decided_at IS NULL) AND (decision IS NULL) = (decided_name IS NULL) "
            "AND (decision IS NULL) = (decision_reason IS NULL)",
            name="what_is_decided_says_who_when_and_why",
        ),
        CheckConstraint(
            "decision <> 'approved' OR CASE WHEN asked_by IS NULL OR decided_by IS NULL "
            "THEN decided_name <> asked_name ELSE decided_by <> asked_by END",
            name="who_asks_does_not_approve",
        ),
        Index("plan_approvals_one_is_open", "plan_id", unique=True, postgresql_where=text("decision IS NULL")),
        Index("plan_approvals_by_plan_id", "plan_id", "created_at"),
    )


class Subscription(Tenant, Timestamps, Revised, Copied, Base):
    """What a workspace pays for. Cancelling it keeps the data."""

    __tablename__ = "subscriptions"

    user_id: Mapped[Key] = mapped_column(ForeignKey("users.id"))
    plan_id: Mapped[Key] = mapped_column(ForeignKey("plans.id"))
    product: Mapped[Name]
    tier: Mapped[Name]
    status: Mapped[Name] = mapped_column(server_default="active")
    billing_cycle: Mapped[Name] = mapped_column(server_default="monthly")
    price: Mapped[Money]
    currency: Mapped[CurrencyCode] = mapped_column(server_default="INR")
    started_at: Mapped[Instant]
    ends_at: Mapped[Instant | None]
    trial_ends_at: Mapped[Instant | None]
    cancelled_at: Mapped[Instant | None]
    current_period_start: Mapped[Day]
    current_period_end: Mapped[Day]
    cancel_at_period_end: Mapped[bool] = mapped_column(server_default=NO)
    credits_total: Mapped[int] = mapped_column(server_default=ZERO)
    credits_remaining: Mapped[int] = mapped_column(server_default=ZERO)
    monthly_ai_credits_used: Mapped[int] = mapped_column(server_default=ZERO)
    monthly_ai_credits_limit: Mapped[int | None]
    payment_provider: Mapped[Name | None]
    payment_id: Mapped[Name | None] = mapped_column(info={"secret": True})
    payment_method: Mapped[Name | None]
    payment_method_id: Mapped[Name | None] = mapped_column(info={"secret": True})

    __table_args__ = (
        Index("subscriptions_by_row_xid", "row_xid"),
        values("product", PRODUCTS),
        values("tier", TIERS),
        values("status", SUBSCRIPTION_STATUSES),
        values("billing_cycle", BILLING_PERIODS),
        *currencies("currency"),
        *never_negative("price", "credits_total", "credits_remaining", "monthly_ai_credits_used"),
        *sealed("payment_id", "payment_method_id"),
        CheckConstraint("current_period_end > current_period_start", name="a_period_ends_after_it_starts"),
        CheckConstraint("credits_remaining <= credits_total", name="no_more_credits_remain_than_were_given"),
        Index("subscriptions_by_user_id", "user_id"),
        Index("subscriptions_by_plan_id", "plan_id"),
        Index("subscriptions_by_status_ends_at", "status", "ends_at"),
        Index(
            "subscriptions_one_is_live_per_product",
            "workspace_id",
            "product",
            unique=True,
            postgresql_where=text("status IN ('trialing', 'active', 'past_due')"),
        ),
    )


_WAITS = text("done_at IS NULL AND cancelled_at IS NULL")


class PlanMigration(Tenant, Created, Base):
    """One subscription's way to another version of its plan: waiting for its day, done, or given up and why."""

    __tablename__ = "plan_migrations"

    batch_id: Mapped[Key]
    subscription_id: Mapped[Key]
    from_plan_id: Mapped[Key] = mapped_column(ForeignKey("plans.id"))
    to_plan_id: Mapped[Key] = mapped_column(ForeignKey("plans.id"))
    price_before: Mapped[Money]
    price_after: Mapped[Money]
    due_on: Mapped[Day]
    asked_name: Mapped[Name]
    reason: Mapped[Name]
    done_at: Mapped[Instant | None]
    cancelled_at: Mapped[Instant | None]
    cancelled_because: Mapped[Name | None]

    __table_args__ = (
        *never_negative("price_before", "price_after"),
        CheckConstraint("(cancelled_at IS NULL) = (cancelled_because IS NULL)", name="what_is_cancelled_says_why"),
        same_workspace("subscription_id", "subscriptions"),
        Index(
            "plan_migrations_one_waits_per_subscription",
            "workspace_id",
            "subscription_id",
            unique=True,
            postgresql_where=_WAITS,
        ),
        Index("plan_migrations_by_batch_id", "batch_id"),
        Index("plan_migrations_due", "due_on", postgresql_where=_WAITS),
        Index("plan_migrations_by_from_plan_id", "from_plan_id"),
        Index("plan_migrations_by_to_plan_id", "to_plan_id"),
    )


class Invoice(Tenant, Timestamps, Copied, Base):
    """An invoice or a credit note, in the shape of Stripe's: amounts in minor units of the currency."""

    __tablename__ = "invoices"

    subscription_id: Mapped[Key | None]
    number: Mapped[Name]
    kind: Mapped[Name] = mapped_column(server_default="invoice")
    corrects_invoice_id: Mapped[Key | None]
    status: Mapped[Name] = mapped_column(server_default="draft")
    currency: Mapped[CurrencyCode]
    subtotal_minor: Mapped[int] = mapped_column(BigInteger)
    discount_minor: Mapped[int] = mapped_column(BigInteger, server_default=ZERO)
    tax_minor: Mapped[int] = mapped_column(BigInteger, server_default=ZERO)
    total_minor: Mapped[int] = mapped_column(BigInteger)
    amount_paid_minor: Mapped[int] = mapped_column(BigInteger, server_default=ZERO)
    period_start: Mapped[Instant]
    period_end: Mapped[Instant]
    issued_at: Mapped[Instant | None]
    due_at: Mapped[Instant | None]
    paid_at: Mapped[Instant | None]
    voided_at: Mapped[Instant | None]
    provider: Mapped[Name | None]
    provider_invoice_id: Mapped[Name | None]

    __table_args__ = (
        Index("invoices_by_row_xid", "row_xid"),
        values("kind", ("invoice", "credit_note")),
        values("status", INVOICE_STATUSES),
        *currencies("currency"),
        *never_negative("subtotal_minor", "discount_minor", "tax_minor", "total_minor", "amount_paid_minor"),
        CheckConstraint(
            "total_minor = subtotal_minor - discount_minor + tax_minor", name="the_total_is_the_sum_of_its_parts"
        ),
        CheckConstraint("status <> 'paid' OR paid_at IS NOT NULL", name="what_is_paid_has_a_date"),
        CheckConstraint(
            "kind = 'invoice' OR corrects_invoice_id IS NOT NULL", name="a_credit_note_corrects_an_invoice"
        ),
        same_workspace("subscription_id", "subscriptions"),
        same_workspace("corrects_invoice_id", "invoices"),
        UniqueConstraint("workspace_id", "number"),
        UniqueConstraint("workspace_id", "provider", "provider_invoice_id"),
        Index("invoices_by_issued_at", "issued_at"),
    )


class InvoiceLine(Tenant, Created, Copied, Base):
    """One line of an invoice and the period over which its revenue is recognised."""

    __tablename__ = "invoice_lines"

    invoice_id: Mapped[Key]
    subscription_id: Mapped[Key | None]
    plan_id: Mapped[Key | None] = mapped_column(ForeignKey("plans.id"))
    product: Mapped[Name]
    kind: Mapped[Name]
    description: Mapped[Name]
    quantity: Mapped[int] = mapped_column(BigInteger, server_default=text("1"))
    unit_amount_minor: Mapped[int] = mapped_column(BigInteger)
    amount_minor: Mapped[int] = mapped_column(BigInteger)
    discount_minor: Mapped[int] = mapped_column(BigInteger, server_default=ZERO)
    tax_minor: Mapped[int] = mapped_column(BigInteger, server_default=ZERO)
    currency: Mapped[CurrencyCode]
    period_start: Mapped[Instant]
    period_end: Mapped[Instant]

    __table_args__ = (
        Index("invoice_lines_by_row_xid", "row_xid"),
        values("product", PRODUCTS),
        values("kind", ("subscription", "proration", "usage", "credits")),
        *currencies("currency"),
        same_workspace("invoice_id", "invoices"),
        same_workspace("subscription_id", "subscriptions"),
        CheckConstraint("period_end > period_start", name="a_period_ends_after_it_starts"),
        Index("invoice_lines_by_invoice_id", "workspace_id", "invoice_id"),
    )


class CreditPackage(Keyed, Timestamps, Revised, Base):
    """Credits that can be bought at once."""

    __tablename__ = "credit_packages"

    name: Mapped[Name]
    description: Mapped[Name | None]
    credit_amount: Mapped[int]
    price: Mapped[Money]
    currency: Mapped[CurrencyCode]
    is_active: Mapped[bool] = mapped_column(server_default=YES)
    is_featured: Mapped[bool] = mapped_column(server_default=NO)
    sort_order: Mapped[int] = mapped_column(server_default=ZERO)

    __table_args__ = (
        *currencies("currency"),
        *never_negative("price"),
        CheckConstraint("credit_amount > 0", name="a_package_holds_credits"),
        Index("credit_packages_by_is_active_sort_order", "is_active", "sort_order"),
    )


class Payment(Tenant, Timestamps, Base):
    """Money that a provider took or gave back."""

    __tablename__ = "payments"

    user_id: Mapped[Key] = mapped_column(ForeignKey("users.id"))
    package_id: Mapped[Key | None] = mapped_column(ForeignKey("credit_packages.id"))
    invoice_id: Mapped[Key | None]
    provider: Mapped[Name]
    provider_payment_id: Mapped[Name | None] = mapped_column(info={"secret": True})
    provider_payment_digest: Mapped[bytes | None] = mapped_column(
        LargeBinary,
        info={"hidden": True},
        comment="A keyed digest of provider_payment_id: the encrypted text can't be compared, this can.",
    )
    amount: Mapped[Money]
    currency: Mapped[CurrencyCode]
    status: Mapped[Name] = mapped_column(server_default="pending")
    failure_reason: Mapped[Name | None]
    credits_purchased: Mapped[int] = mapped_column(server_default=ZERO)
    details: Mapped[Json] = mapped_column("metadata", server_default=NO_FIELDS)

    __table_args__ = (
        values("status", PAYMENT_STATUSES),
        *currencies("currency"),
        *never_negative("amount", "credits_purchased"),
        *sealed("provider_payment_id"),
        same_workspace("invoice_id", "invoices"),
        UniqueConstraint("workspace_id", "provider", "provider_payment_digest"),
        Index("payments_by_user_id", "user_id"),
        Index("payments_by_status_created_at", "status", "created_at"),
    )


class CreditTransaction(Tenant, Created, Copied, Base):
    """One movement of a customer's credits. Never changed; each row proves the balance after it."""

    __tablename__ = "credit_transactions"

    user_id: Mapped[Key] = mapped_column(ForeignKey("users.id"))
    position: Mapped[int] = mapped_column(BigInteger, comment="1, 2, 3 … per user; made by a trigger.")
    amount: Mapped[int]
    type: Mapped[Name]
    reference_id: Mapped[Key | None]
    reference_type: Mapped[Name | None]
    description: Mapped[Name | None]
    balance_after: Mapped[int] = mapped_column(comment="Made, or if given proven, by a trigger.")
    expires_at: Mapped[Instant | None]
    details: Mapped[Json] = mapped_column("metadata", server_default=NO_FIELDS)

    __table_args__ = (
        Index("credit_transactions_by_row_xid", "row_xid"),
        values("type", CREDIT_TRANSACTION_TYPES),
        CheckConstraint("amount <> 0", name="a_movement_moves_something"),
        CheckConstraint("balance_after >= 0", name="credits_are_not_negative"),
        CheckConstraint(
            "CASE WHEN type IN ('usage', 'expiry', 'take_back') THEN amount < 0 ELSE amount > 0 END",
            name="the_sign_of_an_amount_follows_its_type",
        ),
        UniqueConstraint("workspace_id", "user_id", "position"),
        Index("credit_transactions_by_user_id", "user_id", "position"),
        Index("credit_transactions_by_created_at_type", "created_at", "type"),
        Index("credit_transactions_by_reference_id", "workspace_id", "reference_id"),
    )


class FxRate(Base):
    """What one unit of a currency was worth in the reporting currency on a day."""

    __tablename__ = "fx_rates"

    day: Mapped[Day] = mapped_column(primary_key=True)
    currency: Mapped[CurrencyCode] = mapped_column(primary_key=True)
    reporting_currency: Mapped[CurrencyCode] = mapped_column(primary_key=True)
    rate: Mapped[Decimal] = mapped_column(Numeric(20, 10))
    source: Mapped[Name]
    created_at: Mapped[Instant] = mapped_column(server_default=text("now()"))

    __table_args__ = (
        *currencies("currency", "reporting_currency"),
        CheckConstraint("rate > 0", name="a_rate_is_positive"),
    )
