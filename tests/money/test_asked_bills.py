"""A month is asked for at the provider's interface, page by page, and read like a file."""

import json
import threading
from contextlib import contextmanager
from datetime import UTC, datetime
from decimal import Decimal
from http.server import BaseHTTPRequestHandler, HTTPServer
from urllib.parse import unquote

import pytest

from app import settings as settings_module
from app.commands.reconciling import files_of
from app.ingest.fetching import fetch_bill
from db.errors import SightlineError
from tests.ingest.samples import (
    anthropic_bucket,
    anthropic_cost,
    anthropic_usage,
    openai_bucket,
    openai_cost,
    openai_usage,
    page,
)
from tests.money.test_approvals import MONTH, asked
from tests.money.test_bills import DAY, OTHER, finance, home, lines, read

__all__ = ("finance", "home")


USED = {
    "completions": {"input_tokens": 1_000_000},
    "embeddings": {"input_tokens": 7},
    "images": {"images": 2},
    "audio_transcriptions": {"seconds": 90},
}


class Anthropic(BaseHTTPRequestHandler):
    """A cost report in two pages and a usage report, for whoever shows the key as Anthropic takes it."""

    asked = ()
    days = (DAY, OTHER)

    def do_GET(self):
        type(self).asked = (*self.asked, unquote(self.path))
        is_known = (self.headers["x-api-key"], self.headers["anthropic-version"]) == ("sk-admin-test", "2023-06-01")
        self.send_response(200 if is_known else 401)
        if "cost_report" in self.path:
            is_last = "page=more" in self.path
            day, cost = (self.days[1], "50") if is_last else (self.days[0], "250.5")
            told = anthropic_bucket(str(day), anthropic_cost("uncached_input_tokens", cost))
            found = page(told, has_more=not is_last)
        else:
            found = page(anthropic_bucket(str(self.days[0]), anthropic_usage(uncached_input_tokens=1_000_000)))
        body = json.dumps(found).encode()
        self.send_header("Content-Length", str(len(body)))
        self.end_headers()
        self.wfile.write(body)

    def log_message(self, *_):
        pass


class Provider(BaseHTTPRequestHandler):
    """Costs in two pages, and usage, for whoever has the key."""

    asked = ()
    days = (DAY, OTHER)

    def do_GET(self):
        type(self).asked = (*self.asked, self.path)
        if self.headers["Authorization"] != "Bearer sk-admin-test":
            self.send_response(401)
            self.end_headers()
            return
        if "/costs" in self.path:
            day, more = (self.days[1], False) if "page=more" in self.path else (self.days[0], True)
            found = page(openai_bucket(str(day), openai_cost("gpt-4o, input", 2.5, 1_000_000)), has_more=more)
        else:
            kind = self.path.split("/usage/")[1].split("?")[0]
            told = openai_usage("gpt-4o", **USED[kind], object=f"organization.usage.{kind}.result")
            found = page(openai_bucket(str(self.days[0]), told))
        body = json.dumps(found).encode()
        self.send_response(200)
        self.send_header("Content-Length", str(len(body)))
        self.end_headers()
        self.wfile.write(body)

    def log_message(self, *_):
        pass


@contextmanager
def answering(monkeypatch, handler, name, key="ADMIN_KEY"):
    """A provider on this machine, at the address and with the key that the settings name."""
    handler.asked = ()
    server = HTTPServer(("127.0.0.1", 0), handler)
    thread = threading.Thread(target=server.serve_forever, daemon=True)
    thread.start()
    monkeypatch.setenv(f"SIGHTLINE_{name}_URL", f"http://127.0.0.1:{server.server_port}/v1")
    monkeypatch.setenv(f"SIGHTLINE_{name}_{key}", "sk-admin-test")
    settings_module.settings.cache_clear()
    yield server
    server.shutdown()
    server.server_close()
    settings_module.settings.cache_clear()


@pytest.fixture
def provider(monkeypatch):
    with answering(monkeypatch, Provider, "OPENAI") as server:
        yield server


def test_anthropic_is_asked_for_costs_and_usage_page_by_page_with_its_own_headers(database, finance, monkeypatch):
    with answering(monkeypatch, Anthropic, "ANTHROPIC"):
        for name, content in fetch_bill("anthropic", MONTH):
            read(database, finance, content, name, provider="anthropic", source="api")
    assert [(day, amount) for day, amount, _ in lines(database)] == [(DAY, Decimal("2.505")), (OTHER, Decimal("0.5"))]
    assert asked(database, "SELECT unit, quantity FROM provider_bill_lines WHERE kind = 'usage'") == [
        ("input", 1_000_000)
    ]
    assert all(f"starting_at={MONTH}T00:00:00Z" in path for path in Anthropic.asked)
    first, second, usage = Anthropic.asked
    assert "/organizations/cost_report?" in first
    assert "page=more" in second
    assert "group_by[]=context_window" in usage


def test_a_month_is_asked_for_page_by_page_and_read_like_a_file(database, finance, provider):
    for name, content in fetch_bill("openai", MONTH):
        read(database, finance, content, name, provider="openai", source="api")
    assert [(day, amount) for day, amount, _ in lines(database)] == [(DAY, Decimal("2.5")), (OTHER, Decimal("2.5"))]
    assert {one.source for one in files_of(database.ro, finance, "openai", MONTH)} == {"api"}
    assert asked(database, "SELECT unit, quantity FROM provider_bill_lines WHERE kind = 'usage' ORDER BY 2") == [
        ("image", 2), ("input", 7), ("audio_second", 90), ("input", 1_000_000),
    ]  # fmt: skip
    since = int(datetime(MONTH.year, MONTH.month, 1, tzinfo=UTC).timestamp())
    assert all(f"start_time={since}" in path for path in Provider.asked)


def test_a_wrong_key_and_a_server_that_is_not_there_are_sentences(monkeypatch, provider):
    monkeypatch.setenv("SIGHTLINE_OPENAI_ADMIN_KEY", "sk-admin-wrong")
    settings_module.settings.cache_clear()
    with pytest.raises(SightlineError, match="answered 401"):
        list(fetch_bill("openai", MONTH))
    monkeypatch.setenv("SIGHTLINE_OPENAI_URL", "http://127.0.0.1:9/v1")
    settings_module.settings.cache_clear()
    with pytest.raises(SightlineError, match="could not be asked") as refusal:
        list(fetch_bill("openai", MONTH))
    assert "sk-admin" not in str(refusal.value)
    with pytest.raises(SightlineError, match="No key"):
        list(fetch_bill("anthropic", MONTH))
