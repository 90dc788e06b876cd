"""Jobs, integrations and data health: admins see what is amiss in words, and do something about it."""

import json
from urllib.parse import urlencode

import pytest
from playwright.sync_api import expect

from tests.browser.conftest import served, window_of
from tests.browser.every_view import VIEWS
from tests.pages.looking import done, each_looked_at, settled, table

PAGES = ("jobs", "integrations", "data_health")
HOSTILE = "<img src=x onerror=alert(1)> ![x](https://evil.example/x.png) =1+1 [b](javascript:alert(1))"
FINDINGS = [
    {"subject": "horizon", "is_well": False, "says": "New data waits for pid 4711 (ada, idle in transaction: UPDATE).",
        "fix": "Commit, roll back or end it; no data is lost."},
    {"subject": "partitions", "is_well": False, "says": "1 monthly partitions are missing: usage_logs for May 2031.",
        "fix": "Run `sightline migrate`."},
    {"subject": "disk", "is_well": True, "says": "9.0 GB are free.", "fix": "Free some space."},
]  # fmt: skip
LOOKED = {
    "findings": FINDINGS,
    "slow": [{"pid": 4712, "who": "ada", "state": "active", "query": "SELECT pg_sleep($1)", "seconds": 75.5}],
    "statements": None,
    "database_bytes": 3 * 1024**3,
    "lake": {"bytes": 5 * 1024**2, "files": 9, "versions": 7, "pinned": 2, "newest": 9, "oldest": 1},
}
DIFFER = (
    "Rollups differ from Postgres from 2026-01-01 up to 2026-01-29: usage_days. usage_days, 2026-01-05, workspace 1:"
)
NEWEST = "SELECT id FROM meta_accounts ORDER BY created_at DESC, id DESC LIMIT 1"
COUNTERS = (
    "Counters differ from a recount: 1 among those of 7 campaigns. email_campaigns x: emails_sent is 5, a recount"
)


def planted(kind, status, *, result=None, error=None):
    """A job of the company that ended in the future: no worker's own comes after it."""
    found = "NULL" if result is None else f"'{json.dumps(result).replace(chr(39), chr(39) * 2)}'"
    said = "NULL" if error is None else f"'{error.replace(chr(39), chr(39) * 2)}'"
    return (
        "INSERT INTO jobs (job_type, status, attempts, max_attempts, result, error_message, started_at, completed_at)"
        f" VALUES ('{kind}', '{status}', 1, 1, {found}, {said}, now() + interval '1 day', now() + interval '1 day')"
    )


@pytest.fixture(scope="module")
def ward(browser, demo_home):
    """An installation of our own with everything amiss that there is a word for."""
    with served(demo_home) as site:
        site.sign_in("limited-admin")
        for statement in (
            planted("look_at_health", "completed", result=LOOKED),
            planted("compare_rollups", "failed", error=DIFFER),
            planted("check_counters", "failed", error=COUNTERS),
            planted("count_late_rows", "completed",
                result={"since": "2026-01-01", "days": {"2026-01-09": {"email_events": 12}}, "longest_days": 6}),
            planted("of_a_product", "failed", error=HOSTILE),
            "INSERT INTO jobs (job_type, scheduled_at) VALUES ('of_another_product', now() + interval '9 days')",
            f"UPDATE meta_accounts SET token_expires_at = now() + interval '3 days 1 hour' WHERE id = ({NEWEST})",
            f"UPDATE platform_integrations SET sync_error_message = '{HOSTILE}' WHERE sync_status = 'error'",
        ):  # fmt: skip
            site.change(statement)
        yield site


@pytest.fixture(scope="module")
def opened(ward, browser):
    """A page of a role in a window that is kept."""
    windows = {}

    def open_page(page, role="admin", **query):
        if role not in windows:
            windows[role] = window_of(browser)
            windows[role].add_cookies([ward.sign_in(role)])
        found = windows[role].new_page()
        found.goto(f"{ward.url}/{page}?{urlencode(query)}")
        settled(found)
        return found

    yield open_page
    for window in windows.values():
        window.close()


def dialog(page):
    found = page.get_by_role("dialog")
    expect(found).to_be_visible(timeout=30_000)
    return found


def because(form, button, reason="A test."):
    form.get_by_role("textbox", name="Why?").fill(reason)
    form.get_by_role("textbox", name="Why?").press("Tab")
    form.get_by_role("button", name=button).click()


def choose(page, card, name, option):
    """One of a list's choices, by a part of its name; lists close when the page is scrolled."""
    page.set_viewport_size({"width": 1280, "height": 2600})
    settled(page)
    page.locator(f".st-key-card-{card}").get_by_role("combobox", name=name).click()
    # A long list is drawn in part.
    page.keyboard.type(option)
    page.get_by_role("option").filter(has_text=option).first.click()
    if name == "Jobs":
        # Of several the list stays open; of one, this key would take the choice back.
        page.keyboard.press("Escape")
    settled(page)


@pytest.mark.parametrize("page", PAGES)
def test_the_page_is_for_admins_alone(ward, opened, browser, page):
    for role in ("viewer", "finance"):
        context = browser.new_context()
        context.add_cookies([ward.sign_in(role)])
        refused = context.new_page()
        refused.goto(f"{ward.url}/{page}")
        expect(refused.get_by_text("does not open this page")).to_be_visible(timeout=30_000)
        for name in ("jobs", "job_counts", "job_hours", "job_workers", "integrations", "platform_analyses"):
            assert refused.request.get(f"{ward.url}/export/csv?list={name}&name=x").status == 403
        context.close()


@pytest.mark.parametrize("page", PAGES)
def test_every_view_is_whole_in_every_light_and_width(ward, look, page):
    each_looked_at(look(ward, f"/{page}"), VIEWS[page])


def test_a_dead_job_is_shown_with_its_error_as_text_run_again_and_that_taken_back(ward, opened):
    page = opened("jobs")
    row = table(page, "dead")["of_a_product"]
    assert row["Error"] == HOSTILE
    assert page.locator("main img[src=x], .sl img[src*=evil]").count() == 0
    choose(page, "decide-jobs", "Jobs", "of_a_product · company")
    page.get_by_role("button", name="Run again …").click()
    form = dialog(page)
    expect(form).to_contain_text("Sightline's own workers don't know of_a_product")
    form.get_by_role("button", name="Run again: 1 job").click()
    expect(form.get_by_role("alert")).to_contain_text("Jobs are changed for a reason.")
    because(form, "Run again: 1 job", "It is mended.")
    done(page, "1 job: waits for a worker.")
    assert ward.rows("SELECT status FROM jobs WHERE job_type = 'of_a_product'") == [("pending",)]
    page.get_by_role("button", name="Undo").click()
    done(page, "They are cancelled.")
    rows = ward.rows(
        "SELECT a.actor, a.reason FROM audit_log AS a JOIN jobs AS j ON a.row_key = CAST(j.id AS TEXT)"
        " WHERE j.job_type = 'of_a_product' ORDER BY a.position"
    )
    assert rows == [("admin@test.example", "It is mended."), ("admin@test.example", "Taken back.")]


def test_one_job_has_everything_about_it_and_an_unknown_one_is_said(ward, opened):
    ((key,),) = ward.rows("SELECT id FROM jobs WHERE job_type = 'compare_rollups' AND status = 'failed'")
    page = opened("jobs", show="All jobs", job=key)
    expect(page.locator(".st-key-card-compare-rollups-dead")).to_contain_text("Rollups differ from Postgres")
    expect(opened("jobs", show="All jobs", job="nonsense").get_by_role("alert")).to_contain_text("job=nonsense")


def test_a_connection_is_disabled_enabled_by_undo_and_cut_without_a_trace_of_its_secret(ward, opened):
    ((key, secret, whose),) = ward.rows(
        "SELECT m.id, m.access_token, w.name FROM meta_accounts AS m JOIN workspaces AS w ON w.id = m.workspace_id"
        f" WHERE m.id = ({NEWEST})"
    )
    page = opened("integrations", which="In need of care", platform="Meta")
    row = table(page, "connections")[whose]
    assert row["Token"] == "▲ expires in 3 days"
    choose(page, "decide-integration", "Connection", f"Meta of {whose}")
    page.get_by_role("button", name="Disable …").click()
    form = dialog(page)
    expect(form).to_contain_text("the database refuses that")
    because(form, "Disable it")
    done(page, "is disabled.")
    row = table(page, "connections")[whose]
    assert row["State"] == "Disabled (connected)"
    page.get_by_role("button", name="Undo").click()
    done(page, "It is as it was before.")
    assert secret not in page.content()
    choose(page, "decide-integration", "Connection", f"Meta of {whose}")
    page.get_by_role("button", name="Disconnect …").click()
    because(dialog(page), "Destroy the secret and disconnect it")
    done(page, "is disconnected, and its secret is gone.")
    assert ward.rows(f"SELECT access_token, connection_status FROM meta_accounts WHERE id = '{key}'") == [
        (None, "revoked")
    ]
    assert ward.rows(f"SELECT count(*) FROM audit_log AS a WHERE strpos(CAST(a AS TEXT), '{secret}') > 0") == [(0,)]
    errors = opened("integrations", which="In need of care")
    assert HOSTILE in {row["Error"] for row in table(errors, "connections").values()}


def test_keys_are_set_or_not_and_never_shown(opened):
    keys = table(opened("integrations", show="Sightline's own keys"), "sightline-s-own-keys")
    assert keys["SIGHTLINE_OPENAI_ADMIN_KEY"]["State"] == "– not set"
    assert keys["SIGHTLINE_OPENAI_ADMIN_KEY"]["What is off"].startswith("Bills are read from files alone")


def test_what_holds_the_horizon_what_is_missing_and_how_large_all_is_stand_on_the_page(opened):
    page = opened("data_health")
    found = table(page, "what-the-doctor-says")
    assert (found["Horizon"]["State"], found["Disk"]["State"]) == ("✗ amiss", "✓ well")
    assert "pid 4711 (ada, idle in transaction" in found["Horizon"]["What it says"]
    assert found["Horizon"]["What to do"] == "Commit, roll back or end it; no data is lost."
    assert "usage_logs for May 2031" in found["Partitions"]["What it says"]
    tiles = page.locator(".sl-tiles").inner_text()
    for told in ("3.0 GB", "5.0 MB", "2 of them pinned"):
        assert told in tiles


def test_counters_rollups_and_late_rows_that_are_amiss_are_said_in_words(opened):
    page = opened("data_health", show="Counters and rollups")
    expect(page.get_by_role("alert").filter(has_text="Counters are not right.")).to_contain_text("emails_sent is 5")
    expect(page.get_by_role("alert").filter(has_text="Rollups are not right.")).to_contain_text("usage_days")
    rollups = table(page, "rollups-against-postgres")
    assert "✗ amiss" in page.locator(".st-key-card-rollups-against-postgres").inner_text()
    assert rollups["ai_days"]["State"] == "✓ well"
    late = opened("data_health", show="Late rows")
    expect(late.get_by_role("alert").filter(has_text="12 rows came late")).to_contain_text("6 days")
    slow = table(opened("data_health", show="Slow queries"), "running-for-more-than-a-second")
    assert slow["75.50"]["Query"] == "SELECT pg_sleep($1)"


def test_an_admin_of_two_workspaces_sees_theirs_alone(ward, opened):
    own = "(SELECT unnest(workspace_ids) FROM team_members WHERE email = 'limited-admin@test.example')"
    dead = ward.rows(f"SELECT count(*) FROM jobs WHERE status = 'failed' AND workspace_id IN {own}")[0][0]
    page = opened("jobs", "limited-admin")
    assert page.locator('[data-figure="Dead"] .value').inner_text().removeprefix("▲ ") == str(dead)
    assert "of_a_product" not in page.content()
    expect(
        opened("jobs", "limited-admin", show="Schedules").get_by_text("Schedules are the company's.")
    ).to_be_visible()
    names = {name for (name,) in ward.rows(f"SELECT name FROM workspaces WHERE id NOT IN {own} AND kind = 'customer'")}
    shown = opened("integrations", "limited-admin").content()
    assert {name for name in names if f">{name}<" in shown} == set()
    expect(opened("data_health", "limited-admin").get_by_text("This tells of every workspace.")).to_be_visible()


def test_a_waiting_job_is_cancelled_and_kept_again_for_its_time(ward, opened):
    question = "SELECT status, scheduled_at FROM jobs WHERE job_type = 'of_another_product'"
    before = ward.rows(question)
    page = opened("jobs")
    assert "of_another_product" in table(page, "waiting")
    choose(page, "decide-jobs", "Jobs", "of_another_product")
    page.get_by_role("button", name="Cancel …").click()
    because(dialog(page), "Cancel: 1 job")
    done(page, "1 job: is cancelled or was asked to stop.")
    assert ward.rows(question)[0][0] == "cancelled"
    page.get_by_role("button", name="Undo").click()
    done(page, "They wait again as they waited")
    assert ward.rows(question) == before


def test_schedules_tell_when_next_and_a_job_of_a_kind_is_added(ward, opened):
    page = opened("jobs", show="Schedules")
    row = table(page, "schedules")["check_counters"]
    assert row["When"] == "Every day at 04:00 UTC"
    assert row["Next"].endswith("04:00 UTC")
    choose(page, "run-a-kind", "Kind", "make_months")
    page.get_by_role("button", name="Run it now …").click()
    because(dialog(page), "Add it")
    done(page, "A job make_months waits for a worker.")


def test_a_comparison_of_some_days_is_asked_for_and_left(ward, opened):
    page = opened("data_health", show="Counters and rollups")
    choose(page, "compare", "Rollup", "email_days")
    page.get_by_role("button", name="Compare …").click()
    form = dialog(page)
    expect(form).to_contain_text("rollup email_days")
    because(form, "Add the job", "Somebody doubted.")
    done(page, "A job compare_rollups waits for a worker.")
    ((payload,),) = ward.rows(
        "SELECT payload FROM jobs WHERE job_type = 'compare_rollups' ORDER BY created_at DESC LIMIT 1"
    )
    assert payload["rollup"] == "email_days"
