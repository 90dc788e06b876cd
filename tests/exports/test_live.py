"""Downloads of lists that are read live: whole, for whoever the reader is by then, and run by no spreadsheet."""

import csv
import io
import json
import zipfile
from contextlib import suppress
from datetime import UTC, timedelta

import pyarrow.parquet as pq
import pytest
from sqlalchemy import text

from app.access import NotPermittedError, Role, Viewer
from app.exports import live
from app.exports.address import Kind
from app.exports.files import WRITERS
from app.exports.given import given
from app.exports.lists import LISTS
from app.exports.live import Whole, read_list
from app.exports.sheets import sheet_of_list
from app.metrics.errors import MalformedQuestionError
from tests.db.rows import NOON, add, campaign, contact
from tests.records.conftest import seer, shop, world  # noqa: F401 - fixtures

EVIL = "=HYPERLINK(1)"


def bounced(shop, of, who, number, reason=None):  # noqa: F811 - a fixture
    return add(
        shop.connection,
        "email_events",
        workspace_id=shop.workspace,
        campaign_id=of.id,
        contact_id=who.id,
        event_type="bounced",
        occurred_at=NOON + timedelta(seconds=number),
        provider="ses",
        bounce_type="hard",
        bounce_reason=reason,
    )


@pytest.fixture
def mailing(shop):  # noqa: F811 - a fixture
    of = campaign(shop.connection, shop.workspace, "email", name=EVIL)
    return of, contact(shop.connection, shop.workspace, email="ann@example.com")


def whole(shop, name="email_events", who=None, **narrowed):  # noqa: F811 - a fixture
    ro, viewer = shop.made()
    return Whole(name, given(**narrowed), ro, who or (lambda: viewer))


def written(read, kind):
    return b"".join(WRITERS[kind](sheet_of_list(read)))


def test_every_row_is_written_once_however_many_pages_they_fill(shop, mailing, monkeypatch):  # noqa: F811 - a fixture
    """Seven bounces in pages of two, newest first, with the names of campaign and contact."""
    monkeypatch.setattr(live, "_AT_ONCE", 2)
    for number in range(7):
        bounced(shop, *mailing, number)
    read = whole(shop)
    rows = list(csv.DictReader(io.StringIO(written(read, Kind.CSV).decode())))
    assert [row["occurred_at"] for row in rows] == [
        (NOON + timedelta(seconds=number)).isoformat() for number in reversed(range(7))
    ]
    assert {(row["campaign"], row["email"]) for row in rows} == {(f"'{EVIL}", "ann@example.com")}
    assert read.rows == 7


def test_no_form_runs_what_customers_wrote_and_each_bears_the_receipt(shop, mailing):  # noqa: F811 - a fixture
    bounced(shop, *mailing, 1, reason="+cmd")
    read = whole(shop)
    book = zipfile.ZipFile(io.BytesIO(written(read, Kind.XLSX)))
    sheets = [book.read(f"xl/worksheets/sheet{number}.xml").decode() for number in (1, 2)]
    assert all("<f>" not in sheet for sheet in sheets)
    assert "'+cmd" in sheets[0].replace("&#39;", "'")
    assert read.receipt.id in sheets[1]
    assert "FROM email_events" in sheets[1]

    again = whole(shop)
    file = io.BytesIO(written(again, Kind.PARQUET))
    table, told = pq.read_table(file), pq.read_metadata(file).metadata
    assert table.schema.metadata[b"sightline.receipt"].decode() == again.receipt.id
    assert json.loads(told[b"sightline.receipt.json"])["Rows"] == "1"
    assert table["occurred_at"].to_pylist() == [(NOON + timedelta(seconds=1)).astimezone(UTC)]
    assert table["campaign"].to_pylist() == [EVIL]


def test_a_list_is_narrowed_as_the_page_narrows_it(shop, mailing):  # noqa: F811 - a fixture
    bounced(shop, *mailing, 1)
    other = contact(shop.connection, shop.workspace, email="bob@example.com")
    bounced(shop, mailing[0], other, 2)
    narrowed = {"contact": other.id, "kind": "bounced", "since": NOON.date(), "until": NOON.date() + timedelta(days=1)}
    ro, viewer = shop.made()
    page = read_list(ro, viewer, "email_events", given(**narrowed), limit=1)
    assert [one.email for one in page.rows] == ["bob@example.com"]
    assert page.receipt.asked.rows == 1
    assert ":contact" in page.receipt.sql
    assert page.receipt.parameters["contact"] == str(other.id)
    read = whole(shop, **narrowed)
    assert len(written(read, Kind.CSV).decode().splitlines()) == 2
    assert read_list(ro, viewer, "email_events", given(contact=other.id, kind="opened")).rows == ()


def test_rows_of_others_are_on_no_list(world):  # noqa: F811 - a fixture
    """Of every list: all rows of A's reader, as text, hold no word of B; and of a thing of B's there is none."""
    mine, its = seer(world.a.workspace), {"user": world.b.customer}
    with world.database.setup.connect() as connection:
        for name in ("campaign", "contact", "template", "invoice"):
            key = text(f"SELECT id FROM {name}s WHERE workspace_id = :b LIMIT 1")
            its[name] = connection.scalar(key, {"b": world.b.workspace})
    for name, one in LISTS.items():
        of_b = given(**{key: value for key, value in its.items() if key in one.narrowed_by})
        for narrowed in ({}, of_b):
            with suppress(MalformedQuestionError):
                # Some lists are of one thing alone.
                told = written(Whole(name, narrowed, world.database.ro, lambda: mine), Kind.CSV).decode()
                assert "canary-of-b" not in told, name
                assert not narrowed or len(told.splitlines()) == 1, name


def test_a_download_ends_when_its_reader_may_read_no_more(shop, mailing, monkeypatch):  # noqa: F811 - a fixture
    monkeypatch.setattr(live, "_AT_ONCE", 2)
    for number in range(7):
        bounced(shop, *mailing, number)
    calls = []

    def who():
        calls.append(1)
        return seer(shop.workspace) if len(calls) < 4 else Viewer("Ada", frozenset(), frozenset({shop.workspace}))

    pieces = WRITERS[Kind.CSV](sheet_of_list(whole(shop, who=who)))
    assert len([next(pieces), next(pieces), next(pieces)]) == 3
    with pytest.raises(NotPermittedError):
        next(pieces)


def test_what_narrows_no_list_is_refused_in_words(shop):  # noqa: F811 - a fixture
    for name, narrowed, told in (
        ("salaries", {}, "No list is named 'salaries'"),
        ("contacts", {"country": "DE"}, "not narrowed by country"),
        ("sends", {}, "names a key as 'contact'"),
        ("email_events", {"campaign": "x"}, "names a key as 'campaign'"),
        ("email_events", {"since": "yesterday"}, "names a day as 'since'"),
    ):
        with pytest.raises(MalformedQuestionError, match=told):
            whole(shop, name, **narrowed)


def test_what_it_cost_is_for_those_who_may_read_cost(world):  # noqa: F811 - a fixture
    for role, is_told in ((Role.VIEWER, False), (Role.FINANCE, True)):
        viewer = seer(world.a.workspace, role=role)
        read = Whole("generations", {}, world.database.ro, lambda viewer=viewer: viewer)
        table = pq.read_table(io.BytesIO(written(read, Kind.PARQUET)))
        assert table.num_rows > 0
        assert any(value is not None for value in table["cost_usd"].to_pylist()) is is_told
        assert "prompt_text" not in table.column_names


def test_a_long_list_holds_every_row_of_every_workspace_once(world):  # noqa: F811 - a fixture
    """One workspace after the other, however the rows of both lie in time."""
    both = (world.a.workspace, world.b.workspace)
    read = Whole("email_events", {}, world.database.ro, lambda: seer(*both))
    rows = list(csv.DictReader(io.StringIO(written(read, Kind.CSV).decode())))
    with world.database.setup.connect() as connection:
        asked = text("SELECT CAST(id AS TEXT) FROM email_events WHERE workspace_id = ANY (:both)")
        keys = list(connection.scalars(asked, {"both": list(both)}))
    assert sorted(row["id"] for row in rows) == sorted(keys)
    owners = [row["workspace_id"] for row in rows]
    assert len(set(owners)) == 2
    assert owners == sorted(owners, key=owners.index)


@pytest.mark.parametrize("kind", Kind)
def test_a_setting_that_is_a_bare_number_is_downloaded_as_json(shop, kind):  # noqa: F811 - a fixture
    """In a column that is text because other settings are objects."""
    add(shop.connection, "settings", key="a_truth", value=True)
    file = written(whole(shop, "settings"), kind)
    if kind is Kind.PARQUET:
        table = pq.read_table(io.BytesIO(file))
        says = dict(zip(table["key"].to_pylist(), table["value"].to_pylist(), strict=True))
        assert (says["plan_margin_floor"], says["a_truth"]) == ("30", "true")
        assert json.loads(says["ai_service_limits"])["veo"] > 0
