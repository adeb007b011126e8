"""The baseline level of the Pod Security Standards: what no ordinary workload needs."""

from __future__ import annotations

from typing import TYPE_CHECKING, Final

from envcompile.check.reading import at, map_at, maps_at, number_at, text_at, texts_at
from envcompile.check.standards import Breach, Control, container_contexts, contexts, has_own_users

if TYPE_CHECKING:
    from collections.abc import Iterator

    from envcompile.check.pods import Pods
    from envcompile.model import Pointer

_CAPABILITY_NAMES: Final = (
    "AUDIT_WRITE CHOWN DAC_OVERRIDE FOWNER FSETID KILL MKNOD NET_BIND_SERVICE SETFCAP SETGID SETPCAP SETUID SYS_CHROOT"
)
BASELINE_CAPABILITIES: Final = frozenset(_CAPABILITY_NAMES.split())
"""Capabilities that the baseline level lets a container add: those that runtimes give it anyway."""

_FATAL: Final = frozenset({"ALL", "SYS_ADMIN", "SYS_MODULE", "SYS_PTRACE", "SYS_RAWIO", "BPF", "DAC_READ_SEARCH"})
"""Capabilities that are as good as root on the node."""

_SELINUX: Final = frozenset({"", "container_t", "container_init_t", "container_kvm_t"})
_SYSCTLS: Final = (
    (0, "kernel.shm_rmid_forced net.ipv4.ip_local_port_range net.ipv4.tcp_syncookies net.ipv4.ping_group_range"),
    (0, "net.ipv4.ip_unprivileged_port_start"),
    (27, "net.ipv4.ip_local_reserved_ports"),
    (29, "net.ipv4.tcp_keepalive_time net.ipv4.tcp_fin_timeout net.ipv4.tcp_keepalive_intvl"),
    (29, "net.ipv4.tcp_keepalive_probes"),
    (32, "net.ipv4.tcp_rmem net.ipv4.tcp_wmem"),
    (37, "net.ipv4.tcp_slow_start_after_idle net.ipv4.tcp_notsent_lowat"),
)
"""From which minor version on which sysctls are safe."""

_SOCKETS: Final = ("docker.sock", "containerd.sock", "crio.sock", "cri-dockerd.sock", "dockershim.sock")
_WHOLE: Final = frozenset({"/", "/etc", "/root", "/var", "/var/run", "/run", "/var/lib/kubelet", "/etc/kubernetes"})
"""Paths of a node that are as good as the node to whoever may write to them."""

_APPARMOR: Final = "container.apparmor.security.beta.kubernetes.io/"


def _privileged(pods: Pods, _minor: int) -> Iterator[Breach]:
    for context in container_contexts(pods):
        if context.value.get("privileged") is True:
            what = f"{context.who} is privileged: it is root on the node"
            yield Breach(
                (*context.pointer, "privileged"), what, "take `privileged` out; add single capabilities if need be"
            )


def _namespaces(pods: Pods, _minor: int) -> Iterator[Breach]:
    for field, shared in (("hostNetwork", "network"), ("hostPID", "processes"), ("hostIPC", "shared memory")):
        if pods.spec.get(field) is True:
            what = f"the pod shares the node's {shared} (`{field}: true`)"
            yield Breach((*pods.spec_pointer, field), what, f"take `{field}` out")


def _host_path(pods: Pods, _minor: int) -> Iterator[Breach]:
    for position, volume in maps_at(pods.spec, "volumes"):
        if "hostPath" not in volume or volume["hostPath"] is None:
            continue
        path = text_at(volume, "hostPath", "path")
        pointer: Pointer = (*pods.spec_pointer, "volumes", position, "hostPath")
        what = f"volume `{text_at(volume, 'name')}` is the path `{path}` of the node"
        is_whole = (path.rstrip("/") or "/") in _WHOLE and _is_written(pods, text_at(volume, "name"))
        is_fatal = is_whole or path.endswith(_SOCKETS)
        if is_fatal:
            what += ", which is as good as root on the node"
        yield Breach(
            pointer,
            what,
            "use a volume of the pod's own (emptyDir, a claim, a ConfigMap)",
            "error" if is_fatal else None,
        )


def _is_written(pods: Pods, volume: str) -> bool:
    """Tell whether a container may write to a volume."""
    return any(
        text_at(mount, "name") == volume and mount.get("readOnly") is not True
        for container in pods.containers
        for _, mount in maps_at(container.value, "volumeMounts")
    )


def _host_ports(pods: Pods, _minor: int) -> Iterator[Breach]:
    for container in pods.containers:
        for position, port in maps_at(container.value, "ports"):
            number = number_at(port, "hostPort")
            if number:
                what = (
                    f"container `{container.name}` takes port {number} of its node: one pod a node, past every policy"
                )
                pointer = (*container.pointer, "ports", position, "hostPort")
                yield Breach(pointer, what, "take `hostPort` out and use a Service")


def _capabilities(pods: Pods, _minor: int) -> Iterator[Breach]:
    for context in container_contexts(pods):
        for position, name in enumerate(texts_at(context.value, "capabilities", "add")):
            plain = name.upper().removeprefix("CAP_")
            if name not in BASELINE_CAPABILITIES:
                what = f"{context.who} adds the capability {name}, which no ordinary workload needs"
                pointer = (*context.pointer, "capabilities", "add", position)
                yield Breach(pointer, what, "take it out", "error" if plain in _FATAL else None)


def _apparmor(pods: Pods, _minor: int) -> Iterator[Breach]:
    fix = "write RuntimeDefault or Localhost, or nothing"
    for context in contexts(pods):
        profile = map_at(context.value, "appArmorProfile")
        if profile and text_at(profile, "type") not in {"RuntimeDefault", "Localhost"}:
            pointer = (*context.pointer, "appArmorProfile", "type")
            yield Breach(pointer, f"{context.who} runs without the AppArmor profile of the runtime", fix)
    for key, value in pods.annotations.items():
        if key.startswith(_APPARMOR) and value not in {"", "runtime/default"} and not value.startswith("localhost/"):
            name = key.removeprefix(_APPARMOR)
            pointer = (*pods.pointer, "metadata", "annotations", key)
            yield Breach(pointer, f"container `{name}` runs without the AppArmor profile of the runtime", fix)


def _selinux(pods: Pods, minor: int) -> Iterator[Breach]:
    types = _SELINUX | {"container_engine_t"} if minor >= 31 else _SELINUX
    for context in contexts(pods):
        options = map_at(context.value, "seLinuxOptions")
        for field in ("type", "user", "role"):
            value = text_at(options, field)
            if value not in types if field == "type" else value:
                what = f"{context.who} sets the SELinux {field} `{value}`"
                yield Breach((*context.pointer, "seLinuxOptions", field), what, f"take `{field}` out")


def _proc_mount(pods: Pods, minor: int) -> Iterator[Breach]:
    if has_own_users(pods, minor):
        return
    yield from _proc_mount_always(pods, minor)


def _proc_mount_always(pods: Pods, _minor: int) -> Iterator[Breach]:
    for context in container_contexts(pods):
        value = context.value.get("procMount")
        if value is not None and value != "Default":
            what = f"{context.who} sees parts of /proc that are hidden by default (`procMount: {value}`)"
            yield Breach((*context.pointer, "procMount"), what, "take `procMount` out")


def _restricted_proc_mount(pods: Pods, minor: int) -> Iterator[Breach]:
    if minor >= 35 and has_own_users(pods, minor):
        yield from _proc_mount_always(pods, minor)


def _seccomp(pods: Pods, _minor: int) -> Iterator[Breach]:
    for context in contexts(pods):
        profile = map_at(context.value, "seccompProfile")
        if profile and text_at(profile, "type") not in {"RuntimeDefault", "Localhost"}:
            what = f"{context.who} may make every system call (`seccompProfile` {profile.get('type')})"
            yield Breach((*context.pointer, "seccompProfile", "type"), what, "write `type: RuntimeDefault`")


def _sysctls(pods: Pods, minor: int) -> Iterator[Breach]:
    safe = {name for since, names in _SYSCTLS if since <= minor for name in names.split()}
    for position, sysctl in maps_at(pods.spec, "securityContext", "sysctls"):
        name = text_at(sysctl, "name")
        if name not in safe:
            what = f"the sysctl `{name}` is not safe: a kubelet without `--allowed-unsafe-sysctls` refuses the pod"
            yield Breach((*pods.spec_pointer, "securityContext", "sysctls", position, "name"), what, "take it out")


def _host_process(pods: Pods, _minor: int) -> Iterator[Breach]:
    for context in contexts(pods):
        if at(context.value, "windowsOptions", "hostProcess") is True:
            what = f"{context.who} runs as a process of the Windows node"
            yield Breach((*context.pointer, "windowsOptions", "hostProcess"), what, "take `hostProcess` out")


def _probe_host(pods: Pods, minor: int) -> Iterator[Breach]:
    if minor < 34:
        return
    for container in pods.containers:
        handlers = [(field,) for field in ("livenessProbe", "readinessProbe", "startupProbe")]
        for way in (*handlers, ("lifecycle", "postStart"), ("lifecycle", "preStop")):
            for action in ("httpGet", "tcpSocket"):
                host = text_at(container.value, *way, action, "host")
                if host:
                    what = f"`{way[-1]}` of container `{container.name}` makes the kubelet talk to another host"
                    pointer = (*container.pointer, *way, action, "host")
                    yield Breach(pointer, what, "take `host` out: the pod's own address is the default")


CONTROLS: Final = (
    Control("privileged", "privileged", "baseline", _privileged),
    Control("host-namespaces", "hostNamespaces", "baseline", _namespaces),
    Control("host-path", "hostPathVolumes", "baseline", _host_path),
    Control("host-ports", "hostPorts", "baseline", _host_ports),
    Control("caps-dangerous", "capabilities_baseline", "baseline", _capabilities),
    Control("apparmor-selinux", "appArmorProfile", "baseline", _apparmor),
    Control("apparmor-selinux", "seLinuxOptions", "baseline", _selinux),
    Control("proc-mount", "procMount", "baseline", _proc_mount),
    Control("proc-mount", "procMount_restricted", "restricted", _restricted_proc_mount),
    Control("seccomp", "seccompProfile_baseline", "baseline", _seccomp),
    Control("sysctl-unsafe", "sysctls", "baseline", _sysctls),
    Control("windows-hostprocess", "windowsHostProcess", "baseline", _host_process),
    Control("probe-host", "hostProbesAndHostLifecycle", "baseline", _probe_host),
)
"""Every control of the level (and of procMount the restricted one), by the rule that reports it."""
