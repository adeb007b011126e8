"""What a user reads when the sources of a project are wrong."""

from __future__ import annotations

from typing import TYPE_CHECKING, NamedTuple

from envcompile import sources
from envcompile.errors import EnvcError

if TYPE_CHECKING:
    from pathlib import Path

ENVIRONMENT = "apiVersion: envcompile.dev/v1\nkind: Environment\n"
CONFIG_MAP = "apiVersion: v1\nkind: ConfigMap\nmetadata:\n  name: a\n"


class Case(NamedTuple):
    """A source that is wrong and the whole message about it."""

    text: str
    expected: str


def read(root: Path, *names: str) -> dict[str, sources.EnvironmentSources]:
    """The named environments of a project, or all of them, by name."""
    project = sources.read_project(sources.WorkingTree(root))
    parsed = sources.new_parsed_files()
    found = {name: sources.read_environment(project, name, parsed) for name in names or project.environments}
    for environment in found.values():
        assert len(environment.layers) == len(environment.scans)  # files are read when somebody asks for them
    return found


def complaint(root: Path, *names: str) -> str:
    """The whole message about what is wrong with a project; empty when nothing is."""
    try:
        read(root, *names)
    except EnvcError as error:
        return str(error)
    return ""


def blocks(text: str) -> list[str]:
    """The single problems of a message."""
    return text.split("\n\n")
