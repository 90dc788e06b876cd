"""Background work of the last weeks, and the row that says which demo is loaded."""

import numpy as np

from db.demo.keys import key_at
from db.demo.rows import Row
from db.demo.seasons import DAY, MINUTE, SECOND, moment
from db.demo.world import World

_KINDS = ("sync_performance", "optimize_campaign", "generate_report", "refresh", "send_digest")
_JOBS = 600


def job_rows(rng: np.random.Generator, world: World) -> list[Row]:
    """Finished work of thirty days, of which a little failed; and one job that waits: the first look at budgets."""
    return [*(_job(rng, world, number) for number in range(_JOBS)), _first_look(rng, world)]


def _first_look(rng: np.random.Generator, world: World) -> Row:
    """Before its schedule comes round: whoever opens the demo at once finds forecasts and alerts."""
    at = world.season.end - MINUTE
    return {
        "id": key_at(rng, at),
        "job_type": "watch_budgets",
        "unique_key": "watch_budgets",
        "payload": {},
        "status": "pending",
        "attempts": 0,
        "scheduled_at": moment(at),
        "created_at": moment(at),
        "updated_at": moment(at),
    }


def _job(rng: np.random.Generator, world: World, number: int) -> Row:
    at = world.season.end - int(rng.random() * 30 * DAY) - 10 * MINUTE
    workspace = world.workspaces[int(rng.integers(len(world.workspaces)))]
    failed = rng.random() < 0.05  # noqa: PLR2004
    attempts = 5 if failed else 1 + int(rng.random() < 0.06)  # noqa: PLR2004
    finished_at = at + int(rng.exponential(20 * SECOND)) + attempts * SECOND
    return {
        "id": key_at(rng, at),
        "job_type": _KINDS[number % len(_KINDS)],
        "workspace_id": workspace.id,
        "user_id": workspace.owner.id,
        "payload": {"day": moment(at).date().isoformat()},
        "status": "failed" if failed else "completed",
        "attempts": attempts,
        "result": None if failed else {"rows": int(rng.integers(1, 4000))},
        "error_message": "The platform did not answer in time." if failed else None,
        "scheduled_at": moment(at),
        "started_at": moment(at + SECOND),
        "completed_at": moment(finished_at),
        "created_at": moment(at),
        "updated_at": moment(finished_at),
    }
