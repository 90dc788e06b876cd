"""What a page is about to show: for whom, which days, compared with what, where. Questions and links are made of it."""

from collections.abc import Mapping
from dataclasses import dataclass, replace
from datetime import date
from zoneinfo import ZoneInfo

from app.access import Viewer


@dataclass(frozen=True)
class Note:
    """A remark on days, to be marked on charts."""

    text: str
    since: date
    until: date
    by: str = ""


Values = tuple[str | int | None, ...]


@dataclass(frozen=True)
class Scope:
    """The choices at the top of a page. Days run from `since` up to, and without, `until`."""

    viewer: Viewer
    since: date
    until: date
    compare: str | None
    where: Mapping[str, Values]
    grain: str
    as_of: int | None
    zone: str
    currency: str
    page: str = ""
    # The same choices as an address holds them: links carry them on.
    query: tuple[tuple[str, str], ...] = ()
    notes: tuple[Note, ...] = ()

    @property
    def days(self) -> int:
        return (self.until - self.since).days

    @property
    def zone_here(self) -> ZoneInfo:
        """The reporting zone, for moments that are written by its clock."""
        return ZoneInfo(self.zone)

    @property
    def uncompared(self) -> "Scope":
        """The same days, compared with none."""
        return replace(self, compare=None)

    @property
    def daily(self) -> "Scope":
        """The same choices, in nothing finer than days."""
        return replace(self, grain="day") if self.grain == "hour" else self

    def narrowed(self, **chosen: str | int | Values | None) -> "Scope":
        """Only rows with these values, besides what was chosen already."""
        more = {name: value if isinstance(value, tuple) else (value,) for name, value in chosen.items()}
        return replace(self, where={**self.where, **more})

    def without(self, *names: str) -> "Scope":
        """Whatever was chosen of these dimensions."""
        kept = {name: values for name, values in self.where.items() if name not in names}
        query = tuple((name, value) for name, value in self.query if name not in names)
        return replace(self, where=kept, query=query)

    def chosen(self, query: tuple[tuple[str, str], ...]) -> "Scope":
        """For links: other choices, as an address holds them."""
        return replace(self, query=query)

    def noted(self, notes: tuple[Note, ...]) -> "Scope":
        """With what was noted on its days."""
        return replace(self, notes=notes)

    def over(self, since: date, until: date) -> "Scope":
        """The same choices over other days."""
        return replace(self, since=since, until=until)
