"""Alerts reach people by e-mail and webhook: once, also when a server was away, and again after a snooze."""

from datetime import UTC, datetime, timedelta

import pytest

from app.commands.alerts import acknowledge_alert, snooze_alert
from app.commands.stops import end_stop, start_stop
from app.settings import settings
from db.errors import SightlineError
from tests.budgets.conftest import Place
from tests.budgets.servers import mail_server, webhook

DELIVERIES = "SELECT channel, round, status, attempts FROM alert_deliveries ORDER BY channel, round"


@pytest.fixture
def mail(monkeypatch):
    with mail_server() as server:
        monkeypatch.setenv("SIGHTLINE_SMTP_URL", f"smtp://127.0.0.1:{server.port}")
        monkeypatch.setenv("SIGHTLINE_ALERT_TO", "fin@team.example, cfo@team.example")
        monkeypatch.setenv("SIGHTLINE_ALERT_FROM", "sightline@team.example")
        settings.cache_clear()
        yield server
    monkeypatch.undo()
    settings.cache_clear()


@pytest.fixture
def hook(monkeypatch):
    with webhook() as server:
        monkeypatch.setenv("SIGHTLINE_ALERT_WEBHOOK", server.url)
        settings.cache_clear()
        yield server
    monkeypatch.undo()
    settings.cache_clear()


def reach(place: Place, amount="60", **values):
    """A budget of 100 that has reached its one threshold."""
    budget = place.budget(**{"name": "AI of Acme", "thresholds": [50], **values})
    place.spend(amount)
    place.work("watch_budgets")
    return budget


def later(place: Place):
    """As long as a job waits before it is tried again."""
    place.change("UPDATE jobs SET scheduled_at = now() WHERE status = 'retrying'")
    place.work()


def deliveries(place: Place):
    return [tuple(row) for row in place.ask(DELIVERIES)]


def test_a_mail_says_what_of_what_and_where_to_look(place, mail):
    reach(place, scope="workspace", workspace_id=place.workspace)
    [one] = mail.mails
    assert mail.recipients == ["fin@team.example", "cfo@team.example"]
    assert (one["Subject"], one["From"]) == ("Budget: AI of Acme", "sightline@team.example")
    said = one.get_payload(decode=True).decode().replace("\r\n", "\n")
    assert said.startswith("50 % of the budget are spent.\n")
    assert "Spent: 60.00 of 100.00 USD (this month).\nWorkspace: Acme." in said
    assert "/budgets?show=Alerts" in said
    [alert] = place.ask("SELECT id FROM budget_alerts")
    assert one["Message-ID"] == f"<{alert.id}.1@alerts.sightline>"
    assert deliveries(place) == [("email", 1, "sent", 1)]


def test_a_webhook_is_posted_as_slack_takes_it(place, hook):
    reach(place, name="<!channel> & <https://evil.example|gift>")
    [said] = hook.texts
    assert said.startswith("*Budget: &lt;!channel&gt; &amp; &lt;https://evil.example|gift&gt;*\n50 % of the budget")


def test_each_alert_goes_out_once_however_often_somebody_looks(place, mail, hook):
    reach(place)
    for _ in range(3):
        place.work("send_alerts", "watch_budgets")
    assert (len(mail.mails), len(hook.texts)) == (1, 1)
    assert deliveries(place) == [("email", 1, "sent", 1), ("webhook", 1, "sent", 1)]


def test_a_server_that_is_away_is_tried_again_and_the_other_channel_does_not_wait(place, mail, hook):
    hook.refusals = [500, 429]
    mail.refusals = ["451 later"]
    reach(place)
    assert deliveries(place) == [("email", 1, "pending", 1), ("webhook", 1, "pending", 1)]
    errors = place.ask("SELECT error FROM alert_deliveries ORDER BY channel")
    assert "451 later" in errors[0].error
    assert "500 come again" in errors[1].error
    later(place)
    assert deliveries(place) == [("email", 1, "sent", 2), ("webhook", 1, "pending", 2)]
    later(place)
    assert deliveries(place) == [("email", 1, "sent", 2), ("webhook", 1, "sent", 3)]
    assert (len(mail.mails), len(hook.texts)) == (1, 1)
    # Whoever got it twice could tell by the key.
    assert len(set(hook.keys)) == 1


def test_after_the_last_attempt_the_page_says_that_it_was_not_sent(place, hook):
    hook.refusals = [503] * 20
    reach(place)
    for _ in range(10):
        later(place)
    assert deliveries(place) == [("webhook", 1, "failed", 8)]


def test_no_secret_of_a_channel_is_in_an_error(place, hook, monkeypatch):
    hook.refusals = [404]
    reach(place)
    monkeypatch.setenv("SIGHTLINE_ALERT_WEBHOOK", "http://127.0.0.1:9/services/T0/secret-part")
    settings.cache_clear()
    later(place)
    written = place.ask("SELECT error FROM alert_deliveries UNION ALL SELECT error_message FROM jobs")
    assert any(row.error for row in written)
    assert not any("secret-part" in (row.error or "") for row in written)


def test_a_worker_that_died_after_sending_sends_the_same_message_again(place, hook):
    """At least once: nobody can take a message back, so its key tells the receiver."""
    reach(place)
    place.change("UPDATE alert_deliveries SET status = 'pending', sent_at = NULL")
    place.change("UPDATE jobs SET status = 'pending', completed_at = NULL WHERE job_type = 'send_alert'")
    place.work()
    assert len(hook.keys) == 2
    assert len(set(hook.keys)) == 1


def test_an_alert_that_was_put_off_comes_back_once_and_an_acknowledged_one_does_not(place, hook):
    finance = place.finance
    reach(place)
    [alert] = place.ask("SELECT id FROM budget_alerts")
    snooze_alert(place.database.rw, finance, alert.id, until=datetime.now(UTC) + timedelta(hours=1))
    place.work("send_alerts")
    assert len(hook.texts) == 1
    place.change("UPDATE budget_alerts SET snoozed_until = now() - interval '1 second'")
    for _ in range(2):
        place.work("send_alerts")
    assert len(hook.texts) == 2
    assert hook.texts[1].startswith("*Reminder: Budget: AI of Acme*")
    snooze_alert(place.database.rw, finance, alert.id, until=datetime.now(UTC) + timedelta(hours=1))
    acknowledge_alert(place.database.rw, finance, alert.id)
    place.change("UPDATE budget_alerts SET snoozed_until = now() - interval '1 second'")
    place.work("send_alerts")
    assert len(hook.texts) == 2


def test_what_is_put_off_or_acknowledged_before_it_went_out_does_not_go_out(place, monkeypatch):
    budget = place.budget(amount=1)
    place.spend("1")
    place.work("watch_budgets")
    for row in place.ask("SELECT id FROM budget_alerts WHERE budget_id = :budget", budget=budget):
        acknowledge_alert(place.database.rw, place.finance, row.id)
    with webhook() as server:
        monkeypatch.setenv("SIGHTLINE_ALERT_WEBHOOK", server.url)
        settings.cache_clear()
        place.work("send_alerts")
    settings.cache_clear()
    assert server.texts == []


def test_a_stop_is_told_even_when_it_has_ended_by_then(place, hook):
    finance = place.finance
    key = start_stop(place.database.rw, finance, scope="provider", value="openai", reason="A key leaked.")
    end_stop(place.database.rw, finance, key, reason="It was replaced.")
    place.work("send_alerts")
    [said] = hook.texts
    assert said.startswith("*AI is stopped")
    assert "A key leaked." in said


def test_without_channels_nothing_is_sent_and_nothing_waits(place):
    reach(place)
    assert deliveries(place) == []
    assert place.ask("SELECT COUNT(*) FROM budget_alerts") == [(1,)]


@pytest.mark.parametrize(("variable", "value"), [
    ("SIGHTLINE_SMTP_URL", "post.example"),
    ("SIGHTLINE_SMTP_URL", "smtp://user:pass word@mail.example"),
    ("SIGHTLINE_ALERT_TO", "nobody"),
    ("SIGHTLINE_ALERT_WEBHOOK", "ftp://hooks.example"),
])  # fmt: skip
def test_a_setting_that_can_not_be_used_is_named_and_not_repeated(monkeypatch, variable, value):
    monkeypatch.setenv(variable, value)
    settings.cache_clear()
    with pytest.raises(SightlineError, match=variable) as refused:
        settings()
    monkeypatch.undo()
    settings.cache_clear()
    assert value not in str(refused.value)
