"""What the author of a source wrote: documents with their comments, and how they come into the new repository."""

from __future__ import annotations

import posixpath
import re
from typing import TYPE_CHECKING, Any, Final, NamedTuple

from envcompile import yamlio
from envcompile.adopt.affixes import bare
from envcompile.adopt.existing import STAGE_WORDS
from envcompile.errors import EnvcError
from envcompile.values import same
from envcompile.yamlio import edit

if TYPE_CHECKING:
    from collections.abc import Iterable, Iterator, Sequence

    from envcompile.adopt.existing import Value
    from envcompile.adopt.generators import Generator

_SEPARATOR: Final = re.compile(r"---(?:[ \t]*(?:#.*)?)?\r?\n?")
_UNUSUAL: Final = re.compile(r"^(?:%|\.\.\.|--- *[^\s#])", re.MULTILINE)
"""Directives, ends of documents, and documents that begin on the line of their mark: these are not taken apart."""
_LAYERS: Final = frozenset((
    "base", "bases", "overlays", "components", "deploy", "k8s", "kubernetes", "kustomize", "manifests", "config",
    "resources", "environments", "envs", "patches",
))  # fmt: skip
"""Folders that say how a repository is made and not what is in them."""
_MOST_EDITS: Final = 60
_MOST_COMPARED: Final = 8
_LICENCE: Final = re.compile(r"copyright|licen[cs]e|spdx", re.IGNORECASE)


class Written(NamedTuple):
    """A document as somebody wrote it: its file below the source, its number there, its value and its lines."""

    path: str
    number: int
    value: Value
    head: str
    """The lines before it: comments that stand alone, and the mark that separates it from the one before."""
    text: str
    keeps_file: bool = True
    """Whether the file is one of the author's folders, and no collection of all that an environment has."""
    reaches: tuple[tuple[str, str, str], ...] = ()
    """Group, kind and name of what a patch reaches, where its own head does not say it."""
    is_wide: bool = False
    """Whether it is a `kind: Patch` for several objects."""
    part_of: tuple[str, int] | None = None
    """The place of a patch for several objects, which this one is or says of one of them."""
    generator: Generator | None = None
    """What makes the object; `text` is empty then."""

    def __repr__(self) -> str:
        return f"Written({self.path}, {self.number})"

    @property
    def place(self) -> tuple[str, int]:
        """What tells it from all other documents of the source."""
        return self.path, self.number

    @property
    def what(self) -> tuple[str, str, str]:
        """Group, kind and name of the object, or of what a patch reaches."""
        return self.reaches[0] if self.reaches else what_of(self.value)


def what_of(value: Value) -> tuple[str, str, str]:
    """Group, kind and name of an object, whatever its namespace and what its environment puts around the name."""
    metadata = value["metadata"]
    return value["apiVersion"].rpartition("/")[0], value["kind"], bare(metadata.get("name") or "")


def read_written(path: str, data: bytes, *, keeps_file: bool = True) -> list[Written]:
    """The documents of a file that are objects, each with its lines; none of a file that cannot be taken apart.

    Args:
        path: relative to the source.
        data: the file's bytes.
        keeps_file: as in `Written`.
    """
    try:
        text = data.decode("utf-8").removeprefix("\ufeff")
        values = yamlio.load_all(data, path)
    except (UnicodeDecodeError, EnvcError):
        return []
    if path.endswith(".json") or _UNUSUAL.search(text):
        return []
    parts = list(_parts(text))
    found, before = [], ""
    for head, body in parts:
        try:
            value = next(iter(yamlio.load_all(body.encode(), path)), None)
        except EnvcError:
            return []
        if value is None:
            before += head + body
            continue
        found.append((before + head, body, value))
        before = ""
    if not same([value for _, _, value in found], [value for value in values if value is not None]):
        return []
    if found and not found[-1][1].endswith("\n"):
        # With a line break at its end a file may say something else: a block of text had none.
        head, body, _ = found[-1]
        found[-1] = (head, f"{body}\n", next(iter(yamlio.load_all(f"{body}\n".encode(), path))))
    return [
        Written(path, number, value, head, body, keeps_file)
        for number, (head, body, value) in enumerate(found)
        if _is_object(value)
    ]


def _parts(text: str) -> Iterator[tuple[str, str]]:
    """Each document's separator and its lines."""
    head, lines = "", list[str]()
    for line in text.splitlines(keepends=True):
        if _SEPARATOR.fullmatch(line):
            yield head, "".join(lines)
            head, lines = line, []
        else:
            lines.append(line)
    yield head, "".join(lines)


def _is_object(value: Any) -> bool:
    metadata = value.get("metadata") if type(value) is dict else None
    return (
        type(metadata) is dict
        and type(value.get("apiVersion")) is str
        and type(value.get("kind")) is str
        and type(metadata.get("name")) is str
    )


def best(candidates: Sequence[Written], wanted: Value) -> Written | None:
    """The document that is most like an object; None when there is none of its kind and name."""
    fitting = [each for each in candidates if each.what == what_of(wanted) and each.generator is None]
    if len(fitting) < 2:
        return fitting[0] if fitting else None
    for each in fitting:
        if same(each.value, wanted):
            return each
    return min(fitting[:_MOST_COMPARED], key=lambda each: _distance(each.value, wanted))


def _distance(old: Any, new: Any) -> int:
    """In how many places two values differ."""
    if same(old, new):
        return 0
    if type(old) is dict and type(new) is dict:
        return sum(_distance(old[key], new[key]) if key in old and key in new else 1 for key in {*old, *new})
    if type(old) is list and type(new) is list:
        return abs(len(old) - len(new)) + sum(map(_distance, old, new))
    return 1


def rewritten(written: Written, wanted: Value) -> str | None:
    """The author's lines, changed only where the object differs; None when they would hardly be the author's.

    Comments, quotes and the order of keys stay.
    """
    if same(written.value, wanted):
        return written.text
    if _distance(written.value, wanted) > min(_MOST_EDITS, written.text.count("\n") // 2):
        return None
    try:
        return edit.set_value(written.text, 0, (), wanted, file=written.path)
    except EnvcError:
        return None


def licence_of(text: str) -> str:
    """The comment a file begins with, if it is about copyright: it goes with every part of the file."""
    lines: list[str] = []
    for line in text.splitlines(keepends=True):
        if not line.startswith("#") and (line.strip() or not lines):
            break
        lines.append(line)
    found = "".join(lines)
    return found if _LICENCE.search(found) else ""


def homes(written: Iterable[Written], environments: Iterable[str]) -> dict[str, str]:
    """Where each file of the source lies below `base/` or an overlay; files that collect all are left out.

    Words that name layers or environments go (`base/`, `overlays/prod/`), and folders that all files share, except the
    last one of a file.
    """
    gone = _LAYERS | STAGE_WORDS | {name.lower() for name in environments}
    folders: dict[str, list[str]] = {}
    for path in sorted({each.path for each in written if each.keeps_file}):
        parts = posixpath.dirname(path).split("/")
        folders[path] = [part for part in parts if part and part.lower() not in gone]
    deep = [parts for parts in folders.values() if parts]
    shared = len(posixpath.commonprefix(deep)) if deep and len(deep) == len(folders) else 0
    return {
        path: "/".join([*parts[min(shared, max(len(parts) - 1, 0)) :], posixpath.basename(path)])
        for path, parts in folders.items()
    }
