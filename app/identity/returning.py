"""Back to the page that was asked for: addresses of this site alone."""

from urllib.parse import quote, urlencode, urlsplit

SIGN_IN = "/sign-in"
SIGN_OUT = "/sign-out"
_LONGEST = 4000


def safe_return(asked: str | None) -> str:
    """The address if it is a page of this site, else the first page: a link must not send people elsewhere."""
    if not asked or len(asked) > _LONGEST or not asked.isprintable() or "\\" in asked:
        return "/"
    # Two slashes at the start name another host to a browser.
    if not asked.startswith("/") or asked.startswith("//"):
        return "/"
    parts = urlsplit(asked)
    if parts.scheme or parts.netloc or parts.path.split("/")[1] in {SIGN_IN[1:], SIGN_OUT[1:]}:
        return "/"
    return quote(asked, safe="/?&=%:;,+@!$'()*~[]#-._")


def sign_in_address(returning_to: str | None = None) -> str:
    """Where to sign in and come back from."""
    back = safe_return(returning_to)
    return SIGN_IN if back == "/" else f"{SIGN_IN}?{urlencode({'next': back})}"
