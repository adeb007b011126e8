"""The restricted level of the Pod Security Standards: what a hardened workload states."""

from __future__ import annotations

from typing import TYPE_CHECKING, Final

from envcompile.check.reading import at, map_at, maps_at, text_at, texts_at
from envcompile.check.rules.podbaseline import BASELINE_CAPABILITIES
from envcompile.check.standards import Breach, Control, container_contexts, contexts, has_own_users

if TYPE_CHECKING:
    from collections.abc import Iterator

    from envcompile.check.pods import Pods

_VOLUMES: Final = frozenset({
    "configMap",
    "csi",
    "downwardAPI",
    "emptyDir",
    "ephemeral",
    "image",
    "persistentVolumeClaim",
    "projected",
    "secret",
})


def _volumes(pods: Pods, _minor: int) -> Iterator[Breach]:
    for position, volume in maps_at(pods.spec, "volumes"):
        kinds = [key for key, value in volume.items() if key != "name" and value is not None]
        if kinds and "hostPath" in kinds:
            continue  # the baseline level says so already
        if kinds and not any(kind in _VOLUMES for kind in kinds):
            what = f"volume `{text_at(volume, 'name')}` is of type {kinds[0]}, which reaches outside of the pod"
            fix = "use a PersistentVolumeClaim or a CSI volume"
            yield Breach((*pods.spec_pointer, "volumes", position, kinds[0]), what, fix)


def _escalation(pods: Pods, minor: int) -> Iterator[Breach]:
    if pods.is_windows and minor >= 25:
        return
    for context in container_contexts(pods):
        if context.value.get("allowPrivilegeEscalation") is not False:
            what = f"{context.who} may gain rights that it did not start with"
            yield Breach(
                (*context.pointer, "allowPrivilegeEscalation"), what, "write `allowPrivilegeEscalation: false`"
            )


def _non_root(pods: Pods, minor: int) -> Iterator[Breach]:
    if has_own_users(pods, minor):
        return
    whole = at(pods.spec, "securityContext", "runAsNonRoot")
    fix = "write `runAsNonRoot: true` for the pod, and a `runAsUser` if the image names none"
    if whole is False:
        pointer = (*pods.spec_pointer, "securityContext", "runAsNonRoot")
        yield Breach(pointer, "the pod may run as root (`runAsNonRoot: false`)", fix)
        return
    for context in container_contexts(pods):
        own = context.value.get("runAsNonRoot")
        if own is False or (own is None and whole is not True):
            yield Breach((*context.pointer, "runAsNonRoot"), f"{context.who} may run as root", fix)


def _root_user(pods: Pods, minor: int) -> Iterator[Breach]:
    if has_own_users(pods, minor):
        return
    for context in contexts(pods):
        user = context.value.get("runAsUser")
        if user == 0 and user is not False:
            yield Breach((*context.pointer, "runAsUser"), f"{context.who} runs as root", "write another user's number")


def _seccomp(pods: Pods, minor: int) -> Iterator[Breach]:
    if pods.is_windows and minor >= 25:
        return
    if at(pods.spec, "securityContext", "seccompProfile", "type") is not None:
        return  # a bad one is what the baseline level is about
    missing = [context for context in container_contexts(pods) if not map_at(context.value, "seccompProfile")]
    if missing:
        who = "the pod" if len(missing) == len(pods.containers) else missing[0].who
        what = f"{who} names no seccomp profile, so every system call is allowed"
        pointer = (*pods.spec_pointer, "securityContext", "seccompProfile")
        yield Breach(pointer, what, "write `securityContext: {seccompProfile: {type: RuntimeDefault}}` for the pod")


def _capabilities(pods: Pods, minor: int) -> Iterator[Breach]:
    if pods.is_windows and minor >= 25:
        return
    for context in container_contexts(pods):
        capabilities = map_at(context.value, "capabilities")
        if "ALL" not in texts_at(capabilities, "drop"):
            what = f"{context.who} keeps the capabilities that containers have by default"
            pointer = (*context.pointer, "capabilities", "drop")
            yield Breach(pointer, what, "write `capabilities: {drop: [ALL]}`")
        for position, name in enumerate(texts_at(capabilities, "add")):
            if name != "NET_BIND_SERVICE" and name in BASELINE_CAPABILITIES:  # else `caps-dangerous` says so
                what = f"{context.who} adds the capability {name}"
                pointer = (*context.pointer, "capabilities", "add", position)
                yield Breach(pointer, what, "take it out, or say in `envcompile.dev/ignore` why it is needed")


CONTROLS: Final = (
    Control("volume-types", "restrictedVolumes", "restricted", _volumes),
    Control("privilege-escalation", "allowPrivilegeEscalation", "restricted", _escalation),
    Control("run-as-root", "runAsNonRoot", "restricted", _non_root),
    Control("run-as-root", "runAsUser", "restricted", _root_user),
    Control("seccomp", "seccompProfile_restricted", "restricted", _seccomp),
    Control("caps-not-dropped", "capabilities_restricted", "restricted", _capabilities),
)
"""Every control of the level, by the rule that reports it."""
