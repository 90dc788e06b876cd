"""Workspaces, the tenants: every row of a customer belongs to one."""

from sqlalchemy import BigInteger, CheckConstraint, ForeignKey, Identity, Index, text
from sqlalchemy.orm import Mapped, mapped_column

from db.tables.base import (
    NO,
    NO_FIELDS,
    Base,
    Copied,
    CurrencyCode,
    Instant,
    Json,
    Key,
    Keyed,
    Name,
    Revised,
    SoftDeleted,
    Tenant,
    Timestamps,
    currencies,
    searched,
    values,
)

MEMBER_ROLES = ("owner", "admin", "editor", "viewer")


class Workspace(Keyed, Timestamps, Revised, SoftDeleted, Copied, Base):
    """One tenant. Deleting it marks all its data as deleted; deleting its owner hands it over or orphans it."""

    __tablename__ = "workspaces"

    code: Mapped[int] = mapped_column(BigInteger, Identity(always=True))
    owner_id: Mapped[Key | None] = mapped_column(ForeignKey("users.id"))
    name: Mapped[Name]
    slug: Mapped[Name]
    kind: Mapped[Name] = mapped_column(server_default="customer")
    is_personal: Mapped[bool] = mapped_column(server_default=NO)
    timezone: Mapped[Name] = mapped_column(server_default="UTC")
    currency: Mapped[CurrencyCode] = mapped_column(server_default="USD")
    country: Mapped[Name | None]
    settings: Mapped[Json] = mapped_column(server_default=NO_FIELDS)

    __table_args__ = (
        Index("workspaces_by_row_xid", "row_xid"),
        values("kind", ("customer", "house")),
        *currencies("currency"),
        CheckConstraint("name <> ''", name="name_is_not_empty"),
        CheckConstraint("kind <> 'house' OR deleted_at IS NULL", name="the_house_is_never_deleted"),
        Index("workspaces_slug_is_unique", "slug", unique=True, postgresql_where=text("deleted_at IS NULL")),
        Index("workspaces_by_owner_id", "owner_id"),
        *searched("workspaces", "settings"),
    )


class WorkspaceMember(Tenant, Timestamps, SoftDeleted, Base):
    """A customer's membership in a workspace."""

    __tablename__ = "workspace_members"

    user_id: Mapped[Key] = mapped_column(ForeignKey("users.id"))
    role: Mapped[Name] = mapped_column(server_default="editor")
    invited_at: Mapped[Instant | None]
    joined_at: Mapped[Instant | None]

    __table_args__ = (
        values("role", MEMBER_ROLES),
        Index(
            "workspace_members_user_id_is_unique",
            "workspace_id",
            "user_id",
            unique=True,
            postgresql_where=text("deleted_at IS NULL"),
        ),
        Index("workspace_members_by_user_id", "user_id"),
    )


class BrandProfile(Tenant, Timestamps, SoftDeleted, Base):
    """A workspace's brand kit: colours, fonts, voice, and what was learned from its website."""

    __tablename__ = "brand_profiles"

    user_id: Mapped[Key | None] = mapped_column(ForeignKey("users.id"))
    name: Mapped[Name | None]
    website_url: Mapped[Name | None]
    website_analysis: Mapped[Json | None]
    logo_url: Mapped[Name | None]
    color_palette: Mapped[Json | None]
    typography: Mapped[Json | None]
    brand_voice: Mapped[Json | None]
    messaging_patterns: Mapped[Json | None]
    social_media_analysis: Mapped[Json | None]
    ai_generated_guidelines: Mapped[Json | None]
    last_analysis_at: Mapped[Instant | None]
    analysis_version: Mapped[int] = mapped_column(server_default=text("1"))

    __table_args__ = (Index("brand_profiles_by_user_id", "user_id"),)
