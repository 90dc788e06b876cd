"""Facts of e-mail, web and ads: appended mostly, partitioned by month, stamped with the transaction that wrote them."""

from datetime import datetime

from sqlalchemy import BigInteger, CheckConstraint, Computed, DateTime, ForeignKey, Identity, Index, Text, Uuid, text
from sqlalchemy.dialects.postgresql import INET
from sqlalchemy.orm import Mapped, mapped_column

from db.tables.base import (
    NO_FIELDS,
    NOW,
    THIS_TRANSACTION,
    ZERO,
    Base,
    Created,
    CurrencyCode,
    Day,
    Fact,
    Instant,
    Json,
    Key,
    Money,
    Name,
    Tenant,
    TenantOfParent,
    TransactionId,
    currencies,
    monthly,
    never_negative,
    same_workspace,
    values,
)

EMAIL_EVENT_TYPES = ("sent", "delivered", "opened", "clicked", "bounced", "unsubscribed", "complained")
EMAIL_PROVIDERS = ("sendgrid", "ses", "postmark", "mailgun", "smtp")
BOUNCE_TYPES = ("hard", "soft", "undetermined")
WEB_EVENT_TYPES = ("view", "click", "conversion", "form_submit", "email_open", "email_click")
AD_PLATFORMS = ("facebook", "instagram", "messenger", "audience_network", "unknown")
AD_BREAKDOWNS = ("none", "hour", "platform", "platform+placement", "age", "gender", "age+gender", "location")

_BOUNCED = (
    "hard_bounced_at IS NOT NULL OR last_transient_bounced_at IS NOT NULL "
    "AND (last_delivered_at IS NULL OR last_delivered_at < last_transient_bounced_at)"
)
_INSTANT = DateTime(timezone=True)


class EmailEvent(TenantOfParent, Created, Fact, Base):
    """Something that happened to an e-mail, as a provider told it; what it tells twice is kept once."""

    __tablename__ = "email_events"

    occurred_at: Mapped[Instant] = mapped_column(primary_key=True)
    campaign_id: Mapped[Key]
    contact_id: Mapped[Key]
    event_type: Mapped[Name]
    provider: Mapped[Name]
    provider_event_key: Mapped[Name | None]
    provider_message_id: Mapped[Name | None]
    user_agent: Mapped[Name | None]
    ip_address: Mapped[str | None] = mapped_column(INET)
    location: Mapped[Name | None]
    device_type: Mapped[Name | None]
    link_url: Mapped[Name | None]
    link_text: Mapped[Name | None]
    bounce_type: Mapped[Name | None]
    bounce_reason: Mapped[Name | None]
    is_machine_open: Mapped[bool | None]
    machine_rules_version: Mapped[int | None]
    details: Mapped[Json] = mapped_column("metadata", server_default=NO_FIELDS)

    __table_args__ = (
        values("event_type", EMAIL_EVENT_TYPES),
        values("provider", EMAIL_PROVIDERS),
        values("bounce_type", BOUNCE_TYPES),
        CheckConstraint("(event_type = 'bounced') = (bounce_type IS NOT NULL)", name="a_bounce_has_a_class"),
        same_workspace("campaign_id", "email_campaigns", target_column="campaign_id"),
        same_workspace("contact_id", "contacts"),
        Index("email_events_by_campaign_contact", "workspace_id", "campaign_id", "contact_id"),
        Index("email_events_by_contact", "workspace_id", "contact_id"),
        Index("email_events_by_occurred_at", "workspace_id", "occurred_at"),
        Index("email_events_by_row_xid", "row_xid"),
        monthly("occurred_at"),
    )


class EmailEventKey(Base):
    """Fingerprints of the events already taken: what a provider delivers again is known by them.

    Only the trigger on `email_events` writes here, from rows whose keys were proven: no foreign key of its own.
    """

    __tablename__ = "email_event_keys"

    workspace_id: Mapped[Key] = mapped_column(primary_key=True)
    fingerprint: Mapped[Key] = mapped_column(primary_key=True)
    event_id: Mapped[Key]
    seen_at: Mapped[Instant] = mapped_column(server_default=NOW)

    # Old keys are forgotten by age, and rows lie in the order of their arrival: a few kilobytes of index do.
    __table_args__ = (Index("email_event_keys_by_seen_at", "seen_at", postgresql_using="brin"),)


class EmailEventRepeat(Base):
    """How often a provider delivered something again, per day: kept for the health page."""

    __tablename__ = "email_event_repeats"

    workspace_id: Mapped[Key] = mapped_column(ForeignKey("workspaces.id"), primary_key=True)
    provider: Mapped[Name] = mapped_column(primary_key=True)
    day: Mapped[Day] = mapped_column(primary_key=True)
    repeats: Mapped[int] = mapped_column(BigInteger)

    __table_args__ = (values("provider", EMAIL_PROVIDERS), *never_negative("repeats"))


class EmailSend(Fact, Base):
    """One campaign's e-mail to one contact: the first time of everything that happened to it."""

    __tablename__ = "email_sends"

    workspace_id: Mapped[Key] = mapped_column(primary_key=True)
    campaign_id: Mapped[Key] = mapped_column(primary_key=True)
    contact_id: Mapped[Key] = mapped_column(primary_key=True)
    sends_month: Mapped[Day] = mapped_column(primary_key=True, comment="The campaign's; see email_campaigns.")
    first_sent_at: Mapped[Instant | None]
    first_delivered_at: Mapped[Instant | None]
    last_delivered_at: Mapped[Instant | None]
    first_opened_at: Mapped[Instant | None]
    first_human_opened_at: Mapped[Instant | None]
    first_clicked_at: Mapped[Instant | None]
    last_engaged_at: Mapped[Instant | None]
    hard_bounced_at: Mapped[Instant | None]
    soft_bounced_at: Mapped[Instant | None]
    undetermined_bounced_at: Mapped[Instant | None]
    last_transient_bounced_at: Mapped[Instant | None]
    first_unsubscribed_at: Mapped[Instant | None]
    first_complained_at: Mapped[Instant | None]
    opens: Mapped[int] = mapped_column(server_default=ZERO)
    machine_opens: Mapped[int] = mapped_column(server_default=ZERO)
    clicks: Mapped[int] = mapped_column(server_default=ZERO)
    # A soft bounce that was followed by a delivery is no bounce; the order in which the two arrive does not matter.
    # The casts are Postgres' own way to write these, so that a comparison with the database finds no difference.
    first_bounced_at: Mapped[datetime | None] = mapped_column(
        _INSTANT,
        Computed(
            f"CASE WHEN {_BOUNCED} THEN LEAST(hard_bounced_at, soft_bounced_at, undetermined_bounced_at) "
            "ELSE NULL::timestamp with time zone END",
            persisted=True,
        ),
    )
    bounce_type: Mapped[str | None] = mapped_column(
        Text,
        Computed(
            f"CASE WHEN NOT ({_BOUNCED}) THEN NULL::text WHEN hard_bounced_at IS NOT NULL THEN 'hard'::text "
            "WHEN soft_bounced_at IS NOT NULL THEN 'soft'::text ELSE 'undetermined'::text END",
            persisted=True,
        ),
    )

    __table_args__ = (
        *never_negative("opens", "machine_opens", "clicks"),
        same_workspace("campaign_id", "email_campaigns", target_column="campaign_id"),
        same_workspace("contact_id", "contacts"),
        Index("email_sends_by_contact", "workspace_id", "contact_id"),
        Index("email_sends_by_row_xid", "row_xid"),
        monthly("sends_month"),
    )


class CampaignEvent(TenantOfParent, Created, Fact, Base):
    """Something a visitor did on a web campaign."""

    __tablename__ = "campaign_events"

    occurred_at: Mapped[Instant] = mapped_column(primary_key=True, server_default=NOW)
    campaign_id: Mapped[Key]
    component_id: Mapped[Key | None]
    event_type: Mapped[Name]
    event_data: Mapped[Json] = mapped_column(server_default=NO_FIELDS)
    session_id: Mapped[Name | None]
    source: Mapped[Name | None]
    medium: Mapped[Name | None]
    user_agent: Mapped[Name | None]
    ip_address: Mapped[str | None] = mapped_column(INET)
    referrer: Mapped[Name | None]
    country: Mapped[Name | None]
    region: Mapped[Name | None]
    city: Mapped[Name | None]

    __table_args__ = (
        values("event_type", WEB_EVENT_TYPES),
        CheckConstraint("length(country) = 2", name="country_is_a_two_letter_code"),
        same_workspace("campaign_id", "web_campaigns", target_column="campaign_id"),
        same_workspace("component_id", "campaign_components"),
        Index("campaign_events_by_campaign", "workspace_id", "campaign_id", "occurred_at"),
        Index("campaign_events_by_occurred_at", "workspace_id", "occurred_at"),
        Index("campaign_events_by_session", "workspace_id", "session_id"),
        Index("campaign_events_by_row_xid", "row_xid"),
        monthly("occurred_at"),
    )


class Conversion(TenantOfParent, Created, Fact, Base):
    """A visitor did what the campaign is for, and what it was worth."""

    __tablename__ = "conversions"

    occurred_at: Mapped[Instant] = mapped_column(primary_key=True, server_default=NOW)
    campaign_id: Mapped[Key]
    component_id: Mapped[Key | None]
    conversion_type: Mapped[Name]
    value: Mapped[Money] = mapped_column(server_default=ZERO)
    currency: Mapped[CurrencyCode]
    session_id: Mapped[Name | None]
    source: Mapped[Name | None]
    medium: Mapped[Name | None]

    __table_args__ = (
        *currencies("currency"),
        *never_negative("value"),
        same_workspace("campaign_id", "web_campaigns", target_column="campaign_id"),
        same_workspace("component_id", "campaign_components"),
        Index("conversions_by_campaign", "workspace_id", "campaign_id", "occurred_at"),
        Index("conversions_by_occurred_at", "workspace_id", "occurred_at"),
        Index("conversions_by_session", "workspace_id", "session_id"),
        Index("conversions_by_row_xid", "row_xid"),
        monthly("occurred_at"),
    )


class AdPerformance(TenantOfParent, Created, Fact, Base):
    """An ad campaign's figures of one day, split by exactly the dimensions that `breakdown` names.

    Rows of different breakdowns show the same money from different sides: they are never added to each other.
    The documents' ctr, cpc, cpa and roas are the view `ad_performance_rates`.
    """

    __tablename__ = "performance_analytics"

    date: Mapped[Day] = mapped_column(primary_key=True, comment="The ad account's day.")
    campaign_id: Mapped[Key]
    breakdown: Mapped[Name] = mapped_column(server_default="none")
    hour: Mapped[int | None]
    platform: Mapped[Name | None]
    placement: Mapped[Name | None]
    age_range: Mapped[Name | None]
    gender: Mapped[Name | None]
    location: Mapped[Name | None]
    impressions: Mapped[int] = mapped_column(BigInteger, server_default=ZERO)
    reach: Mapped[int | None] = mapped_column(BigInteger, comment="People; does not add up over rows.")
    clicks: Mapped[int] = mapped_column(BigInteger, server_default=ZERO)
    spend: Mapped[Money] = mapped_column(server_default=ZERO)
    conversions: Mapped[int] = mapped_column(BigInteger, server_default=ZERO)
    revenue: Mapped[Money] = mapped_column(server_default=ZERO)
    currency: Mapped[CurrencyCode]
    restatements: Mapped[int] = mapped_column(server_default=ZERO, comment="How often the source changed this row.")
    restated_at: Mapped[Instant | None]

    __table_args__ = (
        values("breakdown", AD_BREAKDOWNS),
        values("platform", AD_PLATFORMS),
        values("gender", ("female", "male", "unknown")),
        *currencies("currency"),
        *never_negative("impressions", "reach", "clicks", "spend", "conversions"),
        CheckConstraint("hour BETWEEN 0 AND 23", name="hour_is_from_0_to_23"),
        CheckConstraint(
            " AND ".join(
                f"({column} IS NOT NULL) = ('{word}' = ANY (string_to_array(breakdown, '+')))"
                for column, word in (
                    ("hour", "hour"),
                    ("platform", "platform"),
                    ("placement", "placement"),
                    ("age_range", "age"),
                    ("gender", "gender"),
                    ("location", "location"),
                )
            ),
            name="a_row_is_split_by_what_its_breakdown_names",
        ),
        same_workspace("campaign_id", "ad_campaigns", target_column="campaign_id"),
        Index(
            "performance_analytics_has_a_row_once",
            "workspace_id",
            "campaign_id",
            "date",
            "breakdown",
            "hour",
            "platform",
            "placement",
            "age_range",
            "gender",
            "location",
            unique=True,
            postgresql_nulls_not_distinct=True,
        ),
        Index("performance_analytics_by_date", "workspace_id", "date"),
        Index("performance_analytics_by_row_xid", "row_xid"),
        monthly("date"),
    )


class UsageLog(Tenant, Fact, Base):
    """A use of a feature that counts against a plan."""

    __tablename__ = "usage_logs"

    logged_at: Mapped[Instant] = mapped_column(primary_key=True, server_default=NOW)
    user_id: Mapped[Key] = mapped_column(ForeignKey("users.id"))
    product: Mapped[Name]
    feature: Mapped[Name]
    credits_consumed: Mapped[int] = mapped_column(server_default=text("1"))
    quantity: Mapped[int] = mapped_column(BigInteger, server_default=text("1"), comment="Bytes where it is storage.")
    resource_id: Mapped[Key | None]
    details: Mapped[Json] = mapped_column("metadata", server_default=NO_FIELDS)

    __table_args__ = (
        *never_negative("credits_consumed"),
        Index("usage_logs_by_user_feature", "workspace_id", "user_id", "feature", "logged_at"),
        Index("usage_logs_by_row_xid", "row_xid"),
        monthly("logged_at"),
    )


class UserUsage(Tenant, Fact, Base):
    """What a customer used in a month; triggers on `usage_logs` keep it."""

    __tablename__ = "user_usage"

    month: Mapped[Day] = mapped_column(primary_key=True)
    user_id: Mapped[Key] = mapped_column(ForeignKey("users.id"))
    campaigns_generated: Mapped[int] = mapped_column(BigInteger, server_default=ZERO)
    ai_credits_used: Mapped[int] = mapped_column(BigInteger, server_default=ZERO)
    storage_bytes_used: Mapped[int] = mapped_column(BigInteger, server_default=ZERO)
    api_calls_made: Mapped[int] = mapped_column(BigInteger, server_default=ZERO)

    __table_args__ = (
        CheckConstraint("month = date_trunc('month', month)", name="month_is_the_first_of_a_month"),
        Index("user_usage_user_id_month_is_unique", "workspace_id", "user_id", "month", unique=True),
        Index("user_usage_by_row_xid", "row_xid"),
        monthly("month"),
    )


class FactTombstone(Base):
    """A fact that was deleted after it was committed: the lake removes it by this row."""

    __tablename__ = "fact_tombstones"

    position: Mapped[int] = mapped_column(BigInteger, Identity(always=True), primary_key=True)
    workspace_id: Mapped[Key | None] = mapped_column(Uuid, ForeignKey("workspaces.id"))
    fact: Mapped[Name]
    row_key: Mapped[Json] = mapped_column(comment="The primary key of the row.")
    removed_at: Mapped[Instant] = mapped_column(server_default=NOW)
    row_xid: Mapped[str] = mapped_column(TransactionId, server_default=THIS_TRANSACTION)

    __table_args__ = (
        Index("fact_tombstones_by_row_xid", "row_xid"),
        Index("fact_tombstones_by_fact_row_xid", "fact", "row_xid"),
    )
