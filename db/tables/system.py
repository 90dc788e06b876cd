"""Settings, jobs, the audit log, retention, and what the team keeps for itself: views and annotations."""

from sqlalchemy import BigInteger, CheckConstraint, ForeignKey, Identity, Index, LargeBinary, text
from sqlalchemy.orm import Mapped, mapped_column

from db.tables.base import (
    NO,
    NO_FIELDS,
    NOW,
    THIS_TRANSACTION,
    YES,
    ZERO,
    Base,
    Created,
    Day,
    Instant,
    Json,
    Key,
    Keyed,
    Name,
    Revised,
    SoftDeleted,
    Timestamps,
    TransactionId,
    never_negative,
    values,
)
from db.tables.products import CHANNELS, PRODUCTS

JOB_STATUSES = ("pending", "running", "completed", "failed", "retrying", "cancelled")


class Setting(Timestamps, Revised, Base):
    """A setting of the company that admins change; settings of one installation are environment variables."""

    __tablename__ = "settings"

    key: Mapped[Name] = mapped_column(primary_key=True)
    value: Mapped[Json]
    description: Mapped[Name | None]


class Job(Keyed, Timestamps, Base):
    """Work for the background: leased by one worker at a time, which the attempt number proves."""

    __tablename__ = "jobs"

    job_type: Mapped[Name]
    workspace_id: Mapped[Key | None] = mapped_column(ForeignKey("workspaces.id"))
    user_id: Mapped[Key | None] = mapped_column(ForeignKey("users.id"))
    campaign_id: Mapped[Key | None] = mapped_column(comment="Of the workspace of this row.")
    unique_key: Mapped[Name | None]
    payload: Mapped[Json] = mapped_column(server_default=NO_FIELDS)
    status: Mapped[Name] = mapped_column(server_default="pending")
    attempts: Mapped[int] = mapped_column(server_default=ZERO)
    max_attempts: Mapped[int] = mapped_column(server_default=text("5"))
    result: Mapped[Json | None]
    error_message: Mapped[Name | None]
    scheduled_at: Mapped[Instant] = mapped_column(server_default=NOW)
    started_at: Mapped[Instant | None]
    completed_at: Mapped[Instant | None]
    leased_until: Mapped[Instant | None]
    worker: Mapped[Name | None]
    cancel_requested_at: Mapped[Instant | None] = mapped_column(
        comment="Asked for while it ran; the job sees it at its next heartbeat."
    )

    __table_args__ = (
        values("status", JOB_STATUSES),
        *never_negative("attempts"),
        CheckConstraint("max_attempts >= 1", name="a_job_is_tried_at_least_once"),
        CheckConstraint("campaign_id IS NULL OR workspace_id IS NOT NULL", name="a_campaign_comes_with_its_workspace"),
        Index("jobs_due", "scheduled_at", postgresql_where=text("status IN ('pending', 'retrying')")),
        Index("jobs_leased", "leased_until", postgresql_where=text("status = 'running'")),
        Index(
            "jobs_one_is_live_per_unique_key",
            "workspace_id",
            "unique_key",
            unique=True,
            postgresql_nulls_not_distinct=True,
            postgresql_where=text("unique_key IS NOT NULL AND status IN ('pending', 'running', 'retrying')"),
        ),
        Index("jobs_by_status", "status", "created_at"),
        Index("jobs_by_workspace_id", "workspace_id"),
    )


class JobSchedule(Timestamps, Base):
    """How far a schedule has come; kept apart from jobs, which are forgotten when they are done."""

    __tablename__ = "job_schedules"

    job_type: Mapped[Name] = mapped_column(primary_key=True)
    occurred_at: Mapped[Instant] = mapped_column(comment="The last occurrence that became a job.")


class JobWorker(Timestamps, Base):
    """A worker that lives: it says so every minute, and takes its row away when it ends in order."""

    __tablename__ = "job_workers"

    name: Mapped[Name] = mapped_column(primary_key=True)
    seen_at: Mapped[Instant] = mapped_column(server_default=NOW)


class AuditEntry(Base):
    """Who changed what, when, from what to what, and why. Rows are only added."""

    __tablename__ = "audit_log"

    position: Mapped[int] = mapped_column(BigInteger, Identity(always=True), primary_key=True)
    at: Mapped[Instant] = mapped_column(server_default=text("clock_timestamp()"))
    actor: Mapped[Name | None] = mapped_column(comment="The team member, as the command said.")
    database_role: Mapped[Name] = mapped_column(server_default=text("session_user"))
    action: Mapped[Name]
    table_name: Mapped[Name]
    row_key: Mapped[Name]
    workspace_id: Mapped[Key | None] = mapped_column(comment="Kept when the workspace is erased: no foreign key.")
    before: Mapped[Json | None] = mapped_column(comment="Of an update: the changed columns.")
    after: Mapped[Json | None]
    reason: Mapped[Name | None]
    written_in: Mapped[str] = mapped_column(
        TransactionId,
        server_default=THIS_TRANSACTION,
        comment="The transaction; 0: before rows were sealed. Not part of what is sealed.",
    )

    __table_args__ = (
        values("action", ("insert", "update", "delete")),
        Index("audit_log_by_row", "table_name", "row_key"),
        Index("audit_log_by_at", "at"),
        Index("audit_log_by_workspace_id", "workspace_id"),
        Index("audit_log_by_written_in", "written_in", "position"),
    )


class AuditSeal(Base):
    """A row of the audit log in its chain: nothing of it, before it or between can change unnoticed."""

    __tablename__ = "audit_seals"

    number: Mapped[int] = mapped_column(
        BigInteger, primary_key=True, autoincrement=False, comment="The place in the chain, from 1 without a gap."
    )
    position: Mapped[int] = mapped_column(
        BigInteger,
        unique=True,
        comment="Of the row; no foreign key, which would keep a missing row from being told.",
    )
    digests: Mapped[bytes] = mapped_column(LargeBinary, comment="A SHA-256 for each column of the row.")
    horizon: Mapped[str] = mapped_column(
        TransactionId, comment="What is written below it and is not sealed was not there."
    )
    cluster: Mapped[int] = mapped_column(BigInteger, comment="The server whose transactions the horizon counts.")
    sealed_at: Mapped[Instant]
    hash: Mapped[bytes] = mapped_column(LargeBinary, comment="Over the hash before, and all of this row.")

    __table_args__ = (CheckConstraint("octet_length(hash) = 32", name="a_seal_is_a_sha256"),)


class AuditVerification(Keyed, Created, Base):
    """Who had the chain of the audit log verified, how far, and what was found."""

    __tablename__ = "audit_verifications"

    verified_by: Mapped[Name]
    since: Mapped[int] = mapped_column(BigInteger, comment="The number after which it began; 0: all of the chain.")
    number: Mapped[int] = mapped_column(BigInteger, comment="How far it went.")
    hash: Mapped[Name]
    found: Mapped[Name | None] = mapped_column(comment="The first thing that was wrong; NULL: nothing was.")


class RetentionPolicy(Keyed, Timestamps, Revised, Base):
    """How long rows of a kind are kept, for whom."""

    __tablename__ = "retention_policies"

    subject: Mapped[Name]
    audience: Mapped[Name] = mapped_column(server_default="all")
    keep_days: Mapped[int | None] = mapped_column(comment="NULL: for ever.")
    description: Mapped[Name]
    is_active: Mapped[bool] = mapped_column(server_default=YES)

    __table_args__ = (
        values("audience", ("all", "free", "paid")),
        CheckConstraint("keep_days > 0", name="what_is_kept_is_kept_for_a_day_at_least"),
        Index("retention_policies_subject_audience_is_unique", "subject", "audience", unique=True),
    )


class SavedView(Keyed, Timestamps, Revised, SoftDeleted, Base):
    """A page with its filters, kept by one person, for themselves or for the team."""

    __tablename__ = "saved_views"

    team_member_id: Mapped[Key] = mapped_column(ForeignKey("team_members.id"))
    page: Mapped[Name]
    name: Mapped[Name]
    query: Mapped[Json] = mapped_column(server_default=NO_FIELDS)
    is_shared: Mapped[bool] = mapped_column(server_default=NO)
    is_default: Mapped[bool] = mapped_column(server_default=NO)

    __table_args__ = (
        Index(
            "saved_views_name_is_unique",
            "team_member_id",
            "page",
            "name",
            unique=True,
            postgresql_where=text("deleted_at IS NULL"),
        ),
        Index(
            "saved_views_one_is_the_default",
            "team_member_id",
            "page",
            unique=True,
            postgresql_where=text("is_default AND deleted_at IS NULL"),
        ),
    )


class Annotation(Keyed, Created, Revised, SoftDeleted, Base):
    """A remark on a day, shown on the charts that cover it."""

    __tablename__ = "annotations"

    team_member_id: Mapped[Key] = mapped_column(ForeignKey("team_members.id"))
    workspace_id: Mapped[Key | None] = mapped_column(ForeignKey("workspaces.id"))
    product: Mapped[Name | None]
    channel: Mapped[Name | None]
    campaign_id: Mapped[Key | None] = mapped_column(comment="Of the workspace of this row.")
    starts_on: Mapped[Day]
    ends_on: Mapped[Day | None]
    text_: Mapped[Name] = mapped_column("text")

    __table_args__ = (
        values("product", PRODUCTS),
        values("channel", CHANNELS),
        CheckConstraint("text <> ''", name="an_annotation_says_something"),
        CheckConstraint("ends_on >= starts_on", name="an_annotation_ends_after_it_starts"),
        CheckConstraint("campaign_id IS NULL OR workspace_id IS NOT NULL", name="a_campaign_comes_with_its_workspace"),
        Index("annotations_by_starts_on", "starts_on"),
        Index("annotations_by_workspace_id", "workspace_id"),
    )
