"""What is refused of volumes, of pods and of the cluster.

Source: pkg/apis/core/validation/validation.go of kubernetes/kubernetes; each function names its own there.
"""

from __future__ import annotations

import re
from typing import TYPE_CHECKING, Any, Final

from envcompile.check.api.names import subdomain
from envcompile.check.reading import at, list_at, maps_at, text_at

if TYPE_CHECKING:
    from collections.abc import Mapping

    from envcompile.check.api.refusal import Place, Said, Validator
    from envcompile.model import Pointer

_IQN: Final = re.compile(r"iqn\.\d{4}-\d{2}\.([a-zA-Z0-9-.]+)(:[^,;*&$|\s]+)\Z", re.ASCII)
_EUI: Final = re.compile(r"eui.[0-9a-zA-Z]{16}")
_NAA: Final = re.compile(r"naa.[0-9a-zA-Z]{32}")
_LONGEST_PORTAL: Final = 64

_BLOB: Final = re.compile(r"https://.+\.blob\..+")


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
        claim = text_at(item, "persistentVolumeClaim", "claimName") if made else ""
        if pod and made and claim in made:
            yield (*where, "persistentVolumeClaim", "claimName"), f"the claim `{claim}` is made for another volume"
        if "iscsi" not in item:
            continue
        portal = text_at(item, "iscsi", "targetPortal")
        if at(item, "iscsi", "initiatorName") is not None and len(f"{name}:{portal}") > _LONGEST_PORTAL:
            yield (*where, "name"), "`name` and `targetPortal` have more than 64 characters together"


def iscsi(value: dict[str, Any], place: Place) -> Said:
    """Names of targets; source: validateISCSIVolumeSource, validateISCSIPersistentVolumeSource."""
    for field in ("iqn", "initiatorName"):
        name = value.get(field)
        if (name or (field == "initiatorName" and name is not None)) and isinstance(name, str):
            form = {"iqn": _IQN, "eui": _EUI, "naa": _NAA}.get(name[:3])
            if form is None or (form.search if form is _IQN else form.fullmatch)(name) is None:
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
            for __, item in maps_at(source, field, "items"):
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
            if what := signer_name(certificate.get("signerName")):
                yield (*where, "podCertificate", "signerName"), f"`signerName` {what}"
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
    if len(value) > 571 or len(path) > 512:
        return "is too long"
    return None


_PART: Final = re.compile(r"[A-Za-z0-9]([-_A-Za-z0-9]*[A-Za-z0-9])?")


def needs_secret_name(value: dict[str, Any], _: Place) -> Said:
    """A Secret with a name; source: validateCinderVolumeSource."""
    if isinstance(value.get("secretRef"), dict) and not text_at(value, "secretRef", "name"):
        yield ("secretRef", "name"), "`name` of the Secret is missing"


RULES: Final[Mapping[str, Validator]] = {
    "core.v1.AzureDiskVolumeSource": azure_disk,
    "core.v1.CinderVolumeSource": needs_secret_name,
    "core.v1.FCVolumeSource": fibre_channel,
    "core.v1.FlockerVolumeSource": flocker,
    "core.v1.ISCSIPersistentVolumeSource": iscsi,
    "core.v1.ISCSIVolumeSource": iscsi,
    "core.v1.PodSpec": volumes,
    "core.v1.ProjectedVolumeSource": projected,
    "core.v1.QuobyteVolumeSource": quobyte,
}
