"""What is refused of Services and endpoints.

Source: pkg/apis/core/validation/validation.go, validateService and what it calls; ValidateEndpoints.
"""

from __future__ import annotations

from typing import TYPE_CHECKING, Any, Final

from envcompile.check.api.formats import address, block, port, port_or_name
from envcompile.check.api.names import subdomain
from envcompile.check.api.networks import parse_ip, special
from envcompile.check.reading import at, list_at, map_at, maps_at, number_at, text_at

if TYPE_CHECKING:
    from collections.abc import Mapping

    from envcompile.check.api.refusal import Place, Said, Validator
    from envcompile.model import Pointer


def service(spec: dict[str, Any], _: Place) -> Said:
    """Fields that belong to one type of Service, and ports."""
    kind = spec.get("type") or "ClusterIP"
    addresses = _addresses(spec)
    headless = addresses == ["None"]
    if kind == "ExternalName":
        yield from _external_name(spec, addresses)
    elif not spec.get("ports") and not headless:
        yield ("ports",), "`ports` is missing: only a headless Service has none"
    if kind in {"LoadBalancer", "NodePort"} and headless:
        where: Pointer = ("clusterIPs", 0) if spec.get("clusterIPs") else ("clusterIP",)
        called = "" if len(where) > 1 else " (the server calls it `clusterIPs[0]`)"
        yield where, f"`None` cannot be there for `type: {kind}`{called}"
    yield from _ports(spec, kind)
    if kind != "ExternalName":
        yield from _families(spec, addresses)
    for index, text in enumerate(list_at(spec, "externalIPs")):
        if isinstance(text, str) and (what := special(text)):
            yield ("externalIPs", index), f"item {index} of `externalIPs` {what}"
    yield from _balancer(spec, kind)
    yield from _traffic(spec, kind)


def _addresses(spec: dict[str, Any]) -> list[Any]:
    """The cluster's addresses, with `clusterIP` as the first one when only that is said."""
    listed = list_at(spec, "clusterIPs")
    single = spec.get("clusterIP")
    return listed or ([single] if single else [])


def _external_name(spec: dict[str, Any], addresses: list[Any]) -> Said:
    if addresses:
        field = "clusterIPs" if spec.get("clusterIPs") else "clusterIP"
        yield (field,), "an ExternalName Service has no address in the cluster"
    for field in ("ipFamilies", "ipFamilyPolicy"):
        if spec.get(field):
            yield (field,), f"`{field}` cannot be there for `type: ExternalName`"
    name = text_at(spec, "externalName").removesuffix(".")
    if not name:
        yield ("externalName",), "`externalName` is missing"
    elif what := subdomain(name):
        yield ("externalName",), f"`externalName` {what}"


def _ports(spec: dict[str, Any], kind: str) -> Said:
    items = list(maps_at(spec, "ports"))
    names: set[str] = set()
    taken: set[tuple[str, int | None]] = set()
    nodes: set[tuple[str, int]] = set()
    for index, item in items:
        where: Pointer = ("ports", index)
        name, protocol = text_at(item, "name"), text_at(item, "protocol") or "TCP"
        goal = item.get("targetPort")
        if goal and (what := port_or_name(goal)):  # 0 and an empty text are filled in
            yield (*where, "targetPort"), f"`targetPort` {what}"
        if len(list_at(spec, "ports")) > 1 and not name:
            yield (*where, "name"), "`name` is missing: a Service with several ports names them"
        elif name and name in names:
            yield (*where, "name"), f"two ports are called `{name}`"
        names.add(name)
        key = (protocol, number_at(item, "port"))
        if key in taken:
            yield where, f"the port {key[1]}/{protocol} stands twice"
        taken.add(key)
        node = number_at(item, "nodePort") or 0
        if not node:
            continue
        if kind == "ClusterIP":
            yield (*where, "nodePort"), "`nodePort` cannot be there for `type: ClusterIP`"
        if (protocol, node) in nodes:
            yield (*where, "nodePort"), f"the node port {node} stands twice"
        nodes.add((protocol, node))


def _families(spec: dict[str, Any], addresses: list[Any]) -> Said:
    single, listed = spec.get("clusterIP"), list_at(spec, "clusterIPs")
    if listed and single and listed[0] != single:
        yield ("clusterIPs",), "the first of `clusterIPs` is not `clusterIP`"
    elif listed and not single:
        yield ("clusterIPs",), "`clusterIPs` needs `clusterIP`, which is its first"
    if "None" in addresses[1:] or (addresses[:1] == ["None"] and len(addresses) > 1):
        yield ("clusterIPs",), "`None` stands beside addresses"
    field = "clusterIPs" if listed else "clusterIP"
    bad = False
    for index, text in enumerate(addresses):
        if text == "None" and index == 0:
            continue
        given = "" if text is None else text
        what = address(given)
        where: Pointer = (field, index) if listed else (field,)
        if what:
            bad = True
            yield where, f"an address {what}" if listed else f"`clusterIP` {what} (the server calls it `clusterIPs[0]`)"
    families = list_at(spec, "ipFamilies")
    for index, family in enumerate(families):
        if family in families[:index]:
            yield ("ipFamilies", index), f"`{family}` stands twice"
    if len(addresses) > 2:
        yield (field,), "more than two addresses are there"
    if bad:
        return
    parsed = [parse_ip(text) for text in addresses if isinstance(text, str) and text != "None"]
    if len(parsed) > 1 and len({item.version for item in parsed if item}) < len(parsed):
        yield (field,), "two addresses of one family are there"
    for index, (found, family) in enumerate(zip(parsed, families, strict=False)):
        if found is not None and f"IPv{found.version}" != family:
            yield (field, index), f"the address is no {family}, as `ipFamilies` says"
    policy = spec.get("ipFamilyPolicy")
    if policy == "SingleStack" and len(families) > 1:
        yield ("ipFamilyPolicy",), "`ipFamilyPolicy` is SingleStack though two families are there"
    if policy in {None, "SingleStack"} and len(addresses) > 1:
        yield ("ipFamilyPolicy",), "two addresses need `ipFamilyPolicy: PreferDualStack` or RequireDualStack"


def _balancer(spec: dict[str, Any], kind: str) -> Said:
    ranges = list_at(spec, "loadBalancerSourceRanges")
    if kind != "LoadBalancer":
        if ranges:
            yield ("loadBalancerSourceRanges",), "`loadBalancerSourceRanges` needs `type: LoadBalancer`"
        for field in ("allocateLoadBalancerNodePorts", "loadBalancerClass"):
            if spec.get(field) is not None:
                yield (field,), f"`{field}` needs `type: LoadBalancer`"
    for index, text in enumerate(ranges):
        given = "" if text is None else text
        if isinstance(given, str) and (what := block(given.strip())):
            yield ("loadBalancerSourceRanges", index), f"item {index} of `loadBalancerSourceRanges` {what}"


def _traffic(spec: dict[str, Any], kind: str) -> Said:
    outside = kind in {"LoadBalancer", "NodePort"} or (kind == "ClusterIP" and bool(spec.get("externalIPs")))
    policy, health = spec.get("externalTrafficPolicy"), number_at(spec, "healthCheckNodePort") or 0
    if policy and not outside:
        yield ("externalTrafficPolicy",), "`externalTrafficPolicy` needs a Service that is reached from outside"
    if health and not (kind == "LoadBalancer" and policy == "Local"):
        yield (
            ("healthCheckNodePort",),
            ("`healthCheckNodePort` needs `type: LoadBalancer` and `externalTrafficPolicy: Local`"),
        )
    elif health and (what := port(health)):
        yield ("healthCheckNodePort",), f"`healthCheckNodePort` {what}"


def service_object(value: dict[str, Any], _: Place) -> Said:
    """Annotations that say what fields say; source: validateService."""
    notes = map_at(value, "metadata", "annotations")
    ranges = notes.get("service.beta.kubernetes.io/load-balancer-source-ranges")
    where: Pointer = ("metadata", "annotations", "service.beta.kubernetes.io/load-balancer-source-ranges")
    if isinstance(ranges, str) and not at(value, "spec", "loadBalancerSourceRanges"):
        if text_at(value, "spec", "type") != "LoadBalancer":
            yield where, "the annotation needs `type: LoadBalancer`"
        for text in ranges.split(",") if ranges.strip() else ():
            if what := block(text.strip()):
                yield where, f"a range of the annotation {what}"
    mode, hints = (
        notes.get("service.kubernetes.io/topology-mode"),
        notes.get("service.kubernetes.io/topology-aware-hints"),
    )
    if mode is not None and hints is not None and mode != hints:
        where = ("metadata", "annotations", "service.kubernetes.io/topology-mode")
        yield where, "the annotation differs from service.kubernetes.io/topology-aware-hints"


def subset(value: dict[str, Any], _: Place) -> Said:
    """Addresses and ports of Endpoints; source: validateEndpointSubsets."""
    if not value.get("addresses") and not value.get("notReadyAddresses"):
        yield (), "neither `addresses` nor `notReadyAddresses` is there: one must be"
    for field in ("addresses", "notReadyAddresses"):
        for index, item in maps_at(value, field):
            if what := special(text_at(item, "ip")):
                yield (field, index, "ip"), f"`ip` {what}"
    ports = list_at(value, "ports")
    for index, item in maps_at(value, "ports"):
        if len(ports) > 1 and not text_at(item, "name"):
            yield ("ports", index, "name"), "`name` is missing: several ports are named"


RULES: Final[Mapping[str, Validator]] = {
    "core.v1.EndpointSubset": subset,
    "core.v1.Service": service_object,
    "core.v1.ServiceSpec": service,
}
