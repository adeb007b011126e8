"""The one cleaner of live objects: from what an API server answers to the manifest somebody would apply.

Convert, adopt and drift share it. Three things are taken away: what only the server writes, what it fills in for one
cluster (addresses, ports), and whole objects that the cluster makes by itself.

Sources: kubernetes.io, API conventions (metadata, spec and status) and Server-Side Apply ("metadata.managedFields must
be nil"); `pkg/registry/core/service` (allocated fields); the well-known labels, annotations and taints page.
"""

from __future__ import annotations

import json
import re
from typing import TYPE_CHECKING, Any, Final, NamedTuple

from envcompile.kubernetes import distributions
from envcompile.kubernetes.clustermade import made_by_cluster, map_at
from envcompile.model import LAST_APPLIED_ANNOTATION

if TYPE_CHECKING:
    from collections.abc import Iterable, Iterator, Mapping

LAST_APPLIED: Final = (
    LAST_APPLIED_ANNOTATION,
    "kubecfg.ksonnet.io/last-applied-configuration",
    "kapp.k14s.io/original",
    "objectset.rio.cattle.io/applied",
    "banzaicloud.com/last-applied",
)
"""Where a client-side apply keeps a copy of the whole object, the values of a Secret and all."""

_METADATA: Final = (
    "uid",
    "resourceVersion",
    "generation",
    "creationTimestamp",
    "deletionTimestamp",
    "deletionGracePeriodSeconds",
    "selfLink",
    "managedFields",
)
_MARKS: Final = ("uid", "resourceVersion", "selfLink", "managedFields")
"""Fields that only an answer of an API server has."""
_ANNOTATIONS: Final = re.compile(
    r"deployment\.kubernetes\.io/.*|deprecated\.(?:daemonset|deployment)\..*|autoscaling\.alpha\.kubernetes\.io/(?:conditions|current-metrics)"
    r"|control-plane\.alpha\.kubernetes\.io/leader|endpoints\.kubernetes\.io/last-change-trigger-time"
    r"|pv\.kubernetes\.io/.*|volume(?:\.beta)?\.kubernetes\.io/(?:storage-provisioner|selected-node)"
    r"|batch\.kubernetes\.io/job-tracking|kubernetes\.io/(?:psp|config\..*)|cni\.projectcalico\.org/(?:podIPs?|containerID)"
    r"|kubernetes\.io/service-account\.uid" + distributions.ANNOTATIONS
)
"""Annotations that controllers write on objects which are not theirs.

What people say by an annotation of the same prefix stays: the metrics and the behavior of an autoscaler that was asked
for as autoscaling/v1 stand nowhere else (`pkg/apis/autoscaling/annotations.go`, `v1/conversion.go` of Kubernetes), and
Calico's pools and addresses are a wish (what it writes: `libcalico-go/lib/backend/k8s/conversion/constants.go`)."""
_LABELS: Final = re.compile(
    r"(?:batch\.kubernetes\.io/)?(?:controller-uid|job-name)|pod-template-hash|controller-revision-hash"
)
_FINALIZERS: Final = re.compile(
    r"kubernetes\.io/p(?:v|vc)-protection|service\.kubernetes\.io/.*|orphan|foregroundDeletion|kubernetes"
    + distributions.FINALIZERS
)


class Cleaned(NamedTuple):
    """A manifest, and the names of what was taken out of the live object, such as `status` or `metadata.uid`."""

    value: dict[str, Any]
    removed: tuple[str, ...]


class Sorted(NamedTuple):
    """The objects of a cluster that somebody would apply, and what people should know of the rest."""

    kept: tuple[tuple[int, dict[str, Any]], ...]
    """Each with its position among all objects."""
    notes: tuple[str, ...]


def sort_live(values: Iterable[dict[str, Any]]) -> Sorted:
    """Clean every object, and leave out those that the cluster makes by itself."""
    objects = list(values)
    kept, left_out, removed, touched = [], [], {}, 0
    # A Service without a selector has endpoints that a person writes.
    manual = {
        _place(value) for value in objects if _is(value, "v1", "Service") and not map_at(value, "spec", "selector")
    }
    for position, value in enumerate(objects):
        live = is_live(value)
        is_made = made_by_cluster(value, is_live=live, has_own_endpoints=_place(value) in manual)
        if is_owned(value) or is_made or (live and distributions.made_beside(value)):
            left_out.append(f"{value.get('kind')}/{_place(value)[1]}")
            continue
        cleaned = clean(value)
        kept.append((position, cleaned.value))
        touched += bool(cleaned.removed)
        removed.update(dict.fromkeys(cleaned.removed))
    notes = []
    if removed:
        notes.append(
            f"taken out of {touched} {'object' if touched == 1 else 'objects'}, because only a cluster writes them: "
            + ", ".join(sorted(removed))
        )
    if left_out:
        shown = ", ".join(left_out[:5]) + (f" and {len(left_out) - 5} more" if len(left_out) > 5 else "")
        notes.append(f"left out, because the cluster makes them by itself: {shown}")
    return Sorted(tuple(kept), tuple(notes))


def is_live(value: Mapping[str, Any]) -> bool:
    """Whether an object is an API server's answer and no manifest."""
    metadata = map_at(value, "metadata")
    return any(metadata.get(name) for name in _MARKS) or isinstance(metadata.get("creationTimestamp"), str)


def is_owned(value: Mapping[str, Any]) -> bool:
    """Whether a controller has made the object: its owner makes it again."""
    owners = map_at(value, "metadata").get("ownerReferences")
    return isinstance(owners, list) and any(isinstance(one, dict) and one.get("controller") is True for one in owners)


def clean(value: dict[str, Any], asked: Mapping[str, Any] | None = None) -> Cleaned:
    """The manifest of an object; one that never was in a cluster loses nothing but the copy of itself.

    Fields that somebody asked for stay, where the cluster may have filled them in too (`clusterIP`).

    Args:
        value: the object.
        asked: the manifest that asked for it; default: what the last client-side apply had set.
    """
    live = is_live(value)
    if not live and map_at(value, "metadata", "annotations").keys().isdisjoint(LAST_APPLIED):
        return Cleaned(value, ())
    removed: list[str] = []
    wanted, wanted_labels = map_at(asked, "metadata", "annotations"), map_at(asked, "metadata", "labels")
    asked = last_applied(value) if asked is None else asked
    metadata = _metadata(map_at(value, "metadata"), removed, wanted, wanted_labels, is_live=live)
    found = {**value, **({"metadata": metadata} if "metadata" in value else {})}
    if live:
        if "status" in found:
            del found["status"]
            removed.append("status")
        for path, kept in _SPECIAL.get(str(value.get("kind")), _nothing)(found, asked):
            removed.append(path)
            found = kept
        for path, kept in distributions.without_given(found, asked):
            removed.append(path)
            found = kept
        if isinstance(spec := found.get("spec"), dict):
            within: list[str] = []
            found["spec"] = _without_stamps(spec, within)
            removed += dict.fromkeys(within)
    return Cleaned(found, tuple(removed)) if removed else Cleaned(value, ())


def _nothing(_value: dict[str, Any], _asked: Mapping[str, Any]) -> tuple[tuple[str, dict[str, Any]], ...]:
    return ()


def _metadata(
    metadata: dict[str, Any],
    removed: list[str],
    wanted: Mapping[str, Any],
    wanted_labels: Mapping[str, Any],
    *,
    is_live: bool,
) -> dict[str, Any]:
    only_servers = _METADATA if is_live else ()
    kept = {name: item for name, item in metadata.items() if name not in only_servers}
    removed += [f"metadata.{name}" for name in metadata if name in only_servers]
    annotations = metadata.get("annotations")
    if isinstance(annotations, dict):
        dropped = [
            name
            for name in annotations
            if name in LAST_APPLIED or (is_live and name not in wanted and _ANNOTATIONS.fullmatch(str(name)))
        ]
        _replace(
            kept, "annotations", {name: text for name, text in annotations.items() if name not in dropped}, dropped
        )
        removed += [f"annotation {name}" for name in dropped]
    if not is_live:
        return kept
    if "ownerReferences" in kept:
        del kept["ownerReferences"]
        removed.append("metadata.ownerReferences")
    labels = metadata.get("labels")
    if isinstance(labels, dict) and (
        dropped := [name for name in labels if name not in wanted_labels and distributions.LABELS.fullmatch(str(name))]
    ):
        _replace(kept, "labels", {name: text for name, text in labels.items() if name not in dropped}, dropped)
        removed += [f"label {name}" for name in dropped]
    finalizers = metadata.get("finalizers")
    if isinstance(finalizers, list):
        own = [name for name in finalizers if not _FINALIZERS.fullmatch(str(name))]
        if own != finalizers:
            _replace(kept, "finalizers", own, ["x"])
            removed.append("metadata.finalizers")
    return kept


def _replace(holder: dict[str, Any], name: str, value: Any, dropped: list[str]) -> None:
    """Put a shortened map or list back; one that got empty goes."""
    if value or not dropped:
        holder[name] = value
    else:
        del holder[name]


def _without_stamps(value: Any, removed: list[str]) -> Any:
    """A spec whose templates (pods, volume claims, jobs) have no time of making and no status."""
    if isinstance(value, list):
        return [_without_stamps(item, removed) for item in value]
    if not isinstance(value, dict):
        return value
    found: dict[Any, Any] = {}
    for name, item in value.items():
        if name == "metadata" and isinstance(item, dict) and "creationTimestamp" in item:
            found[name] = {key: text for key, text in item.items() if key != "creationTimestamp"}
            removed.append("metadata.creationTimestamp")
        elif name == "volumeClaimTemplates" and isinstance(item, list):
            removed += ["status" for claim in item if isinstance(claim, dict) and "status" in claim][:1]
            found[name] = [_without_stamps(_less(claim, "status"), removed) for claim in item]
        else:
            found[name] = _without_stamps(item, removed)
    return found


def _less(value: Any, name: str) -> Any:
    return {key: item for key, item in value.items() if key != name} if isinstance(value, dict) else value


def _service(value: dict[str, Any], asked: Mapping[str, Any]) -> Iterator[tuple[str, dict[str, Any]]]:
    spec, wanted = dict(map_at(value, "spec")), map_at(asked, "spec")
    names = ["clusterIPs", "healthCheckNodePort", "ipFamilies"]
    names += [] if spec.get("clusterIP") == "None" else ["clusterIP"]
    names += ["ipFamilyPolicy"] if spec.get("ipFamilyPolicy") == "SingleStack" else []
    for name in names:
        if name in spec and name not in wanted:
            del spec[name]
            yield f"spec.{name}", {**value, "spec": dict(spec)}
    ports, wanted_ports = spec.get("ports"), wanted.get("ports")
    fixed = {
        port["nodePort"]
        for port in (wanted_ports if isinstance(wanted_ports, list) else ())
        if isinstance(port, dict) and isinstance(port.get("nodePort"), int)
    }
    if isinstance(ports, list):
        kept = [
            _less(port, "nodePort") if isinstance(port, dict) and port.get("nodePort") not in fixed else port
            for port in ports
        ]
        if kept != ports:
            yield "spec.ports.nodePort", {**value, "spec": {**spec, "ports": kept}}


def _claim(value: dict[str, Any], asked: Mapping[str, Any]) -> Iterator[tuple[str, dict[str, Any]]]:
    spec = map_at(value, "spec")
    if "volumeName" in spec and "volumeName" not in map_at(asked, "spec"):
        yield "spec.volumeName", {**value, "spec": _less(spec, "volumeName")}


def _volume(value: dict[str, Any], asked: Mapping[str, Any]) -> Iterator[tuple[str, dict[str, Any]]]:
    spec = map_at(value, "spec")
    if "claimRef" in spec and "claimRef" not in map_at(asked, "spec"):
        yield "spec.claimRef", {**value, "spec": _less(spec, "claimRef")}


def _namespace(value: dict[str, Any], _asked: Mapping[str, Any]) -> Iterator[tuple[str, dict[str, Any]]]:
    spec = map_at(value, "spec")
    if spec.get("finalizers") == ["kubernetes"]:
        rest = _less(spec, "finalizers")
        yield "spec.finalizers", {**value, "spec": rest} if rest else _less(value, "spec")


def _account(value: dict[str, Any], asked: Mapping[str, Any]) -> Iterator[tuple[str, dict[str, Any]]]:
    name = re.escape(_place(value)[1])
    secrets = value.get("secrets")
    if isinstance(secrets, list) and "secrets" not in asked:
        made = re.compile(rf"{name}-(?:token|dockercfg)-[a-z0-9]{{5}}")
        kept = [one for one in secrets if not (isinstance(one, dict) and made.fullmatch(str(one.get("name"))))]
        if kept != secrets:
            yield "secrets", {**value, "secrets": kept} if kept else _less(value, "secrets")


def _job(value: dict[str, Any], _asked: Mapping[str, Any]) -> Iterator[tuple[str, dict[str, Any]]]:
    spec = map_at(value, "spec")
    if spec.get("manualSelector") is True:
        return
    if "selector" in spec:
        spec = _less(spec, "selector")
        yield "spec.selector", {**value, "spec": spec}
    # A Job without labels is given those of its pods, these among them.
    own = map_at(value, "metadata", "labels")
    rest = {name: text for name, text in own.items() if not _LABELS.fullmatch(str(name))}
    if rest != own:
        metadata = map_at(value, "metadata")
        value = {**value, "metadata": {**metadata, "labels": rest} if rest else _less(metadata, "labels")}
        yield "label controller-uid", {**value, "spec": spec}
    template = map_at(spec, "template")
    labels = map_at(template, "metadata", "labels")
    kept = {name: text for name, text in labels.items() if not _LABELS.fullmatch(str(name))}
    if kept != labels:
        metadata = (
            {**map_at(template, "metadata"), "labels": kept} if kept else _less(map_at(template, "metadata"), "labels")
        )
        yield "label controller-uid", {**value, "spec": {**spec, "template": {**template, "metadata": metadata}}}


def _pod(value: dict[str, Any], asked: Mapping[str, Any]) -> Iterator[tuple[str, dict[str, Any]]]:
    """A Pod as it was asked for, without its node."""
    spec, wanted = dict(map_at(value, "spec")), map_at(asked, "spec")
    for name in ("nodeName", "priority", "preemptionPolicy"):
        if name in spec and name not in wanted:
            del spec[name]
            yield f"spec.{name}", {**value, "spec": dict(spec)}


def _role(value: dict[str, Any], _asked: Mapping[str, Any]) -> Iterator[tuple[str, dict[str, Any]]]:
    if value.get("aggregationRule") and value.get("rules"):
        yield "rules", {**value, "rules": []}


def _secret(value: dict[str, Any], asked: Mapping[str, Any]) -> Iterator[tuple[str, dict[str, Any]]]:
    if value.get("type") == "kubernetes.io/service-account-token" and "data" in value and "data" not in asked:
        yield "data", _less(value, "data")


_SPECIAL: Final[Mapping[str, Any]] = {
    "Service": _service,
    "PersistentVolumeClaim": _claim,
    "PersistentVolume": _volume,
    "Namespace": _namespace,
    "ServiceAccount": _account,
    "Job": _job,
    "Pod": _pod,
    "ClusterRole": _role,
    "Secret": _secret,
}


def last_applied(value: Mapping[str, Any]) -> Mapping[str, Any]:
    """Read the object that was applied last, when a client-side apply left it; else nothing."""
    for name in LAST_APPLIED:
        text = map_at(value, "metadata", "annotations").get(name)
        try:
            found = json.loads(text) if isinstance(text, str) else None
        except (ValueError, RecursionError):
            continue
        if isinstance(found, dict):
            return found
    return {}


def _is(value: Mapping[str, Any], version: str, kind: str) -> bool:
    return value.get("apiVersion") == version and value.get("kind") == kind


def _place(value: Mapping[str, Any]) -> tuple[str, str]:
    metadata = map_at(value, "metadata")
    return str(metadata.get("namespace") or ""), str(metadata.get("name") or metadata.get("generateName") or "")
