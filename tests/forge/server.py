"""A host on this machine that answers as GitHub and GitLab do, as far as comments go."""

from __future__ import annotations

import json
import re
from contextlib import contextmanager
from dataclasses import dataclass, field
from http.server import BaseHTTPRequestHandler, ThreadingHTTPServer
from threading import Thread
from typing import TYPE_CHECKING, Any, NamedTuple

if TYPE_CHECKING:
    import ssl
    from collections.abc import Callable, Generator, Mapping

TOKEN = "token-canary-1234"
ME = "github-actions[bot]"
_GITHUB = r"(?:/repos/shop/shop|/repositories/42)"
_GITLAB = r"/projects/(?:11|shop%2Fshop)/merge_requests/7"
_REQUEST = re.compile(rf"{_GITHUB}/pulls/7|{_GITLAB}")
_LIST = re.compile(rf"{_GITHUB}/issues/7/comments|{_GITLAB}/notes")
_ONE = re.compile(rf"(?:{_GITHUB}/issues/comments|{_GITLAB}/notes)/(\d+)")


class Failure(NamedTuple):
    """An answer to give before the real one."""

    status: int
    """-1 carries the request out and then fails."""
    headers: Mapping[str, str] = {}
    message: str = "made up"


@dataclass
class State:
    """What the host knows, and how it is to misbehave."""

    comments: list[dict[str, Any]] = field(default_factory=list)
    failures: list[Failure] = field(default_factory=list)
    viewer: str = ME
    """Whom GraphQL takes the token's owner for; nobody answers there when empty."""
    user_status: int = 200
    write_status: int = 200
    write_message: str = "Resource not accessible by integration"
    request_status: int = 200
    """Of questions for the pull request itself."""
    head: str = ""
    """The pull request's newest commit."""
    limit: int = 65_536
    prefix: str = ""
    """Where the API begins on the host."""
    is_renamed: bool = False
    """Whether the repository has another name now, as GitHub tells."""
    before: Callable[[str], None] | None = None
    """Called with each request before it is carried out: what others do meanwhile."""
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
def running_host(tls: ssl.SSLContext | None = None) -> Generator[State, None, None]:
    """A host that listens on a free port of this machine."""
    state = State()

    class Handler(BaseHTTPRequestHandler):
        def _reply(self, status: int, value: Any, headers: Mapping[str, str] | None = None) -> None:
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
            # What is asked of a proxy has the whole address in it.
            target = self.path.removeprefix(state.address)
            state.requests.append(f"{self.command} {target}")
            known = (f"Bearer {TOKEN}", TOKEN)
            if (self.headers.get("Authorization") or self.headers.get("PRIVATE-TOKEN")) not in known:
                self._reply(401, {"message": "Bad credentials"})
                return
            if state.failures:
                failure = state.failures.pop(0)
                if failure.status > 0:
                    self._reply(failure.status, {"message": failure.message}, failure.headers)
                    return
                self._carry_out(target, sent, silently=True)
                self._reply(502, {"message": failure.message})
                return
            if state.before is not None:
                state.before(f"{self.command} {target}")
            self._carry_out(target, sent)

        def _carry_out(self, target: str, sent: Any, *, silently: bool = False) -> None:
            reply = (lambda *_: None) if silently else self._reply
            path, _, query = target.partition("?")
            if path == f"{state.prefix.removesuffix('/v3')}/graphql" and state.viewer:
                reply(200, {"data": {"viewer": {"login": state.viewer}}})
                return
            path = path.removeprefix(state.prefix)
            if not target.startswith(f"{state.prefix}/"):
                reply(404, {"message": "Not Found"})
            elif state.is_renamed and path.startswith("/repos/shop/shop/"):
                place = f"{state.prefix}/repositories/42{target.partition('/repos/shop/shop')[2]}"
                status = 301 if self.command == "GET" else 307
                reply(status, {"message": "Moved Permanently"}, {"Location": f"{state.address}{place}"})
            elif path == "/user":
                reply(state.user_status, {"login": ME, "id": ME, "message": "Resource not accessible"})
            elif self.command == "GET" and _REQUEST.fullmatch(path):
                said = {"head": {"sha": state.head}, "sha": state.head, "message": "Resource not accessible"}
                reply(state.request_status, said)
            elif self.command == "GET" and _LIST.fullmatch(path):
                asked = dict(pair.split("=") for pair in query.split("&"))
                size, page = int(asked["per_page"]), int(asked["page"])
                reply(200, state.comments[(page - 1) * size : page * size])
            elif state.write_status != 200:
                reply(state.write_status, {"message": state.write_message})
            elif self.command == "POST" and _LIST.fullmatch(path):
                if len(sent["body"]) > state.limit:
                    reply(422, {"message": f"Body is too long (maximum is {state.limit} characters)"})
                    return
                reply(201, {"id": state.add(sent["body"])})
            elif match := _ONE.fullmatch(path):
                numbers = [comment["id"] for comment in state.comments]
                if int(match[1]) not in numbers:
                    reply(404, {"message": "Not Found"})
                    return
                at = numbers.index(int(match[1]))
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

    class Server(ThreadingHTTPServer):
        def handle_error(self, *arguments: Any) -> None:
            """A client that does not trust the certificate hangs up: nothing to report."""
            if tls is None:
                super().handle_error(*arguments)

    server = Server(("127.0.0.1", 0), Handler)
    if tls is not None:
        server.socket = tls.wrap_socket(server.socket, server_side=True)
    state.address = f"{'https' if tls else 'http'}://127.0.0.1:{server.server_port}"
    thread = Thread(target=server.serve_forever, kwargs={"poll_interval": 0.02})
    thread.start()
    try:
        yield state
    finally:
        server.shutdown()
        thread.join()
        server.server_close()
