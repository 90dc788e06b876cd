"""What a request says about who sends it, and from which site."""

from urllib.parse import urlsplit

from starlette.requests import HTTPConnection
from starlette.responses import Response

from app.identity.cookies import is_secure, session_cookie
from app.identity.sessions import LIFETIME, Device, Person
from app.settings import settings

API = "/api/"
_THIS_MACHINE = ("127.0.0.1", "localhost", "::1")


def token_of(visit: HTTPConnection) -> str | None:
    """The token of the session, as the browser shows it."""
    return visit.cookies.get(session_cookie())


def keep_token(answer: Response, token: str) -> None:
    """Let the browser keep a session's token where no script can read it."""
    answer.set_cookie(
        session_cookie(),
        token,
        max_age=int(LIFETIME.total_seconds()),
        path="/",
        secure=is_secure(),
        httponly=True,
        samesite="lax",
    )


def drop_cookie(answer: Response, name: str) -> None:
    answer.delete_cookie(name, path="/", secure=is_secure(), httponly=True, samesite="lax")


def device_of(visit: HTTPConnection) -> Device:
    return Device.of(visit.headers.get("user-agent"), visit.client.host if visit.client else None)


def person_of(visit: HTTPConnection) -> Person:
    """Who was let through the gate with this request."""
    person: Person = visit.scope["state"]["person"]
    return person


def is_known_host(visit: HTTPConnection) -> bool:
    """Whether the request names a host that is ours: a stranger's name that leads here is refused."""
    try:
        host = urlsplit(f"//{visit.headers.get('host', '')}").hostname
    except ValueError:
        return False
    return host in {*_THIS_MACHINE, urlsplit(settings().public_url).hostname} and host is not None


def comes_from_here(visit: HTTPConnection) -> bool:
    """Whether a page of this very site sends the request, and not another one in the person's name."""
    origin = visit.headers.get("origin")
    if origin is None:
        return visit.headers.get("sec-fetch-site") == "same-origin"
    if settings().public_url and origin == settings().public_url:
        return True
    parts = urlsplit(origin)
    return parts.scheme in {"http", "https"} and parts.netloc == visit.headers.get("host")


def own_address(visit: HTTPConnection) -> str:
    """Scheme and host by which people reach this site."""
    return settings().public_url or f"{visit.url.scheme}://{visit.headers['host']}"


def is_on_this_machine(visit: HTTPConnection) -> bool:
    """Whether the request was made here, and not handed on by a proxy."""
    handed_on = {"forwarded", "x-forwarded-for", "x-forwarded-host", "x-real-ip", "via"} & set(visit.headers.keys())
    return visit.client is not None and visit.client.host in _THIS_MACHINE and not handed_on
