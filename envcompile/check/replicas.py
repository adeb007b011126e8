"""How many pods workloads keep running."""

from __future__ import annotations

from typing import TYPE_CHECKING

from envcompile.check.pods import SCALED

if TYPE_CHECKING:
    from collections.abc import Iterator

    from envcompile.check.check_input import Scene
    from envcompile.check.pods import Pods


def many(scene: Scene) -> Iterator[tuple[Pods, int]]:
    """The workloads that are scaled by number and keep running, with the fewest pods they go down to."""
    for pods in scene.pods:
        if pods.kind in SCALED:
            yield pods, scene.fewest(pods)
