"""The kinds of a cluster come and go, and come back: where each watch begins."""

from __future__ import annotations

import asyncio
import random
from typing import TYPE_CHECKING, Any

from envcompile.cluster.kinds import ApiKind, joined
from envcompile.cluster.kubeconfig import find_access
from envcompile.cluster.pace import Pace
from envcompile.cluster.reflector import KindGoneError, Reflector
from envcompile.cluster.streaming import Stream
from envcompile.cluster.watching import ClusterWatch, Wanted
from tests.cluster.servers import write_kubeconfig

if TYPE_CHECKING:
    from pathlib import Path

    import pytest

    from envcompile.cluster.kinds import Discovered

GEARS = ApiKind("example.com", "v1", "Gear", "gears", namespaced=True, verbs=("list", "watch"))


def _served(*kinds: ApiKind) -> Discovered:
    return joined(list(kinds), {}, [])


def test_a_kind_that_comes_back_is_listed_anew(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    """Where the last run came to counts once: resumed from there again, versions that are stored would come again."""
    begun: list[str] = []
    ends = asyncio.Event()

    async def run(_: Reflector, version: str = "") -> None:
        begun.append(version)
        if len(begun) == 1:
            raise KindGoneError("gears.example.com")
        await ends.wait()

    async def put(news: Any) -> None:
        del news
        await asyncio.sleep(0)

    async def play() -> None:
        access = find_access(None, {"KUBECONFIG": str(write_kubeconfig(tmp_path / "config", "http://127.0.0.1:1"))})
        async with Stream(access) as stream:
            watch = ClusterWatch(
                access,
                stream,
                Wanted(),
                pace=Pace(),
                chance=random.Random(1),
                put=put,
                versions={("example.com", "gears", ""): "42"},
            )
            for _ in range(2):
                await watch._adjust(_served(GEARS))
                await asyncio.sleep(0.01)
            # Another version in storage: every object is another one now.
            await watch._adjust(_served(GEARS._replace(version="v2")))
            await asyncio.sleep(0.01)
            ends.set()
            await asyncio.gather(*(task for _, task in watch._running.values()))

    monkeypatch.setattr(Reflector, "run", run)
    asyncio.run(play())
    assert begun == ["42", "", ""]
