"""Ad campaigns: budgets, each day's figures from every side, restated days, and what the autopilot changed."""

import json
from decimal import Decimal
from typing import Any

import numpy as np
import pyarrow as pa

from db.demo import columns, words
from db.demo.keys import bytes_of, key_at, keys_at, texts_of
from db.demo.load import CHUNK, Session, Staging
from db.demo.rows import Row
from db.demo.seasons import DAY, HOUR, Floats, Ints, day_of, moment, month_of
from db.demo.shape import Progress
from db.demo.subscriptions import Seal
from db.demo.world import World, workspace_weights
from db.tables.campaigns import CAMPAIGN_PURPOSES
from db.vault import Place

_AGES = ("18-24", "25-34", "35-44", "45-54", "55-64", "65+")
_GENDERS = ("female", "male")
# Breakdown: the values of its columns and their shares in thousandths.
_SIDES: tuple[tuple[str, tuple[dict[str, str], ...], tuple[int, ...]], ...] = (
    (
        "platform",
        tuple({"platform": one} for one in ("facebook", "instagram", "messenger", "audience_network")),
        (480, 410, 40, 70),
    ),
    (
        "platform+placement",
        tuple(
            {"platform": platform, "placement": placement}
            for platform, placements in (
                ("facebook", ("feed", "stories", "reels")),
                ("instagram", ("feed", "stories", "reels")),
                ("messenger", ("inbox",)),
                ("audience_network", ("native",)),
            )
            for placement in placements
        ),
        (300, 80, 100, 190, 110, 110, 40, 70),
    ),
    (
        "age+gender",
        tuple({"age_range": age, "gender": gender} for age in _AGES for gender in _GENDERS),
        (70, 60, 140, 120, 120, 110, 90, 80, 70, 60, 45, 35),
    ),
    ("location", tuple({"location": one} for one in words.COUNTRIES[:5]), (400, 250, 150, 120, 80)),
)
_ROWS_PER_DAY = 1 + sum(len(values) for _, values, _ in _SIDES)
_DIMENSIONS = ("platform", "placement", "age_range", "gender", "location")
_MEASURES = ("impressions", "clicks", "spend", "conversions", "revenue")
_CHANGES = (
    ("budget_increase", "roas_above_4x_3_days", {"daily_budget": 50}, {"daily_budget": 65}),
    ("audience_expansion", "frequency_above_3", {"countries": 1}, {"countries": 3}),
    ("creative_refresh", "ctr_decline_15_percent", {"creative": "A"}, {"creative": "B"}),
)


class Ads:
    """The ad campaigns of all workspaces and their daily totals, in cents of the workspace's currency."""

    def __init__(self, rng: np.random.Generator, world: World, campaigns: int, rows: int, seal: Seal) -> None:
        self.rng, self.world, self.seal = rng, world, seal
        weights = np.sqrt(workspace_weights(world, "ads_autopilot"))
        numbers = np.ceil(weights / weights.sum() * campaigns).astype(np.int64)
        self.workspace: Ints = np.repeat(np.arange(len(numbers)), numbers)
        self.accounts = {one.index: self._account(one.index) for one in world.users_of("ads_autopilot")}
        self.begins, self.ends = self._spans(rows // _ROWS_PER_DAY)
        self.shared: list[Row] = []
        self.own: list[Row] = []
        for number in range(len(self.workspace)):
            self._add(number)

    def _spans(self, days: int) -> tuple[Ints, Ints]:
        """Days since 1970 on which each campaign began and ended; together about as many days as wanted."""
        used = np.array([one.used.get("ads_autopilot", (0, DAY)) for one in self.world.workspaces]) // DAY
        first, last = used[self.workspace, 0], used[self.workspace, 1]
        length = self.rng.lognormal(0, 0.6, len(self.workspace))
        length = np.clip(length * days / length.sum(), 3, last - first).astype(np.int64)
        begins = first + (self.rng.random(len(length)) ** 0.7 * (last - first - length + 1)).astype(np.int64)
        return begins, begins + length

    def _account(self, index: int) -> Row:
        workspace = self.world.workspaces[index]
        at = workspace.used["ads_autopilot"][0]
        key = key_at(self.rng, at)
        return {
            "workspace_id": workspace.id,
            "id": key,
            "user_id": workspace.owner.id,
            "meta_user_id": f"10{key.int % 10**13:013d}",
            "access_token": self.seal(Place("meta_accounts", "access_token", key), f"token-{key.hex[-16:]}"),
            "refresh_token": self.seal(Place("meta_accounts", "refresh_token", key), f"again-{key.hex[-16:]}"),
            "token_expires_at": moment(self.world.season.end + (index - 8) * 5 * DAY),
            "permissions": ["ads_management", "ads_read"],
            "ad_account_ids": (f"act_{key.int % 10**11:011d}",),
            "ad_account_timezone": workspace.row["timezone"],
            "connection_status": "expired" if index < 8 and index % 4 == 3 else "active",  # noqa: PLR2004
            "last_sync_at": moment(self.world.season.end - HOUR * (index + 1)),
            "created_at": moment(at),
            "updated_at": moment(at),
        }

    def _add(self, number: int) -> None:
        index = int(self.workspace[number])
        workspace, begins, ends = self.world.workspaces[index], int(self.begins[number]), int(self.ends[number])
        key = key_at(self.rng, begins * DAY)
        is_running = ends * DAY >= self.world.season.end
        daily = int(self.rng.integers(2, 30)) * 10 * (80 if workspace.currency == "INR" else 1)
        purpose = CAMPAIGN_PURPOSES[number % len(CAMPAIGN_PURPOSES)]
        person = int(self.world.someone(self.rng, np.array([index]))[0])
        stamps = {"created_at": moment(begins * DAY), "updated_at": moment(begins * DAY)}
        self.shared.append(
            {
                "workspace_id": workspace.id,
                "id": key,
                "user_id": self.world.people[person].id,
                "product": "ads_autopilot",
                "channel": "ads",
                "name": f"{purpose.replace('_', ' ').capitalize()} {number + 1}",
                "description": f"Ads of {workspace.row['name']}",
                "status": "active" if is_running else "completed",
                "start_date": day_of(begins * DAY),
                "end_date": day_of(ends * DAY),
                "launched_at": moment(begins * DAY + 9 * HOUR),
                "daily_budget": Decimal(daily),
                "total_budget": Decimal(daily * (ends - begins)),
                "currency": workspace.currency,
                "metadata": {"objective": "OUTCOME_SALES"},
                **stamps,
            }
        )
        self.own.append(
            {
                "workspace_id": workspace.id,
                "campaign_id": key,
                "meta_account_id": self.accounts[index]["id"],
                "meta_campaign_id": f"23{key.int % 10**13:013d}",
                "purpose": purpose,
                "objective": "OUTCOME_SALES" if number % 2 else "OUTCOME_LEADS",
                "target_audience": {"age_min": 18, "age_max": 65, "countries": list(words.COUNTRIES[:3])},
                "audience_size_estimate": {"lower": 100_000, "upper": 400_000},
                "approval_status": "approved",
                "ai_optimization_enabled": number % 3 > 0,
                "optimization_goals": {"target_roas": 3},
                **stamps,
            }
        )

    def write(self, staging: Staging, connection: Session, progress: Progress) -> None:
        """The figures of all days, the totals on the campaigns, and the log of optimisations."""
        days = self._days()
        live_from = self.world.season.live_from
        is_live = days["day"] * DAY >= live_from
        months = month_of(days["day"] * DAY)
        found = sorted(set(months[~is_live].tolist()))
        for done, month in enumerate(found):
            chosen = np.flatnonzero((months == month) & ~is_live)
            step = CHUNK // _ROWS_PER_DAY
            for start in range(0, len(chosen), step):
                part = {name: values[chosen[start : start + step]] for name, values in days.items()}
                staging.write(connection, "performance_analytics", int(month), self._table(part))
            staging.finish("performance_analytics", int(month))
            progress("Ad figures", done + 1, len(found))
        live = self._table({name: values[is_live] for name, values in days.items()})
        live = live.append_column("arrival", pa.array(np.arange(live.num_rows)))
        staging.write_aside(connection, "performance_analytics", live)
        self._total({name: values[~is_live] for name, values in days.items()})

    def _days(self) -> dict[str, Ints]:
        """A row per campaign and day: the totals."""
        length = self.ends - self.begins
        number = np.repeat(np.arange(len(length)), length)
        since = np.arange(len(number)) - np.repeat(np.cumsum(length) - length, length)
        day = self.begins[number] + since
        budget = np.array([int(row["daily_budget"]) * 100 for row in self.shared])[number]
        weekday = np.array([1.0, 1.0, 1.0, 1.0, 1.05, 1.15, 1.1])[(day + 3) % 7]
        spend = (budget * np.clip(self.rng.normal(0.9, 0.12, len(day)), 0.2, 1.1)).astype(np.int64)
        in_cents = np.array([80 if row["currency"] == "INR" else 1 for row in self.shared])[number]
        per_thousand = self.rng.uniform(450, 1400, len(day)) * in_cents
        impressions = (spend / per_thousand * 1000 * weekday).astype(np.int64)
        tired = np.exp(-since / 90)
        skill = self.rng.uniform(0.6, 1.5, len(length))[number]
        clicks = self.rng.binomial(impressions, np.minimum(0.014 * skill * tired, 0.2))
        conversions = self.rng.binomial(clicks, np.minimum(0.045 * skill, 0.5))
        revenue = (conversions * self.rng.lognormal(8.3, 0.4, len(day)) * in_cents).astype(np.int64)
        # After the last day people still buy: conversions and revenue without any spend.
        is_last = since == length[number] - 1
        ended = is_last & (day * DAY < self.world.season.live_from)
        for values in (spend, impressions, clicks):
            values[ended] = 0
        conversions[ended] = self.rng.integers(1, 4, int(ended.sum()))
        revenue[ended] = conversions[ended] * 4500 * in_cents[ended]
        age = self.world.season.end // DAY - day
        # The source changes its figures of the last four weeks.
        restated = (age < 28) & (age > 1) & (self.rng.random(len(day)) < 0.25)  # noqa: PLR2004
        restatements = np.where(restated, self.rng.integers(1, 4, len(day)), 0)
        return {
            "number": number,
            "day": day,
            "impressions": impressions,
            "clicks": clicks,
            "spend": spend,
            "conversions": conversions,
            "revenue": revenue,
            "restatements": restatements,
        }  # fmt: skip

    def _table(self, days: dict[str, Ints]) -> pa.Table:
        """Every day from every side; the parts of a side add up to the total exactly."""
        tables = [self._side(days, "none", ({},), np.ones((len(days["day"]), 1)))]
        for breakdown, values, thousandths in _SIDES:
            shares = np.array(thousandths) * self.rng.uniform(0.7, 1.3, (len(days["day"]), len(values)))
            tables.append(self._side(days, breakdown, values, shares / shares.sum(axis=1, keepdims=True)))
        return pa.concat_tables(tables)

    def _side(
        self, days: dict[str, Ints], breakdown: str, values: tuple[dict[str, str], ...], shares: Floats
    ) -> pa.Table:
        width, count = len(values), len(days["day"])
        at = np.repeat(days["day"] * DAY, width)
        number = np.repeat(days["number"], width)
        code = np.tile(np.arange(width), count)
        measured = {name: _split(days[name], shares) for name in _MEASURES}
        created_at = np.minimum(at + 30 * HOUR, self.world.season.end)
        restatements = np.repeat(days["restatements"], width)
        restated_at = np.minimum(created_at + restatements * 3 * DAY, self.world.season.end)
        currencies = [row["currency"] for row in self.shared]
        return pa.table(
            {
                "workspace_id": columns.key_texts(self.world.workspace_keys, self.workspace[number]),
                "id": texts_of(keys_at(self.rng, created_at)),
                "date": columns.days(at),
                "campaign_id": columns.key_texts(bytes_of([row["id"] for row in self.shared]), number),
                "breakdown": columns.same(breakdown, len(at)),
                **{name: columns.picked([one.get(name) for one in values], code) for name in _DIMENSIONS},
                "impressions": pa.array(measured["impressions"]),
                "reach": pa.array(measured["impressions"] * 7 // 10),
                "clicks": pa.array(measured["clicks"]),
                "spend": columns.decimals(measured["spend"], 2),
                "conversions": pa.array(measured["conversions"]),
                "revenue": columns.decimals(measured["revenue"], 2),
                "currency": columns.picked(currencies, number),
                "restatements": pa.array(restatements),
                "restated_at": columns.only(restatements > 0, columns.stamps(restated_at)),
                "created_at": columns.stamps(created_at),
            }
        )

    def _total(self, days: dict[str, Ints]) -> None:
        """The totals that triggers would have kept."""
        for name in _MEASURES:
            summed = np.zeros(len(self.own), np.int64)
            np.add.at(summed, days["number"], days[name])
            is_money = name in {"spend", "revenue"}
            for row, total in zip(self.own, summed.tolist(), strict=True):
                row[f"total_{name}"] = Decimal(total) / 100 if is_money else total

    def write_optimizations(self, staging: Staging, connection: Session) -> None:
        """What the autopilot changed, by month."""
        rng, season = self.rng, self.world.season
        enabled = np.flatnonzero([row["ai_optimization_enabled"] for row in self.own])
        number = np.repeat(enabled, 4)
        length = self.ends[number] - self.begins[number]
        at = (self.begins[number] + (rng.random(len(number)) * length).astype(np.int64)) * DAY + 5 * HOUR
        kind = rng.integers(0, len(_CHANGES), len(number))
        order = np.argsort(at, kind="stable")
        order = order[at[order] < season.end]
        for month in sorted(set(month_of(at[order]).tolist())):
            rows = order[month_of(at[order]) == month]
            table = self._optimization_table(number[rows], at[rows], kind[rows])
            staging.write(connection, "ai_optimization_logs", int(month), table)
            staging.finish("ai_optimization_logs", int(month))

    def _optimization_table(self, number: Ints, at: Ints, kind: Ints) -> pa.Table:
        def of(position: int) -> list[Any]:
            return [_json(change[position]) for change in _CHANGES]

        worked = self.rng.random(len(at)) < 0.7  # noqa: PLR2004
        impacts = ("No change that could be measured", "More conversions for the same money")
        return pa.table(
            {
                "workspace_id": columns.key_texts(self.world.workspace_keys, self.workspace[number]),
                "id": texts_of(keys_at(self.rng, at)),
                "optimized_at": columns.stamps(at),
                "campaign_id": columns.key_texts(bytes_of([row["id"] for row in self.shared]), number),
                "optimization_type": columns.picked(of(0), kind),
                "trigger_condition": columns.picked(of(1), kind),
                "before_values": columns.picked(of(2), kind),
                "after_values": columns.picked(of(3), kind),
                "success": pa.array(worked),
                "impact_description": columns.picked(impacts, worked.astype(np.int64)),
                "performance_change": columns.picked(('{"roas": -1}', '{"roas": 12}'), worked.astype(np.int64)),
            }
        )


def _json(value: str | dict[str, Any]) -> str:
    return value if isinstance(value, str) else json.dumps(value)


def _split(totals: Ints, shares: Floats) -> Ints:
    """Whole parts of each total by its shares; what rounding leaves goes to the first."""
    parts = (totals[:, None] * shares).astype(np.int64)
    parts[:, 0] += totals - parts.sum(axis=1)
    result: Ints = parts.reshape(-1)
    return result
