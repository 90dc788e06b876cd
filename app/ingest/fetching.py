"""A month's bill from the provider's own interface: every page of it, as one file that the readers take."""

import json
from collections.abc import Iterator, Mapping
from dataclasses import dataclass
from datetime import UTC, date, datetime, timedelta
from decimal import Decimal
from typing import Any

import httpx2

from app.settings import settings, variable_of
from db.errors import SightlineError

_SECONDS = 60
_MOST_PAGES = 100


Asked = Mapping[str, str | list[str]]


@dataclass(frozen=True)
class Report:
    """One report of an interface: its addresses, whose answers are read as one, and what each is asked."""

    name: str
    asked: Mapping[str, Asked]


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
    base, headers = _REPORTS[provider]["access"]()
    with httpx2.Client(base_url=f"{base.rstrip('/')}/", headers=headers, timeout=_SECONDS) as client:
        for report in _REPORTS[provider]["reports"](month, until):
            yield f"{provider} {report.name} {month:%Y-%m}", json.dumps(list(_pages(client, report))).encode()


def _pages(client: httpx2.Client, report: Report) -> Iterator[dict[str, Any]]:
    for path, asked in report.asked.items():
        yield from _pages_of(client, report, path, asked)


def _pages_of(client: httpx2.Client, report: Report, path: str, asked: Asked) -> Iterator[dict[str, Any]]:
    page: str | None = None
    for _ in range(_MOST_PAGES):
        found = _answer(client, report, path, {**asked, **({"page": page} if page else {})})
        yield found
        page = found.get("next_page")
        if not found.get("has_more") or not page:
            return
    raise SightlineError(f"{report.name} has more than {_MOST_PAGES} pages.", why="The provider goes round in circles.")


def _answer(client: httpx2.Client, report: Report, path: str, asked: Mapping[str, Any]) -> dict[str, Any]:
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
            fix="Check that the key is an admin key of the organisation.",
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


def _openai() -> tuple[str, dict[str, str]]:
    key = settings().openai_admin_key.get_secret_value()
    _require(key, "openai_admin_key")
    return settings().openai_url, {"Authorization": f"Bearer {key}"}


def _anthropic() -> tuple[str, dict[str, str]]:
    key = settings().anthropic_admin_key.get_secret_value()
    _require(key, "anthropic_admin_key")
    return settings().anthropic_url, {"x-api-key": key, "anthropic-version": "2023-06-01"}


def _require(key: str, setting: str) -> None:
    if not key:
        raise SightlineError("No key for this provider's bills is set.", fix=f"Set {variable_of(setting)}.")


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
