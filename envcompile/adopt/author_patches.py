"""Patches of kustomizations as the author wrote them: files, texts inside of the kustomization, JSON patches."""

from __future__ import annotations

from typing import TYPE_CHECKING

from envcompile.adopt.kustomization_files import below

if TYPE_CHECKING:
    from envcompile.adopt.kustomization_files import Kustomization


def patch_files(kustomization: Kustomization) -> tuple[str, ...]:
    """The files that a kustomization names as patches, relative to the start, each once."""
    found = []
    for field in ("patchesStrategicMerge", "patches"):
        items = kustomization.value.get(field)
        for each in items if type(items) is list else ():
            path = each.get("path") if type(each) is dict else each
            if type(path) is str and "\n" not in path:
                found.append(below(kustomization.folder, path))
    return tuple(dict.fromkeys(found))
