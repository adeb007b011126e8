"""Who one is to an API server: tokens, tokens in files that change, programs that give them.

Source: kubernetes.io, "Client Authentication (v1)": `KUBERNETES_EXEC_INFO` in, an `ExecCredential` out, asked again
once it has expired or after an answer 401.
"""

from __future__ import annotations

import os
import subprocess
from datetime import UTC, datetime
from pathlib import Path
from typing import TYPE_CHECKING, Final

import httpx2

from envcompile.errors import Problem, UnavailableError, UsageError
from envcompile.text import one_line

if TYPE_CHECKING:
    from collections.abc import AsyncGenerator, Callable, Generator

    from lightkube.config.kubeconfig import SingleConfig
    from lightkube.config.models import UserExec

_VERSIONS: Final = ("v1", "v1beta1", "v1alpha1")
_PATIENCE: Final = 60.0
"""Seconds that a program may take to give a token; people may have to log in."""


def auth_of(single: SingleConfig) -> httpx2.Auth | None:
    """What requests of a context's user carry; None for client certificates, and for nobody.

    Raises:
        UsageError: the kubeconfig asks for a way that envc does not know.
    """
    user = single.user
    if user is None:
        return None
    if user.token_file is not None:
        path = Path(user.token_file)
        return Bearer(lambda _refused: _of_file(path))
    if user.token is not None:
        return Fixed(user.token)
    if user.exec is not None:
        return Bearer(Program(user.exec, single).token)
    if user.username and user.password:
        return httpx2.BasicAuth(user.username, user.password)
    if user.auth_provider:
        raise UsageError([
            Problem(
                f"the context `{single.context_name}` logs in by an auth-provider, which Kubernetes gave up in 1.26",
                "let your cluster's own tool write the kubeconfig anew: it will name an exec plugin",
            )
        ])
    return None


class Fixed(httpx2.Auth):
    """A token that stands in the kubeconfig."""

    def __init__(self, token: str) -> None:
        self._header = f"Bearer {token}"

    def auth_flow(self, request: httpx2.Request) -> Generator[httpx2.Request, httpx2.Response, None]:
        """Give the request the token."""
        request.headers["Authorization"] = self._header
        yield request


class Bearer(httpx2.Auth):
    """A token that may be another one by and by; it is asked for again after an answer 401.

    Args:
        token: gives the token; it is told whether the one before was refused.
    """

    def __init__(self, token: Callable[[bool], str]) -> None:
        self._token = token

    def _header(self, refused: bool) -> str:  # ruff: ignore[boolean-type-hint-positional-argument] - as `token` takes it
        return f"Bearer {self._token(refused)}"

    def sync_auth_flow(self, request: httpx2.Request) -> Generator[httpx2.Request, httpx2.Response, None]:
        """Give the request the token, once more with a new one."""
        request.headers["Authorization"] = self._header(False)
        response = yield request
        if response.status_code == 401:
            request.headers["Authorization"] = self._header(True)
            yield request

    async def async_auth_flow(self, request: httpx2.Request) -> AsyncGenerator[httpx2.Request, httpx2.Response]:
        """The same, while other tasks go on."""
        import asyncio

        request.headers["Authorization"] = await asyncio.to_thread(self._header, False)
        response = yield request
        if response.status_code == 401:
            request.headers["Authorization"] = await asyncio.to_thread(self._header, True)
            yield request


def _of_file(path: Path) -> str:
    """The token that a kubelet keeps fresh in a file."""
    try:
        return path.read_text("utf-8").strip()
    except OSError as error:
        raise UnavailableError([
            Problem(f"the token file {path} cannot be read: {error.strerror}", "mend the kubeconfig")
        ]) from error


class Program:
    """A credential plugin of the kubeconfig: the person's own program, started as kubectl starts it."""

    def __init__(self, declared: UserExec, single: SingleConfig) -> None:
        version = declared.apiVersion.rpartition("/")[2]
        if version not in _VERSIONS:
            raise UsageError([
                Problem(
                    f"the exec plugin of the context `{single.context_name}` speaks {one_line(declared.apiVersion)}",
                    f"envc knows client.authentication.k8s.io/{', '.join(_VERSIONS)}",
                )
            ])
        self._declared = declared
        self._context = single.context_name
        self._held = ""
        self._until: datetime | None = None

    def token(self, refused: bool) -> str:  # ruff: ignore[boolean-type-hint-positional-argument] - as `Bearer` asks
        """A token that holds; a new one when the last was refused or has expired."""
        expired = self._until is not None and datetime.now(UTC) >= self._until
        if refused or expired or not self._held:
            self._held, self._until = self._asked()
        return self._held

    def _asked(self) -> tuple[str, datetime | None]:
        import json

        info = {"apiVersion": self._declared.apiVersion, "kind": "ExecCredential", "spec": {"interactive": False}}
        environment = {**os.environ, "KUBERNETES_EXEC_INFO": json.dumps(info)}
        environment.update((one.name, one.value) for one in self._declared.env or ())
        command = [self._declared.command, *(self._declared.args or ())]
        try:
            done = subprocess.run(
                command, env=environment, stdin=subprocess.DEVNULL, capture_output=True, timeout=_PATIENCE, check=False
            )
        except FileNotFoundError as error:
            hint = f": {one_line(self._declared.installHint)}" if self._declared.installHint else ""
            raise self._failed("is not installed", f"install it{hint}") from error
        except (OSError, subprocess.TimeoutExpired) as error:
            raise self._failed(f"failed: {one_line(str(error))}", "run it by hand to see why") from error
        if done.returncode:
            # Its words are for people and may be many; a token is on stdout only.
            words = done.stderr.decode(errors="replace").strip().splitlines()
            said = f": {one_line(words[-1])}" if words else ""
            raise self._failed(f"ended with status {done.returncode}{said}", "log in again with your cluster's tool")
        try:
            status = json.loads(done.stdout)["status"]
            token = str(status["token"])
            text = status.get("expirationTimestamp")
            until = datetime.fromisoformat(text) if text else None
        except (ValueError, KeyError, TypeError) as error:
            raise self._failed("gave no ExecCredential with a token", "run it by hand to see what it says") from error
        return token, until

    def _failed(self, what: str, fix: str) -> UnavailableError:
        command = one_line(self._declared.command)
        return UnavailableError([Problem(f"the exec plugin {command} of the context `{self._context}` {what}", fix)])
