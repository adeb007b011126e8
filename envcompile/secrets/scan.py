"""`envc secrets scan`: what must never be committed, found in the index before it is; shows places, never values."""

from __future__ import annotations

import re
from fnmatch import fnmatch
from typing import TYPE_CHECKING, Any, NamedTuple

from envcompile.errors import EnvcError
from envcompile.git.repository import open_repository
from envcompile.secrets.ciphertext import BrokenCiphertextError, take_apart
from envcompile.secrets.declaration import MASTER_KEY_LABEL
from envcompile.secrets.plaintext_findings import find_plaintext
from envcompile.secrets.references import holds_reference

if TYPE_CHECKING:
    from collections.abc import Collection, Iterator
    from pathlib import Path

    from envcompile.model import Pointer

_PRIVATE_KEY = re.compile(
    rb"-----BEGIN (?:[A-Z0-9]+ )*PRIVATE KEY-----(?:\s|\\n)+(?:Proc-Type|[A-Za-z0-9+/=]{16})"
    rb"|AGE-SECRET-KEY-1[A-Z0-9]{40}"
)
"""A key as a PEM file has it, or in one line of JSON as cloud providers hand out service accounts."""
_PARAMETER = re.compile(r"\$\{\{\s*params\.[\w.-]+\s*\}\}")
_TEMPLATED_KIND = re.compile(r"""^(\s*)["']?kind["']?:\s*["']?Secret["']?\s*,?\s*$""", re.MULTILINE)
_TEMPLATED_BLOCK = re.compile(r"""^(\s*)["']?(?:data|stringData)["']?:\s*(?:\{\s*)?$""")
_TEMPLATED_VALUE = re.compile(r"""^(\s+)["']?[-._a-zA-Z0-9]+["']?:\s*(?P<value>\S.*?)\s*,?\s*$""")
_CLEAR_IN_TEMPLATE = re.compile(r"(?i)(password|passwd|secret|token|api_?key|private_?key)")
_YAML_ENDINGS = (".yaml", ".yml", ".json", ".tpl")
_SOPS_META = ("mac", "version")


class Leak(NamedTuple):
    """Something that must not be committed, without a word of it."""

    file: str
    line: int
    rule: str
    what: str
    fix: str


def scan_index(
    root: Path, *, staged: bool = True, exclude: Collection[str] = (), in_clear: Collection[str] = ()
) -> list[Leak]:
    """Look through files as git's index has them, not as the work tree has them.

    Args:
        root: a folder inside of the repository.
        staged: the files of the next commit; else every tracked file.
        exclude: globs of files to pass over, such as throw-away keys of tests.
        in_clear: folders whose Secrets are declared throw-away (`secretBackend: plaintext`).

    Raises:
        UsageError: outside of a git repository.
        UnavailableError: git cannot read the index.
    """
    repository = open_repository(root)
    files = repository.staged_files() if staged else repository.tracked_files()
    wanted = [file for file in files if not any(fnmatch(file, glob) for glob in exclude)]
    found: list[Leak] = []
    for file, data in repository.index_blobs(wanted):
        clear = any(file.startswith(f"{folder.rstrip('/')}/") for folder in in_clear)
        found += scan_file(file, data, secrets_in_clear=clear)
    return sorted(found)


def scan_file(file: str, data: bytes, *, secrets_in_clear: bool = False) -> list[Leak]:
    """Look through one file."""
    found = [
        Leak(
            file,
            data.count(b"\n", 0, match.start()) + 1,
            "private-key",
            "a private key",
            "take it out, and treat it as lost if it was ever pushed",
        )
        for match in _PRIVATE_KEY.finditer(data)
    ]
    if file.endswith(_YAML_ENDINGS):
        try:
            found += _scan_documents(file, data, secrets_in_clear=secrets_in_clear)
        except (EnvcError, UnicodeDecodeError, RecursionError):
            # Templates are no YAML until they are rendered; look at their lines.
            if not secrets_in_clear:
                found += _scan_lines(file, data.decode(errors="replace"))
    return sorted(found)


def _scan_documents(file: str, data: bytes, *, secrets_in_clear: bool) -> list[Leak]:
    from envcompile import yamlio

    found = []
    for index, document in enumerate(yamlio.load_all(data, file)):
        for pointer, value in _objects(document):
            for below, rule, what, fix in _flaws(value, secrets_in_clear=secrets_in_clear):
                line = yamlio.locate_nearest(data, index, (*pointer, *below))[0]
                found.append(Leak(file, line, rule, what, fix))
    return found


def _objects(value: Any, pointer: Pointer = ()) -> Iterator[tuple[Pointer, dict[str, Any]]]:
    """The Kubernetes objects of a document, in a List or a plain list too."""
    if isinstance(value, dict):
        items = value.get("items")
        if isinstance(items, list) and str(value.get("kind", "")).endswith("List"):
            for index, item in enumerate(items):
                yield from _objects(item, (*pointer, "items", index))
        else:
            yield pointer, value
    elif isinstance(value, list):
        for index, item in enumerate(value):
            yield from _objects(item, (*pointer, index))


def _flaws(value: dict[str, Any], *, secrets_in_clear: bool) -> Iterator[tuple[Pointer, str, str, str]]:
    metadata = value.get("metadata") if isinstance(value.get("metadata"), dict) else {}
    labels = (metadata or {}).get("labels")
    title = f"{value.get('kind', '')}/{(metadata or {}).get('name', '')}"
    if isinstance(labels, dict) and MASTER_KEY_LABEL in labels:
        yield (
            ("metadata", "labels", MASTER_KEY_LABEL),
            "sealing-key",
            f"{title} is a private key of the sealed-secrets controller",
            "it opens every secret of its cluster: take it out and renew it",
        )
    sops = value.get("sops")
    if isinstance(sops, dict):
        yield from _sops_flaws(value, sops)
    elif not secrets_in_clear:
        for pointer in find_plaintext(value):
            text = _at(value, pointer)
            if text in {None, ""} or (
                isinstance(text, str) and (_PARAMETER.fullmatch(text.strip()) or _is_reference(text))
            ):
                continue
            yield (
                pointer,
                "plaintext-secret",
                f"{title}: `{pointer[-1]}` is written in clear",
                "write a reference and seal it, or declare the key harmless by `envcompile.dev/plaintext`",
            )
    if value.get("kind") == "SealedSecret":
        yield from _sealed_flaws(value, title)
    yield from _checksum_flaws(value, title)


def _is_reference(text: str) -> bool:
    return text.startswith(("ref+", "secretref+")) and holds_reference(text)


def _sops_flaws(value: dict[str, Any], sops: dict[str, Any]) -> Iterator[tuple[Pointer, str, str, str]]:
    for name in _SOPS_META:
        if not sops.get(name):
            yield (
                ("sops",),
                "sops-unfinished",
                f"a SOPS file without `{name}`",
                "encrypt it again with `sops encrypt -i`",
            )
    rules = {
        "encrypted_regex",
        "unencrypted_regex",
        "encrypted_suffix",
        "encrypted_comment_regex",
        "unencrypted_comment_regex",
    }
    suffix = str(sops.get("unencrypted_suffix") or "_unencrypted")
    partly = bool(rules & set(sops))
    for pointer, text in _texts({name: item for name, item in value.items() if name != "sops"}):
        in_secret = value.get("kind") == "Secret" and pointer[:1] in {("data",), ("stringData",)}
        exempt = any(isinstance(part, str) and part.endswith(suffix) for part in pointer)
        if text and not text.startswith("ENC[") and not exempt and (in_secret or not partly):
            yield pointer, "sops-unencrypted", "a value in clear in a SOPS file", "encrypt it: `sops encrypt -i FILE`"


def _texts(value: Any, pointer: Pointer = ()) -> Iterator[tuple[Pointer, str]]:
    if isinstance(value, dict):
        for name, item in value.items():
            yield from _texts(item, (*pointer, name))
    elif isinstance(value, list):
        for index, item in enumerate(value):
            yield from _texts(item, (*pointer, index))
    elif isinstance(value, str):
        yield pointer, value


def _sealed_flaws(value: dict[str, Any], title: str) -> Iterator[tuple[Pointer, str, str, str]]:
    spec = value.get("spec") if isinstance(value.get("spec"), dict) else {}
    encrypted = (spec or {}).get("encryptedData")
    for key, sealed in encrypted.items() if isinstance(encrypted, dict) else ():
        try:
            take_apart(sealed)
        except BrokenCiphertextError as error:
            yield (
                ("spec", "encryptedData", key),
                "broken-ciphertext",
                f"{title}: the value of `{key}` {error}",
                "seal it again",
            )
    template = (spec or {}).get("template")
    clear = template.get("data") if isinstance(template, dict) else None
    for key, text in clear.items() if isinstance(clear, dict) else ():
        if isinstance(text, str) and text and "{{" not in text and _CLEAR_IN_TEMPLATE.search(str(key)):
            yield (
                ("spec", "template", "data", key),
                "plaintext-in-template",
                f"{title}: `{key}` looks like a secret, and a template is not encrypted",
                "seal it as a key of its own and use it in the template by `{{ .KEY }}`",
            )


def _checksum_flaws(value: dict[str, Any], title: str) -> Iterator[tuple[Pointer, str, str, str]]:
    """Helm's habit of a roll-out checksum over plaintext: whoever reads it can try words against it."""
    for pointer, _ in _texts(value):
        if pointer[-2:-1] == ("annotations",) and re.fullmatch(r"checksum/(.*-)?secrets?(-.*)?", str(pointer[-1])):
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


def _scan_lines(file: str, text: str) -> list[Leak]:
    found = []
    first = 1
    for document in re.split(r"^---.*$", text, flags=re.MULTILINE):
        if _TEMPLATED_KIND.search(document):
            depth: int | None = None
            for number, line in enumerate(document.splitlines(), first):
                indent = len(line) - len(line.lstrip())
                if block := _TEMPLATED_BLOCK.match(line):
                    depth = len(block[1])
                elif depth is not None and line.strip() and indent <= depth and not line.strip().startswith("{{"):
                    depth = None
                elif depth is not None and (value := _TEMPLATED_VALUE.match(line)) and _looks_literal(value["value"]):
                    what, fix = "a Secret in a template holds a value in clear", "take the value out of the template"
                    found.append(Leak(file, number, "plaintext-secret", what, fix))
        first += document.count("\n")
    return found


def _looks_literal(text: str) -> bool:
    bare = text.strip("\"'")
    return (
        bool(bare)
        and "{{" not in bare
        and not bare.startswith("ENC[")
        and not _is_reference(bare)
        and bare not in {"|", "|-", ">", ">-", "{}", "null", "~"}
    )
