"""Services, monitors and network policies: whom they lead to, and through which port."""

from __future__ import annotations

from itertools import starmap
from typing import TYPE_CHECKING, Any, Final

from envcompile.check.finding import Hit
from envcompile.check.reading import list_at, map_at, maps_at, number_at, scalar_at, strings_at, text_at, texts_at
from envcompile.check.rule import Rule
from envcompile.check.rules.references import suggestion
from envcompile.check.selectors import is_empty, matches, spell

if TYPE_CHECKING:
    from collections.abc import Iterator

    from envcompile.check.check_input import Scene
    from envcompile.check.pods import Pods
    from envcompile.model import Pointer, Resource

_NETWORKING: Final = "networking.k8s.io"
_METRICS_PORTS: Final = frozenset({"metrics", "http-metrics", "prometheus", "monitoring"})
_OTHER_POLICIES: Final = (
    ("cilium.io", "CiliumNetworkPolicy", "CiliumClusterwideNetworkPolicy"),
    ("crd.projectcalico.org", "NetworkPolicy", "GlobalNetworkPolicy"),
    ("projectcalico.org", "NetworkPolicy", "GlobalNetworkPolicy"),
    ("policy.networking.k8s.io", "AdminNetworkPolicy", "BaselineAdminNetworkPolicy"),
)
"""Policies of network plugins, which this module does not read: where they are, nothing is called missing."""


def _no_pods(scene: Scene) -> Iterator[Hit]:
    for service in scene.of_kind("", "Service"):
        selector = map_at(service.value, "spec", "selector")
        if selector and service.value["spec"].get("type") != "ExternalName" and not scene.behind(service):
            yield Hit(
                service.id,
                ("spec", "selector"),
                f"the selector `{spell({'matchLabels': selector})}` matches no pods of the environment: requests go"
                " nowhere",
                "write labels of the pod template that should answer",
                scene.unless_operated(service.id.namespace, "warning"),
            )


def _port_mismatch(scene: Scene) -> Iterator[Hit]:
    for service in scene.of_kind("", "Service"):
        for pods in scene.behind(service):
            named = {text_at(port, "name"): port for _, _, port in pods.ports() if text_at(port, "name")}
            numbers = {str(port.get("containerPort")) for _, _, port in pods.ports()}
            for position, port in maps_at(service.value, "spec", "ports"):
                target = scalar_at(port, "targetPort") or scalar_at(port, "port")
                pointer: Pointer = ("spec", "ports", position, "targetPort" if "targetPort" in port else "port")
                if isinstance(target, str) and not target.isdigit():
                    if target not in named:
                        yield Hit(
                            service.id,
                            pointer,
                            f"the pods of {pods.name} have no port called `{target}`: nothing answers on this port",
                            f"{suggestion(target, named)}name a container port `{target}`",
                            value=[pods.name, target],
                        )
                elif target is not None and numbers and str(target) not in numbers:
                    yield Hit(
                        service.id,
                        pointer,
                        f"no container of {pods.name} lists the port {target}",
                        f"write one of {', '.join(sorted(numbers))}, or add {target} to the container's `ports`",
                        # A port need not be listed to be open.
                        "warning",
                        value=[pods.name, target],
                    )


def _metrics_port(scene: Scene) -> Iterator[Hit]:
    for pods in scene.pods:
        asked = pods.annotations.get("prometheus.io/port")
        ports = [port for _, _, port in pods.ports()]
        if asked is None or pods.annotations.get("prometheus.io/scrape") != "true" or not ports:
            continue
        due = [str(port.get("containerPort")) for port in ports if text_at(port, "name") in _METRICS_PORTS]
        pointer = (*pods.pointer, "metadata", "annotations", "prometheus.io/port")
        if due and asked not in due:
            what = f"Prometheus is told to scrape port {asked}, but the port called metrics is {due[0]}"
            yield Hit(pods.resource.id, pointer, what, f'write `prometheus.io/port: "{due[0]}"`')
        elif asked not in {str(port.get("containerPort")) for port in ports}:
            what = f"Prometheus is told to scrape port {asked}, which no container lists"
            yield Hit(pods.resource.id, pointer, what, "write the port on which the metrics are served")


def _monitor(scene: Scene) -> Iterator[Hit]:
    for monitor in scene.of_kind("monitoring.coreos.com", "ServiceMonitor"):
        spec = map_at(monitor.value, "spec")
        namespaces = _monitored(monitor)
        watched = [s for s in scene.of_kind("", "Service") if _is_watched(s.id.namespace, namespaces)]
        selector = spec.get("selector")
        services = [each for each in watched if matches(selector, strings_at(each.value, "metadata", "labels"))]
        if not watched:
            continue  # what it watches is not part of the environment
        if not services:
            what = f"the selector `{spell(selector)}` matches no Service of the environment"
            yield Hit(monitor.id, ("spec", "selector"), what, "write labels that the Service itself has")
            continue
        names = {text_at(port, "name") for service in services for _, port in maps_at(service.value, "spec", "ports")}
        for position, endpoint in maps_at(spec, "endpoints"):
            port = text_at(endpoint, "port")
            if port and port not in names:
                what = f"no Service that it selects has a port called `{port}`: nothing is scraped"
                fix = f"{suggestion(port, names)}name a port of the Service `{port}`"
                yield Hit(monitor.id, ("spec", "endpoints", position, "port"), what, fix, value=port)
    for monitor in scene.of_kind("monitoring.coreos.com", "PodMonitor"):
        selector = map_at(monitor.value, "spec").get("selector")
        namespaces = _monitored(monitor)
        found = [p for p in scene.pods if _is_watched(p.namespace, namespaces) and matches(selector, p.labels)]
        if not found:
            what = f"the selector `{spell(selector)}` matches no pods of the environment"
            severity = scene.unless_operated(monitor.id.namespace, "warning")
            yield Hit(monitor.id, ("spec", "selector"), what, "write labels of the pod template", severity)


def _monitored(monitor: Resource) -> set[str] | None:
    """The namespaces that a monitor looks into; None for all."""
    selector = map_at(monitor.value, "spec", "namespaceSelector")
    if selector.get("any") is True:
        return None
    return set(texts_at(selector, "matchNames")) or {monitor.id.namespace}


def _is_watched(namespace: str, namespaces: set[str] | None) -> bool:
    return namespaces is None or namespace in namespaces


def _policies(scene: Scene) -> list[Resource]:
    return scene.of_kind(_NETWORKING, "NetworkPolicy")


def _dangling(scene: Scene) -> Iterator[Hit]:
    for policy in _policies(scene):
        selector = map_at(policy.value, "spec").get("podSelector")
        if selector and not is_empty(selector) and not scene.selected(policy.id.namespace, selector):
            what = f"the selector `{spell(selector)}` matches no pods of the environment: the policy does nothing"
            severity = scene.unless_operated(policy.id.namespace, "warning")
            yield Hit(policy.id, ("spec", "podSelector"), what, "write labels of the pod template", severity)
        for field, side in (("ingress", "from"), ("egress", "to")):
            for position, rule in maps_at(policy.value, "spec", field):
                for place, peer in maps_at(rule, side):
                    other = peer.get("podSelector")
                    if not other or is_empty(other) or peer.get("namespaceSelector") is not None:
                        continue
                    if not scene.selected(policy.id.namespace, other):
                        yield Hit(
                            policy.id,
                            ("spec", field, position, side, place, "podSelector"),
                            f"the selector `{spell(other)}` matches no pods of its namespace: nobody is let through",
                            "write labels of the pods that are meant, with a namespaceSelector if they are elsewhere",
                            scene.unless_operated(policy.id.namespace, "warning"),
                        )


def _has_other_policies(scene: Scene) -> bool:
    return any(starmap(scene.of_kind, _OTHER_POLICIES))


def _missing(scene: Scene) -> Iterator[Hit]:
    if _has_other_policies(scene):
        return
    covered = {
        pods.resource.id
        for policy in _policies(scene)
        for pods in scene.selected(policy.id.namespace, map_at(policy.value, "spec").get("podSelector"))
    }
    for pods in scene.pods:
        if pods.resource.id not in covered and pods.spec.get("hostNetwork") is not True:
            yield Hit(
                pods.resource.id,
                (),
                "no NetworkPolicy selects the pods: everything in the cluster may talk to them",
                "add a NetworkPolicy with the workload's selector",
                scene.in_production("warning"),
            )


def _no_dns(scene: Scene) -> Iterator[Hit]:
    open_to: dict[Any, list[tuple[Resource, bool]]] = {}
    pods_by_id: dict[Any, Pods] = {}
    for policy in _policies(scene):
        spec = map_at(policy.value, "spec")
        if "Egress" not in texts_at(spec, "policyTypes") and not list_at(spec, "egress"):
            continue
        if not list_at(spec, "egress"):
            continue  # pods that may call nobody need no names
        allows = any(_allows_dns(rule) for _, rule in maps_at(spec, "egress"))
        for pods in scene.selected(policy.id.namespace, spec.get("podSelector")):
            open_to.setdefault(pods.resource.id, []).append((policy, allows))
            pods_by_id[pods.resource.id] = pods
    told: set[Any] = set()
    for identity, policies in open_to.items():
        if any(allows for _, allows in policies) or policies[0][0].id in told or _has_other_policies(scene):
            continue
        told.add(policies[0][0].id)
        yield Hit(
            policies[0][0].id,
            ("spec", "egress"),
            f"the pods of {pods_by_id[identity].name} may call others but not DNS: they find nobody by name",
            "allow port 53, UDP and TCP, to the pods `k8s-app: kube-dns` of kube-system",
        )


def _allows_dns(rule: dict[str, Any]) -> bool:
    ports = list_at(rule, "ports")
    for port in ports:
        number, last = scalar_at(port, "port"), number_at(port, "endPort")
        if number is None or number in {53, 5353, "dns", "dns-tcp"}:
            return True
        if isinstance(number, int) and last is not None and number <= 53 <= last:
            return True
    return not ports


RULES: Final = (
    Rule(
        "service-no-pods",
        "warning",
        "A Service's selector matches pods of the environment.",
        "kubernetes.io, Debug Services; kube-linter dangling-service, kube-score service-targets-pod, Popeye POP-1100",
        _no_pods,
    ),
    Rule(
        "service-port-mismatch",
        "error",
        "A Service leads to a port that its pods have.",
        "kubernetes.io, Service: Port definitions; Popeye POP-1106",
        _port_mismatch,
    ),
    Rule(
        "metrics-port",
        "warning",
        "Prometheus is told the port on which a pod serves its metrics.",
        "Prometheus' example scrape configuration for `prometheus.io/` annotations",
        _metrics_port,
        alone=True,
    ),
    Rule(
        "servicemonitor-dangling",
        "warning",
        "A ServiceMonitor or PodMonitor selects something of the environment, by a port that exists.",
        "prometheus-operator, API of ServiceMonitor; kube-linter dangling-servicemonitor",
        _monitor,
    ),
    Rule(
        "netpol-dangling",
        "warning",
        "The selectors of a NetworkPolicy match pods of the environment.",
        "kube-linter dangling-networkpolicy, kube-score networkpolicy-targets-pod, Popeye POP-1200",
        _dangling,
    ),
    Rule(
        "netpol-missing",
        "warning",
        "Every pod of production is selected by a NetworkPolicy.",
        "kubernetes.io, Network Policies; kube-linter non-isolated-pod, kube-score pod-networkpolicy",
        _missing,
    ),
    Rule(
        "netpol-no-dns",
        "warning",
        "Pods that may call others by a NetworkPolicy may also ask DNS for their names.",
        "kubernetes.io, Network Policies; Kyverno add-networkpolicy-dns",
        _no_dns,
    ),
)
