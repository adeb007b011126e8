"""Folders whose modules are known by being there: adding a file adds what it is, and no line changes elsewhere."""

from __future__ import annotations

from importlib import import_module
from pkgutil import iter_modules
from typing import TYPE_CHECKING

if TYPE_CHECKING:
    from collections.abc import Iterable
    from types import ModuleType


def names_in(paths: Iterable[str]) -> tuple[str, ...]:
    """The names of the modules in a folder, in alphabetical order; none of them is imported.

    Args:
        paths: `__path__` of the folder.
    """
    return tuple(sorted(found.name for found in iter_modules(paths)))


def module_of(folder: ModuleType, name: str) -> ModuleType:
    """One module of a folder, imported."""
    return import_module(f"{folder.__name__}.{name}")
