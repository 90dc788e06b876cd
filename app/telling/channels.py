"""The channels that the settings open."""

from collections.abc import Callable, Mapping

from app.settings import settings
from app.telling.email import send_email
from app.telling.message import Message
from app.telling.webhook import send_webhook

Send = Callable[[Message], None]
_CHANNELS: Mapping[str, Send] = {"email": send_email, "webhook": send_webhook}


def open_channels() -> tuple[str, ...]:
    """By name; none in an installation that was told of none."""
    is_open = {
        "email": bool(settings().smtp_url.get_secret_value() and settings().alert_addresses),
        "webhook": bool(settings().alert_webhook.get_secret_value()),
    }
    return tuple(name for name, opened in is_open.items() if opened)


def send(channel: str, message: Message) -> None:
    """Send it now, or fail with a sentence."""
    _CHANNELS[channel](message)
