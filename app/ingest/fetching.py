"""A month of bills or invoices from the other company's own interface: all pages of it, as one file for the readers."""

import json
from collections.abc import Callable, Iterator, Mapping
from contextlib import contextmanager
from dataclasses import dataclass
from datetime import UTC, date, datetime, timedelta
from decimal import Decimal
from typing import Any

import httpx2

from app.settings import settings, variable_of
from db.errors import SightlineError

_SECONDS = 60

Asked = Mapping[str, str | list[str]]


def _by_name(page: Mapping[str, Any]) -> Asked:
    """What asks for the page after this one, where that has a name."""
    name = page.get("next_page")
    return {"page": name} if page.get("has_more") and isinstance(name, str) else {}


def _after_the_last(page: Mapping[str, Any]) -> Asked:
    """The same, where pages begin after a row."""
    rows = page.get("data")
    last = rows[-1] if page.get("has_more") and isinstance(rows, list) and rows else None
    return {"starting_after": str(last["id"])} if isinstance(last, dict) and "id" in last else {}


@dataclass(frozen=True)
class Report:
    """One report of an interface: its addresses, whose answers are read as one, and what each is asked."""

    name: str
    asked: Mapping[str, Asked]
    following: Callable[[Mapping[str, Any]], Asked] = _by_name
    most_pages: int = 100


@dataclass(frozen=True)
class _Access:
    """Where an interface is, how it knows us, and what to look at where it does not."""

    url: str
    headers: Mapping[str, str]
    fix: str = "Check that the key is an admin key of the organisation."

    @contextmanager
    def client(self) -> Iterator[httpx2.Client]:
        with httpx2.Client(base_url=f"{self.url.rstrip('/')}/", headers=self.headers, timeout=_SECONDS) as client:
            yield client


def may_be_asked(provider: str) -> bool:
    """Whether the provider has an interface for what it charges; others are read from files."""
    return provider in _REPORTS


def fetch_bill(provider: str, month: date) -> Iterator[tuple[str, bytes]]:
    """Costs and usage of a month, by name."""
    until = (month + timedelta(days=31)).replace(day=1)
    if not may_be_asked(provider):
        raise SightlineError(
            f"{provider} has no interface for bills that Sightline asks.",
            fix="Export the month as a file, and read that in.",
        )
    access = _REPORTS[provider]["access"]()
    for report in _REPORTS[provider]["reports"](month, until):
        yield f"{provider} {report.name} {month:%Y-%m}", _whole(access, report)


def fetch_invoices(since: date, until: date) -> bytes:
    """Stripe's invoices that were made from one day to before another, in UTC."""
    made: Asked = {"created[gte]": _seconds(since), "created[lt]": _seconds(until), "limit": "100"}
    return _whole(_stripe(), Report("invoices", {"invoices": made}, _after_the_last, most_pages=5_000))


def _whole(access: _Access, report: Report) -> bytes:
    with access.client() as client:
        pages = [page for path, asked in report.asked.items() for page in _pages(client, access, report, path, asked)]
    return json.dumps(pages).encode()


def _pages(client: httpx2.Client, access: _Access, report: Report, path: str, asked: Asked) -> Iterator[dict[str, Any]]:
    more: Asked = {}
    for _ in range(report.most_pages):
        found = _answer(client, access, report, path, {**asked, **more})
        yield found
        more = report.following(found)
        if not more:
            return
    raise SightlineError(
        f"{report.name} has more than {report.most_pages:,} pages.", why="The provider goes round in circles."
    )


def _answer(
    client: httpx2.Client, access: _Access, report: Report, path: str, asked: Mapping[str, Any]
) -> dict[str, Any]:
    try:
        answer = client.get(path, params=asked)
    except httpx2.HTTPError as error:
        raise SightlineError(
            f"{report.name} could not be asked for at {client.base_url.host}.",
            why=f"{type(error).__name__}.",
            fix="Check the network, then try again.",
        ) from None
    if answer.status_code >= 400:  # noqa: PLR2004 - HTTP's errors begin there
        raise SightlineError(
            f"{client.base_url.host} answered {answer.status_code} to the question for {report.name}.",
            fix=access.fix,
        )
    try:
        # Amounts may be numbers: as texts they stay as they were written.
        found = json.loads(answer.text, parse_float=_written)
    except json.JSONDecodeError:
        found = None
    if not isinstance(found, dict):
        raise SightlineError(f"{client.base_url.host} answered something that is no {report.name}.")
    return found


def _written(told: str) -> str:
    return format(Decimal(told), "f")


def _openai() -> _Access:
    return _Access(settings().openai_url, {"Authorization": f"Bearer {_key('openai_admin_key')}"})


def _anthropic() -> _Access:
    headers = {"x-api-key": _key("anthropic_admin_key"), "anthropic-version": "2023-06-01"}
    return _Access(settings().anthropic_url, headers)


def _stripe() -> _Access:
    headers = {"Authorization": f"Bearer {_key('stripe_key')}"}
    return _Access(settings().stripe_url, headers, fix="Check that the key may read invoices.")


def _key(setting: str) -> str:
    key: str = getattr(settings(), setting).get_secret_value()
    if not key:
        raise SightlineError("No key of this company's interface is set.", fix=f"Set {variable_of(setting)}.")
    return key


def _openai_reports(since: date, until: date) -> list[Report]:
    span: Asked = {"start_time": _seconds(since), "end_time": _seconds(until), "bucket_width": "1d"}
    of_models: Asked = {**span, "group_by": ["model"], "limit": "31"}
    usage: dict[str, Asked] = {
        "organization/usage/completions": {**of_models, "group_by": ["model", "batch", "service_tier"]},
        "organization/usage/embeddings": of_models,
        # By the model alone: the report knows no quality, and costs tell size and quality.
        "organization/usage/images": of_models,
        "organization/usage/audio_transcriptions": of_models,
    }
    costs: dict[str, Asked] = {"organization/costs": {**span, "group_by": ["line_item"], "limit": "31"}}
    return [Report("costs", costs), Report("usage", usage)]


def _anthropic_reports(since: date, until: date) -> list[Report]:
    span: Asked = {
        "starting_at": f"{since}T00:00:00Z",
        "ending_at": f"{until}T00:00:00Z",
        "bucket_width": "1d",
        "limit": "31",
    }
    costs: dict[str, Asked] = {"organizations/cost_report": {**span, "group_by[]": ["description"]}}
    usage = {"organizations/usage_report/messages": {**span, "group_by[]": ["model", "service_tier", "context_window"]}}
    return [Report("cost report", costs), Report("usage report", usage)]


def _seconds(day: date) -> str:
    return str(int(datetime(day.year, day.month, day.day, tzinfo=UTC).timestamp()))


_REPORTS: Mapping[str, Mapping[str, Any]] = {
    "openai": {"access": _openai, "reports": _openai_reports},
    "anthropic": {"access": _anthropic, "reports": _anthropic_reports},
}
