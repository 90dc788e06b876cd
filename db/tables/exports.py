"""What customers export, and the formats they can choose."""

from sqlalchemy import BigInteger, ForeignKey, Index, UniqueConstraint
from sqlalchemy.orm import Mapped, mapped_column

from db.tables.base import (
    NO_FIELDS,
    YES,
    Base,
    Instant,
    Json,
    Key,
    Keyed,
    Name,
    SoftDeleted,
    Tenant,
    Timestamps,
    never_negative,
    same_workspace,
    values,
)


class ExportFormat(Keyed, Timestamps, Base):
    """A way to take a template out: HTML, or what one platform wants."""

    __tablename__ = "export_formats"

    key: Mapped[Name]
    name: Mapped[Name]
    description: Mapped[Name | None]
    platform: Mapped[Name | None]
    mime_type: Mapped[Name]
    is_active: Mapped[bool] = mapped_column(server_default=YES)

    __table_args__ = (UniqueConstraint("key"),)


class Export(Tenant, Timestamps, SoftDeleted, Base):
    """One download of a template or a report."""

    __tablename__ = "exports"

    user_id: Mapped[Key] = mapped_column(ForeignKey("users.id"))
    template_id: Mapped[Key | None]
    format_id: Mapped[Key] = mapped_column(ForeignKey("export_formats.id"))
    status: Mapped[Name] = mapped_column(server_default="pending")
    file_url: Mapped[Name | None]
    file_size: Mapped[int | None] = mapped_column(BigInteger)
    options: Mapped[Json] = mapped_column(server_default=NO_FIELDS)
    error_message: Mapped[Name | None]
    completed_at: Mapped[Instant | None]

    __table_args__ = (
        values("status", ("pending", "processing", "completed", "failed")),
        *never_negative("file_size"),
        same_workspace("template_id", "templates"),
        Index("exports_by_template_id", "workspace_id", "template_id"),
        Index("exports_by_user_id", "user_id"),
    )
