"""Security headers on every answer, and the policy for scripts that Streamlit's pages need."""

import base64
import hashlib
import re
from collections.abc import Iterable

from starlette.datastructures import MutableHeaders
from starlette.types import ASGIApp, Message, Receive, Scope, Send

from app.identity.cookies import is_secure

_INLINE_SCRIPT = re.compile(r"""<script(?: type="importmap")?>(.*?)</script>""", re.DOTALL)
_ALWAYS = {
    "x-content-type-options": "nosniff",
    "x-frame-options": "DENY",
    # Without any referrer, browsers would hide from us which site a form comes from.
    "referrer-policy": "same-origin",
    "permissions-policy": "camera=(), geolocation=(), microphone=(), payment=(), usb=(), browsing-topics=()",
    "cross-origin-opener-policy": "same-origin",
    "cross-origin-resource-policy": "same-origin",
}
_OWN_FRAMES = ("x-frame-options", "referrer-policy")
_TWO_YEARS = "max-age=63072000"


def content_policy(html: str) -> str:
    """What Streamlit's page may load: own files, its inline scripts by their hashes, nothing that is evaluated."""
    scripts = " ".join(_hashes(_INLINE_SCRIPT.findall(html)))
    return "; ".join(
        [
            "default-src 'self'",
            f"script-src 'self' 'wasm-unsafe-eval' {scripts}",
            # Its components write their styles into the page.
            "style-src 'self' 'unsafe-inline'",
            "img-src 'self' data: blob:",
            "font-src 'self' data:",
            "media-src 'self' blob:",
            "worker-src 'self' blob:",
            "connect-src 'self'",
            "object-src 'none'",
            "base-uri 'self'",
            "form-action 'self'",
            "frame-ancestors 'none'",
        ]
    )


def _hashes(scripts: Iterable[str]) -> list[str]:
    return [f"'sha256-{base64.b64encode(hashlib.sha256(script.encode()).digest()).decode()}'" for script in scripts]


class SecurityHeaders:
    """ASGI middleware around everything: refusals carry the headers too. A page of ours brings a stricter policy."""

    def __init__(self, app: ASGIApp, policy: str) -> None:
        self.app = app
        self.policy = policy

    async def __call__(self, scope: Scope, receive: Receive, send: Send) -> None:
        if scope["type"] != "http":
            await self.app(scope, receive, send)
            return

        async def guarded(message: Message) -> None:
            if message["type"] == "http.response.start":
                self._add(MutableHeaders(scope=message), scope["path"])
            await send(message)

        await self.app(scope, receive, guarded)

    def _add(self, headers: MutableHeaders, path: str) -> None:
        headers.setdefault("content-security-policy", self.policy)
        for name, value in _ALWAYS.items():
            # What comes from elsewhere is shown in a frame of ours, and says so itself.
            if name in _OWN_FRAMES and path.startswith("/preview/"):
                headers.setdefault(name, value)
            else:
                headers[name] = value
        if is_secure():
            headers["strict-transport-security"] = _TWO_YEARS
        if path.startswith("/media/"):
            # Somebody's figures: no proxy in between keeps them for others.
            headers["cache-control"] = "private, no-cache"
