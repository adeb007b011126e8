"""The scan of parsed files: every place of an object, a patch or a generator where a secret value can stand."""

from __future__ import annotations

import json
import posixpath
import re
from fnmatch import fnmatchcase
from typing import TYPE_CHECKING, Any, NamedTuple

from envcompile.errors import EnvcError
from envcompile.kubernetes.cleaner import LAST_APPLIED
from envcompile.secrets.ciphertext import BrokenCiphertextError, take_apart
from envcompile.secrets.declaration import MASTER_KEY_LABEL
from envcompile.secrets.leak import FIX, IN_CLEAR, Leak, is_no_literal
from envcompile.secrets.plaintext_findings import find_plaintext
from envcompile.secrets.scanown import own_flaws
from envcompile.secrets.scanplaces import operation_flaws, place_flaws, value_flaws
from envcompile.secrets.scansops import sops_flaws, texts
from envcompile.secrets.scantext import looks_secret

if TYPE_CHECKING:
    from collections.abc import Callable, Iterator

    from envcompile.model import Pointer

_CLEAR_IN_TEMPLATE = re.compile(r"(?i)(password|passwd|secret|token|api_?key|private_?key)")
_CHECKSUM = re.compile(r"checksum/(.*-)?secrets?(-.*)?")
_SPEAKS_OF_SECRETS = re.compile(r"""kind["']?\s*[:=]\s*["']?Secret(?:List|Generator)?\b""")
_OF_VALUES = re.compile(r"(?i)(?:^|[-._])values(?:[-._].*)?\.ya?ml$")
"""Names of files of a chart's values: `values.yaml`, `values-prod.yaml`, `prod.values.yml`."""
_IGNORE = "envcompile.dev/ignore"
_PLUGINS = {"PatchTransformer": ("patch",), "PatchJson6902Transformer": ("jsonOp",)}
"""Kustomize's built-in plugins that hold a patch."""
_DEEPEST = 5
"""How deep texts that hold documents are looked into."""

Flaw = tuple["Pointer", str, str, str]
"""Pointer in the object, rule, what it is, and the fix."""


class _Scan(NamedTuple):
    """What applies to one file."""

    secrets_in_clear: bool
    committed: Callable[[str], bytes | None]
    folder: str
    depth: int = 0
    is_values: bool = False
    """Whether the file holds a chart's values."""

    def read(self, file: str) -> bytes | None:
        """The bytes of a file that the scanned one names, where the tree has it; the way may lead through `..`."""
        return self.committed(posixpath.normpath(posixpath.join(self.folder, file)))


def scan_documents(
    file: str, data: bytes, *, secrets_in_clear: bool, committed: Callable[[str], bytes | None]
) -> list[Leak]:
    """Look through the documents of a YAML or JSON file.

    Raises:
        EnvcError: when the file cannot be read.
    """
    from envcompile import yamlio

    folder, _, name = file.rpartition("/")
    scan = _Scan(secrets_in_clear, committed, folder, is_values=_OF_VALUES.search(name) is not None)
    found = []
    for index, document in enumerate(yamlio.load_all(data, file)):
        for pointer, rule, what, fix in _in_document(document, scan):
            line = yamlio.locate_nearest(data, index, pointer)[0]
            found.append(Leak(file, line, rule, what, fix))
    return found


def _in_document(document: Any, scan: _Scan) -> Iterator[Flaw]:
    if isinstance(document, list) and not scan.secrets_in_clear:
        for index, item in enumerate(document):
            yield from _operation_flaws(item, (index,), "a JSON patch")
    if isinstance(document, dict) and document.get("kind") == "SecretList" and isinstance(document.get("items"), list):
        typed = {"apiVersion": "v1", "kind": "Secret"}
        items = [{**typed, **item} if isinstance(item, dict) else item for item in document["items"]]
        document = {**document, "items": items}
    if scan.is_values and not scan.secrets_in_clear and _is_values(document):
        yield from value_flaws(document)
    for pointer, value in _objects(document):
        for below, rule, what, fix in _flaws(value, scan):
            yield (*pointer, *below), rule, what, fix


def _is_values(document: Any) -> bool:
    """Tell whether a document is a chart's values: no object, and not encrypted."""
    is_object = isinstance(document, dict) and {"apiVersion", "kind"} <= document.keys()
    return isinstance(document, dict) and not is_object and not isinstance(document.get("sops"), dict)


def _objects(value: Any, pointer: Pointer = ()) -> Iterator[tuple[Pointer, dict[str, Any]]]:
    """The document, and every Kubernetes object inside of it: in a List, a Template, a Composition or a plain list."""
    if isinstance(value, dict):
        if not pointer or (len(pointer) == 1 and isinstance(pointer[0], int)) or {"apiVersion", "kind"} <= value.keys():
            yield pointer, value
        for name, item in value.items():
            if isinstance(item, (dict, list)):
                yield from _objects(item, (*pointer, name))
    elif isinstance(value, list):
        for index, item in enumerate(value):
            if isinstance(item, (dict, list)):
                yield from _objects(item, (*pointer, index))


def _flaws(value: dict[str, Any], scan: _Scan) -> Iterator[Flaw]:
    metadata = _map(value, "metadata")
    labels, annotations = _map(metadata, "labels"), _map(metadata, "annotations")
    title = f"{value.get('kind', '')}/{metadata.get('name', '')}"
    if MASTER_KEY_LABEL in labels:
        yield (
            ("metadata", "labels", MASTER_KEY_LABEL),
            "sealing-key",
            f"{title} is a private key of the sealed-secrets controller",
            "it opens every secret of its cluster: take it out and renew it",
        )
    sops = value.get("sops")
    if isinstance(sops, dict):
        yield from sops_flaws(value, sops)
    elif not scan.secrets_in_clear:
        for pointer in find_plaintext(_as_secret(value)) if not _is_list(value) else ():
            if not is_no_literal(_at(value, pointer)):
                yield pointer, IN_CLEAR, f"{title}: `{pointer[-1]}` is written in clear", FIX
        yield from _last_applied_flaws(annotations, title, scan)
        yield from _patch_flaws(value, scan)
        yield from _generator_flaws(value, scan)
        yield from own_flaws(value, scan.read)
        yield from _config_flaws(value, annotations, title)
        yield from _text_flaws(value, title, scan)
    if value.get("kind") == "SealedSecret":
        yield from _sealed_flaws(value, title)
    yield from _checksum_flaws(value, title)


def _as_secret(value: dict[str, Any]) -> dict[str, Any]:
    """An object whose version somebody forgot, as the Secret that it is meant to be."""
    return {**value, "apiVersion": "v1"} if value.get("kind") == "Secret" and not value.get("apiVersion") else value


def _is_list(value: dict[str, Any]) -> bool:
    return isinstance(value.get("items"), list)


def _last_applied_flaws(annotations: dict[str, Any], title: str, scan: _Scan) -> Iterator[Flaw]:
    """The copy that a client-side apply keeps of the whole object: in a Secret, its values in clear."""
    for name in LAST_APPLIED:
        text = annotations.get(name)
        if isinstance(text, str) and _speaks_in_clear(text, scan):
            what = f"{title}: `{name}` holds a copy of the Secret with its values"
            yield ("metadata", "annotations", name), IN_CLEAR, what, "take the annotation out"


def _speaks_in_clear(text: str, scan: _Scan) -> bool:
    """Whether a text holds a document with a secret in clear."""
    if scan.depth >= _DEEPEST:
        return False
    try:
        documents = _documents_of(text)
    except (EnvcError, RecursionError):
        from envcompile.secrets.scantext import scan_lines

        return bool(scan_lines("", text))
    deeper = scan._replace(depth=scan.depth + 1)
    return any(rule == IN_CLEAR for document in documents for _, rule, _, _ in _in_document(document, deeper))


def _documents_of(text: str) -> list[Any]:
    from envcompile import yamlio

    try:
        return [json.loads(text)]
    except ValueError:
        return yamlio.load_all(text.encode(), "text")


def _patch_flaws(value: dict[str, Any], scan: _Scan) -> Iterator[Flaw]:
    """A `kind: Patch` of envc, and the patches of a kustomization, with their targets."""
    if value.get("kind") == "Patch" and str(value.get("apiVersion")).startswith("envcompile.dev/"):
        yield from _other_patch_flaws(value)
        if not _may_be_secret(_map(value, "target")):
            return
        certain = "kind" in _map(value, "target")
        merge = value.get("merge")
        for pointer in _values_of(merge, certain=certain):
            if not is_no_literal(_at(merge, pointer)):
                what = f"a patch of Secrets: `{pointer[-1]}` is written in clear"
                yield ("merge", *pointer), IN_CLEAR, what, FIX
        operations = value.get("json6902")
        for index, operation in enumerate(operations if isinstance(operations, list) else ()):
            yield from _operation_flaws(operation, ("json6902", index), "a patch of Secrets", certain=certain)
        return
    for way, holder in _holders(value):
        for field in ("patches", "patchesJson6902"):
            patches = holder.get(field)
            for index, patch in enumerate(patches if isinstance(patches, list) else ()):
                if isinstance(patch, dict) and _is_inline_in_clear(patch, patch.get("patch"), scan):
                    yield (*way, field, index, "patch"), IN_CLEAR, "a patch of Secrets holds a value in clear", FIX
    for field in _PLUGINS.get(str(value.get("kind")), ()):
        if _is_inline_in_clear(value, value.get(field), scan):
            yield (field,), IN_CLEAR, "a patch of Secrets holds a value in clear", FIX


def _holders(value: Any, pointer: Pointer = ()) -> Iterator[tuple[Pointer, dict[str, Any]]]:
    """The maps that may hold patches: a kustomization, the objects of Flux and Argo CD that say one."""
    if isinstance(value, dict):
        yield pointer, value
        for name in ("spec", "template", "source", "kustomize"):
            if isinstance(value.get(name), dict):
                yield from _holders(value[name], (*pointer, name))
        sources = value.get("sources")
        for index, source in enumerate(sources if isinstance(sources, list) else ()):
            yield from _holders(source, (*pointer, "sources", index))


def _is_inline_in_clear(patch: dict[str, Any], text: Any, scan: _Scan) -> bool:
    target = _map(patch, "target")
    if not isinstance(text, str) or not _may_be_secret(target) or scan.depth >= _DEEPEST:
        return False
    try:
        documents = _documents_of(text)
    except (EnvcError, RecursionError):
        return False
    return any(_is_patch_in_clear(document, certain="kind" in target) for document in documents)


def _other_patch_flaws(patch: dict[str, Any]) -> Iterator[Flaw]:
    """What a patch gives to other kinds: entries of ConfigMaps, env vars."""
    fix = "keep it in a Secret, or say why it is none"
    kind = str(_map(patch, "target").get("kind", "ConfigMap"))
    if kind == "ConfigMap" and isinstance(patch.get("merge"), dict):
        for pointer, rule, what, how in place_flaws({**patch["merge"], "kind": kind}, "a patch"):
            yield ("merge", *pointer), rule, what, how
    operations = patch.get("json6902")
    for index, operation in enumerate(operations if isinstance(operations, list) else ()):
        if isinstance(operation, dict) and {"op", "path", "value"} <= operation.keys():
            for pointer, name in operation_flaws(operation):
                yield (
                    ("json6902", index, *pointer),
                    "plaintext-value",
                    f"a patch: `{name}` looks like a secret in clear",
                    fix,
                )


def _is_patch_in_clear(document: Any, *, certain: bool) -> bool:
    if isinstance(document, list):
        return any(True for operation in document for _ in _operation_flaws(operation, (), "a patch", certain=certain))
    return any(not is_no_literal(_at(document, pointer)) for pointer in _values_of(document, certain=certain))


def _may_be_secret(target: dict[str, Any]) -> bool:
    kind, group = str(target.get("kind", "*")), str(target.get("group", ""))
    return group in {"", "*"} and (fnmatchcase("Secret", kind) or _matches("Secret", kind))


def _matches(text: str, pattern: str) -> bool:
    """Whether an anchored expression, as kustomize's targets are, matches a text."""
    try:
        return re.fullmatch(pattern, text) is not None
    except re.error:
        return False


def _values_of(patch: Any, *, certain: bool) -> Iterator[Pointer]:
    """The values that a partial Secret sets; without a target that says Secret, `data` may be a ConfigMap's."""
    for part in ("data", "stringData") if certain else ("stringData",):
        values = patch.get(part) if isinstance(patch, dict) else None
        for key in values if isinstance(values, dict) else ():
            yield part, key


def _operation_flaws(operation: Any, pointer: Pointer, title: str, *, certain: bool = False) -> Iterator[Flaw]:
    """One operation of RFC 6902 on a Secret's values."""
    if not isinstance(operation, dict) or not {"op", "path", "value"} <= operation.keys():
        return
    path, value = str(operation["path"]), operation["value"]
    if not path:
        for way in _values_of(value, certain=certain or (isinstance(value, dict) and value.get("kind") == "Secret")):
            if not is_no_literal(_at(value, way)):
                yield (*pointer, "value", *way), IN_CLEAR, f"{title}: `{way[-1]}` is written in clear", FIX
        return
    part = path.split("/")[1] if path.startswith("/") else ""
    if part != "stringData" and not (part == "data" and certain):
        return
    values = value if path == f"/{part}" and isinstance(value, dict) else {path.rpartition("/")[2]: value}
    for key, text in values.items():
        if not is_no_literal(text):
            below: Pointer = ("value", key) if values is value else ("value",)
            yield (*pointer, *below), IN_CLEAR, f"{title}: `{key}` is written in clear", FIX


def _generator_flaws(value: dict[str, Any], scan: _Scan) -> Iterator[Flaw]:
    """Kustomize's `secretGenerator`, and the entries of `configMapGenerator` that are called like a secret."""
    plugin = str(value.get("kind")) if value.get("apiVersion") == "builtin" else ""
    if plugin in {"SecretGenerator", "ConfigMapGenerator"}:
        field = f"{plugin[0].lower()}{plugin[1:]}"
        for pointer, rule, what, fix in _generator_flaws({field: [value]}, scan):
            yield pointer[2:], rule, what, fix
    for field in ("secretGenerator", "configMapGenerator"):
        generators = value.get(field)
        for index, generator in enumerate(generators if isinstance(generators, list) else ()):
            if not isinstance(generator, dict):
                continue
            literals = generator.get("literals")
            for position, text in enumerate(literals if isinstance(literals, list) else ()):
                key, _, literal = str(text).partition("=")
                wanted = not is_no_literal(literal) if field == "secretGenerator" else looks_secret(key, literal)
                if wanted:
                    what = f"{field}: `{key}` is written in clear"
                    yield (field, index, "literals", position), IN_CLEAR, what, "declare a Secret with references"
            if field == "secretGenerator":
                yield from _file_flaws(generator, (field, index), scan)


def _file_flaws(generator: dict[str, Any], pointer: Pointer, scan: _Scan) -> Iterator[Flaw]:
    for name in ("envs", "files"):
        files = generator.get(name)
        for position, text in enumerate(files if isinstance(files, list) else ()):
            file = str(text).rpartition("=")[2].removeprefix("./")
            if scan.read(file) is not None:
                what = f"secretGenerator reads `{file}`, which git tracks"
                fix = "let git ignore it, rotate its values, and declare a Secret with references"
                yield (*pointer, name, position), IN_CLEAR, what, fix


def _config_flaws(value: dict[str, Any], annotations: dict[str, Any], title: str) -> Iterator[Flaw]:
    """Credentials where none belong: the entries of a ConfigMap, the env vars of containers."""
    if "secret-plaintext" in str(annotations.get(_IGNORE, "")):
        return
    yield from place_flaws(value, title)
    if "kind" in value:
        for pointer, variable in _variables(value, ()):
            named, text = variable.get("name"), variable.get("value")
            if isinstance(named, str) and isinstance(text, str) and looks_secret(named, text):
                what = f"{title}: the env var `{named}` looks like a secret in clear"
                yield (*pointer, "value"), "plaintext-value", what, "read it from a Secret by `secretKeyRef`"


def _variables(value: Any, pointer: Pointer) -> Iterator[tuple[Pointer, dict[str, Any]]]:
    if isinstance(value, dict):
        for name, item in value.items():
            if name == "env" and isinstance(item, list):
                for index, variable in enumerate(item):
                    if isinstance(variable, dict):
                        yield (*pointer, "env", index), variable
            elif isinstance(item, (dict, list)):
                yield from _variables(item, (*pointer, name))
    elif isinstance(value, list):
        for index, item in enumerate(value):
            yield from _variables(item, (*pointer, index))


def _text_flaws(value: dict[str, Any], title: str, scan: _Scan) -> Iterator[Flaw]:
    """Texts that are documents themselves: a ConfigMap of manifests, inline patches, the values of a chart."""
    for pointer, text in texts(value):
        if _SPEAKS_OF_SECRETS.search(text) and pointer[-1] not in LAST_APPLIED and _speaks_in_clear(text, scan):
            what = f"{title}: the text at `{pointer[-1]}` holds a Secret in clear"
            yield pointer, IN_CLEAR, what, FIX


def _sealed_flaws(value: dict[str, Any], title: str) -> Iterator[Flaw]:
    for key, sealed in _map(value, "spec", "encryptedData").items():
        try:
            take_apart(sealed)
        except BrokenCiphertextError as error:
            yield (
                ("spec", "encryptedData", key),
                "broken-ciphertext",
                f"{title}: the value of `{key}` {error}",
                "seal it again",
            )
    for key, text in _map(value, "spec", "template", "data").items():
        if isinstance(text, str) and text and "{{" not in text and _CLEAR_IN_TEMPLATE.search(str(key)):
            yield (
                ("spec", "template", "data", key),
                "plaintext-in-template",
                f"{title}: `{key}` looks like a secret, and a template is not encrypted",
                "seal it as a key of its own and use it in the template by `{{ .KEY }}`",
            )


def _checksum_flaws(value: dict[str, Any], title: str) -> Iterator[Flaw]:
    """Helm's habit of a roll-out checksum over plaintext: whoever reads it can try words against it."""
    for pointer, _ in texts(value):
        if pointer[-2:-1] == ("annotations",) and _CHECKSUM.fullmatch(str(pointer[-1])):
            yield (
                pointer,
                "plaintext-checksum",
                f"{title}: `{pointer[-1]}` is a digest of a secret, against which words can be tried",
                "drop it and set `rollout: checksum`, which counts sealed bytes",
            )


def _at(value: Any, pointer: Pointer) -> Any:
    for part in pointer:
        value = value[part]
    return value


def _map(value: Any, *names: str) -> dict[str, Any]:
    for name in names:
        value = value.get(name) if isinstance(value, dict) else None
    return value if isinstance(value, dict) else {}
