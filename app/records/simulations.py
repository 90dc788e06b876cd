"""Simulations of plans: what was found of everybody together, of each workspace, and of each limit."""

from dataclasses import dataclass
from datetime import date, datetime
from decimal import Decimal
from uuid import UUID

from sqlalchemy import Engine

from app.access import Permission, Viewer
from app.records.reading import Page, Place, page_of, rows, some
from db.engine import seeing

# The job that finds what a publication brought.
REVIEW_PUBLICATION = "review_publication"


@dataclass(frozen=True)
class Simulated:
    """One simulation: the sums of the workspaces that its reader sees. `is_current`: the plan is still as it was."""

    id: UUID
    kind: str
    is_current: bool
    since: datetime
    until: datetime
    made_at: datetime
    made_by: str | None
    currency: str
    workspaces: int
    hit_before: int
    hit: int
    eased: int
    over: int
    reached: int
    calls: int
    refused_before: int
    refused_after: int
    unpriced: int
    revenue_before: Decimal
    revenue_after: Decimal
    ai_cost_before: Decimal
    ai_cost_after: Decimal
    first_hit_at: datetime | None

    @property
    def margin_before(self) -> Decimal:
        return self.revenue_before - self.ai_cost_before

    @property
    def margin_after(self) -> Decimal:
        return self.revenue_after - self.ai_cost_after

    @property
    def days(self) -> Decimal:
        """How long its window is."""
        return Decimal((self.until - self.since).total_seconds()) / 86_400


@dataclass(frozen=True)
class SimulatedWorkspace:
    """What a simulation found of one workspace: its first limit, and what the product would show there."""

    id: UUID
    place: datetime
    workspace: str
    slug: str
    first_hit_at: datetime | None
    limit: str | None
    shown: str | None
    prompt: str | None
    calls: int
    refused_before: int
    refused_after: int
    goes_over: bool
    gains_room: bool
    price_before: Decimal
    price_after: Decimal
    price_currency: str
    revenue_before: Decimal
    revenue_after: Decimal
    margin_before: Decimal
    margin_after: Decimal


@dataclass(frozen=True)
class LimitPassed:
    """One limit of the plan, over all workspaces that passed it."""

    verdict: str
    meter: str
    period: str
    source: str
    workspaces: int
    calls: int
    amount: int
    first_at: datetime
    action: str
    says: str


@dataclass(frozen=True)
class HitDay:
    """How many workspaces were refused something for the first time on a day."""

    day: date
    workspaces: int


_SIMULATIONS = """
    SELECT s.id, s.kind, s.plan_revision = p.revision AS is_current, s.since, s.until, s.made_at,
        COALESCE(t.name, t.email) AS made_by, s.currency, s.unpriced, x.workspaces, x.hit_before, x.hit, x.eased,
        x.over, x.reached, x.calls, x.refused_before, x.refused_after, x.revenue_before, x.revenue_after,
        x.ai_cost_before, x.ai_cost_after, x.first_hit_at
    FROM plan_simulations AS s
    JOIN plans AS p ON p.id = s.plan_id
    LEFT JOIN team_members AS t ON t.id = s.made_by
    CROSS JOIN LATERAL (
        SELECT COUNT(*) AS workspaces, COUNT(*) FILTER (WHERE w.refused_before > 0) AS hit_before,
            COUNT(*) FILTER (WHERE w.refused_after > 0) AS hit, COUNT(*) FILTER (WHERE w.gains_room) AS eased,
            COUNT(*) FILTER (WHERE w.goes_over) AS over,
            COUNT(*) FILTER (WHERE w.details @? '$.reached[*]') AS reached,
            CAST(COALESCE(SUM(w.calls), 0) AS BIGINT) AS calls,
            CAST(COALESCE(SUM(w.refused_before), 0) AS BIGINT) AS refused_before,
            CAST(COALESCE(SUM(w.refused_after), 0) AS BIGINT) AS refused_after,
            COALESCE(SUM(w.revenue_before), 0) AS revenue_before, COALESCE(SUM(w.revenue_after), 0) AS revenue_after,
            COALESCE(SUM(w.ai_cost_before), 0) AS ai_cost_before, COALESCE(SUM(w.ai_cost_after), 0) AS ai_cost_after,
            MIN(w.first_hit_at) AS first_hit_at
        FROM plan_simulation_workspaces AS w
        WHERE w.simulation_id = s.id AND w.workspace_id = ANY (:workspaces)
    ) AS x
    WHERE s.plan_id = :plan
    ORDER BY s.made_at DESC, s.id DESC
    LIMIT :most
    """
# Those that are hit first before the others, and those that are not at the end.
_PLACE = "COALESCE(w.first_hit_at, TIMESTAMPTZ '9999-01-01 00:00:00+00')"
_WORKSPACES = f"""
    SELECT w.id, {_PLACE} AS place, h.name AS workspace, h.slug, w.first_hit_at,
        concat_ws(' ', f.first ->> 'meter', f.first ->> 'period') AS "limit", f.first ->> 'title' AS shown,
        f.first ->> 'prompt' AS prompt, w.calls, w.refused_before, w.refused_after, w.goes_over, w.gains_room,
        CAST(w.details #>> '{{prices,0,amount}}' AS NUMERIC) AS price_before,
        CAST(w.details #>> '{{prices,1,amount}}' AS NUMERIC) AS price_after,
        w.details #>> '{{prices,0,currency}}' AS price_currency, w.revenue_before, w.revenue_after,
        w.revenue_before - w.ai_cost_before AS margin_before, w.revenue_after - w.ai_cost_after AS margin_after
    FROM plan_simulation_workspaces AS w
    JOIN workspaces AS h ON h.id = w.workspace_id
    CROSS JOIN LATERAL (
        SELECT COALESCE(jsonb_path_query_first(w.details, '$.after[*] ? (@.verdict == "refused")'),
            w.details #> '{{after,0}}') AS first
    ) AS f
    WHERE w.simulation_id = :simulation AND w.workspace_id = ANY (:workspaces)
        AND (CAST(:after_at AS TIMESTAMPTZ) IS NULL OR ({_PLACE}, w.id) > (:after_at, CAST(:after_key AS UUID)))
    ORDER BY {_PLACE}, w.id
    LIMIT :most
    """  # noqa: S608 - our own text
_LIMITS = """
    SELECT l ->> 'verdict' AS verdict, l ->> 'meter' AS meter, l ->> 'period' AS period, l ->> 'source' AS source,
        COUNT(DISTINCT w.workspace_id) AS workspaces, CAST(SUM(CAST(l ->> 'calls' AS BIGINT)) AS BIGINT) AS calls,
        CAST(SUM(CAST(l ->> 'amount' AS BIGINT)) AS BIGINT) AS amount,
        MIN(CAST(l ->> 'first_at' AS TIMESTAMPTZ)) AS first_at, MIN(l ->> 'action') AS action, MIN(l ->> 'says') AS says
    FROM plan_simulation_workspaces AS w
    CROSS JOIN LATERAL jsonb_array_elements(w.details -> 'after') AS l
    WHERE w.simulation_id = :simulation AND w.workspace_id = ANY (:workspaces)
    GROUP BY 1, 2, 3, 4
    ORDER BY MIN(l ->> 'verdict') = 'refused' DESC, 5 DESC, 2, 3
    """
_HITS = """
    SELECT CAST(w.first_hit_at AT TIME ZONE :zone AS DATE) AS day, COUNT(*) AS workspaces
    FROM plan_simulation_workspaces AS w
    WHERE w.simulation_id = :simulation AND w.workspace_id = ANY (:workspaces) AND w.first_hit_at IS NOT NULL
    GROUP BY 1
    ORDER BY 1
    """

_WAITS_FOR = """
    SELECT j.result ->> 'waits_for' AS missing
    FROM jobs AS j
    WHERE j.job_type = :review AND j.status = 'completed' AND j.payload ->> 'plan' = :plan
    ORDER BY j.completed_at DESC
    LIMIT 1
    """


def simulations(engine: Engine, viewer: Viewer, plan: UUID, *, limit: int = 50) -> list[Simulated]:
    """Those of a plan, the newest first."""
    viewer.require(Permission.PLANS_READ)
    with seeing(engine, viewer.workspaces) as connection:
        found = rows(
            connection, _SIMULATIONS, plan=plan, workspaces=sorted(viewer.workspaces), most=some(limit)
        )  # fmt: skip
    return [Simulated(**row) for row in found]


def review_waits_for(engine: Engine, viewer: Viewer, plan: UUID) -> str | None:
    """What the worker lacked when it wanted to find what happened; nothing where it lacked nothing."""
    viewer.require(Permission.PLANS_READ)
    with seeing(engine, viewer.workspaces) as connection:
        found = rows(connection, _WAITS_FOR, review=REVIEW_PUBLICATION, plan=str(plan))
    return found[0]["missing"] if found else None


def simulated_workspaces(
    engine: Engine, viewer: Viewer, simulation: UUID, *, after: Place | None = None, limit: int = 50
) -> Page[SimulatedWorkspace]:
    """Each workspace of a simulation, those that are hit first before the others."""
    viewer.require(Permission.PLANS_READ)
    with seeing(engine, viewer.workspaces) as connection:
        found = rows(
            connection, _WORKSPACES, simulation=simulation, workspaces=sorted(viewer.workspaces),
            after_at=after and after.at, after_key=after and after.key, most=some(limit) + 1,
        )  # fmt: skip
    return page_of(found, some(limit), lambda row: Place(row["place"], row["id"]), SimulatedWorkspace)


def limits_passed(engine: Engine, viewer: Viewer, simulation: UUID) -> list[LimitPassed]:
    """Which limits were passed by how many, those that refuse first."""
    viewer.require(Permission.PLANS_READ)
    with seeing(engine, viewer.workspaces) as connection:
        found = rows(connection, _LIMITS, simulation=simulation, workspaces=sorted(viewer.workspaces))
    return [LimitPassed(**row) for row in found]


def hits_by_day(engine: Engine, viewer: Viewer, simulation: UUID, *, zone: str) -> list[HitDay]:
    """When workspaces are refused something for the first time, by the days of a zone."""
    viewer.require(Permission.PLANS_READ)
    with seeing(engine, viewer.workspaces) as connection:
        found = rows(connection, _HITS, simulation=simulation, workspaces=sorted(viewer.workspaces), zone=zone)
    return [HitDay(**row) for row in found]
