"""The days of an answer: its period, the complete days of it, and the days they are compared with."""

from dataclasses import dataclass
from datetime import date, datetime, timedelta
from zoneinfo import ZoneInfo

from app.metrics.question import Compare, Question

# The three spans: all days asked for, those of them that are over, and the days before to compare with.
NOW, COMPLETE, BEFORE = "", "__complete", "__before"


@dataclass(frozen=True)
class Span:
    """Days from `since` up to and without `until`, shown `shift` days later, or at the dates of a year later."""

    suffix: str
    since: date
    until: date
    shift: int = 0
    is_year_earlier: bool = False


@dataclass(frozen=True)
class Spans:
    """The spans that a question needs, and the day that is still running in its period."""

    listed: tuple[Span, ...]
    running_day: date | None

    @property
    def now(self) -> Span:
        return self.listed[0]

    def named(self, suffix: str) -> Span | None:
        return next((span for span in self.listed if span.suffix == suffix), None)

    @property
    def suffixes(self) -> tuple[str, ...]:
        return tuple(span.suffix for span in self.listed)

    @property
    def is_year_earlier(self) -> bool:
        return any(span.is_year_earlier for span in self.listed)

    @property
    def is_one_pass(self) -> bool:
        """No day is in the period and in the one before it, as it would be for two years and a year ago."""
        before = self.named(BEFORE)
        return before is None or before.until <= self.now.since

    @property
    def parameters(self) -> dict[str, date | int]:
        """The days as the text names them."""
        named: dict[str, date | int] = {}
        for span in self.listed:
            prefix = f"{span.suffix.strip('_')}_" if span.suffix else ""
            named |= {f"{prefix}since": span.since, f"{prefix}until": span.until}
            if span.suffix == BEFORE:
                named["shift"] = span.shift
        return named

    @property
    def complete(self) -> Span:
        """What is compared: the whole period, unless a day of it is still running."""
        return self.named(COMPLETE) or self.now


def spans(question: Question, data_through: datetime, zone: str) -> Spans:
    """The running day is the one up to which data have come: it is shown, and never compared."""
    running = data_through.astimezone(ZoneInfo(zone)).date()
    now = Span(NOW, question.since, question.until)
    has_running = question.since <= running < question.until
    if question.compare is None:
        return Spans((now,), running if has_running else None)
    complete_until = max(min(question.until, running), question.since)
    found = [now]
    if complete_until < question.until:
        found.append(Span(COMPLETE, question.since, complete_until))
    found.append(_before(question.since, complete_until, question.compare))
    return Spans(tuple(found), running if has_running else None)


def _before(since: date, until: date, compare: Compare) -> Span:
    if compare is Compare.YEAR:
        return Span(BEFORE, year_earlier(since), year_earlier(until), is_year_earlier=True)
    days = (until - since).days
    return Span(BEFORE, since - timedelta(days=days), since, shift=days)


def year_earlier(day: date) -> date:
    """The same date a year ago; of a leap day, the day before March."""
    try:
        return day.replace(year=day.year - 1)
    except ValueError:
        return day.replace(year=day.year - 1, day=28)
