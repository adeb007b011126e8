"""From files to what each environment is made from: project, layers, documents, parameters, jsonnet."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

if TYPE_CHECKING:
    from envcompile.sources.environments import (
        EnvironmentSources,
        ProjectSources,
        new_parsed_files,
        read_environment,
        read_project,
    )
    from envcompile.sources.parsed import ParsedFiles
    from envcompile.sources.project import find_root
    from envcompile.sources.tree import File, FileEntry, Tree, WorkingTree

__all__ = [
    "EnvironmentSources",
    "File",
    "FileEntry",
    "ParsedFiles",
    "ProjectSources",
    "Tree",
    "WorkingTree",
    "find_root",
    "new_parsed_files",
    "read_environment",
    "read_project",
]

_HOMES = {  # ruff: ignore[non-empty-init-module] - as below
    "EnvironmentSources": "environments",
    "File": "tree",
    "FileEntry": "tree",
    "ParsedFiles": "parsed",
    "ProjectSources": "environments",
    "Tree": "tree",
    "WorkingTree": "tree",
    "find_root": "project",
    "new_parsed_files": "environments",
    "read_environment": "environments",
    "read_project": "environments",
}


def __getattr__(name: str) -> Any:
    from importlib import import_module

    if name in _HOMES:
        value = getattr(import_module(f"envcompile.sources.{_HOMES[name]}"), name)
        globals()[name] = value
        return value
    raise AttributeError(f"module {__name__!r} has no attribute {name!r}")
