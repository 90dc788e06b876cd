"""Files that pages made are for the person whose page it is: an address that was passed on opens nothing."""

from collections.abc import Callable
from uuid import UUID

from starlette.requests import HTTPConnection
from starlette.responses import PlainTextResponse
from starlette.types import ASGIApp, Receive, Scope, Send

from app.web.visitor import person_of

_BELOW = "/media/"
MadeFor = Callable[[str, UUID], bool]


class OwnMedia:
    """ASGI middleware behind the gate, which knows who asks."""

    def __init__(self, app: ASGIApp, is_made_for: MadeFor) -> None:
        self.app = app
        self._is_made_for = is_made_for

    async def __call__(self, scope: Scope, receive: Receive, send: Send) -> None:
        if scope["type"] == "http" and scope["path"].startswith(_BELOW):
            person = person_of(HTTPConnection(scope))
            if not self._is_made_for(scope["path"], person.member_id):
                # As if it were not there: an address tells nothing.
                await PlainTextResponse("Nothing is here.", 404)(scope, receive, send)
                return
        await self.app(scope, receive, send)
