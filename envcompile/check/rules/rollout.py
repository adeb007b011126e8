"""Whether a new version, or new configuration, reaches the pods."""

from __future__ import annotations

import re
from typing import TYPE_CHECKING, Final

from envcompile.check.finding import Hit
from envcompile.check.pods import SERVING
from envcompile.check.reading import list_at, map_at, maps_at, number_at, scalar_at, strings_at, text_at, texts_at
from envcompile.check.rule import Rule
from envcompile.check.rules.references import suggestion

if TYPE_CHECKING:
    from collections.abc import Iterator

    from envcompile.check.check_input import Scene
    from envcompile.check.pods import Container, Pods

_RELOADER: Final = "reloader.stakater.com/"
_HASHED: Final = re.compile(r"-[bcdfghjkmnpqrstuvwxyz2456789]{8,10}$")
"""How kustomize ends the names of generated ConfigMaps."""

_SLEEP: Final = re.compile(r"\bsleep\s+(\d+)")


def _zero(value: int | str | None) -> bool:
    return value in {0, "0", "0%"}


def _stuck(scene: Scene) -> Iterator[Hit]:
    for pods in scene.pods:
        if pods.kind != "Deployment":
            continue
        strategy = map_at(pods.resource.value, "spec", "strategy")
        if strategy.get("type", "RollingUpdate") != "RollingUpdate":
            continue
        rolling = map_at(strategy, "rollingUpdate")
        if _zero(scalar_at(rolling, "maxSurge")) and _zero(scalar_at(rolling, "maxUnavailable")):
            yield Hit(
                pods.resource.id,
                ("spec", "strategy", "rollingUpdate"),
                "`maxSurge` and `maxUnavailable` are both 0: no pod may come and none may go",
                "write `maxSurge: 1`",
            )
        claim = _single_claim(scene, pods)
        if claim:
            fewest = scene.fewest(pods)
            yield Hit(
                pods.resource.id,
                ("spec", "strategy"),
                f"the claim `{claim}` can be mounted on one node at a time, and a rolling update starts the new pod"
                " before the old one is gone",
                "write `strategy: {type: Recreate}`, or use a StatefulSet",
                "error" if fewest > 1 else "warning",
                value=claim,
            )


def _single_claim(scene: Scene, pods: Pods) -> str:
    """The name of a claim of the pods that only one node, or one pod, may have; empty when there is none."""
    for _, volume in maps_at(pods.spec, "volumes"):
        name = text_at(volume, "persistentVolumeClaim", "claimName")
        claim = scene.named("", "PersistentVolumeClaim", pods.namespace, name) if name else None
        if claim is not None:
            modes = texts_at(claim.value, "spec", "accessModes")
            if modes and set(modes) <= {"ReadWriteOnce", "ReadWriteOncePod"}:
                return name
    return ""


def _strategy(scene: Scene) -> Iterator[Hit]:
    for pods in scene.pods:
        strategy = map_at(pods.resource.value, "spec", "strategy")
        if pods.kind != "Deployment" or not scene.services_of(pods) or _single_claim(scene, pods):
            continue
        recreates = strategy.get("type") == "Recreate"
        if recreates or map_at(strategy, "rollingUpdate").get("maxUnavailable") == "100%":
            yield Hit(
                pods.resource.id,
                ("spec", "strategy"),
                f"{'`type: Recreate`' if recreates else '`maxUnavailable: 100%`'} takes all pods away before a new one"
                f" answers for {scene.services_of(pods)[0].id.short}",
                "write `type: RollingUpdate` with `maxUnavailable: 0`, unless two versions must never run at once",
                scene.in_production("warning"),
            )


def _grace(scene: Scene) -> Iterator[Hit]:
    for pods in scene.pods:
        given = number_at(pods.spec, "terminationGracePeriodSeconds")
        grace = 30 if given is None else given
        for container in pods.running:
            seconds = _pre_stop(container)
            if seconds is not None and seconds >= grace:
                yield Hit(
                    pods.resource.id,
                    (*pods.spec_pointer, "terminationGracePeriodSeconds"),
                    f"`preStop` of container `{container.name}` sleeps {seconds} s of the {grace} s that the pod has to"
                    " end: the container is killed without warning",
                    f"write `terminationGracePeriodSeconds: {seconds + 30}` or more",
                    value=container.name,
                )


def _pre_stop(container: Container) -> int | None:
    """The seconds that a preStop hook sleeps."""
    hook = map_at(container.value, "lifecycle", "preStop")
    seconds = number_at(hook, "sleep", "seconds")
    if seconds is not None:
        return seconds
    found = _SLEEP.search(" ".join(texts_at(hook, "exec", "command")))
    return int(found[1]) if found else None


def _reloader(scene: Scene) -> Iterator[Hit]:
    for config in scene.of_kind("", "ConfigMap", "Secret"):
        for key in strings_at(config.value, "metadata", "annotations"):
            if _RELOADER in key and key not in {f"{_RELOADER}match", f"{_RELOADER}ignore"}:
                yield Hit(
                    config.id,
                    ("metadata", "annotations", key),
                    f"Reloader does not read `{key}` on a {config.id.kind}",
                    f"put it on the metadata of the workload; here, `{_RELOADER}match` belongs",
                )
    for pods in scene.pods:
        yield from _on_workload(scene, pods)
        for key in pods.annotations if pods.pointer else ():
            if key == f"{_RELOADER}last-reloaded-from":
                what = f"`{key}` is what Reloader writes itself: stating it undoes its rollout at every apply"
                yield Hit(pods.resource.id, (*pods.pointer, "metadata", "annotations", key), what, "take it out")
            elif _RELOADER in key:
                what = f"Reloader reads `{key}` in the pod template only when the workload itself has none"
                fix = "put it on the metadata of the workload"
                yield Hit(pods.resource.id, (*pods.pointer, "metadata", "annotations", key), what, fix, "info")
        for container in pods.containers:
            if any(_RELOADER in key for key in map_at(container.value, "annotations")):
                what = f"container `{container.name}` has annotations: containers have none, so Reloader sees nothing"
                fix = "put them on the metadata of the workload"
                yield Hit(pods.resource.id, (*container.pointer, "annotations"), what, fix)


def _on_workload(scene: Scene, pods: Pods) -> Iterator[Hit]:
    annotations = strings_at(pods.resource.value, "metadata", "annotations")
    pointer = ("metadata", "annotations")
    if f"{_RELOADER}match" in annotations:
        what = f"Reloader reads `{_RELOADER}match` on ConfigMaps and Secrets, not on workloads"
        yield Hit(pods.resource.id, (*pointer, f"{_RELOADER}match"), what, f"write `{_RELOADER}search` here")
    if annotations.get(f"{_RELOADER}auto") == "true" and annotations.get(f"{_RELOADER}search") == "true":
        what = f"`{_RELOADER}auto` wins over `{_RELOADER}search`: every ConfigMap and Secret restarts the pods"
        yield Hit(pods.resource.id, (*pointer, f"{_RELOADER}search"), what, "leave one of the two")
    for prefix, kind in (("configmap", "ConfigMap"), ("secret", "Secret")):
        key = f"{prefix}.{_RELOADER}reload"
        for name in filter(None, (part.strip() for part in annotations.get(key, "").split(","))):
            if scene.provisions.find(kind, pods.namespace, name) is None and not re.search(r"[*+?\[\](){}|^$\\]", name):
                near = suggestion(name, scene.provisions.names(kind, pods.namespace))
                what = f"`{key}` names the {kind} `{name}`, which the environment does not have"
                yield Hit(pods.resource.id, (*pointer, key), what, f"{near}take the name out", value=name)


def _no_rollout(scene: Scene) -> Iterator[Hit]:
    told: set[object] = set()
    for reference in scene.references:
        pods = reference.pods
        if pods.resource.id in told or pods.kind not in SERVING or not reference.is_whole:
            continue
        provided = scene.provisions.find(reference.kind, pods.namespace, reference.name)
        if provided is None or provided.resource is None or _HASHED.search(reference.name):
            continue
        keys = {*pods.annotations, *strings_at(pods.resource.value, "metadata", "annotations")}
        if any(_RELOADER in key or "checksum" in key or "hash" in key for key in keys):
            continue
        if provided.resource.value.get("immutable") is True:
            continue
        told.add(pods.resource.id)
        yield Hit(
            pods.resource.id,
            ("metadata", "annotations"),
            f"the pods read the {reference.kind} {reference.name} when they start, and nothing restarts them when it"
            " changes",
            "write `rollout: reloader` or `rollout: checksum` in environment.yaml",
            value=reference.name,
        )


def _headless(scene: Scene) -> Iterator[Hit]:
    for pods in scene.pods:
        name = text_at(pods.resource.value, "spec", "serviceName")
        if pods.kind != "StatefulSet" or not name:
            continue
        service = scene.named("", "Service", pods.namespace, name)
        if service is None:
            known = [each.id.name for each in scene.of_kind("", "Service") if each.id.namespace == pods.namespace]
            what = f"the environment has no Service `{name}`: the pods have no names of their own in DNS"
            fix = f"{suggestion(name, known)}add a Service of that name with `clusterIP: None`"
        elif map_at(service.value, "spec").get("clusterIP") != "None":
            what = f"{service.id.short} is not headless: the pods have no names of their own in DNS"
            fix = "write `clusterIP: None` in the Service, or name another one"
        else:
            continue
        yield Hit(pods.resource.id, ("spec", "serviceName"), what, fix, value=name)


def _naked(scene: Scene) -> Iterator[Hit]:
    for pods in scene.pods:
        is_hook = any("hook" in key for key in pods.annotations)
        if pods.kind == "Pod" and not list_at(pods.resource.value, "metadata", "ownerReferences") and not is_hook:
            what = "the Pod belongs to no workload: when its node goes, it is gone"
            yield Hit(pods.resource.id, (), what, "make it a Deployment, or a Job if it ends")


RULES: Final = (
    Rule(
        "rollout-stuck",
        "error",
        "A rolling update may add or take a pod, and does not wait for a volume that the old pod holds.",
        "kubernetes.io, Deployments: Rolling Update; Persistent Volumes: Access Modes",
        _stuck,
    ),
    Rule(
        "rollout-strategy",
        "warning",
        "A Deployment behind a Service is rolled in production, not taken down first.",
        "kubernetes.io, Deployments: Strategy; kube-linter no-rolling-update-strategy, kube-score deployment-strategy",
        _strategy,
    ),
    Rule(
        "grace-period",
        "warning",
        "A pod has more time to end than its preStop hook takes.",
        "kubernetes.io, Container Lifecycle Hooks; Pod Lifecycle: Termination of Pods",
        _grace,
        alone=True,
    ),
    Rule(
        "reloader-placement",
        "warning",
        "Reloader's annotations stand where it reads them: on the workload, or `match` on the configuration.",
        "stakater/Reloader, README: Usage",
        _reloader,
    ),
    Rule(
        "config-no-rollout",
        "info",
        "Pods that read configuration when they start are restarted when it changes.",
        "kubernetes.io, ConfigMaps: Mounted ConfigMaps are updated automatically",
        _no_rollout,
    ),
    Rule(
        "statefulset-service",
        "warning",
        "The Service that a StatefulSet names exists and is headless.",
        "kubernetes.io, StatefulSets: Stable Network ID; kube-score statefulset-has-servicename",
        _headless,
    ),
    Rule(
        "naked-pod",
        "warning",
        "A Pod belongs to a workload that replaces it.",
        "kubernetes.io, Configuration Best Practices; Polaris nakedPod, Popeye POP-208",
        _naked,
        alone=True,
    ),
)
