"""The rule `job-kept`."""

from __future__ import annotations

from typing import TYPE_CHECKING, Final

from envcompile.check.api.immutable import is_made_anew
from envcompile.check.finding import Hit
from envcompile.check.reading import map_at
from envcompile.check.rule import Rule

if TYPE_CHECKING:
    from collections.abc import Iterator

    from envcompile.check.check_input import CheckInput


def _kept(inputs: CheckInput) -> Iterator[Hit]:
    for job in inputs.of_kind("batch", "Job"):
        if map_at(job.value, "spec").get("ttlSecondsAfterFinished") is None and not is_made_anew(job.value):
            yield Hit(
                job.id,
                ("spec", "ttlSecondsAfterFinished"),
                "the Job and its pods stay when it has ended, and its next version is refused while it is there",
                "write `ttlSecondsAfterFinished`, or make it a hook of Argo CD or Helm",
            )


RULE: Final = Rule(
    "job-kept",
    "info",
    "A Job is removed some time after it has ended.",
    "kubernetes.io, Automatic Cleanup for Finished Jobs; kube-linter job-ttl-seconds-after-finished",
    _kept,
    alone=True,
    why=(
        "The pods of a Job cannot be changed: as long as the old one is there, a new image or argument of the same Job "
        "is refused."
    ),
    fix="Write `ttlSecondsAfterFinished`, or make it a hook that is deleted before it runs again.",
    links=("https://kubernetes.io/docs/concepts/workloads/controllers/ttlafterfinished/",),
    fires="""\
apiVersion: batch/v1
kind: Job
metadata: {name: migrate}
spec:
  template:
    spec:
      restartPolicy: Never
      containers: [{name: migrate, image: "shop/api:v1.4.2"}]
""",
    silent="""\
apiVersion: batch/v1
kind: Job
metadata: {name: migrate}
spec:
  ttlSecondsAfterFinished: 3600
  template:
    spec:
      restartPolicy: Never
      containers: [{name: migrate, image: "shop/api:v1.4.2"}]
""",
)
