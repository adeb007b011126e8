"""Volumes that only one pod or node may have."""

from __future__ import annotations

from typing import TYPE_CHECKING

from envcompile.check.reading import maps_at, text_at, texts_at

if TYPE_CHECKING:
    from envcompile.check.check_input import CheckInput
    from envcompile.check.pods import Pods


def single_claim(inputs: CheckInput, pods: Pods) -> str:
    """The name of a claim of the pods that only one node, or one pod, may have; empty when there is none."""
    for _, volume in maps_at(pods.spec, "volumes"):
        name = text_at(volume, "persistentVolumeClaim", "claimName")
        claim = inputs.named("", "PersistentVolumeClaim", pods.namespace, name) if name else None
        if claim is not None:
            modes = texts_at(claim.value, "spec", "accessModes")
            if modes and set(modes) <= {"ReadWriteOnce", "ReadWriteOncePod"}:
                return name
    return ""
