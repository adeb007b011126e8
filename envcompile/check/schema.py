"""The rule that every other one stands on: a resource is what the Kubernetes API says its kind is."""

from __future__ import annotations

from typing import TYPE_CHECKING, Final

from envcompile.check.finding import Hit
from envcompile.check.rule import Rule
from envcompile.kubernetes import shortcomings

if TYPE_CHECKING:
    from collections.abc import Iterator

    from envcompile.check.check_input import Scene


_SEALED: Final = ("bitnami.com", "SealedSecret")


def _find(scene: Scene) -> Iterator[Hit]:
    fix = f"write it as the API of Kubernetes {scene.api.version} has it: the API server refuses it, or drops the field"
    for resource in scene.resources:
        for pointer, what in shortcomings(scene.api, resource.value):
            yield Hit(resource.id, pointer, what, fix, value=what)


SCHEMA = Rule(
    "schema",
    "error",
    "A resource has the fields and types of its kind; anything else is refused by the API server or silently dropped.",
    "the OpenAPI document of the environment's Kubernetes version, and the CRDs of the repository",
    _find,
    alone=True,
)
"""The Kubernetes schema as a rule; kinds that nothing is known of have none."""


def unknown_kinds(scene: Scene) -> list[str]:
    """The kinds in an environment that no schema is known of, such as `ScaledObject.keda.sh`.

    SealedSecrets are not among them: envc makes them, and compiles none of another form.
    """
    kinds = {(resource.id.group, resource.id.kind) for resource in scene.resources} - {_SEALED}
    return sorted(f"{kind}.{group}" for group, kind in kinds if not scene.api.knows(group, kind))
