"""One environment as rules look at it: its resources by kind and name, its pods, and who selects or names whom."""

from __future__ import annotations

import re
from functools import cached_property
from typing import TYPE_CHECKING, Any, Final, NamedTuple

from envcompile.check.grants import grants_of
from envcompile.check.pods import GIVEN_LABELS, pods_of
from envcompile.check.reading import map_at, text_at
from envcompile.check.references import Provisions, references_of
from envcompile.check.scalers import scaler_of
from envcompile.check.selectors import PodIndex
from envcompile.check.suggestions import NamesOfKinds
from envcompile.kubernetes.operatormade import EVERYWHERE
from envcompile.kubernetes.podmakers import makes_hidden_pods

if TYPE_CHECKING:
    from collections.abc import Mapping, Sequence

    from envcompile.check.finding import Severity
    from envcompile.check.grants import Grant
    from envcompile.check.pods import Pods
    from envcompile.check.references import Reference
    from envcompile.check.scalers import Scaler
    from envcompile.kubernetes import KubeApi
    from envcompile.model import Resource, ResourceId

_RBAC_KINDS: Final = ("ClusterRole", "Role", "ClusterRoleBinding", "RoleBinding")
_PRODUCTION: Final = re.compile(r"(?:^|[^a-z])(?:prod|prd|live)", re.IGNORECASE)
_BEFORE_PRODUCTION: Final = re.compile(r"(?:^|[^a-z])(?:non|pre)(?:[^a-z]|$)", re.IGNORECASE)


class SealingKeys(NamedTuple):
    """Where the private keys that open the environment's SealedSecrets live in its cluster."""

    namespace: str
    controller: str
    """Name of the controller's Service and ServiceAccount."""


class CheckInput:
    """The resources of one environment, read once for all rules; what a rule asks for first is made then and kept.

    Args:
        environment: its name.
        resources: compiled, free of plaintext.
        api: the Kubernetes API of the environment's version with its CRDs.
        keys: where the sealing keys live.
        older: resources that were compiled to something else before, as they were.
        right: identities (as of `id`) of values that the tables of what is refused have nothing against.
    """

    def __init__(
        self,
        environment: str,
        resources: Sequence[Resource],
        api: KubeApi,
        keys: SealingKeys,
        older: Mapping[ResourceId, dict[str, Any]] | None = None,
        *,
        right: frozenset[int] = frozenset(),
    ) -> None:
        self.environment = environment
        self.resources = tuple(resources)
        self.api = api
        self.keys = keys
        self.older = older or {}
        self.right = right
        self.names = NamesOfKinds(resources)
        self._by_kind: dict[tuple[str, str], list[Resource]] = {}
        for resource in resources:
            self._by_kind.setdefault((resource.id.group, resource.id.kind), []).append(resource)

    def of_kind(self, group: str, *kinds: str) -> list[Resource]:
        """The resources of some kinds of a group, in the environment's order within each kind."""
        return [resource for kind in kinds for resource in self._by_kind.get((group, kind), ())]

    def named(self, group: str, kind: str, namespace: str, name: str) -> Resource | None:
        """One resource, when the environment has it."""
        return self._by_id.get((group, kind, namespace, name))

    @cached_property
    def _by_id(self) -> dict[tuple[str, str, str, str], Resource]:
        return {resource.id: resource for resource in self.resources}

    @cached_property
    def is_production(self) -> bool:
        """True when the environment's name says so: `prod`, `eu-production`, `live`; not `nonprod` or `pre-prod`."""
        name = self.environment
        return _PRODUCTION.search(name) is not None and _BEFORE_PRODUCTION.search(name) is None

    def in_production(self, severity: Severity) -> Severity:
        """The grade of something that only production must have."""
        return severity if self.is_production else "info"

    @cached_property
    def uses_sealing(self) -> bool:
        """True when the environment holds SealedSecrets or their controller."""
        controller = {(self.keys.namespace, self.keys.controller)}
        return bool(self.of_kind("bitnami.com", "SealedSecret")) or any(
            (resource.id.namespace, resource.id.name) in controller for resource in self.resources
        )

    # ---- pods and who selects them

    @cached_property
    def pods(self) -> tuple[Pods, ...]:
        """The pods of every workload, in the environment's order."""
        return tuple(pods for resource in self.resources if (pods := pods_of(resource)) is not None)

    @cached_property
    def _pods_by_id(self) -> dict[ResourceId, Pods]:
        return {pods.resource.id: pods for pods in self.pods}

    def pods_of(self, identity: ResourceId) -> Pods | None:
        """The pods of one workload."""
        return self._pods_by_id.get(identity)

    @cached_property
    def _index(self) -> PodIndex:
        return PodIndex(self.pods)

    def selected(self, namespace: str, selector: Any) -> tuple[Pods, ...]:
        """The pods of a namespace that a LabelSelector matches."""
        return self._index.selected(namespace, selector)

    def behind(self, service: Resource) -> tuple[Pods, ...]:
        """The pods that a Service sends requests to; none for one without selector."""
        selector = map_at(service.value, "spec", "selector")
        labels = {key: value for key, value in selector.items() if key not in GIVEN_LABELS}
        return self.selected(service.id.namespace, {"matchLabels": labels}) if selector else ()

    @cached_property
    def _services_by_pods(self) -> dict[ResourceId, list[Resource]]:
        found: dict[ResourceId, list[Resource]] = {}
        for service in self.of_kind("", "Service"):
            for pods in self.behind(service):
                found.setdefault(pods.resource.id, []).append(service)
        return found

    def services_of(self, pods: Pods) -> list[Resource]:
        """The Services that send requests to the pods of a workload."""
        return self._services_by_pods.get(pods.resource.id, [])

    @cached_property
    def _budgets_by_pods(self) -> dict[ResourceId, list[Resource]]:
        found: dict[ResourceId, list[Resource]] = {}
        for budget in self.of_kind("policy", "PodDisruptionBudget"):
            for pods in self.selected(budget.id.namespace, map_at(budget.value, "spec").get("selector")):
                found.setdefault(pods.resource.id, []).append(budget)
        return found

    def budgets_of(self, pods: Pods) -> list[Resource]:
        """The PodDisruptionBudgets that select the pods of a workload."""
        return self._budgets_by_pods.get(pods.resource.id, [])

    def unless_operated(self, namespace: str, severity: Severity) -> Severity:
        """The grade of a selector that matches nothing: an operator at work in the namespace may make the pods."""
        return "info" if not self._operated.isdisjoint({namespace, EVERYWHERE}) else severity

    @cached_property
    def _operated(self) -> frozenset[str]:
        makers = (resource.id for resource in self.resources if makes_hidden_pods(resource.id))
        return frozenset(
            EVERYWHERE if self.api.is_namespaced(maker.group, maker.kind) is False else maker.namespace
            for maker in makers
        )

    # ---- scaling

    @cached_property
    def scalers(self) -> tuple[Scaler, ...]:
        """Every HorizontalPodAutoscaler, ScaledObject and VerticalPodAutoscaler with its target."""
        return tuple(scaler for resource in self.resources if (scaler := scaler_of(resource)) is not None)

    @cached_property
    def _scalers_by_target(self) -> dict[tuple[str, str, str, str], list[Scaler]]:
        found: dict[tuple[str, str, str, str], list[Scaler]] = {}
        for scaler in self.scalers:
            found.setdefault(scaler.target, []).append(scaler)
        return found

    def scalers_of(self, identity: ResourceId) -> list[Scaler]:
        """What scales a workload."""
        return self._scalers_by_target.get(identity, [])

    def fewest(self, pods: Pods) -> int:
        """The fewest pods a workload is meant to run: its scaler's minimum, else its replicas, else 1.

        A number in quotes is refused as such; what is meant is plain.
        """
        least = [scaler.least for scaler in self.scalers_of(pods.resource.id) if scaler.changes_number]
        if least:
            return min(least)
        replicas = map_at(pods.resource.value, "spec").get("replicas", 1)
        if isinstance(replicas, str) and replicas.isascii() and replicas.isdigit():
            return int(replicas[:9])
        return replicas if isinstance(replicas, int) else 1

    # ---- references

    @cached_property
    def references(self) -> tuple[Reference, ...]:
        """What the pods of every workload name."""
        return tuple(reference for pods in self.pods for reference in references_of(pods))

    @cached_property
    def provisions(self) -> Provisions:
        """The ConfigMaps, Secrets and claims that will be there to be named."""
        return Provisions(self.resources)

    def account_of(self, pods: Pods) -> Resource | None:
        """The ServiceAccount that the pods of a workload run as, when the environment has it."""
        name = text_at(pods.spec, "serviceAccountName") or text_at(pods.spec, "serviceAccount") or "default"
        return self.named("", "ServiceAccount", pods.namespace, name)

    # ---- access

    @cached_property
    def grants(self) -> tuple[Grant, ...]:
        """What every RoleBinding and ClusterRoleBinding gives to whom."""
        return tuple(grants_of(self.of_kind("rbac.authorization.k8s.io", *_RBAC_KINDS)))
