"""What is refused of volumes, of pods and of the cluster.

Source: pkg/apis/core/validation/validation.go of kubernetes/kubernetes; each function names its own there.
"""

from __future__ import annotations

import re
from typing import TYPE_CHECKING, Any, Final

from envcompile.check.api.formats import label, subdomain
from envcompile.check.api.meta import annotations, labels
from envcompile.check.reading import at, list_at, map_at, maps_at, quantity, text_at

if TYPE_CHECKING:
    from collections.abc import Mapping

    from envcompile.check.api.refusal import Place, Said, Validator
    from envcompile.model import Pointer

_IQN: Final = re.compile(r"iqn\.\d{4}-\d{2}\.([a-zA-Z0-9-.]+)(:[^,;*&$|\s]+)")
_EUI: Final = re.compile(r"eui.[0-9a-fA-F]{16}")
_NAA: Final = re.compile(r"naa.[0-9a-fA-F]{16,32}")
_LONGEST_PORTAL: Final = 64
_CHECKED_REFS: Final = (
    "controllerExpandSecretRef",
    "controllerPublishSecretRef",
    "nodeExpandSecretRef",
    "nodePublishSecretRef",
)
"""All but `nodeStageSecretRef`, which the server does not look at."""

_BLOB: Final = re.compile(r"https://.+\.blob\..+")

_VOLUMES_OF_CLUSTER: Final = frozenset({
    "awsElasticBlockStore", "azureDisk", "azureFile", "cephfs", "cinder", "csi", "fc", "flexVolume", "flocker",
    "gcePersistentDisk", "glusterfs", "hostPath", "iscsi", "local", "nfs", "photonPersistentDisk", "portworxVolume",
    "quobyte", "rbd", "scaleIO", "storageos", "vsphereVolume",
})  # fmt: skip


def volumes(spec: dict[str, Any], place: Place) -> Said:
    """Names that stand once, and claims made from them; source: ValidateVolumes."""
    seen: set[str] = set()
    pod = text_at(place.root, "metadata", "name") if place.kind == "Pod" else ""
    made = {f"{pod}-{text_at(item, 'name')}" for _, item in maps_at(spec, "volumes") if item.get("ephemeral")}
    for index, item in maps_at(spec, "volumes"):
        name = text_at(item, "name")
        where: Pointer = ("volumes", index)
        if name and name in seen:
            yield (*where, "name"), f"two volumes are called `{name}`"
        seen.add(name)
        if pod and name and item.get("ephemeral") is not None and (what := subdomain(f"{pod}-{name}")):
            yield (*where, "name"), f"the name of the claim that is made, `{pod}-{name}`, {what}"
        claim = text_at(item, "persistentVolumeClaim", "claimName")
        if pod and claim in made:
            yield (*where, "persistentVolumeClaim", "claimName"), f"the claim `{claim}` is made for another volume"
        portal = text_at(item, "iscsi", "targetPortal")
        if at(item, "iscsi", "initiatorName") is not None and len(f"{name}:{portal}") > _LONGEST_PORTAL:
            yield (*where, "name"), "`name` and `targetPortal` have more than 64 characters together"


def iscsi(value: dict[str, Any], place: Place) -> Said:
    """Names of targets; source: validateISCSIVolumeSource, validateISCSIPersistentVolumeSource."""
    for field in ("iqn", "initiatorName"):
        name = value.get(field)
        if (name or (field == "initiatorName" and name is not None)) and isinstance(name, str):
            form = {"iqn": _IQN, "eui": _EUI, "naa": _NAA}.get(name[:3])
            if form is None or form.match(name) is None:
                yield (field,), f"`{field}` is no name of iSCSI: iqn., eui. or naa. and what belongs to it"
    if (value.get("chapAuthDiscovery") or value.get("chapAuthSession")) and value.get("secretRef") is None:
        yield ("secretRef",), "`secretRef` is missing: CHAP needs it"
    if place.kind == "PersistentVolume":
        name = text_at(place.root, "metadata", "name")
        portal = text_at(value, "targetPortal")
        if value.get("initiatorName") is not None and len(f"{name}:{portal}") > _LONGEST_PORTAL:
            yield ("targetPortal",), "the volume's name and `targetPortal` have more than 64 characters together"
        if isinstance(value.get("secretRef"), dict) and not text_at(value, "secretRef", "name"):
            yield ("secretRef", "name"), "`name` of the Secret is missing"


def fibre_channel(value: dict[str, Any], _: Place) -> Said:
    """One way to name the disk; source: validateFCVolumeSource."""
    names, ids = list_at(value, "targetWWNs"), list_at(value, "wwids")
    if not names and not ids:
        yield ("targetWWNs",), "neither `targetWWNs` nor `wwids` is there: one must be"
    elif names and ids:
        yield ("targetWWNs",), "`targetWWNs` and `wwids` stand beside each other: only one may be there"
    if names and value.get("lun") is None:
        yield ("lun",), "`lun` is missing: `targetWWNs` needs it"


def flocker(value: dict[str, Any], _: Place) -> Said:
    """One way to name the dataset; source: validateFlockerVolumeSource."""
    if bool(value.get("datasetName")) == bool(value.get("datasetUUID")):
        yield (), "not exactly one of `datasetName` and `datasetUUID` is there"
    if "/" in text_at(value, "datasetName"):
        yield ("datasetName",), "`datasetName` contains `/`"


def azure_disk(value: dict[str, Any], _: Place) -> Said:
    """URI and kind that fit; source: validateAzureDisk."""
    uri, kind = text_at(value, "diskURI"), value.get("kind")
    if not uri:
        return
    if kind == "Managed":
        if not uri.startswith("/subscriptions/"):
            yield ("diskURI",), "`diskURI` of a managed disk does not start with `/subscriptions/`"
    elif kind in {None, "Shared", "Dedicated"} and _BLOB.match(uri) is None:
        yield ("diskURI",), "`diskURI` is not `https://ACCOUNT.blob.core.windows.net/CONTAINER/NAME.vhd`"


def quobyte(value: dict[str, Any], _: Place) -> Said:
    """Addresses of the registry; source: validateQuobyteVolumeSource."""
    registry = text_at(value, "registry")
    for pair in registry.split(",") if registry else ():
        host, colon, port = pair.rpartition(":")
        if not colon or "]" in port or (":" in host and not (host.startswith("[") and host.endswith("]"))):
            yield ("registry",), "`registry` is not HOST:PORT, or several of them separated by commas"
            return


def projected(value: dict[str, Any], _: Place) -> Said:
    """Paths that stand once; source: validateProjectionSources."""
    seen: set[str] = set()
    for index, source in maps_at(value, "sources"):
        where: Pointer = ("sources", index)
        for field in ("secret", "configMap", "downwardAPI"):
            for _, item in maps_at(source, field, "items"):
                path = text_at(item, "path")
                if path and path in seen:
                    yield (), f"two sources write the file `{path}`"
                seen.add(path)
        trust = source.get("clusterTrustBundle")
        if isinstance(trust, dict):
            yield from _trust(trust, (*where, "clusterTrustBundle"))
            path = text_at(trust, "path")
            if path and path in seen:
                yield (), f"two sources write the file `{path}`"
            seen.add(path)
        certificate = source.get("podCertificate")
        if isinstance(certificate, dict):
            paths = [text_at(certificate, key) for key in ("credentialBundlePath", "keyPath", "certificateChainPath")]
            if not any(paths):
                yield (*where, "podCertificate"), "none of `credentialBundlePath`, `keyPath` and their like is there"
            for path in filter(None, paths):
                if path in seen:
                    yield (), f"two sources write the file `{path}`"
                seen.add(path)


def _trust(value: dict[str, Any], where: Pointer) -> Said:
    named, signed = value.get("name") is not None, value.get("signerName") is not None
    if named and signed:
        yield where, "`name` and `signerName` stand beside each other: only one may be there"
    elif not named and not signed:
        yield where, "neither `name` nor `signerName` is there: one must be"
    elif named and not value["name"]:
        yield (*where, "name"), "`name` is empty"
    elif signed and (what := signer_name(value["signerName"])):
        yield (*where, "signerName"), f"`signerName` {what}"
    if named and value.get("labelSelector") is not None:
        yield (*where, "labelSelector"), "`labelSelector` belongs to `signerName`"


def signer_name(value: Any) -> str | None:
    """A domain and a path; source: ValidateSignerName."""
    if not isinstance(value, str):
        return None
    if not value:
        return "is empty"
    domain, slash, path = value.partition("/")
    if not slash or "/" in path:
        return "is not DOMAIN/PATH"
    if what := subdomain(domain):
        return f"has a domain that {what}"
    if "." not in domain:
        return "has a domain without a dot"
    if any(_PART.fullmatch(part) is None for part in path.split(".")):
        return "has a path that is none: letters, digits, `-`, `_` and `.`"
    if len(value) > 571 or len(path) > 512:  # noqa: PLR2004 maxSignerNameLength
        return "is too long"
    return None


_PART: Final = re.compile(r"[A-Za-z0-9]([-_A-Za-z0-9]*[A-Za-z0-9])?")


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
    if policy == "Recycle":
        if path and path.rstrip("/") == "":
            yield ("persistentVolumeReclaimPolicy",), "Recycle would empty the host's `/`"
    if spec.get("local") is not None and at(spec, "nodeAffinity", "required") is None and not inline:
        yield ("nodeAffinity",), "`nodeAffinity` is missing: a local volume is on one node"
    if isinstance(spec.get("nodeAffinity"), dict) and at(spec, "nodeAffinity", "required") is None:
        yield ("nodeAffinity", "required"), "`required` is missing in `nodeAffinity`"
    yield from _inline_only_csi(spec, place)


def _inline_only_csi(spec: dict[str, Any], place: Place) -> Said:
    if place.kind != "VolumeAttachment":
        return
    for field in ("claimRef", "persistentVolumeReclaimPolicy", "storageClassName", "volumeMode"):
        if spec.get(field) not in {None, ""} and field != "volumeMode":
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


def claim(spec: dict[str, Any], _: Place) -> Said:
    """A claim of a volume; source: ValidatePersistentVolumeClaimSpec."""
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
        if not isinstance(source, dict) or (field == "dataSource" and not _is_kept(spec)):
            continue
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

    Source: pkg/api/persistentvolumeclaim/util.go, EnforceDataSourceBackwardsCompatibility.
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
    yield from annotations(meta, ("metadata",))
    for field, given in meta.items():
        if field not in {"labels", "annotations"} and given not in ("", [], {}):
            yield ("metadata", field), f"`{field}` cannot be there in a template"


def needs_secret_name(value: dict[str, Any], _: Place) -> Said:
    """A Secret with a name; source: validateCinderVolumeSource."""
    if isinstance(value.get("secretRef"), dict) and not text_at(value, "secretRef", "name"):
        yield ("secretRef", "name"), "`name` of the Secret is missing"


RULES: Final[Mapping[str, Validator]] = {
    "core.v1.AzureDiskVolumeSource": azure_disk,
    "core.v1.CSIPersistentVolumeSource": csi_volume,
    "core.v1.CSIVolumeSource": csi_inline,
    "core.v1.CinderVolumeSource": needs_secret_name,
    "core.v1.PersistentVolumeClaimTemplate": claim_template,
    "storage.v1.StorageClass": storage_class,
    "core.v1.CinderPersistentVolumeSource": secret_needs_namespace,
    "core.v1.FCVolumeSource": fibre_channel,
    "core.v1.FlexPersistentVolumeSource": flex_volume,
    "core.v1.FlexVolumeSource": flex_volume,
    "core.v1.FlockerVolumeSource": flocker,
    "core.v1.ISCSIPersistentVolumeSource": iscsi,
    "core.v1.ISCSIVolumeSource": iscsi,
    "core.v1.PersistentVolumeClaimSpec": claim,
    "core.v1.PersistentVolumeSpec": persistent_volume,
    "core.v1.PodSpec": volumes,
    "core.v1.ProjectedVolumeSource": projected,
    "core.v1.QuobyteVolumeSource": quobyte,
    "core.v1.TopologySelectorTerm": topology,
}
