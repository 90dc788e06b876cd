"""Budgets of AI: what was spent and held of them, how they were found, alerts and who got them, emergency stops."""

from sqlalchemy import BigInteger, CheckConstraint, ForeignKey, Index, UniqueConstraint, text
from sqlalchemy.dialects.postgresql import ARRAY
from sqlalchemy.orm import Mapped, mapped_column

from db.tables.base import (
    NO_FIELDS,
    ONE,
    YES,
    ZERO,
    AiCost,
    Base,
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
    SoftDeleted,
    Tenant,
    Timestamps,
    currencies,
    never_negative,
    same_workspace,
    values,
)
from db.tables.products import PERIODS

BUDGET_SCOPES = ("company", "product", "provider", "workspace", "user", "generation_type")
ALERT_KINDS = ("threshold", "forecast", "blocked", "emergency_stop", "unpriced", "anomaly", "evaluation_failed")
STOP_SCOPES = ("all", "provider", "product")
CHANNELS = ("email", "webhook")


class Budget(Keyed, Timestamps, Revised, SoftDeleted, Base):
    """How much AI may cost in a calendar period, for whom, and what happens when it does."""

    __tablename__ = "budgets"

    name: Mapped[Name]
    scope: Mapped[Name]
    scope_value: Mapped[Name | None] = mapped_column(comment="The product, provider or type that a scope names.")
    workspace_id: Mapped[Key | None] = mapped_column(ForeignKey("workspaces.id"))
    user_id: Mapped[Key | None] = mapped_column(ForeignKey("users.id"))
    amount: Mapped[Money]
    currency: Mapped[CurrencyCode] = mapped_column(server_default="USD")
    period: Mapped[Name] = mapped_column(server_default="month")
    timezone: Mapped[Name] = mapped_column(server_default="UTC")
    thresholds: Mapped[list[int]] = mapped_column(ARRAY(BigInteger), server_default=text("'{50,80,100}'"))
    at_limit: Mapped[Name] = mapped_column(server_default="notify")
    is_active: Mapped[bool] = mapped_column(server_default=YES)
    warns_of_forecast: Mapped[bool] = mapped_column(server_default=YES)

    __table_args__ = (
        values("scope", BUDGET_SCOPES),
        values("period", PERIODS),
        values("at_limit", ("notify", "block")),
        *currencies("currency"),
        CheckConstraint("amount > 0", name="a_budget_is_positive"),
        CheckConstraint("name <> ''", name="a_budget_has_a_name"),
        CheckConstraint("currency = 'USD'", name="ai_is_priced_in_dollars"),
        # What is no zone makes this an error, before any call is counted by it.
        CheckConstraint(
            "(TIMESTAMP WITH TIME ZONE '2000-01-01 00:00:00+00' AT TIME ZONE timezone) IS NOT NULL",
            name="timezone_is_a_zone",
        ),
        CheckConstraint("0 < ALL (thresholds)", name="thresholds_are_positive_percentages"),
        CheckConstraint(
            "(scope IN ('workspace', 'user')) = (workspace_id IS NOT NULL) "
            "AND (scope = 'user') = (user_id IS NOT NULL) "
            "AND (scope IN ('product', 'provider', 'generation_type')) = (scope_value IS NOT NULL)",
            name="a_scope_names_what_it_covers",
        ),
        UniqueConstraint("workspace_id", "id"),
        Index("budgets_by_workspace_id", "workspace_id"),
    )


class BudgetDay(Base):
    """What a budget's calls of a day cost; triggers on `ai_generations` keep it, in the statement that prices them."""

    __tablename__ = "budget_days"

    budget_id: Mapped[Key] = mapped_column(ForeignKey("budgets.id"), primary_key=True)
    workspace_id: Mapped[Key | None] = mapped_column(ForeignKey("workspaces.id"))
    day: Mapped[Day] = mapped_column(primary_key=True, comment="In the budget's zone.")
    spent: Mapped[AiCost] = mapped_column(server_default=ZERO)
    refused: Mapped[int] = mapped_column(BigInteger, server_default=ZERO, comment="Calls that the budget refused.")

    __table_args__ = (
        same_workspace("budget_id", "budgets"),
        Index("budget_days_by_workspace_id", "workspace_id"),
        {"postgresql_with": {"fillfactor": "50"}},
    )


class AiHold(Tenant, Created, Base):
    """What a call that runs may still cost, as budgets that block count it before its cost is known."""

    __tablename__ = "ai_holds"

    call_key: Mapped[Name] = mapped_column(comment="The request_key of its calls, as text: their costs take its place.")
    user_id: Mapped[Key | None] = mapped_column(ForeignKey("users.id"))
    product: Mapped[Name | None]
    provider: Mapped[Name | None]
    generation_type: Mapped[Name | None]
    amount: Mapped[AiCost]
    arrived: Mapped[AiCost] = mapped_column(
        server_default=ZERO, comment="Of the amount, what has been priced and counts as spent."
    )
    is_estimate: Mapped[bool] = mapped_column(server_default=YES)
    settled_at: Mapped[Instant | None]
    expires_at: Mapped[Instant]

    __table_args__ = (
        *never_negative("amount"),
        UniqueConstraint("workspace_id", "call_key"),
        Index("ai_holds_by_expires_at", "expires_at"),
    )


class AiStop(Keyed, Created, Base):
    """An emergency stop: from its start to its end no call of a provider, of a product or at all is let through."""

    __tablename__ = "ai_stops"

    scope: Mapped[Name]
    scope_value: Mapped[Name | None]
    reason: Mapped[Name]
    started_by: Mapped[Key | None] = mapped_column(ForeignKey("team_members.id"))
    ended_at: Mapped[Instant | None]
    ended_by: Mapped[Key | None] = mapped_column(ForeignKey("team_members.id"))
    end_reason: Mapped[Name | None]
    refused: Mapped[int] = mapped_column(BigInteger, server_default=ZERO, comment="Calls that the stop refused.")

    __table_args__ = (
        values("scope", STOP_SCOPES),
        CheckConstraint("(scope = 'all') = (scope_value IS NULL)", name="a_stop_names_what_it_stops"),
        CheckConstraint("reason <> ''", name="a_stop_has_a_reason"),
        CheckConstraint("(ended_at IS NULL) = (end_reason IS NULL) AND end_reason <> ''", name="an_end_has_a_reason"),
        CheckConstraint("ended_at >= created_at", name="a_stop_ends_after_it_starts"),
        Index(
            "ai_stops_one_is_live",
            "scope",
            "scope_value",
            unique=True,
            postgresql_nulls_not_distinct=True,
            postgresql_where=text("ended_at IS NULL"),
        ),
    )


class BudgetAlert(Keyed, Created, Base):
    """What somebody has to know, once per period: a threshold that was reached, a stop, calls without a price."""

    __tablename__ = "budget_alerts"

    budget_id: Mapped[Key | None] = mapped_column(ForeignKey("budgets.id"))
    workspace_id: Mapped[Key | None] = mapped_column(ForeignKey("workspaces.id"))
    kind: Mapped[Name] = mapped_column(server_default="threshold")
    about: Mapped[Name] = mapped_column(
        server_default="", comment="What else tells one alert of a period from another, such as a model."
    )
    period_start: Mapped[Instant]
    threshold: Mapped[int | None]
    spent: Mapped[AiCost | None]
    reason: Mapped[Name | None]
    details: Mapped[Json] = mapped_column(server_default=NO_FIELDS)
    stop_id: Mapped[Key | None] = mapped_column(ForeignKey("ai_stops.id"))
    snoozed_until: Mapped[Instant | None]
    snoozed_by: Mapped[Key | None] = mapped_column(ForeignKey("team_members.id"))
    acknowledged_by: Mapped[Key | None] = mapped_column(ForeignKey("team_members.id"))
    acknowledged_at: Mapped[Instant | None]
    ended_at: Mapped[Instant | None]

    __table_args__ = (
        values("kind", ALERT_KINDS),
        CheckConstraint(
            "kind NOT IN ('threshold', 'forecast', 'blocked') OR budget_id IS NOT NULL",
            name="an_alert_belongs_to_a_budget",
        ),
        # Beside the plain reference, which covers the company's own: a workspace's alert names a budget of its own.
        same_workspace("budget_id", "budgets"),
        CheckConstraint("kind <> 'emergency_stop' OR reason IS NOT NULL", name="a_stop_has_a_reason"),
        UniqueConstraint("workspace_id", "id"),
        Index(
            "budget_alerts_are_raised_once",
            "workspace_id",
            "budget_id",
            "kind",
            "about",
            "period_start",
            "threshold",
            unique=True,
            postgresql_nulls_not_distinct=True,
            postgresql_where=text("kind <> 'emergency_stop'"),
        ),
        Index("budget_alerts_by_workspace_id", "workspace_id"),
        Index("budget_alerts_by_created_at", "created_at"),
    )


class BudgetEvaluation(Keyed, Created, Base):
    """What was found when a budget was looked at; or why it could not be."""

    __tablename__ = "budget_evaluations"

    workspace_id: Mapped[Key | None] = mapped_column(ForeignKey("workspaces.id"))
    budget_id: Mapped[Key | None] = mapped_column(ForeignKey("budgets.id"))
    period_start: Mapped[Instant | None]
    period_end: Mapped[Instant | None]
    amount: Mapped[Money | None]
    spent: Mapped[AiCost | None]
    held: Mapped[AiCost | None]
    unpriced: Mapped[int | None] = mapped_column(
        BigInteger, comment="Calls of the period without a price: they are not in what was spent."
    )
    forecast: Mapped[AiCost | None]
    forecast_low: Mapped[AiCost | None]
    forecast_high: Mapped[AiCost | None]
    raised: Mapped[int] = mapped_column(server_default=ZERO)
    error: Mapped[Name | None]

    __table_args__ = (
        CheckConstraint("(spent IS NULL) = (error IS NOT NULL)", name="an_evaluation_finds_or_fails"),
        same_workspace("budget_id", "budgets"),
        Index("budget_evaluations_by_budget_id", "budget_id", "created_at"),
        Index("budget_evaluations_by_created_at", "created_at"),
        Index("budget_evaluations_by_workspace_id", "workspace_id"),
    )


class AlertDelivery(Keyed, Timestamps, Base):
    """An alert on its way to people, by one channel."""

    __tablename__ = "alert_deliveries"

    workspace_id: Mapped[Key | None] = mapped_column(ForeignKey("workspaces.id"))
    alert_id: Mapped[Key] = mapped_column(ForeignKey("budget_alerts.id"))
    channel: Mapped[Name]
    round: Mapped[int] = mapped_column(
        server_default=ONE, comment="The first tells of the alert; later ones remind of it after a snooze."
    )
    status: Mapped[Name] = mapped_column(server_default="pending")
    attempts: Mapped[int] = mapped_column(server_default=ZERO)
    error: Mapped[Name | None]
    sent_at: Mapped[Instant | None]

    __table_args__ = (
        values("channel", CHANNELS),
        values("status", ("pending", "sent", "failed")),
        CheckConstraint("(status = 'sent') = (sent_at IS NOT NULL)", name="what_is_sent_has_a_time"),
        CheckConstraint("round >= 1", name="rounds_count_from_one"),
        *never_negative("attempts"),
        same_workspace("alert_id", "budget_alerts"),
        Index(
            "alert_deliveries_go_out_once",
            "workspace_id",
            "alert_id",
            "channel",
            "round",
            unique=True,
            postgresql_nulls_not_distinct=True,
        ),
        Index("alert_deliveries_by_alert_id", "alert_id"),
    )
