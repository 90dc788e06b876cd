"""Files of Delta logs by their names: commits, and checkpoints that spare a reader the commits before them."""

import math
from collections.abc import Iterable
from pathlib import PurePosixPath

LOG = "_delta_log"
_CHECKPOINT = ".checkpoint.parquet"


def commit_number(name: str) -> int | None:
    """Which commit a file of a log is of; None for files of other kinds."""
    path = PurePosixPath(name)
    number = path.name.partition(".")[0]
    return int(number) if path.parent.name == LOG and number.isdigit() else None


def first_needed(names: Iterable[str], version: int) -> int:
    """The commit from which on a log must be there to tell of a version: that of the last checkpoint before it."""
    checkpoints = [
        number for name in names if name.endswith(_CHECKPOINT) and (number := commit_number(name)) is not None
    ]
    return max((number for number in checkpoints if number <= version), default=0)


def since(names: Iterable[str], first: int, last: float = math.inf) -> list[str]:
    """The files of a log from one commit to another, both with it."""
    return [name for name in names if (number := commit_number(name)) is not None and first <= number <= last]
