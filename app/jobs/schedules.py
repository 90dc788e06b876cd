"""When something is due again and again: by the clock of a zone, or every so many seconds."""

from dataclasses import dataclass
from datetime import UTC, datetime, time, timedelta
from typing import Protocol
from zoneinfo import ZoneInfo

_DAY = timedelta(days=1)
_MINUTE = timedelta(minutes=1)


class Schedule(Protocol):
    """Occurrences in time. Both questions are answered from the moment alone, so all workers agree."""

    def latest(self, moment: datetime) -> datetime:
        """The last occurrence at or before a moment."""
        ...

    def following(self, moment: datetime) -> datetime:
        """The first occurrence after a moment."""
        ...


@dataclass(frozen=True)
class Daily:
    """Once on every day of the zone.

    A time that a day does not have, because clocks go forward, comes as much later; of a time that it has twice, the
    first counts.
    """

    at: time
    zone: str = "UTC"

    def latest(self, moment: datetime) -> datetime:
        return max(one for one in self._around(moment) if one <= moment)

    def following(self, moment: datetime) -> datetime:
        return min(one for one in self._around(moment) if one > moment)

    def _around(self, moment: datetime) -> list[datetime]:
        """Zones have left out a whole day when they changed sides of the date line: two days either way are enough."""
        zone = ZoneInfo(self.zone)
        today = moment.astimezone(zone).date()
        days = (today + _DAY * number for number in range(-2, 3))
        return [datetime.combine(day, self.at, zone).astimezone(UTC) for day in days]


@dataclass(frozen=True)
class Hourly:
    """Whenever the clock of the zone shows this minute; on days of 25 hours that is 25 times."""

    minute: int
    zone: str = "UTC"

    def latest(self, moment: datetime) -> datetime:
        return self._search(moment.replace(second=0, microsecond=0), -_MINUTE)

    def following(self, moment: datetime) -> datetime:
        return self._search(moment.replace(second=0, microsecond=0) + _MINUTE, _MINUTE)

    def _search(self, start: datetime, step: timedelta) -> datetime:
        """Minute by minute: zones move their clocks by half hours too, and an hour has only sixty."""
        zone = ZoneInfo(self.zone)
        found = start.astimezone(UTC)
        while found.astimezone(zone).minute != self.minute:
            found += step
        return found


@dataclass(frozen=True)
class Every:
    """At every multiple of so many seconds since 1970."""

    seconds: int

    def latest(self, moment: datetime) -> datetime:
        return datetime.fromtimestamp(moment.timestamp() // self.seconds * self.seconds, UTC)

    def following(self, moment: datetime) -> datetime:
        return self.latest(moment) + timedelta(seconds=self.seconds)
