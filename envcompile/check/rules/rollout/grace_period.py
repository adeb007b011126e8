"""The rule `grace-period`."""

from __future__ import annotations

import re
from typing import TYPE_CHECKING, Final

from envcompile.check.finding import Hit
from envcompile.check.reading import map_at, number_at, texts_at
from envcompile.check.rule import Rule

if TYPE_CHECKING:
    from collections.abc import Iterator

    from envcompile.check.check_input import CheckInput
    from envcompile.check.pods import Container


_SLEEP: Final = re.compile(r"\bsleep\s+(\d+)")


def _grace(inputs: CheckInput) -> Iterator[Hit]:
    for pods in inputs.pods:
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


RULE: Final = Rule(
    "grace-period",
    "warning",
    "A pod has more time to end than its preStop hook takes.",
    "kubernetes.io, Container Lifecycle Hooks; Pod Lifecycle: Termination of Pods",
    _grace,
    alone=True,
    why="The kubelet kills the container when the period ends, in the midst of the hook, and its requests with it.",
    fix="Raise `terminationGracePeriodSeconds` above the time of the hook.",
    links=("https://kubernetes.io/docs/concepts/workloads/pods/pod-lifecycle/#pod-termination",),
    fires="""\
apiVersion: v1
kind: Pod
metadata: {name: api}
spec:
  terminationGracePeriodSeconds: 5
  containers:
  - name: api
    image: shop/api:v1.4.2
    lifecycle:
      preStop: {sleep: {seconds: 5}}
""",
    silent="""\
apiVersion: v1
kind: Pod
metadata: {name: api}
spec:
  terminationGracePeriodSeconds: 45
  containers:
  - name: api
    image: shop/api:v1.4.2
    lifecycle:
      preStop: {sleep: {seconds: 5}}
""",
)
