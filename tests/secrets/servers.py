"""Small servers on the loopback address, plain and with TLS, that tell what they were asked."""

from __future__ import annotations

import http.server
import ipaddress
import ssl
import threading
from contextlib import contextmanager
from typing import TYPE_CHECKING, Any, NamedTuple

from cryptography import x509
from cryptography.hazmat.primitives import hashes, serialization

from tests.secrets.repository import key_pem, private_key

if TYPE_CHECKING:
    from collections.abc import Callable, Generator
    from datetime import datetime
    from pathlib import Path

Reply = tuple[int, dict[str, str], bytes]


class Asked(NamedTuple):
    """One request."""

    path: str
    headers: dict[str, str]


class Server(NamedTuple):
    """A running server."""

    url: str
    asked: list[Asked]


@contextmanager
def serving(reply: Callable[[str, dict[str, str]], Reply], tls: tuple[Path, Path] | None = None) -> Generator[Server]:
    """Answer GET requests until the block ends."""
    asked: list[Asked] = []

    class Handler(http.server.BaseHTTPRequestHandler):
        def do_GET(self) -> None:
            headers = {name.lower(): text for name, text in self.headers.items()}
            asked.append(Asked(self.path, headers))
            status, given, body = reply(self.path, headers)
            self.send_response(status)
            for name, text in {"Content-Length": str(len(body)), **given}.items():
                self.send_header(name, text)
            self.end_headers()
            self.wfile.write(body)

        def log_message(self, *_: Any) -> None:
            """Stay silent."""

    with http.server.ThreadingHTTPServer(("127.0.0.1", 0), Handler) as server:
        scheme = "http"
        if tls is not None:
            context = ssl.SSLContext(ssl.PROTOCOL_TLS_SERVER)
            context.load_cert_chain(*tls)
            # The handshake belongs to the request, so that a refused one leaves no socket behind.
            server.socket = context.wrap_socket(server.socket, server_side=True, do_handshake_on_connect=False)
            scheme = "https"
        server.handle_error = lambda *_: None  # type: ignore[method-assign]  # a refused handshake is what is tested
        threading.Thread(target=server.serve_forever, args=(0.01,), daemon=True).start()
        try:
            yield Server(f"{scheme}://127.0.0.1:{server.server_port}", asked)
        finally:
            server.shutdown()


def server_certificate(folder: Path, start: datetime, end: datetime) -> tuple[Path, Path]:
    """A certificate for 127.0.0.1 that is its own authority, and its key."""
    key = private_key(2048, 7)
    name = x509.Name([x509.NameAttribute(x509.NameOID.COMMON_NAME, "vault.test")])
    names = [x509.IPAddress(ipaddress.ip_address("127.0.0.1")), x509.DNSName("localhost")]
    builder = x509.CertificateBuilder().subject_name(name).issuer_name(name).public_key(key.public_key())
    builder = builder.serial_number(2).not_valid_before(start).not_valid_after(end)
    builder = builder.add_extension(x509.SubjectAlternativeName(names), critical=False)
    builder = builder.add_extension(x509.BasicConstraints(ca=True, path_length=None), critical=True)
    pem = builder.sign(key, hashes.SHA256()).public_bytes(serialization.Encoding.PEM)
    certificate, private = folder / "server.pem", folder / "server.key"
    certificate.write_bytes(pem)
    private.write_bytes(key_pem(key))
    return certificate, private
