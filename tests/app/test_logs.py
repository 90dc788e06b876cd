"""Every log line goes to stderr in the chosen form, and no secret is in any of them."""

import json
import logging
import sys
import threading
import time
import warnings
from decimal import Decimal

import pytest
import structlog
from pydantic import SecretStr

from app import logs, redaction
from app.redaction import never_log, without_secrets
from app.settings import settings
from db.errors import SightlineError

CANARY = "canary-7f3a-yellow"


@pytest.fixture(autouse=True)
def as_before():
    """Whatever a test sets up is taken back, and nothing is known to be secret at its start."""
    root, known = logging.getLogger(), set(redaction._known)
    before = (list(root.handlers), root.level, logging.getLogRecordFactory(), sys.excepthook, threading.excepthook)
    yield
    root.handlers[:], level, factory, sys.excepthook, threading.excepthook = before
    root.setLevel(level)
    logging.setLogRecordFactory(factory)
    logging.captureWarnings(False)
    structlog.reset_defaults()
    structlog.contextvars.clear_contextvars()
    redaction._known.clear()
    redaction._known.update(known)
    settings.cache_clear()


@pytest.fixture(params=["json", "console"])
def log(request, monkeypatch):
    return started(monkeypatch, request.param)


@pytest.fixture
def json_log(monkeypatch):
    return started(monkeypatch, "json")


def started(monkeypatch, log_format, level="info"):
    monkeypatch.setenv("SIGHTLINE_LOG_FORMAT", log_format)
    monkeypatch.setenv("SIGHTLINE_LOG_LEVEL", level)
    settings.cache_clear()
    logs.set_up()
    return structlog.get_logger("app.test")


def lines(capsys):
    captured = capsys.readouterr()
    assert captured.out == ""
    return [json.loads(line) for line in captured.err.splitlines()]


def test_a_line_says_when_who_and_what(json_log, capsys):
    json_log.info("refreshed", rows=3, cost_usd=Decimal("0.10"), campaign="Frühling")
    (line,) = lines(capsys)
    assert line.pop("timestamp").endswith("Z")
    assert line == {
        "event": "refreshed",
        "level": "info",
        "logger": "app.test",
        "rows": 3,
        "cost_usd": "0.10",
        "campaign": "Frühling",
    }


def test_a_library_logs_in_the_same_form(json_log, capsys):
    library = logging.getLogger("a_library.part")
    library.warning("retry %d of %s", 2, "many", extra={"host": "mail.example"})
    (line,) = lines(capsys)
    assert (line["event"], line["level"], line["logger"]) == ("retry 2 of many", "warning", "a_library.part")
    assert line["host"] == "mail.example"


def test_a_library_with_a_handler_of_its_own_is_sent_the_same_way(monkeypatch, capsys):
    library = logging.getLogger("a_library.with_handler")
    library.addHandler(logging.StreamHandler(sys.stdout))
    library.propagate = False
    started(monkeypatch, "json")
    library.error("once")
    assert [line["event"] for line in lines(capsys)] == ["once"]


def test_a_handler_that_a_library_attaches_later_writes_no_secret_either(json_log, capsys):
    """Streamlit makes its loggers when they are first used."""
    library = logging.getLogger("a_library.later")
    library.addHandler(logging.StreamHandler())
    library.propagate = False
    try:
        fail()
    except ValueError:
        library.exception("failed with token=%s", CANARY)
    library.handlers.clear()
    shown = capsys.readouterr().err
    assert "ValueError" in shown
    assert CANARY not in shown


def test_lines_below_the_level_are_not_written(monkeypatch, capsys):
    log = started(monkeypatch, "json", level="warning")
    log.info("quiet")
    logging.getLogger("a_library").info("quiet")
    log.warning("loud")
    assert [line["event"] for line in lines(capsys)] == ["loud"]


def test_setting_up_twice_writes_each_line_once(monkeypatch, capsys):
    started(monkeypatch, "json")
    started(monkeypatch, "json").info("once")
    assert len(lines(capsys)) == 1


def test_warnings_are_log_lines(json_log, capsys):
    with warnings.catch_warnings():
        warnings.simplefilter("always")
        logging.captureWarnings(False)
        logging.captureWarnings(True)
        warnings.warn(f"password={CANARY} is old", UserWarning, stacklevel=1)
        logging.captureWarnings(False)
    (line,) = lines(capsys)
    assert line["logger"] == "py.warnings"
    assert CANARY not in line["event"]


class Holder:
    """A value with its own spelling."""

    def __str__(self):
        return f"Holder(token='{CANARY}')"


@pytest.mark.parametrize(
    "values",
    [
        {"password": CANARY},
        {"openai_api_key": CANARY},
        {"accessToken": CANARY},
        {"tokens": [CANARY]},
        {"Authorization": f"Bearer {CANARY}"},
        {"smtp_credentials": {"user": "a", "key": CANARY}},
        {"password": 12345678},
        {"request": {"headers": [{"Cookie": CANARY}]}},
        {"request": {"body": json.dumps({"token": CANARY})}},
        {"request": {"body": json.dumps(json.dumps({"token": CANARY}))}},
        {"url": f"postgresql://user:{CANARY}@db.example/app"},
        {"url": f"postgresql://user:p@ss/{CANARY}@db.example/app"},
        {"url": f"redis://:{CANARY}@db.example"},
        {"url": f"https://{CANARY}@git.example/x"},
        {"url": f"https://ads.example/me?access_token={CANARY}&fields=id"},
        {"dsn": f"host=db.example password={CANARY}"},
        {"dsn": f"host=db.example password='a {CANARY}'"},
        {"raw": f"token={CANARY}".encode()},
        {"holder": Holder()},
        {"secret_of_settings": SecretStr(CANARY)},
        {"error": SightlineError("Refused.", why=f"The api key: {CANARY}")},
        {"header": f"sent Authorization: Bearer {CANARY}"},
        {f"password={CANARY}": 1},
    ],
)
def test_no_line_shows_a_secret_by_its_name_or_shape(log, capsys, values):
    log.info("asked", **values)
    log.info("asked %s", values)
    logging.getLogger("a_library").info("asked %s", values)
    logging.getLogger("a_library").info("asked", extra=values)
    shown = capsys.readouterr().err
    assert sum("asked" in line for line in shown.splitlines()) == 4
    assert CANARY not in shown
    assert "12345678" not in shown


def test_a_known_secret_is_hidden_wherever_it_stands(log, capsys):
    """In prose, in names, in a URL, in JSON, and in what an object says of itself."""
    secret = 'pässe/"word" 99%'
    never_log(secret, CANARY)
    log.info("hello %s", CANARY, deep={"a": [("b", f"x{CANARY}y")]}, **{CANARY: 1})
    log.info("spelled", plain=secret, url=f"http://x/?q={redaction.quote(secret, safe='')}", body=json.dumps([secret]))
    log.info("spelled", shown=repr([secret]), bound=structlog.get_logger().bind(x=CANARY))
    shown = capsys.readouterr().err
    for part in (CANARY, "word", "99%"):
        assert part not in shown


def test_a_value_too_short_to_be_a_secret_does_not_blacken_the_log():
    never_log("", "e")
    assert without_secrets("every event") == "every event"


@pytest.mark.parametrize(
    "text",
    [
        "input_tokens=1200 output_tokens: 88, token_count=3",
        "The app is served on http://127.0.0.1:8501 for ada@team.example",
        "password authentication failed for user ada",
        "https://docs.example/@team/page",
        "2026-01-01T10:00:00Z campaign 0199d3c1-0000-7000-8000-000000000001 refreshed",
    ],
)
def test_what_is_no_secret_stays_readable(text):
    assert without_secrets(text) == text


def test_counts_of_tokens_stay_numbers(json_log, capsys):
    json_log.info("generated", input_tokens=1200, token_count=3, has_password=True, token=None)
    (line,) = lines(capsys)
    assert (line["input_tokens"], line["token_count"], line["has_password"], line["token"]) == (1200, 3, True, None)


def test_an_exception_with_all_its_causes_shows_no_secret(log, capsys):
    never_log(CANARY)
    try:
        try:
            fail()
        except ValueError as cause:
            cause.add_note(f"while signing in with {CANARY}")
            raise SightlineError("It failed.", why=f"postgresql://u:{CANARY}@h was refused.") from cause
    except SightlineError as error:
        log.exception("failed", error=error)
        logging.getLogger("a_library").exception("failed")
    shown = capsys.readouterr().err
    assert shown.count("The above exception was the direct cause") == 2
    assert CANARY not in shown


def test_a_traceback_never_shows_local_variables(log, capsys):
    held = CANARY[::-1]
    try:
        int("no")
    except ValueError:
        log.exception("failed")
    shown = capsys.readouterr().err
    assert "ValueError: invalid literal" in shown
    assert held not in shown


def test_a_line_whose_arguments_do_not_fit_shows_none_of_them(log, capsys):
    logging.getLogger("a_library").info("token %d", CANARY)
    shown = capsys.readouterr().err
    assert "the arguments of this line do not fit it" in shown
    assert CANARY not in shown


def test_an_error_that_nobody_caught_is_a_clean_log_line(json_log, capsys):
    error = ValueError(f"token={CANARY}")
    sys.excepthook(ValueError, error, None)
    thread = threading.Thread(target=fail, name="worker")
    thread.start()
    thread.join()
    uncaught, in_thread = lines(capsys)
    assert uncaught["level"] == "critical"
    assert in_thread["event"] == "The thread worker was stopped by an error."
    assert "ValueError" in in_thread["exception"]
    assert CANARY not in json.dumps([uncaught, in_thread])


def fail():
    raise ValueError(f"token={CANARY}")


def test_a_value_that_contains_itself_is_written(json_log, capsys):
    circle = {"name": "circle"}
    circle["again"] = circle
    json_log.info("round", circle=circle)
    assert len(lines(capsys)) == 1


def test_shapes_of_well_known_keys_are_hidden():
    for shape in (
        "sk-proj-abcdefghij0123456789",
        "eyJhbGciOi.eyJzdWIi.c2lnbmF0dXJl",
        "EAAabcdefghij0123456789xyz",
        "v1.0a1b2c3d." + "A" * 40,
        "-----BEGIN PRIVATE KEY-----\nabc\n-----END PRIVATE KEY-----",
    ):
        assert without_secrets(f"got {shape} back") == "got *** back"


def test_a_long_line_is_cleaned_in_a_moment():
    """A hostile text must not hold up the process: 200,000 characters of what every pattern begins with."""
    for hostile in (
        "token" * 40_000,
        "://x:" * 40_000,
        "a" * 200_000,
        "Key (" * 40_000,
        "\\" * 200_000,
        "token=\\" * 30_000,
    ):
        begun = time.monotonic()
        without_secrets(hostile)
        assert time.monotonic() - begun < 2, hostile[:10]
