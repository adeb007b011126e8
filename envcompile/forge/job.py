"""What a CI job knows about the pull request it runs for."""

from __future__ import annotations

from typing import TYPE_CHECKING, NamedTuple

from envcompile.errors import Problem, UsageError

if TYPE_CHECKING:
    from collections.abc import Mapping
    from pathlib import Path

    from envcompile.forge.comments import Host


class Job(NamedTuple):
    """A CI job for a pull request."""

    host: str
    """The host's name, as `hosts` has it."""
    api: str
    repository: str
    number: int
    base: str
    """A commit of the branch that the pull request goes to."""
    head: str
    """The pull request's newest commit."""
    token: str
    is_fork: bool
    """True when the change comes from another repository, whose jobs get a token that may only read."""
    summary: Path | None
    """The file that becomes the job's summary."""

    def __repr__(self) -> str:
        return f"Job({self.host} {self.repository} {self.number})"

    def connect(self, author: str | None = None) -> Host:
        """The host's comments; on GitHub those of this author, of the token's owner when left out.

        Raises:
            UsageError: there is no token.
        """
        from envcompile.forge.registry import hosts

        host = hosts()[self.host]
        if not self.token:
            raise UsageError([Problem(f"{host.TOKEN_VARIABLE} is not set", host.TOKEN_ADVICE)])
        return host.connect(self, author)

    @property
    def limit(self) -> int:
        """Bytes that one comment may have on its host."""
        from envcompile.forge.registry import hosts

        return hosts()[self.host].LIMIT


def find_job(environ: Mapping[str, str]) -> Job | None:
    """The job that this process is part of; None outside of a pull request's job.

    Raises:
        UsageError: the job's event cannot be read.
    """
    from envcompile.forge.registry import hosts

    return next((job for host in hosts().values() if (job := host.find_job(environ)) is not None), None)
