"""Providers' bills: one a month, its lines, and the files that were read into it."""

from decimal import Decimal

from sqlalchemy import BigInteger, CheckConstraint, ForeignKey, Index, Numeric, UniqueConstraint, text
from sqlalchemy.orm import Mapped, mapped_column

from db.tables.base import (
    NO_FIELDS,
    ZERO,
    AiCost,
    Base,
    Created,
    CurrencyCode,
    Day,
    Instant,
    Json,
    Key,
    Keyed,
    Name,
    Revised,
    Timestamps,
    currencies,
    never_negative,
    values,
)
from db.tables.products import AI_PROVIDERS

BILL_STATES = ("open", "approved", "closed")
LINE_KINDS = ("cost", "usage")


class ProviderBill(Keyed, Timestamps, Revised, Base):
    """What an AI provider says it charged for a month. What is approved is locked; it closes with its month."""

    __tablename__ = "provider_bills"

    provider: Mapped[Name]
    month: Mapped[Day]
    currency: Mapped[CurrencyCode]
    total: Mapped[AiCost] = mapped_column(server_default=ZERO, comment="Of its lines.")
    tax: Mapped[AiCost] = mapped_column(server_default=ZERO)
    status: Mapped[Name] = mapped_column(server_default="open")
    closed_at: Mapped[Instant | None]
    closed_by: Mapped[Key | None] = mapped_column(ForeignKey("team_members.id"))
    zone: Mapped[Name] = mapped_column(server_default="UTC", comment="By whose clock its days are days.")
    invoiced: Mapped[AiCost | None] = mapped_column(
        comment="What the invoice says, before tax; NULL: it is not known yet."
    )
    invoice_number: Mapped[Name | None]
    note: Mapped[Name | None]
    approved_at: Mapped[Instant | None]
    approved_by: Mapped[Key | None] = mapped_column(ForeignKey("team_members.id"))

    __table_args__ = (
        values("provider", AI_PROVIDERS),
        values("status", BILL_STATES),
        *currencies("currency"),
        CheckConstraint("month = date_trunc('month', month)", name="month_is_the_first_of_a_month"),
        CheckConstraint("(status = 'open') = (approved_at IS NULL)", name="what_is_approved_has_a_date"),
        UniqueConstraint("provider", "month"),
    )


class ProviderBillFile(Keyed, Created, Base):
    """A file, or an answer of the provider's interface, that was read into bills. Read again, it changes nothing."""

    __tablename__ = "provider_bill_files"

    provider: Mapped[Name]
    kind: Mapped[Name]
    name: Mapped[Name]
    source: Mapped[Name] = mapped_column(server_default="file")
    digest: Mapped[Name]
    rows: Mapped[int] = mapped_column(BigInteger)
    first_day: Mapped[Day]
    last_day: Mapped[Day]
    read_by: Mapped[Key | None] = mapped_column(ForeignKey("team_members.id"))

    __table_args__ = (
        values("provider", AI_PROVIDERS),
        values("kind", LINE_KINDS),
        values("source", ("file", "api")),
        *never_negative("rows"),
        CheckConstraint("last_day >= first_day", name="a_file_ends_after_it_starts"),
        UniqueConstraint("provider", "digest"),
    )


class ProviderBillLine(Keyed, Created, Base):
    """One line of a provider's bill, as finely as the provider tells: what it does not tell is NULL."""

    __tablename__ = "provider_bill_lines"

    bill_id: Mapped[Key] = mapped_column(ForeignKey("provider_bills.id"))
    day: Mapped[Day]
    model: Mapped[Name | None]
    unit: Mapped[Name | None]
    service_tier: Mapped[Name | None]
    quantity: Mapped[Decimal | None] = mapped_column(Numeric(24, 6))
    amount: Mapped[AiCost | None]
    currency: Mapped[CurrencyCode]
    description: Mapped[Name | None]
    raw: Mapped[Json] = mapped_column(server_default=NO_FIELDS)
    kind: Mapped[Name] = mapped_column(server_default="cost")
    variant: Mapped[Name | None]
    context_from: Mapped[int | None] = mapped_column(BigInteger)
    step: Mapped[AiCost] = mapped_column(
        server_default=text("0.000000000001"), comment="The smallest amount in which its file tells amounts."
    )
    file_id: Mapped[Key | None] = mapped_column(ForeignKey("provider_bill_files.id"))
    replaced_by: Mapped[Key | None] = mapped_column(
        ForeignKey("provider_bill_files.id"), comment="The file that tells the day otherwise; NULL: the line holds."
    )

    __table_args__ = (
        *currencies("currency"),
        values("kind", LINE_KINDS),
        CheckConstraint(
            "CASE kind WHEN 'cost' THEN amount IS NOT NULL ELSE amount IS NULL AND quantity IS NOT NULL END",
            name="a_cost_has_an_amount_and_usage_a_quantity",
        ),
        CheckConstraint("step > 0", name="a_step_is_positive"),
        Index("provider_bill_lines_by_bill_id", "bill_id", "day"),
    )
