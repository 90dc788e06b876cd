"""Jobs, integrations and data health: admins see what is amiss in words, and do something about it."""

import json
from urllib.parse import urlencode

import pytest
from playwright.sync_api import expect

from tests.browser.conftest import served
from tests.pages.looking import looked_at, settled, table

PAGES = {
    "jobs": ("Now", "All jobs", "Schedules", "Over time"),
    "integrations": ("Connections", "Analyses", "Sightline's own keys"),
    "data_health": ("Now", "Counters and rollups", "Partitions", "Late rows", "Slow queries"),
}
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
def ward(browser):
    """An installation of our own with everything amiss that there is a word for."""
    with served(["demo", "--size", "tiny"]) as site:
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
            windows[role] = browser.new_context(viewport={"width": 1280, "height": 900}, locale="en-US")
            windows[role].add_cookies([ward.sign_in(role)])
            windows[role].set_default_timeout(30_000)
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


def done(page, says):
    expect(page.get_by_role("status").filter(has_text=says)).to_be_visible(timeout=30_000)
    settled(page)


def because(form, button, reason="A test."):
    form.get_by_role("textbox", name="Why?").fill(reason)
    form.get_by_role("textbox", name="Why?").press("Tab")
    form.get_by_role("button", name=button).click()


def choose(page, card, name, option):
    """One of a list's choices, by a part of its name; lists close when the page is scrolled."""
    page.set_viewport_size({"width": 1280, "height": 2600})
    page.locator(f".st-key-card-{card}").get_by_role("combobox", name=name).click()
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


@pytest.mark.parametrize(("page", "view"), [(page, view) for page, views in PAGES.items() for view in views])
def test_every_view_is_whole_in_every_light_and_width(ward, look, page, view):
    looked_at(look(ward, f"/{page}?{urlencode({'show': view})}", color_scheme="light"))


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
