"""What is refused of workloads beside their pods.

Sources: pkg/apis/apps/validation/validation.go, pkg/apis/batch/validation/validation.go, pkg/apis/core/validation/
validation.go of kubernetes/kubernetes; each function names its own there.
"""

from __future__ import annotations

from typing import TYPE_CHECKING, Any, Final

from envcompile.check.api.names import label
from envcompile.check.api.selectors import matches_labels, matches_template
from envcompile.check.reading import at, list_at, map_at, maps_at, number_at, text_at

if TYPE_CHECKING:
    from collections.abc import Mapping

    from envcompile.check.api.refusal import Place, Said, Validator

_MOST_PARALLEL: Final = 100_000
_MANY_COMPLETIONS: Final = 100_000
_MOST_CONDITIONS: Final = 20
_MANY_PARALLEL: Final = 10_000
_MADE: Final = (
    "batch.kubernetes.io/controller-uid",
    "batch.kubernetes.io/job-name",
    "controller-uid",
    "job-name",
)
"""Labels that the server makes for a Job."""

_POLICY: Final = ("template", "spec", "restartPolicy")


def _runs_always(spec: dict[str, Any]) -> Said:
    policy = at(spec, *_POLICY)
    if policy not in {None, "", "Always"} and isinstance(policy, str):
        yield _POLICY, "`restartPolicy` can only be Always here"
    if at(spec, "template", "spec", "activeDeadlineSeconds") is not None:
        yield ("template", "spec", "activeDeadlineSeconds"), "`activeDeadlineSeconds` cannot be there: pods run on"


def _template(spec: dict[str, Any]) -> Said:
    if not isinstance(spec.get("template"), dict) or not spec["template"]:
        yield ("template",), "`template` is missing"


def replica_set(spec: dict[str, Any], place: Place) -> Said:
    """Selector and pods; source: ValidateReplicaSetSpec."""
    yield from _template(spec)
    yield from matches_template(spec, place)
    yield from _runs_always(spec)


def deployment(spec: dict[str, Any], place: Place) -> Said:
    """Strategy and deadlines; source: ValidateDeploymentSpec, ValidateDeploymentStrategy."""
    yield from replica_set(spec, place)
    deadline = number_at(spec, "progressDeadlineSeconds")
    deadline = 600 if deadline is None else deadline  # filled in
    if deadline <= (number_at(spec, "minReadySeconds") or 0):
        yield ("progressDeadlineSeconds",), "`progressDeadlineSeconds` is not greater than `minReadySeconds`"
    rolling = map_at(spec, "strategy", "rollingUpdate")
    kind = at(spec, "strategy", "type")
    if kind == "Recreate" and at(spec, "strategy", "rollingUpdate") is not None:
        yield ("strategy", "rollingUpdate"), "`rollingUpdate` cannot be there for `type: Recreate`"
    elif kind != "Recreate" and _is_zero(rolling.get("maxSurge")) and _is_zero(rolling.get("maxUnavailable")):
        yield ("strategy", "rollingUpdate", "maxUnavailable"), "`maxUnavailable` and `maxSurge` are both 0"


def daemon_set(spec: dict[str, Any], place: Place) -> Said:
    """Strategy and pods; source: ValidateDaemonSetSpec, ValidateRollingUpdateDaemonSet."""
    yield from replica_set(spec, place)
    rolling = map_at(spec, "updateStrategy", "rollingUpdate")
    if at(spec, "updateStrategy", "type") in {None, "", "RollingUpdate"} and rolling:
        surge, gone = rolling.get("maxSurge", 0), rolling.get("maxUnavailable", 1)
        surge, gone = (0 if surge is None else surge), (1 if gone is None else gone)
        if not _is_zero(surge) and not _is_zero(gone):
            yield ("updateStrategy", "rollingUpdate", "maxSurge"), "`maxSurge` needs `maxUnavailable: 0`"
        elif _is_zero(surge) and _is_zero(gone):
            yield ("updateStrategy", "rollingUpdate", "maxUnavailable"), "`maxUnavailable` and `maxSurge` are both 0"


def stateful_set(spec: dict[str, Any], place: Place) -> Said:
    """Strategy and service; source: ValidateStatefulSetSpec."""
    yield from replica_set(spec, place)
    kind = at(spec, "updateStrategy", "type")
    if kind == "OnDelete" and at(spec, "updateStrategy", "rollingUpdate") is not None:
        yield ("updateStrategy", "rollingUpdate"), "`rollingUpdate` cannot be there for `type: OnDelete`"
    service = spec.get("serviceName")
    if service and (what := label(service)):
        yield ("serviceName",), f"`serviceName` {what}"


def replication_controller(spec: dict[str, Any], place: Place) -> Said:
    """Selector and pods; source: ValidateReplicationControllerSpec."""
    yield from _template(spec)
    yield from matches_labels(spec, place)
    yield from _runs_always(spec)


def _is_zero(value: Any) -> bool:
    return value == 0 or (
        isinstance(value, str) and value.endswith("%") and value[:-1].strip("0") == "" and value != "%"
    )


def job(spec: dict[str, Any], place: Place) -> Said:
    """How often, and how it ends; source: validateJobSpec."""
    policy = at(spec, *_POLICY)
    if policy in {None, "", "Always"} or (policy not in {"Never", "OnFailure"} if isinstance(policy, str) else False):
        yield _POLICY, "`restartPolicy` is not one of Never, OnFailure: a Job ends"
    elif spec.get("podFailurePolicy") is not None and policy != "Never":
        yield _POLICY, "`restartPolicy` is not Never: `podFailurePolicy` needs it"
    yield from _indexes(spec, is_template=place.kind == "CronJob")
    yield from _failures(spec)
    yield from _success(spec)
    if spec.get("podFailurePolicy") is not None and spec.get("podReplacementPolicy") not in {None, "Failed"}:
        yield ("podReplacementPolicy",), "`podReplacementPolicy` is not Failed: `podFailurePolicy` needs it"
    yield from _job_selector(spec, place)


def _job_selector(spec: dict[str, Any], place: Place) -> Said:
    """A selector of one's own only with `manualSelector`; source: validateGeneratedSelector, ValidateJobSpec."""
    if place.kind == "CronJob":
        if spec.get("manualSelector") is True:
            yield ("manualSelector",), "`manualSelector` cannot be true in a CronJob"
        if spec.get("selector") is not None:
            yield ("selector",), "`selector` cannot be there in a CronJob: it is made"
        return
    if spec.get("manualSelector") is True:
        if spec.get("selector") is None:
            yield ("selector",), "`selector` is missing: `manualSelector` needs it"
        else:
            for where, what in matches_template(spec, place):
                if where != ("selector",):
                    yield where, what
    elif set(map_at(spec, "selector", "matchLabels")) - set(_MADE) or at(spec, "selector", "matchExpressions"):
        yield ("selector",), "`selector` is made by the server: one's own needs `manualSelector: true`"
    labels = map_at(spec, "template", "metadata", "labels")
    name = text_at(place.root, "metadata", "name")
    for key in ("controller-uid", "batch.kubernetes.io/controller-uid"):
        if key in labels and spec.get("manualSelector") is not True:
            yield ("template", "metadata", "labels"), f"the label `{key}` is made by the server"
    for key in ("job-name", "batch.kubernetes.io/job-name"):
        if labels.get(key, name) != name and spec.get("manualSelector") is not True:
            yield ("template", "metadata", "labels"), f"the label `{key}` is made by the server"


def _indexes(spec: dict[str, Any], *, is_template: bool) -> Said:
    """Source: validateJobSpec; a Job that says neither number has one completion (SetDefaults_Job)."""
    completions, parallel = number_at(spec, "completions"), number_at(spec, "parallelism")
    most_failed = number_at(spec, "maxFailedIndexes")
    if most_failed is not None and spec.get("backoffLimitPerIndex") is None:
        yield ("backoffLimitPerIndex",), "`backoffLimitPerIndex` is missing: `maxFailedIndexes` needs it"
    if spec.get("completionMode") != "Indexed":
        for field in ("backoffLimitPerIndex", "maxFailedIndexes"):
            if spec.get(field) is not None:
                yield (field,), f"`{field}` needs `completionMode: Indexed`"
        return
    if completions is None and (parallel is not None or is_template):
        yield ("completions",), "`completions` is missing: `completionMode: Indexed` needs it"
    if parallel is not None and parallel > _MOST_PARALLEL:
        yield ("parallelism",), f"`parallelism` is above {_MOST_PARALLEL} in an indexed Job"
    if most_failed is None:
        if completions is not None and completions > _MANY_COMPLETIONS and spec.get("backoffLimitPerIndex") is not None:
            yield ("maxFailedIndexes",), f"`maxFailedIndexes` is missing for more than {_MANY_COMPLETIONS} completions"
    elif completions is not None and most_failed > completions:
        yield ("maxFailedIndexes",), "`maxFailedIndexes` is more than `completions`"
    elif most_failed > _MOST_PARALLEL:
        yield ("maxFailedIndexes",), f"`maxFailedIndexes` is above {_MOST_PARALLEL}"
    if completions is not None and completions > _MANY_COMPLETIONS and spec.get("backoffLimitPerIndex") is not None:
        for field, given in (("parallelism", parallel), ("maxFailedIndexes", most_failed)):
            if given is not None and given > _MANY_PARALLEL:
                yield (field,), f"`{field}` is above {_MANY_PARALLEL} with more than {_MANY_COMPLETIONS} completions"


def _failures(spec: dict[str, Any]) -> Said:
    """Source: validatePodFailurePolicyRule."""
    names = {
        text_at(item, "name")
        for field in ("containers", "initContainers")
        for _, item in maps_at(spec, "template", "spec", field)
    }
    for index, rule in maps_at(spec, "podFailurePolicy", "rules"):
        where: tuple[str | int, ...] = ("podFailurePolicy", "rules", index)
        codes, conditions = rule.get("onExitCodes"), list_at(rule, "onPodConditions")
        if rule.get("action") == "FailIndex" and spec.get("backoffLimitPerIndex") is None:
            yield (*where, "action"), "`action: FailIndex` needs `backoffLimitPerIndex`"
        if codes is not None and conditions:
            yield where, "`onExitCodes` and `onPodConditions` stand beside each other: only one may be there"
        elif codes is None and not conditions:
            yield where, "neither `onExitCodes` nor `onPodConditions` is there: one must be"
        if len(conditions) > _MOST_CONDITIONS:
            yield (*where, "onPodConditions"), f"`onPodConditions` has more than {_MOST_CONDITIONS} items"
        if isinstance(codes, dict):
            values = list_at(codes, "values")
            if codes.get("containerName") is not None and codes["containerName"] not in names:
                yield (*where, "onExitCodes", "containerName"), "the template has no container of this name"
            if codes.get("operator") == "In" and 0 in values:
                yield (*where, "onExitCodes", "values", values.index(0)), "0 is no failure"
            for position, value in enumerate(values):
                if value in values[:position]:
                    yield (*where, "onExitCodes", "values", position), "the exit code stands twice"
            numbers = [value for value in values if isinstance(value, int)]
            if numbers != sorted(numbers):
                yield (*where, "onExitCodes", "values"), "`values` are not in order"


def _success(spec: dict[str, Any]) -> Said:
    """Source: validateSuccessPolicy."""
    if spec.get("successPolicy") is None:
        return
    if spec.get("completionMode") != "Indexed":
        yield ("successPolicy",), "`successPolicy` needs `completionMode: Indexed`"
        return
    completions = number_at(spec, "completions")
    if completions is None:
        return
    for index, rule in maps_at(spec, "successPolicy", "rules"):
        where: tuple[str | int, ...] = ("successPolicy", "rules", index)
        listed, count = rule.get("succeededIndexes"), number_at(rule, "succeededCount")
        total = None
        if isinstance(listed, str):
            total = indexes(listed, completions)
            if total is None:
                yield (
                    (*where, "succeededIndexes"),
                    ("`succeededIndexes` are no ordered indexes below `completions`, such as `0,2-3`"),
                )
        if count is not None and count > completions:
            yield (*where, "succeededCount"), "`succeededCount` is more than `completions`"
        elif count is not None and total is not None and count > total:
            yield (*where, "succeededCount"), "`succeededCount` is more than there are `succeededIndexes`"


def indexes(text: str, completions: int) -> int | None:
    """Count the indexes that a text such as `0,2-3` lists; None for one that lists none in order.

    Source: validateIndexesFormat.
    """
    if not text:
        return 0
    total, last = 0, -1
    for part in text.split(","):
        ends = part.split("-")
        if len(ends) > 2 or not all(end.isascii() and end.isdigit() for end in ends):
            return None
        first, final = int(ends[0]), int(ends[-1])
        if first <= last or final >= completions or (len(ends) == 2 and first >= final):
            return None
        total += final - first + 1
        last = final
    return total


def indexed_name(value: dict[str, Any], _: Place) -> Said:
    """A name that leaves room for the index; source: validateNameAllowsCompletions."""
    completions = number_at(value, "spec", "completions")
    name = text_at(value, "metadata", "name")
    if at(value, "spec", "completionMode") == "Indexed" and completions and completions > 0 and name:
        what = label(f"{name}-{completions - 1}")
        if what:
            yield ("metadata", "name"), f"`metadata.name` with the last index behind it {what}"


RULES: Final[Mapping[str, Validator]] = {
    "apps.v1.DaemonSetSpec": daemon_set,
    "apps.v1.DeploymentSpec": deployment,
    "apps.v1.ReplicaSetSpec": replica_set,
    "apps.v1.StatefulSetSpec": stateful_set,
    "batch.v1.Job": indexed_name,
    "batch.v1.JobSpec": job,
    "core.v1.ReplicationControllerSpec": replication_controller,
}
