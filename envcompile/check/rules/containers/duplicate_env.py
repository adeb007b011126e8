"""The rule `duplicate-env`."""

from __future__ import annotations

from typing import TYPE_CHECKING, Final

from envcompile.check.finding import Hit
from envcompile.check.reading import maps_at, text_at
from envcompile.check.rule import Rule

if TYPE_CHECKING:
    from collections.abc import Iterator

    from envcompile.check.check_input import CheckInput


def _duplicate_env(inputs: CheckInput) -> Iterator[Hit]:
    for pods in inputs.pods:
        for container in pods.containers:
            seen: dict[str, int] = {}
            for position, variable in maps_at(container.value, "env"):
                name = text_at(variable, "name")
                if name in seen:
                    yield Hit(
                        pods.resource.id,
                        (*container.pointer, "env", position),
                        f"container `{container.name}` sets the env var {name} twice: the last one wins, and"
                        " server-side apply refuses it",
                        "leave one of the two",
                        value=name,
                    )
                seen.setdefault(name, position)


RULE: Final = Rule(
    "duplicate-env",
    "error",
    "No container sets an env var twice.",
    "kubernetes.io, Server-Side Apply: Merge strategy (env is keyed by name); kube-linter duplicate-env-var",
    _duplicate_env,
    alone=True,
    why="Apply keeps entries by name: of two entries one is lost, and which one differs by the way of applying.",
    fix="Leave one of the two out.",
    links=("https://kubernetes.io/docs/reference/using-api/server-side-apply/#merge-strategy",),
    fires="""\
apiVersion: v1
kind: Pod
metadata: {name: api}
spec:
  containers:
  - name: api
    image: shop/api:v1.4.2
    env:
    - {name: ENVIRONMENT}
    - {name: ENVIRONMENT}
""",
    silent="""\
apiVersion: v1
kind: Pod
metadata: {name: api}
spec:
  containers:
  - name: api
    image: shop/api:v1.4.2
    env:
    - {name: ENVIRONMENT}
""",
)
