"""Pictures, videos and other files that products made or received."""

from sqlalchemy import BigInteger, ForeignKey, Index, text
from sqlalchemy.orm import Mapped, mapped_column

from db.tables.base import (
    NO,
    NO_FIELDS,
    NO_TEXTS,
    ZERO,
    Base,
    Instant,
    Json,
    Key,
    Name,
    SoftDeleted,
    Tenant,
    Texts,
    Timestamps,
    never_negative,
    searched,
    values,
)
from db.tables.products import PRODUCTS


class CreativeAsset(Tenant, Timestamps, SoftDeleted, Base):
    """A file of a campaign or a generation: generated, uploaded or a result."""

    __tablename__ = "creative_assets"

    user_id: Mapped[Key] = mapped_column(ForeignKey("users.id"))
    product: Mapped[Name]
    generation_id: Mapped[Key | None] = mapped_column(
        comment="A fact, which may be dropped with its month: no foreign key."
    )
    asset_type: Mapped[Name]
    origin: Mapped[Name] = mapped_column(server_default="generated")
    file_url: Mapped[Name]
    file_size: Mapped[int | None] = mapped_column(BigInteger)
    filename: Mapped[Name | None]
    mime_type: Mapped[Name | None]
    format: Mapped[Name | None]
    dimensions: Mapped[Json | None]
    prompt: Mapped[Name | None]
    style: Mapped[Name | None]
    ai_model: Mapped[Name | None]
    generation_time: Mapped[int | None] = mapped_column(comment="Seconds.")
    tags: Mapped[Texts] = mapped_column(server_default=NO_TEXTS)
    is_favorite: Mapped[bool] = mapped_column(server_default=NO)
    usage_count: Mapped[int] = mapped_column(BigInteger, server_default=ZERO)
    status: Mapped[Name] = mapped_column(server_default="active")
    expires_at: Mapped[Instant | None]
    details: Mapped[Json] = mapped_column("metadata", server_default=NO_FIELDS)

    __table_args__ = (
        values("product", PRODUCTS),
        values("asset_type", ("image", "video")),
        values("origin", ("generated", "upload", "result")),
        values("status", ("active", "deleted", "processing", "failed")),
        *never_negative("file_size", "generation_time", "usage_count"),
        Index("creative_assets_by_user_id_asset_type_created_at", "user_id", "asset_type", text("created_at DESC")),
        Index("creative_assets_by_format", "format"),
        Index("creative_assets_by_status", "status"),
        Index("creative_assets_by_generation_id", "workspace_id", "generation_id"),
        *searched("creative_assets", "tags", "metadata"),
    )
