"""A certificate is only worth what the way to it is: redirects, plain http, slow servers, keys nobody can use."""

from __future__ import annotations

from datetime import UTC, datetime, timedelta
from typing import TYPE_CHECKING

import pytest
from cryptography import x509
from cryptography.hazmat.primitives import hashes, serialization
from cryptography.hazmat.primitives.asymmetric import rsa

from envcompile import yamlio
from envcompile.errors import EnvcError, UnavailableError, UsageError
from envcompile.secrets import httpget
from envcompile.secrets.certificate import read_certificates
from envcompile.secrets.fetch import certificate_from_cluster, certificate_from_url
from envcompile.settings import Sealing
from tests.secrets.repository import Repository, certificate_pem, private_key
from tests.secrets.servers import server_certificate, serving

if TYPE_CHECKING:
    from pathlib import Path

    from tests.secrets.servers import Reply


def serve_certificate(_path: str, _headers: dict[str, str]) -> Reply:
    """What a controller answers."""
    return 200, {}, certificate_pem()


def test_fetch_cert_downgrade(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    """Case fetch-cert-downgrade: an https server cannot send the question to plain http, nor to another host."""
    now = datetime.now(UTC)
    pki = server_certificate(tmp_path, now - timedelta(days=1), now + timedelta(days=1))
    with serving(serve_certificate) as plain:
        targets = [plain.url, "file:///etc/passwd", "https://localhost:1/x"]
        with serving(lambda path, _: (302, {"Location": targets[int(path[1:])]}, b""), pki) as secure:
            monkeypatch.delenv("SSL_CERT_FILE", raising=False)
            with pytest.raises(UnavailableError, match="is not trusted"):
                certificate_from_url(f"{secure.url}/0")
            monkeypatch.setenv("SSL_CERT_FILE", str(pki[0]))
            for number, shown in enumerate((plain.url, "an address that is not followed", "https://localhost:1")):
                with pytest.raises(UnavailableError) as error:
                    certificate_from_url(f"{secure.url}/{number}")
                assert f"redirects to {shown}" in str(error.value)
        assert plain.asked == []


def test_a_redirect_within_the_address_is_followed() -> None:
    """A controller behind a path."""

    def reply(path: str, headers: dict[str, str]) -> Reply:
        return (302, {"Location": "/v1/cert.pem"}, b"") if path == "/here" else serve_certificate(path, headers)

    with serving(reply) as server:
        assert certificate_from_url(f"{server.url}/here") == certificate_pem()


def test_the_clusters_token_stays_with_the_cluster(tmp_path: Path) -> None:
    """A redirect of the API server to another address gets nothing."""
    with serving(serve_certificate) as other, serving(lambda *_: (307, {"Location": f"{other.url}/x"}, b"")) as api:
        config = {
            "current-context": "prod",
            "contexts": [{"name": "prod", "context": {"cluster": "c", "user": "u"}}],
            "clusters": [{"name": "c", "cluster": {"server": api.url}}],
            "users": [{"name": "u", "user": {"token": "token"}}],
        }
        file = Repository(tmp_path).write("kubeconfig", yamlio.dump(config))
        with pytest.raises(UnavailableError, match="redirects to"):
            certificate_from_cluster({"KUBECONFIG": str(file)}, Sealing(), None)
        assert api.asked[0].headers["authorization"] == "Bearer token"
        assert other.asked == []


@pytest.mark.parametrize(
    "url", ["http://sealed-secrets.example", "HTTP://10.0.0.1:8080/v1/cert.pem", "http://c.127.example"]
)
def test_plain_http_to_another_machine_has_to_be_asked_for(url: str, monkeypatch: pytest.MonkeyPatch) -> None:
    """Nothing is asked before that."""
    asked: list[str] = []

    def answer(url: str, **_: object) -> httpget.Answer:
        asked.append(url)
        return httpget.Answer(200, certificate_pem())

    monkeypatch.setattr("envcompile.secrets.fetch.get", answer)
    with pytest.raises(UsageError, match="is plain http"):
        certificate_from_url(url)
    assert asked == []
    assert certificate_from_url(url, plain_http=True) == certificate_pem()
    assert certificate_from_url("http://localhost:8080") == certificate_pem()


def test_a_url_with_a_password_is_not_repeated() -> None:
    """Messages name scheme, host, port and path."""
    with serving(lambda *_: (404, {}, b"")) as server:
        url = server.url.replace("://", "://user:hunter2@")
        with pytest.raises(UnavailableError) as error:
            certificate_from_url(f"{url}/x?token=hunter2")
        assert "hunter2" not in str(error.value)


def made_by(key: rsa.RSAPrivateKey, form: serialization.Encoding = serialization.Encoding.PEM) -> bytes:
    """A certificate of this key."""
    name = x509.Name([x509.NameAttribute(x509.NameOID.COMMON_NAME, "test")])
    start = datetime(2026, 5, 31, tzinfo=UTC)
    builder = x509.CertificateBuilder().subject_name(name).issuer_name(name).public_key(key.public_key())
    builder = builder.serial_number(1).not_valid_before(start).not_valid_after(start + timedelta(days=365))
    return builder.sign(key, hashes.SHA256()).public_bytes(form)


def refusal(data: bytes) -> str:
    """What is said of a certificate file."""
    with pytest.raises(EnvcError) as error:
        read_certificates(data, "x.pem")
    return str(error.value)


def test_der_is_called_der() -> None:
    """And the command that turns it into PEM is named."""
    said = refusal(made_by(private_key(), serialization.Encoding.DER))
    assert "the certificate is in DER form" in said
    assert "openssl x509 -inform der -in x.pem" in said


def test_a_small_exponent_is_refused() -> None:
    """Go's controllers make 65537."""
    assert "has the public exponent 3" in refusal(made_by(rsa.generate_private_key(public_exponent=3, key_size=2048)))


def test_a_key_for_pss_signatures_is_refused() -> None:
    """RSA-PSS keys sign only; Go reads no such key."""
    der = made_by(private_key(), serialization.Encoding.DER)
    plain, pss = (
        b"\x06\x09\x2a\x86\x48\x86\xf7\x0d\x01\x01\x01\x05\x00",
        b"\x06\x09\x2a\x86\x48\x86\xf7\x0d\x01\x01\x0a\x30\x00",
    )
    assert der.count(plain) == 1
    certificate = x509.load_der_x509_certificate(der.replace(plain, pss))
    assert "is for RSA-PSS signatures" in refusal(certificate.public_bytes(serialization.Encoding.PEM))


def test_the_api_servers_certificate_is_checked(tmp_path: Path) -> None:
    """By the authority that the kubeconfig names, unless it says in plain words that nobody is to look."""
    now = datetime.now(UTC)
    pki = server_certificate(tmp_path, now - timedelta(days=1), now + timedelta(days=1))
    with serving(lambda *_: (200, {}, b"{}"), pki) as api:
        for cluster, is_asked in (
            ({}, False),
            ({"insecure-skip-tls-verify": False}, False),
            ({"insecure-skip-tls-verify": "true"}, False),
            ({"insecure-skip-tls-verify": True}, True),
            ({"certificate-authority": str(pki[0])}, True),
        ):
            config = {
                "current-context": "prod",
                "contexts": [{"name": "prod", "context": {"cluster": "c", "user": "u"}}],
                "clusters": [{"name": "c", "cluster": {"server": api.url, **cluster}}],
                "users": [{"name": "u", "user": {"token": "token"}}],
            }
            file = Repository(tmp_path).write("kubeconfig", yamlio.dump(config))
            api.asked.clear()
            if is_asked:
                certificate_from_cluster({"KUBECONFIG": str(file)}, Sealing(), None)
            else:
                with pytest.raises(UnavailableError, match="is not trusted"):
                    certificate_from_cluster({"KUBECONFIG": str(file)}, Sealing(), None)
            assert bool(api.asked) == is_asked, cluster
