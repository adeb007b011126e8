"""The client: where requests go and where they do not, and what is said when nobody answers."""

from __future__ import annotations

import datetime as dt
import ipaddress
import socket
import ssl
from typing import TYPE_CHECKING

import pytest
from cryptography import x509
from cryptography.hazmat.primitives import hashes, serialization
from cryptography.hazmat.primitives.asymmetric import ec

from envcompile.errors import EnvcError, UnavailableError
from envcompile.forge import http
from envcompile.forge.http import Client
from tests.forge.server import ME, TOKEN, Failure, running_host

if TYPE_CHECKING:
    from pathlib import Path

    from tests.forge.server import State

HEADERS = {"PRIVATE-TOKEN": TOKEN}


def client(address: str, waits: list[float] | None = None) -> Client:
    """A client that does not sleep."""
    return Client(address, HEADERS, "GitLab", (waits if waits is not None else []).append, chance=lambda: 0.0)


def refusal(address: str) -> str:
    """What is said when a question cannot be asked there."""
    with pytest.raises(UnavailableError) as caught:
        client(address).call("GET", "/user")
    assert TOKEN not in str(caught.value)
    return str(caught.value)


def test_a_host_that_is_not_there_is_reported() -> None:
    """The message names the address and the reason."""
    waits: list[float] = []
    with pytest.raises(UnavailableError) as caught:
        client("http://127.0.0.1:9", waits).call("GET", "/user")
    assert str(caught.value) == (
        "error: GitLab at http://127.0.0.1:9 does not answer (Connection refused)\n"
        "hint: try again later, or check the URL and the proxy"
    )
    assert waits == [1.0, 2.0, 4.0]


def test_a_host_that_says_nothing_is_not_waited_for_forever(monkeypatch: pytest.MonkeyPatch) -> None:
    """A connection that was taken and never answered counts as no answer."""
    monkeypatch.setattr(http, "TIMEOUT", 0.05)
    with socket.create_server(("127.0.0.1", 0)) as server:
        address = f"http://127.0.0.1:{server.getsockname()[1]}"
        assert refusal(address).startswith(f"error: GitLab at {address} does not answer (timed out)\n")


def test_other_addresses_than_web_addresses_are_refused() -> None:
    """A URL that comes from an env var must not read local files."""
    with pytest.raises(UnavailableError, match="GitHub has no web address"):
        Client("file:///etc", {}, "GitHub").call("GET", "/passwd")


def test_an_answer_that_is_no_json_is_reported() -> None:
    """A proxy's page of its own, a wrong address."""
    found = client("http://127.0.0.1:9")
    with pytest.raises(UnavailableError, match="GitLab answers with something that is no JSON"):
        found._read(b"<html>Sign in</html>")


@pytest.mark.parametrize("token", ["canary\nX-Other: 1", "canary\u2026"])
def test_a_token_that_no_header_can_hold_is_reported_without_it(token: str) -> None:
    """Python's own message would show it."""
    with pytest.raises(UnavailableError) as caught:
        Client("http://127.0.0.1:9", {"PRIVATE-TOKEN": token}, "GitLab").call("GET", "/user")
    assert str(caught.value) == (
        "error: no request to GitLab can be written: the token or the URL holds a sign that may not be there\n"
        "hint: look for blanks and line breaks in them"
    )


@pytest.mark.parametrize("status", [301, 302, 307, 308])
def test_redirects_to_another_address_are_not_followed(state: State, status: int) -> None:
    """They would carry the token elsewhere."""
    state.failures = [Failure(status, {"Location": "http://user:canary@127.0.0.1:9/user"})]
    found = refusal(state.address)
    assert found == (
        f"error: GitLab refuses GET /user: {status} made up\n"
        "hint: the token is not sent on to http://127.0.0.1:9: check the API's URL"
    )
    assert "canary" not in found


@pytest.mark.parametrize("status", [301, 302, 307, 308])
def test_redirects_within_the_host_are_followed(state: State, status: int) -> None:
    """The address may be relative."""
    state.failures = [Failure(status, {"Location": "/user?again"})]
    assert client(state.address).call("GET", "/elsewhere").value["login"] == ME


def test_redirects_without_end_end(state: State) -> None:
    """Five are enough for anybody."""
    state.failures = [Failure(302, {"Location": f"{state.address}/user"})] * 10
    with pytest.raises(EnvcError, match="refuses GET /user: 302"):
        client(state.address).call("GET", "/user")
    assert len(state.requests) == 6


def test_the_proxy_of_the_env_vars_is_used(state: State, monkeypatch: pytest.MonkeyPatch) -> None:
    """Many jobs reach their host in no other way."""
    monkeypatch.setenv("http_proxy", state.address)
    with pytest.raises(EnvcError, match="404"):
        client("http://git.example.com/api").call("GET", "/user")
    assert state.requests == ["GET http://git.example.com/api/user"]


def test_no_proxy_is_respected(state: State, monkeypatch: pytest.MonkeyPatch) -> None:
    """Hosts within the organisation are reached directly."""
    monkeypatch.setenv("http_proxy", "http://127.0.0.1:9")
    monkeypatch.setenv("no_proxy", "127.0.0.1")
    assert client(state.address).call("GET", "/user").value["login"] == ME


def test_a_proxy_that_refuses_is_reported(state: State, monkeypatch: pytest.MonkeyPatch) -> None:
    """The reason is the proxy's, not the host's."""
    monkeypatch.setenv("https_proxy", state.address)
    found = refusal("https://git.example.com")
    assert found.startswith("error: GitLab at https://git.example.com does not answer (Tunnel connection failed: 501")


@pytest.fixture(scope="module")
def authority(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """A file with a certificate for this machine that only itself vouches for, and its key."""
    key = ec.generate_private_key(ec.SECP256R1())
    name = x509.Name([x509.NameAttribute(x509.NameOID.COMMON_NAME, "127.0.0.1")])
    start = dt.datetime(2024, 1, 1, tzinfo=dt.UTC)
    certificate = (
        x509
        .CertificateBuilder()
        .subject_name(name)
        .issuer_name(name)
        .public_key(key.public_key())
        .serial_number(1)
        .not_valid_before(start)
        .not_valid_after(start + dt.timedelta(days=36_500))
        .add_extension(x509.SubjectAlternativeName([x509.IPAddress(ipaddress.ip_address("127.0.0.1"))]), critical=False)
        .add_extension(x509.BasicConstraints(ca=True, path_length=None), critical=True)
        .sign(key, hashes.SHA256())
    )
    path = tmp_path_factory.mktemp("authority") / "host.pem"
    path.write_bytes(
        key.private_bytes(serialization.Encoding.PEM, serialization.PrivateFormat.PKCS8, serialization.NoEncryption())
        + certificate.public_bytes(serialization.Encoding.PEM)
    )
    return path


def context(authority: Path) -> ssl.SSLContext:
    """What a server with this certificate needs."""
    made = ssl.SSLContext(ssl.PROTOCOL_TLS_SERVER)
    made.load_cert_chain(authority)
    return made


def test_a_certificate_that_nobody_vouches_for_is_refused_at_once(authority: Path) -> None:
    """Another try would get the same; the token is not sent."""
    with running_host(context(authority)) as host:
        found = refusal(host.address)
        assert found == (
            f"error: the certificate of GitLab at {host.address} is not trusted: self-signed certificate\n"
            "hint: name a file with your organisation's certificate authorities in the env var SSL_CERT_FILE"
        )
        assert host.requests == []


def test_an_organisations_own_authority_can_be_named(authority: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    """As for every program that uses OpenSSL."""
    monkeypatch.setenv("SSL_CERT_FILE", str(authority))
    with running_host(context(authority)) as host:
        assert client(host.address).call("GET", "/user").value["login"] == ME
