"""The scan of SOPS files: one that is not finished, or holds in clear what its own rule encrypts."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

if TYPE_CHECKING:
    from collections.abc import Iterator

    from envcompile.model import Pointer

_META = ("mac", "version")
_RULES = frozenset({
    "encrypted_regex",
    "unencrypted_regex",
    "encrypted_suffix",
    "encrypted_comment_regex",
    "unencrypted_comment_regex",
})


def sops_flaws(value: dict[str, Any], sops: dict[str, Any]) -> Iterator[tuple[Pointer, str, str, str]]:
    """What is wrong with a document that has sops' block, each with its pointer, rule, words and fix."""
    for name in _META:
        if not sops.get(name):
            fix = "encrypt it again with `sops encrypt -i`"
            yield ("sops",), "sops-unfinished", f"a SOPS file without `{name}`", fix
    suffix = str(sops.get("unencrypted_suffix") or "_unencrypted")
    partly = bool(_RULES & set(sops))
    for pointer, text in texts({name: item for name, item in value.items() if name != "sops"}):
        in_secret = value.get("kind") == "Secret" and pointer[:1] in {("data",), ("stringData",)}
        exempt = any(isinstance(part, str) and part.endswith(suffix) for part in pointer)
        if text and not text.startswith("ENC[") and not exempt and (in_secret or not partly):
            yield pointer, "sops-unencrypted", "a value in clear in a SOPS file", "encrypt it: `sops encrypt -i FILE`"


def texts(value: Any, pointer: Pointer = ()) -> Iterator[tuple[Pointer, str]]:
    """Every text in a value, with its way."""
    if isinstance(value, dict):
        for name, item in value.items():
            yield from texts(item, (*pointer, name))
    elif isinstance(value, list):
        for index, item in enumerate(value):
            yield from texts(item, (*pointer, index))
    elif isinstance(value, str):
        yield pointer, value
