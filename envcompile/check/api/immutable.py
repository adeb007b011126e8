"""What the API server refuses of an object because another one stands in the cluster already: fields that must stay.

The table `immutable.json` has the fields of each kind; pods, Jobs, Services, volumes and claims have rules of their
own. What an object was is what was compiled before: defaults that the server added are taken off both sides.
"""

from __future__ import annotations

import json
from functools import cache
from typing import TYPE_CHECKING, Any, Final, NamedTuple

from envcompile.check.api.book import TABLES, full_name
from envcompile.check.api.decoded import decoded
from envcompile.check.reading import at, list_at, map_at, maps_at, number_at, text_at
from envcompile.kubernetes.podspecs import CONTAINER_LISTS
from envcompile.kubernetes.quantities import quantity

if TYPE_CHECKING:
    from collections.abc import Callable, Iterator, Mapping

    from envcompile.check.api.refusal import Said
    from envcompile.kubernetes import KubeApi, Node
    from envcompile.model import Pointer

_STAYS: Final = "cannot be changed once the object is there"
_INDEXED: Final = "Indexed"
_CLAIM: Final = full_name("core.v1.PersistentVolumeClaimSpec")
_NOT_FALSE: Final = frozenset({"attachRequired", "automountServiceAccountToken", "enableServiceLinks"})
"""Fields that mean something else when they are left out than when they are false."""
_GIVEN_TOLERATIONS: Final = frozenset({"node.kubernetes.io/not-ready", "node.kubernetes.io/unreachable"})
"""Keys of tolerations that every pod gets (plugin/pkg/admission/defaulttolerationseconds)."""
_SUSPENDED_CAN_CHANGE: Final = ("affinity", "nodeSelector", "schedulingGates", "tolerations")
_NOT_OF_A_SOURCE: Final = frozenset({
    "accessModes", "capacity", "claimRef", "mountOptions", "nodeAffinity", "persistentVolumeReclaimPolicy",
    "storageClassName", "volumeAttributesClassName", "volumeMode",
})  # fmt: skip


class _Field(NamedTuple):
    path: tuple[str, ...]
    default: Any
    sort: str
    """`?`: it can be set later, and then stays; `~`: it can be set and taken away, and not changed."""
    condition: str = ""
    """The field that must have been true for this one to be bound to stay."""


class _Sides(NamedTuple):
    """An object as it was and as it is meant to be, without what the API server adds by itself."""

    old: dict[str, Any]
    new: dict[str, Any]


class Bound(NamedTuple):
    """What of a kind decides whether a change of an object is refused."""

    paths: tuple[tuple[str, ...], ...]
    """Where nothing of these changes nothing is refused."""
    condition: str
    """The field without which, before and after, no other field must stay but these; empty where there is none."""


def can_refuse(group: str, kind: str) -> bool:
    """Tell whether a kind has fields that must stay."""
    rule = f"{group}/{kind}"
    return rule in _fields() or rule in _SPECIAL


@cache
def bound_fields(group: str, kind: str) -> Bound:
    """The fields that the API server looks at when an object of a kind is changed."""
    rule = f"{group}/{kind}"
    fields = _fields().get(rule, ())
    condition = next((field.condition for field in fields if field.condition), "")
    paths = [*_LOOKED_AT[rule]] if rule in _SPECIAL else []
    return Bound((*paths, *(field.path for field in fields if not field.condition)), condition)


def refused_changes(api: KubeApi, old: dict[str, Any], new: dict[str, Any]) -> Iterator[tuple[Pointer, str]]:
    """List the changes that the API server refuses.

    Args:
        api: knows the kind.
        old: what stands in the cluster: what was compiled last.
        new: what is compiled now, of the same kind and name.
    """
    group, _, version = str(new.get("apiVersion", "")).rpartition("/")
    kind = str(new.get("kind", ""))
    rule = f"{group}/{kind}"
    fields, special = _fields().get(rule, ()), _SPECIAL.get(rule)
    node = api.node(group, version, kind) if fields or special else None
    if node is None:
        return
    sides = _Sides(*(_plain(decoded(value, node), node) for value in (old, new)))
    for path, default, sort, condition in fields:
        was, now = (at(side, *path) for side in sides)
        was, now = (default if side in _EMPTY else side for side in (was, now))
        is_free = was == now or (sort and was is None) or (sort == "~" and now is None)
        if is_free or (condition and at(sides.old, condition) is not True):
            continue
        yield path, f"`{'.'.join(path)}` {_STAYS}"
    if special is not None:
        yield from special(*sides)


def is_made_anew(value: dict[str, Any]) -> bool:
    """Tell whether Argo CD or Helm deletes an object before it makes it: a hook, or one that is replaced by force."""
    notes = map_at(value, "metadata", "annotations")
    options = [option.strip() for option in text_at(notes, "argocd.argoproj.io/sync-options").split(",")]
    return any(name in notes for name in _HOOKS) or {"Force=true", "Replace=true"} <= {*options}


_HOOKS: Final = ("argocd.argoproj.io/hook", "helm.sh/hook")
_EMPTY: Final[tuple[Any, ...]] = (None, "", [], {})


@cache
def _fields() -> Mapping[str, tuple[_Field, ...]]:
    return {
        kind: (
            *_read(entry.get("fields", ""), entry.get("while", "")),
            *_read(entry.get("always", ""), ""),
        )
        for kind, entry in json.loads((TABLES / "immutable.json").read_bytes()).items()
        if "/" in kind
    }


def _read(words: str, condition: str) -> Iterator[_Field]:
    for word in words.split():
        path, _, default = word.partition("=")
        absent = None if not default else json.loads(default) if default[0] in "[tf" else default
        sort = path[0] if path[0] in "?~" else ""
        yield _Field(tuple(path.removeprefix(sort).split(".")), absent, sort, condition)


@cache
def _defaults() -> Mapping[str, Mapping[str, Any]]:
    said = json.loads((TABLES / "immutable.json").read_bytes())["defaults"]
    return {full_name(name): fields for name, fields in said.items() if name != "@"}


def _plain(value: Any, node: Node | None) -> Any:
    """A value without what says nothing: what is empty or false, and defaults; numbers and quantities as one form.

    In a map of texts with free keys an empty text says that the key is there.
    """
    if isinstance(value, dict):
        if node is not None and not node.fields and (inside := node.child("")) is not None and inside.type == "string":
            return {key: "" if inner is None else inner for key, inner in value.items()}
        defaults = _defaults().get(node.name, {}) if node is not None else {}
        is_claim = node is not None and node.name == _CLAIM
        found = {}
        for key, inner in value.items():
            item = _plain(inner, node.child(key) if node is not None else None)
            says_nothing = item in _EMPTY or (item is False and key not in _NOT_FALSE)
            if is_claim and key == "storageClassName":  # an empty one is another than none
                says_nothing = item is None
            if not says_nothing and not (key in defaults and item == defaults[key]):
                found[key] = item
        if node is not None:
            _take_off(found, node.name)
        return found
    if isinstance(value, list):
        return [_plain(item, node.items if node is not None else None) for item in value]
    if node is not None and node.type == "quantity":
        amount = quantity(value)
        return value if amount is None else amount
    return value


def _take_off(value: dict[str, Any], name: str) -> None:
    """Take off the defaults that depend on other fields."""
    if name.endswith("ResourceRequirements") and "limits" in value:
        value["requests"] = {**value["limits"], **value.get("requests", {})}
    for field, image in (("imagePullPolicy", "image"), ("pullPolicy", "reference")):
        if field in value and value[field] == _pull(text_at(value, image)):
            del value[field]
    if value.get("hostNetwork") is True:
        for _, port in maps_at(value, "containers", "ports"):
            if port.get("hostPort") == port.get("containerPort"):
                port.pop("hostPort", None)


def _job(old: dict[str, Any], new: dict[str, Any]) -> Said:
    """The pods of a Job, and its completions; source: validatePodTemplateUpdate, validateCompletions."""
    was, now = map_at(old, "spec"), map_at(new, "spec")
    before, after = map_at(was, "template"), map_at(now, "template")
    if was.get("suspend") is True:
        before, after = _without_scheduling(before), _without_scheduling(after)
    if before != after:
        pointer = ("spec", "template", *_first_difference(before, after))
        yield pointer, f"`spec.template` of a Job {_STAYS}"
    counts = [number_at(side, "completions") for side in (was, now)]
    if counts[0] != counts[1] and None not in counts:
        in_tandem = all(
            text_at(side, "completionMode") == _INDEXED and count == number_at(side, "parallelism")
            for side, count in zip((was, now), counts, strict=True)
        )
        if not in_tandem:
            yield ("spec", "completions"), f"`completions` {_STAYS}, but in an indexed Job together with `parallelism`"


def _without_scheduling(template: dict[str, Any]) -> dict[str, Any]:
    spec = {key: item for key, item in map_at(template, "spec").items() if key not in _SUSPENDED_CAN_CHANGE}
    for name in CONTAINER_LISTS:
        if name in spec:
            spec[name] = [{**item, "resources": {}} for _, item in maps_at(spec, name)]
    return {"spec": spec}


def _pod(old: dict[str, Any], new: dict[str, Any]) -> Said:
    """Images, a shorter deadline and more tolerations can change; source: ValidatePodUpdate."""
    was, now = map_at(old, "spec"), map_at(new, "spec")
    tolerations = list_at(now, "tolerations")
    for item in list_at(was, "tolerations"):
        is_given = isinstance(item, dict) and item.get("key") in _GIVEN_TOLERATIONS
        if not is_given and not any(_without_seconds(item) == _without_seconds(other) for other in tolerations):
            yield ("spec", "tolerations"), "a toleration of a pod cannot be taken away or changed: more can be added"
            break
    before, after = number_at(was, "activeDeadlineSeconds"), number_at(now, "activeDeadlineSeconds")
    if before is not None and (after is None or after > before):
        yield ("spec", "activeDeadlineSeconds"), "`activeDeadlineSeconds` of a pod can only become less"
    before_gates, after_gates = list_at(was, "schedulingGates"), list_at(now, "schedulingGates")
    for index, gate in enumerate(after_gates):
        if gate not in before_gates:
            yield ("spec", "schedulingGates", index), "a scheduling gate of a pod can only be taken away"
    left = [_changeable(side, is_gated=bool(before_gates)) for side in (was, now)]
    if "resources" not in left[1]:  # the server leaves what the whole pod asks for as it was
        left[0].pop("resources", None)
    if left[0] != left[1]:
        pointer = ("spec", *_first_difference(left[0], left[1]))
        yield pointer, f"`{'.'.join(map(str, pointer))}` of a pod {_STAYS}: only images can, and few fields more"


def _without_seconds(toleration: Any) -> Any:
    if not isinstance(toleration, dict):
        return toleration
    return {key: item for key, item in toleration.items() if key != "tolerationSeconds"}


def _changeable(spec: dict[str, Any], *, is_gated: bool) -> dict[str, Any]:
    """What of a pod must stay."""
    free = {"activeDeadlineSeconds", "preemptionPolicy", "schedulingGates", "tolerations"}
    found = {key: item for key, item in spec.items() if key not in free}
    if is_gated:
        found.pop("nodeSelector", None)
        found["affinity"] = {key: item for key, item in map_at(spec, "affinity").items() if key != "nodeAffinity"}
    for name in CONTAINER_LISTS:
        if name in found:
            on_host = spec.get("hostNetwork") is True
            found[name] = [
                _fixed(item, on_host=on_host) if isinstance(item, dict) else item for item in list_at(found, name)
            ]
    return found


def _fixed(container: dict[str, Any], *, on_host: bool) -> dict[str, Any]:
    """What of a container must stay, with what the server fills in or drops.

    Sources: pkg/apis/core/v1/defaults.go, defaultHostNetworkPorts; pkg/api/pod/util.go (the gate of stopSignal is off).
    """
    found = {**container, "image": ""}
    lifecycle = {key: item for key, item in map_at(container, "lifecycle").items() if key != "stopSignal"}
    found.pop("lifecycle", None)
    if lifecycle:
        found["lifecycle"] = lifecycle
    if on_host and isinstance(container.get("ports"), list):
        found["ports"] = [
            {**port, "hostPort": port.get("hostPort") or port.get("containerPort")} if isinstance(port, dict) else port
            for port in container["ports"]
        ]
    return found


def _volume(old: dict[str, Any], new: dict[str, Any]) -> Said:
    """What a persistent volume is made of; source: ValidatePersistentVolumeUpdate."""
    was, now = (
        {key: item for key, item in map_at(side, "spec").items() if key not in _NOT_OF_A_SOURCE} for side in (old, new)
    )
    if was != now:
        yield ("spec", *_first_difference(was, now)), f"what a PersistentVolume is made of {_STAYS}"


def _claim(old: dict[str, Any], new: dict[str, Any]) -> Said:
    """Only the size can grow; source: ValidatePersistentVolumeClaimUpdate."""
    was, now = map_at(old, "spec"), map_at(new, "spec")
    sizes = [at(side, "resources", "requests", "storage") for side in (was, now)]
    if sizes[0] is not None and (sizes[1] is None or sizes[1] < sizes[0]):
        yield ("spec", "resources", "requests", "storage"), "the storage of a claim can only grow"
    left = [_bound_to_stay(side) for side in (was, now)]
    if "dataSourceRef" not in left[1]:  # the server keeps the other one of the two, and fills this in
        left[0].pop("dataSourceRef", None)
    if left[0] != left[1]:
        yield ("spec", *_first_difference(left[0], left[1])), f"the `spec` of a claim {_STAYS}, but for its size"
    for field in ("storageClassName", "volumeName"):  # the cluster fills them in
        if field in was and was[field] != now.get(field):
            yield ("spec", field), f"`{field}` of a claim {_STAYS}"


def _bound_to_stay(spec: dict[str, Any]) -> dict[str, Any]:
    """What of a claim must stay; its two sources are made one by the API server, and the cluster fills in fields."""
    free = ("resources", "volumeAttributesClassName", "volumeMode", "volumeName", "storageClassName", "dataSource")
    found = {key: item for key, item in spec.items() if key not in free}
    source = spec.get("dataSourceRef") or spec.get("dataSource")
    limits = at(spec, "resources", "limits")
    return {**found, **({"dataSourceRef": source} if source else {}), **({"resources": limits} if limits else {})}


def _pull(image: str) -> str:
    """When an image is pulled unless it is said."""
    name = image.rpartition("/")[2]
    is_latest = "@" not in name and (":" not in name or name.endswith(":latest"))
    return "Always" if is_latest else "IfNotPresent"


def _service(old: dict[str, Any], new: dict[str, Any]) -> Said:
    """Addresses and classes; source: validateServiceClusterIPsUpdate, validateLoadBalancerClassField."""
    was, now = map_at(old, "spec"), map_at(new, "spec")
    kinds = [text_at(side, "type") or "ClusterIP" for side in (was, now)]
    if "ExternalName" not in kinds:
        before, after = text_at(was, "clusterIP"), text_at(now, "clusterIP")
        if after and before != after and (before or after == "None"):
            yield ("spec", "clusterIP"), f"`clusterIP` {_STAYS}"
    classes = [text_at(side, "loadBalancerClass") for side in (was, now)]
    if kinds == ["LoadBalancer", "LoadBalancer"] and classes[0] != classes[1]:
        yield ("spec", "loadBalancerClass"), f"`loadBalancerClass` {_STAYS}"
    ports = [number_at(side, "healthCheckNodePort") for side in (was, now)]
    if all(ports) and ports[0] != ports[1]:
        yield ("spec", "healthCheckNodePort"), f"`healthCheckNodePort` {_STAYS}"


def _node(old: dict[str, Any], new: dict[str, Any]) -> Said:
    """The addresses of its pods; source: ValidateNodeUpdate, Convert_v1_NodeSpec_To_core_NodeSpec."""
    before, after = (_pod_ranges(map_at(side, "spec")) for side in (old, new))
    if before and after and before != after:
        yield ("spec", "podCIDRs"), f"`podCIDRs` {_STAYS}"


def _pod_ranges(spec: dict[str, Any]) -> list[Any]:
    """The list, unless it does not begin with the single one."""
    first, listed = text_at(spec, "podCIDR"), list_at(spec, "podCIDRs")
    return [first] if first and listed[:1] != [first] else listed


def _csi_node(old: dict[str, Any], new: dict[str, Any]) -> Said:
    """What a driver says of a node; source: ValidateCSINodeUpdate."""
    drivers = {text_at(item, "name"): item for _, item in maps_at(old, "spec", "drivers")}
    for index, item in maps_at(new, "spec", "drivers"):
        was = drivers.get(text_at(item, "name"))
        same = ("nodeID", "topologyKeys")
        if was is not None and any(was.get(key) != item.get(key) for key in same):
            yield ("spec", "drivers", index), f"what a driver says of a node {_STAYS}"


def _first_difference(old: Any, new: Any) -> Pointer:
    """The first field in which two values differ, as deep as both have it."""
    if isinstance(old, dict) and isinstance(new, dict):
        for key in [*new, *(key for key in old if key not in new)]:
            if old.get(key) != new.get(key):
                return (key, *_first_difference(old.get(key), new.get(key)))
    if isinstance(old, list) and isinstance(new, list) and len(old) == len(new):
        for index, (was, now) in enumerate(zip(old, new, strict=True)):
            if was != now:
                return (index, *_first_difference(was, now))
    return ()


_SPECIAL: Final[Mapping[str, Callable[[dict[str, Any], dict[str, Any]], Said]]] = {
    "/PersistentVolume": _volume,
    "/PersistentVolumeClaim": _claim,
    "/Node": _node,
    "/Pod": _pod,
    "/Service": _service,
    "batch/Job": _job,
    "storage.k8s.io/CSINode": _csi_node,
}

_LOOKED_AT: Final[Mapping[str, tuple[tuple[str, ...], ...]]] = {
    "/PersistentVolume": (("spec",),),
    "/PersistentVolumeClaim": (("spec",),),
    "/Node": (("spec",),),
    "/Pod": (("spec",),),
    "/Service": (("spec", "clusterIP"), ("spec", "loadBalancerClass"), ("spec", "healthCheckNodePort")),
    "batch/Job": (("spec",),),
    "storage.k8s.io/CSINode": (("spec",),),
}
"""What the functions above look at: where it did not change they say nothing."""
