"""AI money: the price book, closed months, providers' bills, and quotas."""

from sqlalchemy import BigInteger, CheckConstraint, ForeignKey, Index, UniqueConstraint, text
from sqlalchemy.orm import Mapped, mapped_column

from db.tables.ai import GENERATION_TYPES, SERVICE_TIERS
from db.tables.base import (
    NO,
    NO_FIELDS,
    NOW,
    ONE,
    ZERO,
    AiCost,
    Base,
    Copied,
    Created,
    CurrencyCode,
    Day,
    Instant,
    Json,
    Key,
    Keyed,
    Name,
    Revised,
    Tenant,
    Timestamps,
    currencies,
    never_negative,
    same_workspace,
    values,
)
from db.tables.products import AI_PROVIDERS, AI_UNITS, METERS, PERIODS, PRODUCTS

RESERVATION_STATES = ("held", "settled", "released", "expired")


class AiPrice(Keyed, Created, Base):
    """What one unit of a model cost from one time to another. Never edited, only superseded.

    A row is a proposal until it is approved, which gives it the book's next version and supersedes what the book said
    from the same moment. Of two that are valid at a time the one that began later holds, as a price list is read.
    """

    __tablename__ = "ai_prices"

    provider: Mapped[Name]
    model: Mapped[Name]
    unit: Mapped[Name]
    service_tier: Mapped[Name] = mapped_column(server_default="standard")
    variant: Mapped[Name] = mapped_column(server_default="", comment="Size and quality of an image, for example.")
    context_from: Mapped[int] = mapped_column(
        BigInteger, server_default=ZERO, comment="Calls with at least so many input tokens pay this for all of them."
    )
    price: Mapped[AiCost]
    per: Mapped[int] = mapped_column(
        BigInteger, server_default=text("1000000"), comment="The price is for so many units."
    )
    currency: Mapped[CurrencyCode] = mapped_column(server_default="USD")
    valid_from: Mapped[Instant]
    valid_to: Mapped[Instant | None]
    known_from: Mapped[Instant] = mapped_column(server_default=NOW)
    version: Mapped[int] = mapped_column(server_default=ZERO, comment="Of the book, by approval; 0: proposed.")
    source: Mapped[Name]
    source_reference: Mapped[Name | None]
    approved_by: Mapped[Key | None] = mapped_column(ForeignKey("team_members.id"))
    approved_at: Mapped[Instant | None]
    superseded_by: Mapped[Key | None] = mapped_column(ForeignKey("ai_prices.id"))
    rejected_by: Mapped[Key | None] = mapped_column(ForeignKey("team_members.id"))
    rejected_at: Mapped[Instant | None]

    __table_args__ = (
        values("provider", AI_PROVIDERS),
        values("unit", AI_UNITS),
        values("service_tier", SERVICE_TIERS),
        *currencies("currency"),
        *never_negative("price", "context_from"),
        CheckConstraint("per > 0", name="a_price_is_for_some_units"),
        # Whole millionths of a millionth for one unit: costs are sums of these, and nothing is ever rounded away.
        CheckConstraint("mod(price * 1000000000000, per) = 0", name="a_price_of_one_unit_is_exact"),
        CheckConstraint("currency = 'USD'", name="ai_is_priced_in_dollars"),
        CheckConstraint("approved_at IS NULL OR rejected_at IS NULL", name="a_price_is_not_approved_and_rejected"),
        CheckConstraint("valid_to > valid_from", name="a_price_ends_after_it_starts"),
        Index(
            "ai_prices_live_has_a_row_once",
            "provider",
            "model",
            "unit",
            "service_tier",
            "variant",
            "context_from",
            "valid_from",
            unique=True,
            postgresql_where=text("superseded_by IS NULL AND approved_at IS NOT NULL"),
        ),
        Index("ai_prices_by_model", "provider", "model", "valid_from"),
    )


class AiMonth(Created, Base):
    """A month (UTC) of AI cost: open, or closed with its sums, and then nothing that counts in it changes."""

    __tablename__ = "ai_months"

    month: Mapped[Day] = mapped_column(primary_key=True)
    closed_at: Mapped[Instant | None]
    closed_by: Mapped[Key | None] = mapped_column(ForeignKey("team_members.id"))
    cost: Mapped[AiCost | None]
    calls: Mapped[int | None] = mapped_column(BigInteger)
    unpriced: Mapped[int | None] = mapped_column(BigInteger)
    price_version: Mapped[int | None]

    __table_args__ = (
        CheckConstraint("month = date_trunc('month', month)", name="month_is_the_first_of_a_month"),
        CheckConstraint(
            "(closed_at IS NULL) = (cost IS NULL) AND (closed_at IS NULL) = (calls IS NULL) "
            "AND (closed_at IS NULL) = (unpriced IS NULL)",
            name="a_closed_month_has_its_sums",
        ),
    )


class AiCostCorrection(Tenant, Created, Copied, Base):
    """What a closed month should have cost more or less, as it was found out after the close."""

    __tablename__ = "ai_cost_corrections"

    month: Mapped[Day] = mapped_column(ForeignKey("ai_months.month"))
    kind: Mapped[Name]
    product: Mapped[Name]
    provider: Mapped[Name]
    model: Mapped[Name]
    generation_type: Mapped[Name]
    amount: Mapped[AiCost]
    currency: Mapped[CurrencyCode] = mapped_column(server_default="USD")
    price_version: Mapped[int | None]
    reason: Mapped[Name]
    made_by: Mapped[Key | None] = mapped_column(ForeignKey("team_members.id"))

    __table_args__ = (
        values("kind", ("price", "late_usage", "other")),
        values("product", PRODUCTS),
        values("provider", AI_PROVIDERS),
        values("generation_type", GENERATION_TYPES),
        CheckConstraint("currency = 'USD'", name="ai_is_priced_in_dollars"),
        CheckConstraint("amount <> 0", name="a_correction_corrects_something"),
        CheckConstraint("reason <> ''", name="a_correction_has_a_reason"),
        Index("ai_cost_corrections_by_month", "workspace_id", "month"),
        Index("ai_cost_corrections_by_row_xid", "row_xid"),
    )


class QuotaBalance(Tenant, Timestamps, Base):
    """What is used and held of a meter in one period, and the limit that rules it."""

    __tablename__ = "quota_balances"

    user_id: Mapped[Key | None] = mapped_column(ForeignKey("users.id"), comment="NULL: the workspace as a whole.")
    product: Mapped[Name]
    meter: Mapped[Name]
    period: Mapped[Name]
    period_start: Mapped[Instant]
    period_end: Mapped[Instant | None]
    limit_amount: Mapped[int | None] = mapped_column(BigInteger, comment="NULL: unlimited.")
    grace_amount: Mapped[int] = mapped_column(BigInteger, server_default=ZERO)
    is_soft: Mapped[bool] = mapped_column(server_default=NO)
    rolled_over: Mapped[int] = mapped_column(BigInteger, server_default=ZERO)
    used: Mapped[int] = mapped_column(BigInteger, server_default=ZERO)
    held: Mapped[int] = mapped_column(BigInteger, server_default=ZERO)
    opening_used: Mapped[int] = mapped_column(
        BigInteger, server_default=ZERO, comment="What was used before reservations were counted."
    )
    over_since: Mapped[Instant | None] = mapped_column(
        comment="Since when more than the limit is used and held: grace counts from then."
    )

    __table_args__ = (
        values("product", PRODUCTS),
        values("meter", METERS),
        values("period", PERIODS),
        *never_negative("limit_amount", "grace_amount", "rolled_over", "used", "held", "opening_used"),
        CheckConstraint("period_end > period_start", name="a_period_ends_after_it_starts"),
        Index(
            "quota_balances_has_a_row_once",
            "workspace_id",
            "user_id",
            "product",
            "meter",
            "period",
            "period_start",
            unique=True,
            postgresql_nulls_not_distinct=True,
        ),
        {"postgresql_with": {"fillfactor": "50"}},
    )


class QuotaReservation(Tenant, Timestamps, Base):
    """A part of a quota that is held for a call, then settled, released or expired."""

    __tablename__ = "quota_reservations"

    balance_id: Mapped[Key]
    idempotency_key: Mapped[Name]
    key_place: Mapped[int] = mapped_column(
        server_default=ONE, comment="1, 2, 3 … per key, one for each balance; the first has the answer."
    )
    amount: Mapped[int] = mapped_column(BigInteger)
    settled_amount: Mapped[int | None] = mapped_column(BigInteger)
    state: Mapped[Name] = mapped_column(server_default="held")
    expires_at: Mapped[Instant]
    answer: Mapped[Json] = mapped_column(server_default=NO_FIELDS, comment="What a replay of the call is told.")

    __table_args__ = (
        values("state", RESERVATION_STATES),
        *never_negative("amount", "settled_amount"),
        CheckConstraint("(state = 'settled') = (settled_amount IS NOT NULL)", name="what_is_settled_has_an_amount"),
        same_workspace("balance_id", "quota_balances"),
        UniqueConstraint("workspace_id", "idempotency_key", "balance_id"),
        CheckConstraint("key_place >= 1", name="places_of_a_key_count_from_one"),
        Index(
            "quota_reservations_a_key_fills_each_place_once",
            "workspace_id",
            "idempotency_key",
            "key_place",
            unique=True,
        ),
        Index("quota_reservations_by_balance_id", "workspace_id", "balance_id"),
        Index("quota_reservations_held", "expires_at", postgresql_where=text("state = 'held'")),
    )


class QuotaOverride(Tenant, Timestamps, Revised, Base):
    """An exception to a plan's limit, with a reason and an end."""

    __tablename__ = "quota_overrides"

    user_id: Mapped[Key | None] = mapped_column(ForeignKey("users.id"))
    product: Mapped[Name]
    meter: Mapped[Name]
    period: Mapped[Name]
    limit_amount: Mapped[int | None] = mapped_column(BigInteger, comment="NULL: unlimited.")
    reason: Mapped[Name]
    starts_at: Mapped[Instant] = mapped_column(server_default=NOW)
    ends_at: Mapped[Instant]
    granted_by: Mapped[Key | None] = mapped_column(ForeignKey("team_members.id"))

    __table_args__ = (
        values("product", PRODUCTS),
        values("meter", METERS),
        values("period", PERIODS),
        *never_negative("limit_amount"),
        CheckConstraint("ends_at > starts_at", name="an_override_ends_after_it_starts"),
        CheckConstraint("reason <> ''", name="an_override_has_a_reason"),
        Index("quota_overrides_by_meter", "workspace_id", "product", "meter", "ends_at"),
    )
