"""Campaigns of every channel: what all share, and one table for what each channel alone has."""

from decimal import Decimal

from sqlalchemy import (
    BigInteger,
    CheckConstraint,
    Date,
    ForeignKey,
    ForeignKeyConstraint,
    Identity,
    Index,
    Numeric,
    UniqueConstraint,
    text,
)
from sqlalchemy.dialects.postgresql import TSVECTOR
from sqlalchemy.orm import Mapped, declared_attr, mapped_column

from db.tables.base import (
    NO_FIELDS,
    ONE,
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
    Money,
    Name,
    Revised,
    SoftDeleted,
    Tenant,
    Timestamps,
    currencies,
    never_negative,
    same_workspace,
    searched,
    values,
)
from db.tables.products import CHANNELS, PRODUCTS
from db.tables.templates import COMPONENT_TYPES

CAMPAIGN_STATUSES = (
    "draft",
    "generating",
    "review",
    "ready",
    "scheduled",
    "launched",
    "active",
    "sending",
    "sent",
    "paused",
    "completed",
    "cancelled",
    "archived",
)
CAMPAIGN_PURPOSES = (
    "lead_generation",
    "sales",
    "brand_awareness",
    "app_installs",
    "event_promotion",
    "store_visits",
    "retargeting",
)
WEB_CAMPAIGN_TYPES = ("landing_page", "funnel", "email_sequence", "complete_campaign", "component_enhancement")


class Campaign(Tenant, Timestamps, Revised, SoftDeleted, Copied, Base):
    """What campaigns of every channel have in common. Their counters lie with the channel's own row."""

    __tablename__ = "campaigns"

    code: Mapped[int] = mapped_column(BigInteger, Identity(always=True))
    user_id: Mapped[Key | None] = mapped_column(ForeignKey("users.id"))
    product: Mapped[Name]
    channel: Mapped[Name]
    name: Mapped[Name]
    description: Mapped[Name | None]
    status: Mapped[Name] = mapped_column(server_default="draft")
    start_date: Mapped[Day | None]
    end_date: Mapped[Day | None]
    launched_at: Mapped[Instant | None]
    daily_budget: Mapped[Money | None]
    total_budget: Mapped[Money | None]
    currency: Mapped[CurrencyCode] = mapped_column(server_default="USD")
    details: Mapped[Json] = mapped_column("metadata", server_default=NO_FIELDS)
    search_vector: Mapped[str | None] = mapped_column(TSVECTOR)

    __table_args__ = (
        Index("campaigns_by_row_xid", "row_xid"),
        values("product", PRODUCTS),
        values("channel", CHANNELS),
        values("status", CAMPAIGN_STATUSES),
        *currencies("currency"),
        *never_negative("daily_budget", "total_budget"),
        CheckConstraint("end_date >= start_date", name="a_campaign_ends_after_it_starts"),
        # The channel is part of a key, so that a channel's row can only belong to a campaign of that channel.
        UniqueConstraint("workspace_id", "id", "channel"),
        Index("campaigns_by_user_id_status_created_at", "user_id", "status", text("created_at DESC")),
        Index("campaigns_by_status", "workspace_id", "status"),
        Index("campaigns_by_created_at", "workspace_id", text("created_at DESC")),
        *searched("campaigns", "metadata", "search_vector"),
    )


class OfOneChannel:
    """One to one with a campaign, and with a campaign of this channel only."""

    @declared_attr
    def workspace_id(cls) -> Mapped[Key]:  # noqa: N805 - a declared attribute is given the class
        return mapped_column(ForeignKey("workspaces.id"), primary_key=True, sort_order=-10)

    campaign_id: Mapped[Key] = mapped_column(primary_key=True, sort_order=-9)


def its_campaign() -> ForeignKeyConstraint:
    """The campaign of a channel's row, which must be of that channel."""
    return ForeignKeyConstraint(
        ["workspace_id", "campaign_id", "channel"], ["campaigns.workspace_id", "campaigns.id", "campaigns.channel"]
    )


def only_channel(channel: str) -> CheckConstraint:
    """The channel is the same on every row of a channel's table."""
    return CheckConstraint(f"channel = '{channel}'", name=f"the_channel_is_{channel}")


class EmailCampaign(OfOneChannel, Timestamps, Base):
    """What an e-mail campaign has besides; triggers on `email_events` keep the counters."""

    __tablename__ = "email_campaigns"

    channel: Mapped[Name] = mapped_column(server_default="email")
    template_id: Mapped[Key | None]
    subject: Mapped[Name | None]
    preheader: Mapped[Name | None]
    from_name: Mapped[Name | None]
    from_email: Mapped[Name | None]
    reply_to_email: Mapped[Name | None]
    html_content: Mapped[Name | None]
    text_content: Mapped[Name | None]
    scheduled_at: Mapped[Instant | None]
    sent_at: Mapped[Instant | None]
    sends_month: Mapped[Day] = mapped_column(
        Date,
        server_default=text("date_trunc('month', now() AT TIME ZONE 'UTC')::date"),
        comment="The month whose partition of email_sends holds this campaign's sends; never changes.",
    )
    emails_sent: Mapped[int] = mapped_column(BigInteger, server_default=ZERO)
    emails_delivered: Mapped[int] = mapped_column(BigInteger, server_default=ZERO)
    emails_opened: Mapped[int] = mapped_column(BigInteger, server_default=ZERO)
    emails_clicked: Mapped[int] = mapped_column(BigInteger, server_default=ZERO)
    emails_bounced: Mapped[int] = mapped_column(BigInteger, server_default=ZERO)
    emails_unsubscribed: Mapped[int] = mapped_column(BigInteger, server_default=ZERO)
    emails_complained: Mapped[int] = mapped_column(BigInteger, server_default=ZERO)

    __table_args__ = (
        only_channel("email"),
        its_campaign(),
        same_workspace("template_id", "templates"),
        CheckConstraint("sends_month = date_trunc('month', sends_month)", name="sends_month_is_the_first_of_a_month"),
        *never_negative(
            "emails_sent",
            "emails_delivered",
            "emails_opened",
            "emails_clicked",
            "emails_bounced",
            "emails_unsubscribed",
            "emails_complained",
        ),
        Index("email_campaigns_by_template_id", "workspace_id", "template_id"),
        Index("email_campaigns_by_scheduled_at", "scheduled_at", postgresql_where=text("sent_at IS NULL")),
        Index("email_campaigns_by_sent_at", "workspace_id", "sent_at"),
        {"postgresql_with": {"fillfactor": "70"}},
    )


class WebCampaign(OfOneChannel, Timestamps, Base):
    """What a landing page or funnel has besides; triggers on events and conversions keep the counters."""

    __tablename__ = "web_campaigns"

    channel: Mapped[Name] = mapped_column(server_default="web")
    type: Mapped[Name]
    platform_source: Mapped[Name | None]
    platform_source_id: Mapped[Name | None]
    target_audience: Mapped[Name | None]
    business_type: Mapped[Name | None]
    goals: Mapped[Json] = mapped_column(server_default=text("'[]'::jsonb"))
    brand_guidelines: Mapped[Name | None]
    performance_requirements: Mapped[Json] = mapped_column(server_default=NO_FIELDS)
    views: Mapped[int] = mapped_column(BigInteger, server_default=ZERO)
    clicks: Mapped[int] = mapped_column(BigInteger, server_default=ZERO)
    conversions: Mapped[int] = mapped_column(BigInteger, server_default=ZERO)
    revenue_generated: Mapped[Money] = mapped_column(
        server_default=ZERO, comment="In the campaign's currency; conversions in another one are not in it."
    )

    __table_args__ = (
        only_channel("web"),
        its_campaign(),
        values("type", WEB_CAMPAIGN_TYPES),
        *never_negative("views", "clicks", "conversions"),
        *searched("web_campaigns", "goals", "performance_requirements"),
        {"postgresql_with": {"fillfactor": "70"}},
    )


class AdCampaign(OfOneChannel, Timestamps, Base):
    """What a Meta ad campaign has besides; triggers on `performance_analytics` keep the totals."""

    __tablename__ = "ad_campaigns"

    channel: Mapped[Name] = mapped_column(server_default="ads")
    meta_account_id: Mapped[Key | None]
    meta_campaign_id: Mapped[Name | None]
    purpose: Mapped[Name]
    objective: Mapped[Name | None]
    target_audience: Mapped[Json] = mapped_column(server_default=NO_FIELDS)
    audience_size_estimate: Mapped[Json | None]
    approval_status: Mapped[Name] = mapped_column(server_default="pending")
    ai_optimization_enabled: Mapped[bool] = mapped_column(server_default=YES)
    optimization_goals: Mapped[Json] = mapped_column(server_default=NO_FIELDS)
    total_spend: Mapped[Money] = mapped_column(
        server_default=ZERO, comment="Like total_revenue, in the campaign's currency alone."
    )
    total_impressions: Mapped[int] = mapped_column(BigInteger, server_default=ZERO)
    total_clicks: Mapped[int] = mapped_column(BigInteger, server_default=ZERO)
    total_conversions: Mapped[int] = mapped_column(BigInteger, server_default=ZERO)
    total_revenue: Mapped[Money] = mapped_column(server_default=ZERO)

    __table_args__ = (
        only_channel("ads"),
        its_campaign(),
        same_workspace("meta_account_id", "meta_accounts"),
        values("purpose", CAMPAIGN_PURPOSES),
        values("approval_status", ("pending", "approved", "rejected")),
        *never_negative("total_spend", "total_impressions", "total_clicks", "total_conversions"),
        Index("ad_campaigns_by_purpose", "purpose"),
        Index("ad_campaigns_meta_campaign_id_is_unique", "workspace_id", "meta_campaign_id", unique=True),
        *searched("ad_campaigns", "target_audience"),
        {"postgresql_with": {"fillfactor": "70"}},
    )


class CampaignComponent(Tenant, Timestamps, SoftDeleted, Copied, Base):
    """A part of a web campaign: a page, a form, a section."""

    __tablename__ = "campaign_components"

    campaign_id: Mapped[Key]
    name: Mapped[Name]
    component_type: Mapped[Name]
    code: Mapped[Name | None]
    props: Mapped[Json] = mapped_column(server_default=NO_FIELDS)
    css_styles: Mapped[Name | None]
    preview_url: Mapped[Name | None]
    export_formats: Mapped[Json] = mapped_column(server_default=text("'[]'::jsonb"))
    views: Mapped[int] = mapped_column(BigInteger, server_default=ZERO)
    clicks: Mapped[int] = mapped_column(BigInteger, server_default=ZERO)
    conversions: Mapped[int] = mapped_column(BigInteger, server_default=ZERO)
    engagement_score: Mapped[Decimal | None] = mapped_column(Numeric(5, 2))
    ai_generation_metadata: Mapped[Json] = mapped_column(server_default=NO_FIELDS)
    version: Mapped[int] = mapped_column(server_default=ONE)
    parent_component_id: Mapped[Key | None]
    sort_order: Mapped[int] = mapped_column(server_default=ZERO)

    __table_args__ = (
        Index("campaign_components_by_row_xid", "row_xid"),
        values("component_type", COMPONENT_TYPES),
        *never_negative("views", "clicks", "conversions"),
        same_workspace("campaign_id", "campaigns"),
        same_workspace("parent_component_id", "campaign_components"),
        Index("campaign_components_by_campaign_id_sort_order", "workspace_id", "campaign_id", "sort_order"),
        Index("campaign_components_by_component_type", "component_type"),
        *searched("campaign_components", "props"),
    )


class CampaignAsset(Tenant, Created, Base):
    """A picture or video that a campaign uses."""

    __tablename__ = "campaign_assets"

    campaign_id: Mapped[Key]
    asset_id: Mapped[Key]
    asset_role: Mapped[Name] = mapped_column(server_default="primary")
    is_active: Mapped[bool] = mapped_column(server_default=YES)
    performance_score: Mapped[Decimal | None] = mapped_column(Numeric(3, 2))

    __table_args__ = (
        values("asset_role", ("primary", "variation", "test")),
        CheckConstraint("performance_score BETWEEN 0 AND 5", name="performance_score_is_from_0_to_5"),
        same_workspace("campaign_id", "campaigns"),
        same_workspace("asset_id", "creative_assets"),
        UniqueConstraint("workspace_id", "campaign_id", "asset_id"),
        Index("campaign_assets_by_asset_id", "workspace_id", "asset_id"),
    )


class CampaignList(Tenant, Created, Base):
    """A list that an e-mail campaign is sent to."""

    __tablename__ = "campaign_lists"

    campaign_id: Mapped[Key]
    list_id: Mapped[Key]

    __table_args__ = (
        same_workspace("campaign_id", "campaigns"),
        same_workspace("list_id", "lists"),
        UniqueConstraint("workspace_id", "campaign_id", "list_id"),
        Index("campaign_lists_by_list_id", "workspace_id", "list_id"),
    )
