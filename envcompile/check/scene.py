"""One environment as rules look at it: its resources by kind and name, its pods, and who selects or names whom."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any, NamedTuple

if TYPE_CHECKING:
    from collections.abc import Sequence

    from envcompile.kubeapi import KubeApi
    from envcompile.model import Resource, ResourceId


class SealingKeys(NamedTuple):
    """Where the private keys that open the environment's SealedSecrets live in its cluster."""

    namespace: str
    controller: str
    """Name of the controller's Service and ServiceAccount."""


class Scene:
    """The resources of one environment, read once for all rules.

    Args:
        environment: its name.
        resources: compiled, free of plaintext.
        api: the Kubernetes API of the environment's version with its CRDs.
        keys: where the sealing keys live.
    """

    def __init__(self, environment: str, resources: Sequence[Resource], api: KubeApi, keys: SealingKeys) -> None:
        self.environment = environment
        self.resources = tuple(resources)
        self.api = api
        self.keys = keys
        self._by_kind: dict[tuple[str, str], list[Resource]] = {}
        for resource in resources:
            self._by_kind.setdefault((resource.id.group, resource.id.kind), []).append(resource)

    def of_kind(self, group: str, *kinds: str) -> list[Resource]:
        """The resources of some kinds of a group, in the environment's order within each kind."""
        return [resource for kind in kinds for resource in self._by_kind.get((group, kind), ())]

    def named(self, group: str, kind: str, namespace: str, name: str) -> Resource | None:
        """One resource, when the environment has it."""
        wanted: ResourceId | tuple[Any, ...] = (group, kind, namespace, name)
        return next((item for item in self._by_kind.get((group, kind), ()) if item.id == wanted), None)
