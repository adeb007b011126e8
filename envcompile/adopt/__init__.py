"""The way in: a first repository for those who have none, and existing manifests or kustomizations brought over."""

from __future__ import annotations

from envcompile.adopt.adoption import Adoption, from_kustomize, from_manifests
from envcompile.adopt.scaffold import scaffold

__all__ = ["Adoption", "from_kustomize", "from_manifests", "scaffold"]
