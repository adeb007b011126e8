"""The loads of a replay as arrays: what fast replays compute with."""

from __future__ import annotations

from dataclasses import dataclass, field
from typing import TYPE_CHECKING

from envcompile.errors import Problem, UsageError
from envcompile.scaling.podworld import Demand, Series

if TYPE_CHECKING:
    from collections.abc import Mapping

    import numpy as np
    import numpy.typing as npt


def require_numpy() -> None:
    """Say how to install what fast replays need.

    Raises:
        UsageError: numpy is not installed.
    """
    try:
        import numpy  # ruff: ignore[unused-import, unconventional-import-alias] - only whether it is there
    except ImportError as error:
        raise UsageError([
            Problem("simulations need numpy", "install it: pip install 'envcompile[scaling]'")
        ]) from error


@dataclass(frozen=True, slots=True, eq=False)
class Column:
    """One load: whole numbers, one for each 15 s, and where they are known at all."""

    values: npt.NDArray[np.int64]
    known: npt.NDArray[np.bool_] | None = None
    """None: everywhere."""
    idle: int = 0
    burn: int = 0

    def listed(self) -> list[int | None]:
        """The same with None where nothing is known."""
        values: list[int | None] = self.values.tolist()
        if self.known is None:
            return values
        return [value if known else None for value, known in zip(values, self.known.tolist(), strict=True)]


@dataclass(frozen=True, slots=True, eq=False)
class Columns:
    """Every load of a replay; the units are those of `Demand`, an external metric's series are summed."""

    samples: int
    resources: Mapping[str, Column] = field(default_factory=dict)
    pods: Mapping[str, Column] = field(default_factory=dict)
    objects: Mapping[str, Column] = field(default_factory=dict)
    external: Mapping[str, Column] = field(default_factory=dict)

    def demand(self) -> Demand:
        """The same for an exact replay."""
        return Demand(
            {name: Series(one.listed(), one.idle, one.burn) for name, one in self.resources.items()},
            {name: Series(one.listed(), one.idle, one.burn) for name, one in self.pods.items()},
            {name: one.listed() for name, one in self.objects.items()},
            {
                name: [None if value is None else [value] for value in one.listed()]
                for name, one in self.external.items()
            },
        )
