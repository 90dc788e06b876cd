"""The API: the team's programs ask the questions and give the commands that pages do, with a token and as JSON."""

from collections.abc import Callable, Iterable, Mapping
from typing import Any

from starlette.requests import ClientDisconnect, Request
from starlette.responses import Response
from starlette.routing import Route
from starlette.types import Receive, Scope, Send

from app import serving
from app.access import NotPermittedError, Viewer
from app.ai.access import Access
from app.ai.metered import MeteredClient
from app.answering import the_desk
from app.commands.catalogue import COMMANDS, LOOKS, Command
from app.exports.lists import LISTS
from app.identity.tokens import Bearer, bearer_of
from app.jobs.kinds import known_kinds
from app.settings import settings
from app.web.api_lists import LARGEST_LIST_CALL, lists, rows_of
from app.web.api_question import LARGEST_QUESTION, answer_of
from app.web.places import Places
from app.web.rates import Rates
from app.web.refusals import CallError, as_json, refused
from app.web.visitor import API

_COMMANDS, _COMMAND, _QUERY = "/api/v1/commands", "/api/v1/commands/", "/api/v1/query"
_LOOKS, _LOOK, _LISTS, _LIST = "/api/v1/looks", "/api/v1/looks/", "/api/v1/lists", "/api/v1/lists/"
CALLS_A_MINUTE = 120
STRANGERS_A_MINUTE = 30
_CALLS = Places("api", 4)
# A model takes its time: who waits for one keeps nobody else waiting.
_WRITING = Places("api and a model", 2)
_RATES = Rates(CALLS_A_MINUTE)
_STRANGERS = Rates(STRANGERS_A_MINUTE)
# What commands need and no program sends.
BESIDE: Mapping[str, Callable[[], object]] = {
    "kinds": known_kinds,
    "client": lambda: MeteredClient(serving.engines().rw, Access.of(settings())),
}


class Api:
    """Everything below /api/, whatever the method: what is not there is told in the same form as what is refused."""

    async def __call__(self, scope: Scope, receive: Receive, send: Send) -> None:
        request = Request(scope, receive)
        caller = f"a stranger at {request.client.host if request.client else 'an unknown address'}"
        try:
            bearer = await _bearer(request)
            caller = f"token {bearer.token_id}"
            answer = await _answer(request, bearer)
        except ClientDisconnect:
            return
        except Exception as error:  # noqa: BLE001 - whatever happens, a program gets an answer that it can read
            answer = refused(error, call=f"{request.method} {scope['path']}"[:200], caller=caller)
        await answer(scope, receive, send)


async def _bearer(request: Request) -> Bearer:
    """Whose token is shown in the header, and nowhere else: no cookie counts here, so no other site can call."""
    if request.url.query:
        raise CallError(
            400,
            "The address of a call has no parameters.",
            why="What stands in an address is kept by logs on the way: a token must not be there.",
            fix="Send the token in the header Authorization, the rest as JSON; revoke a token that was in an address.",
        )
    scheme, _, token = request.headers.get("authorization", "").partition(" ")
    found = None
    if scheme.lower() == "bearer" and token.strip():
        found = await _CALLS.run(lambda: bearer_of(serving.engines().rw, token.strip()))
    if found is None:
        _STRANGERS.count(request.client.host if request.client else None)
        raise CallError(
            401,
            "This call shows no token that opens anything.",
            why="It has none, or one that has ended, was revoked, or is of somebody who has left.",
            fix="Send `Authorization: Bearer …` with a token that the page Account made.",
            www_authenticate='Bearer realm="Sightline"',
        )
    _RATES.count(found.token_id)
    return found


async def _answer(request: Request, bearer: Bearer) -> Response:
    path: str = request.scope["path"]
    if path in _LISTINGS:
        _require_method(request, "GET")
        return as_json(await _CALLS.run(lambda: _LISTINGS[path](bearer)))
    if path == _QUERY:
        _require_method(request, "POST")
        body = await _body(request, LARGEST_QUESTION)
        return as_json(await _CALLS.run(lambda: answer_of(the_desk(), _viewer(bearer), body)))
    if path.startswith(_LIST) and (name := path.removeprefix(_LIST)) in LISTS:
        _require_method(request, "POST")
        body = await _body(request, LARGEST_LIST_CALL)
        return as_json(await _CALLS.run(lambda: rows_of(serving.engines().ro, _viewer(bearer), name, body)))
    look = LOOKS.get(path.removeprefix(_LOOK)) if path.startswith(_LOOK) else None
    if look is not None:
        _require_method(request, "POST")
        body = await _body(request, look.largest)
        return as_json({"answer": await _CALLS.run(lambda: look.give(serving.engines().rw, _viewer(bearer), body))})
    command = COMMANDS.get(path.removeprefix(_COMMAND)) if path.startswith(_COMMAND) else None
    if command is None:
        raise CallError(
            404,
            "Nothing of the API is at this address.",
            fix=f"GET {_COMMANDS}, {_LOOKS} and {_LISTS} tell what there is; {_QUERY} answers.",
        )
    _require_method(request, "POST")
    _require_change(bearer, command)
    body = await _body(request, command.largest)
    places = _WRITING if "client" in command.beside else _CALLS
    return as_json({"answer": await places.run(lambda: _given(command, bearer, body))})


def _given(command: Command, bearer: Bearer, body: bytes) -> object:
    beside = {name: one() for name, one in BESIDE.items() if name in command.beside}
    return command.give(serving.engines().rw, _viewer(bearer), body, **beside)


def _viewer(bearer: Bearer) -> Viewer:
    return bearer.viewer(serving.engines().pipe)


def _commands(bearer: Bearer) -> dict[str, Any]:
    """What the token may: none of it is there for one that only reads."""
    may = [one for one in COMMANDS.values() if not one.not_by_api and not bearer.only_reads]
    return {"commands": _told(may, _viewer(bearer))}


def _told(listed: Iterable[Command], by: Viewer) -> list[dict[str, Any]]:
    return [
        {"name": one.name, "meaning": one.meaning, "permission": one.permission, "arguments": one.schema}
        for one in listed
        if by.may(one.permission)
    ]


_LISTINGS: Mapping[str, Callable[[Bearer], dict[str, Any]]] = {
    _COMMANDS: _commands,
    _LOOKS: lambda bearer: {"looks": _told(LOOKS.values(), _viewer(bearer))},
    _LISTS: lambda _bearer: lists(),
}


def _require_change(bearer: Bearer, command: Command) -> None:
    if bearer.only_reads:
        raise NotPermittedError(
            f"The token {bearer.token_name} only reads.", fix="Make one that may change things, if that is meant."
        )
    if command.not_by_api:
        raise NotPermittedError(f"{command.name} is no command for programs.", why=command.not_by_api)


def _require_method(request: Request, method: str) -> None:
    if request.method != method:
        raise CallError(405, f"This is asked with {method}, not with {request.method[:20]}.", allow=method)


async def _body(request: Request, largest: int) -> bytes:
    """The JSON that is sent; what is larger is not read to its end."""
    kind = request.headers.get("content-type", "").partition(";")[0].strip().lower()
    if kind != "application/json":
        raise CallError(415, "A call is sent as JSON.", fix="Send the header Content-Type: application/json.")
    if request.headers.get("content-encoding", "identity").lower() != "identity":
        raise CallError(415, "A call is sent as it is, and not compressed.", fix="Send no Content-Encoding.")
    body = bytearray()
    async for chunk in request.stream():
        body += chunk
        if len(body) > largest:
            raise CallError(413, f"A call like this has at most {largest:,} bytes.", fix="Send less, or in parts.")
    return bytes(body)


ROUTES = [Route(API + "{rest:path}", Api())]
