"""`envc secrets scan`: what must never be committed, found in the index before it is; shows places, never values."""

from __future__ import annotations

import re
from fnmatch import fnmatch
from typing import TYPE_CHECKING

from envcompile.errors import EnvcError
from envcompile.git.repository import open_repository
from envcompile.model import HARMLESS_ANNOTATION
from envcompile.secrets.leak import Leak
from envcompile.secrets.scanlanguages import LANGUAGES, scan_language
from envcompile.secrets.scanobjects import scan_documents
from envcompile.secrets.scanplaces import LOOKS
from envcompile.secrets.scantext import scan_jsonnet, scan_lines, scan_netrc, scan_values

if TYPE_CHECKING:
    from collections.abc import Callable, Collection, Iterable
    from pathlib import Path

__all__ = ["Leak", "scan_file", "scan_index", "scan_tree"]

_PRIVATE_KEY = re.compile(
    rb"-----BEGIN (?:[A-Z0-9]+ )*PRIVATE KEY-----(?:\s|\\n)+(?:Proc-Type|[A-Za-z0-9+/=]{16})"
    rb"|AGE-SECRET-KEY-1[A-Z0-9]{40}"
)
"""A key as a PEM file has it, or in one line of JSON as cloud providers hand out service accounts."""
_YAML = frozenset({"yaml", "yml", "json", "tpl"})
_TEMPLATES = frozenset({
    *("tmpl", "gotmpl", "template", "j2", "jinja", "jinja2", "erb", "mustache", "hbs", "in", "txt"),
    *("bak", "orig", "old", "dist", "example", "sample", "patch", "diff"),
})
"""Endings of texts that become manifests, or were some: read when they speak of a Secret."""
_JSONNET = frozenset({"jsonnet", "libsonnet"})
_JSON_LIKE = frozenset({"json", "json5", "jsonc", "jsonl", "ndjson"})
_DIFFS = frozenset({"patch", "diff", "rej"})
_OF_DIFFS = ("@@", "--- ", "+++ ", "diff ", "index ")
_KUSTOMIZATION = "Kustomization"
"""The third name that kustomize reads, beside `kustomization.yaml` and `.yml`."""
_SETTINGS = frozenset({"env", "properties", "ini", "toml", "cfg", "conf", "npmrc", "pgpass"})
"""Endings of configuration, which generators make ConfigMaps of."""
_SAMPLES = frozenset({"example", "sample", "template", "dist", "tmpl", "tpl", "j2", "md"})
_ACCEPTED = re.compile(rf"(?:#|//|;)\s*{re.escape(HARMLESS_ANNOTATION)}:\s*([^#\r]+)")
_OWN_KEY = re.compile(r"""\s*(?:-\s+)?(?:export\s+)?["']?([\w./-]+)["']?\s*[:=]""")
_NAMES = re.compile(r"`([^`]+)`")
_SPEAKS_OF_SECRETS = re.compile(rb"""kind["']?\s*[:=]\s*["']?Secret(?:List|Generator)?\b""")


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
    tracked: list[frozenset[str]] = []

    def committed(file: str) -> bytes | None:
        if not tracked:
            tracked.append(frozenset(repository.tracked_files()))
        return next((data for _, data in repository.index_blobs([file])), None) if file in tracked[0] else None

    return scan_tree(repository.index_blobs(wanted), in_clear=in_clear, committed=committed)


def scan_tree(
    files: Iterable[tuple[str, bytes]],
    *,
    in_clear: Collection[str] = (),
    committed: Callable[[str], bytes | None] = lambda _file: None,
) -> list[Leak]:
    """Look through the files of any tree: an index, a commit, a folder.

    Args:
        files: path and bytes of each.
        in_clear: folders whose Secrets are declared throw-away (`secretBackend: plaintext`).
        committed: gives the bytes of a file of the tree, for generators that read one; None where it has none.
    """
    found: list[Leak] = []
    for file, data in files:
        clear = any(file.startswith(f"{folder.rstrip('/')}/") for folder in in_clear)
        found += scan_file(file, data, secrets_in_clear=clear, committed=committed)
    return sorted(found)


def scan_file(
    file: str,
    data: bytes,
    *,
    secrets_in_clear: bool = False,
    committed: Callable[[str], bytes | None] = lambda _file: None,
) -> list[Leak]:
    """Look through one file."""
    data = _as_utf8(data)
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
    in_text: Callable[[str, str], list[Leak]] = _no_leaks if secrets_in_clear else _in_text
    endings, name = _endings(file), file.rpartition("/")[2]
    if endings & _JSONNET:
        found += in_text(file, data.decode(errors="replace"))
    elif endings & _YAML or name == _KUSTOMIZATION or _may_be_manifest(endings, data):
        try:
            if endings & _JSON_LIKE and data.lstrip()[:2] in {b"//", b"/*"}:  # a comment, which YAML takes for text
                found += in_text(file, data.decode(errors="replace"))
            found += scan_documents(file, data, secrets_in_clear=secrets_in_clear, committed=committed)
        except (EnvcError, UnicodeDecodeError, RecursionError):
            # Templates are no YAML until they are rendered; look at their lines.
            found += in_text(file, data.decode(errors="replace"))
    elif endings & LANGUAGES and not endings & _SAMPLES and not secrets_in_clear:
        found += scan_language(file, data.decode(errors="replace"))
    elif name.lstrip("._") == "netrc" and not secrets_in_clear:
        found += scan_netrc(file, data.decode(errors="replace"))
    elif endings & _SETTINGS and not endings & _SAMPLES and b"\0" not in data and not secrets_in_clear:
        found += scan_values(file, data.decode(errors="replace"))
    return sorted(leak for leak in set(found) if leak.rule != LOOKS or not _is_accepted(leak, data))


def _is_accepted(leak: Leak, data: bytes) -> bool:
    """Tell whether a comment says that what looks like a secret is none: in its line, or by itself in the line above.

    The comment lists keys, as the annotation of its name does in objects, which parameters and values have not.
    """
    lines = data.split(b"\n")
    here = lines[leak.line - 1] if leak.line <= len(lines) else b""
    above = lines[leak.line - 2] if leak.line > 1 else b""
    texts = [here, *([above] if above.lstrip().startswith((b"#", b"//", b";")) else [])]
    stated = {
        key.strip()
        for text in texts
        for keys in _ACCEPTED.findall(text.decode(errors="replace"))
        for key in keys.split(",")
    }
    if not stated:
        return False
    own = _OWN_KEY.match(here.decode(errors="replace"))
    return not stated.isdisjoint({*_NAMES.findall(leak.what), *([own[1]] if own else [])})


def _may_be_manifest(endings: set[str], data: bytes) -> bool:
    """Whether a file becomes a manifest, or was one, and speaks of a Secret."""
    is_text = bool(endings & (_TEMPLATES | _JSON_LIKE | _DIFFS)) or not endings
    return is_text and b"\0" not in data and _SPEAKS_OF_SECRETS.search(data) is not None


def _in_text(file: str, text: str) -> list[Leak]:
    """What a text holds that is no YAML: jsonnet and what looks like it, differences, templates."""
    endings = _endings(file)
    if endings & _JSONNET:
        return scan_jsonnet(file, text)
    if endings & _DIFFS:
        text = "\n".join("---" if line.startswith(_OF_DIFFS) else line[1:] for line in text.split("\n"))
    return scan_lines(file, text) + (scan_jsonnet(file, text) if endings & _JSON_LIKE else [])


def _no_leaks(_file: str, _text: str) -> list[Leak]:
    return []


def _endings(file: str) -> set[str]:
    """Every ending of a name, so that `secret.yaml.tmpl` and `secret.yaml~` count as what they are."""
    name = file.rpartition("/")[2].rstrip("~").lower()
    first, *endings = name.lstrip(".").split(".")
    return {first, *endings} if name.startswith(".") else {*endings}


def _as_utf8(data: bytes) -> bytes:
    """The text of a file in UTF-8; editors and PowerShell write UTF-16 as well, which git takes for binary."""
    encoding = ""
    if data[:4] in {b"\xff\xfe\0\0", b"\0\0\xfe\xff"}:
        encoding = "utf-32"
    elif data[:2] in {b"\xff\xfe", b"\xfe\xff"}:
        encoding = "utf-16"
    elif len(data) > 3 and not any(data[1:64:2]) and all(data[0:64:2]):
        encoding = "utf-16-le"
    elif len(data) > 3 and not any(data[0:64:2]) and all(data[1:64:2]):
        encoding = "utf-16-be"
    return data.decode(encoding, errors="replace").encode() if encoding else data
