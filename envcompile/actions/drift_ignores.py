"""The `ignoreDifferences` that hold for an environment: of the Argo CD Applications that the repository has."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any, Final

from envcompile.cluster.drift.ignores import ignores_of, sources_of
from envcompile.errors import EnvcError
from envcompile.yamlio import load_all

if TYPE_CHECKING:
    from collections.abc import Iterator

    from envcompile.cluster.drift.ignores import Ignore
    from envcompile.units.project import CompiledEnvironment, Project

_KINDS: Final = frozenset({"Application", "ApplicationSet"})
_WORD: Final = b"ignoreDifferences"
MOST_BYTES: Final = 4_000_000
"""Of a file that is looked into."""


def ignores_for(project: Project, built: CompiledEnvironment) -> tuple[Ignore, ...]:
    """The entries of every Application that reads the environment's folder.

    Those of Applications among the compiled resources of the environment, and of YAML files anywhere in the repository;
    one whose path holds a parameter of an ApplicationSet counts for every environment.
    """
    environment = built.compiled.environment
    found: list[Ignore] = []
    for value in (*(resource.value for resource in built.compiled.resources), *_written(project)):
        if _is_application(value) and any(_reads(path, environment) for path in sources_of(value)):
            found += ignores_of(value)
    return tuple(dict.fromkeys(found))


def _is_application(value: Any) -> bool:
    return (
        isinstance(value, dict)
        and value.get("kind") in _KINDS
        and str(value.get("apiVersion", "")).startswith("argoproj.io/")
    )


def _reads(path: str, environment: str) -> bool:
    """Whether a folder is an environment's, or one within it; the project may lie deeper in the repository."""
    way = f"/{path.strip('/')}/"
    return "{{" in path or f"/environments/{environment}/" in way


def _written(project: Project) -> Iterator[Any]:
    """The documents of YAML files that say something of differences."""
    tree = project.tree
    for entry in tree.files(""):
        path = entry.path
        if not path.endswith((".yaml", ".yml")) or path.startswith(("environments/", ".envc/")):
            continue
        data = tree.read(path)
        if len(data) > MOST_BYTES or _WORD not in data:
            continue
        try:
            yield from load_all(data, path)
        except EnvcError:
            continue
