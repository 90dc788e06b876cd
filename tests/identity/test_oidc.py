"""Signing in through a provider: its word counts only when everything about it fits, and its roles count once."""

import base64
import json
import socket
import time
from urllib.parse import urlencode

import httpx2
import pytest
from authlib.integrations.httpx_client import OAuth2Client
from sqlalchemy import text

from app.access import Role
from app.identity import oidc
from app.identity.accounts import SignInRefusedError
from app.identity.joining import sign_in_as
from app.identity.oidc import Claims, ProviderRefusedError, Secret, authorization_address, claims_of
from app.identity.sessions import person_of
from app.settings import settings
from tests.identity.conftest import FIREFOX
from tests.web.provider import CLIENT, agree, enrol, provider

CALLBACK = "http://127.0.0.1:8501/sign-in/oidc/callback"


@pytest.fixture(scope="module")
def issuer():
    with provider() as address:
        yield address


@pytest.fixture(autouse=True)
def configured(issuer, monkeypatch):
    """Set a setting as a person does; the provider is set already."""

    def setting(**changed):
        for name, value in changed.items():
            monkeypatch.setenv(f"SIGHTLINE_OIDC_{name.upper()}", value)
        settings.cache_clear()
        oidc._metadata.clear()
        oidc._silent_since.clear()

    setting(issuer=issuer, client_id=CLIENT, client_secret="provider-secret", roles_claim="roles")
    yield setting
    settings.cache_clear()
    oidc._metadata.clear()


@pytest.fixture
def ada(issuer):
    return enrol(issuer, "ada", email="ada@team.example", email_verified=True, name="Ada", roles=["finance", "cook"])


def answered(secret, subject, **changed):
    """The parameters with which the browser comes back; `changed` is what an attacker does to the way there."""
    address = httpx2.URL(authorization_address(secret, CALLBACK)).copy_merge_params(changed)
    return dict(agree(str(address), subject).params)


def told(secret, answer):
    return claims_of(secret, state=answer["state"], code=answer["code"], callback=CALLBACK)


def test_what_the_provider_says_is_read_when_everything_fits(issuer, ada):
    secret = Secret.new()
    claims = told(secret, answered(secret, ada))
    assert claims == Claims(issuer, "ada", "ada@team.example", True, "Ada", ("finance", "cook"))


def test_the_way_there_carries_a_challenge_and_no_secret(issuer):
    secret = Secret.new()
    sent = httpx2.URL(authorization_address(secret, CALLBACK)).params
    assert (sent["code_challenge_method"], sent["response_type"], sent["scope"]) == (
        "S256",
        "code",
        "openid email profile",
    )
    assert sent["redirect_uri"] == CALLBACK
    assert len({sent["state"], sent["nonce"], sent["code_challenge"]}) == 3
    everything = urlencode(dict(sent))
    assert secret.value not in everything
    assert secret.verifier not in everything


def test_an_answer_that_was_begun_elsewhere_is_refused(ada):
    """Whoever sends a victim an answer of their own would see what the victim then does."""
    attackers, victims = Secret.new(), Secret.new()
    answer = answered(attackers, ada)
    for secret in (victims, None):
        with pytest.raises(ProviderRefusedError, match="begun in this browser"):
            told(secret, answer)
    with pytest.raises(ProviderRefusedError, match="begun in this browser"):
        told(attackers, {**answer, "state": ""})


def test_a_code_without_its_verifier_is_worth_nothing(ada):
    """A stolen code: the thief's own browser has another secret."""
    victims, thiefs = Secret.new(), Secret.new()
    stolen = answered(victims, ada)["code"]
    with pytest.raises(ProviderRefusedError):
        told(thiefs, {"state": thiefs.state, "code": stolen})


def test_an_identity_with_another_nonce_is_refused(ada):
    secret = Secret.new()
    with pytest.raises(ProviderRefusedError, match="does not fit"):
        told(secret, answered(secret, ada, nonce="of-another-sign-in"))


def test_a_code_serves_once(ada):
    secret = Secret.new()
    answer = answered(secret, ada)
    told(secret, answer)
    with pytest.raises(ProviderRefusedError):
        told(secret, answer)


def identity(issuer, secret, subject, client_id=CLIENT):
    """A token that the provider really signed, for any application."""
    with OAuth2Client(client_id, "x", scope="openid email", redirect_uri=CALLBACK) as client:
        address = client.create_authorization_url(f"{issuer}/oauth2/authorize", nonce=secret.nonce)[0]
        code = agree(address, subject).params["code"]
        return client.fetch_token(f"{issuer}/oauth2/token", grant_type="authorization_code", code=code)["id_token"]


def test_a_token_for_another_application_is_refused(issuer, ada):
    secret = Secret.new()
    assert oidc._checked(identity(issuer, secret, ada), secret)["aud"] in (CLIENT, [CLIENT])
    with pytest.raises(ProviderRefusedError, match="does not fit"):
        oidc._checked(identity(issuer, secret, ada, client_id="another-application"), secret)


def test_a_token_of_another_issuer_is_refused(issuer, ada):
    """The same keys under another name: what counts is what the token says."""
    secret, alias = Secret.new(), issuer.replace("127.0.0.1", "localhost")
    with pytest.raises(ProviderRefusedError, match="does not fit"):
        oidc._checked(identity(alias, secret, ada), secret)


def test_a_provider_that_calls_itself_otherwise_is_refused(issuer, configured):
    configured(issuer=issuer + "/")
    with pytest.raises(ProviderRefusedError, match="SIGHTLINE_OIDC_ISSUER"):
        authorization_address(Secret.new(), CALLBACK)


def part(content):
    return base64.urlsafe_b64encode(json.dumps(content).encode()).rstrip(b"=").decode()


@pytest.mark.parametrize("forgery", ["changed", "unsigned", "no token", "signed with a word"])
def test_a_token_that_the_provider_did_not_sign_is_refused(issuer, ada, forgery):
    secret = Secret.new()
    token = identity(issuer, secret, ada)
    header, payload, signature = token.split(".")
    claims = json.loads(base64.urlsafe_b64decode(payload + "=="))
    forged = {
        "changed": f"{header}.{part(claims | {'sub': 'admin'})}.{signature}",
        "unsigned": f"{part({'alg': 'none'})}.{payload}.",
        "no token": "nonsense",
        "signed with a word": f"{part({'alg': 'HS256'})}.{payload}.{signature}",
    }[forgery]
    with pytest.raises(ProviderRefusedError, match="does not fit"):
        oidc._checked(forged, secret)


def test_a_token_that_is_over_is_refused(issuer, ada, monkeypatch):
    secret = Secret.new()
    token = identity(issuer, secret, ada)
    monkeypatch.setattr(oidc, "_CLOCKS_APART_SECONDS", -100_000)
    with pytest.raises(ProviderRefusedError, match="does not fit"):
        oidc._checked(token, secret)


def test_a_provider_that_does_not_answer_is_told_from_one_that_refuses(configured):
    configured(issuer="http://127.0.0.1:9")
    with pytest.raises(ProviderRefusedError, match="does not answer"):
        authorization_address(Secret.new(), CALLBACK)


def test_nobody_waits_for_a_provider_that_has_just_been_silent(configured, monkeypatch):
    """It takes connections and says nothing: the first one waits in vain, the next is told so at once."""
    monkeypatch.setattr(oidc, "_WAIT_SECONDS", 0.5)
    with socket.create_server(("127.0.0.1", 0)) as silent:
        configured(issuer=f"http://127.0.0.1:{silent.getsockname()[1]}")
        waited = []
        for _ in range(2):
            began = time.monotonic()
            with pytest.raises(ProviderRefusedError, match="does not answer"):
                authorization_address(Secret.new(), CALLBACK)
            waited.append(time.monotonic() - began)
        assert waited[0] >= 0.5
        assert waited[1] < 0.5
        monkeypatch.setattr(oidc, "_SILENT_FOR_SECONDS", 0)
        began = time.monotonic()
        with pytest.raises(ProviderRefusedError, match="does not answer"):
            authorization_address(Secret.new(), CALLBACK)
        assert time.monotonic() - began >= 0.5


def test_a_provider_that_goes_away_half_way_does_not_answer(issuer, ada):
    secret = Secret.new()
    answer = answered(secret, ada)
    oidc._metadata[issuer][1]["token_endpoint"] = "http://127.0.0.1:9/token"
    with pytest.raises(ProviderRefusedError, match="does not answer"):
        told(secret, answer)


# --- Who that is in the team ------------------------------------------------------------------------------------------


def said(subject, email=None, *roles, is_verified=True, issuer="https://id.example"):
    return Claims(issuer, subject, email or f"{subject}@team.example", is_verified, "Name", roles)


def signed_in(team, claims):
    return person_of(team.rw, sign_in_as(team.rw, claims, FIREFOX))


def test_a_new_person_gets_the_roles_of_the_claim_and_from_then_on_those_of_the_database(team, change):
    first = signed_in(team, said("new", None, "viewer", "finance", "king"))
    assert (first.roles, first.email, first.name) == ({Role.VIEWER, Role.FINANCE}, "new@team.example", "Name")
    change(first.email, "roles = '{viewer}'")
    assert signed_in(team, said("new", None, "admin")).roles == {Role.VIEWER}


@pytest.mark.parametrize("roles", [[], ["king"], ["Admin"]])
def test_somebody_new_without_a_role_is_refused(team, roles):
    with pytest.raises(SignInRefusedError, match="not in the team"):
        signed_in(team, said("stranger", None, *roles))


def test_without_a_claim_to_read_nobody_is_added(issuer, ada, configured):
    configured(roles_claim="")
    secret = Secret.new()
    assert told(secret, answered(secret, ada)).roles == ()


def test_somebody_who_was_added_before_keeps_the_roles_they_were_given(team, person):
    email = person(Role.FINANCE, password=None)
    assert signed_in(team, said("added", email, "admin")).roles == {Role.FINANCE}
    assert signed_in(team, said("added", "renamed@team.example")).email == email


def test_an_address_that_was_not_verified_takes_over_nobodys_account(team, person):
    email = person(Role.ADMIN)
    with pytest.raises(SignInRefusedError, match="not verified"):
        signed_in(team, said("thief", email, "admin", is_verified=False))
    with pytest.raises(SignInRefusedError, match="no verified"):
        signed_in(team, said("thief", "nobodys@team.example", "admin", is_verified=False))


def test_an_account_belongs_to_one_identity(team, person):
    email = person(Role.ADMIN)
    signed_in(team, said("owner", email))
    for claims in (said("other", email, "admin"), said("owner", email, "admin", issuer="https://evil.example")):
        with pytest.raises(SignInRefusedError, match="another identity"):
            signed_in(team, claims)


@pytest.mark.parametrize("blow", ["is_active = false", "deleted_at = now()"])
def test_who_was_shut_out_stays_out(team, change, blow):
    subject = f"out-{len(blow)}"
    there = signed_in(team, said(subject, None, "viewer"))
    change(there.email, blow)
    with pytest.raises(SignInRefusedError, match="closed"):
        signed_in(team, said(subject, None, "viewer"))


def test_who_was_deleted_and_is_added_again_comes_back(team, change, person):
    there = signed_in(team, said("again", None, "viewer"))
    change(there.email, "deleted_at = now()")
    person(Role.FINANCE, email=there.email)
    back = signed_in(team, said("again", there.email))
    assert back.member_id != there.member_id
    assert back.roles == {Role.FINANCE}
    assert signed_in(team, said("again", there.email)).member_id == back.member_id


def test_the_audit_says_who_came_through_the_provider(team):
    there = signed_in(team, said("audited", None, "viewer"))
    with team.setup.connect() as connection:
        found = connection.execute(
            text("SELECT reason FROM audit_log WHERE actor = :e AND action = 'insert'"), {"e": there.email}
        )
        assert found.scalars().all() == ["Signed in through a provider."]
