"""The cookies of this installation: their names, and whether browsers keep them to TLS."""

from app.settings import settings


def is_secure() -> bool:
    """Whether people come over TLS."""
    return settings().public_url.startswith("https://")


def session_cookie() -> str:
    """The cookie with the session's token.

    A browser doesn't keep cookies of two ports apart, and a name with __Host- can't be set by a neighbouring host.
    """
    return "__Host-sightline" if is_secure() else f"sightline_{settings().port}"


def oidc_cookie() -> str:
    """The cookie with the secret of a sign-in that is under way at the provider."""
    return f"{session_cookie()}_oidc"
