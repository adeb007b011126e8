"""What keeps a test away from the machine it runs on."""

from __future__ import annotations

import os
import socket
from contextlib import contextmanager
from typing import TYPE_CHECKING, Any, Final

import pytest

if TYPE_CHECKING:
    from collections.abc import Generator
    from pathlib import Path

_KEPT: Final = ("PATH", "TMPDIR", "ENVC_REQUIRE_ORACLES", "ENVC_ORACLES_DIR")
_KEPT_PREFIXES: Final = ("PYTEST_", "HYPOTHESIS_", "COVERAGE_")
_LOCAL: Final = frozenset({"127.0.0.1", "::1", "localhost", "", None})
WIDTH: Final = 100
"""How wide the terminal is that a test's command believes to write to."""


class TestsHaveNoNetworkError(Exception):
    """A test tried to reach another machine; only 127.0.0.1, ::1 and unix sockets are there for tests."""

    __test__ = False


def _check(address: Any, family: int) -> None:
    host = address[0] if isinstance(address, tuple) else address
    if family != socket.AF_UNIX and host not in _LOCAL:
        raise TestsHaveNoNetworkError(f"{host}")


@contextmanager
def no_network() -> Generator[None, None, None]:
    """Let sockets connect to this machine only, and look up no other name."""
    connect, connect_ex, look_up = socket.socket.connect, socket.socket.connect_ex, socket.getaddrinfo

    def checked_connect(self: socket.socket, address: Any) -> None:
        _check(address, self.family)
        connect(self, address)

    def checked_connect_ex(self: socket.socket, address: Any) -> int:
        _check(address, self.family)
        return connect_ex(self, address)

    def checked_look_up(host: Any, *arguments: Any, **named: Any) -> Any:
        text = host.decode() if isinstance(host, bytes) else host
        _check((text,), socket.AF_INET)
        return look_up(host, *arguments, **named)

    with pytest.MonkeyPatch.context() as patch:
        patch.setattr(socket.socket, "connect", checked_connect)
        patch.setattr(socket.socket, "connect_ex", checked_connect_ex)
        patch.setattr(socket, "getaddrinfo", checked_look_up)
        yield


def clean_environment(home: Path) -> dict[str, str]:
    """The env vars that a test sees: what programs need to be found, a home of its own, and nothing else."""
    kept = {name: text for name, text in os.environ.items() if name in _KEPT or name.startswith(_KEPT_PREFIXES)}
    return kept | {
        "HOME": str(home),
        "XDG_CACHE_HOME": str(home / ".cache"),
        "XDG_CONFIG_HOME": str(home / ".config"),
        "XDG_DATA_HOME": str(home / ".local" / "share"),
        "XDG_STATE_HOME": str(home / ".local" / "state"),
        "COLUMNS": str(WIDTH),
        "TERM": "dumb",
        "LC_ALL": "C.UTF-8",
        "TZ": "UTC",
        "GIT_CONFIG_NOSYSTEM": "1",
    }
