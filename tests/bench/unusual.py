"""What the cost watch finds in demos of several seeds, and which quiet days it takes for unusual.

`python -m tests.bench.unusual`
"""

import sys

from app.money.anomalies import Cause, anomalies
from tests.money.test_on_the_demo import FIRST, OUTAGE, QUIET, RUNAWAY, TODAY, history

_SEEDS = range(8)
_CALLS = 20_000


def main() -> None:
    for seed in _SEEDS:
        found = anomalies(history(_CALLS, seed), FIRST, TODAY)
        failing = sum(one.cause is Cause.FAILURES for day in found if day.day == OUTAGE for one in day.drivers)
        runaway, quiet = (sum(one.day in days for one in found) for days in (RUNAWAY, QUIET))
        sys.stdout.write(
            f"seed {seed}: {failing} models failing in the outage, {runaway} of {len(RUNAWAY)} days of the runaway,"
            f" {quiet} of {len(QUIET)} quiet days\n"
        )


if __name__ == "__main__":
    main()
