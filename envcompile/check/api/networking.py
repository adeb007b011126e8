"""What is refused of Ingresses, NetworkPolicies, slices of endpoints, and addresses.

Sources: pkg/apis/networking/validation/validation.go, pkg/apis/discovery/validation/validation.go of
kubernetes/kubernetes; each function names its own there.
"""

from __future__ import annotations

from typing import TYPE_CHECKING, Any, Final

from envcompile.check.api.formats import address, path_segment, port
from envcompile.check.api.names import label, subdomain
from envcompile.check.api.networks import parse_cidr, parse_ip, special
from envcompile.check.reading import at, list_at, maps_at, number_at, text_at

if TYPE_CHECKING:
    from collections.abc import Mapping

    from envcompile.check.api.refusal import Place, Said, Validator
    from envcompile.model import Pointer

_NOT_IN_PATH: Final = ("//", "/./", "/../", "%2f", "%2F")
_NOT_AT_END: Final = ("/..", "/.")


def policy_port(value: dict[str, Any], _: Place) -> Said:
    """A range of ports; source: ValidateNetworkPolicyPort."""
    first, last = value.get("port"), number_at(value, "endPort")
    if last is None:
        return
    if first is None:
        yield ("endPort",), "`endPort` needs `port`"
    elif not isinstance(first, int):
        yield ("endPort",), "`endPort` needs a `port` that is a number"
    elif last < first:
        yield ("endPort",), "`endPort` is less than `port`"
    elif what := port(last):
        yield ("endPort",), f"`endPort` {what}"


def peer(value: dict[str, Any], _: Place) -> Said:
    """A block of addresses by itself; source: ValidateNetworkPolicyPeer."""
    if value.get("ipBlock") is not None and len([key for key in value if value[key] is not None]) > 1:
        yield (), "`ipBlock` stands beside a selector: only one may be there"


def ip_block(value: dict[str, Any], _: Place) -> Said:
    """Exceptions inside of the block; source: ValidateIPBlock."""
    whole = parse_cidr(text_at(value, "cidr"))
    for index, text in enumerate(list_at(value, "except")):
        part = parse_cidr(text) if isinstance(text, str) else None
        if whole is None or part is None:
            continue
        if whole.version != part.version or part.prefixlen <= whole.prefixlen or part.network_address not in whole:
            yield ("except", index), f"item {index} of `except` is no part of `cidr`"


def http_path(value: dict[str, Any], _: Place) -> Said:
    """Paths as they are matched; source: validateHTTPIngressPath."""
    path, kind = text_at(value, "path"), value.get("pathType")
    if kind not in {"Exact", "Prefix"}:
        return
    if not path.startswith("/"):
        yield ("path",), "`path` is no absolute path"
    for part in _NOT_IN_PATH:
        if part in path:
            yield ("path",), f"`path` contains `{part}`"
    if path.endswith(_NOT_AT_END):
        yield ("path",), "`path` ends with `/.` or `/..`"


def backend(value: dict[str, Any], place: Place) -> Said:
    """A Service or another resource; source: validateIngressBackend."""
    service, resource = value.get("service"), value.get("resource")
    if service is not None and resource is not None:
        yield (), "`service` and `resource` stand beside each other: only one may be there"
    elif service is None and resource is None:
        yield (), "neither `service` nor `resource` is there: one must be"
    elif isinstance(resource, dict):
        for field in ("kind", "name"):
            if not resource.get(field):
                yield ("resource", field), f"`{field}` is missing"
            elif what := path_segment(resource[field]):
                yield ("resource", field), f"`{field}` {what}"
        if resource.get("apiGroup") is not None and (what := subdomain(resource["apiGroup"])):
            yield ("resource", "apiGroup"), f"`apiGroup` {what}"
    elif isinstance(service, dict):
        name, number = at(service, "port", "name"), number_at(service, "port", "number")
        if name and number:
            yield ("service", "port"), "`name` and `number` stand beside each other: only one may be there"
            yield (), "`name` and `number` of the port stand beside each other: only one may be there"
        elif not name and not number:
            yield ("service", "port"), "neither `name` nor `number` is there: one must be"
            yield (), "neither `name` nor `number` of the port is there: one must be"
        elif number and (what := port(number)):
            yield ("service", "port", "number"), f"`number` {what}"
        _ = place


def ingress(value: dict[str, Any], _: Place) -> Said:
    """One way to name the class; source: ValidateIngressCreate."""
    note, field = (
        at(value, "metadata", "annotations", "kubernetes.io/ingress.class"),
        at(value, "spec", "ingressClassName"),
    )
    if isinstance(note, str) and isinstance(field, str) and note != field:
        where: Pointer = ("metadata", "annotations", "kubernetes.io/ingress.class")
        yield where, "the annotation differs from `ingressClassName`"
        yield ("annotations", "kubernetes.io/ingress.class"), "the annotation differs from `ingressClassName`"


def class_parameters(value: dict[str, Any], _: Place) -> Said:
    """A namespace for namespaced ones; source: validateIngressClassParametersReference."""
    scope = value.get("scope")
    if scope == "Namespace" and value.get("namespace") is None:
        yield ("namespace",), "`namespace` is missing: `scope: Namespace` needs it"
    elif scope in {None, "Cluster"} and value.get("namespace") is not None:
        yield ("namespace",), "`namespace` needs `scope: Namespace`"


def service_cidrs(value: dict[str, Any], _: Place) -> Said:
    """One range for each family; source: ValidateServiceCIDR."""
    parsed = [parse_cidr(text) for text in list_at(value, "cidrs") if isinstance(text, str)]
    found = [item.version for item in parsed if item is not None]
    if len(found) > 1 and len(set(found)) < len(found):
        yield ("cidrs",), "two ranges of one family are there"


def endpoint_slice(value: dict[str, Any], _: Place) -> Said:
    """Addresses of the slice's type, and ports; source: validateEndpoints, validatePorts."""
    kind = value.get("addressType")
    for index, item in maps_at(value, "endpoints"):
        for position, text in enumerate(list_at(item, "addresses")):
            what = _endpoint_address(kind, "" if text is None else text)
            if what:
                yield ("endpoints", index, "addresses", position), f"item {position} of `addresses` {what}"
    names: list[str] = []
    for index, item in enumerate(list_at(value, "ports")):
        name = text_at(item, "name")
        if name in names:
            yield ("ports", index, "name"), f"two ports are called `{name}`"
        names.append(name)


def _endpoint_address(kind: Any, text: Any) -> str | None:
    if not isinstance(text, str):
        return None
    if kind == "FQDN":
        name = text.removesuffix(".")
        if what := subdomain(name):
            return what
        parts = name.split(".")
        if len(parts) < 2:
            return "is no name of a host with its domain"
        return next((what for part in parts if (what := label(part))), None)
    if kind not in {"IPv4", "IPv6"}:
        return None
    if what := address(text, "strict" if kind == "IPv6" else ""):
        return what
    found = parse_ip(text)
    if found is not None and f"IPv{found.version}" != kind:
        return f"is no {kind} address"
    return special(text)


RULES: Final[Mapping[str, Validator]] = {
    "discovery.v1.EndpointSlice": endpoint_slice,
    "networking.v1.HTTPIngressPath": http_path,
    "networking.v1.IPBlock": ip_block,
    "networking.v1.Ingress": ingress,
    "networking.v1.IngressBackend": backend,
    "networking.v1.IngressClassParametersReference": class_parameters,
    "networking.v1.NetworkPolicyPeer": peer,
    "networking.v1.NetworkPolicyPort": policy_port,
    "networking.v1.ServiceCIDRSpec": service_cidrs,
}
