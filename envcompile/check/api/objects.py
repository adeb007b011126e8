"""What is refused of the remaining kinds: configuration, classes, events, certificates, nodes.

Sources: pkg/apis/{core,storage,scheduling,certificates,coordination,node}/validation of kubernetes/kubernetes; each
function names its own there.
"""

from __future__ import annotations

import base64
import json
import re
from itertools import pairwise
from typing import TYPE_CHECKING, Any, Final

from envcompile.check.api.formats import block
from envcompile.check.api.names import qualified, subdomain
from envcompile.check.api.networks import parse_cidr
from envcompile.check.api.volumes import signer_name
from envcompile.check.reading import at, list_at, map_at, maps_at, number_at, text_at

if TYPE_CHECKING:
    from collections.abc import Mapping

    from envcompile.check.api.refusal import Place, Said, Validator

_MOST_BYTES: Final = 1024 * 1024
"""Bytes of all data of a ConfigMap or Secret together."""

_LEVEL_LABELS: Final = frozenset({"audit", "enforce", "warn"})
_LEVELS: Final = ("privileged", "baseline", "restricted")
_MINOR: Final = re.compile(r"v1\.(?:0|[1-9][0-9]*)")
_HIGHEST_PRIORITY: Final = 1_000_000_000
_LONGEST: Final = 128
_LONGEST_NOTE: Final = 1024
_WANTED: Final[Mapping[str, tuple[str, ...]]] = {
    "kubernetes.io/dockercfg": (".dockercfg",),
    "kubernetes.io/dockerconfigjson": (".dockerconfigjson",),
    "kubernetes.io/ssh-auth": ("ssh-privatekey",),
    "kubernetes.io/tls": ("tls.crt", "tls.key"),
}
_DOCKER: Final = frozenset({"kubernetes.io/dockercfg", "kubernetes.io/dockerconfigjson"})


def config_map(value: dict[str, Any], _: Place) -> Said:
    """Keys that stand once, and size; source: ValidateConfigMap."""
    data, binary = map_at(value, "data"), map_at(value, "binaryData")
    for key in binary:
        if key in data:
            yield ("data", key), f"the key `{key}` stands in `data` and in `binaryData`"
    texts = [text for text in data.values() if isinstance(text, str)]
    if not binary and 4 * sum(map(len, texts)) <= _MOST_BYTES:
        return  # whatever the characters are: no UTF-8 takes more than four bytes for one
    size = sum(len(text.encode(errors="replace")) for text in texts)
    size += sum(len(text) * 3 // 4 for text in binary.values() if isinstance(text, str))
    if size > _MOST_BYTES:
        yield (), "the data have more than 1 MiB"


def secret(value: dict[str, Any], _: Place) -> Said:
    """Keys that a type wants; source: ValidateSecret."""
    data, plain = map_at(value, "data"), map_at(value, "stringData")
    kind = text_at(value, "type")
    keys = {*data, *plain}
    for key in _WANTED.get(kind, ()):
        if key not in keys or (kind.endswith("ssh-auth") and not (plain.get(key) or data.get(key))):
            yield ("data", key), f"the key `{key}` is missing: `type: {kind}` needs it"
    if kind == "kubernetes.io/basic-auth" and not keys & {"username", "password"}:
        yield ("data", "username"), "neither `username` nor `password` is there: one must be"
    if kind == "kubernetes.io/service-account-token":
        name = "kubernetes.io/service-account.name"
        if not at(value, "metadata", "annotations", name):
            yield ("metadata", "annotations", name), f"the annotation {name} is missing: `type: {kind}` needs it"
    if kind in _DOCKER:
        key = _WANTED[kind][0]
        text = plain.get(key) if plain.get(key) is not None else _decoded(data.get(key))
        if text is not None and not _is_object(text):
            yield ("data", key), f"`{key}` is no JSON object"
    size = sum(len(text) * 3 // 4 for key, text in data.items() if key not in plain)
    if size + sum(len(text.encode(errors="replace")) for text in plain.values()) > _MOST_BYTES:
        yield ("data",), "the data have more than 1 MiB"


def _decoded(text: Any) -> str | None:
    if text is None or not isinstance(text, str):
        return None
    try:
        return base64.b64decode(text).decode(errors="replace")
    except ValueError:
        return None


def _is_object(text: Any) -> bool:
    try:
        return not isinstance(text, str) or isinstance(json.loads(text), dict)
    except ValueError:
        return False


def namespace(value: dict[str, Any], _: Place) -> Said:
    """Finalizers and Pod Security labels; source: ValidateNamespace; k8s.io/pod-security-admission, ParseLevel."""
    for index, item in enumerate(list_at(value, "spec", "finalizers")):
        if isinstance(item, str) and "/" not in item and item not in {"kubernetes", "orphan", "foregroundDeletion"}:
            yield ("spec", "finalizers", index), f"the finalizer `{item}` has no DNS name and `/` before it"
    for key, text in map_at(value, "metadata", "labels").items():
        domain, _slash, name = key.partition("/")
        if domain != "pod-security.kubernetes.io" or name.removesuffix("-version") not in _LEVEL_LABELS:
            continue
        if name.endswith("-version"):
            if text != "latest" and _MINOR.fullmatch(text) is None:
                yield ("metadata", "labels", key), f"the label `{key}` is not `latest` or a version such as `v1.35`"
        elif text not in _LEVELS:
            yield ("metadata", "labels", key), f"the label `{key}` is not one of {', '.join(_LEVELS)}"


def controller_revision(value: dict[str, Any], _: Place) -> Said:
    """Data that are an object; source: ValidateControllerRevision."""
    if value.get("data") is not None and not isinstance(value["data"], dict):
        yield ("data",), "`data` is no map"


def node(spec: dict[str, Any], _: Place) -> Said:
    """Taints that stand once, ranges of pods; source: ValidateNode, validateNodeTaints."""
    seen = []
    for index, item in maps_at(spec, "taints"):
        key = (item.get("key"), item.get("effect"))
        if key in seen:
            yield ("taints", index), "two taints have this key and effect"
        seen.append(key)
    ranges, single = list_at(spec, "podCIDRs"), text_at(spec, "podCIDR")
    if single and ranges and ranges[0] != single:
        return  # the server takes `podCIDR` alone then
    for index, text in enumerate(ranges):
        if what := block(text):
            yield ("podCIDRs", index), f"item {index} of `podCIDRs` {what}"
    found = [parsed.version for text in ranges if isinstance(text, str) and (parsed := parse_cidr(text)) is not None]
    if len(ranges) > 2 or len(set(found)) < len(found):
        yield ("podCIDRs",), "more than one range of a family is there"


def event(value: dict[str, Any], place: Place) -> Said:
    """Source: pkg/apis/core/validation/events.go, ValidateEventCreate."""
    about = "regarding" if place.group else "involvedObject"
    home, object_home = text_at(value, "metadata", "namespace"), text_at(value, about, "namespace")
    timed = bool(value.get("eventTime"))
    if timed:
        elsewhere = not object_home and home not in {"", "default", "kube-system"}
    else:
        elsewhere = home not in {"", object_home} and (object_home != "" or home != "default")
    if elsewhere:
        yield (about, "namespace"), "`namespace` differs from the event's"
    if timed or place.group:
        controller = "reportingController" if place.group else "reportingComponent"
        yield from _new_event(value, controller)
    if place.group:
        if not timed:
            yield ("eventTime",), "`eventTime` is missing"
        if value.get("type") not in {"Normal", "Warning"}:
            yield ("type",), "`type` is not one of Normal, Warning"
        series = value.get("series")
        if isinstance(series, dict):
            if (number_at(series, "count") or 0) < 2:
                yield ("series", "count"), "`count` of a series is less than 2"
            if not series.get("lastObservedTime"):
                yield ("series", "lastObservedTime"), "`lastObservedTime` is missing"
        for field in ("deprecatedFirstTimestamp", "deprecatedLastTimestamp", "deprecatedCount"):
            if value.get(field):
                yield (field,), f"`{field}` cannot be there"


def _new_event(value: dict[str, Any], controller: str) -> Said:
    name = text_at(value, controller)
    if not name:
        yield (controller,), f"`{controller}` is missing"
    elif what := qualified(name):
        yield (controller,), f"`{controller}` {what}"
    for field in ("reportingInstance", "action", "reason"):
        text = text_at(value, field)
        if not text:
            yield (field,), f"`{field}` is missing"
        elif len(text.encode()) > _LONGEST:
            yield (field,), f"`{field}` has more than {_LONGEST} characters"
    for field in ("note", "message"):
        if len(text_at(value, field).encode()) > _LONGEST_NOTE:
            yield (field,), f"`{field}` has more than {_LONGEST_NOTE} characters"


def priority_class(value: dict[str, Any], _: Place) -> Said:
    """Names and numbers of the system; source: ValidatePriorityClass."""
    name, number = text_at(value, "metadata", "name"), number_at(value, "value")
    system = {"system-cluster-critical": 2_000_000_000, "system-node-critical": 2_000_001_000}
    if name.startswith("system-"):
        if system.get(name) != number:
            yield ("metadata", "name"), "`system-` begins names of the system's own classes only"
    elif number is not None and number > _HIGHEST_PRIORITY:
        yield ("value",), f"`value` is above {_HIGHEST_PRIORITY}"


def csi_driver(spec: dict[str, Any], _: Place) -> Said:
    """Audiences that stand once; source: validateTokenRequests."""
    seen: list[Any] = []
    for index, item in maps_at(spec, "tokenRequests"):
        audience = item.get("audience") or ""
        if audience in seen:
            yield ("tokenRequests", index, "audience"), "two requests have this audience"
        seen.append(audience)


def csi_node(spec: dict[str, Any], _: Place) -> Said:
    """Drivers that stand once; source: validateCSINodeDrivers."""
    seen: set[str] = set()
    for index, item in maps_at(spec, "drivers"):
        name = text_at(item, "name")
        if name and name in seen:
            yield ("drivers", index, "name"), f"two drivers are called `{name}`"
        seen.add(name)


def parameters(value: dict[str, Any], _: Place) -> Said:
    """Size of parameters; source: validateParameters."""
    given = map_at(value, "parameters")
    size = sum(len(key) + len(text) for key, text in given.items() if isinstance(text, str))
    if size > 256 * 1024:
        yield ("parameters",), "`parameters` have more than 256 KiB"


def signing_request(spec: dict[str, Any], _: Place) -> Said:
    """A request in PEM and a signer; source: validateCertificateSigningRequest."""
    text = spec.get("request")
    if isinstance(text, str) and text:
        decoded = _decoded(text)
        if decoded is not None and "-----BEGIN CERTIFICATE REQUEST-----" not in decoded:
            yield ("request",), "`request` is no PEM block of type CERTIFICATE REQUEST"
        elif decoded is not None and not _is_csr(decoded):
            yield ("request",), "`request` is no certificate request"
    signer = spec.get("signerName")
    if signer and (what := signer_name(signer)):
        yield ("signerName",), f"`signerName` {what}"
    usages = list_at(spec, "usages")
    for index, usage in enumerate(usages):
        if usage in usages[:index]:
            yield ("usages", index), "the usage stands twice"


def _is_csr(text: str) -> bool:
    """Tell whether the block holds DER: a sequence that says its own length."""
    body = text.partition("-----BEGIN CERTIFICATE REQUEST-----")[2].partition("-----END CERTIFICATE REQUEST-----")
    if not body[1]:
        return False
    try:
        der = base64.b64decode("".join(body[0].split()), validate=True)
    except ValueError:
        return False
    return _is_sequence(der)


def _is_sequence(der: bytes) -> bool:
    if len(der) < 2 or der[0] != 0x30:
        return False
    if der[1] < 0x80:
        return len(der) == der[1] + 2
    count = der[1] & 0x7F
    return len(der) == int.from_bytes(der[2 : 2 + count], "big") + 2 + count


def trust_bundle(value: dict[str, Any], _: Place) -> Said:
    """A name that begins with the signer's, and certificates; source: ValidateClusterTrustBundle."""
    name, signer = text_at(value, "metadata", "name"), text_at(value, "spec", "signerName")
    if signer and (what := signer_name(signer)):
        yield ("spec", "signerName"), f"`signerName` {what}"
    if name:
        prefix = signer.replace("/", ":") + ":" if signer else ""
        if not signer and ":" in name:
            yield ("metadata", "name"), "`metadata.name` of a bundle without `signerName` contains `:`"
        elif not name.startswith(prefix):
            yield ("metadata", "name"), f"`metadata.name` does not begin with `{prefix}`"
        elif what := subdomain(name.removeprefix(prefix)):
            yield ("metadata", "name"), f"`metadata.name` behind `{prefix}` {what}" if prefix else f"the name {what}"
    bundle = text_at(value, "spec", "trustBundle")
    if bundle and (what := _certificates(bundle)):
        yield ("spec", "trustBundle"), f"`trustBundle` {what}"


def _certificates(text: str) -> str | None:
    begin, end = "-----BEGIN ", "-----END "
    parts = [part for before, part in pairwise(text.split(begin)) if not before or before.endswith("\n")]
    if not parts:  # a block begins its line
        return "holds no certificate in PEM"
    seen = []
    for part in parts:
        label, _, rest = part.partition("-----")
        if label != "CERTIFICATE":
            return "holds something else than certificates"
        body, found, _ = rest.partition(end + "CERTIFICATE-----")
        try:
            der = base64.b64decode("".join(body.split()), validate=True)
        except ValueError:
            return "holds a certificate that cannot be read"
        if not found or not _is_sequence(der):
            return "holds a certificate that cannot be read"
        if der in seen:
            return "holds a certificate twice"
        seen.append(der)
    return None


def api_service(value: dict[str, Any], _: Place) -> Said:
    """A name of version and group; source: ValidateAPIService."""
    spec = map_at(value, "spec")
    name, wanted = text_at(value, "metadata", "name"), f"{text_at(spec, 'version')}.{text_at(spec, 'group')}"
    if name and name != wanted:
        yield ("metadata", "name"), f"`metadata.name` is not `{wanted}`: version and group"
    if not spec.get("group") and text_at(spec, "version") != "v1":
        yield ("spec", "group"), "`group` is missing: only v1 has none"
    service = spec.get("service")
    if service is None and (spec.get("caBundle") or spec.get("insecureSkipTLSVerify")):
        field = "caBundle" if spec.get("caBundle") else "insecureSkipTLSVerify"
        yield ("spec", field), f"`{field}` belongs to a `service`"
    if spec.get("insecureSkipTLSVerify") is True and spec.get("caBundle"):
        yield ("spec", "insecureSkipTLSVerify"), "`insecureSkipTLSVerify` and `caBundle` stand beside each other"
    if isinstance(service, dict) and service.get("port") == 0:
        yield ("spec", "service", "port"), "`port` is not between 1 and 65535"


RULES: Final[Mapping[str, Validator]] = {
    "apiregistration.v1.APIService": api_service,
    "apps.v1.ControllerRevision": controller_revision,
    "certificates.v1.CertificateSigningRequestSpec": signing_request,
    "certificates.v1.ClusterTrustBundle": trust_bundle,
    "core.v1.ConfigMap": config_map,
    "core.v1.Event": event,
    "core.v1.Namespace": namespace,
    "core.v1.NodeSpec": node,
    "core.v1.Secret": secret,
    "events.v1.Event": event,
    "scheduling.v1.PriorityClass": priority_class,
    "storage.v1.CSIDriverSpec": csi_driver,
    "storage.v1.CSINodeSpec": csi_node,
    "storage.v1.StorageClass": parameters,
    "storage.v1.VolumeAttributesClass": parameters,
}
