"""Decides which service each resource belongs to, and what the resource is called inside its service."""

from __future__ import annotations

import re
from typing import TYPE_CHECKING, Any, Final, NamedTuple

from envcompile.chart.names import camel, file_part, kebab, upper_first
from envcompile.chart.workloads import POD_TEMPLATES, RANK

if TYPE_CHECKING:
    from collections.abc import Iterable

    from envcompile.chart.shapes import Subject, ValuePath

_RESERVED: Final = frozenset({"global", "tags", "exports", "nameOverride", "fullnameOverride", "helmTest"})
"""Keys at the root of values.yaml that mean something to Helm itself, or to the whole chart."""

_SLOTS: Final = {
    "HorizontalPodAutoscaler": "autoscaling",
    "ScaledObject": "autoscaling",
    "ConfigMap": "config",
    "PersistentVolumeClaim": "persistence",
    "VerticalPodAutoscaler": "verticalAutoscaling",
}
_KIND_WORDS: Final = {
    "ConfigMap": ("configmap", "config-map", "config", "cm", "env", "configuration"),
    "Service": ("service", "svc"),
    "Ingress": ("ingress",),
    "HorizontalPodAutoscaler": ("horizontalpodautoscaler", "hpa", "autoscaler"),
    "PodDisruptionBudget": ("poddisruptionbudget", "pdb"),
    "Secret": ("secret", "secrets"),
    "SealedSecret": ("secret", "secrets", "sealedsecret"),
    "ExternalSecret": ("secret", "secrets", "externalsecret"),
    "ServiceAccount": ("serviceaccount", "service-account", "sa"),
    "PersistentVolumeClaim": ("pvc", "claim", "data", "storage"),
    "NetworkPolicy": ("networkpolicy", "network-policy", "netpol"),
    "VerticalPodAutoscaler": ("verticalpodautoscaler", "vpa"),
    "ScaledObject": ("scaledobject", "scaler"),
}
_SEPARATORS = re.compile(r"[-.:_]")


class Home(NamedTuple):
    """Where a resource lives in the chart."""

    key: str
    """The service's key at the root of values.yaml."""
    folder: str
    """The service's folder below templates/."""
    slot: ValuePath
    """What the resource's values stand below, inside the service; empty for the workload that is the service."""


def _selects(selector: dict[str, Any], labels: dict[str, Any]) -> bool:
    return bool(selector) and all(labels.get(key) == value for key, value in selector.items())


class _Workloads:
    """The workloads by what other resources may say of them."""

    def __init__(self, subjects: Iterable[Subject]) -> None:
        self.by_name: dict[str, list[Subject]] = {}
        self.by_label: dict[tuple[str, Any], list[Subject]] = {}
        self.by_app: dict[str, list[Subject]] = {}
        self.users: dict[tuple[str, str], list[Subject]] = {}
        for subject in subjects:
            self.by_name.setdefault(subject.name.strip("~"), []).append(subject)
            self.by_app.setdefault(subject.app, []).append(subject)
            uses = subject.uses
            for item in uses.labels.items():
                self.by_label.setdefault(item, []).append(subject)
            for used in uses.used:
                self.users.setdefault(used, []).append(subject)

    def selected(self, wanted: dict[str, str]) -> list[Subject]:
        """The workloads whose pods a label selector picks."""
        if not wanted:
            return []
        pools = sorted((self.by_label.get(item, []) for item in wanted.items()), key=len)
        return [subject for subject in pools[0] if _selects(wanted, subject.uses.labels)]

    def by_prefix(self, name: str) -> list[Subject]:
        """The workloads with the longest name that the given one begins with, cut at a separator."""
        if name in self.by_name:
            return self.by_name[name]
        for cut in reversed([found.start() for found in _SEPARATORS.finditer(name)]):
            if name[:cut] in self.by_name:
                return self.by_name[name[:cut]]
        return []


def _candidates(subject: Subject, workloads: _Workloads) -> Iterable[list[Subject]]:
    """What a resource itself says about the workloads it serves, the most certain first."""
    uses = subject.uses
    match subject.kind:
        case "Service" | "PodDisruptionBudget" | "NetworkPolicy":
            yield workloads.selected(uses.selector)
        case "HorizontalPodAutoscaler" | "ScaledObject" | "VerticalPodAutoscaler":
            yield workloads.by_name.get(uses.target, [])
        case "RoleBinding" | "ClusterRoleBinding":
            if uses.target:
                yield workloads.users.get(("ServiceAccount", uses.target), [])
        case "ConfigMap" | "Secret" | "PersistentVolumeClaim" | "ServiceAccount":
            yield workloads.users.get((subject.kind, subject.name), [])
        case "SealedSecret" | "ExternalSecret":
            yield workloads.users.get(("Secret", subject.name), [])
        case "Ingress":
            if uses.target:
                yield workloads.by_prefix(uses.target)
    yield workloads.by_prefix(subject.name.strip("~"))
    if subject.app:
        yield workloads.by_app.get(subject.app, [])


def _nearest(subject: Subject, found: list[Subject]) -> Subject | None:
    """The one workload among those found that the resource belongs to; None when several share it."""
    here = [workload for workload in found if workload.namespace == subject.namespace] or found
    if len({workload.name for workload in here}) == 1:
        return here[0]
    named = [workload for workload in here if subject.name.startswith(workload.name)]
    return max(named, key=lambda workload: (len(workload.name), workload.order), default=None)


def _slot(subject: Subject, service: str) -> str:
    """The key of a resource inside its service: its kind, after what its name adds to the service's."""
    base = _SLOTS.get(subject.kind) or camel(kebab(subject.kind))
    name = subject.stem.strip("~")
    rest = name.removeprefix(service).strip("-.:_") if name.startswith(service) else name
    for word in sorted((*_KIND_WORDS.get(subject.kind, ()), kebab(subject.kind), subject.kind.lower()), key=len)[::-1]:
        if rest == word or rest.endswith(("-" + word, "." + word)):
            rest = rest.removesuffix(word).rstrip("-.:_")
            break
    return camel(rest) + upper_first(base) if rest else base


def assign(subjects: list[Subject]) -> dict[Subject, Home]:
    """Give every resource a service and a place in it."""
    ordered = sorted(
        (subject for subject in subjects if (subject.group, subject.kind) in POD_TEMPLATES),
        key=lambda subject: (RANK[subject.group, subject.kind], subject.name, subject.namespace),
    )
    workloads = _Workloads(ordered)
    members: dict[tuple[str, str], list[Subject]] = {}
    main: dict[str, str] = {}
    for subject in ordered:
        main.setdefault(subject.name, subject.namespace)
    for subject in [*ordered, *(item for item in subjects if (item.group, item.kind) not in POD_TEMPLATES)]:
        owner: Subject | None = subject if (subject.group, subject.kind) in POD_TEMPLATES else None
        if owner is None:
            for found in _candidates(subject, workloads):
                owner = _nearest(subject, found) if found else None
                if owner is not None:
                    break
        if owner is not None:
            raw, namespace = owner.name.strip("~"), owner.namespace
            namespace = "" if main[owner.name] == namespace else namespace
        else:
            raw, namespace = subject.app or subject.stem.strip("~"), ""
        members.setdefault((raw, namespace), []).append(subject)
    homes: dict[Subject, Home] = {}
    used: dict[str, tuple[str, str]] = {}
    folders: set[str] = set()
    for raw, namespace in sorted(members):
        full = f"{namespace}-{raw}" if namespace else raw
        key = _free(camel(full), {*used, *_RESERVED})
        used[key] = (raw, namespace)
        folder = _free(file_part(full), folders, "-")
        folders.add(folder)
        slots: set[ValuePath] = set()
        for number, subject in enumerate(members[raw, namespace]):
            is_service = number == 0 and (subject.group, subject.kind) in POD_TEMPLATES
            slot: ValuePath = () if is_service else (_slot(subject, raw),)
            if slot in slots:
                slot = (_free(slot[0], {taken[0] for taken in slots if taken}),)
            slots.add(slot)
            homes[subject] = Home(key, folder, slot)
    return homes


def _free(name: str, taken: Iterable[str], separator: str = "") -> str:
    """The name, with the first number from 2 behind it that makes it new."""
    known = {other.lower() for other in taken} if separator else set(taken)
    number, candidate = 2, name
    while (candidate.lower() if separator else candidate) in known:
        candidate = f"{name}{separator}{number}"
        number += 1
    return candidate
