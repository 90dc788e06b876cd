"""Signing in through the provider: off to it with a secret in a cookie, and back with a code."""

from starlette.requests import Request
from starlette.responses import RedirectResponse, Response
from starlette.routing import Route

from app import serving
from app.identity import attempts, joining, oidc
from app.identity.cookies import is_secure, oidc_cookie
from app.identity.returning import SIGN_IN, safe_return
from app.settings import settings
from app.web import measures
from app.web.paper import told
from app.web.places import Places
from app.web.signing import OIDC_START, sign_in_page
from app.web.visitor import device_of, drop_cookie, keep_token, own_address, token_of
from db.errors import SightlineError

CALLBACK = f"{OIDC_START}/callback"
_MINUTES = 10
# Whoever waits for a slow provider must not keep others from signing in with a password.
_AT_THE_PROVIDER = Places("at-the-provider", 8)


async def start(request: Request) -> Response:
    """Send the browser to the provider."""
    back = safe_return(request.query_params.get("next"))
    if not settings().oidc_issuer:
        return RedirectResponse(SIGN_IN, 303)
    secret, callback, device = oidc.Secret.new(), own_address(request) + CALLBACK, device_of(request)

    def counted() -> str:
        attempts.count_at_provider(serving.engines().rw, device.ip_address)
        return oidc.authorization_address(secret, callback)

    try:
        address = await _AT_THE_PROVIDER.run(counted)
    except SightlineError as refusal:
        too_many = isinstance(refusal, attempts.TooManyAttemptsError)
        return await sign_in_page(back, said=told(str(refusal), is_bad=True), status=429 if too_many else 502)
    answer = RedirectResponse(address, 303, {"cache-control": "no-store"})
    answer.set_cookie(
        oidc_cookie(),
        f"{secret.value}|{back}",
        max_age=60 * _MINUTES,
        path="/",
        secure=is_secure(),
        httponly=True,
        samesite="lax",
    )
    return answer


async def finish(request: Request) -> Response:
    """The browser is back from the provider: believe it, and begin a session, or say why not."""
    if not settings().oidc_issuer:
        return RedirectResponse(SIGN_IN, 303)
    value, _, asked = request.cookies.get(oidc_cookie(), "").partition("|")
    back, said = safe_return(asked), request.query_params
    device, before, callback = device_of(request), token_of(request), own_address(request) + CALLBACK

    def signed_in() -> str:
        attempts.count_at_provider(serving.engines().rw, device.ip_address)
        secret = oidc.Secret(value) if value else None
        claims = oidc.claims_of(secret, state=said.get("state", ""), code=said.get("code", ""), callback=callback)
        return joining.sign_in_as(serving.engines().rw, claims, device, replaces=before)

    try:
        token = await _AT_THE_PROVIDER.run(signed_in)
    except SightlineError as refusal:
        too_many = isinstance(refusal, attempts.TooManyAttemptsError)
        measures.SIGN_INS.labels("oidc", "limited" if too_many else "refused").inc()
        answer = await sign_in_page(back, said=told(str(refusal), is_bad=True), status=429 if too_many else 401)
    else:
        measures.SIGN_INS.labels("oidc", "in").inc()
        answer = RedirectResponse(back, 303, {"cache-control": "no-store"})
        keep_token(answer, token)
    # It serves once.
    drop_cookie(answer, oidc_cookie())
    return answer


ROUTES = [Route(OIDC_START, start, methods=["GET"]), Route(CALLBACK, finish, methods=["GET"])]
