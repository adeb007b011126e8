"""The shop with its past, its pages on a port of this machine, and a real browser that looks at them."""

from __future__ import annotations

import os
import socket
import threading
from contextlib import contextmanager
from typing import TYPE_CHECKING, Final, NoReturn

import pytest
import uvicorn

from envcompile.pages.server import make_app
from envcompile.pages.site import Site
from tests.harness.command import PATIENCE
from tests.oracles.browser import axe, chromium
from tests.pages.looking import Looker
from tests.pages.shop import NOW, make_shop

if TYPE_CHECKING:
    from collections.abc import Generator, Iterator
    from contextlib import AbstractContextManager

    from starlette.applications import Starlette

    from tests.pages.shop import Shop

# Read while pytest collects: each test has a home of its own, where nothing is installed.
AXE: Final = axe(os.environ)
PROGRAM: Final = chromium(os.environ)
REQUIRED: Final = os.environ.get("ENVC_REQUIRE_ORACLES") == "1"
HOSTS: Final = frozenset({"127.0.0.1", "localhost"})


def pytest_addoption(parser: pytest.Parser) -> None:
    """The switch that takes the pictures of README and guide anew, which CI never gives."""
    parser.addoption("--take-pictures", action="store_true", help="write the pictures of docs/pictures anew")


def now() -> int:
    """When the pages are read."""
    return int(NOW.timestamp())


@pytest.fixture(scope="session")
def shop(tmp_path_factory: pytest.TempPathFactory) -> Shop:
    """The shop with its past; nobody writes to it."""
    return make_shop(tmp_path_factory.mktemp("pages") / "shop")


@pytest.fixture(scope="session")
def site(shop: Shop) -> Site:
    """The shop, compiled, drawn, and every field explained."""
    found = Site(shop.root, now)
    found.refresh()
    found.draw()
    return found


def serving(site: Site, *, look: float = 0.0) -> AbstractContextManager[str]:
    """The address of the pages while they are served."""
    return serving_app(make_app(site, hosts=HOSTS, look=look))


@contextmanager
def serving_app(app: Starlette) -> Generator[str]:
    """The address of an application while it is served."""
    with socket.create_server(("127.0.0.1", 0)) as listening:
        config = uvicorn.Config(app, log_level="error", timeout_graceful_shutdown=1)
        server = uvicorn.Server(config)
        thread = threading.Thread(target=server.run, kwargs={"sockets": [listening]}, daemon=True)
        thread.start()
        try:
            yield f"http://127.0.0.1:{listening.getsockname()[1]}"
        finally:
            server.should_exit = True
            thread.join(timeout=PATIENCE)


@pytest.fixture(scope="session")
def address(site: Site) -> Iterator[str]:
    """Where the shop's pages are."""
    with serving(site) as found:
        yield found


@pytest.fixture(scope="session")
def looker() -> Iterator[Looker]:
    """A real browser."""
    if PROGRAM is None:
        _unavailable("there is no chromium on PATH (Debian: apt-get install chromium)")
    if not AXE.is_file():
        _unavailable("axe-core is not installed; run `python -m tests.oracles.build browser`")
    with Looker.started(PROGRAM, AXE.read_text(encoding="utf-8")) as found:
        yield found


def _unavailable(reason: str) -> NoReturn:
    """Skip, or fail where the run promised to have every oracle."""
    if REQUIRED:
        pytest.fail(f"ENVC_REQUIRE_ORACLES=1, but {reason}", pytrace=False)
    pytest.skip(reason)


@pytest.fixture(scope="session")
def pictures(request: pytest.FixtureRequest) -> bool:
    """Whether pictures are taken."""
    return bool(request.config.getoption("--take-pictures"))
