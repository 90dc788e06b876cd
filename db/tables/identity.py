"""Who people are: customers of the products, and the team that uses Sightline."""

from sqlalchemy import BigInteger, CheckConstraint, ForeignKey, Identity, Index, LargeBinary, text
from sqlalchemy.dialects.postgresql import INET
from sqlalchemy.orm import Mapped, mapped_column

from db.tables.base import (
    NO,
    NO_FIELDS,
    NOW,
    ONE,
    YES,
    ZERO,
    Base,
    Copied,
    Created,
    Instant,
    Json,
    Key,
    Keyed,
    Keys,
    Name,
    Revised,
    SoftDeleted,
    Tenant,
    Texts,
    Timestamps,
    never_negative,
    searched,
    values,
)

ROLES = ("viewer", "finance", "admin")
WAYS_TO_SIGN_IN = ("password", "oidc")


class User(Keyed, Timestamps, SoftDeleted, Copied, Base):
    """A customer of one or more of the products."""

    __tablename__ = "users"

    code: Mapped[int] = mapped_column(BigInteger, Identity(always=True))
    email: Mapped[Name]
    password_hash: Mapped[Name | None] = mapped_column(info={"hidden": True})
    auth_provider: Mapped[Name | None]
    auth_provider_id: Mapped[Name | None]
    name: Mapped[Name | None]
    first_name: Mapped[Name | None]
    last_name: Mapped[Name | None]
    phone: Mapped[Name | None]
    avatar_url: Mapped[Name | None]
    credits_balance: Mapped[int] = mapped_column(server_default=ZERO)
    monthly_email_limit: Mapped[int | None]
    monthly_emails_sent: Mapped[int] = mapped_column(server_default=ZERO)
    contact_limit: Mapped[int | None]
    trial_ends_at: Mapped[Instant | None]
    last_login_at: Mapped[Instant | None]
    last_active_at: Mapped[Instant | None]
    is_verified: Mapped[bool] = mapped_column(server_default=NO)
    is_active: Mapped[bool] = mapped_column(server_default=YES)
    settings: Mapped[Json] = mapped_column(server_default=NO_FIELDS)
    details: Mapped[Json] = mapped_column("metadata", server_default=NO_FIELDS)

    __table_args__ = (
        Index("users_by_row_xid", "row_xid"),
        Index("users_email_is_unique", text("lower(email)"), unique=True, postgresql_where=text("deleted_at IS NULL")),
        Index("users_auth_provider_auth_provider_id_is_unique", "auth_provider", "auth_provider_id", unique=True),
        Index("users_by_is_active_created_at", "is_active", "created_at"),
        CheckConstraint("email LIKE '%_@_%'", name="email_has_an_at_sign"),
        CheckConstraint("credits_balance >= 0", name="credits_are_not_negative"),
        *never_negative("monthly_email_limit", "monthly_emails_sent", "contact_limit"),
        *searched("users", "settings", "metadata"),
    )


class UserSession(Keyed, Timestamps, Base):
    """A signed-in customer; only a digest of the token is kept."""

    __tablename__ = "user_sessions"

    user_id: Mapped[Key] = mapped_column(ForeignKey("users.id"))
    token_hash: Mapped[bytes] = mapped_column(LargeBinary, unique=True, info={"hidden": True})
    expires_at: Mapped[Instant]
    revoked_at: Mapped[Instant | None]
    last_seen_at: Mapped[Instant | None]
    user_agent: Mapped[Name | None]
    ip_address: Mapped[str | None] = mapped_column(INET)

    __table_args__ = (
        Index("user_sessions_by_user_id", "user_id", postgresql_where=text("revoked_at IS NULL")),
        CheckConstraint("length(token_hash) = 32", name="token_hash_is_a_sha256_digest"),
    )


class UserPreference(Tenant, Timestamps, SoftDeleted, Base):
    """What a customer chose in the ad generator."""

    __tablename__ = "user_preferences"

    user_id: Mapped[Key] = mapped_column(ForeignKey("users.id"))
    default_ai_model: Mapped[Name | None]
    favorite_templates: Mapped[Json] = mapped_column(server_default=text("'[]'::jsonb"))
    ui_preferences: Mapped[Json] = mapped_column(server_default=NO_FIELDS)

    __table_args__ = (
        Index("user_preferences_user_id_is_unique", "workspace_id", "user_id", unique=True),
        Index("user_preferences_by_user_id", "user_id"),
    )


class BusinessProfile(Tenant, Timestamps, SoftDeleted, Base):
    """The business behind a customer of the ads autopilot."""

    __tablename__ = "business_profiles"

    user_id: Mapped[Key] = mapped_column(ForeignKey("users.id"))
    business_name: Mapped[Name | None]
    business_type: Mapped[Name | None]
    industry: Mapped[Name | None]
    website_url: Mapped[Name | None]
    business_address: Mapped[Name | None]
    target_audience_description: Mapped[Name | None]
    monthly_budget_range: Mapped[Name | None]

    __table_args__ = (Index("business_profiles_by_user_id", "user_id"),)


class TeamMember(Keyed, Timestamps, Revised, SoftDeleted, Base):
    """A person who uses Sightline: what they may do, and which workspaces they may see."""

    __tablename__ = "team_members"

    email: Mapped[Name]
    name: Mapped[Name | None]
    password_hash: Mapped[Name | None] = mapped_column(info={"hidden": True})
    oidc_issuer: Mapped[Name | None]
    oidc_subject: Mapped[Name | None]
    roles: Mapped[Texts]
    workspace_ids: Mapped[Keys | None] = mapped_column(comment="NULL: every workspace.")
    is_active: Mapped[bool] = mapped_column(server_default=YES)
    session_version: Mapped[int] = mapped_column(server_default=ONE, comment="Raised to end all sessions.")
    last_login_at: Mapped[Instant | None]

    __table_args__ = (
        Index(
            "team_members_email_is_unique",
            text("lower(email)"),
            unique=True,
            postgresql_where=text("deleted_at IS NULL"),
        ),
        Index("team_members_oidc_issuer_oidc_subject_is_unique", "oidc_issuer", "oidc_subject", unique=True),
        CheckConstraint("email LIKE '%_@_%'", name="email_has_an_at_sign"),
        CheckConstraint(
            f"roles <@ ARRAY[{', '.join(repr(role) for role in ROLES)}] AND cardinality(roles) > 0",
            name="roles_are_known",
        ),
    )


class TeamSession(Keyed, Created, Base):
    """A signed-in person of the team; only a digest of the token is kept."""

    __tablename__ = "team_sessions"

    team_member_id: Mapped[Key] = mapped_column(ForeignKey("team_members.id"))
    token_hash: Mapped[bytes] = mapped_column(LargeBinary, unique=True, info={"hidden": True})
    session_version: Mapped[int] = mapped_column(
        comment="Of the person at sign-in: a higher one there ends the session."
    )
    signed_in_with: Mapped[Name]
    last_seen_at: Mapped[Instant] = mapped_column(server_default=NOW)
    expires_at: Mapped[Instant]
    revoked_at: Mapped[Instant | None]
    user_agent: Mapped[Name | None]
    ip_address: Mapped[str | None] = mapped_column(INET)

    __table_args__ = (
        Index("team_sessions_by_team_member_id", "team_member_id", postgresql_where=text("revoked_at IS NULL")),
        Index("team_sessions_by_expires_at", "expires_at"),
        CheckConstraint("length(token_hash) = 32", name="token_hash_is_a_sha256_digest"),
        values("signed_in_with", WAYS_TO_SIGN_IN),
    )


class ApiToken(Keyed, Created, Base):
    """By what a program of a person of the team calls the API; only a digest of it is kept."""

    __tablename__ = "api_tokens"

    team_member_id: Mapped[Key] = mapped_column(ForeignKey("team_members.id"))
    name: Mapped[Name]
    begins_with: Mapped[Name] = mapped_column(comment="Enough to know it by, and not enough to call with.")
    token_hash: Mapped[bytes] = mapped_column(LargeBinary, unique=True, info={"hidden": True})
    only_reads: Mapped[bool] = mapped_column(server_default=NO)
    expires_at: Mapped[Instant]
    last_used_at: Mapped[Instant | None]
    revoked_at: Mapped[Instant | None]

    __table_args__ = (
        Index("api_tokens_by_team_member_id", "team_member_id", postgresql_where=text("revoked_at IS NULL")),
        CheckConstraint("length(token_hash) = 32", name="token_hash_is_a_sha256_digest"),
        CheckConstraint("expires_at > created_at", name="a_token_lives_for_a_while"),
    )


class SignInLimit(Base):
    """How often somebody tried to sign in lately, to one account or from one address."""

    __tablename__ = "sign_in_limits"

    subject_hash: Mapped[bytes] = mapped_column(
        LargeBinary,
        primary_key=True,
        info={"hidden": True},
        comment="Of an account or an address: people mistype passwords as names.",
    )
    attempts: Mapped[int]
    began_at: Mapped[Instant] = mapped_column(server_default=NOW)

    __table_args__ = (
        Index("sign_in_limits_by_began_at", "began_at"),
        CheckConstraint("length(subject_hash) = 32", name="subject_hash_is_a_sha256_digest"),
        *never_negative("attempts"),
    )
