"""Compiling small repositories in this process and looking at the result."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

from envcompile import EnvcError, Project

if TYPE_CHECKING:
    from pathlib import Path

    from envcompile import Resource


def resources(root: Path, environment: str = "prod") -> dict[str, Resource]:
    """The resources of one environment by `Kind/name`, which must tell them apart."""
    found: dict[str, Resource] = {}
    for resource in Project.open(root).compile(environment).resources:
        assert resource.id.short not in found, f"two resources are {resource.id.short}"
        found[resource.id.short] = resource
    return found


def value_of(root: Path, name: str, environment: str = "prod") -> dict[str, Any]:
    """The compiled value of one resource, by `Kind/name`."""
    return resources(root, environment)[name].value


def complaint(root: Path, environment: str = "prod") -> str:
    """The whole message about what is wrong with an environment; empty when nothing is."""
    try:
        Project.open(root).compile(environment)
    except EnvcError as error:
        return str(error)
    return ""
