"""Facts of AI: every call of a model, its cost per day, and what the ads autopilot changed by itself."""

from decimal import Decimal

from sqlalchemy import BigInteger, CheckConstraint, ForeignKey, Index, Numeric, text
from sqlalchemy.orm import Mapped, mapped_column

from db.tables.base import (
    NO_FIELDS,
    NO_TEXTS,
    NOW,
    ONE,
    ZERO,
    AiCost,
    Base,
    CurrencyCode,
    Day,
    Fact,
    Instant,
    Json,
    Key,
    Name,
    Tenant,
    TenantOfParent,
    Texts,
    Timestamps,
    monthly,
    never_negative,
    own_or_house,
    same_workspace,
    values,
)
from db.tables.products import AI_PROVIDERS, PRODUCTS

GENERATION_TYPES = (
    "campaign",
    "component",
    "enhancement",
    "analysis",
    "migration_plan",
    "email",
    "image",
    "video",
    "assistant",
)
GENERATION_STATUSES = ("pending", "processing", "completed", "failed", "cancelled")
SERVICE_TIERS = ("standard", "batch", "flex", "priority")


class AiGeneration(Tenant, Timestamps, Fact, Base):
    """One attempt of one call of a model: what was asked, what came, what it cost.

    Token counts are disjoint: input holds what was neither read from nor written to a cache, and output holds no
    reasoning. Costs are empty where no price was known: unpriced is not zero. A call is priced by when it began, also
    when prices changed while it ran.
    """

    __tablename__ = "ai_generations"

    created_at: Mapped[Instant] = mapped_column(primary_key=True, server_default=NOW, sort_order=100)
    user_id: Mapped[Key] = mapped_column(ForeignKey("users.id"))
    campaign_id: Mapped[Key | None]
    component_id: Mapped[Key | None]
    template_id: Mapped[Key | None]
    template_workspace_id: Mapped[Key | None]
    product: Mapped[Name]
    provider: Mapped[Name]
    model: Mapped[Name]
    generation_type: Mapped[Name]
    service_tier: Mapped[Name] = mapped_column(server_default="standard")
    request_key: Mapped[Key | None] = mapped_column(comment="The same on every attempt of one request.")
    attempt: Mapped[int] = mapped_column(server_default=ONE)
    status: Mapped[Name] = mapped_column(server_default="pending")
    error_code: Mapped[Name | None]
    error_message: Mapped[Name | None]
    prompt_text: Mapped[Name | None]
    prompt_data: Mapped[Json] = mapped_column(server_default=NO_FIELDS)
    customization_data: Mapped[Json] = mapped_column(server_default=NO_FIELDS)
    reference_images: Mapped[Texts] = mapped_column(server_default=NO_TEXTS)
    result_data: Mapped[Json | None]
    result_image_url: Mapped[Name | None]
    input_tokens: Mapped[int] = mapped_column(BigInteger, server_default=ZERO)
    cached_input_tokens: Mapped[int] = mapped_column(BigInteger, server_default=ZERO)
    cache_write_tokens: Mapped[int] = mapped_column(BigInteger, server_default=ZERO)
    output_tokens: Mapped[int] = mapped_column(BigInteger, server_default=ZERO)
    reasoning_tokens: Mapped[int] = mapped_column(BigInteger, server_default=ZERO)
    images: Mapped[int] = mapped_column(server_default=ZERO)
    image_size: Mapped[Name | None]
    image_quality: Mapped[Name | None]
    audio_seconds: Mapped[Decimal] = mapped_column(Numeric(12, 3), server_default=ZERO)
    video_seconds: Mapped[Decimal] = mapped_column(Numeric(12, 3), server_default=ZERO)
    tool_calls: Mapped[int] = mapped_column(server_default=ZERO)
    cache_write_1h_tokens: Mapped[int] = mapped_column(
        BigInteger, server_default=ZERO, comment="Those of cache_write_tokens that are kept for an hour."
    )
    more_units: Mapped[Json] = mapped_column(
        server_default=NO_FIELDS,
        comment="What has no column, such as audio_input; and, as unit/kind, which of a column's are of which kind.",
    )
    unpriced_because: Mapped[Name | None]
    cache_saving: Mapped[AiCost | None] = mapped_column(
        comment="What it would have cost more without a cache, by standard prices; below zero where writing into it"
        " cost more."
    )
    batch_saving: Mapped[AiCost | None] = mapped_column(comment="What it would have cost more as a standard call.")
    cost: Mapped[AiCost | None] = mapped_column(comment="What we computed, unrounded; NULL: unpriced.")
    reported_cost: Mapped[AiCost | None] = mapped_column(comment="What the source said.")
    currency: Mapped[CurrencyCode] = mapped_column(server_default="USD")
    price_version: Mapped[int | None]
    credits_used: Mapped[int] = mapped_column(server_default=ZERO)
    completed_at: Mapped[Instant | None]
    generation_time_ms: Mapped[int | None] = mapped_column(BigInteger)
    iterations: Mapped[int] = mapped_column(server_default=ONE)
    user_rating: Mapped[int | None]
    user_feedback: Mapped[Name | None]
    accepted: Mapped[bool | None]

    __table_args__ = (
        values("product", PRODUCTS),
        values("provider", AI_PROVIDERS),
        values("generation_type", GENERATION_TYPES),
        values("status", GENERATION_STATUSES),
        values("service_tier", SERVICE_TIERS),
        CheckConstraint("currency = 'USD'", name="ai_is_priced_in_dollars"),
        *never_negative(
            "input_tokens",
            "cached_input_tokens",
            "cache_write_tokens",
            "output_tokens",
            "reasoning_tokens",
            "images",
            "audio_seconds",
            "video_seconds",
            "tool_calls",
            "cache_write_1h_tokens",
            "cost",
            "reported_cost",
            "credits_used",
            "generation_time_ms",
        ),
        CheckConstraint("attempt >= 1", name="attempts_count_from_one"),
        CheckConstraint("user_rating BETWEEN 1 AND 5", name="user_rating_is_from_1_to_5"),
        CheckConstraint("(cost IS NULL) = (price_version IS NULL)", name="a_cost_names_its_prices"),
        CheckConstraint("cost IS NULL OR unpriced_because IS NULL", name="what_is_priced_has_no_reason_not_to_be"),
        CheckConstraint("cache_write_1h_tokens <= cache_write_tokens", name="an_hours_cache_writes_are_cache_writes"),
        CheckConstraint(
            "NOT jsonb_path_exists(more_units, '$.* ? (@.type() <> \"number\" || @ < 0)')",
            name="more_units_are_not_negative",
        ),
        same_workspace("campaign_id", "campaigns"),
        same_workspace("component_id", "campaign_components"),
        *own_or_house("template_id", "templates"),
        Index("ai_generations_by_user", "workspace_id", "user_id", "created_at"),
        Index("ai_generations_by_created_at", "workspace_id", "created_at"),
        Index("ai_generations_by_model", "model", "created_at"),
        Index("ai_generations_unpriced", "created_at", postgresql_where=text("cost IS NULL")),
        Index("ai_generations_by_row_xid", "row_xid"),
        monthly("created_at"),
    )


class AiCostDay(Tenant, Timestamps, Fact, Base):
    """What a customer's calls of one model cost on one day (UTC); triggers on `ai_generations` keep it.

    The documents' columns per provider are the view `ai_cost_by_provider`.
    """

    __tablename__ = "ai_cost_tracking"

    date: Mapped[Day] = mapped_column(primary_key=True)
    user_id: Mapped[Key] = mapped_column(ForeignKey("users.id"))
    provider: Mapped[Name]
    model: Mapped[Name]
    cost: Mapped[AiCost] = mapped_column(server_default=ZERO)
    generations_count: Mapped[int] = mapped_column(BigInteger, server_default=ZERO)
    failed_count: Mapped[int] = mapped_column(BigInteger, server_default=ZERO)
    unpriced_count: Mapped[int] = mapped_column(BigInteger, server_default=ZERO)
    tokens_used: Mapped[int] = mapped_column(BigInteger, server_default=ZERO)

    __table_args__ = (
        values("provider", AI_PROVIDERS),
        *never_negative("cost", "generations_count", "failed_count", "unpriced_count", "tokens_used"),
        Index("ai_cost_tracking_has_a_row_once", "workspace_id", "user_id", "date", "provider", "model", unique=True),
        Index("ai_cost_tracking_by_row_xid", "row_xid"),
        monthly("date"),
    )


class AiOptimizationLog(TenantOfParent, Fact, Base):
    """What the autopilot changed on an ad campaign, why, and what came of it."""

    __tablename__ = "ai_optimization_logs"

    optimized_at: Mapped[Instant] = mapped_column(primary_key=True, server_default=NOW)
    campaign_id: Mapped[Key]
    optimization_type: Mapped[Name]
    trigger_condition: Mapped[Name | None]
    before_values: Mapped[Json] = mapped_column(server_default=NO_FIELDS)
    after_values: Mapped[Json] = mapped_column(server_default=NO_FIELDS)
    success: Mapped[bool | None]
    impact_description: Mapped[Name | None]
    performance_change: Mapped[Json | None]

    __table_args__ = (
        same_workspace("campaign_id", "ad_campaigns", target_column="campaign_id"),
        Index("ai_optimization_logs_by_campaign", "workspace_id", "campaign_id", "optimized_at"),
        Index("ai_optimization_logs_by_optimization_type", "optimization_type"),
        Index("ai_optimization_logs_by_row_xid", "row_xid"),
        monthly("optimized_at"),
    )
