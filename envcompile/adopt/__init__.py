"""The way in: a first repository for those who have none, and existing manifests or kustomizations brought over."""

from __future__ import annotations

from envcompile.adopt.adoption import Adoption, from_kustomize, from_manifests
from envcompile.adopt.scaffold import scaffold
from envcompile.adopt.wishes import Wishes, read_wishes

__all__ = ["Adoption", "Wishes", "from_kustomize", "from_manifests", "read_wishes", "scaffold"]
