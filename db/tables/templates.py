"""E-mail and ad templates with versions, sections and categories, and the component library."""

from sqlalchemy import BigInteger, CheckConstraint, ForeignKey, Identity, Index, UniqueConstraint, text
from sqlalchemy.dialects.postgresql import TSVECTOR
from sqlalchemy.orm import Mapped, mapped_column

from db.tables.base import (
    NO,
    NO_FIELDS,
    NO_TEXTS,
    NOW,
    ONE,
    THIS_TRANSACTION,
    YES,
    ZERO,
    Base,
    Created,
    CurrencyCode,
    Instant,
    Json,
    Key,
    Money,
    Name,
    Revised,
    SoftDeleted,
    Tenant,
    Texts,
    Timestamps,
    TransactionId,
    currencies,
    never_negative,
    own_or_house,
    same_workspace,
    searched,
    values,
)
from db.tables.products import PRODUCTS

TEMPLATE_KINDS = ("email", "ad")
COMPONENT_TYPES = (
    "landing_page",
    "form",
    "header",
    "footer",
    "hero_section",
    "testimonials",
    "pricing",
    "email_template",
    "popup",
    "navigation",
    "custom",
)


class Template(Tenant, Timestamps, Revised, SoftDeleted, Base):
    """An e-mail or ad template; the library's belong to the house workspace."""

    __tablename__ = "templates"

    code: Mapped[int] = mapped_column(BigInteger, Identity(always=True))
    user_id: Mapped[Key | None] = mapped_column(ForeignKey("users.id"))
    product: Mapped[Name]
    kind: Mapped[Name] = mapped_column(server_default="email")
    name: Mapped[Name]
    description: Mapped[Name | None]
    subject: Mapped[Name | None]
    preheader: Mapped[Name | None]
    html_content: Mapped[Name | None]
    text_content: Mapped[Name | None]
    category: Mapped[Name | None]
    status: Mapped[Name] = mapped_column(server_default="draft")
    current_version: Mapped[int] = mapped_column(server_default=ONE)
    is_public: Mapped[bool] = mapped_column(server_default=NO)
    is_library: Mapped[bool] = mapped_column(server_default=NO)
    is_featured: Mapped[bool] = mapped_column(server_default=NO)
    is_active: Mapped[bool] = mapped_column(server_default=YES)
    usage_count: Mapped[int] = mapped_column(BigInteger, server_default=ZERO)
    thumbnail_url: Mapped[Name | None]
    original_image_url: Mapped[Name | None]
    width: Mapped[int | None]
    height: Mapped[int | None]
    format: Mapped[Name | None]
    industry: Mapped[Name | None]
    style: Mapped[Name | None]
    campaign_type: Mapped[Name | None]
    details: Mapped[Json] = mapped_column("metadata", server_default=NO_FIELDS)
    search_vector: Mapped[str | None] = mapped_column(TSVECTOR)
    sections_changed_in: Mapped[str | None] = mapped_column(
        TransactionId, server_default=THIS_TRANSACTION, comment="The transaction that last changed its sections."
    )

    __table_args__ = (
        values("product", PRODUCTS),
        values("kind", TEMPLATE_KINDS),
        values("status", ("draft", "published", "retired")),
        *never_negative("usage_count"),
        CheckConstraint("width > 0 AND height > 0", name="a_picture_has_an_extent"),
        Index("templates_by_user_id", "user_id"),
        Index("templates_by_kind_industry_style", "kind", "industry", "style", "campaign_type"),
        Index("templates_featured", "workspace_id", postgresql_where=text("is_featured AND is_active")),
        *searched("templates", "metadata", "search_vector"),
    )


class TemplateVersion(Tenant, Created, Base):
    """What a template once was. Kept when the template is deleted; the last few, or all, by plan."""

    __tablename__ = "template_versions"

    template_id: Mapped[Key]
    version: Mapped[int]
    reason: Mapped[Name] = mapped_column(server_default="snapshot")
    subject: Mapped[Name | None]
    preheader: Mapped[Name | None]
    html_content: Mapped[Name | None]
    text_content: Mapped[Name | None]
    sections: Mapped[Json] = mapped_column(server_default=text("'[]'::jsonb"))
    published_at: Mapped[Instant | None]
    created_by: Mapped[Name | None]
    note: Mapped[Name | None]

    __table_args__ = (
        values("reason", ("auto_save", "snapshot", "publish", "roll_back")),
        CheckConstraint("(reason = 'publish') = (published_at IS NOT NULL)", name="a_publication_has_a_date"),
        same_workspace("template_id", "templates"),
        UniqueConstraint("workspace_id", "template_id", "version"),
    )


class TemplateSection(Tenant, Timestamps, Base):
    """A modular part of a template."""

    __tablename__ = "template_sections"

    template_id: Mapped[Key]
    kind: Mapped[Name]
    position: Mapped[int]
    content: Mapped[Json] = mapped_column(server_default=NO_FIELDS)
    html_content: Mapped[Name | None]

    __table_args__ = (
        *never_negative("position"),
        same_workspace("template_id", "templates"),
        UniqueConstraint("workspace_id", "template_id", "position", deferrable=True, initially="DEFERRED"),
        *searched("template_sections", "content"),
    )


class Category(Tenant, Timestamps, Revised, SoftDeleted, Base):
    """A shelf of templates; the house's are everyone's."""

    __tablename__ = "categories"

    name: Mapped[Name]
    kind: Mapped[Name] = mapped_column(server_default="email")
    description: Mapped[Name | None]
    icon: Mapped[Name | None]
    display_order: Mapped[int] = mapped_column(server_default=ZERO)
    is_active: Mapped[bool] = mapped_column(server_default=YES)

    __table_args__ = (
        values("kind", TEMPLATE_KINDS),
        Index(
            "categories_name_is_unique",
            "workspace_id",
            "kind",
            "name",
            unique=True,
            postgresql_where=text("deleted_at IS NULL"),
        ),
        Index("categories_by_is_active_display_order", "is_active", "display_order"),
    )


class TemplateCategory(Tenant, Created, Base):
    """A template on a shelf."""

    __tablename__ = "template_categories"

    template_id: Mapped[Key]
    category_id: Mapped[Key]
    category_workspace_id: Mapped[Key]

    __table_args__ = (
        same_workspace("template_id", "templates"),
        *own_or_house("category_id", "categories"),
        UniqueConstraint("workspace_id", "template_id", "category_id"),
        Index("template_categories_by_category_id", "category_workspace_id", "category_id"),
    )


class TemplateMetric(Tenant, Timestamps, Base):
    """How a template performed; the documents' ratios are the view `template_metric_rates`."""

    __tablename__ = "template_metrics"

    template_id: Mapped[Key]
    impressions: Mapped[int] = mapped_column(BigInteger, server_default=ZERO)
    clicks: Mapped[int] = mapped_column(BigInteger, server_default=ZERO)
    conversions: Mapped[int] = mapped_column(BigInteger, server_default=ZERO)
    engagements: Mapped[int] = mapped_column(BigInteger, server_default=ZERO)
    performance_data: Mapped[Json] = mapped_column(server_default=NO_FIELDS)
    recorded_at: Mapped[Instant] = mapped_column(server_default=NOW)

    __table_args__ = (
        *never_negative("impressions", "clicks", "conversions", "engagements"),
        same_workspace("template_id", "templates"),
        UniqueConstraint("workspace_id", "template_id", "recorded_at"),
        Index("template_metrics_by_recorded_at", "recorded_at"),
        *searched("template_metrics", "performance_data"),
    )


class WorkspaceTemplate(Tenant, Timestamps, Base):
    """A library template that a workspace made its own, and what it changed."""

    __tablename__ = "workspace_templates"

    library_template_id: Mapped[Key]
    library_template_workspace_id: Mapped[Key]
    template_id: Mapped[Key | None] = mapped_column(comment="The workspace's own copy.")
    customizations: Mapped[Json] = mapped_column(server_default=NO_FIELDS)
    customized_by: Mapped[Key | None] = mapped_column(ForeignKey("users.id"))

    __table_args__ = (
        *own_or_house("library_template_id", "templates"),
        same_workspace("template_id", "templates"),
        UniqueConstraint(
            "workspace_id",
            "library_template_id",
            "template_id",
            name="workspace_templates_has_a_copy_once",
            postgresql_nulls_not_distinct=True,
        ),
        Index("workspace_templates_by_template_id", "workspace_id", "template_id"),
    )


class LibraryComponent(Tenant, Timestamps, Revised, SoftDeleted, Base):
    """A web component that a customer saved, shares or sells."""

    __tablename__ = "component_library"

    user_id: Mapped[Key | None] = mapped_column(ForeignKey("users.id"))
    name: Mapped[Name]
    description: Mapped[Name | None]
    category: Mapped[Name | None]
    tags: Mapped[Texts] = mapped_column(server_default=NO_TEXTS)
    component_type: Mapped[Name]
    code: Mapped[Name | None]
    props_schema: Mapped[Json] = mapped_column(server_default=NO_FIELDS)
    preview_image_url: Mapped[Name | None]
    is_public: Mapped[bool] = mapped_column(server_default=NO)
    is_marketplace_item: Mapped[bool] = mapped_column(server_default=NO)
    price: Mapped[Money] = mapped_column(server_default=ZERO)
    currency: Mapped[CurrencyCode] = mapped_column(server_default="USD")
    downloads: Mapped[int] = mapped_column(BigInteger, server_default=ZERO)
    likes: Mapped[int] = mapped_column(BigInteger, server_default=ZERO)
    search_vector: Mapped[str | None] = mapped_column(TSVECTOR)

    __table_args__ = (
        values("component_type", COMPONENT_TYPES),
        *currencies("currency"),
        *never_negative("price", "downloads", "likes"),
        Index("component_library_by_user_id", "user_id"),
        Index("component_library_public", "category", postgresql_where=text("is_public AND deleted_at IS NULL")),
        Index(
            "component_library_marketplace",
            "category",
            postgresql_where=text("is_marketplace_item AND deleted_at IS NULL"),
        ),
        *searched("component_library", "tags", "props_schema", "search_vector"),
    )
