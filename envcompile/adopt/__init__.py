"""The way in: a first repository for those who have none, and existing manifests or kustomizations brought over."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

if TYPE_CHECKING:
    from envcompile.adopt.adoption import Adoption, from_kustomize, from_manifests
    from envcompile.adopt.scaffold import scaffold

__all__ = ["Adoption", "from_kustomize", "from_manifests", "scaffold"]

_HOMES = {
    "Adoption": "adoption",
    "from_kustomize": "adoption",
    "from_manifests": "adoption",
    "scaffold": "scaffold",
}


def __getattr__(name: str) -> Any:
    from importlib import import_module

    if name in _HOMES:
        value = getattr(import_module(f"envcompile.adopt.{_HOMES[name]}"), name)
        globals()[name] = value
        return value
    raise AttributeError(f"module {__name__!r} has no attribute {name!r}")
