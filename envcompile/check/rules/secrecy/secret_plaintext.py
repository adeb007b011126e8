"""The rule `secret-plaintext`."""

from __future__ import annotations

import re
from typing import TYPE_CHECKING, Final

from envcompile.check.finding import Hit
from envcompile.check.reading import map_at, maps_at, strings_at, text_at, texts_at
from envcompile.check.rule import Rule
from envcompile.kubernetes.credentials import is_named_secret, named_values, shape_of
from envcompile.model import is_harmless

if TYPE_CHECKING:
    from collections.abc import Iterator

    from envcompile.check.check_input import CheckInput
    from envcompile.check.finding import Severity
    from envcompile.model import Pointer, Resource


_SECRET_WORD: Final = re.compile(r"passw|passphrase|secret|token|key|credential", re.IGNORECASE)


_FIX: Final = "rotate it, seal it (`envc secrets set`) and read it from the Secret"


def _plaintext(inputs: CheckInput) -> Iterator[Hit]:
    for secret in inputs.of_kind("", "Secret"):
        if not is_harmless(secret.value):
            field = "stringData" if map_at(secret.value, "stringData") else "data"
            what = "the Secret's values stand in the repository for everybody to read"
            # Only `secretBackend: plaintext` lets one through, which is meant for throw-away clusters.
            severity: Severity | None = None if inputs.is_production else "warning"
            fix = "seal it (`envc secrets set`) and write `secretBackend: sealed` or `external`"
            yield Hit(secret.id, (field,), what, fix, severity)
    for config in inputs.of_kind("", "ConfigMap"):
        for key, text in strings_at(config.value, "data").items():
            yield from _in_text(config, ("data", key), key, text)
    for pods in inputs.pods:
        for container in pods.containers:
            for position, variable in maps_at(container.value, "env"):
                name, value = text_at(variable, "name"), text_at(variable, "value")
                if value:
                    where = f"the env var {name} of container `{container.name}`"
                    pointer: Pointer = (*container.pointer, "env", position, "value")
                    yield from _in_value(pods.resource, pointer, where, name, value)
            for field in ("command", "args"):
                for position, text in enumerate(texts_at(container.value, field)):
                    kind = shape_of(text)
                    if kind:
                        what = f"`{field}` of container `{container.name}` holds {kind} in plain text"
                        yield Hit(pods.resource.id, (*container.pointer, field, position), what, _FIX)


def _in_value(resource: Resource, pointer: Pointer, where: str, name: str, value: str) -> Iterator[Hit]:
    kind = shape_of(value)
    if kind:
        yield Hit(resource.id, pointer, f"{where} holds {kind} in plain text", _FIX)
    elif is_named_secret(name, value):
        what = f"{where} looks like a secret in plain text"
        fix = f"{_FIX}; or say in `envcompile.dev/ignore` why it is none"
        yield Hit(resource.id, pointer, what, fix, "warning", value=name)


def _in_text(config: Resource, pointer: Pointer, key: str, text: str) -> Iterator[Hit]:
    """Secrets in an entry of a ConfigMap: the entry itself, or a line of the file that it is."""
    if "\n" not in text.strip():
        yield from _in_value(config, pointer, f"the entry `{key}`", key, text.strip())
        return
    kind = shape_of(text)
    if kind:
        yield Hit(config.id, pointer, f"the entry `{key}` holds {kind} in plain text", _FIX)
    if _SECRET_WORD.search(text) is None:
        return
    for name, value in named_values(text).items():
        if is_named_secret(name, value):
            what = f"`{name}` in the entry `{key}` looks like a secret in plain text"
            fix = f"{_FIX}; or say in `envcompile.dev/ignore` why it is none"
            yield Hit(config.id, pointer, what, fix, "warning", value=name)


RULE: Final = Rule(
    "secret-plaintext",
    "error",
    "No password, key or token stands in plain text in a Secret, a ConfigMap or an env var.",
    "kubernetes.io, Good practices for Secrets; kube-linter env-var-secret, Polaris sensitiveConfigmapContent",
    _plaintext,
    alone=True,
    why="Whoever reads the repository, its forks and its past has the value; base64 hides nothing.",
    fix="Write a reference (`ref+vault://…`) and seal it with `envc secrets seal`, and rotate the value.",
    links=("https://kubernetes.io/docs/concepts/security/secrets-good-practices/",),
    fires="""\
apiVersion: v1
kind: ConfigMap
metadata: {name: api}
data: {DATABASE_PASSWORD: hunter2hunter2}
""",
    silent="""\
apiVersion: v1
kind: ConfigMap
metadata: {name: api}
data: {DATABASE_USER: api}
""",
)
