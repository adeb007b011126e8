"""The Kubernetes API as data: kinds, scopes, fields, merge rules of lists, for every supported version and for CRDs."""

from __future__ import annotations

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
