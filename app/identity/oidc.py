"""Signing in through an OpenID Connect provider: authorization code with PKCE, and every claim of its token checked."""

import hashlib
import hmac
import secrets
import time
from dataclasses import dataclass
from typing import Any

import httpx2
from authlib.integrations.base_client.errors import OAuthError
from authlib.integrations.httpx_client import OAuth2Client
from joserfc import jwt
from joserfc.errors import JoseError
from joserfc.jwk import KeySet

from app.settings import settings
from db.errors import SightlineError

_ALGORITHMS = ["RS256", "RS384", "RS512", "PS256", "PS384", "PS512", "ES256", "ES384", "ES512", "EdDSA"]
_SCOPE = "openid email profile"
_WAIT_SECONDS = 10
_KNOWN_FOR_SECONDS = 3600
_CLOCKS_APART_SECONDS = 60
_SILENT_FOR_SECONDS = 15
_metadata: dict[str, tuple[float, dict[str, Any]]] = {}
# When a provider last gave no answer: until it may be there again, nobody waits for it.
_silent_since: dict[str, float] = {}


class ProviderRefusedError(SightlineError):
    """The provider, or what it sent, let nobody in."""


@dataclass(frozen=True)
class Secret:
    """One secret in a cookie of the browser that signs in: all that the answer must fit is made from it.

    So an answer that was begun in another browser, or that is played again later, fits nothing.
    """

    value: str

    @classmethod
    def new(cls) -> "Secret":
        return cls(secrets.token_urlsafe(32))

    @property
    def state(self) -> str:
        return self._derived("state")

    @property
    def nonce(self) -> str:
        return self._derived("nonce")

    @property
    def verifier(self) -> str:
        return self._derived("verifier")

    def _derived(self, purpose: str) -> str:
        return hmac.new(self.value.encode(), purpose.encode(), hashlib.sha256).hexdigest()


@dataclass(frozen=True)
class Claims:
    """What the provider says of a person."""

    issuer: str
    subject: str
    email: str | None
    is_email_verified: bool
    name: str | None
    roles: tuple[str, ...]


def authorization_address(secret: Secret, callback: str) -> str:
    """Where the browser goes to sign in at the provider."""
    with _client(callback) as client:
        address: str = client.create_authorization_url(
            _known()["authorization_endpoint"], state=secret.state, nonce=secret.nonce, code_verifier=secret.verifier
        )[0]
    return address


def claims_of(secret: Secret | None, *, state: str, code: str, callback: str) -> Claims:
    """Exchange the code for a token, and believe it only when everything fits."""
    _require_awake()
    if secret is None or not hmac.compare_digest(state.encode(), secret.state.encode()):
        raise _refused("The answer does not belong to a sign-in that was begun in this browser.")
    try:
        with _client(callback) as client:
            answer = client.fetch_token(
                _known()["token_endpoint"], grant_type="authorization_code", code=code, code_verifier=secret.verifier
            )
    except OAuthError as error:
        raise _refused("The provider did not accept the sign-in.") from error
    except (httpx2.HTTPError, ValueError, OSError) as error:
        raise _silent() from error
    token = answer.get("id_token")
    if not isinstance(token, str):
        raise _refused("The provider sent no identity.")
    return _read(_checked(token, secret))


def _checked(token: str, secret: Secret) -> dict[str, Any]:
    """The claims, once signature, issuer, audience, times and nonce fit."""
    wanted = jwt.JWTClaimsRegistry(
        leeway=_CLOCKS_APART_SECONDS,
        iss={"essential": True, "value": settings().oidc_issuer},
        aud={"essential": True, "value": settings().oidc_client_id},
        nonce={"essential": True, "value": secret.nonce},
        sub={"essential": True},
        exp={"essential": True},
        iat={"essential": True},
    )
    try:
        claims = jwt.decode(token, _keys(), algorithms=_ALGORITHMS).claims
        wanted.validate(claims)
    except (JoseError, ValueError) as error:
        raise _refused("What the provider said does not fit what was asked.") from error
    # A token for several parties says which one asked for it.
    if claims.get("azp", settings().oidc_client_id) != settings().oidc_client_id:
        raise _refused("What the provider said is meant for another application.")
    return claims


def _read(claims: dict[str, Any]) -> Claims:
    said = claims.get(settings().oidc_roles_claim) if settings().oidc_roles_claim else None
    roles = [said] if isinstance(said, str) else said if isinstance(said, list) else []
    email, name = claims.get("email"), claims.get("name")
    return Claims(
        str(claims["iss"]),
        str(claims["sub"]),
        email if isinstance(email, str) and "\x00" not in email else None,
        claims.get("email_verified") is True,
        name.replace("\x00", "") if isinstance(name, str) else None,
        tuple(role for role in roles if isinstance(role, str)),
    )


def _known() -> dict[str, Any]:
    """What the provider publishes of itself; one that calls itself otherwise is not the one that was chosen."""
    issuer = settings().oidc_issuer
    read_at, metadata = _metadata.get(issuer, (0.0, {}))
    if not metadata or time.monotonic() - read_at > _KNOWN_FOR_SECONDS:
        _require_awake()
        metadata = _fetched(f"{issuer.rstrip('/')}/.well-known/openid-configuration")
        if metadata.get("issuer") != issuer:
            raise _refused("The provider calls itself by another address than SIGHTLINE_OIDC_ISSUER.")
        _metadata[issuer] = (time.monotonic(), metadata)
    return metadata


def _keys() -> KeySet:
    # Read at each sign-in: a provider that changed its keys in a hurry must not be waited for.
    return KeySet.import_key_set(_fetched(_known()["jwks_uri"]))  # type: ignore[arg-type]  # checked by joserfc


def _fetched(address: str) -> dict[str, Any]:
    try:
        answer = httpx2.get(address, timeout=_WAIT_SECONDS).raise_for_status().json()
    except (httpx2.HTTPError, ValueError) as error:
        raise _silent() from error
    if not isinstance(answer, dict):
        raise _silent()
    return answer


def _require_awake() -> None:
    if time.monotonic() - _silent_since.get(settings().oidc_issuer, float("-inf")) < _SILENT_FOR_SECONDS:
        raise _unreachable()


def _silent() -> ProviderRefusedError:
    _silent_since[settings().oidc_issuer] = time.monotonic()
    return _unreachable()


def _client(callback: str) -> OAuth2Client:
    return OAuth2Client(
        settings().oidc_client_id,
        settings().oidc_client_secret.get_secret_value() or None,
        token_endpoint_auth_method="client_secret_basic"
        if settings().oidc_client_secret.get_secret_value()
        else "none",
        scope=_SCOPE,
        redirect_uri=callback,
        code_challenge_method="S256",
        timeout=_WAIT_SECONDS,
    )


def _refused(why: str) -> ProviderRefusedError:
    return ProviderRefusedError("You were not signed in.", why=why, fix="Start again from the sign-in page.")


def _unreachable() -> ProviderRefusedError:
    return ProviderRefusedError(
        "The identity provider does not answer.",
        why="It could not be reached, or it answered with something else.",
        fix="Try again in a minute, or sign in with a password.",
    )
