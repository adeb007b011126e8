"""What holds for every test: it cannot touch the machine, and goldens change on request only."""

from __future__ import annotations

import os
import signal
from itertools import count
from typing import TYPE_CHECKING

import hypothesis
import pytest

from tests.harness.guards import clean_environment, no_network
from tests.harness.repository import write_files

pytest.register_assert_rewrite("tests.cli.messages")

if TYPE_CHECKING:
    from collections.abc import Callable, Iterator, Mapping
    from pathlib import Path

    MakeProject = Callable[..., Path]


def pytest_addoption(parser: pytest.Parser) -> None:
    """The switch that refreshes goldens, which CI never gives, and how long the laws are tried."""
    parser.addoption("--update-goldens", action="store_true", help="write what the cases give as their new goldens")
    laws = parser.getgroup("laws", "random sequences of edits (tests/laws)")
    laws.addoption("--sequences", type=int, default=20, metavar="N", help="play N sequences")
    laws.addoption("--seed", type=int, default=1, metavar="S", help="seed of the first sequence; the next ones follow")
    laws.addoption("--steps", metavar="N,N", help="play only these steps of each sequence")
    parser.addoption("--torture", type=int, default=3, metavar="N", help="kill and restart the watcher N times")
    laws.addoption("--law", default="", metavar="NAME", help="hold only laws whose name begins so")


def pytest_configure(config: pytest.Config) -> None:
    """Warnings are errors, but for one that is between typer and click: the names that typer imports will move."""
    # A slow machine is no fault of what is tested: examples are counted, not timed.
    hypothesis.settings.register_profile(
        "counted", deadline=None, suppress_health_check=[hypothesis.HealthCheck.too_slow]
    )
    hypothesis.settings.load_profile("counted")
    # Started in the background, by nohup or a script's `&`: what is tested would inherit that it ignores such a signal.
    for number, usual in ((signal.SIGINT, signal.default_int_handler), (signal.SIGHUP, signal.SIG_DFL)):
        if signal.getsignal(number) is signal.SIG_IGN:
            signal.signal(number, usual)
    config.addinivalue_line("filterwarnings", "ignore:.* is deprecated and will be removed in Click:DeprecationWarning")


@pytest.fixture(scope="session", autouse=True)  # ruff: ignore[pytest-fixture-autouse] - nobody may forget it
def _no_network() -> Iterator[None]:
    """No test reaches another machine."""
    with no_network():
        yield


@pytest.fixture(scope="session")
def _homes(tmp_path_factory: pytest.TempPathFactory) -> Iterator[Path]:
    folder = tmp_path_factory.mktemp("homes")
    numbers = count()
    return (folder / str(number) for number in numbers)


@pytest.fixture(autouse=True)  # ruff: ignore[pytest-fixture-autouse] - nobody may forget it
def _clean_environment(_homes: Iterator[Path]) -> Iterator[None]:
    """Each test has a home of its own, and env vars that say the same on every machine."""
    before = dict(os.environ)
    home = next(_homes)
    home.mkdir()
    cleaned = clean_environment(home)
    os.environ.clear()
    os.environ.update(cleaned)
    try:
        yield
    finally:
        os.environ.clear()
        os.environ.update(before)


@pytest.fixture
def make_project(tmp_path: Path) -> MakeProject:
    """Writes a small repository from paths and texts and gives its root; `-> target` makes a symlink."""

    def make(files: Mapping[str, str | bytes], name: str = "project") -> Path:
        return write_files(tmp_path / name, files)

    return make
