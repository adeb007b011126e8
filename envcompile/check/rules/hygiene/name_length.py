"""The rule `name-length`."""

from __future__ import annotations

from typing import TYPE_CHECKING, Final

from envcompile.check.finding import Hit
from envcompile.check.reading import text_at
from envcompile.check.rule import Rule

if TYPE_CHECKING:
    from collections.abc import Iterator, Mapping

    from envcompile.check.check_input import CheckInput


_LONGEST: Final[Mapping[tuple[str, str], int]] = {
    ("", "Namespace"): 63,
    ("", "Service"): 63,
    ("batch", "CronJob"): 52,
    ("batch", "Job"): 63,
    ("apps", "StatefulSet"): 52,
}
"""Kind -> the longest name that works; a CronJob's Jobs add 11 characters, a StatefulSet's revisions 11 as well.

Source: kubernetes.io, Object Names; pkg/apis/batch/validation: ValidateCronJobName; kubernetes/kubernetes#64023.
"""


def _names(inputs: CheckInput) -> Iterator[Hit]:
    for resource in inputs.resources:
        most = _LONGEST.get((resource.id.group, resource.id.kind))
        if most is not None and len(resource.id.name) > most:
            what = f"the name has {len(resource.id.name)} characters; a {resource.id.kind} has room for {most}"
            yield Hit(resource.id, ("metadata", "name"), what, "write a shorter name")
    for pods in inputs.pods:
        for container, position, port in pods.ports():
            name = text_at(port, "name")
            if len(name) > 15:
                what = f"the port name `{name}` has {len(name)} characters; there is room for 15"
                yield Hit(
                    pods.resource.id, (*container.pointer, "ports", position, "name"), what, "write a shorter name"
                )


RULE: Final = Rule(
    "name-length",
    "error",
    "Names leave room for what is added to them.",
    "kubernetes.io, Object Names and IDs; kubernetes/kubernetes, pkg/apis/batch/validation",
    _names,
    alone=True,
    why="Controllers add to names: a Job of a CronJob with 53 characters cannot be made.",
    fix="Write a shorter name.",
    links=("https://kubernetes.io/docs/concepts/overview/working-with-objects/names/",),
    fires="""\
apiVersion: batch/v1
kind: CronJob
metadata: {name: remove-expired-sessions-of-the-customers-of-the-web-shop}
spec:
  schedule: "0 3 * * *"
  jobTemplate:
    spec:
      template:
        spec:
          restartPolicy: Never
          containers: [{name: clean, image: "shop/clean:v1"}]
""",
    silent="""\
apiVersion: batch/v1
kind: CronJob
metadata: {name: remove-expired-sessions}
spec:
  schedule: "0 3 * * *"
  jobTemplate:
    spec:
      template:
        spec:
          restartPolicy: Never
          containers: [{name: clean, image: "shop/clean:v1"}]
""",
)
