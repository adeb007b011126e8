"""Finds who compiles units by the scheme of an address: each module of `units/engines/` is one scheme."""

from __future__ import annotations

from typing import TYPE_CHECKING, NamedTuple, Protocol, cast

from envcompile.errors import Problem, UsageError, did_you_mean
from envcompile.registry import module_of, names_in
from envcompile.units import engines as folder

if TYPE_CHECKING:
    from concurrent.futures import Executor
    from contextlib import AbstractContextManager


class Engine(NamedTuple):
    """What computes for somebody who waits."""

    executor: Executor
    workers: int
    """How many batches it works on at a time."""
    lost: tuple[type[Exception], ...]
    """What a future raises when its worker is gone."""


class EngineModule(Protocol):
    """What a module of `engines/` offers; its name is the scheme."""

    @property
    def IS_REMOTE(self) -> bool:  # ruff: ignore[invalid-function-name] - the name of a module's constant
        """Whether it may be on other machines: with another envc, and seen by others."""
        ...

    def opened(self, address: str) -> AbstractContextManager[Engine]:
        """The engine, for use in a `with` statement.

        Args:
            address: what stands behind `SCHEME://`.

        Raises:
            UsageError: the address is none.
            UnavailableError: it does not answer.
        """
        ...


def schemes() -> tuple[str, ...]:
    """What an address can begin with."""
    return names_in(folder.__path__)


def find_engine(address: str) -> tuple[EngineModule, str]:
    """The engine that an address names, and what the address says to it.

    Args:
        address: `SCHEME://…`, such as `dask://scheduler:8786` or `processes://4`.

    Raises:
        UsageError: the address names no engine.
    """
    scheme, found, rest = address.partition("://")
    known = schemes()
    if not found or scheme not in known:
        listed = " or ".join(f"{name}://…" for name in known)
        raise UsageError([Problem(f"`{address}` names no engine", did_you_mean(scheme, known, f"write {listed}"))])
    return cast("EngineModule", module_of(folder, scheme)), rest
