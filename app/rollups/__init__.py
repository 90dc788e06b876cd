"""The rollups: one plain SQL text each, read with what its header says about meaning, grain and inputs."""

import re
from dataclasses import dataclass
from functools import cache, cached_property
from pathlib import Path
from typing import cast

import sqlglot
from sqlglot import exp

FOLDER = Path(__file__).parent
CALENDAR = "calendar"
_UNIT = re.compile(r"(\w+)\(([^)]*)\)")


@dataclass(frozen=True)
class Rollup:
    """A rollup's text. Its result is a sum over units: a refresh takes off what touched units gave, and adds anew."""

    name: str
    meaning: str
    grain: tuple[str, ...]
    reads: tuple[str, ...]
    uses_calendar: bool
    # Per table that it reads, the columns that say which unit a row belongs to; empty: each row stands for itself.
    unit: dict[str, tuple[str, ...]]
    sql: str

    @cached_property
    def columns(self) -> tuple[str, ...]:
        """What the text answers, in its order."""
        return tuple(cast("exp.Query", sqlglot.parse_one(self.sql, dialect="duckdb")).named_selects)

    @cached_property
    def measures(self) -> tuple[str, ...]:
        """The columns that add up."""
        return tuple(column for column in self.columns if column not in self.grain)


@cache
def rollups() -> dict[str, Rollup]:
    """All rollups by name."""
    return {path.stem: parse(path.stem, path.read_text(encoding="utf-8")) for path in sorted(FOLDER.glob("*.sql"))}


def parse(name: str, text: str) -> Rollup:
    """Read a text and its header."""
    lines = text.splitlines()
    length = next(number for number, line in enumerate(lines) if not line.startswith("--"))
    header = [line[2:].strip() for line in lines[:length]]
    fields = dict(line.split(": ", 1) for line in header if re.match(r"(grain|reads|unit): ", line))
    meaning = " ".join(line for line in header if not re.match(r"(grain|reads|unit): ", line))
    return Rollup(
        name,
        meaning,
        grain=_listed(fields["grain"]),
        reads=tuple(table for table in _listed(fields["reads"]) if table != CALENDAR),
        uses_calendar=CALENDAR in _listed(fields["reads"]),
        unit={table: _listed(columns) for table, columns in _UNIT.findall(fields["unit"])},
        sql="\n".join(lines[length:]).strip(),
    )


def _listed(names: str) -> tuple[str, ...]:
    return tuple(name.strip() for name in names.split(","))
