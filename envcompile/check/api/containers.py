"""What is refused of containers: handlers, ports, environment, mounts, security.

Source: pkg/apis/core/validation/validation.go of kubernetes/kubernetes; each function names its own there.
"""

from __future__ import annotations

import re
from typing import TYPE_CHECKING, Any, Final

from envcompile.check.api.formats import port
from envcompile.check.api.names import qualified, subdomain
from envcompile.check.reading import at, list_at, maps_at, number_at, text_at

if TYPE_CHECKING:
    from collections.abc import Mapping

    from envcompile.check.api.refusal import Place, Said, Validator
    from envcompile.model import Pointer

_ENV_FIELDS: Final = frozenset({
    "metadata.name",
    "metadata.namespace",
    "metadata.uid",
    "spec.nodeName",
    "spec.serviceAccountName",
    "status.hostIP",
    "status.hostIPs",
    "status.podIP",
    "status.podIPs",
})
_FILE_FIELDS: Final = frozenset({
    "metadata.annotations",
    "metadata.labels",
    "metadata.name",
    "metadata.namespace",
    "metadata.uid",
})
_RESOURCES: Final = frozenset(
    f"{which}.{what}" for which in ("limits", "requests") for what in ("cpu", "memory", "ephemeral-storage")
)
_SUBSCRIPTED: Final = re.compile(r"(metadata\.(?:labels|annotations))\['(.*)'\]", re.DOTALL)
_DIVISORS: Final = frozenset({"0", "1", *(f"1{suffix}" for suffix in "kMGTPE"), *(f"1{s}i" for s in "KMGTPE")})
_OWN_RESTARTS: Final = 34
"""The version from which on a container may say itself when it starts again (ContainerRestartRules)."""
_SOURCES: Final = ("fieldRef", "resourceFieldRef", "configMapKeyRef", "secretKeyRef", "fileKeyRef")


def env(value: dict[str, Any], _: Place) -> Said:
    """One source of a variable's value; source: validateEnvVarValueFrom."""
    given = value.get("valueFrom")
    if not isinstance(given, dict):
        return
    there = [name for name in _SOURCES if given.get(name) is not None]
    if not there:
        yield ("valueFrom",), "`valueFrom` names no source: `configMapKeyRef`, `secretKeyRef`, `fieldRef` ..."
    elif value.get("value"):
        yield ("valueFrom",), "`valueFrom` and `value` stand beside each other: only one may be there"
    elif len(there) > 1:
        yield ("valueFrom",), f"`{there[0]}` and `{there[1]}` stand beside each other: only one may be there"


def env_from(value: dict[str, Any], _: Place) -> Said:
    """One source of variables; source: ValidateEnvFrom."""
    there = [name for name in ("configMapRef", "secretRef") if value.get(name) is not None]
    if not there:
        yield (), "neither `configMapRef` nor `secretRef` is there: one must be"
    elif len(there) > 1:
        yield (), "`configMapRef` and `secretRef` stand beside each other: only one may be there"


def field_ref(value: dict[str, Any], place: Place) -> Said:
    """A field of the pod; source: validateObjectFieldSelector, ConvertDownwardAPIFieldLabel."""
    version = value.get("apiVersion")
    if version not in {None, "", "v1"}:
        yield ("fieldPath",), "`fieldPath` is read with `apiVersion: v1` only"
        return
    path = text_at(value, "fieldPath")
    if not path:
        yield ("fieldPath",), "`fieldPath` is missing"
        return
    subscripted = _SUBSCRIPTED.fullmatch(path)
    if subscripted is not None:
        key = subscripted[2].lower() if subscripted[1].endswith("annotations") else subscripted[2]
        if what := qualified(key):
            yield (), f"the key in `fieldPath` {what}"
        return
    known = _FILE_FIELDS if "items" in place.names else _ENV_FIELDS
    if path not in known:
        yield ("fieldPath",), f"`fieldPath` is not one of {', '.join(sorted(known))}, metadata.labels['KEY'] ..."


def resource_ref(value: dict[str, Any], place: Place) -> Said:
    """A resource of a container; source: validateContainerResourceFieldSelector."""
    resource = text_at(value, "resource")
    if "items" in place.names and not text_at(value, "containerName"):
        yield ("containerName",), "`containerName` is missing: a volume belongs to no container"
    elif not resource:
        yield ("resource",), "`resource` is missing"
    elif resource not in _RESOURCES and not resource.startswith(("limits.hugepages-", "requests.hugepages-")):
        yield ("resource",), f"`resource` is not one of {', '.join(sorted(_RESOURCES))}"
    divisor = value.get("divisor")
    known = {"0", "1", "1m"} if resource.endswith(".cpu") else _DIVISORS
    if divisor is not None and divisor != "" and resource in _RESOURCES and str(divisor).strip() not in known:
        yield ("divisor",), f"`divisor` is not one of {', '.join(sorted(known - {'0'}))}"


def downward_file(value: dict[str, Any], _: Place) -> Said:
    """A field or a resource; source: validateDownwardAPIVolumeFile."""
    there = [name for name in ("fieldRef", "resourceFieldRef") if value.get(name) is not None]
    if len(there) != 1:
        yield (), "not exactly one of `fieldRef` and `resourceFieldRef` is there"


def mount(value: dict[str, Any], place: Place) -> Said:
    """Paths and propagation of a mount; source: ValidateVolumeMounts, validateMountRecursiveReadOnly."""
    if value.get("subPath") and value.get("subPathExpr"):
        yield ("subPathExpr",), "`subPathExpr` and `subPath` stand beside each other: only one may be there"
    recursive = value.get("recursiveReadOnly")
    if recursive in {"Enabled", "IfPossible"}:
        if value.get("readOnly") is not True:
            yield ("recursiveReadOnly",), "`recursiveReadOnly` needs `readOnly: true`"
        if value.get("mountPropagation") not in {None, "None"}:
            yield ("recursiveReadOnly",), "`recursiveReadOnly` needs `mountPropagation: None`"
    if value.get("mountPropagation") == "Bidirectional":
        container = at(place.root, *place.pointer[:-2])
        if at(container, "securityContext", "privileged") is not True:
            yield ("mountPropagation",), "`mountPropagation: Bidirectional` needs a privileged container"


_ENDING: Final = ("lifecycle", "livenessProbe", "readinessProbe", "startupProbe")


def container(value: dict[str, Any], place: Place) -> Said:
    """What a container says twice, or in contradiction; source: validateContainerCommon and what it calls."""
    # Most containers have few of the fields: those that are there say which part is asked.
    if "ports" in value:
        yield from _ports(value)
    if "volumeMounts" in value or "volumeDevices" in value:
        yield from _mounts_and_devices(value)
    if not value.keys().isdisjoint(_ENDING):
        yield from _probes(value, place)
    if "resizePolicy" in value:
        yield from _resize(value, place)
    if place.release < _OWN_RESTARTS and value.get("restartPolicy") and place.names[-1:] == ("containers",):
        yield ("restartPolicy",), f"only an init container has a `restartPolicy` before 1.{_OWN_RESTARTS}"
    if place.release >= _OWN_RESTARTS and value.get("restartPolicyRules") and value.get("restartPolicy") is None:
        yield ("restartPolicy",), "`restartPolicy` is missing beside `restartPolicyRules`"
    image = value.get("image")
    if place.kind == "Pod" and isinstance(image, str) and image and image != image.strip():
        yield ("image",), "`image` has white space around it"


def _ports(value: dict[str, Any]) -> Said:
    names: set[str] = set()
    for index, item in maps_at(value, "ports"):
        name = text_at(item, "name")
        if name and name in names:
            yield ("ports", index, "name"), f"two ports are called `{name}`"
        names.add(name)
        host = number_at(item, "hostPort")
        if host and (what := port(host)):
            yield ("ports", index, "hostPort"), f"`hostPort` {what}"


def _mounts_and_devices(value: dict[str, Any]) -> Said:
    paths: set[str] = set()
    names: set[str] = set()
    devices = {text_at(item, "name"): text_at(item, "devicePath") for _, item in maps_at(value, "volumeDevices")}
    for index, item in maps_at(value, "volumeMounts"):
        path, name = text_at(item, "mountPath"), text_at(item, "name")
        if path and path in paths:
            yield ("volumeMounts", index, "mountPath"), f"two volumes are mounted at `{path}`"
        if path and path in devices.values():
            yield ("volumeMounts", index, "mountPath"), f"`{path}` is a device's path, too"
        if name and name in devices:
            yield ("volumeMounts", index, "name"), f"the volume `{name}` is a device, too"
        paths.add(path)
    paths = set()
    for index, item in maps_at(value, "volumeDevices"):
        path, name = text_at(item, "devicePath"), text_at(item, "name")
        if path and path in paths:
            yield ("volumeDevices", index, "devicePath"), f"two devices have the path `{path}`"
        if name and name in names:
            yield ("volumeDevices", index, "name"), f"the volume `{name}` is a device twice"
        paths.add(path)
        names.add(name)


def _probes(value: dict[str, Any], place: Place) -> Said:
    is_plain_init = place.names[-1:] == ("initContainers",) and value.get("restartPolicy") != "Always"
    for field in ("lifecycle", "livenessProbe", "readinessProbe", "startupProbe"):
        if is_plain_init and value.get(field) is not None:
            yield (field,), f"`{field}` of an init container needs `restartPolicy: Always`"
    for field in ("livenessProbe", "startupProbe"):
        threshold = number_at(value, field, "successThreshold")
        if threshold not in {None, 0, 1}:
            yield (field, "successThreshold"), f"`successThreshold` of a {field} can only be 1"
    if at(value, "readinessProbe", "terminationGracePeriodSeconds") is not None:
        yield ("readinessProbe", "terminationGracePeriodSeconds"), "a readiness probe ends no container"


def _resize(value: dict[str, Any], place: Place) -> Said:
    seen: set[str] = set()
    pod = at(place.root, *place.pointer[:-2])
    for index, item in maps_at(value, "resizePolicy"):
        name = text_at(item, "resourceName")
        if name in seen:
            yield ("resizePolicy", index), f"`resizePolicy` says two things about `{name}`"
        seen.add(name)
        if text_at(pod, "restartPolicy") == "Never" and item.get("restartPolicy") == "RestartContainer":
            yield ("resizePolicy",), "`RestartContainer` contradicts the pod's `restartPolicy: Never`"


def security(value: dict[str, Any], _: Place) -> Said:
    """Privileges in contradiction; source: ValidateSecurityContext."""
    if value.get("allowPrivilegeEscalation") is False:
        if value.get("privileged") is True:
            yield (), "`privileged: true` contradicts `allowPrivilegeEscalation: false`"
        if "CAP_SYS_ADMIN" in list_at(value, "capabilities", "add"):
            yield (), "CAP_SYS_ADMIN contradicts `allowPrivilegeEscalation: false`"


def seccomp(value: dict[str, Any], _: Place) -> Said:
    """A profile for Localhost only; source: validateSeccompProfileField."""
    profile = value.get("localhostProfile")
    if value.get("type") == "Localhost":
        if profile is None:
            yield ("localhostProfile",), "`localhostProfile` is missing: `type: Localhost` needs it"
    elif profile is not None:
        yield ("localhostProfile",), "`localhostProfile` belongs to `type: Localhost`"


def apparmor(value: dict[str, Any], _: Place) -> Said:
    """A profile for Localhost only; source: ValidateAppArmorProfileField."""
    profile = value.get("localhostProfile")
    if value.get("type") == "Localhost":
        if not isinstance(profile, str) or not profile.strip():
            yield ("localhostProfile",), "`localhostProfile` is missing: `type: Localhost` needs it"
        elif profile != profile.strip():
            yield ("localhostProfile",), "`localhostProfile` has white space around it"
        elif len(profile) > 4095:
            yield ("localhostProfile",), "`localhostProfile` has more than 4095 characters"
    elif profile is not None:
        yield ("localhostProfile",), "`localhostProfile` belongs to `type: Localhost`"


_LINUX_ONLY: Final[tuple[Pointer, ...]] = (
    ("appArmorProfile",),
    ("seLinuxOptions",),
    ("seccompProfile",),
    ("capabilities",),
    ("readOnlyRootFilesystem",),
    ("privileged",),
    ("allowPrivilegeEscalation",),
    ("procMount",),
    ("runAsUser",),
    ("runAsGroup",),
)
"""Fields of a container's security context that a Windows pod cannot have; source: validateWindows."""


def linux_only(context: Mapping[str, Any]) -> Said:
    """The fields of a container's security context that mean nothing on Windows."""
    for pointer in _LINUX_ONLY:
        if context.get(str(pointer[0])) is not None:
            yield pointer, f"`{pointer[0]}` cannot be set for a Windows pod"


def windows_options(value: dict[str, Any], _: Place) -> Said:
    """Names of users and specs; source: validateWindowsSecurityContextOptions."""
    name = value.get("gmsaCredentialSpecName")
    if name is not None and (what := subdomain(name)):
        yield ("gmsaCredentialSpecName",), f"`gmsaCredentialSpecName` {what}"
    spec = value.get("gmsaCredentialSpec")
    if spec == "":
        yield ("gmsaCredentialSpec",), "`gmsaCredentialSpec` is empty"
    elif isinstance(spec, str) and len(spec) > 64 * 1024:
        yield ("gmsaCredentialSpec",), "`gmsaCredentialSpec` has more than 64 KiB"
    user = value.get("runAsUserName")
    if isinstance(user, str) and (what := _windows_user(user)):
        yield ("runAsUserName",), f"`runAsUserName` {what}"


def _windows_user(user: str) -> str | None:
    if not user:
        return "is empty"
    if any(ord(letter) < 32 or ord(letter) == 127 for letter in user):
        return "contains control characters"
    parts = user.split("\\")
    if len(parts) > 2:
        return "has more than one `\\`: it is USER or DOMAIN\\USER"
    name, domain = parts[-1], parts[0] if len(parts) == 2 else None
    if domain is not None and (
        len(domain) > 256 or (not _NETBIOS.fullmatch(domain) and not _DNS_DOMAIN.fullmatch(domain))
    ):
        return "has a domain that is neither a NetBIOS nor a DNS name"
    if not name or len(name) > 104 or not name.strip(". ") or _NO_USER.search(name):
        return 'has a user that is no name of one: at most 104 characters, none of "/:;|=,+*?<>@[]'
    return None


_NETBIOS: Final = re.compile(r"[^\\/:\*\?\"<>|\.][^\\/:\*\?\"<>|]{0,14}")
_DNS_DOMAIN: Final = re.compile(r"[a-zA-Z0-9]([-a-zA-Z0-9]*[a-zA-Z0-9])?(\.[a-zA-Z0-9]([-a-zA-Z0-9]*[a-zA-Z0-9])?)*")
_NO_USER: Final = re.compile(r"[\"/\\:;|=,+*?<>@\[\]]")

RULES: Final[Mapping[str, Validator]] = {
    "core.v1.AppArmorProfile": apparmor,
    "core.v1.Container": container,
    "core.v1.DownwardAPIVolumeFile": downward_file,
    "core.v1.EnvFromSource": env_from,
    "core.v1.EnvVar": env,
    "core.v1.EphemeralContainer": container,
    "core.v1.ObjectFieldSelector": field_ref,
    "core.v1.ResourceFieldSelector": resource_ref,
    "core.v1.SeccompProfile": seccomp,
    "core.v1.SecurityContext": security,
    "core.v1.VolumeMount": mount,
    "core.v1.WindowsSecurityContextOptions": windows_options,
}
