"""What is refused of the annotations that pods and their templates have for the kubelet and for controllers.

Source: pkg/apis/core/validation/validation.go of kubernetes/kubernetes, ValidatePodSpecificAnnotations and what it
calls; each function names its own there.
"""

from __future__ import annotations

import re
from typing import TYPE_CHECKING, Any, Final

from envcompile.check.reading import at, map_at, maps_at, text_at
from envcompile.kubernetes.podspecs import CONTAINER_LISTS

if TYPE_CHECKING:
    from collections.abc import Iterator, Mapping

    from envcompile.check.api.refusal import Place, Said, Validator
    from envcompile.model import Pointer

_APPARMOR: Final = "container.apparmor.security.beta.kubernetes.io/"
_SECCOMP: Final = "seccomp.security.alpha.kubernetes.io/pod"
_SECCOMP_OF: Final = "container.seccomp.security.alpha.kubernetes.io/"
_COST: Final = "controller.kubernetes.io/pod-deletion-cost"
_INTEGER: Final = re.compile(r"0|-[0-9]+|[1-9][0-9]*", re.ASCII)
_ON_NODE: Final = "localhost/"


def pod_notes(value: dict[str, Any], _: Place) -> Said:
    """Annotations that mean something for pods."""
    notes = map_at(value, "metadata", "annotations")
    if not notes:
        return
    spec = map_at(value, "spec")
    where: Pointer = ("metadata", "annotations")
    if _COST in notes and not _is_cost(notes[_COST] or ""):
        yield (*where, _COST), "the cost of deleting the pod is no 32-bit integer such as `-5` or `10`"
    named = [key for key in notes if key.startswith((_APPARMOR, _SECCOMP_OF)) or key == _SECCOMP]
    if named:
        yield from _profiles(named, notes, spec)
        yield from _contradictions(notes, spec)


def means_nothing(notes: Mapping[str, Any]) -> bool:
    """Tell whether none of these annotations means anything for pods."""
    return _COST not in notes and not any(key.startswith((_APPARMOR, _SECCOMP_OF, _SECCOMP)) for key in notes)


def _is_cost(text: Any) -> bool:
    return isinstance(text, str) and _INTEGER.fullmatch(text) is not None and -(2**31) <= int(text) < 2**31


def _profiles(named: list[str], notes: Mapping[str, Any], spec: dict[str, Any]) -> Said:
    """Names of profiles; source: ValidateAppArmorPodAnnotations, ValidateSeccompPodAnnotations."""
    names = {text_at(item, "name") for _, item in _each(spec)}
    for key in named:
        where: Pointer = ("metadata", "annotations", key)
        profile = str(notes[key] or "")
        if key.startswith(_APPARMOR):
            if key.removeprefix(_APPARMOR) not in names:
                yield where, f"the pod has no container `{key.removeprefix(_APPARMOR)}`"
            if profile not in {"", "runtime/default", "unconfined"} and not profile.startswith(_ON_NODE):
                yield where, "the profile is not runtime/default, unconfined or localhost/NAME"
        elif profile not in {"runtime/default", "docker/default", "unconfined"}:
            path = profile.removeprefix(_ON_NODE)
            if path == profile or path.startswith("/") or ".." in path.split("/"):
                yield where, "the profile is not runtime/default, unconfined or localhost/PATH"


def _contradictions(notes: Mapping[str, Any], spec: dict[str, Any]) -> Said:
    """An annotation beside a field that says something else.

    Source: validateSeccompAnnotationsAndFields, validateAppArmorAnnotationsAndFieldsMatchOnCreate.
    """
    whole = map_at(spec, "securityContext")
    if _SECCOMP in notes:
        yield from _differs(notes[_SECCOMP], whole.get("seccompProfile"), ("spec", "securityContext", "seccompProfile"))
    is_windows = at(spec, "os", "name") == "windows"
    for pointer, item in _each(spec):
        own, where = map_at(item, "securityContext"), ("spec", *pointer, "securityContext")
        name = text_at(item, "name")
        if f"{_SECCOMP_OF}{name}" in notes:
            note = notes[f"{_SECCOMP_OF}{name}"]
            yield from _differs(note, own.get("seccompProfile"), (*where, "seccompProfile"))
        if f"{_APPARMOR}{name}" in notes and not is_windows:
            profile = own.get("appArmorProfile") or whole.get("appArmorProfile")
            yield from _differs(notes[f"{_APPARMOR}{name}"], profile, (*where, "appArmorProfile"))


def _differs(note: Any, profile: Any, where: Pointer) -> Said:
    if not isinstance(profile, dict):
        return
    what = "differs from what the annotation says"
    match profile.get("type"):
        case "Unconfined":
            if note != "unconfined":
                yield (*where, "type"), f"`type` {what}"
        case "RuntimeDefault":
            known = {"runtime/default", "docker/default"} if where[-1] == "seccompProfile" else {"runtime/default"}
            if note not in known:
                yield (*where, "type"), f"`type` {what}"
        case "Localhost":
            if not str(note or "").startswith(_ON_NODE):
                yield (*where, "type"), f"`type` {what}"
            elif str(note).removeprefix(_ON_NODE) != profile.get("localhostProfile"):
                yield (*where, "localhostProfile"), f"`localhostProfile` {what}"


def _each(spec: dict[str, Any]) -> Iterator[tuple[Pointer, dict[str, Any]]]:
    for field in CONTAINER_LISTS:
        if field in spec:
            for index, item in maps_at(spec, field):
                yield (field, index), item


RULES: Final[Mapping[str, Validator]] = {
    "core.v1.Pod": pod_notes,
    "core.v1.PodTemplateSpec": pod_notes,
}
