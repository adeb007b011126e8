"""A compiled workload with what scales it, as simulations take it."""

from __future__ import annotations

from copy import deepcopy
from itertools import takewhile
from typing import TYPE_CHECKING, Any, Final, NamedTuple

from envcompile.actions.build import find_resources
from envcompile.errors import EnvcError, Problem, UsageError, did_you_mean
from envcompile.kubernetes.fieldpath import Item, parse_field
from envcompile.kubernetes.podspecs import pod_template
from envcompile.scaling.hpa.pods import Container
from envcompile.scaling.hpa.spec import MetricKind, autoscaler_of
from envcompile.scaling.keda import scaled_object_of
from envcompile.scaling.podworld import Share, Startup, Workload
from envcompile.scaling.quantities import milli
from envcompile.yamlio import load_all

if TYPE_CHECKING:
    from collections.abc import Iterable, Mapping, Sequence

    from envcompile.kubernetes.fieldpath import FieldPath
    from envcompile.model import ResourceId
    from envcompile.scaling.hpa.spec import Autoscaler
    from envcompile.scaling.keda import ScaledObject
    from envcompile.units.environment import LinkedEnvironment

HPA = ("autoscaling", "HorizontalPodAutoscaler")
SCALED_OBJECT = ("keda.sh", "ScaledObject")
_RULES = ("stabilizationWindowSeconds", "selectPolicy", "policies", "tolerance")
_BEHAVIOR = tuple(f"behavior.{way}.{rule}" for way in ("scaleUp", "scaleDown") for rule in _RULES)
_FIELDS: Final[Mapping[str, tuple[str, ...]]] = {
    "HorizontalPodAutoscaler": ("scaleTargetRef", "minReplicas", "maxReplicas", "metrics", *_BEHAVIOR),
    "ScaledObject": (
        *("scaleTargetRef", "pollingInterval", "cooldownPeriod", "initialCooldownPeriod", "idleReplicaCount"),
        *("minReplicaCount", "maxReplicaCount", "fallback", "triggers"),
        *("advanced.restoreToOriginalReplicaCount", "advanced.scalingModifiers"),
        *(f"advanced.horizontalPodAutoscalerConfig.{field}" for field in ("name", *_BEHAVIOR)),
    ),
}
"""What may be set of a scaler, and of each of these everything below it.

https://kubernetes.io/docs/reference/kubernetes-api/workload-resources/horizontal-pod-autoscaler-v2/,
https://keda.sh/docs/latest/reference/scaledobject-spec/
"""
_PENDING_SECONDS = 5
_READY_SECONDS = 20
_METRICS_SECONDS = 30
_LAG_SECONDS = 15


class Subject(NamedTuple):
    """A workload and what scales it, as their manifests are."""

    workload: ResourceId
    workload_value: dict[str, Any]
    scaler: ResourceId | None
    """None: nothing does, its replicas are fixed."""
    scaler_value: dict[str, Any]


class Scaling(NamedTuple):
    """The same as simulations take it; without any scaler the size is fixed."""

    workload: Workload
    autoscaler: Autoscaler | None
    scaled: ScaledObject | None
    cores: float
    """What a pod requests."""
    memory_bytes: float


def subject_of(linked: LinkedEnvironment, named: str) -> Subject:
    """Find a workload and its scaler in an environment.

    Args:
        linked: the environment.
        named: the workload as KIND/NAME.

    Raises:
        UsageError: no such resource, it has no pods, or several scale it.
    """
    found = find_resources(linked, named)
    if len(found) > 1:
        kind = named.partition("/")[0]
        choices = ", ".join(sorted(f"{kind}/{item.id.namespace}/{item.id.name}" for item in found))
        raise UsageError([Problem(f"{named} is in several namespaces", f"write one of {choices}")])
    (workload,) = found
    if pod_template(workload.id, workload.value) is None or workload.id.kind not in {
        "Deployment",
        "StatefulSet",
        "ReplicaSet",
    }:
        raise UsageError([
            Problem(f"{workload.id.short} has no replicas", "name a Deployment, StatefulSet or ReplicaSet")
        ])
    scalers = [
        resource
        for identity in linked.ids()
        if (identity.group, identity.kind) in {HPA, SCALED_OBJECT} and identity.namespace == workload.id.namespace
        for resource in [linked.resource(identity)]
        if _scales(resource.value, workload.id)
    ]
    if len(scalers) > 1:
        names = " and ".join(sorted(one.id.short for one in scalers))
        raise UsageError([Problem(f"{workload.id.short} is scaled by {names}", "leave one of them")])
    scaler = scalers[0] if scalers else None
    return Subject(workload.id, workload.value, scaler.id if scaler else None, scaler.value if scaler else {})


def _scales(value: Mapping[str, Any], workload: ResourceId) -> bool:
    target = (value.get("spec") or {}).get("scaleTargetRef") or {}
    return target.get("name") == workload.name and (target.get("kind") or "Deployment") == workload.kind


def with_fields(subject: Subject, fields: Iterable[str]) -> Subject:
    """A subject with fields set; `spec.template...` and `spec.replicas` are the workload's, others the scaler's.

    Args:
        subject: what is changed.
        fields: FIELD=VALUE, the value in YAML; `spec.` may be left out.

    Raises:
        UsageError: this is no field, or nothing scales the workload.
    """
    workload, scaler = deepcopy(subject.workload_value), deepcopy(subject.scaler_value)
    for text in fields:
        name, equals, written = _split(text)
        if not equals or not name:
            raise UsageError([Problem(f"{text} sets no field", "write FIELD=VALUE, such as maxReplicas=20")])
        path, _ = parse_field(name)
        path = path if path[0] == "spec" else ("spec", *path)
        try:
            documents = load_all(written.encode(), name)
        except EnvcError as error:
            raise UsageError([Problem(f"{written} is no value of {name}", "write it as in YAML")]) from error
        value = documents[0] if documents else None
        is_own = len(path) > 1 and path[1] in {"template", "replicas"}
        if not is_own and subject.scaler is None:
            raise UsageError([
                Problem(
                    f"nothing scales {subject.workload.short}, so {name} cannot be set",
                    "set spec.replicas or a field of spec.template, or add an autoscaler",
                )
            ])
        if not is_own and subject.scaler is not None:
            _require_field(path, subject.scaler.kind, name)
        _put(workload if is_own else scaler, path, value, name)
    return subject._replace(workload_value=workload, scaler_value=scaler)


def _require_field(path: FieldPath, kind: str, name: str) -> None:
    """Refuse a field that the scaler has not: it would look as if it had no effect."""
    names = list(takewhile(lambda part: isinstance(part, str), path[1:]))
    known = [field.split(".") for field in _FIELDS.get(kind, ())]
    for depth, part in enumerate(names):
        known = [field for field in known if field[:depth] == names[:depth]]
        if any(len(field) <= depth for field in known):
            return  # below what may have any shape
        here = sorted({field[depth] for field in known})
        if part not in here:
            fix = did_you_mean(str(part), here, f"it has {', '.join(here)}")
            raise UsageError([Problem(f"{kind} has no field {name}", fix)])


def _split(text: str) -> tuple[str, str, str]:
    """The field and its value: the first = that is not inside of brackets parts them."""
    depth = 0
    for place, letter in enumerate(text):
        depth += (letter == "[") - (letter == "]")
        if letter == "=" and depth == 0:
            return text[:place], "=", text[place + 1 :]
    return text, "", ""


def _put(value: Any, path: FieldPath, new: Any, name: str) -> None:
    for place, part in enumerate(path):
        is_last = place == len(path) - 1
        if isinstance(value, list):
            found = next((at for at, item in enumerate(value) if _is_at(part, at, item)), None)
            if found is None:
                raise UsageError([Problem(f"{name}: the list has no item {part}", "name one that is there")])
            if is_last:
                value[found] = new
                return
            value = value[found]
        elif isinstance(value, dict) and isinstance(part, str):
            if is_last:
                value[part] = new
                return
            value = value.setdefault(part, {})
        else:
            raise UsageError([Problem(f"{name} is no field: {part} is inside of a plain value", "look at its way")])


def _is_at(part: str | int | Item, place: int, item: Any) -> bool:
    return part.matches(item) if isinstance(part, Item) else str(part) == str(place)


def scaling_of(subject: Subject, start_seconds: int | None = None) -> Scaling:
    """Read the manifests of a subject.

    Args:
        subject: the workload and what scales it.
        start_seconds: from Running to Ready; what the readiness or startup probe waits for, or 20, when left out.

    Raises:
        EnvcError: the scaler is wrong.
    """
    template = pod_template(subject.workload, subject.workload_value) or {}
    spec = template.get("spec") or {}
    always = [one for one in spec.get("initContainers") or () if one.get("restartPolicy") == "Always"]
    given = [*(spec.get("containers") or ()), *always]
    autoscaler, scaled = None, None
    body = subject.scaler_value.get("spec") or {}
    if subject.scaler is not None and subject.scaler.kind == HPA[1]:
        autoscaler = autoscaler_of(body)
    elif subject.scaler is not None:
        metadata = subject.scaler_value.get("metadata") or {}
        scaled = scaled_object_of(body, metadata.get("annotations"))
        autoscaler = scaled.autoscaler
    main = _main_container(autoscaler, given)
    shares = tuple(
        Share(Container(str(one.get("name")), _requests(one)), dict.fromkeys(("cpu", "memory"), 100 if own else 0))
        for one, own in ((one, one.get("name") == main) for one in given)
    )
    pod_level = {name: milli(amount) for name, amount in ((spec.get("resources") or {}).get("requests") or {}).items()}
    replicas = (subject.workload_value.get("spec") or {}).get("replicas")
    startup = Startup(
        pending=_PENDING_SECONDS,
        ready=_start_seconds(given) if start_seconds is None else start_seconds,
        metrics=_METRICS_SECONDS,
        metric_lag=_LAG_SECONDS,
    )
    workload = Workload(1 if replicas is None else int(replicas), shares, startup, pod_level or None)
    cores, memory = (
        pod_level.get(name, sum(share.container.requests.get(name, 0) for share in shares)) / 1000
        for name in ("cpu", "memory")
    )
    return Scaling(workload, autoscaler, scaled, cores, memory)


def _main_container(autoscaler: Autoscaler | None, given: Sequence[Mapping[str, Any]]) -> str:
    """The container that uses what the load says: the one that a metric names, else the first."""
    named = [
        metric.container
        for metric in (autoscaler.metrics if autoscaler else ())
        if metric.kind is MetricKind.CONTAINER_RESOURCE
    ]
    return named[0] if named else str(given[0].get("name")) if given else ""


def _requests(container: Mapping[str, Any]) -> dict[str, int]:
    """Requests in milli-units; a limit without a request is one, as the API server has it."""
    resources = container.get("resources") or {}
    stated = {**(resources.get("limits") or {}), **(resources.get("requests") or {})}
    return {name: milli(amount, f"{name} of container {container.get('name')}") for name, amount in stated.items()}


def _start_seconds(given: Sequence[Mapping[str, Any]]) -> int:
    waits = [
        int(probe.get("initialDelaySeconds") or 0) + int(probe.get("periodSeconds") or 10)
        for one in given
        for probe in (one.get("startupProbe") or one.get("readinessProbe") or {},)
        if probe
    ]
    return max(waits, default=_READY_SECONDS)
