"""What the month's report is made of: sections with figures, pictures and tables, and the receipts of all of them."""

from collections.abc import Callable, Sequence
from dataclasses import asdict, dataclass, field
from datetime import UTC, date, datetime, timedelta
from typing import Any, TypeVar
from zoneinfo import ZoneInfo

from sqlalchemy import Engine

from app.access import Viewer
from app.exports.live import LiveReceipt
from app.metrics import words
from app.metrics.answer import Answer
from app.metrics.desk import Desk
from app.metrics.question import question
from app.records.reading import witnessed

Read = TypeVar("Read")


@dataclass(frozen=True)
class Figure:
    """A headline: what it is, how much, how it moved, and the receipt that proves it."""

    label: str
    value: str
    change: str
    receipt: str


@dataclass(frozen=True)
class Picture:
    """A drawing as SVG, and the same in a sentence for those who don't see it."""

    svg: str
    alt: str


@dataclass(frozen=True)
class Table:
    """Texts in rows; `words` columns stand left, the figures after them right. The last row may be a sum.

    `shares` of the width are of names and sentences, column by column; 0 is for what is as wide as it is, as dates are.
    Without shares the first column has all that is left.
    """

    heads: tuple[str, ...]
    rows: tuple[tuple[str, ...], ...]
    words: int
    receipt: str
    total: tuple[str, ...] = ()
    shares: tuple[float, ...] = ()


@dataclass(frozen=True)
class Section:
    """A part of the report under its own heading."""

    title: str
    why: str = ""
    figures: tuple[Figure, ...] = ()
    pictures: tuple[Picture, ...] = ()
    tables: tuple[Table, ...] = ()
    notes: tuple[str, ...] = ()


@dataclass(frozen=True)
class Proof:
    """A receipt as the report's last page lists it."""

    id: str
    of: str
    made_from: str
    through: str


@dataclass
class Month:
    """One month for one viewer: asks, and keeps the receipt of whatever was answered."""

    desk: Desk
    engine: Engine
    # Sums of the whole company are answered to the role of commands alone.
    commands: Engine
    viewer: Viewer
    first: date
    zone: str
    currency: str
    version: int
    through: datetime
    sees_all: bool
    proofs: dict[str, Proof] = field(default_factory=dict)

    @property
    def until(self) -> date:
        return date(self.first.year + self.first.month // 12, self.first.month % 12 + 1, 1)

    @property
    def last(self) -> date:
        return self.until - timedelta(days=1)

    @property
    def is_over(self) -> bool:
        return self.through.astimezone(ZoneInfo(self.zone)).date() >= self.until

    def ask(
        self,
        metrics: Sequence[str],
        *,
        by: str | Sequence[str] = (),
        grain: str | None = None,
        compare: str | None = None,
        order: str | None = None,
        since: date | None = None,
        until: date | None = None,
    ) -> Answer:
        """All answers of a report are of one version."""
        asked = question(
            metrics, since or self.first, until or self.until, by=by, grain=grain, compare=compare, order=order,
            as_of=self.version,
        )  # fmt: skip
        answer = self.desk.ask(asked, self.viewer)
        receipt = answer.receipt
        told = ", ".join(words.title(one) for one in answer.metrics)
        split = ", ".join(words.spelled(one.name).lower() for one in answer.by)
        rollups = ", ".join(f"{one.name} v{one.version}" for one in receipt.rollups)
        self.proofs[receipt.id] = Proof(
            receipt.id,
            f"{told}{f' by {split}' if split else ''}, {since or self.first} until {until or self.until}",
            f"{rollups}; {receipt.rows_read:,} rows",
            f"{receipt.data_through.astimezone(UTC):%Y-%m-%d %H:%M} UTC",
        )
        return answer

    def read(self, name: str, reading: Callable[[], Read], *, of: str = "") -> tuple[Read, str]:
        """What is read live has a receipt as well; `of` says of what where the name does not."""
        at = datetime.now(UTC)
        with witnessed() as asked:
            found = reading()
        receipt = LiveReceipt(name=name, given={"month": (f"{self.first:%Y-%m}",)}, read_at=at, asked=asked[0])
        count = sum(one.rows for one in asked)
        self.proofs[receipt.id] = Proof(
            receipt.id, f"{words.spelled(name)}{of}", f"Postgres, live; {count:,} rows", f"{at:%Y-%m-%d %H:%M} UTC"
        )
        return found, receipt.id


def plain(section: Section) -> dict[str, Any]:
    """As JSON has it."""
    return asdict(section)
