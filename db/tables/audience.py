"""Contacts, and the lists they are on."""

from sqlalchemy import BigInteger, CheckConstraint, Computed, ForeignKey, Identity, Index, Text, UniqueConstraint, text
from sqlalchemy.orm import Mapped, mapped_column

from db.tables.base import (
    NO_FIELDS,
    NO_TEXTS,
    ZERO,
    Base,
    Copied,
    Created,
    Instant,
    Json,
    Key,
    Name,
    SoftDeleted,
    Tenant,
    Texts,
    Timestamps,
    never_negative,
    same_workspace,
    searched,
    values,
)

CONTACT_STATUSES = ("pending", "subscribed", "unsubscribed", "bounced", "complained")


class Contact(Tenant, Timestamps, SoftDeleted, Copied, Base):
    """A person who gets e-mail from a workspace."""

    __tablename__ = "contacts"

    code: Mapped[int] = mapped_column(BigInteger, Identity(always=True))
    user_id: Mapped[Key | None] = mapped_column(ForeignKey("users.id"))
    email: Mapped[Name]
    email_domain: Mapped[str] = mapped_column(
        Text, Computed("lower(split_part(email, '@'::text, 2))", persisted=True), nullable=False
    )
    first_name: Mapped[Name | None]
    last_name: Mapped[Name | None]
    status: Mapped[Name] = mapped_column(server_default="subscribed")
    custom_fields: Mapped[Json] = mapped_column(server_default=NO_FIELDS)
    tags: Mapped[Texts] = mapped_column(server_default=NO_TEXTS)
    subscribed_at: Mapped[Instant | None]
    unsubscribed_at: Mapped[Instant | None]
    last_engaged_at: Mapped[Instant | None]

    __table_args__ = (
        Index("contacts_by_row_xid", "row_xid"),
        values("status", CONTACT_STATUSES),
        CheckConstraint("email LIKE '%_@_%'", name="email_has_an_at_sign"),
        Index(
            "contacts_email_is_unique",
            "workspace_id",
            text("lower(email)"),
            unique=True,
            postgresql_where=text("deleted_at IS NULL"),
        ),
        Index("contacts_by_user_id", "user_id"),
        Index("contacts_by_status", "workspace_id", "status"),
        *searched("contacts", "tags", "custom_fields"),
        # Room on each page keeps the frequent updates of last_engaged_at in place, away from every index.
        {"postgresql_with": {"fillfactor": "85"}},
    )


class ContactList(Tenant, Timestamps, SoftDeleted, Base):
    """A list of contacts; a trigger keeps its count."""

    __tablename__ = "lists"

    user_id: Mapped[Key | None] = mapped_column(ForeignKey("users.id"))
    name: Mapped[Name]
    description: Mapped[Name | None]
    contact_count: Mapped[int] = mapped_column(BigInteger, server_default=ZERO)
    details: Mapped[Json] = mapped_column("metadata", server_default=NO_FIELDS)

    __table_args__ = (
        *never_negative("contact_count"),
        Index("lists_by_user_id", "user_id"),
        Index("lists_by_deleted_at", "workspace_id", postgresql_where=text("deleted_at IS NULL")),
        *searched("lists", "metadata"),
    )


class ListContact(Tenant, Created, Base):
    """A contact on a list."""

    __tablename__ = "list_contacts"

    list_id: Mapped[Key]
    contact_id: Mapped[Key]

    __table_args__ = (
        same_workspace("list_id", "lists"),
        same_workspace("contact_id", "contacts"),
        UniqueConstraint("workspace_id", "list_id", "contact_id"),
        Index("list_contacts_by_contact_id", "workspace_id", "contact_id"),
    )
