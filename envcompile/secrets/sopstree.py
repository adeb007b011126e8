"""SOPS files as trees: YAML, JSON, dotenv and INI, without their metadata and comments, as sops itself walks them.

Source: getsops/sops v3.13.3, `stores/` (formats, flattened metadata) and `sops.go` (`shouldBeEncrypted`, comments).
"""

from __future__ import annotations

import re
from typing import TYPE_CHECKING, Any, Literal, NamedTuple

from envcompile.errors import EnvcError
from envcompile.secrets.backends import OriginError, broken_file

if TYPE_CHECKING:
    from collections.abc import Iterator, Mapping

    from envcompile.secrets.references import Reference

Form = Literal["yaml", "json", "dotenv", "ini"]

VALUE = re.compile(
    r"ENC\[AES256_GCM,data:(?P<data>[^,]*),iv:(?P<iv>[^,]+),tag:(?P<tag>[^,]+),type:(?P<type>[a-z0-9]+)\]"
)
"""An encrypted value; `type` says what it was before."""
_UNENCRYPTED_SUFFIX = "_unencrypted"
_RULES = (
    "unencrypted_suffix",
    "encrypted_suffix",
    "unencrypted_regex",
    "encrypted_regex",
    "unencrypted_comment_regex",
    "encrypted_comment_regex",
)
_FLAT = re.compile(r"(__map_|__list_)")
_INI_SECTION = re.compile(r"\[(?P<name>[^\]]*)\]")
_KNOWN_ENDINGS = (".yaml", ".yml", ".json", ".env", ".ini")


class SopsTree(NamedTuple):
    """What a SOPS file holds, still encrypted."""

    form: Form
    documents: tuple[dict[str, Any], ...]
    """Each document without `sops` and without the comments that sops keeps in lists; the first is the one to read."""
    metadata: Mapping[str, Any]
    is_binary: bool
    """Whether it is a file of any kind, encrypted as a whole, whose bytes are the value of `data`."""

    def is_encrypted(self, names: tuple[str, ...], text: str) -> bool:
        """Whether a value is a ciphertext, by the file's own rule and not by how it looks."""
        return _is_encrypted(self.metadata, names, text)


def read_tree(data: bytes, reference: Reference) -> SopsTree:
    """Read a SOPS file.

    Raises:
        OriginError: when it is none; nothing of the file is quoted.
    """
    for number, form in enumerate(_forms(data, reference.path)):
        try:
            documents, metadata = _READERS[form](data, reference)
        except OriginError:
            if not number:
                raise
            continue  # YAML was but a guess
        if metadata is not None:
            break
    else:
        raise OriginError(
            f"`{reference.path}` is not a SOPS file (YAML, JSON, dotenv or INI, with what sops adds to it)",
            f"make one with `sops encrypt -i {reference.path}`",
        )
    kept = tuple(_without_comments(document, (), metadata) for document in documents)
    is_binary = form == "json" and set(kept[0]) == {"data"} and not reference.path.endswith(_KNOWN_ENDINGS)
    return SopsTree(form, kept, metadata, is_binary)


def leaves(
    value: Any, path: tuple[str, ...] = (), names: tuple[str, ...] = ()
) -> Iterator[tuple[tuple[str, ...], tuple[str, ...], Any]]:
    """Every scalar with its way and, without list positions, the names that SOPS authenticates it with."""
    if isinstance(value, dict):
        for name, item in value.items():
            yield from leaves(item, (*path, str(name)), (*names, str(name)))
    elif isinstance(value, list):
        for index, item in enumerate(value):
            yield from leaves(item, (*path, str(index)), names)
    else:
        yield path, names, value


def _is_encrypted(metadata: Mapping[str, Any], names: tuple[str, ...], text: str) -> bool:
    if VALUE.fullmatch(text) is None:
        return False
    rule = next((name for name in _RULES if metadata.get(name)), "unencrypted_suffix")
    wanted = str(metadata.get(rule) or _UNENCRYPTED_SUFFIX)
    if "comment" in rule:
        return True  # comments are not read, so the form has to tell
    try:
        named = any(name.endswith(wanted) if "suffix" in rule else re.search(wanted, name) for name in names)
    except re.error:
        return True  # an expression of Go's that Python does not know
    return named is not rule.startswith("unencrypted")


def _without_comments(value: Any, names: tuple[str, ...], metadata: Mapping[str, Any]) -> Any:
    if isinstance(value, dict):
        return {name: _without_comments(item, (*names, str(name)), metadata) for name, item in value.items()}
    if isinstance(value, list):
        return [_without_comments(item, names, metadata) for item in value if not _is_comment(item, names, metadata)]
    return value


def _is_comment(item: Any, names: tuple[str, ...], metadata: Mapping[str, Any]) -> bool:
    """Whether a list item is a comment: sops encrypts one that stands inside of a list as an item of its own."""
    if not isinstance(item, str) or (match := VALUE.fullmatch(item)) is None:
        return False
    return match["type"] == "comment" and _is_encrypted(metadata, names, item)


def _forms(data: bytes, path: str) -> tuple[Form, ...]:
    """The forms to try: the one that the name promises, else the one the text looks like."""
    if path.endswith(".env") or (b"\nsops_mac=" in data and not path.endswith((".yaml", ".yml", ".json"))):
        return ("dotenv", "yaml")
    if path.endswith(".ini") or re.search(rb"^\[sops\]", data, re.MULTILINE):
        return ("ini", "yaml")
    return ("json",) if data.lstrip(b"\xef\xbb\xbf \t\r\n").startswith(b"{") else ("yaml",)


def _from_yaml(data: bytes, reference: Reference) -> tuple[list[dict[str, Any]], dict[str, Any] | None]:
    """The documents of a YAML or JSON file; sops writes its block into each of them and authenticates all together."""
    from envcompile import yamlio

    try:
        documents = [value for value in yamlio.load_literally(data, reference.path) if value is not None]
    except EnvcError as error:
        raise broken_file(error, reference) from None
    found = [document for document in documents if isinstance(document, dict)]
    metadata = found[0].get("sops") if found and len(found) == len(documents) else None
    plain = [{name: value for name, value in document.items() if name != "sops"} for document in found]
    return plain, metadata if isinstance(metadata, dict) else None


def _from_dotenv(data: bytes, reference: Reference) -> tuple[list[dict[str, Any]], dict[str, Any] | None]:
    lines: dict[str, str] = {}
    for line in _text(data, reference).split("\n"):
        name, equals, value = line.removesuffix("\r").partition("=")
        if equals and not name.startswith("#"):
            lines[name] = value.replace("\\n", "\n")
    flat = {name.removeprefix("sops_"): value for name, value in lines.items() if name.startswith("sops_")}
    plain = {name: value for name, value in lines.items() if not name.startswith("sops_")}
    return [plain], _nested(flat) if flat else None


def _from_ini(data: bytes, reference: Reference) -> tuple[list[dict[str, Any]], dict[str, Any] | None]:
    sections: dict[str, dict[str, str]] = {}
    section = sections.setdefault("DEFAULT", {})
    for text in _text(data, reference).splitlines():
        line = text.strip()
        if match := _INI_SECTION.match(line):
            section = sections.setdefault(match["name"].strip(), {})
        elif line and not line.startswith(("#", ";")):
            name, _, value = line.partition("=")
            section[name.strip()] = _unquoted(value.strip())
    flat = sections.pop("sops", None)
    if not sections["DEFAULT"]:
        del sections["DEFAULT"]
    metadata = None if flat is None else _nested({name: text.replace("\\n", "\n") for name, text in flat.items()})
    return [dict(sections)], metadata


def _unquoted(text: str) -> str:
    return text[1:-1] if len(text) > 1 and text[0] == text[-1] and text[0] in "\"'`" else text


def _text(data: bytes, reference: Reference) -> str:
    try:
        return data.decode("utf-8-sig")
    except UnicodeDecodeError:
        raise OriginError(f"`{reference.path}` is not UTF-8", "take it from git as sops wrote it") from None


def _nested(flat: Mapping[str, str]) -> dict[str, Any]:
    """The metadata that dotenv and INI files hold line by line: `age__list_0__map_enc` is `age[0].enc`."""
    root: dict[str, Any] = {}
    for name, value in flat.items():
        first, *rest = _FLAT.split(name)
        steps = [first, *rest[1::2]]
        place = root
        for step in steps[:-1]:
            below = place.setdefault(step, {})
            place = below if isinstance(below, dict) else {}
        place[steps[-1]] = value
    return {name: _as_lists(value) for name, value in root.items()}


def _as_lists(value: Any) -> Any:
    if not isinstance(value, dict):
        return value
    below = {name: _as_lists(item) for name, item in value.items()}
    return [below[name] for name in sorted(below, key=int)] if all(name.isdigit() for name in below) else below


_READERS = {"yaml": _from_yaml, "json": _from_yaml, "dotenv": _from_dotenv, "ini": _from_ini}
