"""Fixtures of this room."""

from __future__ import annotations

from typing import TYPE_CHECKING

import pytest

from envcompile.forge.hosts.github import GitHub
from envcompile.forge.hosts.gitlab import GitLab
from envcompile.forge.http import Client
from tests.forge.server import TOKEN, running_host

if TYPE_CHECKING:
    from collections.abc import Iterator

    from envcompile.forge.comments import Host
    from tests.forge.samples import Connect
    from tests.forge.server import State


@pytest.fixture
def state() -> Iterator[State]:
    """A host on this machine."""
    with running_host() as host:
        yield host


@pytest.fixture
def waits() -> list[float]:
    """The seconds that a test's client would have slept."""
    return []


@pytest.fixture(params=["GitHub", "GitLab"])
def connect(request: pytest.FixtureRequest, state: State, waits: list[float]) -> Connect:
    """Connects to either host."""

    def make(token: str = TOKEN, repository: str = "shop/shop", head: str = "") -> Host:
        name = request.param
        headers = {"Authorization": f"Bearer {token}"} if name == "GitHub" else {"PRIVATE-TOKEN": token}
        client = Client(state.address, headers, name, waits.append, chance=lambda: 0.0)
        if name == "GitHub":
            return GitHub(client, repository, 7, head=head)
        return GitLab(client, repository, 7, head=head)

    return make
