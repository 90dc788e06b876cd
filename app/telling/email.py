"""Alerts by e-mail, through the mail server that the settings name."""

import smtplib
import ssl
from collections.abc import Iterator
from contextlib import contextmanager
from email.message import EmailMessage
from email.utils import format_datetime, localtime
from urllib.parse import parse_qs, unquote, urlsplit

from app.redaction import never_log
from app.settings import settings
from app.telling.message import Message
from db.errors import SightlineError

_WAIT_SECONDS = 20
_PORTS = {"smtp": 25, "smtps": 465}


def send_email(message: Message) -> None:
    """Hand it to the mail server; what the server says against it is the reason of the error."""
    mail = _mail(message)
    try:
        with _server() as server:
            server.send_message(mail)
    except (smtplib.SMTPException, OSError) as error:
        raise SightlineError(
            "The alert could not be sent by e-mail.",
            why=f"{type(error).__name__}: {_said(error)}",
            fix="Check SIGHTLINE_SMTP_URL, SIGHTLINE_ALERT_FROM and SIGHTLINE_ALERT_TO; it is tried again for a while.",
        ) from None


def _mail(message: Message) -> EmailMessage:
    mail = EmailMessage()
    mail["Subject"] = _one_line(message.subject)
    mail["From"] = settings().alert_from or settings().alert_addresses[0]
    mail["To"] = ", ".join(settings().alert_addresses)
    mail["Date"] = format_datetime(localtime())
    # Mail programs show one message of an id, also when a worker died between sending it and noting that.
    mail["Message-ID"] = f"<{message.key}@alerts.sightline>"
    mail["Auto-Submitted"] = "auto-generated"
    mail.set_content(message.text)
    return mail


@contextmanager
def _server() -> Iterator[smtplib.SMTP]:
    address = urlsplit(settings().smtp_url.get_secret_value())
    host, port = address.hostname or "", address.port or _PORTS[address.scheme]
    server = (
        smtplib.SMTP_SSL(host, port, timeout=_WAIT_SECONDS, context=ssl.create_default_context())
        if address.scheme == "smtps"
        else smtplib.SMTP(host, port, timeout=_WAIT_SECONDS)
    )
    with server:
        if parse_qs(address.query).get("starttls") == ["1"]:
            server.starttls(context=ssl.create_default_context())
        if address.username:
            password = unquote(address.password or "")
            never_log(password)
            server.login(unquote(address.username), password)
        yield server


def _said(error: Exception) -> str:
    """In the server's words; addresses of people are not among them."""
    if isinstance(error, smtplib.SMTPResponseException):
        told = error.smtp_error
        return f"{error.smtp_code} {told if isinstance(told, str) else told.decode(errors='replace')}"
    if isinstance(error, smtplib.SMTPRecipientsRefused):
        return "the server takes no mail for these addresses."
    return str(error) or "no answer"


def _one_line(text: str) -> str:
    """A name of a budget must not begin another header."""
    return " ".join(text.split())
