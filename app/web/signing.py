"""Signing in with Sightline's own accounts, and signing out: forms that work without scripts."""

import hashlib
import hmac
from html import escape
from urllib.parse import parse_qs, urlencode

import anyio.to_thread
from starlette.requests import Request
from starlette.responses import FileResponse, PlainTextResponse, RedirectResponse, Response
from starlette.routing import Route

from app import serving
from app.identity import accounts, sessions
from app.identity.attempts import TooManyAttemptsError
from app.identity.cookies import session_cookie
from app.identity.demo import ACCOUNTS, LIMITED_TO, DemoAccount, demo_passwords, is_demo
from app.identity.returning import SIGN_IN, SIGN_OUT, safe_return
from app.settings import settings
from app.web import measures
from app.web.paper import ICON, ICON_PATH, STYLE, STYLE_PATH, hidden, page, told
from app.web.places import Places
from app.web.visitor import device_of, drop_cookie, keep_token, token_of
from db.errors import SightlineError

OIDC_START = f"{SIGN_IN}/oidc"
_LARGEST_FORM = 16_384
# Checking a password is slow on purpose: whoever waits for a turn takes no thread from the pages.
_SIGN_INS = Places("sign-ins", 4)


async def show_sign_in(request: Request) -> Response:
    """The form; who is signed in already goes on."""
    back = safe_return(request.query_params.get("next"))
    token = token_of(request)
    person = await anyio.to_thread.run_sync(lambda: sessions.person_of(serving.engines().rw, token))
    if person is not None:
        return RedirectResponse(back, 303)
    said = told("You are signed out.") if "out" in request.query_params else ""
    answer = await sign_in_page(back, said=said)
    if token:
        drop_cookie(answer, session_cookie())
    return answer


async def take_sign_in(request: Request) -> Response:
    """Check the form, and begin a session."""
    form = await _form(request)
    email, password, back = form.get("email", ""), form.get("password", ""), safe_return(form.get("next"))
    device, before = device_of(request), token_of(request)
    try:
        token = await _SIGN_INS.run(
            lambda: accounts.sign_in(serving.engines().rw, email, password, device, replaces=before)
        )
    except SightlineError as refusal:
        too_many = isinstance(refusal, TooManyAttemptsError)
        measures.SIGN_INS.labels("password", "limited" if too_many else "refused").inc()
        status = 429 if too_many else 401 if isinstance(refusal, accounts.SignInRefusedError) else 503
        return await sign_in_page(back, said=told(str(refusal), is_bad=True), email=email, status=status)
    measures.SIGN_INS.labels("password", "in").inc()
    answer = RedirectResponse(back, 303, {"cache-control": "no-store"})
    keep_token(answer, token)
    return answer


async def sign_in_page(back: str, *, said: str = "", email: str = "", status: int = 200) -> Response:
    """The page with every way to sign in."""
    demo = await anyio.to_thread.run_sync(_demo_list, back)
    provider = (
        f'<p class="or">or</p><a class="button other" href="{escape(_oidc_address(back))}">'
        "Continue with your organisation</a>"
        if settings().oidc_issuer
        else ""
    )
    form = f"""{said}
<form method="post" action="{SIGN_IN}">
{hidden("next", back)}
<label for="email">E-mail address</label>
<input id="email" name="email" type="email" autocomplete="username" required maxlength="320" value="{escape(email)}"
    {"" if email else "autofocus"}>
<label for="password">Password</label>
<input id="password" name="password" type="password" autocomplete="current-password" required maxlength="1024"
    {"autofocus" if email else ""}>
<button>Sign in</button>
</form>
{provider}{demo}"""
    return page("Sign in", form, status=status)


async def ask_sign_out(request: Request) -> Response:
    """Signing out changes something, so a link alone doesn't do it."""
    token = token_of(request)
    if not token:
        return RedirectResponse(SIGN_IN, 303)
    return page(
        "Sign out?",
        f"""<p>You will need to sign in again on this device.</p>
<form method="post" action="{SIGN_OUT}">{hidden("proof", _proof(token))}<button>Sign out</button></form>
<a class="button other" href="/">Stay signed in</a>""",
    )


async def take_sign_out(request: Request) -> Response:
    """End the session, if the form is one that we gave to it."""
    token, form = token_of(request), await _form(request)
    if not token:
        return RedirectResponse(SIGN_IN, 303)
    if not hmac.compare_digest(form.get("proof", "").encode(), _proof(token).encode()):
        return PlainTextResponse("This form is not of your session.", 403)
    await anyio.to_thread.run_sync(lambda: sessions.end_by_token(serving.engines().rw, token))
    answer = RedirectResponse(f"{SIGN_IN}?out=1", 303, {"cache-control": "no-store"})
    drop_cookie(answer, session_cookie())
    return answer


def _proof(token: str) -> str:
    """What only a page that was served to this session can know."""
    return hashlib.sha256(f"sign-out:{token}".encode()).hexdigest()


def _demo_list(back: str) -> str:
    """Accounts and passwords, where everything is invented."""
    if not is_demo(serving.engines().ro):
        return ""
    passwords = demo_passwords()
    rows = "".join(
        _demo_row(account, passwords[account.email], back) for account in ACCOUNTS if account.email in passwords
    )
    return f"""<section class="demo" aria-labelledby="demo"><h2 id="demo">Demo accounts</h2>
<p class="quiet">Everything in this database is invented, so everyone may look. Only a demo shows this list.</p>
<ul>{rows}</ul></section>"""


def _demo_row(account: DemoAccount, password: str, back: str) -> str:
    limits = f", limited to {LIMITED_TO} workspaces" if account.is_limited else ""
    fields = hidden("next", back) + hidden("email", account.email) + hidden("password", password)
    return f"""<li><div><p class="who">{escape(account.role.capitalize() + limits)}</p>
<p><code>{escape(account.email)}</code></p><p>Password <code>{escape(password)}</code></p></div>
<form method="post" action="{SIGN_IN}">{fields}
<button class="other" aria-label="Sign in as {escape(account.name)}">Sign in</button></form></li>"""


def _oidc_address(back: str) -> str:
    return f"{OIDC_START}?{urlencode({'next': back})}"


async def _form(request: Request) -> dict[str, str]:
    """The fields of a form; more than a form of ours could hold is cut off, and then fits nothing."""
    body = b""
    async for chunk in request.stream():
        body += chunk
        if len(body) > _LARGEST_FORM:
            return {}
    fields = parse_qs(body.decode(errors="replace"), keep_blank_values=True)
    return {name: values[0] for name, values in fields.items()}


ROUTES = [
    Route(SIGN_IN, show_sign_in, methods=["GET"]),
    Route(SIGN_IN, take_sign_in, methods=["POST"]),
    Route(SIGN_OUT, ask_sign_out, methods=["GET"]),
    Route(SIGN_OUT, take_sign_out, methods=["POST"]),
    Route(STYLE_PATH, lambda _: FileResponse(STYLE, media_type="text/css", headers={"cache-control": "max-age=300"})),
    Route(ICON_PATH, lambda _: FileResponse(ICON, headers={"cache-control": "max-age=300"})),
]
