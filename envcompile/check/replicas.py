"""How many pods workloads keep running."""

from __future__ import annotations

from typing import TYPE_CHECKING

from envcompile.check.pods import SCALED

if TYPE_CHECKING:
    from collections.abc import Iterator

    from envcompile.check.check_input import CheckInput
    from envcompile.check.pods import Pods


def many(inputs: CheckInput) -> Iterator[tuple[Pods, int]]:
    """The workloads that are scaled by number and keep running, with the fewest pods they go down to."""
    for pods in inputs.pods:
        if pods.kind in SCALED:
            yield pods, inputs.fewest(pods)
