"""What is refused of persistent volumes, claims and storage classes.

Source: pkg/apis/core/validation/validation.go of kubernetes/kubernetes; each function names its own there.
"""

from __future__ import annotations

from typing import TYPE_CHECKING, Any, Final

from envcompile.check.api.meta import free_notes, labels
from envcompile.check.api.names import label, subdomain
from envcompile.check.reading import at, list_at, map_at, maps_at, text_at
from envcompile.kubernetes.quantities import quantity

if TYPE_CHECKING:
    from collections.abc import Mapping

    from envcompile.check.api.refusal import Place, Said, Validator
    from envcompile.model import Pointer


_CHECKED_REFS: Final = (
    "controllerExpandSecretRef",
    "controllerPublishSecretRef",
    "nodeExpandSecretRef",
    "nodePublishSecretRef",
)
"""All but `nodeStageSecretRef`, which the server does not look at."""


_VOLUMES_OF_CLUSTER: Final = frozenset({
    "awsElasticBlockStore", "azureDisk", "azureFile", "cephfs", "cinder", "csi", "fc", "flexVolume", "flocker",
    "gcePersistentDisk", "glusterfs", "hostPath", "iscsi", "local", "nfs", "photonPersistentDisk", "portworxVolume",
    "quobyte", "rbd", "scaleIO", "storageos", "vsphereVolume",
})  # fmt: skip


def persistent_volume(spec: dict[str, Any], place: Place) -> Said:
    """A volume of the cluster; source: ValidatePersistentVolumeSpec."""
    inline = place.kind == "VolumeAttachment"
    if not any(spec.get(field) is not None for field in _VOLUMES_OF_CLUSTER) and not inline:
        yield (), "no type of volume is there: `csi`, `nfs`, `local` ..."
    if inline and spec.get("csi") is None:
        yield ("csi",), "`csi` is missing: only such a volume stands inline"
    modes = list_at(spec, "accessModes")
    if "ReadWriteOncePod" in modes and len(set(modes)) > 1:
        yield ("accessModes",), "ReadWriteOncePod stands beside other access modes"
    capacity = map_at(spec, "capacity")
    if not capacity and not inline:
        yield ("capacity",), "`capacity` is missing"
    if spec.get("capacity") and ("storage" not in capacity or len(capacity) > 1):
        yield ("capacity",), "`capacity` says something else than `storage`, or not `storage`"
    policy = spec.get("persistentVolumeReclaimPolicy")
    path = text_at(spec, "hostPath", "path")
    if policy == "Recycle" and path and path.rstrip("/") == "":
        yield ("persistentVolumeReclaimPolicy",), "Recycle would empty the host's `/`"
    if spec.get("local") is not None and at(spec, "nodeAffinity", "required") is None and not inline:
        yield ("nodeAffinity",), "`nodeAffinity` is missing: a local volume is on one node"
    if isinstance(spec.get("nodeAffinity"), dict) and at(spec, "nodeAffinity", "required") is None:
        yield ("nodeAffinity", "required"), "`required` is missing in `nodeAffinity`"
    if spec.get("volumeAttributesClassName") is not None and spec.get("csi") is None:
        yield ("csi",), "`csi` is missing: `volumeAttributesClassName` needs it"
    yield from _inline_only_csi(spec, place)


def _inline_only_csi(spec: dict[str, Any], place: Place) -> Said:
    if place.kind != "VolumeAttachment":
        return
    for field in ("claimRef", "capacity", "nodeAffinity", "persistentVolumeReclaimPolicy", "storageClassName"):
        given = spec.get(field)
        if given and not (field == "persistentVolumeReclaimPolicy" and given == "Retain"):
            yield (field,), f"`{field}` cannot be there in a volume that stands inline"


def csi_volume(value: dict[str, Any], _: Place) -> Said:
    """Names of Secrets; source: validateCSIPersistentVolumeSource, validatePVSecretReference."""
    for field, item in value.items():
        if field in _CHECKED_REFS and isinstance(item, dict):
            for key, form in (("name", subdomain), ("namespace", label)):
                text = item.get(key)
                if not text:
                    yield (field, key), f"`{key}` of the Secret is missing"
                elif what := form(text):
                    yield (field, key), f"`{key}` of the Secret {what}"


def csi_inline(value: dict[str, Any], _: Place) -> Said:
    """A Secret with a name; source: validateCSIVolumeSource."""
    if isinstance(value.get("nodePublishSecretRef"), dict):
        name = text_at(value, "nodePublishSecretRef", "name")
        what = subdomain(name) if name else "is missing"
        if what:
            yield ("nodePublishSecretRef", "name"), f"`name` of the Secret {what}"


def flex_volume(value: dict[str, Any], _: Place) -> Said:
    """Options that the kubelet writes; source: validateFlexVolumeSource."""
    for key in map_at(value, "options"):
        domain = key.partition("/")[0] if "/" in key else ""
        if domain in {"kubernetes.io", "k8s.io"} or domain.endswith((".kubernetes.io", ".k8s.io")):
            yield ("options", key), "the option belongs to a domain of Kubernetes"


def secret_needs_namespace(value: dict[str, Any], _: Place) -> Said:
    """A Secret of a volume of the cluster; source: validateCinderPersistentVolumeSource and its like."""
    if isinstance(value.get("secretRef"), dict):
        for key in ("name", "namespace"):
            if not text_at(value, "secretRef", key):
                yield ("secretRef", key), f"`{key}` of the Secret is missing"


def claim(spec: dict[str, Any], place: Place) -> Said:
    """A claim of a volume; source: ValidatePersistentVolumeClaimSpec."""
    drops = place.kind == "PersistentVolumeClaim"
    modes = list_at(spec, "accessModes")
    if "ReadWriteOncePod" in modes and len(set(modes)) > 1:
        yield ("accessModes",), "ReadWriteOncePod stands beside other access modes"
    size = at(spec, "resources", "requests", "storage")
    if size is None:
        yield ("resources",), "`resources` request no `storage`"
    elif (amount := quantity(size)) is not None and amount <= 0:
        yield ("resources", "requests", "storage"), "`storage` is not greater than 0"
    for field in ("dataSource", "dataSourceRef"):
        source = spec.get(field)
        if not isinstance(source, dict) or (drops and field == "dataSource" and not _is_kept(spec)):
            continue
        for key in ("kind", "name"):
            if not source.get(key):
                yield (field, key), f"`{key}` is missing"
        group = source.get("apiGroup")
        if not group and text_at(source, "kind") not in {"", "PersistentVolumeClaim"}:
            yield (field,), f"`{field}` without `apiGroup` can only be a PersistentVolumeClaim"
        elif group and (what := subdomain(group)):
            yield (field, "apiGroup"), f"`apiGroup` {what}"
    source, reference = spec.get("dataSource"), spec.get("dataSourceRef")
    if isinstance(reference, dict) and text_at(reference, "namespace"):
        if source is not None:
            yield ("dataSource",), "`dataSource` stands beside a `dataSourceRef` with a namespace"
    elif isinstance(source, dict) and isinstance(reference, dict):
        keys = ("apiGroup", "kind", "name")
        if any((source.get(key) or None) != (reference.get(key) or None) for key in keys):
            yield (), "`dataSource` and `dataSourceRef` differ"


def _is_kept(spec: dict[str, Any]) -> bool:
    """Tell whether the server looks at `dataSource`: alone it is dropped unless it is a claim or snapshot.

    In a claim by itself only, not in templates of claims. Source: pkg/api/persistentvolumeclaim/util.go,
    EnforceDataSourceBackwardsCompatibility.
    """
    kind, group = at(spec, "dataSource", "kind"), at(spec, "dataSource", "apiGroup") or ""
    known = (("PersistentVolumeClaim", ""), ("VolumeSnapshot", "snapshot.storage.k8s.io"))
    return spec.get("dataSourceRef") is not None or (kind, group) in known


def topology(value: dict[str, Any], _: Place) -> Said:
    """Keys and values that stand once; source: ValidateTopologySelectorTerm."""
    seen: set[str] = set()
    for index, item in maps_at(value, "matchLabelExpressions"):
        key = text_at(item, "key")
        where: Pointer = ("matchLabelExpressions", index)
        if key in seen:
            yield (*where, "key"), f"the key `{key}` stands twice"
        seen.add(key)
        values = list_at(item, "values")
        for position, text in enumerate(values):
            if text in values[:position]:
                yield (*where, "values", position), "the value stands twice"


def storage_class(value: dict[str, Any], _: Place) -> Said:
    """Terms that stand once and say something; source: validateAllowedTopologies."""
    terms = list_at(value, "allowedTopologies")
    for index, term in enumerate(terms):
        if not list_at(term, "matchLabelExpressions") or term in terms[:index]:
            yield ("allowedTopologies", index, "matchLabelExpressions"), "the term is empty or stands twice"


def claim_template(value: dict[str, Any], _: Place) -> Said:
    """Labels and annotations only; source: ValidateTemplateObjectMeta."""
    meta = map_at(value, "metadata")
    yield from labels(meta, ("metadata",))
    yield from free_notes(meta, ("metadata",))
    for field, given in meta.items():
        if field not in {"labels", "annotations"} and given not in ("", [], {}):
            yield ("metadata", field), f"`{field}` cannot be there in a template"


RULES: Final[Mapping[str, Validator]] = {
    "core.v1.CSIPersistentVolumeSource": csi_volume,
    "core.v1.CSIVolumeSource": csi_inline,
    "core.v1.PersistentVolumeClaimTemplate": claim_template,
    "storage.v1.StorageClass": storage_class,
    "core.v1.CinderPersistentVolumeSource": secret_needs_namespace,
    "core.v1.FlexPersistentVolumeSource": flex_volume,
    "core.v1.FlexVolumeSource": flex_volume,
    "core.v1.PersistentVolumeClaimSpec": claim,
    "core.v1.PersistentVolumeSpec": persistent_volume,
    "core.v1.StorageOSPersistentVolumeSource": secret_needs_namespace,
    "core.v1.TopologySelectorTerm": topology,
}
