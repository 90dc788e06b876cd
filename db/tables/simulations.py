"""What drafts of plans would have done to usage that was, and what published ones did."""

from decimal import Decimal
from typing import Annotated

from sqlalchemy import BigInteger, CheckConstraint, ForeignKey, Index, Numeric, UniqueConstraint
from sqlalchemy.orm import Mapped, mapped_column

from db.tables.base import (
    NO,
    NO_FIELDS,
    NOW,
    Base,
    CurrencyCode,
    Instant,
    Json,
    Key,
    Keyed,
    Name,
    Tenant,
    currencies,
    never_negative,
    values,
)

SIMULATION_KINDS = ("forecast", "outcome")
# Sums of money with all the places of AI's cost, in whichever currency is reported in.
Sum = Annotated[Decimal, mapped_column(Numeric(28, 12))]
Count = Annotated[int, mapped_column(BigInteger)]


class PlanSimulation(Keyed, Base):
    """A plan replayed over a window of usage: what everybody who is on its tier paid, cost and was refused."""

    __tablename__ = "plan_simulations"

    plan_id: Mapped[Key] = mapped_column(ForeignKey("plans.id"))
    plan_revision: Mapped[int]
    kind: Mapped[Name] = mapped_column(
        server_default="forecast",
        comment="forecast: a draft over usage that was; outcome: a published plan over usage since.",
    )
    terms: Mapped[Json] = mapped_column(
        server_default=NO_FIELDS, comment="The plan and its limits as they were when this was found."
    )
    since: Mapped[Instant]
    until: Mapped[Instant]
    currency: Mapped[CurrencyCode]
    revenue_before: Mapped[Sum]
    revenue_after: Mapped[Sum]
    ai_cost_before: Mapped[Sum]
    ai_cost_after: Mapped[Sum]
    margin_before: Mapped[Sum]
    margin_after: Mapped[Sum]
    workspaces: Mapped[int]
    workspaces_hit_before: Mapped[int]
    workspaces_hit: Mapped[int]
    workspaces_eased: Mapped[int]
    calls: Mapped[Count]
    refused_before: Mapped[Count]
    refused_after: Mapped[Count]
    unpriced: Mapped[Count] = mapped_column(comment="Calls of AI without a price: they are in no cost.")
    made_by: Mapped[Key | None] = mapped_column(ForeignKey("team_members.id"))
    made_at: Mapped[Instant] = mapped_column(server_default=NOW)

    __table_args__ = (
        values("kind", SIMULATION_KINDS),
        *currencies("currency"),
        *never_negative("revenue_before", "revenue_after", "workspaces", "calls"),
        CheckConstraint("until > since", name="a_window_ends_after_it_starts"),
        CheckConstraint(
            "margin_before = revenue_before - ai_cost_before AND margin_after = revenue_after - ai_cost_after",
            name="a_margin_is_revenue_less_cost",
        ),
        CheckConstraint(
            "workspaces_hit BETWEEN 0 AND workspaces AND workspaces_hit_before BETWEEN 0 AND workspaces "
            "AND workspaces_eased BETWEEN 0 AND workspaces",
            name="no_more_are_hit_than_there_are",
        ),
        CheckConstraint(
            "refused_before BETWEEN 0 AND calls AND refused_after BETWEEN 0 AND calls AND unpriced >= 0",
            name="no_more_is_refused_than_was_asked",
        ),
        Index("plan_simulations_by_plan_id", "plan_id", "made_at"),
    )


class PlanSimulationWorkspace(Tenant, Base):
    """What a simulation found of one workspace."""

    __tablename__ = "plan_simulation_workspaces"

    simulation_id: Mapped[Key] = mapped_column(ForeignKey("plan_simulations.id"))
    revenue_before: Mapped[Sum]
    revenue_after: Mapped[Sum]
    ai_cost_before: Mapped[Sum]
    ai_cost_after: Mapped[Sum]
    calls: Mapped[Count]
    refused_before: Mapped[Count]
    refused_after: Mapped[Count]
    first_hit_at: Mapped[Instant | None]
    gains_room: Mapped[bool] = mapped_column(server_default=NO)
    goes_over: Mapped[bool] = mapped_column(server_default=NO, comment="Passed a soft limit, or went on in grace.")
    details: Mapped[Json] = mapped_column(
        server_default=NO_FIELDS,
        comment="Its prices, and per limit that was passed: when first, how much was refused, and what the product"
        " shows then.",
    )

    __table_args__ = (
        CheckConstraint(
            "refused_before BETWEEN 0 AND calls AND refused_after BETWEEN 0 AND calls",
            name="no_more_is_refused_than_was_asked",
        ),
        CheckConstraint("(refused_after > 0) = (first_hit_at IS NOT NULL)", name="what_is_refused_began"),
        UniqueConstraint("simulation_id", "workspace_id"),
    )
