"""Connections to other platforms and to Meta; what they hold in secret is encrypted by the app."""

from sqlalchemy import CheckConstraint, ForeignKey, Index, Integer, UniqueConstraint, text
from sqlalchemy.orm import Mapped, mapped_column

from db.tables.base import (
    NO_FIELDS,
    NO_TEXTS,
    AiCost,
    Base,
    Instant,
    Json,
    Key,
    Name,
    Revised,
    SoftDeleted,
    Tenant,
    Texts,
    Timestamps,
    never_negative,
    same_workspace,
    sealed,
    searched,
    values,
)


class InHand:
    """What admins decide about a connection."""

    disabled_at: Mapped[Instant | None] = mapped_column(
        comment="Since then an admin lets nothing be synced.", sort_order=95
    )
    reauthorization_asked_at: Mapped[Instant | None] = mapped_column(
        comment="Since then the product asks its customer to authorise it anew, and empties this when that is done.",
        sort_order=96,
    )


class PlatformIntegration(Tenant, InHand, Timestamps, Revised, SoftDeleted, Base):
    """A connection to GoHighLevel, Simvoly, WordPress or another platform."""

    __tablename__ = "platform_integrations"

    user_id: Mapped[Key] = mapped_column(ForeignKey("users.id"))
    platform_type: Mapped[Name]
    connection_status: Mapped[Name] = mapped_column(server_default="pending")
    account_name: Mapped[Name | None]
    account_email: Mapped[Name | None]
    encrypted_credentials: Mapped[Name | None] = mapped_column(info={"secret": True})
    platform_metadata: Mapped[Json] = mapped_column(server_default=NO_FIELDS)
    last_sync_at: Mapped[Instant | None]
    sync_status: Mapped[Name] = mapped_column(server_default="idle")
    sync_error_message: Mapped[Name | None]

    __table_args__ = (
        values("platform_type", ("gohighlevel", "simvoly", "wordpress", "custom")),
        values("connection_status", ("connected", "disconnected", "error", "pending")),
        *sealed("encrypted_credentials"),
        values("sync_status", ("idle", "syncing", "error", "completed")),
        Index(
            "platform_integrations_user_id_platform_type_is_unique",
            "workspace_id",
            "user_id",
            "platform_type",
            unique=True,
            postgresql_where=text("deleted_at IS NULL"),
        ),
        Index("platform_integrations_by_user_id", "user_id"),
        *searched("platform_integrations", "platform_metadata"),
    )


class PlatformAnalysis(Tenant, Timestamps, Base):
    """What a model found in a connected platform."""

    __tablename__ = "platform_analyses"

    integration_id: Mapped[Key]
    analysis_type: Mapped[Name]
    summary: Mapped[Json] = mapped_column(server_default=NO_FIELDS)
    campaigns_analyzed: Mapped[Json] = mapped_column(server_default=text("'[]'::jsonb"))
    recommendations: Mapped[Json] = mapped_column(server_default=text("'[]'::jsonb"))
    migration_assessment: Mapped[Json] = mapped_column(server_default=NO_FIELDS)
    ai_model_used: Mapped[Name | None]
    ai_cost: Mapped[AiCost | None]
    processing_time_seconds: Mapped[int | None] = mapped_column(Integer)

    __table_args__ = (
        values("analysis_type", ("full_audit", "campaign_analysis", "migration_assessment")),
        *never_negative("ai_cost", "processing_time_seconds"),
        same_workspace("integration_id", "platform_integrations"),
        Index("platform_analyses_by_integration_id", "workspace_id", "integration_id"),
        *searched("platform_analyses", "summary", "recommendations"),
    )


class MetaAccount(Tenant, InHand, Timestamps, Revised, SoftDeleted, Base):
    """A connection to Meta's ads."""

    __tablename__ = "meta_accounts"

    user_id: Mapped[Key] = mapped_column(ForeignKey("users.id"))
    meta_user_id: Mapped[Name]
    access_token: Mapped[Name | None] = mapped_column(info={"secret": True})
    refresh_token: Mapped[Name | None] = mapped_column(info={"secret": True})
    token_expires_at: Mapped[Instant | None]
    permissions: Mapped[Json] = mapped_column(server_default=text("'[]'::jsonb"))
    ad_account_ids: Mapped[Texts] = mapped_column(server_default=NO_TEXTS)
    ad_account_timezone: Mapped[Name] = mapped_column(server_default="UTC")
    connection_status: Mapped[Name] = mapped_column(server_default="active")
    last_sync_at: Mapped[Instant | None]

    __table_args__ = (
        *sealed("access_token", "refresh_token"),
        CheckConstraint(
            "access_token IS NOT NULL OR connection_status = 'revoked'", name="an_account_without_a_token_is_revoked"
        ),
        values("connection_status", ("active", "expired", "revoked", "error")),
        UniqueConstraint("workspace_id", "user_id", "meta_user_id"),
        Index("meta_accounts_by_user_id", "user_id"),
        Index("meta_accounts_by_connection_status", "connection_status"),
        *searched("meta_accounts", "permissions", "ad_account_ids"),
    )
