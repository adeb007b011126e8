"""What is refused of a pod as a whole: fields that contradict each other, and names of what is not there.

Source: pkg/apis/core/validation/validation.go of kubernetes/kubernetes; each function names its own there.
"""

from __future__ import annotations

import re
from typing import TYPE_CHECKING, Any, Final

from envcompile.check.api.containers import linux_only
from envcompile.check.api.names import label, subdomain_underscored
from envcompile.check.reading import at, list_at, map_at, maps_at, number_at, text_at, texts_at
from envcompile.kubernetes.podspecs import CONTAINER_LISTS

if TYPE_CHECKING:
    from collections.abc import Iterator, Mapping

    from envcompile.check.api.refusal import Place, Said, Validator
    from envcompile.model import Pointer

_SYSCTL: Final = re.compile(r"[a-z0-9]([-_a-z0-9]*[a-z0-9])?([\./][a-z0-9]([-_a-z0-9]*[a-z0-9])?)*")
_LONGEST_SYSCTL: Final = 253
_LONGEST_SEARCHES: Final = 2048
_OWN_USERS: Final = 33
"""The version from which on `hostUsers` and `procMount` are looked at (UserNamespacesSupport, ProcMountType)."""
_GRACE: Final = 30
"""Seconds a pod has to end when it says nothing."""

_WINDOWS_POD: Final = ("hostUsers", "shareProcessNamespace")
_WINDOWS_CONTEXT: Final = (
    "appArmorProfile",
    "seLinuxOptions",
    "seccompProfile",
    "fsGroup",
    "fsGroupChangePolicy",
    "sysctls",
    "runAsUser",
    "runAsGroup",
    "supplementalGroups",
    "supplementalGroupsPolicy",
    "seLinuxChangePolicy",
)
_EPHEMERAL_NEVER: Final = (
    "ports",
    "livenessProbe",
    "readinessProbe",
    "startupProbe",
    "lifecycle",
    "resources",
    "resizePolicy",
    "restartPolicy",
    "restartPolicyRules",
)


def pod_spec(spec: dict[str, Any], place: Place) -> Said:
    """Everything about a pod that more than one of its fields says; source: ValidatePodSpec."""
    inside = {key for _, item in _each(spec) for key in item}
    contexts = [map_at(spec, "securityContext"), *(map_at(item, "securityContext") for _, item in _each(spec))]
    yield from _container_names(spec)
    # Most pods have few of the fields: what a part looks at says whether it is asked.
    if inside & {"volumeMounts", "volumeDevices", "env"}:
        yield from _mounted(spec, place)
    yield from _host(spec, place)
    if "lifecycle" in inside:
        yield from _handlers(spec, place)
    if "dnsConfig" in spec or "dnsPolicy" in spec:
        yield from _dns(spec)
    if "os" in spec or any("windowsOptions" in context for context in contexts):
        yield from _systems(spec)
    if "sysctls" in contexts[0]:
        yield from _security(spec)
    if "resources" in inside or "resourceClaims" in spec or "resources" in spec:
        yield from _claims(spec)
    yield from _once(spec)
    if "ephemeralContainers" in spec:
        yield from _ephemeral(spec, place)
    if place.kind != "StatefulSet":  # whose controller overwrites both
        for field in ("hostname", "subdomain"):
            if (text := text_at(spec, field)) and (what := label(text)):
                yield (field,), f"`{field}` {what}"
    if place.kind == "Pod":
        yield from _pod_only(spec)


def _each(spec: dict[str, Any]) -> Iterator[tuple[Pointer, dict[str, Any]]]:
    for field in CONTAINER_LISTS:
        if field in spec:
            for index, item in maps_at(spec, field):
                yield (field, index), item


def _container_names(spec: dict[str, Any]) -> Said:
    seen: set[str] = set()
    for field in ("containers", "initContainers", "ephemeralContainers"):
        for index, item in maps_at(spec, field):
            name = text_at(item, "name")
            if name and name in seen:
                yield (field, index, "name"), f"two containers are called `{name}`"
            seen.add(name)


def _mounted(spec: dict[str, Any], place: Place) -> Said:
    """Mounts and devices of volumes that are there; source: ValidateVolumeMounts, ValidateVolumeDevices."""
    volumes = {text_at(item, "name"): item for _, item in maps_at(spec, "volumes")}
    if place.kind == "StatefulSet":
        for _, item in maps_at(place.root, "spec", "volumeClaimTemplates"):
            volumes[text_at(item, "metadata", "name")] = {"persistentVolumeClaim": {}}
    for pointer, item in _each(spec):
        for index, mount in maps_at(item, "volumeMounts"):
            name = text_at(mount, "name")
            if name and name not in volumes:
                yield (*pointer, "volumeMounts", index, "name"), f"the pod has no volume `{name}`"
        for index, device in maps_at(item, "volumeDevices"):
            name = text_at(device, "name")
            volume = volumes.get(name)
            if name and volume is None:
                yield (*pointer, "volumeDevices", index, "name"), f"the pod has no volume `{name}`"
            elif volume is not None and not ("persistentVolumeClaim" in volume or "ephemeral" in volume):
                yield (*pointer, "volumeDevices", index, "name"), f"the volume `{name}` is no claim: no device"
        for index, variable in maps_at(item, "env"):
            if "valueFrom" not in variable:
                continue
            name = text_at(variable, "valueFrom", "fileKeyRef", "volumeName")
            # A volume that says nothing but its name is given an emptyDir.
            if name and "emptyDir" not in (volumes.get(name) or {}) and set(volumes.get(name) or ()) != {"name"}:
                where: Pointer = (*pointer, "env", index, "valueFrom", "fileKeyRef", "volumeName")
                yield where, f"the pod has no volume `{name}` of type emptyDir"


def _host(spec: dict[str, Any], place: Place) -> Said:
    """Ports and namespaces of the host; source: validatePodHostNetworkDeps, checkHostPortConflicts."""
    on_host = spec.get("hostNetwork") is True
    taken: set[tuple[str, str, int]] = set()
    is_taken = on_host or any("hostPort" in port for _, item in _each(spec) for _, port in maps_at(item, "ports"))
    for pointer, item in _each(spec) if is_taken else ():
        if pointer[0] == "initContainers":
            taken_here: set[tuple[str, str, int]] = set()
        else:
            taken_here = taken
        for index, port in maps_at(item, "ports"):
            host = number_at(port, "hostPort") or 0
            where: Pointer = (*pointer, "ports", index, "hostPort")
            wanted = number_at(port, "containerPort")
            if on_host and pointer[0] == "containers":
                if not host and place.kind == "Pod":
                    host = wanted or 0  # filled in
                if host and host != wanted:
                    yield where, "`hostPort` differs from `containerPort` though the pod has `hostNetwork: true`"
            if host:
                key = (text_at(port, "protocol") or "TCP", text_at(port, "hostIP"), host)
                if key in taken_here:
                    yield where, f"the host's port {host} is taken twice"
                taken_here.add(key)
    if spec.get("hostPID") is True and spec.get("shareProcessNamespace") is True:
        yield ("shareProcessNamespace",), "`shareProcessNamespace` and `hostPID` stand beside each other"
    if place.release >= _OWN_USERS:
        yield from _users(spec)
    if spec.get("hostnameOverride") is not None:
        for field in ("setHostnameAsFQDN", "hostNetwork"):
            if spec.get(field) is True:
                yield ("hostnameOverride",), f"`hostnameOverride` and `{field}` stand beside each other"


def _users(spec: dict[str, Any]) -> Said:
    """What needs, or cannot have, users of the pod's own; source: validateHostUsers, ValidateSecurityContext."""
    if spec.get("hostUsers") is False:
        for field in ("hostNetwork", "hostPID", "hostIPC"):
            if spec.get(field) is True:
                yield (field,), f"`{field}` contradicts `hostUsers: false`"
        for pointer, item in _each(spec):
            if list_at(item, "volumeDevices"):
                yield (*pointer, "volumeDevices"), "`volumeDevices` contradicts the pod's `hostUsers: false`"
        return
    for pointer, item in _each(spec):
        if "securityContext" in item and at(item, "securityContext", "procMount") == "Unmasked":
            yield (
                (*pointer, "securityContext", "procMount"),
                "`procMount: Unmasked` needs `hostUsers: false`",
            )


def _handlers(spec: dict[str, Any], place: Place) -> Said:
    """Sleeping before the end; source: validateSleepAction, SetDefaults_Pod."""
    grace = number_at(spec, "terminationGracePeriodSeconds")
    grace = _GRACE if grace is None else grace
    if grace < 0 and place.kind == "Pod":
        grace = 1  # filled in
    for pointer, item in _each(spec):
        for event in ("postStart", "preStop"):
            sleep = at(item, "lifecycle", event, "sleep")
            if isinstance(sleep, dict):
                seconds = number_at(sleep, "seconds") or 0
                if not 0 <= seconds <= grace:
                    yield (
                        (*pointer, "lifecycle", event, "sleep", "seconds"),
                        (f"`seconds` is not between 0 and the pod's `terminationGracePeriodSeconds` ({grace})"),
                    )


def _dns(spec: dict[str, Any]) -> Said:
    """Name servers and search domains; source: validatePodDNSConfig."""
    config = spec.get("dnsConfig")
    if spec.get("dnsPolicy") == "None":
        if not isinstance(config, dict):
            yield ("dnsConfig",), "`dnsConfig` is missing: `dnsPolicy: None` needs it"
        elif not config.get("nameservers"):
            yield ("dnsConfig", "nameservers"), "`nameservers` is missing: `dnsPolicy: None` needs one"
    searches = texts_at(config, "searches")
    if len(" ".join(searches)) > _LONGEST_SEARCHES:
        yield ("dnsConfig", "searches"), f"`searches` has more than {_LONGEST_SEARCHES} characters"
    for index, domain in enumerate(list_at(config, "searches")):
        text = "" if domain is None else domain
        if text != "." and isinstance(text, str) and (what := subdomain_underscored(text.removesuffix("."))):
            yield ("dnsConfig", "searches", index), f"item {index} of `searches` {what}"


def _systems(spec: dict[str, Any]) -> Said:
    """What one operating system does not have; source: validateLinux, validateWindows, validateStopSignal."""
    system = at(spec, "os", "name")
    for pointer, item in _each(spec):
        if system == "linux" and at(item, "securityContext", "windowsOptions") is not None:
            yield (*pointer, "securityContext", "windowsOptions"), "`windowsOptions` cannot be set for a Linux pod"
        if system == "windows":
            for where, what in linux_only(map_at(item, "securityContext")):
                yield (*pointer, "securityContext", *where), what
    context = map_at(spec, "securityContext")
    if system == "linux" and context.get("windowsOptions") is not None:
        yield ("securityContext", "windowsOptions"), "`windowsOptions` cannot be set for a Linux pod"
    if system == "windows":
        for field in _WINDOWS_CONTEXT:
            if context.get(field) is not None:
                yield ("securityContext", field), f"`{field}` cannot be set for a Windows pod"
        for field in ("hostPID", "hostIPC"):
            if spec.get(field) is True:
                yield (field,), f"`{field}` cannot be set for a Windows pod"
        for field in _WINDOWS_POD:
            if spec.get(field) is not None:
                yield (field,), f"`{field}` cannot be set for a Windows pod"
        if spec.get("resources") is not None:
            yield ("resources",), "`resources` of the pod cannot be set for a Windows pod"
    yield from _host_process(spec)


def _host_process(spec: dict[str, Any]) -> Said:
    """Source: validateWindowsHostProcessPod."""
    whole = at(spec, "securityContext", "windowsOptions", "hostProcess")
    each = []
    for pointer, item in _each(spec):
        own = at(item, "securityContext", "windowsOptions", "hostProcess")
        if whole is not None and own is not None and own != whole:
            where: Pointer = (*pointer, "securityContext", "windowsOptions", "hostProcess")
            yield where, "`hostProcess` differs from the pod's"
        each.append(own is True or (own is None and whole is True))
    if any(each):
        if not all(each):
            yield (), "some containers are `hostProcess` and some are not: all or none must be"
        if spec.get("hostNetwork") is not True:
            yield ("hostNetwork",), "`hostNetwork` is not true: containers with `hostProcess` need it"


def _security(spec: dict[str, Any]) -> Said:
    """Kernel parameters; source: validateSysctls."""
    seen: set[str] = set()
    for index, item in maps_at(spec, "securityContext", "sysctls"):
        name = text_at(item, "name")
        where: Pointer = ("securityContext", "sysctls", index, "name")
        if not name:
            continue
        if len(name) > _LONGEST_SYSCTL or _SYSCTL.fullmatch(name) is None:
            yield where, "`name` is no name of a kernel parameter"
        elif name in seen:
            yield where, f"`{name}` is set twice"
        dotted = name.replace("/", ".")
        if spec.get("hostNetwork") is True and dotted.startswith("net."):
            yield where, f"`{name}` belongs to the network of the host, which `hostNetwork: true` uses"
        if spec.get("hostIPC") is True and (
            dotted.startswith(("kernel.shm", "kernel.msg", "fs.mqueue.")) or dotted == "kernel.sem"
        ):
            yield where, f"`{name}` belongs to the IPC of the host, which `hostIPC: true` uses"
        seen.add(name)


def _claims(spec: dict[str, Any]) -> Said:
    """Device claims that the pod has; source: validateResourceClaimNames, validatePodResourceClaims."""
    names = [text_at(item, "name") for _, item in maps_at(spec, "resourceClaims")]
    for index, name in enumerate(names):
        if name and name in names[:index]:
            yield ("resourceClaims", index, "name"), f"two claims are called `{name}`"
    for pointer, item in _each(spec):
        used: set[tuple[str, str]] = set()
        for index, claim in maps_at(item, "resources", "claims"):
            name, request = text_at(claim, "name"), text_at(claim, "request")
            where: Pointer = (*pointer, "resources", "claims", index)
            if not name:
                yield where, "`name` of the claim is missing"
                continue
            if request and (what := label(request)):
                yield (*where, "request"), f"`request` {what}"
            if (name, request) in used or (name, "") in used or (not request and any(n == name for n, _ in used)):
                yield where, f"the claim `{name}` is used twice"
            if name not in names:
                yield where, f"the pod has no claim `{name}` in `resourceClaims`"
            used.add((name, request))
    if at(spec, "resources", "claims") is not None:
        yield ("resources", "claims"), "`claims` can only be used by a container"


def _once(spec: dict[str, Any]) -> Said:
    """Gates and constraints that stand once; source: validateSchedulingGates, validateTopologySpreadConstraints."""
    gates = [text_at(item, "name") for _, item in maps_at(spec, "schedulingGates")]
    for index, name in enumerate(gates):
        if name in gates[:index]:
            yield ("schedulingGates", index), f"the gate `{name}` stands twice"
    seen: list[Any] = []
    for _, item in maps_at(spec, "topologySpreadConstraints"):
        key = (item.get("topologyKey"), item.get("whenUnsatisfiable"))
        if key in seen:
            yield ("topologySpreadConstraints", seen.index(key)), "two constraints have this topology key and policy"
        seen.append(key)


def _ephemeral(spec: dict[str, Any], place: Place) -> Said:
    """Containers for debugging; source: validateEphemeralContainers, ValidatePodCreate, ValidatePodTemplateSpec."""
    items = list_at(spec, "ephemeralContainers")
    if items and place.kind == "Pod":
        yield ("ephemeralContainers",), "`ephemeralContainers` cannot be there when a pod is created"
    elif items:
        yield ("ephemeralContainers",), "`ephemeralContainers` cannot be in a template"
    for index, item in maps_at(spec, "ephemeralContainers"):
        for field in _EPHEMERAL_NEVER:
            if item.get(field) not in (None, [], ""):
                yield ("ephemeralContainers", index, field), f"an ephemeral container has no `{field}`"


def _pod_only(spec: dict[str, Any]) -> Said:
    """What holds for pods and not for templates, and what admission says of any pod.

    Source: validatePodMetadataAndSpec; plugin/pkg/admission/priority/admission.go, admitPod.
    """
    if spec.get("schedulingGates") and spec.get("nodeName"):
        yield ("nodeName",), "`nodeName` and `schedulingGates` stand beside each other"
    if spec.get("priority") not in {None, 0} and not spec.get("priorityClassName"):
        yield ("priority",), "`priority` is computed from `priorityClassName`, which is not there"


RULES: Final[Mapping[str, Validator]] = {
    "core.v1.PodSpec": pod_spec,
}
