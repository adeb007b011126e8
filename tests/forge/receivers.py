"""Receivers of messages on this machine: one for web requests, one for mail."""

from __future__ import annotations

import json
from contextlib import contextmanager
from dataclasses import dataclass, field
from http.server import BaseHTTPRequestHandler, ThreadingHTTPServer
from socketserver import StreamRequestHandler, ThreadingTCPServer
from threading import Thread
from typing import TYPE_CHECKING, Any

if TYPE_CHECKING:
    from collections.abc import Generator
    from socketserver import BaseServer


@dataclass
class Inbox:
    """What arrived."""

    address: str = ""
    received: list[tuple[str, Any]] = field(default_factory=list)
    """Content type and body; for mail the envelope's receiver and the text."""
    status: int = 200
    asked: int = 0
    """How often somebody came, whatever was answered."""


@contextmanager
def _serving(server: BaseServer) -> Generator[None, None, None]:
    thread = Thread(target=server.serve_forever, kwargs={"poll_interval": 0.02})
    thread.start()
    try:
        yield
    finally:
        server.shutdown()
        thread.join()
        server.server_close()


@contextmanager
def running_webhook() -> Generator[Inbox, None, None]:
    """A web receiver; its path is part of the secret, as Slack's is."""
    inbox = Inbox()

    class Handler(BaseHTTPRequestHandler):
        def do_POST(self) -> None:
            body = self.rfile.read(int(self.headers["Content-Length"]))
            inbox.asked += 1
            if inbox.status == 200:
                inbox.received.append((self.headers["Content-Type"], json.loads(body)))
            self.send_response(inbox.status)
            self.send_header("Content-Length", "2")
            self.end_headers()
            self.wfile.write(b"ok")

        def log_message(self, *_arguments: Any) -> None:
            """Say nothing."""

    server = ThreadingHTTPServer(("127.0.0.1", 0), Handler)
    inbox.address = f"http://127.0.0.1:{server.server_port}/canary/path"
    with _serving(server):
        yield inbox


@contextmanager
def running_mail_server() -> Generator[Inbox, None, None]:
    """A mail server without encryption."""
    inbox = Inbox()

    class Handler(StreamRequestHandler):
        def _say(self, line: str) -> None:
            self.wfile.write(f"{line}\r\n".encode())

        def handle(self) -> None:
            self._say("220 ready")
            receiver = ""
            while line := self.rfile.readline().decode().strip():
                word = line.partition(" ")[0].upper()
                if word == "RCPT":
                    receiver = line.partition("<")[2].rstrip(">")
                if word == "DATA":
                    self._say("354 go on")
                    lines = iter(self.rfile.readline, b".\r\n")
                    inbox.received.append((receiver, b"".join(lines).decode()))
                self._say("221 bye" if word == "QUIT" else "250 fine")
                if word == "QUIT":
                    return

    with ThreadingTCPServer(("127.0.0.1", 0), Handler) as server:
        inbox.address = f"smtp://127.0.0.1:{server.server_address[1]}/?from=envc@example.com&to=team@example.com"
        with _serving(server):
            yield inbox
