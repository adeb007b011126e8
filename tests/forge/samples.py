"""Comments of ours, and how a host is reached."""

from __future__ import annotations

from typing import TYPE_CHECKING

from envcompile.forge.hosts.github import GitHub
from envcompile.forge.http import Client
from envcompile.forge.parts import marker
from tests.forge.server import TOKEN

if TYPE_CHECKING:
    from collections.abc import Callable

    from envcompile.forge.comments import Host
    from tests.forge.server import State

    Connect = Callable[..., Host]

FAREWELL = f"gone\n\n{marker('envc', 1, 1, 'ab')}\n"


def part(text: str, number: int = 1, of: int = 1, key: str = "envc", commit: str = "ab") -> str:
    """A comment of ours."""
    return f"{text}\n\n{marker(key, number, of, commit)}\n"


def github(state: State, author: str | None = None) -> GitHub:
    """GitHub's comments, reached without patience."""
    client = Client(state.address, {"Authorization": f"Bearer {TOKEN}"}, "GitHub", lambda _: None)
    return GitHub(client, "shop/shop", 7, author)
