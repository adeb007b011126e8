"""Fixtures of this room."""

from __future__ import annotations

from typing import TYPE_CHECKING

import pytest

from tests.forge.server import running_host

if TYPE_CHECKING:
    from collections.abc import Iterator

    from tests.forge.server import State


@pytest.fixture
def state() -> Iterator[State]:
    """A host on this machine."""
    with running_host() as host:
        yield host
