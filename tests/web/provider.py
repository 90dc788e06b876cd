"""A real provider of identities, run as a program of its own, and a person who signs in there."""

import socket
import subprocess
import sys
import time
from collections.abc import Iterator
from contextlib import contextmanager

import httpx2

CLIENT = "sightline-test"


@contextmanager
def provider() -> Iterator[str]:
    """Its issuer, for as long as the block runs."""
    with socket.socket() as probe:
        probe.bind(("127.0.0.1", 0))
        port = probe.getsockname()[1]
    command = [sys.executable, "-W", "ignore", "-m", "oidc_provider_mock", "--port", str(port), "--host", "127.0.0.1"]
    process = subprocess.Popen(command, stdout=subprocess.DEVNULL, stderr=subprocess.DEVNULL)
    issuer = f"http://127.0.0.1:{port}"
    try:
        deadline = time.monotonic() + 30
        while True:
            try:
                httpx2.get(f"{issuer}/.well-known/openid-configuration").raise_for_status()
                break
            except httpx2.HTTPError:
                assert process.poll() is None
                assert time.monotonic() < deadline
                time.sleep(0.1)
        yield issuer
    finally:
        process.terminate()
        process.wait(timeout=10)


def enrol(issuer: str, subject: str, **claims: object) -> str:
    """Somebody whom the provider knows, and what it will say of them."""
    httpx2.put(f"{issuer}/users/{subject}", json=claims).raise_for_status()
    return subject


def agree(authorization_address: str, subject: str) -> httpx2.URL:
    """Sign in there and agree: where the provider sends the browser then."""
    answer = httpx2.post(authorization_address, data={"sub": subject})
    assert answer.status_code == 302, answer.text
    return httpx2.URL(answer.headers["location"])
