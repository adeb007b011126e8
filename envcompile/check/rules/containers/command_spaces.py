"""The rule `command-spaces`."""

from __future__ import annotations

from typing import TYPE_CHECKING, Final

from envcompile.check.finding import Hit
from envcompile.check.reading import list_at
from envcompile.check.rule import Rule

if TYPE_CHECKING:
    from collections.abc import Iterator

    from envcompile.check.check_input import CheckInput


def _spaces(inputs: CheckInput) -> Iterator[Hit]:
    for pods in inputs.pods:
        for container in pods.containers:
            first = next(iter(list_at(container.value, "command")), None)
            if not isinstance(first, str):
                continue
            program, _, rest = first.strip().partition(" ")
            # A path of Windows may have spaces.
            if rest and "\\" not in first and "\n" not in first:
                yield Hit(
                    pods.resource.id,
                    (*container.pointer, "command", 0),
                    f"`{program} …` of container `{container.name}` is one item: no program has such a name",
                    f"write each word as an item of its own, `{program}` first, or `[sh, -c, …]`",
                )


RULE: Final = Rule(
    "command-spaces",
    "warning",
    "The first item of a command is a program; its arguments are items of their own.",
    "kubernetes.io, Define a Command and Arguments for a Container",
    _spaces,
    alone=True,
    why="No shell splits the words: the runtime looks for a program of the whole name, and the container never starts.",
    fix="Write each word as an item of its own, or let a shell split them: `[sh, -c, npm start]`.",
    links=("https://kubernetes.io/docs/tasks/inject-data-application/define-command-argument-container/",),
    fires="""\
apiVersion: v1
kind: Pod
metadata: {name: api}
spec:
  containers:
  - name: api
    image: shop/api:v1.4.2
    command: ["npm start"]
""",
    silent="""\
apiVersion: v1
kind: Pod
metadata: {name: api}
spec:
  containers:
  - name: api
    image: shop/api:v1.4.2
    command: [npm, start]
""",
)
