"""The git hosts by name: each module of `forge/hosts/` is one, found by being there."""

from __future__ import annotations

from typing import TYPE_CHECKING, Protocol, cast

from envcompile.forge import hosts as folder
from envcompile.registry import module_of, names_in

if TYPE_CHECKING:
    from collections.abc import Mapping

    from envcompile.forge.comments import Host
    from envcompile.forge.job import Job


class HostModule(Protocol):
    """What the module of a host says about it."""

    @property
    def NAME(self) -> str:  # ruff: ignore[invalid-function-name] - the name of a module's constant
        """How messages call the host."""
        ...

    @property
    def LIMIT(self) -> int:  # ruff: ignore[invalid-function-name] - as NAME
        """Bytes that one comment may have."""
        ...

    @property
    def TOKEN_VARIABLE(self) -> str:  # ruff: ignore[invalid-function-name] - as NAME
        """The env var that holds the token."""
        ...

    @property
    def TOKEN_ADVICE(self) -> str:  # ruff: ignore[invalid-function-name] - as NAME
        """What to do when it is not set."""
        ...

    def find_job(self, environ: Mapping[str, str]) -> Job | None:
        """The job of a pull request that these env vars tell of."""
        ...

    def connect(self, job: Job, author: str | None = None) -> Host:
        """The comments of a job's pull request."""
        ...


def hosts() -> Mapping[str, HostModule]:
    """Every host by its name, in the order of their modules' names."""
    modules = [module_of(folder, name) for name in names_in(folder.__path__)]
    return {module.NAME: cast("HostModule", module) for module in modules}
