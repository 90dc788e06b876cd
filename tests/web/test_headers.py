"""Every answer tells browsers what they may do with it; big files travel small; collectors get their figures."""

import gzip
import json
import math
import re
from datetime import UTC, datetime, timedelta

import pytest
from prometheus_client.parser import text_string_to_metric_families
from starlette.testclient import TestClient

from app.lake.lake import LATEST, the_lake
from app.web.ahead import ahead_of
from app.web.compressed import StaticFiles
from tests.web.conftest import FILES, LOOK, sign_in

ALWAYS = {
    "x-content-type-options": "nosniff",
    "x-frame-options": "DENY",
    "referrer-policy": "same-origin",
    "cross-origin-opener-policy": "same-origin",
}
LARGEST = max((FILES / "static" / "js").glob("*.js"), key=lambda path: path.stat().st_size)


def rules(answer):
    return dict(part.strip().split(" ", 1) for part in answer.headers["content-security-policy"].split(";"))


@pytest.mark.parametrize(
    "path", ["/", "/sign-in", "/health", "/media/x", "/_stcore/metrics", f"/static/js/{LARGEST.name}"]
)
def test_every_answer_carries_the_headers_refusals_too(visit, path):
    answer = visit().get(path)
    assert {name: answer.headers[name] for name in ALWAYS} == ALWAYS
    assert "camera=()" in answer.headers["permissions-policy"]
    assert rules(answer)["frame-ancestors"] == "'none'"
    assert "strict-transport-security" not in answer.headers


def test_a_page_may_run_nothing_but_its_own_files_and_its_known_inline_scripts(inside):
    scripts = rules(inside.get("/email"))["script-src"].split()
    assert {"'self'", "'wasm-unsafe-eval'"} <= set(scripts)
    assert not {"'unsafe-inline'", "'unsafe-eval'", "*", "https:", "data:"} & set(scripts)
    assert len([script for script in scripts if script.startswith("'sha256-")]) == 4


def test_the_sign_in_page_runs_no_script_at_all(visit):
    allowed = rules(visit().get("/sign-in"))
    assert allowed["default-src"] == "'none'"
    assert "script-src" not in allowed
    assert allowed["form-action"] == "'self'"


def test_pages_about_people_are_not_kept_by_browsers_and_proxies(visit, inside):
    assert visit().get("/sign-in").headers["cache-control"] == "no-store"
    assert visit().get("/").headers["cache-control"] == "no-store"
    assert sign_in(visit()).headers["cache-control"] == "no-store"
    assert inside.get("/media/x").headers["cache-control"] == "private, no-cache"


def test_streamlits_files_travel_compressed_and_arrive_as_they_are(visit):
    path = f"/static/js/{LARGEST.name}"
    browser = visit(**{"accept-encoding": "gzip"})
    answer = browser.get(path)
    assert answer.headers["content-encoding"] == "gzip"
    assert answer.headers["cache-control"].startswith("public, immutable")
    assert answer.headers["vary"] == "Accept-Encoding"
    assert answer.content == LARGEST.read_bytes()
    assert int(answer.headers["content-length"]) < LARGEST.stat().st_size / 2
    assert browser.head(path).headers["content-encoding"] == "gzip"
    assert "content-encoding" not in visit(**{"accept-encoding": "identity"}).get(path).headers


def test_a_file_is_compressed_once(monkeypatch):
    path = f"/static/js/{LARGEST.name}"
    made = StaticFiles(FILES)
    first = made.compressed(path)
    monkeypatch.setattr(gzip, "compress", None)
    assert made.compressed(path) is first


def test_what_every_page_begins_with_is_compressed_ahead():
    made = StaticFiles(FILES)
    made.compress_first()
    html = (FILES / "index.html").read_text()
    assert {path for path in made.paths if made.is_kept(path)} == {path for path in made.paths if path in html}


def test_the_kinds_of_elements_are_asked_for_with_the_client_and_the_style_sheet_with_the_page(visit, inside):
    page = inside.get("/email").text
    instead = json.loads(re.search('<script type="importmap">(.*?)</script>', page)[1])["imports"]
    (loader, ours), *others = instead.items()
    assert not others
    # It is what the client asks for its kinds, and the page asks for it before any script.
    assert (FILES / loader.lstrip("/")).is_file()
    assert page.index("importmap") < page.index('type="module"')
    script = visit(**{"accept-encoding": "identity"}).get(ours)
    assert script.headers["content-type"].startswith("text/javascript")
    asked = [f"/static/js/{name}" for name in json.loads(re.search(r"of (\[.*?\])", script.text)[1])]
    assert [one.split("/")[-1].split(".")[0] for one in asked[:2]] == ["Html", "Button"]
    assert all(f'<link rel="modulepreload" crossorigin href="{one}">' in page for one in (ours, *asked))
    assert all(visit().get(one).status_code == 200 for one in (*asked, f"{loader}?as-it-is"))
    (look,) = re.findall('<link rel="stylesheet" href="([^"]+)" />', page)
    styled = visit(**{"accept-encoding": "gzip"}).get(look)
    assert (styled.text, styled.headers["content-encoding"]) == (LOOK, "gzip")
    assert styled.headers["cache-control"].startswith("public, immutable")


def test_a_client_that_loads_its_kinds_in_another_way_is_left_as_it_is(tmp_path):
    (tmp_path / "static" / "js").mkdir(parents=True)
    (tmp_path / "index.html").write_text("<html></html>")
    assert ahead_of(tmp_path) is None


def test_an_error_that_nobody_expected_gets_a_reference_and_no_details(inside, built):
    calm = TestClient(built, base_url="http://127.0.0.1:8501", cookies=inside.cookies, raise_server_exceptions=False)
    answer = calm.get("/media/broken", headers={"accept": "application/json"})
    assert answer.status_code == 500
    assert re.search("reference <code>[0-9a-f]{8}</code>", answer.text)
    assert "canary" not in answer.text


def test_the_page_itself_bears_our_name_and_travels_compressed(inside):
    answer = inside.get("/any/page", headers={"accept-encoding": "gzip"})
    assert answer.headers["content-encoding"] == "gzip"
    assert "<title>Sightline</title>" in answer.text
    assert "Streamlit app can also offer" not in answer.text


def figures(answer):
    return {
        (sample.name, *sorted(sample.labels.values())): sample.value
        for family in text_string_to_metric_families(answer.text)
        for sample in family.samples
    }


def test_collectors_elsewhere_need_the_token(visit, setting):
    setting(SIGHTLINE_METRICS_TOKEN="canary-token")
    assert visit().get("/metrics").status_code == 403
    assert visit(authorization="Bearer wrong").get("/metrics").status_code == 403
    before = figures(visit(authorization="Bearer canary-token").get("/metrics"))
    sign_in(visit())
    sign_in(visit(), password="wrong")
    after = figures(visit(authorization="Bearer canary-token").get("/metrics"))

    def more(*name):
        key = (name[0], *sorted(name[1:]))
        return after.get(key, 0) - before.get(key, 0)

    assert more("sightline_sign_ins_total", "password", "in") == 1
    assert more("sightline_sign_ins_total", "password", "refused") == 1
    assert more("sightline_request_seconds_count", "sign-in", "303") == 1
    assert ("process_resident_memory_bytes",) in after


@pytest.fixture
def newest(installation):
    """What a lake says of its newest version; afterwards there is none again."""
    file = the_lake().folder / LATEST
    file.parent.mkdir(parents=True, exist_ok=True)
    yield file
    file.unlink()


def test_a_damaged_lake_has_no_age_and_hides_no_other_figure(visit, setting, newest):
    setting(SIGHTLINE_METRICS_TOKEN="canary-token")
    newest.write_text("{")
    found = figures(visit(authorization="Bearer canary-token").get("/metrics"))
    assert math.isnan(found["sightline_lake_age_seconds",])
    assert ("process_resident_memory_bytes",) in found


@pytest.mark.parametrize("name", ["x-forwarded-for", "forwarded", "x-real-ip"])
def test_collectors_on_this_machine_need_none_unless_a_proxy_speaks_for_others(installation, built, name):
    here = TestClient(built, base_url="http://127.0.0.1:8501", client=("127.0.0.1", 5))
    assert here.get("/metrics").status_code == 200
    assert here.get("/metrics", headers={name: "127.0.0.1"}).status_code == 403


def test_health_tells_of_database_months_and_lake(visit):
    answer = visit().get("/health")
    assert answer.status_code == 200
    told = answer.json()
    assert told["database"] == "answers"
    assert told["lake"] == {"state": "missing", "fix": "Run `sightline refresh`."}


@pytest.mark.parametrize(("seconds", "state"), [(890, "fresh"), (910, "late")])
def test_health_tells_how_late_the_lake_is_and_a_late_one_still_serves(visit, newest, seconds, state):
    through = datetime.now(UTC) - timedelta(seconds=seconds)
    newest.write_text(json.dumps({"number": 7, "complete_through": through.isoformat()}))
    answer = visit().get("/health")
    assert answer.status_code == 200
    lake = answer.json()["lake"]
    assert (lake["state"], lake["version"]) == (state, 7)
    assert seconds <= lake["age_seconds"] < seconds + 10


def test_health_tells_what_mends_a_damaged_lake(visit, newest):
    newest.write_text("{")
    answer = visit().get("/health")
    assert answer.status_code == 200
    lake = answer.json()["lake"]
    assert lake["state"] == "damaged"
    assert "`sightline refresh --rebuild`" in lake["fix"]
