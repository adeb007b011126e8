"""The scan of objects beyond Secrets: values of charts, arguments, templates of operators, kubeconfigs, patches.

Sources: helm.toolkit.fluxcd.io and kustomize.toolkit.fluxcd.io (Flux), argoproj.io (Argo CD), helm.cattle.io (K3s),
isindir.github.com (sops-secrets-operator), external-secrets.io, kubeconfig (v1), kustomize's built-in plugins.
"""

from __future__ import annotations

import base64
import binascii
import re
from itertools import starmap
from typing import TYPE_CHECKING, Any

from envcompile.kubernetes.credentials import named_values, shape_of
from envcompile.kubernetes.podspecs import CONTAINER_LISTS
from envcompile.model import HARMLESS_ANNOTATION
from envcompile.secrets.leak import IN_CLEAR, is_no_literal
from envcompile.secrets.plaintext_findings import is_listed
from envcompile.secrets.scansops import texts
from envcompile.secrets.scantext import looks_secret, names_a_secret

if TYPE_CHECKING:
    from collections.abc import Iterator

    from envcompile.model import Pointer

    Flaw = tuple[Pointer, str, str, str]

LOOKS = "plaintext-value"
_IN_SECRET = "keep it in a Secret, or declare the key harmless by `envcompile.dev/plaintext`: see `envc guide secrets`"
_VALUES = frozenset({"values", "valuesObject", "valuesInline", "valuesContent"})
"""Where a chart's values stand, as a map or as a text."""
_CHARTS = frozenset({"HelmRelease", "HelmChart", "HelmChartConfig", "Application", "ApplicationSet", "Kustomization"})
_FLAG = re.compile(r"--?([A-Za-z][\w.-]*)(?:=(.*))?", re.DOTALL)
_ASSIGNMENT = re.compile(r"""(?:^|[\s;&(])(?:export\s+)?([A-Z][A-Z0-9_]*)=(?:"([^"\n]*)"|'([^'\n]*)'|([^\s;&|"']+))""")
_TEMPLATED = {
    "ExternalSecret": ("spec", "target", "template", "data"),
    "ClusterExternalSecret": ("spec", "externalSecretSpec", "target", "template", "data"),
    "PushSecret": ("spec", "template", "data"),
    "ClusterPushSecret": ("spec", "pushSecretSpec", "template", "data"),
    "SealedSecret": ("spec", "template", "data"),
}
_OF_USERS = ("token", "password", "client-key-data")


def place_flaws(value: dict[str, Any], title: str) -> Iterator[Flaw]:
    """What an object holds in clear outside of Secrets, env vars and texts that are documents."""
    kind = value.get("kind")
    metadata = value.get("metadata")
    annotations = metadata.get("annotations") if isinstance(metadata, dict) else None
    if kind == "ConfigMap":
        yield from _config_flaws(value, annotations, title)
        return
    for pointer, rule, what, fix in (
        *_chart_flaws(value, title),
        *_argument_flaws(value, title),
        *_kubeconfig_flaws(value, title),
        *_operator_flaws(value, title),
        *_shape_flaws(value, title),
    ):
        if not is_listed(str(pointer[-1]), annotations, HARMLESS_ANNOTATION):
            yield pointer, rule, what, fix


def _config_flaws(value: dict[str, Any], annotations: Any, title: str) -> Iterator[Flaw]:
    """The entries of a ConfigMap, those in base64 among them."""
    for field in ("data", "binaryData"):
        entries = value.get(field)
        for key, text in entries.items() if isinstance(entries, dict) else ():
            if not isinstance(text, str) or is_listed(str(key), annotations, HARMLESS_ANNOTATION):
                continue
            plain = text if field == "data" else _decoded(text)
            pairs = named_values(plain)
            if "\n" not in plain.strip():
                pairs.setdefault(str(key), plain.strip())
            for name, literal in pairs.items():
                if looks_secret(name, literal):
                    yield (field, key), LOOKS, f"{title}: `{name}` looks like a secret in clear", _IN_SECRET
            if not pairs.keys() - {str(key)} and "\n" in plain and (shape := shape_of(plain)):
                yield (field, key), LOOKS, f"{title}: {shape} in clear", _IN_SECRET


def _decoded(text: str) -> str:
    try:
        return base64.b64decode(text, validate=True).decode()
    except (binascii.Error, UnicodeDecodeError):
        return ""


def _chart_flaws(value: dict[str, Any], title: str) -> Iterator[Flaw]:
    """The values that a chart is given, and the parameters of Argo CD's `helm`."""
    if str(value.get("kind")) not in _CHARTS:
        return
    for pointer, below in _maps(value, ()):
        for field in _VALUES & below.keys():
            given = below[field]
            leaves = texts(given) if isinstance(given, dict) else ()
            pairs = [((field, *way), str(way[-1]), text) for way, text in leaves if way]
            if isinstance(given, str):
                pairs = [((field,), name, text) for name, text in named_values(given).items()]
            for way, name, text in pairs:
                if looks_secret(name, text) and not names_a_secret(name, text):
                    yield (
                        (*pointer, *way),
                        LOOKS,
                        f"{title}: the value `{name}` looks like a secret in clear",
                        _IN_SECRET,
                    )
        named, given = below.get("name"), below.get("value")
        if pointer[-2:-1] != ("parameters",) or not isinstance(named, str) or not isinstance(given, str):
            continue
        if looks_secret(named, given) and not names_a_secret(named.rpartition(".")[2], given):
            what = f"{title}: the parameter `{named}` looks like a secret in clear"
            yield (*pointer, "value"), LOOKS, what, _IN_SECRET


def value_flaws(values: dict[str, Any]) -> Iterator[Flaw]:
    """What a file of a chart's values holds: everything that comes with the chart, or is given to it."""
    for pointer, text in texts(values):
        name = next((part for part in reversed(pointer) if isinstance(part, str)), "")
        pairs = named_values(text)
        if "\n" not in text.strip():
            pairs.setdefault(name, text)
        found = next((name for name, given in pairs.items() if _is_value(name, given)), "")
        if found:
            yield pointer, LOOKS, f"the value `{found}` looks like a secret in clear", _IN_SECRET
        elif not is_no_literal(text) and (shape := shape_of(text)):
            yield pointer, LOOKS, f"{shape} in clear", _IN_SECRET
    for pointer, below in _maps(values, ()):
        named, given = below.get("name"), below.get("value")
        if isinstance(named, str) and isinstance(given, str) and _is_value(named, given):
            yield (*pointer, "value"), LOOKS, f"the value `{named}` looks like a secret in clear", _IN_SECRET


def _is_value(name: str, given: str) -> bool:
    return looks_secret(name, given) and not names_a_secret(name, given)


def _argument_flaws(value: dict[str, Any], title: str) -> Iterator[Flaw]:
    """Arguments of containers: everybody who may see the Pod, or the node's processes, reads them."""
    for pointer, below in _maps(value, ()):
        if not (len(pointer) > 1 and pointer[-2] in CONTAINER_LISTS):
            continue
        for field in ("command", "args"):
            words = below.get(field)
            before = ""
            for position, word in enumerate(words if isinstance(words, list) else ()):
                text = word if isinstance(word, str) else ""
                flag = _FLAG.fullmatch(text)
                pairs = [(found[1], found[2] or found[3] or found[4] or "") for found in _ASSIGNMENT.finditer(text)]
                pairs += [(flag[1], flag[2])] if flag and flag[2] else [(before, text)] if before and not flag else []
                name = next((name for name, literal in pairs if looks_secret(name, literal)), "")
                if name:
                    what = f"{title}: the argument `{name}` looks like a secret in clear"
                    yield (*pointer, field, position), LOOKS, what, "read it from an env var that a Secret gives"
                before = flag[1] if flag and flag[2] is None else ""


def _kubeconfig_flaws(value: dict[str, Any], title: str) -> Iterator[Flaw]:
    """Credentials of a kubeconfig's users."""
    users = value.get("users") if value.get("kind") == "Config" else None
    for position, entry in enumerate(users if isinstance(users, list) else ()):
        user = entry.get("user") if isinstance(entry, dict) else None
        for name in _OF_USERS:
            if isinstance(user, dict) and isinstance(user.get(name), str) and not is_no_literal(user[name]):
                what = f"a kubeconfig{title.rstrip('/').removeprefix('Config')}: `{name}` is written in clear"
                yield (
                    ("users", position, "user", name),
                    IN_CLEAR,
                    what,
                    "let git ignore the file, and renew the credential",
                )


def _operator_flaws(value: dict[str, Any], title: str) -> Iterator[Flaw]:
    """Templates of Secrets that an operator fills, and stores that hold their values themselves."""
    kind = str(value.get("kind"))
    spec = value.get("spec")
    if kind == "SopsSecret":  # the operator takes one that sops has encrypted, which has `sops`
        templates = spec.get("secretTemplates") if isinstance(spec, dict) else None
        for position, template in enumerate(templates if isinstance(templates, list) else ()):
            for field in ("data", "stringData"):
                entries = template.get(field) if isinstance(template, dict) else None
                for key, text in entries.items() if isinstance(entries, dict) else ():
                    if not is_no_literal(text):
                        way: Pointer = ("spec", "secretTemplates", position, field, key)
                        yield (
                            way,
                            IN_CLEAR,
                            f"{title}: `{key}` is written in clear",
                            "encrypt it: `sops encrypt -i FILE`",
                        )
    elif kind in _TEMPLATED:
        below: Any = value
        for name in _TEMPLATED[kind]:
            below = below.get(name) if isinstance(below, dict) else None
        for key, text in below.items() if isinstance(below, dict) else ():
            pairs = named_values(text) if isinstance(text, str) else {}
            if kind != "SealedSecret" and isinstance(text, str) and "{{" not in text and "\n" not in text.strip():
                pairs.setdefault(str(key), text)
            if any(starmap(looks_secret, pairs.items())):
                what = f"{title}: `{key}` looks like a secret, and a template is not encrypted"
                yield (*_TEMPLATED[kind], key), LOOKS, what, _IN_SECRET
    elif kind in {"SecretStore", "ClusterSecretStore"}:
        for pointer, entry in _maps(value, ()):
            if pointer[:4] == ("spec", "provider", "fake", "data") and not is_no_literal(entry.get("value")):
                what = f"{title}: a store of the provider `fake` holds its values in clear"
                yield (*pointer, "value"), LOOKS, what, "name a real provider"


def _shape_flaws(value: dict[str, Any], title: str) -> Iterator[Flaw]:
    """Texts that are credentials by their own form, wherever they stand."""
    if str(value.get("kind", "Patch")) in {"SealedSecret", "Secret", "CustomResourceDefinition", "Patch"}:
        return
    for pointer, text in texts(value):
        if pointer[:2] == ("metadata", "annotations") or pointer[-1] in {"command", "args", "description"}:
            continue
        shape = "" if "\n" in text or is_no_literal(text) else shape_of(text)
        if shape and not any(part == "env" for part in pointer):
            yield pointer, LOOKS, f"{title}: {shape} in clear at `{pointer[-1]}`", _IN_SECRET


def operation_flaws(operation: dict[str, Any]) -> Iterator[tuple[Pointer, str]]:
    """Of an operation of RFC 6902 the values that look like credentials: their way in the operation, their name."""
    path, value = str(operation["path"]), operation["value"]
    parts = [part.replace("~1", "/").replace("~0", "~") for part in path.split("/")[1:]]
    if parts[:1] == ["data"] or not parts:
        entries = value.get("data") if not parts and isinstance(value, dict) else value if len(parts) == 1 else None
        if isinstance(entries, dict):
            for key, text in entries.items():
                if isinstance(text, str) and looks_secret(str(key), text):
                    yield ("value", *(() if parts else ("data",)), key), str(key)
        elif len(parts) == 2 and isinstance(value, str):
            pairs = {parts[1]: value} if "\n" not in value.strip() else named_values(value)
            yield from ((("value",), name) for name, text in pairs.items() if looks_secret(name, text))
    if "env" in parts:
        for way, variable in _variables(value):
            named, text = variable.get("name"), variable.get("value")
            if isinstance(named, str) and isinstance(text, str) and looks_secret(named, text):
                yield ("value", *way, "value"), named


def _variables(value: Any) -> Iterator[tuple[Pointer, dict[str, Any]]]:
    if isinstance(value, dict):
        yield (), value
    elif isinstance(value, list):
        yield from (((index,), item) for index, item in enumerate(value) if isinstance(item, dict))


def _maps(value: Any, pointer: Pointer) -> Iterator[tuple[Pointer, dict[str, Any]]]:
    """Every map in a value, with its way."""
    if isinstance(value, dict):
        yield pointer, value
        for name, item in value.items():
            if isinstance(item, (dict, list)):
                yield from _maps(item, (*pointer, name))
    elif isinstance(value, list):
        for index, item in enumerate(value):
            if isinstance(item, (dict, list)):
                yield from _maps(item, (*pointer, index))
