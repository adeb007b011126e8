"""The rule `reloader-placement`."""

from __future__ import annotations

import re
from typing import TYPE_CHECKING, Final

from envcompile.check.finding import Hit
from envcompile.check.reading import map_at, strings_at
from envcompile.check.rule import Rule
from envcompile.check.suggestions import suggestion

if TYPE_CHECKING:
    from collections.abc import Iterator

    from envcompile.check.check_input import CheckInput
    from envcompile.check.pods import Pods


_RELOADER: Final = "reloader.stakater.com/"


def _reloader(inputs: CheckInput) -> Iterator[Hit]:
    for config in inputs.of_kind("", "ConfigMap", "Secret"):
        for key in strings_at(config.value, "metadata", "annotations"):
            if _RELOADER in key and key not in {f"{_RELOADER}match", f"{_RELOADER}ignore"}:
                yield Hit(
                    config.id,
                    ("metadata", "annotations", key),
                    f"Reloader does not read `{key}` on a {config.id.kind}",
                    f"put it on the metadata of the workload; here, `{_RELOADER}match` belongs",
                )
    for pods in inputs.pods:
        yield from _on_workload(inputs, pods)
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


def _on_workload(inputs: CheckInput, pods: Pods) -> Iterator[Hit]:
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
            if inputs.provisions.find(kind, pods.namespace, name) is None and not re.search(
                r"[*+?\[\](){}|^$\\]", name
            ):
                near = suggestion(name, inputs.provisions.names(kind, pods.namespace))
                what = f"`{key}` names the {kind} `{name}`, which the environment does not have"
                yield Hit(pods.resource.id, (*pointer, key), what, f"{near}take the name out", value=name)


RULE: Final = Rule(
    "reloader-placement",
    "warning",
    "Reloader's annotations stand where it reads them: on the workload, or `match` on the configuration.",
    "stakater/Reloader, README: Usage",
    _reloader,
    why="Reloader reads its annotations on the workload's own metadata; elsewhere they do nothing.",
    fix="Put the annotation on the workload, and `match` on the ConfigMap or Secret.",
    links=("https://github.com/stakater/Reloader",),
    fires="""\
apiVersion: v1
kind: ConfigMap
metadata: {name: api-config, annotations: {reloader.stakater.com/auto: 'true'}}
""",
    silent="""\
apiVersion: v1
kind: ConfigMap
metadata: {name: api-config}
""",
)
