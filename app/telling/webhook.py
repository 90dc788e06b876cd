"""Alerts to a webhook that takes messages as Slack does."""

import httpx2

from app.redaction import never_log
from app.settings import settings
from app.telling.message import Message
from db.errors import SightlineError

_WAIT_SECONDS = 10
_LONGEST_ANSWER = 200


def send_webhook(message: Message) -> None:
    """Post it; anything but a success is an error. By the key a receiver can drop what comes twice."""
    address = settings().alert_webhook.get_secret_value()
    never_log(address)
    try:
        answer = httpx2.post(
            address,
            json={"text": f"*{_plain(message.subject)}*\n{_plain(message.text)}"},
            headers={"Idempotency-Key": message.key},
            timeout=_WAIT_SECONDS,
        )
    except httpx2.HTTPError as error:
        raise _not_sent(type(error).__name__) from None
    if not answer.is_success:
        raise _not_sent(f"it answered {answer.status_code} {answer.text[:_LONGEST_ANSWER]}".strip())


def _plain(text: str) -> str:
    """Names are no links, mentions or markup there."""
    return text.replace("&", "&amp;").replace("<", "&lt;").replace(">", "&gt;")


def _not_sent(why: str) -> SightlineError:
    return SightlineError(
        "The alert could not be sent to the webhook.",
        why=f"{why}.",
        fix="Check SIGHTLINE_ALERT_WEBHOOK; it is tried again for a while.",
    )
