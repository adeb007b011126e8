"""A host on this machine that answers as GitHub and GitLab do, as far as comments go."""

from __future__ import annotations

import json
import re
from contextlib import contextmanager
from dataclasses import dataclass, field
from http.server import BaseHTTPRequestHandler, ThreadingHTTPServer
from threading import Thread
from typing import TYPE_CHECKING, Any

if TYPE_CHECKING:
    from collections.abc import Generator

TOKEN = "token-canary-1234"
ME = "github-actions[bot]"
_LIST = re.compile(r"/(?:repos/shop/shop/issues/7/comments|projects/shop%2Fshop/merge_requests/7/notes)")
_ONE = re.compile(r"/(?:repos/shop/shop/issues/comments|projects/shop%2Fshop/merge_requests/7/notes)/(\d+)")


@dataclass
class State:
    """What the host knows, and how it is to misbehave."""

    comments: list[dict[str, Any]] = field(default_factory=list)
    failures: list[tuple[int, dict[str, str]]] = field(default_factory=list)
    """Answers to give before the real ones: status and headers; status -1 carries the request out and then fails."""
    user_status: int = 200
    write_status: int = 200
    limit: int = 65_536
    requests: list[str] = field(default_factory=list)
    address: str = ""
    next_id: int = 1

    def add(self, body: str, author: str = ME, *, system: bool = False) -> int:
        """Write a comment as somebody."""
        number = self.next_id
        self.next_id += 1
        person = {"login": author, "id": author}
        self.comments.append({"id": number, "body": body, "user": person, "author": person, "system": system})
        return number

    def bodies(self, author: str = ME) -> list[str]:
        """What somebody's comments say."""
        return [comment["body"] for comment in self.comments if comment["user"]["login"] == author]


@contextmanager
def running_host() -> Generator[State, None, None]:
    """A host that listens on a free port of this machine."""
    state = State()

    class Handler(BaseHTTPRequestHandler):
        def _reply(self, status: int, value: Any, headers: dict[str, str] | None = None) -> None:
            data = json.dumps(value).encode() if value is not None else b""
            self.send_response(status)
            for name, text in (headers or {}).items():
                self.send_header(name, text)
            self.send_header("Content-Length", str(len(data)))
            self.end_headers()
            self.wfile.write(data)

        def _answer(self) -> None:
            length = int(self.headers.get("Content-Length") or 0)
            sent = json.loads(self.rfile.read(length)) if length else None
            state.requests.append(f"{self.command} {self.path}")
            known = (f"Bearer {TOKEN}", TOKEN)
            if (self.headers.get("Authorization") or self.headers.get("PRIVATE-TOKEN")) not in known:
                self._reply(401, {"message": "Bad credentials"})
                return
            if state.failures:
                status, headers = state.failures.pop(0)
                if status > 0:
                    self._reply(status, {"message": "made up"}, headers)
                    return
                self._carry_out(sent, silently=True)
                self._reply(502, {"message": "made up"})
                return
            self._carry_out(sent)

        def _carry_out(self, sent: Any, *, silently: bool = False) -> None:
            reply = (lambda *_: None) if silently else self._reply
            path, _, query = self.path.partition("?")
            if path == "/user":
                reply(state.user_status, {"login": ME, "id": ME, "message": "Resource not accessible"})
            elif self.command == "GET" and _LIST.fullmatch(path):
                asked = dict(pair.split("=") for pair in query.split("&"))
                size, page = int(asked["per_page"]), int(asked["page"])
                reply(200, state.comments[(page - 1) * size : page * size])
            elif state.write_status != 200:
                reply(state.write_status, {"message": "Resource not accessible by integration"})
            elif self.command == "POST" and _LIST.fullmatch(path):
                if len(sent["body"]) > state.limit:
                    reply(422, {"message": f"Body is too long (maximum is {state.limit} characters)"})
                    return
                reply(201, {"id": state.add(sent["body"])})
            elif match := _ONE.fullmatch(path):
                at = [comment["id"] for comment in state.comments].index(int(match[1]))
                if self.command == "DELETE":
                    del state.comments[at]
                    reply(204, None)
                else:
                    state.comments[at]["body"] = sent["body"]
                    reply(200, {})
            else:
                reply(404, {"message": "Not Found"})

        def log_message(self, *_arguments: Any) -> None:
            """Say nothing."""

    for method in ("GET", "POST", "PUT", "PATCH", "DELETE"):
        setattr(Handler, f"do_{method}", Handler._answer)
    server = ThreadingHTTPServer(("127.0.0.1", 0), Handler)
    state.address = f"http://127.0.0.1:{server.server_port}"
    thread = Thread(target=server.serve_forever, kwargs={"poll_interval": 0.02})
    thread.start()
    try:
        yield state
    finally:
        server.shutdown()
        thread.join()
        server.server_close()
