"""The rule `variable-dangling`."""

from __future__ import annotations

import re
from typing import TYPE_CHECKING, Any, Final

from envcompile.check.finding import Hit
from envcompile.check.reading import list_at, maps_at, text_at
from envcompile.check.rule import Rule
from envcompile.check.suggestions import suggestion

if TYPE_CHECKING:
    from collections.abc import Iterator

    from envcompile.check.check_input import CheckInput
    from envcompile.check.pods import Container, Pods
    from envcompile.model import Pointer

_REFERENCE: Final = re.compile(r"\$(?P<escaped>\$)|\$\((?P<name>[A-Z_][A-Z0-9_]*)\)")
"""Names in small letters are commands of a shell more often than variables."""
_OF_SERVICES: Final = re.compile(r"[A-Z0-9_]+_(?:SERVICE_HOST|SERVICE_PORT(?:_[A-Z0-9_]+)?|PORT(?:_[A-Z0-9_]+)?)")
"""What the kubelet makes for each Service of the namespace (kubernetes.io, Service: Environment variables)."""


def _dangling(inputs: CheckInput) -> Iterator[Hit]:
    for pods in inputs.pods:
        for container in pods.containers:
            taken = _taken(inputs, pods, container)
            if taken is not None:
                yield from _in_container(pods, container, taken)


def _taken(inputs: CheckInput, pods: Pods, container: Container) -> set[str] | None:
    """The variables that whole ConfigMaps and Secrets bring; None when nobody here knows them."""
    found: set[str] = set()
    for _, source in maps_at(container.value, "envFrom"):
        prefix = text_at(source, "prefix")
        for field, kind in (("configMapRef", "ConfigMap"), ("secretRef", "Secret")):
            name = text_at(source, field, "name")
            if name:
                provided = inputs.provisions.find(kind, pods.namespace, name)
                if provided is None or provided.keys is None:
                    return None
                found |= {f"{prefix}{key}" for key in provided.keys}
    return found


def _in_container(pods: Pods, container: Container, taken: set[str]) -> Iterator[Hit]:
    entries = list(maps_at(container.value, "env"))
    names = [text_at(entry, "name") for _, entry in entries]
    for number, (position, entry) in enumerate(entries):
        known = {*taken, *names[:number]}
        pointer: Pointer = (*container.pointer, "env", position, "value")
        later = set(names[number:])
        yield from _in_text(pods, container, pointer, entry.get("value"), known, later)
    for field in ("command", "args"):
        for position, text in enumerate(list_at(container.value, field)):
            yield from _in_text(pods, container, (*container.pointer, field, position), text, {*taken, *names}, set())


def _in_text(
    pods: Pods, container: Container, pointer: Pointer, text: Any, known: set[str], later: set[str]
) -> Iterator[Hit]:
    for match in _REFERENCE.finditer(text) if isinstance(text, str) else ():
        name = match["name"]
        if name is None or name in known or _OF_SERVICES.fullmatch(name):
            continue
        if name in later:
            what = f"`$({name})` stands before `{name}` in `env`, so that it is not replaced"
            fix = f"move `{name}` before it"
        else:
            what = f"`$({name})` is no variable of container `{container.name}`: the program gets it as it stands"
            fix = f"{suggestion(name, sorted(known))}add `{name}` to `env`, or write `$$({name})` if it is meant so"
        yield Hit(pods.resource.id, pointer, what, fix, value=name)


RULE: Final = Rule(
    "variable-dangling",
    "warning",
    "Every `$(NAME)` in a command, an argument or an env var is a variable that the container has by then.",
    "kubernetes.io, Define Dependent Environment Variables; the API of Container: command, args, EnvVar.value",
    _dangling,
    why=(
        "Kubernetes leaves a reference to a variable that is not there as it stands, without a word: the program gets "
        "the text `$(NAME)`. A variable that is defined further below is not there yet."
    ),
    fix="Add the variable, put it before its use, or write `$$(NAME)` if the text is meant.",
    links=("https://kubernetes.io/docs/tasks/inject-data-application/define-interdependent-environment-variables/",),
    fires="""\
apiVersion: v1
kind: Pod
metadata: {name: api}
spec:
  containers:
  - name: api
    image: shop/api:v1.4.2
    args: ["--listen=$(HOST):8080"]
""",
    silent="""\
apiVersion: v1
kind: Pod
metadata: {name: api}
spec:
  containers:
  - name: api
    image: shop/api:v1.4.2
    args: ["--listen=$(HOST):8080"]
    env: [{name: HOST, value: 0.0.0.0}]
""",
)
