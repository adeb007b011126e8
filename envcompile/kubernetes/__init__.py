"""The Kubernetes API as data: kinds, scopes, fields, merge rules of lists, for every supported version and for CRDs."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

if TYPE_CHECKING:
    from envcompile.kubernetes.api import KubeApi, load, shortcomings
    from envcompile.kubernetes.crds import MergeKeyError
    from envcompile.kubernetes.schema import UNKNOWN_RULE, ListRule, Node, Shortcoming, json_type
    from envcompile.kubernetes.tables import UnknownVersionError, supported_versions

__all__ = [
    "UNKNOWN_RULE",
    "KubeApi",
    "ListRule",
    "MergeKeyError",
    "Node",
    "Shortcoming",
    "UnknownVersionError",
    "json_type",
    "load",
    "shortcomings",
    "supported_versions",
]

_HOMES = {  # ruff: ignore[non-empty-init-module] - names are imported when first used: start-up is part of the product
    "KubeApi": "api",
    "ListRule": "schema",
    "MergeKeyError": "crds",
    "Node": "schema",
    "Shortcoming": "schema",
    "UNKNOWN_RULE": "schema",
    "UnknownVersionError": "tables",
    "json_type": "schema",
    "load": "api",
    "shortcomings": "api",
    "supported_versions": "tables",
}


def __getattr__(name: str) -> Any:
    from importlib import import_module

    if name in _HOMES:
        value = getattr(import_module(f"envcompile.kubernetes.{_HOMES[name]}"), name)
        globals()[name] = value
        return value
    raise AttributeError(f"module {__name__!r} has no attribute {name!r}")
