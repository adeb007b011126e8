"""The Pod Security Standards as data: a control, its level, and where a pod breaks it."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any, Final, Literal, NamedTuple

from envcompile.check.finding import Hit
from envcompile.check.reading import map_at

if TYPE_CHECKING:
    from collections.abc import Callable, Iterator, Sequence

    from envcompile.check.check_input import CheckInput
    from envcompile.check.finding import Severity
    from envcompile.check.pods import Pods
    from envcompile.model import Pointer

Level = Literal["baseline", "restricted"]

_CAPABILITY_NAMES: Final = (
    "AUDIT_WRITE CHOWN DAC_OVERRIDE FOWNER FSETID KILL MKNOD NET_BIND_SERVICE SETFCAP SETGID SETPCAP SETUID SYS_CHROOT"
)
BASELINE_CAPABILITIES: Final = frozenset(_CAPABILITY_NAMES.split())
"""Capabilities that the baseline level lets a container add: those that runtimes give it anyway."""


class Breach(NamedTuple):
    """One field of a pod that a control forbids, or asks for in vain."""

    pointer: Pointer
    what: str
    fix: str
    severity: Severity | None = None


class Control(NamedTuple):
    """One control of a level; `check` is the name that kubernetes/pod-security-admission gives it."""

    rule: str
    """The id of the rule that reports it."""
    check: str
    level: Level
    find: Callable[[Pods, int], Iterator[Breach]]
    """From pods and a minor version of Kubernetes to what is wrong."""


class Context(NamedTuple):
    """A securityContext: the pod's own, or that of one container."""

    pointer: Pointer
    value: dict[str, Any]
    who: str


def contexts(pods: Pods) -> Iterator[Context]:
    """The pod's securityContext and those of all its containers, absent ones as empty."""
    yield Context((*pods.spec_pointer, "securityContext"), map_at(pods.spec, "securityContext"), "the pod")
    yield from container_contexts(pods)


def container_contexts(pods: Pods) -> Iterator[Context]:
    """The securityContexts of all containers, absent ones as empty."""
    for container in pods.containers:
        value = map_at(container.value, "securityContext")
        yield Context((*container.pointer, "securityContext"), value, f"container `{container.name}`")


def has_own_users(pods: Pods, minor: int) -> bool:
    """Tell whether the pod's users are its own, so that root in it is nobody outside (KEP-127, from 1.35 on)."""
    return minor >= 35 and pods.spec.get("hostUsers") is False


def minor_of(version: str) -> int:
    """The minor number of a version such as `1.35` or `v1.35`; a high one for `latest`."""
    minor = version.removeprefix("v").partition(".")[2]
    return int(minor) if minor.isdecimal() else 999


def breaking(controls: Sequence[Control]) -> Callable[[CheckInput], Iterator[Hit]]:
    """The function that finds what breaks some controls."""

    def find(inputs: CheckInput) -> Iterator[Hit]:
        minor = minor_of(inputs.api.version)
        for pods in inputs.pods:
            for control in controls:
                for breach in control.find(pods, minor):
                    yield Hit(pods.resource.id, breach.pointer, breach.what, breach.fix, breach.severity)

    return find
