"""How fresh the figures are, and what to do where they are late or not there."""

from dataclasses import dataclass
from datetime import UTC, date, datetime, timedelta
from zoneinfo import ZoneInfo

from app.answering import complete_through, the_desk
from app.lake.lake import NoLakeError
from app.lake.storage import LakeDamagedError
from app.settings import settings
from app.ui import words
from app.ui.markup import Markup, tag, with_code
from db.errors import SightlineError

_AMBER, _RED = timedelta(minutes=15), timedelta(hours=2)
_LATE = "The worker brings them up to date while `sightline up` runs; `sightline refresh` does so at once."


@dataclass(frozen=True)
class Freshness:
    """The version that is shown, and how late it is; `trouble` where there is none."""

    through: datetime
    loaded_at: datetime | None
    version: int | None
    zone: str
    late_by: timedelta
    trouble: SightlineError | None = None
    is_pinned: bool = False

    @property
    def last_day(self) -> date:
        return self.through.astimezone(ZoneInfo(self.zone)).date()

    @property
    def colour(self) -> str:
        if self.trouble or (self.late_by > _RED and not self.is_pinned):
            return "red"
        return "amber" if self.late_by > _AMBER and not self.is_pinned else "green"


def freshness(as_of: int | None) -> Freshness:
    """Of the newest version, or of an earlier one."""
    now = datetime.now(UTC)
    try:
        version = the_desk().version(as_of)
        through = None if as_of else complete_through()
    except (NoLakeError, LakeDamagedError) as trouble:
        return Freshness(now, None, None, settings().zone, timedelta(), trouble)
    told = max(version.data_through, through or version.data_through)
    return Freshness(told, version.loaded_at, version.number, version.zone, now - told, is_pinned=as_of is not None)


def badge(fresh: Freshness) -> Markup:
    """A dot whose form says the same as its colour, and a sentence."""
    if fresh.trouble:
        told = tag("span", with_code(f"{fresh.trouble.what} {fresh.trouble.fix}"))
        return tag("span", tag("i"), told, class_="sl-badge red", role="status")
    through = f"Data through {words.moment(fresh.through.astimezone(ZoneInfo(fresh.zone)))}"
    if fresh.is_pinned:
        return tag("span", tag("i"), f"Pinned to version {fresh.version} · {through}", class_="sl-badge", role="status")
    if fresh.colour == "green":
        loaded = datetime.now(UTC) - (fresh.loaded_at or fresh.through)
        return tag("span", tag("i"), f"{through} · loaded {_ago(loaded)}", class_="sl-badge", role="status")
    return tag(
        "span",
        tag("i"),
        tag("span", with_code(f"{through}, {_ago(fresh.late_by)}: late. {_LATE}")),
        class_=f"sl-badge {fresh.colour}",
        role="status",
    )


def _ago(time: timedelta) -> str:
    minutes = int(time.total_seconds() // 60)
    if minutes < 1:
        return "just now"
    if minutes < 120:  # noqa: PLR2004 - two hours
        return f"{minutes} min ago"
    hours = minutes // 60
    return f"{hours} h ago" if hours < 48 else f"{hours // 24} days ago"  # noqa: PLR2004 - two days
