"""Tests cannot touch the machine they run on."""

from __future__ import annotations

import os
import socket
from pathlib import Path

import pytest

from tests.harness.guards import TestsHaveNoNetworkError

REAL_HOME = Path.home()
"""Read while pytest collects."""


def test_home_is_a_folder_of_the_test(tmp_path: Path) -> None:
    """Neither caches nor settings of the person at this machine are there."""
    home = Path.home()
    assert home != REAL_HOME
    assert home.is_relative_to(tmp_path.parent)
    assert list(home.iterdir()) == []
    for name in ("XDG_CACHE_HOME", "XDG_CONFIG_HOME", "XDG_DATA_HOME", "XDG_STATE_HOME"):
        assert Path(os.environ[name]).is_relative_to(home)


def test_the_environment_is_the_same_everywhere() -> None:
    """Only what programs need to be found is taken over."""
    kept = {name for name in os.environ if not name.startswith(("PYTEST_", "HYPOTHESIS_", "COVERAGE_"))}
    assert kept - {"TMPDIR", "ENVC_REQUIRE_ORACLES", "ENVC_ORACLES_DIR"} == {
        *("PATH", "HOME", "XDG_CACHE_HOME", "XDG_CONFIG_HOME", "XDG_DATA_HOME", "XDG_STATE_HOME"),
        *("COLUMNS", "TERM", "LC_ALL", "TZ", "GIT_CONFIG_NOSYSTEM"),
    }


@pytest.mark.parametrize("host", ["192.0.2.1", "example.com", "2001:db8::1"])
def test_other_machines_cannot_be_reached(host: str) -> None:
    """By address or by name; the class says why."""
    with pytest.raises(TestsHaveNoNetworkError), socket.create_connection((host, 80), timeout=1):
        pass
    with socket.socket() as plain, pytest.raises(TestsHaveNoNetworkError):
        plain.connect_ex((host, 80))


def test_this_machine_can_be_reached(tmp_path: Path) -> None:
    """Servers of a test listen on 127.0.0.1 or on a unix socket."""
    with socket.create_server(("127.0.0.1", 0)) as server, socket.create_connection(server.getsockname()):
        pass
    with socket.socket(socket.AF_UNIX) as server, socket.socket(socket.AF_UNIX) as client:
        server.bind(str(tmp_path / "s"))
        server.listen()
        client.connect(str(tmp_path / "s"))
