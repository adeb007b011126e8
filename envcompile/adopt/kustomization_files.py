"""The files of kustomizations: what each one names, and what it is made from."""

from __future__ import annotations

import os
import posixpath
from pathlib import Path
from typing import TYPE_CHECKING, Any, Final, NamedTuple

from envcompile import yamlio
from envcompile.adopt.kustomize import FILENAMES
from envcompile.errors import EnvcError

if TYPE_CHECKING:
    from collections.abc import Iterable, Iterator, Mapping, Sequence

_FURTHER: Final = (
    "transformers", "generators", "validators", "replacements", "configurations", "crds", "patchesJson6902",
)  # fmt: skip
"""Fields of a kustomization that name files which are no objects."""


class Kustomization(NamedTuple):
    """One kustomization; `uses` are the folders it refers to, relative to the start as `folder` is."""

    folder: str
    is_component: bool
    uses: frozenset[str]
    file: str = ""
    """Its own file, relative to the start."""
    value: Mapping[str, Any] = {}
    """What the file says."""
    components: tuple[str, ...] = ()
    """Those of `uses` that it names as components, in their order."""
    inputs: tuple[str, ...] = ()
    """Further YAML files that it names: of transformers, generators, replacements and configurations."""

    def __repr__(self) -> str:
        return f"Kustomization({self.folder})"

    @property
    def settles(self) -> frozenset[str]:
        """Which of `images` and `replicas` it says itself."""
        return frozenset(field for field in ("images", "replicas") if self.value.get(field))

    def maps(self, field: str) -> list[tuple[int, dict[str, Any]]]:
        """The entries of a list of maps, each with its number in the list."""
        items = self.value.get(field)
        return [
            (number, each) for number, each in enumerate(items if type(items) is list else ()) if type(each) is dict
        ]


def find_kustomizations(source: Path) -> dict[str, Kustomization]:
    """Every kustomization at or below a folder, by its folder (`.` for the start itself)."""
    found: dict[str, Kustomization] = {}
    for directory, folders, files in os.walk(source):
        folders[:] = sorted(name for name in folders if not name.startswith("."))
        named = next((name for name in FILENAMES if name in files), None)
        if named is None:
            continue
        folder = Path(directory).relative_to(source).as_posix()
        kustomization = _read(Path(directory, named), folder)
        if kustomization is not None:
            found[folder] = kustomization
    return found


def _read(path: Path, folder: str) -> Kustomization | None:
    """What a kustomization refers to; None for a file of another API, such as Flux's Kustomization."""
    file = below(folder, path.name)
    try:
        values = [value for value in yamlio.load_all(path.read_bytes(), path.as_posix()) if value is not None]
    except (OSError, EnvcError):
        # kustomize itself tells what is wrong, in its own words, should the file be part of an environment.
        return Kustomization(folder, is_component=False, uses=frozenset(), file=file)
    value: Any = values[0] if values else {}
    if type(value) is not dict:
        return Kustomization(folder, is_component=False, uses=frozenset(), file=file)
    version = value.get("apiVersion")
    if type(version) is str and not version.startswith("kustomize.config.k8s.io/"):
        return None
    uses = frozenset(below(folder, entry) for entry in _texts(value, "resources", "bases", "components"))
    further = [value.get(field) for field in _FURTHER]
    named = [entry for items in further if type(items) is list for entry in items]
    paths = [entry.get("path") if type(entry) is dict else entry for entry in named]
    inputs = tuple(below(folder, each) for each in paths if type(each) is str)
    components = tuple(below(folder, entry) for entry in _texts(value, "components"))
    is_component = value.get("kind") == "Component"
    return Kustomization(folder, is_component, uses, file, value, components, inputs)


def _texts(value: Mapping[str, Any], *fields: str) -> list[str]:
    lists = [value.get(field) for field in fields]
    return [entry for entries in lists if type(entries) is list for entry in entries if type(entry) is str]


def below(folder: str, path: str) -> str:
    """A path that a kustomization names, relative to the start."""
    return posixpath.normpath(posixpath.join(folder, path))


def reached(roots: Sequence[str], known: Mapping[str, Kustomization]) -> set[str]:
    """Everything that some kustomizations are made from, themselves included."""
    found: set[str] = set()
    todo = list(roots)
    while todo:
        folder = todo.pop()
        if folder not in found and folder in known:
            found.add(folder)
            todo += known[folder].uses
    return found


def in_order(roots: Iterable[str], known: Mapping[str, Kustomization]) -> list[Kustomization]:
    """What some kustomizations are made from, themselves included: what is used before what uses it, as it is laid."""
    done: dict[str, Kustomization] = {}

    def add(folder: str, above: frozenset[str]) -> None:
        if folder in known and folder not in done and folder not in above:
            each = known[folder]
            for used in (*sorted(each.uses - {*each.components}), *each.components):
                add(used, above | {folder})
            done[folder] = each

    for root in roots:
        add(root, frozenset())
    return list(done.values())


def contents(source: Path, path: str) -> bytes | None:
    """The bytes of a file of the source; None where there is none, or the path leads out of the source."""
    if path == ".." or path.startswith(("../", "/")):
        return None
    file = source / path
    try:
        return file.read_bytes() if file.is_file() else None
    except OSError:
        return None


def entry_lines(text: str, field: str, number: int) -> tuple[str, str]:
    """Comments directly above an entry of a list, and its lines as they would stand at the left margin.

    Empty where the file is not read as YAML, or the entry is written so that its lines are no text of their own.
    """
    from envcompile.yamlio.nodes import documents

    roots = documents(text)
    found = roots[0].value.find(field) if roots else None
    item = found[1].find(number) if found is not None else None
    if item is None or item[1].kind == "alias":
        return "", ""
    node = item[1]
    if node.flow:
        return "", text[node.start : node.end] + "\n"
    begin = text.rfind("\n", 0, node.start) + 1
    column = node.start - begin
    lines = text[begin : node.end].splitlines(keepends=True)
    last = max(row for row, line in enumerate(lines) if row == 0 or len(line) - len(line.lstrip(" ")) >= column)
    body = [lines[0][column:], *(line[column:] if line.strip() else "\n" for line in lines[1 : last + 1])]
    dash = text[begin : node.start].rstrip()
    if dash.strip() != "-":
        return "", ""
    return "".join(_comments_above(text[:begin], len(dash) - 1)), _ended("".join(body).rstrip("\n"))


def _comments_above(text: str, column: int) -> Iterator[str]:
    found: list[str] = []
    for line in reversed(text.splitlines()):
        if not line.startswith(" " * column + "#"):
            break
        found.append(line.strip() + "\n")
    yield from reversed(found)


def _ended(text: str) -> str:
    return f"{text}\n"
